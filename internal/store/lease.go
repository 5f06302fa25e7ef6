package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// LeaseTTL is how long a lease stays valid after its holder's last sign of life. If a run is killed, no other can sync its provider
// for that long; a run that is paused for longer may lose its lease to another.
const LeaseTTL = 30 * time.Second

// acquire takes the provider's lease and returns its token, or fails with event.ErrRunning. Heartbeats go by the database's
// clock, because the clocks of the machines that sync may differ.
func acquire(ctx context.Context, tx pgx.Tx, provider event.ID, owner string, at time.Time) (token int64, err error) {
	var previous int64
	err = tx.QueryRow(ctx, `
		INSERT INTO leases AS l (id, owner, token, run_id, heartbeat_at) VALUES ($1, $2, 1, 0, clock_timestamp())
		ON CONFLICT (id) DO UPDATE SET owner = $2, token = l.token + 1, heartbeat_at = clock_timestamp()
		WHERE l.owner = '' OR l.heartbeat_at < clock_timestamp() - make_interval(secs => $3)
		RETURNING token, run_id`,
		[16]byte(provider), owner, LeaseTTL.Seconds()).Scan(&token, &previous)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, event.ErrRunning
	}
	if err != nil {
		return 0, fmt.Errorf("taking the lease: %w", err)
	}
	// The run that had the lease before may have died without recording its end.
	_, err = tx.Exec(ctx, `
		UPDATE sync_runs SET outcome = $2, error_code = $2, error = $3, finished_at = $4
		WHERE id = $1 AND outcome = 'RUNNING'`,
		previous, string(event.OutcomeSuperseded), event.ErrSuperseded.Error(), at)
	return token, err
}

// Beat is the run's sign of life: the lease stays valid for LeaseTTL from now. It fails with event.ErrSuperseded if another run has taken
// the lease.
func (s *Store) Beat(ctx context.Context, run event.Run) error {
	tag, err := s.pool.Exec(ctx, `UPDATE leases SET heartbeat_at = clock_timestamp() WHERE id = $1 AND token = $2`,
		[16]byte(run.Provider.ID()), run.Token)
	if err != nil {
		return fmt.Errorf("renewing the lease: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return event.ErrSuperseded
	}
	return nil
}

// hold locks the run's lease, so that nobody can take it over until the transaction ends. It fails with
// event.ErrSuperseded if the run has lost the lease, or has given it back.
func hold(ctx context.Context, tx pgx.Tx, run event.Run) error {
	var token int64
	err := tx.QueryRow(ctx, `SELECT token FROM leases WHERE id = $1 AND owner <> '' FOR UPDATE`, [16]byte(run.Provider.ID())).Scan(&token)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("checking the lease: %w", err)
	}
	if token != run.Token {
		return event.ErrSuperseded
	}
	return nil
}

// release gives the lease back, if the run still has it.
func release(ctx context.Context, db execer, run event.Run) error {
	_, err := db.Exec(ctx, `UPDATE leases SET owner = '' WHERE id = $1 AND token = $2`, [16]byte(run.Provider.ID()), run.Token)
	return err
}
