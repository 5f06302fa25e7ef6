package gqlhttp

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aledotdev/marquee/graph"
)

// wantsEvents says whether the answer is to be a stream of events.
func wantsEvents(r *http.Request) bool {
	return slices.ContainsFunc(r.Header["Accept"], func(accept string) bool { return strings.Contains(accept, "text/event-stream") })
}

// events answers with a stream of events, one stream for each operation: the distinct connections mode of
// https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverSSE.md. Its end without the event `complete` is none
// that was meant: clients begin anew, and go on from their last cursor.
func (h *Handler) events(w http.ResponseWriter, r *http.Request, in *input) *refusal {
	request, fault := h.request(r.Context(), in)
	if fault != nil {
		return fault
	}
	leave, ok := h.live.enter(w)
	if !ok {
		return busy()
	}
	defer leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &eventStream{w: http.NewResponseController(w), out: w, write: h.live.Write}
	_ = s.w.SetReadDeadline(time.Time{}) // the server's own is for requests that have an end
	header := w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // said to nginx
	if !s.send(":\n\n") {
		return nil
	}
	answers := make(chan []byte)
	go func() {
		defer close(answers)
		for body := range h.answers(ctx, r, request) {
			select {
			case answers <- body:
			case <-ctx.Done():
				return
			}
		}
	}()
	ping := time.NewTicker(h.live.Ping)
	defer ping.Stop()
	for {
		select {
		case body, more := <-answers:
			switch {
			case !more && ctx.Err() != nil:
				return nil
			case !more:
				s.send("event: complete\ndata:\n\n")
				return nil
			case !s.send("event: next\ndata: ", string(bytes.ReplaceAll(body, []byte("\n"), nil)), "\n\n"):
				return nil
			}
		case <-h.live.closing:
			return nil
		case <-ping.C:
			if !s.send(":\n\n") {
				return nil
			}
		}
	}
}

// answers gives the bodies of an operation's answers. What ended a subscription is told as one more.
func (h *Handler) answers(ctx context.Context, r *http.Request, request graph.Request) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		stream, refused := h.begin(ctx, r, request)
		if refused != nil {
			yield(refused.Body)
			return
		}
		for answer := stream.Next(); answer != nil; answer = stream.Next() {
			if !yield(answer.Body) {
				return
			}
		}
		if err := stream.Err(); err != nil && ctx.Err() == nil {
			yield(h.engine.Refuse(ctx, err).Body)
		}
	}
}

// eventStream writes to a client, who has to keep up.
type eventStream struct {
	w     *http.ResponseController
	out   http.ResponseWriter
	write time.Duration
}

func (s *eventStream) send(parts ...string) bool {
	if s.w.SetWriteDeadline(time.Now().Add(s.write)) != nil {
		return false
	}
	for _, part := range parts {
		if _, err := s.out.Write([]byte(part)); err != nil {
			return false
		}
	}
	return s.w.Flush() == nil
}
