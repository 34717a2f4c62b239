package gqlcache

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/witness"
)

var errInner = errors.New("Predicate, Vary, Partition, the variables or the document are others where resolvers run")

// watchInner has the key of an answer made once more where its first resolver runs,
// inside of all other extensions, and refuses to store the answer when it is another one.
// An extension that was added after the cache, or an interceptor of root fields, may set
// the user, rewrite variables or the document when the key is there already: the answer
// would be one caller's under the key of another.
//
// Extensions give their context to all root fields alike. An interceptor of fields need
// not: it may know the user for some of them only. In a server that has such interceptors
// each root field's resolver is looked at.
//
// It is called when the operation is in place, by the goroutine that owns the operation
// context, before the witness watches it.
func (c *Cache) watchInner(oc *graphql.OperationContext, r *request, d *document, who *caller, key string, w *witness.Witness) {
	doc, op, shape := oc.Doc, oc.Operation, plans.ShapeOf(oc.Doc, oc.Operation)
	check := func(same bool) {
		if same {
			return
		}
		r.refuseToStore(ReasonInner)
		c.once.Warn("inner", "gqlcache: an answer was not stored, since an extension that runs inside of the cache has changed what its key is made of; "+
			"add the cache after all other extensions", errInner)
	}
	if c.met.hooks(oc) {
		question, _ := d.AppendQuestion(nil, oc.Variables)
		part, same := strings.CutPrefix(key, string(question))
		w.Root = func(ctx context.Context) { check(same && c.sameAsker(ctx, d, oc, who, part)) }
	}
	mw := oc.RootResolverMiddleware
	if mw == nil {
		return
	}
	var once sync.Once
	oc.RootResolverMiddleware = func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		return mw(ctx, func(ctx context.Context) graphql.Marshaler {
			once.Do(func() {
				now := graphql.GetOperationContext(ctx)
				check(now == oc && now.Doc == doc && now.Operation == op && plans.ShapeOf(doc, op) == shape && c.sameKey(ctx, d, now, who, key))
			})
			w.Enter()
			defer w.Leave()
			return next(ctx)
		})
	}
}

// sameKey says whether a context makes the same key, and leads to the same partition.
func (c *Cache) sameKey(ctx context.Context, d *document, oc *graphql.OperationContext, who *caller, key string) bool {
	question, why := d.AppendQuestion(nil, oc.Variables)
	part, same := strings.CutPrefix(key, string(question))
	return why == "" && same && c.sameAsker(ctx, d, oc, who, part)
}

// sameAsker says whether a context makes the same part of the key that tells callers
// apart, and leads to the same partition.
func (c *Cache) sameAsker(ctx context.Context, d *document, oc *graphql.OperationContext, who *caller, part string) bool {
	inner := &caller{public: who.public}
	if !who.public {
		p, ok := c.predicate(ctx)
		if !ok {
			return false
		}
		inner.predicate = p
		if c.opts.Predicate != nil && c.partition(ctx) != who.partition {
			return false
		}
	}
	again, why := c.appendScope(ctx, nil, d, oc, inner)
	return why == "" && string(again) == part
}
