//go:build race

package allocs

// Exact says whether two counts of the same code are the same. They are not under the race
// detector, where a sync.Pool drops a quarter of what it is given, at random.
const Exact = false
