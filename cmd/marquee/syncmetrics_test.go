package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/internal/syncer"
)

// TestSyncMetrics tells of three runs, and reads what comes of it as Prometheus would.
func TestSyncMetrics(t *testing.T) {
	t.Parallel()
	source, err := provider.New(provider.Config{
		Slug: "acme", Name: "Acme", URL: "https://acme.example", Format: "planlist", TimeZone: "UTC", Currency: "EUR",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := newSyncMetrics([]*provider.Source{source})
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	pool := pgtest.Pool(t)
	go func() { ended <- m.serve(ctx, slog.New(slog.DiscardHandler), listener, pool) }()
	get := func(path string) string {
		t.Helper()
		response, err := http.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d, %v: %s", path, response.StatusCode, err, body)
		}
		return string(body)
	}
	says := func(lines ...string) {
		t.Helper()
		body := get("/metrics")
		for _, line := range lines {
			if !strings.Contains(body, "\n"+line) {
				t.Errorf("no line begins with %q", line)
			}
		}
	}
	run := func(outcome event.Outcome, c event.Counts) {
		m.tell(syncer.Progress{Provider: "acme", Records: 7}) // under way
		m.tell(syncer.Progress{Provider: "acme", Done: true, Report: syncer.Report{
			Provider: "acme", RunID: 1, Took: time.Second, Result: event.Result{Outcome: outcome, Counts: c},
		}})
	}

	get("/livez")
	get("/readyz")
	says(`marquee_sync_held{provider="acme"} 0`, `marquee_sync_last_success_timestamp_seconds{provider="acme"} 0`, `marquee_sync_runs_total{outcome="HELD",provider="acme"} 0`)
	run(event.OutcomeApplied, event.Counts{Records: 10, Added: 8, Quarantined: 2})
	says(`marquee_sync_last_success_timestamp_seconds{provider="acme"} 1`, `marquee_sync_events_total{effect="added",provider="acme"} 8`,
		`marquee_sync_quarantined_records{provider="acme"} 2`, `marquee_sync_duration_seconds_count{provider="acme"} 1`)
	run(event.OutcomeHeld, event.Counts{Records: 1, Removed: 7})
	run(event.OutcomeFailed, event.Counts{})
	says(`marquee_sync_held{provider="acme"} 1`, `marquee_sync_records{provider="acme"} 1`,
		`marquee_sync_events_total{effect="removed",provider="acme"} 0`, `marquee_sync_runs_total{outcome="FAILED",provider="acme"} 1`)
	run(event.OutcomeUnchanged, event.Counts{Records: 10})
	says(`marquee_sync_held{provider="acme"} 0`)

	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
