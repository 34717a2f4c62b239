// Package metrics is the table of a cache's figures: what each is called, and how it is
// read. The packages below it hand the same figures to Prometheus, OpenTelemetry and
// expvar, under the names of this table, which docs/metrics.md explains. Use this package
// to write another exporter.
//
// Nothing is pushed: a cache counts in any case, and whoever collects reads. Collecting
// allocates and takes some microseconds for each name of an operation; requests do not
// notice.
package metrics
