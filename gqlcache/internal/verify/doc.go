// Package verify says whether hits are right, and what is missing if they are not.
//
// A [Verifier] has a sample of the hits recomputed. A [Shadow] compares answers that were
// not served. Both judge a difference when no change that is still on its way to the
// clock can explain it, so the Verifier knows which mutations of this instance run. What
// the mutations since have changed, and what their declarations would have to lack,
// becomes the suspects of a mismatch.
//
// The package imports cascade, extractor, inspect and safe, and no other room of
// gqlcache. It knows neither gqlgen nor HTTP, and neither the clock nor the store:
// [Config], [Hit] and [Recompute] hand in what it needs of them as functions.
//
// # Locks
//
// The queue, the mutations, the writes, the findings, the explanations and the Shadow have a
// lock each. Under that of the Shadow that of the mutations may be taken, and no other under
// another. No function of the owner and no logger is called under a lock.
//
// # Traps
//
//   - Between a mutation's commit and the application of its changes an entry is old,
//     valid, and right to be served. A difference found there is judged when all
//     mutations that were running have ended; those that a hold keeps open end when it is
//     released. Only those are waited for: what began after the recomputation it has not
//     seen, and an entry which that invalidates is as wrong as it was. To demand that
//     entries outlive the grace is to find nothing on a busy server.
//   - Two recomputations that differ are unstable only if no mutation ran: the value may
//     be the one that an annotation forgets.
//   - Whoever parks a job must not look at it again: the job may run on another slot by
//     then.
//   - A resolver may take the end of its context for the end of its rows. An answer that
//     comes after that end is none.
//   - A caller who differs once may be looking at a random order. "Another caller's"
//     needs two answers of that caller which agree.
//   - What clients choose (names, paths, keys, values, how many there are) is bounded
//     where it is kept, and copied, so that a kept key does not keep the client's
//     document.
//   - A context that is right when a job begins may be pooled, and be another caller's
//     when the job ends. So the key is made once more after the resolvers.
//   - The predicate may have changed when a hit is recomputed. So the key is made once
//     more, on the very context that the resolvers get.
package verify
