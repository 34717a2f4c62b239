package sqlparse

import (
	"errors"
	"fmt"
	"strings"
)

// ErrSyntax is wrapped by all errors: the text is not one statement that is understood
// to its end.
var ErrSyntax = errors.New("sql not understood")

// A Dialect is a database's reading of a text. Its numbers are those of catalog.Dialect.
type Dialect uint8

// The dialects. Any accepts a text only if it means the same in all of them.
const (
	Any Dialect = iota
	SQLite
	PostgreSQL
)

// The limits of a text. Beyond them it is an error.
const (
	maxText   = 4 << 20 // bytes
	maxDepth  = 500     // parentheses, brackets, and nested expressions
	maxChain  = 10_000  // operators of one level in a row
	maxParam  = 65_535  // the highest ordinal of a parameter
	maxName   = 63      // bytes of a name in PostgreSQL, which cuts longer ones off
	noClosing = -1
)

// A TokenKind is what a Token is.
type TokenKind uint8

// The kinds of tokens.
const (
	EndToken    TokenKind = iota // the end of the text; Tokens leaves it out
	WordToken                    // a keyword or a name without quotes, in lower case
	QuotedToken                  // a name in quotes, without them
	StringToken                  // a string, without its quotes
	NumberToken                  //
	ParamToken                   // a parameter
	OpToken                      // an operator, a parenthesis, a comma, ...
)

// A Token is a word of a text.
type Token struct {
	Kind TokenKind
	// Odd says that Text is not the value of a string or number.
	Odd      bool
	Text     string
	Pos, End int // byte offsets in the text
	// N is the ordinal of a parameter, or of an opening parenthesis the index of the token
	// that closes it.
	N int
}

// Tokens splits a text without looking at what it says. Comments are left out.
func Tokens(text string) ([]Token, error) { return TokensDialect(text, Any) }

// TokensDialect is Tokens for one database.
func TokensDialect(text string, d Dialect) ([]Token, error) {
	l := lexer{text: text, d: d}
	if err := l.run(); err != nil {
		return nil, err
	}
	return l.toks[:len(l.toks)-1], nil
}

type lexer struct {
	text string
	d    Dialect
	toks []Token
	i    int
	max  int            // the highest ordinal so far
	name map[string]int // ordinals of named parameters
	open []int          // tokens of open parentheses and brackets
	most int            // tokens to read, 0 for all
	err  error
}

func (l *lexer) fail(what string) {
	if l.err == nil {
		l.err = fmt.Errorf("%w: %s at byte %d", ErrSyntax, what, l.i)
	}
	l.i = len(l.text)
}

func (l *lexer) at(n int) byte {
	if l.i+n < len(l.text) {
		return l.text[l.i+n]
	}
	return 0
}

func (l *lexer) add(t Token) {
	t.Pos, t.End = l.i, t.End+l.i
	l.toks = append(l.toks, t)
	l.i = t.End
}

func (l *lexer) run() error {
	switch {
	case len(l.text) > maxText:
		l.fail("text too long")
	case strings.IndexByte(l.text, 0) >= 0: // ends the text in SQLite
		l.fail("NUL")
	}
	l.toks = make([]Token, 0, l.room())
	for l.i < len(l.text) && (l.most == 0 || len(l.toks) < l.most) {
		c := l.text[l.i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			l.i++
		case c == '-' && l.at(1) == '-':
			l.lineComment()
		case c == '/' && l.at(1) == '*':
			l.comment()
		case c == '\'':
			l.str()
		case c == '"':
			l.quotedName('"')
		case c == '`':
			l.quotedName('`')
		case c == '[' && l.d != PostgreSQL:
			l.bracketName()
		case isDigit(c) || c == '.' && isDigit(l.at(1)):
			l.number()
		case isLetter(c):
			l.word()
		case c == '$':
			l.dollar()
		case c == '?' && l.d != PostgreSQL:
			l.question()
		case (c == ':' || c == '@') && l.d != PostgreSQL && isNameByte(l.at(1)):
			l.named()
		default:
			l.op()
		}
	}
	if l.err == nil && len(l.open) > 0 && l.i == len(l.text) {
		l.fail("open parenthesis")
	}
	l.toks = append(l.toks, Token{Kind: EndToken, Pos: len(l.text), End: len(l.text)})
	return l.err
}

// room is how many tokens there may be, by estimate.
func (l *lexer) room() int {
	n := min(len(l.text), maxText)/4 + 2
	if l.most > 0 {
		n = min(n, l.most)
	}
	return n
}

