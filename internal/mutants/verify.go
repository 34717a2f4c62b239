package main

const (
	verifyFile    = "gqlcache/verify.go"
	recomputeFile = "gqlcache/recompute.go"
)

// verifyRules are those without which verify mode reports what is no stale answer, or misses what is.
var verifyRules = []mutant{
	{
		name: "verify: the entry is not checked again", file: verifyFile,
		old: "{ return v.c.fresh() && v.c.engine.Valid(&j.stamp.Stamp) }", new: "{ return v.c.fresh() }",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: recomputed once only", file: verifyFile,
		old: "second, why := v.recompute(j)", new: "second, why := first, skipNone",
		test: "TestVerifyWhileTheValueMoves",
	},
	{
		name: "verify: running mutations are not waited for", file: verifyFile,
		old: "err := waitFor(ctx, running)", new: "err := ctx.Err()",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: no grace for those who tell later", file: verifyFile,
		old: "if !v.wait(v.opts.Grace) {", new: "if false {",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: another predicate is the same", file: recomputeFile,
		old: "return v.c.sameKey(ctx, j.doc, oc, &caller{public: j.public, partition: j.part}, j.key)", new: "return true",
		test: "TestVerifySamePredicate",
	},
	{
		name: "verify: a held mutation is over when gqlgen has answered", file: verifyFile,
		old: "if !r.uncommitted.keep(&batch{deeds: []*deed{r.deed}}) {", new: "if true {",
		test: "TestVerifyWaitsForTheCommit",
	},
	{
		name: "verify: an answer that was out of time counts", file: recomputeFile,
		old: "case ctx.Err() != nil, w.ended.Load(), w.leftBehind():", new: "case false:",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: errors are answers", file: recomputeFile,
		old: `failed: w.failed.Load() || v.c.storable(resp, res) != ""`, new: "failed: false",
		test: "TestVerifyTellsNoValues",
	},
	{
		name: "verify: what did no harm is suspected first", file: "gqlcache/evidence.go",
		old: "w.cleared++", new: "w.cleared += 0",
		test: "TestSuspectsAreCleared",
	},
}
