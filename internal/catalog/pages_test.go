package catalog_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// TestPagesAreTheSet: the pages of any query joined, forward and backward, are what the model says, in
// order; so is their count; and each page knows what is around it.
func TestPagesAreTheSet(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 4)
	series := []event.ID{}
	insertProvider(t, pool, "acme")
	insertProvider(t, pool, "globex")
	for _, name := range []string{"one", "two"} {
		series = append(series, insertSeries(t, pool, name))
	}
	c := catalog.New(pool, time.Now)
	rapid.Check(t, func(rt *rapid.T) {
		exec(t, pool, "DELETE FROM events")
		d := drawCatalog(rt, series)
		insert(t, pool, d.events)
		for range 12 {
			q := catalog.EventQuery{Window: drawWindow(rt, d), Where: drawFilter(rt, d), Order: rapid.SampledFrom(orders).Draw(rt, "order"), Now: drawNow(rt, d)}
			want := modelled(d.events, q)
			size := rapid.IntRange(1, len(want)+2).Draw(rt, "size")
			for _, backward := range []bool{false, true} {
				if diff := cmp.Diff(want, joined(t, rt, c, q, size, backward, len(want))); diff != "" {
					rt.Fatalf("pages of %d, backward %t, %v, where %+v, window %v %v %s inclusive %t: -want +got\n%s",
						size, backward, q.Order, q.Where, q.Window.From, q.Window.To, q.Window.Match, q.Window.Inclusive, diff)
				}
			}
			slice(t, rt, c, d, q, want)
			for _, e := range d.events {
				if q.Window.Holds(spanOf(e)) != inside(e, q.Window) {
					rt.Fatalf("Holds(%+v) is %t in %v %v %s inclusive %t", e, !inside(e, q.Window), q.Window.From, q.Window.To, q.Window.Match, q.Window.Inclusive)
				}
			}
		}
	})
}

// joined reads all pages of a size.
func joined(t *testing.T, rt *rapid.T, c *catalog.Catalog, q catalog.EventQuery, size int, backward bool, total int) []event.ID {
	ids := []event.ID{}
	for {
		if q.Page.First, q.Page.Last = &size, nil; backward {
			q.Page.First, q.Page.Last = nil, &size
		}
		page, err := c.Events(t.Context(), q)
		if err != nil {
			rt.Fatal(err)
		}
		if n, err := page.TotalCount(t.Context()); n != total || err != nil {
			rt.Fatalf("total count %d, want %d (%v)", n, total, err)
		}
		read := idsOf(page)
		var more, behind bool
		if backward {
			ids = append(read, ids...)
			more, behind = page.PageInfo.HasPreviousPage, page.PageInfo.HasNextPage
			q.Page.Before = page.PageInfo.StartCursor
		} else {
			ids = append(ids, read...)
			more, behind = page.PageInfo.HasNextPage, page.PageInfo.HasPreviousPage
			q.Page.After = page.PageInfo.EndCursor
		}
		if behind != (len(ids) > len(read)) || more != (len(ids) < total) {
			rt.Fatalf("after %d of %d, page of %d: %+v", len(ids), total, len(read), page.PageInfo)
		}
		edges := page.Edges()
		if len(read) > 0 && (*page.PageInfo.StartCursor != edges[0].Cursor || *page.PageInfo.EndCursor != edges[len(edges)-1].Cursor) {
			rt.Fatal("the page's cursors are not those of its edges")
		}
		if len(read) == 0 && (page.PageInfo.StartCursor != nil || page.PageInfo.EndCursor != nil) {
			rt.Fatal("an empty page has cursors")
		}
		if !more {
			return slices.Clip(ids)
		}
		if len(read) == 0 || len(ids) > total {
			rt.Fatalf("%d events, and more promised, want %d", len(ids), total)
		}
	}
}

func idsOf(page *catalog.EventPage) []event.ID {
	ids := []event.ID{}
	for _, e := range page.Nodes {
		ids = append(ids, e.ID)
	}
	return ids
}

// slice reads one page between two cursors, of events of which some are not in the list: they are places
// all the same.
func slice(t *testing.T, rt *rapid.T, c *catalog.Catalog, d drawn, q catalog.EventQuery, want []event.ID) {
	if len(d.events) == 0 {
		return
	}
	sorted := d.events
	everywhere := slices.Clone(sorted)
	slices.SortFunc(everywhere, func(a, b stored) int { return ordered(a, b, q) })
	var places []event.ID
	for _, e := range everywhere {
		places = append(places, e.id)
	}
	byID := map[event.ID]stored{}
	for _, e := range sorted {
		byID[e.id] = e
	}
	after, before := rapid.IntRange(-1, len(places)-1).Draw(rt, "after"), rapid.IntRange(0, len(places)).Draw(rt, "before")
	if after >= 0 {
		q.Page.After = new(cursorOf(byID[places[after]], q))
	}
	if before < len(places) {
		q.Page.Before = new(cursorOf(byID[places[before]], q))
	}
	var between []event.ID
	for i, id := range places {
		if i > after && i < before && slices.Contains(want, id) {
			between = append(between, id)
		}
	}
	n := rapid.IntRange(1, len(places)+1).Draw(rt, "n")
	more := len(between) > n
	expected := between[:min(n, len(between))]
	info := func(p catalog.PageInfo) (bool, bool) { return p.HasNextPage, p.HasPreviousPage }
	q.Page.First = &n
	if rapid.Bool().Draw(rt, "last") {
		q.Page.First, q.Page.Last = nil, &n
		expected = between[max(0, len(between)-n):]
		info = func(p catalog.PageInfo) (bool, bool) { return p.HasPreviousPage, p.HasNextPage }
	}
	page, err := c.Events(t.Context(), q)
	if err != nil {
		rt.Fatal(err)
	}
	if got := idsOf(page); !slices.Equal(got, expected) {
		rt.Fatalf("first %v, last %v, after %d, before %d: got %v, want %v", q.Page.First, q.Page.Last, after, before, got, expected)
	}
	if ahead, _ := info(page.PageInfo); ahead != more {
		rt.Fatalf("first %v, last %v, after %d, before %d: %+v, want more %t", q.Page.First, q.Page.Last, after, before, page.PageInfo, more)
	}
}

