package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
	"github.com/aledotdev/marquee/internal/store"
)

var update = flag.Bool("update", false, "write the golden files")

// season is a catalog of all that an event can be.
func season(tb testing.TB) []event.Event {
	tb.Helper()
	madrid := location(tb, "Europe/Madrid")
	decimal := func(s string) *event.Decimal {
		d, err := event.ParseDecimal(s)
		if err != nil {
			tb.Fatal(err)
		}
		return &d
	}
	at := func(s string, zone *time.Location) event.Moment { return local(tb, s).At(zone) }
	base := func(id, title string, start event.Moment, zone string) event.Event {
		return event.Event{
			Key: event.Key{Provider: "acme", Event: id}, Title: title, Start: start, Zone: zone,
			Status: event.StatusScheduled, Attendance: event.AttendanceOffline, Online: true, Currency: "EUR",
		}
	}
	whole := base("1", "The Lantern Parade; with \"friends\", and more", at("2026-11-28T21:00:00", madrid), "Europe/Madrid")
	whole.Key.Series, whole.SeriesTitle = "s1", "The Lantern Parade"
	whole.End = at("2026-11-28T23:30:00", madrid)
	whole.Description = "Línea uno\nlínea dos, con coma; y \\ barra. 🎭 " + strings.Repeat("Una frase larga. ", 12)
	whole.Description = strings.TrimSpace(whole.Description)
	whole.URL, whole.ImageURL = "https://acme.example/1?a=1,2;b=3", "https://acme.example/1.jpg"
	whole.Categories = []string{"Parade", "Light, and sound"}
	whole.Place = event.Place{Name: "Teatro Real", Address: "Plaza de Isabel II", City: "Madrid", Country: "ES"}
	whole.Organizer = "Acme & Sons"
	whole.SaleStart, whole.SaleEnd = noon.AddDate(0, -1, 0), noon.AddDate(0, 0, 2)
	whole.Offers = []event.Offer{
		{Name: "Stalls", Price: decimal("30"), Capacity: new(int32(12))},
		{Name: "Gallery", Price: decimal("15.5"), Capacity: new(int32(0))},
		{Name: "Guests"},
	}
	days := base("2", "=cmd|' /C calc'!A0", at("2026-11-27T00:00:00", madrid), "Europe/Madrid")
	days.AllDay, days.End = true, at("2026-11-29T00:00:00", madrid)
	days.Offers = []event.Offer{{Price: decimal("0")}}
	off := base("3", "Called off", at("2026-12-01T20:00:00", time.UTC), "UTC")
	off.Status = event.StatusCancelled
	gone := base("4", "Taken out", at("2026-12-02T20:00:00", madrid), "Europe/Madrid")
	late := base("5", "To a date not known yet", at("2026-12-03T20:00:00", location(tb, "America/New_York")), "America/New_York")
	late.Status, late.Attendance, late.URL = event.StatusPostponed, event.AttendanceMixed, "https://acme.example/5"
	late.Place = event.Place{City: "New York"}
	instant := base("6", "</script> An instant", at("2026-12-04T20:00:00", madrid), "Europe/Madrid")
	instant.End, instant.Attendance = instant.Start, event.AttendanceOnline
	all := []event.Event{whole, days, off, gone, late, instant}
	for i := range all {
		all[i].SetPriceBounds(event.PriceAllOffers)
	}
	return all
}

