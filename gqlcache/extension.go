package gqlcache

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
	graphql.ResponseInterceptor
} = (*Cache)(nil)

var errTwice = errors.New("remove one srv.Use(cache)")

// ExtensionName implements graphql.HandlerExtension.
func (c *Cache) ExtensionName() string { return "Gqlcache" }

// Validate implements graphql.HandlerExtension. It compiles the directives of the server's schema;
// the error lists all their faults, and gqlgen's Use panics with it.
func (c *Cache) Validate(es graphql.ExecutableSchema) error {
	if c.unmade() {
		return errUnmade
	}
	if err := c.useSchema(es.Schema()); err != nil {
		return err
	}
	c.verify.serves(es)
	c.roots.serves(es)
	return c.join()
}

// InterceptOperation implements graphql.OperationInterceptor: it notes when the operation arrived, and what
// it changed when its handler returns.
func (c *Cache) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if c.unmade() {
		return next(ctx)
	}
	oc := graphql.GetOperationContext(ctx)
	if oc.Operation == nil {
		return next(ctx)
	}
	if r := requestFrom(ctx); r != nil && r.cache == c && r.operation == oc {
		r.twice = true
		c.complain.once("twice", "gqlcache: the cache was added to a server twice, and works once", errTwice)
		return next(ctx)
	}
	r := newRequest(ctx, c)
	r.operation = oc
	switch oc.Operation.Operation {
	case ast.Mutation:
		r.mutates = true
	case ast.Subscription:
		r.hold.stream()
	}
	return r.prepareHandler(next)
}

// InterceptResponse implements graphql.ResponseInterceptor. It decides here rather than in
// InterceptOperation so that the other extensions' response hooks run on hits too. Add the cache to
// the server last, so that what it stores is what the resolvers said.
func (c *Cache) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	r := requestFrom(ctx)
	if r == nil || r.cache != c || c == nil {
		return next(ctx) // a request that did not get as far as an operation
	}
	if r.twice {
		if ctx.Value(insideKey{}) == r {
			return next(ctx) // the outer one answers
		}
		ctx = context.WithValue(ctx, insideKey{}, r)
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
