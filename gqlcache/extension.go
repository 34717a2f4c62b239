package gqlcache

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
	graphql.ResponseInterceptor
} = (*Cache)(nil)

// ExtensionName implements graphql.HandlerExtension.
func (c *Cache) ExtensionName() string { return "Gqlcache" }

// Validate implements graphql.HandlerExtension. It compiles the directives of the server's schema;
// the error lists all their faults, and gqlgen's Use panics with it.
func (c *Cache) Validate(es graphql.ExecutableSchema) error {
	if err := c.useSchema(es.Schema()); err != nil {
		return err
	}
	c.verify.serves(es)
	return c.join()
}

// InterceptOperation implements graphql.OperationInterceptor: it notes when the operation arrived.
func (c *Cache) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation == nil {
		return next(ctx)
	}
	return next(context.WithValue(ctx, requestKey{}, newRequest(ctx, c)))
}

// InterceptResponse implements graphql.ResponseInterceptor. It decides here rather than in
// InterceptOperation so that the other extensions' response hooks run on hits too. Add the cache to
// the server last, so that what it stores is what the resolvers said.
func (c *Cache) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	r := requestFrom(ctx)
	if r == nil || r.cache != c {
		return next(ctx) // a request that did not get as far as an operation
	}
	oc := graphql.GetOperationContext(ctx)
	switch oc.Operation.Operation {
	case ast.Query:
		return c.query(ctx, r, oc, next)
	case ast.Mutation:
		return c.mutation(ctx, r, oc, next)
	default:
		return next(ctx)
	}
}
