package provider_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

var update = flag.Bool("update", false, "write the golden files anew")

const shippedFiles = "../../deploy/providers"

// shipped loads a provider file that we ship, on a fixed day and with secrets to be had.
func shipped(tb testing.TB, slug string) *provider.Source {
	tb.Helper()
	clock := func() time.Time { return time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC) }
	source, err := provider.LoadFile(filepath.Join(shippedFiles, slug+".yaml"), secrets, nil, provider.WithClock(clock))
	if err != nil {
		tb.Fatal(err)
	}
	return source
}

func secrets(name string) (string, bool) { return "secret-of-" + strings.ToLower(name), true }

// TestShippedFiles finds a fixture for each file, and its golden result.
func TestShippedFiles(t *testing.T) {
	t.Parallel()
	sources, err := provider.LoadDir(shippedFiles, secrets, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) < 8 {
		t.Fatalf("%d files", len(sources))
	}
	for _, source := range sources {
		slug := source.Provider().Slug
		t.Run(slug, func(t *testing.T) {
			t.Parallel()
			fixtures, err := filepath.Glob(filepath.Join("testdata", "shipped", slug+".*"))
			if err != nil {
				t.Fatal(err)
			}
			fixtures = slices.DeleteFunc(fixtures, func(name string) bool { return strings.HasSuffix(name, ".golden") })
			if len(fixtures) != 1 {
				t.Fatalf("fixtures %q of %s.yaml", fixtures, slug)
			}
			compare(t, filepath.Join("testdata", "shipped", slug+".golden"), inFull(t, shipped(t, slug), fixtures[0]))
		})
	}
}

// TestSharedAddress: the dates of a show that have one address keep their names when the first is over and leaves the page.
func TestSharedAddress(t *testing.T) {
	t.Parallel()
	page := func(days ...string) string {
		var dates []string
		for _, day := range days {
			dates = append(dates, `{"@type": "MusicEvent", "url": "https://venue.example.com/tour", "name": "Tour", "startDate": "`+day+`"}`)
		}
		return "[" + strings.Join(dates, ",") + "]"
	}
	ids := func(document string) (ids []string) {
		for rec, err := range shipped(t, "schemaorg").Decode(t.Context(), strings.NewReader(document)) {
			if err != nil || rec.Invalid != nil {
				t.Fatal(err, rec.Invalid)
			}
			ids = append(ids, rec.Key.Event)
		}
		return ids
	}
	before, after := ids(page("2030-05-01", "2030-05-02", "2030-05-03")), ids(page("2030-05-02", "2030-05-03"))
	if !slices.Equal(before[1:], after) {
		t.Errorf("%q, and a day later %q", before, after)
	}
	if alone := ids(page("2030-05-03", "2030-05-03")); !slices.Equal(alone, []string{"https://venue.example.com/tour"}) {
		t.Errorf("of one date, said twice: %q", alone)
	}
}

// TestDayBesideATime: a talk whose date is a day begins at its start, and one without a start lasts all day.
func TestDayBesideATime(t *testing.T) {
	t.Parallel()
	const document = `{"schedule": {"conference": {"title": "Camp", "time_zone_name": "Europe/Lisbon", "days": [{"rooms": {"Tent": [
		{"id": 1, "title": "A", "duration": "00:45", "date": "2030-08-21", "start": "13:00"},
		{"id": 2, "title": "B", "duration": "00:45", "date": "2030-08-21", "start": "9:00:00"},
		{"id": 3, "title": "C", "duration": "00:45", "date": "2030-08-21T12:00:00+01:00", "start": "13:00"},
		{"id": 4, "title": "D", "date": "2030-08-21", "start": ""}]}}]}}}`
	want := []string{"2030-08-21T13:00:00 false", "2030-08-21T09:00:00 false", "2030-08-21T12:00:00 false", "2030-08-21T00:00:00 true"}
	for _, slug := range []string{"frab", "pretalx"} {
		var got []string
		for rec, err := range shipped(t, slug).Decode(t.Context(), strings.NewReader(document)) {
			if err != nil || rec.Invalid != nil {
				t.Fatal(err, rec.Invalid)
			}
			got = append(got, fmt.Sprint(rec.Event.Start.Local, rec.Event.AllDay))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", slug, diff)
		}
	}
}

// TestErrorAnswers: what is no feed is no empty feed either, as that would take all events away.
func TestErrorAnswers(t *testing.T) {
	t.Parallel()
	for _, slug := range []string{"frab", "linkedevents", "linkedevents-api", "predicthq", "pretalx", "schemaorg"} {
		_, err := shipped(t, slug).Preview(t.Context(), strings.NewReader(`{"error": "too many requests"}`))
		if !errors.Is(err, event.ErrMalformed) {
			t.Errorf("%s: %v", slug, err)
		}
	}
}

// feeds are the real ones, by the provider file that is for them.
func feeds() map[string]string {
	return map[string]string{
		"conference-data/2026-*.json":                "conferences",
		"conference-data/history-2026-devops/*.json": "conferences",
		"icalendar/*.ics":                            "icalendar",
		"linkedevents/*.json":                        "linkedevents",
		"planlist/*.xml":                             "planlist",
		"predicthq/*.json":                           "predicthq",
		"schedule/frab-*.json":                       "frab",
		"schedule/pretalx-*.json":                    "pretalx",
	}
}

