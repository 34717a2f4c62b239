// Package wire is the part of the cache that an HTTP client sees: response writers and
// headers.
//
// It may import gqlcache/inspect, internal/digest, internal/reason and internal/safe, and
// nothing else of this module. An [Owner] says whether a response is held back, and hears
// that a connection was hijacked.
//
// A [Ready] is an answer as it is sent. It has the ETag and the encoded variants of its
// body, and Send obeys the request's If-None-Match and Accept-Encoding, and what
// middlewares have put into the header before.
//
// # Locks
//
// [Held], [Exchange] and [Header] have one mutex each. A [Held] writes to the writers
// beneath it under its mutex, and an [Exchange] closes its [Header] under its own.
// Nothing else is called under one, but for an [Owner]. A [Ready] has none: what is made
// of it is stored whole, and not changed after that.
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
//   - A writer around may encode the body after us, and say so in the header only when it
//     is written. A strong ETag would then be that of two representations. So the body as
//     it is has a weak one wherever the client accepts an encoding.
//   - A middleware that sets a cookie when the header is written does so after Send has
//     looked. Only the owner's Cache-Control can keep such an answer out of caches.
//   - Values of headers are shared by all responses. Appending to one copies it; who
//     changes one in place changes all of them.
//   - Clients choose headers. Upgrade proves no websocket, only a hijacked connection
//     does.
package wire
