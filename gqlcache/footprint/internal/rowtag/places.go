package rowtag

import (
	"math/bits"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// Places are whole numbers by which pages are ordered. Tags compare for equality only, so
// a range of places is a set of prefixes of binary numbers, and a place publishes all its
// prefixes. Numbers of different lengths are told apart first.
const (
	anyPlace   = 'p' // a place that is not known
	ofLength   = 'l' // a number of so many bits
	beyond     = 'g' // a number of at least so many bits
	withPrefix = 'o' // a number with this prefix, without its last so many bits
)

func placeTag(kind byte, set uint64, level int, prefix uint64) uint64 {
	return mix(mix(set+uint64(kind)<<8+uint64(level)) + prefix)
}

// publishPlace adds the tags of a change at a place in a set.
func publishPlace(dst []tag.Tag, set, at uint64, mask uint64) []tag.Tag {
	n := bits.Len64(at)
	dst = append(dst, tag.Tag{Hash: placeTag(ofLength, set, n, 0), Mask: mask},
		tag.Tag{Hash: placeTag(withPrefix, set, 0, at), Mask: mask})
	for level := 1; level <= n; level++ {
		dst = append(dst, tag.Tag{Hash: placeTag(withPrefix, set, level, at>>level), Mask: mask},
			tag.Tag{Hash: placeTag(beyond, set, level, 0), Mask: mask})
	}
	return dst
}

// subscribeUntil adds the tags of a read of a set up to the place of its last row.
func subscribeUntil(dst []tag.Tag, set uint64, w *Window, mask uint64) []tag.Tag {
	add := func(kind byte, level int, prefix uint64) {
		dst = append(dst, tag.Tag{Hash: placeTag(kind, set, level, prefix), Mask: mask})
	}
	last := w.last
	add(anyPlace, 0, 0)
	add(withPrefix, 0, last)
	n := bits.Len64(last)
	for level := range max(n-1, 0) { // the first digit of a number is 1
		switch digit := last >> level & 1; {
		case w.descending && digit == 0:
			add(withPrefix, level, last>>level|1)
		case !w.descending && digit == 1:
			add(withPrefix, level, last>>level&^1)
		}
	}
	if w.descending {
		add(beyond, n+1, 0)
		return dst
	}
	for fewer := range n {
		add(ofLength, fewer, 0)
	}
	return dst
}
