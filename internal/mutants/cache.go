package main

const (
	keyFile       = "gqlcache/internal/plans/key.go"
	planFile      = "gqlcache/internal/plans/plan.go"
	queryFile     = "gqlcache/query.go"
	computeFile   = "gqlcache/compute.go"
	touchFile     = "gqlcache/touch.go"
	extensionFile = "gqlcache/extension.go"
	lookupFile    = "gqlcache/internal/engine/lookup.go"
	mutationFile  = "gqlcache/mutation.go"
)

// cacheRules are those of the cache itself. Where the test compares whole servers it is the example's.
var cacheRules = []mutant{
	{
		name: "key without the predicate", file: keyFile, in: "example",
		old: "b = opkey.AppendPart(append(b, scopePredicate), s.Predicate)", new: "b = append(b, scopePredicate)",
		test: "TestSharedEntriesAreAnsweredAlike",
	},
	{
		name: "key without variables", file: keyFile, in: "gqlcache",
		old: "opkey.AppendVariables(b, vars)", new: "opkey.AppendVariables(b, nil)",
		test: "TestA6OrderOfVariables",
	},
	{
		name: "key without the schema hash", file: planFile, in: "example",
		old: "append([]byte(nil), st.Hash[:]...)", new: "[]byte(nil)",
		test: "TestSchemasDoNotShareKeys",
	},
	{
		name: "key without Vary parts", file: keyFile, in: "example",
		old: "b = opkey.AppendPart(b, p)", new: "_ = p",
		test: "TestVaryKeepsAnswersApart",
	},
	{
		name: "plan by the text of the document alone", file: planCacheFile, in: "gqlcache",
		old:  "	v, ok := p.byOperation.Load(s.Operation)\n",
		new:  "	var v any\n	ok := false\n	p.byOperation.Range(func(_, w any) bool {\n		v, ok = w, w.(*Plan).Definition.Name == s.Operation.Name\n		return !ok\n	})\n	if ok {\n		return v.(*Plan)\n	}\n",
		test: "TestRewrittenOperation",
	},
	{
		name: "fill is stamped when it ends", file: computeFile, in: "example",
		old: "Token: token, Tags: tags", new: "Token: c.clock.Begin(), Tags: tags",
		test: "TestNoStaleReads$/^SQLite$",
	},
	{
		name: "joiner takes any stored answer", file: computeFile, in: "example",
		old: "return f.stamp != nil && c.valid(f.stamp)", new: "return f.stamp != nil",
		test: "TestJoinerChecksAStoredAnswer",
	},
	{
		name: "joiner takes any answer", file: computeFile, in: "example",
		old: "return f.stamp != nil && c.valid(f.stamp)", new: "return true",
		test: "TestNoStaleReads$/^SQLite$",
	},
	{
		name: "a public answer is inside the partition of its caller", file: computeFile,
		old:  "	if !who.public && c.opts.Predicate != nil {\n		who.partition = c.partition(ctx)\n	}\n	var f *filled\n",
		new:  "	who.partition = c.partition(ctx)\n	var f *filled\n",
		test: "TestPartition$",
	},
	{
		name: "a hit copies its answer", file: queryFile,
		old: "Data:       body[:len(body):len(body)],", new: "Data:       append([]byte(nil), body...),",
		test: "TestHitAllocations$",
	},
	{
		name: "entries are not checked", file: lookupFile, in: "example",
		old: "case !e.Valid(s):", new: "case s.withdrawn.Load():",
		test: "TestNoStaleReads$/^SQLite$",
	},
	{
		name: "failed answers are stored", file: computeFile,
		old: "case len(resp.Errors) > 0:", new: "case false:",
		test: "TestErrorsOfAnInnerExtension",
	},
	{
		name: "a mutation is applied after its response", file: mutationFile,
		old:  "done := c.settle(ctx, r, oc, d, res, resp)",
		new:  "done := settled{}\n	time.AfterFunc(50*time.Millisecond, func() { c.settle(ctx, r, oc, d, res, resp) })",
		test: "TestInvalidatesBeforeTheAnswer",
	},
	{
		name: "a failed mutation is not applied", file: mutationFile,
		old:  "done := c.settle(ctx, r, oc, d, res, resp)",
		new:  "done := settled{}\n	if len(resp.Errors) == 0 {\n		done = c.settle(ctx, r, oc, d, res, resp)\n	}",
		test: "TestOutcomes",
	},
	{
		name: "a mutation that panicked is not applied", file: mutationFile,
		old: "if !answered {", new: "if !answered && false {",
		test: "TestOutcomes|TestCancelledMutation",
	},
	{
		name: "NothingWritten is not heard", file: touchFile,
		old: "r.mu.nothing[root] = true", new: "_ = root",
		test: "TestNothingWritten",
	},
	{
		name: "defaults of input fields not applied", file: "cascade/outcome.go",
		old: "o.plan.arguments(rw.args, out.Vars)", new: "rw.args.ArgumentMap(out.Vars)",
		test: "TestInputDefaults",
	},
	{
		name: "what a mutation did and cannot be told is nothing", file: "gqlcache/mutation.go",
		old: `ch.everything = "an operation that could not be evaluated"`, new: `ch.everything = ""`,
		test: "TestUntoldChanges",
	},
}
