package wire

import (
	"bufio"
	"io"
	"iter"
	"net"
	"net/http"
)

// A layer is a writer of this package around another one. wrap makes the optional
// interfaces of the two out of it.
type layer interface {
	http.ResponseWriter
	flush() error
	hijack() (net.Conn, *bufio.ReadWriter, error)
	// headerNow is called before the header is sent without a body. held means that the
	// header is kept back, and must not be sent.
	headerNow() (held bool)
	// owner returns the request that the layer belongs to, nil when Owners need not find
	// it.
	owner() Owner
}

// An Owner is an HTTP request, as the writers of its response ask for it.
type Owner interface {
	// Holds reports whether to keep back what is written now. It is called with the
	// writer's mutex held, and must not write to the response.
	Holds() bool
	// Hijacked is called when the connection has been hijacked.
	Hijacked()
}

// base is a layer that changes nothing. The others embed it.
type base struct{ http.ResponseWriter }

func (b base) flush() error { return http.NewResponseController(b.ResponseWriter).Flush() }

func (b base) hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(b.ResponseWriter).Hijack()
}

func (b base) headerNow() bool { return false }

func (b base) owner() Owner { return nil }

// wrap returns a writer over l, which is around the inner one. It has those of
// http.Flusher, http.Hijacker, http.Pusher and http.CloseNotifier that the inner one has,
// and no others: handlers ask for them to choose what to do, and frameworks assert them.
// It hides the inner one from http.ResponseController where l has something to say.
func wrap(l layer, inner http.ResponseWriter) http.ResponseWriter {
	all := writer{l, inner}
	_, canFlush := inner.(http.Flusher)
	_, canHijack := inner.(http.Hijacker)
	push, canPush := inner.(http.Pusher)
	notify, canNotify := inner.(http.CloseNotifier) //nolint:staticcheck // gin asserts it
	f, h := flusher{l}, hijacker{l}
	index := 0
	for i, can := range []bool{canFlush, canHijack, canPush, canNotify} {
		if can {
			index |= 1 << i
		}
	}
	switch index {
	case 1:
		return struct {
			writer
			flusher
		}{all, f}
	case 2:
		return struct {
			writer
			hijacker
		}{all, h}
	case 3:
		return struct {
			writer
			flusher
			hijacker
		}{all, f, h}
	case 4:
		return struct {
			writer
			http.Pusher
		}{all, push}
	case 5:
		return struct {
			writer
			flusher
			http.Pusher
		}{all, f, push}
	case 6:
		return struct {
			writer
			hijacker
			http.Pusher
		}{all, h, push}
	case 7:
		return struct {
			writer
			flusher
			hijacker
			http.Pusher
		}{all, f, h, push}
	case 8:
		return struct {
			writer
			closeNotifier
		}{all, notify}
	case 9:
		return struct {
			writer
			flusher
			closeNotifier
		}{all, f, notify}
	case 10:
		return struct {
			writer
			hijacker
			closeNotifier
		}{all, h, notify}
	case 11:
		return struct {
			writer
			flusher
			hijacker
			closeNotifier
		}{all, f, h, notify}
	case 12:
		return struct {
			writer
			http.Pusher
			closeNotifier
		}{all, push, notify}
	case 13:
		return struct {
			writer
			flusher
			http.Pusher
			closeNotifier
		}{all, f, push, notify}
	case 14:
		return struct {
			writer
			hijacker
			http.Pusher
			closeNotifier
		}{all, h, push, notify}
	case 15:
		return struct {
			writer
			flusher
			hijacker
			http.Pusher
			closeNotifier
		}{all, f, h, push, notify}
	}
	return all
}

type closeNotifier interface{ CloseNotify() <-chan bool }

// writer has the methods that every http.ResponseWriter can be given.
type writer struct {
	layer
	inner http.ResponseWriter
}

// within returns the inner writer: those of this package change no byte.
func (w writer) within() http.ResponseWriter { return w.inner }

// WriteString implements io.StringWriter.
func (w writer) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// ReadFrom implements io.ReaderFrom: the copy goes through Write.
func (w writer) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{w.layer}, r)
}

// FlushError is what http.ResponseController looks for first.
func (w writer) FlushError() error { return w.flush() }

// WriteHeaderNow is for writers that keep the header until something is written, as gin's
// does. Those who hijack a connection after they have set the status 101 ask for this
// method by a type assertion, which sees only the outermost writer: without it here the
// handshake of a websocket is never sent. Where no writer beneath has the method, it does
// nothing.
func (w writer) WriteHeaderNow() {
	if w.headerNow() {
		return
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

// Unwrap lets http.ResponseController reach the rest of the connection.
func (w writer) Unwrap() http.ResponseWriter { return beneath(w) }

type flusher struct{ l layer }

// Flush implements http.Flusher.
func (f flusher) Flush() { _ = f.l.flush() }

type hijacker struct{ l layer }

// Hijack implements http.Hijacker.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.l.hijack() }

// beneath is what http.ResponseController finds when it unwraps a writer: its way to an
// inner one's Hijack, which that may have though its type has not, leads past the layer.
type beneath struct {
	layer
	inner http.ResponseWriter
}

// Hijack implements http.Hijacker.
func (b beneath) Hijack() (net.Conn, *bufio.ReadWriter, error) { return b.hijack() }

// Unwrap leads on.
func (b beneath) Unwrap() http.ResponseWriter { return b.inner }

// maxWriters bounds the writers around each other that Owners looks at.
const maxWriters = 100

// Owners yields the owners of this package's writers that are around w or in it, from the
// outside in. A framework that puts another context in place keeps the writer.
func Owners(w http.ResponseWriter) iter.Seq[Owner] {
	return func(yield func(Owner) bool) {
		for range maxWriters {
			if l, ok := w.(interface{ owner() Owner }); ok {
				if o := l.owner(); o != nil && !yield(o) {
					return
				}
			}
			u, ok := w.(interface{ Unwrap() http.ResponseWriter })
			if !ok {
				return
			}
			w = u.Unwrap()
		}
	}
}
