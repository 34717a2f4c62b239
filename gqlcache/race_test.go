//go:build race

package gqlcache_test

// raceEnabled: the race detector makes everything slower.
const raceEnabled = true
