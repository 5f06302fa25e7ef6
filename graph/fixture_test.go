package graph_test

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/terms"
)

// The ids of the fixture.
var (
	acme     = event.ProviderID("acme")
	globex   = event.ProviderID("globex")
	jazz     = event.Key{Provider: "acme", Series: "291"}.SeriesID()
	hidden   = event.Key{Provider: "acme", Series: "444"}.SeriesID()
	concert  = event.Key{Provider: "acme", Series: "291", Event: "1"}.ID()
	free     = event.Key{Provider: "acme", Series: "291", Event: "2"}.ID()
	festival = event.Key{Provider: "globex", Event: "f"}.ID()
	bare     = event.Key{Provider: "globex", Event: "b"}.ID()
	gone     = event.Key{Provider: "acme", Series: "291", Event: "3"}.ID()
	unlisted = event.Key{Provider: "acme", Series: "444", Event: "4"}.ID()
)

// column values of an event over those of plain.
type values map[string]any

// fixture fills the catalog with two providers, their runs, and an event of each kind.
func fixture(a *api) {
	a.t.Helper()
	a.exec(`INSERT INTO providers (id, slug, name, format, time_zone, currency) VALUES
		($1, 'acme', 'Acme "Tickets"', 'planlist', 'Europe/Madrid', 'EUR'), ($2, 'globex', 'Globex', 'icalendar', 'America/New_York', 'USD')`,
		[16]byte(acme), [16]byte(globex))
	a.exec(`INSERT INTO series (id, external_id, title, provider_id) VALUES ($1, '291', 'Jazz en el patio', $3), ($2, '444', 'Only at the door', $3)`,
		[16]byte(jazz), [16]byte(hidden), [16]byte(acme))
	a.exec(`INSERT INTO sync_runs (id, provider_id, started_at, finished_at, outcome, error_code, error, records, added, changed, removed, returned, unchanged, quarantined, quarantine_run_id, catalog_version) VALUES
		(1, $1, '2021-06-29T10:00:00Z', '2021-06-29T10:00:02Z', 'APPLIED', '', '', 12, 10, 1, 2, 3, 4, 2, 1, 7),
		(2, $1, '2021-06-29T11:00:00Z', '2021-06-29T11:00:30Z', 'FAILED', 'TIMEOUT', 'no answer within 30 s', 0, 0, 0, 0, 0, 0, 0, NULL, 0),
		(3, $1, '2021-06-30T12:00:00Z', '2021-06-30T12:00:01Z', 'UNCHANGED', '', '', 12, 0, 0, 0, 0, 10, 2, 1, 0),
		(4, $1, '2021-06-30T18:00:00Z', NULL, 'RUNNING', '', '', 0, 0, 0, 0, 0, 0, 0, NULL, 0)`, [16]byte(acme))
	a.exec(`INSERT INTO quarantined_records (run_id, key, reason, message, place, excerpt) VALUES
		(1, '291/1', 'INVALID_DATE', 'plan_start_date: no such day', 'line 3', '<plan a="1"/>'), (1, '/9', 'MISSING_ID', 'no id', 'line 9', '')`)

	add(a, concert, values{
		"series_id": [16]byte(jazz), "title": "Trío «Sombra» 🎷", "description": "Two\nlines & \"quotes\" </script>", "url": "https://acme.example/e/1", "image_url": "https://acme.example/i.png",
		"categories": []string{"jazz", "música"}, "ends_at": at("2021-06-30T20:30:00Z"), "ends_local": at("2021-06-30T22:30:00Z"), "sold_out": false,
		"sale_starts_at": at("2021-01-01T00:00:00Z"), "sale_ends_at": at("2021-06-30T18:59:59Z"),
		"offers":    `[{"id": "7", "name": "Grada 2", "price": 15.5, "capacity": 0, "numbered": true}, {"id": "7", "name": "Grada 2", "price": 30, "capacity": 500, "numbered": false}, {}, {"price": 0}]`,
		"min_price": "0", "max_price": "30", "place_name": "Patio", "place_address": "Calle Mayor 1", "place_city": "Madrid", "place_country": "ES", "organizer": "Acme",
		"attributes": `{"subtitle": "late", "n": [1, 2.50]}`,
	})
	add(a, free, values{
		"series_id": [16]byte(jazz), "title": "Free", "starts_at": at("2021-07-01T19:00:00Z"), "starts_local": at("2021-07-01T21:00:00Z"),
		"offers": `[{"id": "1", "price": 0, "capacity": 10}]`, "min_price": "0.000000", "max_price": "0", "sold_out": nil,
	})
	add(a, festival, values{
		"provider_id": [16]byte(globex), "title": "Festival", "starts_at": at("2021-07-03T04:00:00Z"), "ends_at": at("2021-07-06T04:00:00Z"),
		"starts_local": at("2021-07-03T00:00:00Z"), "ends_local": at("2021-07-06T00:00:00Z"), "time_zone": "America/New_York", "all_day": true, "span_class": 13,
		"status": "POSTPONED", "attendance_mode": "MIXED", "currency": "USD", "place_city": "New York",
	})
	add(a, bare, values{
		"provider_id": [16]byte(globex), "title": "Bare", "starts_at": at("2021-07-04T00:00:00Z"), "starts_local": at("2021-07-03T20:00:00Z"),
		"time_zone": "America/New_York", "status": "CANCELLED", "attendance_mode": "ONLINE", "currency": "USD",
	})
	add(a, gone, values{
		"series_id": [16]byte(jazz), "title": "Gone", "starts_at": at("2021-07-08T19:00:00Z"), "starts_local": at("2021-07-08T21:00:00Z"), "status": "RESCHEDULED",
		"last_seen_at": at("2021-06-29T10:00:00Z"), "removed_at": at("2021-06-30T12:00:00Z"), "min_price": "12.25", "max_price": "12.250000",
	})
	add(a, unlisted, values{"series_id": [16]byte(hidden), "title": "Unlisted", "listed": false, "online": false})
	a.exec(`INSERT INTO changes (id, event_id, provider_id, run_id, at, kind, fields) VALUES
		(1, $1, $3, 1, '2021-06-29T10:00:02Z', 'ADDED', '[]'), (2, $2, $3, 1, '2021-06-29T10:00:02Z', 'ADDED', '[]'),
		(3, $1, $3, 2, '2021-06-29T12:00:00Z', 'RESCHEDULED', '[{"field": "startsAt", "before": "2021-06-29T19:00:00Z", "after": "2021-06-30T19:00:00Z"}, {"field": "startsLocal", "before": "2021-06-29T21:00:00", "after": "2021-06-30T21:00:00"}]'),
		(4, $1, $3, 3, '2021-06-30T12:00:00Z', 'DETAILS_CHANGED', '[{"field": "attributes", "before": null, "after": "{\"door\":\"7\"}"}, {"field": "offers", "before": {"count": 1, "capacity": null}, "after": {"count": 2, "capacity": 243}}]'),
		(5, $4, $3, 3, '2021-06-30T12:00:00Z', 'REMOVED', '[]')`,
		[16]byte(concert), [16]byte(unlisted), [16]byte(acme), [16]byte(gone))
	a.exec(`UPDATE catalog SET version = 3, last_change = 5`)
	a.exec("ANALYZE")
	a.sent.take()
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err) // the test's own text
	}
	return t
}

