package catalog

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/ent"
)

// Catalog reads events, series, providers, changes and runs from PostgreSQL, or from memory. It is safe for concurrent use.
type Catalog struct {
	pool  *servers
	ent   *ent.Client // over the same pools: for everything that is not a list of events or changes
	clock func() time.Time
	live  *live

	mirrors mirrors
}

// New makes a Catalog that reads by a pool, whose role needs no other right. clock says what time it is: time.Now, or a test's.
func New(pool *pgxpool.Pool, clock func() time.Time) *Catalog {
	return NewReplicated(pool, nil, clock)
}

// NewReplicated makes a Catalog that reads from a replica, and from the primary while the replica is gone or if replica is nil. All
// connections of a pool have to lead to the same server.
func NewReplicated(primary, replica *pgxpool.Pool, clock func() time.Time) *Catalog {
	all := &servers{primary: newServer(primaryName, primary), learned: make(chan struct{}, 1), risen: make(chan struct{}, 1)}
	if replica != nil {
		all.replica = newServer(replicaName, replica)
	}
	driver := entsql.NewDriver(dialect.Postgres, entsql.Conn{ExecQuerier: all})
	c := &Catalog{pool: all, ent: ent.NewClient(ent.Driver(driver)), clock: clock, live: newLive()}
	all.ahead = c.mirrors.await
	return c
}

// Window checks a window, and resolves its preset as of now. For nil it returns the window that holds every event. Its error is an *Error.
func (c *Catalog) Window(in *WindowInput) (Window, error) {
	if in == nil {
		return Window{}, nil
	}
	return in.Window(c.clock())
}

// Ping returns nil if a database answers: the replica or else the primary.
func (c *Catalog) Ping(ctx context.Context) error { return c.pool.Ping(ctx) }

func (c *Catalog) collect(ctx context.Context, sql string, args []any) ([]*Event, error) {
	rows, err := c.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	family := &siblings{catalog: c, events: events, now: c.clock()}
	for _, e := range events {
		e.siblings = family
	}
	return events, nil
}
