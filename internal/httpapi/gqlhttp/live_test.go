package gqlhttp_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
)

// ticker is a shelf whose changes the test makes; a kind of "" ends those who follow with errDatabase.
type ticker struct {
	shelf
	kinds chan event.ChangeKind

	begun, ended atomic.Int32 // followers
}

func (s *ticker) Follow(ctx context.Context, after *string, _ catalog.ChangeFilter) (iter.Seq2[*catalog.Change, error], error) {
	if after != nil && *after == "old" {
		return nil, &catalog.Error{Code: catalog.CodeCursorExpired, Argument: "after", Message: "after: too old"}
	}
	return func(yield func(*catalog.Change, error) bool) {
		s.begun.Add(1)
		defer s.ended.Add(1)
		for {
			select {
			case <-ctx.Done():
				return
			case kind := <-s.kinds:
				if kind == "" {
					yield(nil, errDatabase)
					return
				}
				if !yield(&catalog.Change{Number: 7, Kind: kind}, nil) {
					return
				}
			}
		}
	}, nil
}

const subscription = `subscription { changes { kind } }`

// bufferSize is what connections hold that may not hold much, in bytes.
const bufferSize = 64 << 10

// serving is a server of live answers; it may be closed once, as a program is that is about to stop.
func serving(t *testing.T, set func(*gqlhttp.Options)) (address string, of *ticker, stop func()) {
	t.Helper()
	of = &ticker{kinds: make(chan event.ChangeKind)}
	closing, end := context.WithCancel(context.WithoutCancel(t.Context()))
	h := handler(of, func(o *gqlhttp.Options) {
		o.Closing, o.Origins = closing, []string{"https://elsewhere.example"}
		if set != nil {
			set(o)
		}
	})
	server := httptest.NewUnstartedServer(h)
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		if tcp, ok := conn.(*net.TCPConn); ok { // a client that takes nothing is to be noticed soon
			_ = tcp.SetWriteBuffer(bufferSize)
		}
		return ctx
	}
	server.Start()
	stop = sync.OnceFunc(func() {
		end()
		h.Wait(context.WithoutCancel(t.Context()))
	})
	t.Cleanup(func() {
		stop()
		server.Close()
	})
	return server.URL, of, stop
}

// heard is an answer by events; next gives its lines but those that say nothing.
type heard struct {
	status int
	header http.Header
	body   io.Reader
	next   func() string
}

func listen(t *testing.T, method, address, body string) heard {
	t.Helper()
	return listenAs(t, "text/event-stream", method, address, body)
}

func listenAs(t *testing.T, accept, method, address, body string) heard {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("Content-Type", jsonType)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	return heard{response.StatusCode, response.Header, response.Body, func() string {
		for lines.Scan() {
			if line := lines.Text(); line != "" && line != ":" {
				return line
			}
		}
		return io.EOF.Error()
	}}
}

func asked(query string, parts ...string) string {
	request := map[string]any{"query": query}
	for i := 0; i < len(parts); i += 2 {
		request["variables"] = map[string]string{parts[i]: parts[i+1]}
	}
	text, err := json.Marshal(request)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method, query, body string
		make                []event.ChangeKind
		want                []string
	}{
		"changes": {
			method: http.MethodPost, body: asked(subscription), make: []event.ChangeKind{event.ChangeAdded, event.ChangeSoldOut},
			want: []string{"event: next", `data: {"data":{"changes":{"kind":"ADDED"}}`, "event: next", `data: {"data":{"changes":{"kind":"SOLD_OUT"}}`},
		},
		"by GET": {
			method: http.MethodGet, query: "?query=" + url.QueryEscape(subscription), make: []event.ChangeKind{event.ChangeAdded},
			want: []string{"event: next", `data: {"data":{"changes":{"kind":"ADDED"}}`},
		},
		"a query": {
			method: http.MethodPost, body: good,
			want: []string{"event: next", `data: {"data":{"providers":[`, "event: complete", "data:", "EOF"},
		},
		"no document": {
			method: http.MethodPost, body: asked("subscription { nothing }"),
			want: []string{"event: next", `data: {"errors":[`, "event: complete", "data:", "EOF"},
		},
		"an old cursor": {
			method: http.MethodPost, body: asked("subscription ($after: String) { changes(after: $after) { kind } }", "after", "old"),
			want: []string{"event: next", `data: {"errors":[{"message":"after: too old","path":["changes"],"locations":[{"line":1,"column":33}],"extensions":{"argument":"after","code":"CURSOR_EXPIRED"}}]`, "event: complete", "data:", "EOF"},
		},
		"a broken database": {
			method: http.MethodPost, body: asked(subscription), make: []event.ChangeKind{""},
			want: []string{"event: next", `data: {"errors":[{"message":"internal error","extensions":{"code":"INTERNAL"}}]`, "event: complete", "data:", "EOF"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, of, _ := serving(t, nil)
			answer := listen(t, tc.method, address+tc.query, tc.body)
			if answer.status != http.StatusOK || answer.header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
				t.Fatalf("status %d, %s", answer.status, answer.header)
			}
			go func() {
				for _, kind := range tc.make {
					of.kinds <- kind
				}
			}()
			for _, want := range tc.want {
				if line := answer.next(); !strings.HasPrefix(line, want) {
					t.Fatalf("got %s, want %s", line, want)
				}
			}
		})
	}
}

