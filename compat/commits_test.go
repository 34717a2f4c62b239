package compat_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cascadeql/cascadeql/compat/internal/entshop"
	"github.com/cascadeql/cascadeql/compat/internal/shop"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// TestTellingBeforeTheEnd: a resolver commits, says so and tells subscribers, who ask before the mutation is
// acknowledged.
func TestTellingBeforeTheEnd(t *testing.T) {
	t.Parallel()
	wraps := map[string]func(http.Handler, *gqlcache.Cache) http.Handler{
		"bare":    func(h http.Handler, _ *gqlcache.Cache) http.Handler { return h },
		"handler": func(h http.Handler, c *gqlcache.Cache) http.Handler { return withCache(c, h, c.Handler) },
		"hold":    func(h http.Handler, c *gqlcache.Cache) http.Handler { return withCache(c, h, c.HoldUntilCommit) },
	}
	for name, wrap := range wraps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, netHTTP, setup{wrap: wrap})
			read := q(`{ item(id: 1) { name } items { name } }`)
			w.ask(t.Context(), w.Cached, read)
			w.hits(func() { w.ask(t.Context(), w.Cached, read) })
			s := dial(t, w.Cached)
			id := s.begin(`subscription { changed { name } }`)
			for !w.cached.store.Watched() {
				s.write(message{Type: "ping"})
				if m := s.readPong(); m.Type != "pong" {
					t.Fatalf("got %+v", m)
				}
			}
			open := w.cached.gates.Close("announced")
			done := make(chan twin.Answer, 1)
			go func() {
				done <- w.ask(context.Background(), w.Cached, q(`mutation { announce(id: 1, name: "told") { name } }`))
			}()
			if m := s.read(); m.ID != id || !strings.Contains(string(m.Payload), "told") {
				t.Errorf("the subscriber got %s %s", m.Type, m.Payload)
			}
			for range 2 {
				if got := s.askAmong(id, read.Query); strings.Count(got, "told") != 2 {
					t.Errorf("over the connection: %s", got)
				}
				if got := w.ask(t.Context(), w.Cached, read).Body; strings.Count(got, "told") != 2 {
					t.Errorf("by POST: %s", got)
				}
			}
			select {
			case a := <-done:
				t.Errorf("the mutation was over before it was let go: %s", a)
			default:
			}
			open()
			if got := (<-done).Body; got != `{"data":{"announce":{"name":"told"}}}` {
				t.Errorf("the mutation got %s", got)
			}
		})
	}
}

// TestRefusedMutations: what a directive refuses, and what has bad arguments, drops nothing; what fails in its resolver
// does.
func TestRefusedMutations(t *testing.T) {
	t.Parallel()
	for _, st := range stacks {
		w := newWorld(t, st, setup{})
		read := q(`{ item(id: 1) { name } items { name } }`)
		w.Same(read)
		for _, r := range []twin.Request{
			{Query: `mutation { reserve(id: 1, name: "no") { name } }`, User: "bob"},
			{Query: `mutation { a: reserve(id: 1, name: "no") { name } b: reserve(id: 2, name: "no") { id name } }`, User: "bob"},
			{Query: `mutation { updateItem(id: "x", input: {name: "no"}) { name } }`, User: "bob"},
			{Query: `mutation { reserve(id: 1, name: 1) { name } }`, User: "bob"},
		} {
			w.Same(r)
			w.hits(func() { w.Same(read) })
		}
		w.Same(twin.Request{Query: `mutation { a: reserve(id: 1, name: "no") { name } b: failAfter(id: 1, name: "yes", how: CODE) }`, User: "bob"})
		if got := w.Same(read); len(got.Fields) == 0 {
			t.Errorf("%s: an answer outlived a change that failed: %s", st.name, got.Body)
		}
		w.Same(twin.Request{Query: `mutation { reserve(id: 1, name: "yes") { name } }`, User: "admin"})
		if got := w.Same(read); len(got.Fields) == 0 {
			t.Errorf("%s: an answer outlived a change: %s", st.name, got.Body)
		}
	}
}

type rowKey struct{}

