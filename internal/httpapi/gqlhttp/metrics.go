package gqlhttp

import "github.com/prometheus/client_golang/prometheus"

// counts are what became of requests at the cache.
type counts struct{ hits, misses, bypasses prometheus.Counter }

func newCounts(registry prometheus.Registerer) counts {
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "marquee_graphql_cache_requests_total",
		Help: "Operations by what the cache of answers had of them: hit, miss, or bypass while the catalog's version is not known.",
	}, []string{"result"})
	if registry != nil {
		registry.MustRegister(results)
	}
	return counts{results.WithLabelValues("hit"), results.WithLabelValues("miss"), results.WithLabelValues("bypass")}
}
