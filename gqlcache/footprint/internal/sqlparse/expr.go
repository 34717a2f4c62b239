package sqlparse

import "strings"

// A level is how tightly an operator binds, in PostgreSQL and in SQLite.
type level struct{ pg, lite int8 }

var (
	lowest = level{}
	levels = struct {
		or, and, not, is, equal, compare, like, other, bits, concat, add, multiply, power, zone, collate, unary, index, cast, bitNot level
	}{
		or: level{1, 1}, and: level{2, 2}, not: level{3, 3}, is: level{4, 4}, equal: level{5, 4}, compare: level{5, 5},
		like: level{6, 4}, other: level{7, 0}, bits: level{7, 7}, concat: level{7, 10}, add: level{8, 8},
		multiply: level{9, 9}, power: level{10, 0}, zone: level{11, 0}, collate: level{12, 11}, unary: level{13, 12},
		index: level{14, 0}, cast: level{15, 0}, bitNot: level{7, 12},
	}
)

// escapes is the level of what follows ESCAPE.
var escapes = level{6, 6}

// operator returns the level of a token between operands; ok is false for others. A level
// that is 0 for a database is no operator of it.
func operator(t *Token) (l level, ok bool) {
	if l, ok = builtIn(t); !ok && t.isCustom() {
		return levels.other, true
	}
	return l, ok
}

// builtIn is operator without those that are not built in.
func builtIn(t *Token) (l level, ok bool) {
	if t.Kind != WordToken && t.Kind != OpToken {
		return level{}, false
	}
	switch t.Text {
	case "or":
		return levels.or, true
	case "and":
		return levels.and, true
	case "is":
		return levels.is, true
	case "isnull", "notnull":
		return levels.is, true
	case "=", "<>", "!=":
		return levels.equal, true
	case "==":
		return level{0, 4}, true
	case "<", ">", "<=", ">=":
		return levels.compare, true
	case "in", "like", "between", "not":
		return levels.like, true
	case "ilike", "similar":
		return level{6, 0}, true
	case "glob", "regexp", "match":
		return level{0, 4}, true
	case "&", "|", "<<", ">>":
		return levels.bits, true
	case "||", "->", "->>":
		return levels.concat, true
	case "+", "-":
		return levels.add, true
	case "*", "/", "%":
		return levels.multiply, true
	case "^":
		return levels.power, true
	case "at":
		return levels.zone, true
	case "collate":
		return levels.collate, true
	case "[":
		return levels.index, true
	case "::":
		return levels.cast, true
	case "operator":
		return levels.other, true
	case "?", "?|", "?&", "@?", "@@", "@@@", "#>", "#>>", "#-", "@>", "<@", "&&", "-|-", "&<", "&>", "<<|", "|>>", "&<|", "|&>",
		"<<=", ">>=", "<->", "<^", ">^", "?#", "?-", "?-|", "?||", "~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*", "^@",
		"~=", "~<~", "~>~", "~<=~", "~>=~", "##", "#":
		return levels.other, true
	}
	return level{}, false
}

// isCustom reports whether a token is made of the signs of operators. One that is not built
// in is an extension's or a user's, of PostgreSQL, where all of them bind alike. The lexer
// finds none for SQLite.
func (t *Token) isCustom() bool {
	if t.Kind != OpToken || t.Text == "=>" { // the name of an argument
		return false
	}
	for i := range len(t.Text) {
		if !isOpByte(t.Text[i]) {
			return false
		}
	}
	return true
}

// binds reports whether an operator of level l takes the operand that stands between it
// and an operator of level min. The databases must agree where the database is not known.
func (p *parser) binds(l, min level) bool {
	pg, lite := l.pg > min.pg, l.lite > min.lite
	switch p.d {
	case PostgreSQL:
		return pg
	case SQLite:
		return lite
	}
	if pg != lite {
		p.fail("parentheses expected, as precedence differs between databases")
		return false
	}
	return pg
}