// lineComment skips a comment. PostgreSQL ends it at a carriage return, too.
func (l *lexer) lineComment() {
	n := strings.IndexByte(l.text[l.i:], '\n')
	if n < 0 {
		n = len(l.text) - l.i
	}
	line := l.text[l.i : l.i+n]
	if r := strings.IndexByte(line, '\r'); r >= 0 && (r != len(line)-1 || l.i+n == len(l.text)) {
		l.fail("carriage return in a comment")
		return
	}
	l.i += n
}

// comment skips a comment, in which PostgreSQL looks for further ones.
func (l *lexer) comment() {
	if l.at(2) == '!' {
		l.fail("conditional comment")
		return
	}
	depth, j := 1, l.i+2
	for depth > 0 {
		n := strings.IndexByte(l.text[j:], '*')
		if n < 0 {
			l.fail("open comment")
			return
		}
		j += n
		switch {
		case l.d != SQLite && j > l.i+2 && l.text[j-1] == '/':
			if l.d == Any {
				l.fail("comment in a comment")
				return
			}
			depth++
			j++
		case j+1 < len(l.text) && l.text[j+1] == '/':
			depth--
			j += 2
			// PostgreSQL does not take the slash of */ for that of a following /*.
			if depth > 0 && j < len(l.text) && l.text[j] == '*' {
				l.fail("comment in a comment")
				return
			}
		default:
			j++
		}
	}
	l.i = j
}

// quoted returns what is in quotes from offset from of the text, and the offset behind it.
func (l *lexer) quoted(from int, q byte) (string, int, bool) {
	j := from + 1
	var b []byte
	for {
		n := strings.IndexByte(l.text[j:], q)
		if n < 0 {
			l.fail("open quote")
			return "", 0, false
		}
		end := j + n
		if end+1 < len(l.text) && l.text[end+1] == q {
			b = append(b, l.text[j:end+1]...)
			j = end + 2
			continue
		}
		if b == nil {
			return l.text[j:end], end + 1, true
		}
		return string(append(b, l.text[j:end]...)), end + 1, true
	}
}

func (l *lexer) str() {
	s, end, ok := l.quoted(l.i, '\'')
	if !ok {
		return
	}
	odd := strings.IndexByte(s, '\\') >= 0
	if odd && l.d != SQLite {
		// Without standard_conforming_strings the string ends elsewhere; nowhere, if no
		// further quote follows.
		n := strings.Index(l.text[l.i:end], `\'`)
		if n >= 0 && (l.i+n+2 < end || strings.IndexByte(l.text[end:], '\'') >= 0) {
			l.fail("backslash before a quote")
			return
		}
	}
	l.add(Token{Kind: StringToken, Text: s, Odd: odd, End: end - l.i})
}

// escaped reads a string of PostgreSQL in which backslashes escape, with prefix bytes
// before its quote.
func (l *lexer) escaped(prefix int) {
	for j := l.i + prefix + 1; j < len(l.text); j++ {
		switch l.text[j] {
		case '\\':
			j++
		case '\'':
			if j+1 < len(l.text) && l.text[j+1] == '\'' {
				j++
				continue
			}
			l.add(Token{Kind: StringToken, Odd: true, Text: l.text[l.i+prefix+1 : j], End: j + 1 - l.i})
			return
		}
	}
	l.fail("open quote")
}

func (l *lexer) quotedName(q byte) {
	if q == '`' && l.d == PostgreSQL {
		l.fail("backquote")
		return
	}
	s, end, ok := l.quoted(l.i, q)
	if !ok {
		return
	}
	if q == '`' && l.d == Any && !plainName(s) {
		l.fail("backquote")
		return
	}
	l.addName(s, end)
}

// bracketName reads [name] of SQLite; what PostgreSQL does with brackets is another thing.
func (l *lexer) bracketName() {
	n := strings.IndexByte(l.text[l.i:], ']')
	if l.d == Any || n < 0 {
		l.fail("bracket")
		return
	}
	l.addName(l.text[l.i+1:l.i+n], l.i+n+1)
}

func (l *lexer) addName(s string, end int) {
	// Name "*" of a Column is all columns, and "" no name.
	if s == "" || s == "*" || l.d != SQLite && len(s) > maxName {
		l.fail("name")
		return
	}
	l.add(Token{Kind: QuotedToken, Text: s, End: end - l.i})
}

