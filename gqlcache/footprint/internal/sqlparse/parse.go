package sqlparse

import (
	"fmt"
	"slices"
)

// Parse parses one statement, to its end, as any database does: a text that databases
// read differently is an error.
func Parse(text string) (*Statement, error) { return ParseDialect(text, Any) }

// ParseQuery parses a query, such as the definition of a view.
func ParseQuery(text string) (*Query, error) { return ParseQueryDialect(text, Any) }

// ParseDialect parses one statement, to its end, as the database does. One semicolon may
// follow it. A text of nothing but space and comments is NoData. The error wraps
// [ErrSyntax].
func ParseDialect(text string, d Dialect) (*Statement, error) {
	p, err := newParser(text, d)
	if err != nil {
		return nil, err
	}
	var s *Statement
	if p.peek().Kind == EndToken || p.is(";") {
		s = &Statement{Kind: NoData}
	} else {
		s = p.statement()
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	if s.Kind != DDL { // whose tokens nobody has looked at
		s.Params = p.params
	}
	return s, nil
}

// ParseScriptDialect parses a text of any number of statements, with semicolons between
// them. What is true of one of them alone, the numbers of its parameters for instance, is
// not to be had from them.
func ParseScriptDialect(text string, d Dialect) ([]*Statement, error) {
	p, err := newParser(text, d)
	if err != nil {
		return nil, err
	}
	var list []*Statement
	for {
		for p.accept(";") {
		}
		if p.err != nil || p.peek().Kind == EndToken {
			return list, p.err
		}
		list = append(list, p.statement())
		if p.err == nil && !p.is(";") && p.peek().Kind != EndToken {
			p.fail("end of the statement expected")
		}
	}
}

// ParseQueryDialect is ParseQuery for one database.
func ParseQueryDialect(text string, d Dialect) (*Query, error) {
	p, err := newParser(text, d)
	if err != nil {
		return nil, err
	}
	q := p.query()
	if err := p.end(); err != nil {
		return nil, err
	}
	return q, nil
}

// A parser fails once: from then on it is at the end of the text, so that all loops end,
// and what it returns is of no use.
type parser struct {
	toks   []Token
	at     int
	d      Dialect
	params int
	depth  int
	// defaults says that DEFAULT may be a value of the VALUES that come next.
	defaults bool
	err      error
}

func newParser(text string, d Dialect) (*parser, error) {
	l := lexer{text: text, d: d}
	if err := l.run(); err != nil {
		return nil, err
	}
	return &parser{toks: l.toks, d: d, params: l.max}, nil
}

func (p *parser) end() error {
	p.accept(";")
	if p.err == nil && p.peek().Kind != EndToken {
		p.fail("end of the statement expected")
	}
	return p.err
}

// fail says what is wrong and where. It quotes no values.
func (p *parser) fail(what string) {
	if p.err != nil {
		return
	}
	t := p.peek()
	near := t.Text
	switch {
	case t.Kind == EndToken:
		near = "the end"
	case t.Kind == StringToken || t.Kind == NumberToken:
		near = "a constant"
	case t.Kind == QuotedToken: // which may be a string of SQLite
		near = "a name in quotes"
	case len(near) > 32:
		near = near[:32]
	}
	p.err = fmt.Errorf("%w: %s, not %q at byte %d", ErrSyntax, what, near, t.Pos)
	p.at = len(p.toks) - 1
}

func (p *parser) failed() bool { return p.err != nil }

// enter counts the depth of recursion; leave takes it back.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.fail("less depth expected")
	}
	return p.err == nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) peek() *Token { return &p.toks[p.at] }

func (p *parser) peekAt(n int) *Token { return &p.toks[min(p.at+n, len(p.toks)-1)] }

func (t *Token) is(s string) bool {
	return (t.Kind == WordToken || t.Kind == OpToken) && t.Text == s
}

func (p *parser) is(s string) bool          { return p.toks[p.at].is(s) }
func (p *parser) isAt(n int, s string) bool { return p.peekAt(n).is(s) }

func (p *parser) isAny(words ...string) bool {
	t := p.peek()
	return (t.Kind == WordToken || t.Kind == OpToken) && slices.Contains(words, t.Text)
}

func (p *parser) skip(n int) { p.at = min(p.at+n, len(p.toks)-1) }

// accept skips words if they are next, all of them.
func (p *parser) accept(words ...string) bool {
	for i, w := range words {
		if !p.isAt(i, w) {
			return false
		}
	}
	p.skip(len(words))
	return true
}

