package cascade

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Whatever a client writes as an argument reaches a database through a conversion and a
// comparison that are not ours: strconv.Atoi takes "08" and "+8" for 8, a collation takes
// é for e and leaves out hyphens. So tags do not tell values apart that some server may
// take for one: they hold a value's classes. Two values meet when they share a class. A
// value that has no class meets all others: it is unknown.
//
// A text's first class are its ASCII letters and digits, in lower case, without zeros at
// the beginning. A text that may be read as a number or as a truth value has that one's
// class too. The relation is not transitive, on purpose: 1.5 meets 15 (without
// punctuation) and 1.50 (as a number), but 15 does not meet 150.

// maxClasses is how many classes a value has at most.
const maxClasses = 3

// appendClass appends the first class of a text to dst. ok is false for a text that has
// none: one with bytes beyond ASCII, which a collation may take for ASCII letters or for
// nothing, or with a NUL, which ends the text for some, or a point in time, which each
// time zone writes in another way.
func appendClass[T string | []byte](dst []byte, text T) (_ []byte, ok bool) {
	if looksLikeTime(text) {
		return dst, false
	}
	start := len(dst)
	zero := false
	for i := range len(text) {
		c := text[i]
		switch {
		case '1' <= c && c <= '9' || 'a' <= c && c <= 'z':
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '0':
			if len(dst) == start {
				zero = true
				continue
			}
		case c >= utf8.RuneSelf || c == 0:
			return dst, false
		default:
			continue
		}
		dst = append(dst, c)
	}
	if zero && len(dst) == start {
		dst = append(dst, '0')
	}
	if rest := dst[start:]; len(rest) == 39 && string(rest[:7]) == "urnuuid" {
		return appendClass(dst[:start], string(rest[7:]))
	}
	return dst, true
}

// looksLikeTime says that a text begins as 2006-01-02T15:04 does.
func looksLikeTime[T string | []byte](text T) bool {
	return len(text) >= 16 && text[4] == '-' && text[7] == '-' && text[13] == ':' && isDigit(text[0]) && isDigit(text[11]) &&
		(text[10]|0x20 == 't' || text[10] == ' ')
}

// otherClasses returns the classes of a text beyond the first one, which is given.
func otherClasses[T string | []byte](text T, first []byte) (others [maxClasses - 1]string, n int) {
	add := func(class string) {
		if class != string(first) && (n == 0 || class != others[0]) {
			others[n] = class
			n++
		}
	}
	switch string(first) {
	case "true", "t", "yes", "y", "on":
		add("1")
	case "false", "f", "no", "n", "off", "":
		add("0")
	case "inf", "infinity":
		add("+Inf")
	}
	if !mayBeNumber(text) {
		return others, n
	}
	number := strings.ReplaceAll(strings.TrimSpace(string(text)), "_", "")
	if looksLikeUUID(number) {
		number = strings.ReplaceAll(number, "-", "")
	}
	if n, err := strconv.ParseUint(number, 10, 64); err == nil {
		add(numberClass(float64(n))) // for speed: as ParseFloat has it
	} else if f, err := strconv.ParseFloat(number, 64); err == nil {
		add(numberClass(f))
	}
	// Go and PostgreSQL read 0x10 and 0o10 as other bases, the former 010 as well.
	if i := strings.IndexAny(number, "0123456789"); i >= 0 && number[i] == '0' && i+1 < len(number) {
		if whole, err := strconv.ParseInt(number, 0, 64); err == nil {
			add(strconv.FormatInt(whole, 10))
		}
	}
	return others, n
}

// mayBeNumber says that a text may be a number whose first class does not tell all: not
// one of at most 15 plain digits, which is its own class and exact as a float64.
func mayBeNumber[T string | []byte](text T) bool {
	i := 0
	for i < len(text) && (text[i] <= ' ' || text[i] == '+' || text[i] == '-') {
		i++
	}
	if i == len(text) || text[i] != '.' && !isDigit(text[i]) {
		return false
	}
	based := text[i] == '0' && i+1 < len(text) && strings.IndexByte("xXoObB", text[i+1]) >= 0
	plain := i == 0 && text[0] != '0' && len(text) <= 15
	letters := 0
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case isDigit(c):
			continue
		case isNameByte(c, true) && c != '_':
			if letters++; !based && (letters > 1 || c|0x20 != 'e') {
				return false
			}
		case c > ' ' && strings.IndexByte("+-._", c) < 0:
			return false
		}
		plain = false
	}
	return !plain
}

// numberClass is the class of a number. Fractions are rounded to a float32, whole numbers
// to a float64: that is what columns and arguments of these types make of a number.
func numberClass(f float64) string {
	const most = 1 << 63
	if f != math.Trunc(f) {
		f = float64(float32(f))
	}
	if f == math.Trunc(f) && math.Abs(f) < most {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// withClasses returns values with the further classes of each. ok is false when one of
// them is unknown or has no class. A list of values with one class each is returned as it
// is.
func withClasses(vals []Value) (all []Value, ok bool) {
	var buf [64]byte
	all = vals
	for _, v := range vals {
		switch v.kind {
		case valueUnknown:
			return nil, false
		case valueText:
			first, ok := appendClass(buf[:0], v.text)
			if !ok {
				return nil, false
			}
			others, n := otherClasses(v.text, first)
			if n > 0 && len(all) == len(vals) {
				all = append(make([]Value, 0, len(vals)+n), vals...)
			}
			for _, o := range others[:n] {
				all = append(all, Value{kind: valueClass, text: o})
			}
		}
	}
	return all, true
}

// sameKey says that every server which takes an argument's spelling for a key may have
// meant this key.
func sameKey(a, b []byte) bool {
	known := func(k []byte) bool { _, ok := appendClass(nil, k); return ok }
	return known(a) && known(b) && mayBeSame(string(a), string(b))
}

// mayBeSame says that some server may take two texts for the same value.
func mayBeSame(a, b string) bool {
	var bufs [2][64]byte
	var all [2][maxClasses]string
	var count [2]int
	for i, text := range [2]string{a, b} {
		first, ok := appendClass(bufs[i][:0], text)
		if !ok {
			return true
		}
		others, n := otherClasses(text, first)
		all[i][0] = string(first)
		copy(all[i][1:], others[:n])
		count[i] = n + 1
	}
	for _, x := range all[0][:count[0]] {
		for _, y := range all[1][:count[1]] {
			if x == y {
				return true
			}
		}
	}
	return false
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isNameByte(b byte, first bool) bool {
	return b == '_' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || !first && isDigit(b)
}

func looksLikeUUID(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-'
}
