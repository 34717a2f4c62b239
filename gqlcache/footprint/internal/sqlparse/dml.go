package sqlparse

// dataStatement parses a query, an INSERT, an UPDATE, a DELETE or a MERGE, with its WITH.
func (p *parser) dataStatement() *Statement {
	var with []CTE
	recursive := false
	if p.accept("with") {
		with, recursive = p.with()
	}
	s := &Statement{}
	switch {
	case p.isAny("select", "values", "table", "("):
		return &Statement{Kind: Select, Query: p.queryAfter(with, recursive)}
	case p.is("insert"), p.is("replace"):
		s.Kind = Insert
		p.insert(s)
	case p.accept("update"):
		s.Kind = Update
		p.update(s)
	case p.accept("delete"):
		s.Kind = Delete
		p.expect("from")
		p.target(s)
		if p.accept("using") {
			p.only(PostgreSQL)
			s.From = p.fromList()
		}
		p.condition(s)
	case p.is("merge") && p.isAt(1, "into"):
		p.only(PostgreSQL)
		p.skip(2)
		s.Kind = Merge
		p.merge(s)
	default:
		p.fail("statement expected")
	}
	s.With, s.Recursive = with, recursive
	return s
}

// target parses the table of an UPDATE or DELETE.
func (p *parser) target(s *Statement) {
	if p.is("only") {
		p.only(PostgreSQL)
		p.skip(1)
	}
	s.Table = p.tableName()
	s.Alias = s.Table.Name
	if p.is("*") {
		p.only(PostgreSQL)
		p.skip(1)
	}
	if p.accept("as") || p.alias() {
		s.Alias = p.name()
	}
	if p.is("indexed") || p.is("not") {
		p.only(SQLite)
		if p.accept("not") {
			p.expect("indexed")
		} else {
			p.skip(1)
			p.expect("by")
			p.name()
		}
	}
}

// orConflict parses OR IGNORE and its like. OR ROLLBACK ends the transaction when it
// fails, and OR FAIL keeps rows that it wrote before it failed: they are errors.
func (p *parser) orConflict(s *Statement) {
	if !p.is("or") {
		return
	}
	p.only(SQLite)
	p.skip(1)
	switch p.acceptAny("ignore", "replace", "abort") {
	case "ignore":
		s.OnConflict = Nothing
	case "replace":
		s.OnConflict = Replace
	case "":
		p.fail("ignore, replace or abort expected")
	}
}

func (p *parser) insert(s *Statement) {
	if p.is("replace") {
		p.only(SQLite)
		p.skip(1)
		s.OnConflict = Replace
	} else {
		p.expect("insert")
		p.orConflict(s)
	}
	p.expect("into")
	s.Table = p.tableName()
	s.Alias = s.Table.Name
	if p.accept("as") {
		s.Alias = p.name()
	}
	if p.is("(") && !p.isQuery(0) {
		p.skip(1)
		s.Columns = p.names()
	}
	if p.accept("overriding") {
		p.only(PostgreSQL)
		if p.acceptAny("system", "user") == "" {
			p.fail("system or user expected")
		}
		p.expect("value")
	}
	if p.accept("default", "values") {
		s.Defaults = true
	} else {
		p.defaults = p.is("values")
		s.Query = p.query()
	}
	for n := 0; p.is("on") && !p.failed(); n++ {
		p.conflict(s, n > 0)
	}
	if p.accept("returning") {
		s.Returning = p.items()
	}
}

