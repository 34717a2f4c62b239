package main

import (
	"slices"
	"time"
)

// minimize removes steps, ever smaller runs of them, from a history that fails at its
// last step, as long as what is left still fails somewhere and there is time. fails
// returns the index of the failing step, -1 if there is none.
func minimize(list []step, fails func([]step) int, patience time.Duration) []step {
	deadline := time.Now().Add(patience)
	try := func(candidate []step) bool {
		i := fails(candidate)
		if i < 0 {
			return false
		}
		list = candidate[:i+1]
		return true
	}
	// Most reads are beside the point: without them each further attempt is fast.
	last := list[len(list)-1]
	relevant := slices.DeleteFunc(slices.Clone(list), func(s step) bool {
		return s.body != last.body && !isMutation(s.body)
	})
	try(relevant)
	for size := len(list) / 2; size > 0 && time.Now().Before(deadline); size /= 2 {
		for from := 0; from < len(list)-1 && time.Now().Before(deadline); {
			to := min(from+size, len(list)-1)
			if !try(slices.Concat(list[:from], list[to:])) {
				from = to
			}
		}
	}
	return list
}