// searchColumns are what a sync makes of an event's texts.
func searchColumns(row values) values {
	text := func(column string) string {
		s, _ := row[column].(string)
		return s
	}
	var all []string
	for _, word := range terms.Words(text("title")) {
		all = append(all, word, terms.Title(word))
	}
	all = append(all, terms.Words(text("description"))...)
	for _, name := range row["categories"].([]string) {
		all = append(all, terms.Category(name))
	}
	if city := text("place_city"); city != "" {
		all = append(all, terms.City(city), terms.Country(text("place_country")))
	}
	var search pgtype.TSVector
	for _, term := range terms.Sorted(all) {
		search.Lexemes, search.Valid = append(search.Lexemes, pgtype.TSVectorLexeme{Word: term}), true
	}
	return values{"title_key": terms.Key(text("title")), "search": search}
}

// add inserts an event: a plain one of acme, at nine in the evening of the fixture's day, but for what is given.
func add(a *api, id event.ID, given values) {
	a.t.Helper()
	row := values{
		"id": [16]byte(id), "provider_id": [16]byte(acme), "external_id": id.String()[:4], "title": "Plain", "categories": []string{},
		"starts_at": at("2021-06-30T19:00:00Z"), "starts_local": at("2021-06-30T21:00:00Z"), "time_zone": "Europe/Madrid", "span_class": 0,
		"online": true, "no_seats_left": false, "offers": "[]", "currency": "EUR", "listed": true, "content_hash": []byte{},
		"first_seen_at": at("2021-06-29T10:00:00Z"), "updated_at": at("2021-06-29T10:00:00Z"),
	}
	maps.Copy(row, given)
	if end, ok := row["ends_at"].(time.Time); ok && given["span_class"] == nil {
		spanned := event.Event{Start: event.MomentOf(row["starts_at"].(time.Time), time.UTC), End: event.MomentOf(end, time.UTC)}
		row["span_class"] = spanned.SpanClass()
	}
	maps.Copy(row, searchColumns(row))
	var columns, placeholders []string
	arguments := pgx.NamedArgs{}
	for column, value := range row {
		if text, ok := value.(string); ok && (column == "offers" || column == "attributes") {
			value = json.RawMessage(text)
		}
		columns, placeholders = append(columns, column), append(placeholders, "@"+column)
		arguments[column] = value
	}
	a.exec("INSERT INTO events ("+strings.Join(columns, ", ")+") VALUES ("+strings.Join(placeholders, ", ")+")", arguments)
}
