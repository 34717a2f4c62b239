package rowtag

import "strings"

// A read that searches subscribes to one gram of what it searches for, a piece of a fixed
// length. A change publishes all grams of the column's text, before and after. A text
// that contains the operand contains every gram of it.
const (
	shortGram = 3
	longGram  = 6
)

// gramOf returns the gram that stands for an operand, in lower case: the end of the last
// piece of letters, digits and spaces. Other characters may be wildcards or escapes. ok is
// false when there is none, or when a collation may read a character as another one.
func gramOf(operand string) (gram string, ok bool) {
	text, ok := folded(operand)
	if !ok {
		return "", false
	}
	pieces := strings.FieldsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != ' '
	})
	for i := len(pieces) - 1; i >= 0; i-- {
		p := strings.Trim(pieces[i], " ")
		switch {
		case len(p) >= longGram:
			return p[len(p)-longGram:], true
		case len(p) >= shortGram:
			return p[len(p)-shortGram:], true
		}
	}
	return "", false
}

// grams calls f with each gram of a text, some of them more than once. It returns false,
// without a call, for a text that is too long or not plain.
func grams(text string, f func(string)) bool {
	text, ok := folded(text)
	if !ok {
		return false
	}
	for _, n := range [...]int{shortGram, longGram} {
		for i := 0; i+n <= len(text); i++ {
			f(text[i : i+n])
		}
	}
	return true
}

// folded returns a text in lower case. A collation may take a character beyond ASCII for
// an ASCII letter, for several, or for none; a NUL ends a text for some functions.
func folded(text string) (string, bool) {
	if len(text) > maxText {
		return "", false
	}
	for i := range len(text) {
		if text[i] >= 0x80 || text[i] < ' ' {
			return "", false
		}
	}
	return strings.ToLower(text), true
}
