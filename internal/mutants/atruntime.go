package main

const atRuntimeFile = "gqlcache/atruntime.go"

// atRuntimeRules are those of fields whose resolvers say what they read.
var atRuntimeRules = []mutant{
	{
		name: "at runtime: an answer is known though nothing was said", file: "gqlcache/compute.go",
		old: "Anything: f.unsaid != \"\",", new: "Anything: false,",
		test: "TestAtRuntime$",
	},
	{
		name: "at runtime: one execution speaks for all", file: atRuntimeFile,
		old: "	case cascade.SaysReads:\n		return true\n", new: "	case cascade.SaysReads:\n		return fc.Parent == nil || fc.Parent.Index == nil || *fc.Parent.Index > 0\n",
		test: "TestAtRuntime$",
	},
	{
		name: "at runtime: an execution without its resolver has said something", file: atRuntimeFile,
		old: "		if !asked.Load() {\n			x.end(fc)\n		}\n", new: "",
		test: "TestAtRuntimeInterceptors$",
	},
	{
		name: "at runtime: a resolver below is a part of what is said", file: atRuntimeFile,
		old: "return fc.IsResolver || fc.IsMethod", new: "return fc.IsResolver && fc.IsMethod",
		test: "TestAtRuntimeExecutions$",
	},
	{
		name: "at runtime: what a function reads is said though it fails", file: atRuntimeFile,
		old: "e.request == nil || e.computation != nil && e.computation.within == e.request", new: "e.request == nil",
		test: "TestAtRuntime$",
	},
	{
		name: "at runtime: an error says what was read", file: computedCheckFile,
		old: "q.request != nil && (err == nil || isAbsence(err))", new: "q.request != nil",
		test: "TestAtRuntime$",
	},
	{
		name: "at runtime: verify mode suspects views alone", file: "gqlcache/internal/verify/suspects.go", in: "gqlcache",
		old: "	if reads[0].AtRuntime {\n", new: "	if reads[0].AtRuntime && false {\n",
		test: "TestSuspectsAtRuntime$",
	},
	{
		name: "example: node does not say where it has looked in vain", file: "example/graph/mixed.go", in: "example",
		old: "	reads(ctx, gqlcache.Entity(\"Comment\", id))\n", new: "",
		test: "TestNode$",
	},
	{
		name: "at runtime: what the parent has does not count", file: "cascade/operation.go", in: "cascade",
		old: "(decl.AtRuntime || !slices.ContainsFunc(decl.Reads, readsParent))", new: "!slices.ContainsFunc(decl.Reads, readsParent)",
		test: "TestAtRuntimeTags$",
	},
}
