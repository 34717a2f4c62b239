// Package edge has the names under which HTTP caches in front of the server, a CDN say,
// keep answers and are told to purge them.
//
// It may import cascade/tag and internal/safe, and nothing else of this module.
//
// A name is a keyed hash, HMAC-SHA-256 with the secret of all instances, cut to 128 bits.
// A client could guess what a plain hash is of, and so learn which rows an answer shows.
//
// # Invariants
//
//  1. A change that makes an entry of the cache dead has a name in common with the
//     answer's names.
//  2. All answers have the same number of names. Which of them stand for nothing cannot
//     be told without the secret.
//  3. No name of an answer stands for a row or a value in a partitioned view.
//  4. What was to be purged is purged again after the time that an answer may be on its
//     way, and after a failure until it succeeds.
//
// # Locks
//
// A [Purger] has one mutex. Nothing is called under it.
//
// # Traps
//
//   - An answer may have been sent before a change, and be stored by a cache on the way
//     after the purge: only the second purge reaches it.
//   - The masks of tags count for nothing here: a purge removes what shows other columns
//     of the row, too.
package edge
