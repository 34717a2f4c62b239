package gqlcache

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// exchange is what the cache knows of the HTTP request that an operation came with.
type exchange struct {
	method string
	// header is that of the response; nil when it may have been sent before the answer is known.
	header http.Header
}

type exchangeKey struct{}

func exchangeFrom(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// Handler wraps a gqlgen server, so that the inspector knows what only HTTP tells:
//
//	http.Handle("/graphql", cache.Handler(srv))
//
// Requests other than POST cannot change the cache, see Inspector.Actions, and those that are told of the
// cache get a Cache-Status header (RFC 9211) as well, but for streams and websockets. Without the wrapper
// the inspector has neither. It does not matter to HoldUntilCommit which of the two is around the other.
func (c *Cache) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.opts.Inspector.Allow == nil || r.Header.Get(DebugHeader) != "true" || r.Header.Get("Upgrade") != "" {
			next.ServeHTTP(w, r)
			return
		}
		x := &exchange{method: r.Method}
		if accept := r.Header.Get("Accept"); !strings.Contains(accept, "event-stream") && !strings.Contains(accept, "multipart/mixed") {
			x.header = w.Header()
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x)))
	})
}

// tell adds the Cache-Status of an answer to the response. The transports that it knows of write their
// headers after the answer is there, on the goroutine that has asked for it.
func (x *exchange) tell(e *inspect.Extension) {
	if x == nil || x.header == nil {
		return
	}
	x.header.Add("Cache-Status", cacheStatus(e))
}

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
