package syncer_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/syncer"
	"github.com/aledotdev/marquee/test/harness"
)

// slow is a run whose provider takes its time to answer.
type slow struct {
	arrived chan struct{}
	answer  chan http.HandlerFunc
	done    chan struct{}
	report  syncer.Report
	err     error
}

// begin starts a run that waits for its answer, and returns when its request is there.
func begin(t *testing.T, s *syncer.Syncer, feed *harness.Feed) *slow {
	t.Helper()
	r := &slow{arrived: make(chan struct{}), answer: make(chan http.HandlerFunc, 1), done: make(chan struct{})}
	feed.Answer(func(w http.ResponseWriter, req *http.Request) {
		close(r.arrived)
		select {
		case answer := <-r.answer:
			answer(w, req)
		case <-req.Context().Done():
		}
	})
	go func() {
		defer close(r.done)
		r.report, r.err = s.Sync(t.Context(), feed.Source)
	}()
	select {
	case <-r.arrived:
	case <-r.done:
		t.Fatalf("the run ended before it asked the provider: %v", r.err)
	}
	return r
}

// end answers and waits for the run's end.
func (r *slow) end(answer http.HandlerFunc) (syncer.Report, error) {
	r.answer <- answer
	<-r.done
	return r.report, r.err
}

// expire makes every lease one whose holder has been silent for long.
func expire(app *harness.App) {
	app.TB.Helper()
	app.Exec(`UPDATE leases SET heartbeat_at = heartbeat_at - interval '1 hour'`)
}

func priced(price string) []byte {
	return harness.PlanList(varied(func(p *harness.Plan) { p.Zones[0].Price = price }))
}

func notModified(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }

// TestOvertaken: a run that was overtaken by one that started later is not applied, whatever it brings and
// whatever the later one found.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	old, fresh, newest := priced("20"), priced("21"), priced("22")
	for name, test := range map[string]struct {
		second []byte // what the later run gets
		first  http.HandlerFunc
		code   string
	}{
		"by a change":                             {newest, serve(fresh), "SUPERSEDED"},
		"by a change, with the snapshot before":   {newest, serve(old), "SUPERSEDED"},
		"by a change, with nothing new":           {newest, notModified, "SUPERSEDED"},
		"by a change, with the same":              {newest, serve(newest), "SUPERSEDED"},
		"by one that found nothing new":           {old, serve(fresh), "SUPERSEDED"},
		"by one that found nothing new, the same": {old, notModified, "SUPERSEDED"},
		"by a change, with an error page":         {newest, badGateway, "STATUS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := harness.Start(t, noon)
			feed := app.Feed("acme")
			feed.Answer(serve(old, "ETag", `"old"`))
			if _, err := feed.Try(); err != nil {
				t.Fatal(err)
			}
			first := begin(t, app.Syncer, feed)
			expire(app)
			second := feed.Sync(test.second)
			before := app.Rows()

			report, err := first.end(test.first)
			if err == nil {
				t.Error("no error")
			}
			if report.RunID >= second.RunID {
				t.Errorf("run %d started before run %d", report.RunID, second.RunID)
			}
			if report.Result.ErrorCode != test.code {
				t.Errorf("reported as %s: %v, want %s", report.Result.ErrorCode, err, test.code)
			}
			same(t, "everything, when the first run ends", before, app.Rows())
			want := []string{"1 APPLIED with ", "2 SUPERSEDED with SUPERSEDED", "3 APPLIED with "}
			if cmp.Equal(test.second, old) {
				want[2] = "3 UNCHANGED with "
			}
			got := harness.Query[string](app, `SELECT id || ' ' || outcome || ' with ' || error_code FROM sync_runs WHERE finished_at IS NOT NULL ORDER BY id`)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
			// The provider goes on as if nothing had been.
			sameCounts(t, feed.Sync(fresh), event.OutcomeApplied, event.Counts{Records: 1, Changed: 1})
		})
	}
}

func badGateway(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) }

// TestInTurn: while one run is under way no other is started. A run that was silent for long is still applied if
// no other has taken over.
func TestInTurn(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	first := begin(t, app.Syncer, feed)
	before := app.Rows()
	report, err := feed.Try()
	wantError(t, err, event.ErrRunning)
	if report.RunID != 0 {
		t.Errorf("a run beside another: %+v", report)
	}
	same(t, "everything, when a run finds another", before, app.Rows())
	app.Feed("other").Sync(priced("5")) // others don't wait

	expire(app)
	report, err = first.end(serve(priced("20")))
	if err != nil {
		t.Fatal(err)
	}
	sameCounts(t, report, event.OutcomeApplied, event.Counts{Records: 1, Added: 1})
	sameCounts(t, feed.Sync(priced("21")), event.OutcomeApplied, event.Counts{Records: 1, Changed: 1})
}

