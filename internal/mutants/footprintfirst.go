package main

// Conditions that a parameter turns off, and the first rows of several sets.
const (
	firstFile    = "gqlcache/footprint/internal/analysis/first.go"
	firstRowFile = "gqlcache/footprint/internal/observe/first.go"
	observeIn    = "gqlcache/footprint/internal/observe"
)

var footprintFirstRules = []mutant{
	{
		name: "footprint: a column of one condition that is off is off in all", file: "gqlcache/footprint/internal/observe/values.go",
		old: "return r.Where &^ (off &^ on)", new: "return r.Where &^ off",
		test: "TestConditionsThatAreOff",
	},
	{
		name: "footprint: a column is off that another condition uses", in: observeIn, file: "gqlcache/footprint/internal/analysis/finish.go",
		old: "if o.Columns &^= m.decides; o.Columns != 0 {", new: "if o.Columns != 0 {",
		test: "TestConditionsThatAreOff",
	},
	{
		name: "footprint: what follows a condition that can be off can be off, too", in: observeIn, file: "gqlcache/footprint/internal/analysis/terms.go",
		old: "defer func(o *sqlparse.Param) { z.option = o }(z.option)\n", new: "",
		test: "TestConditionsThatAreOff|TestFirstRowsOfSets",
	},
	{
		name: "footprint: sets count as full that are not", file: firstRowFile,
		old: " || e.rd.rows != f.most {", new: " {",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: elements that a list has twice count once", file: firstRowFile,
		old: "return int64(len(list)), true", new: "return int64(len(slices.Compact(list))), true",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: rows that were not read count as read", file: firstRowFile,
		old: "x.byKey || !complete || f.most == 0", new: "x.byKey || f.most == 0",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: a row without a key counts as shown", file: firstRowFile,
		old: "shown >= 0 && !e.rd.refs[shown].unkeyed && ", new: "shown >= 0 && ",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: a row that is shown does not depend on what makes it one of the first", file: firstRowFile,
		old: "		if shown := slices.Index(e.a.Refs, r.First.Shown); shown >= 0 {", new: "		if shown := -1; shown >= 0 {",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: a projection hides what makes a row one of the first", file: firstRowFile,
		old: "			x.hidden &^= where\n", new: "",
		test: "TestProjection$",
	},
	{
		name: "footprint: the window of several sets ends with the row that was read last", file: firstRowFile,
		old: "f.window = f.window.Further(w)", new: "f.window = w",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: rows that go from before a set's page do not move it", file: "gqlcache/footprint/internal/observe/read.go",
		old: "		if x.offset > 0 { // one", new: "		if x.offset < 0 { // one",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: each of several columns is taken for that of the order", in: observeIn, file: firstFile,
		old: " || *res.columns[0].node != n || n.column", new: " || n.column",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: sets of the rows that are shown are taken for one set", in: observeIn, file: firstFile,
		old: "				ok = f.node.m == m\n", new: "",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: rows that are joined with others count once", in: observeIn, file: firstFile,
		old: "		default:\n			return\n		}\n	}\n	if rows", new: "		}\n	}\n	if rows",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: a column of another name is taken for that of the order", in: observeIn, file: firstFile,
		old: "			return n, false\n		}\n	}\n	n = ", new: "		}\n	}\n	n = ",
		test: "TestFirstRowsOfSets",
	},
}
