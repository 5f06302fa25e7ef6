// Package gqlhttp serves GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/) by GET and POST.
// A request goes through these steps, each of which may answer it:
//
//	read -> recall -> parse -> document -> prepare -> cache -> execute -> write
//
// read takes the request in, up to a size. recall finds the answer to an earlier request of the same bytes. document finds the text that
// an id stands for. prepare is the engine's part: parsing the text, validation, limits. The client then pays what the operation costs.
package gqlhttp

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
	"go.opentelemetry.io/otel/trace"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
)

// Engine is what checks and executes operations; *graph.Engine is one.
type Engine interface {
	Prepare(ctx context.Context, r graph.Request) (*graph.Operation, *graph.Answer)
	Execute(ctx context.Context, op *graph.Operation) *graph.Answer
	Stream(ctx context.Context, op *graph.Operation) *graph.Stream
	Refuse(ctx context.Context, err error) *graph.Answer
}

// Limiter takes points from what the client of a request may spend, and says in the answer's header h how many are left. It is false, and
// takes none, if there are not enough. *ratelimit.Limiter is one.
type Limiter interface {
	Take(h http.Header, r *http.Request, points int) bool
}

// Options are the parts of a Handler. Engine is required.
type Options struct {
	Engine  Engine
	Timeout time.Duration // of an operation as a whole; 0: 10 s
	MaxKiB  int           // of a request's body, or of its query string; 0: 64
	Live    Live
	Origins []string        // origins whose pages may open a WebSocket, such as https://app.example; "*": all
	Closing context.Context //nolint:containedctx // Done when the program is about to stop: streams and WebSockets end; nil: never.

	DocumentMode DocumentMode      // "": DocumentsOpen
	Trusted      map[string]string // documents by id, see ParseManifest
	Log          *slog.Logger      // nil: nothing is logged

	Limiter Limiter // nil: there is no limit
	// Client tells clients apart, by a name of any form; false: the request has an API key that is not known. nil: by their addresses.
	Client func(r *http.Request) (name string, ok bool)

	Snapshots  Snapshots             // nil: no answer is kept
	CacheBytes int                   // how much answers that are kept may take, about; 0: none is kept
	Clock      func() time.Time      // nil: time.Now
	Registry   prometheus.Registerer // for the metrics, which only one Handler may register; nil: they are not shown
	Traces     trace.TracerProvider  // nil: nothing is traced
}

// Handler serves GraphQL at the path where it is mounted.
type Handler struct {
	engine  Engine
	live    live
	origins []string
	limiter Limiter
	client  func(r *http.Request) (name string, ok bool)
	known   *documents
	timeout time.Duration

	maxRequest int // bytes

	cache   *cache // nil: none
	metrics *metrics
	tracer  trace.Tracer
	inputs  sync.Pool // of *input
}

// New makes a Handler.
func New(o Options) *Handler {
	if o.Closing == nil {
		o.Closing = context.Background()
	}
	h := &Handler{
		engine:  o.Engine,
		live:    live{Live: o.Live.orDefaults(), closing: o.Closing, of: map[string]int{}},
		origins: o.Origins,
		limiter: o.Limiter,
		client:  o.Client,
		known:   newDocuments(o),
		timeout: cmp.Or(o.Timeout, 10*time.Second),

		maxRequest: cmp.Or(o.MaxKiB<<10, maxRequest),

		metrics: newMetrics(o.Registry, o.Trusted),
		tracer:  newTracer(o.Traces),
		inputs:  sync.Pool{New: func() any { return new(input) }},
	}
	if h.client == nil {
		h.client = byAddress
	}
	if o.Snapshots != nil && o.CacheBytes > 0 {
		clock := o.Clock
		if clock == nil {
			clock = time.Now
		}
		h.cache = newCache(o.Snapshots, o.CacheBytes, clock, h.metrics)
	}
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	wants := negotiate(r.Header["Accept"])
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", allowed)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if isWebSocket(r) {
		if fault := h.socket(w, r); fault != nil {
			h.send(w, r, mediaJSON, h.fault(r.Context(), fault))
		}
		return
	}
	in := h.input()
	defer h.release(in)
	fault := h.read(w, r, in)
	if fault == nil && wants.rather {
		if fault = h.events(w, r, in); fault == nil {
			return
		}
	}
	if fault == nil && !wants.acceptable {
		fault = &refusal{http.StatusNotAcceptable, badRequest("the answer is application/graphql-response+json or application/json")}
	}
	if fault != nil {
		h.send(w, r, wants.media, h.fault(r.Context(), fault))
		return
	}
	answer := h.cache.recall(in)
	if answer == nil { // what is kept costs nobody anything
		answer = h.answer(w, r, in, wants.events)
	}
	if answer != nil {
		h.send(w, r, wants.media, answer)
	}
}

