// Package harness is a whole Marquee in a test: a database of its own, a provider whose answers the test
// sets, the sync, and the API over HTTP, all on one clock.
package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
	"github.com/aledotdev/marquee/internal/httpapi"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/internal/store"
	"github.com/aledotdev/marquee/internal/syncer"
	"github.com/aledotdev/marquee/web"
)

// App is a Marquee.
type App struct {
	TB      testing.TB
	Pool    *pgxpool.Pool
	Store   *store.Store
	Syncer  *syncer.Syncer
	Catalog *catalog.Catalog
	API     *httptest.Server
	Clock   *Clock
	Limits  fetch.Limits // of the feeds that are made from now on
}

// Clock is a clock that the test sets.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set sets the time.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// Start makes an App whose clock stands at now.
func Start(tb testing.TB, now time.Time) *App {
	tb.Helper()
	return StartOn(tb, pgtest.Pool(tb), now)
}

// StartOn is Start on a database that the test brings.
func StartOn(tb testing.TB, pool *pgxpool.Pool, now time.Time) *App {
	tb.Helper()
	a := &App{TB: tb, Pool: pool, Store: store.New(pool), Clock: &Clock{now: now}, Limits: fetch.DefaultLimits()}
	a.Limits.Attempts = 1
	a.Limits.Time = 5 * time.Second
	log := slog.New(slog.NewTextHandler(tb.Output(), nil))
	a.Syncer = syncer.New(syncer.Options{Store: a.Store, Begin: Begin(a.Store), Owner: tb.Name(), Clock: a.Clock.Now, Log: log})
	a.Catalog = catalog.New(pool, a.Clock.Now)
	a.API = httptest.NewServer(httpapi.New(httpapi.Options{
		Catalog: a.Catalog, GraphQL: gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(a.Catalog, log, graph.Limits{}), Live: gqlhttp.Live{PerClient: 10_000}}), Pages: web.Handler(), SDL: graph.SDL(), Clock: a.Clock.Now, Log: log,
	}))
	tb.Cleanup(a.API.Close)
	return a
}

// In is the App for a subtest, which then is the one to fail.
func (a *App) In(tb testing.TB) *App {
	in := *a
	in.TB = tb
	return &in
}

// Begin gives a store's transactions the syncer's type.
func Begin(s *store.Store) func(context.Context, event.Run, time.Time) (syncer.Tx, error) {
	return func(ctx context.Context, run event.Run, now time.Time) (syncer.Tx, error) {
		return s.Begin(ctx, run, now)
	}
}

// Feed is a provider whose next answer the test sets.
type Feed struct {
	app    *App
	URL    string
	Source *provider.Source
	mu     sync.Mutex
	answer http.HandlerFunc
}

// Feed makes a provider of format planlist in Madrid, unless edit says otherwise.
func (a *App) Feed(slug string, edit ...func(*provider.Config)) *Feed {
	a.TB.Helper()
	f := &Feed{app: a}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		answer := f.answer
		f.mu.Unlock()
		answer(w, r)
	}))
	a.TB.Cleanup(server.Close)
	f.URL = server.URL
	config := provider.Config{
		Slug: slug, Name: "Provider " + slug, URL: server.URL, Format: "planlist",
		TimeZone: "Europe/Madrid", Currency: "EUR", AllowPrivateAddresses: true,
	}
	for _, e := range edit {
		e(&config)
	}
	source, err := provider.New(config, fetch.New(fetch.Options{Limits: a.Limits}), provider.WithClock(a.Clock.Now))
	if err != nil {
		a.TB.Fatalf("provider %s: %v", slug, err)
	}
	f.Source = source
	return f
}

// Answer sets the next answers.
func (f *Feed) Answer(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = h
}

// Serve sets the body of the next answers.
func (f *Feed) Serve(body []byte) {
	f.Answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write(body)
	})
}

// Sync serves body and syncs it; the run has to be good.
func (f *Feed) Sync(body []byte) syncer.Report {
	f.app.TB.Helper()
	f.Serve(body)
	report, err := f.app.Syncer.Sync(f.app.TB.Context(), f.Source)
	if err != nil {
		f.app.TB.Fatalf("sync: %v", err)
	}
	return report
}

// Try syncs what was set by Answer or Serve.
func (f *Feed) Try() (syncer.Report, error) {
	return f.app.Syncer.Sync(f.app.TB.Context(), f.Source)
}

// Get reads a path of the API.
func (a *App) Get(path string) (status int, body []byte) {
	a.TB.Helper()
	return a.send(http.MethodGet, path, nil)
}

func (a *App) send(method, path string, content []byte) (status int, body []byte) {
	a.TB.Helper()
	request, err := http.NewRequestWithContext(a.TB.Context(), method, a.API.URL+path, bytes.NewReader(content))
	if err != nil {
		a.TB.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.TB.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		a.TB.Fatalf("%s %s: %v", method, path, err)
	}
	return response.StatusCode, body
}

// Answer is a GraphQL answer.
type Answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

// Do posts a GraphQL request and returns what comes.
func (a *App) Do(query string, variables map[string]any) Answer {
	a.TB.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		a.TB.Fatal(err)
	}
	status, content := a.send(http.MethodPost, "/graphql", body)
	var answer Answer
	if err := json.Unmarshal(content, &answer); err != nil {
		a.TB.Fatalf("POST /graphql: status %d, no GraphQL answer: %v", status, err)
	}
	return answer
}

// Query posts a query that has to succeed, and decodes its data into the value pointed to.
func (a *App) Query(into any, query string, variables map[string]any) {
	a.TB.Helper()
	answer := a.Do(query, variables)
	if len(answer.Errors) > 0 {
		a.TB.Fatalf("query %s: %+v", strings.Join(strings.Fields(query), " "), answer.Errors)
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		a.TB.Fatalf("decoding %s: %v", answer.Data, err)
	}
}
