package main

const (
	witnessFile = "gqlcache/internal/witness/witness.go"
	hintsFile   = "gqlcache/hints.go"
)

// computationRules are those of whose a computation is, and of what its answer does not show.
var computationRules = []mutant{
	{
		name: "an answer is stored though its request has ended", file: computeFile,
		old: "f.left = ctx.Err() != nil", new: "f.left = false",
		test: "TestTruncatedAnswers",
	},
	{
		name: "an answer is stored though an inner time limit has ended", file: witnessFile, in: "gqlcache",
		old: "return w.ended.Load() || w.leftBehind()", new: "return w.leftBehind()",
		test: "TestTruncatedAnswers/inner",
	},
	{
		name: "the context is looked at before the resolvers run", file: computeFile,
		old:  "	f.resp, f.took, rec = c.execute(observed, r, oc, d, who, key, w, next)\n	f.unsaid = r.executions.Load().unsaid()\n	f.seen = statements.end(d, oc.Variables, f.unsaid)\n	if f.seen.private {\n		f.only = c.asker(ctx, oc)\n	}\n	if f.seen.convicted {\n		c.dropOperation(ctx, d)\n	}\n	c.besidesAfter(ctx, r, before, f.resp)\n	said := r.computed()\n	f.maxAge, f.reads = said.maxAge, said.reads\n	// Asked before the answer is looked at, and after all that runs for it has ended: a\n	// resolver that took the end of its context for the end of its rows returned before.\n	f.left = ctx.Err() != nil\n",
		new:  "	f.left = ctx.Err() != nil\n	f.resp, f.took, rec = c.execute(observed, r, oc, d, who, key, w, next)\n	f.unsaid = r.executions.Load().unsaid()\n	f.seen = statements.end(d, oc.Variables, f.unsaid)\n	if f.seen.private {\n		f.only = c.asker(ctx, oc)\n	}\n	if f.seen.convicted {\n		c.dropOperation(ctx, d)\n	}\n	c.besidesAfter(ctx, r, before, f.resp)\n	said := r.computed()\n	f.maxAge, f.reads = said.maxAge, said.reads\n",
		test: "TestTruncatedAnswers",
	},
	{
		name: "a computation runs on a context of its own", file: computeFile,
		old: "c.resolve(w.Context(ctx), d, next)", new: "c.resolve(w.Context(context.WithoutCancel(ctx)), d, next)",
		test: "TestDeadlines|TestTruncatedAnswers",
	},
	{
		name: "a request that ended is answered by the cache", file: computeFile,
		old: "		o.fate = inspector.Abandoned\n		o.resp = next(ctx)\n", new: "		o.fate = inspector.Abandoned\n		o.resp = respond(ctx, []byte(\"null\"))\n",
		test: "TestDeadlines",
	},
	{
		name: "what runs inside of a computation waits for others", file: computeFile,
		old: "if r.enclosed || r.outer != nil && r.within((*request).isComputing) {", new: "if false {",
		test: "TestReentrance|TestCrossedResolvers",
	},
	{
		name: "a mutation's resolver is given what was stored before", file: queryFile,
		old: "r.within((*request).isWriting)", new: "false",
		test: "TestQueryInsideAMutation",
	},
	{
		name: "a failed field is no failure", file: witnessFile, in: "gqlcache",
		old: "	v, err := resolve(ctx)\n	returned = true\n	if err != nil {", new: "	v, err := resolve(ctx)\n	returned = true\n	if false {",
		test: "TestFailuresWithoutTrace",
	},
	{
		name: "a panic is no failure", file: witnessFile, in: "gqlcache",
		old: "		if !returned {", new: "		if !returned && false {",
		test: "TestFailuresWithoutTrace",
	},
	{
		name: "an error beside a value is no failure", file: witnessFile, in: "gqlcache",
		old: "if key == responseKey && ", new: "if false && ",
		test: "TestFailuresWithoutTrace",
	},
	{
		name: "who asks for errors adds one", file: witnessFile, in: "gqlcache",
		old: "return slices.Contains(adders, name)", new: "return true",
		test: "TestFailuresWithoutTrace",
	},
	{
		name: "DoNotStore waits for the end", file: hintsFile,
		old: "	f.Unshare()\n	if lease", new: "	_ = f\n	if lease",
		test: "TestDoNotStoreEndsSharing",
	},
	{
		name: "DoNotStore comes too late", file: hintsFile,
		old: "if late && e != nil {", new: "if false {",
		test: "TestHints/too_late",
	},
	{
		name: "MaxAge is not heard", file: computeFile,
		old: "ttl = min(ttl, maxAge)", new: "_ = 0",
		test: "TestHints/age",
	},
	{
		name: "Private is for everybody", file: hintsFile,
		old: "return r.refuseToStore(ReasonPrivate)", new: "return true",
		test: "TestDoNotStoreEndsSharing",
	},
	{
		name: "a computation is based on the time when it begins", file: extensionFile,
		old: "func (r *request) begin() uint64 { return r.arrived }", new: "func (r *request) begin() uint64 { return r.cache.clock.Seq() }",
		test: "TestReadBeforeTheComputation",
	},
}
