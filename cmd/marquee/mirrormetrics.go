package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/aledotdev/marquee/internal/catalog"
)

// mirrorMetrics tell of the events that are kept in memory.
type mirrorMetrics struct{ reads *catalog.Catalog }

func (m *mirrorMetrics) descriptions() (events, bytes, version, pages *prometheus.Desc) {
	return prometheus.NewDesc("marquee_mirror_events", "Events that are kept in memory; 0: pages are read from the database.", nil, nil),
		prometheus.NewDesc("marquee_mirror_bytes", "Memory that they take.", nil, nil),
		prometheus.NewDesc("marquee_mirror_version", "The version of the catalog that they are of; while a database has a later one, pages are read from it.", nil, nil),
		prometheus.NewDesc("marquee_mirror_pages_total", "Pages and searches that were answered from memory.", nil, nil)
}

// Describe implements prometheus.Collector.
func (m *mirrorMetrics) Describe(to chan<- *prometheus.Desc) {
	events, bytes, version, pages := m.descriptions()
	to <- events
	to <- bytes
	to <- version
	to <- pages
}

// Collect implements prometheus.Collector.
func (m *mirrorMetrics) Collect(to chan<- prometheus.Metric) {
	events, bytes, version, pages := m.descriptions()
	s := m.reads.Mirror()
	to <- prometheus.MustNewConstMetric(events, prometheus.GaugeValue, float64(s.Events))
	to <- prometheus.MustNewConstMetric(bytes, prometheus.GaugeValue, float64(s.Bytes))
	to <- prometheus.MustNewConstMetric(version, prometheus.GaugeValue, float64(s.Version))
	to <- prometheus.MustNewConstMetric(pages, prometheus.CounterValue, float64(s.Pages))
}
