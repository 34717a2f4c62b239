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
		name: "metrics: figures of values by reason are those of one reason", file: "gqlcache/metrics/columns.go",
		old: "		n += of\n", new: "		n = of\n",
		test: "TestEveryFigureIsExported",
	},
	{
		name: "memory: the wall clock is read once", file: "gqlcache/store/memstore/memstore.go",
		old: "since < 0 || since >= int64(wallEvery)", new: "since < 0",
		test: "TestWallClock$",
	},
	{
		name: "memory: a monotonic clock from elsewhere counts", file: "gqlcache/store/memstore/memstore.go",
		old: "since < 0 || since >= int64(wallEvery)", new: "since >= int64(wallEvery)",
		test: "TestWallClock$",
	},
	{
		name: "memory: what has expired stays until somebody asks", file: "gqlcache/cache.go",
		old: "		if foreign {\n			bounds.Clock", new: "		if true {\n			bounds.Clock",
		test: "TestComputedLeavesByItself$",
	},
	{
		name: "promotion: every hit of a tier moves up", file: tieredFile,
		old: "t.PromoteEvery <= 1 || ", new: "true || ",
		test: "TestPromoteEvery",
	},
	{
		name: "promotion: every answer that is taken over is kept", file: instancesFile,
		old: "Passing: !c.promotes(r.old != nil)", new: "Passing: false",
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
	{
		name: "redis: a call goes on with the context of who has left", file: "gqlcache/store/redisstore/conn.go",
		old: "	defer values.end()\n", new: "",
		test: "TestContextOfACaller",
	},
	{
		name: "wake: the end of a lease is not told", file: "gqlcache/store/redisstore/lease.go",
		old: " redis.pcall('PUBLISH',ARGV[2],KEYS[1])", new: "",
		test: "TestReleased$",
	},
	{
		name: "wake: who waits when the subscription breaks is left waiting", file: "gqlcache/store/redisstore/wake.go",
		old: "		w.hearing(false)\n", new: "",
		test: "TestReleasedOutage$",
	},
	{
		name: "wake: what is told is not heard", file: "gqlcache/internal/fleet/lead.go",
		old: "	case <-released:\n		return nil, release, true\n", new: "",
		test: "TestLeadIsWoken$",
	},
	{
		name: "wake: a wait is not stopped", file: "gqlcache/internal/fleet/lead.go",
		old: "	defer stop()\n", new: "	_ = stop\n",
		test: "TestLeadIsWoken$",
	},
}
