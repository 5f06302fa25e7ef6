package mapped_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/mapped"
)

// FuzzDecode holds that no document brings the decoder down or gives an event that breaks the catalog's rules.
// What streams and what is read whole agree.
func FuzzDecode(f *testing.F) {
	f.Add(shows)
	f.Add(days)
	f.Add(`[{"uid": 1, "name": "A", "begin": "2030-01-01", "price": 5}, {"uid": 1, "uid": 2}, [], "x", null]`)
	f.Add(`{"events": [{"uid": 1, "name": "A", "begin": "2030-06-30T21:00+02:00", "offers": [{"price": 1e2}], "duration": "PT1H"}]}`)
	f.Add(`{"events": {"a": null, "b": 5, "c": [[]]}} `)
	f.Add("uid,name,begin\n1,A,2030-01-01\n")
	f.Add("\r\nuid;\"name\";\"begin\";\"sold,\r\n\"\"out\"\"\"\r\n1;A;2030-01-01;\r\n2;\"B\nb\";2030-01-01;x\r\n")
	f.Add(`<events><event uid="1"><name>A</name><begin>2030-01-01</begin></event></events>`)
	const object = `| {id: .uid, title: .name, start: .begin, price, duration, offers, place, attributes: {v: .}}`
	streamed := compile(f, mapped.Settings{Format: mapped.JSON, Map: ".[]" + object})
	whole := compile(f, mapped.Settings{Format: mapped.JSON, Map: "(.[] | .)" + object})
	others := []*mapped.Mapping{
		compile(f, mapped.Settings{Format: mapped.JSON, Map: ".events[]" + object}),
		compile(f, mapped.Settings{Format: mapped.XML, Map: ".events.event[]" + object}),
		compile(f, mapped.Settings{Format: mapped.CSV, Map: ".[]" + object}),
	}
	f.Fuzz(func(t *testing.T, document string) {
		a, b := outcome(t, streamed, document), outcome(t, whole, document)
		// Of an object the members are in order, and each there once, in only one of them. Depth counts from
		// another place.
		list := strings.HasPrefix(strings.TrimLeft(document, " \t\r\n\ufeff"), "[")
		if a != b && list && strings.Count(document, "[")+strings.Count(document, "{") < 150 {
			t.Errorf("streamed:\n%s\nwhole:\n%s", a, b)
		}
		for _, m := range others {
			outcome(t, m, document)
		}
	})
}

// outcome is the events, or that there is a fault.
func outcome(t *testing.T, m *mapped.Mapping, document string) string {
	t.Helper()
	var b strings.Builder
	for rec, err := range m.Decode(t.Context(), strings.NewReader(document), madrid(t)) {
		if err != nil {
			if !errors.Is(err, event.ErrMalformed) {
				t.Errorf("an error of no kind: %v", err)
			}
			return "malformed"
		}
		if rec.Invalid == nil {
			if err := rec.Event.Validate(); err != nil {
				t.Errorf("a bad event passed: %v", err)
			}
		}
		if len(rec.Excerpt) > event.MaxExcerptBytes || rec.Place.IsZero() || rec.Key.Provider != "acme" {
			t.Errorf("record %q of %q, %d bytes of excerpt", rec.Place, rec.Key.Provider, len(rec.Excerpt))
		}
		_, what, _ := strings.Cut(lines([]event.Record{rec})[0], ": ") // the places differ
		b.WriteString(what + "\n")
	}
	return b.String()
}
