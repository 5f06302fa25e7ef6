package planlist_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/planlist"
)

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	if folder := os.Getenv("MARQUEE_FEEDS"); folder != "" {
		feeds, err := filepath.Glob(filepath.Join(folder, "planlist", "*.xml"))
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
	f.Fuzz(func(t *testing.T, document []byte) {
		for rec, err := range planlist.Decode(bytes.NewReader(document), madrid(t)) {
			if err != nil {
				if !errors.Is(err, event.ErrMalformed) {
					t.Fatalf("%v is not ErrMalformed", err)
				}
				return
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
			if err := rec.Event.Validate(); err != nil {
				t.Fatalf("%s is given as valid: %v", rec.Place, err)
			}
			if rec.Event.Key != rec.Key || rec.Excerpt != "" {
				t.Fatalf("key %v of %v, excerpt %q", rec.Key, rec.Event.Key, rec.Excerpt)
			}
			if rec.Event.Start.Local != rec.Event.Start.Local.At(madrid(t).Zone).Local || rec.Event.Start.Instant.Location() != rec.Event.Start.Instant.UTC().Location() {
				t.Fatalf("start %v", rec.Event.Start)
			}
		}
	})
}
