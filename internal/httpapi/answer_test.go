package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
)

// still is a catalog that does not change.
type still struct{}

func (still) Current() (catalog.Stamp, bool) {
	return catalog.Stamp{Server: "primary", Version: 1}, true
}

func (s still) Pin(ctx context.Context) (context.Context, func() (catalog.Stamp, bool)) {
	return ctx, s.Current
}

// instant is a catalog that has a page at once.
type instant struct{ graph.Catalog }

func (instant) WriteEvents(_ context.Context, _ catalog.EventQuery, _ *catalog.Layout, b []byte) ([]byte, error) {
	return append(b, `{"nodes":[]}`...), nil
}

func (instant) Window(*catalog.WindowInput) (catalog.Window, error) { return catalog.Window{}, nil }

// BenchmarkCachedAnswer is what an answer from the cache costs beside what net/http does for any.
func BenchmarkCachedAnswer(b *testing.B) {
	measure(b, gqlhttp.Options{Snapshots: still{}, CacheBytes: 1 << 20}, `{"query":"{ __schema { types { name } } }"}`)
}

// BenchmarkAnswer is what a page that no cache holds costs beside that, and beside the catalog's part.
func BenchmarkAnswer(b *testing.B) {
	measure(b, gqlhttp.Options{}, `{"query":"query($from: DateOrDateTime, $to: DateOrDateTime) { events(first: 50, window: {from: $from, to: $to, match: STARTS_IN}) { nodes { id title } pageInfo { hasNextPage endCursor } } }",
		"variables":{"from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z"}}`)
}

func measure(b *testing.B, how gqlhttp.Options, ask string) {
	b.Helper()
	o := options(found())
	o.Log, o.Registry = slog.New(httpapi.RequestLog(slog.DiscardHandler)), prometheus.NewRegistry()
	how.Engine, how.Registry = graph.NewEngine(instant{}, o.Log, graph.Limits{}), o.Registry
	o.GraphQL = gqlhttp.New(how)
	api := httpapi.New(o)
	body := strings.NewReader(ask)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", io.NopCloser(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(ask)
		clear(w.header)
		api.ServeHTTP(w, r)
	}
}
