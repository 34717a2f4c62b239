package gqlcache

import (
	"errors"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
)

var errNotDirect = errors.New("name the types in Options.HTTP.DirectPast if no hit has to go through them, and have a middleware around the server authenticate, or unset Options.HTTP.Direct")

// direct sends a hit past the hooks, and reports whether it has: see HTTP.Direct.
//
// Invariant: it sends what the operation's dispatch would send if no hook did anything. Everything that Cache.query asks is
// asked here, in the same order, on the context that the innermost hook would have. What query would do beside serving
// a hit, it does: so whatever is not a plain hit is left to the dispatch.
func (t *answering) direct(w http.ResponseWriter, r *http.Request, oc *graphql.OperationContext, met *extensions) bool {
	c := t.cache
	if len(met.hooks) > 0 {
		c.once.Warn("direct", "gqlcache: Options.HTTP.Direct is set, and the server has extensions that hits go through: "+strings.Join(met.hooks, ", "), errNotDirect)
		return false
	}
	if !met.answers || c.asksMore(r) {
		return false
	}
	ctx := graphql.WithOperationContext(r.Context(), oc)
	if requestFrom(ctx) != nil {
		return false // a resolver sends a request of its own
	}
	if a := arrivalFrom(ctx, c); a != nil && a.hold != nil {
		return false
	}
	var who caller
	d, why := c.admit(ctx, oc, &who)
	if why != "" || d.callers != nil && c.isStopped(d.callers) {
		return false
	}
	if c.opts.Log != nil {
		if _, fresh := c.fleet.Arrive(); !fresh {
			return false
		}
	}
	buf := plans.KeyBuffer()
	defer plans.FreeKeyBuffer(buf)
	key, why := c.appendKey(ctx, (*buf)[:0], d, oc.Variables, &who)
	*buf = key
	if why != "" {
		return false
	}
	e, s, _ := c.find(ctx, key)
	if e == nil || s.ready == nil || d.callers != nil && d.callers.mayDoubt(ctx, oc, s) {
		return false
	}
	c.counts.hits.Add(1)
	d.Counts.Hits.Add(1)
	k := keptAnswer{data: e.Body, stamp: s, public: who.public, entry: e}
	if c.encodes(who.public) {
		k.key = string(key)
	}
	c.addStatusOf(ctx, w.Header(), c.hitStatus)
	c.send(ctx, w, r, &k)
	return true
}

// asksMore says that somebody wants to know of a request, or that it asks for more than a hit.
func (c *Cache) asksMore(r *http.Request) bool {
	explained, _ := r.Context().Value(explainKey{}).(bool)
	return explained || c.shadow != nil || c.verify != nil || c.inspector.Watching() ||
		c.opts.Inspector.Allow != nil && r.Header.Get(DebugHeader) != "" ||
		c.opts.Tokens && r.Header.Get(TokenHeader) != ""
}
