package main

const preparedFile = "gqlcache/footprint/internal/observe/prepared.go"

// hostileRules are about what clients, other programs and platforms may do to a server.
var hostileRules = []mutant{
	{
		name: "observe: what was prepared before under a gid stands for what is prepared now", file: preparedFile,
		old: "		w.forget(gid)\n		if err == nil && s.unsure == \"\" {", new: "		if err == nil && s.unsure == \"\" {",
		test: "TestPreparedUnderTheSameName",
	},
	{
		name: "observe: transactions that other processes have ended keep later ones out", file: preparedFile,
		old: "		w.forget(w.order[0])\n", new: "		return\n",
		test: "TestPreparedMakeRoom",
	},
	{
		name: "observe: a statement is refused with its values", file: "gqlcache/footprint/internal/observe/memo.go",
		old: "maphash.String(textSeed, o.normalizeTo(st, x.text, 2*len(x.text)))", new: "maphash.String(textSeed, x.text)",
		test: "TestRefusalsOfOneStatement",
	},
	{
		name: "observe: statements that begin alike are refused together", file: "gqlcache/footprint/internal/observe/memo.go",
		old: "maphash.String(textSeed, o.normalizeTo(st, x.text, 2*len(x.text)))", new: "maphash.String(textSeed, o.normalizeTo(st, x.text, maxFindingText))",
		test: "TestRefusalsOfOneStatement",
	},
	{
		name: "patterns: each of them is kept, however many", file: patternsFile,
		old: "	case pattern == \"*\", len(list) == maxPatterns:", new: "	case pattern == \"*\":",
		test: "TestPatternsOfAChange$",
	},
	{
		name: "patterns: beyond the bound they are forgotten", file: patternsFile,
		old: "	case pattern == \"*\", len(list) == maxPatterns:\n		return []string{\"*\"}", new: "	case len(list) == maxPatterns:\n		return list",
		test: "TestManyPatterns$|TestPatternsOfAChange$",
	},
	{
		name: "patterns: a repeated one is one more", file: patternsFile,
		old: "	case slices.Contains(list, pattern), len(list) == 1", new: "	case len(list) == 1",
		test: "TestManyPatterns$|TestPatternsOfAChange$",
	},
	{
		name: "callers: credentials of websockets are members of the first message alone", file: "gqlcache/callerwatch.go",
		old: "map[string]any(transport.GetInitPayload(ctx)), maxPayloadDepth)", new: "map[string]any(transport.GetInitPayload(ctx)), 2)",
		test: "TestCallersOfWebsockets$",
	},
	{
		name: "http: any text may be the name of a header", file: "gqlcache/http.go",
		old: "		if !wire.IsToken(name) {", new: "		if name == \"\" {",
		test: "TestOptionsRefused$",
	},
	{
		name: "http: encodings beyond the bound are left out in silence", file: "gqlcache/http.go",
		old: "	if len(o.Encodings) > wire.MaxEncodings {", new: "	if false {",
		test: "TestOptionsRefused$",
	},
}
