package gqlhttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDatabase = errors.New(`relation "events" does not exist`)

// shelf is a catalog of providers, which counts how often it is asked.
type shelf struct {
	graph.Catalog
	asked     atomic.Int32
	providers func(ctx context.Context) ([]*catalog.Provider, error) // nil: one, named Acme
}

func (s *shelf) Providers(ctx context.Context) ([]*catalog.Provider, error) {
	s.asked.Add(1)
	if s.providers != nil {
		return s.providers(ctx)
	}
	return []*catalog.Provider{{ID: event.ProviderID("acme"), Slug: "acme", Name: "Acme"}}, nil
}

func (s *shelf) Provider(_ context.Context, slug string) (*catalog.Provider, error) {
	s.asked.Add(1)
	if slug == "broken" {
		return nil, errDatabase
	}
	return &catalog.Provider{ID: event.ProviderID(slug), Slug: slug, Name: slug}, nil
}

func engine(c graph.Catalog) *graph.Engine {
	return graph.NewEngine(c, slog.New(slog.DiscardHandler), graph.Limits{})
}

func handler(c graph.Catalog, set ...func(*gqlhttp.Options)) *gqlhttp.Handler {
	o := gqlhttp.Options{Engine: engine(c)}
	for _, set := range set {
		set(&o)
	}
	return gqlhttp.New(o)
}

const (
	jsonType     = "application/json"
	responseType = "application/graphql-response+json"
)

// post sends a body of JSON; header is names and values.
func post(t testing.TB, h http.Handler, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return send(t, h, http.MethodPost, "/graphql", strings.NewReader(body), append([]string{"Content-Type", jsonType}, header...)...)
}

// get asks by GET; parameters are names and values.
func get(t testing.TB, h http.Handler, parameters ...string) *httptest.ResponseRecorder {
	t.Helper()
	return send(t, h, http.MethodGet, "/graphql?"+query(parameters...), nil)
}

func query(parameters ...string) string {
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	return values.Encode()
}

func send(t testing.TB, h http.Handler, method, target string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, body)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// codes are the codes of an answer's errors.
func codes(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var answer struct {
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("status %d, no JSON: %s", w.Code, w.Body)
	}
	var all []string
	for _, e := range answer.Errors {
		all = append(all, e.Extensions.Code)
	}
	return strings.Join(all, " ")
}
