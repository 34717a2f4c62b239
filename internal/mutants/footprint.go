package main

const (
	footprintDir   = "gqlcache/footprint/internal/"
	footprintTests = "gqlcache/footprint/e2e" // a nested module
)

// footprintRules are those by which what was read meets what was written. The property test
// draws its statements from the same seeds each time.
var footprintRules = []mutant{
	{
		name: "footprint: a read relies on a shape that writers may not have known",
		file: footprintDir + "rowtag/subscribe.go",
		old:  "sh == nil || sh.born > r.Since { // a shape", new: "sh == nil { // a shape",
		test: "TestLateShape",
	},
	{
		name: "footprint: columns that are merely selected are not read, SQLite", in: footprintTests,
		file: footprintDir + "analysis/scope.go",
		old:  "			n.m.ref.Selected |= bit\n", new: "			n.m.ref.Selected |= 0 * bit\n",
		test: "TestAuthorizer$",
	},
	{
		name: "footprint: columns that are merely selected are not read, PostgreSQL", in: footprintTests,
		file: footprintDir + "analysis/scope.go",
		old:  "			n.m.ref.Selected |= bit\n", new: "			n.m.ref.Selected |= 0 * bit\n",
		test: "TestDependencies$",
	},
	{
		name: "footprint: of what a statement sets only the last is written", in: footprintTests,
		file: footprintDir + "analysis/write.go",
		old:  "			changed |= catalog.Bit(c)\n", new: "			changed = catalog.Bit(c)\n",
		test: "TestAuthorizer$",
	},
	{
		name: "footprint: what triggers do is not in the analysis", in: footprintTests,
		file: footprintDir + "analysis/write.go",
		old:  "	z.follow(t, w.Kind, w.Changed, In{})\n	w.Cascades", new: "	w.Cascades",
		test: "TestAuthorizer$",
	},
	{
		name: "footprint: what is said by OR is taken for what is said by AND", in: footprintTests,
		file: footprintDir + "analysis/terms.go",
		old:  "if p, test, rest := unlessNull(x); p != nil && r.unless == nil {",
		new:  "z.conjuncts(x.Left, s, r)\n			z.conjuncts(x.Right, s, r)\n			if p, test, rest := unlessNull(x); p != nil && r.unless == nil {",
		test: "TestProperty$/sqlite",
	},
	{
		name: "footprint: NOT IN is taken for IN", in: footprintTests,
		file: footprintDir + "analysis/terms.go",
		old:  "if !x.Not && z.member(x, s, r)", new: "if z.member(x, s, r)",
		test: "TestProperty$/sqlite",
	},
	{
		name: "footprint: any equal column makes two mentions one row", in: footprintTests,
		file: footprintDir + "analysis/finish.go",
		old:  " && t.Unique(e.from.column) &&", new: " &&",
		test: "TestProperty$/sqlite",
	},
	{
		name: "footprint: what foreign keys do is not published", in: footprintTests,
		file: footprintDir + "observe/write.go",
		old:  `if events, everything = cascade(events, &list[j], 0); everything != "" {`,
		new:  `if _, everything = cascade(nil, &list[j], 0); everything != "" {`,
		test: "TestProperty$/sqlite",
	},
	{
		name: "footprint: what triggers do is not published",
		file: footprintDir + "analysis/write.go",
		old:  "	z.follow(t, w.Kind, w.Changed, In{})\n	w.Cascades", new: "	w.Cascades",
		test: "TestTrigger",
	},
	{
		name: "footprint: a group of groups has the values of its rows", in: "gqlcache/footprint/internal/analysis",
		file: footprintDir + "analysis/query.go",
		old:  "	if slices.ContainsFunc(q.Group, isGroupingSets) {", new: "	if false && slices.ContainsFunc(q.Group, isGroupingSets) {",
		test: "TestStatements",
	},
	{
		name: "footprint: MERGE inserts rows, and does nothing else", in: footprintTests,
		file: footprintDir + "analysis/write.go",
		old:  "	w.replaces()\n	z.returning(s, w, sc)\n", new: "	w.Kind = Inserts\n	z.returning(s, w, sc)\n",
		test: "TestAnalysisPropertyPostgres",
	},
	{
		name: "footprint: a part of a COPY that affects no row has copied none", in: footprintTests,
		file: footprintDir + "analysis/write.go",
		old:  "		w.Plain = false\n	case s.Defaults:", new: "	case s.Defaults:",
		test: "TestCopyIsPublished",
	},
	{
		name: "footprint: a transaction that a function leaves open on pgx's connection is no doubt", in: footprintTests,
		file: footprintDir + "observe/pgstatus.go",
		old:  "return pg.TxStatus() == 'I' && !pg.IsBusy()", new: "return !pg.IsBusy()",
		test: "TestRawLeavesATransaction",
	},
	{
		name: "footprint: a function that has had the connection leaves no doubt",
		file: footprintDir + "observe/session.go",
		old:  "	if !idle {\n", new: "	if !idle && s.Idle == nil {\n",
		test: "TestReturned",
	},
	{
		name: "footprint: what is done after a function has had the connection is not published again",
		file: footprintDir + "observe/session.go",
		old:  "	s.told = false\n	if s.unsure != \"\" {", new: "	if s.unsure != \"\" {",
		test: "TestReturned",
	},
	{
		name: "footprint: a connection that broke after a function has had it is in no doubt",
		file: footprintDir + "observe/session.go",
		old:  "	s.told = false\n	if s.unsure == \"\" {", new: "	if s.unsure == \"\" {",
		test: "TestReturned",
	},
	{
		name: "footprint: a size of a table is no data", in: "gqlcache/footprint/internal/analysis",
		file: footprintDir + "analysis/functions.go",
		old:  "	case asks:\n		fail(\"function %s reads anything\", f.Name)\n", new: "	case asks:\n		z.volatile(f.Name)\n",
		test: "TestStatements",
	},
	{
		name: "footprint: a search does not read the table of the texts", in: "gqlcache/footprint/internal/analysis",
		file: footprintDir + "analysis/query.go",
		old:  "		z.content(t)\n", new: "",
		test: "TestStatements",
	},
	{
		name: "footprint: MATCH searches whatever is on its left", in: "gqlcache/footprint/internal/analysis",
		file: footprintDir + "analysis/expr.go",
		old:  "return ok && b.mention != nil && b.mention.ref.Table.Contained", new: "return ok",
		test: "TestStatements",
	},
	{
		name: "footprint: a trigger that keeps a search's table writes no other one", in: footprintTests,
		file: footprintDir + "analysis/effects.go",
		old:  "	for i := range t.Triggers {\n", new: "	for i := range t.Triggers {\n		if t.Name == \"memos\" {\n			break\n		}\n",
		test: "TestSearches$",
	},
	{
		name: "catalog: any module of virtual tables keeps its rows itself",
		file: footprintDir + "catalog/scan.go",
		old:  "	if options == nil {\n		return false, \"\"\n	}\n", new: "",
		test: "TestContained",
	},
	{
		name: "catalog: options of virtual tables do not matter",
		file: footprintDir + "catalog/scan.go",
		old:  "		if !options[name] {\n			return false, \"\"\n		}\n", new: "",
		test: "TestContained",
	},
	{
		name: "catalog: triggers of shadow tables do not matter", in: footprintTests,
		file: footprintDir + "catalog/sqlite.go",
		old:  "				if len(r.table.Triggers) > 0 {", new: "				if false {",
		test: "TestCatalogSQLite",
	},
	{
		name: "footprint: a row leaves a set silently", in: footprintTests,
		file: footprintDir + "rowtag/publish.go",
		old:  "			dst = p.side(dst, sh, e.Old, e.New, catalog.Vanished)\n", new: "",
		test: "TestProperty$/sqlite",
	},
	{
		name: "footprint: only the first row is read", in: footprintTests,
		file: footprintDir + "observe/read.go",
		old:  "	rd.rows++\n", new: "	if rd.rows++; rd.rows > 1 {\n		return\n	}\n",
		test: "TestProperty$/sqlite",
	},
	{
		name: "footprint: a constraint that replaces rows is taken for one that refuses them",
		file: footprintDir + "analysis/write.go",
		old:  "if t.Replaces && w.Kind != Deletes {", new: "if false {",
		test: "TestConstraintsThatReplace",
	},
	{
		name: "footprint: the query for row images locks what the statement does not", in: footprintTests,
		file: footprintDir + "observe/images.go",
		old:  `		return " FOR NO KEY UPDATE"`, new: `		return " FOR UPDATE"`,
		test: "TestImagesDeadlockNothing/columns",
	},
	{
		name: "footprint: row images of a statement that sets a key", in: footprintTests,
		file: footprintDir + "observe/images.go",
		old:  "s.o.opts.Dialect == catalog.PostgreSQL && setsKey(w)", new: "false && setsKey(w)",
		test: "TestImagesDeadlockNothing/the_same_key",
	},
	{
		name: "footprint: any function of an extension makes an aggregate pure", in: footprintTests,
		file: footprintDir + "catalog/postgres.go",
		old:  `AND (s.provolatile <> 'i' OR sl.lanname NOT IN ('internal', 'c'))))::text`, new: `AND s.provolatile <> 'i'))::text`,
		test: "TestCatalogFunctions",
	},
}
