package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/aledotdev/marquee/internal/catalog"
)

// registerMirror registers metrics of the events that are kept in memory.
func registerMirror(registry *prometheus.Registry, reads *catalog.Catalog) {
	gauge := func(name, help string, value func(catalog.MirrorState) float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(reads.Mirror()) }))
	}
	gauge("marquee_mirror_events", "Events that are kept in memory; 0: pages are read from the database.",
		func(s catalog.MirrorState) float64 { return float64(s.Events) })
	gauge("marquee_mirror_bytes", "Memory that they take.",
		func(s catalog.MirrorState) float64 { return float64(s.Bytes) })
	gauge("marquee_mirror_version", "The version of the catalog that they are of; while a database has a later one, pages are read from it.",
		func(s catalog.MirrorState) float64 { return float64(s.Version) })
	registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "marquee_mirror_pages_total", Help: "Pages and searches that were answered from memory.",
	}, func() float64 { return float64(reads.Mirror().Pages) }))
}
