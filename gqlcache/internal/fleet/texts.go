package fleet

import (
	"encoding/binary"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// A Text is a part of a change that is told by a text, of which each instance makes the
// tags that it has there: the names of operations that match a pattern, say. The kinds are
// frozen: a reader that does not know one takes the change for everything.
type Text struct {
	Kind TextKind
	Text string
}

// A TextKind says what a text stands for.
type TextKind uint64

const (
	// OperationPattern stands for the answers to operations whose names match the text.
	OperationPattern TextKind = 1
	// Tenant stands for all that belongs to the tenant of this name, as
	// Options.Partition names him. Another build may name him otherwise.
	Tenant TextKind = 2
	// ValuePattern stands for the values under keys whose names match the text.
	ValuePattern TextKind = 3
)

// maxText bounds a text, in bytes.
const maxText = 1 << 16

// AppendText appends the words of a text: {length, kind}, and the bytes, sixteen to a
// word, the rest of the last one zero.
func AppendText(words []tag.Tag, t Text) []tag.Tag {
	words = append(words, tag.Tag{Hash: uint64(len(t.Text)), Mask: uint64(t.Kind)})
	for b := []byte(t.Text); len(b) > 0; {
		var word [16]byte
		b = b[copy(word[:], b):]
		words = append(words, tag.Tag{Hash: binary.LittleEndian.Uint64(word[:8]), Mask: binary.LittleEndian.Uint64(word[8:])})
	}
	return words
}

// ReadTexts returns the texts of words. It returns false when they are in no form that is
// known here.
func ReadTexts(words []tag.Tag) (texts []Text, ok bool) {
	for len(words) > 0 {
		n, kind := words[0].Hash, TextKind(words[0].Mask)
		if n > maxText || kind < OperationPattern || kind > ValuePattern {
			return nil, false
		}
		size := (int(n) + 15) / 16
		if words = words[1:]; size > len(words) {
			return nil, false
		}
		b := make([]byte, 0, 16*size)
		for _, w := range words[:size] {
			b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, w.Hash), w.Mask)
		}
		texts, words = append(texts, Text{kind, string(b[:n])}), words[size:]
	}
	return texts, true
}

// textsOf returns the words of texts in the tags of a record, or of several that were
// joined.
func textsOf(tags []tag.Tag) (words []tag.Tag) {
	for len(tags) > 0 {
		one := tags
		if second := nextRecord(tags); second > 0 {
			one = tags[:second]
		}
		tags = tags[len(one):]
		if r, ok := parseRecord(one); ok {
			words = append(words, r.texts...)
		}
	}
	return words
}

// applyNew applies what texts reach that they did not when their change was applied, with
// tags: an operation may have got its name, and computed its answer, in between.
//
//	change                                answer
//	the names that match are known
//	                                      its name becomes known
//	                                      token
//	the change is applied
//	                                      is stored under its name: valid
//	the names that match are known: one more, which is applied now
//
// An answer whose name becomes known later than that has a token from after the change, or
// depends on all patterns: see Cache.appendOwn.
func (f *Fleet) applyNew(words, tags []tag.Tag, number uint64) uint64 {
	if len(words) == 0 {
		return number
	}
	again, ok := f.reach(Change{Texts: words})
	if !ok {
		return f.cfg.Clock.Flush()
	}
	applied := map[uint64]bool{}
	for _, t := range tags {
		applied[t.Hash] = true
	}
	var more []tag.Tag
	for _, t := range again {
		if !applied[t.Hash] {
			more = append(more, t)
		}
	}
	if len(more) == 0 {
		return number
	}
	return f.cfg.Clock.Apply(more)
}
