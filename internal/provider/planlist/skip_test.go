package planlist_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/planlist"
)

const salt = "planlist/1 Europe/Madrid"

// remembered reads a snapshot by DecodeUnknown and puts in what known holds for each record that is not read: it is
// what a full decode gives if that is right.
func remembered(tb testing.TB, document []byte, known map[event.RecordHash]event.Event) (records []event.Record, skipped int, err error) {
	tb.Helper()
	skip := event.Skip{Salt: salt, Known: func(hash event.RecordHash) (int, bool) {
		_, ok := known[hash]
		return 7, ok
	}}
	for rec, err := range planlist.DecodeUnknown(bytes.NewReader(document), madrid(tb), skip) {
		if err != nil {
			return records, skipped, err
		}
		if rec.Known {
			skipped++
			if rec.Number != 7 {
				tb.Fatalf("%s: its number is %d", rec.Place, rec.Number)
			}
			e := known[rec.Hash]
			if rec.Key.Series != e.Key.Series || rec.Event.SeriesTitle != e.SeriesTitle {
				tb.Fatalf("%s: series %q, %q, read in full %q, %q", rec.Place, rec.Key.Series, rec.Event.SeriesTitle, e.Key.Series, e.SeriesTitle)
			}
			rec.Event, rec.Key = e, e.Key
		}
		records = append(records, rec)
	}
	return records, skipped, nil
}

// learn reads a snapshot in full.
func learn(tb testing.TB, document []byte) (records []event.Record, known map[event.RecordHash]event.Event, err error) {
	tb.Helper()
	known = map[event.RecordHash]event.Event{}
	for rec, err := range planlist.DecodeUnknown(bytes.NewReader(document), madrid(tb), event.Skip{Salt: salt}) {
		if err != nil {
			return records, known, err
		}
		records = append(records, rec)
		if rec.Invalid == nil {
			known[rec.Hash] = rec.Event
		}
	}
	return records, known, nil
}

// same fails unless both ways of reading document agree, and tells how many records were skipped.
func same(tb testing.TB, document []byte, known map[event.RecordHash]event.Event) int {
	tb.Helper()
	want, _, wantErr := learn(tb, document)
	got, skipped, gotErr := remembered(tb, document, known)
	if (wantErr == nil) != (gotErr == nil) || wantErr != nil && wantErr.Error() != gotErr.Error() {
		tb.Fatalf("error %v, read in full %v", gotErr, wantErr)
	}
	if len(got) != len(want) {
		tb.Fatalf("%d records, read in full %d", len(got), len(want))
	}
	for i := range want {
		g, w := got[i], want[i]
		if g.Place != w.Place {
			tb.Fatalf("record %d: place %q, read in full %q", i, g.Place, w.Place)
		}
		switch {
		case g.Hash != w.Hash || g.Key != w.Key || (g.Invalid == nil) != (w.Invalid == nil):
			tb.Fatalf("record %d:\n%+v, read in full\n%+v", i, g, w)
		case w.Invalid == nil && g.Event.Hash() != w.Event.Hash():
			tb.Fatalf("record %d: %v", i, event.Diff(&g.Event, &w.Event))
		case w.Invalid != nil && (g.Invalid.Error() != w.Invalid.Error() || g.Excerpt != w.Excerpt):
			tb.Fatalf("record %d: %v, read in full %v", i, g.Invalid, w.Invalid)
		}
	}
	return skipped
}

