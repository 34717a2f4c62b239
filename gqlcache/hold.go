package gqlcache

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// hold collects, for one HTTP request, what its operations changed in a transaction that
// commits after gqlgen has answered. Its point is the return of the HTTP handler: see
// uncommitted.
type hold struct {
	uncommitted

	cache  *Cache
	header http.Header // of the response
	// doubts is what observing.doubts returned when the request arrived.
	doubts uint64
	// holding is set once something was changed: what is written from then on waits for
	// the commit.
	holding atomic.Bool
	// streams is set when the request is a subscription. Its events cannot wait for the
	// end of the request: what it changes is made known at once, and again at the end.
	streams atomic.Bool
}

func (h *hold) mutation() {
	if h != nil && h.cache.shadow == nil { // which delays nothing
		h.holding.Store(true)
	}
}

func (h *hold) stream() {
	if h != nil {
		h.streams.Store(true)
	}
}

// hasChanged says that the request has changed something which is not committed yet.
func (h *hold) hasChanged() bool { return h.uncommitted.some.Load() }

// keep keeps a batch until the commit. later says that it is made known then, and need
// only be applied now. It may be called on nil.
func (h *hold) keep(b *batch) (later bool) {
	switch {
	case h == nil:
		return false
	case h.streams.Load():
		h.uncommitted.keep(&batch{by: b.by, Change: b.Change})
		return false
	case !h.uncommitted.keep(b):
		return false
	}
	h.mutation() // a query's resolver may have touched a row
	return true
}

// release applies the changes once more, now that they are committed, and settles the
// intents.
func (h *hold) release(r *http.Request) {
	b := h.reach()
	// The request's context may be over; its changes are committed all the same.
	a := h.cache.publishBatch(context.WithoutCancel(r.Context()), &b, false)
	if h.holding.Load() {
		a = h.cache.observing.awaitOutside(h.doubts, a)
	}
	h.cache.addChangedGroups(h.header, r, h.cache.changedGroups(&b))
	h.cache.confession(a).setHeaders(h.header)
}

// HoldUntilCommit is for servers that run each request in a transaction which a
// middleware opens before gqlgen and commits after it has answered. Wrap the outermost of
// the two, outside of whatever begins a transaction, for reads too:
//
//	http.Handle("/graphql", cache.HoldUntilCommit(transactionPerRequest(srv)))
//
// Without it such a server serves stale answers: the cache learns of a change when gqlgen
// answers, another request may read and store the state before the commit, and nothing
// would drop it; and a transaction opened before a change may store, after it, what its
// snapshot still shows.
//
// The wrapper notes the clock before the transaction begins, keeps a mutation's response
// back until next returns, that is until the commit, and applies the changes then.
// Answers to queries pass through as they are written, until a resolver of theirs has
// called Touch or Report. What is said after next has returned counts at once.
// Subscriptions are not held back: what their resolvers say counts at once, and again at
// the end of the request. A hijacked connection (a websocket) cannot be held back and is
// as without the wrapper: mutations there must commit in their resolvers or in an
// extension of the server, and queries not read in a transaction that is older than
// themselves. A wrapper inside of another one of the same cache does nothing.
//
// It also is what Handler is, but for what that does for the inspector.
func (c *Cache) HoldUntilCommit(next http.Handler) http.Handler {
	c.mustBeMade()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := c.arrive(r, w)
		if a.hold != nil && a.hold.isAhead() {
			next.ServeHTTP(w, r.WithContext(a))
			return
		}
		c.warnOfTransaction(r.Context())
		h := &hold{cache: c, header: w.Header(), doubts: c.observing.doubts()}
		a.hold = h
		held := wire.NewHeld(w, a)
		h.serve(next, held.Writer(), r.WithContext(a))
		held.Release(TokenHeader, ConsistencyHeader, groupsOfChanges)
	})
}

func (h *hold) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	h.begin()
	defer h.release(r) // also when next panics: the outcome of the commit is unknown then
	next.ServeHTTP(w, r)
}
