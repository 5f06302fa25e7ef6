package gqlhttp

import (
	"bytes"
	"context"
	"net/http"
	"time"
)

// events answers with a stream of events, one stream for each operation: the distinct connections mode of
// https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverSSE.md. If a stream ends without the event `complete`, it was
// broken off: the client should connect again, and go on from its last cursor.
func (h *Handler) events(w http.ResponseWriter, r *http.Request, in *input) *refusal {
	request, fault := h.request(r.Context(), in)
	if fault != nil {
		return fault
	}
	leave, fault := h.enter(w, r, "sse")
	if fault != nil {
		return fault
	}
	defer leave()
	ctx, cancel := context.WithCancel(r.Context())
	answers := make(chan []byte)
	defer func() {
		cancel()
		for range answers { // until the goroutine that sends them has ended
		}
	}()
	s := &eventStream{w: w, control: http.NewResponseController(w), handler: h}
	_ = s.control.SetReadDeadline(time.Time{}) // the server's own is for requests that have an end
	header := w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // said to nginx
	go func() {
		defer close(answers)
		for answer := range h.answers(ctx, r, request) {
			select {
			case answers <- answer.Body:
			case <-ctx.Done():
				return
			}
		}
	}()
	if !s.send(":\n\n") {
		return nil
	}
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
			case !s.answer(body):
				return nil
			}
		case <-h.live.closing.Done():
			return nil
		case <-ping.C:
			if !s.send(":\n\n") {
				return nil
			}
		}
	}
}

// eventStream writes events to a client, which has to keep up.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	handler *Handler
}

// answer sends an answer; false ends the stream. A client that takes it too late is told so if possible, and the stream ends without the
// event `complete`.
func (s *eventStream) answer(body []byte) bool {
	began := time.Now()
	sent := s.send("event: next\ndata: ", string(bytes.ReplaceAll(body, []byte("\n"), nil)), "\n\n")
	if sent && time.Since(began) > s.handler.live.Write {
		s.handler.metrics.cut.Inc()
		s.send(`event: next`+"\n"+`data: {"errors":[{"message":"`+tooSlow+`","extensions":{"code":"`, string(codeTooSlow), `"}}]}`+"\n\n")
		return false
	}
	return sent
}

func (s *eventStream) send(parts ...string) bool {
	began := time.Now()
	patience := 2 * s.handler.live.Write
	if s.control.SetWriteDeadline(began.Add(patience)) != nil {
		return false
	}
	err := s.write(parts)
	if err != nil && time.Since(began) >= patience {
		s.handler.metrics.cut.Inc()
	}
	return err == nil
}

func (s *eventStream) write(parts []string) error {
	for _, part := range parts {
		if _, err := s.w.Write([]byte(part)); err != nil {
			return err
		}
	}
	return s.control.Flush()
}