// TestEventsOrJSON: who takes both gets JSON, which can be kept, unless it is a subscription or events are wanted more.
func TestEventsOrJSON(t *testing.T) {
	t.Parallel()
	const events = "text/event-stream; charset=utf-8"
	address, _, _ := serving(t, nil)
	for accept, want := range map[string]struct{ query, subscription string }{
		"text/event-stream":                          {events, events},
		"text/event-stream, multipart/mixed":         {events, events},
		"text/event-stream, application/json;q=0.5":  {events, events},
		"Text/Event-Stream;q=0.9, */*;q=0.1":         {events, events},
		"application/json, text/event-stream":        {jsonType, events},
		"text/event-stream;q=0.1, */*":               {jsonType, events},
		"text/event-stream;q=0, */*":                 {jsonType, jsonType},
		"application/json, x/y; z=text/event-stream": {jsonType, jsonType},
		"text/event-stream;q=0":                      {jsonType, jsonType},
		responseType + ", application/graphql+json, application/json, text/event-stream, multipart/mixed": {responseType, events}, // urql
	} {
		for body, want := range map[string]string{good: want.query, asked(subscription): want.subscription} {
			if answer := listenAs(t, accept, http.MethodPost, address, body); answer.header.Get("Content-Type") != want {
				t.Errorf("%s: %s: %s, want %s", accept, body, answer.header.Get("Content-Type"), want)
			}
		}
	}
}

// TestEventsRefused: what is no request has an answer of its own status.
func TestEventsRefused(t *testing.T) {
	t.Parallel()
	address, _, _ := serving(t, func(o *gqlhttp.Options) { o.Live.Connections = 1 })
	if answer := listen(t, http.MethodPost, address, "junk"); answer.status != http.StatusBadRequest {
		t.Errorf("junk: status %d", answer.status)
	}
	listen(t, http.MethodPost, address, asked(subscription))
	answer := listen(t, http.MethodPost, address, asked(subscription))
	if answer.status != http.StatusServiceUnavailable || answer.header.Get("Retry-After") == "" {
		t.Errorf("one too many: status %d, %s", answer.status, answer.header)
	}
}

