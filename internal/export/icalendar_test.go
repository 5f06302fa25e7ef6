package export_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/export"
	"github.com/aledotdev/marquee/internal/provider/icalendar"
)

// tester is a test, or a check of rapid's.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func format(tb tester, name string) export.Format {
	tb.Helper()
	for _, f := range export.Formats() {
		if f.Name == name {
			return f
		}
	}
	tb.Fatalf("there is no format %s", name)
	return export.Format{}
}

// written is the document of some events.
func written(tb tester, events ...catalog.Exported) []byte {
	tb.Helper()
	w := format(tb, "ics").New()
	b := w.Begin(nil)
	for _, e := range events {
		var err error
		if b, err = w.Event(b, e); err != nil {
			tb.Fatal(err)
		}
	}
	return w.End(b)
}

// happening is an event as far as a calendar shows it.
func happening(title string, start event.LocalDateTime, zone *time.Location) catalog.Exported {
	return catalog.Exported{Event: &catalog.Event{
		ID: event.Key{Provider: "acme", Event: title}.ID(), Title: title,
		StartsAt: start.In(zone), StartsLocal: start, TimeZone: zone.String(),
		Status: event.StatusScheduled, FirstSeenAt: noon, UpdatedAt: noon,
	}}
}

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func location(tb tester, name string) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return zone
}

// decoded is what our own reader makes of a calendar, as if it were a provider's.
func decoded(tb tester, document []byte) []event.Event {
	tb.Helper()
	var events []event.Event
	defaults := event.Defaults{Provider: "again", Zone: time.UTC}
	for r, err := range icalendar.Decode(bytes.NewReader(document), defaults, icalendar.Horizon{}) {
		if err != nil {
			tb.Fatalf("%v in\n%s", err, document)
		}
		if r.Invalid != nil {
			tb.Fatalf("%v in\n%s", r.Invalid, document)
		}
		events = append(events, r.Event)
	}
	return events
}

// checkForm holds what RFC 5545, 3.1 asks of lines.
func checkForm(tb tester, document []byte) {
	tb.Helper()
	if !bytes.HasSuffix(document, []byte("END:VCALENDAR\r\n")) {
		tb.Errorf("the end is missing: %q", document)
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(string(document), "\r\n"), "\r\n") {
		if len(l) > 75 || strings.ToValidUTF8(l, "") != l || strings.ContainsFunc(l, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			tb.Errorf("line %q", l)
		}
	}
}

// TestTextRoundTrips: any text comes back, as a calendar can say it: without control characters, and with the spaces
// around it that our reader takes away.
func TestTextRoundTrips(t *testing.T) {
	t.Parallel()
	text := rapid.StringOf(rapid.OneOf(
		rapid.SampledFrom([]rune("\r\n\t,;:\\\"'nN=^ \u0000\u0001\u001f\u007f\u0085\u2028\ufeff🎭é")), rapid.Rune()))
	said := func(s string) string {
		s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
		return strings.TrimSpace(strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
				return -1
			}
			return r
		}, s))
	}
	rapid.Check(t, func(t *rapid.T) {
		e := happening("x", local(t, "2026-11-28T20:00:00"), time.UTC)
		title, description, category := text.Draw(t, "title"), text.Draw(t, "description"), text.Draw(t, "category")
		e.Title, e.Description, e.Categories = "A"+title+"Z", &description, []string{"A" + category + "Z", "other"}
		document := written(t, e)
		checkForm(t, document)

		ours := decoded(t, document)
		if len(ours) != 1 {
			t.Fatalf("%d events", len(ours))
		}
		if diff := cmp.Diff(said(description), ours[0].Description); diff != "" {
			t.Error(diff)
		}

		calendar, err := ical.NewDecoder(bytes.NewReader(document)).Decode()
		if err != nil {
			t.Fatal(err)
		}
		theirs := calendar.Events()[0].Props
		for name, want := range map[string]string{ical.PropSummary: e.Title, ical.PropDescription: description} {
			got, err := theirs.Text(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(said(want), said(got)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		categories, err := theirs.Get(ical.PropCategories).TextList()
		if err != nil || len(categories) != 2 || said(categories[0]) != said(e.Categories[0]) {
			t.Errorf("categories %q, %v", categories, err)
		}
	})
}

func local(tb tester, s string) event.LocalDateTime {
	l, err := event.ParseLocal(s)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// TestZonesAreDefined reads times by the VTIMEZONE alone: under a name that means nothing, they have to be the same
// instants as by the name that does.
func TestZonesAreDefined(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Africa/Cairo", "Africa/Casablanca", "Africa/Monrovia", "America/Havana", "America/New_York", "America/Santiago", "America/Sao_Paulo",
		"Antarctica/Troll", "Asia/Gaza", "Asia/Jerusalem", "Asia/Kathmandu", "Asia/Pyongyang", "Asia/Tehran", "Asia/Tokyo", "Australia/Lord_Howe",
		"Europe/Dublin", "Europe/Istanbul", "Europe/London", "Europe/Madrid", "Europe/Moscow", "Etc/GMT+5", "Pacific/Apia", "Pacific/Chatham",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := location(t, name)
			for _, since := range []int{1969, 1995, 2019, 2026, 2036, 2044} {
				checkZone(t, zone, since)
			}
		})
	}
}

