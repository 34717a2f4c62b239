package main

const (
	discardFile        = "gqlcache/store/discard/discard.go"
	memoryFile         = "gqlcache/store/memstore/memstore.go"
	redisStoreFile     = "gqlcache/store/redisstore/redisstore.go"
	tieredOptionsFile  = "gqlcache/store/tiered/options.go"
	tieredStatsFile    = "gqlcache/store/tiered/stats.go"
	redisInstancesFile = "gqlcache/redisinstances/redisinstances.go"
	invalidateFile     = "gqlcache/invalidate.go"
	statsFile          = "gqlcache/stats.go"
	tableFile          = "gqlcache/metrics/table.go"
	feedFile           = "gqlcache/changelog/redislog/feed.go"
	eventsFile         = "cascade/events.go"
	tagsFile           = "cascade/tags.go"
	traceFile          = "cascade/trace.go"
	inferFile          = "cascade/infer.go"
	graphFile          = "cascade/compile_graph.go"
	idFile             = "extractor/id.go"
)

// ancestorRules are what rows of docs/ancestors.md say, and no other mutant takes out.
var ancestorRules = []mutant{
	{
		name: "a store that keeps nothing is no store after Close", file: discardFile,
		old: "	s.closed.Store(true)\n", new: "",
		test: "TestKeepsNothing",
	},
	{
		name: "Enabled is not asked", file: queryFile,
		old: "	if c.opts.Enabled != nil {\n", new: "	if c.opts.Enabled != nil && ctx == nil {\n",
		test: "TestVaryAndEnabled",
	},
	{
		name: "memory: what is deleted stays", file: memoryFile,
		old: "	s.cache.Invalidate(string(key))\n	return nil\n", new: "	return nil\n",
		test: "TestConformance",
	},
	{
		name: "memory: an older entry takes the place of a younger one", file: memoryFile,
		old: "	if found && old.Version > e.Version {\n", new: "	if found && old.Version > e.Version && e.Version == 0 {\n",
		test: "TestConformance",
	},
	{
		name: "behind: a put waits for Redis", file: redisStoreFile,
		old: "	if opts.Write == Behind {\n", new: "	if opts.Write == Behind && opts.Write == Through {\n",
		test: "TestQueued",
	},
	{
		name: "around: a faster tier is written", file: tieredFile,
		old: "		if t.Write == Around {\n", new: "		if t.Write == Around && !taken {\n",
		test: "TestAround",
	},
	{
		name: "tiers: the fastest is written first", file: tieredFile,
		old:  "	for _, t := range slices.Backward(s.tiers) {\n		if t.Write == Around {\n",
		new:  "	for _, t := range s.tiers {\n		if t.Write == Around {\n",
		test: "TestPutOrder",
	},
	{
		name: "tiers: a copy has a time of its own", file: tieredFile,
		old: "	left := e.Expires.Sub(now)\n", new: "	left := max(time.Hour, e.Expires.Sub(now))\n",
		test: "TestTTLFactor",
	},
	{
		name: "tiers: one fault of the options is told", file: tieredOptionsFile,
		old: "	return errors.Join(faults...)\n", new: "	return errors.Join(faults[:min(1, len(faults))]...)\n",
		test: "TestOptions",
	},
	{
		name: "tiers: none has a name", file: tieredStatsFile, in: "gqlcache",
		old: "			Name: t.Name, Stats:", new: "			Name: \"tier\", Stats:",
		test: "TestTiersOfATieredStore",
	},
	{
		name: "tiers: what is refused is not counted", file: tieredStatsFile, in: "gqlcache",
		old: "Rejected: t.rejected.Load(),", new: "Rejected: 0,",
		test: "TestTiers",
	},
	{
		name: "a changed row is a changed view", file: invalidateFile,
		old: "found, ok = st.Plan.RowEvent(ch.name, id)", new: "found, ok = st.Plan.ViewEvent(ch.name)",
		test: "TestInvalidateReaches",
	},
	{
		name: "one change of several is made", file: invalidateFile,
		old: "		if err := c.name(&ch, changes...); err != nil {\n", new: "		if err := c.name(&ch, changes[:min(1, len(changes))]...); err != nil {\n",
		test: "TestInvalidateReachesAll",
	},
	{
		name: "what is derived from a change is not reached", file: tagsFile,
		old: "	all := p.Cascade(events)\n", new: "	all := events\n",
		test: "TestCascadeRules",
	},
	{
		name: "a whole view is none of its rows", file: eventsFile,
		old:  "		events = append(events, Event{View: v, Op: Any, All: true, Columns: AllColumns})\n	}\n	return events, len(events) > 0\n}\n\n// viewsNamed",
		new:  "		events = append(events, Event{View: v, Op: Any, Columns: AllColumns})\n	}\n	return events, len(events) > 0\n}\n\n// viewsNamed",
		in:   "gqlcache",
		test: "TestInvalidateReaches",
	},
	{
		name: "a mutation without writes has written nothing", file: outcomeFile,
		old: "			if !nothing && !out.Seen[rw.field.Name] &&", new: "			if nothing && !out.Seen[rw.field.Name] &&",
		test: "TestUndeclaredRules",
	},
	{
		name: "views may be derived in a circle", file: graphFile,
		old: "			case open:\n", new: "			case -1:\n",
		test: "TestCompileFaults",
	},
	{
		name: "trace: nothing is published", file: traceFile,
		old: "		n.Tags = Merge(pub.out)\n", new: "		n.Tags = Merge(pub.out[:0])\n",
		test: "TestTraceIsCascadeAndPublish",
	},
	{
		name: "names are guessed from without Infer", file: inferFile,
		old: "	if !c.opts.Infer {\n", new: "	if !c.opts.Infer && c == nil {\n",
		test: "TestInfer",
	},
	{
		name: "infer: an update changes every column", file: inferFile,
		old: "strings.HasPrefix(f.Name, \"update\") && len(places) == 1 {", new: "strings.HasPrefix(f.Name, \"update\") && len(places) == 0 {",
		test: "TestInfer",
	},
	{
		name: "an id has as many keys as spellings", file: idFile,
		old: "		return canonicalText(inner)\n	case 't', 'f':", new: "		return inner\n	case 't', 'f':",
		test: "TestCanonicalID",
	},
	{
		name: "lint: mutations are not looked at", file: lintFile,
		old: "	l.mutations()\n", new: "",
		test: "TestLint",
	},
	{
		name: "metrics: those of computed values are missing", file: tableFile,
		old: "slices.Concat(requests, operations, computed, fills,", new: "slices.Concat(requests, operations, fills,",
		test: "TestEveryFigureIsExported",
	},
	{
		name: "stats: those of the log are missing", file: statsFile,
		old: "	s.Log = c.fleet.LogStats()\n", new: "",
		test: "TestLogStats",
	},
	{
		name: "stats: who joins is no hit", file: statsFile,
		old: "	return float64(s.Hits+s.Joined) / float64(all)\n", new: "	return float64(s.Hits) / float64(all)\n",
		test: "TestHitRate",
	},
	{
		name: "stats: a figure has its name of Go in JSON", file: statsFile,
		old: "`json:\"hits\"`", new: "`json:\"Hits\"`",
		test: "TestStatsHaveJSONNames",
	},
	{
		name: "feed: a position is not heeded", file: feedFile,
		old: "report: l.report, at: since}", new: "report: l.report, at: l.Applied()}",
		test: "TestFeedFromAPosition",
	},
	{
		name: "open: nothing is shared", file: redisInstancesFile,
		old: "	i := gqlcache.Instances{Log: log, Shared: shared}\n", new: "	i := gqlcache.Instances{Log: log}\n",
		test: "TestOpen",
	},
	{
		name: "open: one fault is none", file: redisInstancesFile,
		old: "	if len(faults) > 0 {\n", new: "	if len(faults) > 1 {\n",
		test: "TestOpenRefuses",
	},
	{
		name: "a cache is closed twice", file: cacheFile,
		old: "	c.closeOnce.Do(func() {\n		close(c.closed)\n", new: "	func(f func()) { f() }(func() {\n		close(c.closed)\n",
		test: "TestClosed",
	},
	{
		name: "computed: Get does not look into memory", file: computedFile,
		old: "	if s == nil || q.passesOver(s) {\n		res := q.c.takeValue", new: "	if s == nil || q.c != nil {\n		res := q.c.takeValue",
		test: "TestComputed",
	},
	{
		name: "computed: a miss is no error", file: computedFile,
		old: "			q.missed(ctx)\n			return none, ErrMiss\n", new: "			q.missed(ctx)\n			return none, nil\n",
		test: "TestComputed",
	},
	{
		name: "computed: what is deleted was not there", file: computedFillFile,
		old: "		existed = !isAbsent(e) && !c.isExpired(e)\n", new: "		existed = isAbsent(e) && !c.isExpired(e)\n",
		test: "TestComputed",
	},
	{
		name: "computed: what exists does not", file: computedFile,
		old: "		return !s.absent, nil\n", new: "		return s.absent, nil\n",
		test: "TestComputed",
	},
	{
		name: "computed: a value that was found hands nothing on", file: computedFillFile,
		old: "	s.figures.Hits.Add(1)\n	q.depend(ctx, &s.sum, s.Expires())\n", new: "	s.figures.Hits.Add(1)\n",
		test: "TestComputedForAnswers",
	},
	{
		name: "computed: the fault of a key has no type", file: computedAskFile,
		old: "fmt.Errorf(\"%w: %s\", ErrKey, k.String())", new: "fmt.Errorf(\"%v: %s\", ErrKey, k.String())",
		test: "TestComputedBadCalls",
	},
	{
		name: "changes: a view is a tag", file: readChangesFile,
		old: "	\"view\": changeView,", new: "	\"view\": changeTag,",
		test: "TestInvalidateHandlerReaches",
	},
	{
		name: "changes: a view has another name than the documents say", file: readChangesFile,
		old: "	\"view\": changeView,", new: "	\"aView\": changeView,",
		test: "TestDocumentedChanges",
	},
	{
		name: "answers of other stores are not counted", file: statsFile,
		old: "	s.Tiers = c.storeTiers(st)\n", new: "	s.Tiers = c.storeTiers(store.Stats{})\n",
		test: "TestStatsAsJSON",
	},
}
