package sqlparse

import "strings"

// maxNormalized bounds the tokens that Normalize looks at.
const maxNormalized = 4096

// Normalize returns a statement without its values, in at most limit bytes: constants and
// parameters are ?, several in a list are one, and comments and superfluous spaces are
// left out. What SET and PRAGMA set is a value, too. Texts that differ in values alone
// have one result. isName says which names are those of the database: SQLite takes any
// other name in double quotes for a string. Where the text is not understood, or too
// long, the result ends in "…": what follows may be a value.
func Normalize(text string, d Dialect, limit int, isName func(string) bool) string {
	l := lexer{text: text, d: d, most: maxNormalized}
	err := l.run()
	n := normalizer{text: text, d: d, isName: isName}
	toks := l.toks
	if len(toks) > 0 && toks[len(toks)-1].Kind == EndToken {
		toks = toks[:len(toks)-1]
	}
	for i := range toks {
		n.add(toks, i)
	}
	return n.join(limit, err != nil || l.i < len(text))
}

// A normalizer has the words of a statement without its values.
type normalizer struct {
	text   string
	d      Dialect
	isName func(string) bool
	words  []word
	// sets says that the statement sets something, setting that what follows is the value.
	sets, setting bool
}

// A word is one of the result. spaced says that a space precedes it.
type word struct {
	text   string
	spaced bool
}

const hidden = "?"

func (n *normalizer) add(toks []Token, i int) {
	t := &toks[i]
	w := word{text: n.text[t.Pos:t.End], spaced: i > 0 && toks[i-1].End < t.Pos}
	if n.isValue(toks, i) {
		w.text = hidden
	}
	if i == 0 {
		n.sets = t.Kind == WordToken && (t.Text == "set" || t.Text == "pragma")
	}
	switch n.words = append(n.words, w); {
	case n.ends("?", ",", "?"): // of a list
		n.words = n.words[:len(n.words)-2]
	case n.ends("(", "?", ")", ",", "(", "?", ")"): // of a list of rows
		n.words = n.words[:len(n.words)-4]
	}
	switch {
	case t.Text == ";":
		n.sets, n.setting = true, true // a further statement may be a SET
	case n.sets && t.Kind == OpToken && (t.Text == "=" || t.Text == "("),
		n.sets && t.Kind == WordToken && (t.Text == "to" || t.Text == "role" || t.Text == "authorization" || t.Text == "zone" || t.Text == "names"):
		n.setting = true
	}
}

// isValue reports whether a token may be a value.
func (n *normalizer) isValue(toks []Token, i int) bool {
	switch t := &toks[i]; t.Kind {
	case StringToken, NumberToken, ParamToken:
		return true
	case QuotedToken:
		return n.setting || n.d != PostgreSQL && n.text[t.Pos] == '"' && !n.isName(t.Text)
	case WordToken:
		return n.setting
	default:
		return false
	}
}

// ends reports whether the words end in some.
func (n *normalizer) ends(with ...string) bool {
	if len(n.words) < len(with) {
		return false
	}
	for i, w := range n.words[len(n.words)-len(with):] {
		if w.text != with[i] {
			return false
		}
	}
	return true
}

const ellipsis = "…"

// join returns the words in at most limit bytes.
func (n *normalizer) join(limit int, more bool) string {
	var b strings.Builder
	for _, w := range n.words {
		size := len(w.text)
		if w.spaced {
			size++
		}
		if b.Len()+size > limit-1-len(ellipsis) {
			more = true
			break
		}
		if w.spaced && b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.text)
	}
	s := strings.ToValidUTF8(b.String(), "")
	if more {
		s = strings.TrimPrefix(s+" "+ellipsis, " ")
	}
	return s
}