// TestHeartbeat: a run that lost its lease is stopped where it is, not only at its end.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	options := app.Syncer.Options
	options.Beat = 10 * time.Millisecond
	feed := app.Feed("acme")
	first := begin(t, syncer.New(options), feed)
	// Its signs of life keep the lease, however often it is made to look old.
	for range 3 {
		expire(app)
		for harness.One[bool](app, `SELECT heartbeat_at < clock_timestamp() - interval '30 minutes' FROM leases`) {
			time.Sleep(time.Millisecond)
		}
	}
	_, err := feed.Try()
	wantError(t, err, event.ErrRunning)

	app.Exec(`UPDATE leases SET owner = 'thief', token = token + 1`)
	<-first.done // without an answer
	wantError(t, first.err, event.ErrSuperseded)
	recorded(t, app, first.report, event.OutcomeSuperseded, "SUPERSEDED")
}

// TestTakeoverDuringCommit: a run that is being applied can't be overtaken any more; the run that tries
// starts after it.
func TestTakeoverDuringCommit(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	unlock := lock(t, app, `SELECT 1 FROM catalog FOR UPDATE`)
	first := begin(t, app.Syncer, feed)
	expire(app)
	first.answer <- serve(priced("20"))
	blocked(t, app, 1)
	feed.Serve(priced("21"))
	second := &slow{done: make(chan struct{})}
	go func() {
		defer close(second.done)
		second.report, second.err = feed.Try()
	}()
	blocked(t, app, 2)
	unlock()
	<-first.done
	<-second.done
	if first.err != nil || second.err != nil {
		t.Fatal(first.err, second.err)
	}
	sameCounts(t, first.report, event.OutcomeApplied, event.Counts{Records: 1, Added: 1})
	sameCounts(t, second.report, event.OutcomeApplied, event.Counts{Records: 1, Changed: 1})
	if got := stateOf(app, paradeID.String()); got.Min != "15.5" || version(app) != 2 {
		t.Errorf("in the end: %+v, version %d", got, version(app))
	}
}

// lock takes locks by a statement, and gives them back when the function that it returns is called.
func lock(t *testing.T, app *harness.App, sql string) (unlock func()) {
	t.Helper()
	tx, err := app.Pool.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), sql)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// blocked waits until n sessions wait for a lock.
func blocked(t *testing.T, app *harness.App, n int) {
	t.Helper()
	for harness.One[int](app, `
		SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.datname = current_database()`) < n {
		time.Sleep(2 * time.Millisecond)
	}
}

// TestClockGoesBack: a machine whose clock was a year ahead, and is right again, goes on syncing: what it wrote then keeps
// no later snapshot from being applied, nor the provider from being asked.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	app.Clock.Set(noon.AddDate(1, 0, 0))
	feed.Answer(serve(priced("20"), "Cache-Control", "max-age=86400"))
	if _, err := feed.Try(); err != nil {
		t.Fatal(err)
	}
	if wait := harness.One[float64](app, `SELECT extract(epoch FROM next_check_at - started_at) FROM sync_runs`); wait < 3600 {
		t.Fatalf("the provider asks to wait for %g s, which the test is about", wait)
	}
	_, err := app.Store.StartRun(t.Context(), feed.Source.Provider(), "test", app.Clock.Now(), false)
	wantError(t, err, event.ErrNotDue)

	app.Clock.Set(noon)
	run, err := app.Store.StartRun(t.Context(), feed.Source.Provider(), "test", app.Clock.Now(), false)
	if err != nil {
		t.Fatal("the provider is left alone until a time that was never meant: ", err)
	}
	if err := app.Store.FailRun(t.Context(), run, event.Result{Outcome: event.OutcomeFailed, ErrorCode: "TEST"}, app.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	sameCounts(t, feed.Sync(priced("21")), event.OutcomeApplied, event.Counts{Records: 1, Changed: 1})
	want := []string{"1 ADDED", "2 PRICE_CHANGED", "3 DETAILS_CHANGED"}
	if diff := cmp.Diff(want, harness.Query[string](app, `SELECT id || ' ' || kind FROM changes ORDER BY id`)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	// What left the feed meanwhile is told from what has expired by the clock as it is.
	sameCounts(t, feed.Sync(harness.PlanList()), event.OutcomeApplied, event.Counts{Removed: 1})
}
