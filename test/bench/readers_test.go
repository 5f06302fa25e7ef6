package bench_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/test/harness"
)

// BenchmarkReaders measures how long readers of the API wait while snapshots that differ in 1 % are synced, beside how
// long they wait when nothing is; one read each 5 ms. Turns alternate. The sync is a process of its own, as a CronJob's is; it, the API
// and PostgreSQL share the machine. How much of the wait is the kernel's doing is shown by how long they wait beside two processes that do
// nothing but keep a core busy each, one with PostgreSQL's priority and one with that of a sync.
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
	var with, without, beside []time.Duration
	for step := 1; step <= 10; step++ {
		to(step)
		with = append(with, read(once)...)
		without = append(without, read(func() { time.Sleep(time.Second) })...)
		_, stopNormal := startProcess(b, busyVariable+"=0")
		_, stopNice := startProcess(b, busyVariable+"=10")
		beside = append(beside, read(func() { time.Sleep(time.Second) })...)
		stopNormal()
		stopNice()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(p99(with).Seconds()*1e3, "p99-ms-during-sync")
	b.ReportMetric(p99(without).Seconds()*1e3, "p99-ms-without")
	b.ReportMetric(p99(beside).Seconds()*1e3, "p99-ms-beside-busy-cores")
	b.ReportMetric(float64(p99(with))/float64(p99(without)), "x-p99")
	b.ReportMetric(float64(len(with)), "reads-during-sync")
	b.ReportMetric(float64(app.Catalog.Mirror().Pages)/float64(len(with)+len(without)+len(beside)), "of-reads-from-memory")
}

// busyVariable is set in a process that keeps one core busy and does nothing, to the niceness that it is to have.
const busyVariable = "MARQUEE_BENCH_BUSY"

func keepBusy(niceness string) error {
	nice, err := strconv.Atoi(niceness)
	if err == nil {
		runtime.LockOSThread() // to Linux, a niceness is that of a thread
		err = syscall.Setpriority(syscall.PRIO_PROCESS, 0, nice)
	}
	if err != nil {
		return err
	}
	fmt.Println("busy") //nolint:forbidigo // the parent waits for it
	for {               //nolint:staticcheck // That is all that it is for.
	}
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
