package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
)

// TestSchemasDoNotShareKeys has two caches of different schemas use one store.
func TestSchemasDoNotShareKeys(t *testing.T) {
	t.Parallel()
	shared, err := memstore.New(memstore.Options{MaxBytes: 1 << 20, MaxEntries: 100})
	if err != nil {
		t.Fatal(err)
	}
	use := func(o *gqlcache.Options) { o.Store = shared }
	one := startRig(t, setup{change: use})
	other := startRig(t, setup{change: use, schema: viewSchema})
	body := requestBody("{ tags { name } }")
	for _, r := range []*rig{one, other, one} {
		r.ask("t", body, false)
	}
	keys := 0
	for range shared.All(t.Context()) {
		keys++
	}
	if keys != 2 {
		t.Errorf("%d keys, want one for each schema", keys)
	}
}

// TestVaryKeepsAnswersApart asks under two values of a Vary part.
func TestVaryKeepsAnswersApart(t *testing.T) {
	t.Parallel()
	r := startRig(t, setup{change: func(o *gqlcache.Options) {
		o.Predicate = func(context.Context) (gqlcache.Predicate, error) { return gqlcache.Predicate{Text: "true"}, nil }
		o.Vary = func(ctx context.Context) []string { return []string{string(blog.TenantOf(ctx))} }
	}})
	body := requestBody("{ tags { name } }")
	for i, row := range []struct{ tenant, want string }{{"a", "MISS"}, {"b", "MISS"}, {"a", "HIT"}, {"b", "HIT"}} {
		if got := r.ask(row.tenant, body, true).Extensions.Cache.Status; got != row.want {
			t.Errorf("request %d as %s: %s, want %s", i, row.tenant, got, row.want)
		}
	}
}

// TestHiddenFieldsShareLoaders gives hidden fields up at once. What they have begun, a
// loader shares with the client's own fields, which must get it all the same.
func TestHiddenFieldsShareLoaders(t *testing.T) {
	t.Parallel()
	r := startRig(t, setup{
		change: func(o *gqlcache.Options) { o.PathTimeout = 1 },
		fields: func(ctx context.Context, next graphql.Resolver) (any, error) {
			if graphql.GetFieldContext(ctx).Field.Name == "post" {
				<-time.After(3 * time.Millisecond) // the hidden field, which does not come here, goes first
			}
			return next(ctx)
		},
	})
	b := &board{tenant: "t"}
	b.user("U")
	b.post("P", "U", "DRAFT")
	for _, seed := range b.seeds {
		r.ask("t", requestBody("mutation { "+seed+" }"), false)
	}
	r.store.SetLatency(2 * time.Millisecond)
	for i := range 5 {
		add := fmt.Sprintf(`mutation { addComment(input: {postId: "<P>", authorId: "<U>", body: "%d"}) { post { title author { name } } } }`, i)
		if rep := r.ask("t", requestBody(b.text(add)), false); len(rep.Errors) > 0 {
			t.Fatalf("mutation %d: %s", i, rep.Errors)
		}
	}
}
