package catalog_test

import (
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

func TestParseBound(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{ // empty: refused
		"2021-06-30":                        "2021-06-30",
		"2024-02-29":                        "2024-02-29",
		"1000-01-01":                        "1000-01-01",
		"9999-12-31":                        "9999-12-31",
		"2021-06-30T20:00":                  "2021-06-30T20:00:00",
		"2021-06-30T00:00":                  "2021-06-30T00:00:00",
		"2021-06-30T20:00:59":               "2021-06-30T20:00:59",
		"2021-06-30T20:00Z":                 "2021-06-30T20:00:00Z",
		"2021-06-30T20:00z":                 "2021-06-30T20:00:00Z",
		"2021-06-30T20:00:00+02:00":         "2021-06-30T18:00:00Z",
		"2021-06-30T20:00+02:00":            "2021-06-30T18:00:00Z",
		"2021-06-30T20:00:00+0200":          "2021-06-30T18:00:00Z",
		"2021-06-30T20:00:00-11:30":         "2021-07-01T07:30:00Z",
		"2021-06-30T20:00:00.5Z":            "2021-06-30T20:00:00.5Z",
		"2021-06-30T20:00:00.123456789Z":    "2021-06-30T20:00:00.123456Z",
		"1000-01-01T00:00:00Z":              "1000-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z":              "9999-12-31T23:59:59Z",
		"9999-12-31T23:59:59-01:00":         "", // it is the year 10000 already
		"1000-01-01T00:00:00+01:00":         "",
		"0999-12-31":                        "",
		"0999-12-31T00:00:00Z":              "",
		"10000-01-01":                       "",
		"+2021-06-30":                       "",
		"-2021-06-30":                       "",
		"":                                  "",
		" ":                                 "",
		"now":                               "",
		"2021":                              "",
		"2021-06":                           "",
		"2021-6-30":                         "",
		"20210630":                          "",
		"2021-W26-3":                        "",
		"2021-181":                          "",
		"2021-09-31":                        "",
		"2021-02-29":                        "",
		"2100-02-29":                        "",
		"2021-00-01":                        "",
		"2021-01-00":                        "",
		"2021-13-01":                        "",
		"30/06/2021":                        "",
		"2021-06-30T":                       "",
		"2021-06-30T20":                     "",
		"2021-06-30T2000":                   "",
		"2021-06-30T24:00":                  "",
		"2021-06-30T20:60":                  "",
		"2021-06-30T20:00:60":               "",
		"2021-06-30T20:00:00.5":             "",
		"2021-06-30T20:00:00+99:00":         "",
		"2021-06-30T20:00:00 Europe/Madrid": "",
		"2021-06-30T20:00:00 02:00":         "",
		"2021-06-30 20:00":                  "",
		" 2021-06-30":                       "",
		"2021-06-30\n":                      "",
		"2021-06-30\x00":                    "",
		"٢٠٢١-٠٦-٣٠":                        "",
		"2021-06-30T20:00:00." + strings.Repeat("0", 1000) + "Z": "",
	} {
		b, ok := catalog.ParseBound(in)
		if ok != (want != "") || ok && b.String() != want {
			t.Errorf("%q: %s, %t; want %q", in, b, ok, want)
		}
	}
}

func FuzzParseBound(f *testing.F) {
	for _, seed := range []string{"2021-06-30", "2021-06-30T20:00", "2021-06-30T20:00:59", "2021-06-30T20:00:00.5Z", "2021-06-30T20:00+02:00", "2021-06-30T20:00:00-1130", "", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		b, ok := catalog.ParseBound(in)
		if !ok {
			if b != (catalog.Bound{}) {
				t.Errorf("refused, and %+v", b)
			}
			return
		}
		if b.Local.IsZero() == b.Instant.IsZero() {
			t.Errorf("not exactly one of instant and wall clock: %+v", b)
		}
		again, ok := catalog.ParseBound(b.String())
		if !ok || again != b {
			t.Errorf("%s is read as %s, and that as %s", in, b, again)
		}
	})
}

