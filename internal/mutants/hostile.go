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
}
