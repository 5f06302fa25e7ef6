package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// HoldRun ends a run by keeping its snapshot for a person to decide about, and gives the lease back. If an earlier run holds the same
// snapshot (see event.Held.Covers), that one stays the run to approve. HoldRun returns what is held now. It fails with
// event.ErrSuperseded if the run has lost its lease.
func (s *Store) HoldRun(ctx context.Context, run event.Run, held event.Held, at time.Time) (_ event.Held, err error) {
	defer markUnavailable(&err)
	next := held.NextCheck
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := hold(ctx, tx, run); err != nil {
			return err
		}
		// The row lock makes Reject, which decides about what is held, come either before this or after this run is recorded as held.
		before, err := heldBy(ctx, tx, `h.id = $1 FOR UPDATE OF h`, [16]byte(run.Provider.ID()))
		switch {
		case err == nil && before.Covers(held):
			held = before
		case err == nil || errors.Is(err, event.ErrNotHeld):
			if err := drop(ctx, tx, run.Provider.ID(), event.OutcomeSuperseded); err != nil {
				return err
			}
			if err := insertHeld(ctx, tx, run, held); err != nil {
				return err
			}
		default:
			return err
		}
		result := event.Result{Outcome: event.OutcomeHeld, Counts: held.Counts, Snapshot: &held.Snapshot, ErrorCode: "HELD", Error: held.ReasonFor(run.ID), NextCheck: next}
		if held.Rejected {
			result.Outcome, result.ErrorCode = event.OutcomeRejected, "REJECTED"
		}
		if err := finishRun(ctx, tx, run, result, at, 0); err != nil {
			return err
		}
		return release(ctx, tx, run)
	})
	if err != nil {
		return event.Held{}, fmt.Errorf("holding run %d: %w", run.ID, err)
	}
	return held, nil
}

func insertHeld(ctx context.Context, tx pgx.Tx, run event.Run, held event.Held) error {
	snapshot, err := json.Marshal(held.Snapshot)
	if err != nil {
		return err
	}
	counts, err := json.Marshal(held.Counts)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO held_snapshots (id, run_id, reason, snapshot, counts, body) VALUES ($1, $2, $3, $4, $5, $6)`,
		[16]byte(run.Provider.ID()), held.RunID, held.Reason, snapshot, counts, held.Body)
	return err
}

// drop deletes what is held of a provider, and gives the runs that held it an outcome that says why.
func drop(ctx context.Context, tx pgx.Tx, provider event.ID, outcome event.Outcome) error {
	var first int64
	err := tx.QueryRow(ctx, `DELETE FROM held_snapshots WHERE id = $1 RETURNING run_id`, [16]byte(provider)).Scan(&first)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return settle(ctx, tx, provider, first, outcome)
}

// settle records an outcome for the run that held a snapshot first, and for the later runs that held the same snapshot.
func settle(ctx context.Context, tx pgx.Tx, provider event.ID, first int64, outcome event.Outcome) error {
	_, err := tx.Exec(ctx, `UPDATE sync_runs SET outcome = $3 WHERE provider_id = $1 AND id >= $2 AND outcome = 'HELD'`,
		[16]byte(provider), first, string(outcome))
	return err
}

// Held reads the snapshot that a run holds. It fails with event.ErrNotHeld if the run holds none, or if it was rejected.
func (s *Store) Held(ctx context.Context, runID int64) (_ event.Held, err error) {
	defer markUnavailable(&err)
	return heldBy(ctx, s.pool, `h.run_id = $1 AND NOT h.rejected`, runID)
}

// Reject records that the snapshot that a run holds is not to be applied. The snapshot is kept, so that nobody has to decide about the same
// one again. It fails with event.ErrNotHeld if the run holds none, or if it was rejected already.
func (s *Store) Reject(ctx context.Context, runID int64) (err error) {
	defer markUnavailable(&err)
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var provider [16]byte
		err := tx.QueryRow(ctx, `UPDATE held_snapshots SET rejected = true WHERE run_id = $1 AND NOT rejected RETURNING id`, runID).Scan(&provider)
		if errors.Is(err, pgx.ErrNoRows) {
			return event.ErrNotHeld
		}
		if err != nil {
			return err
		}
		// A separate statement, so that it sees the runs whose transactions the first one waited for.
		return settle(ctx, tx, provider, runID, event.OutcomeRejected)
	})
	if err != nil {
		return fmt.Errorf("rejecting run %d: %w", runID, err)
	}
	return nil
}

type queryer interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func heldBy(ctx context.Context, db queryer, condition string, arg any) (event.Held, error) {
	var held event.Held
	var snapshot, counts []byte
	err := db.QueryRow(ctx, `
		SELECT h.run_id, p.slug, h.reason, h.snapshot, h.counts, h.body, h.rejected
		FROM held_snapshots h JOIN providers p ON p.id = h.id WHERE `+condition, arg).
		Scan(&held.RunID, &held.Provider, &held.Reason, &snapshot, &counts, &held.Body, &held.Rejected)
	if errors.Is(err, pgx.ErrNoRows) {
		return event.Held{}, event.ErrNotHeld
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(snapshot, &held.Snapshot), json.Unmarshal(counts, &held.Counts))
	}
	if err != nil {
		return event.Held{}, fmt.Errorf("reading what is held: %w", err)
	}
	return held, nil
}
