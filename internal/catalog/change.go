package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// Change is one thing that a sync changed in one listed event.
type Change struct {
	Number     int64 // in the order of commits
	EventID    event.ID
	ProviderID event.ID
	At         time.Time
	Kind       event.ChangeKind
	Transition *Transition // nil unless the filter has a window

	seriesID      *event.ID
	fields        json.RawMessage
	before, after Span // when the event took place before and after the change; before is without meaning if it was added
	witnesses     *witnesses
}

// Transition is what a change makes of an event in a window.
type Transition string

// The transitions. An event is in a window if its latest transition is not WindowLeft.
const (
	WindowEntered Transition = "ENTERED"
	WindowChanged Transition = "CHANGED" // it was inside, and is
	WindowLeft    Transition = "LEFT"
)

// FieldChange is one field's value before and after, as JSON; null for none.
type FieldChange struct {
	Name          string
	Before, After json.RawMessage
}

// Cursor is the change's place in every list of changes.
func (c *Change) Cursor() string { return changeCursor(c.Number) }

// Fields are the fields that changed; none if the kind already says everything.
func (c *Change) Fields() ([]FieldChange, error) {
	var stored []struct {
		Field         string `json:"field"`
		Before, After json.RawMessage
	}
	if err := json.Unmarshal(c.fields, &stored); err != nil {
		return nil, fmt.Errorf("the fields of change %d: %w", c.Number, err)
	}
	fields := make([]FieldChange, len(stored))
	for i, f := range stored {
		fields[i] = FieldChange{Name: f.Field, Before: f.Before, After: f.After}
		if f.Field == "attributes" { // kept as text
			fields[i].Before, fields[i].After = unquoted(f.Before), unquoted(f.After)
		}
	}
	return fields, nil
}

func unquoted(text json.RawMessage) json.RawMessage {
	var value string
	if json.Unmarshal(text, &value) != nil || !json.Valid([]byte(value)) {
		return text
	}
	return json.RawMessage(value)
}

// Event is the changed event as it is now.
func (c *Change) Event(ctx context.Context) (*Event, error) {
	return c.witnesses.eventOf(ctx, c.EventID)
}

// witnesses are changes that were read together, as siblings are events.
type witnesses struct {
	catalog *Catalog
	changes []*Change
	primary bool // events are read there
	events  batch[Event]
}

func (w *witnesses) eventOf(ctx context.Context, id event.ID) (*Event, error) {
	e, err := w.events.get(id, func() ([]*Event, error) {
		at := ctx
		if w.primary {
			at = onPrimary(ctx, w.catalog)
		}
		return w.catalog.EventsByID(at, distinct(w.changes, func(c *Change) *event.ID { return &c.EventID }))
	}, func(e *Event) event.ID { return e.ID })
	if err == nil && e == nil {
		err = fmt.Errorf("event %s is listed no more", id)
	}
	return e, err
}

// ChangePage is a page of changes in the order in which they were committed.
type ChangePage struct {
	Nodes    []*Change
	PageInfo PageInfo // EndCursor is the place up to which the page has read, on an empty page too

	latest int64
}

// ChangeEdge is a change with its place in the order.
type ChangeEdge struct {
	Cursor string
	Node   *Change
}

// Edges are the changes with their cursors.
func (p *ChangePage) Edges() []ChangeEdge {
	edges := make([]ChangeEdge, len(p.Nodes))
	for i, c := range p.Nodes {
		edges[i] = ChangeEdge{c.Cursor(), c}
	}
	return edges
}

// LatestCursor is the place after the latest change of all.
func (p *ChangePage) LatestCursor() string { return changeCursor(p.latest) }

// Changes reads a page of changes, 1 to MaxPageSize, in one statement: those after a cursor or, if it is nil, from the first that is kept. It
// returns an *Error with CodeBadUserInput for wrong arguments, and with CodeCursorExpired if the changes after the cursor are not all kept.
func (c *Catalog) Changes(ctx context.Context, first int, after *string, where ChangeFilter) (*ChangePage, error) {
	if first < 1 || first > MaxPageSize {
		return nil, badInput("first", "first is %d, want 1 to %d", first, MaxPageSize)
	}
	start, err := parseChangeCursor(after)
	if err != nil {
		return nil, err
	}
	filter, err := where.check(c.clock)
	if err != nil {
		return nil, err
	}
	read, err := c.readChanges(ctx, changeRange{after: start, limit: first + 1}, filter)
	if err != nil {
		return nil, err
	}
	if after != nil && start < read.pruned {
		return nil, errExpired
	}
	if err := c.beyond(ctx, start, read.latest); err != nil {
		return nil, err
	}
	page := &ChangePage{Nodes: read.changes, latest: read.latest}
	end := max(start, read.until)
	if page.PageInfo.HasNextPage = end < read.latest; len(page.Nodes) > first {
		page.Nodes = page.Nodes[:first]
		page.PageInfo.HasNextPage, end = true, page.Nodes[first-1].Number
	}
	page.PageInfo.HasPreviousPage = after != nil
	page.PageInfo.EndCursor = new(changeCursor(end))
	if len(page.Nodes) > 0 {
		page.PageInfo.StartCursor = new(page.Nodes[0].Cursor())
	}
	return page, nil
}

