package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/httpapi"
)

func TestReadyz(t *testing.T) {
	t.Parallel()
	var log journal
	var database, schema atomic.Bool // down
	now := &clock{now: time.Date(2024, 12, 28, 12, 0, 0, 0, time.UTC)}
	failsIf := func(down *atomic.Bool) func(context.Context) error {
		return func(context.Context) error {
			if down.Load() {
				return errDatabase
			}
			return nil
		}
	}
	o := options(&fake{ping: failsIf(&database)})
	o.SchemaCheck, o.Clock, o.Log = failsIf(&schema), now.Now, log.logger(slog.LevelInfo)
	server := httpapi.New(o)

	const (
		up         = "[+]database ok\n[+]schema ok\n[+]shutdown ok\nreadyz check passed\n"
		blip       = "[+]database ok: failing, but not for long\n[+]schema ok\n[+]shutdown ok\nreadyz check passed\n"
		noDatabase = "[-]database failed: reason withheld\n[+]schema ok\n[+]shutdown ok\nreadyz check failed\n"
		noSchema   = "[+]database ok\n[-]schema failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n"
		stopping   = "[+]database ok\n[+]schema ok\n[-]shutdown failed: in progress\nreadyz check failed\n"
	)
	step := func(name string, later time.Duration, change func(), status int, verbose string) {
		t.Helper()
		now.advance(later)
		change()
		w := do(t, server, http.MethodGet, "/readyz?verbose")
		if w.Code != status || w.Body.String() != verbose {
			t.Errorf("%s: status %d\n%s", name, w.Code, w.Body)
		}
		short := "ok\n"
		if status != http.StatusOK {
			short = verbose
		}
		if w := do(t, server, http.MethodGet, "/readyz"); w.Code != status || w.Body.String() != short {
			t.Errorf("%s, not verbose: status %d\n%s", name, w.Code, w.Body)
		}
		if w := do(t, server, http.MethodGet, "/livez"); w.Code != http.StatusOK {
			t.Errorf("%s: livez has status %d", name, w.Code)
		}
	}
	step("start", 0, func() {}, 200, up)
	step("database down", time.Second, func() { database.Store(true) }, 200, blip)
	step("for 14 s", 13*time.Second, func() {}, 200, blip)
	step("for 15 s", time.Second, func() {}, 503, noDatabase)
	step("for long", time.Hour, func() {}, 503, noDatabase)
	step("up again", time.Second, func() { database.Store(false) }, 200, up)
	step("schema of another version", time.Second, func() { schema.Store(true) }, 200, strings.Replace(blip, "ok: failing, but not for long\n[+]schema ok", "ok\n[+]schema ok: failing, but not for long", 1))
	step("and stays so", 15*time.Second, func() {}, 503, noSchema)
	step("no more", 15*time.Second, func() { schema.Store(false) }, 200, up)
	step("stopping", 0, server.Drain, 503, stopping)

	if text := log.String(); strings.Count(text, "check fails") != 2 || strings.Count(text, "passes again") != 2 || strings.Count(text, "\n") != 4 {
		t.Errorf("log has each turn once:\n%s", text)
	}
}

func TestReadyzNeverReadyWithoutADatabase(t *testing.T) {
	t.Parallel()
	server := httpapi.New(options(&fake{ping: func(context.Context) error { return errDatabase }}))
	w := do(t, server, http.MethodGet, "/readyz")
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "relation") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// TestReadyzIsQuickAndCheap: a database that hangs costs less than a prober's patience, and many probers
// are one statement.
func TestReadyzIsQuickAndCheap(t *testing.T) {
	t.Parallel()
	var pings atomic.Int32
	hangs := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	o := options(&fake{ping: func(ctx context.Context) error {
		pings.Add(1)
		return hangs(ctx)
	}})
	o.SchemaCheck = hangs
	now := &clock{now: time.Date(2024, 12, 28, 12, 0, 0, 0, time.UTC)}
	o.Clock = now.Now
	server := httpapi.New(o)
	began := time.Now()
	var probers sync.WaitGroup
	for range 20 {
		probers.Go(func() {
			if w := do(t, server, http.MethodGet, "/readyz"); w.Code != http.StatusServiceUnavailable {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	probers.Wait()
	if took := time.Since(began); took > 5*time.Second || pings.Load() != 1 { // 20 probes one by one are 14 s
		t.Errorf("%d pings in %s", pings.Load(), took)
	}
}

// TestReadyzOutlivesItsClient: the result is for the next one too.
func TestReadyzOutlivesItsClient(t *testing.T) {
	t.Parallel()
	server := httpapi.New(options(&fake{ping: func(ctx context.Context) error { return ctx.Err() }}))
	gone, leave := context.WithCancel(t.Context())
	leave()
	r, err := http.NewRequestWithContext(gone, http.MethodGet, "/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	server.ServeHTTP(discard{http.Header{}}, r)
	if w := do(t, server, http.MethodGet, "/readyz"); w.Code != http.StatusOK {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// discard takes an answer and keeps its header only.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
