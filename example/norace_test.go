//go:build !race

package main

import "os"

// How much the long tests do by default: the larger number if the environment has
// CASCADEQL_LONG, as a step of .ci/run does. The race detector makes everything about ten
// times slower.
var (
	defaultSteps           = size(shortSteps, 1500)
	defaultReads           = size[int64](shortReads, 20_000)
	defaultClusterReads    = size[int64](1200, 2500)
	defaultEverythingReads = size[int64](500, 2000)
	defaultVerified        = size[uint64](shortVerified, 6_000)
)

// oracleReplay is how many reads TestOracle replays at each ratio.
const oracleReplay = 600

const raceEnabled = false

// kindsTested is how many of kinds the tests run on.
const kindsTested = 4

func size[T any](short, long T) T {
	if os.Getenv("CASCADEQL_LONG") != "" {
		return long
	}
	return short
}
