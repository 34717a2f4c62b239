package allocs

import "testing"

// rounds is how many averages PerRun takes.
const rounds = 5

// PerRun is how often f allocates: the least of five averages of [testing.AllocsPerRun],
// each of runs runs, rounded down. The counter is the whole process's. What other
// goroutines allocate meanwhile, and what is made anew after a collection has emptied a
// pool, is counted too, and both only add. So the least average is the nearest to f's own.
// PerRun must not be called beside parallel tests.
func PerRun(runs int, f func()) float64 {
	least := testing.AllocsPerRun(runs, f)
	for range rounds - 1 {
		least = min(least, testing.AllocsPerRun(runs, f))
	}
	return least
}
