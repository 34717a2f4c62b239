package clock

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// Options configure a Clock. The zero value is good for a server.
type Options struct {
	// Tombstones bounds how many invalidations of tags that nothing depends on are
	// remembered, for computations in progress. When more come, the oldest are forgotten
	// and computations that began before them may be refused without need. Each takes
	// about 40 bytes. Defaults to 65,536.
	Tombstones int
}

const defaultTombstones = 1 << 16

// Token is the number of the last invalidation before a computation began.
type Token = uint64

// A Clock numbers the invalidations of one process. See the package comment for what it
// promises. All methods are safe for concurrent use; none blocks for longer than others
// hold the locks.
type Clock struct {
	// seq is the number of the last published invalidation, alone on its cache line: it
	// is the only word of the clock that a hit reads.
	_   [64]byte
	seq atomic.Uint64
	_   [56]byte

	// floor kills every stamp born before it.
	floor atomic.Uint64
	// allPending counts the open intents that name everything.
	allPending atomic.Int64
	// sweeps is the number of the last sweep begun.
	sweeps atomic.Uint64
	// bound is the most tombstones in one generation of one shard.
	bound int

	apply sync.Mutex // one Apply or Flush at a time
	sweep struct {
		sync.Mutex // one Sweep at a time
		// horizon is the clock's number when the previous sweep began. A computation that
		// is still running after a whole interval between sweeps may be refused.
		horizon uint64
	}
	shards [shardCount]shard
}

// New returns a clock that has seen nothing. Its first number is 1.
func New(o Options) *Clock {
	if o.Tombstones <= 0 {
		o.Tombstones = defaultTombstones
	}
	c := &Clock{bound: max(1, o.Tombstones/(2*shardCount))}
	c.seq.Store(1)
	for i := range c.shards {
		c.shards[i].init()
	}
	return c
}

// shard spreads hashes over the shards by all of their bits, so that poor hashes do no
// harm.
func (c *Clock) shard(hash uint64) *shard {
	return &c.shards[(hash*0x9e3779b97f4a7c15)>>(64-bits.Len(shardCount-1))]
}

// Seq returns the number of the last published invalidation.
func (c *Clock) Seq() uint64 { return c.seq.Load() }

// Begin returns the token for a computation that has not read anything yet. A token taken
// later than the first read hides the changes in between from the stamp.
func (c *Clock) Begin() Token { return c.seq.Load() }

// Apply publishes that the tags changed and returns the number of the invalidation. Call
// it after the change is committed and before it is acknowledged. Without tags nothing
// changed: Apply returns the current number. Tags may repeat; they are not kept.
func (c *Clock) Apply(tags []Tag) uint64 {
	if len(tags) == 0 {
		return c.seq.Load()
	}
	c.apply.Lock()
	defer c.apply.Unlock()
	n := c.seq.Load() + 1
	for _, t := range tags {
		s := c.shard(t.Hash)
		s.mu.Lock()
		s.apply(t.Hash, maskOf(t), n, c.bound)
		s.mu.Unlock()
	}
	// Only now: a reader that sees n must find it in the cells. The other way round, a
	// walk between the two would see no change, store n into the stamp's ok, and make the
	// stamp immune to it.
	c.seq.Store(n)
	return n
}

// Flush publishes that everything may have changed and returns the number of the
// invalidation.
func (c *Clock) Flush() uint64 {
	c.apply.Lock()
	defer c.apply.Unlock()
	n := c.seq.Load() + 1
	c.floor.Store(n)
	c.seq.Store(n) // after the floor, as in Apply
	return n
}

