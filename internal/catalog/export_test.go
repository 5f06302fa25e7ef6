package catalog

import (
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// CursorAt is a cursor of any place in the default order, as a client might forge it.
func CursorAt(startsAt time.Time, id event.ID) string {
	return CursorIn(EventQuery{}, Spot{ID: id, StartsAt: startsAt})
}

// Spot is what an event's place in an order depends on.
type Spot struct {
	ID        event.ID
	StartsAt  time.Time
	UpdatedAt time.Time
	MinPrice  *event.Decimal
	Title     string
	TitleKey  string
}

// CursorIn is the cursor of a place in the order of a query.
func CursorIn(eq EventQuery, at Spot) string {
	o, _ := eq.order()
	return o.cursor(o.position(&Event{
		ID: at.ID, StartsAt: at.StartsAt, UpdatedAt: at.UpdatedAt, minPrice: price{at.MinPrice}, Title: at.Title, titleKey: at.TitleKey,
	}))
}

// ParseCursor reads a cursor of the order of a query, and writes it again.
func ParseCursor(eq EventQuery, argument, cursor string) (again string, err error) {
	o, err := eq.order()
	if err != nil {
		return "", err
	}
	p, err := o.parseCursor(argument, cursor)
	if err != nil {
		return "", err
	}
	return o.cursor(p), nil
}

// ParseRunCursor is the run that a cursor names.
func ParseRunCursor(argument, cursor string) (int64, error) { return parseRunCursor(argument, cursor) }

// RunCursor is a run's cursor.
func RunCursor(id int64) string { return runCursor(id) }

// ChangeCursor is the cursor of a change's number.
func ChangeCursor(number int64) string { return changeCursor(number) }

// ParseChangeCursor reads one.
func ParseChangeCursor(cursor string) (int64, error) { return parseChangeCursor(&cursor) }
