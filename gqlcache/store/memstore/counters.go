package memstore

import (
	"sync/atomic"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// counters keep a store's figures. Invariant: an entry is added once, before it can be
// seen, and removed once, when otter takes it out of the table for whatever cause, both
// under the lock of its key. So entries and bytes are exact when nothing runs, and never
// negative.
type counters struct {
	hits, misses striped

	puts, deletes, evictions, expirations, refused atomic.Uint64
	entries, bytes                                 atomic.Int64
}

func (c *counters) added(e *store.Entry) {
	c.entries.Add(1)
	c.bytes.Add(size(e))
}

// removed is called by otter for every entry that leaves the table, with the lock of its
// key held.
func (c *counters) removed(event otter.DeletionEvent[string, *store.Entry]) {
	c.entries.Add(-1)
	c.bytes.Add(-size(event.Value))
	switch event.Cause {
	case otter.CauseInvalidation:
		c.deletes.Add(1)
	case otter.CauseOverflow:
		c.evictions.Add(1)
	case otter.CauseExpiration:
		c.expirations.Add(1)
	case otter.CauseReplacement:
		// The put that replaced it is counted.
	}
}

func (c *counters) snapshot() store.Stats {
	return store.Stats{
		Hits: c.hits.sum(), Misses: c.misses.sum(),
		Puts: c.puts.Load(), Deletes: c.deletes.Load(),
		Evictions: c.evictions.Load(), Expirations: c.expirations.Load(),
		Refused: c.refused.Load(),
		Entries: c.entries.Load(), Bytes: c.bytes.Load(),
	}
}

// A striped counter is spread over cache lines, so that hits on many cores do not wait
// for each other at the one word that counts them.
type striped [8]struct {
	atomic.Uint64
	_ [56]byte
}

// add counts in a word that is chosen by where the goroutine's stack is: for nothing, where a
// random number takes as long as the addition.
func (s *striped) add() {
	var here byte
	where := uint64(uintptr(unsafe.Pointer(&here))) >> 11 // stacks are of 2 KiB at least
	s[where*0x9e3779b97f4a7c15>>61].Add(1)
}

func (s *striped) sum() uint64 {
	var n uint64
	for i := range s {
		n += s[i].Load()
	}
	return n
}
