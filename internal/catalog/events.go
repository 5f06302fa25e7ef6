package catalog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// EventQuery asks for a page of listed events.
type EventQuery struct {
	Page       PageArgs
	Window     Window
	Where      EventFilter
	Descending bool
	Fields     Fields
}

// EventPage is a page of events in the order asked for.
type EventPage struct {
	Nodes    []*Event
	PageInfo PageInfo
	catalog  *Catalog
	query    EventQuery
}

// EventEdge is an event with its place in the order.
type EventEdge struct {
	Cursor string
	Node   *Event
}

// Edges are the events with their cursors.
func (p *EventPage) Edges() []EventEdge {
	edges := make([]EventEdge, len(p.Nodes))
	for i, e := range p.Nodes {
		edges[i] = EventEdge{e.position().cursor(), e}
	}
	return edges
}

// Events reads a page of events; one statement.
func (c *Catalog) Events(ctx context.Context, eq EventQuery) (*EventPage, error) {
	p, err := eq.Page.page()
	if err != nil {
		return nil, err
	}
	q, err := eq.query()
	if err != nil {
		return nil, err
	}
	backward := p.backward != eq.Descending
	following, preceding := ">", "<"
	if eq.Descending {
		following, preceding = preceding, following
	}
	q.beyond(following, p.after)
	q.beyond(preceding, p.before)
	sql, args := q.rows(eq.Fields.columns(), backward, p.size+1)
	events, err := c.collect(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	more := len(events) > p.size
	if more {
		events = events[:p.size]
	}
	if p.backward {
		slices.Reverse(events)
	}
	page := &EventPage{Nodes: events, catalog: c, query: eq}
	page.PageInfo = p.info(events, more)
	return page, nil
}

// info follows Relay: a page knows for certain whether more follows in its own direction; that it has
// something behind it is what the cursor given says.
func (p page) info(events []*Event, more bool) PageInfo {
	info := PageInfo{HasNextPage: more, HasPreviousPage: p.after != nil}
	if p.backward {
		info = PageInfo{HasNextPage: p.before != nil, HasPreviousPage: more}
	}
	if len(events) > 0 {
		start, end := events[0].position().cursor(), events[len(events)-1].position().cursor()
		info.StartCursor, info.EndCursor = &start, &end
	}
	return info
}

// TotalCount is how many events all pages have together.
func (p *EventPage) TotalCount(ctx context.Context) (int, error) {
	q, err := p.query.query()
	if err != nil {
		return 0, err
	}
	sql, args := q.count()
	var n int
	if err := p.catalog.pool.QueryRow(ctx, sql, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting events: %w", err)
	}
	return n, nil
}

// query makes the conditions of everything but the page.
func (eq EventQuery) query() (*query, error) {
	q := &query{}
	q.where("listed")
	q.window(eq.Window)
	if err := eq.Where.apply(q); err != nil {
		return nil, err
	}
	return q, nil
}

// Event reads one listed event; nil if there is none of that id.
func (c *Catalog) Event(ctx context.Context, id event.ID) (*Event, error) {
	events, err := c.EventsByID(ctx, []event.ID{id})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	return events[0], nil
}

// EventsByID reads listed events, in no order.
func (c *Catalog) EventsByID(ctx context.Context, ids []event.ID) ([]*Event, error) {
	q := &query{}
	q.where("listed")
	q.where("id = ANY(?)", ids)
	sql, args := q.rows(Fields{Offers: true, Description: true, Attributes: true, LastSeen: true}.columns(), false, 0)
	return c.collect(ctx, sql, args)
}

// Listing is what REST's /search tells of an event.
type Listing struct {
	ID         event.ID
	Title      string
	Start, End event.LocalDateTime // End: zero without one
	AllDay     bool                // Start and End are midnights, End that of the day after the last
	MinPrice   *event.Decimal
	MaxPrice   *event.Decimal
}

// Search reads every listed event of a window, in the order (start, id), and gives them to yield one by
// one: however many there are, one is held at a time. It stops at yield's first error.
func (c *Catalog) Search(ctx context.Context, w Window, yield func(Listing) error) error {
	q := &query{}
	q.where("listed")
	q.window(w)
	sql, args := q.rows([]string{"id", "title", "starts_local", "ends_local", "all_day", "min_price", "max_price", "starts_at"}, false, 0)
	tx, err := c.pool.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("searching: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it has only read
	// The time of a statement is also that of a client who reads its answer slowly: ctx bounds both.
	if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
		return fmt.Errorf("searching: %w", err)
	}
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("searching: %w", err)
	}
	var (
		id      [16]byte
		l       Listing
		start   time.Time
		end     *time.Time
		lowest  price
		highest price
		order   time.Time
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &l.Title, &start, &end, &l.AllDay, &lowest, &highest, &order}, func() error {
		l.ID, l.MinPrice, l.MaxPrice = id, lowest.decimal, highest.decimal
		l.Start, l.End = event.LocalOf(start), event.LocalDateTime{}
		if end != nil {
			l.End = event.LocalOf(*end)
		}
		return yield(l)
	})
	if err != nil {
		return fmt.Errorf("searching: %w", err)
	}
	return nil
}
