package main

// attack2Rules bring back stale answers, and other bytes, of servers that have been attacked: wrappers around each
// other, operations inside of each other, what gives up waiting, and values that mean none.
var attack2Rules = []mutant{
	{
		name: "attack2: an inner hold keeps a hijacked connection", file: arrivalFile,
		old: "a.at, a.number, a.shapes, a.hold, a.around = outer.at, outer.number, outer.shapes, outer.hold, outer", new: "a.at, a.number, a.shapes, a.hold = outer.at, outer.number, outer.shapes, outer.hold",
		test: "TestNestedHoldsHijacked",
	},
	{
		name: "attack2: a wrapper behind another context begins now", file: arrivalFile,
		old: "		outer = arrivalOf(w, c)\n", new: "		_ = w\n",
		test: "TestNestedHandlersKnowTheBegin",
	},
	{
		name: "attack2: a mutation inside of an operation is applied at its own end only", file: uncommittedFile,
		old: "		r.repeatAround(b)\n", new: "		_ = r.repeatAround\n",
		test: "TestMutationInsideOfAnOperation",
	},
	{
		name: "attack2: Commit speaks of the innermost operation only", file: "gqlcache/commit.go",
		old: "	for ; r != nil; r = r.outer {", new: "	for ; r != nil; r = nil {",
		test: "TestCommitInsideOfAnOperation",
	},
	{
		name: "attack2: only a mutation hides from the cache what it has written", file: extensionFile,
		old: "	if r.uncommitted.some.Load() {\n		return true\n	}\n	r.mu.Lock()\n", new: "	r.mu.Lock()\n",
		test: "TestQueryInsideOfAQueryThatWrites",
	},
	{
		name: "attack2: of joined records the names of the first count", file: recordFile, in: "gqlcache",
		old: "second > 0 {", new: "second > 1<<62 {",
		test: "TestJoinedRecords",
	},
	{
		name: "attack2: a resolver that a middleware gave up is forgotten", file: refusedFile,
		old: "			defer r.changeLate(ctx) // a middleware may have given up waiting\n", new: "",
		test: "TestResolverGivenUp",
	},
	{
		name: "attack2: a resolver that a refusing directive gave up is forgotten", file: refusedFile,
		old: "		defer r.changeLate(ctx) // the directive may have given up waiting\n", new: "",
		test: "TestRefusingDirectiveGivesUp",
	},
	{
		name: "attack2: a query of a request that has written is answered from the cache", file: "gqlcache/query.go",
		old: "r.hold.hasChanged()", new: "false",
		test: "TestQueryAfterTheMutationOfItsRequest",
	},
	{
		name: "attack2: a status after a held body counts", file: "gqlcache/internal/wire/held.go", in: "gqlcache",
		old: " && w.mu.body.Len() == 0 {", new: " {",
		test: "TestHeldStatus",
	},
	{
		name: "attack2: the header of a held response is that of its end", file: "gqlcache/internal/wire/held.go", in: "gqlcache",
		old: "	clear(header)\n	maps.Copy(header, w.mu.header)\n", new: "",
		test: "TestHeldHeaders",
	},
	{
		name: "attack2: what is set late is no trailer", file: "gqlcache/internal/wire/held.go", in: "gqlcache",
		old: "	maps.Copy(header, late) // of", new: "	_ = late // of",
		test: "TestProtocols",
	},
	{
		name: "attack2: a hint sends a held response before the commit", file: "gqlcache/internal/wire/held.go", in: "gqlcache/internal/wire",
		old: "informational && w.mu.header == nil {", new: "informational {",
		test: "TestHeld$",
	},
	{
		name: "attack2: nobody flushes a held response", file: "gqlcache/internal/wire/held.go", in: "gqlcache",
		old: "		w.mu.flushes = true\n", new: "",
		test: "TestProtocols",
	},
	{
		name: "attack2: a held response says nothing of its commit", file: "gqlcache/hold.go", in: "gqlcache",
		old: "held.Release(TokenHeader, ConsistencyHeader, groupsOfChanges)", new: "held.Release()",
		test: "TestHeldChangesAreSharedAtTheCommit",
	},
	{
		name: "attack2: a second cache of a server hears nothing", file: "gqlcache/extension.go",
		old: "	if own.mutates {\n", new: "	if false {\n",
		test: "TestSeveralCachesOfOneServer",
	},
	{
		name: "attack2: null never means the rows without a value", file: "cascade/reads_where.go",
		old: "			mask |= m // the term is true", new: "			// the term is true",
		test: "TestWhereRules",
	},
	{
		name: "attack2: changes do not look for reads with null", file: "cascade/compile_shapes.go",
		old: "			s.mask |= w.nullable\n", new: "",
		test: "TestWhereRules",
	},
	{
		name: "attack2: an empty text is a value like others", file: "cascade/reads_where.go",
		old: "			ok = false\n", new: "",
		test: "TestWhereRules",
	},
	{
		name: "attack2: an empty list in where changes nothing", file: "cascade/outcome.go",
		old: "known && t.Operand.Kind == fromArgs && maySelectAll(vals)", new: "false",
		test: "TestRowRules",
	},
	{
		name: "attack2: a point in time has one text", file: "cascade/fold.go",
		old: "	if looksLikeTime(text) {", new: "	if false {",
		test: "TestTimesMeetAll",
	},
}
