package fetch_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/fetch"
)

func queryEscape(s string) string { return url.QueryEscape(s) }

func TestStatus(t *testing.T) {
	t.Parallel()
	for status, temporary := range map[int]bool{
		201: false, 202: false, 204: false, 206: false, 300: false, 305: false,
		400: false, 401: false, 403: false, 404: false, 410: false, 418: false,
		408: true, 425: true, 429: true, 500: true, 502: true, 503: true, 504: true, 599: true,
	} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		_, err := get(t, quick(), fetch.Request{URL: url})
		e := wantCode(t, err, fetch.CodeStatus, temporary)
		attempts := 1
		if temporary {
			attempts = fetch.DefaultLimits().Attempts
		}
		if e.Status != status || e.Attempts != attempts {
			t.Errorf("%d: status %d after %d attempts, want %d", status, e.Status, e.Attempts, attempts)
		}
	}
	_, err := get(t, once(), fetch.Request{URL: serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })})
	if !strings.Contains(err.Error(), "withdrawn") {
		t.Errorf("gone says only %v", err)
	}
}

func TestNetworkErrors(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	hijack := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	}
	for name, url := range map[string]string{
		"refused":        closed,
		"no answer":      serve(t, hijack("")),
		"not HTTP":       serve(t, hijack("220 mail ESMTP \x1b[31m\r\n\r\n")),
		"endless header": serve(t, hijack("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20)+"\r\n\r\n")),
	} {
		_, err := get(t, once(), fetch.Request{URL: url})
		wantCode(t, err, fetch.CodeNetwork, true)
		if strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%s: control characters in %q", name, err)
		}
	}
}

func TestConnectTime(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections, but there is no TLS handshake
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	limits := once()
	limits.ConnectTime = 20 * time.Millisecond
	_, err = get(t, limits, fetch.Request{URL: "https://" + deaf.Addr().String()})
	wantCode(t, err, fetch.CodeTimeout, true)
}

// virtual runs f in a synctest bubble, which has its own clock, with a server
// that is reached through pipes.
func virtual(t *testing.T, handler http.HandlerFunc, o fetch.Options, f func(t *testing.T, c *fetch.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: handler}
		go func() { _ = server.Serve(listener) }()
		defer func() { _ = server.Shutdown(context.Background()) }() // all handlers have to end before the bubble does
		client := fetch.New(o)
		client.SetDial(listener.dial)
		f(t, client)
	})
}

type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

var pipeRequest = fetch.Request{URL: "http://feed.example/"}

func TestRetryWaits(t *testing.T) {
	t.Parallel()
	second := time.Second
	for name, c := range map[string]struct {
		limits     fetch.Limits
		rand       float64
		retryAfter []string // of each answer
		waits      []time.Duration
		asked      time.Duration // Error.RetryAfter
	}{
		"half of a doubling ceiling": {rand: 0.5, waits: []time.Duration{second / 2, second, 2 * second}},
		"no wait":                    {rand: 0, waits: []time.Duration{0, 0, 0}},
		"ceiling capped": {
			limits: fetch.Limits{Backoff: 4 * second, MaxWait: 5 * second}, rand: 0.5,
			waits: []time.Duration{2 * second, 5 * second / 2, 5 * second / 2},
		},
		"never above the ceiling": {
			limits: fetch.Limits{Backoff: second, Attempts: 3}, rand: 1 - 1e-9,
			waits: []time.Duration{second - 1, 2*second - 2},
		},
		"as the provider asks": {
			rand: 0.5, retryAfter: []string{"7", "Sat, 01 Jan 2000 00:00:19 GMT", "0", ""},
			waits: []time.Duration{7 * second, 12 * second, 2 * second},
		},
		"more than we wait":      {rand: 0.5, retryAfter: []string{"", "31"}, waits: []time.Duration{second / 2}, asked: 31 * second},
		"more than anyone waits": {retryAfter: []string{"99999999999999999999"}, asked: 24 * time.Hour},
		"more than is left": {
			limits: fetch.Limits{Time: 10 * second}, rand: 0, retryAfter: []string{"8", "3"},
			waits: []time.Duration{8 * second}, asked: 3 * second,
		},
		"one attempt": {limits: fetch.Limits{Attempts: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var at []time.Time
			handler := func(w http.ResponseWriter, _ *http.Request) {
				if n := len(at); n < len(c.retryAfter) && c.retryAfter[n] != "" {
					w.Header().Set("Retry-After", c.retryAfter[n])
				}
				at = append(at, time.Now())
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			o := fetch.Options{Limits: c.limits, Rand: func() float64 { return c.rand }}
			virtual(t, handler, o, func(t *testing.T, client *fetch.Client) {
				_, err := client.Get(t.Context(), pipeRequest, nil)
				e := wantCode(t, err, fetch.CodeStatus, true)
				var waits []time.Duration
				for i := 1; i < len(at); i++ {
					waits = append(waits, at[i].Sub(at[i-1]))
				}
				if diff := cmp.Diff(c.waits, waits); diff != "" {
					t.Error(diff)
				}
				if e.RetryAfter != c.asked || e.Attempts != len(c.waits)+1 {
					t.Errorf("RetryAfter %s after %d attempts", e.RetryAfter, e.Attempts)
				}
			})
		})
	}
}

func TestRetrySucceeds(t *testing.T) {
	t.Parallel()
	calls := 0
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		switch calls {
		case 1:
			hangUp(feed)(w, r)
		case 2:
			_, _ = io.WriteString(w, "<html>one moment</html>")
		default:
			_, _ = io.WriteString(w, feed)
		}
	})
	var attempts []int
	client := fetch.New(fetch.Options{Limits: quick()})
	snap, err := client.Get(t.Context(), fetch.Request{URL: url, AllowPrivate: true}, func(p fetch.Progress) {
		attempts = append(attempts, p.Attempt)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	if got := slices.Compact(attempts); snap.Attempts != 3 || !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("%d attempts, progress of %v", snap.Attempts, got)
	}
	if string(read(t, snap)) != feed {
		t.Error("remains of an earlier attempt in the body")
	}
}

