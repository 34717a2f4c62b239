// Package count has counters of bounded size: of operations by name, and of durations. Its methods
// may be called concurrently.
package count
