package catalog

import (
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// CursorAt is a cursor of any place, as a client might forge it.
func CursorAt(startsAt time.Time, id event.ID) string { return position{startsAt, id}.cursor() }

// ParseCursor is the place that a cursor names.
func ParseCursor(argument, cursor string) (startsAt time.Time, id event.ID, err error) {
	p, err := parseCursor(argument, cursor)
	return p.startsAt, p.id, err
}

// ParseRunCursor is the run that a cursor names.
func ParseRunCursor(argument, cursor string) (int64, error) { return parseRunCursor(argument, cursor) }

// RunCursor is a run's cursor.
func RunCursor(id int64) string { return runCursor(id) }
