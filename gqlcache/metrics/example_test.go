package metrics_test

import (
	"fmt"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/metrics"
)

// An exporter of one's own: a line for each figure that is not 0.
func ExampleAll() {
	cache, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Limits: gqlcache.Limits{MaxEntries: 500}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = cache.Close() }()
	reading := metrics.Read(cache)
	for _, m := range metrics.All() {
		m.Each(reading, func(label string, value float64) {
			if value != 0 {
				fmt.Println(m.Prometheus(), m.PrometheusLabel(), label, value)
			}
		})
	}
	// Output:
	// gqlcache_store_entry_limit gqlcache_tier memory 500
	// gqlcache_store_size_limit_bytes gqlcache_tier memory 6.7108864e+07
	// gqlcache_plan_size_limit_bytes   3.3554432e+07
}
