package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// openPool opens a pool of at most size connections (0: as the URL says, else pgx's default); it does not connect yet. Every statement
// is bounded by statementTimeout (0: no bound) and seen by the tracers.
func openPool(ctx context.Context, address databaseURL, size poolSize, statementTimeout time.Duration, tracers ...pgx.QueryTracer) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(string(address))
	if err != nil {
		return nil, configError("--database-url: not a PostgreSQL URL")
	}
	if size > 0 {
		config.MaxConns = int32(size)
	}
	config.ConnConfig.ConnectTimeout = 3 * time.Second // a dead pod's address hangs for minutes
	if statementTimeout > 0 {
		config.ConnConfig.RuntimeParams["statement_timeout"] = fmt.Sprint(statementTimeout.Milliseconds())
	}
	if len(tracers) > 0 {
		config.ConnConfig.Tracer = multitracer.New(tracers...)
	}
	// When a client hangs up, its statement is cancelled and the connection kept: pgx would close it.
	config.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, CancelRequestDelay: 50 * time.Millisecond, DeadlineDelay: 5 * time.Second}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	return pool, nil
}

// redacted is a URL without user, password and parameters.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return "(hidden)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
