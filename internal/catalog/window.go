package catalog

import (
	"cmp"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// WindowMatch says what counts as inside a window. An event is the half-open span from its start to its
// end; one without an end, or that ends when it starts, is an instant.
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

// Window is a date range with its rule. The zero value holds every event.
type Window struct {
	From, To  *Bound // nil: open
	Match     WindowMatch
	Inclusive bool           // To is inside
	Zone      *time.Location // whose days facets count in; nil: each event's own
}

// WindowInput is a window as a client gives it.
type WindowInput struct {
	From, To *Bound
	TimeZone *time.Location // of bounds without an offset, and of the preset; nil: each event's own
	Match    WindowMatch    // empty: Overlaps
	Preset   *WindowPreset
}

// Window checks the input and resolves the preset at now.
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

// Check says whether the window's bounds are in order, as far as that can be told of an instant and a
// wall clock. The error names the arguments as given.
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