// TestEventsPing: a stream without events is not silent.
func TestEventsPing(t *testing.T) {
	t.Parallel()
	address, _, _ := serving(t, func(o *gqlhttp.Options) { o.Live.Ping = time.Millisecond })
	answer := listen(t, http.MethodPost, address, asked(subscription))
	text := make([]byte, 12)
	if _, err := io.ReadFull(answer.body, text); err != nil || string(text) != ":\n\n:\n\n:\n\n:\n\n" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestEventsEnd: when the program is about to stop a stream breaks off: a client comes back, to another.
func TestEventsEnd(t *testing.T) {
	t.Parallel()
	address, _, stop := serving(t, nil)
	answer := listen(t, http.MethodPost, address, asked(subscription))
	stop()
	if line := answer.next(); line != "EOF" {
		t.Errorf("got %s", line)
	}
}

type said struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func connect(t *testing.T, address string, protocols ...string) *websocket.Conn {
	t.Helper()
	conn, response, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{
		Subprotocols: protocols, HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if response.Body != nil {
		response.Body.Close()
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func say(t *testing.T, conn *websocket.Conn, messages ...said) {
	t.Helper()
	for _, m := range messages {
		if err := wsjson.Write(t.Context(), conn, m); err != nil {
			t.Fatal(err)
		}
	}
}

func hears(t *testing.T, conn *websocket.Conn, want said) {
	t.Helper()
	var got said
	if err := wsjson.Read(t.Context(), conn, &got); err != nil {
		t.Fatalf("want %s %s: %v", want.Type, want.Payload, err)
	}
	if got.Type != want.Type || got.ID != want.ID || !strings.HasPrefix(string(got.Payload), string(want.Payload)) {
		t.Fatalf("got %s of %q %s, want %s of %q %s", got.Type, got.ID, got.Payload, want.Type, want.ID, want.Payload)
	}
}

func closed(t *testing.T, conn *websocket.Conn, want websocket.StatusCode) {
	t.Helper()
	for {
		if _, _, err := conn.Read(t.Context()); err != nil {
			if code := websocket.CloseStatus(err); code != want {
				t.Errorf("closed with %d (%v), want %d", code, err, want)
			}
			return
		}
	}
}

func subscribe(id, query string) said {
	return said{ID: id, Type: "subscribe", Payload: json.RawMessage(asked(query))}
}

const transport = "graphql-transport-ws"

// TestWebSocket goes through the protocol with one connection.
func TestWebSocket(t *testing.T) {
	t.Parallel()
	address, of, stop := serving(t, func(o *gqlhttp.Options) { o.Live.Subscriptions = 2 })
	conn := connect(t, address, transport)
	say(t, conn, said{Type: "connection_init"})
	hears(t, conn, said{Type: "connection_ack"})
	say(t, conn, said{Type: "ping"})
	hears(t, conn, said{Type: "pong"})
	say(t, conn, said{Type: "pong"})

	say(t, conn, subscribe("q", `{ providers { slug } }`))
	hears(t, conn, said{ID: "q", Type: "next", Payload: []byte(`{"data":{"providers":[{"slug":"acme"}]}`)})
	hears(t, conn, said{ID: "q", Type: "complete"})
	say(t, conn, subscribe("x", `subscription { nothing }`))
	hears(t, conn, said{ID: "x", Type: "error", Payload: []byte(`[{"message":"Cannot query field`)})

	say(t, conn, subscribe("a", subscription))
	of.kinds <- event.ChangeAdded
	hears(t, conn, said{ID: "a", Type: "next", Payload: []byte(`{"data":{"changes":{"kind":"ADDED"}}`)})
	say(t, conn, said{ID: "a", Type: "complete"}, subscribe("a", subscription)) // its id is free again
	for of.begun.Load() < 2 || of.ended.Load() < 1 {                            // who has left takes no change any more
		time.Sleep(time.Millisecond)
	}
	of.kinds <- event.ChangeRemoved
	hears(t, conn, said{ID: "a", Type: "next", Payload: []byte(`{"data":{"changes":{"kind":"REMOVED"}}`)})
	for range 3 { // the one that was completed ends meanwhile
		say(t, conn, subscribe("r", `{ providers { slug } }`))
		for message := (said{}); message.Type != "complete" && message.Type != "error"; {
			if err := wsjson.Read(t.Context(), conn, &message); err != nil {
				t.Fatal(err)
			}
		}
	}
	say(t, conn, subscribe("b", subscription), subscribe("c", subscription))
	hears(t, conn, said{ID: "c", Type: "error", Payload: []byte(`[{"message":"too many operations on this WebSocket`)})
	of.kinds <- ""
	of.kinds <- ""
	for range 2 {
		var got said
		if err := wsjson.Read(t.Context(), conn, &got); err != nil || got.Type != "error" || string(got.Payload) != `[{"message":"internal error","extensions":{"code":"INTERNAL"}}]` {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	go stop()
	closed(t, conn, websocket.StatusGoingAway)
}

// TestWebSocketClosed: what is not the protocol ends the connection, with the code that the protocol has for it.
func TestWebSocketClosed(t *testing.T) {
	t.Parallel()
	address, _, _ := serving(t, nil)
	for name, tc := range map[string]struct {
		messages []said
		want     websocket.StatusCode
	}{
		"two inits":      {[]said{{Type: "connection_init"}, {Type: "connection_init"}}, 4429},
		"no init":        {[]said{subscribe("a", subscription)}, 4401},
		"unknown type":   {[]said{{Type: "connection_init"}, {Type: "start"}}, 4400},
		"no id":          {[]said{{Type: "connection_init"}, subscribe("", subscription)}, 4400},
		"no query":       {[]said{{Type: "connection_init"}, {ID: "a", Type: "subscribe", Payload: []byte(`{}`)}}, 4400},
		"one id twice":   {[]said{{Type: "connection_init"}, subscribe("a", subscription), subscribe("a", subscription)}, 4409},
		"a long message": {[]said{{Type: "connection_init"}, subscribe("a", strings.Repeat(" ", 64<<10))}, websocket.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, address, transport)
			say(t, conn, tc.messages...)
			closed(t, conn, tc.want)
		})
	}
	t.Run("another protocol", func(t *testing.T) {
		t.Parallel()
		closed(t, connect(t, address, "graphql-ws"), 4406)
	})
	t.Run("no JSON", func(t *testing.T) {
		t.Parallel()
		conn := connect(t, address, transport)
		if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		closed(t, conn, 4400)
	})
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		address, _, _ := serving(t, func(o *gqlhttp.Options) { o.Live.Init = time.Millisecond })
		closed(t, connect(t, address, transport), 4408)
	})
}

// TestWebSocketsAreBounded: one too many is refused before it is one.
func TestWebSocketsAreBounded(t *testing.T) {
	t.Parallel()
	address, _, _ := serving(t, func(o *gqlhttp.Options) { o.Live.Connections = 1 })
	connect(t, address, transport)
	_, response, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{Subprotocols: []string{transport}}) //nolint:bodyclose // Dial has read it.
	if err == nil || response == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%v, %v", response, err)
	}
}

