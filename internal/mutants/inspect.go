package main

// inspectRules are those of who may see and change what.
var inspectRules = []mutant{
	{
		name: "what fails below the cache is not reported", file: "gqlcache/outcome.go",
		old: "	if o.fate == inspector.Failed && !r.mutates {\n", new: "	if o.fate == inspector.Failed {\n		return\n	}\n	if false {\n",
		test: "TestFailedOperations",
	},
	{
		name: "inspector for everybody", file: "gqlcache/inspector.go",
		old: ` || !permits(ctx, in.Allow)`, new: ``,
		test: "TestInspectorAbsent|TestDebugForbidden",
	},
	{
		name: "inspector: errors of the database are told", file: "gqlcache/internal/inspector/observed.go", in: "gqlcache",
		old: "if about.quiet {", new: "if about.quiet && f.Advice == \"\" {",
		test: "TestFindingsAreExplained",
	},
	{
		name: "inspector: all findings are told, however many", file: "gqlcache/internal/inspector/observed.go", in: "gqlcache",
		old: "- maxFindings; more > 0 {", new: "- maxFindings; more < 0 {",
		test: "TestInspectorBoundsStatements",
	},
	{
		name: "inspector without the header", file: "gqlcache/inspector.go",
		old: `oc.Headers.Get(DebugHeader) != "true"`, new: "false",
		test: "TestInspectorAbsent|TestDebugForbidden",
	},
	{
		name: "actions by GET", file: "gqlcache/inspector.go",
		old: "wire.ExchangeFrom(ctx).Method() == http.MethodPost", new: "wire.ExchangeFrom(ctx) != nil && http.MethodPost != \"\"",
		test: "TestInspectorNeverByGet",
	},
	{
		name: "actions without the wrapper", file: "gqlcache/inspector.go",
		old: "wire.ExchangeFrom(ctx).Method() == http.MethodPost", new: "x := wire.ExchangeFrom(ctx); x == nil || x.Method() == http.MethodPost",
		test: "TestInspectorNeverByGet",
	},
	{
		name: "actions for all who may look", file: "gqlcache/inspector.go",
		old: "a.actions = permits(ctx, in.Actions)", new: "a.actions = true",
		test: "TestInspectorAnswers|TestInspectorBypass",
	},
	{
		name: "a cache inside of itself", file: "gqlcache/extension.go",
		old: "ctx.Value(insideKey{}) == r", new: "false",
		test: "TestAddedTwice",
	},
	{
		name: "an operation in another one taken for it", file: "gqlcache/extension.go",
		old: " && outer.operation == oc {\n		outer.twice", new: " {\n		outer.twice",
		test: "TestOperationInAnother",
	},
	{
		name: "fingerprints that can be guessed", file: "gqlcache/internal/inspector/fingerprint.go", in: "gqlcache",
		old: "_, _ = rand.Read(s[:]) // never fails", new: "_ = rand.Reader",
		test: "TestFingerprintsAreKeyed",
	},
	{
		name: "entries without the tag of their operation", file: computeFile,
		old: "d.Operation.ReadsOf([]cascade.Tag{d.Tag}, ", new: "d.Operation.ReadsOf(nil, ",
		test: "TestInvalidateOperation",
	},
	{
		name: "an operation's tag reaches all that is not declared", file: "gqlcache/publish.go",
		old: "|| len(ch.events)+len(ch.more) == 0 {", new: "{",
		test: "TestInvalidateOperation|TestActions",
	},
	{
		name: "a failure of the watch fails a mutation", file: "gqlcache/internal/inspector/watching.go", in: "gqlcache",
		old: "i.shield.Run(func() { p = i.watch.Begin(ch) })", new: "p = i.watch.Begin(ch)",
		test: "TestBrokenWatch",
	},
	{
		name: "a failure of the watch ends the log", file: "gqlcache/internal/inspector/watching.go", in: "gqlcache",
		old: "i.shield.Run(func() { i.watch.Applied(origin, tags, everything, number) })", new: "i.watch.Applied(origin, tags, everything, number)",
		test: "TestBrokenWatchOfALog",
	},
	{
		name: "proxies keep what is told", file: "gqlcache/internal/wire/exchange.go", in: "gqlcache",
		old: `h.Set("Cache-Control", "no-store")`, new: "",
		test: "TestToldAnswersAreNotCached",
	},
	{
		name: "names are kept whole", file: "gqlcache/internal/watch/change.go", in: "gqlcache",
		old: "clip(c.Cause.Name, maxName), clip(c.Everything, maxReason)", new: "c.Cause.Name, c.Everything",
		test: "TestInspectorShortensNames",
	},
	{
		name: "keys are remembered for explanations", file: "gqlcache/internal/inspector/rows.go", in: "gqlcache",
		old: "	sum := sha256.Sum256([]byte(key))\n	return string(sum[:])\n", new: "	return string(key)\n",
		test: "TestInspectorForgetsVariables",
	},
}
