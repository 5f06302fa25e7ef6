package store

import (
	"context"
	"fmt"
	"time"
)

// What one call of Prune deletes at most. A batch bounds how long locks are held, the number of batches how long a call takes.
const (
	pruneBatch   = 10_000
	pruneBatches = 50
)

// Prune deletes changes and runs that are older than before, up to 500,000 of each in a call. It returns how many it deleted, also if
// there is an error. Two kinds stay whatever their age: the removal of an event that is still removed, so that a
// reader who comes late learns of it, and the runs that a provider's next sync refers to.
func (s *Store) Prune(ctx context.Context, before time.Time) (deleted int64, err error) {
	defer markUnavailable(&err)
	for _, old := range []struct{ what, sql string }{{"changes", pruneChanges}, {"runs", pruneRuns}} {
		for range pruneBatches {
			var n int64
			if err := s.pool.QueryRow(ctx, old.sql, before, pruneBatch).Scan(&n); err != nil {
				return deleted, fmt.Errorf("pruning %s: %w", old.what, err)
			}
			if deleted += n; n < pruneBatch {
				break
			}
		}
	}
	return deleted, nil
}

const (
	// This locks the row under whose lock changes are numbered, so that none is written meanwhile.
	pruneChanges = `
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
		SELECT count(*) FROM gone`
	// This is a transaction of its own, because it may take long: each run may have thousands of quarantined records. Under the lock
	// above, no sync could commit until it ends. Runs that another process deletes or decides about at the moment are skipped.
	pruneRuns = `
		WITH kept AS (
			SELECT max(id) AS id FROM sync_runs WHERE outcome IN ('APPLIED', 'UNCHANGED') GROUP BY provider_id
			UNION SELECT max(quarantine_run_id) FROM sync_runs WHERE outcome IN ('APPLIED', 'UNCHANGED') GROUP BY provider_id
			UNION SELECT run_id FROM held_snapshots
			UNION SELECT run_id FROM leases),
		old AS (
			SELECT id FROM sync_runs WHERE started_at < $1 AND outcome <> 'RUNNING' AND id NOT IN (SELECT id FROM kept WHERE id IS NOT NULL)
			ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED),
		records AS (DELETE FROM quarantined_records USING old WHERE run_id = old.id),
		gone AS (DELETE FROM sync_runs USING old WHERE sync_runs.id = old.id RETURNING sync_runs.id)
		SELECT count(*) FROM gone`
)
