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

// drawMoment draws a moment some steps from an anchor: by instant, as most feeds' times work out, or by a
// reading of the clock, which may not exist or exist twice.
func drawMoment(t *rapid.T, anchor time.Time, zone *time.Location) event.Moment {
	const step = 30 * time.Minute
	instant := anchor.Add(time.Duration(rapid.IntRange(-100, 100).Draw(t, "steps")) * step)
	if rapid.Bool().Draw(t, "byReading") {
		return event.LocalOf(instant.In(zone)).Add(step * time.Duration(rapid.IntRange(-3, 3).Draw(t, "shift"))).At(zone)
	}
	return event.MomentOf(instant, zone)
}

// lengths are how long events are: none, nothing, and both sides of classes' limits.
func lengths() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{
		-1, -1, 0, 0, time.Second, time.Minute, time.Minute + time.Second, 30 * time.Minute, time.Hour, 64 * time.Minute, 2 * time.Hour,
		day, 2 * day, 3*day + time.Hour, 40 * day, 365 * day, 800 * day, 5000 * day, 1 << 20 * time.Minute, 1<<20*time.Minute + time.Second,
	}
}

type drawn struct {
	anchor time.Time
	events []stored
	series []event.ID
}

func drawCatalog(t *rapid.T, series []event.ID) drawn {
	home := rapid.SampledFrom(zones()).Draw(t, "home")
	anchor, err := time.Parse(time.RFC3339, rapid.SampledFrom(home.anchors).Draw(t, "anchor"))
	if err != nil {
		t.Fatal(err)
	}
	d := drawn{anchor: anchor, series: series}
	n := rapid.IntRange(0, 30).Draw(t, "events")
	for i := range n {
		name := home.name
		if rapid.IntRange(0, 2).Draw(t, "abroad") == 0 {
			name = rapid.SampledFrom(zones()).Draw(t, "zone").name
		}
		d.events = append(d.events, drawEvent(t, i, anchor, name, series))
	}
	return d
}

func drawEvent(t *rapid.T, i int, anchor time.Time, name string, series []event.ID) stored {
	zone := location(name)
	e := stored{zone: name, provider: rapid.SampledFrom([]string{"acme", "globex"}).Draw(t, "provider"), currency: "EUR"}
	e.id = event.Key{Provider: e.provider, Event: fmt.Sprint(i)}.ID()
	e.start = drawMoment(t, anchor, zone)
	length := rapid.SampledFrom(lengths()).Draw(t, "length")
	switch {
	case rapid.IntRange(0, 9).Draw(t, "allDay") == 0:
		midnight, _ := event.ParseLocalDate(e.start.Local.Date())
		e.allDay = true
		e.start = midnight.At(zone)
		e.end = midnight.Add(24 * time.Hour * time.Duration(rapid.IntRange(1, 3).Draw(t, "days"))).At(zone)
	case length >= 0:
		if length > 24*time.Hour { // so that it is under way, or ends, about then
			e.start = event.MomentOf(e.start.Instant.Add(-length*time.Duration(rapid.IntRange(0, 4).Draw(t, "quarters"))/4), zone)
		}
		e.end = event.MomentOf(e.start.Instant.Add(length), zone)
		if rapid.IntRange(0, 3).Draw(t, "endByReading") == 0 {
			e.end = e.start.Local.Add(length).At(zone)
		}
	}
	if !e.end.IsZero() && e.end.Instant.Before(e.start.Instant) { // which validation refuses
		e.end = event.Moment{}
	}
	if e.provider == "acme" && rapid.Bool().Draw(t, "repeats") {
		e.series = &series[rapid.IntRange(0, len(series)-1).Draw(t, "series")]
	}
	if rapid.IntRange(0, 4).Draw(t, "priced") > 0 {
		low := decimal(rapid.SampledFrom([]string{"0", "9.99", "10", "10.000001"}).Draw(t, "low"))
		high := decimal(rapid.SampledFrom([]string{"10.000001", "20", "999999999999.999999"}).Draw(t, "high"))
		e.low, e.high = &low, &high
		e.currency = rapid.SampledFrom([]string{"EUR", "USD"}).Draw(t, "currency")
	}
	e.listed = rapid.IntRange(0, 5).Draw(t, "listed") > 0
	e.removed = rapid.IntRange(0, 5).Draw(t, "removed") == 0
	return e
}

func decimal(s string) event.Decimal {
	d, err := event.ParseDecimal(s)
	if err != nil {
		panic(err) // the test's own text
	}
	return d
}

func drawBound(t *rapid.T, d drawn) *catalog.Bound {
	zone := location(rapid.SampledFrom(zones()).Draw(t, "boundZone").name)
	m := drawMoment(t, d.anchor, zone)
	if len(d.events) > 0 && rapid.Bool().Draw(t, "atAnEvent") {
		e := rapid.SampledFrom(d.events).Draw(t, "event")
		m = e.start
		if !e.end.IsZero() && rapid.Bool().Draw(t, "atItsEnd") {
			m = e.end
		}
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		date, _ := event.ParseLocalDate(m.Local.Date())
		return &catalog.Bound{Local: date, Date: true}
	case 2:
		return &catalog.Bound{Local: m.Local}
	default:
		return &catalog.Bound{Instant: m.Instant}
	}
}

