package sqlparse

// statement parses a statement of any kind. What it does not know by name, to its end, is
// an error: CALL, DO, EXECUTE, PREPARE, COPY TO, cursors, LOAD and others do anything or
// what nobody has looked at.
func (p *parser) statement() *Statement {
	t := p.peek()
	if t.Kind == WordToken {
		switch t.Text {
		case "begin":
			return p.begin()
		case "start":
			p.only(PostgreSQL)
			if p.isAt(1, "transaction") {
				return p.begin()
			}
		case "commit", "end", "rollback", "abort":
			return p.finish(t.Text)
		case "savepoint":
			p.skip(1)
			return &Statement{Kind: Savepoint, SavepointName: p.name()}
		case "release":
			p.skip(1)
			p.accept("savepoint")
			return &Statement{Kind: Release, SavepointName: p.name()}
		case "prepare":
			if p.isAt(1, "transaction") {
				p.skip(2)
				return &Statement{Kind: PrepareTransaction, SavepointName: p.gid()}
			}
		case "set":
			p.only(PostgreSQL)
			return p.setting()
		case "reset":
			p.only(PostgreSQL)
			return p.reset()
		case "refresh":
			p.only(PostgreSQL)
			return p.refresh()
		case "truncate":
			p.only(PostgreSQL)
			return p.truncate()
		case "create", "alter", "drop", "comment", "grant", "revoke":
			return p.ddl()
		case "attach", "detach":
			p.only(SQLite)
			return p.ddl()
		case "pragma":
			p.only(SQLite)
			return p.pragma()
		case "explain":
			return p.explain()
		case "vacuum":
			return p.vacuum()
		case "cluster":
			p.only(PostgreSQL)
			p.skip(1)
			p.maintained()
			return &Statement{Kind: Rewrites}
		case "reindex":
			return p.reindex()
		case "copy":
			p.only(PostgreSQL)
			return p.copyFrom()
		case "listen", "unlisten", "notify", "show", "deallocate", "discard", "checkpoint", "lock", "analyze":
			return p.noData(t.Text)
		}
	}
	return p.dataStatement()
}

func (p *parser) begin() *Statement {
	s := &Statement{Kind: Begin}
	start := p.is("start")
	p.skip(1)
	if level := p.acceptAny("deferred", "immediate", "exclusive"); level != "" && !start {
		p.only(SQLite)
		s.Level = level
		p.accept("transaction")
		return s
	}
	if p.acceptAny("transaction", "work") == "" && start {
		p.fail("transaction expected")
	}
	p.modes(s)
	return s
}

// modes parses what BEGIN and SET TRANSACTION say of a transaction. A snapshot of another
// session, which is older than the transaction, is an error.
func (p *parser) modes(s *Statement) (some bool) {
	for !p.failed() {
		switch {
		case p.accept("isolation", "level"):
			switch {
			case p.accept("serializable"):
				s.Level = "serializable"
			case p.accept("repeatable", "read"):
				s.Level = "repeatable read"
			case p.accept("read", "committed"):
				s.Level = "read committed"
			case p.accept("read", "uncommitted"):
				s.Level = "read uncommitted"
			default:
				p.fail("isolation level expected")
			}
		case p.accept("read", "only"):
			s.ReadOnly = true
		case p.accept("read", "write"):
			s.ReadOnly = false
		case p.accept("not", "deferrable"), p.accept("deferrable"):
		default:
			if some && p.toks[p.at-1].is(",") {
				p.fail("mode of the transaction expected")
			}
			return some
		}
		p.only(PostgreSQL)
		some = true
		p.accept(",")
	}
	return some
}

