package gqlhttp

import (
	"cmp"
	"context"
	"iter"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
)

// Live bounds streams and WebSockets. A number that is 0 takes its default.
type Live struct {
	Connections   int           // open at a time; 10,000
	Subscriptions int           // of one WebSocket at a time; 20
	Write         time.Duration // how long a client may take to accept an answer before it is cut off; 10 s
	Ping          time.Duration // how often a connection is looked after whether somebody is there; 20 s
	Init          time.Duration // how long a WebSocket may take to say connection_init; 10 s
}

func (l Live) orDefaults() Live {
	l.Connections = cmp.Or(l.Connections, 10_000)
	l.Subscriptions = cmp.Or(l.Subscriptions, 20)
	l.Write = cmp.Or(l.Write, 10*time.Second)
	l.Ping = cmp.Or(l.Ping, 20*time.Second)
	l.Init = cmp.Or(l.Init, 10*time.Second)
	return l
}

// live are the connections that stay.
type live struct {
	Live
	closing <-chan struct{} // nil: never
	open    atomic.Int64
	all     sync.WaitGroup
}

// enter counts a connection in, unless there are too many; leave counts it out.
func (l *live) enter(w http.ResponseWriter) (leave func(), ok bool) {
	if l.open.Add(1) > int64(l.Connections) {
		l.open.Add(-1)
		w.Header().Set("Retry-After", strconv.Itoa(int(l.Ping/time.Second)))
		return nil, false
	}
	l.all.Add(1)
	return func() {
		l.open.Add(-1)
		l.all.Done()
	}, true
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

// codeBusy is of what would have been done if less was going on.
const codeBusy catalog.Code = "BUSY"

// answers gives the bodies of an operation's answers, on a connection that stays; of a query, too, in the time that it would have
// by itself. failed is of one that is no answer but an error: nothing was executed, or what ended a subscription.
// A subscription costs what one of its answers does: what comes then is not the client's doing.
func (h *Handler) answers(ctx context.Context, r *http.Request, request graph.Request) iter.Seq2[*graph.Answer, bool] {
	return func(yield func(answer *graph.Answer, failed bool) bool) {
		op, refused := h.engine.Prepare(ctx, request)
		switch {
		case refused != nil:
		case op.Operation.Operation == ast.Mutation:
			refused = h.engine.Refuse(ctx, badRequest("there are no mutations"))
		case h.limiter != nil && !h.limiter.Take(http.Header{}, r, op.Cost()):
			refused = h.engine.Refuse(ctx, exhausted().err)
		}
		if refused != nil {
			yield(refused, true)
			return
		}
		bounded, cancel := ctx, context.CancelFunc(func() {})
		if op.Operation.Operation != ast.Subscription {
			bounded, cancel = context.WithTimeout(ctx, h.timeout)
		}
		defer cancel()
		stream := h.engine.Stream(bounded, op)
		for answer := stream.Next(); answer != nil && ctx.Err() == nil; answer = stream.Next() {
			if !yield(answer, false) {
				return
			}
		}
		if err := stream.Err(); err != nil && ctx.Err() == nil {
			yield(h.engine.Refuse(ctx, err), true)
		}
	}
}
