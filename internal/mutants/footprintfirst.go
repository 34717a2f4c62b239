package main

// Conditions that a parameter turns off, the first rows of several sets, and the arguments
// that both look at.
const (
	firstFile    = "gqlcache/footprint/internal/analysis/first.go"
	firstRowFile = "gqlcache/footprint/internal/observe/first.go"
	takenFile    = "gqlcache/footprint/internal/observe/taken.go"
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
		old: "		if x.first.offset > 0 { // one", new: "		if x.first.offset < 0 { // one",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: each of several columns is taken for that of the order", in: observeIn, file: firstFile,
		old: "n != nil && *n == (node{one.inner, one.column})", new: "n != nil",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: sets of the rows that are shown are taken for one set", in: observeIn, file: firstFile,
		old: "				ok = f.node.m == one.inner\n", new: "",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: rows that are joined with others count once", in: observeIn, file: firstFile,
		old: "		default:\n			return\n		}\n	}\n	if rows", new: "		}\n	}\n	if rows",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: a column of another name is taken for that of the order", in: observeIn, file: firstFile,
		old: "			return nil\n		}\n	}\n	t, column", new: "		}\n	}\n	t, column",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: a condition that may fail is off although it is evaluated", in: observeIn, file: "gqlcache/footprint/internal/analysis/terms.go",
		old: "if z.option == nil && (test == x.Left || cannotFail(rest)) {", new: "if z.option == nil {",
		test: "TestConditionsThatAreOff",
	},
	{
		name: "footprint: an expression that may fail is off although it is evaluated", in: observeIn, file: "gqlcache/footprint/internal/analysis/scope.go",
		old: "	if o.node == nil { // an expression", new: "	if false { // an expression",
		test: "TestConditionsThatAreOff",
	},
	{
		name: "footprint: a blob is taken for the number that its text says", file: "gqlcache/footprint/internal/rowtag/value.go",
		old: "		return 0, false\n	case isBool:", new: "		text = string(b)\n	case isBool:",
		test: "TestValueOf",
	},
	{
		name: "footprint: a page that ends with a text ends with 0", file: "gqlcache/footprint/internal/observe/read.go",
		old: "				x.last = 0 // a text", new: "				// a text",
		test: "TestFirstRowsOfSets",
	},
	{
		name: "footprint: a nil that binds a value is taken for NULL", file: takenFile,
		old: "rv.Kind() == reflect.Pointer && rv.IsNil() && rv.Type().Elem().Implements(reflect.TypeFor[driver.Valuer]())", new: "rv.Kind() == reflect.Pointer && rv.IsNil()",
		test: "TestTaken",
	},
	{
		name: "footprint: a pointer to nil is taken for NULL", file: takenFile,
		old: "		if isNull(x) { // JSON's null, maybe\n			return strange{}\n		}\n", new: "",
		test: "TestTaken",
	},
	{
		name: "footprint: a type that pgx asks in another way counts as what it says to database/sql", file: takenFile,
		old: "if err != nil || encodes(t) {", new: "if err != nil {",
		test: "TestTaken",
	},
	{
		name: "footprint: the method of an argument's type is not asked", file: takenFile,
		old: "	if valuer, ok := v.(driver.Valuer); ok {", new: "	if valuer, ok := v.(driver.Valuer); ok && rv.Kind() == reflect.Pointer {",
		test: "TestArgumentsOfOwnTypes",
	},
	{
		name: "footprint: a text that says another text of itself counts as what it is made of", file: takenFile,
		old: "case encodes(rv.Type()), renamed(v, rv):", new: "case encodes(rv.Type()):",
		test: "TestTaken",
	},
	{
		name: "footprint: a statement that an argument rewrites is taken for what it was", in: observeIn, file: "gqlcache/footprint/internal/observe/execution.go",
		old: "	if rewritten {", new: "	if false && rewritten {",
		test: "TestOptionsOfDrivers",
	},
	{
		name: "footprint: the arguments behind options keep their numbers", file: takenFile,
		old: "		rest[i].Ordinal -= n\n", new: "		rest[i].Ordinal -= 0\n",
		test: "TestOptionsOfDrivers",
	},
}
