package gqlcache

import "net/http"

// WriteHeaderNow is for writers that keep the header until something is written, as gin's does. Those who
// hijack a connection after they have set the status 101 ask for this method by a type assertion, which sees only the
// outermost writer: without it here the handshake of a websocket is never sent.
func (w *heldWriter) WriteHeaderNow() {
	if w.hold.holding.Load() {
		return // what is held back stays so
	}
	for under := w.ResponseWriter; under != nil; {
		if now, ok := under.(interface{ WriteHeaderNow() }); ok {
			now.WriteHeaderNow()
			return
		}
		next, ok := under.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return
		}
		under = next.Unwrap()
	}
}
