package syncer

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// unscheduled is the period by which Due syncs a source that has no schedule.
const unscheduled = 15 * time.Minute

// Due syncs the sources that are due when it is called, parallel at a time (at least 1), and returns when none of them is
// due any more. Any number of processes may do so together. Each takes the sources of which no other has the lease, so that a source is
// synced once in its period. If a process dies, the others sync its sources once its leases lapse.
//
// synced is how many sources this process synced, successfully or not; failed is how many of those failed, for the reasons that their runs
// record. err is not about a source: the database is not available, or ctx has ended.
func (s *Syncer) Due(ctx context.Context, sources []*provider.Source, parallel int) (synced, failed int, err error) {
	start := s.Clock()
	for {
		last, err := s.Store.LastRuns(ctx)
		if err != nil {
			return synced, failed, err
		}
		var due []*provider.Source
		for _, source := range sources {
			if isDue(source, last[source.Provider().ID()], start) {
				due = append(due, source)
			}
		}
		if len(due) == 0 {
			return synced, failed, nil
		}
		// Shuffled, so that processes rarely try the same source at the same time.
		//nolint:gosec // G404: it need not be secret, only different.
		rand.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
		did, broken, err := s.share(ctx, due, last, parallel)
		synced, failed = synced+did, failed+broken
		if err != nil {
			return synced, failed, err
		}
		if did > 0 {
			continue
		}
		// Other processes are syncing what is left. If one of them dies, its sources are still to be synced.
		select {
		case <-time.After(cmp.Or(s.Poll, 2*time.Second)):
		case <-ctx.Done():
			return synced, failed, ctx.Err()
		}
	}
}

// share syncs those of the due sources that no other process has the lease of.
func (s *Syncer) share(ctx context.Context, due []*provider.Source, last map[event.ID]event.LastRun, parallel int) (synced, failed int, err error) {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(max(1, parallel))
	for _, source := range due {
		group.Go(func() error {
			mu.Lock()
			stop := err != nil
			mu.Unlock()
			if stop || ctx.Err() != nil {
				return nil
			}
			p := source.Provider()
			begin := func(ctx context.Context, at time.Time) (event.Run, error) {
				return s.Store.StartDue(ctx, p, s.Owner, at, last[p.ID()].ID)
			}
			report, syncErr := s.run(ctx, source, begin, func(ctx context.Context, run event.Run) (event.Result, error) {
				return s.attempt(ctx, run, source)
			})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(syncErr, event.ErrRunning), errors.Is(syncErr, event.ErrNotDue): // another process syncs it, or has done so
			case report.RunID == 0, errors.Is(syncErr, event.ErrUnavailable):
				err = syncErr
			case syncErr != nil:
				synced, failed = synced+1, failed+1
			default:
				synced++
			}
			return nil
		})
	}
	_ = group.Wait() // no function above fails
	if err == nil {
		err = ctx.Err()
	}
	return synced, failed, err
}

// isDue tells whether a source is to be synced at a time, given its latest run (zero: none).
func isDue(source *provider.Source, last event.LastRun, at time.Time) bool {
	schedule := source.Schedule()
	switch {
	case last.ID == 0, last.Ahead(at):
		return true
	case last.Waits(at):
		return false
	case schedule.Cron != "":
		return !schedule.Next(last.StartedAt).After(at)
	}
	// Periods begin at fixed times, which differ from source to source. If a period were counted from the last start, every delay
	// would move all later ones.
	every := cmp.Or(schedule.Every, unscheduled)
	hash := fnv.New64a()
	hash.Write([]byte(source.Provider().Slug))
	offset := time.Duration(hash.Sum64() % uint64(every))
	return at.Add(-offset).Truncate(every).After(last.StartedAt.Add(-offset))
}
