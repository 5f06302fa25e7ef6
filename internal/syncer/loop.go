package syncer

import (
	"context"
	"sync"
	"time"

	"github.com/aledotdev/marquee/internal/provider"
)

// Loop syncs every source at once and then again and again, until ctx is done, and returns when the
// runs that were under way have ended. Sources don't wait for each other, and a run that takes longer
// than the interval skips the starts that it misses.
func (s *Syncer) Loop(ctx context.Context, sources []*provider.Source, interval time.Duration) {
	var running sync.WaitGroup
	for _, source := range sources {
		running.Go(func() {
			ticker := time.NewTicker(interval)
			defer ticker.Stop()
			for {
				_, _ = s.Sync(ctx, source) // logged and recorded there; the next try comes anyway
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
				}
			}
		})
	}
	running.Wait()
}