// conflict parses one ON CONFLICT. Several, or one together with OR, do various things.
func (p *parser) conflict(s *Statement, again bool) {
	p.expect("on", "conflict")
	if again {
		p.only(SQLite)
	}
	if p.accept("(") {
		for {
			p.expr(lowest)
			if t := p.peek(); t.Kind == WordToken && !reserved(t.Text) { // an operator class
				p.only(PostgreSQL)
				p.tableName()
			}
			p.acceptAny("asc", "desc")
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
		if p.accept("where") {
			p.expr(lowest)
		}
	} else if p.accept("on", "constraint") {
		p.only(PostgreSQL)
		p.name()
	}
	p.expect("do")
	way := Nothing
	if !p.accept("nothing") {
		way = UpdateRow
		p.expect("update")
		p.expect("set")
		sets := p.sets()
		var where Expr
		if p.accept("where") {
			where = p.expr(lowest)
		}
		if s.ConflictSets == nil && s.ConflictWhere == nil {
			s.ConflictSets, s.ConflictWhere = sets, where
		} else {
			// A condition of one of them is none of all.
			s.ConflictSets = append(s.ConflictSets, sets...)
			s.ConflictWhere = nil
		}
	}
	if s.OnConflict != None && s.OnConflict != way {
		way = OtherwiseX
	}
	s.OnConflict = way
}

// sets parses assignments.
func (p *parser) sets() (list []Set) {
	for !p.failed() {
		if p.accept("(") {
			list = append(list, p.rowSet(p.names())...)
		} else {
			list = append(list, p.set())
		}
		if !p.accept(",") {
			break
		}
	}
	return list
}

func (p *parser) set() Set {
	if t := p.peek(); t.Kind == WordToken && reserved(t.Text) {
		p.fail("column expected")
	}
	s := Set{Columns: []string{p.name()}}
	// A part of a column: x.field or x[1].
	var part *Op
	for p.isAny(".", "[") && !p.failed() {
		p.only(PostgreSQL)
		if part == nil {
			part = &Op{Op: "element"}
		}
		if p.accept(".") {
			p.name()
			continue
		}
		p.skip(1)
		part.Args = append(part.Args, p.index(nil).(*Op).Args[1:]...)
	}
	p.expect("=")
	if !p.accept("default") {
		s.X = p.expr(lowest)
	}
	if part != nil {
		part.Args = append(part.Args, s.X)
		s.X = part
	}
	return s
}

// rowSet parses what is assigned to several columns: a row of values, which is as many
// assignments, or another expression, which is one.
func (p *parser) rowSet(columns []string) []Set {
	p.expect("=")
	if p.is("row") && p.isAt(1, "(") {
		p.only(PostgreSQL)
		p.skip(1)
	}
	if p.isQuery(0) || !p.is("(") {
		return []Set{{Columns: columns, X: p.expr(lowest)}}
	}
	p.expect("(")
	row := p.valueRow(true)
	if len(row) != len(columns) {
		p.fail("as many values as columns expected")
		return nil
	}
	list := make([]Set, len(row))
	for i, x := range row {
		list[i] = Set{Columns: columns[i : i+1 : i+1], X: x}
	}
	return list
}

func (p *parser) update(s *Statement) {
	p.orConflict(s)
	p.target(s)
	p.expect("set")
	s.Sets = p.sets()
	if p.accept("from") {
		s.From = p.fromList()
	}
	p.condition(s)
}

// merge parses what follows MERGE INTO.
func (p *parser) merge(s *Statement) {
	p.target(s)
	p.expect("using")
	s.From = []From{p.fromOne()}
	p.expect("on")
	s.On = p.expr(lowest)
	for p.accept("when") {
		var w When
		p.accept("not")
		p.expect("matched")
		if p.accept("by") && p.acceptAny("source", "target") == "" {
			p.fail("source or target expected")
		}
		if p.accept("and") {
			w.If = p.expr(lowest)
		}
		p.expect("then")
		switch {
		case p.accept("do", "nothing"), p.accept("delete"):
		case p.accept("update"):
			p.expect("set")
			w.Sets = p.sets()
		default:
			p.expect("insert")
			if p.accept("(") {
				w.Into = p.names()
			}
			if p.accept("overriding") {
				if p.acceptAny("system", "user") == "" {
					p.fail("system or user expected")
				}
				p.expect("value")
			}
			if !p.accept("default", "values") {
				p.expect("values")
				p.expect("(")
				w.Values = p.valueRow(true)
			}
		}
		s.Whens = append(s.Whens, w)
	}
	if len(s.Whens) == 0 {
		p.fail("when expected")
	}
	if p.accept("returning") {
		s.Returning = p.items()
	}
}

// condition parses WHERE and what follows it in an UPDATE or DELETE.
func (p *parser) condition(s *Statement) {
	if p.accept("where") {
		if p.is("current") && p.isAt(1, "of") {
			p.only(PostgreSQL)
			p.skip(2)
			p.name()
			s.Current = true
		} else {
			from := p.peek().Pos
			s.Where = p.expr(lowest)
			s.WhereAt = [2]int{from, p.peekAt(-1).End}
		}
	}
	if p.accept("returning") {
		s.Returning = p.items()
	}
	if p.is("order") || p.is("limit") {
		p.only(SQLite)
		var q Query
		p.tail(&q)
		s.Limited = true
	}
	if s.Returning == nil && p.accept("returning") {
		s.Returning = p.items()
	}
}
