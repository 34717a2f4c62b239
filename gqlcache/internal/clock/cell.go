package clock

import (
	"math"
	"sync/atomic"
)

// The words of a cell, in the order in which readers look at them: three slots of a
// number and a mask, then the base.
const (
	slots    = 3
	baseWord = 2 * slots
	markWord = baseWord + 1
)

func numWord(slot int) int  { return 2 * slot }
func maskWord(slot int) int { return 2*slot + 1 }

// A cell remembers when a tag was last invalidated, for up to three distinct masks. A
// slot (n, m) says that the columns m were last invalidated at n; base says that all
// columns were, at that number. A slot without a mask is free. The last word belongs to
// the sweep. A cell fills one cache line of 64 bytes.
//
// A pair (n, m) is held by a slot whose number is at least n and whose mask includes m,
// and by a base of at least n. There is one writer at a time, and any number of readers
// without a lock. The writer keeps these invariants at every single store:
//
//  1. The number of a slot, and the base, never fall.
//  2. A pair, once published, is always held by some slot or by the base. It moves only
//     to a later place in the order of the words, and only after that place holds it.
//
// A reader looks at the places in the order of the words, in each at the number first. A
// pair that some place held when the reader came is found: at that place the number is
// large enough, by invariant 1; if the mask is gone, then by invariant 2 a later place
// held the pair before the mask went, and the reader gets there afterwards. The base is
// last and loses nothing.
//
// Were a pair to move towards the front, or were its old place cleared before the new one
// holds it, a reader could look at the new place too early and at the old one too late,
// miss an old invalidation and revive a dead stamp. See TestCellInterleavings.
//
// Within one place the mask is stored before the number. Nothing is lost the other way
// round, but a slot that is used anew would for a moment claim that its former mask was
// invalidated at the new number, and a reader would find a valid stamp dead.
type cell struct {
	words [markWord + 1]atomic.Uint64
}

// infinity is the base of a cell that was removed: later than any birth.
const infinity = math.MaxUint64

// invalidated tells whether any of the columns was invalidated after born.
func (c *cell) invalidated(mask, born uint64) bool {
	for i := range slots {
		if c.words[numWord(i)].Load() > born && c.words[maskWord(i)].Load()&mask != 0 {
			return true
		}
	}
	return c.words[baseWord].Load() > born
}

// raise publishes that the columns were invalidated at n, which is larger than any number
// before. REQUIRES: the shard's lock.
func (c *cell) raise(mask, n uint64) {
	s := c.snapshot()
	p := planRaise(&s, mask, n)
	for _, st := range p.list[:p.n] {
		c.words[st.word].Store(st.value)
	}
}

// kill makes every stamp that uses the cell invalid at its next walk.
// REQUIRES: the shard's lock.
func (c *cell) kill() { c.words[baseWord].Store(infinity) }

// last returns the cell's history as a single tombstone: the largest number and all
// masks. What is not above low is left out. REQUIRES: the shard's lock.
func (c *cell) last(low uint64) (t tombstone) {
	s := c.snapshot()
	if s[baseWord] > low {
		t = tombstone{s[baseWord], All}
	}
	for i := range slots {
		if n := s[numWord(i)]; n > low {
			t.num = max(t.num, n)
			t.mask |= s[maskWord(i)]
		}
	}
	return t
}

func (c *cell) snapshot() (s snapshot) {
	for i := range s {
		s[i] = c.words[i].Load()
	}
	return s
}

// A snapshot is the words of a cell, the mark left out.
type snapshot [markWord]uint64

// A plan is the stores that publish one invalidation, in their order.
type plan struct {
	list [slots + 2]struct {
		word  int
		value uint64
	}
	n int
}

func (p *plan) store(word int, value uint64) {
	p.list[p.n].word, p.list[p.n].value = word, value
	p.n++
}

// planRaise decides where the pair (n, mask) goes. It is apart from raise so that a test
// can look at a cell between any two stores.
func planRaise(s *snapshot, mask, n uint64) (p plan) {
	if mask == All {
		p.store(baseWord, n)
		p.clear(s, slots, All)
		return p
	}
	// A slot whose mask is included in the new one, or that is free, can take the new
	// pair without losing anything. The last of them is taken, so that the others are
	// before it and may be cleared.
	for i := slots - 1; i >= 0; i-- {
		if s.free(i) || s[maskWord(i)]&^mask == 0 {
			p.store(maskWord(i), mask)
			p.store(numWord(i), n)
			p.clear(s, i, mask)
			return p
		}
	}
	// All slots are taken. The two oldest are merged: that harms only stamps born between
	// their numbers, the fewest alive. The later of the two places takes both, the other
	// one the new pair.
	from, to := s.oldest()
	p.store(maskWord(to), s[maskWord(to)]|s[maskWord(from)])
	if s[numWord(from)] > s[numWord(to)] {
		p.store(numWord(to), s[numWord(from)])
	}
	p.store(maskWord(from), mask)
	p.store(numWord(from), n)
	return p
}

// clear frees the slots before end that mask includes: what they hold, a later place
// holds by now.
func (p *plan) clear(s *snapshot, end int, mask uint64) {
	for i := range end {
		if m := s[maskWord(i)]; m != 0 && m&^mask == 0 {
			p.store(maskWord(i), 0)
		}
	}
}

// free tells whether a slot holds nothing that the base does not.
func (s *snapshot) free(i int) bool {
	return s[maskWord(i)] == 0 || s[numWord(i)] <= s[baseWord]
}

// oldest returns the two slots with the smallest numbers, by place.
func (s *snapshot) oldest() (from, to int) {
	newest := 0
	for i := range slots {
		if s[numWord(i)] > s[numWord(newest)] {
			newest = i
		}
	}
	switch newest {
	case 0:
		return 1, 2
	case 1:
		return 0, 2
	}
	return 0, 1
}

// use marks the cell as used in the given sweep or an earlier one. A Finish that read the
// sweep's number just before a new sweep began must not take back the mark of the new
// one: a failed swap means that the new one has left its mark.
func (c *cell) use(sweep uint64) {
	if m := c.words[markWord].Load(); m < sweep {
		c.words[markWord].CompareAndSwap(m, sweep)
	}
}
