package gqlcache

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// Handler wraps a gqlgen server, so that the cache knows when a request began. Put it
// around the middlewares that read what resolvers answer with, such as the user's row:
// then what they have read before a change is not stored as if it had been read after it.
// A websocket's operations count from when they arrive.
//
// It also lets the inspector know what only HTTP tells:
//
//	http.Handle("/graphql", cache.Handler(authenticate(srv)))
//
// It sees the header of the response: an answer during whose computation a resolver has
// set a header or a cookie is not stored, since a hit would lack it.
//
// For the inspector, requests other than POST cannot change the cache, see
// Inspector.Actions, and those that are told of the cache get a Cache-Status header (RFC
// 9211) as well, but for streams and websockets, and Cache-Control: no-store, so that no
// proxy gives what they are told to others. Without the wrapper the inspector has none of
// these: nobody may change the cache. It does not matter to HoldUntilCommit which of the
// two is around the other.
func (c *Cache) Handler(next http.Handler) http.Handler {
	c.mustBeMade()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.warnOfNoServer()
		a := c.arrive(r, w)
		r = r.WithContext(a) //nolint:contextcheck // an arrival is made of the request's own context
		if r.Header.Get("Upgrade") != "" {
			// Clients may send this with anything: only a connection that is taken over
			// is none of the request's.
			next.ServeHTTP(wire.Upgrade(w, a), r)
			return
		}
		reports := c.opts.Inspector.Allow != nil && r.Header.Get(DebugHeader) == "true"
		wire.Serve(next, w, r, reports) //nolint:contextcheck // the request has it
	})
}

// arrival is when an HTTP request began, in a server that a handler of the cache's is
// around. What middlewares behind it have read for the request, the user's row in its
// context, say, is as old as that, and so is an answer that a resolver makes of it: see
// request.begin. It is the request's context.
type arrival struct {
	context.Context

	cache *Cache
	// at is the place in the log, read before number, the clock's.
	at     changelog.Position
	number uint64
	// shapes is the generation of shapes, read before the number. early is what was read
	// for the request by middlewares.
	shapes uint64
	early  footprint.Early
	hold   *hold // nil without HoldUntilCommit
	// values are those that middlewares have got for the request. asker is a digest of its
	// credentials, 0 where no key is checked.
	values earlyValues
	asker  uint64
	// gone is set when the connection was hijacked. Its operations are no part of the
	// request: with the request's number none of their answers could be stored after a
	// while.
	gone atomic.Bool
	// around is what a wrapper further outside has noted of the same request, nil when
	// there is none.
	around *arrival
}

// isOver says that the connection was hijacked. The wrapper that sees it may be any of
// those around each other.
func (a *arrival) isOver() bool {
	for ; a != nil; a = a.around {
		if a.gone.Load() {
			return true
		}
	}
	return false
}

// arrivalKey is the context key of a cache's arrival: a request may go through wrappers
// of several.
type arrivalKey struct{ *Cache }

// Value implements context.Context.
func (a *arrival) Value(key any) any {
	if k, ok := key.(arrivalKey); ok && k.Cache == a.cache {
		return a
	}
	if key == footprint.EarlyKey && a.cache.observing != nil && a.around == nil {
		return &a.early
	}
	return a.Context.Value(key)
}

// String keeps whoever prints a context from printing the cache.
func (a *arrival) String() string { return fmt.Sprintf("%v.WithValue(gqlcache arrival)", a.Context) }

// arrivalFrom returns the arrival of the request that a context belongs to, nil when none
// counts.
func arrivalFrom(ctx context.Context, c *Cache) *arrival {
	a, _ := ctx.Value(arrivalKey{c}).(*arrival)
	if a == nil || a.isOver() {
		return nil
	}
	return a
}

// arrive notes when a request began. What a wrapper further outside has noted stays, also
// if a framework in between has put another context in place: then its response writer is
// found. The number of now would count a transaction as younger than it is.
func (c *Cache) arrive(r *http.Request, w http.ResponseWriter) *arrival {
	ctx := r.Context()
	a := &arrival{Context: ctx, cache: c}
	outer := arrivalFrom(ctx, c)
	if outer == nil {
		outer = arrivalOf(w, c)
	}
	if outer != nil {
		a.at, a.number, a.shapes, a.hold, a.around = outer.at, outer.number, outer.shapes, outer.hold, outer
		a.asker = outer.asker
		return a
	}
	if c.observing != nil {
		if c.observing.keys != nil {
			a.asker = credentialsFrom(ctx, r.Header)
		}
		a.shapes = footprint.Generation()
		defer func() { a.early.Init(ctx, c.startOf(a.shapes, a.number)) }()
	}
	a.at, a.number = c.fleet.Place()
	return a
}

// arrivalOf returns the arrival of this cache whose writer is around or in a writer, nil
// when there is none.
func arrivalOf(w http.ResponseWriter, c *Cache) *arrival {
	for owner := range wire.Owners(w) {
		if a, ok := owner.(*arrival); ok && a.cache == c && !a.isOver() {
			return a
		}
	}
	return nil
}

// Holds implements wire.Owner: a response is held back once its request has changed
// something.
func (a *arrival) Holds() bool {
	h := a.hold
	return h != nil && h.holding.Load() && !h.streams.Load() && !a.isOver()
}

// Hijacked implements wire.Owner.
func (a *arrival) Hijacked() { a.gone.Store(true) }
