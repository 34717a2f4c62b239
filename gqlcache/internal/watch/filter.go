package watch

import "sync/atomic"

// A filter remembers keys without their bytes (Bloom): it never denies one that was
// added, and asserts one that was not in about one case of fifty with 200,000 keys, in
// nearly all with some millions.
type filter struct {
	words []uint64
}

const (
	filterBits   = 1 << 21
	filterHashes = 4
)

func (f *filter) init() { f.words = make([]uint64, filterBits/64) }

func (f *filter) add(k id) {
	for i := range uint64(filterHashes) {
		b := (k[0] + i*(k[1]|1)) % filterBits
		word, bit := &f.words[b/64], uint64(1)<<(b%64)
		if atomic.LoadUint64(word)&bit == 0 {
			atomic.OrUint64(word, bit)
		}
	}
}

// maybe is false only for keys that were never added.
func (f *filter) maybe(k id) bool {
	for i := range uint64(filterHashes) {
		b := (k[0] + i*(k[1]|1)) % filterBits
		if atomic.LoadUint64(&f.words[b/64])&(1<<(b%64)) == 0 {
			return false
		}
	}
	return true
}
