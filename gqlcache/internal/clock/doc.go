// Package clock numbers invalidations and tells, for anything computed, whether one of
// them came after the computation began and named something it depends on.
//
// A computation takes a [Token] before it reads anything ([Clock.Begin]) and turns the
// tags of what it read into a [Stamp] afterwards ([Clock.Finish]). A change, once
// committed, is published with [Clock.Apply]. Nothing is deleted by tag: a stamp is valid
// as long as no number after its token was given to one of its tags, and [Clock.Valid]
// finds that out when it is asked. A hit costs one atomic load and one compare unless
// something was invalidated since the stamp was last asked for; a change costs a few
// stores for each of its tags, however many stamps depend on them.
//
// # The promise
//
// When Apply(tags) has returned n, then
//
//  1. no stamp with a token below n that shares a tag with them is ever Valid again, and
//  2. no Finish with a token below n that shares a tag with them succeeds any more;
//
// where two tags meet when their hashes are equal and their masks intersect. The same
// holds for Flush and all tags. A change that is committed before Apply and acknowledged
// after it is thus never followed by a read of what was computed before it.
//
// The converse is kept as far as bounded memory allows: a stamp dies without reason only
// when a tag saw more than three distinct masks (they are merged), or when a sweep missed
// it; a Finish is refused without reason only when tombstones had to be dropped or
// merged, or when it is older than the sweep before the last.
//
// An [Intent] extends the promise to the time between a change's commit and its Apply:
// see there.
//
// # Why it holds
//
// Apply writes n into the cells of its tags first and into the clock's number last. Take
// an Apply that returned n, and a later call of Valid on a stamp born before n that has
// one of its tags.
//
//   - Valid loads a number s ≥ n. Had the stamp's ok been equal to s, then an earlier
//     walk had loaded that same s before it looked at the cells; the cells held n by
//     then, and the walk would have failed. So ok differs, the cells are walked, and n is
//     found.
//   - A Finish in progress: it loads the number it will put into ok before it looks at
//     the cells. If it sees n there, it refuses. If it does not, then Apply had not
//     stored its number yet, ok is below n, and the first Valid walks the cells and finds
//     n > born.
//   - A tag without a cell: Apply leaves a tombstone, and the cell that a Finish creates
//     later starts from it. A tombstone that is dropped raises the low number of its
//     shard, from which every new cell starts, so that dropping one can only refuse more.
//   - A cell that a sweep removes is set to infinity first, see [Clock.Sweep].
//
// # Locks
//
// The order is Clock.sweep, Clock.apply, shard.mu. Valid takes none, Begin and Seq
// neither. The words of a cell are written only by the holder of its shard's lock, and
// read by anyone.
//
// # Traps
//
//   - Announce sets an intent's marks before it publishes the number. The intent's owner
//     applies the changes before it calls Settle.
//   - Finish loads the number for ok before it looks at the cells. Apply stores the
//     number after it has written the cells.
//   - A (mask, number) pair moves within a cell only to a later slot, and its old slot is
//     cleared only when the later one holds it.
//   - Each of the two generations of tombstones has its own bound. A sweep buries numbers
//     of any age, so the young generation may hold numbers older than those of the old
//     one.
//   - A mask of zero counts as all columns, for reads and for changes. A caller that
//     wants to say "nothing has changed" publishes no tag.
package clock
