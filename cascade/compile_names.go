package cascade

import (
	"slices"
	"strings"
)

// maxListed bounds how many known names a fault lists.
const maxListed = 12

// suggest ends a fault about an unknown name: with the nearest known one, or with all.
func suggest(name string, known []string) string {
	best, distance := "", max(2, len(name)/3)+1
	for _, k := range known {
		if d := editDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	if len(known) == 0 {
		return "there are none"
	}
	known = slices.Sorted(slices.Values(known))
	if len(known) > maxListed {
		return "known are " + strings.Join(known[:maxListed], ", ") + " and more"
	}
	return "known are " + strings.Join(known, ", ")
}

// editDistance counts the single-byte changes between two names. Long names are far from
// everything, which bounds the work for hostile input.
func editDistance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
