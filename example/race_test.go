//go:build race

package main

// See norace_test.go.
const (
	defaultSteps           = 400
	defaultReads           = 2000
	defaultClusterReads    = 1200
	defaultEverythingReads = 300
	defaultVerified        = uint64(800)
	oracleReplay           = 200 // one client alone: the detector has little to see
	raceEnabled            = true
	// Each database, and each way to know what changes: with the detector, what else is
	// run differs in nothing that may race.
	kindsTested = 2
)
