// Package memo remembers what was made of texts that clients choose.
//
// # Invariants
//
//  1. A memo holds at most as many bytes as it was given, by the weights that its owner
//     says.
//  2. A text is found only as a whole, byte by byte: no digest stands for it.
package memo

import (
	"hash/maphash"
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/maypok86/otter/v2"
)

// A Memo has values by text. Its methods are safe for concurrent use, and none blocks for
// long. The values are shared: nobody may change them.
type Memo[V any] struct {
	values *otter.Cache[string, weighed[V]]
	// seen are digests of texts that came once.
	seen [firstSights]atomic.Uint64
	seed maphash.Seed
}

type weighed[V any] struct {
	value  V
	weight uint32
}

const (
	// firstSights is how many texts are known to have come once.
	firstSights = 4096
	// overhead is what an entry takes beside its text and its value, in bytes.
	overhead = 256
)

// New returns a memo of at most so many bytes. It remembers nothing if there are none,
// or fewer.
func New[V any](maxBytes int64) *Memo[V] {
	return &Memo[V]{
		seed: maphash.MakeSeed(),
		values: otter.Must(&otter.Options[string, weighed[V]]{
			MaximumWeight: uint64(max(1, maxBytes)), // each value weighs more
			Weigher:       func(_ string, v weighed[V]) uint32 { return v.weight },
			Executor:      func(evict func()) { evict() }, // on the goroutine that keeps, so that the bound holds
		}),
	}
}

// Find returns what is remembered of a text, and the zero value for nothing. It does not
// allocate, and does not keep the text.
func (m *Memo[V]) Find(text []byte) V {
	v, _ := m.values.GetIfPresent(unsafe.String(unsafe.SliceData(text), len(text)))
	return v.value
}

// Again reports whether a text came before, as far as that is known, and notes that it
// has come. Whoever keeps only what comes again lets texts that come once drive out
// nothing.
func (m *Memo[V]) Again(text []byte) bool {
	sight := maphash.Bytes(m.seed, text)
	return m.seen[sight%firstSights].Swap(sight) == sight
}

// Keep remembers a value of a text, in place of another one. weight is what the value
// takes in memory, in bytes; the text counts in addition.
func (m *Memo[V]) Keep(text string, v V, weight int) {
	w := int64(weight) + int64(len(text)) + overhead                  // an int has 32 bits on some platforms
	m.values.Set(text, weighed[V]{v, uint32(min(w, math.MaxUint32))}) //nolint:gosec // bounded, and not negative
}