// expr parses an expression up to an operator that binds no tighter than min.
func (p *parser) expr(min level) Expr {
	if !p.enter() {
		return nil
	}
	defer p.leave()
	x := p.unary()
	for n := 0; !p.failed(); n++ {
		if n > maxChain {
			p.fail("fewer operators expected")
			break
		}
		t := p.peek()
		l, ok := operator(t)
		if !ok {
			return x
		}
		switch t.Text {
		case "not":
			switch w := p.peekAt(1); {
			case w.is("null"):
				l = level{0, 4}
			case w.is("in"), w.is("like"), w.is("between"), w.is("ilike"), w.is("glob"), w.is("regexp"), w.is("match"), w.is("similar"):
			default:
				return x
			}
		case "at":
			if !p.isAt(1, "time") {
				return x
			}
		case "operator":
			if !p.isAt(1, "(") {
				return x
			}
		}
		switch { // of one database
		case l.pg == 0:
			p.only(SQLite)
		case l.lite == 0:
			p.only(PostgreSQL)
		}
		if p.failed() || !p.binds(l, min) {
			return x
		}
		x = p.infix(x, t, l)
	}
	return x
}

func (p *parser) infix(x Expr, t *Token, l level) Expr {
	p.skip(1)
	switch t.Text {
	case "not":
		if p.accept("null") {
			return &Op{Op: "isnotnull", Args: []Expr{x}}
		}
		t = p.peek()
		p.skip(1)
		return p.like(x, t.Text, true)
	case "in", "between", "like", "ilike", "glob", "regexp", "match", "similar":
		return p.like(x, t.Text, false)
	case "is":
		return p.isTest(x)
	case "isnull":
		return &Op{Op: "isnull", Args: []Expr{x}}
	case "notnull":
		return &Op{Op: "isnotnull", Args: []Expr{x}}
	case "collate":
		name := p.name()
		if p.accept(".") {
			name = p.name()
		}
		return &Op{Op: "collate", Args: []Expr{x}, Text: name}
	case "at":
		p.expect("time")
		p.expect("zone")
		return &Op{Op: "attimezone", Args: []Expr{x, p.expr(l)}}
	case "::":
		return &Cast{X: x, Type: p.typeName()}
	case "[":
		return p.index(x)
	}
	op := t.Text
	if op == "operator" {
		op = p.qualified()
	}
	if op == "==" {
		op = "="
	}
	if op == "!=" {
		op = "<>"
	}
	if op != "or" && op != "and" {
		if x := p.quantified(x, op); x != nil {
			return x
		}
	}
	return &Binary{Op: op, Left: x, Right: p.expr(l)}
}

// qualified parses the rest of OPERATOR(pg_catalog.=). The operator of another schema keeps
// the schema's name, "public.=": it is not known what it does.
func (p *parser) qualified() string {
	p.expect("(")
	schema := p.name()
	p.expect(".")
	t := p.peek()
	if _, ok := operator(t); !ok || t.Kind != OpToken || t.Text == "[" || t.Text == "::" {
		p.fail("operator expected")
	}
	p.skip(1)
	p.expect(")")
	if schema == "pg_catalog" {
		return t.Text
	}
	return schema + "." + t.Text
}

// quantified parses ANY (…) and ALL (…) after an operator; nil if there is none.
func (p *parser) quantified(x Expr, op string) Expr {
	if p.d == SQLite || !p.isAny("any", "some", "all") || !p.isAt(1, "(") {
		return nil
	}
	p.only(PostgreSQL)
	word := p.peek().Text
	p.skip(1)
	equal := op == "=" && word != "all"
	if word == "some" {
		word = "any"
	}
	if p.isQuery(0) {
		q := p.subquery()
		if equal {
			return &In{X: x, Sub: q}
		}
		return &Op{Op: "quantified", Args: []Expr{x, &Subquery{q}}, Text: op + " " + word}
	}
	p.expect("(")
	array := p.expr(lowest)
	p.expect(")")
	if equal {
		return &In{X: x, List: []Expr{&Call{Name: "unnest", Args: []Expr{array}}}}
	}
	return &Op{Op: "quantified", Args: []Expr{x, array}, Text: op + " " + word}
}