// TestWebSocketsOfOtherPages: a page may open one only if it is ours, or named.
func TestWebSocketsOfOtherPages(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		origin  string
		allowed []string
		ok      bool
	}{
		{"", nil, true}, // no browser
		{"https://elsewhere.example", nil, false},
		{"https://elsewhere.example", []string{"https://elsewhere.example"}, true},
		{"http://elsewhere.example", []string{"https://elsewhere.example"}, false},
		{"https://elsewhere.example", []string{"*"}, true},
	} {
		address, _, _ := serving(t, func(o *gqlhttp.Options) { o.Origins = tc.allowed })
		header := http.Header{}
		if tc.origin != "" {
			header.Set("Origin", tc.origin)
		}
		conn, response, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{Subprotocols: []string{transport}, HTTPHeader: header}) //nolint:bodyclose // Dial has read it.
		if (err == nil) != tc.ok || !tc.ok && response.StatusCode != http.StatusForbidden {
			t.Errorf("%+v: %v", tc, err)
		}
		if err == nil {
			_ = conn.CloseNow()
		}
	}
}

// TestDeadPeer: a client that answers no ping is gone.
func TestDeadPeer(t *testing.T) {
	t.Parallel()
	address, _, _ := serving(t, func(o *gqlhttp.Options) { o.Live.Ping = 10 * time.Millisecond })
	conn := connect(t, address, transport) // it answers pings only while it reads
	say(t, conn, said{Type: "connection_init"})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for {
		err := wsjson.Write(ctx, conn, said{Type: "pong"})
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("it was kept")
		}
		if err != nil {
			return
		}
	}
}

