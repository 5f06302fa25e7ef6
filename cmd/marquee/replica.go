package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/aledotdev/marquee/internal/catalog"
)

// pools are the connections to the databases that the API reads.
type pools struct{ primary, replica *pgxpool.Pool } // replica: nil without one

// withReplica opens the replica's pool, if there is to be one, beside that of the primary. A replica that can't be
// reached is no reason not to start.
func withReplica(ctx context.Context, primary *pgxpool.Pool, replica databaseURL, size poolSize, tracers ...pgx.QueryTracer) (*pools, error) {
	all := &pools{primary: primary}
	if replica == "" {
		return all, nil
	}
	var err error
	if all.replica, err = openPool(ctx, replica, size, readStatementTimeout, tracers...); err != nil {
		primary.Close()
		return nil, err
	}
	return all, nil
}

// Close closes them.
func (p *pools) Close() {
	p.primary.Close()
	if p.replica != nil {
		p.replica.Close()
	}
}

// watch keeps up with the catalog's versions until stop is called, which waits for the end.
func watch(ctx context.Context, reads *catalog.Catalog, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		reads.Watch(ctx, log)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// replicaNote is what readiness tells of the replica; nil without one.
func replicaNote(reads *catalog.Catalog) func() string {
	if len(reads.Servers()) == 1 {
		return nil
	}
	return func() string {
		servers := reads.Servers()
		primary, replica := servers[0], servers[1]
		switch {
		case !replica.Up:
			return "gone, reads go to the primary"
		case replica.Version < primary.Version:
			return fmt.Sprintf("at version %d, the primary at %d", replica.Version, primary.Version)
		default:
			return fmt.Sprintf("at version %d", replica.Version)
		}
	}
}

// serverMetrics tell which databases are up, which version of the catalog each has, and how often each is read.
type serverMetrics struct{ reads *catalog.Catalog }

func (m *serverMetrics) descriptions() (up, version, changed, reads *prometheus.Desc) {
	label := []string{"server"}
	return prometheus.NewDesc("marquee_database_up", "Whether a database answers (primary, replica); while the replica doesn't, reads go to the primary.", label, nil),
		prometheus.NewDesc("marquee_catalog_version", "The version of the catalog that a database has; 0 while it is not known.", label, nil),
		prometheus.NewDesc("marquee_catalog_changed_timestamp_seconds", "When that version was made; 0 while it is not known.", label, nil),
		prometheus.NewDesc("marquee_database_reads_total", "Statements that went to a database.", label, nil)
}

// Describe implements prometheus.Collector.
func (m *serverMetrics) Describe(to chan<- *prometheus.Desc) {
	up, version, changed, reads := m.descriptions()
	to <- up
	to <- version
	to <- changed
	to <- reads
}

// Collect implements prometheus.Collector.
func (m *serverMetrics) Collect(to chan<- prometheus.Metric) {
	up, version, changed, reads := m.descriptions()
	for _, s := range m.reads.Servers() {
		to <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, truth(s.Up), s.Name)
		to <- prometheus.MustNewConstMetric(version, prometheus.GaugeValue, float64(s.Version), s.Name)
		to <- prometheus.MustNewConstMetric(changed, prometheus.GaugeValue, unix(s.Changed), s.Name)
		to <- prometheus.MustNewConstMetric(reads, prometheus.CounterValue, float64(s.Reads), s.Name)
	}
}
