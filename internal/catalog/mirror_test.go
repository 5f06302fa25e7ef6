package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// wanted is a selection of the fields of one object; "a.b" is field b of the object that a holds.
func wanted(fields ...string) catalog.Selection {
	var all catalog.Selection
	for _, path := range fields {
		name, rest, inner := strings.Cut(path, ".")
		if n := len(all); inner && n > 0 && all[n-1].Name == name {
			all[n-1].Of = append(all[n-1].Of, wanted(rest)...)
			continue
		}
		s := catalog.Selected{Key: name, Name: name}
		if inner {
			s.Of = wanted(rest)
		}
		all = append(all, s)
	}
	return all
}

// leanFields are what a mirror always has; fullFields are what it has with enough room.
var (
	leanFields = []string{
		"id", "title", "url", "imageUrl", "categories", "startsAt", "endsAt", "startsLocal", "endsLocal", "timeZone", "allDay", "status", "attendanceMode",
		"availability", "saleStartsAt", "saleEndsAt", "minPrice.amount", "minPrice.currency", "maxPrice.amount", "series.id", "place.name", "place.city",
		"place.country", "place.address", "organizer", "provider.id", "provider.slug", "externalId", "firstSeenAt", "updatedAt", "removedAt",
	}
	fullFields = append(slices.Clone(leanFields), "description", "attributes", "offers.externalId", "offers.name", "offers.price.amount", "offers.price.currency", "offers.capacity", "offers.numbered")
)