func checkZone(t *testing.T, zone *time.Location, since int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, uint64(since)))
	var events []catalog.Exported
	want := map[event.ID]time.Time{}
	last := max(2037, since)
	for i := range 400 {
		// Half of the times are around the hours at which clocks change, most of which are in these months.
		at := time.Date(since, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(random.Int64N(int64(time.Duration(last-since+1) * 365 * 24 * time.Hour))))
		if i%2 == 0 {
			at = time.Date(at.Year(), []time.Month{3, 4, 9, 10, 11}[random.IntN(5)], 1+random.IntN(31), random.IntN(4), 30*random.IntN(2), 0, 0, time.UTC)
		}
		if i == 0 {
			at = time.Date(since, 1, 2, 0, 0, 0, 0, time.UTC) // the earliest is the first
		}
		e := happening(fmt.Sprint(i), event.LocalOf(at), zone)
		events, want[e.ID] = append(events, e), e.StartsAt
	}
	document := written(t, events...)
	checkForm(t, document)
	document = bytes.ReplaceAll(document, []byte("TZID="+zone.String()), []byte("TZID=Nowhere"))
	document = bytes.ReplaceAll(document, []byte("TZID:"+zone.String()), []byte("TZID:Nowhere"))
	got := decoded(t, document)
	if len(got) != len(events) {
		t.Fatalf("%d events", len(got))
	}
	wrong := 0
	for _, e := range got {
		id, err := event.ParseID(e.Key.Event)
		if err != nil {
			t.Fatal(err)
		}
		if !e.Start.Instant.Equal(want[id]) {
			if wrong++; wrong < 4 {
				t.Errorf("since %d: %v, want %v", since, e.Start.Instant, want[id])
			}
		}
	}
	if wrong > 0 {
		zone, _, _ := bytes.Cut(document, []byte("BEGIN:VEVENT"))
		t.Errorf("%d of %d are wrong by\n%s", wrong, len(got), zone)
	}
}

// TestNoEvents: a calendar has to hold something.
func TestNoEvents(t *testing.T) {
	t.Parallel()
	document := written(t)
	checkForm(t, document)
	calendar, err := ical.NewDecoder(bytes.NewReader(document)).Decode()
	if err != nil || len(calendar.Children) != 1 {
		t.Errorf("%v in\n%s", err, document)
	}
	if events := decoded(t, document); len(events) != 0 {
		t.Errorf("%d events", len(events))
	}
}

// TestSecondReading: what clocks show twice means the first time, but for an event that is told in UTC.
func TestSecondReading(t *testing.T) {
	t.Parallel()
	zone := location(t, "Europe/Madrid")
	first := happening("first", local(t, "2026-10-25T02:30:00"), zone)
	second := happening("second", local(t, "2026-10-25T02:30:00"), zone)
	second.StartsAt = second.StartsAt.Add(time.Hour)
	got := decoded(t, written(t, first, second))
	if !got[0].Start.Instant.Equal(first.StartsAt) || !got[1].Start.Instant.Equal(second.StartsAt) {
		t.Errorf("%v and %v", got[0].Start.Instant, got[1].Start.Instant)
	}
}
