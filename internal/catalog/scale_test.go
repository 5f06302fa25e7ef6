package catalog_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// scaleRows makes the events of a large catalog: starts all over the twenty years from 2015, in no order on disk,
// which is the worst case; as long as shows, festivals, exhibitions and season tickets are.
const scaleRows = `
INSERT INTO events (id, provider_id, external_id, title, categories, starts_at, ends_at, starts_local, ends_local, time_zone,
	span_class, online, no_seats_left, offers, currency, min_price, max_price, listed, content_hash, first_seen_at, updated_at)
SELECT md5(i::text)::uuid, $1, i::text, 'Title ' || i, '[]', s, e, s, e, 'Etc/UTC',
	CASE WHEN m <= 1 THEN 0 ELSE least(24, length(ltrim((m - 1)::bit(32)::text, '0'))) END,
	true, false, '[]', 'EUR', 10, 20, i % 50 <> 0, '\x', s, s
FROM (
	SELECT i, s, m, CASE WHEN kind >= 0.15 THEN s + m * interval '1 minute' END AS e
	FROM (
		SELECT i, kind, timestamptz '2015-01-01Z' + floor(random() * 1440 * 7300) * interval '1 minute' AS s,
			CASE
				WHEN kind < 0.15 THEN 0                                                         -- no end
				WHEN kind < 0.85 THEN 45 + floor(random() * 20) * 15                            -- an evening
				WHEN kind < 0.92 THEN 1440 * (1 + floor(random() * 4))                          -- days
				WHEN kind < 0.97 THEN 1440 * (7 + floor(random() * 60))                         -- weeks
				WHEN kind < 0.99 THEN 1440 * (60 + floor(random() * 120))                       -- months
				WHEN kind < 0.999 THEN 1440 * CASE WHEN random() < 0.5 THEN 365 ELSE 180 + floor(random() * 500) END -- a year
				ELSE 1440 * (800 + floor(random() * 1500))                                      -- permanent
			END::integer AS m
		FROM (SELECT i, random() AS kind FROM generate_series(1, $2::integer) AS i) AS numbers
	) AS spans
) AS ends`

