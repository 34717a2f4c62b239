// Package digest makes digests that are compared within one process.
//
// Their seed is the process's, so that nobody can check one against guesses, or make two
// texts with one digest.
package digest

import "hash/maphash"

var seed = maphash.MakeSeed()

// Of returns the digest of bytes.
func Of(b []byte) uint64 { return maphash.Bytes(seed, b) }

// A Running digest is one of all that was added to it, in that order. The zero value is
// ready to use. Adding does not allocate.
type Running uint64

// Add adds a number.
func (r *Running) Add(n uint64) {
	*r = Running(maphash.Comparable(seed, [2]uint64{uint64(*r), n}))
}

// Text adds a text.
func (r *Running) Text(s string) { r.Add(maphash.String(seed, s)) }
