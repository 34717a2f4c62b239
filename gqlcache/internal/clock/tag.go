package clock

import (
	"cmp"
	"slices"
)

// All is the mask of every column, and of columns unknown.
const All = ^uint64(0)

// A Tag names something that a computation depends on and a change touches, and the part of it that
// matters. Two tags meet when their hashes are equal and their masks intersect, so a collision of
// hashes invalidates too much and never too little.
type Tag struct {
	Hash uint64
	// Mask is a set of columns. Zero counts as All: a mask that somebody forgot must widen.
	Mask uint64
}

func (t Tag) mask() uint64 {
	if t.Mask == 0 {
		return All
	}
	return t.Mask
}

// groupTags sorts tags by mask, drops repetitions and returns what is left, in the same memory.
// Equal hashes under different masks are kept apart: that asks the same question as their union, and
// makes no new masks, of which a stamp would have to keep one group each.
func groupTags(tags []Tag) []Tag {
	for i := range tags {
		tags[i].Mask = tags[i].mask()
	}
	slices.SortFunc(tags, func(a, b Tag) int {
		if c := cmp.Compare(a.Mask, b.Mask); c != 0 {
			return c
		}
		return cmp.Compare(a.Hash, b.Hash)
	})
	return slices.Compact(tags)
}
