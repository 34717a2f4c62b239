package opkey

import (
	"cmp"
	"slices"
)

// inPlace is how many elements are sorted without an allocation.
const inPlace = 16

// sorted appends to idx the indices of list in the order of the elements' names. The list
// is shared with others and stays as it is. Elements of one name, which validation
// refuses, keep their order. Short lists are sorted by insertion; long ones are not,
// since a client chooses their length.
func sorted[E any](idx []int32, list []E, name func(E) string) []int32 {
	if len(list) <= inPlace {
		for i := range list {
			idx = append(idx, int32(i))
			for j := i; j > 0 && name(list[idx[j]]) < name(list[idx[j-1]]); j-- {
				idx[j], idx[j-1] = idx[j-1], idx[j]
			}
		}
		return idx
	}
	long := make([]int32, len(list))
	for i := range long {
		long[i] = int32(i)
	}
	slices.SortStableFunc(long, func(a, b int32) int { return cmp.Compare(name(list[a]), name(list[b])) })
	return long
}
