package main

const pgxDir = "gqlcache/footprint/footprintpgx/" // a nested module

// pgxRules are those of the wrapper of pgx.
var pgxRules = []mutant{
	{
		name: "pgx: ts_rewrite of two arguments reads nothing", file: footprintDir + "analysis/functions.go",
		old: "&& len(f.Args) != 3", new: "&& len(f.Args) < 2",
		test: "TestBehindOperators", in: "gqlcache/footprint/footprintpgx",
	},
	{
		name: "pgx: an operator of users calls nothing", file: footprintDir + "analysis/expr.go",
		old: "	case *sqlparse.Binary:\n		z.behind(x)\n", new: "	case *sqlparse.Binary:\n",
		test: "TestBehindOperators", in: "gqlcache/footprint/footprintpgx",
	},
	{
		name: "footprint: a function with the name of an extension's reads nothing", file: footprintDir + "catalog/expressions.go",
		old: "calm[name] && !slices.ContainsFunc(p.sources[name], source.isText)", new: "calm[name]",
		test: "TestConstructs", in: "gqlcache/footprint/e2e",
	},
	{
		name: "observe: by time, what has ended is nobody's who begins", file: footprintDir + "observe/recording.go",
		old: "	reg.takeShared(r)\n", new: "",
		test: "TestByTimeOfThoseWhoStillRun", in: "gqlcache/footprint/internal/observe",
	},
	{
		name: "observe: by time, what computations that have ended had read is everybody's", file: footprintDir + "observe/recording.go",
		old: "g.ended[i].ended >= first; i-- {\n		if e := g.ended[i]; e.s.o.byTime()", new: "first > 0; i-- {\n		if e := g.ended[i]; e.s.o.byTime()",
		test: "TestByTimeOfThoseWhoStillRun", in: "gqlcache/footprint/internal/observe",
	},
	{
		name: "pgx: an operator with a schema calls nothing", file: footprintDir + "analysis/expr.go",
		old: "sign = sign[strings.LastIndexByte(sign, '.')+1:]; sign == \"\"", new: "sign == \"\"",
		test: "TestBehindOperators", in: "gqlcache/footprint/footprintpgx",
	},
	{
		name: "footprint: an operator of another schema is the database's own", file: footprintDir + "sqlparse/expr.go",
		old: "	if schema == \"pg_catalog\" {\n		return t.Text", new: "	if schema != \"\" {\n		return t.Text",
		test: "TestCustomOperators", in: "gqlcache/footprint/internal/sqlparse",
	},
	{
		name: "footprint: an operator that is not built in binds as a comparison", file: footprintDir + "sqlparse/expr.go",
		old: "!ok && t.isCustom() {\n		return levels.other, true", new: "!ok && t.isCustom() {\n		return levels.compare, true",
		test: "TestCustomOperators", in: "gqlcache/footprint/internal/sqlparse",
	},
	{
		name: "pgx: an operator before its operand calls nothing", file: footprintDir + "analysis/expr.go",
		old: "sign, _ = strings.CutPrefix(x.Op, \"unary\")", new: "sign = x.Op",
		test: "TestBehindOperators", in: "gqlcache/footprint/footprintpgx",
	},
	{
		name: "pgx: a cast of users calls nothing", file: footprintDir + "analysis/expr.go",
		old: "	case *sqlparse.Cast:\n		z.behind(x)\n", new: "	case *sqlparse.Cast:\n",
		test: "TestBehindOperators", in: "gqlcache/footprint/footprintpgx",
	},
	{
		name: "pgx: an implicit cast of users calls nothing", file: footprintDir + "analysis/expr.go",
		old: "\"~\", catalog.Unwritten}", new: "\"~\"}",
		test: "TestBehindOperators", in: "gqlcache/footprint/footprintpgx",
	},
	{
		name: "pgx: a comparison of users calls nothing", file: footprintDir + "analysis/expr.go",
		old: "[]string{\"=\", \"<>\",", new: "[]string{\"<>\",",
		test: "TestBehindOperators", in: "gqlcache/footprint/footprintpgx",
	},
	{
		name: "pgx: a function behind an operator writes nothing", file: footprintDir + "analysis/analyze.go",
		old: "*reads = *reads && z.quiet(name)", new: "_ = z.quiet(name)",
		test: "TestBehindOperators", in: "gqlcache/footprint/footprintpgx",
	},
	{
		name: "pgx: rows are not told of", file: pgxDir + "rows.go",
		old: "		w.c.row(w.r, w.Rows)\n", new: "",
		test: "TestShownRows",
	},
	{
		name: "pgx: the text counts as it was before rewriting", file: pgxDir + "values.go",
		old: "&run{text: w.text, args: w.args,", new: "&run{text: text, args: rest,",
		test: "TestShownRows",
	},
	{
		name: "pgx: a query of a batch is published before the batch commits", file: pgxDir + "batch.go",
		old: "	r.tag, r.err = tag, err\n", new: "	r.tag, r.err = tag, err\n	b.c.end(r, tag, err)\n",
		test: "TestPublishTiming",
	},
	{
		name: "pgx: a commit that was a rollback is published", file: pgxDir + "tracer.go",
		old: "if !c.rolledBack(r, data.CommandTag, data.Err) {", new: "if data.Err != nil && c.rolledBack(r, data.CommandTag, data.Err) {\n			return\n		} else {",
		test: "TestRollback",
	},
	{
		name: "pgx: rows that were closed early are complete", file: pgxDir + "state.go",
		old: "r.seen == tag.RowsAffected()", new: "r.seen <= tag.RowsAffected()",
		test: "TestClosedEarly",
	},
	{
		name: "pgx: closed rows of a batch are complete once they are asked again", file: pgxDir + "rows.go",
		old: "if w.batched && !w.over && ", new: "if w.batched && ",
		test: "TestClosedEarly",
	},
	{
		name: "pgx: a prepared statement is its name", file: pgxDir + "state.go",
		old: "if sql, ok := c.names[text]; ok {", new: "if sql, ok := c.names[text]; ok && sql == text {",
		test: "TestPreparedByName",
	},
	{
		name: "pgx: a COPY whose table is not known never ends", file: pgxDir + "conn.go",
		old: "		c.end(c.copying, pgconn.CommandTag{}, errLeft)\n", new: "",
		test: "TestCopyFrom",
	},
	{
		name: "pgx: COPY changes everything", file: pgxDir + "tracer.go",
		old: `return "INSERT INTO "`, new: `return "COPY "`,
		test: "TestCopyFrom",
	},
	{
		name: "pgx: rows hand out the connection", file: pgxDir + "rows.go",
		old: "		w.c.unwrap(nobody)\n", new: "",
		test: "TestPastTheWrappers",
	},
	{
		name: "pgx: what was done with a connection is not published when it is released", file: pgxDir + "state.go",
		old: "	if c.unwrapped {\n", new: "	if c.unwrapped && ctx == nil {\n",
		test: "TestPastTheWrappers",
	},
	{
		name: "pgx: a transaction that a function leaves open is no doubt", in: "gqlcache/footprint/footprintpgx",
		file: footprintDir + "observe/pgstatus.go",
		old:  "return pg.TxStatus() == 'I' && !pg.IsBusy()", new: "return !pg.IsBusy()",
		test: "TestRawLeavesATransaction",
	},
	{
		name: "pgx: a connection stays in doubt", file: pgxDir + "pool.go",
		old: "			c.reset(ctx)\n", new: "",
		test: "TestPastTheWrappers",
	},
	{
		name: "pgx: named arguments past the wrappers are not understood", file: pgxDir + "values.go",
		old: "	case pgx.NamedArgs:\n		text, rest, err = w.RewriteQuery(nobody, nil, text, rest)\n", new: "",
		test: "TestPastTheWrappers",
	},
	{
		name: "pgx: a hook replaces the tracer", file: pgxDir + "pool.go",
		old: "		c.Tracer = traced(c.Tracer)\n", new: "",
		test: "TestHooks",
	},
	{
		name: "pgx: callbacks of a batch get pgx's results", file: pgxDir + "batch.go",
		old:  "func(pgx.BatchResults) error {\n			if callback != nil {\n				return callback(b)",
		new:  "func(inner pgx.BatchResults) error {\n			if callback != nil {\n				return callback(inner)",
		test: "TestBatch$",
	},
	{
		name: "pgx: a value that cannot be told is NULL", file: pgxDir + "values.go",
		old: "		return string(b)\n	}\n	return unknown{}\n", new: "		return string(b)\n	}\n	return nil\n",
		test: "TestDecode",
	},
	{
		name: "pgx: a type's Value counts although String says something else", file: pgxDir + "values.go",
		old: "if s, ok := v.(fmt.Stringer); ok && !ours {", new: "if s, ok := v.(fmt.Stringer); ok && ours {",
		test: "TestBound",
	},
	{
		name: "pgx: the application's tracer sees what was rewritten", file: pgxDir + "tracer.go",
		old: "		if r.given != nil {\n", new: "		if r.given != nil && r.refused {\n",
		test: "TestSameAsPgx",
	},
	{
		name: "pgx: a broken connection keeps its changes to itself", file: pgxDir + "state.go",
		old: "	if c.pg.IsClosed() {\n		c.s.Broken", new: "	if r.text == \"\" {\n		c.s.Broken",
		test: "TestBrokenConnection",
	},
	{
		name: "pgx: what workers read is everybody's", file: pgxDir + "state.go",
		old: "	if c.f.outside {\n", new: "	if c.f.outside && ctx == nil {\n",
		test: "TestOutside",
	},
	{
		name: "pgx: rows that are open at the release never end", file: pgxDir + "state.go",
		old: "	defer c.contain()\n	c.leave()\n	if c.unwrapped {", new: "	defer c.contain()\n	if c.unwrapped {",
		test: "TestRowsLeftOpen",
	},
	{
		name: "observe: a query that writes and returns no rows has written nothing", file: footprintDir + "analysis/write.go", in: footprintDir + "observe",
		old: "Plain: alone && ", new: "Plain: ",
		test: "TestWriteWithin",
	},
	{
		name: "observe: a column of a query is taken for one of the table that it writes", file: footprintDir + "analysis/write.go",
		old: "		w.Returning = nil\n", new: "",
		test: "TestStatements",
	},
}
