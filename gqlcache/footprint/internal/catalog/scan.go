package catalog

import (
	"slices"
	"strings"
)

// A token is a piece of a definition. Kind is 'w' for a word in lower case, 'q' for a
// quoted identifier, 's' for a string, 'n' for a number, and else the character itself.
type token struct {
	kind byte
	text string
	at   int // where it begins
}

// scan splits a definition into tokens, without comments. It reports false for a text that
// ends within one.
func scan(d Dialect, s string) (out []token, ok bool) {
	for i := 0; i < len(s); {
		at, c := i, s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			i++
		case strings.HasPrefix(s[i:], "--"):
			n := strings.IndexByte(s[i:], '\n')
			if n < 0 {
				return out, true
			}
			i += n + 1
		case strings.HasPrefix(s[i:], "/*"):
			if i = comment(d, s, i); i < 0 {
				return nil, false
			}
		case c == '\'' || c == '"' || d == SQLite && (c == '`' || c == '['):
			// E'...' of PostgreSQL has escapes.
			escapes := d == PostgreSQL && c == '\'' && len(out) > 0 && out[len(out)-1].text == "e" && out[len(out)-1].at == at-1
			text, end := quoted(s, i, escapes)
			if end < 0 {
				return nil, false
			}
			kind := byte('q')
			if c == '\'' {
				kind = 's'
			}
			out = append(out, token{kind, text, at})
			i = end
		case c == '$' && d == PostgreSQL && dollar(s[i:]) != "":
			tag := dollar(s[i:])
			n := strings.Index(s[i+len(tag):], tag)
			if n < 0 {
				return nil, false
			}
			out = append(out, token{'s', s[i+len(tag) : i+len(tag)+n], at})
			i += n + 2*len(tag)
		case letter(c):
			for i < len(s) && (letter(s[i]) || digit(s[i]) || s[i] == '$') {
				i++
			}
			out = append(out, token{'w', lower(s[at:i]), at})
		case digit(c):
			for i < len(s) && (letter(s[i]) || digit(s[i])) {
				i++
			}
			out = append(out, token{'n', s[at:i], at})
		default:
			out = append(out, token{c, s[i : i+1], at})
			i++
		}
	}
	return out, true
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }
func digit(c byte) bool  { return '0' <= c && c <= '9' }

// comment returns the end of the comment at i, -1 for one without.
func comment(d Dialect, s string, i int) int {
	depth := 0
	for i < len(s) {
		switch {
		case strings.HasPrefix(s[i:], "/*") && (depth == 0 || d == PostgreSQL):
			depth++
			i += 2
		case strings.HasPrefix(s[i:], "*/"):
			i += 2
			if depth--; depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	if d == SQLite {
		return i // the end of the text ends it
	}
	return -1
}

// quoted returns what is quoted at i, and where that ends, -1 for nowhere.
func quoted(s string, i int, escapes bool) (string, int) {
	end := s[i]
	if end == '[' {
		end = ']'
	}
	var b strings.Builder
	for i++; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] != end:
			b.WriteByte(s[i])
		case end != ']' && i+1 < len(s) && s[i+1] == end:
			i++
			b.WriteByte(end)
		default:
			return b.String(), i + 1
		}
	}
	return "", -1
}

// dollar returns the opening of a dollar quote that s begins with.
func dollar(s string) string {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '$':
			return s[:i+1]
		case letter(c), digit(c) && i > 1:
		default:
			return ""
		}
	}
	return ""
}

// A reader goes through tokens.
type reader struct {
	tokens []token
	i      int
}

func (r *reader) peek() token {
	if r.i < len(r.tokens) {
		return r.tokens[r.i]
	}
	return token{}
}

func (r *reader) next() token {
	t := r.peek()
	r.i++
	return t
}

// word skips one of the words, and reports whether it was there.
func (r *reader) word(words ...string) bool {
	t := r.peek()
	for _, w := range words {
		if t.kind == 'w' && t.text == w {
			r.i++
			return true
		}
	}
	return false
}

// name returns an identifier, in whatever quotes.
func (r *reader) name() (string, bool) {
	t := r.next()
	return t.text, t.kind == 'w' || t.kind == 'q' || t.kind == 's'
}

// created skips CREATE [TEMP] what [IF NOT EXISTS] [schema.]name of SQLite.
func (r *reader) created(what string) bool {
	if !r.word("create") {
		return false
	}
	r.word("temp", "temporary")
	if !r.word(what) {
		return false
	}
	// A relation whose name is IF is quoted or not followed by NOT.
	if r.peek().text == "if" && r.i+1 < len(r.tokens) && r.tokens[r.i+1].text == "not" {
		r.i += 3
	}
	return r.qualified()
}

// qualified skips [schema.]name.
func (r *reader) qualified() bool {
	if _, ok := r.name(); !ok {
		return false
	}
	if r.peek().kind == '.' {
		r.i++
		_, ok := r.name()
		return ok
	}
	return true
}

// replaces reports whether a constraint of CREATE TABLE says ON CONFLICT REPLACE or IGNORE.
func replaces(sql string) bool {
	tokens, ok := scan(SQLite, sql)
	for i, t := range tokens {
		if t.kind == 'w' && t.text == "conflict" && i+1 < len(tokens) && (tokens[i+1].text == "replace" || tokens[i+1].text == "ignore") {
			return true
		}
	}
	return !ok
}

