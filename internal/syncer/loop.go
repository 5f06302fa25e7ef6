package syncer

import (
	"cmp"
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aledotdev/marquee/internal/provider"
)

// maxParallel is how many providers are synced at once. It is bounded because each sync holds a connection and a snapshot.
const maxParallel = 4

// Once syncs each source once, maxParallel at a time. The errors are those of Sync, in the order of sources; nil where a sync went well.
// A source that fails doesn't keep the others from being synced.
func (s *Syncer) Once(ctx context.Context, sources []*provider.Source) []error {
	failures := make([]error, len(sources))
	var group errgroup.Group
	group.SetLimit(maxParallel)
	for i, source := range sources {
		group.Go(func() error {
			_, failures[i] = s.Sync(ctx, source)
			return nil
		})
	}
	_ = group.Wait() // no function above fails
	return failures
}

// spread is the time over which the first syncs are spread, so that not all providers are asked at once.
const spread = 30 * time.Second

// Loop syncs every source again and again, until ctx is done: by the source's own schedule or, if it has none, at
// the interval, but no sooner than its provider asks for. The first syncs are spread over half a minute, or over the interval if that is
// shorter. When ctx is done no run starts any more; runs under way have Options.Drain to end, then they are cancelled. Loop
// returns when all have ended.
//
// Each source is synced independently of the others, but only maxParallel at a time. A run that is still under way
// when the next one is due skips the starts that it misses.
func (s *Syncer) Loop(ctx context.Context, sources []*provider.Source, interval time.Duration) {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(cmp.Or(s.Drain, 25*time.Second), stop) })()

	slots := make(chan struct{}, maxParallel)
	var running sync.WaitGroup
	for i, source := range sources {
		first := min(spread, interval) * time.Duration(i) / time.Duration(len(sources))
		running.Go(func() { s.follow(ctx, working, source, first, interval, slots) })
	}
	running.Wait()
}

// follow syncs one source by its schedule, the first time after wait. Runs end with working, follow with ctx.
func (s *Syncer) follow(ctx, working context.Context, source *provider.Source, wait, interval time.Duration, slots chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		select {
		case <-ctx.Done():
			return
		case slots <- struct{}{}:
		}
		if ctx.Err() != nil { // a select with several ready cases takes any of them
			<-slots
			return
		}
		start := s.Clock()
		report, _ := s.Sync(working, source) // Sync logs and records the error, and the source is tried again anyway
		<-slots
		wait = next(source.Schedule(), start, interval, report.Result.NextCheck).Sub(s.Clock())
	}
}

// next is when a source that was synced at start is due again. asked is the time until which its provider wants to be left alone; zero: it
// doesn't say.
func next(schedule provider.Schedule, start time.Time, interval time.Duration, asked time.Time) time.Time {
	due := start.Add(interval)
	if !schedule.IsZero() {
		due = schedule.Next(start)
	}
	if asked.After(due) {
		return asked
	}
	return due
}
