package gqlcache

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// The invariant of this file: what resolvers say beside their data, an extension of the
// response or a header, reaches every caller or the answer is not stored. Only the data
// is kept, and a hit could not repeat the rest.

var errBeside = errors.New("what is set beside the data is missing on hits")

// besides is what there was beside an answer before it was computed.
type besides struct {
	extensions int
	of         *wire.Header // of the response, nil when this goroutine may not look at it
	header     uint64       // its digest
	seen       bool         // it was looked at
}

// besidesBefore looks at what extensions outside of the cache have set by now. These run
// on hits, too.
func besidesBefore(ctx context.Context) besides {
	b := besides{extensions: len(graphql.GetExtensions(ctx))}
	b.of = wire.HeaderFrom(ctx).Here()
	b.header, b.seen = b.of.Digest(ctx)
	return b
}

// besidesAfter refuses to store an answer beside which something was set while it was
// computed. It is called by the goroutine that computed it, when no resolver of it runs
// any more.
func (c *Cache) besidesAfter(ctx context.Context, r *request, before besides, resp *graphql.Response) {
	if resp == nil {
		return
	}
	// A registered name stays: gqlgen panics on a second registration, and removes none.
	if len(resp.Extensions) > before.extensions || len(graphql.GetExtensions(ctx)) > before.extensions {
		r.refuseToStore(ReasonBeside)
		c.once.Warn("extensions", "gqlcache: an answer was not stored, since resolvers registered extensions beside it, or an extension of the server "+
			"that comes after the cache did: then add the cache last, or nothing is ever stored", errBeside)
	}
	if header, seen := before.of.Digest(ctx); seen != before.seen || header != before.header {
		r.refuseToStore(ReasonBeside)
		c.once.Warn("headers", "gqlcache: an answer was not stored, since a header of the response, a cookie say, was set while it was computed", errBeside)
	}
}
