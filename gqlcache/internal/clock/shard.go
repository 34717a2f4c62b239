package clock

import (
	"maps"
	"sync"
)

const shardCount = 64

// A tombstone remembers an invalidation of a tag that has no cell.
type tombstone struct{ num, mask uint64 }

// A shard holds the cells and tombstones of a part of the tags. For every tag, each of
// its invalidations is held by its cell, or else by its tombstones, or else is not above
// low.
type shard struct {
	mu    sync.Mutex
	cells map[uint64]*cell
	// room is the most cells that the map held when a sweep began: a map keeps the memory
	// of its largest size.
	room int

	// When the young generation of tombstones is full, the old one is forgotten.
	young, old generation
	// low is a number at which everything that is not known here counts as invalidated.
	low uint64

	// pending holds, for each tag that open intents name, the mask of each of them.
	// Intents are few and short: most of the time it is empty.
	pending map[uint64][]uint64
}

type generation struct {
	tombs map[uint64]tombstone
	last  uint64 // no number in tombs is larger
}

func (s *shard) init() {
	s.cells = map[uint64]*cell{}
	s.pending = map[uint64][]uint64{}
	s.young.tombs = map[uint64]tombstone{}
	s.old.tombs = map[uint64]tombstone{}
}

// apply publishes an invalidation of one tag. REQUIRES: mu, and Clock.apply.
func (s *shard) apply(hash, mask, n uint64, bound int) {
	if c := s.cells[hash]; c != nil {
		c.raise(mask, n)
		return
	}
	s.addTombstone(hash, tombstone{n, mask}, bound)
}

// addTombstone adds a tombstone, at most bound of them in a generation. REQUIRES: mu.
func (s *shard) addTombstone(hash uint64, t tombstone, bound int) {
	if before, ok := s.young.tombs[hash]; ok {
		t.num = max(t.num, before.num)
		t.mask |= before.mask
	} else if len(s.young.tombs) >= bound {
		s.forget(&s.old)
		s.young, s.old = s.old, s.young
	}
	s.young.tombs[hash] = t
	s.young.last = max(s.young.last, t.num)
}

// forget empties a generation. What is not known any more counts as invalidated as late
// as anything that was forgotten. REQUIRES: mu.
func (s *shard) forget(g *generation) {
	s.low = max(s.low, g.last)
	clear(g.tombs)
	g.last = 0
}

// intern returns the cell of a tag, or nil when the tag was invalidated after born, or is
// about to be. The cell is marked as used in the given sweep. REQUIRES: mu.
func (s *shard) intern(hash, mask, born, sweep uint64) *cell {
	if s.announced(hash, mask) {
		return nil
	}
	c := s.cells[hash]
	switch {
	case c == nil:
		c = s.revive(hash, mask, born)
	case c.invalidated(mask, born):
		c = nil
	}
	if c != nil {
		c.use(sweep)
	}
	return c
}

// revive makes a cell for a tag that has none, unless a fill that began at born would be
// refused: then nobody needs the cell. REQUIRES: mu.
func (s *shard) revive(hash, mask, born uint64) *cell {
	old, young := s.old.tombs[hash], s.young.tombs[hash]
	if s.low > born || old.num > born && old.mask&mask != 0 || young.num > born && young.mask&mask != 0 {
		return nil
	}
	// Other fills in flight may be older or look at other columns: the cell holds all
	// that is known.
	c := new(cell)
	c.words[baseWord].Store(s.low)
	if old.num > 0 {
		c.raise(old.mask, old.num)
	}
	if young.num > 0 {
		c.raise(young.mask, young.num)
	}
	s.cells[hash] = c
	delete(s.old.tombs, hash)
	delete(s.young.tombs, hash)
	return c
}

// sweep removes the cells that are not marked with the number of this sweep, and
// tombstones nobody can need. Invalidations up to horizon are forgotten into low, later
// ones leave a tombstone.
func (s *shard) sweep(sweep, horizon uint64, bound int) (kept, removed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room = max(s.room, len(s.cells)) // nobody else removes cells
	for hash, c := range s.cells {
		if c.words[markWord].Load() == sweep {
			kept++
			continue
		}
		t := c.last(s.low)
		c.kill()
		delete(s.cells, hash)
		removed++
		switch {
		case t.num <= horizon:
			s.low = max(s.low, t.num)
		default:
			s.addTombstone(hash, t, bound)
		}
	}
	if kept < s.room/2 {
		s.shrink()
	}
	// Either generation may be the later one: a removal buries numbers of any age.
	for _, g := range []*generation{&s.old, &s.young} {
		if g.last <= horizon {
			s.forget(g)
		}
	}
	return kept, removed
}

// shrink frees the memory that the map keeps for cells that are gone. REQUIRES: mu.
func (s *shard) shrink() {
	cells := make(map[uint64]*cell, len(s.cells))
	maps.Copy(cells, s.cells)
	s.cells, s.room = cells, len(cells)
}
