package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/httpapi"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/internal/syncer"
)

// syncMetrics say how the runs of this process went. What runs of other processes did is known to the database, and
// told by the API's metrics.
type syncMetrics struct {
	registry    *prometheus.Registry
	runs        *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	success     *prometheus.GaugeVec
	held        *prometheus.GaugeVec
	records     *prometheus.GaugeVec
	quarantined *prometheus.GaugeVec
	events      *prometheus.CounterVec
}

// newSyncMetrics makes the metrics of these sources: those that have not run yet are there, too.
func newSyncMetrics(sources []*provider.Source) *syncMetrics {
	of := []string{"provider"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, of)
	}
	m := &syncMetrics{
		registry: prometheus.NewRegistry(),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "marquee_sync_runs_total", Help: "Runs that have ended, by outcome as in the run's record.",
		}, []string{"provider", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "marquee_sync_duration_seconds", Help: "Time that runs took.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900},
		}, of),
		success:     gauge("marquee_sync_last_success_timestamp_seconds", "When the latest good snapshot was applied, or found to be as before; 0: not yet."),
		held:        gauge("marquee_sync_held", "1 while the latest snapshot is held by the safety brake, for a person to approve or reject."),
		records:     gauge("marquee_sync_records", "Records in the latest snapshot, the quarantined ones too."),
		quarantined: gauge("marquee_sync_quarantined_records", "Records in the latest snapshot that can't be used."),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "marquee_sync_events_total", Help: "Events that applied runs added, changed, removed or brought back.",
		}, []string{"provider", "effect"}),
	}
	m.registry.MustRegister(m.runs, m.duration, m.success, m.held, m.records, m.quarantined, m.events,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, source := range sources {
		slug := source.Provider().Slug
		m.success.WithLabelValues(slug)
		m.held.WithLabelValues(slug)
		for _, o := range []event.Outcome{event.OutcomeApplied, event.OutcomeUnchanged, event.OutcomeFailed, event.OutcomeHeld} {
			m.runs.WithLabelValues(slug, string(o))
		}
	}
	return m
}

// tell is a Syncer's Progress.
func (m *syncMetrics) tell(p syncer.Progress) {
	if !p.Done || spared(p.Err) != "" {
		return
	}
	r, c := p.Report.Result, p.Report.Result.Counts
	m.runs.WithLabelValues(p.Provider, string(r.Outcome)).Inc()
	if p.Report.RunID == 0 { // it could not begin
		return
	}
	m.duration.WithLabelValues(p.Provider).Observe(p.Report.Took.Seconds())
	held := 0.0
	switch r.Outcome {
	case event.OutcomeApplied, event.OutcomeUnchanged:
		m.success.WithLabelValues(p.Provider).SetToCurrentTime()
	case event.OutcomeHeld:
		held = 1
	case event.OutcomeRejected:
	default:
		return // no snapshot came: what the latest one was like still holds
	}
	m.held.WithLabelValues(p.Provider).Set(held)
	m.records.WithLabelValues(p.Provider).Set(float64(c.Records))
	m.quarantined.WithLabelValues(p.Provider).Set(float64(c.Quarantined))
	if r.Outcome != event.OutcomeApplied {
		return
	}
	for effect, n := range map[string]int{"added": c.Added, "changed": c.Changed, "removed": c.Removed, "returned": c.Returned} {
		m.events.WithLabelValues(p.Provider, effect).Add(float64(n))
	}
}

// serve answers probes and /metrics until ctx is done.
func (m *syncMetrics) serve(ctx context.Context, log *slog.Logger, listener net.Listener, pool *pgxpool.Pool) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		bounded, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		if err := pool.Ping(bounded); err != nil {
			log.WarnContext(r.Context(), "not ready: the database does not answer", "error", err)
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ok\n")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	return httpapi.Serve(ctx, log, listener, mux, httpapi.Ending{Finish: time.Second})
}
