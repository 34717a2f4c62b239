package main

const (
	verifyFile    = "gqlcache/internal/verify/verifier.go"
	recomputeFile = "gqlcache/recompute.go"
)

// verifyRules are those without which verify mode reports what is no stale answer, or misses what is.
var verifyRules = []mutant{
	{
		name: "verify: the entry is not checked again", file: verifyFile,
		old: "{ return v.cfg.Fresh() && h.Valid() }", new: "{ return v.cfg.Fresh() }",
		test: "TestVerifyOutcomes", in: "gqlcache",
	},
	{
		name: "verify: recomputed once only", file: verifyFile,
		old: "second, why := j.recompute()", new: "second, why := first, SkipNone",
		test: "TestVerifyWhileTheValueMoves", in: "gqlcache",
	},
	{
		name: "verify: running mutations are not waited for", file: verifyFile,
		old: "err := v.waitFor(running)", new: "err := v.base.Err()",
		test: "TestVerifyOutcomes", in: "gqlcache",
	},
	{
		name: "verify: no grace for those who tell later", file: verifyFile,
		old: "if !v.wait(v.cfg.Grace) {", new: "if false {",
		test: "TestVerifyOutcomes", in: "gqlcache",
	},
	{
		name: "verify: another predicate is the same", file: recomputeFile,
		old: "return x.c.sameKey(ctx, x.d, oc, x.who, x.key)", new: "return true",
		test: "TestVerifySamePredicate",
	},
	{
		name: "verify: a held mutation is over when gqlgen has answered", file: recomputeFile,
		old: "if !r.uncommitted.keep(&batch{mutations: []*verify.Mutation{r.mutation}}) {", new: "if true {",
		test: "TestVerifyWaitsForTheCommit",
	},
	{
		name: "verify: an answer that was out of time counts", file: recomputeFile,
		old: "case ctx.Err() != nil, w.Partial():", new: "case false:",
		test: "TestVerifyOutcomes",
	},
	{
		name: "verify: errors are answers", file: recomputeFile,
		old: `Failed: w.Failed() || c.storable(resp, res) != ""`, new: "Failed: false",
		test: "TestVerifyTellsNoValues",
	},
	{
		name: "verify: what did no harm is suspected first", file: "gqlcache/internal/verify/explanations.go",
		old: "t.refuted++", new: "t.refuted += 0",
		test: "TestSuspectsAreRefuted", in: "gqlcache",
	},
	{
		name: "verify: a hit is lost with the goroutine of its request", file: verifyFile,
		old: "err := errGoroutineEnded // unless", new: "err := error(nil) // unless",
		test: "TestVerifier",
	},
}
