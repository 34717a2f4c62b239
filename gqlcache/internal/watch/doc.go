// Package watch notes what a cache does while somebody watches it: which entries there
// are and what they depend on, why a key is missing, what a change has reached. The cache
// itself enumerates nothing when it invalidates; this package does, for the inspector,
// within fixed bounds of memory.
//
// A Recorder is on for 30 seconds from each call of Watch, which each request of the
// inspector makes. While it is off, Watching, Mark and Begin are one atomic load each;
// Stored remembers the key in a filter of fixed size, 256 kB, so that a key which was
// never stored can be told from one of which nothing is known. When it goes off,
// everything but the filter and the numbering of the log is dropped.
//
// # What the cache calls
//
// A query that is looked up:
//
//	m := rec.Mark()                     // before the lookup
//	... hit:     rec.Served(key, op, took)
//	... no hit:  why := rec.Missed(m, key, watch.Nothing)  // Dead: an entry was there that a change had reached
//	             if why.Code is cold:  rec.Nearest(key, op, parts)
//	... stored:  rec.Stored(key, func() watch.Entry { ... })  // after the store has taken it, each time
//	... at the end of what is no hit:  rec.Count(op, watch.Miss)  // Collapsed, Bypass
//
// Missed counts nothing: a query that missed at first may be served by Options.Shared, or
// by what another request has stored, and then ends with Served. Missed is to be called
// before the answer is stored. Building op and parts is worth a look at Watching first.
//
// A change, whoever made it:
//
//	p := rec.Begin(watch.Change{Cause: ..., Tags: published, Trace: plan.Trace(more, events, part)})
//	number := clock.Apply(published)
//	invalidation := p.Done(number, took)
//
// Trace costs more than publishing: make it only while Watching. Every change is told,
// those of transactions, of Invalidate, and those that drop everything included
// (Everything says why). One that is not told makes reasons weaker, not wrong: entries
// that it has reached are then "invalidated" without a number if they are found dead, and
// of unknown fate otherwise. Clear is a change with Everything and Cleared, begun before
// and done after the store is cleared. Taking an operation's entries out of the store is
// one with Only and Cleared, done with the number 0.
//
// With a log of several instances the sink calls Applied after clock.Apply, or
// clock.Flush, for each record. The instance's own records are among them; they are told
// from others by their tags, and count for the change that is pending, whose Done comes
// later, when the other instances have confirmed.
//
// # What it does not know
//
// The store does not tell what it evicts. An entry that it has evicted stays in the index
// until a lookup misses it, it expires, a change reaches it or there is no room: until
// then it counts as kept, and when a change reaches it, as fallen. Expired entries leave
// the index when it is asked for, within a second.
//
// Entries that were stored before somebody watched are not in the index. They are neither
// in Kept nor in Evicted, and why they are gone is told as "miss".
//
// # Traps
//
//   - A stamp that is not valid any more does not prove that a change came. A sweep
//     forgets the cells of entries that the store has evicted. So a key is missing for
//     unknown reasons when its last entry is neither known to be reached nor still valid.
//   - The cache reports a miss after the lookup. An entry that was stored in between does
//     not explain the miss. Mark, called before the lookup, tells the two apart.
//   - With a log, an instance gets its own records back before its Publish returns. The
//     recorder knows them by their tags. Otherwise every mutation would find that a peer
//     had dropped everything already.
//   - Clients choose the names of operations, aliases, keys and variables, and how many
//     of each there are. What outlives a request holds none of them whole: a bound on the
//     number of things does not bound their bytes.
package watch
