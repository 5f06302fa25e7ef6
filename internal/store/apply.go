package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// Tx applies one run: everything in one transaction. What is to be written is staged in temporary
// tables, so that the catalog itself is touched by a few statements just before the commit, and not at
// all when the snapshot turns out to be broken.
type Tx struct {
	tx      pgx.Tx
	run     event.Run
	now     time.Time
	staging bool // the temporary tables are there
	ordinal int64
	pending chan error     // of the Write that is under way
	series  []event.Series // to be written
	left    []event.ID
	touched int64 // rows of the catalog that the run wrote, apart from its own record
}

// Begin opens the transaction in which run is applied.
func (s *Store) Begin(ctx context.Context, run event.Run, now time.Time) (_ *Tx, err error) {
	defer markUnavailable(&err)
	pgTx, err := s.pool.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening a run's transaction: %w", err)
	}
	return &Tx{tx: pgTx, run: run, now: now}, nil
}

// OfSeries gives those of the events that belong to one of the series.
func (t *Tx) OfSeries(ctx context.Context, ids, series []event.ID) (_ map[event.ID]struct{}, err error) {
	defer markUnavailable(&err)
	if err := t.settle(); err != nil {
		return nil, err
	}
	rows, err := t.tx.Query(ctx, `SELECT id FROM events WHERE id = ANY($1) AND series_id = ANY($2)`, ids, series)
	if err != nil {
		return nil, fmt.Errorf("reading the events of series: %w", err)
	}
	defer rows.Close()
	found := map[event.ID]struct{}{}
	for rows.Next() {
		found[event.ID(rows.RawValues()[0])] = struct{}{}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the events of series: %w", err)
	}
	return found, nil
}

// Leave notes that events are in the snapshot no more. Those that are still to begin will be removed,
// which is a change; the others have expired, which is none. It returns the number of the ones to be removed.
func (t *Tx) Leave(ctx context.Context, ids []event.ID) (removed int, err error) {
	defer markUnavailable(&err)
	if err := t.settle(); err != nil {
		return 0, err
	}
	t.left = ids
	if len(ids) == 0 {
		return 0, nil
	}
	err = t.tx.QueryRow(ctx, `SELECT count(*) FROM events WHERE id = ANY($1) AND last_seen_at IS NULL AND starts_at > $2`, ids, t.now).Scan(&removed)
	if err != nil {
		return 0, fmt.Errorf("counting the events that left: %w", err)
	}
	return removed, nil
}

func (t *Tx) writeLeft(ctx context.Context) error {
	if len(t.left) == 0 {
		return nil
	}
	if err := t.stage(ctx); err != nil {
		return err
	}
	_, err := t.tx.Exec(ctx, `
		WITH gone AS (
			UPDATE events SET last_seen_at = coalesce((
					SELECT r.started_at FROM sync_runs r
					WHERE r.provider_id = $4 AND r.outcome IN ('APPLIED', 'UNCHANGED')
					ORDER BY r.id DESC LIMIT 1), first_seen_at),
				removed_at = CASE WHEN starts_at > $2 THEN $2 END,
				updated_at = CASE WHEN starts_at > $2 THEN $2 ELSE updated_at END
			WHERE id = ANY($1)
			RETURNING id, removed_at)
		INSERT INTO staged_changes (ordinal, event_id, kind, fields)
		SELECT NULL, id, $3, '[]' FROM gone WHERE removed_at IS NOT NULL`,
		t.left, t.now, string(event.ChangeRemoved), [16]byte(t.run.Provider.ID()))
	if err != nil {
		return fmt.Errorf("marking the events that left: %w", err)
	}
	t.touched += int64(len(t.left))
	return nil
}

// Quarantine keeps records that can't be used, in the order given.
func (t *Tx) Quarantine(ctx context.Context, records []event.Record) error {
	if err := t.settle(); err != nil {
		return err
	}
	_, err := t.tx.CopyFrom(ctx, pgx.Identifier{"quarantined_records"}, []string{"run_id", "key", "reason", "message", "place", "excerpt"},
		pgx.CopyFromSlice(len(records), func(i int) ([]any, error) {
			r := &records[i]
			key := event.Excerpt(r.Key.Event, event.MaxIDBytes)
			if r.Key.Series != "" {
				key = event.Excerpt(r.Key.Series, event.MaxIDBytes) + "/" + key
			}
			message := event.Excerpt(r.Invalid.Error(), event.MaxExcerptBytes)
			return []any{t.run.ID, key, string(r.Invalid.Reason), message, r.Place.String(), r.Excerpt}, nil
		}))
	if err != nil {
		return fmt.Errorf("keeping quarantined records: %w", err)
	}
	return nil
}

