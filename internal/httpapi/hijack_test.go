package httpapi_test

import (
	"context"
	"net/http"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/aledotdev/marquee/internal/httpapi"
)

// watched is what a server answers by; tests look whether it is held.
type watched struct{ http.ResponseWriter }

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestHijackLetsGo: a WebSocket that goes on under its request's context holds nothing of what the server answers by.
func TestHijackLetsGo(t *testing.T) {
	t.Parallel()
	kept := make(chan context.Context, 1)
	o := options(&fake{})
	o.GraphQL = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Sec-WebSocket-Protocol", "agreed")
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		kept <- context.WithoutCancel(r.Context())
		if w.Header().Get("Sec-WebSocket-Protocol") != "agreed" {
			t.Error("what was agreed on is lost")
		}
		if _, err := w.Write([]byte("late")); err == nil {
			t.Error("an answer after the connection was taken over")
		}
		conn.Close()
	})
	api := httpapi.New(o)
	answered := make(chan weak.Pointer[watched], 1)
	server := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		by := &watched{w}
		api.ServeHTTP(by, r)
		answered <- weak.Make(by)
	}))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := server.Client().Do(r); err == nil {
		response.Body.Close()
	}
	by, ctx := <-answered, <-kept
	for range 100 {
		runtime.GC()
		if by.Value() == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if by.Value() != nil {
		t.Error("it is held")
	}
	if httpapi.RequestID(ctx) == "" {
		t.Error("the request has lost its id")
	}
}
