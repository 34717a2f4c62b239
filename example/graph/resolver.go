package graph

import (
	"context"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

// A Resolver is the root of all resolvers.
type Resolver struct {
	Store *blog.Store
}

// as is the session of the tenant that the request's context carries.
func (r *Resolver) as(ctx context.Context) blog.Session { return r.Store.As(blog.TenantOf(ctx)) }
