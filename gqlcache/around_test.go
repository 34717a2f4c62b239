package gqlcache_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestNestedHoldsHijacked: a websocket leaves all holds around each other. One that keeps
// its operations would make their changes known when the connection ends.
func TestNestedHoldsHijacked(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	b.ask(readAnn)
	w := &wire{header: http.Header{}}
	a.cache.HoldUntilCommit(a.cache.HoldUntilCommit(http.HandlerFunc(func(hw http.ResponseWriter, q *http.Request) {
		if _, _, err := http.NewResponseController(hw).Hijack(); err != nil {
			t.Error(err)
		}
		testgraph.Send(a.h, post(t, renameAnn, "application/json").WithContext(q.Context()))
		for _, m := range r.all {
			if resp, _ := m.ask(readAnn); !strings.Contains(resp.Body, "New") {
				t.Errorf("after the mutation: %s", resp.Body)
			}
		}
	}))).ServeHTTP(w, post(t, readAnn, "application/json"))
}

// TestNestedHandlersKnowTheBegin: behind a framework that has contexts of its own, a
// wrapper further inside knows when the request began: what the transaction shows is as
// old as that.
func TestNestedHandlersKnowTheBegin(t *testing.T) {
	t.Parallel()
	wrappers := map[string]func(*gqlcache.Cache, http.Handler) http.Handler{
		"HoldUntilCommit": (*gqlcache.Cache).HoldUntilCommit,
		"Handler":         (*gqlcache.Cache).Handler,
	}
	for name, inner := range wrappers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			h := inner(r.cache, r.cached)
			r.cache.HoldUntilCommit(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				r.send(renameAnn) // after the transaction's snapshot
				h.ServeHTTP(w, q.WithContext(context.WithoutCancel(t.Context())))
			})).ServeHTTP(httptest.NewRecorder(), post(t, readAnn, "application/json"))
			before := r.cache.Stats()
			r.send(readAnn)
			if got := outcome(before, r.cache.Stats()); got == "HIT" {
				t.Error("what an old snapshot showed was stored as current")
			}
		})
	}
}

// TestMutationInsideOfAnOperation: what a resolver changes by an operation of its own
// commits with the operation around it, perhaps.
func TestMutationInsideOfAnOperation(t *testing.T) {
	t.Parallel()
	for point, document := range map[string]string{"Mutation.log": "mutation{log}", "Query.counter": "{counter(id:1){value}}"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			r.send(readAnn)
			r.store.On(point, func(ctx context.Context) error {
				testgraph.Do(t, ctx, r.cached, testgraph.Request{Query: expand(renameAnn)})
				r.behind("Ann") // it is not committed
				r.send(readAnn)
				r.behind("New")
				return nil
			})
			r.send(document)
			r.mustSee("New")
		})
	}
}

// copies is an extension that hands on a copy of the operation's context.
type copies struct {
	ending
	when bool
}

func (c *copies) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if c.when {
		oc := *graphql.GetOperationContext(ctx)
		ctx = graphql.WithOperationContext(ctx, &oc)
	}
	return next(ctx)
}

// TestCopiedOperationContext: the executor does not know of a middleware that a copy of
// its context was given. That no root field was seen proves nothing then.
func TestCopiedOperationContext(t *testing.T) {
	t.Parallel()
	ext := &copies{}
	r := newRig(t, "annotated", gqlcache.Options{}, ext)
	r.send(renameBob) // shows that middlewares are called
	r.send(readAnn)
	ext.when = true
	r.store.On("Mutation.renameUser:done", func(context.Context) error { return errors.New("written, and failed") })
	r.send(renameAnn)
	r.mustSee("New")
}

// tired is an extension that does not wait for a mutation's resolver.
type tired struct {
	ending
	when  <-chan struct{}
	ended chan struct{}
}

func (i *tired) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	if i.when == nil || graphql.GetFieldContext(ctx).Object != "Mutation" {
		return next(ctx)
	}
	go func() {
		defer close(i.ended)
		_, _ = next(ctx)
	}()
	<-i.when
	return nil, errors.New("too slow")
}