func TestSkip(t *testing.T) {
	t.Parallel()
	const (
		plan  = `<plan plan_id="1" plan_start_date="2030-06-30T21:00:00"><zone zone_id="1" price="5"/></plan>`
		other = `<plan plan_id="2" plan_start_date="2030-07-01T21:00:00"/>`
	)
	in := func(base, records string) []byte {
		return []byte("<planList><output><base_plan " + base + ">\n" + records + "\n</base_plan></output></planList>")
	}
	const base = `base_plan_id="7" title="Show"`
	_, known, err := learn(t, in(base, plan+other))
	if err != nil || len(known) != 2 {
		t.Fatal(known, err)
	}
	for name, test := range map[string]struct {
		document []byte
		skipped  int
	}{
		"the same":                    {in(base, plan+other), 2},
		"other white space between":   {in(base, other+"\n\n "+plan), 2},
		"twice":                       {in(base, plan+plan), 2},
		"another title":               {in(`base_plan_id="7" title="Play"`, plan+other), 0},
		"another base":                {in(`base_plan_id="8" title="Show"`, plan), 0},
		"another price":               {in(base, `<plan plan_id="1" plan_start_date="2030-06-30T21:00:00"><zone zone_id="1" price="6"/></plan>`+other), 1},
		"broken":                      {in(base, `<plan plan_id="1"/>`+other), 1},
		"in a comment":                {in(base, "<!-- "+plan+" -->"+other), 1},
		"in CDATA":                    {in(base, "<![CDATA["+plan+"]]>"+other), 1},
		"in a record":                 {in(base, `<plan plan_id="3" plan_start_date="2030-06-30T21:00:00">`+plan+`</plan>`), 0},
		"in a comment in a record":    {in(base, `<plan plan_id="3" plan_start_date="2030-06-30T21:00:00"><!-- `+plan+` --></plan>`+plan), 1},
		"in a value":                  {in(base, `<plan plan_id="3" note='</plan>'></plan>`+plan), 0},
		"outside a base":              {[]byte("<planList><output><base_plan " + base + "></base_plan><x>" + plan + "</x></output></planList>"), 0},
		"an end tag with white space": {in(base, `<plan plan_id="3" plan_start_date="2030-06-30T21:00:00"></plan >`+plan), 0},
		"cut off behind it":           {in(base, plan)[:len("<planList><output><base_plan >\n")+len(base)+len(plan)], 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if skipped := same(t, test.document, known); skipped != test.skipped {
				t.Errorf("%d records skipped, want %d", skipped, test.skipped)
			}
		})
	}
	_, skipped, err := remembered(t, bytes.ReplaceAll(in(base, plan), []byte("planList"), []byte("eventList")), known)
	if err != nil || skipped > 0 {
		t.Errorf("of another generation: %d skipped, %v", skipped, err)
	}
}

// TestSkipSalt: what other settings made of a record is not known.
func TestSkipSalt(t *testing.T) {
	t.Parallel()
	document := fixture(t, "planlist.xml")
	hashes := func(salt string) (hashes []event.RecordHash) {
		for rec, err := range planlist.DecodeUnknown(bytes.NewReader(document), madrid(t), event.Skip{Salt: salt}) {
			if err != nil {
				t.Fatal(err)
			}
			hashes = append(hashes, rec.Hash)
		}
		return hashes
	}
	a, b := hashes("a"), hashes("b")
	for i := range a {
		if a[i] == b[i] {
			t.Errorf("record %d has one hash under two salts", i)
		}
	}
	if diff := cmp.Diff(a, hashes("a")); diff != "" {
		t.Error(diff)
	}
}

// FuzzSkip reads a snapshot after another one of which it knows the records, and in full.
func FuzzSkip(f *testing.F) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		document, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(document, 0, 0, []byte(nil))
		f.Add(document, len(document)/2, 1, []byte("<!--"))
		f.Add(document, len(document)/3, 20, []byte("</plan >"))
		f.Add(document, len(document)/4, 0, []byte("<plan>"))
		f.Add(document, len(document)/4, 5, document[len(document)/4:len(document)/2])
	}
	// The second snapshot is the first with some bytes taken out at a place, and others put in.
	f.Fuzz(func(t *testing.T, document []byte, at, out int, in []byte) {
		_, known, err := learn(t, document)
		if err != nil && !errors.Is(err, event.ErrMalformed) {
			t.Fatal(err)
		}
		same(t, document, known)
		at = min(max(at, 0), len(document))
		out = min(max(out, 0), len(document)-at)
		same(t, bytes.Join([][]byte{document[:at], in, document[at+out:]}, nil), known)
	})
}