// like parses what follows [NOT] IN, BETWEEN, LIKE and their like.
func (p *parser) like(x Expr, word string, not bool) Expr {
	name := word
	if not {
		name = "not" + word
	}
	switch word {
	case "in":
		return p.in(x, not)
	case "between":
		if p.accept("symmetric") {
			p.only(PostgreSQL)
			name += "symmetric"
		} else if p.is("asymmetric") && !p.isAt(1, "and") {
			p.only(PostgreSQL)
			p.skip(1)
		}
		low := p.expr(levels.like)
		p.expect("and")
		return &Op{Op: name, Args: []Expr{x, low, p.expr(levels.like)}}
	case "similar":
		p.expect("to")
		p.only(PostgreSQL)
	case "ilike":
		p.only(PostgreSQL)
	case "glob", "regexp", "match":
		p.only(SQLite)
	}
	if y := p.quantified(x, name); y != nil {
		return y
	}
	args := []Expr{x, p.expr(levels.like)}
	if p.accept("escape") {
		args = append(args, p.expr(escapes))
	}
	return &Op{Op: name, Args: args}
}

func (p *parser) in(x Expr, not bool) Expr {
	if !p.is("(") { // a table, or a function that returns one
		p.only(SQLite)
		return &In{X: x, Not: not, Sub: &Query{Items: []Item{{Star: true}}, From: []From{p.tableOrCall()}}}
	}
	if p.isQuery(0) {
		if !p.isAt(1, "(") {
			return &In{X: x, Not: not, Sub: p.subquery()}
		}
		// A set in PostgreSQL, one value in SQLite.
		switch p.d {
		case PostgreSQL:
			return &In{X: x, Not: not, Sub: p.subquery()}
		case Any:
			p.fail("one parenthesis around the query expected")
			return nil
		}
	}
	p.skip(1)
	if p.accept(")") {
		p.only(SQLite)
		return &In{X: x, Not: not}
	}
	return &In{X: x, Not: not, List: p.exprs(")")}
}

func (p *parser) isTest(x Expr) Expr {
	not := p.accept("not")
	op := func(plain, negated string) string {
		if not {
			return negated
		}
		return plain
	}
	t := p.peek()
	switch {
	case p.accept("null"):
		return &Op{Op: op("isnull", "isnotnull"), Args: []Expr{x}}
	case p.accept("distinct", "from"):
		return &Op{Op: op("isdistinct", "isnotdistinct"), Args: []Expr{x, p.expr(levels.is)}}
	case t.is("true"), t.is("false"):
		p.skip(1)
		return &Op{Op: "istruth", Args: []Expr{x}, Text: op("", "not ") + t.Text}
	case t.is("unknown") && p.d == PostgreSQL:
		p.skip(1)
		return &Op{Op: op("isnull", "isnotnull"), Args: []Expr{x}}
	case t.Kind == WordToken && p.d == Any:
		switch t.Text {
		case "unknown", "json", "document", "normalized", "nfc", "nfd", "nfkc", "nfkd", "of":
			p.fail("operand of IS expected")
		}
	}
	p.only(SQLite)
	return &Op{Op: op("is", "isnot"), Args: []Expr{x, p.expr(levels.is)}}
}

// index parses a subscript or slice.
func (p *parser) index(x Expr) Expr {
	args := []Expr{x}
	if !p.is(":") {
		args = append(args, p.expr(lowest))
	}
	if p.accept(":") && !p.is("]") {
		args = append(args, p.expr(lowest))
	}
	p.expect("]")
	return &Op{Op: "index", Args: args}
}

// exprs parses expressions up to a closing parenthesis or bracket.
func (p *parser) exprs(closing string) (list []Expr) {
	for {
		list = append(list, p.expr(lowest))
		if !p.accept(",") {
			break
		}
	}
	p.expect(closing)
	return list
}

// subquery parses a query in parentheses.
func (p *parser) subquery() *Query {
	p.expect("(")
	q := p.query()
	p.expect(")")
	return q
}

