package main

const (
	pathFile   = footprintDir + "observe/path.go"
	placesFile = footprintDir + "catalog/places.go"
	pathsTest  = "TestPathsArePostgresOwn"
)

// tenantRules are those without which rows of two schemas are taken for one, or a statement for one of another schema.
var tenantRules = []mutant{
	{
		name: "tenants: a statement that was not understood sets no search_path", file: pathFile, in: footprintTests,
		old: `return a.Moves || a.Unknown != "" && !a.ReadsOnly`, new: `return a.Moves`,
		test: pathsTest,
	},
	{
		name: "tenants: triggers set no search_path", file: footprintDir + "analysis/trigger.go",
		old: "z.out.Moves = z.out.Moves || b.moves(i)", new: "_ = i",
		test: "TestTriggersOfSchemas",
	},
	{
		name: "tenants: a rollback finds again what was lost", file: pathFile, in: footprintTests,
		old: "		s.tx.before = withoutPath(s.tx.before)\n", new: "",
		test: "TestPathsThatAreLost",
	},
	{
		name: "tenants: statements that are sent together see each other's settings", file: pathFile, in: "gqlcache/footprint/footprintpgx",
		old: "len(texts) > 1 && slices.ContainsFunc(texts, s.o.moves)", new: "false",
		test: "TestTenants$",
	},
	{
		name: "tenants: a transaction that has failed was committed", file: footprintDir + "observe/session.go",
		old: "case s.tx.erred: // PostgreSQL", new: "case false: // PostgreSQL",
		test: "TestCommitThatRollsBack",
	},
	{
		name: "tenants: set_config is always called", file: footprintDir + "analysis/functions.go",
		old: "c.Sure = c.Sure && plain && calls == len(z.out.SetConfigs)", new: "c.Sure = c.Sure || plain",
		test: "TestSureSettings",
	},
	{
		name: "tenants: every role may use every schema", file: placesFile,
		old: `path.Role != "" && path.Role == p.reader && at.usable`, new: `at.usable`,
		test: "TestPlaces",
	},
	{
		name: "tenants: a plan that is older than a table has found it", file: placesFile, in: footprintTests,
		old: ` && !p.young(s, name, path.Since)`, new: ``,
		test: "TestTenantsOfOldPlans",
	},
	{
		name: "tenants: a schema that is not in the catalog does not exist", file: placesFile,
		old: "		case at == nil:\n			return \"\", s, false\n", new: "		case at == nil:\n",
		test: "TestPlaces",
	},
	{
		name: "tenants: rows of a tree are of the part's schema", file: placesFile,
		old: "			at.scattered = true\n", new: "",
		test: "TestPlaces",
	},
	{
		name: "tenants: names of a statement may be of two schemas", file: pathFile, in: footprintTests,
		old: `schema != "" && schema != at`, new: "false",
		test: "TestTenantsProperty$",
	},
	{
		name: "tenants: a hook of the driver's is seen", file: "gqlcache/footprint/footprintsql/hooked.go", in: footprintTests,
		old: `return code == nil || !strings.HasPrefix(code.Name(), stdlib+".")`, new: `return code == nil`,
		test: "TestTenantsOfHooks",
	},
	{
		name: "tenants: the key check sees no schema that nobody has set", file: footprintDir + "observe/check.go", in: footprintTests,
		old: "	e.underPath(f.Setting, f.Unsaid)\n", new: "",
		test: "TestTenantsThatTheKeyForgets",
	},
	{
		name: "tenants: a change of an unknown schema reaches no tenant", file: footprintDir + "rowtag/publish.go",
		old: "if e.Home == 0 && t.table.Ambiguous {", new: "if false {",
		test: "TestHomes$",
	},
	{
		name: "tenants: a change of a tenant reaches nobody without one", file: footprintDir + "rowtag/home.go",
		old: "	f(0)\n	if e.Home != 0 {", new: "	if e.Home == 0 {\n		f(0)\n	} else {",
		test: "TestHomes$",
	},
	{
		name: "tenants: shapes are taken out, and tenants stay", file: evictFile,
		old: "if len(r.list) > n && t.table.Ambiguous {", new: "if len(r.list) < n {",
		test: "TestRetiredTagsOfHomes",
	},
	{
		name: "tenants: a tenant does not travel", file: footprintDir + "rowtag/encode.go",
		old: "		e.Home, coarse.Home = Home(home.Hash), Home(home.Hash)\n", new: "",
		test: "TestHomes$",
	},
	{
		name: "tenants: the rows of a view are of the schema of the statement", file: footprintDir + "analysis/several.go",
		old: "return last < 0 || z.owned[last] && n.Schema == z.views[last].Schema", new: "return last < 0 || n.Name != \"\"",
		test: "TestInOneSchema",
	},
	{
		name: "tenants: a trigger's function finds names as the statement does", file: footprintDir + "analysis/trigger.go",
		old: `if z.astray == 0 && !isOp(b.at(i-1), ".") {`, new: `if !isOp(b.at(i-1), ".") {`,
		test: "TestTriggersOfSchemas",
	},
	{
		name: "tenants: what refers to a row is of its schema", file: footprintDir + "analysis/effects.go",
		old: "if child.Ambiguous && (!t.Ambiguous || !key.Same) {", new: "if false {",
		test: "TestTriggersOfSchemas",
	},
	{
		name: "tenants: a foreign key of one schema holds in all", file: footprintDir + "catalog/merge.go",
		old: "f.Within = within == n && n == max(t.schemas, 1)", new: "f.Within = within == n",
		test: "TestKeysWithin",
	},
	{
		name: "tenants: an alias is the schema of its name", file: placesFile,
		old: "if i+1 == len(tokens) || tokens[i+1].kind != '.' {", new: "if i+1 == len(tokens) {",
		test: "TestSpelled",
	},
	{
		name: "tenants: nobody says that a schema is not known", file: pathFile, in: footprintTests,
		old: "		e.found(UnknownSchema, why)\n", new: "",
		test: "TestTenantsThatAreNotKnown",
	},
}
