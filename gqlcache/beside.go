package gqlcache

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// The invariant of this file: what resolvers say beside their data, an extension of the
// response or a header, reaches every caller or the answer is not stored. Only the data
// is kept, and a hit could not repeat the rest.

var errBeside = errors.New("what is set beside the data is missing on hits")

// besides is what there was beside an answer before it was computed.
type besides struct {
	extensions int
	// told is what these extensions said, as a client would read it, nil for nothing.
	told   []byte
	of     wire.Here // the header of the response, as far as this goroutine may look at it
	header uint64    // its digest
	seen   int       // how many headers were looked at
}

// besidesBefore looks at what extensions outside of the cache have set by now. These run
// on hits, too.
func besidesBefore(ctx context.Context) besides {
	all := graphql.GetExtensions(ctx)
	b := besides{extensions: len(all), told: toldBy(all)}
	b.of = wire.HeaderFrom(ctx).Here()
	b.header, b.seen = b.of.Digest(ctx)
	return b
}

// toldBy returns extensions of a response as a client would read them. An extension of the
// server may register a list, say, to which resolvers add.
func toldBy(extensions map[string]any) []byte {
	if len(extensions) == 0 {
		return nil
	}
	b, _ := safe.Call(func() ([]byte, error) { return json.Marshal(extensions) }) // what cannot be read is not sent
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
	all := graphql.GetExtensions(ctx)
	if len(resp.Extensions) > before.extensions || len(all) > before.extensions || !bytes.Equal(toldBy(all), before.told) {
		r.refuseToStore(ReasonBeside)
		c.once.Warn("extensions", "gqlcache: an answer was not stored, since resolvers registered extensions beside it, or changed registered ones, or an extension of the server "+
			"that comes after the cache did: then add the cache last, or nothing is ever stored", errBeside)
	}
	if header, seen := before.of.Digest(ctx); seen != before.seen || header != before.header {
		r.refuseToStore(ReasonBeside)
		c.once.Warn("headers", "gqlcache: an answer was not stored, since a header of the response, a cookie say, was set while it was computed", errBeside)
	}
}
