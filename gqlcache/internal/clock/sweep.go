package clock

import "iter"

// SweepStats say what a sweep found.
type SweepStats struct {
	// Valid and Dead count the stamps seen.
	Valid, Dead int
	// Kept and Removed count the cells.
	Kept, Removed int
}

// Sweep forgets the tags that no valid stamp depends on. The sequence yields the stamps
// that the caller still holds, in any order, repeated or nil ones too; stamps made while
// it runs may be missing. It is called without a lock held, and may block. One sweep runs
// at a time.
//
// A stamp that is held but missing from the sequence may become invalid without reason,
// at the next invalidation of anything. It never becomes stale:
//
// Let S be such a stamp and C one of its cells that the sweep removes. Removal sets the
// base of C to infinity, under the lock of C's shard, and then takes C out of the shard.
// Consider an Apply that names C's tag and returns n, and a Valid(S) later.
//
//   - The Apply came to the shard before the removal: it wrote n into C, where S finds
//     it, or infinity.
//   - It came afterwards: it found no cell, or a newer one, and C does not hold n. But
//     infinity was stored before the Apply took the shard's lock, hence before n was
//     published. Whoever loads a number s ≥ n and walks S finds infinity. So no walk
//     stores such an s into S.ok, and as S.ok is below n, Valid(S) does walk.
//
// Until the next number is published S may still be told valid by the compare alone, and
// is: nothing was invalidated since its last walk.
//
// A Finish in progress that is older than an invalidation C held, and finds C gone, is
// refused: the removal left a tombstone, or raised the shard's low number to the last
// invalidation of C. A Finish that got C before the removal returns a stamp like S.
func (c *Clock) Sweep(stamps iter.Seq[*Stamp]) SweepStats {
	c.sweep.Lock()
	defer c.sweep.Unlock()
	horizon := c.sweep.horizon
	c.sweep.horizon = c.seq.Load()
	// From here on every Finish marks its cells as used in this sweep.
	sweep := c.sweeps.Add(1)

	var st SweepStats
	for s := range stamps {
		switch {
		case s == nil:
		case c.Valid(s):
			st.Valid++
			s.mark(sweep)
		default:
			st.Dead++
		}
	}
	for i := range c.shards {
		kept, removed := c.shards[i].sweep(sweep, horizon, c.bound)
		st.Kept += kept
		st.Removed += removed
	}
	return st
}
