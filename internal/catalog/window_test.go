package catalog_test

import (
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/catalog"
)

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestPresets spells out what the presets are, by calendars and clocks and not by the code.
func TestPresets(t *testing.T) {
	t.Parallel()
	const madrid = "Europe/Madrid"
	for _, test := range []struct {
		now, zone string
		preset    catalog.WindowPreset
		from, to  string
	}{
		// A week in Madrid, from Monday 28 June 2021, always in the middle of a day.
		{"2021-06-28T10:00:00Z", madrid, catalog.ThisWeekend, "2021-07-02T22:00:00Z", "2021-07-04T22:00:00Z"},
		{"2021-06-29T10:00:00Z", madrid, catalog.ThisWeekend, "2021-07-02T22:00:00Z", "2021-07-04T22:00:00Z"},
		{"2021-06-30T10:00:00Z", madrid, catalog.ThisWeekend, "2021-07-02T22:00:00Z", "2021-07-04T22:00:00Z"},
		{"2021-07-01T10:00:00Z", madrid, catalog.ThisWeekend, "2021-07-02T22:00:00Z", "2021-07-04T22:00:00Z"},
		{"2021-07-02T10:00:00Z", madrid, catalog.ThisWeekend, "2021-07-02T22:00:00Z", "2021-07-04T22:00:00Z"},
		{"2021-07-03T10:00:00Z", madrid, catalog.ThisWeekend, "2021-07-02T22:00:00Z", "2021-07-04T22:00:00Z"},
		{"2021-07-04T10:00:00Z", madrid, catalog.ThisWeekend, "2021-07-03T22:00:00Z", "2021-07-04T22:00:00Z"},
		{"2021-07-02T21:59:59Z", madrid, catalog.ThisWeekend, "2021-07-02T22:00:00Z", "2021-07-04T22:00:00Z"}, // Friday's last second
		{"2021-07-04T22:00:00Z", madrid, catalog.ThisWeekend, "2021-07-09T22:00:00Z", "2021-07-11T22:00:00Z"}, // Monday's first
		{"2021-06-30T21:59:59Z", madrid, catalog.Today, "2021-06-29T22:00:00Z", "2021-06-30T22:00:00Z"},
		{"2021-06-30T22:00:00Z", madrid, catalog.Today, "2021-06-30T22:00:00Z", "2021-07-01T22:00:00Z"},
		{"2021-06-30T22:00:00Z", madrid, catalog.Tomorrow, "2021-07-01T22:00:00Z", "2021-07-02T22:00:00Z"},
		{"2021-06-30T12:00:00Z", madrid, catalog.Next7Days, "2021-06-29T22:00:00Z", "2021-07-06T22:00:00Z"},
		{"2021-06-30T12:00:00Z", madrid, catalog.Next30Days, "2021-06-29T22:00:00Z", "2021-07-29T22:00:00Z"},
		// Days of 23 and of 25 hours, and the weeks around them.
		{"2021-03-28T12:00:00Z", madrid, catalog.Today, "2021-03-27T23:00:00Z", "2021-03-28T22:00:00Z"},
		{"2021-03-27T12:00:00Z", madrid, catalog.Tomorrow, "2021-03-27T23:00:00Z", "2021-03-28T22:00:00Z"},
		{"2021-03-25T12:00:00Z", madrid, catalog.ThisWeekend, "2021-03-26T23:00:00Z", "2021-03-28T22:00:00Z"},
		{"2021-10-31T00:30:00Z", madrid, catalog.Today, "2021-10-30T22:00:00Z", "2021-10-31T23:00:00Z"},
		{"2021-10-31T01:30:00Z", madrid, catalog.Today, "2021-10-30T22:00:00Z", "2021-10-31T23:00:00Z"},
		{"2021-10-31T12:00:00Z", madrid, catalog.Next7Days, "2021-10-30T22:00:00Z", "2021-11-06T23:00:00Z"},
		{"2021-11-07T12:00:00Z", "America/New_York", catalog.Today, "2021-11-07T04:00:00Z", "2021-11-08T05:00:00Z"},
		{"2021-10-03T00:00:00Z", "Australia/Lord_Howe", catalog.Today, "2021-10-02T13:30:00Z", "2021-10-03T13:00:00Z"}, // half an hour
		// Far from Greenwich: another day than there.
		{"2021-06-30T10:00:00Z", "Pacific/Kiritimati", catalog.Today, "2021-06-30T10:00:00Z", "2021-07-01T10:00:00Z"},
		{"2021-06-30T09:59:59Z", "Pacific/Kiritimati", catalog.Today, "2021-06-29T10:00:00Z", "2021-06-30T10:00:00Z"},
		{"2021-06-30T10:59:59Z", "Pacific/Pago_Pago", catalog.Today, "2021-06-29T11:00:00Z", "2021-06-30T11:00:00Z"},
		{"2021-07-03T10:00:00Z", "Pacific/Kiritimati", catalog.ThisWeekend, "2021-07-03T10:00:00Z", "2021-07-04T10:00:00Z"}, // Sunday there
		{"2021-06-30T12:00:00Z", "Asia/Kathmandu", catalog.Tomorrow, "2021-06-30T18:15:00Z", "2021-07-01T18:15:00Z"},
		// Samoa had no 30 December 2011: on the 29th, tomorrow is no time at all.
		{"2011-12-29T20:00:00Z", "Pacific/Apia", catalog.Tomorrow, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"2011-12-29T20:00:00Z", "Pacific/Apia", catalog.Today, "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"2011-12-30T10:00:00Z", "Pacific/Apia", catalog.Today, "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
		// No midnight: clocks went from 24:00 to 01:00.
		{"2018-11-04T12:00:00Z", "America/Sao_Paulo", catalog.Today, "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
		{"2024-02-28T12:00:00Z", "Etc/UTC", catalog.Tomorrow, "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"},
		{"2024-12-31T12:00:00Z", "Etc/UTC", catalog.Tomorrow, "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"},
	} {
		w, err := catalog.WindowInput{Preset: &test.preset, TimeZone: location(test.zone)}.Window(instant(t, test.now))
		if err != nil {
			t.Errorf("%s in %s at %s: %v", test.preset, test.zone, test.now, err)
			continue
		}
		if !w.From.Instant.Equal(instant(t, test.from)) || !w.To.Instant.Equal(instant(t, test.to)) || w.Match != catalog.Overlaps || w.Inclusive {
			t.Errorf("%s in %s at %s is %s to %s, want %s to %s", test.preset, test.zone, test.now, w.From, w.To, test.from, test.to)
		}
	}
}

// TestWindowInput: which windows are refused, and what a time zone does to bounds.
func TestWindowInput(t *testing.T) {
	t.Parallel()
	madrid := location("Europe/Madrid")
	for _, test := range []struct {
		from, to string
		zone     *time.Location
		argument string // at fault
		want     string // else
	}{
		{"2021-06-30", "2021-07-01", nil, "", "2021-06-30 2021-07-01"},
		{"2021-06-30", "2021-07-01", madrid, "", "2021-06-29T22:00:00Z 2021-06-30T22:00:00Z"},
		{"2021-06-30T20:00", "2021-07-01T00:00Z", madrid, "", "2021-06-30T18:00:00Z 2021-07-01T00:00:00Z"},
		{"2021-06-30", "2021-06-30", nil, "", "2021-06-30 2021-06-30"},
		{"2021-06-30", "2021-06-29T23:59:59", nil, "window.from", ""},
		{"2021-06-30T00:00:01Z", "2021-06-30T00:00:00Z", nil, "window.from", ""},
		{"2021-06-30", "2021-06-29T22:00Z", madrid, "", "2021-06-29T22:00:00Z 2021-06-29T22:00:00Z"},
		{"2021-06-30", "2021-06-29T21:59:59Z", madrid, "window.from", ""},
		{"2021-06-30", "2021-06-29T22:00Z", nil, "", "2021-06-30 2021-06-29T22:00:00Z"}, // in Kiritimati it is in order
		{"2021-06-30", "2021-06-29T07:00Z", nil, "window.from", ""},                     // nowhere
		{"2021-03-28T02:30", "2021-03-28T03:00", madrid, "window.from", ""},             // 02:30 did not come; it was 03:30
		{"2021-10-31T02:30", "2021-10-31T02:30", madrid, "", "2021-10-31T00:30:00Z 2021-10-31T00:30:00Z"},
	} {
		w, err := catalog.WindowInput{From: bound(t, test.from), To: bound(t, test.to), TimeZone: test.zone}.Window(time.Now())
		if refused(t, err, test.argument); (err != nil) != (test.argument != "") {
			t.Errorf("%s to %s: %v", test.from, test.to, err)
		}
		if err != nil {
			continue
		}
		if got := w.From.String() + " " + w.To.String(); got != test.want {
			t.Errorf("%s to %s: %s, want %s", test.from, test.to, got, test.want)
		}
	}
}

// TestHolds spells the rules out at their edges.
func TestHolds(t *testing.T) {
	t.Parallel()
	span := func(start, end string) catalog.Span {
		s := catalog.Span{StartsAt: instant(t, start)}
		s.StartsLocal = s.StartsAt
		if end != "" {
			s.EndsAt = instant(t, end)
			s.EndsLocal = s.EndsAt
		}
		return s
	}
	const eve, from, noon, to, after = "2021-06-29T12:00:00Z", "2021-06-30T00:00:00Z", "2021-06-30T12:00:00Z", "2021-07-01T00:00:00Z", "2021-07-01T12:00:00Z"
	for _, test := range []struct {
		name string
		span catalog.Span
		want string // O, S, E, C: the rules that hold; in lower case, with an end that is inside only
	}{
		{"instant inside", span(noon, ""), "OSEC"},
		{"instant at the beginning", span(from, ""), "OSEC"},
		{"instant at the end", span(to, ""), "osec"},
		{"instant before", span(eve, ""), ""},
		{"no length, at the beginning", span(from, from), "OSEC"},
		{"no length, at the end", span(to, to), "osec"},
		{"inside", span(from, noon), "OSEC"},
		{"all of it", span(from, to), "OSeC"},
		{"into it", span(eve, noon), "OE"},
		{"up to it", span(eve, from), "E"},
		{"out of it", span(noon, after), "OS"},
		{"right after it", span(to, after), "os"},
		{"around it", span(eve, after), "O"},
		{"around, up to its end", span(eve, to), "Oe"},
		{"before it", span(eve, "2021-06-29T13:00:00Z"), ""},
		{"after it", span(after, "2021-07-02T00:00:00Z"), ""},
	} {
		got, letters := "", "OSEC"
		for i, match := range rules {
			exclusive := catalog.Window{From: bound(t, from), To: bound(t, to), Match: match}
			inclusive := exclusive
			inclusive.Inclusive = true
			switch {
			case exclusive.Holds(test.span):
				got += letters[i : i+1]
				if !inclusive.Holds(test.span) {
					t.Errorf("%s: %s holds only without its end", test.name, match)
				}
			case inclusive.Holds(test.span):
				got += string(letters[i] + 'a' - 'A')
			}
			if !(catalog.Window{Match: match}).Holds(test.span) {
				t.Errorf("%s: %s without bounds doesn't hold it", test.name, match)
			}
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
