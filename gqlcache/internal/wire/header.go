package wire

import (
	"context"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/internal/digest"
)

// A Header is the header of an HTTP response, as the operations of its request see it.
//
// A map that one goroutine reads while another writes ends the process. The operations of
// a batch may run at once, and the resolvers of one may set a header while another has
// ended: so the header is read only while one operation runs, and one that begins waits
// until it has been read. A middleware may run the server on another goroutine, and write
// to the header on its own when the time is up: so the header is read only on the
// goroutine of the wrapper. What is set in a batch that runs at once, or behind such a
// middleware, is not seen.
//
// A middleware within the wrapper may have a writer with a header of its own. Then there
// are two: what a resolver sets may be in either of them, and each of them is looked at by
// its own rule.
//
// nil is a header that cannot be looked at.
type Header struct {
	header http.Header
	// outer is the header of the writer around this one's, nil without.
	outer *Header

	mu struct {
		sync.Mutex
		running int
		closed  bool
	}
}

type headerKey struct{}

// HeaderFrom returns the header of the response of the request that a context belongs to.
func HeaderFrom(ctx context.Context) *Header {
	h, _ := ctx.Value(headerKey{}).(*Header)
	return h
}

// Serve calls a handler whose operations can look at the header of the response. If
// reports is set, they also find an Exchange in their contexts.
func Serve(next http.Handler, w http.ResponseWriter, r *http.Request, reports bool) {
	r = withHeader(w, r)
	defer HeaderFrom(r.Context()).close()
	if reports {
		serveExchange(next, w, r)
		return
	}
	serve(next, w, r)
}

// IsOf reports whether h is the header of a writer. It may be called on nil.
func (h *Header) IsOf(w http.ResponseWriter) bool {
	return h != nil && reflect.ValueOf(h.header).Pointer() == reflect.ValueOf(w.Header()).Pointer()
}

// withHeader lets the operations of a request look at its response's header. A websocket
// has none. That a client accepts a stream does not say that it gets one.
func withHeader(w http.ResponseWriter, r *http.Request) *http.Request {
	if r.Header.Get("Upgrade") != "" {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), headerKey{}, &Header{header: w.Header(), outer: HeaderFrom(r.Context())}))
}

// acceptsStream reports whether the header of the response may be sent before its
// operations have ended.
func acceptsStream(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "event-stream") || strings.Contains(accept, "multipart/mixed")
}

// Begin is called when an operation begins, the returned function when its answer is
// given.
func (h *Header) Begin() (end func()) {
	h.count(1)
	return func() { h.count(-1) }
}

func (h *Header) count(n int) {
	for ; h != nil; h = h.outer {
		h.mu.Lock()
		h.mu.running += n
		h.mu.Unlock()
	}
}

// close ends the looking, before the header is written to by another goroutine than that
// of the operation: a http.TimeoutHandler answers while operations run.
func (h *Header) close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mu.closed = true
}

// A Here is a header on a goroutine that may look at it. The zero value is none.
type Here struct {
	header *Header
	// depth is how many headers may be looked at, from the innermost one on.
	depth int
}

// Here returns the headers whose wrappers the goroutine is in. It looks at the whole
// stack. It may be called on nil.
//
// The innermost wrappers are those that a goroutine has begun with:
//
//	goroutine 1: outer wrapper, middleware that waits       goroutine 2: inner wrapper, operation
//
// Goroutine 2 must not look at the outer header, which goroutine 1 may be writing to.
func (h *Header) Here() Here {
	if h == nil {
		return Here{}
	}
	return Here{header: h, depth: serving()}
}

// Digest returns a digest of the headers, and how many of them could be looked at. Digests
// of one process can be compared. Call it on what Here has returned on the same goroutine.
func (l Here) Digest(ctx context.Context) (sum uint64, seen int) {
	h := l.header
	for i := 0; i < l.depth && h != nil; i, h = i+1, h.outer {
		if one, ok := h.digest(ctx); ok {
			sum += one * uint64(2*i+1)
			seen++
		}
	}
	return sum, seen
}

func (h *Header) digest(ctx context.Context) (sum uint64, seen bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.running != 1 || h.mu.closed || ctx.Err() != nil {
		return 0, false
	}
	for name, values := range h.header {
		var one digest.Running
		one.Text(name)
		for _, v := range values {
			one.Text(v)
		}
		sum += uint64(one) // in any order
	}
	return sum, true
}

// serve calls a handler. It is never inlined, so that Here can tell from the stack who
// has called.
//
//go:noinline
func serve(next http.Handler, w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) }

// serveName is the name of serve on the stack.
var serveName = runtime.FuncForPC(reflect.ValueOf(serve).Pointer()).Name()

// serveDepth bounds the frames that serving looks at. Deeper, nothing is seen.
const serveDepth = 512

// serving returns how often serve is on the stack of this goroutine.
func serving() (n int) {
	var pcs [serveDepth]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if frame.Function == serveName {
			n++
		}
		if !more {
			return n
		}
	}
}
