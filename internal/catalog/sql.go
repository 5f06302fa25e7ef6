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
	lower      *time.Time // no event that the conditions hold starts before it
	upper      *time.Time // nor after it
	spans      *spans
	parents    []event.ID // the series of which each has a list of its own; empty: one list
	walks      bool       // it reads a page of the order of starts, see walk
	ends       []end      // of the range that such a page is of
}

// end is one end of a range of starts.
type end struct {
	operator string
	at       time.Time
}

// spans says that the statement reads one bounded range of starts a span class, see event.SpanClass.
type spans struct {
	from time.Time // the window's beginning, at the earliest
}

// arg adds an argument and returns its placeholder.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args)) // which has small numbers ready
}

// where adds a condition, in which each ? is the next of args.
func (q *query) where(condition string, args ...any) {
	q.conditions = append(q.conditions, q.filled(condition, args...))
}

// filled is a condition with the placeholders of args in the place of each ?.
func (q *query) filled(condition string, args ...any) string {
	for _, a := range args {
		condition = strings.Replace(condition, "?", q.arg(a), 1)
	}
	return condition
}

// starts adds a bound of starts.
func (q *query) starts(operator string, at time.Time) {
	if q.walks {
		q.ends = append(q.ends, end{operator, at})
		return
	}
	q.where("starts_at "+operator+" ?", at)
}

// notBefore adds that an event starts at the bound or after it, in the bound's own terms. A wall clock also
// bounds the instant, loosely, which is what the indexes know.
func (q *query) notBefore(b *Bound) {
	earliest := b.earliest()
	q.starts(">=", earliest)
	q.noEarlierThan(earliest)
	if b.isLocal() {
		q.local("starts_local", ">=", b)
	}
}

// startsBefore adds that an event starts before the bound, with operator <, or at it at the latest, with <=.
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

// notAfter adds, for the indexes, that an event starts at the latest when clocks anywhere show the bound.
func (q *query) notAfter(b *Bound) {
	latest := b.latest()
	q.starts("<=", latest)
	q.noLaterThan(latest)
}

// local compares a wall clock with a bound. By the sign of the difference: the planner would take a range
// of wall clocks beside one of instants for two chances that multiply, expect a handful of rows, and read
// and sort a whole month for the sake of one page.
func (q *query) local(expression, operator string, b *Bound) {
	q.where(expression+" - ?::timestamp "+operator+" interval '0'", b.Local.AsUTC())
}

// window adds the window's rule. The predicates agree, row by row, with Window.Holds, which tests hold
// them to.
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
			q.notAfter(w.To) // implied, and known to the indexes
			q.end(before, w.To)
		case Contained:
			q.notAfter(w.To) // likewise
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

// column is the start or end column that a bound is compared with.
func column(name string, b *Bound) string {
	if b.isLocal() {
		return name + "_local"
	}
	return name + "_at"
}

func (b *Bound) value() time.Time {
	if b.isLocal() {
		return b.Local.AsUTC()
	}
	return b.Instant
}

// notOver adds that an event ends after now: an implied condition, by which the indexes can leave the past out.
func (q *query) notOver(now time.Time) {
	q.where("coalesce(ends_at, starts_at) - ?::timestamptz > interval '0'", now)
	if q.lower == nil && (q.spans == nil || q.spans.from.Before(now)) {
		q.spans = &spans{from: now}
	}
}

// end compares an event's end, which is its start when it has none. By the sign of a difference, as in local.
func (q *query) end(operator string, b *Bound) {
	if b.isLocal() {
		q.local("coalesce(ends_local, starts_local)", operator, b)
		return
	}
	q.where("coalesce(ends_at, starts_at) - ?::timestamptz "+operator+" interval '0'", b.Instant)
}

// endsAfter is OVERLAPS' rule for the window's beginning: an event that ends then is over, an instant at
// that moment is not. An instant is one by its instants: when clocks go back, an event may end at the
// reading at which it began.
func (q *query) endsAfter(b *Bound) {
	value := q.arg(b.value())
	q.where(fmt.Sprintf("CASE WHEN ends_at > starts_at THEN %s > %s ELSE %s >= %s END",
		column("ends", b), value, column("starts", b), value))
}

// containedEnd is CONTAINED's rule for the window's end: a span may end with the window, an instant has
// to lie before it.
func (q *query) containedEnd(w Window) {
	value := q.arg(w.To.value())
	instant := "<"
	if w.Inclusive {
		instant = "<="
	}
	q.where(fmt.Sprintf("CASE WHEN ends_at > starts_at THEN %s <= %s ELSE %s %s %s END",
		column("ends", w.To), value, column("starts", w.To), instant, value))
}
