package catalog

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// query collects the conditions of one statement over the events, with their arguments.
type query struct {
	conditions []string
	args       []any
	lower      *time.Time // by the conditions no event starts before it
	upper      *time.Time // nor after this
	spans      *spans     // nil: the statement doesn't read by span classes
	parents    []event.ID // the series, if each has a list of its own; empty: there is one list
	walks      bool       // it reads a page in the order of starts without any filter, see walk
	ends       []end      // if it walks: the ends of the range of starts
}

// end is one end of a range of starts.
type end struct {
	operator string
	at       time.Time
}

// spans says that the statement reads a range of starts in each span class, with two ends; see event.SpanClass.
type spans struct {
	from time.Time // the earliest instant that the window's beginning may be
}

// arg adds an argument and returns its placeholder.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args)) // Itoa allocates nothing for small numbers
}

// where adds a condition; the args are for each ? in it, in their order.
func (q *query) where(condition string, args ...any) {
	q.conditions = append(q.conditions, q.filled(condition, args...))
}

// filled adds args, and returns the condition with their placeholders in the place of each ?.
func (q *query) filled(condition string, args ...any) string {
	for _, a := range args {
		condition = strings.Replace(condition, "?", q.arg(a), 1)
	}
	return condition
}

// starts adds a bound for the events' starts.
func (q *query) starts(operator string, at time.Time) {
	if q.walks {
		q.ends = append(q.ends, end{operator, at})
		return
	}
	q.where("starts_at "+operator+" ?", at)
}

// notBefore adds that an event starts at the bound or after it, by its wall clock if the bound is one. A wall clock also
// bounds the instant, though loosely: the indexes are by instant.
func (q *query) notBefore(b *Bound) {
	earliest := b.earliest()
	q.starts(">=", earliest)
	q.noEarlierThan(earliest)
	if b.isLocal() {
		q.local("starts_local", ">=", b)
	}
}

// startsBefore adds that an event starts before the bound (operator <), or not after it (<=).
func (q *query) startsBefore(operator string, b *Bound) {
	if b.isLocal() {
		q.notAfter(b)
		q.local("starts_local", operator, b)
		return
	}
	q.starts(operator, b.Instant)
	q.noLaterThan(b.Instant)
}

func (q *query) noEarlierThan(t time.Time) {
	if q.lower == nil || t.After(*q.lower) {
		q.lower = &t
	}
}

func (q *query) noLaterThan(t time.Time) {
	if q.upper == nil || t.Before(*q.upper) {
		q.upper = &t
	}
}

// notAfter adds a looser condition, for the indexes: an event starts, at the latest, when the last clock in the world shows the bound.
func (q *query) notAfter(b *Bound) {
	latest := b.latest()
	q.starts("<=", latest)
	q.noLaterThan(latest)
}

// local compares a wall clock with a bound, by the sign of their difference. With a plain comparison the planner would take
// the ranges of wall clocks and of instants for independent, multiply their selectivities, expect a handful of rows, and read
// and sort a whole month for one page.
func (q *query) local(expression, operator string, b *Bound) {
	q.where(expression+" - ?::timestamp "+operator+" interval '0'", b.Local.AsUTC())
}

// window adds the conditions of a window. They hold for the same events as Window.Holds, which tests check.
func (q *query) window(w Window) {
	before := "<" // the window's end is outside it
	if w.Inclusive {
		before = "<="
	}
	if w.To != nil {
		switch w.Match {
		case StartsIn, Overlaps:
			q.startsBefore(before, w.To)
		case EndsIn:
			q.notAfter(w.To) // implied by the next; for the indexes
			q.end(before, w.To)
		case Contained:
			q.notAfter(w.To) // the same
			q.containedEnd(w)
		}
	}
	if w.From != nil {
		switch w.Match {
		case StartsIn, Contained:
			q.notBefore(w.From)
		case EndsIn:
			q.end(">=", w.From)
			q.spans = &spans{from: w.From.earliest()}
		case Overlaps:
			q.endsAfter(w.From)
			q.spans = &spans{from: w.From.earliest()}
		}
	}
}

// column is the column of starts or ends (name) that a bound is compared with: the wall clock or the instant.
func column(name string, b *Bound) string {
	if b.isLocal() {
		return name + "_local"
	}
	return name + "_at"
}

// value is what a bound's column is compared with.
func (b *Bound) value() time.Time {
	if b.isLocal() {
		return b.Local.AsUTC()
	}
	return b.Instant
}

// notOver adds that an event ends after now. Other conditions imply it already; by this one the indexes can skip past events.
func (q *query) notOver(now time.Time) {
	q.where("coalesce(ends_at, starts_at) - ?::timestamptz > interval '0'", now)
	if q.lower == nil && (q.spans == nil || q.spans.from.Before(now)) {
		q.spans = &spans{from: now}
	}
}

// end compares an event's end, or its start if it has no end, with a bound. By the sign of the difference, as in local.
func (q *query) end(operator string, b *Bound) {
	if b.isLocal() {
		q.local("coalesce(ends_local, starts_local)", operator, b)
		return
	}
	q.where("coalesce(ends_at, starts_at) - ?::timestamptz "+operator+" interval '0'", b.Instant)
}

// endsAfter is OVERLAPS' rule for the window's beginning: an event that ends at that moment is outside, but an event without
// duration at that moment is inside. Whether it has a duration is told by its instants: on the night when clocks go back, an event
// may end at the same wall clock reading at which it began.
func (q *query) endsAfter(b *Bound) {
	value := q.arg(b.value())
	q.where(fmt.Sprintf("CASE WHEN ends_at > starts_at THEN %s > %s ELSE %s >= %s END",
		column("ends", b), value, column("starts", b), value))
}

// containedEnd is CONTAINED's rule for the window's end: an event may end at that moment, but one without duration has
// to be before it.
func (q *query) containedEnd(w Window) {
	value := q.arg(w.To.value())
	instant := "<"
	if w.Inclusive {
		instant = "<="
	}
	q.where(fmt.Sprintf("CASE WHEN ends_at > starts_at THEN %s <= %s ELSE %s %s %s END",
		column("ends", w.To), value, column("starts", w.To), instant, value))
}
