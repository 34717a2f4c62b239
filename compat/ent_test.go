package compat_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/compat/internal/entshop"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// entWorld is a pair of servers on ent and SQLite.
type entWorld struct {
	*twin.Pair
	plain, cached *entshop.Server
}

// orders are the ways in which a server can have the Transactioner and the cache.
var orders = map[string]func(s *entshop.Server, c *gqlcache.Cache) http.Handler{
	"transactioner, cache": func(s *entshop.Server, c *gqlcache.Cache) http.Handler {
		return s.NewHandler(s.Transactioner(), c)
	},
	"cache, transactioner": func(s *entshop.Server, c *gqlcache.Cache) http.Handler {
		return s.NewHandler(c, s.Transactioner())
	},
	"transactioner, cache, hold": func(s *entshop.Server, c *gqlcache.Cache) http.Handler {
		return c.HoldUntilCommit(s.NewHandler(s.Transactioner(), c))
	},
	"transactioner, cache, handler": func(s *entshop.Server, c *gqlcache.Cache) http.Handler {
		return c.Handler(s.NewHandler(s.Transactioner(), c))
	},
}

func newEntWorld(t *testing.T, order func(*entshop.Server, *gqlcache.Cache) http.Handler) *entWorld {
	t.Helper()
	w := &entWorld{Pair: &twin.Pair{T: t, Contract: &twin.Contract{}}}
	open := func(name string) *entshop.Server {
		s, err := entshop.Open(context.Background(), filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	w.plain, w.cached = open("plain.db"), open("cached.db")
	w.Plain = w.Contract.Around(w.plain.NewHandler(w.plain.Transactioner(), aroundFields(w.Contract.Fields)))
	cache := newCache(t, gqlcache.Options{})
	w.Cached = w.Contract.Around(order(w.cached, cache))
	w.Oracle = w.cached.NewHandler()
	t.Cleanup(w.Check)
	return w
}

// aroundFields is a field middleware as an extension.
type aroundFields graphql.FieldMiddleware

func (aroundFields) ExtensionName() string                   { return "AroundFields" }
func (aroundFields) Validate(graphql.ExecutableSchema) error { return nil }
func (f aroundFields) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	return f(ctx, next)
}

func everyOrder(t *testing.T, test func(w *entWorld)) {
	t.Helper()
	t.Parallel()
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(newEntWorld(t, order)) })
		})
	}
}

// TestEntAnswers: the same answers, whatever is committed or rolled back.
func TestEntAnswers(t *testing.T) {
	everyOrder(t, func(w *entWorld) {
		for _, step := range []string{
			`{ items { name parts { name item { name } } } }`, `{ item(id: 1) { name } }`, `{ names }`,
			`mutation { updateItem(id: 1, name: "new") { name } }`, `{ items { name } }`, `{ item(id: 1) { name } }`, `{ names }`,
			`mutation { addPart(itemId: 1, name: "p") { name loaded } }`, `{ items { name parts { name item { name } } } }`,
			`mutation { addPart(itemId: 99, name: "p") { name } }`, `{ items { name parts { name item { name } } } }`,
			`mutation { failAfter(id: 1, name: "lost") { name } }`, `{ items { name } }`, `{ item(id: 1) { name } }`,
			`mutation { a: updateItem(id: 2, name: "a") { name } b: failAfter(id: 1, name: "lost") { name } }`, `{ items { name } }`,
			`mutation { a: updateItem(id: 2, name: "a") { name } b: addPart(itemId: 2, name: "q") { item { parts { name } } } }`,
			`{ items { name parts { name } } }`,
		} {
			w.Same(q(step))
			if !strings.HasPrefix(step, "mutation") {
				w.Same(q(step))
			}
		}
	})
}

// TestReadersBeforeTheCommit: a reader between the end of a mutation's resolvers and its COMMIT may see, and store,
// what was; whoever comes after the acknowledgement may not.
func TestReadersBeforeTheCommit(t *testing.T) { everyOrder(t, readBeforeCommit) }

func readBeforeCommit(w *entWorld) {
	world := &world{Pair: w.Pair}
	for _, read := range []string{`{ item(id: 1) { name } }`, `{ items { name } }`, `{ names }`} {
		w.Same(q(read))
		commit := make(chan struct{})
		w.cached.BeforeCommit = func(context.Context) { <-commit }
		writer := world.send(w.Cached, q(`mutation { updateItem(id: 1, name: "second") { name } }`))
		reader := world.send(w.Cached, q(read))
		// A reader whose rows are read before the commit and whose answer comes after it.
		slow := make(chan struct{})
		w.cached.Items = func(context.Context) { <-slow }
		late := world.send(w.Cached, q(`{ items { id name } }`))
		close(commit)
		writer.wait(w.T, "the writer")
		w.cached.BeforeCommit = nil
		close(slow)
		reader.wait(w.T, "the reader")
		late.wait(w.T, "the late reader")
		w.cached.Items = nil
		w.Plain.ServeHTTP(discard{}, q(`mutation { updateItem(id: 1, name: "second") { name } }`).HTTP(context.Background()))
		w.Same(q(read))
		w.Same(q(`{ items { id name } }`))
		w.Same(q(`mutation { updateItem(id: 1, name: "first") { name } }`))
	}
}

// discard is a ResponseWriter.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

// TestHiddenResolversInTransactions: while a visible resolver uses the transaction, which is one connection, nothing of
// the cache's does.
func TestHiddenResolversInTransactions(t *testing.T) {
	everyOrder(t, func(w *entWorld) {
		var using, beside atomic.Int32
		use := func() {
			if using.Add(1) > 1 {
				beside.Add(1)
			}
			<-time.After(time.Millisecond) // whatever runs at the same time begins meanwhile
			using.Add(-1)
		}
		w.cached.Querying = func(ctx context.Context) {
			if graphql.GetOperationContext(ctx).Operation.Operation == "mutation" {
				use()
			}
		}
		w.cached.Loading = func(context.Context) { use() }
		w.Same(q(`mutation { addPart(itemId: 1, name: "p") { name loaded } }`))
		w.Same(q(`mutation { a: addPart(itemId: 1, name: "p") { name loaded } b: addPart(itemId: 2, name: "p") { name loaded } }`))
		if n := beside.Load(); n > 0 {
			w.T.Errorf("%d times the connection of the transaction was used by two at once", n)
		}
	})
}

// TestRowsOfALeaver: database/sql ends a query's rows with its context, and the resolver does not ask why they ended.
func TestRowsOfALeaver(t *testing.T) {
	everyOrder(t, func(w *entWorld) {
		world := &world{Pair: w.Pair}
		var once atomic.Bool
		w.cached.BetweenRows = func(ctx context.Context) {
			if once.CompareAndSwap(false, true) { // the leader
				<-ctx.Done()
				<-time.After(time.Millisecond) // until the rows are closed
			}
		}
		leader := world.send(w.Cached, q(`{ names }`))
		joiner := world.send(w.Cached, q(`{ names }`))
		leader.leave()
		joiner.want(w.T, "the joiner", `{"data":{"names":["one","two","three"]}}`)
		leader.wait(w.T, "the leader")
		world.send(w.Cached, q(`{ names }`)).want(w.T, "a later request", `{"data":{"names":["one","two","three"]}}`)
	})
}
