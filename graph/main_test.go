package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
	"github.com/aledotdev/marquee/web"
)

var update = flag.Bool("update", false, "write the golden files anew")

// api is the API over a database of its own, as clients meet it, with what lies behind it to look at.
type api struct {
	t     testing.TB
	pool  *pgxpool.Pool
	sent  *statements
	log   *journal
	clock *clock
	url   string

	reads  *catalog.Catalog
	logger *slog.Logger
}

// now is the time of the fixture: the evening of a Wednesday in Madrid.
var now = time.Date(2021, 6, 30, 18, 0, 0, 0, time.UTC)

// start makes an API over a pool of size connections.
func start(t testing.TB, size int32) *api {
	t.Helper()
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	a := &api{t: t, sent: &statements{}, log: &journal{}, clock: &clock{now: now}}
	config.MaxConns = size
	config.ConnConfig.Tracer = a.sent
	if a.pool, err = pgxpool.NewWithConfig(context.Background(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.pool.Close)
	a.logger = slog.New(slog.NewJSONHandler(a.log, nil))
	a.reads = catalog.New(a.pool, a.clock.Now)
	server := httptest.NewServer(httpapi.New(httpapi.Options{
		Catalog: a.reads, GraphQL: gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(a.reads, a.logger, graph.Limits{})}), Pages: web.Handler(), SDL: graph.SDL(), Clock: a.clock.Now, Log: a.logger,
	}))
	t.Cleanup(server.Close)
	a.url = server.URL + "/graphql"
	return a
}

// reply is what came over HTTP.
type reply struct {
	status int
	body   []byte
	answer
}

type answer struct {
	Data   json.RawMessage
	Errors []fault
}

type fault struct {
	Message    string
	Path       []any
	Extensions struct{ Code, Argument string }
}

// request sends a request and reads the reply, which has to be JSON.
func (a *api) request(r *http.Request) reply {
	a.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	got := reply{status: response.StatusCode, body: body}
	if err := json.Unmarshal(body, &got.answer); err != nil {
		a.t.Fatalf("status %d, no JSON: %.200s", got.status, body)
	}
	return got
}

// post sends a body as JSON.
func (a *api) post(body []byte) reply {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return a.request(r)
}

// send sends anything; header is names and values.
func (a *api) send(method, query, contentType, body string, header ...string) (status int, answer string) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.url+query, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// ask posts a query with variables, which are JSON or empty.
func (a *api) ask(query, variables string) reply {
	a.t.Helper()
	request := map[string]any{"query": query}
	if variables != "" {
		request["variables"] = json.RawMessage(variables)
	}
	body, err := json.Marshal(request)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.post(body)
}

// get asks by GET.
func (a *api) get(query, variables string) reply {
	a.t.Helper()
	values := url.Values{"query": {query}}
	if variables != "" {
		values.Set("variables", variables)
	}
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.url+"?"+values.Encode(), nil)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.request(r)
}

// data is the data of a query that has to succeed.
func (a *api) data(query, variables string) string {
	a.t.Helper()
	got := a.ask(query, variables)
	if got.status != http.StatusOK || len(got.Errors) > 0 {
		a.t.Fatalf("%s: status %d: %s", oneLine(query), got.status, got.body)
	}
	return string(got.Data)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (a *api) exec(sql string, args ...any) {
	a.t.Helper()
	if _, err := a.pool.Exec(context.Background(), sql, args...); err != nil {
		a.t.Fatalf("%s: %v", sql, err)
	}
}

// statements counts what is sent to PostgreSQL.
type statements struct {
	mu   sync.Mutex
	sent []string
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, data.SQL)
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// take returns what was sent since the last take.
func (s *statements) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

// journal is a log to look into.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// take returns the lines since the last take.
func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := strings.FieldsFunc(j.text.String(), func(r rune) bool { return r == '\n' })
	j.text.Reset()
	return lines
}

// clock is a clock that the test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}
