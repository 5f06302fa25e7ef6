// Package gqlhttp serves GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/) by GET and POST.
// A request goes through these steps, each of which may answer it:
//
//	read -> recall -> parse -> document -> prepare -> cache -> execute -> write
//
// read bounds it, recall knows the bytes of an earlier request, document finds the text that an id stands for,
// prepare is the engine's: parsing, validation, limits.
package gqlhttp

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
)

// Engine is what checks and executes operations; *graph.Engine is one.
type Engine interface {
	Prepare(ctx context.Context, r graph.Request) (*graph.Operation, *graph.Answer)
	Execute(ctx context.Context, op *graph.Operation) *graph.Answer
	Refuse(ctx context.Context, err error) *graph.Answer
}

// Options are the parts of a Handler. Engine is needed.
type Options struct {
	Engine  Engine
	Live    http.Handler  // takes WebSockets and event streams; nil: there are none
	Timeout time.Duration // of an operation as a whole; 0: 10 s

	Snapshots  Snapshots             // nil: no answer is kept
	CacheBytes int                   // of answers that are kept, about; 0: none is
	Clock      func() time.Time      // nil: time.Now
	Registry   prometheus.Registerer // of the cache's metrics, which one Handler may register; nil: none
}

// Handler serves one path.
type Handler struct {
	engine  Engine
	live    http.Handler
	timeout time.Duration
	cache   *cache    // nil: none
	buffers sync.Pool // of *bytes.Buffer, for the bodies of requests
}

// New makes a Handler.
func New(o Options) *Handler {
	h := &Handler{
		engine:  o.Engine,
		live:    o.Live,
		timeout: cmp.Or(o.Timeout, 10*time.Second),
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
	if o.Snapshots != nil && o.CacheBytes > 0 {
		clock := o.Clock
		if clock == nil {
			clock = time.Now
		}
		h.cache = newCache(o.Snapshots, o.CacheBytes, clock, newCounts(o.Registry))
	}
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.live != nil && wantsStream(r) {
		h.live.ServeHTTP(w, r)
		return
	}
	media, acceptable := negotiate(r.Header["Accept"])
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", allowed)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	in, fault := h.read(w, r)
	defer h.release(in)
	if fault == nil && !acceptable {
		fault = &refusal{http.StatusNotAcceptable, badRequest("the answer is application/graphql-response+json or application/json")}
	}
	if fault != nil {
		h.fault(r.Context(), fault).write(w, r, media)
		return
	}
	answer := h.cache.recall(in)
	if answer == nil {
		answer = h.answer(r, in)
	}
	answer.write(w, r, media)
}

func wantsStream(r *http.Request) bool {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return true
	}
	for _, accept := range r.Header["Accept"] {
		if strings.Contains(accept, "text/event-stream") {
			return true
		}
	}
	return false
}

// refusal answers what is no GraphQL request with its own status, whatever media type is wanted.
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

func (h *Handler) answer(r *http.Request, in *input) *response {
	ctx, cancel := context.WithTimeout(r.Context(), h.timeout)
	defer cancel()
	request, fault := in.parse()
	if fault != nil {
		return h.fault(ctx, fault)
	}
	op, refused := h.engine.Prepare(ctx, request)
	switch {
	case refused != nil && (in.post || !request.Mutates()):
		return newResponse(refused)
	case refused != nil, op.Operation.Operation == ast.Mutation && !in.post:
		return h.fault(ctx, &refusal{http.StatusMethodNotAllowed, badRequest("a mutation wants POST")})
	case op.Operation.Operation == ast.Subscription:
		return h.fault(ctx, &refusal{http.StatusNotAcceptable, badRequest("a subscription wants a WebSocket, or Accept: text/event-stream")})
	}
	answer := h.cache.answer(ctx, in, op, h.timeout, func(ctx context.Context) *graph.Answer { return h.engine.Execute(ctx, op) })
	if answer == nil { // no time was left to wait for it
		return h.fault(ctx, &refusal{http.StatusServiceUnavailable, &catalog.Error{Code: "INTERNAL", Message: "the answer took too long"}})
	}
	return answer
}
