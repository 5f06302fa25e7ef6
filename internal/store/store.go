// Package store is the catalog's only writer. It writes with COPY and set-based statements: for as many rows as a feed has, ent's
// builders are many times slower (see docs/architecture.md).
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/event"
)

// Channel is the NOTIFY channel on which each new catalog version is announced. The payload is the version in decimal.
const Channel = "marquee_catalog"

// Store writes the catalog. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
}

// New makes a Store. The role of the pool's connections must have the right to write.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// StartRun gives owner, which is not empty, the lease of p and records that a run begins. It also records p if it is new or its
// settings differ. It fails with event.ErrRunning if another run has the lease, and with
// event.ErrNotDue if the provider asked to be left alone until after at and force is not set.
func (s *Store) StartRun(ctx context.Context, p event.Provider, owner string, at time.Time, force bool) (run event.Run, err error) {
	return s.start(ctx, p, owner, at, force, nil)
}

// start is StartRun. check, if not nil, is called when the lease is held; its error prevents the run.
func (s *Store) start(ctx context.Context, p event.Provider, owner string, at time.Time, force bool, check func(pgx.Tx) error) (run event.Run, err error) {
	defer markUnavailable(&err)
	run = event.Run{Provider: p, StartedAt: at}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := saveProvider(ctx, tx, p); err != nil {
			return err
		}
		var err error
		if !force {
			if err := due(ctx, tx, p.ID(), at); err != nil {
				return err
			}
		}
		// The lease comes before the number, so that the runs of one provider are applied in the order of their numbers.
		if run.Token, err = acquire(ctx, tx, p.ID(), owner, at); err != nil {
			return err
		}
		if check != nil {
			if err := check(tx); err != nil {
				return err
			}
		}
		err = tx.QueryRow(ctx, `
			WITH run AS (INSERT INTO sync_runs (provider_id, started_at) VALUES ($1, $2) RETURNING id)
			UPDATE leases SET run_id = run.id FROM run WHERE leases.id = $1 RETURNING run.id`,
			[16]byte(p.ID()), at).Scan(&run.ID)
		if err != nil {
			return err
		}
		run.Previous, err = previousSnapshot(ctx, tx, p.ID())
		return err
	})
	if err != nil {
		return event.Run{}, fmt.Errorf("starting a run of %s: %w", p.Slug, err)
	}
	return run, nil
}

// due fails with event.ErrNotDue if the provider, in its last answer, asked to be left alone until after at.
func due(ctx context.Context, tx pgx.Tx, provider event.ID, at time.Time) error {
	var last event.LastRun
	err := tx.QueryRow(ctx, `
		SELECT started_at, coalesce(next_check_at, 'epoch') FROM sync_runs
		WHERE provider_id = $1 AND outcome <> 'RUNNING' ORDER BY id DESC LIMIT 1`,
		[16]byte(provider)).Scan(&last.StartedAt, &last.NextCheck)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return err
	case last.Waits(at):
		return fmt.Errorf("%w: %s", event.ErrNotDue, last.NextCheck.UTC().Format(time.RFC3339))
	}
	return nil
}

// saveProvider inserts p, or updates it if it differs. It reads first, because an upsert locks its row even when there is nothing to
// change, and that lock is a write.
func saveProvider(ctx context.Context, tx pgx.Tx, p event.Provider) error {
	var same bool
	err := tx.QueryRow(ctx, `
		SELECT (name, format, time_zone, currency) = ($2, $3, $4, $5) FROM providers WHERE id = $1`,
		[16]byte(p.ID()), p.Name, p.Format, p.TimeZone, p.Currency).Scan(&same)
	if same || err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO providers (id, slug, name, format, time_zone, currency) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET name = $3, format = $4, time_zone = $5, currency = $6`,
		[16]byte(p.ID()), p.Slug, p.Name, p.Format, p.TimeZone, p.Currency)
	return err
}

func previousSnapshot(ctx context.Context, tx pgx.Tx, provider event.ID) (*event.Snapshot, error) {
	var snap event.Snapshot
	err := tx.QueryRow(ctx, `
		SELECT id, etag, last_modified, feed_hash, bytes, decoder, records, quarantined, quarantine_run_id
		FROM sync_runs
		WHERE provider_id = $1 AND outcome IN ('APPLIED', 'UNCHANGED')
		ORDER BY id DESC LIMIT 1`, [16]byte(provider)).
		Scan(&snap.RunID, &snap.ETag, &snap.LastModified, &snap.Hash, &snap.Bytes, &snap.Decoder, &snap.Records, &snap.Quarantined, &snap.QuarantineID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // No snapshot is a state, not a failure.
	}
	if err != nil {
		return nil, err
	}
	return &snap, nil
}

// FailRun records how a run ended that applied nothing, and gives its lease back. If the run's end is recorded already, that stays.
func (s *Store) FailRun(ctx context.Context, run event.Run, result event.Result, at time.Time) (err error) {
	defer markUnavailable(&err)
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// The lease comes first, as in every other transaction: a run that takes the lease over locks it and then this run's
		// record, and the other way round the two would wait for each other.
		if err := release(ctx, tx, run); err != nil {
			return err
		}
		return finishRun(ctx, tx, run, result, at, 0)
	})
	if err != nil {
		return fmt.Errorf("recording the end of run %d: %w", run.ID, err)
	}
	return nil
}

type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

func finishRun(ctx context.Context, db execer, run event.Run, r event.Result, at time.Time, version int64) error {
	snap := r.Snapshot
	if snap == nil {
		snap = &event.Snapshot{}
	}
	var quarantine *int64
	if snap.QuarantineID != 0 {
		quarantine = &snap.QuarantineID
	}
	_, err := db.Exec(ctx, `
		UPDATE sync_runs SET finished_at = $2, outcome = $3, error_code = $4, error = $5,
			bytes = $6, feed_hash = $7, decoder = $8, etag = $9, last_modified = $10,
			records = $11, added = $12, changed = $13, removed = $14, returned = $15,
			unchanged = $16, quarantined = $17, quarantine_run_id = $18, catalog_version = $19, next_check_at = $20
		WHERE id = $1 AND outcome = 'RUNNING'`,
		run.ID, at, string(r.Outcome), r.ErrorCode, r.Error,
		snap.Bytes, snap.Hash, snap.Decoder, snap.ETag, snap.LastModified,
		r.Counts.Records, r.Counts.Added, r.Counts.Changed, r.Counts.Removed, r.Counts.Returned,
		r.Counts.Unchanged, r.Counts.Quarantined, quarantine, version, optional(r.NextCheck))
	return err
}
