package mapped_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/mapped"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// madrid is the settings of a provider in Madrid.
func madrid(tb testing.TB) event.Defaults {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		tb.Fatal(err)
	}
	return event.Defaults{Provider: "acme", Zone: zone, Currency: "EUR", Prices: event.PriceAllOffers}
}

func compile(tb testing.TB, s mapped.Settings) *mapped.Mapping {
	tb.Helper()
	m, err := mapped.New(s)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// decode collects a snapshot.
func decode(tb testing.TB, s mapped.Settings, document string) ([]event.Record, error) {
	tb.Helper()
	var records []event.Record
	for rec, err := range compile(tb, s).Decode(tb.Context(), strings.NewReader(document), madrid(tb)) {
		if err != nil {
			return records, err
		}
		records = append(records, rec)
	}
	return records, nil
}

// mustDecode is decode for a snapshot that is good.
func mustDecode(tb testing.TB, s mapped.Settings, document string) []event.Record {
	tb.Helper()
	records, err := decode(tb, s, document)
	if err != nil {
		tb.Fatal(err)
	}
	return records
}

// lines is a record a line: its place and key, and its title or what is wrong.
func lines(records []event.Record) []string {
	out := []string{}
	for _, rec := range records {
		what := rec.Event.Title
		if rec.Invalid != nil {
			what = fmt.Sprintf("%s %s", rec.Invalid.Reason, rec.Invalid.Field)
		}
		out = append(out, fmt.Sprintf("%s: %s: %s", rec.Place, strings.TrimPrefix(rec.Key.String(), "acme/"), what))
	}
	return out
}

// one maps `{…}` documents of one event's fields as they are, and gives that event.
func one(tb testing.TB, fields string) event.Record {
	tb.Helper()
	records := mustDecode(tb, mapped.Settings{Format: mapped.JSON, Map: "."}, fields)
	if len(records) != 1 {
		tb.Fatalf("%d records", len(records))
	}
	return records[0]
}

// least is what every event needs, to which fields are added.
func least(fields string) string {
	return `{"id": 1, "title": "Lanterns", "start": "2030-06-30T21:00"` + fields + `}`
}
