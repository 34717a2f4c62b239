package main

const (
	policiesFile = "gqlcache/policies.go"
	patternsFile = "gqlcache/patterns.go"
)

// policyRules are those of policies of queries and values.
var policyRules = []mutant{
	{
		name: "policies: what bypasses the cache is computed though nothing may be", file: "gqlcache/query.go",
		old: "	if r.wants.policy == CacheOnly {\n", new: "	if false {\n",
		test: "TestPolicies/cache-only_computes_nothing",
	},
	{
		name: "policies: a query is computed though nothing may be", file: "gqlcache/query.go",
		old: "	if only {\n		return c.onlyStored", new: "	if false {\n		return c.onlyStored",
		test: "TestPolicies/cache-only$",
	},
	{
		name: "policies: every client is heard", file: policiesFile,
		old: "o.Allow != nil && !permits(ctx, o.Allow)", new: "false",
		test: "TestClientPolicies/not_allowed",
	},
	{
		name: "policies: a directive is heard that is not allowed", file: policiesFile,
		old: "d.NoStore && o.NoStore", new: "d.NoStore",
		test: "TestClientPolicies/no-cache_is_bounded",
	},
	{
		name: "policies: what browsers send for a stream is heard", file: policiesFile,
		old: " || strings.Contains(h.Get(\"Accept\"), \"text/event-stream\")", new: " || strings.Contains(\"\", h.Get(\"Accept\")+\"x\")",
		test: "TestClientPolicies/websockets",
	},
	{
		name: "policies: hits past the hooks heed no policy", file: directFile,
		old: "w.policy != CacheFirst || unknown != \"\"", new: "w.policy > NoStore || unknown != \"\"",
		test: "TestDirectPolicies$",
	},
	{
		name: "policies: a refresh joins what began before it", file: policiesFile,
		old: "began > asked || w.client && !found", new: "began > asked || !found",
		test: "TestRefreshesShareOneComputation$",
	},
	{
		name: "policies: refreshes that wait compute one after the other", file: policiesFile,
		old: "w.policy != Refresh || began > asked {", new: "w.policy != Refresh {",
		test: "TestRefreshesShareOneComputation$",
	},
	{
		name: "policies: a client has everything computed anew", file: policiesFile,
		old: "return !w.client || !young", new: "return !w.client || !young || w.client",
		test: "TestClientPolicies/no-cache_is_bounded",
	},
	{
		name: "policies: a refresh takes what another instance has stored", file: "gqlcache/instances.go",
		old: "	if r.anew != \"\" || r.renews {\n", new: "	if r.anew != \"\" {\n",
		test: "TestPoliciesOfInstances$",
	},
	{
		name: "policies: who takes what has expired takes any age", file: policiesFile,
		old: "min(r.wants.maxStale, r.old.d.beyond)", new: "r.old.d.beyond",
		test: "TestClientPolicies/max-stale",
	},
	{
		name: "policies: a refresh that fails is hidden", file: "gqlcache/query.go",
		old: "	case r.renews:\n		r.note.Anew(string(ReasonRefresh))\n	case d.beyond > 0:", new: "	case d.beyond > 0:",
		test: "TestPolicies/a_refresh_that_fails",
	},
	{
		name: "hinted: an answer without an age is kept", file: computeFile,
		old: "c.opts.OnlyHinted && !d.hinted && f.maxAge == 0", new: "false",
		test: "TestOnlyHinted$",
	},
	{
		name: "hinted: one field with an age is enough", file: "gqlcache/document.go",
		old: "Policy.MaxAge >= 0 && !d.Operation.Policy.Default", new: "Policy.MaxAge >= 0",
		test: "TestOnlyHinted$",
	},
	{
		name: "hinted: a value without an age is kept", file: computedFillFile,
		old: "case c.opts.OnlyHinted && q.set.ttl == 0 && said.maxAge == 0:", new: "case false:",
		test: "TestOnlyHintedValues$",
	},
	{
		name: "schema: header fields are no part of the key", file: "gqlcache/query.go",
		old: "	if len(d.headers) == 0 {\n", new: "	if len(d.headers) >= 0 {\n",
		test: "TestVaryInTheSchema$",
	},
	{
		name: "schema: values are for all header fields", file: valuesKeyFile, in: "gqlcache",
		old: "s.Headers != \"\" && !s.All", new: "false && !s.All",
		test: "TestVaryOfValues$",
	},
	{
		name: "schema: an inner operation has its own header", file: "gqlcache/query.go",
		old: "oc.Headers == nil || r != nil && r.outer != nil", new: "oc.Headers == nil || r == nil && r.outer != nil",
		test: "TestVaryInside$",
	},
	{
		name: "schema: header fields have no names in keys", file: "gqlcache/query.go",
		old: "binary.AppendUvarint(opkey.AppendPart(b, name), ", new: "binary.AppendUvarint(opkey.AppendPart(b, \"\"), ",
		test: "TestVaryOfSeveralHeaders$",
	},
	{
		name: "schema: what is not planned has values for all header fields", file: "gqlcache/document.go",
		old: "	if d == nil || d.Operation == nil {\n		return all\n", new: "	if d == nil || d.Operation == nil {\n		return nil\n",
		test: "TestVaryOfUncachedValues|TestVaryOfStreamedValues",
	},
	{
		name: "schema: what bypasses the cache has values for all header fields", file: "gqlcache/document.go",
		old: "		if d.Operation != nil {\n", new: "		if d.Bypass == \"\" {\n",
		test: "TestVaryOfUncachedValues/no_age",
	},
	{
		name: "schema: what is disabled removes other values than it computes", file: "gqlcache/document.go",
		old: "d == nil && own.operation", new: "false && own.operation",
		test: "TestRemovingVariedValuesBesideTheCache$",
	},
	{
		name: "schema: a value by header fields is a part of one for all", file: "gqlcache/computedask.go",
		old: "			q.whose |= varied\n			var ok bool\n", new: "			var ok bool\n",
		test: "TestVaryInsideOfForAll$",
	},
	{
		name: "schema: a value is removed in silence without its header", file: "gqlcache/computedask.go",
		old: "return q.unknownCaller(ReasonHeaders, k)", new: "q.why = ReasonHeaders\n				return nil",
		test: "TestRemovingVariedValues$",
	},
	{
		name: "schema: vary names the host, which no header has", file: "cascade/compile_policy.go",
		old: "case \"host\", ", new: "case ",
		test: "TestCompileFaults/vary_by",
	},
	{
		name: "schema: values that depend on header fields are in no list", file: "gqlcache/internal/values/parts.go",
		old: "	if kind == scopeHeaders {\n", new: "	if false {\n",
		test: "TestKeysDiffer$",
	},
	{
		name: "schema: one sMaxAge is enough", file: "cascade/policy.go", in: "gqlcache",
		old: "	if !w.edgeless {\n", new: "	if true {\n",
		test: "TestSMaxAge$",
	},
	{
		name: "schema: a resolver's age does not bound shared caches", file: answerHTTPFile,
		old: "age > 0 && k.stamp.bounded", new: "false",
		test: "TestSMaxAge/a_resolver_says_less",
	},
	{
		name: "schema: a field that does not say how stale it may be is as stale as others", file: "gqlcache/document.go",
		old: "(!p.StaleDefault || said < d.stale)", new: "(true || said < d.stale)",
		test: "TestStaleInTheSchema/another_field_says_nothing",
	},
	{
		name: "schema: what is around an inner operation hides its header fields", file: "gqlcache/query.go",
		old: "			r.refuseAround(ReasonPrivate)\n", new: "			_ = r\n",
		test: "TestVaryInside$",
	},
	{
		name: "patterns: a name is known before its first answer", file: patternsFile,
		old: "return since <= at", new: "return since <= at || true",
		test: "TestPatternMeetsComputation$",
	},
	{
		name: "patterns: a name without room is known", file: patternsFile,
		old: "			return false\n		}\n		if n.since == nil", new: "			return true\n		}\n		if n.since == nil",
		test: "TestOperationsMatching$",
	},
	{
		name: "patterns: what others have stored is under names that are known", file: computeFile,
		old: "f.reads.Coarse, named)), cascade.OtherOperations)", new: "f.reads.Coarse, named)))",
		test: "TestPatternsBetweenInstances$",
	},
	{
		name: "patterns: values are under names that are known", file: patternsFile,
		old: "if !q.c.valueNames.knew(q.name, token, q.c.clock.Seq) {", new: "if !q.c.valueNames.knew(q.name, token, q.c.clock.Seq) && false {",
		test: "TestPatternMeetsValue$|TestComputedMatching$",
	},
	{
		name: "patterns: values in what others have stored are under names that are known", file: patternsFile,
		old: "		s.Coarse = append(slices.Clip(s.Coarse), cascade.OtherValues) // it may be a part of s.Tags\n", new: "		_ = slices.Clip(s.Coarse)\n",
		test: "TestValuePatternsBetweenInstances$",
	},
	{
		name: "patterns: the names of values are the publisher's", file: patternsFile,
		old: "			p.values = addPattern(p.values, t.Text)\n", new: "			tags = append(tags, cascade.OtherValues)\n",
		test: "TestValuePatternsBetweenInstances$",
	},
	{
		name: "patterns: names are looked for once", file: "gqlcache/internal/fleet/texts.go",
		old: "	if len(words) == 0 {\n		return number", new: "	if len(words) >= 0 {\n		return number",
		test: "TestTextsAreLookedForAgain$",
	},
	{
		name: "patterns: the names are the publisher's", file: "gqlcache/internal/fleet/record.go", in: "gqlcache",
		old: "	r.texts, r.tags, ok = cutWords(r.tags, textsMark)", new: "	_, r.tags, ok = cutWords(r.tags, textsMark)",
		test: "TestPatternsBetweenInstances$",
	},
	{
		name: "patterns: answers do not fall with their tenant", file: patternsFile,
		old: "	if t, ok := who.partition.Tag(); ok {\n", new: "	if t, ok := who.partition.Tag(); ok && false {\n",
		test: "TestTenantChange$",
	},
	{
		name: "patterns: values do not fall with their tenant", file: computedFillFile,
		old: "q.part().Tag(); ok && q.tenanted {", new: "q.part().Tag(); ok && false {",
		test: "TestTenantChange$",
	},
	{
		name: "policies: values heed none", file: computedAskFile,
		old: "return wanted{policy: q.c.known(*said)}", new: "return wanted{}",
		test: "TestComputedPolicies$",
	},
	{
		name: "policies: the values of a refreshed operation stay", file: computedAskFile,
		old: "return wanted{policy: own.wants.policy, client: own.wants.client}", new: "return wanted{}",
		test: "TestRefreshedValues$",
	},
}
