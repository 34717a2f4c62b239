package keycheck

import (
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// Shape returns a hash of a statement's text that is equal for texts which differ in the
// length of their lists of placeholders only, IN (?, ?) and IN (?, ?, ?), and for each
// argument of the text the number of its position: one for all of a list. An argument that
// has no placeholder in the text has 0.
func Shape(text string) (hash uint64, positions []int) {
	s := shaper{text: text, numbered: hasNumbered(text)}
	s.run()
	return xxhash.Sum64(s.out), s.positions
}

type shaper struct {
	text      string
	at        int
	numbered  bool
	out       []byte
	positions []int // by argument
	last      int   // position given
	next      int   // argument of the next ?
	names     []string
}

func (s *shaper) run() {
	for s.at < len(s.text) {
		if end := skip(s.text, s.at); end > s.at {
			s.out = append(s.out, s.text[s.at:end]...)
			s.at = end
			continue
		}
		if s.text[s.at] == '(' && s.list() {
			continue
		}
		if arg, end, ok := s.placeholder(s.at); ok {
			s.at = end
			s.write(s.position(arg))
			continue
		}
		s.out = append(s.out, s.text[s.at])
		s.at++
	}
}

// list consumes a list of at least one placeholder and nothing else.
func (s *shaper) list() bool {
	next, names := s.next, len(s.names)
	var args []int
	at := spaces(s.text, s.at+1)
	for {
		arg, end, ok := s.placeholder(at)
		if !ok {
			break
		}
		args = append(args, arg)
		at = spaces(s.text, end)
		if at < len(s.text) && s.text[at] == ')' {
			s.last++
			for _, arg := range args {
				s.set(arg, s.last)
			}
			s.out = append(s.out, '(')
			s.write(s.last)
			s.out = append(s.out, ')')
			s.at = at + 1
			return true
		}
		if at >= len(s.text) || s.text[at] != ',' {
			break
		}
		at = spaces(s.text, at+1)
	}
	s.next, s.names = next, s.names[:names]
	return false
}

// position returns the one of an argument.
func (s *shaper) position(arg int) int {
	if arg < len(s.positions) && s.positions[arg] > 0 {
		return s.positions[arg]
	}
	s.last++
	s.set(arg, s.last)
	return s.last
}

// maxArguments is more than any database takes.
const maxArguments = 1 << 16

func (s *shaper) set(arg, position int) {
	for len(s.positions) <= arg {
		s.positions = append(s.positions, 0)
	}
	if s.positions[arg] == 0 {
		s.positions[arg] = position
	}
}

func (s *shaper) write(position int) {
	s.out = append(s.out, 0)
	s.out = strconv.AppendInt(s.out, int64(position), 10)
	s.out = append(s.out, 0)
}

// placeholder returns the argument, from 0, of the placeholder at a place, and its end.
func (s *shaper) placeholder(at int) (arg, end int, ok bool) {
	if at >= len(s.text) {
		return 0, 0, false
	}
	switch c := s.text[at]; c {
	case '$', '?':
		end = digits(s.text, at+1)
		if end > at+1 {
			n, err := strconv.Atoi(s.text[at+1 : end])
			return n - 1, end, err == nil && n > 0 && n <= maxArguments
		}
		if c == '$' || s.numbered || s.next >= maxArguments {
			return 0, 0, false
		}
		s.next++
		return s.next - 1, at + 1, true
	case ':', '@':
		end = at + 1
		for end < len(s.text) && (inWord(s.text[end]) || s.text[end] == '_') {
			end++
		}
		if end == at+1 || s.text[at+1] <= '9' || at > 0 && (s.text[at-1] == c || s.text[at-1] == '[' || inWord(s.text[at-1])) {
			return 0, 0, false
		}
		name := s.text[at:end]
		for i, n := range s.names {
			if n == name {
				return i, end, true
			}
		}
		if len(s.names) >= 1024 {
			return 0, 0, false
		}
		s.names = append(s.names, name)
		return len(s.names) - 1, end, true
	}
	return 0, 0, false
}

// hasNumbered reports whether a text has placeholders with numbers: a question mark is an
// operator then.
func hasNumbered(text string) bool {
	for at := 0; at < len(text); at++ {
		if end := skip(text, at); end > at {
			at = end - 1
			continue
		}
		if text[at] == '$' && digits(text, at+1) > at+1 {
			return true
		}
	}
	return false
}

func digits(text string, at int) int {
	for at < len(text) && text[at] >= '0' && text[at] <= '9' {
		at++
	}
	return at
}

func spaces(text string, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] >= '\t' && text[at] <= '\r') {
		at++
	}
	return at
}

// skip returns the end of the quoted text or the comment that begins at a place, and the
// place when none does.
func skip(text string, at int) int {
	switch c := text[at]; {
	case c == '\'' || c == '"' || c == '`':
		escapes := c == '\'' && at > 0 && (text[at-1] == 'E' || text[at-1] == 'e')
		for i := at + 1; i < len(text); i++ {
			if text[i] == '\\' && escapes {
				i++
			} else if text[i] == c {
				return i + 1
			}
		}
		return len(text)
	case c == '-' && at+1 < len(text) && text[at+1] == '-':
		for i := at; i < len(text); i++ {
			if text[i] == '\n' {
				return i
			}
		}
		return len(text)
	case c == '/' && at+1 < len(text) && text[at+1] == '*':
		for i := at + 2; i+1 < len(text); i++ {
			if text[i] == '*' && text[i+1] == '/' {
				return i + 2
			}
		}
		return len(text)
	}
	return at
}