// finish parses COMMIT, ROLLBACK and their like. AND CHAIN begins another transaction:
// it is an error.
func (p *parser) finish(word string) *Statement {
	p.skip(1)
	s := &Statement{Kind: Commit}
	if word == "rollback" || word == "abort" {
		s.Kind = Rollback
	}
	if p.is("prepared") && (word == "commit" || word == "rollback") {
		p.only(PostgreSQL)
		p.skip(1)
		s.Kind = CommitPrepared
		if word == "rollback" {
			s.Kind = RollbackPrepared
		}
		s.SavepointName = p.gid()
		return s
	}
	p.acceptAny("transaction", "work")
	if word == "rollback" && p.accept("to") {
		p.accept("savepoint")
		return &Statement{Kind: RollbackTo, SavepointName: p.name()}
	}
	if p.accept("and", "no", "chain") {
		p.only(PostgreSQL)
	}
	return s
}

func (p *parser) gid() string {
	p.only(PostgreSQL)
	t := p.acceptKind(StringToken)
	if t == nil || t.Odd {
		p.fail("name of a transaction expected")
		return ""
	}
	return t.Text
}

// setting parses SET. Settings that change how texts are read or whether triggers and
// foreign keys work are errors.
func (p *parser) setting() *Statement {
	p.expect("set")
	s := &Statement{Kind: Setting}
	switch {
	case p.accept("session", "characteristics", "as", "transaction"):
		s.Setting = "session characteristics"
		if !p.modes(s) {
			p.fail("mode of the transaction expected")
		}
		return s
	case p.accept("transaction"):
		s.Setting = "transaction"
		if !p.modes(s) {
			p.fail("mode of the transaction expected")
		}
		return s
	case p.accept("constraints"):
		s.Setting = "constraints"
		if !p.accept("all") {
			for {
				p.tableName()
				if !p.accept(",") {
					break
				}
			}
		}
		if p.acceptAny("deferred", "immediate") == "" {
			p.fail("deferred or immediate expected")
		}
		return s
	}
	if p.accept("local") {
		s.Local = true
	} else if !p.isAt(1, "authorization") || p.is("session") && p.isAt(1, "session") {
		p.accept("session")
	}
	switch {
	case p.accept("time", "zone"):
		s.Setting = "timezone"
	case p.accept("session", "authorization"):
		s.Setting = "session_authorization"
	case p.accept("role"):
		s.Setting = "role"
		_ = p.accept("=") || p.accept("to")
	case p.accept("names"):
		s.Setting = "client_encoding"
	case p.accept("schema"):
		s.Setting = "search_path"
	default:
		s.Setting = p.settingName()
		if !p.accept("=") {
			p.expect("to")
		}
	}
	if p.accept("default") {
		return s
	}
	for {
		s.Values = append(s.Values, p.settingValue())
		if !p.accept(",") {
			return s
		}
	}
}

func (p *parser) settingName() string {
	n := p.name()
	for p.accept(".") {
		n += "." + p.name()
	}
	n = lower(n)
	switch n {
	case "standard_conforming_strings", "backslash_quote", "transform_null_equals", "session_replication_role":
		p.fail("harmless setting expected")
	}
	return n
}

func (p *parser) settingValue() Expr {
	sign := p.acceptAny("-", "+")
	t := p.peek()
	switch t.Kind {
	case NumberToken:
		p.skip(1)
		if sign == "+" {
			sign = ""
		}
		return &Literal{Text: sign + t.Text, Number: true, Odd: t.Odd}
	case StringToken, WordToken, QuotedToken:
		if sign == "" && (t.Kind != WordToken || t.Text != "default") {
			p.skip(1)
			return &Literal{Text: t.Text, Odd: t.Odd}
		}
	case ParamToken:
		if sign == "" {
			p.skip(1)
			return &Param{N: t.N}
		}
	}
	p.fail("value expected")
	return nil
}

// reset parses RESET; the statement has no values then. RESET ALL is the setting "all".
func (p *parser) reset() *Statement {
	p.expect("reset")
	s := &Statement{Kind: Setting}
	switch {
	case p.accept("time", "zone"):
		s.Setting = "timezone"
	case p.accept("session", "authorization"):
		s.Setting = "session_authorization"
	case p.accept("transaction"):
		p.fail("setting expected")
	default:
		s.Setting = p.settingName()
	}
	return s
}

