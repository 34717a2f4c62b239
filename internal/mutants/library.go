package main

const (
	metricFile    = "gqlcache/metrics/metric.go"
	tieredFile    = "gqlcache/store/tiered/tiered.go"
	instancesFile = "gqlcache/instances.go"
	tailFile      = "gqlcache/changelog/redislog/tail.go"
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
	{
		name: "promotion: every hit of a tier moves up", file: tieredFile,
		old: "t.PromoteEvery <= 1 || ", new: "true || ",
		test: "TestPromoteEvery",
	},
	{
		name: "promotion: every answer that is taken over is kept", file: instancesFile,
		old: "Passing: !c.promotes(r)", new: "Passing: false",
		test: "TestPromoteEvery",
	},
	{
		name: "last changes: those of an older epoch are among them", file: tailFile,
		old: "case !r.misnumbered && r.Number <= head.Epoch:", new: "case false:",
		test: "TestLastChangesOfManyRecords",
	},
	{
		name: "last changes: announcements are among them", file: tailFile,
		old: "case r.silent():", new: "case false:",
		test: "TestLastChangesOfManyRecords",
	},
	{
		name: "in flight: who has computed counts for ever", file: "gqlcache/compute.go",
		old: "	defer c.counts.inFlight.Add(-1) // also when a resolver panics\n", new: "",
		test: "TestInFlight",
	},
}
