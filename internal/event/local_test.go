package event_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/event"
)

func local(tb testing.TB, s string) event.LocalDateTime {
	tb.Helper()
	l, err := event.ParseLocal(s)
	if err != nil {
		tb.Fatalf("ParseLocal(%q): %v", s, err)
	}
	return l
}

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return z
}

func TestParseLocal(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"2021-06-30T21:00:00": "2021-06-30T21:00:00",
		"2021-06-30T21:00":    "2021-06-30T21:00:00",
		"2024-02-29T00:00:00": "2024-02-29T00:00:00",
		"2000-02-29T23:59:59": "2000-02-29T23:59:59",
		"1000-01-01T00:00:00": "1000-01-01T00:00:00",
		"9999-12-31T23:59:59": "9999-12-31T23:59:59",
	}
	for in, want := range good {
		if got, err := event.ParseLocal(in); err != nil || got.String() != want {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", "2021", "2021-06-30", "2021-09-31T20:00:00", "2021-02-29T20:00:00", "1900-02-29T20:00:00",
		"2021-00-10T20:00:00", "2021-13-10T20:00:00", "2021-06-00T20:00:00", "2021-06-32T20:00:00",
		"2021-06-30T24:00:00", "2021-06-30T20:60:00", "2021-06-30T23:59:60",
		"2021-06-30T21:00:00.5", "2021-06-30T21:00:00,5", "2021-06-30T21:00.5", "2021-06-30T21:00:00Z", "2021-06-30T21:00+02",
		"2021-06-30 21:00:00", "2021-06-30t21:00:00", " 2021-06-30T21:00", "2021-6-30T21:00:00", "2021/06/30T21:00:00",
		"0000-01-01T00:00:00", "0001-01-01T00:00:00", "0999-12-31T23:59:59", "10000-01-01T00:00:00", "-999-01-01T00:00:00",
		"2021-06-30T+1:00:00", "2021-06-30T9:00:00", "2021-06-30T9:00", "２０２１-06-30T21", "2021-06-30T21:00:\x00\x00",
	} {
		if got, err := event.ParseLocal(in); !errors.Is(err, event.ErrBadDateTime) {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
}

func TestParseLocalDate(t *testing.T) {
	t.Parallel()
	if got, err := event.ParseLocalDate("2024-02-29"); err != nil || got.String() != "2024-02-29T00:00:00" || !got.IsMidnight() {
		t.Errorf("%s, %v", got, err)
	}
	for _, in := range []string{"", "2021-09-31", "2021-9-30", "2021-06-30T21:00:00", "2021-06-3", "0999-12-31"} {
		if got, err := event.ParseLocalDate(in); !errors.Is(err, event.ErrBadDateTime) {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
}

// checkAgainstTimeParse holds the hand-written parser to what time.Parse takes and makes of it. Only years before
// 1000 differ, and what time.Parse takes although it has not the layout's form: fractions, an hour of one digit.
func checkAgainstTimeParse(t interface{ Fatalf(string, ...any) }, s string) {
	if len(s) > len("2006-01-02T15:04:05") {
		if got, err := event.ParseLocal(s); err == nil {
			t.Fatalf("%q is longer than the form, read as %s", s, got)
		}
		return
	}
	var want time.Time
	wanted := false
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if read, err := time.Parse(layout, s); err == nil && read.Format(layout) == s && read.Year() >= 1000 {
			want, wanted = read, true
		}
	}
	if got, err := event.ParseLocal(s); wanted != (err == nil) || wanted && !got.AsUTC().Equal(want) {
		t.Fatalf("%q: %s, %v; time.Parse: %s, %t", s, got, err, want, wanted)
	}
}

func TestParseLocalAgreesWithTimeParse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := func(label string, low, high int) int { return rapid.IntRange(low, high).Draw(t, label) }
		s := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d",
			n("year", 900, 9999), n("month", 0, 13), n("day", 0, 32), n("hour", 0, 25), n("minute", 0, 61), n("second", 0, 61))
		if rapid.Bool().Draw(t, "short") {
			s = s[:16]
		}
		if rapid.IntRange(0, 3).Draw(t, "damage") == 0 {
			b := []byte(s)
			b[n("at", 0, len(b)-1)] = rapid.SampledFrom([]byte("0 +-:.,TtZ9\x00\xff")).Draw(t, "byte")
			s = string(b)
		}
		checkAgainstTimeParse(t, s)
	})
}

