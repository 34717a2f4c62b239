package extractor

import (
	"bytes"
	"strconv"
)

// maxPlainDigits bounds how long a number is written out. Every float64 fits; without a
// bound 1e999999999 would fill a gigabyte.
const maxPlainDigits = 400

// canonicalNumber returns the exact value of a JSON number in the shortest plain decimal
// notation, or nil for what is no number. Integers written as digits are returned as they
// are, at any length. Numbers that would take more than maxPlainDigits digits otherwise
// are written as digits, e and an exponent.
func canonicalNumber(raw []byte) []byte {
	neg, whole, frac, exp, ok := splitNumber(raw)
	if !ok {
		return nil
	}
	if len(frac) == 0 && exp == 0 {
		if neg && string(whole) == "0" {
			return whole
		}
		return raw[:len(whole)+btoi(neg)]
	}
	digits := append(append(make([]byte, 0, len(whole)+len(frac)), whole...), frac...)
	exp -= len(frac)
	digits = bytes.TrimLeft(digits, "0")
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exp++
	}
	if len(digits) == 0 {
		return []byte("0")
	}
	var out []byte
	if neg {
		out = append(out, '-')
	}
	return appendDecimal(out, digits, exp)
}

// appendDecimal appends digits × 10^exp; digits have no zeros at either end.
func appendDecimal(out, digits []byte, exp int) []byte {
	point := len(digits) + exp // where the decimal point is, counted from the first digit
	switch {
	case exp >= 0 && point <= maxPlainDigits:
		out = append(out, digits...)
		return append(out, bytes.Repeat([]byte("0"), exp)...)
	case exp < 0 && point > 0:
		out = append(out, digits[:point]...)
		out = append(out, '.')
		return append(out, digits[point:]...)
	case exp < 0 && -exp <= maxPlainDigits:
		out = append(out, "0."...)
		out = append(out, bytes.Repeat([]byte("0"), -point)...)
		return append(out, digits...)
	}
	out = append(out, digits...)
	out = append(out, 'e')
	return strconv.AppendInt(out, int64(exp), 10)
}

// splitNumber takes a JSON number apart. A fraction of zeros alone is returned as none.
func splitNumber(raw []byte) (neg bool, whole, frac []byte, exp int, ok bool) {
	rest := raw
	if len(rest) > 0 && rest[0] == '-' {
		neg, rest = true, rest[1:]
	}
	n := digitsOf(rest)
	if n == 0 || (n > 1 && rest[0] == '0') {
		return false, nil, nil, 0, false
	}
	whole, rest = rest[:n], rest[n:]
	if len(rest) > 0 && rest[0] == '.' {
		n = digitsOf(rest[1:])
		if n == 0 {
			return false, nil, nil, 0, false
		}
		frac, rest = bytes.TrimRight(rest[1:1+n], "0"), rest[1+n:]
	}
	if len(rest) > 0 && (rest[0] == 'e' || rest[0] == 'E') {
		exp, ok = exponent(rest[1:])
		return neg, whole, frac, exp, ok
	}
	return neg, whole, frac, 0, len(rest) == 0
}

// exponent refuses exponents beyond any real number's, so that sums with lengths cannot
// overflow.
func exponent(text []byte) (int, bool) {
	sign := 1
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	if len(text) == 0 || digitsOf(text) != len(text) {
		return 0, false
	}
	text = bytes.TrimLeft(text, "0")
	if len(text) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range text {
		n = n*10 + int(c-'0')
	}
	return sign * n, true
}

func digitsOf(s []byte) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