func (p *parser) unary() Expr {
	t := p.peek()
	switch t.Kind {
	case ParamToken:
		p.skip(1)
		x := &Param{N: t.N}
		switch t.Text[0] {
		case ':', '@':
			x.Name = t.Text
		case '$':
			if !isDigit(t.Text[1]) {
				x.Name = t.Text
			}
		}
		return x
	case StringToken:
		return p.str()
	case NumberToken:
		p.skip(1)
		return &Literal{Text: t.Text, Number: true, Odd: t.Odd}
	case QuotedToken:
		return p.column()
	case WordToken:
		return p.wordExpr(t)
	case OpToken:
		switch t.Text {
		case "(":
			return p.parenthesized()
		case "+": // SQLite's +column is the column's value
			p.skip(1)
			return p.expr(levels.unary)
		case "-":
			p.skip(1)
			x := p.expr(levels.unary)
			if n, ok := x.(*Literal); ok && n.Number && !n.Odd && n.Text[0] != '-' && n.Text != "0" {
				return &Literal{Text: "-" + n.Text, Number: true}
			}
			return &Op{Op: "unary-", Args: []Expr{x}}
		case "~":
			p.skip(1)
			return &Op{Op: "unary~", Args: []Expr{p.expr(levels.bitNot)}}
		case "@", "|/", "||/", "!!":
			p.only(PostgreSQL)
			p.skip(1)
			return &Op{Op: "unary" + t.Text, Args: []Expr{p.expr(levels.other)}}
		}
		if _, ok := builtIn(t); !ok && t.isCustom() {
			p.only(PostgreSQL)
			p.skip(1)
			return &Op{Op: "unary" + t.Text, Args: []Expr{p.expr(levels.other)}}
		}
	}
	p.fail("expression expected")
	return nil
}

func (p *parser) str() Expr {
	t := p.peek()
	p.skip(1)
	if t.Odd && p.accept("uescape") && p.acceptKind(StringToken) == nil {
		p.fail("string expected")
	}
	return &Literal{Text: t.Text, Odd: t.Odd}
}

// parenthesized parses a query, a row or an expression, with fields and subscripts.
func (p *parser) parenthesized() Expr {
	var x Expr
	if p.isQuery(0) {
		x = &Subquery{p.subquery()}
	} else {
		p.expect("(")
		list := p.exprs(")")
		if len(list) > 1 {
			return &Op{Op: "row", Args: list}
		}
		x = list[0]
	}
	return p.fields(x)
}

func (p *parser) fields(x Expr) Expr {
	for p.is(".") && !p.failed() {
		p.only(PostgreSQL)
		p.skip(1)
		x = &Op{Op: "field", Args: []Expr{x}, Text: p.name()}
	}
	return x
}

func (p *parser) wordExpr(t *Token) Expr {
	next := p.peekAt(1)
	switch t.Text {
	case "null":
		p.skip(1)
		return &Literal{Null: true}
	case "true", "false":
		if next.is("(") || next.is(".") {
			break
		}
		p.skip(1)
		return &Literal{Text: t.Text, Odd: true}
	case "not":
		p.skip(1)
		return &Op{Op: "not", Args: []Expr{p.expr(levels.not)}}
	case "exists":
		p.skip(1)
		if !p.isQuery(0) {
			p.fail("query expected")
			return nil
		}
		return &Exists{p.subquery()}
	case "case":
		return p.caseExpr()
	case "cast":
		p.skip(1)
		p.expect("(")
		x := p.expr(lowest)
		p.expect("as")
		c := &Cast{X: x, Type: p.typeName()}
		p.expect(")")
		return c
	case "array":
		switch {
		case next.is("["):
			p.only(PostgreSQL)
			p.skip(1)
			return p.array()
		case next.is("(") && p.d != SQLite && p.isQuery(1):
			p.only(PostgreSQL)
			p.skip(1)
			return p.fields(&Subquery{p.subquery()})
		}
	case "row":
		if next.is("(") {
			p.only(PostgreSQL)
			p.skip(2)
			if p.accept(")") {
				return &Op{Op: "row"}
			}
			return &Op{Op: "row", Args: p.exprs(")")}
		}
	case "current_timestamp", "current_time", "current_date":
		if !next.is(".") {
			return p.special(t)
		}
	case "current_user", "session_user", "current_role", "current_catalog", "localtime", "localtimestamp", "user", "system_user", "current_schema":
		// Columns in SQLite.
		if p.d == SQLite || next.is(".") || next.is("(") && t.Text != "localtime" && t.Text != "localtimestamp" {
			break
		}
		if p.d == Any {
			p.fail("name in quotes expected")
			return nil
		}
		return p.special(t)
	case "left", "right", "like", "glob", "regexp", "match", "replace":
		if next.is("(") {
			return p.call()
		}
	}
	if reserved(t.Text) {
		p.fail("expression expected")
		return nil
	}
	if p.d != SQLite {
		if n := p.typedLiteral(); n > 0 {
			p.only(PostgreSQL)
			typ := p.typeName()
			if p.acceptKind(StringToken) == nil {
				p.fail("string expected")
			}
			if typ == "interval" {
				p.intervalFields()
			}
			return &Cast{X: &Literal{Odd: true}, Type: typ}
		}
	}
	return p.column()
}

