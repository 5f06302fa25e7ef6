package syncer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	entmigrate "github.com/aledotdev/marquee/ent/migrate"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
	"github.com/aledotdev/marquee/internal/migrate"
	"github.com/aledotdev/marquee/internal/pgdev"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/internal/store"
	"github.com/aledotdev/marquee/internal/syncer"
	"github.com/aledotdev/marquee/test/harness"
)

// What makes this test binary a program that syncs once: the database's URL, and the feed's.
const (
	childDatabase = "MARQUEE_TEST_SYNC_DATABASE"
	childFeed     = "MARQUEE_TEST_SYNC_FEED"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childDatabase); url != "" {
		if err := syncOnce(url, os.Getenv(childFeed)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func syncOnce(database, feed string) error {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return err
	}
	defer pool.Close()
	source, err := provider.New(provider.Config{
		Slug: "acme", Name: "Provider acme", URL: feed, Format: "planlist",
		TimeZone: "Europe/Madrid", Currency: "EUR", AllowPrivateAddresses: true,
	}, fetch.New(fetch.Options{}))
	if err != nil {
		return err
	}
	writer := store.New(pool)
	_, err = syncer.New(syncer.Options{
		Store: writer, Begin: harness.Begin(writer), Owner: "child",
		Clock: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	}).Sync(ctx, source)
	return err
}

// beforeCrash and afterCrash are two snapshots between which everything happens that can, in more
// than one batch, with a record for the quarantine in the last.
func beforeCrash() []byte {
	bases := []harness.Base{parade(), show("gone", "2030-07-01T20:00:00"), show("past", "2030-05-01T20:00:00")}
	for i := range 100 {
		bases = append(bases, show(fmt.Sprint("b", i), "2030-07-02T20:00:00"))
	}
	return harness.PlanList(bases...)
}

func afterCrash() []byte {
	bases := []harness.Base{varied(func(p *harness.Plan) { p.SoldOut = "true" })}
	for i := range 600 {
		s := show(fmt.Sprint("b", i), "2030-07-02T20:00:00")
		s.Plans[0].Zones[0].Price = "11"
		bases = append(bases, s)
	}
	bad := show("bad", "2030-07-02T20:00:00")
	bad.Plans[0].Start = "2030-07-32T20:00:00"
	return harness.PlanList(append(bases, bad)...)
}

// undisturbed is what the catalog holds when nothing goes wrong.
func undisturbed(t *testing.T) map[string][]string {
	t.Helper()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	feed.Sync(beforeCrash())
	app.Clock.Set(noon.Add(time.Hour))
	feed.Sync(afterCrash())
	return catalogOf(t, app)
}

// catalogOf is what the catalog holds, but for the numbers of runs, of which a crash takes one.
func catalogOf(t *testing.T, app *harness.App) map[string][]string {
	t.Helper()
	all := content(app.Rows(own...))
	for table, rows := range all {
		for i, text := range rows {
			var row map[string]any
			if err := json.Unmarshal([]byte(text), &row); err != nil {
				t.Fatal(err)
			}
			delete(row, "run_id")
			if table == "quarantined_records" {
				delete(row, "id")
			}
			plain, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			rows[i] = string(plain)
		}
		slices.Sort(rows)
	}
	return all
}

// TestKilled: a program that is killed in the middle of a sync leaves the catalog as it was, and the next
// sync brings it to the same state as if nothing had happened.
func TestKilled(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	for name, statement := range map[string]string{ // that makes it wait where it is to be killed
		"before the answer's end":  ``,
		"while it stages":          `LOCK TABLE quarantined_records IN SHARE MODE`,
		"while it writes events":   `LOCK TABLE events IN SHARE MODE`,
		"while it writes series":   `LOCK TABLE series IN SHARE MODE`,
		"while it numbers changes": `SELECT 1 FROM catalog FOR UPDATE`,
		"with its record to write": `LOCK TABLE sync_runs IN SHARE MODE`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := harness.Start(t, noon)
			feed := app.Feed("acme")
			feed.Sync(beforeCrash())
			before := app.Rows(own...)

			arrived, goOn := make(chan struct{}), make(chan struct{})
			feed.Answer(func(w http.ResponseWriter, r *http.Request) {
				body := afterCrash()
				_, _ = w.Write(body[:len(body)/2])
				_ = http.NewResponseController(w).Flush()
				close(arrived)
				select {
				case <-goOn:
					_, _ = w.Write(body[len(body)/2:])
				case <-r.Context().Done():
				}
			})
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
			child.Env = append(os.Environ(), childDatabase+"="+app.Pool.Config().ConnString(), childFeed+"="+feed.URL)
			child.Stderr = t.Output()
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			<-arrived
			unlock := func() {}
			if statement != "" {
				unlock = lock(t, app, statement)
				close(goOn)
				blocked(t, app, 1)
			}
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := child.Wait(); err == nil {
				t.Fatal("the child was done before it was killed")
			}
			unlock()
			same(t, "the catalog after the crash", before, app.Rows(own...))

			// Its lease keeps others out until it has been silent for long enough.
			if _, err := feed.Try(); err == nil {
				t.Error("a killed run has no lease")
			}
			expire(app)
			recovers(t, app, feed, want)
		})
	}
}

