package wire

import (
	"bufio"
	"bytes"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
)

// A Held keeps a response back from the first time that something is written while its
// owner holds it, until Release.
//
// Invariant: a field of the header that is set after the response has begun is no part of
// it, as without the Held: it is a trailer, or lost. So the header is kept back as it is
// when the response begins.
type Held struct {
	base
	by Owner

	mu struct {
		sync.Mutex // a transport's keep-alive may write while the rest is released
		// header is that of the response, nil as long as nothing is kept back.
		header http.Header
		status int
		body   bytes.Buffer
		// flushes is set when the response is to be flushed once it may be written.
		flushes  bool
		released bool
	}
}

// NewHeld returns a writer that keeps back what is written to w.
func NewHeld(w http.ResponseWriter, by Owner) *Held { return &Held{base: base{w}, by: by} }

// Writer returns the writer to hand on. It has the optional interfaces of the server's
// own.
func (w *Held) Writer() http.ResponseWriter { return wrap(w, w.ResponseWriter) }

// holds reports whether what is written now is kept back. REQUIRES: mu held.
func (w *Held) holds() bool { return !w.mu.released && w.by.Holds() }

// WriteHeader implements http.ResponseWriter.
func (w *Held) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	informational := status < http.StatusOK && status != http.StatusSwitchingProtocols
	if !w.holds() || informational && w.mu.header == nil {
		w.write()
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if informational {
		return // the response has begun
	}
	w.begin()
	if w.mu.status == 0 && w.mu.body.Len() == 0 { // one that comes after the body is too late, as without the wrapper
		w.mu.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *Held) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.holds() {
		w.write()
		return w.ResponseWriter.Write(b)
	}
	w.begin()
	return w.mu.body.Write(b)
}

// begin notes the header of a response of which the first part is kept back. REQUIRES: mu
// held.
func (w *Held) begin() {
	if w.mu.header == nil {
		w.mu.header = w.Header().Clone()
	}
}

// flush waits while the response is held back.
func (w *Held) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holds() {
		w.begin()
		w.mu.flushes = true
		return nil
	}
	w.write()
	return w.base.flush()
}

// hijack ends the hold. What was written comes first. Operations of a websocket must not
// count as begun when it was opened: they could join a computation from before a change
// that was acknowledged since.
func (w *Held) hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write()
	conn, rw, err := w.base.hijack()
	if err == nil {
		w.by.Hijacked()
	}
	return conn, rw, err
}

// headerNow reports whether the header is kept back with the rest.
func (w *Held) headerNow() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.holds()
}

// owner lets a wrapper further inside find the owner of this one.
func (w *Held) owner() Owner { return w.by }

// Release writes what was held back, with the fields of these names as they are in the
// header now. Nothing is held from then on.
func (w *Held) Release(names ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.released = true
	if w.mu.header != nil {
		for _, name := range names {
			if values := w.Header().Values(name); len(values) > 0 {
				w.mu.header[http.CanonicalHeaderKey(name)] = values
			}
		}
	}
	w.write()
}

// write writes what was held back. REQUIRES: mu held.
func (w *Held) write() {
	if w.mu.header == nil {
		return
	}
	header := w.Header()
	late := setSince(w.mu.header, header)
	clear(header)
	maps.Copy(header, w.mu.header)
	if w.mu.status != 0 {
		w.ResponseWriter.WriteHeader(w.mu.status)
	}
	if w.mu.body.Len() > 0 {
		_, _ = w.ResponseWriter.Write(w.mu.body.Bytes()) // as with any handler, a lost client is the server's business
	}
	if w.mu.flushes {
		_ = w.base.flush() // without it HTTP/1.1 may have no trailers
	}
	maps.Copy(header, late) // of which some may be trailers
	w.mu.header, w.mu.status, w.mu.flushes = nil, 0, false
	w.mu.body.Reset()
}

// setSince returns the fields that a header has in addition to what it was, or with other
// values.
func setSince(was, header http.Header) http.Header {
	late := http.Header{}
	for name, values := range header {
		if !slices.Equal(values, was[name]) {
			late[name] = values
		}
	}
	return late
}
