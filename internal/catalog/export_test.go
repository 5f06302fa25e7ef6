package catalog

import (
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// CursorAt is a cursor of any place, as a client might forge it.
func CursorAt(startsAt time.Time, id event.ID) string { return position{startsAt, id}.cursor() }
