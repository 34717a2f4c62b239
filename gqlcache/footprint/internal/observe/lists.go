package observe

import (
	"strconv"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// Lists of any length.
//
// A text with IN (?, ?, ?) is analyzed as its template, which has IN (?, ?): so texts that
// differ in the lengths of such lists have one analysis, and one place in the memo.
// Invariants:
//
//   - Two texts have one template only if they differ in nothing but how many placeholders
//     are in a list after IN, and in the spaces of that list. A text of which this scanner is
//     not sure where a string or a comment ends has no template.
//   - The template has two placeholders for each list. A list of one is no list: it says
//     that a column equals a value, by which a row may be known.
//   - The placeholders of a template are numbered in the order of their mentions, and so are
//     those of the text. An argument that is mentioned twice has two numbers in neither.
//   - The second placeholder of a list stands for all the text's but the first. It has no
//     value as a single one: where the analysis takes it for one, the value is not known.

// maxFolded bounds the lists of a text that are made short. Further ones stay as they are.
const maxFolded = 4

// folds say which arguments of a text the placeholders of its template stand for. The zero
// value is that of a text which is its own template.
type folds struct {
	n     int32
	lists [maxFolded]folded
}

// A folded is a list: the second placeholder of it has the number at in the template, and
// stands for count arguments.
type folded struct{ at, count int32 }

// argument returns the ordinal of the argument of a template's placeholder. ok is false for
// one that stands for several, or for none.
func (f *folds) argument(n int) (ordinal int, ok bool) {
	ordinal, ok = n, true
	for i := range f.n {
		switch l := &f.lists[i]; {
		case int(l.at) < n:
			ordinal += int(l.count) - 1
		case int(l.at) == n:
			ok = l.count == 1
		}
	}
	return ordinal, ok
}

// spread returns the ordinals of the arguments that the second placeholder of a list stands
// for: from the first one to before to.
func (f *folds) spread(n int) (from, to int, ok bool) {
	more := 0
	for i := range f.n {
		l := &f.lists[i]
		if int(l.at) == n {
			return n + more, n + more + int(l.count), true
		}
		more += int(l.count) - 1
	}
	return 0, 0, false
}

// placeholder returns the number in the template of the argument with an ordinal.
func (f *folds) placeholder(ordinal int) int {
	for i := range f.n {
		at, count := int(f.lists[i].at), int(f.lists[i].count)
		switch {
		case ordinal < at:
			return ordinal
		case ordinal < at+count:
			return at
		}
		ordinal -= count - 1
	}
	return ordinal
}

// maxPlaceholders is how many the parser takes.
const maxPlaceholders = 1<<16 - 1

// A folder makes a template.
type folder struct {
	text   string
	at     int
	dollar bool // placeholders are $1, $2 and so on; else they are ?
	out    []byte
	copied int // of text, to out
	next   int // the ordinal of the next argument
	given  int // placeholders of the template so far
	folds  *folds
}

// fold appends to dst the template of a text, and notes in f which arguments its
// placeholders stand for. ok is false when the text has no list, or no template.
func fold(dst []byte, d catalog.Dialect, text string, f *folds) (template []byte, ok bool) {
	*f = folds{}
	s := folder{text: text, dollar: d == catalog.PostgreSQL, out: dst, next: 1, folds: f}
	for s.at < len(text) {
		if !s.step() {
			*f = folds{}
			return dst, false
		}
	}
	if f.n == 0 {
		return dst, false
	}
	return append(s.out, text[s.copied:]...), true
}

// inName says of each byte whether it may be in a name or in a number.
var inName = func() (set [256]bool) {
	for c := range set {
		set[c] = word(byte(c)) || c == '$'
	}
	return set
}()

// step goes past a token. It returns false where the text has no template.
func (s *folder) step() bool {
	if c := s.text[s.at]; c == ' ' || c == ',' || c == '.' { // the most frequent
		s.at++
		return true
	}
	switch c := s.text[s.at]; {
	case inName[c] && c != '$':
		s.word()
		return true
	case c == '\'' || c == '"' || c == '`' && !s.dollar:
		return s.quoted(c)
	case c == '`', c == '[' && !s.dollar:
		return false
	case c == '-' && strings.HasPrefix(s.text[s.at:], "--"):
		return s.comment()
	case c == '/' && strings.HasPrefix(s.text[s.at:], "/*"):
		return false
	case c == '?' && !s.dollar, c == '$':
		return s.single()
	case (c == ':' || c == '@' || c == '#') && !s.dollar: // a name, or nothing of SQLite's
		return false
	}
	s.at++
	return true
}

// quoted goes past what is quoted. A backslash may or may not keep a quote from ending it.
func (s *folder) quoted(q byte) bool {
	end, ok := closing(s.text, s.at+1, q)
	if !ok || strings.IndexByte(s.text[s.at:end], '\\') >= 0 {
		return false
	}
	s.at = end
	return true
}

// comment goes past the line. To PostgreSQL a carriage return ends one, too.
func (s *folder) comment() bool {
	line := s.text[s.at:]
	if n := strings.IndexByte(line, '\n'); n >= 0 {
		line = line[:n]
	}
	s.at += len(line)
	return strings.IndexByte(line, '\r') < 0
}

// single takes a placeholder that is in no list.
func (s *folder) single() bool {
	end, ok := s.placeholder(s.at, s.next)
	if !ok || s.next > maxPlaceholders {
		return false
	}
	s.next++
	s.given++
	if s.dollar && s.given != s.next-1 {
		s.out = append(s.out, s.text[s.copied:s.at]...)
		s.write(s.given)
		s.copied = end
	}
	s.at = end
	return true
}

// placeholder returns the end of the placeholder at a place, which is that of the argument
// with an ordinal.
func (s *folder) placeholder(at, ordinal int) (end int, ok bool) {
	if at >= len(s.text) {
		return 0, false
	}
	if !s.dollar {
		end = at + 1
		return end, s.text[at] == '?' && (end == len(s.text) || !inName[s.text[end]] && s.text[end] != '?')
	}
	if s.text[at] != '$' {
		return 0, false
	}
	n := 0
	for end = at + 1; end < len(s.text) && s.text[end] >= '0' && s.text[end] <= '9' && n <= maxPlaceholders; end++ {
		n = 10*n + int(s.text[end]-'0')
	}
	return end, n == ordinal && s.text[at+1] != '0' && (end == len(s.text) || !inName[s.text[end]])
}

// write appends a placeholder of the template.
func (s *folder) write(n int) {
	if !s.dollar {
		s.out = append(s.out, '?')
		return
	}
	s.out = append(s.out, '$')
	s.out = strconv.AppendInt(s.out, int64(n), 10)
}

// word goes past a word or a number, and past the list that follows IN.
func (s *folder) word() {
	text, from := s.text, s.at
	at := from + 1
	for at < len(text) && inName[text[at]] {
		at++
	}
	s.at = at
	isName := from > 0 && text[from-1] == '.'
	if at-from == 2 && text[from]|0x20 == 'i' && text[from+1]|0x20 == 'n' && !isName && s.folds.n < maxFolded {
		s.list()
	}
}

// list takes a list of two or more placeholders. Anything else is left where it is.
func (s *folder) list() {
	open := gap(s.text, s.at)
	if open == len(s.text) || s.text[open] != '(' {
		return
	}
	at, count := gap(s.text, open+1), 0
	for {
		end, ok := s.placeholder(at, s.next+count)
		if !ok {
			return
		}
		count++
		at = gap(s.text, end)
		if at == len(s.text) {
			return
		}
		if s.text[at] == ')' {
			break
		}
		if s.text[at] != ',' {
			return
		}
		at = gap(s.text, at+1)
	}
	if count < 2 || s.next+count > maxPlaceholders+1 {
		return
	}
	s.out = append(append(s.out, s.text[s.copied:open]...), '(')
	s.write(s.given + 1)
	s.out = append(s.out, ',', ' ')
	s.write(s.given + 2)
	s.folds.lists[s.folds.n] = folded{int32(s.given + 2), int32(count - 1)} //nolint:gosec // at most maxPlaceholders
	s.folds.n++
	s.next += count
	s.given += 2
	s.at, s.copied = at, at
}

// gap returns the end of the spaces at a place.
func gap(text string, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	return at
}
