package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// Facet is what the events of a list can be counted by.
type Facet string

// The facets. Days, weeks and months are those in which events start, in the window's zone if it has one, else by each
// event's own wall clock.
const (
	FacetDay          Facet = "DAY"
	FacetWeek         Facet = "WEEK" // from Monday
	FacetMonth        Facet = "MONTH"
	FacetProvider     Facet = "PROVIDER"
	FacetCategory     Facet = "CATEGORY" // an event counts in each of its own
	FacetCity         Facet = "CITY"
	FacetAvailability Facet = "AVAILABILITY"
	FacetPriceBand    Facet = "PRICE_BAND" // an event counts in each band that its prices meet
)

// maxFacets is how many facets one query may ask for.
const maxFacets = 8

// FacetResult are the buckets of one facet: those of time and of prices in their order, all others the largest first.
type FacetResult struct {
	Facet     Facet
	Buckets   []FacetBucket
	Truncated bool // there are more buckets
}

// FacetBucket is how many events have one value.
type FacetBucket struct {
	Value string
	Label string // for people
	Count int
	Where json.RawMessage // the part of an EventFilter that selects just these events, in place of the same part of the list's filter
}

// Facets counts the events of all pages of the list by some facets, up to 8, in one statement. Each facet is counted as if its own part of
// the filter were not given, so that its buckets show what else could be chosen.
func (p *EventPage) Facets(ctx context.Context, by []Facet) ([]FacetResult, error) {
	return p.list.facets(ctx, p.parent, by)
}

// counted is a bucket as it is read.
type counted struct {
	Facet  int32
	Parent *[16]byte // the series, where lists of several are counted
	Value  string
	Label  string
	N      int64
}

// readFacets reads the results for each parent, or for none in particular.
func (c *Catalog) readFacets(ctx context.Context, eq EventQuery, parents []event.ID, by []Facet) (map[event.ID][]FacetResult, error) {
	if len(by) > maxFacets {
		return nil, badInput("by", "by has %d values, at most %d are allowed", len(by), maxFacets)
	}
	asked := make([]facet, len(by))
	for i, name := range by {
		one, ok := facetOf(name)
		if !ok {
			return nil, badInput("by", "by: there is no facet %q", string(name))
		}
		asked[i] = one
	}
	none := make([]FacetResult, len(by))
	for i := range none {
		none[i] = FacetResult{Facet: by[i], Buckets: []FacetBucket{}}
	}
	results := map[event.ID][]FacetResult{{}: none}
	for _, parent := range parents {
		results[parent] = slices.Clone(none)
	}
	if len(by) == 0 {
		return results, nil
	}
	sql, args, err := eq.facets(asked, parents)
	if err != nil {
		return nil, err
	}
	rows, err := c.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("counting facets: %w", err)
	}
	buckets, err := pgx.CollectRows(rows, pgx.RowToStructByPos[counted])
	if err != nil {
		return nil, fmt.Errorf("counting facets: %w", err)
	}
	for _, b := range buckets {
		var parent event.ID
		if b.Parent != nil {
			parent = *b.Parent
		}
		result, one := &results[parent][b.Facet], asked[b.Facet]
		if len(result.Buckets) == one.most {
			result.Truncated = true
			continue
		}
		bucket, err := one.bucket(b, eq.Window.Zone)
		if err != nil {
			return nil, fmt.Errorf("counting facets: %w", err)
		}
		result.Buckets = append(result.Buckets, bucket)
	}
	return results, nil
}

// facets is the statement that counts by some facets. It reads the list once, and once more for each facet that does
// without a part of the filter.
func (eq EventQuery) facets(by []facet, parents []event.ID) (string, []any, error) {
	var args []any
	var relations, arms, shared []string
	relation := func(name string, columns []string, where EventFilter) error {
		part := eq
		part.Where = where
		q, err := part.query(&query{args: args, parents: parents})
		if err != nil {
			return err
		}
		relations = append(relations, fmt.Sprintf("%s AS (%s)", name, q.relation(append([]string{q.parent() + " AS parent"}, columns...))))
		args = q.args
		return nil
	}
	for i, one := range by {
		name, where := "list", eq.Where
		if one.without(&where) {
			name = fmt.Sprint("list", i)
			if err := relation(name, one.columns, where); err != nil {
				return "", nil, err
			}
		} else {
			shared = append(shared, one.columns...)
		}
		numbered := query{args: args}
		groups := one.groups(name, eq, &numbered)
		args = numbered.args
		arms = append(arms, fmt.Sprintf(`SELECT facet, parent, value, label, n, place FROM (SELECT %d AS facet, parent, value, label, n, row_number() OVER (PARTITION BY parent ORDER BY %s) AS place
	FROM (%s) grouped) placed WHERE place <= %d`, i, one.order, groups, one.most+1))
	}
	if len(shared) > 0 {
		slices.Sort(shared)
		if err := relation("list", slices.Compact(shared), eq.Where); err != nil {
			return "", nil, err
		}
	}
	return fmt.Sprintf("WITH %s SELECT facet, parent, value, label, n FROM (%s) buckets ORDER BY facet, parent, place",
		strings.Join(relations, ", "), strings.Join(arms, " UNION ALL ")), args, nil
}
