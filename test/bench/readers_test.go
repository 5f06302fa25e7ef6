package bench_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/test/harness"
)

// BenchmarkReaders measures how long readers of the API wait while snapshots that differ in 1 % are synced, beside how
// long they wait when nothing is; one read each 5 ms. Turns alternate. The sync is a process of its own, as a CronJob's is; it, the API
// and PostgreSQL share the machine.
func BenchmarkReaders(b *testing.B) {
	b.Run("memory", func(b *testing.B) { measureReaders(b, true) })
	b.Run("database", func(b *testing.B) { measureReaders(b, false) })
}

func measureReaders(b *testing.B, fromMemory bool) {
	b.Helper()
	app := harness.Start(b, time.Now())
	feed, to := startFeed(b)
	to(0)
	once := syncProcess(b, app, feed)
	once()
	app.Exec(`VACUUM ANALYZE events`)
	if fromMemory {
		defer mirror(b, app.Catalog)()
	}
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
		to(step)
		began := time.Now()
		with = append(with, read(once)...)
		took := time.Since(began)
		without = append(without, read(func() { time.Sleep(max(took, time.Second)) })...)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(p99(with).Seconds()*1e3, "p99-ms-during-sync")
	b.ReportMetric(p99(without).Seconds()*1e3, "p99-ms-without")
	b.ReportMetric(float64(p99(with))/float64(p99(without)), "x-p99")
	b.ReportMetric(float64(len(with)), "reads-during-sync")
	b.ReportMetric(float64(app.Catalog.Mirror().Pages)/float64(len(with)+len(without)), "of-reads-from-memory")
}

// syncProcess makes the program, and what runs it once.
func syncProcess(b *testing.B, app *harness.App, feed string) func() {
	b.Helper()
	dir := b.TempDir()
	program, config := filepath.Join(dir, "marquee"), filepath.Join(dir, "acme.yaml")
	made, err := exec.Command("go", "build", "-o", program, "../../cmd/marquee").CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, made)
	}
	file := fmt.Sprintf("slug: acme\nname: Acme\nurl: %s\nformat: planlist\ntimeZone: Europe/Madrid\ncurrency: EUR\nallowPrivateAddresses: true\n", feed)
	if err := os.WriteFile(config, []byte(file), 0o600); err != nil {
		b.Fatal(err)
	}
	return func() {
		command := exec.Command(program, "sync", "--providers", dir)
		command.Env = append(os.Environ(), "MARQUEE_DATABASE_URL="+app.Pool.Config().ConnString())
		if said, err := command.CombinedOutput(); err != nil || !bytes.Contains(said, []byte(event.OutcomeApplied)) {
			b.Errorf("%v: %s", err, said)
		}
	}
}

func p99(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*99/100]
}
