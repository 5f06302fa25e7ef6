package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// rows is the statement that selects columns of the events for which the conditions hold, in some stretches of an order: the first limit
// of them, rounded up, or all if limit is 0. The limit is no argument but a part of the text, so that PostgreSQL knows it when it makes
// a generic plan. Otherwise it would expect a tenth of all rows, find that plan too expensive, and plan anew each time.
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
	// Find out first which events they are, and read their columns afterwards: each part and each span class gives a page, most of which is dropped.
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

// roundedUp is the limit rounded up to one of a few, so that few different statements are prepared.
func roundedUp(limit int) int {
	for _, n := range [...]int{DefaultPageSize/5 + 1, DefaultPageSize/2 + 1, DefaultPageSize + 1} {
		if limit <= n {
			return n
		}
	}
	return MaxPageSize + 1
}

// page is the statement that selects keys and ids of one stretch.
func (q *query) page(o order, s stretch, limited string) string {
	const outer = "e.page_key, e.page_id"
	list, sorted := s.column+" AS page_key, id AS page_id", s.sorted(s.column, "id")+limited
	switch {
	case q.spans == nil:
		return q.selected(list, q.inside(o, s)...) + sorted
	case s.column != startColumn:
		return q.perClass(outer, list, sorted, o, s) + s.sorted("page_key", "page_id") + limited
	}
	// Events that start in the window are one range of the order, however long they are. Before it come those that begin earlier and reach into it.
	from, lower, upper := q.arg(q.spans.from), q.lower, q.upper
	q.noLaterThan(q.spans.from)
	reaching := q.perClass(outer, list, sorted, o, s, "starts_at < "+from)
	q.upper = upper
	q.noEarlierThan(q.spans.from)
	starting := q.selected(list, append(q.inside(o, s), "starts_at >= "+from)...) + sorted
	q.lower = lower
	return fmt.Sprintf("SELECT page_key, page_id FROM (%s UNION ALL (%s)) spans", reaching, starting) + s.sorted("page_key", "page_id") + limited
}

// after says whether all events of a stretch start at t or later.
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

// inside are the conditions for an event to be in a stretch.
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

// beyond is the condition that a row of a stretch comes above a position (operator >) or below it (<). It is empty if the
// window implies it: PostgreSQL enters an index at the first bound in the statement, and that of a cursor from another window may
// be years away.
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

// walk are the conditions of a page in the order of starts without any filter. The best plan is always to walk along the index of that
// order. But PostgreSQL would plan anew for each window, since it expects fewer rows of a narrow one, and that takes as long as reading
// the page. So subqueries hide the values from it. It must not see a range either, of which it would expect half a per cent of all rows,
// and sort these: so the lower end is compared as a row. Of an end of the window and a cursor only the narrower one is given, since
// PostgreSQL may enter the index at either.
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

// selected is a SELECT of the events for which the conditions, and some more, hold.
func (q *query) selected(list string, more ...string) string {
	return "SELECT " + list + " FROM events WHERE " + strings.Join(append(slices.Clip(q.conditions), more...), " AND ")
}

// perClass is the statement that selects list from a range of starts in each span class. An event of class c that ends after the window's
// beginning starts, at the earliest, c's width before that. A range begins behind a position: since (starts_at, id) is compared as a row,
// the planner does not take that for one end of a range, of which it would expect half a per cent of all rows. A SELECT for each
// class, joined by UNION ALL, would read fewer rows, but take ten times as long to plan.
func (q *query) perClass(outer, list, tail string, o order, s stretch, conditions ...string) string {
	var classes []int16
	var starts []time.Time
	var ids [][16]byte
	after := s.above
	if s.column == startColumn {
		s.above = nil // the ranges begin behind it, and need no condition
	} else {
		after = nil
	}
	for class := range int16(event.SpanClasses) {
		start := position{key: key{at: q.spans.from.Add(-event.SpanWidth(class))}} // its id, all zeros, is no event's
		if class == event.SpanClasses-1 {                                          // the last class: its events may be of any length
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
