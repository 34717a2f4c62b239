// Package tag has the one thing that the compiler of directives and the parts of the
// cache that know no GraphQL have in common.
package tag

import (
	"cmp"
	"slices"
)

// A Tag is what an entry depends on and a change names. Hash identifies it, the same on
// every machine; two names that meet in one hash only make more entries dead. Mask says
// which columns: a change reaches an entry when the masks of a common tag meet.
type Tag struct {
	Hash, Mask uint64
}

// Merge sorts tags in place and joins the masks of equal ones.
func Merge(tags []Tag) []Tag {
	if len(tags) < 2 {
		return tags
	}
	slices.SortFunc(tags, func(a, b Tag) int { return cmp.Compare(a.Hash, b.Hash) })
	out := tags[:1]
	for _, t := range tags[1:] {
		if last := &out[len(out)-1]; last.Hash == t.Hash {
			last.Mask |= t.Mask
		} else {
			out = append(out, t)
		}
	}
	return out
}
