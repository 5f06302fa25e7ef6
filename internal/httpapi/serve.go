package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// The server's timeouts and sizes. They suit requests and answers that fit into memory; searches, exports, event streams and WebSockets
// set deadlines of their own.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 128 << 10 // a GraphQL operation in a URL, and room for the rest
)

// Ending is how a server stops.
type Ending struct {
	// Linger is how long the server goes on serving, at most, while it closes each connection with its next answer. If it closed idle
	// connections at once, a client that sends a request at that moment would get an error, and might not be able to repeat it.
	Linger time.Duration
	Finish time.Duration // how long requests under way may take after that, before they are cut off
}

// Serve answers requests on listener until ctx is done, and then stops in three steps. First it calls the handler's Drain method, if it
// has one as a Server does, so that it stops being ready. Then it lingers (see Ending). At last it accepts no new connection, and gives
// requests under way time to finish. It returns nil if it stopped because of ctx, and has closed listener in every case.
func Serve(ctx context.Context, log *slog.Logger, listener net.Listener, handler http.Handler, ending Ending) error {
	var open atomic.Int64 // connections
	server := &http.Server{
		Handler:           leaving(ctx, handler),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed, http.StateHijacked:
				open.Add(-1)
			case http.StateActive, http.StateIdle:
			}
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}

	if d, ok := handler.(interface{ Drain() }); ok {
		d.Drain()
	}
	linger(&open, ending.Linger)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), ending.Finish)
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		log.LogAttrs(ctx, slog.LevelWarn, "requests cut off at shutdown", slog.String("listener", listener.Addr().String()), slog.Any("error", err))
		_ = server.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	}
	return nil
}

// leaving makes each connection close after its next answer, once ctx is done.
func leaving(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// linger waits until no connection is open, but no longer than atMost.
func linger(open *atomic.Int64, atMost time.Duration) {
	end := time.After(atMost)
	step := time.NewTicker(20 * time.Millisecond)
	defer step.Stop()
	for open.Load() > 0 {
		select {
		case <-end:
			return
		case <-step.C:
		}
	}
}
