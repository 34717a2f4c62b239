package gqlcache

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// A wrapper is around a http.ResponseWriter. It has what wrapWriter makes the optional interfaces of.
type wrapper interface {
	http.ResponseWriter
	flush() error
	hijack() (net.Conn, *bufio.ReadWriter, error)
	holder() *arrival // of this wrapper, or nil
}

// wrapWriter returns a writer over w, which is around the inner one. It has those of http.Flusher,
// http.Hijacker, http.Pusher and http.CloseNotifier that the inner one has, and no others: handlers ask for them to
// choose what to do, and frameworks assert them. It hides the inner one from http.ResponseController where w has
// something to say.
func wrapWriter(w wrapper, inner http.ResponseWriter) http.ResponseWriter {
	all := writer{w, inner}
	_, canFlush := inner.(http.Flusher)
	_, canHijack := inner.(http.Hijacker)
	push, canPush := inner.(http.Pusher)
	notify, canNotify := inner.(http.CloseNotifier) //nolint:staticcheck // gin asserts it
	f, h := flusher{w}, hijacker{w}
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

// writer has what every ResponseWriter can be given.
type writer struct {
	wrapper
	inner http.ResponseWriter
}

// WriteString implements io.StringWriter.
func (w writer) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// ReadFrom implements io.ReaderFrom: the copy goes through Write.
func (w writer) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{w.wrapper}, r)
}

// FlushError is what http.ResponseController looks for first.
func (w writer) FlushError() error { return w.flush() }

// Unwrap lets http.ResponseController reach the rest of the connection.
func (w writer) Unwrap() http.ResponseWriter { return beneath(w) }

type flusher struct{ w wrapper }

// Flush implements http.Flusher.
func (f flusher) Flush() { _ = f.w.flush() }

type hijacker struct{ w wrapper }

// Hijack implements http.Hijacker.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.w.hijack() }

// beneath is what http.ResponseController finds when it unwraps a writer: its way to an inner
// one's Hijack, which that may have though its type has not, leads past the wrapper.
type beneath struct {
	wrapper
	inner http.ResponseWriter
}

// Hijack implements http.Hijacker.
func (b beneath) Hijack() (net.Conn, *bufio.ReadWriter, error) { return b.hijack() }

// Unwrap leads on.
func (b beneath) Unwrap() http.ResponseWriter { return b.inner }
