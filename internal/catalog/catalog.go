package catalog

import (
	"context"
	"fmt"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/aledotdev/marquee/ent"
)

// Catalog reads. It is safe for concurrent use.
type Catalog struct {
	pool  *pgxpool.Pool
	ent   *ent.Client // over the same pool: for everything that is not the list of events
	clock func() time.Time
}

// New makes a Catalog over a pool whose role may read.
func New(pool *pgxpool.Pool, clock func() time.Time) *Catalog {
	db := stdlib.OpenDBFromPool(pool)
	db.SetMaxIdleConns(0) // an idle connection of database/sql is one that the pool can't give to anybody
	return &Catalog{pool: pool, ent: ent.NewClient(ent.Driver(entsql.OpenDB("postgres", db))), clock: clock}
}

// Window checks a window as of now. Nil is the window that holds every event.
func (c *Catalog) Window(in *WindowInput) (Window, error) {
	if in == nil {
		return Window{}, nil
	}
	return in.Window(c.clock())
}

// Version is the catalog's version; it rises with every run that changed something.
func (c *Catalog) Version(ctx context.Context) (int64, error) {
	var version int64
	if err := c.pool.QueryRow(ctx, `SELECT version FROM catalog WHERE id = 1`).Scan(&version); err != nil {
		return 0, fmt.Errorf("reading the catalog version: %w", err)
	}
	return version, nil
}

// Ping says whether the database answers.
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
