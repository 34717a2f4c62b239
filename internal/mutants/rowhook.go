package main

const rowHookFile = footprintDir + "observe/rowhook.go"

// rowHookRules are those by which the rows that SQLite tells of stand for a statement.
var rowHookRules = []mutant{
	{
		name: "row hook: two statements that write share what is told", file: rowHookFile,
		old: "	case h.by != nil:\n		h.failed = true\n		return false\n", new: "	case h.by != nil:\n		return false\n",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: the second statement takes the hook from the first", file: rowHookFile,
		old: "	case h.by != nil:\n		h.failed = true\n		return false\n", new: "",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: fewer rows are told than are affected", file: rowHookFile,
		old: "	if told < affected || told < e.write.rows {", new: "	if told < e.write.rows {",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: fewer rows are told than are returned", file: rowHookFile,
		old: "	if told < affected || told < e.write.rows {", new: "	if told < affected {",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: a statement that has failed is known by its rows", file: rowHookFile,
		old: "h.failed || err != nil {", new: "h.failed {",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: values that cannot be read are left out", file: rowHookFile,
		old: "		h.failed = true\n		return\n	}\n	e := rowtag", new: "		return\n	}\n	e := rowtag",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: a fault of ours goes through the database", file: rowHookFile,
		old: "		if v := recover(); v != nil {", new: "		if v := any(nil); v != nil {",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: it is believed after the application has had the connection", file: footprintDir + "observe/session.go",
		old: "	s.hook = nil // the application may have set its own\n", new: "",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: of many rows some are told", file: rowHookFile,
		old: "		h.events = append(h.events, rowtag.Event{Table: t, Op: rowtag.Changed})\n", new: "",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: a row with another rowid is the same", file: rowHookFile,
		old: "	case r.Moved:", new: "	case r.Moved && false:",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: a statement that has ended keeps it", file: footprintDir + "observe/execution.go",
		old: "	s.hook.end(e)\n	s.o.counts", new: "	s.o.counts",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: columns that are generated are told", file: rowHookFile,
		old: "	return !t.Virtual && !t.Ambiguous && !slices", new: "	return !t.Virtual && !t.Ambiguous || !slices",
		test: "TestRowHookTables",
	},
	{
		name: "row hook: what foreign keys reach is not asked for", file: rowHookFile,
		old: "			if !reach(c.Table) {", new: "			if !reach(c.Table) && false {",
		test: "TestRowHookTables",
	},
	{
		name: "row hook: a table that nobody knows is left out", file: rowHookFile,
		old: "		h.everything = \"the database has changed a table that is not known\"\n", new: "",
		test: "TestRowHookTables",
	},
	{
		name: "row hook: a driver's nil bytes are NULL", file: footprintDir + "observe/values.go",
		old: "	if b, is := v.([]byte); is && b == nil {", new: "	if b, is := v.([]byte); is && b == nil && false {",
		test: "TestReturnedNil",
	},
	{
		name: "row hook: a text ends at its first NUL", file: "gqlcache/footprint/footprintsqlite/rowhook.go",
		old: "string(libc.GoBytes(p, int(lib.Xsqlite3_value_bytes(tls, v))))", new: "libc.GoString(p)",
		test: "TestRowHookTellsAll",
	},
}
