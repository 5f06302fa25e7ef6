package gqlhttp

import (
	"cmp"
	"context"
	"iter"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
)

// Live bounds streams and WebSockets. A number that is 0 takes its default.
type Live struct {
	Connections   int           // streams and WebSockets at a time; 10,000
	PerClient     int           // streams and WebSockets of one client at a time; 200
	Subscriptions int           // operations of one WebSocket at a time; 20
	Write         time.Duration // how long a client may take to accept an answer before it is told that it is too slow, and as long again before it is cut off; 10 s
	Ping          time.Duration // how often the client of a connection is checked to be there; 20 s
	Init          time.Duration // how long a client may take to send connection_init; 10 s
}

func (l Live) orDefaults() Live {
	l.Connections = cmp.Or(l.Connections, 10_000)
	l.PerClient = cmp.Or(l.PerClient, 200)
	l.Subscriptions = cmp.Or(l.Subscriptions, 20)
	l.Write = cmp.Or(l.Write, 10*time.Second)
	l.Ping = cmp.Or(l.Ping, 20*time.Second)
	l.Init = cmp.Or(l.Init, 10*time.Second)
	return l
}

// live counts the streams and WebSockets that are open.
type live struct {
	Live
	closing context.Context //nolint:containedctx // It says when the program is about to stop.
	all     sync.WaitGroup

	mu   sync.Mutex
	open int
	of   map[string]int // by client
}

// enter counts a connection, unless there are too many; leave has to be called when it ends.
func (h *Handler) enter(w http.ResponseWriter, r *http.Request, transport string) (leave func(), fault *refusal) {
	client, _ := h.client(r) // keys that are not known have been refused
	if fault := h.live.count(client); fault != nil {
		w.Header().Set("Retry-After", strconv.Itoa(int(h.live.Ping/time.Second)))
		return nil, fault
	}
	gauge := h.metrics.connections.WithLabelValues(transport)
	gauge.Inc()
	return func() {
		gauge.Dec()
		h.live.leave(client)
	}, nil
}

func (l *live) count(client string) *refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.open >= l.Connections:
		return busy()
	case l.of[client] >= l.PerClient:
		return &refusal{http.StatusTooManyRequests, &catalog.Error{Code: codeRateLimited, Message: "too many connections of one client: close some, or have several subscriptions on one WebSocket"}}
	}
	l.open++
	l.of[client]++
	l.all.Add(1)
	return nil
}

func (l *live) leave(client string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.of[client]--; l.of[client] == 0 {
		delete(l.of, client)
	}
	l.all.Done()
}

// byAddress tells clients apart by the address that they connect from.
func byAddress(r *http.Request) (string, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr, true
	}
	return host, true
}

// Wait waits for the streams and WebSockets to end, as they do when the program is about to stop, or for ctx.
func (h *Handler) Wait(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.live.all.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

func busy() *refusal {
	return &refusal{http.StatusServiceUnavailable, &catalog.Error{Code: codeBusy, Message: "too many clients are connected; try again later"}}
}

func fullSocket() error {
	return &catalog.Error{Code: codeBusy, Message: "too many operations on this WebSocket: complete some, or open another"}
}

// codeBusy is the code for what is refused only because too much is going on.
const codeBusy catalog.Code = "BUSY"

// tooSlow is what a client is told that took its answers too late. It may subscribe again, from the last cursor that it has.
const (
	tooSlow                  = "too slow: subscribe again, after the last cursor"
	codeTooSlow catalog.Code = "TOO_SLOW"
)

// answers gives the answers of an operation on a stream or WebSocket: one of a query, any number of a subscription. failed says that an
// answer is an error: the operation was not executed, or the subscription has ended by it. A subscription costs as much as one of its
// answers: how many follow is not for the client to decide.
func (h *Handler) answers(ctx context.Context, r *http.Request, request graph.Request) iter.Seq2[*graph.Answer, bool] {
	return func(yield func(answer *graph.Answer, failed bool) bool) {
		tell := func(answer *graph.Answer, failed bool) bool {
			h.metrics.told(answer.Refused, answer.Codes)
			return yield(answer, failed)
		}
		op, refused := h.engine.Prepare(ctx, request)
		switch {
		case refused != nil:
		case op.Operation.Operation == ast.Mutation:
			refused = h.engine.Refuse(ctx, badRequest("there are no mutations"))
		case h.limiter != nil && !h.limiter.Take(http.Header{}, r, op.Cost()):
			refused = h.engine.Refuse(ctx, exhausted().err)
		}
		if refused != nil {
			tell(refused, true)
			return
		}
		if op.Operation.Operation != ast.Subscription {
			bounded, cancel := context.WithTimeout(ctx, h.timeout)
			defer cancel()
			if answer := h.execute(bounded, op); ctx.Err() == nil {
				tell(answer, false)
			}
			return
		}
		h.metrics.subscriptions.Inc()
		defer h.metrics.subscriptions.Dec()
		stream := h.engine.Stream(ctx, op)
		for answer := stream.Next(); answer != nil && ctx.Err() == nil; answer = stream.Next() {
			if !tell(answer, false) {
				return
			}
		}
		if err := stream.Err(); err != nil && ctx.Err() == nil {
			tell(h.engine.Refuse(ctx, err), true)
		}
	}
}
