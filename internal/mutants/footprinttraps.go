package main

const (
	footprintSession = footprintDir + "observe/session.go"
	footprintPath    = footprintDir + "observe/path.go"
	footprintEffects = footprintDir + "analysis/effects.go"
	footprintTrigger = footprintDir + "analysis/trigger.go"
)

// trapRules are those by which search_path is not known.
var trapRules = []mutant{
	{
		name: "tenants: set_config in RETURNING has run", in: footprintTests,
		file: footprintDir + "analysis/analyze.go",
		old:  "	if z.out.Kind != sqlparse.Select || z.out.Unknown != \"\" {", new: "	if false {",
		test: "TestTenantsTraps/set_config",
	},
	{
		name: "tenants: a foreign key acts as who has written", in: footprintTests,
		file: footprintEffects,
		old:  "	z.astray++ // a foreign key acts as the owner of the table\n	defer func() { z.astray-- }()\n", new: "",
		test: "TestTenantsTraps/a_trigger_that_a_foreign_key_fires",
	},
	{
		name: "tenants: a trigger below another has the statement's path", in: footprintTests,
		file: footprintTrigger,
		old:  "	if tr.Path {\n		z.astray++\n		defer func() { z.astray-- }()\n	}\n", new: "",
		test: "TestTenantsTraps/a_trigger",
	},
	{
		name: "tenants: what was followed under one path is followed under another", in: footprintTests,
		file: footprintEffects,
		old:  "effect{t, kind, changed, in, z.astray > 0}", new: "effect{t, kind, changed, in, false}",
		test: "TestTenantsTraps/a_trigger_twice",
	},
	{
		name: "tenants: a deferred trigger runs at once", in: footprintTests,
		file: footprintDir + "catalog/postgres.go",
		old:  "(t.tgdeferrable OR f.prosecdef", new: "(f.prosecdef",
		test: "TestTenantsTraps/a_deferred_trigger_runs",
	},
	{
		name: "tenants: SET role of a function does not matter", in: footprintTests,
		file: footprintDir + "catalog/postgres.go",
		old:  "IN ('search_path', 'role', 'session_authorization')", new: "IN ('search_path')",
		test: "TestTenantsTraps/a_trigger's_function",
	},
	{
		name: "tenants: a deferred trigger does not set the path at the commit", in: footprintTests,
		file: footprintSession,
		old:  "case !s.tx.open || s.tx.moves:", new: "case !s.tx.open:",
		test: "TestTenantsTraps/a_deferred_trigger_sets",
	},
	{
		name: "tenants: SET CONSTRAINTS runs nothing", in: footprintTests,
		file: footprintPath,
		old:  "	lose = lose || s.tx.moves && e.a.Set != nil", new: "	lose = lose || false && e.a.Set != nil",
		test: "TestTenantsTraps/a_deferred_trigger_sets",
	},
	{
		name: "footprint: a text of several statements begins no transaction, whatever they are", in: "gqlcache/footprint/internal/analysis",
		file: "gqlcache/footprint/internal/analysis/script.go",
		old:  "		default:\n			return nil\n", new: "		default:\n",
		test: "TestScripts",
	},
	{
		name: "footprint: a text of several statements leaves the connection in doubt", in: "gqlcache/footprint/internal/analysis",
		file: "gqlcache/footprint/internal/analysis/analyze.go",
		old:  "s := script(text, dialectOf(c.Dialect)); s != nil", new: "s := script(text, dialectOf(c.Dialect)); s != nil && false",
		test: "TestScripts",
	},
	{
		name: "tenants: no transaction is left open", in: footprintTests,
		file: footprintSession,
		old:  "	if open, _ := s.inTransaction(); open {\n", new: "	if false {\n",
		test: "TestTenantsTraps/a_transaction_that_the_application_leaves_open",
	},
	{
		name: "tenants: a rollback of nothing takes nothing back", in: footprintTests,
		file: footprintSession,
		old:  "	} else { // what began it was not seen\n		s.LosePath()\n	}\n", new: "	}\n",
		test: "TestTenantsTraps/SET_in_a_transaction_that_the_application_leaves_open",
	},
	{
		name: "tenants: a driver's wrapper sends nothing of its own", in: footprintTests,
		file: "gqlcache/footprint/footprintsql/footprintsql.go",
		old:  "	c.foreign = always\n", new: "	c.foreign = always && false\n",
		test: "TestTenantsTraps/a_wrapper_of_the_driver",
	},
	{
		name: "tenants: a batch takes nothing back", in: "gqlcache/footprint/footprintpgx",
		file: footprintPath,
		old:  "case sqlparse.Commit, sqlparse.Rollback, sqlparse.RollbackTo, sqlparse.PrepareTransaction:\n		return true", new: "case sqlparse.Commit, sqlparse.Rollback, sqlparse.RollbackTo, sqlparse.PrepareTransaction:\n		return false",
		test: "TestTenantTraps/a_batch",
	},
	{
		name: "tenants: hooks of pgx's pool set nothing unseen", in: "gqlcache/footprint/footprintpgx",
		file: pgxDir + "pool.go",
		old:  "		f.unseen.Store(true) // what a hook does with PgConn\n", new: "",
		test: "TestTenantTraps/a_hook",
	},
	{
		name: "tenants: connections of Unwrap's pool set nothing unseen", in: "gqlcache/footprint/footprintpgx",
		file: pgxDir + "pool.go",
		old:  "	p.f.unseen.Store(true)\n", new: "",
		test: "TestTenantTraps/PgConn",
	},
	{
		name: "tenants: a path that is not known ends the key check",
		file: footprintDir + "keycheck/fill.go",
		old:  "		f.b.unsaid = true\n", new: "		f.b.over = true\n",
		test: "TestUnsaid",
	},
	{
		name: "tenants: a path that is not known is no matter",
		file: footprintDir + "keycheck/judge.go",
		old:  "	v.Coincidental = b.unsaid\n", new: "",
		test: "TestUnsaid",
	},
	{
		name: "tenants: a commit tells any number of schemas apart",
		file: footprintSession,
		old:  "	return homes >= maxHomes\n", new: "	return false\n",
		test: "TestCommitOfManySchemas",
	},
}