// TestEveryPageSize joins the pages of every size that is allowed.
func TestEveryPageSize(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 4)
	insertProvider(t, pool, "acme")
	start := time.Date(2021, 6, 1, 20, 0, 0, 0, time.UTC)
	var events []stored
	for i := range 103 { // some at the same time
		e := stored{id: event.Key{Provider: "acme", Event: fmt.Sprint(i)}.ID(), provider: "acme", zone: "Europe/Madrid", listed: true}
		e.start = event.MomentOf(start.Add(time.Duration(i/4)*time.Hour), location(e.zone))
		e.end = event.MomentOf(e.start.Instant.Add(time.Duration(i%7)*time.Hour), location(e.zone))
		events = append(events, e)
	}
	insert(t, pool, events)
	c := catalog.New(pool, time.Now)
	joined := func(q catalog.EventQuery, size int, backward bool) []event.ID {
		ids := []event.ID{}
		for len(ids) <= len(events) {
			if q.Page.First, q.Page.Last = &size, nil; backward {
				q.Page.First, q.Page.Last = nil, &size
			}
			page, err := c.Events(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if more := page.PageInfo.HasNextPage; !backward {
				ids, q.Page.After = append(ids, idsOf(page)...), page.PageInfo.EndCursor
				if !more {
					return ids
				}
			} else {
				ids, q.Page.Before = append(idsOf(page), ids...), page.PageInfo.StartCursor
				if !page.PageInfo.HasPreviousPage {
					return ids
				}
			}
		}
		return ids
	}
	for size := 1; size <= catalog.MaxPageSize; size++ {
		q := catalog.EventQuery{Order: orders[size%len(orders)], Now: start, Window: catalog.Window{Match: rules[size%4], From: bound(t, "2021-06-01"), To: bound(t, "2021-06-03T00:00:00+02:00")}}
		if size%3 == 0 {
			q.Window = catalog.Window{}
		}
		want := modelled(events, q)
		for _, backward := range []bool{false, true} {
			if got := joined(q, size, backward); !slices.Equal(got, want) {
				t.Errorf("pages of %d, backward %t: %d events, want %d", size, backward, len(got), len(want))
			}
		}
	}
}

// TestLongest: an event that is longer than a Duration holds.
func TestLongest(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 2)
	insertProvider(t, pool, "acme")
	e := stored{id: event.Key{Provider: "acme", Event: "reign"}.ID(), provider: "acme", zone: "Etc/UTC", listed: true}
	e.start = event.MomentOf(time.Date(1200, 1, 1, 0, 0, 0, 0, time.UTC), time.UTC)
	e.end = event.MomentOf(time.Date(2900, 1, 1, 0, 0, 0, 0, time.UTC), time.UTC)
	insert(t, pool, []stored{e})
	c := catalog.New(pool, time.Now)
	for _, w := range []catalog.Window{
		{Match: catalog.Overlaps, From: bound(t, "2021-06-30"), To: bound(t, "2021-07-01")},
		{Match: catalog.EndsIn, From: bound(t, "2899-12-31T00:00Z")},
	} {
		page, err := c.Events(t.Context(), catalog.EventQuery{Window: w})
		if err != nil || len(page.Nodes) != 1 {
			t.Errorf("%s: %v, %v", w.Match, page, err)
		}
	}
}

// TestVanishedCursor: the place that a cursor names outlives the event.
func TestVanishedCursor(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 2)
	insertProvider(t, pool, "acme")
	var events []stored
	for i := range 9 {
		e := stored{id: event.Key{Provider: "acme", Event: fmt.Sprint(i)}.ID(), provider: "acme", zone: "Etc/UTC", listed: true}
		e.start = event.MomentOf(time.Date(2021, 6, 1, 20+i/3, 0, 0, 0, time.UTC), time.UTC)
		events = append(events, e)
	}
	insert(t, pool, events)
	c := catalog.New(pool, time.Now)
	order := modelled(events, catalog.EventQuery{})
	page, err := c.Events(t.Context(), catalog.EventQuery{Page: catalog.PageArgs{First: new(4)}})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, pool, "DELETE FROM events WHERE id = $1", [16]byte(order[3]))
	exec(t, pool, "UPDATE events SET listed = false WHERE id = $1", [16]byte(order[4]))
	next, err := c.Events(t.Context(), catalog.EventQuery{Page: catalog.PageArgs{After: page.PageInfo.EndCursor}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(order[5:], idsOf(next)); diff != "" {
		t.Errorf("after a vanished event: -want +got\n%s", diff)
	}
	previous, err := c.Events(t.Context(), catalog.EventQuery{Page: catalog.PageArgs{Last: new(9), Before: page.PageInfo.EndCursor}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(order[:3], idsOf(previous)); diff != "" {
		t.Errorf("before a vanished event: -want +got\n%s", diff)
	}
}
