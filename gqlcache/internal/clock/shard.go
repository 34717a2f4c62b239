package clock

import "sync"

const shardCount = 64

// A tombstone remembers an invalidation of a tag that has no cell.
type tombstone struct{ num, mask uint64 }

// A shard holds the cells and tombstones of a part of the tags. For every tag, each of its
// invalidations is held by its cell, or else by its tombstones, or else is not above low.
type shard struct {
	mu    sync.Mutex
	cells map[uint64]*cell

	// Two generations of tombstones: when the young one is full, the old one is dropped.
	young, old       map[uint64]tombstone
	youngMax, oldMax uint64 // upper bounds of the numbers in them
	// low is a number at which everything that is not known here counts as invalidated.
	low uint64
}

func (s *shard) init() {
	s.cells = map[uint64]*cell{}
	s.young = map[uint64]tombstone{}
	s.old = map[uint64]tombstone{}
}

// apply publishes an invalidation of one tag. REQUIRES: mu, and Clock.apply.
func (s *shard) apply(hash, mask, n uint64, bound int) {
	if c := s.cells[hash]; c != nil {
		c.raise(mask, n)
		return
	}
	s.bury(hash, tombstone{n, mask}, bound)
}

// bury adds a tombstone, at most bound of them in a generation. REQUIRES: mu.
func (s *shard) bury(hash uint64, t tombstone, bound int) {
	if before, ok := s.young[hash]; ok {
		t.num = max(t.num, before.num)
		t.mask |= before.mask
	} else if len(s.young) >= bound {
		s.dropOld()
		s.young, s.old = s.old, s.young
		s.youngMax, s.oldMax = 0, s.youngMax
	}
	s.young[hash] = t
	s.youngMax = max(s.youngMax, t.num)
}

// dropOld forgets the old generation. What is not known any more counts as invalidated as late as
// anything that was forgotten. REQUIRES: mu.
func (s *shard) dropOld() {
	s.low = max(s.low, s.oldMax)
	clear(s.old)
	s.oldMax = 0
}

// intern returns the cell of a tag, or nil when the tag was invalidated after born. The cell is
// marked as used in the given sweep. REQUIRES: mu.
func (s *shard) intern(hash, mask, born, sweep uint64) *cell {
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

// revive makes a cell for a tag that has none, unless a fill that began at born would be refused:
// then nobody needs the cell. REQUIRES: mu.
func (s *shard) revive(hash, mask, born uint64) *cell {
	old, young := s.old[hash], s.young[hash]
	if s.low > born || old.num > born && old.mask&mask != 0 || young.num > born && young.mask&mask != 0 {
		return nil
	}
	// Other fills in flight may be older or look at other columns: the cell holds all that is known.
	c := new(cell)
	c.words[baseWord].Store(s.low)
	if old.num > 0 {
		c.raise(old.mask, old.num)
	}
	if young.num > 0 {
		c.raise(young.mask, young.num)
	}
	s.cells[hash] = c
	delete(s.old, hash)
	delete(s.young, hash)
	return c
}

// sweep removes the cells that are not marked with the number of this sweep, and tombstones nobody
// can need. Invalidations up to horizon are forgotten into low, later ones leave a tombstone.
func (s *shard) sweep(sweep, horizon uint64, bound int) (kept, removed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
			s.bury(hash, t, bound)
		}
	}
	if s.oldMax <= horizon {
		s.dropOld()
	}
	if s.youngMax <= horizon && len(s.young) > 0 {
		s.young, s.old = s.old, s.young
		s.youngMax, s.oldMax = 0, s.youngMax
		s.dropOld()
	}
	return kept, removed
}
