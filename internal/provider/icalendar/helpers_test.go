package icalendar_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/icalendar"
)

// madrid is the settings of a provider in Madrid.
func madrid(tb testing.TB) event.Defaults {
	tb.Helper()
	return event.Defaults{Provider: "acme", Zone: location(tb, "Europe/Madrid"), Currency: "EUR", Prices: event.PriceAllOffers}
}

func location(tb testing.TB, name string) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return zone
}

// years is a horizon of whole years.
func years(from, to int) icalendar.Horizon {
	return icalendar.Horizon{From: time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(to, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// decode collects a snapshot.
func decode(tb testing.TB, r io.Reader, horizon icalendar.Horizon) ([]event.Record, error) {
	tb.Helper()
	var records []event.Record
	for rec, err := range icalendar.Decode(r, madrid(tb), horizon) {
		if err != nil {
			return records, err
		}
		records = append(records, rec)
	}
	return records, nil
}

func fixture(tb testing.TB, name string) []byte {
	tb.Helper()
	document, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return document
}
