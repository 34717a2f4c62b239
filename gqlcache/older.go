package gqlcache

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// An older is the entry of a query that computes its answer anew although no change has
// reached the entry: see Options.EarlyRefresh, Options.StaleIfError and
// Options.StaleWhileRevalidate. Its methods may be called on nil, which is a query
// without.
//
// Invariants:
//
//  1. The entry is served only if there is a lease, and no change has reached it: looked
//     at when it was found, and once more after the computation.
//  2. An entry that has expired is served in place of a failure for Options.StaleIfError,
//     and while another request computes for Options.StaleWhileRevalidate, and never
//     longer.
//  3. The answer that was computed for the request is never mixed with it: the client
//     gets the one or the other, whole.
type older struct {
	entry *store.Entry
	stamp *stamp
	// early says that the entry had not expired when it was found.
	early bool
	// d is its document.
	d *document
	// errors and extensions are how many were registered before anything was computed. A
	// hit has them, too.
	errors, extensions int
}

// drawnKey marks the context of a request whose entry was drawn already, where it could
// not be computed.
type drawnKey struct{ *Cache }

// refreshesEarly says, with Options.EarlyRefresh, whether a hit is computed anew, before
// its entry expires. Operations that resolvers run are not: an operation that is computed
// would have to wait for them.
func (c *Cache) refreshesEarly(ctx context.Context, r *request, s *stamp) bool {
	return r.anew == "" && r.outer == nil && (ctx.Value(drawnKey{c}) != nil || c.draws(s))
}

// draws says of a hit, by chance, whether its entry is to be replaced before it expires.
func (c *Cache) draws(s *stamp) bool {
	return c.opts.EarlyRefresh > 0 && isDue(s.Took(), c.opts.EarlyRefresh, -s.ExpiredFor(c.opts.Now()), rand.ExpFloat64())
}

// isDue is the rule of XFetch: an answer that took so long is due when the time left is
// no longer than that, beta times, times a number that is drawn from the exponential
// distribution with mean 1. Many who draw at once, each with a small chance, are few who
// compute. An answer of which it is not known how long it took is never due.
func isDue(took time.Duration, beta float64, left time.Duration, drawn float64) bool {
	return took > 0 && float64(took)*beta*drawn >= float64(left)
}

// beyond is how long the store holds entries that have expired, of which the schema says
// nothing.
func (o *Options) beyond() time.Duration { return max(o.StaleIfError, o.StaleWhileRevalidate) }

// findOlder returns an entry that has expired, and that no change has reached, for a
// query that found no other. An operation that a resolver runs has none: the answer
// around it would be stored for as long as if all of it were new. Nor has one whose
// client has seen a change elsewhere, or one whose answer others would have had to
// compare first.
func (c *Cache) findOlder(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, key []byte) *older {
	if d.beyond == 0 || r.anew != "" || r.outer != nil {
		return nil
	}
	e, _ := c.engine.Lookup(ctx, key)
	if e == nil {
		return nil
	}
	s, ok := e.Meta.(*stamp)
	if !ok || s.ExpiredFor(c.opts.Now()) < 0 || d.callers != nil && !d.callers.trusts(ctx, oc, s) || !c.isFor(ctx, oc, s.only) {
		return nil
	}
	return &older{entry: e, stamp: s, d: d}
}

// whileFresh returns an entry as other instances may have it, who know nothing of what
// comes after its expiry.
func whileFresh(e *store.Entry, s *stamp) *store.Entry {
	if e.Expires.Equal(s.Expires()) {
		return e
	}
	fresh := *e
	fresh.Expires = s.Expires()
	return &fresh
}

// before notes what there is beside the answer before it is computed.
func (o *older) before(ctx context.Context) {
	if o != nil {
		o.errors, o.extensions = len(graphql.GetErrors(ctx)), len(graphql.GetExtensions(ctx))
	}
}

// is says whether a stamp is the entry's.
func (o *older) is(s *stamp) bool { return o != nil && o.stamp == s }

// expires is when the entry expires, the zero time without one.
func (o *older) expires() (at time.Time) {
	if o != nil {
		at = o.stamp.Expires()
	}
	return at
}

// spares says whether the entry is served while another request computes.
func (o *older) spares(c *Cache) bool {
	return o != nil && (o.early || o.stamp.ExpiredFor(c.opts.Now()) < o.d.stale)
}

// answerOld answers a query by its older entry, while another request computes.
func (c *Cache) answerOld(ctx context.Context, r *request) *graphql.Response {
	o := &r.out
	o.expired = !r.old.early
	o.fate, o.old, o.entry, o.resp = inspector.Hit, true, r.old.entry, respond(ctx, r.old.entry.Body)
	return o.resp
}

// fallBack puts the older answer in place of a computed one that has failed.
func (c *Cache) fallBack(ctx context.Context, r *request, f *filled) {
	o := &r.out
	o.early = r.old.early && o.fate == inspector.Computed
	if o.fate != inspector.Computed || !c.hides(ctx, r, f) {
		return
	}
	o.old, o.expired, o.entry = true, !r.old.early, r.old.entry
	o.resp = respond(ctx, r.old.entry.Body)
	o.resp.Errors = nil // those of the computation
}

var errUnsaid = errors.New("something failed of which the server tells clients nothing")

// hides says whether a failure is kept from the client, and logs the first one.
func (c *Cache) hides(ctx context.Context, r *request, f *filled) bool {
	if d := r.out.d; d.callers != nil && c.isStopped(d.callers) {
		return false
	}
	if !r.hasFailed(ctx, f) || !c.valid(r.old.stamp) || r.old.stamp.ExpiredFor(c.opts.Now()) >= c.opts.StaleIfError {
		return false
	}
	if f.resp != nil && c.refuses(f.resp.Errors) {
		return false
	}
	err := errUnsaid
	if f.resp != nil && len(f.resp.Errors) > 0 {
		err = f.resp.Errors
	}
	c.once.Warn("hidden", "gqlcache: computing an answer has failed, and the client got the stored one", err)
	return true
}

// refuses says whether one of a response's errors has a code of Options.Refused: it is
// about the caller, and what the caller may see is not known.
func (c *Cache) refuses(list gqlerror.List) bool {
	return slices.ContainsFunc(list, func(e *gqlerror.Error) bool { return isOfCode(e, c.opts.Refused) })
}

// hasFailed says whether the computation has failed by itself: what the resolvers said
// beside the data, or that they want nothing stored, is no failure, and what an extension
// has registered before they ran is none of theirs.
func (r *request) hasFailed(ctx context.Context, f *filled) bool {
	if r.old.errors > 0 || len(graphql.GetExtensions(ctx)) > r.old.extensions || r.refusal() != "" {
		return false
	}
	switch f.why {
	case ReasonErrors, ReasonNoData:
		return true
	case ReasonEnded: // a time limit inside of the request, or its own: what is left is not the whole answer
		return r.old.early || !f.left && f.resp != nil && len(f.resp.Errors) > 0
	}
	return false
}

// countOld counts what has become of a query with an older entry.
func (c *Cache) countOld(r *request) {
	if r.out.early {
		c.counts.refreshed.Add(1)
	}
	if r.out.expired {
		c.counts.stale.Add(1)
	}
	if r.out.old && r.out.fate == inspector.Computed {
		c.counts.hidden.Add(1)
	}
}