// Finish returns the stamp for what was computed since the token was taken, or false when
// one of its tags was invalidated meanwhile, or is named by an open Intent: then the
// result may be given to whoever asked before that, and must not be kept. Finish sorts
// and rewrites tags in place, and does not keep them. A stamp without tags dies by Flush
// only, or AnnounceAll.
func (c *Clock) Finish(token Token, tags []Tag) (*Stamp, bool) {
	// First of all: what is published from here on must make the stamp walk its cells.
	seq := c.seq.Load()
	if c.allPending.Load() > 0 || token < c.floor.Load() {
		return nil, false
	}
	tags = groupTags(tags)
	s := &Stamp{
		born:   token,
		cells:  make([]*cell, len(tags)),
		groups: make([]group, 0, countGroups(tags)),
	}
	for i, t := range tags {
		if s.cells[i] = c.intern(t, token); s.cells[i] == nil {
			return nil, false
		}
		if i+1 == len(tags) || tags[i+1].Mask != t.Mask {
			s.groups = append(s.groups, group{mask: t.Mask, end: uint32(i + 1)})
		}
	}
	s.ok.Store(seq)
	return s, true
}

func (c *Clock) intern(t Tag, born uint64) *cell {
	s := c.shard(t.Hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.intern(t.Hash, t.Mask, born, c.sweeps.Load())
}

// Valid tells whether nothing that the stamp depends on was invalidated since its token
// was taken. It does not allocate and takes no lock.
func (c *Clock) Valid(s *Stamp) bool {
	seq := c.seq.Load()
	return s.ok.Load() == seq || c.walk(s, seq)
}

// walk is the slow path of Valid. seq was loaded before: if the cells change during the
// walk, then the number changes afterwards, and the next Valid walks again.
//
//go:noinline
func (c *Clock) walk(s *Stamp, seq uint64) bool {
	if s.born < c.floor.Load() || s.invalidated() {
		return false
	}
	s.ok.Store(seq)
	return true
}

// Stats are a clock's figures.
type Stats struct {
	// Seq is the number of the last invalidation; Floor that of the last Flush, 0 before
	// the first.
	Seq, Floor uint64
	// Cells are the tags that stamps depend on, including those of stamps that no longer
	// exist and are not swept yet. Tombstones are remembered invalidations of other tags.
	Cells, Tombstones int
}

// Stats returns the figures. They are not taken at one instant.
func (c *Clock) Stats() Stats {
	st := Stats{Seq: c.seq.Load(), Floor: c.floor.Load()}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		st.Cells += len(s.cells)
		st.Tombstones += len(s.young.tombs) + len(s.old.tombs)
		s.mu.Unlock()
	}
	return st
}

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

// unmark takes away one mark of a tag. REQUIRES: mu.
func (s *shard) unmark(hash, mask uint64) {
	marks := s.pending[hash]
	i := slices.Index(marks, mask)
	marks[i] = marks[len(marks)-1]
	if marks = marks[:len(marks)-1]; len(marks) == 0 {
		delete(s.pending, hash)
		return
	}
	s.pending[hash] = marks
}

// announced tells whether an open intent names any of the columns. REQUIRES: mu.
func (s *shard) announced(hash, mask uint64) bool {
	return slices.ContainsFunc(s.pending[hash], func(m uint64) bool { return m&mask != 0 })
}

// All is the mask of every column, and of columns unknown.
const All = ^uint64(0)

// Tag is what stamps depend on and changes name. Its Mask is a set of columns; zero
// counts as All: a mask that somebody forgot must widen.
type Tag = tag.Tag

func maskOf(t Tag) uint64 {
	if t.Mask == 0 {
		return All
	}
	return t.Mask
}

// groupTags sorts tags by mask, drops repetitions and returns what is left, in the same
// memory. Equal hashes under different masks are kept apart: that asks the same question
// as their union, and makes no new masks, of which a stamp would have to keep one group
// each.
func groupTags(tags []Tag) []Tag {
	for i := range tags {
		tags[i].Mask = maskOf(tags[i])
	}
	slices.SortFunc(tags, func(a, b Tag) int {
		if c := cmp.Compare(a.Mask, b.Mask); c != 0 {
			return c
		}
		return cmp.Compare(a.Hash, b.Hash)
	})
	return slices.Compact(tags)
}
