package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/aledotdev/marquee/test/harness"
)

// TestProviderMetrics: Prometheus is told how a provider stands whose sync was another process.
func TestProviderMetrics(t *testing.T) {
	t.Parallel()
	app := harness.Start(t, time.Unix(1_900_000_000, 0))
	app.Feed("acme").Sync(harness.PlanList(harness.Base{ID: "1", Title: "Show", Mode: "online", Plans: []harness.Plan{{ID: "1", Start: "2040-01-01T20:00:00"}}}))
	m := &providerMetrics{reads: app.Catalog, log: slog.New(slog.DiscardHandler)}
	want := `
# HELP marquee_provider_events Events in the latest good snapshot.
# TYPE marquee_provider_events gauge
marquee_provider_events{provider="acme"} 1
# HELP marquee_provider_held 1 while a snapshot is held by the safety brake, for a person to approve or reject.
# TYPE marquee_provider_held gauge
marquee_provider_held{provider="acme"} 0
# HELP marquee_provider_last_success_timestamp_seconds When the latest run ended that applied a snapshot or found it as before; 0: none has.
# TYPE marquee_provider_last_success_timestamp_seconds gauge
marquee_provider_last_success_timestamp_seconds{provider="acme"} 1.9e+09
`
	if err := testutil.CollectAndCompare(m, strings.NewReader(want),
		"marquee_provider_events", "marquee_provider_held", "marquee_provider_last_success_timestamp_seconds"); err != nil {
		t.Error(err)
	}
}
