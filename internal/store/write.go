package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/terms"
)

// contentColumns are the columns of an event that a provider's record determines, in the order of
// contentValues. A write of an event replaces them all.
func contentColumns() []string {
	return []string{
		"title", "description", "url", "image_url", "categories",
		"starts_at", "ends_at", "starts_local", "ends_local", "time_zone", "all_day", "span_class",
		"status", "attendance_mode", "online", "sold_out", "no_seats_left", "sale_starts_at", "sale_ends_at",
		"offers", "currency", "min_price", "max_price",
		"place_name", "place_address", "place_city", "place_country", "organizer", "attributes", "content_hash", "record_hash",
		"title_key", "search",
	}
}

func contentValues(e *event.Event, hash event.Hash, record event.RecordHash) ([]any, error) {
	categories := e.Categories
	if categories == nil {
		categories = []string{}
	}
	encoded, err := json.Marshal(categories)
	if err != nil {
		return nil, err
	}
	var recordHash []byte
	if record != (event.RecordHash{}) {
		recordHash = record[:]
	}
	return []any{
		e.Title, e.Description, e.URL, e.ImageURL, encoded,
		e.Start.Instant, optional(e.End.Instant), e.Start.Local.AsUTC(), optional(e.End.Local.AsUTC()), e.Zone, e.AllDay, e.SpanClass(),
		string(e.Status), string(e.Attendance), e.Online, e.SoldOut, e.IsSoldOut(), optional(e.SaleStart), optional(e.SaleEnd),
		event.AppendOffers(nil, e.Offers), e.Currency, numeric(e.MinPrice), numeric(e.MaxPrice),
		e.Place.Name, e.Place.Address, e.Place.City, e.Place.Country, e.Organizer, []byte(e.Attributes), hash[:], recordHash,
		terms.Key(e.Title), searchTerms(e),
	}, nil
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func numeric(d *event.Decimal) pgtype.Numeric {
	if d == nil {
		return pgtype.Numeric{}
	}
	return pgtype.Numeric{Int: big.NewInt(d.Micros()), Exp: -6, Valid: true}
}

// keyColumns are those that an event keeps for ever.
func keyColumns() []string { return []string{"id", "provider_id", "series_id", "external_id"} }

// stage makes the temporary tables on first use: a run that has nothing to write leaves the system
// catalogs alone, too.
func (t *Tx) stage(ctx context.Context) error {
	if t.staging {
		return nil
	}
	t.staging = true
	_, err := t.tx.Exec(ctx, fmt.Sprintf(`
		CREATE TEMPORARY TABLE staged ON COMMIT DROP AS
		SELECT 0::bigint AS ordinal, false AS shows, %s FROM events WITH NO DATA;
		CREATE TEMPORARY TABLE staged_changes (
			number bigint GENERATED ALWAYS AS IDENTITY, ordinal bigint, event_id uuid, kind text, fields jsonb
		) ON COMMIT DROP`, strings.Join(append(keyColumns(), contentColumns()...), ", ")))
	if err != nil {
		return fmt.Errorf("making the staging tables: %w", err)
	}
	return nil
}

// Write stages events, and what is to be said of each. The last one written of a key counts. It returns while
// PostgreSQL is at work on them, so that the caller can read on; the next call waits, and has the error. The caller
// leaves writes alone.
func (t *Tx) Write(ctx context.Context, writes []event.Write) error {
	if err := t.settle(); err != nil {
		return err
	}
	if err := t.stage(ctx); err != nil {
		return err
	}
	first := t.ordinal
	t.ordinal += int64(len(writes))
	pending := make(chan error, 1)
	t.pending = pending
	go func() { pending <- t.stageEvents(ctx, first, writes) }()
	return nil
}

// settle waits for the last Write. Everything that uses the connection calls it first.
func (t *Tx) settle() error {
	if t.pending == nil {
		return nil
	}
	err := <-t.pending
	t.pending = nil
	return err
}

func (t *Tx) stageEvents(ctx context.Context, first int64, writes []event.Write) (err error) {
	defer rescue(&err)
	columns := append(append([]string{"ordinal", "shows"}, keyColumns()...), contentColumns()...)
	provider := [16]byte(t.run.Provider.ID())
	_, err = t.tx.CopyFrom(ctx, pgx.Identifier{"staged"}, columns, pgx.CopyFromSlice(len(writes), func(i int) (row []any, err error) {
		defer rescue(&err) // pgx asks for rows in a goroutine of its own
		w := &writes[i]
		key := w.Event.Key
		var series *[16]byte
		if key.Series != "" {
			id := [16]byte(key.SeriesID())
			series = &id
		}
		row = []any{first + int64(i), len(w.Changes) > 0, [16]byte(w.ID), provider, series, key.Event}
		content, err := contentValues(&w.Event, w.Hash, w.Record)
		return append(row, content...), err
	}))
	if err != nil {
		return fmt.Errorf("staging events: %w", err)
	}
	return t.stageChanges(ctx, first, writes)
}

// rescue, when deferred, turns a panic into an error. In a goroutine that nobody else guards, a panic would end the program, and with it
// the runs of all other providers.
func rescue(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

func (t *Tx) stageChanges(ctx context.Context, first int64, writes []event.Write) error {
	var rows [][]any
	for i := range writes {
		for _, c := range writes[i].Changes {
			fields := []byte("[]")
			if len(c.Fields) > 0 {
				var err error
				if fields, err = json.Marshal(c.Fields); err != nil {
					return fmt.Errorf("encoding a change: %w", err)
				}
			}
			rows = append(rows, []any{first + int64(i), [16]byte(writes[i].ID), string(c.Kind), fields})
		}
	}
	if _, err := t.tx.CopyFrom(ctx, pgx.Identifier{"staged_changes"}, []string{"ordinal", "event_id", "kind", "fields"}, pgx.CopyFromRows(rows)); err != nil {
		return fmt.Errorf("staging changes: %w", err)
	}
	return nil
}

// WriteSeries notes which series are new or have another title.
func (t *Tx) WriteSeries(_ context.Context, series []event.Series) error {
	t.series = series
	return nil
}

func (t *Tx) writeSeries(ctx context.Context) error {
	if len(t.series) == 0 {
		return nil
	}
	ids, externalIDs, titles := make([]event.ID, len(t.series)), make([]string, len(t.series)), make([]string, len(t.series))
	for i, s := range t.series {
		key := event.Key{Provider: t.run.Provider.Slug, Series: s.ID}
		ids[i], externalIDs[i], titles[i] = key.SeriesID(), s.ID, s.Title
	}
	tag, err := t.tx.Exec(ctx, `
		MERGE INTO series t USING unnest($1::uuid[], $2::text[], $3::text[]) AS s (id, external_id, title) ON t.id = s.id
		WHEN MATCHED THEN UPDATE SET title = s.title
		WHEN NOT MATCHED THEN INSERT (id, provider_id, external_id, title) VALUES (s.id, $4, s.external_id, s.title)`,
		ids, externalIDs, titles, [16]byte(t.run.Provider.ID()))
	if err != nil {
		return fmt.Errorf("writing the series: %w", err)
	}
	t.touched += tag.RowsAffected()
	return nil
}

// writeStaged brings events to what is staged.
func (t *Tx) writeStaged(ctx context.Context) error {
	if t.ordinal == 0 {
		return nil
	}
	statements := []struct {
		what, sql string
		args      []any
		touches   bool // the catalog, not only what is staged
	}{
		// Of several records of one key the last counts, and only its changes happened.
		{what: "dropping repeated keys", sql: `
			DELETE FROM staged s USING (SELECT id, max(ordinal) AS last FROM staged GROUP BY id HAVING count(*) > 1) d
			WHERE s.id = d.id AND s.ordinal < d.last`},
		{what: "dropping their changes", sql: `
			DELETE FROM staged_changes c WHERE ordinal IS NOT NULL AND NOT EXISTS (SELECT FROM staged s WHERE s.ordinal = c.ordinal)`},
		{what: "analyzing", sql: `ANALYZE staged (id)`},
		{what: "writing the events", touches: true, sql: mergeEvents(), args: []any{t.now}},
	}
	for _, s := range statements {
		tag, err := t.tx.Exec(ctx, s.sql, s.args...)
		if err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		if s.touches {
			t.touched += tag.RowsAffected()
		}
	}
	return nil
}

func mergeEvents() string {
	set := make([]string, 0, len(contentColumns()))
	for _, c := range contentColumns() {
		set = append(set, c+" = s."+c)
	}
	columns := append(keyColumns(), contentColumns()...)
	return fmt.Sprintf(`
		MERGE INTO events e USING staged s ON e.id = s.id
		WHEN MATCHED AND (e.content_hash <> s.content_hash OR e.last_seen_at IS NOT NULL) THEN UPDATE SET
			%s,
			listed = e.listed OR s.online,
			updated_at = CASE WHEN s.shows THEN $1 ELSE e.updated_at END,
			last_seen_at = NULL, removed_at = NULL
		WHEN NOT MATCHED THEN INSERT (%s, listed, first_seen_at, updated_at) VALUES (s.%s, s.online, $1, $1)`,
		strings.Join(set, ", "), strings.Join(columns, ", "), strings.Join(columns, ", s."))
}
