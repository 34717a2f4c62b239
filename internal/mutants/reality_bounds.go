package main

const (
	planCacheFile = "gqlcache/internal/plans/cache.go"
	pressureFile  = "gqlcache/internal/engine/pressure.go"
	sizeFile      = "extractor/size.go"
	cacheFile     = "gqlcache/cache.go"
	mutationsFile = "gqlcache/internal/verify/mutations.go"
)

// boundsRules are those of the memory that clients can make a server keep, and of what its owner's functions
// cannot break.
var boundsRules = []mutant{
	{
		name: "plans are bounded in number only", file: planCacheFile, in: "gqlcache",
		old: "p.mu.bytes+t.weight > p.limit", new: "len(p.mu.byText) >= 2000",
		test: "TestPlansAreBounded/aliases",
	},
	{
		name: "the client's document weighs nothing", file: sizeFile, in: "gqlcache",
		old: "return n + DocumentSize(o.Doc)", new: "return n",
		test: "TestPlanWeight/padding",
	},
	{
		name: "comments weigh nothing", file: sizeFile, in: "gqlcache",
		old: "if c == nil {\n		return 0\n	}\n	n := block[ast.CommentGroup]", new: "if c == nil || true {\n		return 0\n	}\n	n := block[ast.CommentGroup]",
		test: "TestPlanWeight/comments",
	},
	{
		name: "large plans are kept at first sight", file: planCacheFile,
		old: "return again", new: "return again || true",
		test: "TestPlanOfLargeTextAtSecondSight",
	},
	{
		name: "plans in use go like others", file: planCacheFile,
		old: "if oldest.plan.used.Swap(false) {", new: "if false {",
		test: "TestPlansInUseStay",
	},
	{
		name: "each copy of an operation keeps its plan", file: planCacheFile,
		old: "p.byOperation.CompareAndDelete(t.plan.Definition, t.plan)", new: "_ = t.plan",
		test: "TestPlanForgetsCopies",
	},
	{
		name: "entries are not charged for their tags", file: "gqlcache/internal/clock/stamp.go", in: "gqlcache",
		old: "len(s.cells)*CellSize", new: "0*CellSize",
		test: "TestTagsAreWithinMaxBytes",
	},
	{
		name: "a full store does not sweep", file: pressureFile, in: "gqlcache",
		old: "if p.bytes.Add(int64(bytes)) < p.limit.Load() {", new: "if p.bytes.Load() < p.limit.Load() {",
		test: "TestTagsAreWithinMaxBytes",
	},
	{
		name: "tags of answers that are not stored do not count", file: "gqlcache/internal/engine/store.go", in: "gqlcache",
		old: "e.pressure.add(n * clock.CellSize)", new: "e.pressure.add(0 * n)",
		test: "TestTagsAreWithinMaxBytes",
	},
	{
		name: "an entry of another engine is served", file: lookupFile,
		old: "	if s.engine != e {\n		return nil\n	}\n", new: "",
		test: "TestEntriesOfOthers",
	},
	{
		name: "a withdrawn entry is served when the store keeps it", file: lookupFile,
		old: "return !s.withdrawn.Load() && e.config.Clock.Valid(s.Stamp)", new: "return e.config.Clock.Valid(s.Stamp)",
		test: "TestWithdraw",
	},
	{
		name: "a sweep stops looking when its context ends", file: "gqlcache/internal/engine/sweep.go",
		old: "e.config.Store.All(context.WithoutCancel(ctx))", new: "e.config.Store.All(ctx)",
		test: "TestSweepLooksAtAll",
	},
	{
		name: "the index of tags keeps the memory of its largest size", file: clockFile,
		old: "if kept < s.room/2 {", new: "if kept < 0 {",
		test: "TestSweepShrinksTheIndex",
	},
	{
		name: "the index forgets cells when it shrinks", file: clockFile,
		old: "maps.Copy(cells, s.cells)", new: "maps.Copy(cells, map[uint64]*cell{})",
		test: "TestSweepShrinksTheIndex",
	},
	{
		name: "panics of the logger go on", file: cacheFile,
		old: "opts.Logger = safe.Logger(opts.Logger)", new: "_ = safe.Logger",
		test: "TestBrokenOptions/Logger",
	},
	{
		name: "panics of the clock go on", file: cacheFile,
		old: "opts.Now = safe.Clock(", new: "_ = safe.Clock(",
		test: "TestBrokenOptions/Now",
	},
	{
		name: "panics of the log's lease go on", file: freshFile, in: "gqlcache",
		old:  "fresh, err := safe.Call(func() (bool, error) { return f.cfg.Log.Fresh(), nil })",
		new:  "fresh, err := f.cfg.Log.Fresh(), error(nil)",
		test: "TestBrokenOptions/Log/Fresh",
	},
	{
		name: "a mutation is lost with its goroutine", file: mutationFile,
		old: "		if !told {", new: "		if !told && false {",
		test: "TestEndedGoroutines",
	},
	{
		name: "key without the operation's name", file: planFile, in: "gqlcache",
		old:  "opkey.AppendPart(append([]byte(nil), st.Hash[:]...), s.Operation.Name)",
		new:  "opkey.AppendPart(append([]byte(nil), st.Hash[:]...), \"\")",
		test: "TestInvalidateOperation",
	},
	{
		name: "what is remembered of mutations has no bound in bytes", file: mutationsFile,
		old: "&& m.list.bytes < maxEventBytes", new: "",
		test: "TestMutationsAreBoundedInBytes",
	},
	{
		name: "what is remembered of mutations keeps documents", file: mutationsFile,
		old: "strings.Clone(k)) // it may be", new: "k) // it may be",
		test: "TestMutationsKeepNoDocuments",
	},
	{
		name: "a zero Cache can be added to a server", file: cacheFile,
		old: "c == nil || c.closed == nil", new: "c == nil",
		test: "TestUnmadeCache",
	},
}