func (p *parser) refresh() *Statement {
	p.expect("refresh")
	p.expect("materialized")
	p.expect("view")
	p.accept("concurrently")
	s := &Statement{Kind: Refresh, Tables: []Name{p.tableName()}}
	if p.accept("with") {
		p.accept("no")
		p.expect("data")
	}
	return s
}

func (p *parser) truncate() *Statement {
	p.expect("truncate")
	p.accept("table")
	s := &Statement{Kind: Truncate}
	for {
		p.accept("only")
		s.Tables = append(s.Tables, p.tableName())
		p.accept("*")
		if !p.accept(",") {
			break
		}
	}
	if p.acceptAny("restart", "continue") != "" {
		p.expect("identity")
	}
	s.Cascade = p.acceptAny("cascade", "restrict") == "cascade"
	return s
}

// ddl skips a statement that changes the catalog, which is all that is said of it. The
// statements of a trigger of SQLite are parsed, as semicolons stand between them; in no
// other there is one.
func (p *parser) ddl() *Statement {
	s := &Statement{Kind: DDL}
	if p.peekAt(1).Kind != WordToken && !p.is("attach") && !p.is("detach") {
		p.skip(1)
		p.fail("object expected")
		return s
	}
	trigger := p.is("create") && (p.isAt(1, "trigger") || (p.isAt(1, "temp") || p.isAt(1, "temporary")) && p.isAt(2, "trigger"))
	p.skip(1)
	for p.peek().Kind != EndToken && !p.is(";") {
		if trigger && p.is("begin") {
			p.only(SQLite)
			p.skip(1)
			p.triggerBody()
			return s
		}
		p.skip(1)
	}
	return s
}

func (p *parser) triggerBody() {
	for !p.failed() {
		p.dataStatement()
		p.expect(";")
		if p.accept("end") {
			return
		}
	}
}

