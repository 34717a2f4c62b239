package gqlcache

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// hold collects, for one HTTP request, what its mutations changed in a transaction that commits after
// gqlgen has answered.
type hold struct {
	cache   *Cache
	ctx     context.Context
	header  http.Header // of the response
	arrived uint64
	// holding is set once something was changed: what is written from then on waits for the commit.
	holding atomic.Bool
	// gone is set when the connection was hijacked: its operations live longer than the request, and
	// are not part of its transaction.
	gone atomic.Bool

	mu struct {
		sync.Mutex
		by      inspect.Cause // the last one
		tags    []cascade.Tag
		all     bool
		intents []*intention // open until the commit
		deeds   []*deed      // in progress until then
	}
}

type holdKey struct{}

func holdFrom(ctx context.Context) *hold {
	h, _ := ctx.Value(holdKey{}).(*hold)
	if h == nil || h.gone.Load() {
		return nil
	}
	return h
}

func (h *hold) mutation() { h.holding.Store(h.cache.shadow == nil) }

func (h *hold) add(by inspect.Cause, tags []cascade.Tag) {
	h.mutation() // a query's resolver may have touched a row
	h.mu.Lock()
	h.mu.by = by
	h.mu.tags = append(h.mu.tags, tags...)
	h.mu.Unlock()
}

func (h *hold) addAll(by inspect.Cause) {
	h.mu.Lock()
	h.mu.by, h.mu.all = by, true
	h.mu.Unlock()
}

func (h *hold) intend(in *intention) {
	h.mu.Lock()
	h.mu.intents = append(h.mu.intents, in)
	h.mu.Unlock()
}

func (h *hold) keep(d *deed) {
	h.mu.Lock()
	h.mu.deeds = append(h.mu.deeds, d)
	h.mu.Unlock()
}

// release applies the changes once more, now that they are committed, and settles the intents.
func (h *hold) release() {
	h.mu.Lock()
	by, tags, all, intents, deeds := h.mu.by, cascade.Merge(h.mu.tags), h.mu.all, h.mu.intents, h.mu.deeds
	h.mu.Unlock()
	// The request's context may be over; its changes are committed all the same.
	ctx := context.WithoutCancel(h.ctx)
	defer func() {
		for _, in := range intents {
			h.cache.settleIntent(ctx, in)
		}
		for _, d := range deeds {
			h.cache.verify.ended(d)
		}
	}()
	if !all && len(tags) == 0 {
		return
	}
	again := watch.Change{Cause: by, Tags: tags}
	if all {
		again.Everything = "a change of the transaction that was committed"
	}
	var first *intention
	if len(intents) > 0 {
		first = intents[0] // the others are settled after the changes
	}
	end := h.cache.begin(again)
	a := h.cache.announce(ctx, first, tags, all)
	end(a.number)
	x := h.cache.confession(a)
	if x.Consistency != "" {
		h.header.Set(ConsistencyHeader, x.Consistency)
	}
	if x.Token != "" {
		h.header.Set(TokenHeader, x.Token)
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
// through as they are written, until a resolver of theirs has called Touch. A hijacked connection (a
// websocket) cannot be held back and is as without the wrapper: mutations there must commit in their
// resolvers, and queries not read in a transaction that is older than themselves.
func (c *Cache) HoldUntilCommit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := &hold{cache: c, ctx: r.Context(), header: w.Header(), arrived: c.clock.Seq()}
		hw := &heldWriter{ResponseWriter: w, hold: h}
		h.serve(next, hw, r.WithContext(context.WithValue(r.Context(), holdKey{}, h)))
		hw.release()
	})
}

func (h *hold) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	defer h.release() // also when next panics: the outcome of the commit is unknown then
	next.ServeHTTP(w, r)
}

// heldWriter buffers what is written once a mutation has run.
type heldWriter struct {
	http.ResponseWriter
	hold *hold

	mu struct {
		sync.Mutex // a transport's keep-alive may write while the rest is released
		status     int
		body       bytes.Buffer
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *heldWriter) WriteHeader(status int) {
	informational := status < http.StatusOK && status != http.StatusSwitchingProtocols
	if !w.hold.holding.Load() || informational {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.status == 0 {
		w.mu.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *heldWriter) Write(b []byte) (int, error) {
	if !w.hold.holding.Load() {
		return w.ResponseWriter.Write(b)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.body.Write(b)
}

// Flush implements http.Flusher. What is held back stays so.
func (w *heldWriter) Flush() {
	if !w.hold.holding.Load() {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
	}
}

// Hijack implements http.Hijacker. Operations of a websocket must not count as begun when it was
// opened: they could join a computation from before a change that was acknowledged since.
func (w *heldWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.hold.gone.Store(true)
	}
	return conn, rw, err
}

// Unwrap lets http.ResponseController reach the rest of the connection.
func (w *heldWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// release writes what was held back.
func (w *heldWriter) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.status != 0 {
		w.ResponseWriter.WriteHeader(w.mu.status)
	}
	if w.mu.body.Len() > 0 {
		_, _ = w.ResponseWriter.Write(w.mu.body.Bytes()) // as with any handler, a lost client is the server's business
	}
}
