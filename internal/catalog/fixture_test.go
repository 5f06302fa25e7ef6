package catalog_test

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
)

// statement is what was sent to PostgreSQL.
type statement struct {
	sql  string
	args []any
}

// tracer notes the statements of a pool.
type tracer struct {
	mu         sync.Mutex
	statements []statement
}

func (t *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.statements = append(t.statements, statement{data.SQL, data.Args})
	return ctx
}

func (t *tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// take returns what was noted since the last take.
func (t *tracer) take() []statement {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.statements
	t.statements = nil
	return taken
}

// traced is a pool of size connections to a new database, and its tracer.
func traced(tb testing.TB, size int32) (*pgxpool.Pool, *tracer) {
	tb.Helper()
	config, err := pgxpool.ParseConfig(pgtest.URL(tb))
	if err != nil {
		tb.Fatal(err)
	}
	t := &tracer{}
	config.MaxConns = size
	config.ConnConfig.Tracer = t
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pool.Close)
	return pool, t
}

func exec(tb testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	tb.Helper()
	if _, err := pool.Exec(context.Background(), sql, args...); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

func insertProvider(tb testing.TB, pool *pgxpool.Pool, slug string) event.ID {
	tb.Helper()
	id := event.ProviderID(slug)
	exec(tb, pool, `INSERT INTO providers (id, slug, name, format, time_zone, currency) VALUES ($1, $2, $2, 'planlist', 'Europe/Madrid', 'EUR')`,
		[16]byte(id), slug)
	return id
}

func insertSeries(tb testing.TB, pool *pgxpool.Pool, name string) event.ID {
	tb.Helper()
	const provider = "acme"
	id := event.Key{Provider: provider, Series: name}.SeriesID()
	exec(tb, pool, `INSERT INTO series (id, external_id, title, provider_id) VALUES ($1, $2, $2, $3)`,
		[16]byte(id), name, [16]byte(event.ProviderID(provider)))
	return id
}

// text is a text with its words, as a person would tell them.
type text struct {
	text  string
	words []string
}

// texts are those of the draws: what events say, and what is looked for.
var texts = []text{
	{"Trío «Sombra»", []string{"trio", "sombra"}},
	{"SOMBRA", []string{"sombra"}},
	{"som", []string{"som"}},
	{"L'Été à Łódź", []string{"l", "ete", "a", "lodz"}},
	{"ete", []string{"ete"}},
	{"a", []string{"a"}},
	{"trio, lodz", []string{"trio", "lodz"}},
	{"Jazz & More", []string{"jazz", "more"}},
}

// search is the search column of an event, in PostgreSQL's words.
func (r stored) search() string {
	var all []string
	for _, w := range r.title.words {
		all = append(all, w, "^"+w)
	}
	all = append(all, r.description.words...)
	for _, c := range r.categories {
		all = append(all, "#"+c)
	}
	if r.city != "" {
		all = append(all, "@"+r.city)
	}
	if r.country != "" {
		all = append(all, "%"+r.country)
	}
	for i, w := range all {
		all[i] = "'" + strings.ReplaceAll(strings.ReplaceAll(w, `\`, `\\`), "'", "''") + "'"
	}
	return strings.Join(all, " ")
}

// stored is a row of events, as far as lists of events look at it.
type stored struct {
	id        event.ID
	provider  string
	series    *event.ID
	start     event.Moment
	end       event.Moment // zero: none
	zone      string
	allDay    bool
	listed    bool
	removed   bool
	low, high *event.Decimal
	currency  string

	title, description text
	categories         []string
	city, country      string

	status               event.Status // empty: scheduled
	updated              time.Time    // zero: some day in 2020
	offline              bool
	soldOut              *bool
	noSeats              bool
	saleStarts, saleEnds *time.Time
}

// insert copies rows in.
func insert(tb testing.TB, pool *pgxpool.Pool, rows []stored) {
	tb.Helper()
	seen := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	given := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	text := func(d *event.Decimal) *string {
		if d == nil {
			return nil
		}
		s := d.String()
		return &s
	}
	columns := []string{
		"id", "provider_id", "series_id", "external_id", "title", "categories", "starts_at", "ends_at", "starts_local", "ends_local",
		"time_zone", "all_day", "span_class", "online", "no_seats_left", "offers", "currency", "min_price", "max_price",
		"listed", "content_hash", "first_seen_at", "updated_at", "removed_at", "status", "sold_out", "sale_starts_at", "sale_ends_at",
		"description", "title_key", "search", "place_city", "place_country",
	}
	_, err := pool.CopyFrom(context.Background(), pgx.Identifier{"events"}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		r := rows[i]
		spanned := event.Event{Start: r.start, End: r.end}
		updated := r.updated
		if updated.IsZero() {
			updated = seen
		}
		var removed *time.Time
		if r.removed {
			removed = &seen
		}
		return []any{
			[16]byte(r.id), [16]byte(event.ProviderID(r.provider)), (*[16]byte)(r.series), r.id.String(), cmp.Or(r.title.text, "title"),
			append([]string{}, r.categories...),
			r.start.Instant, given(r.end.Instant), r.start.Local.AsUTC(), given(r.end.Local.AsUTC()),
			r.zone, r.allDay, spanned.SpanClass(), !r.offline, r.noSeats,
			[]string{},
			r.currency, text(r.low), text(r.high),
			r.listed,
			[]byte{},
			seen, updated, removed,
			cmp.Or(string(r.status), "SCHEDULED"), r.soldOut, r.saleStarts, r.saleEnds,
			r.description.text, strings.Join(r.title.words, " "), r.search(), r.city, r.country,
		}, nil
	}))
	if err != nil {
		tb.Fatalf("copying events: %v", err)
	}
	exec(tb, pool, "ANALYZE events")
}

// bound is a Bound that has to be well-formed.
func bound(tb testing.TB, s string) *catalog.Bound {
	tb.Helper()
	b, ok := catalog.ParseBound(s)
	if !ok {
		tb.Fatalf("%s is no bound", s)
	}
	return &b
}
