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

// still is a catalog that does not change.
type still struct{}

func (still) Current() (catalog.Stamp, bool) {
	return catalog.Stamp{Server: "primary", Version: 1}, true
}

func (s still) Pin(ctx context.Context) (context.Context, func() (catalog.Stamp, bool)) {
	return ctx, s.Current
}

// BenchmarkCachedAnswer is what an answer from the cache costs beside what net/http does for any.
func BenchmarkCachedAnswer(b *testing.B) {
	o := options(found())
	o.Log, o.Registry = slog.New(httpapi.RequestLog(slog.DiscardHandler)), prometheus.NewRegistry()
	o.GraphQL = gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(nil, o.Log, graph.Limits{}), Snapshots: still{}, CacheBytes: 1 << 20, Registry: o.Registry})
	api := httpapi.New(o)
	ask := []byte(`{"query":"{ __schema { types { name } } }"}`)
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
