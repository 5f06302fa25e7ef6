package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics measure how long requests take; nil measures nothing.
type metrics struct{ requests *prometheus.HistogramVec }

func newMetrics(registry prometheus.Registerer) *metrics {
	if registry == nil {
		return nil
	}
	m := &metrics{prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "marquee_http_request_duration_seconds",
		Help:    "Time to answer a request, by route, method and status (0: cut off before there was one).",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"route", "method", "status"})}
	registry.MustRegister(m.requests)
	return m
}

// observe counts a request that has been answered. Its labels have few values, whatever clients send: the patterns of the mux, known
// methods, status codes.
func (m *metrics) observe(r *http.Request, status int, took time.Duration) {
	if m == nil {
		return
	}
	method := r.Method
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions}, method) {
		method = "other"
	}
	m.requests.WithLabelValues(r.Pattern, method, label(status)).Observe(took.Seconds())
}

// label is strconv.Itoa, without an allocation for the most frequent statuses.
func label(status int) string {
	switch status {
	case http.StatusOK:
		return "200"
	case http.StatusNotModified:
		return "304"
	default:
		return strconv.Itoa(status)
	}
}
