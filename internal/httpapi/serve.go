package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
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

// Serve answers requests on listener until ctx is done, then stops: a handler with a Drain method (a
// Server) is told first, so that it stops being ready; no new connection is accepted; requests under way
// have the time of drain to finish, and are cut off after it. It returns nil when it stopped because of
// ctx, and has closed listener in every case.
func Serve(ctx context.Context, log *slog.Logger, listener net.Listener, handler http.Handler, drain time.Duration) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
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
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
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