// errExpired says that changes after the cursor have been deleted, so that there would be a gap.
var errExpired = &Error{
	Code: CodeCursorExpired, Argument: "after",
	Message: "after: changes that follow this cursor are kept no more; read the events anew, and go on from a new latestCursor",
}

// errBeyond says that the catalog is older than the cursor, so that the changes to come don't follow the ones that its reader has seen.
var errBeyond = &Error{
	Code: CodeCursorExpired, Argument: "after",
	Message: "after: this cursor is from beyond the latest change, as after a restore of an older backup; read the events anew, and go on from a new latestCursor",
}

// beyond is errBeyond if a place lies after the latest change. A replica may not have that change yet: so the primary is asked before a place
// is refused and, if it doesn't answer, the place is not refused.
func (c *Catalog) beyond(ctx context.Context, place, latest int64) error {
	if place <= latest {
		return nil
	}
	bounded, cancel := context.WithTimeout(onPrimary(ctx, c), pollTimeout)
	defer cancel()
	rows, err := c.pool.Query(bounded, `SELECT last_change FROM catalog WHERE id = 1`)
	if err == nil {
		latest, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	}
	if err == nil && place > latest {
		return errBeyond
	}
	return nil
}

// changeRange says which numbers to read.
type changeRange struct {
	after int64
	limit int // of the changes found
}

// changesRead are changes and the state of the catalog in the same snapshot.
type changesRead struct {
	changes []*Change
	until   int64 // all numbers up to this one have been looked at, unless limit ended the reading before
	latest  int64 // the number of the latest change of all
	pruned  int64 // the number of the latest that was deleted
}

func (c *Catalog) readChanges(ctx context.Context, r changeRange, f *changeFilter) (changesRead, error) {
	var read changesRead
	sql, args := changesQuery(r, f)
	rows, err := c.pool.Query(ctx, sql, args...)
	if err != nil {
		return read, fmt.Errorf("reading changes: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*Change, error) { return scanChange(row, &read) })
	if err != nil {
		return read, fmt.Errorf("reading changes: %w", err)
	}
	read.changes = slices.DeleteFunc(found, func(c *Change) bool { return c == nil })
	read.until = min(read.until, read.latest)
	together := &witnesses{catalog: c, changes: read.changes}
	for _, one := range read.changes {
		one.witnesses = together
		one.Transition = f.transition(one)
	}
	return read, nil
}

// historyArgs are what a page of each history is asked by.
type historyArgs struct {
	first int
	after int64
	given bool // whether after was
}

// History is a page of the event's changes, the oldest first; its arguments and errors are those of Changes. It is read for all events that
// were read together, in one statement.
func (e *Event) History(ctx context.Context, first *int, after *string) (*ChangePage, error) {
	args := historyArgs{first: DefaultPageSize, given: after != nil}
	if first != nil {
		args.first = *first
	}
	if args.first < 1 || args.first > MaxPageSize {
		return nil, badInput("first", "first is %d, want 1 to %d", args.first, MaxPageSize)
	}
	var err error
	if args.after, err = parseChangeCursor(after); err != nil {
		return nil, err
	}
	pages, err := e.siblings.histories.get(fmt.Sprint(args), func() (map[event.ID]*ChangePage, error) {
		ids := distinct(e.siblings.events, func(e *Event) *event.ID { return &e.ID })
		return e.siblings.catalog.historiesOf(ctx, ids, args)
	})
	return pages[e.ID], err
}

func (c *Catalog) historiesOf(ctx context.Context, ids []event.ID, args historyArgs) (map[event.ID]*ChangePage, error) {
	var read changesRead
	sql, values := historyQuery(ids, args)
	rows, err := c.pool.Query(ctx, sql, values...)
	if err != nil {
		return nil, fmt.Errorf("reading histories: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*Change, error) { return scanChange(row, &read) })
	if err != nil {
		return nil, fmt.Errorf("reading histories: %w", err)
	}
	if args.given && args.after < read.pruned {
		return nil, errExpired
	}
	if err := c.beyond(ctx, args.after, read.latest); err != nil {
		return nil, err
	}
	pages := make(map[event.ID]*ChangePage, len(ids))
	for _, id := range ids {
		end := changeCursor(max(args.after, read.latest))
		pages[id] = &ChangePage{latest: read.latest, PageInfo: PageInfo{HasPreviousPage: args.given, EndCursor: &end}}
	}
	together := &witnesses{catalog: c}
	for _, one := range found {
		if one == nil {
			continue
		}
		page := pages[one.EventID]
		if len(page.Nodes) == args.first {
			page.PageInfo.HasNextPage = true
			page.PageInfo.EndCursor = new(page.Nodes[args.first-1].Cursor())
			continue
		}
		one.witnesses = together
		together.changes = append(together.changes, one)
		page.Nodes = append(page.Nodes, one)
		if page.PageInfo.StartCursor == nil {
			page.PageInfo.StartCursor = new(one.Cursor())
		}
	}
	return pages, nil
}
