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

// The server's timeouts and sizes. They are for requests that fit into memory and their answers; a
// search sets its own deadlines as it goes.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 128 << 10 // a GraphQL operation in a URL, and room for the rest
)

// Ending is how a server stops.
type Ending struct {
	// Linger is how long it goes on as before at most, but closes each connection with its next answer: a client that sends on
	// a connection just as the server closes it for being idle gets an error, and may not repeat what it sent.
	Linger time.Duration
	Finish time.Duration // what requests under way have after that
}

// Serve answers requests on listener until ctx is done, then stops: a handler with a Drain method (a
// Server) is told first, so that it stops being ready; it lingers; then no new connection is accepted; requests under way
// are given time to finish, and are cut off after it. It returns nil when it stopped because of
// ctx, and has closed listener in every case.
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

// leaving closes each connection with its next answer, once ctx is done.
func leaving(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// linger waits until no connection is open, or for a time.
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