// TestConnectionsPerClient: one client leaves room for others, and gets it back.
func TestConnectionsPerClient(t *testing.T) {
	t.Parallel()
	address, _, _ := serving(t, func(o *gqlhttp.Options) {
		o.Live.PerClient = 1
		o.Client = func(r *http.Request) (string, bool) { return r.Header.Get("Origin"), true }
	})
	first := connect(t, address, transport)
	dial := func(origin string) (*websocket.Conn, *http.Response, error) {
		return websocket.Dial(t.Context(), address, &websocket.DialOptions{Subprotocols: []string{transport}, HTTPHeader: http.Header{"Origin": {origin}}})
	}
	if _, response, err := dial("https://elsewhere.example"); err == nil || response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") == "" { //nolint:bodyclose // See dial.
		t.Errorf("a second one: %v, %v", response, err)
	}
	other, _, err := dial("") //nolint:bodyclose // See dial.
	if err != nil {
		t.Fatalf("another client: %v", err)
	}
	_ = other.CloseNow()
	_ = first.CloseNow()
	for range 100 {
		if again, _, err := dial("https://elsewhere.example"); err == nil { //nolint:bodyclose // See dial.
			_ = again.CloseNow()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("its place is not free again")
}

// TestKeyInTheFirstMessage: browsers set no header of a WebSocket, and show a key in connection_init.
func TestKeyInTheFirstMessage(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		payload string
		want    string // by whose key the subscription is paid for; empty: the connection is closed
	}{
		{`{"X-Api-Key": "good"}`, "good"},
		{`{"x-api-key": "good", "Authorization": "Bearer t"}`, "good"},
		{`{"X-Api-Key": "bad"}`, ""},
		{`{"X-Api-Key": 5}`, "nobody"},
		{`{"headers": {"X-Api-Key": "good"}}`, "nobody"},
		{`"text"`, "nobody"},
		{`null`, "nobody"},
		{``, "nobody"},
	} {
		payers := make(chan string, 1)
		address, _, _ := serving(t, func(o *gqlhttp.Options) {
			o.Client = func(r *http.Request) (string, bool) { return "", r.Header.Get("X-Api-Key") != "bad" }
			o.Limiter = payer(func(r *http.Request) { payers <- cmp.Or(r.Header.Get("X-Api-Key"), "nobody") })
		})
		conn := connect(t, address, transport)
		say(t, conn, said{Type: "connection_init", Payload: json.RawMessage(tc.payload)})
		if tc.want == "" {
			closed(t, conn, 4403)
			continue
		}
		say(t, conn, subscribe("1", subscription))
		if got := <-payers; got != tc.want {
			t.Errorf("%s: paid by %s, want %s", tc.payload, got, tc.want)
		}
	}
}

// payer tells who pays, and lets everybody.
type payer func(r *http.Request)

func (p payer) Take(_ http.Header, r *http.Request, _ int) bool {
	p(r)
	return true
}

// slowly gives a client on a connection that holds little, so that a server notices that nothing is taken.
func slowly() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok {
			err = errors.Join(err, tcp.SetReadBuffer(bufferSize))
		}
		return conn, err
	}}}
}

// bulky has answers of which a few fill what a connection holds.
func bulky() string {
	fields := ""
	for i := range 20 {
		fields += strings.Repeat(string(rune('a'+i)), 1000) + ": kind "
	}
	return `subscription { changes { ` + fields + ` } }`
}

// TestSlowWebSocket: who takes its answers late is told so, in a way that lets it come back; who takes none is cut off.
func TestSlowWebSocket(t *testing.T) {
	t.Parallel()
	for name, wakes := range map[string]bool{"late": true, "never": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const patience = 300 * time.Millisecond
			registry := prometheus.NewRegistry()
			address, of, _ := serving(t, func(o *gqlhttp.Options) { o.Live.Write, o.Registry = patience, registry })
			conn, _, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPClient: slowly(), Subprotocols: []string{transport}}) //nolint:bodyclose // Dial has read it.
			if err != nil {
				t.Fatal(err)
			}
			defer conn.CloseNow() //nolint:errcheck // It may be closed.
			conn.SetReadLimit(-1)
			say(t, conn, said{Type: "connection_init"}, subscribe("1", bulky()))
			hears(t, conn, said{Type: "connection_ack"})
			stuck := time.Now()
			for stuck.Add(5 * time.Second).After(time.Now()) {
				select {
				case of.kinds <- event.ChangeAdded:
					continue
				case <-time.After(patience + patience/3): // the server waits for us
				}
				break
			}
			if wakes {
				closed(t, conn, websocket.StatusTryAgainLater)
			} else {
				time.Sleep(patience)
				closed(t, conn, -1)
			}
			if n, err := testutil.GatherAndCount(registry, "marquee_graphql_slow_clients_total"); n != 1 || err != nil {
				t.Error(n, err)
			}
		})
	}
}
