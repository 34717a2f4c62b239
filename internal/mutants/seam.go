package main

const observeFile = "gqlcache/observe.go"

// seamRules are about what the cache makes of statements: see gqlcache/observe.go.
var seamRules = []mutant{
	{
		name: "seam: no context is a request's", file: observeFile, in: footprintTests,
		old: "	return ctx.Done()\n", new: "	return nil\n",
		test: "TestRowsOfMiddlewares",
	},
	{
		name: "seam: what was read is not among the tags", file: computeFile, in: footprintTests,
		old: "	tags = f.seen.add(tags)\n", new: "",
		test: "TestCommitsThroughTheHandle",
	},
	{
		name: "seam: code of a type sees the columns that are shown alone", file: "gqlcache/projection.go", in: footprintTests,
		old: "return slices.Contains(t.Types, fc.Object) }) {", new: "return false }) {",
		test: "TestDecides",
	},
	{
		name: "seam: a leaf is made of what it has read itself", file: "gqlcache/projection.go", in: footprintTests,
		old: "return !p.leaves[fc]", new: "return false",
		test: "TestDecides",
	},
	{
		name: "seam: a leaf shows the columns that others show alone", file: "gqlcache/projection.go", in: footprintTests,
		old: "		p.leaves[fc] = true\n		return nil", new: "		p.leaves[fc] = true\n		return p.all",
		test: "TestDecides",
	},
	{
		name: "seam: rows of other types show the same columns", file: "gqlcache/projection.go", in: footprintTests,
		old: "p.operation.ComesFrom(def.Type.Name(), &p.list[i])", new: "def != nil",
		test: "TestDecides",
	},
	{
		name: "seam: commits outside of operations are not heard", file: observeFile, in: footprintTests,
		old: "	c.publish(ctx, ch)\n	if commit.Uncertain {", new: "	if r != nil {\n		c.publish(ctx, ch)\n	}\n	if commit.Uncertain {",
		test: "TestCommitsThroughTheHandle",
	},
	{
		name: "seam: a mutation of which nothing was seen has written nothing", file: observeFile, in: footprintTests,
		old: "if wrote && !o.foreign", new: "if _ = wrote; !o.foreign",
		test: "TestMutationsThatAreNotSeen",
	},
	{
		name: "seam: a foreign field writes through handles alone", file: observeFile, in: footprintTests,
		old: "wrote && !o.foreign[fieldName{d.Operation.Extract.Root.Object.Name, f.Definition.Name}]", new: "wrote",
		test: "TestMutationsThatAreNotSeen",
	},
	{
		name: "seam: a commit outside of mutations is not named", file: observeFile, in: footprintTests,
		old: "	o.nameUnowned(ctx, &commit, r)\n", new: "",
		test: "TestPlantedFaults",
	},
	{
		name: "seam: a field that waits for the statement of another request is not named", file: footprintDir + "observe/recording.go", in: footprintTests,
		old: "			if e.own != nil && from == nil {", new: "			if false {",
		test: "TestPlantedFaults",
	},
	{
		name: "seam: the place of a shared statement is not looked for", file: footprintDir + "observe/memo.go", in: footprintTests,
		old: "	if x.shared.Load() &&", new: "	if false &&",
		test: "TestPlantedFaults",
	},
	{
		name: "seam: a set of rows that no directive names is not named", file: "gqlcache/observed.go", in: footprintTests,
		old: "	for _, set := range sets {\n", new: "	for _, set := range sets[:0] {\n",
		test: "TestPlantedFaults",
	},
	{
		name: "seam: a where of other columns is taken for that of the statement", file: footprintDir + "observe/reach.go", in: footprintTests,
		old: "r.Where&catalog.Bit(i) != 0 && same(r.Table.Columns[i].Name, field)", new: "r.Where&catalog.Bit(i) != 0",
		test: "TestPlantedFaults",
	},
	{
		name: "seam: an argument that is null counts as a condition", file: "cascade/projection.go", in: footprintTests,
		old: "null || !ok || maySelectAll(vals) {", new: "!ok && !null && vals != nil {",
		test: "TestPlantedFaults",
	},
	{
		name: "seam: the commits of the second face are named", file: footprintDir + "observe/reach.go",
		old: "r == outside {\n			return", new: "r == outside && false {\n			return",
		test: "TestUnowned",
	},
	{
		name: "seam: commits outside of mutations keep other findings away", file: footprintDir + "observe/findings.go",
		old: " && (kind != OutsideCommit || g.outside < maxOutside)", new: "",
		test: "TestUnowned",
	},
	{
		name: "seam: what is not committed is stored", file: observeFile, in: footprintTests,
		old: "	case fp.Uncommitted != \"\":\n", new: "	case false:\n",
		test: "TestReasonsOfStatements",
	},
	{
		name: "seam: a field without a statement is stored", file: observeFile, in: footprintTests,
		old: "everything && len(fp.Unexplained) > 0:", new: "everything && len(fp.Unexplained) > 99:",
		test: "TestReasonsOfStatements",
	},
	{
		name: "seam: the time is stored", file: observeFile, in: footprintTests,
		old: "everything && fp.Volatile != \"\" &&", new: "everything && fp.Volatile == \"-\" &&",
		test: "TestReasonsOfStatements",
	},
	{
		name: "seam: a report changes what is kept", file: observeFile, in: footprintTests,
		old: "	r.noteCommit(&commit)\n	if c.opts.Observe.ReportOnly {\n		return\n	}\n", new: "	r.noteCommit(&commit)\n",
		test: "TestReportOnly",
	},
	{
		name: "seam: what a middleware has read belongs to nobody", file: arrivalFile, in: footprintTests,
		old: "	if key == footprint.EarlyKey && a.cache.observing != nil && a.around == nil {\n		return &a.early\n	}\n", new: "",
		test: "TestReadByAMiddleware",
	},
	{
		name: "seam: a table that no catalog here has is reached by nothing", file: footprintDir + "observe/reach.go",
		old: "		if !slices.Contains(known, strange[i].TableHash) {", new: "		if false {",
		test: "TestReach$",
	},
	{
		name: "seam: shapes that are not at hand are not missed", file: footprintDir + "observe/reach.go",
		old: "		case o.loaded.Load(): // answers", new: "		case false: // answers",
		test: "TestReach$",
	},
	{
		name: "seam: what the log does not have yet does not keep shared answers away", file: "gqlcache/internal/fleet/shared.go",
		old: "	if f.ahead.meets(m.tags) {", new: "	if false {",
		test: "TestTakeOver$",
	},
	{
		name: "seam: a commit that waits for the log is not noted", file: "gqlcache/outside.go",
		old: "	g.ahead.Note(ch)\n", new: "",
		test: "TestCommitAheadOfTheLog",
	},
	{
		name: "seam: statements of a recomputation are everybody's", file: "gqlcache/recompute.go",
		old: "	observed, statements := c.record(ctx, r, nil)", new: "	observed := ctx\n	_, statements := c.record(ctx, r, nil)",
		test: "TestRecomputedStatements",
	},
	{
		name: "seam: what a long request has read grows", file: footprintDir + "observe/recording.go",
		old: "2*s.mergedCoarse+256", new: "2*s.mergedCoarse+1<<30", test: "TestLongEarly",
	},
	{
		name: "seam: rows that look like a record hide a change", file: "gqlcache/internal/fleet/record.go",
		old: "		if len(r.Tags) > 1 && r.Tags[1].Hash == namesMark {", new: "		if false {",
		test: "TestRowsLikeARecord",
	},
	{
		name: "seam: a write that is not declared is covered", file: "gqlcache/observed.go", in: footprintTests,
		old: "		ch.events = append(ch.events, c.wholeTables(missing)...)\n", new: "",
		test: "TestCoverTables",
	},
	{
		name: "seam: a write of anybody else's is covered", file: observeFile, in: footprintTests,
		old: "		ch.events = c.wholeTables(commit.Tables())\n", new: "",
		test: "TestCoverTables",
	},
	{
		name: "seam: a table that is not declared is covered", file: observeFile, in: footprintTests,
		old: "return all && !slices.ContainsFunc(", new: "return all || !slices.ContainsFunc(",
		test: "TestCoverTables",
	},
	{
		name: "seam: records have no rows", file: recordFile, in: footprintTests,
		old: "	if len(ch.Rows) > 0 {\n", new: "	if false {\n",
		test: "TestRowsBetweenInstances",
	},
	{
		name: "seam: rows of other instances are read by nobody", file: observeFile, in: footprintTests,
		old: "return footprint.Reach(tags, words, o.c.opts.Observe.Handles...)", new: "return tags, true",
		test: "TestRowsBetweenInstances",
	},
	{
		name: "seam: a commit is applied when the log has it", file: "gqlcache/outside.go", in: footprintTests,
		old: "	number = q.apply(ch)\n", new: "",
		test: "TestCommitsDoNotWaitForTheLog",
	},
}
