package main

const (
	scanFile        = "gqlcache/internal/plans/scan.go"
	shapeFile       = "gqlcache/internal/plans/shape.go"
	hooksFile       = "cascade/hooks.go"
	directivesFile  = "gqlcache/directives.go"
	plansFile       = "gqlcache/internal/plans/directives.go"
	bypassFile      = "gqlcache/internal/plans/plan.go"
	besideFile      = "gqlcache/beside.go"
	innerFile       = "gqlcache/inner.go"
	callersFile     = "gqlcache/callers.go"
	callerWatchFile = "gqlcache/callerwatch.go"
)

// keyRules bring back the ways in which an answer reached another caller, or lacked a part, on servers that are not the example.
var keyRules = []mutant{
	{
		name: "plan without the document's fragments", file: planCacheFile, in: "gqlcache",
		old: "if d.shape != s.shape {", new: "if false {",
		test: "TestRewrittenDocuments",
	},
	{
		name: "shape of the operation alone", file: shapeFile, in: "gqlcache",
		old: "	if doc == nil {", new: "	if doc != nil {",
		test: "TestRewrittenDocuments",
	},
	{
		name: "introspection below the root is kept", file: scanFile, in: "gqlcache",
		old: "			s.set(n.SelectionSet)\n		case *ast.InlineFragment:", new: "		case *ast.InlineFragment:",
		test: "TestNestedIntrospection",
	},
	{
		name: "run-time directives do not count", file: bypassFile, in: "gqlcache",
		old: `p.config.Directives.in(st, s, op) != ""`, new: `p.config.Directives.in(st, s, op) == "*"`,
		test: "TestDirectivesThatRun",
	},
	{
		name: "a name of Federation's is Federation's in every server", file: plansFile, in: "gqlcache",
		old: "uncovered := func(name string) bool { return d.uncovered(st, name) }\n	looked", new: "uncovered := func(name string) bool { return d.uncovered(st, name) && name != \"authenticated\" }\n	looked",
		test: "TestDirectivesThatRun",
	},
	{
		name: "an operation that an extension runs again gets nothing", file: "gqlcache/compute.go", in: "gqlcache",
		old: "	r.passed = true\n	resp, took =", new: "	resp, took =",
		test: "TestOperationsThatRunAgain",
	},
	{
		name: "directives of a server that a resolver holds are the server's", file: directivesFile, in: "gqlcache",
		old:  "		roots, all := directiveRoots(reflect.ValueOf(es), maxWrappers)\n",
		new:  "		root := findStruct(reflect.ValueOf(es), \"DirectiveRoot\", maxWrappers)\n		roots, all := []reflect.Value{root}, root.IsValid()\n",
		test: "TestDirectivesOfAnotherServer",
	},
	{
		name: "a wrapper has no schema that cannot be seen", file: directivesFile, in: "gqlcache",
		old: "		case mayGiveExecutable(f.Type(), depth):\n			all = false\n", new: "",
		test: "TestDirectivesOfAnotherServer",
	},
	{
		name: "names of Federation never run", file: hooksFile, in: "cascade",
		old: "(!slices.Contains(ofFederation, directive) || !isSubgraph(p.schema))", new: "!slices.Contains(ofFederation, directive)",
		test: "TestNamesOfFederation",
	},
	{
		name: "directives of input types do not count", file: hooksFile, in: "gqlcache",
		old: "		d.input(arg.Type)\n", new: "",
		test: "TestDirectivesThatRun",
	},
	{
		name: "directives of the client do not count", file: plansFile, in: "gqlcache",
		old: "	search.operation(s.Operation)\n", new: "	_ = search\n",
		test: "TestDirectivesThatRun",
	},
	{
		name: "the directives of the last server count alone", file: plansFile,
		old: "			known[name] = true\n", new: "			_ = name\n",
		test: "TestDirectives$",
	},
	{
		name: "keys are laid out otherwise than is written", file: keyFile,
		old: "const keyVersion = 2", new: "const keyVersion = 3",
		test: "TestKeyLayout",
	},
	{
		name: "a predicate and Vary parts meet", file: keyFile,
		old: "b = opkey.AppendPart(append(b, scopePredicate), s.Predicate)", new: "b = append(append(b, scopePredicate), s.Predicate...)",
		test: "TestKeyLayout",
	},
	{
		name: "nothing runs where nothing is known", file: directivesFile,
		old: "			return []string{plans.AllDirectives}, nil", new: "			return nil, nil",
		test: "TestDirectivesOfWrappedSchemas",
	},
	{
		name: "interceptors of fields are not seen", file: directivesFile,
		old: "field == 0 || codeOf(oc.ResolverMiddleware) != field || m.hooksRoots(oc)", new: "field == 0",
		test: "TestFieldHooksAreSaid",
	},
	{
		name: "extensions of resolvers are missing on hits", file: besideFile,
		old: "if len(resp.Extensions) > before.extensions || len(all) > before.extensions || !bytes.Equal(toldBy(all), before.told) {", new: "if _, _ = all, bytes.Equal; len(resp.Extensions) < before.extensions {",
		test: "TestSaidBesideTheData",
	},
	{
		name: "headers of resolvers are missing on hits", file: besideFile,
		old: "seen != before.seen || header != before.header", new: "seen != before.seen && header != before.header",
		test: "TestHeadersOfResolvers",
	},
	{
		name: "key is not made again where resolvers run", file: innerFile,
		old: " && c.sameKey(ctx, d, now, who, key)", new: "",
		test: "TestInnerExtensions",
	},
	{
		name: "document is not looked at where resolvers run", file: innerFile,
		old: "now.Operation == op && plans.ShapeOf(doc, op) == shape", new: "(now.Operation == op || plans.ShapeOf(doc, op) == shape)",
		test: "TestInnerExtensions",
	},
	{
		name: "starts without a word about callers", file: callersFile,
		old: `field := plan.NotPublic(); field != ""`, new: `field := plan.NotPublic(); field == "*"`,
		test: "TestWhoAreTheCallers",
	},
	{
		name: "callers are not compared", file: queryFile,
		old: "d.callers != nil && d.callers.doubts(ctx, oc, s)", new: "d.callers != nil && d.callers.doubts(ctx, oc, s) && false",
		test: "TestCallersWhoDoNotSeeTheSame",
	},
	{
		name: "entries are not compared", file: callerWatchFile,
		old: "		first = first || n <= firstEntries || n%laterEntries == 0\n", new: "		_ = n\n",
		test: "TestOneOfManyRowsDiffers",
	},
	{
		name: "callers who differ are not kept apart", file: queryFile,
		old: "if d.callers != nil && c.isStopped(d.callers) {", new: "if d.callers != nil && c.isStopped(d.callers) && false {",
		test: "TestCallersWhoDoNotSeeTheSame",
	},
	{
		name: "callers who join are not compared", file: computeFile,
		old: "d, key, out.Value, next); resp != nil {", new: "d, key, out.Value, next); resp != nil && false {",
		test: "TestCallersWhoJoin",
	},
	{
		name: "a change counts as a difference of callers", file: callerWatchFile,
		old: "	case caller == d.caller:\n		w.resume()\n", new: "	case caller == d.caller:\n",
		test: "TestChangesAreNoCallers",
	},
}
