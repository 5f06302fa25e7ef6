package icalendar_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/icalendar"
)

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.ics")
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	if folder := os.Getenv("MARQUEE_FEEDS"); folder != "" {
		feeds, err := filepath.Glob(filepath.Join(folder, "icalendar", "*.ics"))
		if err != nil || len(feeds) == 0 {
			f.Fatalf("no feeds in MARQUEE_FEEDS=%s: %v", folder, err)
		}
		files = append(files, feeds...)
	}
	for _, file := range files {
		document, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(document)
	}
	horizon := years(2029, 2031)
	f.Fuzz(func(t *testing.T, document []byte) { checkDecode(t, document, horizon) })
}

// FuzzRule is about one rule: whatever it says, it comes to an end.
func FuzzRule(f *testing.F) {
	for _, rule := range []string{
		"FREQ=YEARLY;BYWEEKNO=53,-1;BYDAY=-1SU;WKST=SU", "FREQ=MONTHLY;BYDAY=1MO,-5TU;BYSETPOS=-1;COUNT=9", "FREQ=HOURLY;INTERVAL=7;BYHOUR=3",
		"FREQ=WEEKLY;INTERVAL=3;UNTIL=20300101T000000Z", "FREQ=MINUTELY;INTERVAL=90;BYDAY=FR;BYMINUTE=0,30", "FREQ=SECONDLY;COUNT=3", "FREQ=DAILY;BYYEARDAY=366,-366;BYMONTH=2",
		"FREQ=YEARLY;BYDAY=MO,-1TU;BYMONTH=1,12", "FREQ=YEARLY;BYWEEKNO=1,-1;INTERVAL=3",
	} {
		f.Add(rule, "20240229T190000")
	}
	horizon := years(2029, 2031)
	f.Fuzz(func(t *testing.T, rule, start string) {
		begun := time.Now()
		checkDecode(t, []byte(calendarOf(vevent("UID:1", "SUMMARY:Show", "DTSTART:"+start, "RRULE:"+rule))), horizon)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// checkDecode holds what is true of every document.
func checkDecode(t *testing.T, document []byte, horizon icalendar.Horizon) {
	t.Helper()
	records := 0
	for rec, err := range icalendar.Decode(bytes.NewReader(document), madrid(t), horizon) {
		if err != nil {
			if !errors.Is(err, event.ErrMalformed) {
				t.Fatalf("%v is not ErrMalformed", err)
			}
			return
		}
		if records++; records > icalendar.MaxAllInstances+len(document) {
			t.Fatalf("%d records of %d bytes", records, len(document))
		}
		if rec.Place.IsZero() || rec.Key.Provider != "acme" {
			t.Fatalf("place %q, key %v", rec.Place, rec.Key)
		}
		if rec.Invalid != nil {
			if rec.Excerpt == "" || len(rec.Excerpt) > event.MaxExcerptBytes || !utf8.ValidString(rec.Excerpt) || !utf8.ValidString(rec.Invalid.Value) {
				t.Fatalf("excerpt %q, value %q", rec.Excerpt, rec.Invalid.Value)
			}
			continue
		}
		e := &rec.Event
		if err := e.Validate(); err != nil {
			t.Fatalf("%s is given as valid: %v", rec.Place, err)
		}
		if e.Key != rec.Key || rec.Excerpt != "" {
			t.Fatalf("key %v of %v, excerpt %q", rec.Key, e.Key, rec.Excerpt)
		}
		if e.AllDay && (!e.Start.Local.IsMidnight() || !e.End.Local.IsMidnight() || e.End.Local.Compare(e.Start.Local) <= 0) {
			t.Fatalf("all day from %s to %s", e.Start.Local, e.End.Local)
		}
		if zone := location(t, e.Zone); e.Zone == "" || e.Start.Local.In(zone).Sub(e.Start.Instant).Abs() > 2*time.Hour {
			t.Fatalf("%s in %s is not %s", e.Start.Local, e.Zone, e.Start.Instant)
		}
	}
}
