package gqlcache

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
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
	c.prober.Serves(es)
	c.meet(es)
	c.recomputesWith(es)
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
	outer := requestFrom(ctx)
	if outer != nil && outer.cache == c && outer.operation == oc {
		outer.twice = true
		c.once.Warn("twice", "gqlcache: the cache was added to a server twice, and works once", errTwice)
		return next(ctx)
	}
	r := newRequest(ctx, c, outer)
	r.operation = oc
	r.header = wire.HeaderFrom(ctx)
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
	switch {
	case r == nil || c == nil:
		return next(ctx) // a request that did not get as far as an operation
	case r.cache != c:
		return c.besideAnother(ctx, r, next)
	}
	if r.twice {
		if ctx.Value(insideKey{}) == r {
			return next(ctx) // the outer one answers
		}
		ctx = context.WithValue(ctx, insideKey{}, r)
	}
	oc := graphql.GetOperationContext(ctx)
	if r.header != nil {
		defer r.header.Begin()()
	}
	switch oc.Operation.Operation {
	case ast.Query:
		return c.query(ctx, r, oc, next)
	case ast.Mutation:
		c.writing.Add(1)
		defer c.writing.Add(-1)
		return c.mutation(ctx, r, oc, next)
	default:
		return next(ctx)
	}
}

var errSeveral = errors.New("use one cache for each server")

// besideAnother stands in for the cache in a server that has another one, which comes later and answers. What resolvers say
// reaches only that one, so a mutation drops everything here: other servers may use this cache.
func (c *Cache) besideAnother(ctx context.Context, inner *request, next graphql.ResponseHandler) *graphql.Response {
	own := inner.outer
	for own != nil && own.operation == inner.operation && own.cache != c {
		own = own.outer
	}
	if own == nil || own.operation != inner.operation || own.cache != c {
		return next(ctx)
	}
	c.once.Warn("several", "gqlcache: several caches were added to a server: only the last one stores answers, and mutations drop everything of the others", errSeveral)
	if own.mutates {
		defer c.publish(ctx, change{by: causeOf(ctx), everything: "a mutation of a server with another cache", within: own})
	}
	return next(ctx)
}
