package shop

import (
	"context"
	"errors"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/vektah/gqlparser/v2/ast"
)

// Executable returns the executable schema.
func Executable(r *Resolver) graphql.ExecutableSchema {
	return NewExecutableSchema(Config{Resolvers: r, Directives: DirectiveRoot{
		HasRole: gqlcache.Refusing(func(ctx context.Context, _ any, next graphql.Resolver, role Role) (any, error) {
			if role == RoleAdmin && r.Env.User(ctx) != "admin" {
				return nil, nil // masked, without an error
			}
			return next(ctx)
		}),
		Lower: func(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
			v, err := next(ctx)
			if s, ok := v.(string); ok {
				v = strings.ToLower(s)
			}
			return v, err
		},
	}})
}

// NewServer returns a server that speaks every protocol of gqlgen's, with persisted queries, and with a
// recover function of its own. What is used on it later comes after.
func NewServer(r *Resolver) *handler.Server {
	srv := handler.New(Executable(r))
	srv.AddTransport(transport.Websocket{})
	srv.AddTransport(transport.Options{})
	srv.AddTransport(transport.SSE{})
	srv.AddTransport(transport.MultipartMixed{})
	srv.AddTransport(transport.GET{})
	srv.AddTransport(transport.UrlEncodedForm{})
	srv.AddTransport(transport.MultipartForm{})
	srv.AddTransport(transport.POST{})
	srv.SetQueryCache(lru.New[*ast.QueryDocument](100))
	srv.SetRecoverFunc(func(context.Context, any) error { return errors.New("something panicked") })
	srv.Use(extension.Introspection{})
	srv.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](100)})
	return srv
}
