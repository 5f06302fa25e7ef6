package gqlhttp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/aledotdev/marquee/graph"
)

const protocol = "graphql-transport-ws"

// How a WebSocket is closed that its client may not simply open again, by
// https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
const (
	closeBadRequest   websocket.StatusCode = 4400
	closeUnauthorized websocket.StatusCode = 4401
	closeForbidden    websocket.StatusCode = 4403
	closeBadProtocol  websocket.StatusCode = 4406
	closeInitTimeout  websocket.StatusCode = 4408
	closeSubscriberIs websocket.StatusCode = 4409
	closeTooManyInits websocket.StatusCode = 4429
)

// message is one of the protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// socket is a WebSocket and its subscriptions.
type socket struct {
	handler *Handler
	opening *http.Request // what tells who the client is
	conn    *websocket.Conn
	begun   atomic.Bool // connection_init came
	slow    atomic.Bool // it took an answer late, and was told so

	mu      sync.Mutex
	tick    *time.Timer                   // looks after whether the client is there
	active  map[string]context.CancelFunc // by the ids that are taken
	running int                           // operations; one that the client has completed may still be at work
	ended   sync.WaitGroup
}

// socket serves a WebSocket until its client leaves or the program ends.
func (h *Handler) socket(w http.ResponseWriter, r *http.Request) *refusal {
	leave, fault := h.enter(w, r, "websocket")
	if fault != nil {
		return fault
	}
	conn, err := websocket.Accept(leanBuffers{w}, r, &websocket.AcceptOptions{
		Subprotocols: []string{protocol},
		// Browsers let every page open one, and leave it to us whether it may.
		InsecureSkipVerify: slices.Contains(h.origins, "*"),
		OriginPatterns:     h.origins,
	})
	if err != nil { // it has answered
		leave()
		return nil
	}
	// What the server holds for a request is not held for as long as this may last.
	ctx := context.WithoutCancel(r.Context())
	asked := &http.Request{RemoteAddr: r.RemoteAddr, Header: http.Header{}}
	for _, name := range []string{"X-Forwarded-For", keyHeader} {
		if values := r.Header[name]; values != nil {
			asked.Header[name] = values
		}
	}
	s := &socket{handler: h, opening: asked, conn: conn, active: map[string]context.CancelFunc{}}
	go func() {
		defer leave()
		s.run(ctx)
	}()
	return nil
}

// run serves the socket. One that idles is to cost little: it has this goroutine and those of its operations.
func (s *socket) run(ctx context.Context) {
	s.conn.SetReadLimit(int64(s.handler.maxRequest))
	if s.conn.Subprotocol() != protocol {
		_ = s.conn.Close(closeBadProtocol, "want the subprotocol "+protocol)
		return
	}
	live := &s.handler.live
	ctx, stop := context.WithCancel(ctx)
	begin := time.AfterFunc(live.Init, func() {
		if !s.begun.Load() {
			_ = s.conn.Close(closeInitTimeout, "connection initialisation timeout")
		}
	})
	defer begin.Stop()
	s.mu.Lock()
	s.tick = time.AfterFunc(live.Ping, func() { s.ping(ctx) })
	s.mu.Unlock()
	defer s.tick.Stop()
	defer context.AfterFunc(live.closing, func() {
		_ = s.conn.Close(websocket.StatusGoingAway, "the server is about to stop")
	})()
	code, reason := s.read(ctx)
	stop()
	_ = s.conn.Close(code, reason) // if it is not closed yet
	s.ended.Wait()
}

// ping ends the connection if its client is not there any more, and comes again if it is.
func (s *socket) ping(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, s.handler.live.Ping)
	defer cancel()
	if s.conn.Ping(bounded) != nil {
		_ = s.conn.CloseNow()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick.Reset(s.handler.live.Ping)
}

// leanBuffers hands over connections with less beside them than net/http's 8 KiB: there may be thousands that idle.
type leanBuffers struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (l leanBuffers) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	const size = 1 << 10
	conn, was, err := http.NewResponseController(l.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("taking over the connection: %w", err)
	}
	early, err := was.Reader.Peek(was.Reader.Buffered())
	if err != nil {
		return nil, nil, fmt.Errorf("taking over the connection: %w", err)
	}
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn), max(size, len(early)))
	_, err = r.Peek(len(early)) // who takes over looks for it in the buffer
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, size)), err
}

// read takes messages until one of them, or there being none, ends the connection. ctx may not be done meanwhile: that would cut
// the connection off without a word.
func (s *socket) read(ctx context.Context) (websocket.StatusCode, string) {
	for {
		kind, text, err := s.conn.Read(ctx)
		var m message
		switch {
		case err != nil:
			return websocket.StatusNormalClosure, ""
		case kind != websocket.MessageText || decode(bytes.NewReader(text), &m) != nil:
			return closeBadRequest, "no message of " + protocol
		}
		if code, reason := s.take(ctx, m); code != 0 {
			return code, reason
		}
	}
}

