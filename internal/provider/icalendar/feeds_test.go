package icalendar_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
)

// TestRealFeeds holds what comes of each real file: for every record its key, title, dates and zone, or
// its reason.
func TestRealFeeds(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("MARQUEE_FEEDS")
	if folder == "" {
		t.Skip("MARQUEE_FEEDS does not say where the real feeds are")
	}
	files, err := filepath.Glob(filepath.Join(folder, "icalendar", "*.ics"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no calendars: %v", err)
	}
	var got strings.Builder
	for _, file := range files {
		document, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		records, err := decode(t, bytes.NewReader(document), years(2016, 2026))
		fmt.Fprintf(&got, "%s: %d records, error %v\n", filepath.Base(file), len(records), err)
		for i := range records {
			if len(records) > 12 && i == 3 {
				fmt.Fprintf(&got, "  (%d more)\n", len(records)-4)
			}
			if len(records) <= 12 || i < 3 || i == len(records)-1 {
				fmt.Fprintf(&got, "  %s: %s\n", records[i].Place, describe(&records[i]))
			}
		}
	}
	const name = "real.golden.txt"
	if update() {
		if err := os.WriteFile(filepath.Join("testdata", name), []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(fixture(t, name)), got.String()); diff != "" {
		t.Errorf("records (-want +got), or run with -update:\n%s", diff)
	}
}

// describe is a record on a line.
func describe(rec *event.Record) string {
	key := rec.Key.Series + "/" + rec.Key.Event
	if rec.Invalid != nil {
		return key + " " + string(rec.Invalid.Reason) + " " + rec.Invalid.Field
	}
	e := &rec.Event
	text := fmt.Sprintf("%s %q %s to %s %s", key, e.Title, e.Start.Local, e.End.Local, e.Zone)
	if e.AllDay {
		text += " all day"
	}
	if e.Status != event.StatusScheduled {
		text += " " + string(e.Status)
	}
	return text
}
