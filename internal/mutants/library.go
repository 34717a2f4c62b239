package main

const (
	metricFile = "gqlcache/metrics/metric.go"
)

// libraryRules are those of what a server puts the cache together from, and watches it by.
var libraryRules = []mutant{
	{
		name: "metrics: names have no unit in Prometheus", file: metricFile,
		old: "unit != \"\" && !strings.HasSuffix", new: "false && !strings.HasSuffix",
		test: "TestNames",
	},
	{
		name: "metrics: the unit is repeated", file: metricFile,
		old: "unit != \"\" && !strings.HasSuffix(w, \"_\"+unit)", new: "unit != \"\"",
		test: "TestNames",
	},
}
