package syncer_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/internal/syncer"
	"github.com/aledotdev/marquee/test/harness"
)

// runTables are the tables in which a run records itself, however it ends.
var runTables = []string{"sync_runs", "leases", "held_snapshots"}

// season is n upcoming events, numbered from 1.
func season(n int) []harness.Base {
	var bases []harness.Base
	for i := range n {
		bases = append(bases, show(fmt.Sprint(i+1), fmt.Sprintf("2030-07-%02dT20:00:00", i+1)))
	}
	return bases
}

// TestBrake: a snapshot that takes away too much is held whole, until a person decides.
func TestBrake(t *testing.T) {
	t.Parallel()
	few, all := harness.PlanList(season(10)...), harness.PlanList(season(20)...)

	// held syncs all, then few, and returns the run that is held.
	held := func(t *testing.T) (*harness.App, *harness.Feed, event.Held) {
		t.Helper()
		app := harness.Start(t, noon)
		feed := app.Feed("acme")
		feed.Sync(all)
		before := app.Rows(runTables...)
		feed.Serve(few)
		report, err := feed.Try()
		wantError(t, err, event.ErrHeld)
		sameCounts(t, report, event.OutcomeHeld, event.Counts{Records: 10, Unchanged: 10, Removed: 10})
		recorded(t, app, report, event.OutcomeHeld, "HELD")
		same(t, "a held snapshot touched the catalog", before, app.Rows(runTables...))
		found, err := app.Store.Held(t.Context(), report.RunID)
		if err != nil {
			t.Fatal(err)
		}
		return app, feed, found
	}
	listed := func(app *harness.App) int {
		return harness.One[int](app, `SELECT count(*) FROM events WHERE removed_at IS NULL`)
	}

	t.Run("approved", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		report, err := app.Syncer.Approve(t.Context(), found, feed.Source)
		if err != nil {
			t.Fatal(err)
		}
		sameCounts(t, report, event.OutcomeApplied, event.Counts{Records: 10, Unchanged: 10, Removed: 10})
		if n := listed(app); n != 10 {
			t.Errorf("%d events are left, want 10", n)
		}
		if _, err := app.Store.Held(t.Context(), found.RunID); !errors.Is(err, event.ErrNotHeld) {
			t.Errorf("it is still held: %v", err)
		}
		// What was approved is the snapshot that the next sync compares with.
		sameCounts(t, feed.Sync(few), event.OutcomeUnchanged, event.Counts{Records: 10, Unchanged: 10})
	})
	t.Run("approved twice", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		if _, err := app.Syncer.Approve(t.Context(), found, feed.Source); err != nil {
			t.Fatal(err)
		}
		_, err := app.Syncer.Approve(t.Context(), found, feed.Source)
		wantError(t, err, event.ErrNotHeld)
	})
	t.Run("approved when it would take away more by now", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		// The counts that were shown are lower than what the snapshot would remove by now.
		app.Exec(`UPDATE held_snapshots SET counts = jsonb_set(counts, '{removed}', '9')`)
		found.Counts.Removed = 9
		_, err := app.Syncer.Approve(t.Context(), found, feed.Source)
		wantError(t, err, syncer.ErrMoreThanShown)
		if n := listed(app); n != 20 {
			t.Errorf("%d events are left, want all 20", n)
		}
		if n := harness.One[int](app, `SELECT count(*) FROM leases WHERE owner <> ''`); n != 0 {
			t.Errorf("%d leases were not given back", n)
		}
	})
	t.Run("approved under other settings", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		found.Snapshot.Decoder = "something else"
		_, err := app.Syncer.Approve(t.Context(), found, feed.Source)
		wantError(t, err, syncer.ErrOtherSettings)
	})
	t.Run("the same again, but it takes away more", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		app.Exec(`UPDATE held_snapshots SET counts = jsonb_set(counts, '{removed}', '9')`)
		report, err := feed.Try()
		wantError(t, err, event.ErrHeld)
		if _, err := app.Store.Held(t.Context(), found.RunID); !errors.Is(err, event.ErrNotHeld) {
			t.Errorf("the run to approve is the one that showed less: %v", err)
		}
		if again, err := app.Store.Held(t.Context(), report.RunID); err != nil || again.Counts.Removed != 10 {
			t.Errorf("held are %+v: %v", again.Counts, err)
		}
	})
	t.Run("rejected", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		if err := app.Store.Reject(t.Context(), found.RunID); err != nil {
			t.Fatal(err)
		}
		_, err := app.Syncer.Approve(t.Context(), found, feed.Source)
		wantError(t, err, event.ErrNotHeld)
		report, err := feed.Try() // the same snapshot is not asked about again
		wantError(t, err, event.ErrHeld)
		recorded(t, app, report, event.OutcomeRejected, "REJECTED")
		wantError(t, app.Store.Reject(t.Context(), found.RunID), event.ErrNotHeld)
	})
	t.Run("the same again", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		report, err := feed.Try()
		wantError(t, err, event.ErrHeld)
		recorded(t, app, report, event.OutcomeHeld, "HELD")
		if _, err := app.Store.Held(t.Context(), found.RunID); err != nil {
			t.Errorf("the run to approve is another now: %v", err)
		}
	})
	t.Run("moot", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		feed.Sync(harness.PlanList(season(21)...)) // the provider is back
		if _, err := app.Store.Held(t.Context(), found.RunID); !errors.Is(err, event.ErrNotHeld) {
			t.Errorf("it is still held: %v", err)
		}
		if got := harness.One[string](app, `SELECT outcome FROM sync_runs WHERE id = $1`, found.RunID); got != string(event.OutcomeSuperseded) {
			t.Errorf("the held run's outcome is %s", got)
		}
	})
}

