package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// A Policy says how a query, or a call of Compute, uses the cache. It changes nothing for
// mutations and subscriptions: what a mutation changes is dropped whatever its policy is.
type Policy uint8

const (
	// CacheFirst answers from the cache where it can, and computes and keeps the answer
	// where it cannot. It is the default.
	CacheFirst Policy = iota
	// Refresh computes the answer, and puts it in place of the one that is kept: here, and
	// in Options.Shared. Others go on hitting until then. Requests that ask at once share
	// one computation, which begins after each of them has asked. An answer that fails, or
	// must not be stored, leaves the older one in place.
	Refresh
	// CacheOnly computes nothing. A query without a stored answer gets null for its data,
	// and one error that wraps ErrNotCached and has NOT_CACHED as extensions.code; so does
	// one that would bypass the cache, whatever the reason. It waits for no computation
	// either. An operation that a resolver runs does not inherit it.
	CacheOnly
	// NoStore neither looks an answer up nor keeps it: the request is answered as by a
	// server without the cache.
	NoStore
)

// String returns the policy's name, in lower case and with hyphens.
func (p Policy) String() string {
	switch p {
	case CacheFirst:
		return "cache-first"
	case Refresh:
		return "refresh"
	case CacheOnly:
		return "cache-only"
	case NoStore:
		return "no-store"
	}
	return fmt.Sprintf("Policy(%d)", uint8(p))
}

// policyKey is the context key of a *Policy. The pointer tells one call of WithPolicy from
// another.
type policyKey struct{}

// WithPolicy returns a context whose queries use the cache as the policy says: those of a
// request, where a middleware around the server, or an operation interceptor, calls it, and
// the values of Compute. The innermost call counts, and it counts before Options.Policy and
// the request's own Cache-Control. A policy that there is not counts as NoStore, which is
// said once in the log.
func WithPolicy(ctx context.Context, p Policy) context.Context {
	return context.WithValue(orBackground(ctx), policyKey{}, &p)
}

// ClientPolicies says which directives of a request's Cache-Control (RFC 9111) count, a
// part of Options. The zero value hears none: who asks cannot make the server do more work.
// Where several are sent, no-store counts before only-if-cached, and that before no-cache.
// Other directives, and Pragma, are not heard.
//
// They count for queries that an HTTP request asks, and not for operations over websockets
// and event streams: browsers send directives of their own when they open these. In shadow
// mode none counts.
type ClientPolicies struct {
	// Allow says whose directives count. It is asked about requests that have one of those
	// below, may be called concurrently, and a panic is a no. Defaults to everybody's.
	Allow func(ctx context.Context) bool
	// NoCache hears no-cache: the answer is computed anew, as with Refresh, but for this:
	// the request may join a computation that is running, and gets the stored answer when
	// that was computed by this instance in the last RefreshInterval. So a client can have
	// a key computed once in an interval and no more often, however many requests it
	// sends.
	NoCache bool
	// RefreshInterval is how old a stored answer must be before NoCache has it computed
	// anew. Defaults to 1 second.
	RefreshInterval time.Duration
	// NoStore hears no-store, as the policy of that name. Each such request runs its own
	// resolvers, since it has no part in what others compute.
	NoStore bool
	// OnlyIfCached hears only-if-cached, as CacheOnly. A transport of Cache.Transport
	// sends status 504 when there is no answer. Whoever may use it learns which of his
	// questions, and which that all callers share, somebody has asked already: so it needs
	// Allow.
	OnlyIfCached bool
	// MaxStale hears max-stale: an answer that has expired by less than the client says is
	// served, and not computed anew. The cache has such answers only for as long as
	// StaleIfError and StaleWhileRevalidate say, so it needs one of them. It never serves
	// what a change has dropped.
	MaxStale bool
}

// hears says whether any directive counts.
func (o *ClientPolicies) hears() bool { return o.NoCache || o.NoStore || o.OnlyIfCached || o.MaxStale }

// validate reports every fault of options that have their defaults.
func (o *ClientPolicies) validate(fault func(string, ...any), beyond time.Duration) {
	if o.RefreshInterval < 0 {
		fault("ClientPolicies.RefreshInterval is %v; it must be positive", o.RefreshInterval)
	}
	if o.OnlyIfCached && o.Allow == nil {
		fault("ClientPolicies.OnlyIfCached is set and ClientPolicies.Allow is not, so everybody could find out what others have asked; return who may")
	}
	if o.MaxStale && beyond == 0 {
		fault("ClientPolicies.MaxStale is set, and neither StaleIfError nor StaleWhileRevalidate, so no answer is kept once it has expired; set one of them")
	}
	if o.Allow != nil && !o.hears() {
		fault("ClientPolicies.Allow is set, and none of the directives that it could allow; set NoCache, NoStore, OnlyIfCached or MaxStale")
	}
}

// wanted is how a request wants to use the cache.
type wanted struct {
	policy Policy
	// client says that the client has asked for it, and not the server's owner.
	client bool
	// maxStale is how long ago an answer may have expired, 0 for not at all.
	maxStale time.Duration
}

