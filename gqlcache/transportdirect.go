package gqlcache

import (
	"errors"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/vektah/gqlparser/v2/ast"
)

var errNotDirect = errors.New("name the types in Options.HTTP.DirectPast if no hit has to go through them, and have a middleware around the server authenticate, or unset Options.HTTP.Direct")

// directly is what became of a request that may be sent past the hooks.
type directly uint8

const (
	notSent  directly = iota // the dispatch answers it
	wasDrawn                 // the dispatch answers it, and computes the answer: see drawnKey
	wasSent
)

// direct sends a hit past the hooks, and reports whether it has: see HTTP.Direct.
//
// Invariant: it sends what the operation's dispatch would send if no hook did anything.
// Everything that Cache.query asks is asked here, in the same order, on the context that
// the innermost hook would have. What query would do beside serving a hit, it does: so
// whatever is not a plain hit is left to the dispatch.
func (t *answering) direct(w http.ResponseWriter, r *http.Request, oc *graphql.OperationContext, met *extensions) directly {
	c := t.cache
	if len(met.hooks) > 0 {
		c.once.Warn("direct", "gqlcache: Options.HTTP.Direct is set, and the server has extensions that hits go through: "+strings.Join(met.hooks, ", "), errNotDirect)
		return notSent
	}
	if !met.answers || oc.Operation.Operation != ast.Query || c.asksMore(r) {
		return notSent
	}
	ctx := graphql.WithOperationContext(r.Context(), oc)
	if requestFrom(ctx) != nil || computationFrom(ctx) != nil {
		return notSent // a resolver, or a function of Compute, sends a request of its own
	}
	if a := arrivalFrom(ctx, c); a != nil && a.hold != nil {
		return notSent
	}
	if w, unknown := c.policyOf(ctx, nil, oc); w.policy != CacheFirst || unknown != "" {
		return notSent
	}
	var who caller
	d, why := c.admit(ctx, nil, oc, &who)
	if why != "" || d.callers != nil && c.isStopped(d.callers) {
		return notSent
	}
	if c.opts.Log != nil {
		if _, fresh := c.fleet.Arrive(); !fresh {
			return notSent
		}
	}
	buf := plans.KeyBuffer()
	defer plans.FreeKeyBuffer(buf)
	key, why := c.appendKey(ctx, (*buf)[:0], d, oc, &who)
	*buf = key
	if why != "" {
		return notSent
	}
	e, s, _ := c.find(ctx, oc, key)
	if e != nil && c.draws(s) {
		return wasDrawn
	}
	if e == nil || s.ready == nil || d.callers != nil && d.callers.mayDoubt(ctx, oc, s) {
		return notSent
	}
	c.countHit(d)
	k := keptAnswer{data: e.Body, stamp: s, d: d, public: who.public && s.only == 0, entry: e}
	if c.encodes(k.public) {
		k.key = string(key)
	}
	c.addStatusOf(ctx, w.Header(), c.hitStatus)
	c.send(ctx, w, r, &k)
	return wasSent
}

var errChanging = errors.New("check in a middleware around the server, or unset Options.HTTP.Direct")

// warnOfChanges says once which extensions change parameters or operations in a way that
// is not known, so that each request goes through them. met is nil when the extensions
// cannot be seen.
func (c *Cache) warnOfChanges(met *extensions) {
	switch {
	case !c.opts.HTTP.Direct:
	case met == nil:
		c.once.Warn("direct", "gqlcache: Options.HTTP.Direct is set, and the executor's extensions cannot be seen, so hits go through the hooks", errChanging)
	case len(met.changing) > 0:
		c.once.Warn("direct", "gqlcache: Options.HTTP.Direct is set, and the server has extensions that change operations before they are dispatched, so hits go through the hooks: "+
			strings.Join(met.changing, ", "), errChanging)
	}
}

// asksMore says that somebody wants to know of a request, or that it asks for more than a
// hit.
func (c *Cache) asksMore(r *http.Request) bool {
	explained, _ := r.Context().Value(explainKey{}).(bool)
	return explained || c.shadow != nil || c.verify != nil || c.inspector.Watching() ||
		c.opts.Inspector.Allow != nil && r.Header.Get(DebugHeader) != "" ||
		c.opts.Tokens && r.Header.Get(TokenHeader) != ""
}
