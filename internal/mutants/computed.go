package main

const (
	computedFile      = "gqlcache/computed.go"
	computedStaleFile = "gqlcache/computedstale.go"
	computedBatchFile = "gqlcache/computedbatch.go"
	computedAskFile   = "gqlcache/computedask.go"
	computedFillFile  = "gqlcache/computedfill.go"
	computedCheckFile = "gqlcache/computedcheck.go"
	computedReadsFile = "gqlcache/computedreads.go"
	valuesKeyFile     = "gqlcache/internal/values/key.go"
)

// computedRules are those of values that programs compute.
var computedRules = []mutant{
	{
		name: "computed: the key has no predicate", file: computedAskFile,
		old: "q.predicate, s.Predicate = p, p.Text", new: "q.predicate = p",
		test: "TestComputedCallers$",
	},
	{
		name: "computed: the key has no Vary parts", file: valuesKeyFile, in: "gqlcache",
		old: "	for _, part := range vary {\n", new: "	for _, part := range vary[:0] {\n",
		test: "TestComputedCallers$",
	},
	{
		name: "computed: any tenant is the caller's", file: computedAskFile,
		old: "err != nil || own != tenant", new: "err != nil || own == \"\" && tenant == \"\"",
		test: "TestComputedTenants$",
	},
	{
		name: "computed: a job need not say who shares its values", file: computedAskFile,
		old: "if _, tenanted := k.Tenant(); !tenanted {", new: "if false {",
		test: "TestComputedCallers$",
	},
	{
		name: "computed: a job is an anonymous caller", file: computedAskFile,
		old: "if !q.isWithinRequest() {\n		if", new: "if false {\n		if",
		test: "TestComputedCallers$",
	},
	{
		name: "computed: partitioned views need no tenant", file: computedReadsFile,
		old: "case partitioned && !tenanted:", new: "case partitioned && !tenanted && false:",
		test: "TestComputedTenants$",
	},
	{
		name: "computed: a value that is found hands nothing on", file: computedFillFile,
		old: "	s.figures.Hits.Add(1)\n	q.depend(ctx, &s.sum, s.Expires())\n", new: "	s.figures.Hits.Add(1)\n",
		test: "TestComputedForAnswers$|TestComputedNested$",
	},
	{
		name: "computed: a value that is computed hands nothing on", file: computedFillFile,
		old: "	around.dependOn(c, &res.sum, res.until, q.whose|res.whose)\n", new: "",
		test: "TestComputedForAnswers$|TestComputedNested$",
	},
	{
		name: "computed: an answer outlives its values", file: computedReadsFile,
		old: "		r.mu.reads.Expire(until)\n", new: "",
		test: "TestComputedExpiresAnswers$",
	},
	{
		name: "computed: a value outlives those that it is made of", file: computedReadsFile,
		old: "		x.mu.sum.Expire(until)\n", new: "",
		test: "TestComputedNested$",
	},
	{
		name: "computed: a caller's value is a part of one for all", file: computedReadsFile,
		old: "case by != 0 && x.forAll, by&personal != 0 && !x.personal:", new: "case false:",
		test: "TestComputedNested$",
	},
	{
		name: "computed: a caller's value is a part of an answer for all", file: computedReadsFile,
		old: "case by&personal != 0 && computing && !r.mu.predicate:", new: "case false:",
		test: "TestComputedInPublicAnswers$",
	},
	{
		name: "computed: a value for all hides whose its parts are", file: computedFillFile,
		old: "around.dependOn(c, &res.sum, res.until, q.whose|res.whose)", new: "around.dependOn(c, &res.sum, res.until, q.whose)",
		test: "TestComputedInPublicAnswers$",
	},
	{
		name: "computed: an operation is a part of a value", file: "gqlcache/extension.go",
		old: "		x.refuseToStore(ReasonUnexplained) // the operation", new: "		// the operation",
		test: "TestComputedNested$",
	},
	{
		name: "computed: the token is taken after the function", file: computedFillFile,
		old: "	took = time.Since(start)\n	if err == nil {", new: "	took, token = time.Since(start), c.clock.Seq()\n	if err == nil {",
		test: "TestComputedOverChanges$",
	},
	{
		name: "computed: what is declared does not count", file: computedFillFile,
		old: "	res.sum.Add(&values.Sum{Tags: fill.tags})\n", new: "",
		test: "TestComputed$|TestComputedOverChanges$",
	},
	{
		name: "computed: an undeclared value depends on nothing", file: computedFillFile,
		old: "if !known || observed && fp.Unknown", new: "if observed && fp.Unknown",
		test: "TestComputed$",
	},
	{
		name: "computed: a late read is not heard", file: computedReadsFile,
		old: "	if late {\n		x.refuseToStore(ReasonUnexplained)\n	}\n	return !late", new: "	return !late",
		test: "TestComputedOverChanges$",
	},
	{
		name: "computed: a removal does not reach who computes", file: computedFillFile,
		old: "operations: []cascade.Tag{stored, replaced},\n	})\n	if e != nil", new: "operations: []cascade.Tag{replaced, {Hash: stored.Hash + 1, Mask: stored.Mask}},\n	})\n	if e != nil",
		test: "TestComputedOverChanges$|TestComputedPut$",
	},
	{
		name: "computed: a value is put with a token of now", file: computedFillFile,
		old: "key, res, token.number, engine.UnknownCost", new: "key, res, c.clock.Seq(), engine.UnknownCost",
		test: "TestComputedPut$",
	},
	{
		name: "computed: what was made of an older value stays", file: computedFillFile,
		old: "drop.operations = drop.operations[1:]\n", new: "drop.operations = []cascade.Tag{{Hash: 1, Mask: 1}}\n",
		test: "TestComputedForAnswers$|TestComputedMissIsNoted$",
	},
	{
		name: "computed: what was made of no value stays", file: computedReadsFile,
		old: "	q.depend(ctx, &s, time.Time{})\n", new: "",
		test: "TestComputedMissIsNoted$",
	},
	{
		name: "computed: a mutation finds what is older than itself", file: computedAskFile,
		old: "case r.mutates, r.uncommitted", new: "case r.uncommitted",
		test: "TestComputedInMutations$",
	},
	{
		name: "computed: a value is kept though its context has ended", file: computedFillFile,
		old: "	res.left = ctx.Err() != nil\n", new: "",
		test: "TestComputedSharing$",
	},
	{
		name: "computed: another's computation is good for everybody", file: computedFillFile,
		old: "	return res.stamp != nil && c.fresh() && c.engine.Valid(&res.stamp.Stamp)\n", new: "	return true\n",
		test: "TestComputedHistories$",
	},
	{
		name: "computed: callers within a computation wait", file: computedStaleFile,
		old: "call.NoWait = q.computation != nil", new: "call.NoWait = false",
		test: "TestComputedCrosswise$",
	},
	{
		name: "computed: a field with a found value is not explained", file: computedReadsFile, in: footprintTests,
		old: "	if q.c.observing != nil {\n		footprint.Explain(ctx)\n	}\n", new: "",
		test: "TestFoundValuesHideNoStatements$",
	},
	{
		name: "computed: the statements of a function are not the value's", file: computedFillFile, in: footprintTests,
		old: "		res.sum.Add(&values.Sum{Tags: fp.Tags, Coarse: fp.Coarse})\n", new: "",
		test: "TestFoundValuesHideNoStatements$|TestStatementsOfValues$",
	},
	{
		name: "computed: what a function has read and not committed is kept", file: computedFillFile, in: footprintTests,
		old: "case observed && fp.Uncommitted != \"\":", new: "case false:",
		test: "TestStatementsOfValues$",
	},
	{
		name: "computed: texts and numbers are one argument", file: valuesKeyFile, in: "gqlcache",
		old: "binary.AppendVarint(append(b, 'i'), v.Int()), true", new: "opkey.AppendPart(append(b, 's'), strconv.FormatInt(v.Int(), 10)), true",
		test: "TestComputedKeys$",
	},
	{
		name: "computed: the tenant is no part of the key", file: valuesKeyFile, in: "gqlcache",
		old: "b = opkey.AppendPart(append(b, 'T'), k.tenant)", new: "b = append(b, 'T')",
		test: "TestComputedKeys$|TestComputedTenants$",
	},
	{
		name: "computed: what may be changed is kept as it is", file: computedFillFile,
		old: "res.plain || set.immutable {", new: "res.plain || set.immutable || true {",
		test: "TestComputedValues$",
	},
	{
		name: "computed: who may change a value gets the one that is kept", file: computedFile,
		old: "ok && (plain || set.immutable) {", new: "ok {",
		test: "TestComputedValues$",
	},
	{
		name: "computed: a value does not depend on what its parts do", file: "gqlcache/computedreads.go",
		old: "		x.mu.sum.Add(s)\n", new: "		_ = s\n",
		test: "TestComputedHostileHistories$",
	},
	{
		name: "computed: Options.Partition is asked in itself", file: computedFillFile,
		old: "	if !ok {\n		return false\n	}\n	if t, ok := q.c.partition(asking)", new: "	if !ok {\n		asking = ctx\n	}\n	if t, ok := q.c.partition(asking)",
		test: "TestComputedInPartition$",
	},
	{
		name: "computed: a change of the caller's tenant leaves his values", file: computedFillFile,
		old: "	if t, ok := q.c.partition(asking).Tag(); ok {\n		q.tenants = append(q.tenants, t)\n	}\n", new: "	_ = asking\n",
		test: "TestComputedInPartition$",
	},
	{
		name: "computed: what is not the same after it is decoded is kept", file: computedFillFile,
		old: "if err == nil && !values.Same(boxed, back.Interface()) {", new: "if false {",
		test: "TestComputedUnencodable$|TestComputedValues$",
	},
	{
		name: "computed: what is private is kept without a predicate", file: computedReadsFile,
		old: "	if !x.predicated {\n", new: "	if x.forAll {\n",
		test: "TestComputedPrivate$",
	},
	{
		name: "computed: what varies is a part of a value for all", file: computedAskFile,
		old: "	if c.opts.Vary != nil {\n		q.whose |= varied\n", new: "	if c.opts.Vary != nil {\n",
		test: "TestComputedVaryInValuesForAll$",
	},
	{
		name: "computed: an entry does not hear of who replaces it", file: computedFillFile,
		old: "number, engine.UnknownCost, nil)", new: "number, engine.UnknownCost, &replaced)",
		test: "TestComputedPutReplaces$",
	},
	{
		name: "computed: a computation overwrites what was put meanwhile", file: computedFillFile,
		old: "res, token, took, nil)", new: "res, token, took, func() *cascade.Tag { _, t := cascade.ValueTags([]byte(key)); return &t }())",
		test: "TestComputedPutReplaces$",
	},
	{
		name: "computed: who bypasses the cache removes nothing", file: computedAskFile,
		old: "return q.writes && q.why != ReasonMutating", new: "return q.writes && q.why == \"\" && q.why != ReasonMutating",
		test: "TestComputedWritesBesideTheCache$",
	},
	{
		name: "computed: values that a function has got are all that it reads", file: computedFillFile,
		old: "known := q.set.declared || said.read\n", new: "known := q.set.declared || said.read || said.got\n",
		test: "TestComputedOfValuesAndMore$",
	},
	{
		name: "computed: what is said late of a part is not said of the whole", file: computedReadsFile,
		old: "for x = x.outer; x != nil; x = x.outer {", new: "for x = nil; x != nil; x = x.outer {",
		test: "TestComputedLateInParts$",
	},
	{
		name: "computed: what a function has from outside of it does not count", file: computedFillFile, in: footprintTests,
		old: "Around: fromAround,", new: "Around: false,",
		test: "TestValuesOfWhatWasReadAround$",
	},
	{
		name: "computed: an answer does not depend on what middlewares have got", file: computeFile,
		old: "			a.values.addTo(&r.mu.reads)\n", new: "",
		test: "TestComputedInMiddlewares$",
	},
	{
		name: "computed: an answer does not depend on what extensions have got", file: computedReadsFile,
		old: "if !computing && !late && (r.mutates ||", new: "if !computing && !late && (true || r.mutates ||",
		test: "TestComputedInMiddlewares$",
	},
	{
		name: "computed: a hit is recomputed with values that are kept", file: "gqlcache/recompute.go",
		old: "	r.plainValues.Store(true) ", new: "	r.plainValues.Store(false) ",
		test: "TestComputedIsVerified$",
	},
	{
		name: "computed: another cache in between hides the computation around", file: computedAskFile,
		old: "	for x != nil && x.c != q.c {\n		x = x.outer\n	}\n", new: "	if x != nil && x.c != q.c {\n		x = nil\n	}\n",
		test: "TestComputedAroundAnotherCache$",
	},
	{
		name: "computed: an absence is kept though nothing was looked at", file: computedFillFile,
		old: "case absent && !res.looked && !fill.batch:", new: "case false:",
		test: "TestComputedAbsence$",
	},
	{
		name: "computed: an error joined with an absence is none", file: "gqlcache/computedabsent.go",
		old: "if e != nil && !isAbsenceAlone(e) {", new: "if false {",
		test: "TestComputedAbsence$",
	},
	{
		name: "computed: an absence is found as a value", file: computedFile,
		old: "return v, true, ErrAbsent", new: "return v, true, nil",
		test: "TestComputedAbsence$",
	},
	{
		name: "computed all: callers within a computation wait", file: computedBatchFile,
		old: "role == flight.Busy && b.q.computation == nil", new: "role == flight.Busy",
		test: "TestComputeAllWithin$",
	},
	{
		name: "computed all: what was left out is absent though nothing was looked at", file: computedBatchFile,
		old: "case !base.looked && len(p.reads) == 0:", new: "case false:",
		test: "TestComputeAllAbsence$",
	},
	{
		name: "computed all: what is around does not depend on the keys", file: computedBatchFile,
		old: "	all.Add(b.sum(run))\n", new: "",
		test: "TestComputeAllWithin$",
	},
	{
		name: "computed all: a value does not depend on its key", file: computedBatchFile,
		old: "	res.sum.Add(&values.Sum{Tags: p.tags})\n", new: "",
		test: "TestComputeAllLate$",
	},
	{
		name: "computed all: a value does not depend on what is declared of its id", file: computedBatchFile,
		old: "	res.sum.Add(&values.Sum{Tags: p.reads})\n", new: "",
		test: "TestComputeAll$",
	},
	{
		name: "computed all: a late read leaves values", file: computedBatchFile,
		old: "		x.c.withdrawValue(k.key, k.entry)\n", new: "		_ = k\n",
		test: "TestComputeAllLate$",
	},
	{
		name: "computed all: waits before it computes", file: computedBatchFile,
		old: "		if err := b.fillAll(ctx, token, run); err != nil {\n", new: "		for _, n := range busy {\n			_, _ = b.parts[n].other.Wait(ctx, flight.Call[*valueResult]{Valid: b.c.usableValue, Bound: minBound})\n		}\n		if err := b.fillAll(ctx, token, run); err != nil {\n",
		test: "TestComputeAllSharing$",
	},
	{
		name: "computed stale: what a change has reached is returned", file: computedStaleFile,
		old: " && c.fresh() && c.engine.Valid(&q.old.Stamp)\n", new: "\n",
		test: "TestComputedStale$|TestComputedOnError$",
	},
	{
		name: "computed stale: an answer is kept with an expired value", file: computedStaleFile,
		old: "	q.refuse(ReasonExpired)\n", new: "",
		test: "TestComputedStaleInAnswers$",
	},
	{
		name: "computed stale: an expired value is a hit", file: computedFillFile,
		old: "	if s.hasExpired(c.opts.Now) {\n		if q", new: "	if false {\n		if q",
		test: "TestComputedStale$",
	},
	{
		name: "computed stale: an expired value is found by who waited", file: computedFillFile,
		old: "!ok || s.hasExpired(c.opts.Now) || s.typ", new: "!ok || s.typ",
		test: "TestComputedStale$",
	},
	{
		name: "computed stale: a kept error survives changes", file: computedStaleFile,
		old: "Tags: slices.Clone(sum.Tags), Expires: until,", new: "Tags: slices.Clone(res.sum.Tags), Expires: until,",
		test: "TestComputedErrorAge$",
	},
	{
		name: "computed stale: an answer is kept with a kept error", file: computedStaleFile,
		old: "		q.refuse(ReasonErrors)\n", new: "",
		test: "TestComputedErrorAge$",
	},
	{
		name: "computed stale: a caller's deadline is everybody's error", file: computedStaleFile,
		old: "	if broken != nil || canceled {\n		return false\n", new: "	if broken != nil || canceled {\n		return true\n",
		test: "TestComputedErrorAge$",
	},
	{
		name: "computed stale: who has waited for Within waits on", file: "gqlcache/internal/flight/batch.go", in: "gqlcache",
		old: "	if c.Within <= 0 {", new: "	if c.Within <= 0 || true {",
		test: "TestComputedStale$",
	},
	{
		name: "computed: the key of a value that is found is not checked", file: computedCheckFile, in: footprintTests,
		old: "		footprint.Asks(ctx, q.name, k.Parts())\n", new: "		_ = k.Parts()\n",
		test: "TestKeysOfFoundValues$",
	},
	{
		name: "computed: what a value holds explains no statement", file: computedCheckFile, in: footprintTests,
		old: "{ footprint.Got(ctx, q.name, v) }", new: "{ _ = v }",
		test: "TestFoundValuesAreSources$",
	},
	{
		name: "computed: a value's own key is not checked", file: computedFillFile, in: footprintTests,
		old: "Check: c.checkOf(ctx, q, fill.keys()...),", new: "",
		test: "TestKeysOfValuesThatMissSomething$",
	},
	{
		name: "computed: statements of a value are judged by its key alone", file: "gqlcache/footprint/internal/observe/check.go", in: footprintTests,
		old: "	return r.parent.orAround()\n", new: "	return nil\n",
		test: "TestValuesForOneCallerInOthers$",
	},
	{
		name: "computed: a value whose key is incomplete is kept", file: computedFillFile, in: footprintTests,
		old: "	case forNobody:\n", new: "	case false && forNobody:\n",
		test: "TestKeysOfValuesThatMissSomething$|TestKeysOfValuesInJobs$",
	},
	{
		name: "computed: values with an incomplete key are not dropped", file: computedCheckFile, in: footprintTests,
		old: "				q.dropName(ctx)\n", new: "",
		test: "TestKeysOfValuesThatMissSomething$",
	},
	{
		name: "computed: what coincidence may explain is for all", file: computedCheckFile, in: footprintTests,
		old: "	if v.Coincidental && q.isWithinRequest() {", new: "	if false && v.Coincidental {",
		test: "TestKeysOfValuesThatMissSomething$",
	},
	{
		name: "computed: a job's values are for no request", file: computedCheckFile, in: footprintTests,
		old: "	if v.Coincidental && q.isWithinRequest() {", new: "	if v.Coincidental {",
		test: "TestKeysOfValuesThatAreComplete$",
	},
	{
		name: "computed: what is made of one caller's value is for all", file: "gqlcache/internal/values/sum.go", in: footprintTests,
		old: "s.Only || o.Only", new: "s.Only",
		test: "TestValuesForOneCallerInOthers$",
	},
	{
		name: "computed: an answer with one caller's value is for all", file: "gqlcache/compute.go", in: footprintTests,
		old: "	if f.reads.Only {", new: "	if false {",
		test: "TestValuesForOneCallerInOthers$",
	},
	{
		name: "computed: who has joined gets another caller's value", file: computedFillFile, in: footprintTests,
		old: " || !q.isFor(ctx, out.Value.only)) {", new: ") {",
		test: "TestKeysOfValuesThatAreJoined$",
	},
	{
		name: "computed: a function of the options asks itself", file: computedAskFile,
		old: "if a.c == q.c && a.what == what {", new: "if false {",
		test: "TestComputedInTheirOwnOptions$",
	},
	{
		name: "computed: keys have no bound", file: "gqlcache/internal/engine/store.go",
		old: " || len(key) > e.config.MaxBody {", new: " {",
		test: "TestComputedLongKeys$", in: "gqlcache",
	},
	{
		name: "computed: what is of another cache has no snapshot", file: computedAskFile,
		old: "	case q.isWithinAnother():\n		return 0\n	}\n	return q.c.clock.Seq()", new: "	}\n	return q.c.clock.Seq()",
		test: "TestComputedWithinAnotherCache$",
	},
	{
		name: "computed stale: who has waited for an id computes it all the same", file: computedBatchFile,
		old: "	return has, err\n}\n\n// fill", new: "	return false, err\n}\n\n// fill",
		test: "TestComputeAllWaitsOnce$",
	},
	{
		name: "computed stale: each id is waited for as long as one may be", file: computedBatchFile,
		old: "b.q.set.within-time.Since(b.waits)", new: "b.q.set.within",
		test: "TestComputeAllWaitsOnce$",
	},
	{
		name: "computed stale: a value beside an error is in place of an expired one", file: computedBatchFile,
		old: "		saved = saved && b.q.serves(b.q.set.onError)\n", new: "		saved = saved && (b.v.box(n) != nil || b.q.serves(b.q.set.onError))\n",
		test: "TestComputeAllErrors$",
	},
	{
		name: "computed stale: callers write into each other's errors", file: computedStaleFile,
		old: "	c := *outer\n", new: "	if true {\n		return outer, true\n	}\n	c := *outer\n",
		test: "TestComputedErrorsAreTheCallers$",
	},
	{
		name: "computed: what is not kept is shared over a late read", file: computedFillFile,
		old: "why != ReasonInvalidated) && x.refusal() == \"\"", new: "why != ReasonInvalidated)",
		test: "TestComputedLateIsNotShared$",
	},
}