var errPolicy = errors.New("use CacheFirst, Refresh, CacheOnly or NoStore")

// inherits says whether what was said with WithPolicy was said around the operation, and
// not in one of its resolvers.
func (r *request) inherits(said *Policy) bool {
	around, _ := r.Context.Value(policyKey{}).(*Policy)
	return around == said
}

// known returns a policy that there is.
func (c *Cache) known(p Policy) Policy {
	if p > NoStore {
		c.once.Warn("unknown policy", "gqlcache: a policy is none of the package's, so it counts as NoStore: "+p.String(), errPolicy)
		return NoStore
	}
	return p
}

// askedFor tells what the header of a request asks for, as far as that counts.
func (c *Cache) askedFor(ctx context.Context, h http.Header) (w wanted) {
	o := &c.opts.ClientPolicies
	values := h["Cache-Control"]
	if len(values) == 0 || h["Upgrade"] != nil || strings.Contains(h.Get("Accept"), "text/event-stream") {
		return w
	}
	d := wire.ReadDirectives(values)
	switch {
	case d.NoStore && o.NoStore:
		w.policy = NoStore
	case d.OnlyIfCached && o.OnlyIfCached:
		w.policy = CacheOnly
	case d.NoCache && o.NoCache:
		w.policy = Refresh
	}
	if o.MaxStale && !d.NoCache && w.policy != NoStore {
		w.maxStale = d.MaxStale
	}
	if w == (wanted{}) || o.Allow != nil && !permits(ctx, o.Allow) {
		return wanted{}
	}
	w.client = true
	return w
}

// passesOver says whether an answer is computed although this one is kept. A client gets
// what was just computed in place of a computation: see ClientPolicies.NoCache. began says
// which computation it was, 0 for another instance's, and asked how many had begun when the
// request asked.
func (w wanted) passesOver(c *Cache, s *engine.Stamp, began, asked uint64) bool {
	if w.policy != Refresh || began > asked {
		return false
	}
	young := began > 0 && c.opts.Now().UnixNano()-s.Stored < int64(c.opts.ClientPolicies.RefreshInterval)
	return !w.client || !young
}

// mayJoin says whether what another request has come to is new enough for this one. A
// client takes what was being computed when he asked, and nobody what was only found, but
// by who asked later.
func (w wanted) mayJoin(found bool, began, asked uint64) bool {
	return w.policy != Refresh || began > asked || w.client && !found
}

// passesOver says whether the request is not to be answered by an entry.
func (r *request) passesOver(c *Cache, s *stamp) bool {
	return r.wants.passesOver(c, &s.Stamp, s.began, r.asked)
}

// mayJoin says whether the request may have what another one has come to.
func (r *request) mayJoin(f *filled) bool {
	return r.wants.mayJoin(f.found || f.fromShared, f.began, r.asked)
}

// onlyStored answers a query that must not be computed, and has no entry: by another
// instance's answer, by one that has expired and that its client takes, or not at all.
func (c *Cache) onlyStored(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, key string) *graphql.Response {
	if f := c.fromShared(ctx, r, d, r.who.public, key); f != nil {
		c.remember(d, oc.Variables, key, f)
		o := &r.out
		o.fate, o.f, o.key, o.resp = inspector.Hit, f, key, respond(ctx, f.body)
		return o.resp
	}
	if r.old = c.findOlder(ctx, r, oc, d, []byte(key)); r.takesOlder(c) {
		return c.answerOld(ctx, r)
	}
	r.old = nil
	return c.notCached(ctx, r)
}

// takesOlder says whether the client takes the request's older entry as it is. No change
// has reached that: see findOlder.
func (r *request) takesOlder(c *Cache) bool {
	return r.old != nil && r.old.stamp.ExpiredFor(c.opts.Now()) < min(r.wants.maxStale, r.old.d.beyond)
}

// notCached answers a query that must not be computed, and for which there is no answer.
func (c *Cache) notCached(ctx context.Context, r *request) *graphql.Response {
	r.served = true
	r.out.fate, r.out.why = inspector.Bypassed, ReasonNotCached
	graphql.AddError(ctx, &gqlerror.Error{
		Err: ErrNotCached, Message: ErrNotCached.Error(), Extensions: map[string]any{"code": codeNotCached},
	})
	r.out.resp = respond(ctx, []byte("null"))
	return r.out.resp
}

// codeNotCached is extensions.code of the error in the answer to a query that is not
// stored, and must not be computed.
const codeNotCached = "NOT_CACHED"

// lacks says whether a response is that of a client who wants a stored answer or none, and
// gets none: RFC 9111, section 5.2.1.7, has a status for it.
func (c *Cache) lacks(ctx context.Context, resp *graphql.Response) bool {
	own := requestFrom(ctx)
	return own != nil && own.cache == c && resp != nil && own.out.given.Load() == resp && own.out.why == ReasonNotCached && own.wants.client
}
