package main

const footprintExpressions = footprintDir + "catalog/expressions.go"

// expressionRules are those by which what a default or a check does is known.
var expressionRules = []mutant{
	{
		name: "footprint: a default writes nothing", in: footprintTests,
		file: footprintDir + "catalog/postgres.go",
		old:  "p.readPolicies, p.readExpressions,", new: "p.readPolicies,",
		test: "TestExpressionsThatWrite",
	},
	{
		name: "footprint: a function behind an operator writes nothing", in: footprintTests,
		file: footprintExpressions,
		old:  " OR f.oid = o.oprcode)", new: ")",
		test: "TestExpressionsThatWrite",
	},
	{
		name: "footprint: a function that calls another writes nothing", in: footprintTests,
		file: footprintExpressions,
		old:  "own && p.writes(called, within) ||", new: "own && false ||",
		test: "TestExpressionsThatWrite",
	},
	{
		name: "footprint: a domain over another has checks of its own alone", in: footprintTests,
		file: footprintExpressions,
		old:  "UNION SELECT t.oid, w.domain FROM within w", new: "UNION SELECT t.oid, t.oid FROM within w",
		test: "TestExpressionsThatWrite",
	},
	{
		name: "footprint: what a policy checks writes nothing", in: footprintTests,
		file: footprintExpressions,
		old:  "r.polwithcheck IS NOT NULL", new: "false",
		test: "TestExpressionsThatWrite",
	},
	{
		name: "footprint: a function behind a view writes nothing", in: footprintTests,
		file: footprintExpressions,
		old:  "len(p.behind[t.text]) > 0 &&", new: "false &&",
		test: "TestExpressionsThatWrite",
	},
	{
		name: "footprint: a query that calls a function which is not known writes nothing", in: footprintTests,
		file: footprintDir + "analysis/analyze.go",
		old:  "*reads = *reads && z.quiet(x.Name)", new: "*reads = *reads && (z.quiet(x.Name) || true)",
		test: "TestExpressionsThatWrite",
	},
	{
		name: "footprint: a query that calls a function which is not known drops everything", in: footprintTests,
		file: footprintDir + "analysis/analyze.go",
		old:  "*reads = *reads && z.quiet(x.Name)", new: "*reads = *reads && z.quiet(x.Name) && false",
		test: "TestExpressionsThatWrite",
	},
	{
		name: "observe: a statement explains fields of the root of its name", in: footprintTests, file: "gqlcache/observe.go",
		old: "			leave = rec.Recording.LeaveRoot\n", new: "",
		test: "TestMapOfTheProcess",
	},
	{
		name: "observe: a statement explains all objects of a field", in: observeIn, file: footprintDir + "observe/together.go",
		old: "return len(of) > 0 && (", new: "return false && (",
		test: "TestLoadedTogether",
	},
	{
		name: "observe: tables that were read before a field are looked at", in: observeIn, file: footprintDir + "observe/together.go",
		old: "e.st != nil && (e.ended == 0 || e.ended >= entered)", new: "e.st != nil && e.ended+1 > 0",
		test: "TestLoadedTogether",
	},
	{
		name: "observe: objects of all types have keys of one table", in: observeIn, file: footprintDir + "observe/together.go",
		old: "return objectKey{v.Type(), idOf(v)}", new: "return objectKey{nil, idOf(v)}",
		test: "TestLoadedTogether",
	},
	{
		name: "observe: a few numbers make a table", in: observeIn, file: footprintDir + "observe/together.go",
		old: "return 2*n <= len(x.keys)", new: "return n == 0",
		test: "TestLoadedTogether",
	},
}