// collated returns the columns of CREATE TABLE by name in lower case, in order, with the
// collation that each names, "" for none. It reports false for what it does not understand.
func collated(sql string) (names []string, collations map[string]string, ok bool) {
	tokens, ok := scan(SQLite, sql)
	r := reader{tokens: tokens}
	if !ok || !r.created("table") || r.next().kind != '(' {
		return nil, nil, false
	}
	collations = map[string]string{}
	for {
		first := r.peek()
		constraint := r.word("constraint", "primary", "unique", "check", "foreign")
		name := lower(first.text)
		if !constraint {
			if _, ok := r.name(); !ok {
				return nil, nil, false
			}
			if _, twice := collations[name]; twice {
				return nil, nil, false
			}
			names = append(names, name)
			collations[name] = ""
		}
		for depth := 0; ; {
			t := r.next()
			switch {
			case t.kind == 0:
				return nil, nil, false
			case t.kind == '(':
				depth++
			case t.kind == ')' && depth > 0:
				depth--
			case t.kind == ')':
				return names, collations, true
			case depth == 0 && t.kind == 'w' && t.text == "collate" && !constraint:
				c, ok := r.name()
				if !ok {
					return nil, nil, false
				}
				collations[name] = lower(c) // of several the last one counts
			}
			if t.kind == ',' && depth == 0 {
				break
			}
		}
	}
}

// contained reads the CREATE VIRTUAL TABLE of a module that is known to keep its rows in
// shadow tables of its own. content is the table that it reads beside them. It reports false
// for others, and for options that nobody has looked at.
func contained(sql string) (ok bool, content string) {
	tokens, ok := scan(SQLite, sql)
	r := reader{tokens: tokens}
	if !ok || !r.word("create") || !r.word("virtual") || !r.word("table") {
		return false, ""
	}
	if r.peek().text == "if" && r.i+1 < len(r.tokens) && r.tokens[r.i+1].text == "not" {
		r.i += 3
	}
	if !r.qualified() || !r.word("using") {
		return false, ""
	}
	module := lower(r.next().text)
	options := moduleOptions[module]
	if options == nil {
		return false, ""
	}
	args, ok := r.arguments()
	for _, arg := range args {
		if len(arg) < 2 || arg[1].kind != '=' {
			if slices.ContainsFunc(arg, func(t token) bool { return t.kind == '=' }) {
				return false, ""
			}
			continue // a column
		}
		name := lower(arg[0].text)
		if !options[name] {
			return false, ""
		}
		if name == "content" {
			if len(arg) != 3 { //nolint:mnd // name = value
				return false, ""
			}
			content = lower(arg[2].text)
		}
	}
	return ok, content
}

// moduleOptions are the modules of virtual tables whose rows are in shadow tables, by name,
// with the options that they may have. Others than content have no part in which rows
// there are, or are read.
var moduleOptions = map[string]map[string]bool{
	"fts5": {
		"columnsize": true, "content": true, "content_rowid": true, "contentless_delete": true, "detail": true, "prefix": true,
		"tokenize": true,
	},
	"fts4":      {"content": true, "matchinfo": true, "notindexed": true, "order": true, "prefix": true, "tokenize": true},
	"fts3":      {"tokenize": true},
	"rtree":     {},
	"rtree_i32": {},
}

// arguments reads a list in parentheses, up to the end.
func (r *reader) arguments() (list [][]token, ok bool) {
	if r.next().kind != '(' {
		return nil, false
	}
	var one []token
	for depth := 0; ; {
		t := r.next()
		switch {
		case t.kind == 0:
			return nil, false
		case t.kind == '(':
			depth++
		case t.kind == ')' && depth == 0:
			return append(list, one), r.peek().kind == 0
		case t.kind == ')':
			depth--
		case t.kind == ',' && depth == 0:
			list, one = append(list, one), nil
			continue
		}
		one = append(one, t)
	}
}

// viewed returns the query of CREATE VIEW.
func viewed(sql string) (string, bool) {
	tokens, ok := scan(SQLite, sql)
	r := reader{tokens: tokens}
	if !ok || !r.created("view") {
		return "", false
	}
	if r.peek().kind == '(' {
		for r.peek().kind != ')' {
			if r.next().kind == 0 {
				return "", false
			}
		}
		r.i++
	}
	if !r.word("as") || r.peek().kind == 0 {
		return "", false
	}
	return sql[r.peek().at:], true
}

// triggered returns the trigger of CREATE TRIGGER. One that is not understood is fired by
// everything, and its body cannot be read.
func triggered(name, sql string) Trigger {
	tokens, ok := scan(SQLite, sql)
	r := reader{tokens: tokens}
	unknown := Trigger{Name: name, Insert: true, Update: true, Delete: true}
	if !ok || !r.created("trigger") {
		return unknown
	}
	t := Trigger{Name: name}
	if r.word("instead") {
		t.Instead = true
		r.i++
	} else {
		r.word("before", "after")
	}
	switch {
	case r.word("insert"):
		t.Insert = true
	case r.word("delete"):
		t.Delete = true
	case r.word("update"):
		t.Update = true
		if r.word("of") {
			for {
				if _, ok := r.name(); !ok {
					return unknown
				}
				if r.peek().kind != ',' {
					break
				}
				r.i++
			}
		}
	default:
		return unknown
	}
	if !r.word("on") || !r.qualified() {
		return unknown
	}
	if r.word("for") {
		r.i += 2
	}
	if k := r.peek(); k.kind != 'w' || k.text != "begin" && k.text != "when" {
		return unknown
	}
	t.Body = sql[r.peek().at:]
	return t
}
