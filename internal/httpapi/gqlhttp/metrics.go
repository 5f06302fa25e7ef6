package gqlhttp

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
)

// otherOperation stands in metrics for all names that are not in the operator's manifest. Clients can choose any name, and each would
// be a new series.
const otherOperation = "other"

// metrics count operations. Labels are from closed sets: the names of trusted documents, types of operations, our own codes.
type metrics struct {
	names map[string]struct{} // of operations, that are shown as they are

	operations *prometheus.CounterVec   // by operation, type, answer
	took       *prometheus.HistogramVec // by operation, type
	points     *prometheus.CounterVec   // by operation
	errors     *prometheus.CounterVec   // by code

	cacheHit, cacheMiss, cacheBypass prometheus.Counter
	age                              prometheus.Histogram

	connections   *prometheus.GaugeVec // by transport
	subscriptions prometheus.Gauge
	cut           prometheus.Counter
}

// newMetrics makes the metrics, and registers them unless registry is nil.
func newMetrics(registry prometheus.Registerer, trusted map[string]string) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	cache := counter("marquee_graphql_cache_requests_total", "Operations by what the cache of answers had of them: hit, miss, or bypass while the catalog's version is not known.", "result")
	m := &metrics{
		names:      namesOf(trusted),
		operations: counter("marquee_graphql_operations_total", "Operations by name (those of trusted documents, else other), type, and whence the answer came: cache, executed, refused before that.", "operation", "type", "answer"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "marquee_graphql_operation_duration_seconds", Help: "Time to execute an operation, by name (those of trusted documents, else other) and type.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"operation", "type"}),
		points:   counter("marquee_graphql_points_total", "What operations cost that were not answered from the cache, in points, by name.", "operation"),
		errors:   counter("marquee_graphql_errors_total", "Errors that clients were told, by code.", "code"),
		cacheHit: cache.WithLabelValues("hit"), cacheMiss: cache.WithLabelValues("miss"), cacheBypass: cache.WithLabelValues("bypass"),
		age: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "marquee_graphql_cache_age_seconds", Help: "How old answers from the cache were.", Buckets: []float64{.1, .5, 1, 2.5, 5, 10, 20, 30},
		}),
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "marquee_graphql_connections", Help: "Connections that stay, by transport: websocket, sse.",
		}, []string{"transport"}),
		subscriptions: prometheus.NewGauge(prometheus.GaugeOpts{Name: "marquee_graphql_subscriptions", Help: "Subscriptions that are going on."}),
		cut:           prometheus.NewCounter(prometheus.CounterOpts{Name: "marquee_graphql_slow_clients_total", Help: "Connections that were cut off because their client did not take its answers in time."}),
	}
	if registry != nil {
		registry.MustRegister(cache, m.operations, m.took, m.points, m.errors, m.age, m.connections, m.subscriptions, m.cut)
	}
	return m
}

// namesOf are the names of the operations in documents.
func namesOf(documents map[string]string) map[string]struct{} {
	names := map[string]struct{}{}
	for _, text := range documents {
		document, err := parser.ParseQuery(&ast.Source{Input: text})
		if err != nil {
			continue // a client that asks for it gets the error
		}
		for _, operation := range document.Operations {
			names[operation.Name] = struct{}{}
		}
	}
	return names
}

// name is the name of an operation in metrics and spans.
func (m *metrics) name(op *graph.Operation) string {
	if _, ok := m.names[op.Operation.Name]; ok && op.Operation.Name != "" {
		return op.Operation.Name
	}
	return otherOperation
}

// cached is the counter of an operation's answers from the cache.
func (m *metrics) cached(op *graph.Operation) prometheus.Counter {
	return m.operations.WithLabelValues(m.name(op), string(op.Operation.Operation), "cache")
}

// executed counts an operation that has been answered.
func (m *metrics) executed(op *graph.Operation, took time.Duration) {
	name, kind := m.name(op), string(op.Operation.Operation)
	m.operations.WithLabelValues(name, kind, "executed").Inc()
	m.took.WithLabelValues(name, kind).Observe(took.Seconds())
	m.points.WithLabelValues(name).Add(float64(op.Cost()))
}

// told counts the errors in an answer and, if refused, a request that was not executed.
func (m *metrics) told(refused bool, codes []catalog.Code) {
	if refused {
		m.operations.WithLabelValues(otherOperation, "unknown", "refused").Inc()
	}
	for _, code := range codes {
		m.errors.WithLabelValues(string(code)).Inc()
	}
}
