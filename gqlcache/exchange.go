package gqlcache

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// exchange is what the cache knows of the HTTP request that an operation came with, and what it has to say in
// the header of its response.
type exchange struct {
	method string
	// streams says that the header may be sent before an answer is known.
	streams bool
	wire    *wire

	// A transport for several operations in one request may run them at once.
	mu struct {
		sync.Mutex
		told   bool     // extensions.cache is in an answer
		status []string // members of Cache-Status
		shown  bool     // the header is sent
	}
}

// maxCacheStatus is how many operations of one request are told of in the header.
const maxCacheStatus = 100

type exchangeKey struct{}

func exchangeFrom(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// Handler wraps a gqlgen server, so that the cache knows when a request began. Put it around the middlewares that
// read what resolvers answer with, such as the user's row: then what they have read before a change
// is not stored as if it had been read after it. A websocket's operations count from when they arrive.
//
// It also lets the inspector know what only HTTP tells:
//
//	http.Handle("/graphql", cache.Handler(authenticate(srv)))
//
// It sees the header of the response: an answer during whose computation a resolver has set a header or a cookie is
// not stored, since a hit would lack it.
//
// For the inspector, requests other than POST cannot change the cache, see Inspector.Actions, and those that are told of the
// cache get a Cache-Status header (RFC 9211) as well, but for streams and websockets, and Cache-Control:
// no-store, so that no proxy gives what they are told to others. Without the wrapper the inspector has none
// of these: nobody may change the cache. It does not matter to HoldUntilCommit which of the two is around the other.
func (c *Cache) Handler(next http.Handler) http.Handler {
	c.mustBeMade()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := c.arrive(r.Context(), w)
		if r.Header.Get("Upgrade") != "" {
			// Clients may send this with anything: only a connection that is taken over is none of the request's.
			next.ServeHTTP(wrapWriter(&upgradeWriter{w, a}, w), r.WithContext(a))
			return
		}
		r = withWire(w, r.WithContext(a))
		defer wireFrom(r.Context()).close()
		if c.opts.Inspector.Allow == nil || r.Header.Get(DebugHeader) != "true" {
			serveWired(next, w, r)
			return
		}
		x := &exchange{method: r.Method, wire: wireFrom(r.Context()), streams: acceptsStream(r)}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		if x.streams {
			next.ServeHTTP(w, r) // a writer of ours may be able to do what the server's is not
			return
		}
		tw := &tellingWriter{ResponseWriter: w, exchange: x}
		serveWired(next, wrapWriter(tw, w), r)
		x.show(w.Header()) // of a response without a body
	})
}

// acceptsStream says whether the header of the response may be sent before its operations have ended.
func acceptsStream(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "event-stream") || strings.Contains(accept, "multipart/mixed")
}

// tell notes the Cache-Status of an answer, but of one of the inspector's own, for the response.
func (x *exchange) tell(e *inspect.Extension) {
	if x == nil || x.streams {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.told = true
	if e.Status != inspect.Inspected && len(x.mu.status) < maxCacheStatus {
		x.mu.status = append(x.mu.status, cacheStatus(e))
	}
}

// show puts what was told into the header, when that is about to be sent.
func (x *exchange) show(h http.Header) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.mu.shown {
		return
	}
	x.mu.shown = true
	if !x.mu.told {
		return
	}
	x.wire.close()
	h.Set("Cache-Control", "no-store")
	for _, member := range x.mu.status {
		h.Add("Cache-Status", member)
	}
}

// A tellingWriter completes the header on the goroutine that sends it. Operations run on others, with batches or
// a http.TimeoutHandler: were they to write to the header, two writes to the map at a time would end the
// process.
type tellingWriter struct {
	http.ResponseWriter
	exchange *exchange
}

// WriteHeader implements http.ResponseWriter.
func (w *tellingWriter) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.exchange.show(w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *tellingWriter) Write(b []byte) (int, error) {
	w.exchange.show(w.Header())
	return w.ResponseWriter.Write(b)
}

func (w *tellingWriter) flush() error {
	w.exchange.show(w.Header())
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *tellingWriter) hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

func (w *tellingWriter) holder() *arrival { return nil }

// cacheStatus is RFC 9211's member for this cache. A hit tells the tier as its detail, everything else the
// reason.
func cacheStatus(e *inspect.Extension) string {
	var b strings.Builder
	b.WriteString("gqlcache")
	detail := e.Reason.Code
	switch e.Status {
	case inspect.Hit:
		b.WriteString("; hit")
		detail = e.Tier
	case inspect.Miss:
		b.WriteString("; fwd=" + forwarded(e.Reason.Code))
	case inspect.Bypass:
		if e.Reason.Code == string(ReasonInspector) {
			b.WriteString("; fwd=request")
		} else {
			b.WriteString("; fwd=bypass")
		}
	default:
		b.WriteString("; fwd=method")
	}
	if e.DidCache {
		b.WriteString("; stored")
	}
	if e.Collapsed {
		b.WriteString("; collapsed")
	}
	if e.TTLMS != nil {
		b.WriteString("; ttl=" + strconv.FormatInt(*e.TTLMS/1000, 10))
	}
	if e.Key != "" {
		b.WriteString(`; key="` + e.Key + `"`)
	}
	if detail != "" {
		b.WriteString("; detail=" + detail)
	}
	return b.String()
}

// forwarded is why a miss went to the resolvers, in the RFC's words: there was an answer that was too old,
// or none of use.
func forwarded(code string) string {
	if code == "expired" {
		return "stale"
	}
	return "miss"
}