// acceptAny skips the next word if it is one of words, and returns it.
func (p *parser) acceptAny(words ...string) string {
	if !p.isAny(words...) {
		return ""
	}
	w := p.peek().Text
	p.skip(1)
	return w
}

func (p *parser) expect(words ...string) {
	if !p.accept(words...) {
		p.fail(words[0] + " expected")
	}
}

func (p *parser) acceptKind(k TokenKind) *Token {
	t := p.peek()
	if t.Kind != k {
		return nil
	}
	p.skip(1)
	return t
}

// name reads a name, also one that is a keyword elsewhere.
func (p *parser) name() string {
	t := p.peek()
	if t.Kind != WordToken && t.Kind != QuotedToken {
		p.fail("name expected")
		return ""
	}
	p.skip(1)
	return t.Text
}

// tableName reads [schema.]name.
func (p *parser) tableName() Name {
	if t := p.peek(); t.Kind == WordToken && reserved(t.Text) {
		p.fail("name expected")
		return Name{}
	}
	n := Name{Name: p.name()}
	if p.accept(".") {
		n.Schema, n.Name = n.Name, p.name()
		if p.is(".") {
			p.fail("name of two parts expected")
		}
	}
	return n
}

// names reads names behind an opening parenthesis.
func (p *parser) names() (list []string) {
	for {
		list = append(list, p.name())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return list
}

// only sets the dialect of a text that just one database understands.
func (p *parser) only(d Dialect) {
	if p.d == Any {
		p.d = d
	} else if p.d != d {
		p.fail("syntax of this database expected")
	}
}

// isQuery reports whether the token n ahead is the parenthesis around a query.
func (p *parser) isQuery(n int) bool {
	at := p.at + n
	if !p.toks[min(at, len(p.toks)-1)].is("(") {
		return false
	}
	// Inner parentheses make the outer one a query's if they are a query that an arm, an
	// order or the end follows.
	inner := at
	for p.toks[inner+1].is("(") {
		inner++
	}
	t := &p.toks[inner+1]
	if t.Kind != WordToken || t.Text != "select" && t.Text != "values" && t.Text != "with" && (t.Text != "table" || p.d == SQLite) {
		return false
	}
	for ; inner > at; inner-- {
		t := &p.toks[min(p.toks[inner].N+1, len(p.toks)-1)]
		if t.Kind != WordToken && t.Kind != OpToken {
			return false
		}
		switch t.Text {
		case ")", "union", "intersect", "except", "order", "limit", "offset", "fetch", "for":
		default:
			return false
		}
	}
	return true
}

// reserved reports whether a word cannot be the name of a column or table without quotes.
func reserved(word string) bool {
	switch word {
	case "all", "and", "any", "as", "asc", "between", "by", "case", "cast", "check", "collate", "constraint", "create",
		"cross", "default", "desc", "distinct", "do", "else", "end", "except", "exists", "fetch", "for", "foreign",
		"from", "full", "grant", "group", "having", "in", "inner", "intersect", "into", "is", "isnull", "join",
		"lateral", "leading", "left", "limit", "natural", "not", "notnull", "null", "offset", "on", "only",
		"or", "order", "outer", "primary", "references", "returning", "right", "select", "set", "some", "symmetric",
		"table", "tablesample", "then", "to", "trailing", "union", "unique", "using", "values", "variadic", "when",
		"where", "window", "with":
		return true
	}
	return false
}

// alias reports whether the next token is an alias without AS. A word that may start or
// continue a clause is none.
func (p *parser) alias() bool {
	t := p.peek()
	if t.Kind == QuotedToken {
		return true
	}
	if t.Kind != WordToken || reserved(t.Text) {
		return false
	}
	switch t.Text {
	case "array", "at", "conflict", "current", "delete", "escape", "exclude", "filter", "following", "glob", "groups",
		"ignore", "ilike", "indexed", "insert", "interval", "like", "match", "materialized", "minus", "nothing", "nulls",
		"operator", "over", "overlaps", "overriding", "partition", "placing", "preceding", "qualify", "range", "regexp",
		"respect", "row", "rows", "separator", "share", "similar", "straight_join", "ties", "uescape", "unbounded",
		"update", "within", "without", "search", "cycle", "pivot", "unpivot", "asof", "semi", "anti", "global", "positional",
		"rlike", "div", "mod", "xor", "sounds", "member", "of", "nowait", "skip", "lock", "use", "force", "key":
		return false
	}
	return true
}
