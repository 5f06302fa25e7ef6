package bench_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// BenchmarkReaders measures how long readers of the API wait while snapshots that differ in 1 % are synced, beside how
// long they wait when nothing is; one read each 5 ms. Turns alternate. The API, the sync and PostgreSQL share the machine.
func BenchmarkReaders(b *testing.B) {
	app, f := start(b)
	f.Sync(big(b))
	app.Exec(`VACUUM ANALYZE events`)
	query := func() time.Duration {
		start := time.Now()
		answer := app.Do(`{events(first: 50, window: {from: "2030-03-01", to: "2030-03-08"}) {nodes {id title startsAt minPrice {amount}}}}`, nil)
		if len(answer.Errors) > 0 {
			b.Error(answer.Errors)
		}
		return time.Since(start)
	}
	read := func(busy func()) []time.Duration {
		var took []time.Duration
		done := make(chan struct{})
		var working sync.WaitGroup
		working.Go(func() { busy(); close(done) })
		for turn := time.NewTicker(5 * time.Millisecond); ; {
			took = append(took, query())
			select {
			case <-done:
				turn.Stop()
				working.Wait()
				return took
			case <-turn.C:
			}
		}
	}
	var with, without []time.Duration
	for step := 1; step <= 5; step++ {
		body := feed(b, options(bigSeries, step))
		f.Serve(body)
		app.Clock.Set(app.Clock.Now().Add(time.Hour))
		began := time.Now()
		with = append(with, read(func() { outcome(b, f, event.OutcomeApplied) })...)
		took := time.Since(began)
		without = append(without, read(func() { time.Sleep(max(took, time.Second)) })...)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(p99(with).Seconds()*1e3, "p99-ms-during-sync")
	b.ReportMetric(p99(without).Seconds()*1e3, "p99-ms-without")
	b.ReportMetric(float64(p99(with))/float64(p99(without)), "x-p99")
	b.ReportMetric(float64(len(with)), "reads-during-sync")
}

func p99(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*99/100]
}
