package store

import "context"

// A Batcher is an optional part of a Store that looks for many entries in one round trip, or
// in few.
type Batcher interface {
	// GetAll is Get of many keys, and GetIf, where the store is a Sieve, if ok is not nil. It
	// returns the entry of each key in the place of the key, nil for a miss. Ok gets the
	// place, is called by the goroutine that called GetAll, and keeps no entry that it
	// refuses: what it refuses is a miss. An error says that some keys could not be asked
	// for; the entries that were found are returned all the same. It blocks as Get does, once
	// for each round trip.
	GetAll(ctx context.Context, keys [][]byte, ok func(n int, e *Entry) bool) ([]*Entry, error)
}