// drip sends a byte each pause, until nobody listens.
func drip(pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		rc := http.NewResponseController(w)
		for {
			if _, err := io.WriteString(w, "x"); err != nil || rc.Flush() != nil {
				return
			}
			time.Sleep(pause)
		}
	}
}

func TestSlowServers(t *testing.T) {
	t.Parallel()
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	stops := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, feed)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	// Fast at first, so that an average over everything would hide the rest.
	tires := func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(noise(1 << 20))
		drip(time.Second)(w, r)
	}
	fine := func(w http.ResponseWriter, _ *http.Request) {
		for range 300 { // 5 minutes at twice the least rate
			_, _ = w.Write(noise(2 << 10))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Second)
		}
	}
	d := fetch.DefaultLimits()
	attempts := time.Duration(d.Attempts)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		says    string // "": it is taken
		most    time.Duration
	}{
		"silent":              {silent, "no answer within 1m0s", attempts * d.HeaderTime},
		"stops in the middle": {stops, "stood still for 30s", attempts * d.IdleTime},
		"a byte a second":     {drip(time.Second), "bytes a second", attempts * d.RateTime},
		"tires":               {tires, "bytes a second", attempts * 2 * d.RateTime},
		"slow but steady":     {fine, "", 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := fetch.Options{Rand: func() float64 { return 0 }, SpoolDir: t.TempDir()}
			virtual(t, c.handler, o, func(t *testing.T, client *fetch.Client) {
				start := time.Now()
				snap, err := client.Get(t.Context(), pipeRequest, nil)
				if took := time.Since(start); took > c.most+time.Second {
					t.Errorf("took %s, want %s at most", took, c.most)
				}
				if c.says == "" {
					if err != nil {
						t.Fatal(err)
					}
					_ = snap.Close()
					return
				}
				if e := wantCode(t, err, fetch.CodeTimeout, true); !strings.Contains(err.Error(), c.says) || e.Attempts != d.Attempts {
					t.Errorf("error is %v", err)
				}
			})
		})
	}
}

func TestWholeTime(t *testing.T) {
	t.Parallel()
	slow := func(w http.ResponseWriter, _ *http.Request) {
		for { // above the least rate, for ever
			if _, err := w.Write(noise(4 << 10)); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}
	virtual(t, slow, fetch.Options{Limits: fetch.Limits{Time: 3 * time.Minute}, SpoolDir: t.TempDir()}, func(t *testing.T, client *fetch.Client) {
		start := time.Now()
		_, err := client.Get(t.Context(), pipeRequest, nil)
		if e := wantCode(t, err, fetch.CodeTimeout, true); !strings.Contains(err.Error(), "not done within 3m0s") || e.Attempts != 1 {
			t.Errorf("error is %v", err)
		}
		if took := time.Since(start); took != 3*time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

func TestCanceledWhileWaiting(t *testing.T) {
	t.Parallel()
	busy := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	virtual(t, busy, fetch.Options{}, func(t *testing.T, client *fetch.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second) // in the second wait, which is longer than the time left
		defer cancel()
		_, err := client.Get(ctx, pipeRequest, nil)
		wantCode(t, err, fetch.CodeStatus, true)

		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, stop)
		start := time.Now()
		_, err = client.Get(ctx, pipeRequest, nil)
		wantCode(t, err, fetch.CodeCanceled, true)
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("SIGTERM would be heard after %s", took)
		}
	})
}
