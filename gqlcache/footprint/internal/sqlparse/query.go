package sqlparse

// query parses a query with its WITH.
func (p *parser) query() *Query {
	if p.accept("with") {
		with, recursive := p.with()
		return p.queryAfter(with, recursive)
	}
	return p.queryAfter(nil, false)
}

// queryAfter parses arms, order and limits.
func (p *parser) queryAfter(with []CTE, recursive bool) *Query {
	if !p.enter() {
		return &Query{}
	}
	defer p.leave()
	inParens := p.is("(")
	q := p.arm()
	for n := 0; p.isAny("union", "intersect", "except"); n++ {
		if n > maxChain {
			p.fail("fewer queries expected")
		}
		op := p.peek().Text
		p.skip(1)
		if p.accept("all") {
			op += " all"
		} else {
			p.accept("distinct")
		}
		if n == 0 && inParens {
			q, inParens = wrap(q), false
		}
		arm := p.armOrWrapped()
		q.Compound, q.Ops = append(q.Compound, arm), append(q.Ops, op)
	}
	if inParens {
		if with == nil && !p.isAny("order", "limit", "offset", "fetch", "for") {
			return q
		}
		q = wrap(q)
	}
	q.With, q.Recursive = with, recursive
	p.tail(q)
	return q
}

// wrap makes a query of a query in parentheses, to which an order, a limit or arms can
// belong.
func wrap(q *Query) *Query {
	return &Query{Items: []Item{{Star: true}}, From: []From{{Query: q}}}
}

func (p *parser) armOrWrapped() *Query {
	if p.is("(") {
		return wrap(p.arm())
	}
	return p.arm()
}

// tail parses the order, the limits and the locks of a query.
func (p *parser) tail(q *Query) {
	limited, offset := false, false
	for !p.failed() {
		switch {
		case p.is("order") && p.isAt(1, "by") && q.Order == nil && !limited && !offset:
			p.skip(2)
			q.Order = p.orderList()
		case p.is("limit") && !limited:
			limited = true
			p.skip(1)
			if p.accept("all") {
				break
			}
			q.Limit = p.expr(lowest)
			if p.is(",") && !offset {
				p.only(SQLite)
				p.skip(1)
				offset = true
				q.Offset, q.Limit = q.Limit, p.expr(lowest)
			}
		case p.is("offset") && !offset:
			offset = true
			p.skip(1)
			q.Offset = p.expr(lowest)
			p.acceptAny("row", "rows")
		case p.is("fetch") && !limited:
			limited = true
			p.only(PostgreSQL)
			p.skip(1)
			if p.acceptAny("first", "next") == "" {
				p.fail("first or next expected")
			}
			q.Limit = &Literal{Text: "1", Number: true}
			if !p.isAny("row", "rows") {
				q.Limit = p.expr(lowest)
			}
			if p.acceptAny("row", "rows") == "" {
				p.fail("rows expected")
			}
			if p.accept("with", "ties") {
				q.Ties = true
			} else {
				p.expect("only")
			}
		case p.is("for"):
			p.only(PostgreSQL)
			p.lock(q)
		default:
			return
		}
	}
}

func (p *parser) lock(q *Query) {
	p.expect("for")
	q.Locking = true
	switch {
	case p.accept("update"), p.accept("no", "key", "update"):
		q.Claims = true
	case p.accept("share"), p.accept("key", "share"):
	default:
		p.fail("lock expected")
	}
	if p.accept("of") {
		for {
			p.tableName()
			if !p.accept(",") {
				break
			}
		}
	}
	if p.accept("skip", "locked") {
		q.Skips = true
	} else {
		p.accept("nowait")
	}
}

// with parses the queries of WITH.
func (p *parser) with() (list []CTE, recursive bool) {
	recursive = p.accept("recursive")
	for !p.failed() {
		c := CTE{Name: p.name()}
		if p.accept("(") {
			c.Columns = p.names()
		}
		p.expect("as")
		p.accept("not")
		p.accept("materialized")
		p.expect("(")
		if !p.enter() {
			return nil, false
		}
		s := p.dataStatement()
		p.leave()
		p.expect(")")
		if p.isAny("search", "cycle") {
			p.fail("end of the common table expression expected")
		}
		if s.Kind == Select {
			c.Query = s.Query
		} else {
			p.only(PostgreSQL)
			c.DML = s
		}
		list = append(list, c)
		if !p.accept(",") {
			break
		}
	}
	return list, recursive
}

