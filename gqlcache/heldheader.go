package gqlcache

import "net/http"

// WriteHeaderNow is for writers that keep the header until something is written, as gin's does. Those who
// hijack a connection after they have set the status 101 ask for this method by a type assertion, which sees only the
// outermost writer: without it here the handshake of a websocket is never sent. Where no writer beneath
// has the method, it does nothing.
func (w writer) WriteHeaderNow() {
	switch own := w.wrapper.(type) {
	case *heldWriter:
		if own.keeps() {
			return // the commit is what it waits for
		}
	case *tellingWriter:
		own.exchange.show(w.Header())
	}
	for under := w.inner; under != nil; {
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

// keeps says whether what is written now is kept back.
func (w *heldWriter) keeps() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.holds()
}
