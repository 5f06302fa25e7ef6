package main

import (
	"context"
	"time"

	"github.com/IBM/pgxpoolprometheus"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// statementMetrics measure statements, up to their last row.
type statementMetrics struct{ took *prometheus.HistogramVec }

func newStatementMetrics() statementMetrics {
	return statementMetrics{prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "marquee_database_statement_duration_seconds", Help: "Time from sending a statement to its last row, by server (primary, replica) and result (ok, error).",
		Buckets: []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"server", "result"})}
}

// of measures the statements of one server.
func (m statementMetrics) of(server string) pgx.QueryTracer {
	return statementTimer{m.took.WithLabelValues(server, "ok"), m.took.WithLabelValues(server, "error")}
}

// registerPools has a registry show the statements and how the pools stand.
func (m statementMetrics) registerPools(registry prometheus.Registerer, pools *pools) {
	registry.MustRegister(m.took)
	for server, pool := range map[string]*pgxpool.Pool{"primary": pools.primary, "replica": pools.replica} {
		if pool != nil {
			registry.MustRegister(pgxpoolprometheus.NewCollector(pool, map[string]string{"server": server}))
		}
	}
}

// statementTimer implements pgx.QueryTracer.
type statementTimer struct{ ok, failed prometheus.Observer }

type statementBeganKey struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (t statementTimer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, statementBeganKey{}, time.Now())
}

// TraceQueryEnd implements pgx.QueryTracer.
func (t statementTimer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	began, _ := ctx.Value(statementBeganKey{}).(time.Time)
	to := t.ok
	if data.Err != nil {
		to = t.failed
	}
	to.Observe(time.Since(began).Seconds())
}
