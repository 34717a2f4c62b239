package analysis

import (
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// A body is a trigger's, in tokens: of PostgreSQL the source of its function, of SQLite
// what is between BEGIN and END.
type body struct {
	tokens []sqlparse.Token
}

// bodyOf reads a trigger. It fails where the body cannot be read.
func (z *analyzer) bodyOf(t *catalog.Table, tr *catalog.Trigger) body {
	if tr.Body == "" {
		fail("trigger %s of %s cannot be read", tr.Name, t.Name)
	}
	tokens, err := sqlparse.TokensDialect(tr.Body, dialectOf(z.c.Dialect))
	if err != nil {
		fail("trigger %s of %s: %v", tr.Name, t.Name, err)
	}
	for i := range tokens {
		if isWord(tokens[i], "begin") {
			if z.c.Dialect == catalog.SQLite {
				return body{tokens[i+1:]}
			}
			return body{tokens} // with the declarations
		}
	}
	// A function in another language, or a function of the database's own.
	fail("trigger %s of %s has no body", tr.Name, t.Name)
	return body{}
}

func isWord(t sqlparse.Token, words ...string) bool {
	if t.Kind != sqlparse.WordToken {
		return false
	}
	for _, w := range words {
		if t.Text == w {
			return true
		}
	}
	return false
}

func isName(t sqlparse.Token) bool {
	return t.Kind == sqlparse.WordToken || t.Kind == sqlparse.QuotedToken
}

func isOp(t sqlparse.Token, ops ...string) bool {
	if t.Kind != sqlparse.OpToken {
		return false
	}
	for _, o := range ops {
		if t.Text == o {
			return true
		}
	}
	return false
}

// at is a token, or one of no kind beyond the ends.
func (b body) at(i int) sqlparse.Token {
	if i < 0 || i >= len(b.tokens) {
		return sqlparse.Token{}
	}
	return b.tokens[i]
}

// trigger notes the tables that a trigger may write. It fails where the trigger does
// what its tokens do not tell: a text that it executes, or a function that is not known.
func (z *analyzer) trigger(t *catalog.Table, tr *catalog.Trigger) {
	b := z.bodyOf(t, tr)
	writes := false
	for i := range b.tokens {
		tok := b.tokens[i]
		z.out.Moves = z.out.Moves || b.moves(i)
		switch {
		case isWord(tok, "execute", "call", "copy", "merge", "refresh", "create", "alter", "drop", "load", "import"),
			isWord(tok, "do") && !isWord(b.at(i-1), "conflict") && !isWord(b.at(i+1), "update", "nothing"):
			fail("trigger %s of %s: %s", tr.Name, t.Name, tok.Text)
		case isWord(tok, "insert", "update", "delete", "truncate", "replace") && !isOp(b.at(i+1), "("):
			if z.targets(t, tr, b, i) {
				writes = true
			}
		case isName(tok) && isOp(b.at(i+1), "("):
			z.called(t, tr, b, i)
		}
	}
	if !writes {
		return
	}
	if tr.Path {
		z.astray++
		defer func() { z.astray-- }()
	}
	for i, tok := range b.tokens {
		if !isName(tok) {
			continue
		}
		if o, _, ok := z.c.Lookup("", tok.Text); ok && o != nil {
			in := In{Elsewhere: true}
			if z.astray == 0 && !isOp(b.at(i-1), ".") {
				in = In{ByPath: tok.Text}
			}
			z.any(o, in)
		}
	}
}

// moves reports whether a token is of what may set search_path, or the role that looks for
// names.
func (b body) moves(i int) bool {
	text := strings.ToLower(b.tokens[i].Text)
	return strings.Contains(text, "set_config") || strings.Contains(text, "search_path") || isWord(b.tokens[i], "reset", "discard") ||
		isWord(b.tokens[i], "role", "schema", "authorization") && isWord(b.at(i-1), "set", "local", "session")
}

// targets looks at the table that a statement of a trigger writes, which must be known.
// It reports false where the word begins no statement.
func (z *analyzer) targets(t *catalog.Table, tr *catalog.Trigger, b body, i int) bool {
	word := b.at(i).Text
	switch {
	case word == "update" && isWord(b.at(i-1), "do", "for", "key"): // DO UPDATE, FOR [NO KEY] UPDATE
		return false
	case word == "update" && isWord(b.at(i+1), "or"), word == "insert" && isWord(b.at(i+1), "or"):
		i += 2
	case word == "replace" && isWord(b.at(i-1), "or"):
		return false
	}
	i++
	for isWord(b.at(i), "into", "from", "table", "only") {
		i++
	}
	name := sqlparse.Name{Name: b.at(i).Text}
	if isOp(b.at(i+1), ".") {
		name = sqlparse.Name{Schema: name.Name, Name: b.at(i + 2).Text}
		i += 2
	}
	if o, _, ok := z.c.Lookup(name.Schema, name.Name); !isName(b.at(i)) || !ok || o == nil {
		fail("trigger %s of %s: %s of something that is no table", tr.Name, t.Name, word)
	}
	if isOp(b.at(i+1), ",") { // TRUNCATE a, b
		fail("trigger %s of %s: %s of several tables", tr.Name, t.Name, word)
	}
	return true
}

// called looks at a name before a parenthesis: a function that must be known, or a word.
func (z *analyzer) called(t *catalog.Table, tr *catalog.Trigger, b body, i int) {
	name := b.at(i).Text
	if isOp(b.at(i-1), ".") && isName(b.at(i-2)) {
		name = b.at(i-2).Text + "." + name
		i -= 2
	}
	if isWord(b.at(i-1), "into", "update", "on", "as") {
		return // the columns of a table, or of an alias
	}
	if b.at(i).Kind == sqlparse.WordToken && wordsBeforeParentheses[name] {
		return
	}
	class, _ := z.class(name)
	if class == unlisted {
		fail("trigger %s of %s: function %s is not known", tr.Name, t.Name, name)
	}
}

// wordsBeforeParentheses are no functions.
var wordsBeforeParentheses = map[string]bool{}

func init() {
	for _, w := range []string{
		"values", "in", "and", "or", "not", "exists", "select", "if", "elsif", "elseif", "when", "then", "else",
		"using", "on", "conflict", "over", "filter", "as", "from", "join", "where", "set", "return", "any", "all",
		"some", "while", "by", "having", "limit", "offset", "between", "like", "ilike", "is", "case", "loop",
		"distinct", "union", "except", "intersect", "lateral", "returning", "cast", "raise", "materialized", "only",
		"until", "assert", "query", "next", "array", "interval", "numeric", "decimal", "varchar", "char", "character",
		"timestamp", "timestamptz", "time", "bit", "varbit", "float", "bpchar", "exit", "group", "within",
	} {
		wordsBeforeParentheses[w] = true
	}
}

// touched are the columns of its own row that a trigger sets, of all triggers that a
// write of the table fires. Only PostgreSQL's can.
func (z *analyzer) touched(t *catalog.Table, kind WriteKind) (m catalog.Mask) {
	if z.c.Dialect != catalog.PostgreSQL {
		return 0
	}
	for i := range t.Triggers {
		if tr := &t.Triggers[i]; !tr.Expression && fires(tr, kind) {
			m |= z.touches(t, z.bodyOf(t, tr))
		}
	}
	return m
}

// touches are the columns of the new row that a body assigns to: all of them where the
// row is assigned to as a whole, or another one is returned.
func (z *analyzer) touches(t *catalog.Table, b body) (m catalog.Mask) {
	for i, tok := range b.tokens {
		switch {
		case isWord(tok, "into") && !isWord(b.at(i-1), "insert"):
			for j := i + 1; j < len(b.tokens) && !isOp(b.at(j), ";") && !isWord(b.at(j), "from", "using", "where"); j++ {
				if isWord(b.at(j), "new") {
					m |= z.assigned(t, b, j)
				}
			}
		case isWord(tok, "new"):
			if j := i + 1; isOp(b.at(j), ":=", "=") || isOp(b.at(j), "[") {
				m = catalog.All
			} else if isOp(b.at(j), ".") && isName(b.at(j+1)) && isOp(b.at(j+2), ":=", "=", "[", ".") {
				m |= z.assigned(t, b, i)
			}
		case isWord(tok, "return"):
			for j := i + 1; j < len(b.tokens) && !isOp(b.at(j), ";"); j++ {
				if !isWord(b.at(j), "new", "old", "null", "coalesce") && !isOp(b.at(j), "(", ")", ",") {
					m = catalog.All
				}
			}
		}
	}
	return m
}

// assigned is the column of "new.column" at a token, or all of them.
func (z *analyzer) assigned(t *catalog.Table, b body, i int) catalog.Mask {
	if isOp(b.at(i+1), ".") && isName(b.at(i+2)) {
		if c, ok := z.index(t, b.at(i+2).Text); ok {
			return catalog.Bit(c)
		}
	}
	return catalog.All
}