// arm parses SELECT, VALUES, TABLE, or a query in parentheses.
func (p *parser) arm() *Query {
	switch {
	case p.is("("):
		return p.subquery()
	case p.accept("values"):
		q := &Query{}
		defaults := p.defaults
		p.defaults = false
		for {
			p.expect("(")
			q.Values = append(q.Values, p.valueRow(defaults))
			if !p.accept(",") {
				return q
			}
		}
	case p.is("table"):
		p.only(PostgreSQL)
		p.skip(1)
		p.accept("only")
		n := p.tableName()
		p.accept("*")
		return &Query{Items: []Item{{Star: true}}, From: []From{{Table: &n, Alias: n.Name}}}
	}
	p.expect("select")
	q := &Query{}
	if p.accept("distinct") {
		q.Distinct = true
		if p.accept("on") {
			p.only(PostgreSQL)
			p.expect("(")
			q.On = p.exprs(")")
		}
	} else {
		p.accept("all")
	}
	if p.isAny("from", "where", "group", "having", ")", ";", "union", "intersect", "except") || p.peek().Kind == EndToken {
		p.only(PostgreSQL) // no columns at all
	} else {
		q.Items = p.items()
	}
	if p.accept("from") {
		q.From = p.fromList()
	}
	if p.accept("where") {
		q.Where = p.expr(lowest)
	}
	if p.accept("group", "by") {
		if p.isAny("all", "distinct") {
			p.only(PostgreSQL)
			p.skip(1)
		}
		q.Group = p.groups()
	}
	if p.accept("having") {
		q.Having = p.expr(lowest)
	}
	if p.accept("window") {
		for {
			p.name()
			p.expect("as")
			q.Windows = append(q.Windows, p.window()...)
			if !p.accept(",") {
				break
			}
		}
	}
	return q
}

