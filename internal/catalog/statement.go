package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// rows is the statement that selects columns of what the conditions hold in some stretches of an order, at most limit
// of them (0: all), or some more. The limit is written out, so that PostgreSQL knows it when it plans for any arguments: else it would
// expect a tenth of all rows, and plan anew each time.
func (q *query) rows(columns []string, o order, stretches []stretch, limit int) (string, []any) {
	list, limited := strings.Join(columns, ", "), ""
	if limit > 0 {
		limited = " LIMIT " + strconv.Itoa(roundedUp(limit))
	}
	if q.spans != nil && len(stretches) == 1 && stretches[0].after(q.spans.from) {
		q.starts(">=", q.spans.from)
		q.noEarlierThan(q.spans.from)
		q.spans = nil
	}
	if len(stretches) == 1 && q.spans == nil {
		s := stretches[0]
		if q.walks {
			return q.selected(list, q.walk(s)...) + s.sorted(s.column, "id") + limited, q.args
		}
		return q.selected(list, q.inside(o, s)...) + s.sorted(s.column, "id") + limited, q.args
	}
	q.walks = false
	for _, end := range q.ends {
		q.starts(end.operator, end.at)
	}
	// Which events they are comes first: each part and each span class has a page of its own, most of which is left over.
	if len(stretches) == 1 {
		s := stretches[0]
		return fmt.Sprintf("SELECT %s FROM (%s) page JOIN events ON id = page_id%s",
			list, q.page(o, s, limited), s.sorted("page_key", "page_id")), q.args
	}
	parts := make([]string, len(stretches))
	for i, s := range stretches {
		parts[i] = fmt.Sprintf("SELECT %d AS page_part, row_number() OVER (%s) AS page_row, page_id FROM (%s) part%[1]d",
			i, strings.TrimSpace(s.sorted("page_key", "page_id")), q.page(o, s, limited))
	}
	return fmt.Sprintf("SELECT %s FROM (SELECT page_part, page_row, page_id FROM (%s) parts ORDER BY page_part, page_row%s) page JOIN events ON id = page_id ORDER BY page_part, page_row",
		list, strings.Join(parts, " UNION ALL "), limited), q.args
}

// roundedUp is a limit that is one of few, so that there are few statements to prepare.
func roundedUp(limit int) int {
	for _, n := range [...]int{DefaultPageSize/5 + 1, DefaultPageSize/2 + 1, DefaultPageSize + 1} {
		if limit <= n {
			return n
		}
	}
	return MaxPageSize + 1
}

// page selects key and id of one stretch.
func (q *query) page(o order, s stretch, limited string) string {
	const outer = "e.page_key, e.page_id"
	list, sorted := s.column+" AS page_key, id AS page_id", s.sorted(s.column, "id")+limited
	switch {
	case q.spans == nil:
		return q.selected(list, q.inside(o, s)...) + sorted
	case s.column != startColumn:
		return q.perClass(outer, list, sorted, o, s) + s.sorted("page_key", "page_id") + limited
	}
	// What starts in the window is one range of the order by itself, however long it is. What reaches into it comes before.
	from, lower, upper := q.arg(q.spans.from), q.lower, q.upper
	q.noLaterThan(q.spans.from)
	reaching := q.perClass(outer, list, sorted, o, s, "starts_at < "+from)
	q.upper = upper
	q.noEarlierThan(q.spans.from)
	starting := q.selected(list, append(q.inside(o, s), "starts_at >= "+from)...) + sorted
	q.lower = lower
	return fmt.Sprintf("SELECT page_key, page_id FROM (%s UNION ALL (%s)) spans", reaching, starting) + s.sorted("page_key", "page_id") + limited
}

// after says that all of a stretch starts then or later.
func (s stretch) after(t time.Time) bool {
	return s.column == startColumn && s.above != nil && !s.above.key.at.Before(t)
}

// sorted is the stretch's ORDER BY.
func (s stretch) sorted(key, id string) string {
	direction := ""
	if s.descending {
		direction = " DESC"
	}
	return fmt.Sprintf(" ORDER BY %s%s, %s%[2]s", key, direction, id)
}

