package gqlcache_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// A resolver commits and tells a subscriber, who asks at once, while the mutation still
// runs.
func ExampleCommit() {
	cache := exampleCache()
	defer closeCache(cache)
	rows := testgraph.NewStore()
	srv := testgraph.NewServer(rows, cache)
	tellSubscriber := func() { ask(srv, cache, `{user(id:$Ann){name}}`) }
	rows.On("Mutation.renameUser:done", func(ctx context.Context) error { // the transaction is committed
		if err := gqlcache.Commit(ctx); err != nil {
			return err
		}
		tellSubscriber()
		return nil
	})

	ask(srv, cache, `{user(id:$Ann){name}}`)
	ask(srv, cache, `mutation{renameUser(id:$Ann,name:"Anna")}`)
	// Output:
	// {"data":{"user":{"name":"Ann"}}} 0 hits, 1 misses
	// {"data":{"user":{"name":"Anna"}}} 0 hits, 2 misses
	// {"data":{"renameUser":true}} 0 hits, 2 misses
}

// A directive with arguments is wrapped where the server's configuration is made.
func ExampleRefusing() {
	type DirectiveRoot struct { // as gqlgen generates it
		HasRole func(ctx context.Context, obj any, next graphql.Resolver, role string) (any, error)
	}
	hasRole := func(ctx context.Context, _ any, next graphql.Resolver, role string) (any, error) {
		if role == "ADMIN" {
			return nil, errors.New("forbidden")
		}
		return next(ctx)
	}
	directives := DirectiveRoot{HasRole: gqlcache.Refusing(hasRole)}

	next := func(context.Context) (any, error) { return "done", nil }
	fmt.Println(directives.HasRole(context.Background(), nil, next, "ADMIN"))
	fmt.Println(directives.HasRole(context.Background(), nil, next, "USER"))
	// Output:
	// <nil> forbidden
	// done <nil>
}
