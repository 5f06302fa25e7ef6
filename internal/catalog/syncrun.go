package catalog

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// SyncRun is one attempt to sync one provider.
type SyncRun struct {
	Provider   string        `json:"provider"` // slug
	ID         int64         `json:"id"`
	StartedAt  time.Time     `json:"startedAt"`
	FinishedAt *time.Time    `json:"finishedAt,omitempty"`
	Outcome    event.Outcome `json:"outcome"`
	ErrorCode  *string       `json:"errorCode,omitempty"`
	Error      *string       `json:"error,omitempty"`
	Bytes      int64         `json:"bytes"` // of the snapshot, unpacked
	event.Counts
	CatalogVersion int64 `json:"catalogVersion,omitempty"` // the version that the run made; 0: it changed nothing

	providerID    event.ID
	quarantineRun *int64
	lines         *lines
}

// lines are runs that were read together, as siblings are events.
type lines struct {
	catalog     *Catalog
	runs        []*SyncRun
	quarantines onces[map[int64][]*QuarantinedRecord] // by the run that holds them; one reading for each length
}

// QuarantinedRecord is a record of a snapshot that could not be used.
type QuarantinedRecord struct {
	Key     string
	Reason  string // an event.Reason
	Message string
	Place   string
	Excerpt string
}

// RunPage is a page of a provider's runs, the latest first.
type RunPage struct {
	Nodes    []*SyncRun
	PageInfo PageInfo
}

// RunEdge is a run with its place in the order.
type RunEdge struct {
	Cursor string
	Node   *SyncRun
}

// Edges are the runs with their cursors.
func (p *RunPage) Edges() []RunEdge {
	edges := make([]RunEdge, len(p.Nodes))
	for i, r := range p.Nodes {
		edges[i] = RunEdge{runCursor(r.ID), r}
	}
	return edges
}

// runColumns are what scanRun scans, from a run r and its provider p.
const runColumns = `p.slug, r.provider_id, r.id, r.started_at, r.finished_at, r.outcome, r.error_code, r.error, r.bytes, r.catalog_version, r.quarantine_run_id,
	r.records, r.added, r.changed, r.removed, r.returned, r.unchanged, r.quarantined`

func scanRun(row pgx.CollectableRow) (*SyncRun, error) {
	var (
		r          SyncRun
		providerID [16]byte
		code, text string
	)
	err := row.Scan(&r.Provider, &providerID, &r.ID, &r.StartedAt, &r.FinishedAt, &r.Outcome, &code, &text, &r.Bytes, &r.CatalogVersion, &r.quarantineRun,
		&r.Records, &r.Added, &r.Changed, &r.Removed, &r.Returned, &r.Unchanged, &r.Quarantined)
	r.providerID, r.ErrorCode, r.Error = event.ID(providerID), given(code), given(text)
	return &r, err
}

func (c *Catalog) runs(ctx context.Context, sql string, args ...any) ([]*SyncRun, error) {
	rows, err := c.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("reading runs: %w", err)
	}
	runs, err := pgx.CollectRows(rows, scanRun)
	if err != nil {
		return nil, fmt.Errorf("reading runs: %w", err)
	}
	together := &lines{catalog: c, runs: runs}
	for _, r := range runs {
		r.lines = together
	}
	return runs, nil
}

// defaultRuns is the SDL's default of Provider.runs, for clients that give null.
const defaultRuns = 20

// Runs reads a page of the provider's runs, 1 to MaxPageSize, the latest first. It is read for all providers that were read together, in
// one statement.
func (p *Provider) Runs(ctx context.Context, first *int, after *string) (*RunPage, error) {
	size, before := defaultRuns, int64(math.MaxInt64)
	if first != nil {
		size = *first
	}
	if size < 1 || size > MaxPageSize {
		return nil, badInput("first", "first is %d, want 1 to %d", size, MaxPageSize)
	}
	if after != nil {
		var err error
		if before, err = parseNumberCursor(tagRun, *after); err != nil {
			return nil, err
		}
	}
	pages, err := p.peers.runs.get(fmt.Sprint(size, " ", before), func() (map[event.ID]*RunPage, error) {
		return p.peers.readRuns(ctx, size, before)
	})
	if err != nil {
		return nil, err
	}
	if page, ok := pages[p.ID]; ok {
		return page, nil
	}
	return &RunPage{PageInfo: PageInfo{HasPreviousPage: after != nil}}, nil
}

