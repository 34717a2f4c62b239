package main

const (
	shadowFile   = "gqlcache/shadow.go"
	comparedFile = "gqlcache/internal/verify/shadow.go"
)

// verifyingRules are those without which verify mode sees other callers, or is blind in a busy server; without which
// shadow mode harms, tells or misses something; and without which a comparison finds nothing.
var verifyingRules = []mutant{
	{
		name: "verify: recomputed with what the request's context holds", file: recomputeFile,
		old: "lent, err := c.opts.Verify.Context(ctx)", new: "lent, err := context.WithoutCancel(ctx), error(nil)",
		test: "TestVerifyNotOnAPooledContext",
	},
	{
		name: "verify: recomputed with texts of the request's memory", file: recomputeFile,
		old: "list[i] = strings.Clone(v)", new: "list[i] = v; _ = strings.Clone",
		test: "TestVerifyNotWithPooledTexts",
	},
	{
		name: "verify: resolvers run before the caller is known", file: recomputeFile,
		old: "	if !x.sameCaller(ctx, oc) {\n		return nil, verify.SkipCaller\n	}\n", new: "",
		test: "TestVerifyNotOnAPooledContext",
	},
	{
		name: "verify: columns that decides names are suspects", file: "gqlcache/internal/verify/decides.go",
		old: " || slices.ContainsFunc(p.Decides, named)", new: "",
		test: "TestDecidesSuspects",
	},
	{
		name: "verify: what was changed before the answer was right is a suspect", file: "gqlcache/internal/verify/decides.go",
		old: "w.number > number && w.number <= until", new: "w.number <= until",
		test: "TestDecidesSuspects",
	},
	{
		name: "verify: right answers say nothing of decides", file: verifyFile,
		old: "	v.explanations.refuteDecides(j.hit.Promises, answer, v.writes.after(last, began))\n", new: "",
		test: "TestWrongDecidesIsNamed", in: footprintTests,
	},
	{
		name: "verify: commits are not told of", file: "gqlcache/observe.go",
		old: "c.verify.Wrote(r.verified(), x.Table, x.Columns)", new: "_ = x",
		test: "TestWrongDecidesIsNamed", in: footprintTests,
	},
	{
		name: "verify: a rate needs no context", file: "gqlcache/verifyoptions.go",
		old: "o.Rate > 0 && o.Context == nil && !o.WithoutValues", new: "false",
		test: "TestOptionsRefused",
	},
	{
		name: "verify: an entry that is dropped in the grace is not judged", file: verifyFile,
		old: "	case v.othersChanged(j.outside):\n", new: "	case true:\n",
		test: "TestVerifyFindsStaleInABusyRun", in: "gqlcache",
	},
	{
		name: "verify: one pair only", file: verifyFile,
		old: "for range maxPairs {", new: "for range 1 {",
		test: "TestVerifyWhileTheValueMoves", in: "gqlcache",
	},
	{
		name: "verify: hits do not wait for a place", file: "gqlcache/internal/verify/queue.go",
		old: "q.mu.first = append(q.mu.first, j)", new: "q.release(j)\n		j.skip(skipFull)",
		test: "TestVerifyQueues", in: "gqlcache",
	},
	{
		name: "shadow: hidden resolvers run", file: "gqlcache/hidden.go",
		old: "NoResolvers: c.opts.Shadow,", new: "",
		test: "TestShadowChangesNothing",
	},
	{
		name: "shadow: mutations wait for the log", file: "gqlcache/internal/fleet/publish.go", in: "gqlcache",
		old: "	if f.cfg.Background != nil {\n", new: "	if false {\n",
		test: "TestShadowMutationsNeverWait",
	},
	{
		name: "shadow: mutations are refused without a lease", file: freshFile, in: "gqlcache",
		old: "f.cfg.Background != nil || f.Fresh()", new: "f.Fresh()",
		test: "TestShadowMutationsNeverWait",
	},
	{
		name: "shadow: an answer whose context has ended is kept", file: shadowFile,
		old: `case f.why != "" && !failed:`, new: "case f.resp == nil:",
		test: "TestShadowKeepsNoTruncatedAnswer",
	},
	{
		name: "shadow: judged while a mutation runs", file: comparedFile,
		old: "v.waitFor(running) != nil", new: "v.base.Err() != nil",
		test: "TestShadowOutcomes", in: "gqlcache",
	},
	{
		name: "shadow: another caller's counts as stale", file: comparedFile,
		old: "kind := otherCaller", new: "kind := stale",
		test: "TestShadowOutcomes", in: "gqlcache",
	},
	{
		name: "shadow: answers are told", file: comparedFile,
		old: "d.s.digest(d.computed.Data)", new: "string(d.computed.Data)",
		test: "TestShadowOutcomes", in: "gqlcache",
	},
	{
		name: "shadow: operations have no bound", file: comparedFile,
		old: "if len(s.order) >= maxOperations {", new: "if false {",
		test: "TestShadowOperationsAreBounded",
	},
	{
		name: "shadow: callers of an entry have no bound", file: comparedFile,
		old: "if len(known.others) >= maxCallers {", new: "if false {",
		test: "TestShadowKinds",
	},
	{
		name: "compare: headers are not compared", file: "gqlcache/gqlcachetest/session.go",
		old: "sameBody(a.body, b.body) && !differ", new: "sameBody(a.body, b.body) && (!differ || differ)",
		test: "TestCompareFinds$",
	},
	{
		name: "compare: histories are not shortened", file: "gqlcache/gqlcachetest/compare.go",
		old: "		if played == nil {\n", new: "		if false {\n",
		test: "TestCompareFinds$",
	},
}