// TestHeldRepeats: a decision about a held run is also one about the later runs that held the same snapshot.
func TestHeldRepeats(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		decide func(*testing.T, *harness.App, *harness.Feed, event.Held) error
		want   event.Outcome
	}{
		{"approved", func(t *testing.T, app *harness.App, feed *harness.Feed, found event.Held) error {
			_, err := app.Syncer.Approve(t.Context(), found, feed.Source)
			return err
		}, event.OutcomeSuperseded},
		{"rejected", func(t *testing.T, app *harness.App, _ *harness.Feed, found event.Held) error {
			return app.Store.Reject(t.Context(), found.RunID)
		}, event.OutcomeRejected},
		{"moot", func(_ *testing.T, _ *harness.App, feed *harness.Feed, _ event.Held) error {
			feed.Serve(harness.PlanList(season(21)...))
			_, err := feed.Try()
			return err
		}, event.OutcomeSuperseded},
		{"held anew", func(_ *testing.T, _ *harness.App, feed *harness.Feed, _ event.Held) error {
			feed.Serve(harness.PlanList(season(9)...))
			if _, err := feed.Try(); !errors.Is(err, event.ErrHeld) {
				return fmt.Errorf("want it held: %w", err)
			}
			return nil
		}, event.OutcomeSuperseded},
		{"rejected while one is about to be held", func(t *testing.T, app *harness.App, feed *harness.Feed, found event.Held) error {
			var unlock func()
			feed.Answer(func(w http.ResponseWriter, _ *http.Request) {
				unlock = lock(t, app, `SELECT FROM sync_runs ORDER BY id DESC LIMIT 1 FOR UPDATE`) // so the run can't be recorded as held
				_, _ = w.Write(harness.PlanList(season(10)...))
			})
			var both errgroup.Group
			both.Go(func() error {
				if _, err := feed.Try(); !errors.Is(err, event.ErrHeld) {
					return fmt.Errorf("want it held: %w", err)
				}
				return nil
			})
			blocked(t, app, 1)
			both.Go(func() error { return app.Store.Reject(t.Context(), found.RunID) })
			blocked(t, app, 2)
			unlock()
			return both.Wait()
		}, event.OutcomeRejected},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			app := harness.Start(t, noon)
			feed, other := app.Feed("acme"), app.Feed("bravo")
			outcomes := func(slug string) string {
				return harness.One[string](app, `SELECT string_agg(outcome, ' ' ORDER BY r.id) FROM sync_runs r JOIN providers p ON p.id = provider_id WHERE slug = $1`, slug)
			}
			for _, f := range []*harness.Feed{feed, other} {
				f.Sync(harness.PlanList(season(20)...))
				f.Serve(harness.PlanList(season(10)...))
				for range 3 {
					_, err := f.Try()
					wantError(t, err, event.ErrHeld)
				}
			}
			found, err := app.Store.Held(t.Context(), harness.One[int64](app, `SELECT min(run_id) FROM held_snapshots`))
			if err != nil {
				t.Fatal(err)
			}
			if err := test.decide(t, app, feed, found); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("APPLIED %[1]s %[1]s %[1]s", test.want)
			if got := outcomes("acme"); !strings.HasPrefix(got, want) {
				t.Errorf("the runs are %s, want %s", got, want)
			}
			if got := strings.Count(outcomes("acme"), "HELD"); (got > 0) != (test.name == "held anew") {
				t.Errorf("%d runs are held: %s", got, outcomes("acme"))
			}
			if got, want := outcomes("bravo"), "APPLIED"+strings.Repeat(" HELD", 3); got != want {
				t.Errorf("the other provider's runs are %s, want %s", got, want)
			}
		})
	}
}

