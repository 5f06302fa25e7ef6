package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
)

// told checks that a reply tells of an internal error and of nothing else, and that the log has one line on it.
func told(t *testing.T, got reply, lines []string, cause, path string) {
	t.Helper()
	if got.status >= http.StatusInternalServerError || len(got.Errors) != 1 {
		t.Fatalf("status %d, %d errors: %s", got.status, len(got.Errors), got.body)
	}
	if e := got.Errors[0]; e.Message != "internal error" || e.Extensions.Code != "INTERNAL" || e.Extensions.Argument != "" {
		t.Errorf("the client is told %+v", e)
	}
	if strings.Contains(string(got.body), cause) {
		t.Errorf("the client learns of the cause: %s", got.body)
	}
	if len(lines) != 1 || !strings.Contains(lines[0], cause) {
		t.Fatalf("%d lines in the log, want 1 with %q: %s", len(lines), cause, lines)
	}
	var line struct{ Level, Path string }
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil || line.Level != "ERROR" || line.Path != path {
		t.Errorf("logged at %q as %s: %s", line.Path, line.Level, lines[0])
	}
}

// TestDatabaseGone: the pool is closed, as good as a database that is away.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	a := start(t, 2)
	fixture(a)
	a.pool.Close()
	for path, query := range map[string]string{
		"events":   "{ events { nodes { id } } }",
		"again":    "{ again: events { totalCount } }",
		"event":    `{ event(id: "` + concert.String() + `") { id } }`,
		"series":   `{ series(id: "` + jazz.String() + `") { id } }`,
		"provider": `{ provider(slug: "acme") { id } }`,
		"nodes":    `{ nodes(ids: ["` + jazz.String() + `"]) { id } }`,
	} {
		a.log.take()
		told(t, a.ask(query, ""), a.log.take(), "closed pool", path)
	}
}

// failing is a catalog whose every answer is what fail says.
type failing struct {
	graph.Catalog
	fail func(ctx context.Context) error
}

func (f failing) Providers(ctx context.Context) ([]*catalog.Provider, error) {
	return []*catalog.Provider{nil}, f.fail(ctx)
}

func (f failing) Event(ctx context.Context, _ event.ID) (*catalog.Event, error) {
	return nil, f.fail(ctx)
}

func (f failing) WriteEvents(ctx context.Context, _ catalog.EventQuery, _ *catalog.Layout, _ []byte) ([]byte, error) {
	return nil, f.fail(ctx)
}

func (failing) Window(*catalog.WindowInput) (catalog.Window, error) { return catalog.Window{}, nil }

func (f failing) Follow(ctx context.Context, _ *string, _ catalog.ChangeFilter) (iter.Seq2[*catalog.Change, error], error) {
	return func(func(*catalog.Change, error) bool) {}, f.fail(ctx)
}

// over asks a graph over a catalog that fails.
func over(t *testing.T, ctx context.Context, fail func(ctx context.Context) error, query string) (reply, []string) { //nolint:revive // the test comes first
	t.Helper()
	log := &journal{}
	handler := gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(failing{fail: fail}, slog.New(slog.NewJSONHandler(log, nil)), graph.Limits{})})
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	got := reply{status: w.Code, body: w.Body.Bytes()}
	if err := json.Unmarshal(got.body, &got.answer); err != nil {
		t.Fatalf("no JSON: %s", got.body)
	}
	return got, log.take()
}

func TestInternalErrors(t *testing.T) {
	t.Parallel()
	const cause = `relation "events" does not exist`
	wrong := func(context.Context) error { return errors.New(cause) }
	panics := func(context.Context) error { panic(cause) }
	for name, fail := range map[string]func(context.Context) error{"error": wrong, "panic": panics} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for path, query := range map[string]string{
				"all":  "{ all: providers { id } }",
				"page": "{ page: events { nodes { id } } }",
				"two":  "{ two: events { nodes { id } } __typename }",
			} {
				got, lines := over(t, t.Context(), fail, query)
				told(t, got, lines, strings.ReplaceAll(cause, `"`, `\"`), path)
			}
		})
	}
	t.Run("one fails, the others answer", func(t *testing.T) {
		t.Parallel()
		got, lines := over(t, t.Context(), wrong, `{ event(id: "`+concert.String()+`") { id } again: event(id: "`+concert.String()+`") { id } __typename }`)
		if !strings.Contains(string(got.Data), `"__typename":"Query"`) || len(got.Errors) != 2 || len(lines) != 2 {
			t.Errorf("%s, %d lines", got.body, len(lines))
		}
	})
	t.Run("the client's own mistake is not logged", func(t *testing.T) {
		t.Parallel()
		mistake := func(context.Context) error {
			return &catalog.Error{Code: catalog.CodeCursorExpired, Argument: "here", Message: "not there"}
		}
		got, lines := over(t, t.Context(), mistake, "{ providers { id } }")
		if e := got.Errors[0]; e.Message != "not there" || e.Extensions.Code != "CURSOR_EXPIRED" || e.Extensions.Argument != "here" || len(lines) != 0 {
			t.Errorf("%s, logged %s", got.body, lines)
		}
	})
	t.Run("a client that left is not logged", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		left := func(ctx context.Context) error {
			cancel()
			return ctx.Err()
		}
		if _, lines := over(t, ctx, left, "{ providers { id } }"); len(lines) != 0 {
			t.Errorf("logged %s", lines)
		}
	})
	t.Run("a subscriber that left is not logged", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		log := &journal{}
		engine := graph.NewEngine(failing{fail: func(ctx context.Context) error {
			cancel()
			return fmt.Errorf("reading changes: %w", ctx.Err())
		}}, slog.New(slog.NewJSONHandler(log, nil)), graph.Limits{})
		op, refused := engine.Prepare(ctx, graph.Request{Query: "subscription { changes { cursor } }"})
		if refused != nil {
			t.Fatalf("refused: %s", refused.Body)
		}
		engine.Stream(ctx, op).Next()
		if lines := log.take(); len(lines) != 0 {
			t.Errorf("logged %s", lines)
		}
	})
	t.Run("null where none may be", func(t *testing.T) {
		t.Parallel()
		nothing := func(context.Context) error { return nil }
		got, lines := over(t, t.Context(), nothing, `{ providers { id } }`)
		told(t, got, lines, "cannot return null", "providers[0]")
	})
}