// typedLiteral returns after how many tokens a string follows that a type's name makes
// another value of; 0 for none.
func (p *parser) typedLiteral() int {
	n := 1
	for p.isAt(n, ".") {
		n += 2
	}
	switch w := p.peek().Text; w {
	case "double", "character", "national", "bit":
		if p.isAt(1, "precision") || p.isAt(1, "varying") {
			n++
		}
	}
	if t := p.peekAt(n); t.is("(") && t.N != noClosing {
		if w := p.peek().Text; w != "timestamp" && w != "timestamptz" && w != "time" && w != "interval" {
			return 0
		}
		n = t.N + 1 - p.at
	}
	if (p.isAt(n, "with") || p.isAt(n, "without")) && p.isAt(n+1, "time") && p.isAt(n+2, "zone") {
		n += 3
	}
	if p.peekAt(n).Kind == StringToken {
		return n
	}
	return 0
}

func (p *parser) intervalFields() {
	for p.acceptAny("year", "month", "day", "hour", "minute", "second") != "" && p.accept("to") {
		continue
	}
}

// special parses a function without parentheses, which may have a precision.
func (p *parser) special(t *Token) Expr {
	p.skip(1)
	c := &Call{Name: t.Text}
	if p.is("(") {
		p.skip(1)
		if p.accept(")") {
			return c
		}
		if p.acceptKind(NumberToken) == nil {
			p.fail("precision expected")
		}
		p.expect(")")
	}
	return c
}

func (p *parser) caseExpr() Expr {
	p.expect("case")
	x := &Op{Op: "case"}
	if !p.is("when") {
		x.Args = append(x.Args, p.expr(lowest))
	}
	for p.accept("when") {
		x.Args = append(x.Args, p.expr(lowest))
		p.expect("then")
		x.Args = append(x.Args, p.expr(lowest))
	}
	if p.accept("else") {
		x.Args = append(x.Args, p.expr(lowest))
	}
	p.expect("end")
	return x
}

