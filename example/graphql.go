package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/cascadeql/cascadeql/example/graph"
	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// queryCacheSize is how many parsed operations are kept.
const queryCacheSize = 1000

// newGraphQL returns the GraphQL handler. Requests reach it with a tenant in their
// context.
func newGraphQL(store *blog.Store, cache *gqlcache.Cache) *handler.Server {
	return newHandler(schemaOver(store, config{directives: true}), store, cache)
}

// schemaOver returns the executable schema over a store.
func schemaOver(store *blog.Store, cfg config) graphql.ExecutableSchema {
	es := graph.NewExecutableSchema(graph.Config{Resolvers: &graph.Resolver{Store: store}})
	if !cfg.directives {
		return graph.WithoutDirectives(es)
	}
	return es
}

// newHandler is newGraphQL for any schema that the resolvers fit.
func newHandler(schema graphql.ExecutableSchema, store *blog.Store, cache *gqlcache.Cache) *handler.Server {
	if cache == nil {
		return newUncached(schema, store, transport.GET{}, transport.POST{})
	}
	srv := newUncached(schema, store, cache.Transport(transport.GET{}), cache.Transport(transport.POST{}))
	srv.Use(cache) // last, so that it stores what the resolvers said
	return srv
}

// newUncached returns a handler to which the cache, if any, has still to be added. get
// and post are its transports for these methods.
func newUncached(schema graphql.ExecutableSchema, store *blog.Store, get, post graphql.Transport) *handler.Server {
	srv := handler.New(schema)
	srv.AddTransport(transport.Options{})
	srv.AddTransport(transport.SSE{}) // a POST that accepts an event stream, so before POST
	srv.AddTransport(get)
	srv.AddTransport(post)
	srv.AddTransport(transport.MultipartForm{MaxUploadSize: maxBody})
	srv.SetQueryCache(lru.New[*ast.QueryDocument](queryCacheSize))
	srv.SetErrorPresenter(presentError)
	srv.SetRecoverFunc(recoverPanic)
	srv.AroundRootFields(oneSnapshot(store))
	srv.Use(extension.Introspection{})
	srv.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](queryCacheSize)})
	return srv
}

// oneSnapshot lets all reads below a root field see one state of the database. It begins
// with the field's first read, for a mutation thus after its commit, and ends with the
// field. It depends on the operation, not on the HTTP request: an operation may go on
// when its client has left.
func oneSnapshot(store *blog.Store) graphql.RootFieldMiddleware {
	return func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		ctx, end := store.Snapshot(ctx)
		defer end()
		return next(ctx)
	}
}

var errInternal = errors.New("internal error")

// presentError shows clients what is wrong with their request, and nothing of what is
// wrong here: that goes to the log.
func presentError(ctx context.Context, err error) *gqlerror.Error {
	shown := graphql.DefaultErrorPresenter(ctx, err)
	switch {
	case shown.Err == nil: // gqlgen's own, of an operation that is not valid
	case blog.Refused(err), errors.Is(err, errInternal), errors.Is(err, gqlcache.ErrNoLease):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		shown.Message = "the request was cancelled"
	default:
		slog.ErrorContext(ctx, "request failed", "path", shown.Path.String(), "error", err)
		shown.Message = errInternal.Error()
	}
	return shown
}

func recoverPanic(ctx context.Context, panicked any) error {
	slog.ErrorContext(ctx, "resolver panicked", "panic", panicked, "stack", string(debug.Stack()))
	return errInternal
}