var rules = []catalog.WindowMatch{catalog.Overlaps, catalog.StartsIn, catalog.EndsIn, catalog.Contained}

func drawWindow(t *rapid.T, d drawn) catalog.Window {
	in := catalog.WindowInput{Match: rapid.SampledFrom(rules).Draw(t, "match")}
	if rapid.IntRange(0, 2).Draw(t, "zoned") == 0 {
		in.TimeZone = location(rapid.SampledFrom(zones()).Draw(t, "timeZone").name)
	}
	presets := []catalog.WindowPreset{catalog.Today, catalog.Tomorrow, catalog.ThisWeekend, catalog.Next7Days, catalog.Next30Days}
	if in.TimeZone != nil && rapid.Bool().Draw(t, "preset") {
		in.Preset = new(rapid.SampledFrom(presets).Draw(t, "which"))
	} else {
		in.From, in.To = drawBound(t, d), drawBound(t, d)
	}
	w, err := in.Window(d.anchor)
	if err != nil {
		w.From = nil // they were the wrong way round
	}
	w.Inclusive = rapid.Bool().Draw(t, "inclusive")
	return w
}

func drawFilter(t *rapid.T, d drawn) (f catalog.EventFilter) {
	if rapid.Bool().Draw(t, "unfiltered") {
		return f
	}
	switch rapid.IntRange(0, 4).Draw(t, "filter") {
	case 0:
		f.Providers = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"acme", "globex", "nobody"}), 1, 3, rapid.ID).Draw(t, "providers")
	case 1:
		f.Series = d.series[:rapid.IntRange(1, len(d.series)).Draw(t, "ofSeries")]
	case 2:
		for _, e := range d.events[:len(d.events)/2] {
			f.IDs = append(f.IDs, e.id)
		}
		f.IDs = append(f.IDs, event.ProviderID("no event"))
	case 3:
		f.Removed = new(rapid.Bool().Draw(t, "onlyRemoved"))
	case 4:
		f.Price = &catalog.PriceFilter{Min: new(decimal("10")), Max: new(decimal("10"))}
		switch rapid.IntRange(0, 3).Draw(t, "price") {
		case 0:
			f.Price.Min = nil
		case 1:
			f.Price.Max = nil
		case 2:
			f.Price.Min, f.Price.Max = new(decimal("-999999999999.999999")), new(decimal("999999999999.999999"))
		}
		if rapid.Bool().Draw(t, "inCurrency") {
			f.Price.Currency = new("USD")
		}
	}
	return f
}

// TestPagesAreTheSet: the pages of any query joined, forward and backward, are what the model says, in
// order; so is their count; and each page knows what is around it.
func TestPagesAreTheSet(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 4)
	series := []event.ID{}
	insertProvider(t, pool, "acme")
	insertProvider(t, pool, "globex")
	for _, name := range []string{"one", "two"} {
		series = append(series, insertSeries(t, pool, "acme", name))
	}
	c := catalog.New(pool, time.Now)
	rapid.Check(t, func(rt *rapid.T) {
		exec(t, pool, "DELETE FROM events")
		d := drawCatalog(rt, series)
		insert(t, pool, d.events)
		for range 12 {
			q := catalog.EventQuery{Window: drawWindow(rt, d), Where: drawFilter(rt, d), Descending: rapid.Bool().Draw(rt, "descending")}
			want := modelled(d.events, q)
			size := rapid.IntRange(1, len(want)+2).Draw(rt, "size")
			for _, backward := range []bool{false, true} {
				if diff := cmp.Diff(want, joined(t, rt, c, q, size, backward, len(want))); diff != "" {
					rt.Fatalf("pages of %d, backward %t, descending %t, window %v %v %s inclusive %t: -want +got\n%s",
						size, backward, q.Descending, q.Window.From, q.Window.To, q.Window.Match, q.Window.Inclusive, diff)
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
	places := modelled(everyListed(sorted), catalog.EventQuery{Descending: q.Descending})
	byID := map[event.ID]stored{}
	for _, e := range sorted {
		byID[e.id] = e
	}
	after, before := rapid.IntRange(-1, len(places)-1).Draw(rt, "after"), rapid.IntRange(0, len(places)).Draw(rt, "before")
	if after >= 0 {
		q.Page.After = new(cursorOf(byID[places[after]]))
	}
	if before < len(places) {
		q.Page.Before = new(cursorOf(byID[places[before]]))
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

func everyListed(events []stored) []stored {
	listed := slices.Clone(events)
	for i := range listed {
		listed[i].listed = true
	}
	return listed
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
	rapidless := func(q catalog.EventQuery, size int, backward bool) []event.ID {
		ids := []event.ID{}
		for {
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
	}
	for size := 1; size <= catalog.MaxPageSize; size++ {
		q := catalog.EventQuery{Descending: size%2 == 0, Window: catalog.Window{Match: rules[size%4], From: bound(t, "2021-06-01"), To: bound(t, "2021-06-03T00:00:00+02:00")}}
		if size%3 == 0 {
			q.Window = catalog.Window{}
		}
		want := modelled(events, q)
		for _, backward := range []bool{false, true} {
			if got := rapidless(q, size, backward); !slices.Equal(got, want) {
				t.Errorf("pages of %d, backward %t: %d events, want %d", size, backward, len(got), len(want))
			}
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
