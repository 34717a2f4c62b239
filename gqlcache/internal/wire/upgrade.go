package wire

import (
	"bufio"
	"net"
	"net/http"
)

// An upgrade is a writer that notices that a connection is hijacked.
type upgrade struct {
	base
	by Owner
}

// Upgrade returns a writer over w that calls the owner's Hijacked.
func Upgrade(w http.ResponseWriter, by Owner) http.ResponseWriter {
	return wrap(&upgrade{base{w}, by}, w)
}

func (w *upgrade) hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := w.base.hijack()
	if err == nil {
		w.by.Hijacked()
	}
	return conn, rw, err
}

func (w *upgrade) owner() Owner { return w.by }
