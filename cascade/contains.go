package cascade

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A term `title contains args.term` is true of rows whose column contains the operand,
// whatever the case of letters. Tags compare for equality only, so both sides are cut
// into grams, pieces of fixed lengths: a read subscribes to one gram of its operand, a
// change publishes all grams of the column's value before and after. A value that
// contains the operand contains every gram of it, so no change is missed; one that shares
// the gram and not the operand drops the read without need.
const (
	shortGram = 3
	longGram  = 6
	// maxGramRunes bounds the text that a change cuts: a longer one drops all reads of
	// the shape.
	maxGramRunes = 256
	// maxGrams bounds the values that one side of a change publishes for a shape with
	// such a term.
	maxGrams = 2 * maxGramRunes
)

// containsMark ends the name of a column in a shape where the column is searched, not
// compared.
const containsMark = "~"

// shapeColumn is how a shape names the column of a term.
func (t *termDecl) shapeColumn() string {
	if t.Contains {
		return t.Column + containsMark
	}
	return t.Column
}

// gramsOfOperand returns, for each value of an operand, the gram that stands for it: the
// end of the text, which tells more than its beginning. ok is false when one of them has
// none: it is too short, or the database may read it in another way.
func gramsOfOperand(vals []Value) (grams []Value, ok bool) {
	for _, v := range vals {
		text, ok := foldText(v)
		if !ok || slices.ContainsFunc(text, unicode.IsControl) { // a NUL ends the text for some databases
			return nil, false
		}
		text = searched(text)
		if len(text) < shortGram {
			return nil, false
		}
		n := shortGram
		if len(text) >= longGram {
			n = longGram
		}
		grams = append(grams, Value{kind: valueClass, text: string(text[len(text)-n:])})
	}
	return grams, true
}

// searched returns a part of an operand that every value which is found must contain,
// even if the server takes away the space around it, or hands it to LIKE as it is: the
// last piece between the characters that mean something there.
func searched(text []rune) []rune {
	pieces := strings.FieldsFunc(strings.TrimSpace(string(text)), func(r rune) bool { return strings.ContainsRune(`%_\`, r) })
	for _, p := range slices.Backward(pieces) {
		if piece := []rune(p); len(piece) >= shortGram {
			return piece
		}
	}
	return nil
}

// gramsOfValues returns all grams of the values that a column may have. ok is false when
// they are not known or too many. A null contains nothing.
func gramsOfValues(vals []Value) (grams []Value, ok bool) {
	grams = []Value{}
	seen := map[string]bool{}
	for _, v := range vals {
		if v.IsNull() {
			continue
		}
		text, ok := foldText(v)
		if !ok || len(text) > maxGramRunes {
			return nil, false
		}
		for _, n := range [...]int{shortGram, longGram} {
			for i := 0; i+n <= len(text); i++ {
				g := string(text[i : i+n])
				if !seen[g] {
					seen[g] = true
					grams = append(grams, Value{kind: valueClass, text: g})
				}
			}
		}
	}
	return grams, len(grams) <= maxGrams
}

// foldText returns the text of a value without the case of letters. ok is false for a
// UUID, whose text is not kept as it was written, and for characters beyond ASCII, since
// a collation may take any of them for an ASCII letter, for several, or for none.
func foldText(v Value) (text []rune, ok bool) {
	if v.kind != valueText || looksLikeUUID(v.text) {
		return nil, false
	}
	for _, r := range v.text {
		if r >= utf8.RuneSelf {
			return nil, false
		}
		text = append(text, unicode.ToUpper(r))
	}
	return text, true
}
