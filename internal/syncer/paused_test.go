package syncer_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/test/harness"
)

// process is another program that syncs acme, and what it said.
type process struct {
	*exec.Cmd
	said bytes.Buffer
}

func startProcess(t *testing.T, app *harness.App, feed *harness.Feed) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")}
	p.Env = append(os.Environ(), childDatabase+"="+app.Pool.Config().ConnString(), childFeed+"="+feed.URL)
	p.Stderr = &p.said
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// fails waits for the program to end, and for its last words to hold the error.
func (p *process) fails(t *testing.T, want error) {
	t.Helper()
	if err := p.Wait(); err == nil || !strings.Contains(p.said.String(), want.Error()) {
		t.Errorf("the program ended with %v and said %q, want %q", err, p.said.String(), want)
	}
}

// halfway answers with half of a body, says so, and gives the rest when it may.
func halfway(body []byte, arrived, goOn chan struct{}) http.HandlerFunc {
	var once sync.Once
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		once.Do(func() { close(arrived) })
		select {
		case <-goOn:
			_, _ = w.Write(body[len(body)/2:])
		case <-r.Context().Done():
		}
	}
}

// TestPaused: a program that is paused (a suspended machine, a node without CPU) while another takes its
// provider over can't apply its snapshot, however late it wakes up.
func TestPaused(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	feed.Sync(priced("20"))
	arrived, goOn := make(chan struct{}), make(chan struct{})
	feed.Answer(halfway(priced("21"), arrived, goOn))
	paused := startProcess(t, app, feed)
	<-arrived
	if err := paused.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}

	expire(app)
	feed.Sync(priced("22"))
	before := app.Rows(own...)
	close(goOn)
	if err := paused.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	paused.fails(t, event.ErrSuperseded)
	same(t, "the paused program changed the catalog", before, app.Rows(own...))
}

// TestPausedInCommit: a program that stands still while it holds the locks of a commit is cut off by the server: other
// providers, and then its own, are synced.
func TestPausedInCommit(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	feed.Sync(priced("20"))
	feed.Serve(priced("21"))
	// The catalog's row is the last lock that a commit takes.
	lock, err := app.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := lock.Exec(t.Context(), `SELECT FROM catalog FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	paused := startProcess(t, app, feed)
	for harness.One[int](app, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	if err := paused.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}

	app.Feed("other").Sync(priced("5")) // waits for the catalog's row, which the paused program now has
	expire(app)
	feed.Sync(priced("22"))
	before := app.Rows(own...)
	if err := paused.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := paused.Wait(); err == nil {
		t.Error("the paused program ended well")
	}
	same(t, "the paused program changed the catalog", before, app.Rows(own...))
}

// TestTwoProcesses: if two programs sync one provider at the same time, one does it, and the other says that a sync
// is running.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, noon)
	feed := app.Feed("acme")
	arrived, goOn := make(chan struct{}), make(chan struct{})
	feed.Answer(halfway(priced("21"), arrived, goOn))
	first := startProcess(t, app, feed)
	<-arrived
	startProcess(t, app, feed).fails(t, event.ErrRunning)
	close(goOn)
	if err := first.Wait(); err != nil {
		t.Errorf("the first program: %v: %s", err, first.said.String())
	}
	if n := harness.One[int](app, `SELECT count(*) FROM events`); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	if n := harness.One[int](app, `SELECT count(*) FROM sync_runs`); n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
}
