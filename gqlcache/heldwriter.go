package gqlcache

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"sync"
)

// heldWriter buffers what is written once something was changed.
type heldWriter struct {
	http.ResponseWriter
	arrival *arrival

	mu struct {
		sync.Mutex // a transport's keep-alive may write while the rest is released
		status     int
		body       bytes.Buffer
		released   bool
	}
}

// holds says whether what is written now is kept back. REQUIRES: mu held.
func (w *heldWriter) holds() bool {
	h := w.arrival.hold
	return h.holding.Load() && !h.streams.Load() && !w.mu.released && !w.arrival.isOver()
}

// WriteHeader implements http.ResponseWriter.
func (w *heldWriter) WriteHeader(status int) {
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
func (w *heldWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.holds() {
		w.write()
		return w.ResponseWriter.Write(b)
	}
	return w.mu.body.Write(b)
}

// flush does nothing to what is held back: the commit is what it waits for.
func (w *heldWriter) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holds() {
		return nil
	}
	w.write()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// hijack ends the hold. What was written comes first. Operations of a websocket must not count as begun when it was
// opened: they could join a computation from before a change that was acknowledged since.
func (w *heldWriter) hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write()
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.arrival.gone.Store(true)
	}
	return conn, rw, err
}

// holder lets a wrapper of the same cache further inside find this one.
func (w *heldWriter) holder() *arrival { return w.arrival }

// release writes what was held back.
func (w *heldWriter) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.released = true
	w.write()
}

// write writes what was held back. REQUIRES: mu held.
func (w *heldWriter) write() {
	if w.mu.status != 0 {
		w.ResponseWriter.WriteHeader(w.mu.status)
		w.mu.status = 0
	}
	if w.mu.body.Len() > 0 {
		_, _ = w.ResponseWriter.Write(w.mu.body.Bytes()) // as with any handler, a lost client is the server's business
		w.mu.body.Reset()
	}
}
