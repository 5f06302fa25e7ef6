package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aledotdev/marquee/internal/httpapi"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// TestServeDrains: on the way down a server is not ready, finishes what it has begun, and only then ends.
func TestServeDrains(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	o := options(found())
	o.GraphQL = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		io.WriteString(w, "done")
	})
	server := httpapi.New(o)
	listener := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- httpapi.Serve(ctx, slog.New(slog.DiscardHandler), listener, server, httpapi.Ending{Finish: time.Minute})
	}()

	answered := make(chan string, 1)
	go func() {
		body, err := io.ReadAll(ask(t, "http://"+listener.Addr().String()+"/graphql", "identity").body)
		answered <- string(body) + " " + errorText(err)
	}()
	<-begun
	stop()
	for do(t, server, http.MethodGet, "/readyz").Code == http.StatusOK { // the prober's view, by way of the admin listener
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-served:
		t.Fatalf("ended with a request under way: %v", err)
	default:
	}
	close(finish)
	if got := <-answered; got != "done " {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := listener.Accept(); err == nil {
		t.Error("the listener is open")
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestServeCutsOff what does not finish in time, and tells it to stop.
func TestServeCutsOff(t *testing.T) {
	t.Parallel()
	var log journal
	begun, ended := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	})
	listener := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- httpapi.Serve(ctx, log.logger(slog.LevelInfo), listener, handler, httpapi.Ending{Finish: 10 * time.Millisecond})
	}()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-begun
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	<-ended
	if text := log.String(); !strings.Contains(text, "requests cut off at shutdown") {
		t.Errorf("log %q", text)
	}
}

// TestServeEndsUnderLoad: of requests that come one after the other on connections that stay, by a method that nobody may
// repeat, not one fails; and there are clients whose connection was closed with an answer.
func TestServeEndsUnderLoad(t *testing.T) { //nolint:paralleltest // Its load would be the others', whose time is short.
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(time.Millisecond) // so that some are under way at any time
		io.WriteString(w, "ok")
	})
	listener := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- httpapi.Serve(ctx, slog.New(slog.DiscardHandler), listener, handler, httpapi.Ending{Linger: 10 * time.Second, Finish: 10 * time.Second})
	}()
	var clients sync.WaitGroup
	var answered, closed atomic.Int64
	for range 2_000 {
		clients.Go(func() {
			transport := &http.Transport{MaxConnsPerHost: 1}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			for {
				response, err := client.Post("http://"+listener.Addr().String(), "text/plain", strings.NewReader("hello"))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				answered.Add(1)
				if response.Close { // the next would go to another server
					closed.Add(1)
					return
				}
			}
		})
	}
	for answered.Load() < 4_000 {
		time.Sleep(time.Millisecond)
	}
	stop()
	clients.Wait()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if closed.Load() != 2_000 {
		t.Errorf("%d connections were closed with an answer", closed.Load())
	}
}

func TestServeFails(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	listener.Close()
	err := httpapi.Serve(t.Context(), slog.New(slog.DiscardHandler), listener, http.NotFoundHandler(), httpapi.Ending{})
	if err == nil || !strings.Contains(err.Error(), listener.Addr().String()) {
		t.Errorf("error %v, want one that names the address", err)
	}
}

// TestServeBoundsHeaders: a request of 256 KiB is refused before any handler sees it.
func TestServeBoundsHeaders(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- httpapi.Serve(ctx, slog.New(slog.DiscardHandler), listener, httpapi.New(options(found())), httpapi.Ending{Finish: time.Second})
	}()
	response := ask(t, "http://"+listener.Addr().String()+"/graphql?query="+strings.Repeat("x", 256<<10), "identity")
	if response.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", response.status)
	}
	response.body.Close()
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	o := options(found())
	o.Registry = registry
	server := httpapi.New(o)
	admin, err := httpapi.NewAdmin(server, registry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := httpapi.NewAdmin(server, registry); err != nil {
		t.Errorf("a second time: %v", err)
	}
	do(t, server, http.MethodGet, "/search")
	for target, want := range map[string]string{
		"/livez":               "ok\n",
		"/readyz?verbose":      "[+]database ok\n",
		"/version":             `"version":"1.2.3"`,
		"/metrics":             `marquee_http_request_duration_seconds_count{method="GET",route="/search",status="200"} 1`,
		"/debug/pprof/":        "goroutine",
		"/debug/pprof/cmdline": "",
	} {
		w := do(t, admin, http.MethodGet, target)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: status %d:\n%.500s", target, w.Code, w.Body)
		}
	}
	metrics := do(t, admin, http.MethodGet, "/metrics").Body.String()
	for _, want := range []string{"go_goroutines ", "process_cpu_seconds_total "} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	for _, target := range []string{"/", "/search", "/graphql"} {
		if w := do(t, admin, http.MethodGet, target); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", target, w.Code)
		}
	}
	server.Drain()
	if w := do(t, admin, http.MethodGet, "/readyz"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("/readyz of a server that is stopping: status %d", w.Code)
	}
}