func (p *peers) readRuns(ctx context.Context, size int, before int64) (map[event.ID]*RunPage, error) {
	//nolint:unqueryvet // The outer statement names its columns.
	runs, err := p.catalog.runs(ctx, `
		SELECT `+runColumns+` FROM providers p CROSS JOIN LATERAL (
			SELECT * FROM sync_runs WHERE provider_id = p.id AND id < $2 ORDER BY id DESC LIMIT $3) r
		WHERE p.id = ANY($1) ORDER BY r.id DESC`, distinct(p.providers, func(one *Provider) *event.ID { return &one.ID }), before, size+1)
	if err != nil {
		return nil, err
	}
	pages := map[event.ID]*RunPage{}
	for _, r := range runs {
		page := pages[r.providerID]
		if page == nil {
			page = &RunPage{PageInfo: PageInfo{HasPreviousPage: before < math.MaxInt64, StartCursor: new(runCursor(r.ID))}}
			pages[r.providerID] = page
		}
		if len(page.Nodes) == size {
			page.PageInfo.HasNextPage = true
			continue
		}
		page.Nodes = append(page.Nodes, r)
		page.PageInfo.EndCursor = new(runCursor(r.ID))
	}
	return pages, nil
}

// LatestRuns reads the latest runs of some providers or, without slugs, of all, the latest first.
func (c *Catalog) LatestRuns(ctx context.Context, slugs []string, first int) ([]*SyncRun, error) {
	return c.runs(ctx, `
		SELECT `+runColumns+` FROM sync_runs r JOIN providers p ON p.id = r.provider_id
		WHERE cardinality($1::text[]) = 0 OR p.slug = ANY($1) ORDER BY r.id DESC LIMIT $2`, append([]string{}, slugs...), first)
}

// Quarantine reads the first records of the run's snapshot that could not be used, 1 to MaxPageSize, in the order of the feed. They are
// read for all runs that were read together, in one statement.
func (r *SyncRun) Quarantine(ctx context.Context, first int) ([]*QuarantinedRecord, error) {
	if first < 1 || first > MaxPageSize {
		return nil, badInput("first", "first is %d, want 1 to %d", first, MaxPageSize)
	}
	if r.quarantineRun == nil || r.Quarantined == 0 {
		return nil, nil
	}
	all, err := r.lines.quarantines.get(fmt.Sprint(first), func() (map[int64][]*QuarantinedRecord, error) {
		return r.lines.readQuarantines(ctx, first)
	})
	return all[*r.quarantineRun], err
}

func (l *lines) readQuarantines(ctx context.Context, first int) (map[int64][]*QuarantinedRecord, error) {
	var holders []int64
	for _, r := range l.runs {
		if r.quarantineRun != nil && r.Quarantined > 0 {
			holders = append(holders, *r.quarantineRun)
		}
	}
	slices.Sort(holders)
	rows, err := l.catalog.pool.Query(ctx, `
		SELECT q.run_id, q.key, q.reason, q.message, q.place, q.excerpt FROM unnest($1::bigint[]) AS of (run_id) CROSS JOIN LATERAL (
			SELECT id, run_id, key, reason, message, place, excerpt FROM quarantined_records WHERE run_id = of.run_id ORDER BY id LIMIT $2) q
		ORDER BY q.id`, slices.Compact(holders), first)
	if err != nil {
		return nil, fmt.Errorf("reading the quarantine: %w", err)
	}
	all := map[int64][]*QuarantinedRecord{}
	var run int64
	var q QuarantinedRecord
	_, err = pgx.ForEachRow(rows, []any{&run, &q.Key, &q.Reason, &q.Message, &q.Place, &q.Excerpt}, func() error {
		one := q
		all[run] = append(all[run], &one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the quarantine: %w", err)
	}
	return all, nil
}