func FuzzCursor(f *testing.F) {
	in := func(field catalog.OrderField) catalog.EventQuery {
		return catalog.EventQuery{Order: catalog.EventOrder{Field: field}, Now: time.Unix(1e9, 0)}
	}
	for _, seed := range []string{
		catalog.CursorAt(time.Date(2021, 6, 30, 19, 0, 0, 0, time.UTC), event.ProviderID("acme")),
		catalog.CursorAt(time.UnixMicro(math.MaxInt64), event.ID{}), catalog.CursorAt(time.UnixMicro(math.MinInt64), event.ID{}),
		catalog.CursorIn(in(catalog.ByPrice), catalog.Spot{}), catalog.CursorIn(in(catalog.ByPrice), catalog.Spot{MinPrice: new(decimal("9.99"))}),
		catalog.CursorIn(in(catalog.ByLastChange), catalog.Spot{UpdatedAt: time.Unix(1e9, 0)}), catalog.CursorIn(in(catalog.ByTitle), catalog.Spot{TitleKey: "opera"}),
		catalog.CursorIn(in(catalog.ByRelevance), catalog.Spot{StartsAt: time.Unix(1e9, 0)}),
		catalog.RunCursor(5), catalog.RunCursor(math.MinInt64), catalog.RunCursor(5)[:4] + "\n" + catalog.RunCursor(5)[4:], "", "=", "\x00", base64.StdEncoding.EncodeToString(make([]byte, 25)),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		taken := 0
		for _, o := range orders {
			if o.Field == "" || o.Direction == catalog.Descending { // a place is the same in both directions
				continue
			}
			again, err := catalog.ParseCursor(catalog.EventQuery{Order: o, Where: catalog.EventFilter{Text: new("jazz")}}, "after", in)
			refused(t, err, "after")
			if err == nil && again != in {
				t.Errorf("one place has two cursors, %s and %s", in, again)
			}
			if err == nil {
				taken++
			}
		}
		if taken > 1 {
			t.Errorf("%s is a cursor of %d orders", in, taken)
		}
		run, err := catalog.ParseRunCursor(in)
		refused(t, err, "after")
		if err == nil && catalog.RunCursor(run) != in {
			t.Errorf("run %d has two cursors, one of them %s", run, in)
		}
	})
}

// refused checks an error, if there is one: that it is the client's to mend, and names the argument.
func refused(t *testing.T, err error, argument string) {
	t.Helper()
	if err == nil {
		return
	}
	e, ok := errors.AsType[*catalog.Error](err)
	if !ok || e.Code != catalog.CodeBadUserInput || e.Argument != argument || !strings.HasPrefix(e.Message, argument) {
		t.Errorf("%#v, want it to name %s", err, argument)
	}
}

// TestForgedCursors: whatever parses is a place, for PostgreSQL too.
func TestForgedCursors(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 2)
	c := catalog.New(pool, time.Now)
	for _, at := range []time.Time{
		time.Date(-4000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(0, 1000),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	} {
		for _, id := range []event.ID{{}, {0: 0xff, 15: 0xff}} {
			cursor := catalog.CursorAt(at, id)
			for _, direction := range []catalog.Direction{catalog.Ascending, catalog.Descending} {
				for _, w := range []catalog.Window{{}, {Match: catalog.Overlaps, From: bound(t, "1000-01-01"), To: bound(t, "9999-12-31")}, {Match: catalog.EndsIn, From: bound(t, "9999-12-31T00:00Z")}} {
					for _, page := range []catalog.PageArgs{{After: &cursor}, {Before: &cursor}, {After: &cursor, Before: &cursor, Last: new(1)}} {
						if _, err := c.Events(t.Context(), catalog.EventQuery{Page: page, Window: w, Order: catalog.EventOrder{Direction: direction}}); err != nil {
							t.Errorf("%s: %v", at, err)
						}
					}
				}
			}
		}
	}
	for _, at := range []time.Time{time.UnixMicro(math.MaxInt64), time.UnixMicro(math.MinInt64), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		_, err := catalog.ParseCursor(catalog.EventQuery{}, "before", catalog.CursorAt(at, event.ID{}))
		if refused(t, err, "before"); err == nil {
			t.Errorf("%s is taken", at)
		}
	}
}
