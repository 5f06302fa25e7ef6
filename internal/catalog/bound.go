package catalog

import (
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// Bound is one end of a window: an instant, or a wall clock reading that is compared with each event's
// own wall clock ("on Saturday" means Saturday at the venue). Exactly one of Instant and Local is set.
type Bound struct {
	Instant time.Time
	Local   event.LocalDateTime
	Date    bool // given as a date only
}

// Years that a bound may lie in, in UTC: those of events.
const (
	minYear = 1000
	maxYear = 9999
)

// maxBoundBytes bounds what ParseBound looks at.
const maxBoundBytes = 64

// ParseBound reads a date, or a date and time with or without seconds, fractions of a second and an offset:
// 2021-06-30, 2021-06-30T20:00, 2021-06-30T20:00:00.5Z, 2021-06-30T20:00+02:00. The year is from 1000 to 9999. It returns
// false for anything else.
func ParseBound(s string) (Bound, bool) {
	if len(s) > maxBoundBytes {
		return Bound{}, false
	}
	if local, err := event.ParseLocalDate(s); err == nil {
		return Bound{Local: local, Date: true}, true
	}
	if local, err := event.ParseLocal(s); err == nil {
		return Bound{Local: local}, true
	}
	s = strings.Replace(s, "z", "Z", 1)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700"} {
		instant, err := time.Parse(layout, s)
		instant = instant.UTC().Truncate(time.Microsecond) // as much as PostgreSQL compares
		if year := instant.Year(); err == nil && year >= minYear && year <= maxYear {
			return Bound{Instant: instant}, true
		}
	}
	return Bound{}, false
}

// In reads a wall clock bound in zone; an instant stays as it is.
func (b Bound) In(zone *time.Location) Bound {
	if b.Local.IsZero() {
		return b
	}
	return Bound{Instant: b.Local.In(zone), Date: b.Date}
}

func (b Bound) isLocal() bool { return !b.Local.IsZero() }

// String is the bound in a form that ParseBound reads.
func (b Bound) String() string {
	switch {
	case !b.isLocal():
		return b.Instant.Format(time.RFC3339Nano)
	case b.Date:
		return b.Local.Date()
	default:
		return b.Local.String()
	}
}

// maxOffset is farther than any zone's clocks have ever been from UTC (Manila, until 1844: 15:56).
const maxOffset = 16 * time.Hour

// earliest and latest are the first and the last instant at which clocks anywhere show the bound.
func (b Bound) earliest() time.Time {
	if b.isLocal() {
		return b.Local.AsUTC().Add(-maxOffset)
	}
	return b.Instant
}

func (b Bound) latest() time.Time {
	if b.isLocal() {
		return b.Local.AsUTC().Add(maxOffset)
	}
	return b.Instant
}
