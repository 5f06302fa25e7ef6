package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// ended is the SQL condition for runs that ended by themselves. The error code CANCELLED means that the process was told to stop.
const ended = `outcome NOT IN ('RUNNING', 'SUPERSEDED') AND error_code <> 'CANCELLED'`

// LastRuns gives each provider's latest run that ended by itself. A provider without such a run is not in the map.
func (s *Store) LastRuns(ctx context.Context) (last map[event.ID]event.LastRun, err error) {
	defer markUnavailable(&err)
	rows, err := s.pool.Query(ctx, `
		SELECT p.id, r.id, r.started_at, r.next_check_at
		FROM providers p CROSS JOIN LATERAL (
			SELECT id, started_at, next_check_at FROM sync_runs
			WHERE provider_id = p.id AND `+ended+` ORDER BY id DESC LIMIT 1
		) r`)
	if err != nil {
		return nil, fmt.Errorf("reading the last runs: %w", err)
	}
	last = map[event.ID]event.LastRun{}
	var provider [16]byte
	var run event.LastRun
	var next *time.Time
	_, err = pgx.ForEachRow(rows, []any{&provider, &run.ID, &run.StartedAt, &next}, func() error {
		run.NextCheck = time.Time{}
		if next != nil {
			run.NextCheck = *next
		}
		last[event.ID(provider)] = run
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the last runs: %w", err)
	}
	return last, nil
}

// StartDue is [Store.StartRun] without force, for a provider whose latest run, as LastRuns gave it, was number last (0: none). It fails with
// event.ErrNotDue also if another run has ended since. That is checked when the lease is held, so no run can end in between.
func (s *Store) StartDue(ctx context.Context, p event.Provider, owner string, at time.Time, last int64) (event.Run, error) {
	return s.start(ctx, p, owner, at, false, func(tx pgx.Tx) error {
		var since bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM sync_runs WHERE provider_id = $1 AND id > $2 AND `+ended+`)`,
			[16]byte(p.ID()), last).Scan(&since)
		if err == nil && since {
			err = fmt.Errorf("%w: another process has just synced it", event.ErrNotDue)
		}
		return err
	})
}
