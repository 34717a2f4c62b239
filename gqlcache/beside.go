package gqlcache

import (
	"context"
	"errors"
	"hash/maphash"
	"net/http"
	"reflect"
	"runtime"
	"sync"

	"github.com/99designs/gqlgen/graphql"
)

// The invariant of this file: what resolvers say beside their data, an extension of the response or a header, reaches every
// caller or the answer is not stored. Only the data is kept, and a hit could not repeat the rest.

var errBeside = errors.New("what is set beside the data is missing on hits")

// besides is what there was beside an answer before it was computed.
type besides struct {
	extensions int
	header     uint64
	seen       bool // header was looked at
}

// besidesBefore looks at what extensions outside of the cache have set by now. These run on hits, too.
func besidesBefore(ctx context.Context) besides {
	b := besides{extensions: len(graphql.GetExtensions(ctx))}
	b.header, b.seen = headerOf(ctx)
	return b
}

// besidesAfter refuses to store an answer beside which something was set while it was computed. It is called by the
// goroutine that computed it, when no resolver of it runs any more.
func (c *Cache) besidesAfter(ctx context.Context, r *request, before besides, resp *graphql.Response) {
	if resp == nil {
		return
	}
	// A registered name stays: gqlgen panics on a second registration, and removes none.
	if len(resp.Extensions) > before.extensions || len(graphql.GetExtensions(ctx)) > before.extensions {
		r.refuseToStore(ReasonBeside)
		c.once.Warn("extensions", "gqlcache: an answer was not stored, since resolvers registered extensions beside it, or an extension of the server "+
			"that comes after the cache did: then add the cache last, or nothing is ever stored", errBeside)
	}
	if header, seen := headerOf(ctx); seen != before.seen || header != before.header {
		r.refuseToStore(ReasonBeside)
		c.once.Warn("headers", "gqlcache: an answer was not stored, since a header of the response, a cookie say, was set while it was computed", errBeside)
	}
}

// wire is the header of an HTTP response, as the operations of its request see it.
//
// A map that one goroutine reads while another writes ends the process. The operations of a batch may run at
// once, and the resolvers of one may set a header while another has ended: so the header is read only while
// one operation runs, and one that begins waits until it has been read. A middleware may run the server on another
// goroutine, and write to the header on its own when the time is up: so the header is read only on the goroutine
// of the wrapper. What is set in a batch that runs at once, or behind such a middleware, is not seen.
type wire struct {
	header http.Header

	mu struct {
		sync.Mutex
		running int
		closed  bool
	}
}

type wireKey struct{}

func wireFrom(ctx context.Context) *wire {
	w, _ := ctx.Value(wireKey{}).(*wire)
	return w
}

// withWire lets the operations of a request look at its response's header. A stream has sent its header before
// the resolvers end, on another goroutine, and a websocket has none.
func withWire(w http.ResponseWriter, r *http.Request) *http.Request {
	if r.Header.Get("Upgrade") != "" || acceptsStream(r) {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), wireKey{}, &wire{header: w.Header()}))
}

// begin is called when an operation begins, the returned function when its answer is given.
func (w *wire) begin() (end func()) {
	if w == nil {
		return func() {}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.running++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.mu.running--
	}
}

// close ends the looking, before the header is written to by another goroutine than that of the operation: a
// http.TimeoutHandler answers while operations run.
func (w *wire) close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.closed = true
}

// serveWired calls a handler. It is never inlined, so that it can be told from the stack who has called.
//
//go:noinline
func serveWired(next http.Handler, w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) }

// wiredFunction is the name of serveWired.
var wiredFunction = runtime.FuncForPC(reflect.ValueOf(serveWired).Pointer()).Name()

// wiredDepth is how many frames are looked at. Deeper, nothing is seen.
const wiredDepth = 512

// onWiredGoroutine says that serveWired is on the stack.
func onWiredGoroutine() bool {
	var pcs [wiredDepth]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if frame.Function == wiredFunction {
			return true
		}
		if !more {
			return false
		}
	}
}

// headerOf returns a digest of the header of the response, and whether it could be looked at.
func headerOf(ctx context.Context) (digest uint64, seen bool) {
	w := wireFrom(ctx)
	if w == nil || !onWiredGoroutine() {
		return 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.running != 1 || w.mu.closed || ctx.Err() != nil {
		return 0, false
	}
	for name, values := range w.header {
		var h shape
		h.text(name)
		for _, v := range values {
			h.add(maphash.String(shapeSeed, v))
		}
		digest += uint64(h) // in any order
	}
	return digest, true
}
