package catalog

import "time"

// Span is when an event takes place, as the window rules see it.
type Span struct {
	StartsAt, EndsAt       time.Time // EndsAt: zero if there is none
	StartsLocal, EndsLocal time.Time // wall clocks, as UTC
}

// Holds says whether a span is inside the window. The SQL for windows is tested against it, pages from memory are
// chosen by it, and so are the transitions of changes.
func (w Window) Holds(s Span) bool {
	instant := !s.EndsAt.After(s.StartsAt)
	if s.EndsAt.IsZero() {
		s.EndsAt, s.EndsLocal = s.StartsAt, s.StartsLocal
	}
	compare := func(at, local time.Time, b *Bound) int {
		if b.isLocal() {
			return local.Compare(b.Local.AsUTC())
		}
		return at.Compare(b.Instant)
	}
	startTo := func(b *Bound) int { return compare(s.StartsAt, s.StartsLocal, b) }
	endTo := func(b *Bound) int { return compare(s.EndsAt, s.EndsLocal, b) }
	before := func(c int) bool { return c < 0 || w.Inclusive && c == 0 }

	if w.To != nil {
		var inside bool
		switch w.Match {
		case Overlaps, StartsIn:
			inside = before(startTo(w.To))
		case EndsIn:
			inside = before(endTo(w.To))
		case Contained:
			inside = instant && before(startTo(w.To)) || !instant && endTo(w.To) <= 0
		}
		if !inside {
			return false
		}
	}
	if w.From != nil {
		switch w.Match {
		case StartsIn, Contained:
			return startTo(w.From) >= 0
		case EndsIn:
			return endTo(w.From) >= 0
		case Overlaps:
			return instant && startTo(w.From) >= 0 || !instant && endTo(w.From) > 0
		}
	}
	return true
}