func layout(tb testing.TB, fields []string) *catalog.Layout {
	tb.Helper()
	l, err := catalog.NewLayout(catalog.Selection{
		{Key: "nodes", Name: "nodes", Of: wanted(fields...)},
		{Key: "edges", Name: "edges", Of: wanted("cursor")},
		{Key: "pageInfo", Name: "pageInfo", Of: wanted("hasNextPage", "hasPreviousPage", "startCursor", "endCursor")},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func written(ctx context.Context, c *catalog.Catalog, q catalog.EventQuery, l *catalog.Layout) string {
	b, err := c.WriteEvents(ctx, q, l, nil)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func found(tb testing.TB, c *catalog.Catalog, w catalog.Window) []string {
	tb.Helper()
	var all []string
	err := c.Search(tb.Context(), w, func(l catalog.Listing) error {
		all = append(all, fmt.Sprintf("%s %q %s %s %t %v %v", l.ID, l.Title, l.Start, l.End, l.AllDay, l.MinPrice, l.MaxPrice))
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// TestMirrorAgrees: from memory come the very bytes that come from the database, for any page of any window.
func TestMirrorAgrees(t *testing.T) {
	t.Parallel()
	pool, trace := traced(t, 4)
	insertProvider(t, pool, "acme")
	insertProvider(t, pool, "globex")
	series := []event.ID{insertSeries(t, pool, "one"), insertSeries(t, pool, "two")}
	database := catalog.New(pool, time.Now)
	layouts := map[bool]*catalog.Layout{false: layout(t, fullFields), true: layout(t, leanFields)}
	rapid.Check(t, func(rt *rapid.T) {
		exec(t, pool, "DELETE FROM events")
		d := drawCatalog(rt, series)
		for i, e := range slices.Clone(d.events) { // so many that each length has several
			for n := range 9 {
				zone := location(e.zone)
				again := e
				again.id = event.Key{Provider: e.provider, Event: fmt.Sprint(i, "/", n)}.ID()
				again.start = event.MomentOf(e.start.Instant.AddDate(0, 0, n-6), zone)
				if !e.end.IsZero() {
					again.end = event.MomentOf(e.end.Instant.AddDate(0, 0, n-6), zone)
				}
				d.events = append(d.events, again)
			}
		}
		insert(t, pool, d.events)
		exec(t, pool, `UPDATE events SET offers = (ARRAY['[]', '[{"id": "7", "name": "Grada 2", "price": 15.5, "capacity": 0, "numbered": true}, {}]',
			'[{"id": "\\b\"\\ é", "name": "[{,:}]", "price": "7.50", "more": "x"}]', '[{"more": {"a": 1}}]']::jsonb[])[1 + abs(hashtext(id::text)) % 4]`)
		lean := rapid.Bool().Draw(rt, "lean")
		memory := catalog.New(pool, time.Now)
		memory.KeepMirror(1 << 24)
		if err := memory.Refresh(t.Context(), lean); err != nil {
			rt.Fatal(err)
		}
		trace.take()
		for range 12 {
			q := catalog.EventQuery{Window: drawWindow(rt, d), Now: drawNow(rt, d), Order: catalog.EventOrder{Direction: rapid.SampledFrom([]catalog.Direction{"", catalog.Descending}).Draw(rt, "direction")}}
			if size := rapid.IntRange(1, catalog.MaxPageSize).Draw(rt, "size"); rapid.Bool().Draw(rt, "backward") {
				q.Page.Last = &size
			} else {
				q.Page.First = &size
			}
			for _, cursor := range []**string{&q.Page.After, &q.Page.Before} {
				if len(d.events) > 0 && rapid.IntRange(0, 2).Draw(rt, "cursor") == 0 {
					*cursor = new(cursorOf(rapid.SampledFrom(d.events).Draw(rt, "at"), q))
				}
			}
			got := written(t.Context(), memory, q, layouts[lean])
			if asked := trace.take(); len(asked) > 0 {
				rt.Fatalf("the database was asked: %v", asked)
			}
			if want := written(t.Context(), database, q, layouts[lean]); got != want {
				rt.Fatalf("%+v, window %v %v %s inclusive %t:\nmemory   %s\ndatabase %s", q.Page, q.Window.From, q.Window.To, q.Window.Match, q.Window.Inclusive, got, want)
			}
			if diff := cmp.Diff(found(t, database, q.Window), found(t, memory, q.Window)); diff != "" {
				rt.Fatalf("search: (-database +memory):\n%s", diff)
			}
			trace.take()
		}
	})
}

// changed is what a sync leaves that changed events: a version, and a change of each.
func changed(tb testing.TB, pool *pgxpool.Pool, ids ...event.ID) {
	tb.Helper()
	exec(tb, pool, `UPDATE catalog SET version = version + 1, last_change = last_change + $1 WHERE id = 1`, len(ids))
	exec(tb, pool, `INSERT INTO sync_runs (provider_id, outcome, started_at) SELECT id, 'APPLIED', now() FROM providers LIMIT 1`)
	exec(tb, pool, `
		INSERT INTO changes (id, event_id, provider_id, run_id, at, kind, fields)
		SELECT (SELECT last_change FROM catalog WHERE id = 1) - cardinality($1::uuid[]) + n, id, (SELECT provider_id FROM events e WHERE e.id = c.id), (SELECT max(id) FROM sync_runs), now(), 'DETAILS_CHANGED', '[]'
		FROM unnest($1::uuid[]) WITH ORDINALITY AS c (id, n)`, ids)
}

func numbered(n int) []stored {
	start := time.Date(2021, 6, 1, 20, 0, 0, 0, time.UTC)
	events := make([]stored, n)
	for i := range events {
		events[i] = stored{id: event.Key{Provider: "acme", Event: fmt.Sprint(i)}.ID(), provider: "acme", zone: "Europe/Madrid", listed: i%10 > 0}
		events[i].start = event.MomentOf(start.Add(time.Duration(i/3)*time.Hour), location("Europe/Madrid"))
	}
	return events
}

// TestMirrorFollows: what the log of changes names is read anew, and it is all the same as if everything was.
func TestMirrorFollows(t *testing.T) {
	t.Parallel()
	pool, trace := traced(t, 4)
	insertProvider(t, pool, "acme")
	events := numbered(300)
	insert(t, pool, events[:290])
	c := catalog.New(pool, time.Now)
	c.KeepMirror(1 << 24)
	same := func(step string, whole bool) {
		t.Helper()
		trace.take()
		if err := c.Refresh(t.Context(), false); err != nil {
			t.Fatal(step, err)
		}
		if asked := fmt.Sprint(trace.take()); strings.Contains(asked, "FROM changes") == whole {
			t.Errorf("%s: everything was read, or not: %s", step, asked)
		}
		anew := catalog.New(pool, time.Now)
		anew.KeepMirror(1 << 24)
		if err := anew.Refresh(t.Context(), false); err != nil {
			t.Fatal(step, err)
		}
		if diff := cmp.Diff(anew.Held(), c.Held()); diff != "" {
			t.Errorf("%s: (-all anew +followed):\n%s", step, diff)
		}
		if got, want := c.Mirror(), anew.Mirror(); got.Bytes != want.Bytes || got.Events != want.Events || got.Version != want.Version {
			t.Errorf("%s: %+v, want %+v", step, got, want)
		}
	}
	same("at first", true)

	exec(t, pool, "UPDATE events SET title = 'Another' WHERE id = $1", [16]byte(events[7].id))
	exec(t, pool, "UPDATE events SET starts_at = starts_at + interval '40 days', starts_local = starts_local + interval '40 days' WHERE id = $1", [16]byte(events[8].id))
	exec(t, pool, "UPDATE events SET starts_at = starts_at - interval '40 days', starts_local = starts_local - interval '40 days' WHERE id = $1", [16]byte(events[288].id))
	exec(t, pool, "UPDATE events SET listed = true WHERE id = $1", [16]byte(events[10].id))
	insert(t, pool, events[290:])
	ids := []event.ID{events[7].id, events[8].id, events[288].id, events[10].id, events[20].id, events[7].id} // one that is unlisted, one twice
	for _, e := range events[290:] {
		ids = append(ids, e.id)
	}
	changed(t, pool, ids...)
	same("after changes", false)

	changed(t, pool)
	same("a version without changes", false)

	exec(t, pool, "UPDATE events SET title = 'A third' WHERE id = $1", [16]byte(events[7].id))
	changed(t, pool, events[7].id, events[8].id)
	exec(t, pool, "UPDATE catalog SET pruned_change = last_change")
	exec(t, pool, "DELETE FROM changes")
	same("the log was pruned", true)

	exec(t, pool, "UPDATE catalog SET last_change = 3, pruned_change = 0, version = version + 1")
	same("an older log, of a database that was restored", true)
}

// TestMirrorAtLimits: windows that begin or end with each event, so that the first and the last of each length are among them.
func TestMirrorAtLimits(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 4)
	insertProvider(t, pool, "acme")
	events := numbered(300)
	insert(t, pool, events)
	database, memory := catalog.New(pool, time.Now), catalog.New(pool, time.Now)
	memory.KeepMirror(1 << 24)
	if err := memory.Refresh(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	l := layout(t, []string{"id"})
	for i := 0; i < len(events); i += 3 {
		at := &catalog.Bound{Instant: events[i].start.Instant}
		for _, match := range rules {
			for _, w := range []catalog.Window{{Match: match, From: at}, {Match: match, To: at}, {Match: match, To: at, Inclusive: true}} {
				for _, page := range []catalog.PageArgs{{First: new(3)}, {Last: new(3)}} {
					q := catalog.EventQuery{Window: w, Page: page}
					if got, want := written(t.Context(), memory, q, l), written(t.Context(), database, q, l); got != want {
						t.Fatalf("%v %+v:\nmemory   %s\ndatabase %s", w, page, got, want)
					}
				}
			}
		}
	}
}

// TestMirrorIsNeverBehind: events in memory of an earlier version than the database is known to have are not used, nor those of another server.
func TestMirrorIsNeverBehind(t *testing.T) {
	t.Parallel()
	pool, trace := traced(t, 4)
	insertProvider(t, pool, "acme")
	events := numbered(5)
	insert(t, pool, events)
	c := catalog.New(pool, time.Now)
	c.KeepMirror(1 << 24)
	l := layout(t, fullFields)
	fromMemory := func(ctx context.Context) bool {
		trace.take()
		written(ctx, c, catalog.EventQuery{}, l)
		return len(trace.take()) == 0
	}
	if fromMemory(t.Context()) {
		t.Error("from memory, before anything is in it")
	}
	if err := c.Refresh(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	version := c.Mirror().Version
	if pinned, _ := c.Pin(t.Context()); !fromMemory(t.Context()) || !fromMemory(pinned) {
		t.Error("not from memory")
	}
	for name, q := range map[string]catalog.EventQuery{
		"another order": {Order: catalog.EventOrder{Field: catalog.ByTitle}},
		"a filter":      {Where: catalog.EventFilter{Cities: []string{"Madrid"}}},
	} {
		trace.take()
		written(t.Context(), c, q, l)
		if len(trace.take()) != 1 {
			t.Errorf("%s: not from the database", name)
		}
	}
	trace.take()
	written(t.Context(), c, catalog.EventQuery{}, layout(t, []string{"id", "series.title"}))
	if len(trace.take()) != 1 {
		t.Error("a field that is not in memory: not from the database")
	}
	c.Learn(version + 1)
	if fromMemory(t.Context()) {
		t.Error("from memory, behind the database")
	}
}

// TestMirrorIsAhead: a version that is to be known is in memory first, so that reads never leave it.
func TestMirrorIsAhead(t *testing.T) {
	t.Parallel()
	pool, trace := traced(t, 4)
	insertProvider(t, pool, "acme")
	events := numbered(5)
	insert(t, pool, events)
	c := catalog.New(pool, time.Now)
	c.KeepMirror(1 << 24)
	if err := c.Refresh(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	known, _ := c.Current()
	exec(t, pool, "UPDATE events SET title = 'Another' WHERE id = $1", [16]byte(events[1].id))
	changed(t, pool, events[1].id)
	done := c.Expect(t.Context(), known.Version+1)
	if err := c.RefreshAhead(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-done
	if now, _ := c.Current(); now != known || c.Mirror().Version != known.Version+1 {
		t.Errorf("%+v is known, %+v in memory", now, c.Mirror())
	}
	for range 2 {
		trace.take()
		got := written(t.Context(), c, catalog.EventQuery{}, layout(t, fullFields))
		if asked := trace.take(); len(asked) > 0 || !strings.Contains(got, "Another") {
			t.Errorf("%s, and the database was asked %v", got, asked)
		}
		c.Learn(known.Version + 1)
	}
}

// TestMirrorStateMeanwhile: metrics may ask what is in memory while it is read anew.
func TestMirrorStateMeanwhile(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 4)
	insertProvider(t, pool, "acme")
	events := numbered(5)
	insert(t, pool, events)
	c := catalog.New(pool, time.Now)
	c.KeepMirror(1 << 24)
	if err := c.Refresh(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
				c.Mirror()
			}
		}
	})
	for n := range 20 {
		exec(t, pool, "UPDATE events SET description = $2 WHERE id = $1", [16]byte(events[1].id), fmt.Sprint("Description ", n))
		changed(t, pool, events[1].id)
		if err := c.Refresh(t.Context(), false); err != nil {
			t.Error(err)
		}
	}
	close(ended)
	watching.Wait()
}

// TestMirrorIsBounded: with less room some fields are left out, and then everything.
func TestMirrorIsBounded(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 4)
	insertProvider(t, pool, "acme")
	insert(t, pool, numbered(5000))
	exec(t, pool, "UPDATE events SET description = repeat('x', 1000) || id")
	c := catalog.New(pool, time.Now)
	c.KeepMirror(1 << 21)
	if err := c.Refresh(t.Context(), false); !errors.Is(err, catalog.ErrTooLarge) {
		t.Errorf("4.5 MB in 2 MB: %v", err)
	}
	if err := c.Refresh(t.Context(), true); err != nil {
		t.Errorf("without descriptions: %v", err)
	}
	if s := c.Mirror(); s.Events != 4500 || s.Bytes > 1<<21 {
		t.Errorf("%+v", s)
	}
	c.KeepMirror(1 << 19)
	changed(t, pool)
	if err := c.Refresh(t.Context(), true); !errors.Is(err, catalog.ErrTooLarge) {
		t.Errorf("half a megabyte: %v", err)
	}
}

// TestMirrorSharesWhatIsCommon: what many events have in common takes room once.
func TestMirrorSharesWhatIsCommon(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 4)
	insertProvider(t, pool, "acme")
	insert(t, pool, numbered(5000))
	bytes := func(description string) int {
		exec(t, pool, "UPDATE events SET description = "+description)
		c := catalog.New(pool, time.Now)
		c.KeepMirror(1 << 24)
		if err := c.Refresh(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		return c.Mirror().Bytes
	}
	one, each := bytes("repeat('x', 1000)"), bytes("repeat('x', 1000) || id")
	if least := 4500 * 1000; each-one < least {
		t.Errorf("%d bytes with one description, %d with one each: want %d between them", one, each, least)
	}
}

// TestMirrorForgets: what no event has any more does not count against the room.
func TestMirrorForgets(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 4)
	insertProvider(t, pool, "acme")
	events := numbered(100)
	insert(t, pool, events)
	c := catalog.New(pool, time.Now)
	c.KeepMirror(1 << 18)
	for n := range 20 { // of 90 kB each
		exec(t, pool, "UPDATE events SET description = repeat($1, 1000) || id", string(rune('a'+n)))
		ids := make([]event.ID, len(events))
		for i := range events {
			ids[i] = events[i].id
		}
		changed(t, pool, ids...)
		if err := c.Refresh(t.Context(), false); err != nil {
			t.Fatalf("the %d. time: %v", n+1, err)
		}
	}
	if s := c.Mirror(); s.Bytes > 1<<18 || s.Events != 90 {
		t.Errorf("%+v", s)
	}
}

// TestMirrorIsWatched: Watch keeps what is in memory at the version that the database tells of, and gives up what it
// has no room for.
func TestMirrorIsWatched(t *testing.T) {
	t.Parallel()
	pool, _ := traced(t, 8)
	insertProvider(t, pool, "acme")
	events := numbered(300)
	insert(t, pool, events)
	c := catalog.New(pool, time.Now)
	c.KeepMirror(1 << 19)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.Watch(ctx, slog.New(slog.DiscardHandler))
	}()
	defer func() {
		cancel()
		<-ended
	}()
	until := func(what string, good func(catalog.MirrorState) bool) {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for !good(c.Mirror()) {
			select {
			case <-deadline:
				t.Fatalf("%s: still %+v", what, c.Mirror())
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	until("at first", func(s catalog.MirrorState) bool { return s.Events == 270 })
	first := c.Mirror().Version
	exec(t, pool, "UPDATE events SET listed = true WHERE id = $1", [16]byte(events[0].id))
	changed(t, pool, events[0].id)
	until("after a sync", func(s catalog.MirrorState) bool { return s.Version == first+1 && s.Events == 271 })
	if got := written(t.Context(), c, catalog.EventQuery{Page: catalog.PageArgs{First: new(3)}}, layout(t, fullFields)); !strings.Contains(got, events[0].id.String()) || c.Mirror().Pages != 1 {
		t.Errorf("%s, %+v", got, c.Mirror())
	}
	exec(t, pool, "UPDATE events SET title = repeat('x', 5000) WHERE listed")
	ids := make([]event.ID, len(events))
	for i := range ids {
		ids[i] = events[i].id
	}
	changed(t, pool, ids...)
	until("without room", func(s catalog.MirrorState) bool { return s.Version == 0 })
	if got := written(t.Context(), c, catalog.EventQuery{}, layout(t, fullFields)); !strings.Contains(got, "xxx") {
		t.Errorf("from the database: %.100s", got)
	}
}