// fill makes n events as fast as PostgreSQL can.
func fill(tb testing.TB, pool *pgxpool.Pool, n int) {
	tb.Helper()
	provider := insertProvider(tb, pool, "large")
	var definitions []string
	rows, err := pool.Query(tb.Context(), `SELECT indexname || '|' || indexdef FROM pg_indexes WHERE tablename = 'events' AND indexname <> 'events_pkey'`)
	if err != nil {
		tb.Fatal(err)
	}
	for rows.Next() {
		var definition string
		if err := rows.Scan(&definition); err != nil {
			tb.Fatal(err)
		}
		definitions = append(definitions, definition)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	exec(tb, pool, "ALTER TABLE changes DROP CONSTRAINT changes_events_changes") // a logged table can't refer to one that is not
	exec(tb, pool, "ALTER TABLE events DROP CONSTRAINT events_providers_events, DROP CONSTRAINT events_series_events")
	exec(tb, pool, "ALTER TABLE events SET UNLOGGED")
	for _, definition := range definitions {
		name, _, _ := strings.Cut(definition, "|")
		exec(tb, pool, "DROP INDEX "+name)
	}
	exec(tb, pool, "SELECT setseed(0.5)") // the same events every time
	exec(tb, pool, scaleRows, [16]byte(provider), n)
	for _, definition := range definitions {
		_, sql, _ := strings.Cut(definition, "|")
		exec(tb, pool, sql)
	}
	exec(tb, pool, "VACUUM ANALYZE events")
}

// cost is what PostgreSQL says of a statement that it ran.
type cost struct {
	buffers int
	ms      float64 // planning and execution
	seqScan bool
	plan    string
}

func explain(tb testing.TB, pool *pgxpool.Pool, s statement) cost {
	tb.Helper()
	var text string
	if err := pool.QueryRow(tb.Context(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+s.sql, s.args...).Scan(&text); err != nil {
		tb.Fatalf("explaining %s: %v", s.sql, err)
	}
	var explained []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
		Planning float64 `json:"Planning Time"`
		Time     float64 `json:"Execution Time"`
	}
	if err := json.Unmarshal([]byte(text), &explained); err != nil {
		tb.Fatal(err)
	}
	p := explained[0]
	return cost{p.Plan.Hit + p.Plan.Read, p.Planning + p.Time, strings.Contains(text, `"Seq Scan"`), text}
}

// scaleCase is a page of a large catalog.
type scaleCase struct {
	name  string
	query catalog.EventQuery
}

func scaleCases(tb testing.TB) []scaleCase {
	tb.Helper()
	var cases []scaleCase
	for _, match := range []catalog.WindowMatch{catalog.Overlaps, catalog.StartsIn, catalog.EndsIn, catalog.Contained} {
		for _, w := range []struct{ name, from, to string }{
			{"before all", "1990-01-01T00:00:00Z", "1990-02-01T00:00:00Z"},
			{"past day", "2016-03-05", "2016-03-06"},
			{"middle day", "2025-03-05T00:00:00Z", "2025-03-06T00:00:00Z"},
			{"middle month", "2025-03-01", "2025-04-01"},
			{"middle decade", "2020-01-01", "2030-01-01"},
			{"future month", "2034-11-01T00:00:00Z", "2034-12-01T00:00:00Z"},
			{"after all", "2060-01-01", "2060-02-01"},
			{"from middle", "2025-03-05T00:00:00Z", ""},
			{"to middle", "", "2025-03-05T00:00:00Z"},
		} {
			window := catalog.Window{Match: match}
			if w.from != "" {
				window.From = bound(tb, w.from)
			}
			if w.to != "" {
				window.To = bound(tb, w.to)
			}
			for _, descending := range []bool{false, true} {
				name, order := fmt.Sprintf("%s/%s", match, w.name), catalog.EventOrder{}
				if descending {
					name += " descending"
					order.Direction = catalog.Descending
				}
				cases = append(cases, scaleCase{name, catalog.EventQuery{Window: window, Order: order}})
			}
		}
	}
	return cases
}

// halfWay is an instant in the middle of a window.
func halfWay(w catalog.Window) time.Time {
	from, to := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC)
	if w.From != nil {
		from = w.From.In(time.UTC).Instant
	}
	if w.To != nil {
		to = w.To.In(time.UTC).Instant
	}
	return from.Add(to.Sub(from) / 2)
}

// measurePages explains the first page, the last and deep ones of every case and holds them to a bound. The
// statements are those that Events sends.
func measurePages(tb testing.TB, pool *pgxpool.Pool, t *tracer, limits map[catalog.WindowMatch]int) map[catalog.WindowMatch]cost {
	tb.Helper()
	c := catalog.New(pool, time.Now)
	worst := map[catalog.WindowMatch]cost{}
	check := func(name string, query catalog.EventQuery) {
		t.take()
		page, err := c.Events(tb.Context(), query)
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		sent := t.take()
		if len(sent) != 1 {
			tb.Fatalf("%s: %d statements, want 1", name, len(sent))
		}
		got := explain(tb, pool, sent[0])
		tb.Logf("%-50s %6d buffers %8.2f ms, %d events", name, got.buffers, got.ms, len(page.Nodes))
		match := query.Window.Match
		if got.buffers > limits[match] || got.seqScan {
			tb.Errorf("%s: %d buffers, want at most %d; sequential scan: %t\n%s\n%s", name, got.buffers, limits[match], got.seqScan, sent[0].sql, got.plan)
		}
		if got.buffers > worst[match].buffers {
			worst[match] = got
		}
	}
	for _, sc := range scaleCases(tb) {
		check(sc.name+" first", sc.query)
		last := sc.query
		last.Page.Last = new(int(catalog.DefaultPageSize))
		check(sc.name+" last", last)
		// Half-way through the window, and from a place far outside of it.
		for name, instant := range map[string]time.Time{"half-way": halfWay(sc.query.Window), "ancient": time.Unix(0, 0), "distant": time.Unix(1e10, 0)} {
			cursor := catalog.CursorAt(instant, event.ID{})
			after, before := sc.query, sc.query
			after.Page.After = &cursor
			check(sc.name+" after "+name, after)
			before.Page.Before = &cursor
			check(sc.name+" before "+name, before)
			before.Page.Last = new(int(catalog.DefaultPageSize))
			check(sc.name+" last before "+name, before)
		}
	}
	return worst
}

