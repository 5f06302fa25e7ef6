package bench_test

import (
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/planlist"
	"github.com/aledotdev/marquee/internal/simulator"
)

// BenchmarkHeap reads feeds of 50 and 500 MB as they are made, and samples the live heap.
func BenchmarkHeap(b *testing.B) {
	for _, size := range []struct {
		name   string
		series int
	}{{"50-MB", bigSeries}, {"500-MB", 10 * bigSeries}} {
		r, w := io.Pipe()
		go func() { w.CloseWithError(simulator.WriteLarge(w, options(size.series, 0))) }()
		records := 0
		peak := peakHeap(func() {
			for rec, err := range planlist.Decode(r, madrid(b)) {
				if err != nil || rec.Invalid != nil {
					b.Fatal(err, rec.Invalid)
				}
				records++
			}
		})
		count(b, records, 5*size.series, "records")
		b.ReportMetric(float64(peak)/1e6, size.name+"-decode-heap-MB")
	}
	app, f := start(b)
	// Streamed, since a body in this process's memory would let its garbage grow as large.
	serve := func(step int) {
		f.Answer(func(w http.ResponseWriter, _ *http.Request) { _ = simulator.WriteLarge(w, options(bigSeries, step)) })
	}
	serve(0)
	known := float64(5*bigSeries*2*(len(event.ID{})+len(event.Hash{}))) / 1e6 // what a sync keeps of the events present
	b.ReportMetric(float64(peakHeap(func() { outcome(b, f, event.OutcomeApplied) }))/1e6, "first-sync-heap-MB")
	serve(1)
	app.Clock.Set(app.Clock.Now().Add(time.Hour))
	b.ReportMetric(float64(peakHeap(func() { outcome(b, f, event.OutcomeApplied) }))/1e6, "next-sync-heap-MB")
	b.ReportMetric(known, "known-hashes-MB")
	b.ReportMetric(0, "ns/op")
}

// peakHeap is the most that work adds to the heap, garbage that is not yet collected included.
func peakHeap(work func()) uint64 {
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	done := make(chan struct{})
	go func() {
		defer close(done)
		work()
	}()
	peak := before.HeapAlloc
	for ticker := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-done:
			ticker.Stop()
			return peak - before.HeapAlloc
		case <-ticker.C:
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
}