// take acts on a message; a code other than 0 ends the connection.
func (s *socket) take(ctx context.Context, m message) (websocket.StatusCode, string) {
	switch m.Type {
	case "connection_init":
		if s.begun.Swap(true) {
			return closeTooManyInits, "too many initialisation requests"
		}
		if !s.identify(m.Payload) {
			return closeForbidden, "that API key is not known"
		}
		return s.send(ctx, message{Type: "connection_ack"})
	case "ping":
		return s.send(ctx, message{Type: "pong"})
	case "pong":
		return 0, ""
	case "subscribe":
		return s.subscribe(ctx, m)
	case "complete":
		s.mu.Lock()
		defer s.mu.Unlock()
		if cancel, ok := s.active[m.ID]; ok {
			cancel()
			delete(s.active, m.ID)
		}
		return 0, ""
	default:
		return closeBadRequest, "an unknown type of message"
	}
}

// keyHeader is where clients show an API key.
const keyHeader = "X-Api-Key"

// identify takes the API key that a client may show in the payload of connection_init, since a browser's WebSocket has no
// headers to set; false: it is none that is known. What else stands there is for others.
func (s *socket) identify(payload json.RawMessage) bool {
	var given map[string]any
	if len(payload) == 0 || decode(bytes.NewReader(payload), &given) != nil {
		return true
	}
	for name, value := range given {
		if key, ok := value.(string); ok && http.CanonicalHeaderKey(name) == keyHeader {
			s.opening.Header[keyHeader] = []string{key}
		}
	}
	_, known := s.handler.client(s.opening)
	return known
}

func (s *socket) subscribe(ctx context.Context, m message) (websocket.StatusCode, string) {
	var e envelope
	switch {
	case !s.begun.Load():
		return closeUnauthorized, "connection_init comes first"
	case m.ID == "" || decode(bytes.NewReader(m.Payload), &e) != nil:
		return closeBadRequest, `want {"id": "…", "type": "subscribe", "payload": {"query": "…"}}`
	}
	request, fault := s.handler.known.request(ctx, e)
	switch {
	case fault != nil && fault.err.Argument == "query":
		return closeBadRequest, fault.err.Message
	case fault != nil:
		return s.send(ctx, errorsOf(m.ID, s.handler.engine.Refuse(ctx, fault.err)))
	}
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	_, taken := s.active[m.ID]
	full := s.running >= s.handler.live.Subscriptions
	if !taken && !full {
		s.active[m.ID] = cancel
		s.running++
	}
	s.mu.Unlock()
	switch {
	case taken:
		cancel()
		return closeSubscriberIs, "there is a subscriber of this id already"
	case full:
		cancel()
		return s.send(ctx, errorsOf(m.ID, s.handler.engine.Refuse(ctx, fullSocket())))
	}
	s.ended.Go(func() {
		defer cancel()
		last := s.answer(ctx, m.ID, request)
		s.mu.Lock()
		s.running--
		ours := ctx.Err() == nil // the client has not completed it, and nobody has its id
		if ours {
			delete(s.active, m.ID)
		}
		s.mu.Unlock()
		if ours {
			s.send(ctx, last)
		}
	})
	return 0, ""
}

// answer sends an operation's answers, and returns the message that ends it.
func (s *socket) answer(ctx context.Context, id string, request graph.Request) message {
	for answer, failed := range s.handler.answers(ctx, s.opening, request) {
		if failed {
			return errorsOf(id, answer)
		}
		s.send(ctx, message{ID: id, Type: "next", Payload: answer.Body})
	}
	return message{ID: id, Type: "complete"}
}

// errorsOf tells the errors of an answer.
func errorsOf(id string, a *graph.Answer) message {
	var answer struct {
		Errors json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal(a.Body, &answer); err != nil {
		panic(err) // we wrote it
	}
	return message{ID: id, Type: "error", Payload: answer.Errors}
}

// send writes a message. A client who takes it late is told so, and one who doesn't take it at all is cut off: it comes back, and
// goes on after its last cursor.
func (s *socket) send(ctx context.Context, m message) (websocket.StatusCode, string) {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // payloads are JSON of ours
	}
	began := time.Now()
	patience := s.handler.live.Write
	// Not bound to a subscription's end: what is cut off in the middle takes the connection with it.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*patience)
	defer cancel()
	err = s.conn.Write(bounded, websocket.MessageText, text)
	late := time.Since(began) > patience
	if late && s.slow.CompareAndSwap(false, true) {
		s.handler.metrics.cut.Inc()
	}
	switch {
	case err != nil:
		_ = s.conn.CloseNow()
	case late:
		_ = s.conn.Close(websocket.StatusTryAgainLater, tooSlow)
	}
	return 0, ""
}
