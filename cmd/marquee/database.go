package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/migrate"
)

// How long a program that starts waits for a database that is not there yet, and how often it looks.
const (
	databasePatience = time.Minute
	databasePoll     = time.Second
)

// awaitDatabase returns when the database answers and can be used. While nothing answers it waits, for databasePatience at most, and
// logs so once. A database that answers and refuses (a wrong password, an old server) is an error at once.
func awaitDatabase(ctx context.Context, log *slog.Logger, pool *pgxpool.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, databasePatience)
	defer cancel()
	target := pool.Config().ConnConfig
	at := fmt.Sprintf("%s:%d/%s", target.Host, target.Port, target.Database)
	said := false
	for {
		err := greet(ctx, pool)
		if err == nil {
			return nil
		}
		if migrate.Refused(err) != "" {
			return databaseError(err)
		}
		if !said {
			said = true
			log.WarnContext(ctx, "waiting for the database", "database", at, "at_most", databasePatience, "reason", err)
		}
		select {
		case <-time.After(databasePoll):
		case <-ctx.Done():
			return &exitError{exitTemporary, fmt.Errorf("the database at %s: %w: %w", at, event.ErrUnavailable, err)}
		}
	}
}

// greet connects and looks at the server's version.
func greet(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return migrate.CheckServer(conn.Conn().PgConn())
}

// databaseError turns an error that only a person can mend into one of configuration, which says what to change; others it returns as they are.
func databaseError(err error) error {
	if advice := databaseAdvice(err); advice != "" {
		return configError("%w; %s", err, advice)
	}
	return err
}

// databaseAdvice says what a person has to change to mend err; empty if nobody has to.
func databaseAdvice(err error) string {
	const undefinedTable = "42P01"
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == undefinedTable {
		return "the schema is not there, or is old: see `marquee migrate up`"
	}
	return migrate.Refused(err)
}
