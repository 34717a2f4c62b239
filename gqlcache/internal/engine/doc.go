// Package engine keeps answers under keys, and knows which of them are still true.
//
// It knows no GraphQL: it imports neither gqlgen nor gqlparser nor the plan of a schema.
// A key is bytes, an answer is bytes, and what an answer depends on is a list of tags.
//
// # Invariants
//
//  1. An entry carries the clock's number that was read before its computation began. It
//     is returned by Lookup only if no change applied since names one of its tags.
//  2. An entry of another engine is never returned, nor removed: the numbers of its clock
//     mean nothing here.
//  3. Whatever a store does, a panic included, is a miss and a count to who asks.
//  4. Entries and tags take at most 5/4 of Config.MaxBytes, and what comes in while a
//     sweep runs.
//
// # Locks
//
// sweeping is held while a sweep looks at every entry. Nothing waits for it but other
// sweeps, and no other lock of this package exists. No lock is held while a store is
// called but that one.
//
// # Traps
//
//   - The entry's size holds its tags, each as if no other entry had it. Tags count as
//     come in when the clock has taken them, whatever becomes of the answer: Put counts
//     the rest.
//   - A sweep that ended early would have the clock forget the tags of entries that it
//     has not looked at, and these with the next change of anything. So it looks at all,
//     and only removing stops when the context ends.
//   - Two caches over one store cost each other misses, and nothing else: the engine
//     serves and removes its own entries only.
package engine