func (l *lexer) number() {
	j := l.i
	digits := func() {
		for j < len(l.text) && isDigit(l.text[j]) {
			j++
		}
	}
	digits()
	odd := false
	if j < len(l.text) && l.text[j] == '.' && (j+1 == len(l.text) || l.text[j+1] != '.') {
		odd = true
		j++
		digits()
	}
	if j < len(l.text) && l.text[j]|0x20 == 'e' {
		k := j + 1
		if k < len(l.text) && (l.text[k] == '+' || l.text[k] == '-') {
			k++
		}
		if k < len(l.text) && isDigit(l.text[k]) {
			odd, j = true, k
			digits()
		}
	}
	if j-l.i == 1 && l.text[l.i] == '0' && j < len(l.text) && l.text[j]|0x20 == 'x' {
		odd = true
		for j++; j < len(l.text) && isHex(l.text[j]); {
			j++
		}
	}
	if j < len(l.text) && isNameByte(l.text[j]) {
		l.fail("number")
		return
	}
	s := l.text[l.i:j]
	// Eighteen digits fit into 64 bits, and 007 is 7.
	odd = odd || len(s) > 18 || len(s) > 1 && s[0] == '0'
	l.add(Token{Kind: NumberToken, Text: s, Odd: odd, End: j - l.i})
}

func (l *lexer) word() {
	j := l.i
	for j < len(l.text) && isNameByte(l.text[j]) {
		j++
	}
	s := lower(l.text[l.i:j])
	switch {
	case l.d != SQLite && len(s) > maxName, strings.Contains(s, "\ufeff"):
		l.fail("name")
		return
	case j < len(l.text) && l.text[j] == '\'':
		switch s {
		case "x":
			l.prefixed(1)
			return
		case "e", "b", "n":
			switch {
			case l.d != PostgreSQL: // SQLite takes the letter for a column
				l.fail("prefix of a string")
			case s == "e":
				l.escaped(1)
			default:
				l.prefixed(1)
			}
			return
		}
	case s == "u" && l.d != SQLite && l.at(1) == '&' && (l.at(2) == '\'' || l.at(2) == '"'):
		if l.d == Any || l.at(2) == '"' {
			l.fail("unicode escapes")
			return
		}
		l.prefixed(2)
		return
	}
	l.add(Token{Kind: WordToken, Text: s, End: j - l.i})
}

// prefixed reads a string whose value is not its text, with n bytes before its quote.
func (l *lexer) prefixed(n int) {
	if s, end, ok := l.quoted(l.i+n, '\''); ok {
		l.add(Token{Kind: StringToken, Odd: true, Text: s, End: end - l.i})
	}
}

// dollar reads $1, a dollar-quoted string of PostgreSQL, or $name of SQLite.
func (l *lexer) dollar() {
	j := l.i + 1
	for j < len(l.text) && isDigit(l.text[j]) {
		j++
	}
	if j > l.i+1 {
		n, ok := ordinal(l.text[l.i+1 : j])
		switch {
		case !ok || j < len(l.text) && isNameByte(l.text[j]):
			l.fail("parameter")
			return
		case l.d == PostgreSQL:
			l.max = max(l.max, n)
			l.add(Token{Kind: ParamToken, Text: l.text[l.i:j], N: n, End: j - l.i})
		default:
			// A name in SQLite: some drivers bind the argument by the number in it, others
			// by its place. Accepted where these are the same.
			if l.byName(l.text[l.i:j]) != n {
				l.fail("number of a parameter that is not its place")
				return
			}
			if j+1 < len(l.text) && (l.text[j] == '(' || l.d == SQLite && l.text[j] == ':' && l.text[j+1] == ':') {
				l.fail("parameter")
				return
			}
			l.add(Token{Kind: ParamToken, Text: l.text[l.i:j], N: n, End: j - l.i})
		}
		return
	}
	tag := l.i + 1
	for tag < len(l.text) && isNameByte(l.text[tag]) && l.text[tag] != '$' {
		tag++
	}
	if tag == len(l.text) || l.text[tag] != '$' {
		if l.d == PostgreSQL {
			l.fail("dollar")
			return
		}
		l.named()
		return
	}
	if l.d != PostgreSQL {
		l.fail("dollar")
		return
	}
	quote := l.text[l.i : tag+1]
	n := strings.Index(l.text[tag+1:], quote)
	if n < 0 {
		l.fail("open dollar quote")
		return
	}
	l.add(Token{Kind: StringToken, Text: l.text[tag+1 : tag+1+n], End: n + 2*len(quote)})
}

