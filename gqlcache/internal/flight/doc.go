// Package flight lets concurrent callers that miss the same key share one computation, without ever
// handing a caller a result that is older than its own request.
//
// Ages are told by the numbers of an invalidation clock. A caller has the number at which its request
// arrived; a flight has a token, the number on which its computation is based, taken before the
// computation reads anything.
//
//   - A flight with a token of at least the caller's number is as good as a computation of its own:
//     every change that was acknowledged before the caller arrived was numbered by then, and the
//     flight began after it.
//   - An older flight may have read the state before such a change. Its result is usable only if it
//     is still known to be valid after the flight has ended. Otherwise the caller tries again. What it
//     finds then began after its arrival, so a herd that has to try again collapses into one flight.
//
// The owner of a flight may use the result whatever was invalidated meanwhile: its token was taken
// after it arrived.
//
// A computation runs on its own goroutine with a context that no single caller can cancel. It is
// canceled when the last caller has left. Values of the context come from the caller that started
// it: a request-scoped transaction in there ends with that caller's request, not with the flight.
package flight