// recovers syncs what the crash interrupted.
func recovers(t *testing.T, app *harness.App, feed *harness.Feed, want map[string][]string) {
	t.Helper()
	app.Clock.Set(noon.Add(time.Hour))
	sameCounts(t, feed.Sync(afterCrash()), event.OutcomeApplied, event.Counts{Records: 602, Added: 500, Changed: 101, Removed: 1, Quarantined: 1})
	if diff := cmp.Diff(want, catalogOf(t, app)); diff != "" {
		t.Errorf("the catalog after the next sync (-undisturbed +recovered):\n%s", diff)
	}
	runs := harness.Query[string](app, `SELECT outcome FROM sync_runs ORDER BY id`)
	if len(runs) != 3 || runs[0] != "APPLIED" || runs[1] == "RUNNING" || runs[1] == "APPLIED" || runs[2] != "APPLIED" {
		t.Errorf("the runs ended as %v", runs)
	}
	feed.Sync(append(afterCrash(), '\n'))
	if diff := cmp.Diff(want["events"], catalogOf(t, app)["events"]); diff != "" {
		t.Errorf("events after the same once more (-want +got):\n%s", diff)
	}
}

// TestPostgresKilled: the same if PostgreSQL is killed during a run, just before the commit.
func TestPostgresKilled(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	dir, err := os.MkdirTemp("", "marquee-crash-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil { // the server has a user of its own
		t.Fatal(err)
	}
	server, err := pgdev.Start(t.Context(), pgdev.Options{Dir: filepath.Join(dir, "server")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := server.EnsureDatabase(t.Context(), "marquee"); err != nil {
		t.Fatal(err)
	}
	up, err := migrate.New(server.URL("marquee"), entmigrate.Files(), migrate.Options{})
	if err == nil {
		_, err = up.Up(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), server.URL("marquee"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	app := harness.StartOn(t, pool, noon)
	feed := app.Feed("acme")
	feed.Sync(beforeCrash())
	before := maps.Clone(content(app.Rows(own...)))

	tx, err := pool.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), `SELECT 1 FROM catalog FOR UPDATE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	run := begin(t, app.Syncer, feed)
	run.answer <- serve(afterCrash())
	blocked(t, app, 1)
	if err := syscall.Kill(postmaster(t, server), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-run.done
	if run.err == nil {
		t.Error("a run whose database was killed is fine")
	}
	_ = tx.Rollback(t.Context()) // it is gone

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for pool.Ping(ctx) != nil {
		if ctx.Err() != nil {
			t.Fatal("PostgreSQL does not come back")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if diff := cmp.Diff(before, content(app.Rows(own...))); diff != "" {
		t.Errorf("the catalog after the crash (-before +after):\n%s", diff)
	}
	expire(app)
	recovers(t, app, feed, want)
}

func postmaster(t *testing.T, server *pgdev.Server) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(server.Dir(), "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
