package clock

import (
	"math/bits"
	"sync"
	"sync/atomic"
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
