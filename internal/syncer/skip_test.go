package syncer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// memory is a catalog of one provider, as far as a plan needs it. What is written to it shows at once.
type memory struct {
	events  map[event.ID]*event.Stored
	records map[event.RecordHash]event.ID // nil: no record is known
	titles  map[string]string
}

// planned is all that comes of a snapshot.
type planned struct {
	counts     event.Counts
	writes     map[event.ID]event.Write // the last of each key
	quarantine []string
	left       []event.ID
	series     []event.Series
	err        string
}

// memoryTx collects what comes of a snapshot, and leaves the catalog alone.
type memoryTx struct {
	Tx
	catalog *memory
	planned
}

func (m *memory) present() *event.Present {
	p := &event.Present{Series: m.titles}
	records := map[event.ID]event.RecordHash{}
	for record, id := range m.records {
		records[id] = record
	}
	for id, stored := range m.events {
		p.Events = append(p.Events, event.Known{ID: id, Content: stored.Hash, Record: records[id]})
	}
	return p
}

func (tx *memoryTx) Find(_ context.Context, ids []event.ID) (map[event.ID]*event.Stored, error) {
	found := map[event.ID]*event.Stored{}
	for _, id := range ids {
		if stored := tx.catalog.events[id]; stored != nil {
			found[id] = stored
		}
	}
	return found, nil
}

func (tx *memoryTx) Write(_ context.Context, writes []event.Write) error {
	for _, w := range writes {
		tx.writes[w.ID] = w
	}
	return nil
}

func (tx *memoryTx) WriteSeries(_ context.Context, series []event.Series) error {
	tx.series = series
	return nil
}

func (tx *memoryTx) Leave(_ context.Context, ids []event.ID) (int, error) {
	tx.left = ids
	return len(ids), nil
}

func (tx *memoryTx) Quarantine(_ context.Context, records []event.Record) error {
	for _, r := range records {
		tx.quarantine = append(tx.quarantine, r.Place.String()+" "+r.Key.String()+" "+r.Invalid.Error()+" "+r.Excerpt)
	}
	return nil
}

// plan is what would come of a document.
func (m *memory) plan(tb testing.TB, source *provider.Source, document []byte) planned {
	tb.Helper()
	tx := &memoryTx{catalog: m, planned: planned{writes: map[event.ID]event.Write{}}}
	var err error
	tx.counts, _, err = read(tb.Context(), tx, m.present(), reading(tb.Context(), source, bytes.NewReader(document)), tx.Write)
	if err != nil && !errors.Is(err, event.ErrMalformed) {
		tb.Fatal(err)
	}
	if err != nil {
		return planned{err: err.Error()} // what was written until then is rolled back
	}
	return tx.planned
}

// apply brings the catalog to the state of what was planned.
func (m *memory) apply(p planned) {
	for id, w := range p.writes {
		m.events[id] = &event.Stored{Event: w.Event, Hash: w.Hash}
		if w.Record != (event.RecordHash{}) {
			m.records[w.Record] = id
		}
	}
	for _, s := range p.series {
		m.titles[s.ID] = s.Title
	}
}

// FuzzSkip plans a snapshot after another one twice, with and without knowing the records of that: all that comes of
// it is the same.
func FuzzSkip(f *testing.F) {
	files, err := filepath.Glob("../provider/planlist/testdata/*.xml")
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
		f.Add(bytes.ReplaceAll(document, []byte("title="), []byte("title='x' x=")), len(document)/2, 9, []byte(`0`))
	}
	source, err := provider.New(provider.Config{
		Slug: "acme", Name: "Acme", URL: "https://acme.example", Format: "planlist", TimeZone: "Europe/Madrid", Currency: "EUR",
	}, nil)
	if err != nil {
		f.Fatal(err)
	}
	exported := []cmp.Option{cmp.AllowUnexported(planned{}, event.Decimal{}, event.LocalDateTime{}), cmp.Comparer(time.Time.Equal)}
	// The second snapshot is the first with some bytes taken out at a place, and others put in.
	f.Fuzz(func(t *testing.T, document []byte, at, out int, in []byte) {
		known := &memory{events: map[event.ID]*event.Stored{}, records: map[event.RecordHash]event.ID{}, titles: map[string]string{}}
		known.apply(known.plan(t, source, document))
		unknown := &memory{events: known.events, titles: known.titles}

		at = min(max(at, 0), len(document))
		out = min(max(out, 0), len(document)-at)
		for _, next := range [][]byte{document, bytes.Join([][]byte{document[:at], in, document[at+out:]}, nil)} {
			if diff := cmp.Diff(unknown.plan(t, source, next), known.plan(t, source, next), exported...); diff != "" {
				t.Fatalf("read in full, and not what is known (-full +known):\n%s", diff)
			}
		}
	})
}