// TestRowsOfAMiddleware: authentication reads the caller's row, behind the cache's handler, and me answers with that row.
// Meanwhile it is changed. B3.
func TestRowsOfAMiddleware(t *testing.T) {
	t.Parallel()
	wraps := map[string]func(*gqlcache.Cache, http.Handler) http.Handler{
		"handler": (*gqlcache.Cache).Handler,
		"hold":    (*gqlcache.Cache).HoldUntilCommit,
		"both":    func(c *gqlcache.Cache, h http.Handler) http.Handler { return c.Handler(c.HoldUntilCommit(h)) },
	}
	for _, st := range stacks {
		for name, wrap := range wraps {
			t.Run(st.name+" "+name, func(t *testing.T) {
				t.Parallel()
				var made *site
				var between func() // after the row is read, once
				w := newWorld(t, st, setup{
					before: func(s *site) {
						made = s
						s.env.Me = func(ctx context.Context) *shop.User {
							row, _ := ctx.Value(rowKey{}).(*shop.User)
							return row
						}
					},
					wrap: func(h http.Handler, _ *gqlcache.Cache) http.Handler {
						s := made
						return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
							id, _ := strconv.Atoi(s.env.User(r.Context()))
							row := s.store.User(id)
							if f := between; f != nil {
								between = nil
								f()
							}
							h.ServeHTTP(rw, r.WithContext(context.WithValue(r.Context(), rowKey{}, row)))
						})
					},
				})
				w.Cached = wrap(w.cache, w.Cached)
				me := twin.Request{Query: `{ me { name } }`, User: "1"}
				rename := twin.Request{Query: `mutation { renameUser(id: 1, name: "new") { name } }`, User: "2"}
				between = func() { w.Same(rename) }
				w.ask(t.Context(), w.Cached, me) // it may have the old name: the change came after it began
				for range 2 {
					if got := w.Same(me).Body; got != `{"data":{"me":{"name":"new"}}}` {
						t.Errorf("after the change: %s", got)
					}
				}
				w.hits(func() { w.Same(me) })
			})
		}
	}
}

// held are servers with a transaction for each request, of reads too, and the cache around it, once or several times.
var held = map[string]func(s *entshop.Server, c *gqlcache.Cache) http.Handler{
	"hold, transaction": func(s *entshop.Server, c *gqlcache.Cache) http.Handler {
		return c.HoldUntilCommit(perRequest(s, s.NewHandler(c)))
	},
	"hold, transaction, hold": func(s *entshop.Server, c *gqlcache.Cache) http.Handler {
		return c.HoldUntilCommit(perRequest(s, c.HoldUntilCommit(s.NewHandler(c))))
	},
	"handler, hold, transaction, handler": func(s *entshop.Server, c *gqlcache.Cache) http.Handler {
		return c.Handler(c.HoldUntilCommit(perRequest(s, c.Handler(s.NewHandler(c)))))
	},
	"hold, handler, transaction, hold": func(s *entshop.Server, c *gqlcache.Cache) http.Handler {
		return c.HoldUntilCommit(c.Handler(perRequest(s, c.HoldUntilCommit(s.NewHandler(c)))))
	},
}

// perRequest runs each request in a transaction.
func perRequest(s *entshop.Server, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, tx, err := s.OpenTx(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
		if err := tx.Commit(); err != nil {
			panic(err)
		}
	})
}

// TestReadersBeforeTheRequestsCommit: as TestReadersBeforeTheCommit, in transactions that a middleware commits. B5.
func TestReadersBeforeTheRequestsCommit(t *testing.T) {
	t.Parallel()
	for name, order := range held {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { readBeforeCommit(newEntWorld(t, order)) })
		})
	}
}

// TestSnapshots: a request's transaction shows what was when it began, and a change is acknowledged before its
// resolvers read. B5.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	for name, order := range held {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newEntWorld(t, order)
				world := &world{Pair: w.Pair}
				slow := make(chan struct{})
				var once atomic.Bool
				w.cached.Items = func(context.Context) { // between the two reads of one snapshot
					if once.CompareAndSwap(false, true) {
						<-slow
					}
				}
				reader := world.send(w.Cached, q(`{ items { name parts { name } } }`))
				w.Same(q(`mutation { updateItem(id: 1, name: "second") { name } }`))
				w.Same(q(`mutation { addPart(itemId: 1, name: "p") { name } }`))
				close(slow)
				reader.wait(t, "the reader")
				w.Same(q(`{ items { name parts { name } } }`))
				w.Same(q(`{ items { name parts { name } } }`))
			})
		})
	}
}
