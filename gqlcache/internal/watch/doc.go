// Package watch records what a cache does while somebody watches it: which entries there
// are and what they depend on, why a key is missing, which entries a change has reached.
// The cache itself does not list entries when it invalidates. This package does, for the
// inspector, within fixed bounds of memory.
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
// Missed counts nothing. A query that missed at first may be served by Options.Shared, or
// by an entry that another request has stored: it ends with Served. Call Missed before the
// answer is stored. Ask Watching before op and parts are built.
//
// A change, whoever made it:
//
//	p := rec.Begin(watch.Change{Cause: ..., Tags: published, Trace: plan.Trace(more, events, part)})
//	number := clock.Apply(published)
//	invalidation := p.Done(number, took)
//
// Trace costs more than publishing: make it only while Watching. Report every change:
// also those of transactions, those of Invalidate, and those that drop everything, whose
// Everything says why. A change that is not reported makes reasons weaker, not wrong. Then
// an entry that it has reached is "invalidated" without a number if it is found dead, and
// otherwise "miss". Clear is a change with Everything and Cleared. It begins before the
// store is cleared and is done after it. The removal of an operation's entries is a change
// with Only and Cleared, which is done with the number 0.
//
// With a log of several instances the sink calls Applied for each record, after
// clock.Apply or clock.Flush. The instance's own records are among them. The recorder
// knows them by their tags, and counts them for the pending change. Its Done comes later,
// when the other instances have confirmed.
//
// # What it does not know
//
// The store does not report what it evicts. An entry that it has evicted stays in the
// index until a lookup misses it, it expires, a change reaches it, or there is no room.
// Until then it counts as kept, and if a change reaches it, as dropped. Expired entries
// leave the index when it is asked for, within a second.
//
// Entries that were stored before somebody watched are not in the index. They are neither
// in Kept nor in Evicted. The reason for their absence is "miss".
//
// # Traps
//
//   - A stamp that is no longer valid does not prove that a change came. A sweep forgets
//     the cells of entries that the store has evicted. So the reason of a miss is unknown
//     when the last entry is no longer valid and no change is known to have reached it.
//   - The cache reports a miss after the lookup. An entry that was stored in between does
//     not explain the miss. Mark, called before the lookup, tells the two apart.
//   - With a log, an instance gets its own records back before its Publish returns. The
//     recorder knows them by their tags. Otherwise every mutation would find that a peer
//     had dropped everything already.
//   - Clients choose the names of operations, aliases, keys and variables, and how many
//     of each there are. What outlives a request holds none of them whole: a bound on the
//     number of things does not bound their bytes.
package watch
