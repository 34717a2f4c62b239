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
// nil is a header that cannot be looked at.
type Header struct {
	header http.Header

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

// withHeader lets the operations of a request look at its response's header. A stream has
// sent its header before the resolvers end, on another goroutine, and a websocket has
// none.
func withHeader(w http.ResponseWriter, r *http.Request) *http.Request {
	if r.Header.Get("Upgrade") != "" || acceptsStream(r) {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), headerKey{}, &Header{header: w.Header()}))
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
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mu.running++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.mu.running--
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

// Here returns the header on the goroutine of the wrapper, and nil on any other. It looks
// at the whole stack. It may be called on nil.
func (h *Header) Here() *Header {
	if h == nil || !isServing() {
		return nil
	}
	return h
}

// Digest returns a digest of the header, and whether it could be looked at. Digests of
// one process can be compared. Call it on what Here has returned on the same goroutine,
// also if that is nil.
func (h *Header) Digest(ctx context.Context) (sum uint64, seen bool) {
	if h == nil {
		return 0, false
	}
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

// serveDepth bounds the frames that isServing looks at. Deeper, nothing is seen.
const serveDepth = 512

// isServing reports whether serve is on the stack of this goroutine.
func isServing() bool {
	var pcs [serveDepth]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if frame.Function == serveName {
			return true
		}
		if !more {
			return false
		}
	}
}
