package catalog

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// changeScan bounds the numbers that one page of changes looks at, however few of them pass its filter.
const changeScan = 20_000

// changeColumns are what scanChange scans, from a change c, its event e and the spans s around it.
const changeColumns = `c.id, c.event_id, c.provider_id, e.series_id, c.at, c.kind, c.fields,
	s.was_starts_at, s.was_ends_at, s.was_starts_local, s.was_ends_local, s.is_starts_at, s.is_ends_at, s.is_starts_local, s.is_ends_local`

// wasListed is the condition that event e of change c was listed when c was made: an event that is listed later than it
// was first seen is added once more then.
const wasListed = "e.listed AND NOT EXISTS (SELECT FROM changes l WHERE l.event_id = c.event_id AND l.id > c.id AND l.kind = 'ADDED')"

// spansAround tells when an event took place before and after a change c of it. After the change, that is what the
// next change of a time says of before, or else what the event e has; before the change, what the change itself
// says of before, or else the same as after.
func spansAround() string {
	column := map[string]string{"startsAt": "starts_at", "endsAt": "ends_at", "startsLocal": "starts_local", "endsLocal": "ends_local"}
	var was, is []string
	for _, field := range []string{"startsAt", "endsAt", "startsLocal", "endsLocal"} {
		kind := "timestamptz"
		if strings.HasSuffix(field, "Local") {
			kind = "timestamp"
		}
		after := fmt.Sprintf("CASE WHEN later.said ? '%[1]s' THEN (later.said->>'%[1]s')::%[2]s ELSE e.%[3]s END", field, kind, column[field])
		is = append(is, after+" AS is_"+column[field])
		was = append(was, fmt.Sprintf("CASE WHEN own.said ? '%[1]s' THEN (own.said->>'%[1]s')::%[2]s ELSE %[3]s END AS was_%[4]s", field, kind, after, column[field]))
	}
	return `
	LEFT JOIN LATERAL (
		SELECT jsonb_object_agg(f->>'field', f->'before') AS said FROM jsonb_array_elements(c.fields) f
		WHERE c.kind = 'RESCHEDULED') own ON true
	LEFT JOIN LATERAL (
		SELECT jsonb_object_agg(f->>'field', f->'before' ORDER BY l.id DESC) AS said
		FROM changes l, jsonb_array_elements(l.fields) f
		WHERE l.event_id = c.event_id AND l.id > c.id AND l.kind = 'RESCHEDULED') later ON true
	CROSS JOIN LATERAL (SELECT ` + strings.Join(append(was, is...), ", ") + `) s`
}

// changesQuery is the statement that reads changes with the state of the catalog. There is a row without a change
// when none is found.
func changesQuery(r changeRange, f *changeFilter) (string, []any) {
	q := &query{}
	after := q.arg(r.after)
	q.where(wasListed)
	q.conditions = append(q.conditions, "c.id > "+after, "c.id <= k.until")
	until := fmt.Sprintf("(SELECT min(id) FROM changes WHERE id > %s) + %d", after, changeScan-1)
	if len(f.events) > 0 { // their histories are short, and have an index
		q.where("c.event_id = ANY(?)", f.events)
		until = fmt.Sprint(int64(math.MaxInt64))
	}
	if len(f.kinds) > 0 {
		q.where("c.kind = ANY(?)", f.kinds)
	}
	if len(f.providers) > 0 {
		q.where("c.provider_id = ANY(?)", f.providers)
	}
	if len(f.series) > 0 {
		q.where("e.series_id = ANY(?)", f.series)
	}
	if f.window != nil {
		q.conditions = append(q.conditions, "(c.kind <> 'ADDED' AND "+q.spanIn(f.window(), "was")+" OR "+q.spanIn(f.window(), "is")+")")
	}
	return fmt.Sprintf(`
		SELECT k.last_change, k.pruned_change, coalesce(k.until, k.last_change), found.*
		FROM (SELECT last_change, pruned_change, %s AS until FROM catalog WHERE id = 1) k
		LEFT JOIN LATERAL (
			SELECT %s FROM changes c JOIN events e ON e.id = c.event_id %s
			WHERE %s ORDER BY c.id LIMIT %s) found ON true
		ORDER BY found.id`, until, changeColumns, spansAround(), strings.Join(q.conditions, " AND "), q.arg(r.limit)), q.args
}

// spanIn is the condition that the span before (was) or after (is) the change is in a window.
func (q *query) spanIn(w Window, when string) string {
	in := &query{args: q.args}
	in.where("true")
	in.window(w)
	q.args = in.args
	return fmt.Sprintf(`EXISTS (SELECT FROM (SELECT s.%[1]s_starts_at AS starts_at, s.%[1]s_ends_at AS ends_at, s.%[1]s_starts_local AS starts_local, s.%[1]s_ends_local AS ends_local) AS span WHERE %[2]s)`,
		when, strings.Join(in.conditions, " AND "))
}

// historyQuery is the statement that reads a page of changes of each of some events, and one more.
func historyQuery(ids []event.ID, args historyArgs) (string, []any) {
	//nolint:unqueryvet // The innermost statement names its columns.
	return fmt.Sprintf(`
		SELECT k.last_change, k.pruned_change, k.last_change, found.*
		FROM catalog k LEFT JOIN (
			SELECT c.* FROM unnest($1::uuid[]) AS of (id) JOIN events e ON e.id = of.id
			CROSS JOIN LATERAL (
				SELECT %s FROM changes c %s WHERE c.event_id = e.id AND c.id > $2 AND %s ORDER BY c.id LIMIT $3) c
		) found ON true
		WHERE k.id = 1 ORDER BY found.id`, changeColumns, spansAround(), wasListed), []any{ids, args.after, args.first + 1}
}

// scanChange notes the state of the catalog, and returns the row's change, nil if it has none.
func scanChange(row pgx.CollectableRow, read *changesRead) (*Change, error) {
	var (
		c                                              Change
		number                                         *int64
		eventID, providerID, seriesID                  *[16]byte
		at                                             *time.Time
		kind                                           *event.ChangeKind
		wasStart, wasEnd, wasStartsLocal, wasEndsLocal *time.Time
		isStart, isEnd, isStartsLocal, isEndsLocal     *time.Time
	)
	err := row.Scan(&read.latest, &read.pruned, &read.until, &number, &eventID, &providerID, &seriesID, &at, &kind, &c.fields,
		&wasStart, &wasEnd, &wasStartsLocal, &wasEndsLocal, &isStart, &isEnd, &isStartsLocal, &isEndsLocal)
	if err != nil || number == nil {
		return nil, err
	}
	c.Number, c.EventID, c.ProviderID, c.seriesID, c.At, c.Kind = *number, *eventID, *providerID, (*event.ID)(seriesID), *at, *kind
	c.before = spanOf(wasStart, wasEnd, wasStartsLocal, wasEndsLocal)
	c.after = spanOf(isStart, isEnd, isStartsLocal, isEndsLocal)
	return &c, nil
}

func spanOf(start, end, startsLocal, endsLocal *time.Time) Span {
	given := func(t *time.Time) time.Time {
		if t == nil {
			return time.Time{}
		}
		return t.UTC()
	}
	return Span{StartsAt: given(start), EndsAt: given(end), StartsLocal: given(startsLocal), EndsLocal: given(endsLocal)}
}