func (h *Handler) send(w http.ResponseWriter, r *http.Request, m media, answer *response) {
	h.metrics.told(answer.refused, answer.codes)
	answer.write(w, r, m)
}

func (h *Handler) take(w http.ResponseWriter, r *http.Request, points int) bool {
	return h.limiter == nil || h.limiter.Take(w.Header(), r, points)
}

// codeRateLimited is the code for a client that has to wait.
const codeRateLimited catalog.Code = "RATE_LIMITED"

func exhausted() *refusal {
	return &refusal{http.StatusTooManyRequests, &catalog.Error{Code: codeRateLimited, Message: "too much asked in too short a time; see the headers RateLimit and Retry-After"}}
}

func isWebSocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") // other upgrades (Java's client offers h2c) are declined by silence
}

// refusal is the answer to what is no GraphQL request, or not one to be executed. Its status is the same for both media types.
type refusal struct {
	status int
	err    *catalog.Error
}

func badRequest(message string) *catalog.Error {
	return &catalog.Error{Code: catalog.CodeBadUserInput, Message: message}
}

func (h *Handler) fault(ctx context.Context, f *refusal) *response {
	answer := newResponse(h.engine.Refuse(ctx, f.err))
	answer.status = f.status
	return answer
}

// request reads which operation is asked for.
func (h *Handler) request(ctx context.Context, in *input) (graph.Request, *refusal) {
	e, fault := in.parse()
	if fault != nil {
		return graph.Request{}, fault
	}
	return h.known.request(ctx, e)
}

// answer answers what is not known; nil: it has been answered with a stream of events.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, in *input, events bool) *response {
	ctx, cancel := context.WithTimeout(r.Context(), h.timeout)
	defer cancel()
	request, fault := h.request(ctx, in)
	if fault != nil {
		return h.fault(ctx, fault)
	}
	op, refused := h.engine.Prepare(ctx, request)
	switch {
	case refused != nil && (in.post || !request.Mutates()):
		return newResponse(refused)
	case refused != nil, op.Operation.Operation == ast.Mutation && !in.post:
		return h.fault(ctx, &refusal{http.StatusMethodNotAllowed, badRequest("a mutation wants POST")})
	case op.Operation.Operation == ast.Subscription && events:
		if fault = h.events(w, r, in); fault != nil {
			return h.fault(ctx, fault)
		}
		return nil
	case op.Operation.Operation == ast.Subscription:
		return h.fault(ctx, &refusal{http.StatusNotAcceptable, badRequest("a subscription wants a WebSocket, or Accept: text/event-stream")})
	}
	if !h.take(w, r, op.Cost()) {
		return h.fault(ctx, exhausted())
	}
	answer := h.cache.answer(ctx, in, op, h.timeout, func(ctx context.Context) *graph.Answer { return h.execute(ctx, op) })
	if answer == nil { // no time was left to wait for it
		return h.fault(ctx, &refusal{http.StatusServiceUnavailable, &catalog.Error{Code: "INTERNAL", Message: "the answer took too long"}})
	}
	return answer
}
