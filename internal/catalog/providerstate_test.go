package catalog_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/test/harness"
)

// TestProviderStates goes with a provider from its first snapshot to one that fails, and to one that is held.
func TestProviderStates(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	state := func() catalog.ProviderState {
		t.Helper()
		states, err := app.Catalog.ProviderStates(t.Context())
		if err != nil || len(states) != 1 {
			t.Fatalf("%d states, %v", len(states), err)
		}
		return states[0]
	}
	is := func(want catalog.ProviderState) {
		t.Helper()
		if diff := cmp.Diff(want, state()); diff != "" {
			t.Error(diff)
		}
		p, err := app.Catalog.Provider(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		if at, err := p.LastSyncedAt(t.Context()); err != nil || !cmp.Equal(at, want.LastSuccess) {
			t.Errorf("last synced at %v, want %v: %v", at, want.LastSuccess, err)
		}
	}
	later := func() *time.Time {
		at := app.Clock.Now().Add(time.Hour)
		app.Clock.Set(at)
		return &at
	}
	d := draft{}
	for i := range 9 {
		d[i] = harness.Base{ID: fmt.Sprint(i), Title: "Show", Mode: "online", Plans: []harness.Plan{{ID: "1", Start: "2040-01-01T20:00:00"}}}
	}
	at := later()
	feed.Sync(d.feed())
	want := catalog.ProviderState{Slug: "acme", LastStart: at, LastOutcome: event.OutcomeApplied, LastSuccess: at, Records: 10, Events: 10}
	is(want)

	want.LastStart = later()
	feed.Serve([]byte("<planList>"))
	_, _ = feed.Try()
	want.LastOutcome = event.OutcomeFailed
	is(want)

	want.LastStart = later()
	feed.Serve(draft{}.feed())
	_, _ = feed.Try()
	want.LastOutcome, want.Held = event.OutcomeHeld, true
	is(want)
}
