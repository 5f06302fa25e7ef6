package catalog

import (
	"cmp"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// WindowMatch says which events count as inside a window. An event is the half-open span from its start to its
// end; an event without an end, or with one that is not after its start, is an instant.
type WindowMatch string

// The window rules.
const (
	// Overlaps is RFC 4791, 9.9: an event that has begun before the window's end and ends after its
	// beginning; an instant that lies in it.
	Overlaps  WindowMatch = "OVERLAPS"
	StartsIn  WindowMatch = "STARTS_IN"
	EndsIn    WindowMatch = "ENDS_IN"
	Contained WindowMatch = "CONTAINED" // it starts and ends in it
)

// WindowPreset is a window relative to now.
type WindowPreset string

// The presets, in the days of a time zone.
const (
	Today       WindowPreset = "TODAY"
	Tomorrow    WindowPreset = "TOMORROW"
	ThisWeekend WindowPreset = "THIS_WEEKEND" // Saturday and Sunday; on one of these days, what is left of them
	Next7Days   WindowPreset = "NEXT_7_DAYS"  // today and the six days after it
	Next30Days  WindowPreset = "NEXT_30_DAYS"
)

// Window is a date range, and the rule for which events are inside it. Every event is inside the zero value.
type Window struct {
	From, To  *Bound // nil: open
	Match     WindowMatch
	Inclusive bool           // To belongs to the window
	Zone      *time.Location // the zone in whose days facets count; nil: each event's own
}

// WindowInput is a window as a client gives it.
type WindowInput struct {
	From, To *Bound
	TimeZone *time.Location // of bounds without an offset, and of the preset; nil: each event's own
	Match    WindowMatch    // empty: Overlaps
	Preset   *WindowPreset
}

// Window checks the input and resolves the preset as of now. Its error is an *Error that names window's parts.
func (in WindowInput) Window(now time.Time) (Window, error) {
	switch {
	case in.Preset == nil:
	case in.From != nil || in.To != nil:
		return Window{}, badInput("window.preset", "give a preset, or from and to, not both")
	case in.TimeZone == nil:
		return Window{}, badInput("window.timeZone", "a preset needs a timeZone: whose day is meant?")
	default:
		in.From, in.To = in.Preset.bounds(now, in.TimeZone)
	}
	w := in.inZone()
	return w, w.Check("window.from", "window.to")
}

// inZone reads the bounds in the time zone.
func (in WindowInput) inZone() Window {
	w := Window{From: in.From, To: in.To, Match: cmp.Or(in.Match, Overlaps), Zone: in.TimeZone}
	for _, b := range []**Bound{&w.From, &w.To} {
		if *b != nil && in.TimeZone != nil {
			resolved := (*b).In(in.TimeZone)
			*b = &resolved
		}
	}
	return w
}

// Check returns an *Error if To is before From; of an instant and a wall clock reading, only if it is so in every time zone. from and to are
// the names of the arguments, for the error.
func (w Window) Check(from, to string) error {
	if w.From == nil || w.To == nil {
		return nil
	}
	reversed := w.To.latest().Before(w.From.earliest())
	if w.From.isLocal() && w.To.isLocal() {
		reversed = w.To.Local.Compare(w.From.Local) < 0
	}
	if reversed {
		return badInput(from, "%s %s is after %s %s", from, w.From, to, w.To)
	}
	return nil
}

func (p WindowPreset) bounds(now time.Time, zone *time.Location) (from, to *Bound) {
	today := event.LocalOf(now.In(zone))
	midnight, _ := event.ParseLocalDate(today.Date()) // the form is its own
	days := func(from, to int) (*Bound, *Bound) {
		at := func(n int) *Bound {
			return &Bound{Local: midnight.Add(time.Duration(n) * 24 * time.Hour), Date: true}
		}
		return at(from), at(to)
	}
	switch p {
	case Tomorrow:
		return days(1, 2)
	case ThisWeekend:
		switch weekday := today.AsUTC().Weekday(); weekday {
		case time.Saturday:
			return days(0, 2)
		case time.Sunday:
			return days(0, 1)
		default:
			saturday := int(time.Saturday - weekday)
			return days(saturday, saturday+2)
		}
	case Next7Days:
		return days(0, 7)
	case Next30Days:
		return days(0, 30)
	default:
		return days(0, 1)
	}
}
