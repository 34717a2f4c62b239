package engine

import "sync/atomic"

// Tags are held by the clock until a sweep finds that no entry depends on them, so those
// of evicted entries stay for a while. They are bounded by the bytes that come in:
//
//  1. An entry's size includes its tags, each as if no other entry had it. So the tags
//     that entries depend on are within the bound of the store.
//  2. The tags that no entry depends on belonged to entries that were held at the last
//     sweep, or came later. The former made room for the latter. So together with what
//     the store holds they take at most what it held then and what came since.
//  3. When a quarter of the bound has come in since a sweep began, the next one is due.
//
// So entries and tags take at most 5/4 of the store's bound, and what comes in while a
// sweep runs. Sweeps cost a put a look at a few entries: as many as fit into four times
// the entry.

// minPressure is the least number of bytes that make a sweep due, for stores with small
// bounds.
const minPressure = 256 << 10

// A pressure counts the bytes that came in since the last sweep began.
type pressure struct {
	bytes atomic.Int64
	limit atomic.Int64  // from which on a sweep is due
	due   chan struct{} // has room for one
}

// bound sets the limit for a store that holds, or may hold, so many bytes.
func (p *pressure) bound(bytes int64) { p.limit.Store(max(minPressure, bytes/4)) }

// add counts bytes, and asks for a sweep when one is due. It does not block.
func (p *pressure) add(bytes int) {
	if p.bytes.Add(int64(bytes)) < p.limit.Load() {
		return
	}
	select {
	case p.due <- struct{}{}:
	default: // it is asked for
	}
}

// swept is called when a sweep begins.
func (p *pressure) swept() { p.bytes.Store(0) }
