// Package flight lets concurrent callers that miss the same key share one computation,
// without ever handing a caller a result that is older than its own request.
//
// # Whose computation it is
//
// A computation runs on the goroutine and the context of one caller, its leader, like any
// function that the leader calls. Nothing of it goes on when the leader's Do has
// returned. The other callers of the key wait. What becomes of them depends on how the
// computation ends:
//
//   - Shared: all of them have the value, as far as it is new enough for each.
//   - Unshared: each goes off at once to compute by itself, side by side, and for a while
//     the key has no flights. To wait for one another would make a queue of those who can
//     never share.
//   - Left: the leader's own request has ended, so that its value may be a part of the
//     truth. The caller that has waited longest leads next; the others go on waiting.
//
// # How long they wait
//
// A caller waits for a Bound, or, if its context has a deadline, for so long that it can
// still compute by itself. Then it computes beside the flight that is stuck, as a new
// leader of the same key, and those who wait have the value of whichever leader is done
// first. The next such leader starts a Bound later at the earliest: when a database
// hangs, there is one computation more in each Bound, not one for each caller.
//
// # Ages
//
// Ages are told by the numbers of an invalidation clock. A caller has the number at which
// its request arrived; a flight has a token, the number on which its computation is
// based, taken before the computation reads anything.
//
//   - A flight with a token of at least the caller's number is as good as a computation
//     of its own: every change that was acknowledged before the caller arrived was
//     numbered by then, and the flight began after it.
//   - An older flight may have read the state before such a change. Its result is usable
//     only if it is still known to be valid after the flight has ended. Otherwise the
//     caller tries once more, and then computes by itself.
//
// The leader may use its result whatever was invalidated meanwhile: its token was taken
// after it arrived.
//
// # Traps
//
//   - The caller reads Call.Arrived before its first look-up of the key. A later number
//     would let it join a flight that began before a change which it knows of.
//   - Do calls Call.Begin under the shard's lock. Begin must only read the clock's
//     number.
//   - A request's number says where its computation is based. The number when the
//     operation began says which flights it may join. One number for both, the older one,
//     would let a caller join a flight that lacks a change it knows of.
package flight
