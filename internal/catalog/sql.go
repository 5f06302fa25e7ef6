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
	lower      *time.Time // no event that the conditions hold starts before it
	upper      *time.Time // nor after it
	spans      *spans
}

// spans says that the statement reads one bounded range of starts a span class, see event.SpanClass.
type spans struct {
	from  time.Time // the window's beginning, at the earliest
	after *position // where the page begins, if it has a lower end
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

// notBefore adds that an event starts at the bound or after it, in the bound's own terms. A wall clock also
// bounds the instant, loosely, which is what the indexes know.
func (q *query) notBefore(b *Bound) {
	earliest := b.earliest()
	q.where("starts_at >= ?", earliest)
	q.lower = &earliest
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
	q.where("starts_at "+operator+" ?", b.Instant)
	q.upper = &b.Instant
}

// notAfter adds, for the indexes, that an event starts at the latest when clocks anywhere show the bound.
func (q *query) notAfter(b *Bound) {
	latest := b.latest()
	q.where("starts_at <= ?", latest)
	q.upper = &latest
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

// beyond adds the condition that a row comes after a position in the order (operator >) or before it (<). One
// that the window says already is left out: an index is entered at the first bound that it knows of, which
// of a cursor from elsewhere may be years away.
func (q *query) beyond(operator string, p *position) {
	switch {
	case p == nil,
		operator == ">" && q.lower != nil && p.startsAt.Before(*q.lower),
		operator == "<" && q.upper != nil && p.startsAt.After(*q.upper):
	case operator == ">" && q.spans != nil:
		q.spans.after = p
	default:
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
	list, order, limited := strings.Join(columns, ", "), fmt.Sprintf(" ORDER BY starts_at%s, id%[1]s", direction), ""
	if limit > 0 {
		limited = " LIMIT " + q.arg(limit)
	}
	if q.spans == nil {
		return q.selected(list) + order + limited, q.args
	}
	// Which events they are comes first: each class has a page of its own, most of which is left over.
	page := q.perClass("e.starts_at AS page_start, e.id AS page_id", "starts_at, id", order+limited)
	return fmt.Sprintf("SELECT %s FROM (%s ORDER BY page_start%[3]s, page_id%[3]s%s) page JOIN events ON id = page_id ORDER BY page_start%[3]s, page_id%[3]s",
		list, page, direction, limited), q.args
}

// count is the statement that counts what the conditions hold.
func (q *query) count() (string, []any) {
	if q.spans == nil {
		return q.selected("count(*)"), q.args
	}
	return q.perClass("coalesce(sum(e.n), 0)::bigint", "count(*) AS n", ""), q.args
}

func (q *query) selected(list string) string {
	return "SELECT " + list + " FROM events WHERE " + strings.Join(q.conditions, " AND ")
}

// perClass selects list in one bounded range a span class. An event of class c that ends after the window's
// beginning starts after it less c's width. The ranges begin with a position, which is in none of them:
// rows are compared whole, and the planner doesn't take it for one end of a range, of which it would
// expect half a per cent.
func (q *query) perClass(outer, list, tail string) string {
	var classes []int16
	var starts []time.Time
	var ids [][16]byte
	for class := range int16(event.SpanClasses) {
		start := position{q.spans.from.Add(-event.SpanWidth(class)), event.ID{}} // no event has this id
		if class == event.SpanClasses-1 {                                        // its events may be of any length
			start.startsAt = time.Date(-4000, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		if after := q.spans.after; after != nil && after.compare(start) > 0 {
			start = *after
		}
		classes, starts, ids = append(classes, class), append(starts, start.startsAt), append(ids, start.id)
	}
	from := fmt.Sprintf("unnest(%s::smallint[], %s::timestamptz[], %s::uuid[]) AS c (class, after, after_id)", q.arg(classes), q.arg(starts), q.arg(ids))
	q.conditions = append(q.conditions, "span_class = c.class", "(starts_at, id) > (c.after, c.after_id)")
	return fmt.Sprintf("SELECT %s FROM %s CROSS JOIN LATERAL (%s%s) e", outer, from, q.selected(list), tail)
}
