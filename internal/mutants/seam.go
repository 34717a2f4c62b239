package main

const observeFile = "gqlcache/observe.go"

// seamRules are about what the cache makes of statements: see gqlcache/observe.go.
var seamRules = []mutant{
	{
		name: "seam: what was read is not among the tags", file: computeFile, in: footprintTests,
		old: "	tags = f.seen.add(tags)\n", new: "",
		test: "TestCommitsThroughTheHandle",
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
		name: "seam: a commit is applied when the log has it", file: "gqlcache/publish.go", in: footprintTests,
		old: "		p.Number = c.fleet.Apply(what)\n		p.Shared", new: "		p.Shared",
		test: "TestCommitsDoNotWaitForTheLog",
	},
}