// TestResolverGivenUp: what a resolver writes after a field middleware has given it up
// counts when it is written.
func TestResolverGivenUp(t *testing.T) {
	t.Parallel()
	ext := &tired{ended: make(chan struct{})}
	r := newRig(t, "annotated", gqlcache.Options{}, ext)
	latch := r.store.BlockHard("Mutation.renameUser")
	ext.when = latch.Reached
	r.send(renameAnn)
	r.send(readAnn)
	latch.Release()
	<-ext.ended
	r.mustSee("New")
}

// TestRefusingDirectiveGivesUp: the same, of a directive.
func TestRefusingDirectiveGivesUp(t *testing.T) {
	t.Parallel()
	begin, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	g := newGuarded(t)
	g.directives = []directive{gqlcache.Refusing(func(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
		go func() {
			defer close(ended)
			<-begin
			_, _ = next(ctx)
		}()
		return nil, errors.New("too slow")
	})}
	g.write = func(context.Context, string) (any, error) { <-end; return true, nil }
	c := newCache(t, gqlcache.Options{})
	srv := testgraph.Serve(g, c)
	ask := func(document string) string {
		before := c.Stats()
		testgraph.Do(t, t.Context(), srv, testgraph.Request{Query: document})
		return outcome(before, c.Stats())
	}
	ask(`mutation{set(id:"1")}`)
	ask(`{item(id:"1"){name}}`)
	close(begin)
	close(end)
	<-ended
	if got := ask(`{item(id:"1"){name}}`); got == "HIT" {
		t.Error("the old row is served after the write")
	}
}

// TestQueryAfterTheMutationOfItsRequest: operations of one request share its transaction.
// What others see, and store, before the commit is not what this one sees.
func TestQueryAfterTheMutationOfItsRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.cache.HoldUntilCommit(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		send := func(document string) string {
			return testgraph.Send(r.cached, post(t, document, "application/json").WithContext(q.Context())).Body
		}
		send(renameAnn)
		r.behind("Ann")
		r.send(readAnn)
		r.behind("New")
		if got := send(readAnn); !strings.Contains(got, "New") {
			t.Errorf("inside of the transaction: %s", got)
		}
	})).ServeHTTP(httptest.NewRecorder(), post(t, readAnn, "application/json"))
	r.mustSee("New")
}

// TestSeveralCachesOfOneServer: the ones that do not answer there hear of its mutations.
func TestSeveralCachesOfOneServer(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	other := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
	both := testgraph.NewServer(r.store, r.cache, other)
	r.send(readAnn)
	for range 2 {
		testgraph.Do(t, t.Context(), both, testgraph.Request{Query: expand(readAnn)})
	}
	if other.Stats().Hits != 1 {
		t.Error("the last cache does not answer")
	}
	testgraph.Do(t, t.Context(), both, testgraph.Request{Query: expand(renameAnn)})
	r.mustSee("New")
	if got := testgraph.Do(t, t.Context(), both, testgraph.Request{Query: expand(readAnn)}); !strings.Contains(got.Body, "New") {
		t.Errorf("answer %s", got.Body)
	}
}

// TestCommitInsideOfAnOperation: what an operation around has written is committed, too.
func TestCommitInsideOfAnOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.send(readAnn)
	r.store.On("Query.counter", func(ctx context.Context) error {
		if err := gqlcache.Commit(ctx); err != nil {
			t.Error(err)
		}
		r.mustSee("New")
		return nil
	})
	r.store.On("Mutation.renameUser:done", func(ctx context.Context) error {
		testgraph.Do(t, ctx, r.cached, testgraph.Request{Query: "{counter(id:1){value}}"})
		return nil
	})
	r.send(renameAnn)
}

// TestQueryInsideOfAQueryThatWrites: it sees what the one around has written, which
// nobody else does yet.
func TestQueryInsideOfAQueryThatWrites(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.store.On("Query.counter", func(ctx context.Context) error {
		if err := gqlcache.Touch(ctx, "User", testgraph.Ann); err != nil {
			t.Error(err)
		}
		r.send(readAnn) // before the commit
		r.behind("New")
		if got := testgraph.Do(t, ctx, r.cached, testgraph.Request{Query: expand(readAnn)}); !strings.Contains(got.Body, "New") {
			t.Errorf("inside: %s", got.Body)
		}
		return nil
	})
	r.send("{counter(id:1){value}}")
	r.mustSee("New")
}