// inside are the conditions of a stretch.
func (q *query) inside(o order, s stretch) []string {
	var conditions []string
	if s.condition != "" {
		conditions = append(conditions, q.filled(s.condition, s.args...))
	}
	for _, c := range []string{q.beyond(o, s, ">", s.above), q.beyond(o, s, "<", s.below)} {
		if c != "" {
			conditions = append(conditions, c)
		}
	}
	return conditions
}

// beyond is the condition that a row of a stretch comes above a position (operator >) or below it (<). One that the
// window says already is left out: an index is entered at the first bound that it knows of, which of a cursor
// from elsewhere may be years away.
func (q *query) beyond(o order, s stretch, operator string, p *position) string {
	switch {
	case p == nil:
		return ""
	case s.null:
		return q.filled("id "+operator+" ?", [16]byte(p.id))
	case s.column == startColumn && operator == ">" && q.lower != nil && p.key.at.Before(*q.lower),
		s.column == startColumn && operator == "<" && q.upper != nil && p.key.at.After(*q.upper):
		return ""
	default:
		return q.filled("("+s.column+", id) "+operator+" ("+o.kind.placeholder()+", ?)", o.arg(p.key), [16]byte(p.id))
	}
}

// walk are the conditions of a page in the order of starts that has no filter, for which any plan but a walk along that
// order is a worse one. PostgreSQL would plan it anew for each window, since it expects less of a narrow one, and that takes as long as
// reading the page. So it is told no values, which subqueries hide from it, and no range either, of which it would expect half a per cent and
// sort that: the lower end is a row. Of an end and a cursor it is told the one that implies the other, for an index is entered at any.
func (q *query) walk(s stretch) (conditions []string) {
	const row = "((SELECT ?::timestamptz), (SELECT ?::uuid))"
	above, below := s.above, s.below
	for _, end := range q.ends {
		switch {
		case end.operator != ">=":
			if below != nil && below.key.at.Before(end.at) {
				continue
			}
			if below != nil && below.key.at.After(end.at) {
				below = nil
			}
			conditions = append(conditions, q.filled("starts_at "+end.operator+" (SELECT ?::timestamptz)", end.at))
		case above == nil || above.key.at.Before(end.at):
			above = nil
			conditions = append(conditions, q.filled("(starts_at, id) >= "+row, end.at, [16]byte{}))
		}
	}
	if above != nil {
		conditions = append(conditions, q.filled("(starts_at, id) > "+row, above.key.at, [16]byte(above.id)))
	}
	if below != nil {
		conditions = append(conditions, q.filled("(starts_at, id) < "+row, below.key.at, [16]byte(below.id)))
	}
	return conditions
}

func (q *query) selected(list string, more ...string) string {
	return "SELECT " + list + " FROM events WHERE " + strings.Join(append(slices.Clip(q.conditions), more...), " AND ")
}

// perClass selects list in one bounded range a span class. An event of class c that ends after the window's
// beginning starts after it less c's width. The ranges begin with a position, which is in none of them:
// rows are compared whole, and the planner doesn't take it for one end of a range, of which it would
// expect half a per cent. One statement a class, merged, would read fewer rows, but takes ten times as long to plan.
func (q *query) perClass(outer, list, tail string, o order, s stretch, conditions ...string) string {
	var classes []int16
	var starts []time.Time
	var ids [][16]byte
	after := s.above
	if s.column == startColumn {
		s.above = nil // the ranges begin with it
	} else {
		after = nil
	}
	for class := range int16(event.SpanClasses) {
		start := position{key: key{at: q.spans.from.Add(-event.SpanWidth(class))}} // no event has its id
		if class == event.SpanClasses-1 {                                          // its events may be of any length
			start.key.at = time.Date(-4000, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		if after != nil && after.compare(start) > 0 {
			start = *after
		}
		classes, starts, ids = append(classes, class), append(starts, start.key.at), append(ids, start.id)
	}
	from := fmt.Sprintf("unnest(%s::smallint[], %s::timestamptz[], %s::uuid[]) AS c (class, after, after_id)", q.arg(classes), q.arg(starts), q.arg(ids))
	more := slices.Concat([]string{"span_class = c.class", "(starts_at, id) > (c.after, c.after_id)"}, conditions, q.inside(o, s))
	return fmt.Sprintf("SELECT %s FROM %s CROSS JOIN LATERAL (%s%s) e", outer, from, q.selected(list, more...), tail)
}
