//go:build !race

package gqlcache_test

const raceEnabled = false
