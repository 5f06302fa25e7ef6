// Package httpapi is the API's HTTP server: the REST search and the exports, the places of GraphQL and of the pages, probes,
// limits, and what all answers have in common.
package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/export"
	"github.com/aledotdev/marquee/internal/httpapi/ratelimit"
	"github.com/aledotdev/marquee/internal/panics"
)

// Catalog is what the API reads from; *catalog.Catalog is one.
type Catalog interface {
	// Search calls yield with every listed event of the window, in the order (start, id), and stops at
	// yield's first error, which it returns. A *catalog.Error is for the client to mend; every other error is internal.
	Search(ctx context.Context, w catalog.Window, yield func(catalog.Listing) error) error
	// Export calls yield with every listed event of a query, in the order (start, id), and stops at yield's first error.
	// Before that it calls begin with the version of the catalog that it reads; an error of begin ends the export, too.
	Export(ctx context.Context, q catalog.EventQuery, begin func(version int64) error, yield func(catalog.Exported) error) error
	// Ping returns nil if the database answers.
	Ping(ctx context.Context) error
}

// Version is what /version tells of the program.
type Version struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"` // from which it was built; with +dirty if files were changed besides
	Date    string `json:"date,omitempty"`   // of the commit
	Go      string `json:"go,omitempty"`     // the version of Go that built it
}

// Timeouts bound the work on one request. 0 is the default.
type Timeouts struct {
	Search time.Duration // a search or an export as a whole; 2 min
	Write  time.Duration // how long a client may take to accept the next part of a search or an export; 30 s
}

// Options are the parts of a Server. Catalog, GraphQL and Pages are required.
type Options struct {
	Catalog     Catalog
	GraphQL     http.Handler                // at /graphql; it bounds the size of its requests itself
	Pages       http.Handler                // all other paths: /, /graphiql, /docs, /assets/
	SDL         string                      // GraphQL's schema
	SchemaCheck func(context.Context) error // whether the database has this program's schema; nil: not checked
	Replica     func() string               // the state of the replica, in words, for readiness to show; nil: there is no replica
	Origins     []string                    // origins whose pages may call the API, such as https://app.example; "*": all; empty: none but our own
	Version     Version
	Timeouts    Timeouts
	Limiter     *ratelimit.Limiter    // for searches and exports; GraphQL uses it by itself; nil: there is no limit
	Exports     int                   // how many exports may be at work at a time; 0: 2
	Clock       func() time.Time      // nil: time.Now
	Log         *slog.Logger          // nil: nothing is logged
	Registry    prometheus.Registerer // for the metrics of requests, which only one Server may register; nil: there are none
	Traces      trace.TracerProvider  // nil: nothing is traced
	Proxies     []netip.Prefix        // networks of proxies that may say which trace a request belongs to
}

// Server is the API as one handler.
type Server struct {
	handler  http.Handler
	ready    *readiness
	version  http.Handler
	catalog  Catalog
	timeouts Timeouts
	exports  chan struct{} // as many as may be at work, one in it for each that is
	program  Version
	clock    func() time.Time
	log      *slog.Logger
	panics   panics.Places
}

// What a search and an export cost the client, in the points in which GraphQL operations are counted.
const (
	searchPoints = 500
	exportPoints = 2_000
)

// maxBody bounds a request's body, in bytes.
const maxBody = 64 << 10

const graphQLPath = "/graphql"

// New makes a Server of its parts.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	s := &Server{
		ready:   newReadiness(o.Clock, o.Log),
		version: versionHandler(o.Version),
		catalog: o.Catalog,
		timeouts: Timeouts{
			Search: cmp.Or(o.Timeouts.Search, 2*time.Minute),
			Write:  cmp.Or(o.Timeouts.Write, 30*time.Second),
		},
		exports: make(chan struct{}, cmp.Or(o.Exports, 2)),
		program: o.Version,
		clock:   o.Clock,
		log:     o.Log,
	}
	s.ready.add("database", o.Catalog.Ping)
	s.ready.replica = o.Replica
	if o.SchemaCheck != nil {
		s.ready.add("schema", o.SchemaCheck)
	}

	mux := http.NewServeMux()
	limited := func(points int, next http.Handler) http.Handler { // a refused method costs nothing
		return readOnly(o.Limiter.Handler(points, http.HandlerFunc(tooMuch), compressed(next)))
	}
	search := limited(searchPoints, http.HandlerFunc(s.search))
	mux.Handle("/search", search)
	mux.Handle("/search/{$}", search)
	for _, format := range export.Formats() {
		mux.Handle(exportPath+format.Name, limited(exportPoints, s.export(format)))
	}
	mux.Handle(graphQLPath, o.GraphQL)
	mux.Handle("/openapi.json", readOnly(document("application/json", openAPI)))
	mux.Handle("/schema.graphql", readOnly(document("text/plain; charset=utf-8", []byte(o.SDL))))
	s.probes(mux)
	mux.Handle("/", http.MaxBytesHandler(o.Pages, maxBody))

	s.handler = traced(o.Traces, o.Proxies, observe(o.Log, newMetrics(o.Registry), s.rescue(secure(crossOrigin(o.Origins, known(o.Limiter, mux))))))
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain says that the server is about to stop: from now on it reports that it is not ready, but goes on serving.
func (s *Server) Drain() { s.ready.draining.Store(true) }

// probes adds the routes that both listeners have.
func (s *Server) probes(mux *http.ServeMux) {
	mux.Handle("/livez", readOnly(http.HandlerFunc(livez)))
	mux.Handle("/readyz", readOnly(s.ready))
	mux.Handle("/version", readOnly(s.version))
}

// readOnly refuses every method but GET and HEAD.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeFailure(w, r, failure{status: http.StatusMethodNotAllowed, code: "METHOD_NOT_ALLOWED", message: "only GET and HEAD are allowed here"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func denyCrossOrigin(w http.ResponseWriter, r *http.Request) {
	writeFailure(w, r, failure{status: http.StatusForbidden, code: "FORBIDDEN", message: "this page's origin may not ask: the server's operator can name it (--cors-origins)"})
}