// maintained parses the options of VACUUM and its like, and the tables that it is for. It
// reports whether FULL is among the options.
func (p *parser) maintained() (full bool) {
	if p.is("(") {
		p.only(PostgreSQL)
		p.skip(1)
		for {
			full = p.is("full") || full
			p.name()
			if !p.is(",") && !p.is(")") { // ON, off, a number, 'a size'
				if p.acceptKind(NumberToken) == nil && p.acceptKind(StringToken) == nil {
					p.name()
				}
			}
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	for p.d != SQLite && p.isAny("full", "freeze", "verbose", "analyze") {
		p.only(PostgreSQL)
		full = p.is("full") || full
		p.skip(1)
	}
	for (p.peek().Kind == WordToken || p.peek().Kind == QuotedToken) && !p.is("into") {
		p.tableName()
		if p.is("(") {
			p.only(PostgreSQL)
			p.skip(1)
			p.names()
		}
		if p.is("using") { // CLUSTER: an index
			p.only(PostgreSQL)
			p.skip(1)
			p.name()
		}
		if !p.accept(",") {
			break
		}
	}
	return full
}

// vacuum parses VACUUM. That of SQLite may give rows other rowids, and VACUUM FULL other
// places, so that whoever has read these has read something else. VACUUM INTO copies.
func (p *parser) vacuum() *Statement {
	p.skip(1)
	full := p.maintained()
	if p.is("into") {
		p.only(SQLite)
		p.skip(1)
		if p.acceptKind(StringToken) == nil && p.acceptKind(ParamToken) == nil {
			p.fail("file expected")
		}
		return &Statement{Kind: NoData}
	}
	if p.d != PostgreSQL || full {
		return &Statement{Kind: Rewrites}
	}
	return &Statement{Kind: NoData}
}

// reindex parses REINDEX, after which an index has what it should have had before.
func (p *parser) reindex() *Statement {
	p.skip(1)
	if p.is("(") || p.isAny("index", "table", "schema", "database", "system") && p.d != SQLite {
		p.only(PostgreSQL)
		if p.accept("(") {
			for p.acceptAny("verbose", "concurrently", "tablespace", "on", "off", "true", "false", ",") != "" {
				continue
			}
			p.expect(")")
		}
		if p.acceptAny("index", "table", "schema", "database", "system") == "" {
			p.fail("object expected")
		}
		p.accept("concurrently")
	}
	if p.peek().Kind == WordToken || p.peek().Kind == QuotedToken {
		p.tableName()
	}
	return &Statement{Kind: NoData}
}

// copyFrom parses COPY of rows into a table, which is an INSERT of rows that nobody knows.
// COPY TO writes a file or runs a program, and its rows are not those of a result: an error.
func (p *parser) copyFrom() *Statement {
	p.skip(1)
	s := &Statement{Kind: Insert, Copies: true}
	if p.accept("binary") && p.is("from") { // a table of that name, in the old order of words
		p.fail("table expected")
	}
	s.Table = p.tableName()
	s.Alias = s.Table.Name
	if p.accept("(") {
		s.Columns = p.names()
	}
	p.expect("from")
	if !p.accept("stdin") && p.acceptKind(StringToken) == nil {
		p.fail("file expected")
	}
	if p.is("with") && !p.isAt(1, "(") { // the old order of words
		p.skip(1)
	}
	if p.accept("with") || p.is("(") {
		p.expect("(")
		for depth := 1; depth > 0 && !p.failed(); p.skip(1) {
			switch {
			case p.is("("):
				depth++
			case p.is(")"):
				depth--
			case p.is(";") || p.peek().Kind == EndToken:
				p.fail("end of the options expected")
			}
		}
	} else {
		for p.acceptAny("binary", "csv", "header", "delimiter", "delimiters", "null", "quote", "escape", "encoding", "as", "freeze",
			"force", "not") != "" || p.acceptKind(StringToken) != nil {
			continue
		}
	}
	if p.accept("where") {
		s.Where = p.expr(lowest)
	}
	return s
}

// pragma parses a PRAGMA that asks, or sets what changes neither data nor how it is read.
func (p *parser) pragma() *Statement {
	p.expect("pragma")
	s := &Statement{Kind: NoData}
	n := p.name()
	if p.accept(".") {
		n = p.name()
	}
	n = lower(n)
	assigned := p.accept("=")
	if !assigned && !p.is("(") {
		if asksAll(n) {
			s.Kind = Asks
		} else if !asks(n) {
			p.fail("known pragma expected")
		}
		return s
	}
	if !assigned {
		p.expect("(")
	}
	p.acceptAny("-", "+")
	t := p.peek()
	if t.Kind != WordToken && t.Kind != QuotedToken && t.Kind != StringToken && t.Kind != NumberToken {
		p.fail("value expected")
	}
	p.skip(1)
	if !assigned {
		p.expect(")")
	}
	switch n {
	case "temp_store", "user_version", "application_id": // temporary tables are gone with the first
		return &Statement{Kind: Rewrites}
	case "foreign_key_check", "integrity_check", "quick_check":
		return &Statement{Kind: Asks}
	}
	if !harmless(n, lower(t.Text)) {
		p.fail("harmless pragma expected")
	}
	return s
}

// asksAll reports whether a pragma without a value asks for something that changes with
// data, or that a program keeps there.
func asksAll(pragma string) bool {
	switch pragma {
	case "application_id", "data_version", "foreign_key_check", "freelist_count", "integrity_check", "page_count", "quick_check",
		"schema_version", "user_version":
		return true
	}
	return false
}

// asks reports whether a pragma without a value only asks, for something that is neither
// data nor changes with it, or tidies up where nobody sees it.
func asks(pragma string) bool {
	switch pragma {
	case "incremental_vacuum", "optimize", "shrink_memory", "wal_checkpoint", "auto_vacuum", "automatic_index", "busy_timeout", "cache_size", "cache_spill", "cell_size_check",
		"checkpoint_fullfsync", "collation_list", "compile_options", "database_list", "defer_foreign_keys", "encoding",
		"foreign_keys", "fullfsync", "function_list", "hard_heap_limit", "ignore_check_constraints", "journal_mode",
		"journal_size_limit", "legacy_alter_table", "locking_mode", "max_page_count", "mmap_size", "module_list",
		"page_size", "pragma_list", "query_only", "read_uncommitted", "recursive_triggers", "reverse_unordered_selects",
		"secure_delete", "soft_heap_limit", "synchronous", "table_list", "temp_store", "threads", "trusted_schema",
		"wal_autocheckpoint":
		return true
	}
	return false
}

// harmless reports whether a pragma with a value asks about a table or index, or sets what
// changes neither data nor how it is read or written.
func harmless(pragma, value string) bool {
	switch pragma {
	case "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
		"busy_timeout", "cache_size", "cache_spill", "journal_size_limit", "mmap_size", "synchronous", "threads",
		"wal_autocheckpoint", "wal_checkpoint", "checkpoint_fullfsync", "fullfsync", "secure_delete", "soft_heap_limit",
		"automatic_index", "query_only", "locking_mode", "analysis_limit", "optimize", "auto_vacuum", "defer_foreign_keys",
		"encoding", "incremental_vacuum", "page_size":
		return true
	case "read_uncommitted":
		return value == "0" || value == "off" || value == "false" || value == "no"
	case "journal_mode": // without a journal, a rollback does not take everything back
		switch value {
		case "wal", "delete", "truncate", "persist", "memory":
			return true
		}
	}
	return false
}

// explain parses EXPLAIN of a query or DML. With ANALYZE it runs: an error.
func (p *parser) explain() *Statement {
	p.expect("explain")
	switch {
	case p.accept("query", "plan"):
		p.only(SQLite)
	case p.is("(") && !p.isQuery(0):
		p.only(PostgreSQL)
		p.skip(1)
		for {
			if p.acceptAny("verbose", "costs", "settings", "buffers", "format", "generic_plan", "summary", "memory") == "" {
				p.fail("harmless option expected")
			}
			if p.peek().Kind == WordToken || p.peek().Kind == NumberToken {
				if p.acceptAny("true", "false", "on", "off", "0", "1", "text", "json", "xml", "yaml") == "" && p.acceptKind(NumberToken) == nil {
					p.fail("harmless option expected")
				}
			}
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	case p.accept("verbose"):
		p.only(PostgreSQL)
	}
	p.dataStatement()
	return &Statement{Kind: NoData}
}

// noData parses statements that neither read nor write data.
func (p *parser) noData(word string) *Statement {
	p.skip(1)
	switch word {
	case "listen":
		p.name()
	case "unlisten":
		if !p.accept("*") {
			p.name()
		}
	case "notify":
		p.name()
		if p.accept(",") && p.acceptKind(StringToken) == nil {
			p.fail("string expected")
		}
	case "show":
		switch {
		case p.accept("time", "zone"), p.accept("transaction", "isolation", "level"), p.accept("session", "authorization"):
		default:
			p.name()
			for p.accept(".") {
				p.name()
			}
		}
	case "deallocate":
		p.accept("prepare")
		p.name()
	case "discard": // others drop tables, and settings
		p.expect("plans")
	case "checkpoint":
	case "lock":
		p.accept("table")
		for {
			p.accept("only")
			p.tableName()
			p.accept("*")
			if !p.accept(",") {
				break
			}
		}
		if p.accept("in") {
			for p.acceptAny("access", "row", "share", "update", "exclusive") != "" {
				continue
			}
			p.expect("mode")
		}
		p.accept("nowait")
	case "analyze":
		p.maintained()
	}
	if word != "analyze" {
		p.only(PostgreSQL)
	}
	return &Statement{Kind: NoData}
}
