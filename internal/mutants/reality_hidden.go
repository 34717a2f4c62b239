package main

const (
	executableFile = "gqlcache/internal/probe/executable.go"
	executionFile  = "gqlcache/internal/probe/execution.go"
	probeFile      = "extractor/probe.go"
	walkFile       = "extractor/walk.go"
	rootProbeFile  = "gqlcache/internal/probe/root.go"
	noticed        = "TestHiddenFieldsCannotBeNoticed$"
)

// hiddenRules are those of what the cache reads beside the client's operation.
var hiddenRules = []mutant{
	{
		name: "the client's operation is changed", file: computeFile,
		old:  "	rec = c.prober.Record(oc, d.probe, hooked)\n",
		new:  "	rec = c.prober.Record(oc, d.probe, hooked)\n	oc.Doc, oc.Operation = d.Operation.Extract.Doc, d.Operation.Extract.Operation\n",
		test: "TestOperationIsTheClients$",
	},
	{
		name: "hidden fields run in the client's execution", file: computeFile,
		old:  "	rec = c.prober.Record(oc, d.probe, hooked)\n",
		new:  "	rec = c.prober.Record(oc, d.probe, hooked)\n	oc.Doc, oc.Operation = d.Operation.Extract.Doc, d.Operation.Extract.Operation\n",
		test: noticed,
	},
	{
		name: "models are read when interceptors of root fields have returned", file: rootProbeFile, in: "gqlcache",
		old:  "	return rec.roots(ctx, func(ctx context.Context) graphql.Marshaler {\n		m := next(ctx)\n		rec.readRoot(ctx, field.Field.Alias)\n		return m\n	})\n",
		new:  "	m := rec.roots(ctx, next)\n	rec.readRoot(ctx, field.Field.Alias)\n	return m\n",
		test: "TestModelsThatLiveAsLongAsTheirRootField",
	},
	{
		name: "root fields on interfaces of the root type are left out", file: rootProbeFile,
		old: "implementors = append(implementors, def.Name)", new: "_ = def",
		test: "TestRootFieldsBelowInterfaces",
	},
	{
		name: "a root field of which nothing is read is left out", file: rootProbeFile, in: "gqlcache",
		old: "typ == nil || typ.IsLeafType() {", new: "typ == nil || typ.IsLeafType() || len(f.Selections) == 0 {",
		test: "TestModelsThatLiveAsLongAsTheirRootField",
	},
	{
		name: "parts of the probe are joined in another order than the answer's", file: rootProbeFile, in: "gqlcache",
		old: "range rec.probed.fields {", new: "range slices.Backward(rec.probed.fields) {",
		test: "TestModelsThatLiveAsLongAsTheirRootField",
	},
	{
		name: "hidden values reach marshalers of the server", file: executionFile, in: "gqlcache",
		old: "if ownScalars[typ.Name] && kindOf(rv.Type()) == kindBasic {", new: "if typ.Name != \"\" {",
		test: noticed,
	},
	{
		name: "text of a scalar that is bound to functions reaches them", file: executionFile, in: "gqlcache",
		old: "if typ.Kind == ast.Scalar && ownScalars[typ.Name] {", new: "if typ.Kind == ast.Scalar {",
		test: noticed,
	},
	{
		name: "resolvers and methods run for hidden fields", file: executionFile, in: "gqlcache",
		old: "if !fc.IsMethod && !fc.IsResolver && !guarded {", new: "if !guarded {",
		test: noticed,
	},
	{
		name: "resolvers run that nobody allowed", file: executionFile, in: "gqlcache",
		old: "case may && s.resolves:", new: "case may || s != nil:",
		test: noticed,
	},
	{
		name: "allowed resolvers pass the server's middlewares by", file: executionFile, in: "gqlcache",
		old: "return s.next(ctx, next) })", new: "return next(ctx) })",
		test: noticed,
	},
	{
		name: "directives run for hidden fields", file: probeFile, in: "gqlcache",
		old: "	if p.anyRuns(on.Directives) || p.anyRuns(f.Directives) {\n		return false\n	}\n", new: "",
		test: noticed,
	},
	{
		name: "directives of arguments run twice", file: probeFile, in: "gqlcache",
		old: "p.unsafe = p.unsafe || p.anyRuns(a.Directives)", new: "_ = a",
		test: noticed,
	},
	{
		name: "resolvers run twice", file: executionFile, in: "gqlcache",
		old: "	if absent(res.value) {\n		return quietNull{}, nil\n	}\n	return res.value, nil\n", new: "	_ = res\n	return next(ctx)\n",
		test: noticed,
	},
	{
		name: "resolvers on a path run beside the client's", file: executionFile, in: "gqlcache",
		old: "		if !own.bare {\n", new: "		if own.bare || !own.bare {\n",
		test: "TestHiddenKeysAreRight$",
	},
	{
		name: "what is around gqlgen's schema is executed twice", file: executableFile, in: "gqlcache",
		old: "	for range 10 {\n", new: "	if es != nil {\n		return es\n	}\n	for range 10 {\n",
		test: "TestForeignSchemasAreExecutedOnce$",
	},
	{
		name: "an answer and a probe with other objects", file: walkFile,
		old: "	if other {\n", new: "	if other && w == nil {\n",
		test: "TestWalkBeside$",
	},
	{
		name: "keys that disagree are not looked at", file: walkFile, in: "gqlcache",
		old: "case other.Key != nil && !bytes.Equal(own.Key, other.Key):", new: "case other.Key != nil && bytes.Equal(own.Key, nil):",
		test: "TestTranslatedKeys$",
	},
	{
		name: "what was stored under other keys stays", file: "gqlcache/hidden.go",
		old: "if err := c.Clear(context.WithoutCancel(ctx)); err != nil {", new: "if err := ctx.Err(); err != nil {",
		test: "TestTranslatedKeys$",
	},
	{
		name: "resolvers of another server run", file: executableFile, in: "gqlcache",
		old: "next.same = old.same && old.es == code", new: "next.same = old.same",
		test: "TestSharedCachesRunNobodysResolvers$",
	},
}
