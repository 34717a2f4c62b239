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
		name: "row hook: a query that tells of nothing has changed nothing", file: rowHookFile,
		old: "	if told == 0 && affected < 0 && (!complete || w.Returning == nil) {", new: "	if told == 0 && affected < 0 && w.Returning == nil {",
		test: "TestRowHookInDoubt",
	},
	{
		name: "row hook: the last row's values are kept", file: rowHookFile,
		old: "		clear(h.after[:cap(h.after)])\n", new: "		clear(h.after)\n",
		test: "TestRowHook$",
	},
	{
		name: "footprint: the sign of 0 is no change", file: footprintDir + "observe/images.go",
		old: "math.Float64bits(x) == math.Float64bits(y)", new: "x == y",
		test: "TestSame",
	},
	{
		name: "row hook: a statement that has failed is known by its rows", file: rowHookFile,
		old: "	case h.failed || err != nil:", new: "	case h.failed:",
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
	{
		name: "footprint: an answer is kept that lacks rows which a rollback brings back", file: footprintDir + "observe/read.go",
		old: "				*m |= catalog.Presence\n", new: "				*m |= 0\n",
		test: "TestReadBesideWhatIsUndone",
	},
	{
		name: "footprint: keys beside are believed whoever sees them", file: footprintDir + "observe/semijoin.go",
		old: "		if row[1] != true {", new: "		if row[1] != true && false {",
		test: "TestSemiJoinsBeside$",
	},
	{
		name: "footprint: keys beside without a word about them", file: footprintDir + "observe/semijoin.go",
		old: "	if len(rows) == 0 {\n", new: "	if len(rows) == 0 && false {\n",
		test: "TestSemiJoinsBeside$",
	},
	{
		name: "footprint: keys beside while policies apply", in: footprintTests, file: footprintDir + "observe/semijoin.go",
		old: "\"current_setting('row_security') = 'off' AND NOT pg_is_in_recovery()\"", new: "\"NOT pg_is_in_recovery()\"",
		test: "TestBesideUnderPolicies",
	},
	{
		name: "footprint: a value of another type turns keys off for all", file: footprintDir + "observe/semijoin.go",
		old: " && !strings.HasPrefix(sqlState(err), \"22\")", new: "",
		test: "TestSemiJoinsBeside$",
	},
	{
		name: "footprint: a read waits for keys for ever", file: footprintDir + "observe/semijoin.go",
		old: "	return besideTimeout\n", new: "	return 60 * besideTimeout\n",
		test: "TestSemiJoinsBesideHangs",
	},
	{
		name: "footprint: a question takes all of a read's time", file: footprintDir + "observe/semijoin.go",
		old: "time.Until(at)/4)", new: "time.Until(at))",
		test: "TestSemiJoinsBesideHangs",
	},
	{
		name: "footprint: each join of a read is waited for", file: footprintDir + "observe/semijoin.go",
		old: "				s.unask(e, unanswered(err))\n			}\n			return\n", new: "				s.unask(e, unanswered(err))\n			}\n			continue\n",
		test: "TestSemiJoinsBesideHangs",
	},
	{
		name: "footprint: a text whose keys could not be had is not asked for again", file: footprintDir + "observe/semijoin.go",
		old: "time.Since(started)+besidePause)", new: "forever)",
		test: "TestSemiJoinsBesideHangs",
	},
	{
		name: "footprint: texts whose time has come take room", file: footprintDir + "observe/images.go",
		old: "			delete(r.texts, text)\n", new: "			_ = text\n",
		test: "TestRefusals",
	},
	{
		name: "footprint: a question waits for locks", in: footprintTests, file: "gqlcache/footprint/footprintsql/beside.go",
		old: "set_config('lock_timeout', '20ms', true)", new: "set_config('lock_timeout', '0', true)",
		test: "TestBesideWaitsForNoLock",
	},
	{
		name: "footprint: keys beside what the session has written", file: footprintDir + "observe/semijoin.go",
		old: "		if s.dirty.Load() { //", new: "		if s.dirty.Load() && false { //",
		test: "TestSemiJoinsBeside$",
	},
}
