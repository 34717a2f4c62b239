package gqlcache

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/cascade"
)

// hold collects, for one HTTP request, what its mutations changed in a transaction that commits after
// gqlgen has answered.
type hold struct {
	cache   *Cache
	arrived uint64
	holding atomic.Bool

	mu struct {
		sync.Mutex
		tags []cascade.Tag
		all  bool
	}
}

type holdKey struct{}

func holdFrom(ctx context.Context) *hold {
	h, _ := ctx.Value(holdKey{}).(*hold)
	return h
}

func (h *hold) mutation() { h.holding.Store(true) }

func (h *hold) add(tags []cascade.Tag) {
	h.mu.Lock()
	h.mu.tags = append(h.mu.tags, tags...)
	h.mu.Unlock()
}

func (h *hold) addAll() {
	h.mu.Lock()
	h.mu.all = true
	h.mu.Unlock()
}

// release applies the changes once more, now that they are committed.
func (h *hold) release() {
	h.mu.Lock()
	tags, all := cascade.Merge(h.mu.tags), h.mu.all
	h.mu.Unlock()
	if all {
		h.cache.clock.Flush()
	} else {
		h.cache.clock.Apply(tags)
	}
}

// HoldUntilCommit is for servers that run each request in a transaction which a middleware opens
// before gqlgen and commits after it has answered. Wrap the outermost of the two:
//
//	http.Handle("/graphql", cache.HoldUntilCommit(transactionPerRequest(srv)))
//
// Without it such a server serves stale answers: the cache learns of a change when gqlgen answers,
// another request may read and store the state before the commit, and nothing would drop it; and a
// transaction opened before a change may store, after it, what its snapshot still shows.
//
// The wrapper notes the clock before the transaction begins, keeps a mutation's response back until
// next returns, that is until the commit, and applies the changes then. Answers to queries pass
// through as they are written. A hijacked connection (a websocket) cannot be held back: mutations
// there must commit in their resolvers.
func (c *Cache) HoldUntilCommit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := &hold{cache: c, arrived: c.clock.Seq()}
		hw := &heldWriter{ResponseWriter: w, hold: h}
		func() {
			defer h.release() // also when next panics: the outcome of the commit is unknown then
			next.ServeHTTP(hw, r.WithContext(context.WithValue(r.Context(), holdKey{}, h)))
		}()
		hw.release()
	})
}

// heldWriter buffers what is written once a mutation has run.
type heldWriter struct {
	http.ResponseWriter
	hold   *hold
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (w *heldWriter) WriteHeader(status int) {
	if !w.hold.holding.Load() {
		w.ResponseWriter.WriteHeader(status)
	} else if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *heldWriter) Write(b []byte) (int, error) {
	if !w.hold.holding.Load() {
		return w.ResponseWriter.Write(b)
	}
	return w.body.Write(b)
}

// Flush implements http.Flusher. What is held back stays so.
func (w *heldWriter) Flush() {
	if !w.hold.holding.Load() {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (w *heldWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// release writes what was held back.
func (w *heldWriter) release() {
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
	}
	if w.body.Len() > 0 {
		_, _ = w.ResponseWriter.Write(w.body.Bytes()) // as with any handler, a lost client is the server's business
	}
}