// stage brings events into a catalog, takes one out again and renames another, as syncs would.
func stage(t *testing.T, pool *pgxpool.Pool, events []event.Event) {
	t.Helper()
	s := store.New(pool)
	provider := event.Provider{Slug: "acme", Name: "Acme", Format: "planlist", TimeZone: "Europe/Madrid", Currency: "EUR"}
	sync := func(at time.Time, left []event.ID, writes ...event.Write) {
		t.Helper()
		run, err := s.StartRun(t.Context(), provider, "test", at, true)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := s.Begin(t.Context(), run, at)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
		if len(left) > 0 {
			if _, err := tx.Leave(t.Context(), left); err != nil {
				t.Fatal(err)
			}
		}
		series := map[string]event.Series{}
		for _, w := range writes {
			if id := w.Event.Key.Series; id != "" {
				series[id] = event.Series{ID: id, Title: w.Event.SeriesTitle}
			}
		}
		if err := tx.WriteSeries(t.Context(), slices.Collect(maps.Values(series))); err != nil {
			t.Fatal(err)
		}
		if err := tx.Write(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Commit(t.Context(), event.Result{Snapshot: &event.Snapshot{QuarantineID: run.ID}}); err != nil {
			t.Fatal(err)
		}
	}
	write := func(e event.Event, kinds ...event.Change) event.Write {
		return event.Write{Event: e, ID: e.Key.ID(), Hash: e.Hash(), New: true, Changes: kinds}
	}
	var first []event.Write
	for _, e := range events {
		first = append(first, write(e, event.Change{Kind: event.ChangeAdded}))
	}
	sync(noon.AddDate(0, 0, -2), nil, first...)
	again := events[0]
	again.Title += "!"
	sync(noon.AddDate(0, 0, -1), nil, write(again, event.Change{Kind: event.ChangeRetitled}, event.Change{Kind: event.ChangePrice}))
	back := events[4]
	back.Description = "New"
	sync(noon, []event.ID{events[3].Key.ID()}, write(events[0], event.Change{Kind: event.ChangeRetitled}),
		write(back, event.Change{Kind: event.ChangeDetails, Fields: []event.FieldChange{{Field: "status", Before: "CANCELLED", After: "POSTPONED"}}}))
}

// exported is the document of everything in a catalog.
func exported(t *testing.T, pool *pgxpool.Pool, name string) []byte {
	t.Helper()
	w := format(t, name).New()
	b := w.Begin(nil)
	begun := false
	reads := catalog.New(pool, func() time.Time { return noon })
	err := reads.Export(t.Context(), catalog.EventQuery{}, func(version int64) error {
		begun = version == 3
		return nil
	}, func(e catalog.Exported) (err error) {
		b, err = w.Event(b, e)
		return err
	})
	if err != nil || !begun {
		t.Fatalf("%v, or not of the third version", err)
	}
	return w.End(b)
}

func TestGolden(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	events := season(t)
	stage(t, pool, events)
	documents := map[string][]byte{}
	for _, f := range []string{"ics", "csv", "jsonld"} {
		got := exported(t, pool, f)
		documents[f] = got
		file := filepath.Join("testdata", "season."+f)
		if *update {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
	t.Run("ics", func(t *testing.T) {
		t.Parallel()
		checkForm(t, documents["ics"])
		checkSameEvents(t, events, decoded(t, documents["ics"]))
	})
	t.Run("csv", func(t *testing.T) {
		t.Parallel()
		checkTable(t, events, documents["csv"])
	})
	t.Run("jsonld", func(t *testing.T) {
		t.Parallel()
		checkGraph(t, documents["jsonld"])
	})
}

// checkSameEvents compares events with what our own reader made of their calendar, as far as a calendar can say it.
func checkSameEvents(t *testing.T, want, got []event.Event) {
	t.Helper()
	known := map[string]event.Event{}
	for _, e := range want {
		known[e.Key.ID().String()] = e
	}
	if len(got) != len(want) {
		t.Errorf("%d events, want %d", len(got), len(want))
	}
	for _, g := range got {
		w := known[g.Key.Event]
		place := strings.Trim(strings.Join([]string{w.Place.Name, w.Place.Address, w.Place.City, w.Place.Country}, ", "), ", ")
		cancelled := w.Status == event.StatusCancelled || w.Title == "Taken out"
		if w.Title == "To a date not known yet" {
			w.Description = "New"
		}
		wanted := event.Event{
			Key: g.Key, Title: w.Title, Description: w.Description, URL: w.URL, ImageURL: w.ImageURL, Categories: w.Categories,
			Start: w.Start, End: w.End, Zone: w.Zone, AllDay: w.AllDay,
			Status: event.StatusScheduled, Attendance: event.AttendanceOffline, Online: true, Place: event.Place{Name: place},
		}
		if w.End == w.Start {
			wanted.End = event.Moment{} // an instant either way
		}
		if w.AllDay { // dates are the reader's own zone's
			wanted.Zone, wanted.Start, wanted.End = "UTC", w.Start.Local.At(time.UTC), w.End.Local.At(time.UTC)
		}
		if cancelled {
			wanted.Status = event.StatusCancelled
		}
		if diff := cmp.Diff(wanted, g, cmp.Comparer(func(a, b event.LocalDateTime) bool { return a.Compare(b) == 0 })); diff != "" {
			t.Errorf("%s: %s", w.Title, diff)
		}
	}
}

func checkTable(t *testing.T, events []event.Event, document []byte) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(document)).ReadAll()
	if err != nil || len(rows) != len(events)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for i, cell := range row {
			if i == 1 && !slices.ContainsFunc(events, func(e event.Event) bool { return e.Title == strings.TrimPrefix(cell, "'") }) && cell != "title" {
				t.Errorf("%q is nobody's title", cell)
			}
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("%s is a formula: %q", rows[0][i], cell)
			}
		}
	}
}

// checkGraph holds a document to what /openapi.json says of it.
func checkGraph(t *testing.T, document []byte) {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "httpapi", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	described, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource("file:///openapi.json", described); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("file:///openapi.json#/components/schemas/EventGraph")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
	if bytes.Contains(document, []byte("</script")) {
		t.Error("it can't stand in a script")
	}
	var graph struct {
		Graph []map[string]any `json:"@graph"`
	}
	if err := json.Unmarshal(document, &graph); err != nil || len(graph.Graph) != 6 {
		t.Errorf("%d events, %v", len(graph.Graph), err)
	}
}