// array parses [a, b], whose elements may be arrays without their word.
func (p *parser) array() Expr {
	if !p.enter() {
		return nil
	}
	defer p.leave()
	p.expect("[")
	x := &Op{Op: "array"}
	if p.accept("]") {
		return x
	}
	for {
		if p.is("[") {
			x.Args = append(x.Args, p.array())
		} else {
			x.Args = append(x.Args, p.expr(lowest))
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
	return x
}

// column parses a column, a whole row, or the call of a function.
func (p *parser) column() Expr {
	n := 1
	for p.isAt(n, ".") && n < 6 {
		n += 2
	}
	if p.isAt(n, "(") && p.peekAt(n-1).Kind != OpToken {
		return p.call()
	}
	c := &Column{Name: p.name()}
	for i := 0; p.is("."); i++ {
		p.skip(1)
		if i == 2 {
			p.fail("column of three parts expected")
			return nil
		}
		if p.accept("*") {
			return &Column{Qualifier: c.Name, Name: "*"}
		}
		c.Qualifier, c.Name = c.Name, p.name()
	}
	return c
}

// call parses a function's call.
func (p *parser) call() Expr {
	name := p.name()
	for p.accept(".") {
		// A quoted name may have a point in it.
		name += "." + p.name()
		if strings.Count(name, ".") > 1 {
			p.fail("function expected")
		}
	}
	if p.peekAt(-1).Kind == QuotedToken && strings.Contains(p.peekAt(-1).Text, ".") {
		p.fail("function expected")
	}
	c := p.callOf(name)
	return p.fields(c)
}

// callOf parses the arguments of a function and what follows them.
func (p *parser) callOf(name string) *Call {
	c := &Call{Name: name}
	p.expect("(")
	switch {
	case p.accept("*"):
		c.Star = true
	case p.is(")"):
	case !p.wordArguments(c):
		p.arguments(c)
	}
	p.expect(")")
	if p.is("within") && p.isAt(1, "group") {
		p.skip(2)
		p.expect("(")
		p.expect("order", "by")
		c.Args = append(c.Args, orderExprs(p.orderList())...)
		p.expect(")")
	}
	if p.is("filter") && p.isAt(1, "(") {
		p.skip(2)
		p.expect("where")
		c.Args = append(c.Args, p.expr(lowest))
		p.expect(")")
	}
	if p.is("over") && (p.isAt(1, "(") || p.peekAt(1).Kind == WordToken || p.peekAt(1).Kind == QuotedToken) {
		p.skip(1)
		c.Window = true
		if p.is("(") {
			c.Args = append(c.Args, p.window()...)
		} else {
			p.name()
		}
	}
	return c
}

func (p *parser) arguments(c *Call) {
	if p.accept("distinct") {
		c.Distinct = true
	} else {
		p.accept("all")
	}
	for {
		switch {
		case p.accept("variadic"):
			p.only(PostgreSQL)
			c.Args = append(c.Args, &Op{Op: "variadic", Args: []Expr{p.expr(lowest)}})
		case (p.peek().Kind == WordToken || p.peek().Kind == QuotedToken) && (p.isAt(1, "=>") || p.isAt(1, ":=")):
			p.only(PostgreSQL)
			n := p.name()
			p.skip(1)
			c.Args = append(c.Args, &Op{Op: "named", Args: []Expr{p.expr(lowest)}, Text: n})
		default:
			c.Args = append(c.Args, p.expr(lowest))
		}
		if !p.accept(",") {
			break
		}
	}
	if p.accept("order", "by") {
		c.Args = append(c.Args, orderExprs(p.orderList())...)
	}
}

// wordArguments parses arguments with words between them; false if there are none.
func (p *parser) wordArguments(c *Call) bool {
	if p.d == SQLite {
		return false
	}
	arg := func(l level) { c.Args = append(c.Args, p.expr(l)) }
	switch c.Name {
	case "extract":
		t := p.peek()
		if t.Kind != WordToken && t.Kind != StringToken || !p.isAt(1, "from") {
			return false
		}
		p.only(PostgreSQL)
		p.skip(2)
		c.Args = append(c.Args, &Literal{Text: t.Text})
		arg(lowest)
	case "position":
		p.only(PostgreSQL)
		arg(levels.like)
		p.expect("in")
		arg(levels.like)
	case "overlay":
		arg(lowest)
		if !p.is("placing") {
			p.rest(c)
			return true
		}
		p.only(PostgreSQL)
		p.skip(1)
		arg(lowest)
		p.expect("from")
		arg(lowest)
		if p.accept("for") {
			arg(lowest)
		}
	case "substring":
		// SUBSTRING (x SIMILAR p ESCAPE e) is not read.
		arg(levels.like)
		if !p.isAny("from", "for") {
			p.rest(c)
			return true
		}
		p.only(PostgreSQL)
		for p.acceptAny("from", "for") != "" {
			arg(lowest)
		}
	case "trim":
		if p.acceptAny("leading", "trailing", "both") != "" {
			p.only(PostgreSQL)
		}
		if !p.is("from") {
			arg(lowest)
		}
		if p.accept("from") {
			p.only(PostgreSQL)
			arg(lowest)
		}
		p.rest(c)
	default:
		return false
	}
	return true
}

// rest parses further arguments.
func (p *parser) rest(c *Call) {
	for p.accept(",") {
		c.Args = append(c.Args, p.expr(lowest))
	}
}

// window parses a window's definition in parentheses, and returns its expressions.
func (p *parser) window() (list []Expr) {
	p.expect("(")
	if t := p.peek(); t.Kind == QuotedToken || t.Kind == WordToken && !p.isAny("partition", "order", "rows", "range", "groups") {
		p.name() // of another window
	}
	if p.accept("partition", "by") {
		for {
			list = append(list, p.expr(lowest))
			if !p.accept(",") {
				break
			}
		}
	}
	if p.accept("order", "by") {
		list = append(list, orderExprs(p.orderList())...)
	}
	if p.acceptAny("rows", "range", "groups") != "" {
		if p.accept("between") {
			list = append(list, p.bound()...)
			p.expect("and")
		}
		list = append(list, p.bound()...)
		if p.accept("exclude") {
			if !p.accept("current", "row") && !p.accept("no", "others") && p.acceptAny("group", "ties") == "" {
				p.fail("frame expected")
			}
		}
	}
	p.expect(")")
	return list
}

func (p *parser) bound() []Expr {
	if p.accept("current", "row") || p.accept("unbounded", "preceding") || p.accept("unbounded", "following") {
		return nil
	}
	x := p.expr(levels.like)
	if p.acceptAny("preceding", "following") == "" {
		p.fail("frame expected")
	}
	return []Expr{x}
}

// typeName parses a type.
func (p *parser) typeName() string {
	var b strings.Builder
	word := func() {
		t := p.peek()
		switch {
		case t.Kind == QuotedToken:
			b.WriteByte('"')
			b.WriteString(t.Text)
			b.WriteByte('"')
		case t.Kind == WordToken && !reserved(t.Text):
			b.WriteString(t.Text)
		default:
			p.fail("type expected")
		}
		p.skip(1)
	}
	first := p.peek().Text
	word()
	for p.accept(".") {
		b.WriteByte('.')
		word()
	}
	more := func(words ...string) bool {
		if p.failed() || !p.isAny(words...) {
			return false
		}
		b.WriteByte(' ')
		b.WriteString(p.peek().Text)
		p.skip(1)
		return true
	}
	switch first {
	case "double":
		more("precision")
	case "character", "char", "national", "bit", "nchar":
		more("character", "char")
		more("varying")
	case "interval":
		if more("year", "month", "day", "hour", "minute", "second") && p.is("to") {
			p.skip(1)
			b.WriteString(" to")
			more("month", "hour", "minute", "second")
		}
	default:
		if p.d == SQLite {
			for more("unsigned", "big", "int", "integer", "varying", "character") {
				continue
			}
		}
	}
	if p.accept("(") {
		b.WriteByte('(')
		for {
			p.acceptAny("-", "+")
			t := p.acceptKind(NumberToken)
			if t == nil {
				if t = p.acceptKind(WordToken); t == nil { // geometry(Point, 4326)
					p.fail("length expected")
					return ""
				}
			}
			b.WriteString(t.Text)
			if !p.accept(",") {
				break
			}
			b.WriteByte(',')
		}
		p.expect(")")
		b.WriteByte(')')
	}
	if (first == "timestamp" || first == "time") && (p.is("with") || p.is("without")) && p.isAt(1, "time") {
		b.WriteByte(' ')
		b.WriteString(p.peek().Text)
		p.skip(1)
		p.expect("time")
		p.expect("zone")
		b.WriteString(" time zone")
	}
	if p.d != SQLite {
		for p.is("[") {
			p.skip(1)
			p.acceptKind(NumberToken)
			p.expect("]")
			b.WriteString("[]")
		}
		if p.accept("array") {
			b.WriteString("[]")
			if p.accept("[") {
				p.acceptKind(NumberToken)
				p.expect("]")
			}
		}
	}
	return b.String()
}
