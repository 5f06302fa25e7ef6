package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// readyGrace is how long a check may fail before the server stops being ready. When a database is away for a moment, it
	// does not help to take every instance out of service.
	readyGrace = 15 * time.Second
	// checkTimeout is less than the second after which a kubelet gives up.
	checkTimeout = 700 * time.Millisecond
	// checkAge is how long a result is used again, so that many probes cause no load.
	checkAge = time.Second
)

// livez says that the process runs. What it depends on is for readyz to check.
func livez(w http.ResponseWriter, _ *http.Request) {
	plainText(w, http.StatusOK, "ok\n")
}

// versionHandler tells the version as JSON.
func versionHandler(v Version) http.Handler {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings
	}
	return document(jsonType, append(body, '\n'))
}

// readiness says whether requests are welcome, in Kubernetes' words
// (https://kubernetes.io/docs/reference/using-api/health-checks/).
type readiness struct {
	clock    func() time.Time
	log      *slog.Logger
	draining atomic.Bool
	replica  func() string // nil: there is none

	mu      sync.Mutex // held while the checks run: probes that come meanwhile wait for the result
	checks  []*check
	checked time.Time
}

type check struct {
	name   string
	run    func(context.Context) error
	passed time.Time // the last time; zero: never
	err    error     // of the last run
}

func newReadiness(clock func() time.Time, log *slog.Logger) *readiness {
	return &readiness{clock: clock, log: log}
}

func (r *readiness) add(name string, run func(context.Context) error) {
	r.checks = append(r.checks, &check{name: name, run: run})
}

func (r *readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	ready, report := r.report(req.Context())
	switch {
	case !ready:
		plainText(w, http.StatusServiceUnavailable, report+"readyz check failed\n")
	case req.URL.Query().Has("verbose"):
		plainText(w, http.StatusOK, report+"readyz check passed\n")
	default:
		plainText(w, http.StatusOK, "ok\n")
	}
}

// report says whether the server is ready, with one line for each check.
func (r *readiness) report(ctx context.Context) (ready bool, lines string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.clock(); r.checked.IsZero() || now.Sub(r.checked) >= checkAge {
		r.run(ctx)
		r.checked = r.clock()
	}
	ready = true
	var b strings.Builder
	for _, c := range r.checks {
		switch {
		case c.err == nil:
			b.WriteString("[+]" + c.name + " ok\n")
		case !c.passed.IsZero() && r.clock().Sub(c.passed) < readyGrace:
			b.WriteString("[+]" + c.name + " ok: failing, but not for long\n")
		default:
			ready = false
			b.WriteString("[-]" + c.name + " failed: reason withheld\n")
		}
	}
	if r.replica != nil { // never a reason not to be ready: the primary stands in
		b.WriteString("[+]replica ok: " + r.replica() + "\n")
	}
	if r.draining.Load() {
		ready = false
		b.WriteString("[-]shutdown failed: in progress\n")
	} else {
		b.WriteString("[+]shutdown ok\n")
	}
	return ready, b.String()
}

// run runs all checks at the same time. Others wait for the result, too, so it goes on when the client that asked leaves.
func (r *readiness) run(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	var all sync.WaitGroup
	for _, c := range r.checks {
		all.Go(func() {
			failed := c.err != nil
			c.err = c.run(ctx)
			switch {
			case c.err == nil:
				c.passed = r.clock()
				if failed {
					r.log.LogAttrs(ctx, slog.LevelInfo, "readiness check passes again", slog.String("check", c.name))
				}
			case !failed:
				r.log.LogAttrs(ctx, slog.LevelWarn, "readiness check fails", slog.String("check", c.name), slog.Any("error", c.err))
			}
		})
	}
	all.Wait()
}

func plainText(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, text) //nolint:gosec // G705: it is plain text, and says so, with nosniff.
}
