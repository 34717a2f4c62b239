package clock

import (
	"cmp"
	"slices"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// All is the mask of every column, and of columns unknown.
const All = ^uint64(0)

// Tag is what stamps depend on and changes name. Its Mask is a set of columns; zero
// counts as All: a mask that somebody forgot must widen.
type Tag = tag.Tag

func maskOf(t Tag) uint64 {
	if t.Mask == 0 {
		return All
	}
	return t.Mask
}

// groupTags sorts tags by mask, drops repetitions and returns what is left, in the same
// memory. Equal hashes under different masks are kept apart: that asks the same question
// as their union, and makes no new masks, of which a stamp would have to keep one group
// each.
func groupTags(tags []Tag) []Tag {
	for i := range tags {
		tags[i].Mask = maskOf(tags[i])
	}
	slices.SortFunc(tags, func(a, b Tag) int {
		if c := cmp.Compare(a.Mask, b.Mask); c != 0 {
			return c
		}
		return cmp.Compare(a.Hash, b.Hash)
	})
	return slices.Compact(tags)
}
