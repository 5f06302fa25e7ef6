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

// The codes with which a WebSocket is closed when its client should not simply open it again, from
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

// message is a message of the protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// socket is a WebSocket and its subscriptions.
type socket struct {
	handler *Handler
	opening *http.Request // the parts of the request that say who the client is
	conn    *websocket.Conn
	begun   atomic.Bool // connection_init has come
	slow    atomic.Bool // the client took an answer too late, and is being told so

	mu      sync.Mutex
	tick    *time.Timer                   // checks that the client is still there
	active  map[string]context.CancelFunc // of operations, by their ids
	running int                           // operations at work; one that the client has completed may still be among them
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
		// Browsers let every page open a WebSocket; the server has to check the origin.
		InsecureSkipVerify: slices.Contains(h.origins, "*"),
		OriginPatterns:     h.origins,
	})
	if err != nil { // it has answered
		leave()
		return nil
	}
	// A WebSocket may last for hours: it keeps of the request only what it needs.
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

// run serves the socket until it ends. So that an idle socket costs little, its only goroutines are this one and those of its operations.
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

// ping closes the connection if its client is not there any more; if it is, ping sets the timer for the next check.
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

// leanBuffers gives a hijacked connection smaller buffers than net/http's 8 KiB, since thousands of connections may idle.
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
	_, err = r.Peek(len(early)) // coder/websocket takes early bytes only from the buffer
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, size)), err
}

// read takes messages until one of them, or an error, ends the connection, and returns how to close it. ctx may not end meanwhile: the
// connection would be cut off without a close message.
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

// keyHeader is the header in which clients send an API key.
const keyHeader = "X-Api-Key"

// identify takes the API key from the payload of connection_init, if there is one, since browsers can't set the headers of a WebSocket. It
// is false if the key is not known. The rest of the payload is ignored.
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
		ours := ctx.Err() == nil // the client has not completed it, so that its id is not yet another's
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

// send writes a message. A client that takes it too late is disconnected with the reason, one that doesn't take it at all without; either
// may come back, and go on from its last cursor.
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
