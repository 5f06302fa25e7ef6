package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/aledotdev/marquee/ent"
	"github.com/aledotdev/marquee/ent/provider"
	"github.com/aledotdev/marquee/ent/quarantinedrecord"
	"github.com/aledotdev/marquee/ent/syncrun"
	"github.com/aledotdev/marquee/internal/event"
)

// SyncRun is one attempt to sync one provider.
type SyncRun struct {
	Provider   string // slug, where runs of several providers are listed
	ID         int64
	StartedAt  time.Time
	FinishedAt *time.Time
	Outcome    event.Outcome
	ErrorCode  *string
	Error      *string
	Bytes      int64 // of the snapshot, unpacked
	event.Counts
	CatalogVersion int64 // 0: it changed nothing

	quarantineRun *int64
	catalog       *Catalog
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

// Runs reads a page of a provider's runs, the latest first.
func (c *Catalog) Runs(ctx context.Context, providerID event.ID, first int, after *string) (*RunPage, error) {
	if first < 1 || first > MaxPageSize {
		return nil, badInput("first", "first is %d, want 1 to %d", first, MaxPageSize)
	}
	query := c.ent.SyncRun.Query().Where(syncrun.ProviderID(uuid.UUID(providerID)))
	if after != nil {
		id, err := parseRunCursor("after", *after)
		if err != nil {
			return nil, err
		}
		query = query.Where(syncrun.IDLT(id))
	}
	rows, err := query.Order(ent.Desc(syncrun.FieldID)).Limit(first + 1).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading runs: %w", err)
	}
	page := &RunPage{PageInfo: PageInfo{HasNextPage: len(rows) > first, HasPreviousPage: after != nil}}
	for _, row := range rows[:min(first, len(rows))] {
		page.Nodes = append(page.Nodes, c.runOf(row))
	}
	if n := len(page.Nodes); n > 0 {
		start, end := runCursor(page.Nodes[0].ID), runCursor(page.Nodes[n-1].ID)
		page.PageInfo.StartCursor, page.PageInfo.EndCursor = &start, &end
	}
	return page, nil
}

func (c *Catalog) runOf(row *ent.SyncRun) *SyncRun {
	return &SyncRun{
		ID: row.ID, StartedAt: row.StartedAt, FinishedAt: row.FinishedAt, Outcome: event.Outcome(row.Outcome),
		ErrorCode: given(row.ErrorCode), Error: given(row.Error), Bytes: row.Bytes, CatalogVersion: row.CatalogVersion,
		Counts: event.Counts{
			Records: int(row.Records), Added: int(row.Added), Changed: int(row.Changed), Removed: int(row.Removed),
			Returned: int(row.Returned), Unchanged: int(row.Unchanged), Quarantined: int(row.Quarantined),
		},
		quarantineRun: row.QuarantineRunID, catalog: c,
	}
}

// LatestRuns reads the latest runs of some providers, or of all, the latest first.
func (c *Catalog) LatestRuns(ctx context.Context, slugs []string, first int) ([]*SyncRun, error) {
	query := c.ent.SyncRun.Query().WithProvider().Order(ent.Desc(syncrun.FieldID)).Limit(first)
	if len(slugs) > 0 {
		query = query.Where(syncrun.HasProviderWith(provider.SlugIn(slugs...)))
	}
	rows, err := query.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading runs: %w", err)
	}
	runs := make([]*SyncRun, len(rows))
	for i, row := range rows {
		runs[i] = c.runOf(row)
		runs[i].Provider = row.Edges.Provider.Slug
	}
	return runs, nil
}

// Quarantine reads the first records of the run's snapshot that could not be used, in feed order.
func (r *SyncRun) Quarantine(ctx context.Context, first int) ([]*QuarantinedRecord, error) {
	if first < 1 || first > MaxPageSize {
		return nil, badInput("first", "first is %d, want 1 to %d", first, MaxPageSize)
	}
	if r.quarantineRun == nil || r.Quarantined == 0 {
		return nil, nil
	}
	rows, err := r.catalog.ent.QuarantinedRecord.Query().
		Where(quarantinedrecord.RunID(*r.quarantineRun)).
		Order(ent.Asc(quarantinedrecord.FieldID)).Limit(first).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the quarantine: %w", err)
	}
	records := make([]*QuarantinedRecord, len(rows))
	for i, row := range rows {
		records[i] = &QuarantinedRecord{Key: row.Key, Reason: row.Reason, Message: row.Message, Place: row.Place, Excerpt: row.Excerpt}
	}
	return records, nil
}