func realFeeds(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("MARQUEE_FEEDS")
	if folder == "" {
		t.Skip("MARQUEE_FEEDS does not say where the real feeds are; the project's own fixtures are tested all the same")
	}
	return folder
}

// TestRealFeeds holds what comes of each real feed by the file that we ship for it.
func TestRealFeeds(t *testing.T) {
	t.Parallel()
	folder := realFeeds(t)
	seen := map[string]bool{}
	for pattern, slug := range feeds() {
		files, err := filepath.Glob(filepath.Join(folder, filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %q, %v", pattern, files, err)
		}
		for _, file := range files {
			name, err := filepath.Rel(folder, file)
			if err != nil {
				t.Fatal(err)
			}
			seen[name] = true
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				golden := filepath.Join("testdata", "feeds", strings.ReplaceAll(filepath.ToSlash(name), "/", "--")+".golden")
				compare(t, golden, inShort(t, shipped(t, slug), file))
			})
		}
	}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(folder, path)
		if err == nil && !entry.IsDir() && !seen[name] && !strings.HasPrefix(entry.Name(), "LICEN") && entry.Name() != "README.md" {
			t.Errorf("%s is read by no provider file", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestHistory replays the snapshots of a list, oldest first: who is on it stays the same event.
func TestHistory(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(realFeeds(t), "conference-data", "history-2026-devops", "*.json"))
	if err != nil || len(files) != 11 {
		t.Fatalf("%q, %v", files, err)
	}
	source := shipped(t, "conferences")
	before := map[event.ID]event.Event{}
	var out strings.Builder
	for _, file := range files {
		now := map[event.ID]event.Event{}
		for _, rec := range preview(t, source, file).Events {
			now[rec.Key.ID()] = rec.Event
		}
		var steps []string
		for id, e := range now {
			was, known := before[id]
			if !known {
				steps = append(steps, "  added "+e.Key.Event)
				continue
			}
			for _, change := range event.Diff(&was, &e) {
				for _, field := range change.Fields {
					steps = append(steps, fmt.Sprintf("  %s %s: %s", change.Kind, e.Key.Event, field.Field))
				}
			}
		}
		for id, e := range before {
			if _, stays := now[id]; !stays {
				steps = append(steps, "  removed "+e.Key.Event)
			}
		}
		slices.Sort(steps)
		fmt.Fprintf(&out, "%s: %d events\n", filepath.Base(file), len(now))
		for _, step := range steps {
			out.WriteString(step + "\n")
		}
		before = now
	}
	if strings.Contains(out.String(), "removed") {
		t.Errorf("nothing left the list, but:\n%s", &out)
	}
	compare(t, filepath.Join("testdata", "feeds", "history.golden"), out.String())
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), or run with -update:\n%s", golden, diff)
	}
}

func preview(tb testing.TB, source *provider.Source, file string) provider.Preview {
	tb.Helper()
	document, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := source.Preview(tb.Context(), bytes.NewReader(document))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// inFull is every field of every event, and the quarantine.
func inFull(t *testing.T, source *provider.Source, file string) string {
	t.Helper()
	p := preview(t, source, file)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	for _, rec := range p.Events {
		fmt.Fprintf(&out, "%s: %s\n", rec.Place, rec.Key)
		if err := encoder.Encode(rec.Event); err != nil {
			t.Fatal(err)
		}
	}
	return out.String() + quarantine(p)
}

// inShort is a line an event, with a digest of the fields that are not on it.
func inShort(t *testing.T, source *provider.Source, file string) string {
	t.Helper()
	document, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := source.Preview(t.Context(), bytes.NewReader(document))
	var out strings.Builder
	for _, rec := range p.Events {
		e := &rec.Event
		times := e.Start.Local.String() + " to " + e.End.Local.String()
		if e.AllDay {
			times = e.Start.Local.Date() + " to " + e.End.Local.Date() + " all day"
		}
		place := strings.Join(slices.DeleteFunc([]string{e.Place.Name, e.Place.Address, e.Place.City, e.Place.Country}, func(s string) bool { return s == "" }), ", ")
		hash := e.Hash()
		fmt.Fprintln(&out, strings.Join([]string{
			rec.Key.String(), fmt.Sprintf("%q", e.Title), times, e.Zone, fmt.Sprint(e.MinPrice, " to ", e.MaxPrice), e.Currency,
			fmt.Sprintf("%q", place), string(e.Status), string(e.Attendance), fmt.Sprintf("%d offers", len(e.Offers)), hex.EncodeToString(hash[:4]),
		}, " | "))
	}
	out.WriteString(quarantine(p))
	if err != nil {
		fmt.Fprintf(&out, "not applied: %v\n", err)
	}
	return out.String()
}

func quarantine(p provider.Preview) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d records, %d repeated, %d quarantined\n", p.Records, p.Repeated, p.Quarantined)
	for _, rec := range p.Quarantine {
		fmt.Fprintf(&out, "%s: %s: %s\n", rec.Place, rec.Key, rec.Invalid)
	}
	return out.String()
}
