package gqlcache_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/rolegraph"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// hasty answers with null, and leaves the resolver behind, when it takes too long.
func hasty(ctx context.Context, next graphql.Resolver) (any, error) {
	type result struct {
		v   any
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := next(ctx)
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-time.After(50 * time.Millisecond):
		return nil, nil
	}
}

// impatientRoot is hasty with a whole root field.
func impatientRoot(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	done := make(chan graphql.Marshaler, 1)
	go func() { done <- next(ctx) }()
	select {
	case m := <-done:
		return m
	case <-time.After(50 * time.Millisecond):
		return graphql.Null
	}
}

// TestResolversLeftBehind: an answer that did not wait for its resolvers is the request's
// alone, and the resolvers go on undisturbed.
func TestResolversLeftBehind(t *testing.T) {
	t.Parallel()
	for name, ext := range map[string]graphql.HandlerExtension{"field": fields{"user": hasty}, "root field": rootHook(impatientRoot)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(t, gqlcache.Options{}, func(s *story) {
				slow := true
				s.store.On("Query.user", func(context.Context) error {
					if slow {
						slow = false
						time.Sleep(time.Second)
					}
					return nil
				})
				const ask = `{user(id:$Ann){name posts{name}}}`
				first := s.begin(s.t.Context(), ask)
				s.over(first)
				if first.resp.Body != `{"data":{"user":null}}` {
					t.Errorf("first %s", first.resp.Body)
				}
				time.Sleep(2 * time.Second)
				if got := s.send(ask); got.Body == first.resp.Body {
					t.Errorf("then %s", got.Body)
				}
				if n := s.cache.Stats().NotStored[gqlcache.ReasonEnded]; n != 1 {
					t.Errorf("%d answers not stored, want 1", n)
				}
			}, ext)
		})
	}
}

// TestRootFieldsLeftBehind: a root field that nobody waited for counts also while none of
// its resolvers runs.
func TestRootFieldsLeftBehind(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	slow.Store(true)
	plain := fields{"name": func(ctx context.Context, next graphql.Resolver) (any, error) {
		if slow.Swap(false) {
			time.Sleep(time.Second) // of the bubble's own time
		}
		return next(ctx)
	}}
	tell(t, gqlcache.Options{}, func(s *story) {
		first := s.begin(s.t.Context(), readAnn)
		s.over(first)
		time.Sleep(2 * time.Second)
		if got := s.send(readAnn); got.Body == first.resp.Body {
			t.Errorf("then %s", got.Body)
		}
	}, rootHook(impatientRoot), plain)
}

// TestHintsBeforeTheComputation: what an extension outside of the cache says counts as
// well.
func TestHintsBeforeTheComputation(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(context.Context) error{
		"DoNotStore": gqlcache.DoNotStore,
		"MaxAge":     func(ctx context.Context) error { return gqlcache.MaxAge(ctx, time.Second) },
		"Touch":      func(ctx context.Context) error { return gqlcache.Touch(ctx, "User", "unknown") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var passed atomic.Int64
			start := time.Now()
			r := newRig(t, "annotated", gqlcache.Options{Jitter: -1, Now: func() time.Time { return start.Add(time.Duration(passed.Load())) }})
			before := responseHook(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				if err := say(ctx); err != nil {
					t.Error(err)
				}
				return next(ctx)
			})
			r.cached = testgraph.NewServer(r.store, before, r.cache)
			r.send(askNames)
			passed.Store(int64(2 * time.Second))
			if r.send(askNames); r.cache.Stats().Hits != 0 {
				t.Error("the answer was kept")
			}
		})
	}
}

// TestHintsOfInnerOperations: an answer that a resolver had from an operation of its own
// is kept no longer than that one.
func TestHintsOfInnerOperations(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.store.On("Query.user", gqlcache.DoNotStore)
	r.store.On("Query.userNames", func(ctx context.Context) error {
		testgraph.Do(t, ctx, r.cached, testgraph.Request{Query: expand(readAnn)})
		return nil
	})
	r.run("annotated", []string{"MISS do_not_store: " + askNames, "MISS do_not_store: " + askNames})
}

// TestUserOfOneRootField: an interceptor that knows the caller of some root fields only
// keeps answers with these from being stored, whichever field runs first.
func TestUserOfOneRootField(t *testing.T) {
	t.Parallel()
	user := func(ctx context.Context) string { s, _ := ctx.Value(roleKey{}).(string); return s }
	s := &rolegraph.Server{Who: func(ctx context.Context, _ int) string { return user(ctx) }}
	login := func(ctx context.Context) context.Context {
		return context.WithValue(ctx, roleKey{}, rolegraph.Role(ctx))
	}
	for _, row := range []struct {
		name string
		ext  func(first chan struct{}) graphql.HandlerExtension
	}{
		{"root fields", func(first chan struct{}) graphql.HandlerExtension {
			return rootHook(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
				if graphql.GetRootFieldContext(ctx).Field.Name == "who" {
					<-first
					return next(login(ctx))
				}
				defer func() { first <- struct{}{} }()
				return next(ctx)
			})
		}},
		{"fields", func(chan struct{}) graphql.HandlerExtension {
			return fields{"who": func(ctx context.Context, next graphql.Resolver) (any, error) { return next(login(ctx)) }}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c, _ := loud(t, gqlcache.Options{FieldHooksCovered: true, Predicate: func(ctx context.Context) (gqlcache.Predicate, error) {
				return gqlcache.Predicate{Text: "user " + user(ctx)}, nil
			}})
			first := make(chan struct{}, 1)
			h := testgraph.Serve(s.Executable(), c, row.ext(first))
			for _, role := range []string{"ann", "bob"} {
				if got, want := testgraph.Ask(t, h, "{documented who}", nil, "X-Role", role).Body, `{"data":{"documented":"documented","who":"`+role+`"}}`; got != want {
					t.Errorf("%s got %s", role, got)
				}
			}
		})
	}
}

// TestResolversThatChangeTheirVariables: what an operation depends on, or changes, is
// what was asked for. An input that is bound to a map is the very map of the variables.
func TestResolversThatChangeTheirVariables(t *testing.T) {
	t.Parallel()
	change := func(name string, with func(vars map[string]any)) fields {
		return fields{name: func(ctx context.Context, next graphql.Resolver) (any, error) {
			defer with(graphql.GetOperationContext(ctx).Variables)
			return next(ctx)
		}}
	}
	t.Run("mutation", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{}, change("updateUser", func(vars map[string]any) { delete(vars["input"].(map[string]any), "name") }))
		ask := testgraph.Request{Query: `{usersByName(name:"Ann"){email}}`}
		r.do(ask)
		r.do(testgraph.Request{Query: `mutation($id:ID!,$input:UserPatch!){updateUser(id:$id,input:$input){id}}`,
			Vars: map[string]any{"id": testgraph.Ann, "input": map[string]any{"name": "Anna", "tags": []string{"x"}}}})
		if _, status := r.do(ask); status == "HIT" {
			t.Error("the old answer was kept")
		}
	})
	t.Run("query", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{}, change("usersByName", func(vars map[string]any) { vars["name"] = "nobody" }))
		ask := testgraph.Request{Query: `query($name:String!){usersByName(name:$name){email}}`, Vars: map[string]any{"name": "New"}}
		r.do(ask)
		r.do(testgraph.Request{Query: expand(`mutation{createUser(id:"u9",input:{name:"New",email:"e"}){name}}`)})
		if _, status := r.do(ask); status == "HIT" {
			t.Error("the old answer was kept")
		}
	})
}
