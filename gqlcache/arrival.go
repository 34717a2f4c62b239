package gqlcache

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// arrival is when an HTTP request began, in a server that a handler of the cache's is around. What
// middlewares behind it have read for the request, the user's row in its context, say, is as old as that,
// and so is an answer that a resolver makes of it: see request.begin. It is the request's context.
type arrival struct {
	context.Context

	cache *Cache
	// at is the place in the log, read before number, the clock's.
	at     changelog.Position
	number uint64
	hold   *hold // nil without HoldUntilCommit
	// gone is set when the connection was hijacked. Its operations are no part of the request: with the
	// request's number none of their answers could be stored after a while.
	gone atomic.Bool
	// around is what a wrapper further outside has noted of the same request, nil when there is none.
	around *arrival
}

// isOver says that the connection was hijacked. The wrapper that sees it may be any of those around each other.
func (a *arrival) isOver() bool {
	for ; a != nil; a = a.around {
		if a.gone.Load() {
			return true
		}
	}
	return false
}

// arrivalKey is the context key of a cache's arrival: a request may go through wrappers of several.
type arrivalKey struct{ *Cache }

// Value implements context.Context.
func (a *arrival) Value(key any) any {
	if k, ok := key.(arrivalKey); ok && k.Cache == a.cache {
		return a
	}
	return a.Context.Value(key)
}

// String keeps whoever prints a context from printing the cache.
func (a *arrival) String() string { return fmt.Sprintf("%v.WithValue(gqlcache arrival)", a.Context) }

// arrivalFrom returns the arrival of the request that a context belongs to, nil when none counts.
func arrivalFrom(ctx context.Context, c *Cache) *arrival {
	a, _ := ctx.Value(arrivalKey{c}).(*arrival)
	if a == nil || a.isOver() {
		return nil
	}
	return a
}

// arrive notes when a request began. What a wrapper further outside has noted stays, also if a framework in between
// has put another context in place: then its response writer is found. The number of now would count a transaction
// as younger than it is.
func (c *Cache) arrive(ctx context.Context, w http.ResponseWriter) *arrival {
	a := &arrival{Context: ctx, cache: c}
	outer := arrivalFrom(ctx, c)
	if outer == nil {
		outer = arrivalOf(w, c)
	}
	if outer != nil {
		a.at, a.number, a.hold, a.around = outer.at, outer.number, outer.hold, outer
		return a
	}
	if c.opts.Log != nil {
		a.at = c.applied()
	}
	a.number = c.clock.Seq()
	return a
}

// upgradeWriter notices that a connection is hijacked.
type upgradeWriter struct {
	http.ResponseWriter
	arrival *arrival
}

func (w *upgradeWriter) hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.arrival.gone.Store(true)
	}
	return conn, rw, err
}

func (w *upgradeWriter) flush() error { return http.NewResponseController(w.ResponseWriter).Flush() }

func (w *upgradeWriter) holder() *arrival { return w.arrival }

// arrivalOf returns the arrival of this cache whose writer is around or in a writer, nil when there is none.
func arrivalOf(w http.ResponseWriter, c *Cache) *arrival {
	for range maxWriters {
		switch v := w.(type) {
		case interface{ holder() *arrival }:
			if a := v.holder(); a != nil && a.cache == c && !a.isOver() {
				return a
			}
		case nil:
			return nil
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
	return nil
}

// maxWriters bounds the writers around each other that are looked at.
const maxWriters = 100
