package catalog

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// EventQuery asks for a page of listed events. It is a plain value: GraphQL and REST both fill it in.
type EventQuery struct {
	Page   PageArgs
	Window Window
	Where  EventFilter
	Order  EventOrder
	Fields Fields
	Now    time.Time // the time for which availability and RELEVANCE are computed; zero: when the query is answered
}

// EventPage is a page of events in the order asked for.
type EventPage struct {
	Nodes    []*Event
	PageInfo PageInfo
	JSON     *[]byte // the page as WriteEvents has written it; if it is there, Nodes and PageInfo are empty
	order    order
	list     *list
	parent   event.ID // whose list it is of, see list
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
		edges[i] = EventEdge{p.order.cursor(p.order.position(e)), e}
	}
	return edges
}

// Events reads a page of events, in one statement. It returns an *Error if the query is not valid.
func (c *Catalog) Events(ctx context.Context, eq EventQuery) (*EventPage, error) {
	if eq.Now.IsZero() {
		eq.Now = c.clock()
	}
	r, err := eq.read(&query{}, eq.Fields.inOrder)
	if err != nil {
		return nil, err
	}
	events, err := c.collect(ctx, r.sql, r.args)
	if err != nil {
		return nil, err
	}
	return r.pageOf(events, &list{catalog: c, query: eq}, event.ID{}), nil
}

// place is where a page lies: in which order, and where in it.
type place struct {
	page  page
	order order
}

// place is that of the query's page.
func (eq EventQuery) place() (place, error) {
	o, err := eq.order()
	if err != nil {
		return place{}, err
	}
	p, err := eq.Page.page(o)
	if err != nil {
		return place{}, err
	}
	if at := p.rankedAt(); !at.IsZero() {
		o = o.as(at)
	}
	return place{p, o}, nil
}

// stretches are the parts of the order that the page is read from.
func (p place) stretches() []stretch {
	return p.order.between(p.page.after, p.page.before, p.page.backward)
}

// read is a page that is about to be read: its statement, and what is to be made of the rows.
type read struct {
	place
	sql  string
	args []any
}

// read is the statement that reads the query's page, and one row more, with the conditions that q has already: some
// columns of it, which may depend on the order.
func (eq EventQuery) read(q *query, columns func(order) []string) (read, error) {
	p, err := eq.place()
	if err != nil {
		return read{}, err
	}
	return eq.readAt(p, q, columns(p.order))
}

func (eq EventQuery) readAt(p place, q *query, columns []string) (read, error) {
	q.walks = p.order.tag == tagStart && len(q.conditions) == 0 && eq.isUnfiltered()
	q, err := eq.query(q)
	if err != nil {
		return read{}, err
	}
	r := read{place: p}
	r.sql, r.args = q.rows(columns, p.order, p.stretches(), p.page.size+1)
	return r, nil
}

// pageOf makes a page of the events that were read, which may be some too many, in the order of the list.
func (p place) pageOf(events []*Event, of *list, parent event.ID) *EventPage {
	more := len(events) > p.page.size
	if more {
		events = events[:p.page.size]
	}
	if p.page.backward {
		slices.Reverse(events)
	}
	page := &EventPage{Nodes: events, order: p.order, list: of, parent: parent}
	page.PageInfo = p.info(len(events), more, func(i int) position { return p.order.position(events[i]) })
	return page
}

// info is the PageInfo of a page of n events; more says that others follow in the page's direction, at gives their positions. As in
// Relay's specification, that there are others in the opposite direction is only inferred from the cursor that was given.
func (p place) info(n int, more bool, at func(i int) position) PageInfo {
	info := PageInfo{HasNextPage: more, HasPreviousPage: p.page.after != nil}
	if p.page.backward {
		info = PageInfo{HasNextPage: p.page.before != nil, HasPreviousPage: more}
	}
	if n > 0 {
		ends := [2]string{p.order.cursor(at(0)), p.order.cursor(at(n - 1))}
		info.StartCursor, info.EndCursor = &ends[0], &ends[1]
	}
	return info
}

// isUnfiltered says whether the window alone decides which events are wanted.
func (eq EventQuery) isUnfiltered() bool {
	var q query
	return eq.Where.apply(&q, eq.Now) == nil && len(q.conditions) == 0
}

// query adds the conditions of everything but the page.
func (eq EventQuery) query(q *query) (*query, error) {
	q.where("listed")
	if len(q.parents) > 0 {
		q.where("series_id = ANY(?)", q.parents)
	}
	q.window(eq.Window)
	if err := eq.Where.apply(q, eq.Now); err != nil {
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

// EventsByID reads the listed events of some ids, in any order.
func (c *Catalog) EventsByID(ctx context.Context, ids []event.ID) ([]*Event, error) {
	q := &query{}
	q.where("listed")
	q.where("id = ANY(?)", ids)
	columns := Fields{Offers: true, Description: true, Attributes: true, LastSeen: true}.columns()
	return c.collect(ctx, q.selected(strings.Join(columns, ", ")), q.args)
}
