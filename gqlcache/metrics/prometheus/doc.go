// Package cacheprometheus hands a cache's figures to Prometheus. It is a module of its
// own, so that importers of the cache do not get Prometheus' client with it.
//
//	prometheus.MustRegister(cacheprometheus.NewCollector(cache))
//
// The metrics are those of docs/metrics.md; docs/grafana has a dashboard for them, and
// docs/prometheus-alerts.yml rules for alerts.
package cacheprometheus
