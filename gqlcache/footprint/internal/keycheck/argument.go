package keycheck

import (
	"database/sql/driver"
	"reflect"
	"strings"
)

// elements calls f for the parts of an argument that is no scalar. It reports whether it
// knows what the argument is.
func elements(v any, f func(any)) bool {
	switch v := v.(type) {
	case []string:
		for _, x := range v {
			f(x)
		}
		return true
	case []int64:
		for _, x := range v {
			f(x)
		}
		return true
	case []any:
		for _, x := range v {
			f(x)
		}
		return true
	case map[string]any:
		for _, x := range v {
			f(x)
		}
		return true
	case driver.Valuer:
		x, ok := valueOf(v)
		if _, again := x.(driver.Valuer); !ok || again {
			return false
		}
		f(x)
		return true
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range rv.Len() {
			f(rv.Index(i).Interface())
		}
		return true
	case reflect.Map, reflect.Struct, reflect.Pointer:
		x, ok := viaJSON(v)
		if ok {
			f(x)
		}
		return ok
	}
	return false
}

// valueOf returns the driver's value of a type of the application's.
func valueOf(v driver.Valuer) (x driver.Value, ok bool) {
	defer func() {
		if recover() != nil {
			x, ok = nil, false
		}
	}()
	x, err := v.Value()
	return x, err == nil
}

// textOf returns the text that an argument is.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, len(v) <= 16*longest
	case []byte:
		return string(v), len(v) <= 16*longest
	}
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.String {
		return rv.String(), rv.Len() <= 16*longest
	}
	return "", false
}

// list calls f for the elements of a text that is a list or an object in JSON, or an array
// in PostgreSQL's form. It reports whether the text is one.
func list(s string, f func(any)) bool {
	if len(s) < 2 {
		return false
	}
	switch first, last := s[0], s[len(s)-1]; {
	case first == '[' && last == ']', first == '{' && last == '}':
		if x, ok := unmarshal(s); ok {
			switch x := x.(type) {
			case []any:
				for _, y := range x {
					f(y)
				}
			case map[string]any:
				for _, y := range x {
					f(y)
				}
			}
			return true
		}
		return first == '{' && array(s[1:len(s)-1], f)
	}
	return false
}

// array calls f for the elements of an array's text between its braces. An array within an
// array is not told from its elements.
func array(s string, f func(any)) bool {
	var b strings.Builder
	quoted, was := false, false
	flush := func() {
		if t := b.String(); was || t != "" && t != "NULL" {
			f(t)
		}
		b.Reset()
		was = false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '"':
			quoted, was = !quoted, true
		case quoted:
			b.WriteByte(c)
		case c == ',':
			flush()
		case c != '{' && c != '}':
			b.WriteByte(c)
		}
	}
	flush()
	return !quoted
}

// derived appends the origins of what a text may be made of: a pattern of LIKE or of a full
// text search, base64, or several tokens that each come from somewhere.
func (o *origins) derived(dst []uint32, s string) []uint32 {
	from := len(dst)
	if p := pattern(s); p != s {
		if dst = o.values.all(dst, o.text(p).folded); len(dst) > from {
			return dst
		}
	}
	if d, ok := o.decode(s); ok {
		if dst = o.values.all(dst, o.text(d).folded); len(dst) > from {
			return dst
		}
		if i := strings.LastIndexAny(d, ":/|"); i >= 0 {
			if dst = o.values.all(dst, o.text(d[i+1:]).folded); len(dst) > from {
				return dst
			}
		}
	}
	return o.composed(dst, s)
}

// pattern returns what a pattern of LIKE looks for, or a term of a full text search.
func pattern(s string) string {
	s = strings.TrimSuffix(strings.Trim(s, `%"'`), ":*")
	s = strings.TrimRight(s, "*")
	if !strings.ContainsAny(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// maxComposed is of how many tokens a text may be composed.
const maxComposed = 8

// composed appends the origin of a text of several words, when each word has one. Which
// words come from where is not told: the text counts as one of the parts that hold all of
// its words, or else as composed of the first part of each.
func (o *origins) composed(dst []uint32, s string) []uint32 {
	var all, some [64]uint32
	n, words, hash := 0, 0, uint64(0)
	ok := true
	eachToken(s, inWord, func(token string) {
		if words++; !ok || words > maxComposed {
			ok = false
			return
		}
		found := o.values.all(some[:0], o.text(token).folded)
		if len(found) == 0 {
			ok = false
			return
		}
		best := o.list[found[0]].source
		for _, i := range found {
			best = min(best, o.list[i].source)
		}
		hash = mix(hash, uint64(best))
		if words == 1 {
			n = copy(all[:], found)
			return
		}
		kept := 0
		for _, i := range all[:n] {
			for _, j := range found {
				if o.list[i].source.part() == o.list[j].source.part() {
					all[kept] = i
					kept++
					break
				}
			}
		}
		n = kept
	})
	if !ok || words < 2 {
		return dst
	}
	if n > 0 {
		return append(dst, all[:n]...)
	}
	if i, ok := o.originOf(newSource(hash, ofKnown, composed), nil); ok {
		dst = append(dst, i)
	}
	return dst
}