// measureCounts explains the total counts of windows.
func measureCounts(tb testing.TB, pool *pgxpool.Pool, t *tracer) {
	tb.Helper()
	c := catalog.New(pool, time.Now)
	for _, sc := range scaleCases(tb) {
		if sc.query.Order != (catalog.EventOrder{}) || strings.HasSuffix(sc.name, "decade") || strings.HasSuffix(sc.name, " middle") {
			continue // these count millions
		}
		page, err := c.Events(tb.Context(), sc.query)
		if err != nil {
			tb.Fatal(err)
		}
		t.take()
		n, err := page.TotalCount(tb.Context())
		if err != nil {
			tb.Fatal(err)
		}
		sent := t.take()
		got := explain(tb, pool, sent[0])
		tb.Logf("%-50s %6d buffers %8.2f ms, counts %d", sc.name, got.buffers, got.ms, n)
		if got.seqScan {
			tb.Errorf("%s: counting reads the whole table\n%s\n%s", sc.name, sent[0].sql, got.plan)
		}
	}
}

// TestPagesOfALargeCatalog holds every rule, wherever its window lies, to a bounded range of an index.
func TestPagesOfALargeCatalog(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped by -short: it makes 200,000 events")
	}
	pool, trace := traced(t, 1)
	fill(t, pool, 200_000)
	measurePages(t, pool, trace, map[catalog.WindowMatch]int{catalog.Overlaps: 1_500, catalog.EndsIn: 1_500, catalog.StartsIn: 600, catalog.Contained: 600})
	measureCounts(t, pool, trace)
	checkPlans(t, pool)
}

// checkPlans: pages of windows that differ are read by one plan.
func checkPlans(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	pool.Reset() // so that nothing is prepared
	c := catalog.New(pool, time.Now)
	from := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range 20 { // a day, two days, …
		w := catalog.Window{Match: catalog.StartsIn, From: &catalog.Bound{Instant: from}, To: &catalog.Bound{Instant: from.AddDate(0, 0, n+1)}}
		if _, err := c.Events(t.Context(), catalog.EventQuery{Window: w}); err != nil {
			t.Fatal(err)
		}
	}
	var generic, custom int
	err := pool.QueryRow(t.Context(), `SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements WHERE statement LIKE '%FROM events%' AND statement NOT LIKE '%pg_prepared%'`).Scan(&generic, &custom)
	if err != nil || generic != 15 || custom != 5 { // PostgreSQL tries five times
		t.Errorf("%v: %d pages by one plan, %d planned for themselves", err, generic, custom)
	}
}

// BenchmarkLargeCatalog does the same at the size of MARQUEE_BENCH_EVENTS.
func BenchmarkLargeCatalog(b *testing.B) {
	const variable = "MARQUEE_BENCH_EVENTS"
	n, err := strconv.Atoi(os.Getenv(variable))
	if err != nil || n < 1 {
		b.Skipf("skipped: set %s to how many events there shall be, say 5000000", variable)
	}
	pool, trace := traced(b, 1)
	fill(b, pool, n)
	// OVERLAPS walks the events of the last class, which has no bound (here one in a thousand, most of them over);
	// ENDS_IN those that are as long as a class is wide and end elsewhere. At 5,000,000.
	limits := map[catalog.WindowMatch]int{catalog.Overlaps: 5_000, catalog.EndsIn: 12_000, catalog.StartsIn: 1_000, catalog.Contained: 1_000}
	for b.Loop() {
		for match, worst := range measurePages(b, pool, trace, limits) {
			b.ReportMetric(float64(worst.buffers), string(match)+"-buffers")
			b.ReportMetric(worst.ms, string(match)+"-ms")
		}
		measureCounts(b, pool, trace)
	}
}
