package syncer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/syncer"
	"github.com/aledotdev/marquee/test/harness"
)

// broken is a store in which a bug shows while it reads what the catalog has.
type broken struct{ syncer.Store }

// Present implements syncer.Store.
func (broken) Present(context.Context, event.Run, time.Time) (event.Present, error) { panic("a bug") }

// TestPanic: a bug costs the run that meets it, in whichever goroutine, and not the program.
func TestPanic(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	feed.Serve(harness.PlanList(show("1", "2030-07-01T20:00:00")))
	options := app.Syncer.Options
	options.Store = broken{options.Store}
	report, err := syncer.New(options).Sync(t.Context(), feed.Source)
	if !errors.Is(err, syncer.ErrPanic) || report.Result.Outcome != event.OutcomeFailed {
		t.Errorf("%s, %v", report.Result.Outcome, err)
	}
}