// TestBrakeCheck checks the rule alone.
func TestBrakeCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		counts   event.Counts
		upcoming int
		held     bool
	}{
		{"nothing", event.Counts{}, 0, false},
		{"empty feed, few events", event.Counts{Removed: 5}, 5, false},
		{"empty feed", event.Counts{Removed: 6}, 6, true},
		{"a fifth of many", event.Counts{Records: 80, Removed: 20}, 100, false},
		{"over a fifth of many", event.Counts{Records: 79, Removed: 21}, 100, true},
		{"half is bad", event.Counts{Records: 10, Quarantined: 5}, 0, false},
		{"over half is bad", event.Counts{Records: 10, Quarantined: 6}, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if reason := event.DefaultBrake().Check(test.counts, test.upcoming); (reason != "") != test.held {
				t.Errorf("got %q, want held: %v", reason, test.held)
			}
		})
	}
}

// TestBrakeDaysLater: a calendar's horizon moves with the days. What is held is decided about all the same: approved,
// it is read with the horizon of that day; rejected, it stays so.
func TestBrakeDaysLater(t *testing.T) {
	t.Parallel()
	calendar := func(weekly int) []byte {
		var b strings.Builder
		b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
		for i := range weekly {
			fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%d\r\nSUMMARY:Choir %d\r\nDTSTART:20300605T190000\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n", i, i)
		}
		b.WriteString("END:VCALENDAR\r\n")
		return []byte(b.String())
	}
	// held has three choirs for four weeks in the catalog, and holds a calendar that has lost two of them.
	held := func(t *testing.T) (*harness.App, *harness.Feed, event.Held) {
		t.Helper()
		app := harness.Start(t, noon)
		feed := app.Feed("acme", func(c *provider.Config) { c.Format, c.Horizon.FutureDays = "icalendar", new(28) })
		sameCounts(t, feed.Sync(calendar(3)), event.OutcomeApplied, event.Counts{Records: 12, Added: 12})
		feed.Serve(calendar(1))
		report, err := feed.Try()
		wantError(t, err, event.ErrHeld)
		found, err := app.Store.Held(t.Context(), report.RunID)
		if err != nil {
			t.Fatal(err)
		}
		app.Clock.Set(noon.AddDate(0, 0, 8))
		return app, feed, found
	}
	t.Run("approved", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		report, err := app.Syncer.Approve(t.Context(), found, feed.Source)
		if err != nil {
			t.Fatal(err)
		}
		// One week is past by now, and one more has come into sight.
		sameCounts(t, report, event.OutcomeApplied, event.Counts{Records: 5, Added: 1, Unchanged: 4, Removed: 6})
		sameCounts(t, feed.Sync(calendar(1)), event.OutcomeUnchanged, event.Counts{Records: 5, Unchanged: 5})
	})
	t.Run("the same again", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		_, err := feed.Try()
		wantError(t, err, event.ErrHeld)
		if _, err := app.Store.Held(t.Context(), found.RunID); err != nil {
			t.Errorf("the run to approve is another now: %v", err)
		}
	})
	t.Run("rejected", func(t *testing.T) {
		t.Parallel()
		app, feed, found := held(t)
		if err := app.Store.Reject(t.Context(), found.RunID); err != nil {
			t.Fatal(err)
		}
		report, err := feed.Try()
		wantError(t, err, event.ErrHeld)
		recorded(t, app, report, event.OutcomeRejected, "REJECTED")
	})
}

// TestHeldAndLeftAlone: a provider whose snapshot is held is asked again no sooner than it wishes, and that keeps nobody from approving.
func TestHeldAndLeftAlone(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	feed.Sync(harness.PlanList(season(20)...))
	feed.Answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.Header().Set("Cache-Control", "max-age=3600")
		_, _ = w.Write(harness.PlanList(season(10)...))
	})
	report, err := feed.Try()
	wantError(t, err, event.ErrHeld)
	_, err = feed.Try()
	wantError(t, err, event.ErrNotDue)
	found, err := app.Store.Held(t.Context(), report.RunID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Syncer.Approve(t.Context(), found, feed.Source); err != nil {
		t.Errorf("approving: %v", err)
	}
}
