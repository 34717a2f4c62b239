package gqlcache

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/verify"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A shadower is the cache's state in shadow mode: see Options.Shadow.
//
// Invariants:
//
//  1. A request is answered by its own resolvers, on its own context, with the bytes,
//     errors, extensions and headers that it would have without the cache. Whatever goes
//     wrong in here, a panic included, changes none of that.
//  2. No request waits for another one, for the log or for a store outside of the
//     process. Only the look-up, the walk of the answer and the comparison of bytes are
//     done before it is answered.
//  3. Nothing that is reported or logged holds a value of an answer, a variable, or what
//     names a caller.
//
// What differs is judged later: see verify.Shadow.
type shadower struct {
	found *verify.Shadow
}

// shadowed answers a query as a server without the cache does, and notes what the cache
// would have answered.
func (c *Cache) shadowed(ctx context.Context, r *request, oc *graphql.OperationContext, next graphql.ResponseHandler) *graphql.Response {
	r.passed = true // the streaming transports ask again, and get what the resolvers give
	defer c.end(ctx, r)
	who := &r.who
	d, why := c.admit(ctx, r, oc, who)
	if why == "" && !c.fresh() {
		why = ReasonLease
	}
	if why == "" && r.outer != nil && r.within((*request).isWriting) {
		why = ReasonMutating
	}
	r.out.fate, r.out.why, r.out.d = inspector.Bypassed, cmp.Or(why, ReasonShadow), d
	if why != "" {
		return next(ctx)
	}
	key, why := c.appendKey(ctx, nil, d, oc, who)
	if why != "" {
		return next(ctx)
	}
	if !who.public && c.opts.Predicate != nil {
		who.partition = c.partition(ctx)
	}
	q := &shadowQuery{c: c, d: d, who: who, key: string(key)}
	c.shield.Run(func() { q.entry, q.stamp, _ = c.lookup(ctx, oc, key) })
	q.compared = c.shadow.found.Query(c.callerDigest(ctx, oc, who))
	q.vars = plans.CopyVariables(oc.Variables)
	f, res := c.resolved(ctx, r, &asked{oc, d, who, q.key, q.vars}, nil, next)
	f.born = f.seen.based(r.begin())
	c.shield.Run(func() {
		c.shadow.found.Count(d.named())
		failed := f.why == ReasonErrors || f.why == ReasonNoData
		switch {
		case f.why != "" && !failed: // what was computed is for nobody else, and perhaps not all of it
		case q.stamp != nil:
			q.compared.Compare(c.hitOf(d, q.key, q.entry, q.stamp), shadowAnswer(f.resp, failed))
		case !failed:
			q.keep(ctx, r, f, res)
		}
	})
	return f.resp
}

// shadowAnswer returns what the server answers.
func shadowAnswer(resp *graphql.Response, failed bool) *verify.Answer {
	a := &verify.Answer{Failed: failed}
	switch {
	case !failed:
		a.Data = resp.Data
	case resp != nil && len(resp.Errors) > 0:
		a.Path = pathOf(resp.Errors[0].Path)
	}
	return a
}

// callerDigest names who asks, without telling: the predicate, and what the request says
// of its caller beside it.
func (c *Cache) callerDigest(ctx context.Context, oc *graphql.OperationContext, who *caller) string {
	b := binary.LittleEndian.AppendUint64(nil, credentials(ctx, oc))
	return c.inspector.Fingerprint("caller", append(b, who.predicate.Text...))
}

// A shadowQuery is a query in shadow mode.
type shadowQuery struct {
	c        *Cache
	d        *document
	who      *caller
	key      string
	vars     map[string]any
	compared *verify.Query
	entry    *store.Entry // that would have been served, nil for none
	stamp    *stamp
}

// keep stores the answer, for the comparisons to come. Its bytes are copied: the response
// belongs to the server.
func (q *shadowQuery) keep(ctx context.Context, r *request, f *filled, res *extractor.Result) {
	c, d := q.c, q.d
	if len(f.resp.Data) > c.opts.MaxEntryBytes {
		return
	}
	tags, ok := c.readsOf(r, d, q.who, q.vars, f, res)
	if !ok {
		return
	}
	tags = f.addRead(tags)
	body, s := slices.Clone(f.resp.Data), &stamp{only: f.only}
	q.compared.Keep(&s.verified, body)
	e, kept := c.engine.Keep(ctx, q.key, engine.Answer{
		Body: body, Meta: s, Took: f.took, Token: f.born, Tags: tags, Expires: c.opts.Now().Add(c.lifetime(d, f.maxAge)),
	})
	if kept == engine.Stored && r.refusal() != "" { // said meanwhile, by what a resolver has left behind
		c.engine.Remove(ctx, []byte(q.key), e)
	}
}

// ShadowStats returns what Options.Shadow has found since the cache was made, and nil
// when it is off. The result belongs to the caller. It does not block.
func (c *Cache) ShadowStats() *inspect.Shadow {
	if c.unmade() || c.shadow == nil {
		return nil
	}
	return c.shadow.found.Stats()
}
