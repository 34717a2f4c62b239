//go:build race

package main

// See norace_test.go.
const (
	defaultSteps    = 500
	defaultReads    = 4000
	defaultVerified = 2_000
)
