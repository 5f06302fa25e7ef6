package bench_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/event"
)

// readsRows makes listed events: as long as shows, festivals, exhibitions and season tickets are, all over ten years, in
// no order on disk, which is the worst case, with so many offers each, in so many series. Of each thousand one is longer
// than a year.
const readsRows = `
WITH offers AS (
	SELECT array_agg(list) AS lists FROM (
		SELECT (SELECT coalesce(jsonb_agg(jsonb_build_object('id', (100 * k + z)::text, 'name', 'Grada ' || z, 'price', 9.5 + k + z, 'capacity', 7 * z, 'numbered', z % 2 = 0)), '[]')
			FROM generate_series(1, $3::integer) AS z) AS list
		FROM generate_series(1, 16) AS k) AS made
)
INSERT INTO events (id, provider_id, series_id, external_id, title, categories, starts_at, ends_at, starts_local, ends_local, time_zone,
	span_class, online, no_seats_left, offers, currency, min_price, max_price, place_name, place_city, listed, content_hash, first_seen_at, updated_at)
SELECT md5(i::text)::uuid, $1, md5('s' || i % $4::integer)::uuid, i::text, 'An evening with number ' || i || ' of many', '["music"]', s, e, s, e, 'Etc/UTC',
	CASE WHEN m <= 1 THEN 0 ELSE least(24, length(ltrim((m - 1)::bit(32)::text, '0'))) END,
	true, false, lists[1 + i % 16], 'EUR', 10.5, 35.25, 'Sala ' || i % 100, 'Madrid', true, '\x', s, s
FROM offers, (
	SELECT i, s, m, s + m * interval '1 minute' AS e
	FROM (
		SELECT i, timestamptz '2025-01-01Z' + floor(random() * 1440 * 3650) * interval '1 minute' AS s,
			CASE
				WHEN kind < 0.85 THEN 45 + floor(random() * 20) * 15
				WHEN kind < 0.95 THEN 1440 * (1 + floor(random() * 4))
				WHEN kind < 0.99 THEN 1440 * (7 + floor(random() * 60))
				WHEN kind < 0.999 THEN 1440 * (60 + floor(random() * 300))
				ELSE 1440 * (400 + floor(random() * 1500))
			END::integer AS m
		FROM (SELECT i, random() AS kind FROM generate_series(1, $2::integer) AS i) AS numbers
	) AS spans
) AS events`

// fill makes n events of $4 series, as fast as PostgreSQL can.
func fill(b *testing.B, pool *pgxpool.Pool, n, offers int) {
	b.Helper()
	ctx := context.Background()
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		provider, series := [16]byte(event.ProviderID("acme")), max(n/5, 1)
		for _, s := range []struct {
			sql  string
			args []any
		}{
			{`SELECT setseed(0.5)`, nil}, // the same events every time
			{`INSERT INTO providers (id, slug, name, format, time_zone, currency) VALUES ($1, 'acme', 'Acme', 'planlist', 'Etc/UTC', 'EUR')`, []any{provider}},
			{`INSERT INTO series (id, provider_id, external_id, title) SELECT md5('s' || i)::uuid, $1, i::text, 'Series ' || i FROM generate_series(0, $2::integer - 1) AS i`, []any{provider, series}},
			{`CREATE TEMPORARY TABLE indexes ON COMMIT DROP AS SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'events' AND indexname <> 'events_pkey'`, nil},
			{`DO $$ DECLARE name text; BEGIN FOR name IN SELECT indexname FROM indexes LOOP EXECUTE 'DROP INDEX ' || name; END LOOP; END $$`, nil},
			{`ALTER TABLE events DROP CONSTRAINT events_providers_events, DROP CONSTRAINT events_series_events`, nil}, // checked row by row
			{readsRows, []any{provider, n, offers, series}},
			{`DO $$ DECLARE definition text; BEGIN FOR definition IN SELECT indexdef FROM indexes LOOP EXECUTE definition; END LOOP; END $$`, nil},
		} {
			if _, err := tx.Exec(ctx, s.sql, s.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		_, err = pool.Exec(ctx, "VACUUM ANALYZE events, series, providers")
	}
	if err != nil {
		b.Fatal(err)
	}
}

// window is a range of days.
type window struct{ from, to time.Time }

// windows are days, weeks and months, all over the events.
func windows() []window {
	var mix []window
	for i := range 96 {
		from := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 31*i)
		mix = append(mix, window{from, from.AddDate(0, 0, []int{1, 7, 30}[i%3])})
	}
	return mix
}
