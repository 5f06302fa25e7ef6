package syncer_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/test/harness"
)

// own are the tables with a run's record and its lease.
var own = []string{"sync_runs", "leases"}

// TestUnchanged: the same snapshot again writes the run's record and nothing else, whatever tells that
// it is the same. What is compared is where each row lies and which transaction wrote it, and what
// PostgreSQL itself counted.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	bad := show("9", "2030-07-01T20:00:00")
	bad.Plans[0].Start = "2030-06-31T20:00:00"
	feed := harness.PlanList(
		parade(), parade(), // twice the same
		show("1", "2030-05-01T20:00:00"), // past
		harness.Base{ID: "2", Title: "Box office", Mode: "offline", Plans: show("2", "2030-07-02T20:00:00").Plans},
		bad,
	)
	answers := map[string]struct {
		answer      func(http.ResponseWriter, *http.Request)
		quarantined int64 // records that this run keeps itself
	}{
		"304": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") != `"one"` {
				t.Errorf("If-None-Match is %q", r.Header.Get("If-None-Match"))
			}
			w.WriteHeader(http.StatusNotModified)
		}, 0},
		"the same bytes": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(feed) }, 0},
		"other bytes, the same content": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.ReplaceAll(feed, []byte("\n"), []byte("\n \t")))
		}, 1},
	}
	for name, test := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := harness.Start(t, noon)
			acme, other := app.Feed("acme"), app.Feed("other")
			other.Sync(harness.PlanList(show("1", "2030-06-11T20:00:00")))
			acme.Answer(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("ETag", `"one"`)
				_, _ = w.Write(feed)
			})
			first, err := acme.Try()
			if err != nil {
				t.Fatal(err)
			}
			sameCounts(t, first, event.OutcomeApplied, event.Counts{Records: 5, Added: 3, Unchanged: 1, Quarantined: 1})
			app.Clock.Set(noon.Add(time.Hour))

			before, counted := app.Rows(append(own, "quarantined_records")...), writes(app)
			acme.Answer(test.answer)
			again, err := acme.Try()
			if err != nil {
				t.Fatal(err)
			}
			sameCounts(t, again, event.OutcomeUnchanged, event.Counts{Records: 5, Unchanged: 4, Quarantined: 1})
			same(t, "rows", before, app.Rows(append(own, "quarantined_records")...))

			want := map[string]int64{}
			for table, n := range writes(app) {
				want[table] = n - counted[table]
			}
			for _, table := range own {
				delete(want, table)
			}
			for table, n := range want {
				if n == 0 {
					delete(want, table)
				}
			}
			expected := map[string]int64{}
			if test.quarantined > 0 {
				expected["quarantined_records"] = test.quarantined
			}
			if diff := cmp.Diff(expected, want); diff != "" {
				t.Errorf("rows written as PostgreSQL counts them (-want +got):\n%s", diff)
			}
			// The run's record points at the records in quarantine, whoever read them.
			kept := harness.Query[string](app, `
				SELECT q.reason FROM sync_runs r JOIN quarantined_records q ON q.run_id = r.quarantine_run_id WHERE r.id = $1 ORDER BY q.id`, again.RunID)
			if diff := cmp.Diff([]string{"INVALID_DATE"}, kept); diff != "" {
				t.Errorf("quarantine of the second run (-want +got):\n%s", diff)
			}
		})
	}
}

// writes is how many rows of each table PostgreSQL has seen inserted, updated and deleted; of the
// system's tables, those that creating a table, even a temporary one, writes to.
func writes(app *harness.App) map[string]int64 {
	app.TB.Helper()
	ctx := app.TB.Context()
	// A session reports its counts when it ends, at the latest.
	app.Pool.Reset()
	conn, err := pgx.ConnectConfig(ctx, app.Pool.Config().ConnConfig.Copy())
	if err != nil {
		app.TB.Fatal(err)
	}
	defer conn.Close(ctx)
	for others := 1; others > 0; {
		err := conn.QueryRow(ctx, `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&others)
		if err != nil {
			app.TB.Fatal(err)
		}
	}
	rows, err := conn.Query(ctx, `
		SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_all_tables
		WHERE schemaname = 'public' OR relname IN ('pg_class', 'pg_attribute', 'pg_type')`)
	if err != nil {
		app.TB.Fatal(err)
	}
	counts := map[string]int64{}
	var table string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&table, &n}, func() error {
		counts[table] = n
		return nil
	}); err != nil {
		app.TB.Fatal(err)
	}
	return counts
}
