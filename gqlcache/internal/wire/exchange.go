package wire

import (
	"context"
	"net/http"
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// An Exchange is the HTTP request of one or more operations, and what the cache reports
// of them in the header of its response.
type Exchange struct {
	method string
	// streams says that the header may be sent before an answer is known.
	streams bool
	header  *Header

	// A transport for several operations in one request may run them at once.
	mu struct {
		sync.Mutex
		reported bool     // extensions.cache is in an answer
		status   []string // members of Cache-Status
		sent     bool     // the header
	}
}

// maxCacheStatus bounds the operations of one request that the header reports.
const maxCacheStatus = 100

type exchangeKey struct{}

// ExchangeFrom returns the exchange that a context belongs to; nil without one.
func ExchangeFrom(ctx context.Context) *Exchange {
	x, _ := ctx.Value(exchangeKey{}).(*Exchange)
	return x
}

// serveExchange serves a request whose operations find its Exchange in their contexts,
// and completes the header of its response. The request comes from withHeader.
func serveExchange(next http.Handler, w http.ResponseWriter, r *http.Request) {
	x := &Exchange{method: r.Method, header: HeaderFrom(r.Context()), streams: acceptsStream(r)}
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	if x.streams {
		serve(next, w, r) // a writer of ours may be able to do what the server's is not
		return
	}
	serve(next, wrap(&completing{base{w}, x}, w), r)
	x.complete(w.Header()) // of a response without a body
}

// Method returns the method of the request. It may be called on nil, of which it is
// empty.
func (x *Exchange) Method() string {
	if x == nil {
		return ""
	}
	return x.method
}

// Report adds an answer's Cache-Status to the response, but for the inspector's own
// answers. It may be called on nil.
func (x *Exchange) Report(e *inspect.Extension) {
	if x == nil || x.streams {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.reported = true
	if e.Status != inspect.Inspected && len(x.mu.status) < maxCacheStatus {
		x.mu.status = append(x.mu.status, CacheStatus(e))
	}
}

// Reports says that a Cache-Status of an operation will be in the header, or is withheld,
// so that nobody else may add one. It may be called on nil.
func (x *Exchange) Reports() bool {
	if x == nil {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.mu.reported
}

// complete puts the reports into the header. Call it when the header is about to be sent,
// on the goroutine that sends it.
func (x *Exchange) complete(h http.Header) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.mu.sent {
		return
	}
	x.mu.sent = true
	if !x.mu.reported {
		return
	}
	x.header.close()
	h.Set("Cache-Control", "no-store")
	for _, member := range x.mu.status {
		h.Add("Cache-Status", member)
	}
}

// A completing writer completes the header on the goroutine that sends it. Operations run
// on others, with batches or a http.TimeoutHandler: were they to write to the header, two
// writes to the map at a time would end the process.
type completing struct {
	base
	exchange *Exchange
}

// WriteHeader implements http.ResponseWriter.
func (w *completing) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.exchange.complete(w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *completing) Write(b []byte) (int, error) {
	w.exchange.complete(w.Header())
	return w.ResponseWriter.Write(b)
}

func (w *completing) flush() error {
	w.exchange.complete(w.Header())
	return w.base.flush()
}

func (w *completing) headerNow() bool {
	w.exchange.complete(w.Header())
	return false
}
