package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// Listing is what REST's /search shows of an event.
type Listing struct {
	ID         event.ID
	Title      string
	Start, End event.LocalDateTime // at the venue; End: zero if there is none
	AllDay     bool                // Start and End are midnights, End the one after the last day
	MinPrice   *event.Decimal
	MaxPrice   *event.Decimal
}

// Search calls yield with every listed event of a window, one after the other, in the order (start, id). However many there are, only one
// is held at a time; its prices are valid only until yield returns. Search stops at yield's first error, and returns it.
func (c *Catalog) Search(ctx context.Context, w Window, yield func(Listing) error) error {
	q := &query{}
	q.where("listed")
	q.window(w)
	o, err := EventQuery{}.order()
	if err != nil {
		return err
	}
	columns, stretches := []string{"id", "title", "starts_local", "ends_local", "all_day", "min_price", "max_price", "starts_at"}, o.between(nil, nil, false)
	var l listingRow
	if s := c.fresh(ctx); s != nil {
		if rows, ok := s.within(w, stretches[0], columns); ok {
			c.mirrors.pages.Add(1)
			for values := range rows {
				if !l.raw(values) {
					return fmt.Errorf("searching: the price of event %s is none that is known", l.ID)
				}
				if err := yield(l.Listing); err != nil {
					return err
				}
			}
			return nil
		}
	}
	sql, args := q.rows(columns, o, stretches, 0)
	tx, done, err := c.streaming(ctx)
	if err != nil {
		return fmt.Errorf("searching: %w", err)
	}
	defer done()
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("searching: %w", err)
	}
	defer rows.Close()
	for n := 0; rows.Next(); n++ {
		if n == 0 {
			l.binary = asExpected(rows)
		}
		if err := l.read(rows); err != nil {
			return fmt.Errorf("searching: %w", err)
		}
		if err := yield(l.Listing); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("searching: %w", err)
	}
	return nil
}

// listingRow is a Listing that is being read.
type listingRow struct {
	Listing
	binary          bool // the values come in the forms that raw reads
	lowest, highest event.Decimal
}

// read reads a row: nearly always as it comes over the wire, which is a third of the work.
func (l *listingRow) read(rows pgx.Rows) error {
	if l.binary && l.raw(rows.RawValues()) {
		return nil
	}
	var (
		id              [16]byte
		start, order    time.Time
		end             *time.Time
		lowest, highest price
	)
	if err := rows.Scan(&id, &l.Title, &start, &end, &l.AllDay, &lowest, &highest, &order); err != nil {
		return err
	}
	l.ID, l.MinPrice, l.MaxPrice = id, lowest.decimal, highest.decimal
	l.Start, l.End = event.LocalOf(start), event.LocalDateTime{}
	if end != nil {
		l.End = event.LocalOf(*end)
	}
	return nil
}

// raw reads a row's values in PostgreSQL's binary form; false if one of them is none that it knows.
func (l *listingRow) raw(v [][]byte) bool {
	l.ID, l.Title, l.AllDay = event.ID(v[0]), string(v[1]), v[4][0] != 0
	l.Start, l.End = event.LocalOf(instant(v[2])), event.LocalDateTime{}
	if v[3] != nil {
		l.End = event.LocalOf(instant(v[3]))
	}
	known := true
	for _, p := range [...]struct {
		value []byte
		into  *event.Decimal
		price **event.Decimal
	}{{v[5], &l.lowest, &l.MinPrice}, {v[6], &l.highest, &l.MaxPrice}} {
		*p.price = nil
		if p.value != nil {
			var ok bool
			*p.into, ok = decimal(p.value)
			*p.price, known = p.into, known && ok
		}
	}
	return known
}

// Exported is an event as exports show it: all of it except attributes and LastSeenAt.
type Exported struct {
	*Event
	Provider string // slug
}

// Export calls yield with every listed event of a query, one after the other, in the order (start, id); the query's page and order don't
// count. However many events there are, only one is held at a time. Before the first, it calls begin with the
// version of the catalog that it reads. Export stops at the first error of either, and returns it.
func (c *Catalog) Export(ctx context.Context, eq EventQuery, begin func(version int64) error, yield func(Exported) error) error {
	if eq.Now.IsZero() {
		eq.Now = c.clock()
	}
	eq.Order = EventOrder{Field: ByStart}
	o, err := eq.order()
	if err != nil {
		return err
	}
	q, err := eq.query(&query{})
	if err != nil {
		return err
	}
	sql, args := q.rows(Fields{Offers: true, Description: true, revision: true}.columns(), o, o.between(nil, nil, false), 0)
	tx, done, err := c.streaming(ctx)
	if err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	defer done()
	var version int64
	if err := tx.QueryRow(ctx, `SELECT version FROM catalog WHERE id = 1`).Scan(&version); err != nil {
		return fmt.Errorf("exporting: the catalog version: %w", err)
	}
	if err := begin(version); err != nil {
		return err
	}
	slugs, err := slugs(ctx, tx)
	if err != nil {
		return fmt.Errorf("exporting: the providers: %w", err)
	}
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return fmt.Errorf("exporting: %w", err)
		}
		e.siblings = &siblings{catalog: c, events: []*Event{e}, now: eq.Now}
		if err := yield(Exported{e, slugs[e.ProviderID]}); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	return nil
}

func slugs(ctx context.Context, tx pgx.Tx) (map[event.ID]string, error) {
	rows, err := tx.Query(ctx, `SELECT id, slug FROM providers`)
	if err != nil {
		return nil, err
	}
	found := map[event.ID]string{}
	var id [16]byte
	var slug string
	_, err = pgx.ForEachRow(rows, []any{&id, &slug}, func() error {
		found[id] = slug
		return nil
	})
	return found, err
}

// streaming begins a transaction that reads one snapshot. Only ctx bounds its time: a statement takes as long as a slow client takes to read
// its rows, so that statement_timeout would cut it off.
func (c *Catalog) streaming(ctx context.Context) (tx pgx.Tx, done func(), err error) {
	tx, err = c.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, nil, err
	}
	done = func() { _ = tx.Rollback(context.WithoutCancel(ctx)) } // it has only read
	if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
		done()
		return nil, nil, err
	}
	return tx, done, nil
}
