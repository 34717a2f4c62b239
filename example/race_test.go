//go:build race

package main

// See norace_test.go.
const (
	defaultSteps           = 500
	defaultReads           = 4000
	defaultClusterReads    = 2500
	defaultEverythingReads = 1000
	defaultVerified        = uint64(2_000)
)