// question reads ? and ?1 of SQLite.
func (l *lexer) question() {
	j := l.i + 1
	for j < len(l.text) && isDigit(l.text[j]) {
		j++
	}
	n := l.max + 1
	if j > l.i+1 {
		var ok bool
		if n, ok = ordinal(l.text[l.i+1 : j]); !ok {
			l.fail("parameter")
			return
		}
	}
	if n > maxParam || j < len(l.text) && (isNameByte(l.text[j]) || l.text[j] == '?') || l.d == Any && j < len(l.text) && (l.text[j] == '|' || l.text[j] == '&') {
		l.fail("parameter")
		return
	}
	l.max = max(l.max, n)
	l.add(Token{Kind: ParamToken, Text: l.text[l.i:j], N: n, End: j - l.i})
}

// named reads :name, @name and $name of SQLite.
func (l *lexer) named() {
	// In PostgreSQL, @name is the absolute value of a column.
	if l.d == Any && l.text[l.i] == '@' {
		l.fail("parameter")
		return
	}
	j := l.i + 1
	for j < len(l.text) && isNameByte(l.text[j]) {
		j++
	}
	// SQLite takes $a::b and $a(b) for names, too.
	if j == l.i+1 || j < len(l.text) && (l.text[j] == '(' || l.text[j] == ':') {
		l.fail("parameter")
		return
	}
	name := l.text[l.i:j]
	l.add(Token{Kind: ParamToken, Text: name, N: l.byName(name), End: j - l.i})
}

func (l *lexer) byName(name string) int {
	n, ok := l.name[name]
	if !ok {
		if l.name == nil {
			l.name = map[string]int{}
		}
		l.max++
		n = l.max
		l.name[name] = n
	}
	return n
}

func (l *lexer) op() {
	c := l.text[l.i]
	n := 1
	switch c {
	case '(', '[':
		l.open = append(l.open, len(l.toks))
		if len(l.open) > maxDepth {
			l.fail("too deep")
			return
		}
		l.add(Token{Kind: OpToken, Text: l.text[l.i : l.i+1], N: noClosing, End: 1})
		return
	case ')', ']':
		last := len(l.open) - 1
		if last < 0 || (l.toks[l.open[last]].Text == "(") != (c == ')') {
			l.fail("parenthesis")
			return
		}
		l.toks[l.open[last]].N = len(l.toks)
		l.open = l.open[:last]
	case ',', ';', '.':
	case ':':
		if l.at(1) == ':' || l.at(1) == '=' {
			n = 2
		}
	default:
		if !isOpByte(c) {
			l.fail("character")
			return
		}
		if l.d == PostgreSQL {
			if n = l.munch(); n == 0 {
				l.fail("operator")
				return
			}
			break
		}
		n = 0
		for _, s := range operators {
			if strings.HasPrefix(l.text[l.i:], s) {
				n = len(s)
				break
			}
		}
		if n == 0 {
			l.fail("operator")
			return
		}
	}
	l.add(Token{Kind: OpToken, Text: l.text[l.i : l.i+n], End: n})
}

// munch returns the length of an operator as PostgreSQL finds it: as long as possible,
// not into a comment, and with a + or - at its end only if it has a byte that no operator
// of the SQL standard has. An operator that is longer than a name is 0: cutting signs off
// it, again and again, would take a time that is the square of its length.
func (l *lexer) munch() int {
	n, special := 0, false
	for isOpByte(l.at(n)) {
		if s := l.text[l.i+n:]; n > 0 && (strings.HasPrefix(s, "--") || strings.HasPrefix(s, "/*")) {
			break
		}
		if n++; n > maxName {
			return 0
		}
	}
	for _, c := range []byte(l.text[l.i : l.i+n]) {
		special = special || strings.IndexByte("~!@#^&|`?%", c) >= 0
	}
	for n > 1 && !special && (l.at(n-1) == '+' || l.at(n-1) == '-') {
		n--
	}
	return n
}

// operators are those that SQLite and the reading for any database look for, longer
// ones first.
var operators = []string{
	"!~~*", "->>", "!~~", "!~*", "~~*", "->", "||", "<>", "!=", "<=", ">=", "==", "=>", "<<", ">>", "@>", "<@", "&&", "@@",
	"~*", "!~", "~~", "=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "~", "^",
}

func ordinal(digits string) (int, bool) {
	n := 0
	for i := range len(digits) {
		if n = n*10 + int(digits[i]-'0'); n > maxParam {
			return 0, false
		}
	}
	return n, n > 0
}

func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

func plainName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isHex(c byte) bool      { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func isLetter(c byte) bool   { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80 }
func isNameByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '$' }
func isOpByte(c byte) bool   { return c != 0 && strings.IndexByte("~!@#^&|`?+-*/%<>=", c) >= 0 }
