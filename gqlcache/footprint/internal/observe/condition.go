package observe

import (
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// condition returns the condition of a write as a text of its own, with WHERE, and the
// arguments of the parameters in it. text is the template of the statement's. Parameters are numbered as SQLite does: "?" is one
// more than the largest so far, "?n" is n, and a name is one more when it is new.
//
// Where the condition's text occurs more than once it is the last one, unless RETURNING
// follows.
func condition(d catalog.Dialect, text, where string, returning bool, args arguments) (clause string, own []driver.NamedValue, ok bool) {
	if where == "" {
		return "", nil, true
	}
	at := strings.LastIndex(text, where)
	if at < 0 || strings.Index(text, where) != at && (returning || strings.TrimRight(text[at+len(where):], "; \t\r\n") != "") {
		return "", nil, false
	}
	find := parameters
	if d == catalog.PostgreSQL {
		find = dollarParameters
	}
	params, ok := find(text)
	if !ok {
		return "", nil, false
	}
	var b strings.Builder
	b.WriteString(" WHERE (")
	end := at + len(where)
	for _, p := range params {
		if p.from < at || p.from >= end {
			continue
		}
		b.WriteString(text[at:p.from])
		at = p.to
		if from, to, several := args.spread(p.n); several {
			for n := from; n < to; n++ {
				v, found := args.at(n)
				if !found {
					return "", nil, false
				}
				own = append(own, driver.NamedValue{Ordinal: len(own) + 1, Value: v})
				if n > from {
					b.WriteString(", ")
				}
				b.WriteString(placeholder(d, len(own)))
			}
			continue
		}
		v, found := args.get(p.n, p.name)
		if !found {
			return "", nil, false
		}
		own = append(own, driver.NamedValue{Ordinal: len(own) + 1, Value: v})
		b.WriteString(placeholder(d, len(own)))
	}
	b.WriteString(text[at:end] + "\n)") // a comment may end the condition
	return b.String(), own, true
}

// placeholder is the parameter of a number.
func placeholder(d catalog.Dialect, n int) string {
	if d == catalog.PostgreSQL {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}

// A parameter is one mention of a parameter in a text.
type parameter struct {
	from, to int
	n        int
	name     string // with its sign
}

// parameters finds the parameters of a text of SQLite.
func parameters(text string) (list []parameter, ok bool) {
	largest := 0
	names := map[string]int{}
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'' || c == '"' || c == '`':
			if i, ok = closing(text, i+1, c); !ok {
				return nil, false
			}
		case c == '[':
			j := strings.IndexByte(text[i:], ']')
			if j < 0 {
				return nil, false
			}
			i += j + 1
		case strings.HasPrefix(text[i:], "--"):
			j := strings.IndexByte(text[i:], '\n')
			if j < 0 {
				return list, true
			}
			i += j + 1
		case strings.HasPrefix(text[i:], "/*"):
			j := strings.Index(text[i+2:], "*/")
			if j < 0 {
				return list, true
			}
			i += j + 4
		case c == '?':
			j := i + 1
			for j < len(text) && text[j] >= '0' && text[j] <= '9' {
				j++
			}
			n := largest + 1
			if j > i+1 {
				var err error
				if n, err = strconv.Atoi(text[i+1 : j]); err != nil || n < 1 {
					return nil, false
				}
			}
			largest = max(largest, n)
			list = append(list, parameter{from: i, to: j, n: n})
			i = j
		case (c == ':' || c == '@' || c == '$') && i+1 < len(text) && word(text[i+1]):
			j := i + 1
			for j < len(text) && word(text[j]) {
				j++
			}
			name := text[i:j]
			if j < len(text) && (text[j] == ':' || text[j] == '(') { // $a::b(c)
				return nil, false
			}
			if names[name] == 0 {
				largest++
				names[name] = largest
			}
			list = append(list, parameter{from: i, to: j, n: names[name], name: name})
			i = j
		case word(c):
			for i < len(text) && (word(text[i]) || text[i] == '$') {
				i++
			}
		default:
			i++
		}
	}
	return list, true
}

// dollarParameters finds the parameters of a text of PostgreSQL. It refuses texts with
// quotes and comments of its own kinds, which are rare beside a condition.
func dollarParameters(text string) (list []parameter, ok bool) {
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'' || c == '"':
			from := i
			if i, ok = closing(text, i+1, c); !ok || c == '\'' && strings.Contains(text[from:i], `\`) {
				return nil, false
			}
		case strings.HasPrefix(text[i:], "--") || strings.HasPrefix(text[i:], "/*"):
			return nil, false
		case c == '$':
			j := i + 1
			for j < len(text) && text[j] >= '0' && text[j] <= '9' {
				j++
			}
			n, err := strconv.Atoi(text[i+1 : j])
			if err != nil || j < len(text) && (word(text[j]) || text[j] == '$') {
				return nil, false
			}
			list = append(list, parameter{from: i, to: j, n: n})
			i = j
		case word(c):
			for i < len(text) && (word(text[i]) || text[i] == '$') {
				i++
			}
		default:
			i++
		}
	}
	return list, true
}

// closing returns the place after a closing quote, which is doubled inside.
func closing(text string, i int, q byte) (int, bool) {
	for ; i < len(text); i++ {
		if text[i] != q {
			continue
		}
		if i+1 < len(text) && text[i+1] == q {
			i++
			continue
		}
		return i + 1, true
	}
	return 0, false
}

func word(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}
