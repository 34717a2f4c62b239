package cacheprometheus

import (
	"github.com/cascadeql/cascadeql/gqlcache/metrics"
	"github.com/prometheus/client_golang/prometheus"
)

// collector reads the figures of a cache at each scrape.
type collector struct {
	source metrics.Source
	all    []described
}

// described is a metric with its description.
type described struct {
	metrics.Metric
	desc *prometheus.Desc
}

// NewCollector returns a collector of a cache's figures. It reads them when it is
// scraped, at most 2,000 series, and takes no part in requests. For several caches in one
// process, give each a label:
//
//	prometheus.WrapRegistererWith(prometheus.Labels{"cache": "public"}, registry).MustRegister(…)
func NewCollector(s metrics.Source) prometheus.Collector {
	c := &collector{source: s}
	for _, m := range metrics.All() {
		var labels []string
		if m.Label != "" {
			labels = []string{m.PrometheusLabel()}
		}
		c.all = append(c.all, described{m, prometheus.NewDesc(m.Prometheus(), m.Help, labels, nil)})
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range c.all {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	r := metrics.Read(c.source)
	for _, m := range c.all {
		if m.Kind == metrics.Histogram {
			ch <- m.distribution(r)
			continue
		}
		kind := prometheus.GaugeValue
		if m.Kind == metrics.Counter {
			kind = prometheus.CounterValue
		}
		m.Each(r, func(label string, value float64) {
			var labels []string
			if m.Label != "" {
				labels = []string{label}
			}
			ch <- or(prometheus.NewConstMetric(m.desc, kind, value, labels...))(m.desc)
		})
	}
}

func (m described) distribution(r *metrics.Reading) prometheus.Metric {
	h := m.Histogram(r)
	buckets := make(map[float64]uint64, len(h.Bounds))
	for le, n := range h.Cumulative() {
		buckets[le.Seconds()] = n
	}
	return or(prometheus.NewConstHistogram(m.desc, h.Count, h.Sum.Seconds(), buckets))(m.desc)
}

// or turns an error into a metric that reports it: the name of a tier that is no UTF-8,
// say. It fails the scrape, not the process.
func or(m prometheus.Metric, err error) func(*prometheus.Desc) prometheus.Metric {
	return func(d *prometheus.Desc) prometheus.Metric {
		if err != nil {
			return prometheus.NewInvalidMetric(d, err)
		}
		return m
	}
}
