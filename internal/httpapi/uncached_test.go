package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
)

// instant is a catalog that has a page at once.
type instant struct{ graph.Catalog }

func (instant) WriteEvents(_ context.Context, _ catalog.EventQuery, _ *catalog.Layout, b []byte) ([]byte, error) {
	return append(b, `{"nodes":[]}`...), nil
}

func (instant) Window(*catalog.WindowInput) (catalog.Window, error) { return catalog.Window{}, nil }

// BenchmarkAnswer is what an answer that no cache holds costs beside the catalog's part and what net/http does for any.
func BenchmarkAnswer(b *testing.B) {
	o := options(found())
	o.Log, o.Registry = slog.New(httpapi.RequestLog(slog.DiscardHandler)), prometheus.NewRegistry()
	o.GraphQL = gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(instant{}, o.Log, graph.Limits{}), Registry: o.Registry})
	api := httpapi.New(o)
	ask := []byte(`{"query":"query($from: DateOrDateTime, $to: DateOrDateTime) { events(first: 50, window: {from: $from, to: $to, match: STARTS_IN}) { nodes { id title startsAt endsAt minPrice { amount currency } maxPrice { amount currency } } pageInfo { hasNextPage endCursor } } }","variables":{"from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z"}}`)
	body := bytes.NewReader(ask)
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