func FuzzParseLocal(f *testing.F) {
	for _, s := range []string{"2021-06-30T21:00:00", "2021-06-30T21:00", "2021-09-31T20:00:00", "2024-02-29T00:00", "", "2021-06-30T21:00:0.5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkAgainstTimeParse(t, s) })
}

func TestLocalDateTime(t *testing.T) {
	t.Parallel()
	l := local(t, "2021-06-30T21:05")
	if got := l.Date() + " " + l.Time(); got != "2021-06-30 21:05:00" {
		t.Error(got)
	}
	if l.IsMidnight() || !local(t, "2021-06-30T00:00").IsMidnight() || local(t, "2021-06-30T00:00:01").IsMidnight() {
		t.Error("IsMidnight")
	}
	if got := l.Add(3 * time.Hour).String(); got != "2021-07-01T00:05:00" {
		t.Error(got)
	}
	if same := l; l.Compare(same) != 0 || l.Compare(l.Add(time.Second)) != -1 || l.Add(time.Second).Compare(l) != 1 {
		t.Error("Compare")
	}
	if none := (event.LocalDateTime{}); !none.IsZero() || none.String() != "" || l.IsZero() {
		t.Error("the zero value is not none")
	}
	if got := event.LocalOf(time.Date(2021, 6, 30, 21, 5, 0, 999, zone(t, "Europe/Madrid"))); got != l {
		t.Errorf("LocalOf: %s", got)
	}
	var read event.LocalDateTime
	if text, err := l.MarshalText(); err != nil || read.UnmarshalText(text) != nil || read != l {
		t.Errorf("%s, %v comes back as %s", text, err, read)
	}
	if err := read.UnmarshalText([]byte("2021-09-31T20:00:00")); !errors.Is(err, event.ErrBadDateTime) || read != l {
		t.Errorf("%v, %s", err, read)
	}
}

func TestMomentOf(t *testing.T) {
	t.Parallel()
	m := event.MomentOf(time.Date(2021, 6, 30, 19, 0, 0, 5e8, time.UTC), zone(t, "Europe/Madrid"))
	if m.Local != local(t, "2021-06-30T21:00") || !m.Instant.Equal(time.Date(2021, 6, 30, 19, 0, 0, 0, time.UTC)) || m.IsZero() {
		t.Errorf("%+v", m)
	}
	if at := local(t, "2021-06-30T21:00").At(zone(t, "Europe/Madrid")); at != m {
		t.Errorf("At gives %+v, MomentOf %+v", at, m)
	}
	if !(event.Moment{}).IsZero() {
		t.Error("the zero Moment is not none")
	}
}

// TestIn is RFC 5545, 3.3.5: what occurs twice is its first occurrence, what lies in a gap takes the offset
// before the gap.
func TestIn(t *testing.T) {
	t.Parallel()
	tests := []struct{ zone, local, want, why string }{
		{"UTC", "2021-06-30T21:00", "2021-06-30T21:00:00Z", ""},
		{"Europe/Madrid", "2021-01-30T21:00", "2021-01-30T20:00:00Z", "winter"},
		{"Europe/Madrid", "2021-06-30T21:00", "2021-06-30T19:00:00Z", "summer"},
		{"Europe/Madrid", "2021-03-28T01:59:59", "2021-03-28T00:59:59Z", "just before the gap"},
		{"Europe/Madrid", "2021-03-28T02:00", "2021-03-28T01:00:00Z", "the gap's start"},
		{"Europe/Madrid", "2021-03-28T02:30", "2021-03-28T01:30:00Z", "in the gap: 03:30 summer time"},
		{"Europe/Madrid", "2021-03-28T03:00", "2021-03-28T01:00:00Z", "the gap's end"},
		{"Europe/Madrid", "2021-10-31T01:59:59", "2021-10-30T23:59:59Z", "just before the overlap"},
		{"Europe/Madrid", "2021-10-31T02:00", "2021-10-31T00:00:00Z", "the first of two"},
		{"Europe/Madrid", "2021-10-31T02:30", "2021-10-31T00:30:00Z", "the first of two"},
		{"Europe/Madrid", "2021-10-31T02:59:59", "2021-10-31T00:59:59Z", "the first of two"},
		{"Europe/Madrid", "2021-10-31T03:00", "2021-10-31T02:00:00Z", "behind the overlap"},
		{"America/New_York", "2007-11-04T01:30", "2007-11-04T05:30:00Z", "the RFC's own example: EDT"},
		{"America/New_York", "2007-03-11T02:30", "2007-03-11T07:30:00Z", "the RFC's own example: 03:30 EDT"},
		{"Australia/Lord_Howe", "2021-10-03T02:15", "2021-10-02T15:45:00Z", "a gap of half an hour"},
		{"Australia/Lord_Howe", "2021-10-03T02:30", "2021-10-02T15:30:00Z", "behind it"},
		{"Australia/Lord_Howe", "2021-04-04T01:45", "2021-04-03T14:45:00Z", "an overlap of half an hour"},
		{"Australia/Lord_Howe", "2021-04-04T02:00", "2021-04-03T15:30:00Z", "behind it"},
		{"Pacific/Apia", "2011-12-29T23:59:59", "2011-12-30T09:59:59Z", "the last second before the day that never was"},
		{"Pacific/Apia", "2011-12-30T00:00", "2011-12-30T10:00:00Z", "a day in a gap"},
		{"Pacific/Apia", "2011-12-30T20:00", "2011-12-31T06:00:00Z", "a day in a gap"},
		{"Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00:00Z", "behind it"},
		{"America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00:00Z", "a midnight in a gap: 01:00"},
		{"America/Sao_Paulo", "2018-11-04T00:30", "2018-11-04T03:30:00Z", "01:30"},
		{"America/Sao_Paulo", "2018-02-17T23:30", "2018-02-18T01:30:00Z", "an overlap before midnight"},
		{"Africa/Casablanca", "2024-03-10T02:30", "2024-03-10T01:30:00Z", "Ramadan begins: an overlap"},
		{"Africa/Casablanca", "2024-04-14T02:30", "2024-04-14T02:30:00Z", "Ramadan ends: a gap"},
		{"Africa/Casablanca", "2024-06-14T20:00", "2024-06-14T19:00:00Z", ""},
		{"Asia/Kathmandu", "2021-06-30T21:00", "2021-06-30T15:15:00Z", "a quarter of an hour"},
		{"Europe/Madrid", "2099-07-01T20:00", "2099-07-01T18:00:00Z", "by rule, beyond the table"},
		{"Europe/Madrid", "2041-01-01T00:00", "2040-12-31T23:00:00Z", "time.ZoneBounds is wrong the day before"},
		{"Europe/Madrid", "9021-01-01T00:00", "9020-12-31T23:00:00Z", "time.ZoneBounds is wrong the day before"},
		{"Australia/Lord_Howe", "2044-12-31T20:00", "2044-12-31T09:00:00Z", "time.ZoneBounds is wrong on that day"},
	}
	for _, test := range tests {
		t.Run(test.zone+" "+test.local, func(t *testing.T) {
			t.Parallel()
			if got := local(t, test.local).In(zone(t, test.zone)).UTC().Format(time.RFC3339); got != test.want {
				t.Errorf("%s, want %s (%s)", got, test.want, test.why)
			}
		})
	}
}

// TestInIsTheEarliestInstant finds the readings by going the other way, from every offset the zone has
// around the reading.
func TestInIsTheEarliestInstant(t *testing.T) {
	t.Parallel()
	names := []string{
		"UTC", "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo",
		"Africa/Casablanca", "Asia/Kathmandu", "Asia/Manila", "America/Juneau", "Europe/Lisbon", "Antarctica/Troll",
		"Pacific/Kwajalein", "Africa/Monrovia", "Europe/Dublin", "Asia/Tehran", "America/St_Johns", "Etc/GMT-14", "Etc/GMT+12",
	}
	zones := make(map[string]*time.Location)
	for _, name := range names {
		zones[name] = zone(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		z := zones[rapid.SampledFrom(names).Draw(t, "zone")]
		year := rapid.IntRange(1000, 9998)
		if rapid.Bool().Draw(t, "of these centuries") {
			year = rapid.IntRange(1850, 2060)
		}
		near := time.Date(year.Draw(t, "year"), 1, 1, 0, 0, rapid.IntRange(-90_000, 366*86_400).Draw(t, "second"), 0, z)
		if _, change := near.ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(t, "by a change") {
			near = change.Add(time.Duration(rapid.IntRange(-100_000, 100_000).Draw(t, "off")) * time.Second)
		}
		l := event.LocalOf(near)
		got := l.In(z)

		offsets := map[int]bool{} // of every quarter of an hour around, and so of every period there
		for at := l.AsUTC().Add(-30 * time.Hour); at.Before(l.AsUTC().Add(30 * time.Hour)); at = at.Add(15 * time.Minute) {
			_, offset := at.In(z).Zone()
			offsets[offset] = true
		}
		var earliest time.Time
		for offset := range offsets {
			at := l.AsUTC().Add(-time.Duration(offset) * time.Second)
			if event.LocalOf(at.In(z)) == l && (earliest.IsZero() || at.Before(earliest)) {
				earliest = at
			}
		}
		if !got.Equal(earliest) {
			t.Fatalf("%s in %s is %s, the earliest such instant is %s", l, z, got, earliest)
		}
	})
}

// TestInOfAGap: the readings that LocalOf never shows.
func TestInOfAGap(t *testing.T) {
	t.Parallel()
	z := zone(t, "Europe/Madrid")
	rapid.Check(t, func(t *rapid.T) {
		change := time.Unix(rapid.Int64Range(0, 4_000_000_000).Draw(t, "second"), 0).In(z)
		_, before := change.Zone()
		_, change = change.ZoneBounds()
		_, after := change.Zone()
		if after <= before {
			t.Skip("an overlap")
		}
		start := change.UTC().Add(time.Duration(before) * time.Second)
		inside := time.Duration(rapid.IntRange(0, after-before-1).Draw(t, "inside")) * time.Second
		l := event.LocalOf(start.Add(inside))
		got := l.In(z)
		if want := change.Add(inside); !got.Equal(want) {
			t.Fatalf("%s is %s, want %s, by the offset before the gap", l, got, want)
		}
		if event.LocalOf(got.In(z)) == l {
			t.Fatalf("%s is not in a gap", l)
		}
	})
}

// TestAppend: what is appended is what the texts say, also of years that no event lies in.
func TestAppend(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := event.LocalOf(time.Unix(rapid.Int64Range(-70_000_000_000, 300_000_000_000).Draw(t, "seconds"), 0).UTC())
		if got := string(l.AppendDate(nil)); got != l.Date() {
			t.Errorf("date %s, want %s", got, l.Date())
		}
		if got := string(l.AppendTime([]byte("x"))); got != "x"+l.Time() {
			t.Errorf("time %s, want x%s", got, l.Time())
		}
	})
}
