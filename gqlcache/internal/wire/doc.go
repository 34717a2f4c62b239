// Package wire is the part of the cache that an HTTP client sees: response writers and
// headers.
//
// It may import gqlcache/inspect and internal/reason, and nothing else of this module. An
// [Owner] says whether a response is held back, and hears that a connection was hijacked.
//
// # Locks
//
// [Held], [Exchange] and [Header] have one mutex each. A [Held] writes to the writers
// beneath it under its mutex, and an [Exchange] closes its [Header] under its own.
// Nothing else is called under one, but for an [Owner].
//
// # Traps
//
//   - Frameworks assert http.CloseNotifier, http.Hijacker and http.Flusher of a writer,
//     and transports choose by them: a writer of this package has exactly those of the
//     inner one.
//   - http.ResponseController unwraps: what a writer must see, it must offer there, too.
//   - Who hijacks a connection asks the outermost writer for gin's WriteHeaderNow by a
//     type assertion: a writer without it never sends the handshake of a websocket.
//     Unwrap does not help there.
//   - A map of headers that two goroutines write to ends the process, and so does one
//     that is read while it is written to. A transport may run several operations of one
//     request at once, and a timeout may answer while one runs. So an [Exchange] writes
//     to the header on the goroutine that sends it, and a [Header] is read only while one
//     operation of its request runs, and not when the handler has returned.
//   - The stream transports send their headers before the answer is known, one of them on
//     another goroutine: no Cache-Status there.
//   - Several goroutines use a [Held].
//   - Clients choose headers. Upgrade proves no websocket, only a hijacked connection
//     does.
package wire
