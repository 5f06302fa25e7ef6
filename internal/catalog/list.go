package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// list is what pages share that were read together: one list of events, or that of each series of a family.
type list struct {
	catalog *Catalog
	query   EventQuery
	parents []event.ID // the series; none: one list, of the zero id
	counts  once[map[event.ID]int]
	results onces[map[event.ID][]FacetResult]
}

// TotalCount is how many events all pages have together.
func (p *EventPage) TotalCount(ctx context.Context) (int, error) {
	counts, err := p.list.counts.get(func() (map[event.ID]int, error) {
		return p.list.catalog.count(ctx, p.list.query, p.list.parents)
	})
	return counts[p.parent], err
}

func (l *list) facets(ctx context.Context, parent event.ID, by []Facet) ([]FacetResult, error) {
	results, err := l.results.get(fmt.Sprint(by), func() (map[event.ID][]FacetResult, error) {
		return l.catalog.readFacets(ctx, l.query, l.parents, by)
	})
	return results[parent], err
}

// count counts the events of each parent, or of the one list.
func (c *Catalog) count(ctx context.Context, eq EventQuery, parents []event.ID) (map[event.ID]int, error) {
	q, err := eq.query(&query{parents: parents})
	if err != nil {
		return nil, err
	}
	sql, args := q.count()
	rows, err := c.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("counting events: %w", err)
	}
	counts := map[event.ID]int{}
	var parent *[16]byte
	var n int
	_, err = pgx.ForEachRow(rows, []any{&parent, &n}, func() error {
		if parent == nil {
			parent = new([16]byte)
		}
		counts[*parent] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("counting events: %w", err)
	}
	return counts, nil
}

// eventsOfSeries reads the same page of the events of several series; one statement.
func (c *Catalog) eventsOfSeries(ctx context.Context, r read, series []event.ID) (map[event.ID][]*Event, error) {
	//nolint:unqueryvet // The inner statement names its columns.
	sql := fmt.Sprintf("SELECT page.* FROM unnest($%d::uuid[]) AS parents (parent) CROSS JOIN LATERAL (%s) page", len(r.args)+1, r.sql)
	events, err := c.collect(ctx, sql, append(r.args, series))
	if err != nil {
		return nil, err
	}
	bySeries := make(map[event.ID][]*Event, len(series))
	for _, e := range events { // each series' own in their order
		bySeries[*e.SeriesID] = append(bySeries[*e.SeriesID], e)
	}
	return bySeries, nil
}

// IsAlone says whether the series was read by itself, not in a list.
func (s *Series) IsAlone() bool { return len(s.family.members) == 1 }

// Events is a page of the series' listed events. It is read for all series that were read together, in one statement.
func (s *Series) Events(ctx context.Context, eq EventQuery) (*EventPage, error) {
	eq.Now = s.family.now
	r, err := eq.read(&query{conditions: []string{"series_id = parents.parent"}}, eq.Fields.inOrder)
	if err != nil {
		return nil, err
	}
	pages, err := s.family.pages.get(fmt.Sprint(r.page.size, r.sql, r.args), func() (map[event.ID]*EventPage, error) {
		ids := distinct(s.family.members, func(s *Series) *event.ID { return &s.ID })
		events, err := s.family.catalog.eventsOfSeries(ctx, r, ids)
		if err != nil {
			return nil, err
		}
		shared := &list{catalog: s.family.catalog, query: eq, parents: ids}
		pages := make(map[event.ID]*EventPage, len(ids))
		for _, id := range ids {
			pages[id] = r.pageOf(append([]*Event{}, events[id]...), shared, id)
		}
		return pages, nil
	})
	return pages[s.ID], err
}

// parent is the column by which lists are told apart.
func (q *query) parent() string {
	if len(q.parents) == 0 {
		return "NULL::uuid"
	}
	return "series_id"
}

// count is the statement that counts what the conditions hold, by parent.
func (q *query) count() (string, []any) {
	group := ""
	if len(q.parents) > 0 {
		group = " GROUP BY parent"
	}
	if q.spans == nil {
		return q.selected(q.parent()+" AS parent, count(*)") + group, q.args
	}
	sum := "NULL::uuid, coalesce(sum(e.n), 0)::bigint"
	if group != "" {
		sum = "e.parent, sum(e.n)::bigint"
	}
	return q.perClass(sum, q.parent()+" AS parent, count(*) AS n", group, order{}, stretch{}) + group, q.args
}

// relation selects columns of everything that the conditions hold.
func (q *query) relation(columns []string) string {
	if q.spans == nil {
		return q.selected(strings.Join(columns, ", "))
	}
	return q.perClass("e.*", strings.Join(columns, ", "), "", order{}, stretch{})
}
