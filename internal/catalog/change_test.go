package catalog_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
	"github.com/aledotdev/marquee/test/harness"
)

var noon = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)

// draft is a feed of up to five series of one event each, for draws to edit.
type draft map[int]harness.Base

// edit adds, moves, retitles, lists, prices or drops events.
func (d draft) edit(t *rapid.T) {
	for i := range 5 {
		b, there := d[i]
		if !there {
			b = harness.Base{ID: fmt.Sprint(i), Title: "Show", Mode: rapid.SampledFrom([]string{"online", "online", "offline"}).Draw(t, "mode"), Plans: []harness.Plan{{ID: "1"}}}
		}
		p := b.Plans[0]
		switch action := rapid.SampledFrom([]string{"nothing", "move", "retitle", "list", "price", "drop"}).Draw(t, "action"); {
		case action == "drop":
			delete(d, i)
			continue
		case action == "nothing" && !there:
			continue
		case action == "move" || !there:
			start := event.LocalOf(noon).Add(time.Duration(rapid.IntRange(-4, 12).Draw(t, "start")) * time.Hour)
			p.Start, p.End = start.String(), start.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "length"))*time.Hour).String()
			if rapid.IntRange(0, 4).Draw(t, "endless") == 0 {
				p.End = ""
			}
		case action == "retitle":
			b.Title += "!"
		case action == "list":
			b.Mode = "online"
		case action == "price":
			p.Zones = []harness.Zone{{ID: "1", Name: "Floor", Price: fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "price")), Capacity: "1"}}
		}
		b.Plans = []harness.Plan{p}
		d[i] = b
	}
}

func (d draft) feed() []byte {
	bases := []harness.Base{{ID: "stays", Title: "Stays", Mode: "online", Plans: []harness.Plan{{ID: "1", Start: "2040-01-01T20:00:00"}}}}
	for _, i := range slices.Sorted(maps.Keys(d)) {
		bases = append(bases, d[i])
	}
	return harness.PlanList(bases...)
}

// insideNow is what the catalog says is in a window.
func insideNow(t *rapid.T, app *harness.App, w *catalog.WindowInput, slug string) map[event.ID]bool {
	window, err := w.Window(noon)
	if err != nil {
		t.Fatal(err)
	}
	page, err := app.Catalog.Events(app.TB.Context(), catalog.EventQuery{Window: window, Where: catalog.EventFilter{Providers: []string{slug}}})
	if err != nil {
		t.Fatal(err)
	}
	inside := map[event.ID]bool{}
	for _, e := range page.Nodes {
		inside[e.ID] = true
	}
	return inside
}

// follow reads all changes after a cursor in pages of size, and returns the place at which they end.
func follow(t interface{ Fatal(args ...any) }, app *harness.App, after *string, size int, where catalog.ChangeFilter) ([]*catalog.Change, *string) {
	var all []*catalog.Change
	for {
		page, err := app.Catalog.Changes(app.TB.Context(), size, after, where)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Nodes...)
		after = page.PageInfo.EndCursor
		if !page.PageInfo.HasNextPage {
			return all, after
		}
	}
}

// TestTransitions: whoever knows what was in a window at a cursor, and applies the transitions that follow it, knows
// what is in it; every transition fits the one before; and the pages of any filter are the changes that it admits.
func TestTransitions(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		slug := fmt.Sprint("p", n)
		feed, d := app.Feed(slug), draft{}
		start := event.LocalOf(noon).Add(time.Duration(rapid.IntRange(-4, 12).Draw(rt, "from")) * time.Hour)
		window := &catalog.WindowInput{Match: rapid.SampledFrom(rules).Draw(rt, "match"), From: &catalog.Bound{Local: start}}
		if rapid.Bool().Draw(rt, "bounded") {
			window.To = &catalog.Bound{Local: start.Add(time.Duration(rapid.IntRange(0, 6).Draw(rt, "width")) * time.Hour)}
		}
		if rapid.Bool().Draw(rt, "instants") {
			window.TimeZone = location("Europe/Madrid")
		}
		where := catalog.ChangeFilter{Providers: []string{slug}, Window: window}
		size := rapid.IntRange(1, 20).Draw(rt, "size")
		_, cursor := follow(rt, app, nil, 100, catalog.ChangeFilter{Providers: []string{slug}})

		known := map[event.ID]bool{}
		for range rapid.IntRange(1, 4).Draw(rt, "syncs") {
			d.edit(rt)
			feed.Sync(d.feed())
			if rapid.Bool().Draw(rt, "later") {
				continue // and so read more than one sync at a time
			}
			var changes []*catalog.Change
			changes, cursor = follow(rt, app, cursor, size, where)
			apply(rt, known, changes)
			if want := insideNow(rt, app, window, slug); !maps.Equal(known, want) {
				rt.Fatalf("by transitions %v, by search %v", known, want)
			}
		}
		every, _ := follow(rt, app, nil, 100, catalog.ChangeFilter{Providers: []string{slug}})
		kinds := rapid.SliceOfNDistinct(rapid.SampledFrom([]event.ChangeKind{event.ChangeAdded, event.ChangeRescheduled, event.ChangePrice}), 0, 2, rapid.ID).Draw(rt, "kinds")
		some, _ := follow(rt, app, nil, size, catalog.ChangeFilter{Providers: []string{slug}, Kinds: kinds})
		if want := slices.DeleteFunc(slices.Clone(every), func(c *catalog.Change) bool { return len(kinds) > 0 && !slices.Contains(kinds, c.Kind) }); !slices.Equal(numbers(some), numbers(want)) {
			rt.Fatalf("of kinds %v: %v, want %v", kinds, numbers(some), numbers(want))
		}
	})
}

