package bench_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/catalog"
)

// windowLine is how long a page of one rule takes, in microseconds.
type windowLine struct {
	match       catalog.WindowMatch
	fromMemory  bool
	first, deep int
}

// measureWindows measures pages from the database and, given the memory, from there: of how many MiB.
func measureWindows(b *testing.B, pool *pgxpool.Pool) (lines []windowLine, mebibytes int) {
	b.Helper()
	lines = measureMatches(b, catalog.New(pool, time.Now))
	c := catalog.New(pool, time.Now)
	defer mirror(b, c)()
	fromMemory := measureMatches(b, c)
	if c.Mirror().Pages == 0 {
		b.Fatal("no page was from memory")
	}
	for i := range fromMemory {
		fromMemory[i].fromMemory = true
	}
	return append(lines, fromMemory...), c.Mirror().Bytes >> 20
}

// mirror has a catalog keep the events in memory until stop.
func mirror(b *testing.B, c *catalog.Catalog) (stop func()) {
	b.Helper()
	c.KeepMirror(mirrorBytes)
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { c.Watch(ctx, slog.New(slog.DiscardHandler)) })
	stop = func() {
		cancel()
		watching.Wait()
	}
	if err := untilMirrored(c); err != nil {
		stop()
		b.Fatal(err)
	}
	return stop
}

// measureMatches reads pages of months by each rule, the first of the window and one that begins half-way through. Each is read
// twice, and the second time counts: then the database has it in memory, whatever its size.
func measureMatches(b *testing.B, c *catalog.Catalog) []windowLine {
	b.Helper()
	layout, err := catalog.NewLayout(catalog.Selection{
		{Key: "nodes", Name: "nodes", Of: catalog.Selection{{Key: "id", Name: "id"}, {Key: "title", Name: "title"}, {Key: "startsAt", Name: "startsAt"}}},
		{Key: "pageInfo", Name: "pageInfo", Of: catalog.Selection{{Key: "endCursor", Name: "endCursor"}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	var lines []windowLine
	for _, match := range []catalog.WindowMatch{catalog.Overlaps, catalog.StartsIn, catalog.EndsIn, catalog.Contained} {
		var first, deep []time.Duration
		for i := range 60 {
			from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, i, 0)
			to, middle := from.AddDate(0, 1, 0), from.AddDate(0, 0, 15)
			window := catalog.Window{From: &catalog.Bound{Instant: from}, To: &catalog.Bound{Instant: to}, Match: match}
			read := func(page catalog.PageArgs) (took time.Duration) {
				for range 2 {
					start := time.Now()
					if _, err := c.WriteEvents(context.Background(), catalog.EventQuery{Page: page, Window: window}, layout, nil); err != nil {
						b.Fatal(err)
					}
					took = time.Since(start)
				}
				return took
			}
			// Where the half is: the cursor of an event that starts there.
			half, err := c.Events(context.Background(), catalog.EventQuery{Window: catalog.Window{From: &catalog.Bound{Instant: middle}, Match: catalog.StartsIn}})
			if err != nil {
				b.Fatal(err)
			}
			first = append(first, read(catalog.PageArgs{}))
			deep = append(deep, read(catalog.PageArgs{After: half.PageInfo.StartCursor}))
		}
		slices.Sort(first)
		slices.Sort(deep)
		lines = append(lines, windowLine{match: match, first: int(first[len(first)/2].Microseconds()), deep: int(deep[len(deep)/2].Microseconds())})
	}
	return lines
}
