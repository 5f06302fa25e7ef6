package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// Of the statement that the providers' metrics are read by: how often at most, however many ask, and how long it may take.
const (
	providerMetricsAge     = 10 * time.Second
	providerMetricsTimeout = 3 * time.Second
)

// providerMetrics tell how each provider's syncs stand, from the database: syncs are mostly processes that are gone before
// anybody could ask them. While the database doesn't answer there are none, so that alerts on old values
// don't go by what was true some time ago.
type providerMetrics struct {
	reads *catalog.Catalog
	log   *slog.Logger

	mu     sync.Mutex
	read   time.Time
	states []catalog.ProviderState
}

func (m *providerMetrics) gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("marquee_provider_"+name, help, append([]string{"provider"}, labels...), nil)
}

// Describe implements prometheus.Collector. What is collected depends on the database, so that nothing is promised.
func (m *providerMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *providerMetrics) Collect(to chan<- prometheus.Metric) {
	lastStart := m.gauge("last_run_timestamp_seconds", "When the latest run began; 0: none has.")
	lastSuccess := m.gauge("last_success_timestamp_seconds", "When the latest run ended that applied a snapshot or found it as before; 0: none has.")
	outcome := m.gauge("last_outcome", "1 for the outcome of the latest run that has ended, 0 for the others.", "outcome")
	held := m.gauge("held", "1 while a snapshot is held by the safety brake, for a person to approve or reject.")
	records := m.gauge("records", "Records in the latest good snapshot, the quarantined ones too.")
	quarantined := m.gauge("quarantined_records", "Records in the latest good snapshot that can't be used.")
	present := m.gauge("events", "Events in the latest good snapshot.")
	for _, s := range m.current() {
		send := func(d *prometheus.Desc, value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{s.Slug}, labels...)...)
		}
		send(lastStart, unix(s.LastStart))
		send(lastSuccess, unix(s.LastSuccess))
		for _, o := range []event.Outcome{event.OutcomeApplied, event.OutcomeUnchanged, event.OutcomeFailed, event.OutcomeHeld, event.OutcomeRejected} {
			send(outcome, truth(s.LastOutcome == o), string(o))
		}
		send(held, truth(s.Held))
		send(records, float64(s.Records))
		send(quarantined, float64(s.Quarantined))
		send(present, float64(s.Events))
	}
}

// current are the states as of a few seconds ago at most; none while they can't be read.
func (m *providerMetrics) current() []catalog.ProviderState {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.read) < providerMetricsAge {
		return m.states
	}
	ctx, cancel := context.WithTimeout(context.Background(), providerMetricsTimeout)
	defer cancel()
	states, err := m.reads.ProviderStates(ctx)
	if err != nil {
		m.log.WarnContext(ctx, "the providers' metrics can't be read", "error", err)
	}
	m.read, m.states = time.Now(), states
	return states
}

func unix(t *time.Time) float64 {
	if t == nil {
		return 0
	}
	return float64(t.UnixMilli()) / 1e3
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