func apply(t *rapid.T, known map[event.ID]bool, changes []*catalog.Change) {
	for _, c := range changes {
		switch {
		case c.Transition == nil:
			t.Fatalf("change %d has no transition", c.Number)
		case *c.Transition == catalog.WindowLeft:
			delete(known, c.EventID)
		default:
			if *c.Transition == catalog.WindowChanged && !known[c.EventID] {
				t.Fatalf("change %d, %s, is in an event that had not entered", c.Number, c.Kind)
			}
			known[c.EventID] = true
		}
	}
}

func numbers(changes []*catalog.Change) []int64 {
	list := make([]int64, len(changes))
	for i, c := range changes {
		list[i] = c.Number
	}
	return list
}

// TestChangesExpire: who comes back after what follows the cursor was deleted is told so.
func TestChangesExpire(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	start, err := app.Catalog.Changes(t.Context(), 10, nil, catalog.ChangeFilter{})
	if err != nil || len(start.Nodes) != 0 || start.PageInfo.HasNextPage || *start.PageInfo.EndCursor != start.LatestCursor() {
		t.Fatalf("changes of an empty catalog: %+v, %v", start, err)
	}
	show := func(title string) []byte {
		return harness.PlanList(harness.Base{ID: "1", Title: title, Mode: "online", Plans: []harness.Plan{{ID: "1", Start: "2030-07-01T20:00:00"}}})
	}
	feed.Sync(show("one"))
	feed.Sync(show("two"))
	first, err := app.Catalog.Changes(t.Context(), 1, start.PageInfo.EndCursor, catalog.ChangeFilter{})
	if err != nil || len(first.Nodes) != 1 || !first.PageInfo.HasNextPage {
		t.Fatalf("first page: %+v, %v", first, err)
	}
	app.Clock.Set(noon.Add(time.Hour))
	feed.Sync(show("three"))
	latest := first.LatestCursor()
	if _, err := app.Store.Prune(t.Context(), noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, cursor := range []*string{start.PageInfo.EndCursor, first.PageInfo.EndCursor} {
		_, err = app.Catalog.Changes(t.Context(), 1, cursor, catalog.ChangeFilter{})
		var known *catalog.Error
		if !errors.As(err, &known) || known.Code != catalog.CodeCursorExpired || known.Argument != "after" {
			t.Errorf("after what is gone: %v", err)
		}
		event, err := app.Catalog.Event(t.Context(), first.Nodes[0].EventID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := event.History(t.Context(), nil, cursor); !errors.As(err, &known) || known.Code != catalog.CodeCursorExpired {
			t.Errorf("history after what is gone: %v", err)
		}
	}
	kept, err := app.Catalog.Changes(t.Context(), 10, &latest, catalog.ChangeFilter{})
	if err != nil || len(kept.Nodes) == 0 || kept.Nodes[0].Kind != event.ChangeRetitled {
		t.Errorf("after what was the latest: %+v, %v", kept, err)
	}
}

// TestChangesBeyond: a cursor from beyond the latest change is refused, by the primary's word: a replica may not have it yet.
func TestChangesBeyond(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	app.Feed("acme").Sync(draft{}.feed())
	all, err := app.Catalog.Changes(t.Context(), 100, nil, catalog.ChangeFilter{})
	if err != nil || len(all.Nodes) == 0 {
		t.Fatalf("%d changes: %v", len(all.Nodes), err)
	}
	latest := all.Nodes[len(all.Nodes)-1]
	behind, beyond := latest.Cursor(), catalog.ChangeCursor(latest.Number+1)
	gone := pgtest.Pool(t)
	gone.Close()
	for _, test := range []struct {
		name    string
		catalog *catalog.Catalog
		after   string
		refused bool
	}{
		{"the latest", app.Catalog, behind, false},
		{"beyond it", app.Catalog, beyond, true},
		{"a replica that lags", catalog.NewReplicated(app.Pool, pgtest.Pool(t), app.Clock.Now), behind, false},
		{"beyond it by a replica", catalog.NewReplicated(app.Pool, pgtest.Pool(t), app.Clock.Now), beyond, true},
		{"a replica alone", catalog.NewReplicated(gone, pgtest.Pool(t), app.Clock.Now), beyond, false},
	} {
		page, err := test.catalog.Changes(t.Context(), 10, &test.after, catalog.ChangeFilter{})
		var known *catalog.Error
		if refused := errors.As(err, &known) && known.Code == catalog.CodeCursorExpired && known.Argument == "after"; refused != test.refused || !refused && err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if err == nil && (len(page.Nodes) > 0 || *page.PageInfo.EndCursor != test.after) {
			t.Errorf("%s: %+v", test.name, page)
		}
	}
	changed, err := app.Catalog.Event(t.Context(), latest.EventID)
	if err != nil {
		t.Fatal(err)
	}
	var known *catalog.Error
	if _, err := changed.History(t.Context(), nil, &beyond); !errors.As(err, &known) || known.Code != catalog.CodeCursorExpired {
		t.Errorf("history: %v", err)
	}
}

// TestListedLate: an event that is first sold at the door only is new when it comes online.
func TestListedLate(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	show := func(mode string) []byte {
		return harness.PlanList(harness.Base{ID: "1", Title: "Late", Mode: mode, Plans: []harness.Plan{{ID: "1", Start: "2030-07-01T20:00:00"}}})
	}
	feed.Sync(show("offline"))
	before, err := app.Catalog.Changes(t.Context(), 10, nil, catalog.ChangeFilter{})
	if err != nil || len(before.Nodes) != 0 {
		t.Fatalf("changes of what is not listed: %v, %v", numbers(before.Nodes), err)
	}
	feed.Sync(show("online"))
	after, err := app.Catalog.Changes(t.Context(), 10, before.PageInfo.EndCursor, catalog.ChangeFilter{Kinds: []event.ChangeKind{event.ChangeAdded}})
	if err != nil || len(after.Nodes) != 1 {
		t.Errorf("it is added %d times: %v", len(after.Nodes), err)
	}
}

// TestScanIsBounded: a page looks at a stretch of numbers, and leads on when it finds little there.
func TestScanIsBounded(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	app.Feed("acme").Sync(draft{}.feed())
	app.Exec(`INSERT INTO changes (id, event_id, provider_id, run_id, at, kind, fields)
		SELECT n, event_id, provider_id, run_id, at, CASE WHEN n = 90000 THEN 'CANCELLED' ELSE 'RETITLED' END, '[]' FROM changes, generate_series(40001, 90000) n WHERE id = 1`)
	app.Exec(`UPDATE catalog SET last_change = 90000`)
	where := catalog.ChangeFilter{Kinds: []event.ChangeKind{event.ChangeCancelled}}
	var after *string
	for pages := 1; ; pages++ {
		page, err := app.Catalog.Changes(t.Context(), 5, after, where)
		if err != nil {
			t.Fatal(err)
		}
		after = page.PageInfo.EndCursor
		if page.PageInfo.HasNextPage {
			continue
		}
		if len(page.Nodes) != 1 || page.Nodes[0].Number != 90000 || *after != page.LatestCursor() || pages != 4 {
			t.Errorf("page %d is the last, with %v", pages, numbers(page.Nodes))
		}
		return
	}
}

// FuzzChangeCursor: what is read as a cursor is written as the same.
func FuzzChangeCursor(f *testing.F) {
	f.Add("AwAAAAAAAAAF")
	f.Add("AgAAAAAAAAAF")
	f.Fuzz(func(t *testing.T, cursor string) {
		number, err := catalog.ParseChangeCursor(cursor)
		if err == nil && (number < 0 || catalog.ChangeCursor(number) != cursor) {
			t.Errorf("%q is read as %d, which is written %q", cursor, number, catalog.ChangeCursor(number))
		}
	})
}
