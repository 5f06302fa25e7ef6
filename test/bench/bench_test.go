// Package bench_test measures the sync of a big feed: 50 MB, 10,000 series, 50,000 events, 500,000 offers. What it
// reports are ratios between ways that take turns in one run, medians of some rounds each: they hold on any machine, the
// times beside them do not. The tests' PostgreSQL has fsync off, so a ratio to work in the database counts
// processor and memory only; on a disk both sides wait for the same bytes (see the WAL figures).
package bench_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/simulator"
	"github.com/aledotdev/marquee/test/harness"
)

// options of the big feed; each step of a thousand differs from the last in 1 % of the plans.
func options(series, step int) simulator.LargeOptions {
	return simulator.LargeOptions{Series: series, PlansPerSeries: 5, ZonesPerPlan: 10, ChangedFraction: 0.01, Step: step}
}

const bigSeries = 10_000

func feed(b *testing.B, o simulator.LargeOptions) []byte {
	b.Helper()
	var body bytes.Buffer
	if err := simulator.WriteLarge(&body, o); err != nil {
		b.Fatal(err)
	}
	return body.Bytes()
}

func big(b *testing.B) []byte {
	b.Helper()
	return feed(b, options(bigSeries, 0))
}

// start is a Marquee, quiet, with time for big feeds, and a provider.
func start(b *testing.B) (*harness.App, *harness.Feed) {
	b.Helper()
	app := harness.Start(b, time.Date(2029, 6, 1, 0, 0, 0, 0, time.UTC))
	app.Limits.Time = time.Minute
	return app, app.Feed("acme")
}

func madrid(b *testing.B) event.Defaults {
	b.Helper()
	zone, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		b.Fatal(err)
	}
	return event.Defaults{Provider: "acme", Zone: zone, Currency: "EUR", Prices: event.PriceAllOffers}
}

// times are what the ways of one comparison took, by name.
type times map[string][]time.Duration

func (t times) take(name string, work func()) {
	start := time.Now()
	work()
	t[name] = append(t[name], time.Since(start))
}

func (t times) median(name string) float64 {
	s := slices.Sorted(slices.Values(t[name]))
	return s[len(s)/2].Seconds()
}

// report gives the median of each way in milliseconds, and takes away the time of all together, which says nothing.
func (t times) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	for name := range t {
		b.ReportMetric(t.median(name)*1e3, name+"-ms")
	}
}

// wal is how many bytes of WAL work writes.
func wal(app *harness.App, work func()) int64 {
	before := harness.One[string](app, `SELECT pg_current_wal_insert_lsn()::text`)
	work()
	return harness.One[int64](app, `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::text::pg_lsn)::bigint`, before)
}

func count(b *testing.B, got, want int, what string) {
	b.Helper()
	if got != want {
		b.Fatalf("%d %s, want %d", got, what, want)
	}
}
