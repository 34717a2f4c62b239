//go:build !race

package main

// How much the long tests do by default. The race detector makes everything about ten times slower.
const (
	defaultSteps    = 3000
	defaultReads    = 50_000
	defaultVerified = 20_000
)
