// Package safe wraps what the owner of a server gives to the cache and what is called in many places, a logger
// and a clock, so that a panic in it ends there. Without it, a logger that panics while the cache applies a
// change would leave the change unapplied, and a clock that panics on a goroutine of the cache's would end the
// process.
package safe
