package main

const (
	verifyFile    = "gqlcache/verify.go"
	recomputeFile = "gqlcache/recompute.go"
)

// verifyRules are those without which verify mode reports what is no stale answer, or misses what is.
var verifyRules = []mutant{
	{
		name: "verify: the entry is not checked again", file: verifyFile,
		old: "v.c.fresh() && v.c.clock.Valid(j.stamp.Stamp)", new: "v.c.fresh()",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: recomputed once only", file: verifyFile,
		old: "second, ok := v.recompute(j)", new: "second, ok := first, true",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: running mutations are not waited for", file: verifyFile,
		old: "if v.deeds.settled(ctx) != nil {", new: "if ctx.Err() != nil {",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: no grace for those who tell later", file: verifyFile,
		old: "case !v.wait(v.opts.Grace):", new: "case false:",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: another predicate is the same", file: verifyFile,
		old: "return v.sameKey(j) && v.c.fresh()", new: "return v.c.fresh()",
		test: "TestVerifySamePredicate",
	},
	{
		name: "verify: a held mutation is over when gqlgen has answered", file: verifyFile,
		old: "if !r.uncommitted.keep(&batch{deeds: []*deed{r.deed}}) {", new: "if true {",
		test: "TestVerifyWaitsForTheCommit",
	},
	{
		name: "verify: hits behind a hold are recomputed", file: verifyFile,
		old: "r.hold != nil || v.executable() == nil", new: "v.executable() == nil",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: an answer that was out of time counts", file: recomputeFile,
		old: "if ctx.Err() != nil || resp == nil {", new: "if resp == nil {",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: errors are answers", file: recomputeFile,
		old: `return res, v.c.storable(resp, res) == ""`, new: "return res, true",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: what did no harm is suspected first", file: "gqlcache/evidence.go",
		old: "w.cleared++", new: "w.cleared += 0",
		test: "TestSuspectsAreCleared",
	},
}
