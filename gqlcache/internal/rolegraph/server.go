package rolegraph

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
)

// ErrRole is what directives answer that refuse.
var ErrRole = errors.New("not for you")

// A Server has the resolvers. The role of a caller is in the header X-Role. It is safe
// for concurrent use when its functions are.
type Server struct {
	// Who answers Query.who. Defaults to the caller's role.
	Who func(ctx context.Context, id int) string
	// Open answers Query.open. Defaults to "open".
	Open func(ctx context.Context) string
	// Beside is what a resolver may have, another server for instance. It is not used.
	Beside any
}

// Executable returns the executable schema.
func (s *Server) Executable() graphql.ExecutableSchema {
	refuse := func(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
		if Role(ctx) == "" {
			return nil, ErrRole
		}
		return next(ctx)
	}
	return NewExecutableSchema(Config{Resolvers: resolver{s}, Directives: DirectiveRoot{
		HasRole: func(ctx context.Context, _ any, next graphql.Resolver, role string) (any, error) {
			if Role(ctx) != role {
				return nil, nil
			}
			return next(ctx)
		},
		Upper: func(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
			if Role(ctx) == "" {
				return nil, nil
			}
			return next(ctx)
		},
		Audited: refuse, Redact: refuse, Authenticated: refuse,
	}})
}

// Role returns the caller's role.
func Role(ctx context.Context) string { return graphql.GetOperationContext(ctx).Headers.Get("X-Role") }

type resolver struct{ *Server }

// Query implements ResolverRoot.
func (r resolver) Query() QueryResolver { return query(r) }

// Mutation implements ResolverRoot.
func (r resolver) Mutation() MutationResolver { return mutation(r) }

type mutation struct{ *Server }

func (mutation) Touch(context.Context) (bool, error) { return true, nil }

type query struct{ *Server }

func (query) Self(context.Context) (*Query, error) { return &Query{}, nil }
func (query) Item(context.Context) (*Item, error) {
	return &Item{Name: new("secret name"), Title: "title", Note: new("note")}, nil
}
func (q query) Named(ctx context.Context) (Named, error) { return q.Item(ctx) }
func (q query) Open(ctx context.Context) (string, error) {
	if q.Server.Open != nil {
		return q.Server.Open(ctx), nil
	}
	return "open", nil
}
func (query) Secret(context.Context) (*string, error)  { return new("classified"), nil }
func (query) Private(context.Context) (*string, error) { return new("private"), nil }
func (query) Vault(context.Context) (*Vault, error)    { return &Vault{Key: "key"}, nil }
func (query) Found(_ context.Context, text *string) (string, error) {
	return "found", nil
}
func (query) Filtered(context.Context, *Filter) (string, error) { return "filtered", nil }
func (query) Documented(context.Context) (string, error)        { return "documented", nil }
func (q query) Who(ctx context.Context, id *int) (string, error) {
	if q.Server.Who != nil {
		return q.Server.Who(ctx, *id), nil
	}
	return Role(ctx), nil
}