// valueRow parses the values of a row behind its opening parenthesis. DEFAULT, where it
// may stand, is nil.
func (p *parser) valueRow(defaults bool) (row []Expr) {
	for {
		if defaults && p.accept("default") {
			row = append(row, nil)
		} else {
			row = append(row, p.expr(lowest))
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return row
}

func (p *parser) groups() (list []Expr) {
	for {
		switch {
		case p.is("grouping") && p.isAt(1, "sets"):
			p.only(PostgreSQL)
			p.skip(2)
			p.expect("(")
			list = append(list, &Op{Op: "groupingsets", Args: p.groups()})
			p.expect(")")
		case p.d != SQLite && p.isAny("rollup", "cube") && p.isAt(1, "("):
			if p.d == Any { // where it may be a function, too
				p.fail("syntax of one database expected")
			}
			p.skip(2)
			list = append(list, &Op{Op: "groupingsets", Args: p.groups()})
			p.expect(")")
		case p.is("(") && p.isAt(1, ")"):
			p.only(PostgreSQL)
			p.skip(2)
			list = append(list, &Op{Op: "groupingsets"})
		default:
			x := p.expr(lowest)
			if row, ok := x.(*Op); ok && row.Op == "row" && row.Text == "" {
				list = append(list, row.Args...)
			} else {
				list = append(list, x)
			}
		}
		if !p.accept(",") {
			return list
		}
	}
}

func (p *parser) orderList() (list []OrderTerm) {
	for {
		o := OrderTerm{X: p.expr(lowest)}
		o.Desc = p.acceptAny("asc", "desc") == "desc"
		if p.accept("nulls") && p.acceptAny("first", "last") == "" {
			p.fail("first or last expected")
		}
		list = append(list, o)
		if !p.accept(",") {
			return list
		}
	}
}

func orderExprs(terms []OrderTerm) (list []Expr) {
	for _, o := range terms {
		list = append(list, o.X)
	}
	return list
}

// items parses what a query or RETURNING returns.
func (p *parser) items() (list []Item) {
	for {
		list = append(list, p.item())
		if !p.accept(",") {
			return list
		}
	}
}

func (p *parser) item() (it Item) {
	if p.accept("*") {
		it.Star = true
		return it
	}
	n := 0
	for (p.peekAt(n).Kind == WordToken || p.peekAt(n).Kind == QuotedToken) && p.isAt(n+1, ".") && n < 4 {
		n += 2
		if p.isAt(n, "*") {
			it.Star, it.Qualifier = true, p.peekAt(n-2).Text
			p.skip(n + 1)
			return it
		}
	}
	it.X = p.expr(lowest)
	switch c, isColumn := it.X.(*Column); {
	case p.accept("as"):
		if p.peek().Kind == StringToken {
			p.only(SQLite)
			it.Alias = p.peek().Text
			p.skip(1)
		} else {
			it.Alias = p.name()
		}
	case p.alias():
		it.Alias = p.name()
	case isColumn:
		it.Alias = c.Name
	}
	return it
}

// fromList parses a list of tables and their joins.
func (p *parser) fromList() (list []From) {
	if !p.enter() {
		return nil
	}
	defer p.leave()
	comma := false
	f := p.fromOne()
	for !p.failed() {
		if f.Join != NoJoin && !f.Natural {
			switch {
			case p.is("on") && !p.isAt(1, "conflict"):
				p.skip(1)
				f.On = p.expr(lowest)
			case p.accept("using"):
				p.expect("(")
				f.Using = p.names()
				if p.is("as") {
					p.fail("end of the join expected")
				}
			}
		}
		list = append(list, f)
		if len(list) > maxChain {
			p.fail("fewer tables expected")
		}
		if p.accept(",") {
			comma = true
			f = p.fromOne()
			f.Join = Cross
			continue
		}
		natural := p.accept("natural")
		join := NoJoin
		switch w := p.acceptAny("cross", "inner", "left", "right", "full"); w {
		case "cross":
			join = Cross
		case "inner":
			join = Inner
		case "left", "right", "full":
			join = Left
			switch w {
			case "right":
				join = Right
			case "full":
				join = Full
			}
			p.accept("outer")
		default:
			if p.is("join") {
				join = Inner
			} else if natural {
				p.fail("join expected")
			}
		}
		if join == NoJoin {
			return list
		}
		// A comma binds as a join does in SQLite, and weaker in PostgreSQL.
		if comma && (join == Right || join == Full) {
			p.only(SQLite)
		}
		p.expect("join")
		f = p.fromOne()
		f.Join, f.Natural = join, natural
	}
	return list
}

// fromOne parses a table, a function, a query or joins in parentheses, with its alias.
func (p *parser) fromOne() (f From) {
	f.Lateral = p.accept("lateral")
	if f.Lateral {
		p.only(PostgreSQL)
	}
	switch {
	case p.isQuery(0):
		f.Query = p.subquery()
	case p.accept("("):
		f.Group = p.fromList()
		p.expect(")")
	case p.is("rows") && p.isAt(1, "from"):
		p.fail("table expected")
	default:
		lateral := f.Lateral
		if p.is("only") {
			p.only(PostgreSQL)
			p.skip(1)
		}
		f = p.tableOrCall()
		f.Lateral = lateral
		if f.Table != nil && p.d != SQLite && p.is("*") {
			p.only(PostgreSQL)
			p.skip(1)
		}
	}
	if f.Call != nil && p.accept("with") {
		p.only(PostgreSQL)
		p.expect("ordinality")
	}
	named := p.accept("as")
	if named && p.is("(") && f.Call != nil {
		p.only(PostgreSQL)
		p.skip(1)
		f.Columns = p.definitions()
		return f
	}
	if named || p.alias() {
		f.Alias = p.name()
		if p.is("(") {
			p.only(PostgreSQL)
			p.skip(1)
			f.Columns = p.definitions()
		}
	}
	switch {
	case p.is("indexed"), p.is("not") && p.isAt(1, "indexed"):
		p.only(SQLite)
		if p.accept("not") {
			p.skip(1)
		} else {
			p.skip(1)
			p.expect("by")
			p.name()
		}
	case p.accept("tablesample"):
		p.only(PostgreSQL)
		f.Sampled = true
		p.name()
		p.expect("(")
		p.exprs(")")
		if p.accept("repeatable") {
			p.expect("(")
			p.expr(lowest)
			p.expect(")")
		}
	}
	return f
}

// tableOrCall parses a table's name or a function's call.
func (p *parser) tableOrCall() (f From) {
	n := p.tableName()
	if p.is("(") {
		name := n.Name
		if n.Schema != "" {
			name = n.Schema + "." + name
		}
		f.Call = p.callOf(name)
		f.Alias = n.Name
		return f
	}
	f.Table, f.Alias = &n, n.Name
	return f
}

// definitions parses the columns of an alias, with types or without, behind their opening
// parenthesis.
func (p *parser) definitions() (list []string) {
	for {
		list = append(list, p.name())
		if !p.is(",") && !p.is(")") {
			p.typeName()
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return list
}
