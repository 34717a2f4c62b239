package wire

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"sync"
)

// A Held keeps a response back from the first time that something is written while its
// owner holds it, until Release.
type Held struct {
	base
	by Owner

	mu struct {
		sync.Mutex // a transport's keep-alive may write while the rest is released
		status     int
		body       bytes.Buffer
		released   bool
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
	if !w.holds() || informational {
		w.write()
		w.ResponseWriter.WriteHeader(status)
		return
	}
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
	return w.mu.body.Write(b)
}

// flush does nothing while the response is held back.
func (w *Held) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holds() {
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

// Release writes what was held back. Nothing is held from then on.
func (w *Held) Release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.released = true
	w.write()
}

// write writes what was held back. REQUIRES: mu held.
func (w *Held) write() {
	if w.mu.status != 0 {
		w.ResponseWriter.WriteHeader(w.mu.status)
		w.mu.status = 0
	}
	if w.mu.body.Len() > 0 {
		_, _ = w.ResponseWriter.Write(w.mu.body.Bytes()) // as with any handler, a lost client is the server's business
		w.mu.body.Reset()
	}
}
