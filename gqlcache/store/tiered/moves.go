package tiered

import (
	"hash/maphash"
	"sync/atomic"
)

// moves tells those who move an entry up whether tiers have been written meanwhile. A
// counter stands for all keys of a stripe, so a move may be given up for another key's
// sake: the entry then stays where it was.
//
// Invariants, of Put, Delete, DeleteEntry and Clear on one side and moves up on the
// other:
//  1. Writers go from the slowest tier to the fastest, and count after each.
//  2. A move reads the counter before it reads the slow tier, gives up when it has
//     changed before it puts into a faster one, and takes its entry back when it has
//     changed after.
//
// Say a move has read what a writer removes from tier i, and puts it into tier j, which
// is faster. The writer counts between the two. If that was before the move's last look,
// the entry is taken back; if it was after, the writer has not come to tier j yet, and
// removes it there. A move that reads tier i after the writer was there finds nothing.
// Between a late put and its being taken back the entry can be seen; a lock would have to
// be held while a tier is asked, which may be a network away.
type moves struct {
	seed    maphash.Seed
	stripes [256]atomic.Uint64
}

func (m *moves) stripe(key []byte) *atomic.Uint64 {
	return &m.stripes[maphash.Bytes(m.seed, key)%uint64(len(m.stripes))]
}

func (m *moves) all() {
	for i := range m.stripes {
		m.stripes[i].Add(1)
	}
}
