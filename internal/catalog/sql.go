package catalog

import (
	"fmt"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// query collects the conditions of one statement over the events, with their arguments.
type query struct {
	conditions []string
	args       []any
	spans      *spans
}

// spans says that the statement reads one bounded range of starts a span class, see event.SpanClass.
type spans struct {
	from time.Time // the window's beginning, at the earliest
}

// arg adds an argument and returns its placeholder.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

// where adds a condition, in which each ? is the next of args.
func (q *query) where(condition string, args ...any) {
	for _, a := range args {
		condition = strings.Replace(condition, "?", q.arg(a), 1)
	}
	q.conditions = append(q.conditions, condition)
}

// bound adds a comparison of an event's start or end with a bound, in the bound's own terms. A wall
// clock also bounds the instant, loosely, which is what the indexes know.
func (q *query) bound(column, operator string, b *Bound) {
	if !b.isLocal() {
		q.where(column+"_at "+operator+" ?", b.Instant)
		return
	}
	q.where(column+"_local "+operator+" ?", b.Local.AsUTC())
	switch {
	case column != "starts":
	case strings.HasPrefix(operator, "<"):
		q.where("starts_at <= ?", b.latest())
	default:
		q.where("starts_at >= ?", b.earliest())
	}
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
			q.bound("starts", before, w.To)
		case EndsIn:
			q.where("starts_at <= ?", w.To.latest()) // implied, and known to the indexes
			q.end(before, w.To)
		case Contained:
			q.where("starts_at <= ?", w.To.latest()) // likewise
			q.containedEnd(w)
		}
	}
	if w.From != nil {
		switch w.Match {
		case StartsIn, Contained:
			q.bound("starts", ">=", w.From)
		case EndsIn:
			q.end(">=", w.From)
			q.spans = &spans{w.From.earliest()}
		case Overlaps:
			q.endsAfter(w.From)
			q.spans = &spans{w.From.earliest()}
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

// end compares an event's end, which is its start when it has none.
func (q *query) end(operator string, b *Bound) {
	q.where(fmt.Sprintf("coalesce(%s, %s) %s ?", column("ends", b), column("starts", b), operator), b.value())
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

// beyond adds the condition that a row comes after a position in the order, or before it when backward.
func (q *query) beyond(operator string, p *position) {
	if p != nil {
		q.where("(starts_at, id) "+operator+" (?, ?)", p.startsAt, [16]byte(p.id))
	}
}

// rows is the statement that selects columns of what the conditions hold, at most limit of them
// (0: all), in the order (start, id) or its reverse.
func (q *query) rows(columns []string, backward bool, limit int) (string, []any) {
	direction := ""
	if backward {
		direction = " DESC"
	}
	tail := fmt.Sprintf(" ORDER BY starts_at%s, id%s", direction, direction)
	if limit > 0 {
		tail += " LIMIT " + q.arg(limit)
	}
	list := strings.Join(columns, ", ")
	if q.spans == nil {
		return "SELECT " + list + " FROM events WHERE " + strings.Join(q.conditions, " AND ") + tail, q.args
	}
	from := q.classes()
	return fmt.Sprintf("SELECT e.* FROM %s CROSS JOIN LATERAL (SELECT %s FROM events WHERE %s%s) e%s",
		from, list, strings.Join(q.conditions, " AND "), tail, tail), q.args
}

// count is the statement that counts what the conditions hold.
func (q *query) count() (string, []any) {
	if q.spans == nil {
		return "SELECT count(*) FROM events WHERE " + strings.Join(q.conditions, " AND "), q.args
	}
	from := q.classes()
	return "SELECT count(*) FROM " + from + " JOIN events ON " + strings.Join(q.conditions, " AND "), q.args
}

// classes adds the conditions of one range a span class, and returns the relation that lists the
// classes. An event of class c that ends after the window's beginning starts after it less c's width.
func (q *query) classes() string {
	var classes []int16
	var starts []time.Time
	for class := range int16(event.SpanClasses) {
		start := q.spans.from.Add(-event.SpanWidth(class))
		if class == event.SpanClasses-1 { // its events may be of any length
			start = time.Date(-4000, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		classes, starts = append(classes, class), append(starts, start)
	}
	from := fmt.Sprintf("unnest(%s::smallint[], %s::timestamptz[]) AS c (class, earliest)", q.arg(classes), q.arg(starts))
	q.conditions = append(q.conditions, "span_class = c.class", "starts_at >= c.earliest")
	return from
}
