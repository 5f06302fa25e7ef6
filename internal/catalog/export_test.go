package catalog

import (
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// CursorAt is a cursor of any place in the default order, as a client might forge it.
func CursorAt(startsAt time.Time, id event.ID) string {
	o, _ := EventOrder{}.order()
	return o.cursor(position{key: key{at: startsAt}, id: id})
}

// Spot is what an event's place in an order depends on.
type Spot struct {
	ID        event.ID
	StartsAt  time.Time
	UpdatedAt time.Time
	MinPrice  *event.Decimal
}

// CursorIn is the cursor of a place in an order.
func CursorIn(o EventOrder, at Spot) string {
	made, _ := o.order()
	return made.cursor(made.position(&Event{ID: at.ID, StartsAt: at.StartsAt, UpdatedAt: at.UpdatedAt, minPrice: price{at.MinPrice}}))
}

// ParseCursor reads a cursor of an order, and writes it again.
func ParseCursor(o EventOrder, argument, cursor string) (again string, err error) {
	made, err := o.order()
	if err != nil {
		return "", err
	}
	p, err := made.parseCursor(argument, cursor)
	if err != nil {
		return "", err
	}
	return made.cursor(p), nil
}

// ParseRunCursor is the run that a cursor names.
func ParseRunCursor(argument, cursor string) (int64, error) { return parseRunCursor(argument, cursor) }

// RunCursor is a run's cursor.
func RunCursor(id int64) string { return runCursor(id) }