// Commit ends the run: as OutcomeApplied with a new catalog version if it changed anything, else as
// OutcomeUnchanged, in which case its own record is all that was written.
func (t *Tx) Commit(ctx context.Context, result event.Result) (_ event.Outcome, err error) {
	defer markUnavailable(&err)
	if err := t.settle(); err != nil {
		return "", err
	}
	result.Outcome = event.OutcomeUnchanged
	// From here on others wait for this transaction. If it stands still between two statements because its program does
	// (a suspended machine), the server ends it, and the others go on.
	if _, err := t.tx.Exec(ctx, fmt.Sprintf(`SET LOCAL idle_in_transaction_session_timeout = %d`, LeaseTTL.Milliseconds())); err != nil {
		return "", fmt.Errorf("applying run %d: %w", t.run.ID, err)
	}
	// The lease is the fence: from here to the commit nobody can take the provider over, and who has lost
	// it, however long ago, gets no further.
	if err := hold(ctx, t.tx, t.run); err != nil {
		return "", fmt.Errorf("applying run %d: %w", t.run.ID, err)
	}
	version, err := t.publish(ctx)
	if err != nil {
		return "", fmt.Errorf("applying run %d: %w", t.run.ID, err)
	}
	// A good snapshot makes one that is held moot.
	if err := drop(ctx, t.tx, t.run.Provider.ID(), event.OutcomeSuperseded); err != nil {
		return "", fmt.Errorf("applying run %d: %w", t.run.ID, err)
	}
	if version > 0 {
		result.Outcome = event.OutcomeApplied
	}
	if err := finishRun(ctx, t.tx, t.run, result, t.now, version); err != nil {
		return "", fmt.Errorf("recording the end of run %d: %w", t.run.ID, err)
	}
	if err := release(ctx, t.tx, t.run); err != nil {
		return "", fmt.Errorf("giving the lease of run %d back: %w", t.run.ID, err)
	}
	if err := t.tx.Commit(ctx); err != nil {
		return "", fmt.Errorf("committing run %d: %w", t.run.ID, err)
	}
	return result.Outcome, nil
}

// publish writes what is staged, and returns the catalog version that it made: 0 if nothing changed.
func (t *Tx) publish(ctx context.Context) (int64, error) {
	if err := t.writeLeft(ctx); err != nil {
		return 0, err
	}
	if err := t.writeSeries(ctx); err != nil {
		return 0, err
	}
	if err := t.writeStaged(ctx); err != nil {
		return 0, err
	}
	if t.touched == 0 {
		return 0, nil
	}
	if err := t.stage(ctx); err != nil { // the changes are counted
		return 0, err
	}
	// The row lock that this takes is held to the commit. So the transactions that change the catalog
	// commit in the order of its versions, and changes are numbered in the order of commits.
	var version, last int64
	err := t.tx.QueryRow(ctx, `
		UPDATE catalog SET version = version + 1, changed_at = $1, last_change = last_change + (SELECT count(*) FROM staged_changes)
		WHERE id = 1 RETURNING version, last_change`, t.now).Scan(&version, &last)
	if err != nil {
		return 0, fmt.Errorf("raising the catalog version: %w", err)
	}
	if _, err := t.tx.Exec(ctx, `
		INSERT INTO changes (id, event_id, provider_id, run_id, at, kind, fields)
		SELECT $1 - count(*) OVER () + row_number() OVER (ORDER BY ordinal, event_id, number), event_id, $2, $3, $4, kind, fields
		FROM staged_changes`,
		last, [16]byte(t.run.Provider.ID()), t.run.ID, t.now); err != nil {
		return 0, fmt.Errorf("writing the changes: %w", err)
	}
	if _, err := t.tx.Exec(ctx, `
		UPDATE events SET revision = revision + n
		FROM (SELECT event_id, count(*) AS n FROM staged_changes WHERE `+revising+` GROUP BY event_id) c
		WHERE id = event_id`); err != nil {
		return 0, fmt.Errorf("counting revisions: %w", err)
	}
	if _, err := t.tx.Exec(ctx, `SELECT pg_notify($1, $2::text)`, Channel, fmt.Sprint(version)); err != nil {
		return 0, fmt.Errorf("notifying: %w", err)
	}
	return version, nil
}

// revising holds the changes after which an event in somebody's calendar is another one: when or whether it takes
// place, and what it is called. A status goes back to normal by a change of details.
const revising = `(kind IN ('RESCHEDULED', 'RETITLED', 'CANCELLED', 'REMOVED', 'RETURNED')
	OR kind = 'DETAILS_CHANGED' AND fields @> '[{"field": "status"}]')`

// Rollback undoes everything. After Commit it does nothing.
func (t *Tx) Rollback(ctx context.Context) error {
	_ = t.settle() // what it was about is undone anyway
	if err := t.tx.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		return fmt.Errorf("rolling run %d back: %w", t.run.ID, err)
	}
	return nil
}
