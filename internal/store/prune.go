package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// pruneBatch bounds what one call deletes of each kind, and so how long it holds its locks.
const pruneBatch = 10_000

// Prune deletes changes and runs that are older than before, some thousands a call, and tells how many
// rows went. Two kinds stay whatever their age: the removal of an event that is still removed, so that a reader who
// comes late learns of it, and the runs that a provider's next sync refers to.
func (s *Store) Prune(ctx context.Context, before time.Time) (deleted int64, err error) {
	defer markUnavailable(&err)
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// The lock under which changes are numbered: none of them is written meanwhile.
		err := tx.QueryRow(ctx, `
			WITH locked AS (SELECT FROM catalog WHERE id = 1 FOR UPDATE),
			old AS (
				SELECT c.id FROM changes c, locked
				WHERE c.at < $1 AND NOT (c.kind = 'REMOVED' AND EXISTS (
					SELECT FROM events e WHERE e.id = c.event_id AND e.removed_at = c.at))
				ORDER BY c.at LIMIT $2),
			gone AS (DELETE FROM changes USING old WHERE changes.id = old.id RETURNING changes.id),
			noted AS (
				UPDATE catalog SET pruned_change = greatest(pruned_change, (SELECT max(id) FROM gone))
				WHERE id = 1 AND EXISTS (SELECT FROM gone))
			SELECT count(*) FROM gone`, before, pruneBatch).Scan(&deleted)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			WITH kept AS (
				SELECT max(id) AS id FROM sync_runs WHERE outcome IN ('APPLIED', 'UNCHANGED') GROUP BY provider_id
				UNION SELECT max(quarantine_run_id) FROM sync_runs WHERE outcome IN ('APPLIED', 'UNCHANGED') GROUP BY provider_id
				UNION SELECT run_id FROM held_snapshots
				UNION SELECT run_id FROM leases),
			old AS (
				SELECT id FROM sync_runs WHERE started_at < $1 AND outcome <> 'RUNNING' AND id NOT IN (SELECT id FROM kept WHERE id IS NOT NULL)
				ORDER BY id LIMIT $2),
			records AS (DELETE FROM quarantined_records USING old WHERE run_id = old.id)
			DELETE FROM sync_runs USING old WHERE sync_runs.id = old.id`, before, pruneBatch)
		deleted += tag.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("pruning: %w", err)
	}
	return deleted, nil
}
