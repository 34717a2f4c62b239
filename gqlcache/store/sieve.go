package store

import "context"

// A Sieve is an optional part of a Store that looks in several places.
type Sieve interface {
	// GetIf is Get, but passes over the entries that ok refuses and looks on: a place
	// that is nearer may hold an older entry than one that is farther. It returns the
	// entry that ok accepted, or a copy of it that lives no longer. Ok is called by the
	// goroutine that called GetIf, and keeps no entry that it refuses.
	GetIf(ctx context.Context, key []byte, ok func(*Entry) bool) (*Entry, error)
}
