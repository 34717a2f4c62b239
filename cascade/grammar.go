package cascade

import (
	"errors"
	"fmt"
	"strings"
)

// The grammar of the strings in directives:
//
//	column  = name { "." name }
//	path    = ( "args" | "parent" | "result" ) { "." name }
//	term    = name | column "=" operand | column "contains" operand
//	operand = path | constant
//	constant = "'" { any character, ' doubled } "'" | number | "true" | "false" | "null"
//
// White space may surround the parts of a term, not those of a path. Names are GraphQL's.

var errColumn = errors.New("is no column: write a name, or names joined by dots such as author.id")

// parseColumn checks that s is a column's name or path and returns its parts.
func parseColumn(s string) ([]string, error) {
	sc := scanner{s: s}
	names, ok := sc.names()
	if !ok || !sc.end() {
		return nil, fmt.Errorf("%q %w", s, errColumn)
	}
	return names, nil
}

// parsePath parses a path alone, as in row.
func parsePath(s string) (operandDecl, error) {
	sc := scanner{s: s}
	sc.space()
	names, ok := sc.names()
	sc.space()
	if !ok || !sc.end() {
		return operandDecl{}, fmt.Errorf("%q is no path: write one such as args.id", s)
	}
	op, ok := pathOperand(names)
	if !ok {
		return operandDecl{}, fmt.Errorf("the path %q starts at %q: let it start at args, parent or result, such as args.%s", s, names[0], names[len(names)-1])
	}
	return op, nil
}

// parseTerm parses a term. A bare name is the column and the argument of that name.
func parseTerm(s string) (termDecl, error) {
	sc := scanner{s: s}
	sc.space()
	names, ok := sc.names()
	if !ok {
		return termDecl{}, fmt.Errorf("the term %q does not begin with a column: write column = operand", s)
	}
	column := strings.Join(names, ".")
	sc.space()
	if sc.end() {
		if len(names) > 1 {
			return termDecl{}, fmt.Errorf("the term %q compares nothing: write %s = args.%s, or another operand", s, column, names[len(names)-1])
		}
		return termDecl{Column: column, Operand: operandDecl{Kind: fromArgs, Path: names}}, nil
	}
	contains := sc.word("contains")
	if !contains && !sc.skip('=') {
		return termDecl{}, fmt.Errorf("the term %q has no = after %s: terms only say column = operand, and several of them are several strings", s, column)
	}
	sc.space()
	op, err := sc.operand()
	if err != nil {
		return termDecl{}, fmt.Errorf("the term %q %w", s, err)
	}
	sc.space()
	if !sc.end() {
		return termDecl{}, fmt.Errorf("the term %q goes on after its operand with %q: write one term in a string", s, sc.rest())
	}
	return termDecl{Column: column, Operand: op, Contains: contains}, nil
}

// pathOperand turns names into a path; false when they do not start where paths start.
func pathOperand(names []string) (operandDecl, bool) {
	kinds := map[string]operandKind{"args": fromArgs, "parent": fromParent, "result": fromResult}
	kind, ok := kinds[names[0]]
	return operandDecl{Kind: kind, Path: names[1:]}, ok
}

// constValue is a constant's value.
func constValue(text string) Value { return Value{kind: valueText, text: text} }

func constant(text string) operandDecl { return operandDecl{Kind: fromConst, Const: constValue(text)} }

// A scanner reads a string of a directive from left to right.
type scanner struct {
	s string
	i int
}

func (sc *scanner) end() bool    { return sc.i >= len(sc.s) }
func (sc *scanner) rest() string { return sc.s[sc.i:] }

// peek returns the next byte; 0 at the end, which begins nothing in the grammar either.
func (sc *scanner) peek() byte {
	if sc.end() {
		return 0
	}
	return sc.s[sc.i]
}

func (sc *scanner) skip(b byte) bool {
	if sc.end() || sc.s[sc.i] != b {
		return false
	}
	sc.i++
	return true
}

// word skips a word that white space ends.
func (sc *scanner) word(w string) bool {
	rest, ok := strings.CutPrefix(sc.rest(), w)
	if !ok || rest == "" || strings.IndexByte(" \t\r\n", rest[0]) < 0 {
		return false
	}
	sc.i += len(w)
	return true
}

func (sc *scanner) space() {
	for !sc.end() && strings.IndexByte(" \t\r\n", sc.s[sc.i]) >= 0 {
		sc.i++
	}
}

// names reads names joined by dots.
func (sc *scanner) names() ([]string, bool) {
	var names []string
	for {
		start := sc.i
		for isNameByte(sc.peek(), sc.i == start) {
			sc.i++
		}
		if sc.i == start {
			return nil, false
		}
		names = append(names, sc.s[start:sc.i])
		if !sc.skip('.') {
			return names, true
		}
	}
}

func (sc *scanner) operand() (operandDecl, error) {
	switch b := sc.peek(); {
	case b == '\'':
		return sc.quoted()
	case b == '-' || isDigit(b):
		return sc.number()
	}
	rest := sc.rest()
	names, ok := sc.names()
	if !ok {
		return operandDecl{}, fmt.Errorf("has no operand where it says %q: write a path such as args.id or a constant such as 'DRAFT'", rest)
	}
	if len(names) == 1 {
		switch names[0] {
		case "true", "false":
			return constant(names[0]), nil
		case "null":
			return operandDecl{Kind: fromConst, Const: Value{kind: valueNull}}, nil
		}
	}
	op, ok := pathOperand(names)
	if !ok {
		text := strings.Join(names, ".")
		return operandDecl{}, fmt.Errorf("has the operand %s, which is neither path nor constant: write args.%s for an argument or '%s' for a constant", text, text, text)
	}
	return op, nil
}

// quoted reads a constant in single quotes, in which two quotes stand for one.
func (sc *scanner) quoted() (operandDecl, error) {
	var b strings.Builder
	sc.i++
	for !sc.end() {
		c := sc.s[sc.i]
		sc.i++
		if c == '\'' && !sc.skip('\'') {
			return constant(b.String()), nil
		}
		b.WriteByte(c)
	}
	return operandDecl{}, errors.New("has a constant without its closing quote: write 'text', and two quotes for one inside")
}

// number reads an integer or a decimal fraction with an optional exponent.
func (sc *scanner) number() (operandDecl, error) {
	start := sc.i
	sc.skip('-')
	ok := sc.digits()
	if ok && sc.skip('.') {
		ok = sc.digits()
	}
	if ok && (sc.skip('e') || sc.skip('E')) {
		if !sc.skip('-') {
			sc.skip('+')
		}
		ok = sc.digits()
	}
	if !ok || isNameByte(sc.peek(), false) || sc.peek() == '.' {
		return operandDecl{}, fmt.Errorf("has %q where a number begins: quote it if it is text", sc.s[start:])
	}
	return constant(sc.s[start:sc.i]), nil
}

func (sc *scanner) digits() bool {
	start := sc.i
	for isDigit(sc.peek()) {
		sc.i++
	}
	return sc.i > start
}
