package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// ProviderState is how a provider's syncs stand: what operators watch.
type ProviderState struct {
	Slug        string
	LastStart   *time.Time    // of its latest run; nil: none has begun
	LastOutcome event.Outcome // of its latest run that has ended; empty: none has
	LastSuccess *time.Time    // when the latest run ended that applied a snapshot or found it as before; nil: none has
	Held        bool          // a snapshot waits for a person to approve or reject it
	Records     int           // in the snapshot of LastSuccess, the quarantined ones too
	Quarantined int           // of these
	Events      int           // in it
}

// ProviderStates reads the states of all providers, by slug; one statement.
func (c *Catalog) ProviderStates(ctx context.Context) ([]ProviderState, error) {
	//nolint:unqueryvet // The outer statement names its columns.
	rows, err := c.pool.Query(ctx, `
		SELECT p.slug, latest.started_at, coalesce(ended.outcome, ''), good.finished_at,
			EXISTS (SELECT FROM held_snapshots h WHERE h.id = p.id AND NOT h.rejected),
			coalesce(good.records, 0), coalesce(good.quarantined, 0),
			coalesce(good.added + good.changed + good.returned + good.unchanged, 0)
		FROM providers p
		LEFT JOIN LATERAL (SELECT started_at FROM sync_runs r WHERE r.provider_id = p.id ORDER BY id DESC LIMIT 1) latest ON true
		LEFT JOIN LATERAL (
			SELECT outcome FROM sync_runs r WHERE r.provider_id = p.id AND r.finished_at IS NOT NULL ORDER BY id DESC LIMIT 1) ended ON true
		LEFT JOIN LATERAL (
			SELECT * FROM sync_runs r
			WHERE r.provider_id = p.id AND r.outcome IN ('APPLIED', 'UNCHANGED') ORDER BY id DESC LIMIT 1) good ON true
		ORDER BY p.slug`)
	if err != nil {
		return nil, fmt.Errorf("reading the providers' states: %w", err)
	}
	states, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ProviderState])
	if err != nil {
		return nil, fmt.Errorf("reading the providers' states: %w", err)
	}
	return states, nil
}
