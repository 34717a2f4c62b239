package gqlcache

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/verify"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// caller is who asks, as far as answers depend on it.
type caller struct {
	predicate Predicate
	public    bool
	// partition of an answer that is public, or has no predicate, is outside of all:
	// other tenants get it too, so it hears of every tenant's changes.
	partition cascade.Partition
}

// stamp is the cache's part of a store.Entry.
type stamp struct {
	engine.Stamp
	// caller is a digest of the credentials of the request that computed it; 0 when not
	// known.
	caller uint64
	// only is a digest of the credentials of those who may have the entry, 0 for all: see
	// keycheck.go.
	only uint64
	// began says which computation it was, 0 for another instance's: see Cache.begun.
	began uint64
	// unsaid is a field that should have said what it reads, "" for none: see executions.
	unsaid string
	// bounded says that a resolver has, or may have, given the answer an age.
	bounded bool
	// foreign is set once a request with other credentials has hit the entry.
	foreign atomic.Bool
	// verified is what Options.Verify and Options.Shadow remember of the entry.
	verified verify.Entry
	// ready is the answer as transports send it, nil when there is no such transport.
	ready *wire.Ready
	// edge are the header fields with the answer's keys for caches in front; nil without
	// any.
	edge []field
}

// query answers a query from the cache, or by computing it at most once for all who ask.
func (c *Cache) query(ctx context.Context, r *request, oc *graphql.OperationContext, next graphql.ResponseHandler) *graphql.Response {
	if r.passed {
		return next(ctx)
	}
	if r.served {
		return nil
	}
	if c.opts.Inspector.Allow != nil {
		if r.access = c.access(ctx, oc); r.access.inspects() {
			r.served = true
			return c.inspect(ctx, r, oc)
		}
	}
	if c.shadow != nil {
		return c.shadowed(ctx, r, oc, next)
	}
	if r.explained || r.access != nil {
		r.note = inspector.NewNote()
	}
	defer c.end(ctx, r)
	who := &r.who
	var unknown Reason
	r.wants, unknown = c.policyOf(ctx, r, oc)
	r.asked = c.begun.Load()
	d, why := c.admit(ctx, r, oc, who)
	r.out.d = d
	if why == "" {
		why = unknown
	}
	if why == "" && r.wants.policy == NoStore {
		why = ReasonNoStore
	}
	if why == "" && r.access != nil && r.access.bypasses() {
		why = ReasonInspector
	}
	if why == "" && c.opts.Tokens {
		why = c.catchUp(ctx, r, oc.Headers.Get(TokenHeader))
	}
	if why == "" && c.opts.Log != nil {
		var ok bool
		if r.since, ok = c.fleet.Arrive(); !ok {
			why = ReasonLease
		}
	}
	if why == "" && r.outer != nil && r.within((*request).isWriting) {
		why = ReasonMutating
	}
	if why == "" && r.hold != nil && r.hold.hasChanged() {
		why = ReasonMutating // it sees what its transaction has written, and nobody else does
	}
	if why != "" {
		return c.bypass(ctx, r, why, next)
	}
	buf := plans.KeyBuffer()
	defer plans.FreeKeyBuffer(buf)
	key, why := c.appendKey(ctx, (*buf)[:0], d, oc, who)
	*buf = key
	if why != "" {
		return c.bypass(ctx, r, why, next)
	}
	r.served = true
	only := r.wants.policy == CacheOnly
	if d.callers != nil && c.isStopped(d.callers) {
		if only {
			return c.notCached(ctx, r)
		}
		return c.apart(ctx, r, oc, d, key, next)
	}
	r.ended = c.flights.Ended()
	var l inspector.Look
	noting := r.note != nil || c.opts.Inspector.Allow != nil
	if noting {
		l = c.inspector.Look(r.note, d.Plan, d.shown, oc.Variables, key)
	}
	r.out.looked = true
	e, s, found := c.find(ctx, oc, key)
	if e != nil && r.anew != "" && !c.fleet.WasAnswered(r.anew, key, s.Stamp.Stamp) {
		e, found = nil, watch.Unsure
	}
	if r.renews = r.wants.policy == Refresh && (e == nil || r.passesOver(c, s)); r.renews {
		e, found = nil, watch.Unsure
	}
	if e != nil && d.callers != nil && d.callers.doubts(ctx, oc, s) {
		if only {
			return c.notCached(ctx, r)
		}
		return c.compareCallers(ctx, r, oc, d, key, e, s, next)
	}
	if e != nil && !only && c.opts.EarlyRefresh > 0 && c.refreshesEarly(ctx, r, s) {
		if noting {
			l.Refreshes()
		}
		r.old = &older{entry: e, stamp: s, d: d, early: true}
		return c.compute(ctx, r, oc, d, who, string(key), next)
	}
	if e != nil {
		r.hit = responseOf(ctx, e.Body)
		r.out.fate, r.out.entry, r.out.resp = inspector.Hit, e, &r.hit
		if c.encodes(who.public && s.only == 0) {
			r.out.entryKey = string(key)
		}
		if c.verify != nil && c.verify.Picks() {
			c.verifyHit(ctx, oc, d, who, key, e, s)
		}
		if noting {
			l.Hit(key)
		}
		return r.out.resp
	}
	if noting {
		l.Missed(key, found)
	}
	if only {
		return c.onlyStored(ctx, r, oc, d, string(key))
	}
	switch {
	case r.anew != "":
		r.note.Anew(string(ReasonToken))
	case r.renews:
		r.note.Anew(string(ReasonRefresh))
	case d.beyond > 0:
		if r.old = c.findOlder(ctx, r, oc, d, key); r.takesOlder(c) {
			return c.answerOld(ctx, r)
		}
	}
	return c.compute(ctx, r, oc, d, who, string(key), next)
}

// policyOf tells how a query uses the cache. r is nil where there is no request yet.
func (c *Cache) policyOf(ctx context.Context, r *request, oc *graphql.OperationContext) (w wanted, why Reason) {
	inner := r != nil && r.outer != nil
	if said, ok := ctx.Value(policyKey{}).(*Policy); ok {
		if *said == CacheOnly && inner && r.outer.inherits(said) {
			return w, ""
		}
		return wanted{policy: c.known(*said)}, ""
	}
	if c.opts.Policy != nil {
		p, err := safe.Call(func() (Policy, error) { return c.opts.Policy(ctx), nil })
		switch {
		case err != nil:
			c.once.Warn("policy", "gqlcache: Options.Policy failed, so the request bypasses the cache", err)
			return w, ReasonFailed
		case p != CacheFirst && (p != CacheOnly || !inner):
			return wanted{policy: c.known(p)}, ""
		}
	}
	if !inner && c.hears {
		w = c.askedFor(ctx, oc.Headers)
	}
	return w, ""
}

// admit decides whether a query may be looked up, and says who asks. r is nil when the
// operation has not been dispatched.
func (c *Cache) admit(ctx context.Context, r *request, oc *graphql.OperationContext, who *caller) (*document, Reason) {
	if c.isClosed() {
		return nil, ReasonClosed
	}
	if c.opts.Enabled != nil {
		on, err := safe.Call(func() (bool, error) { return c.opts.Enabled(ctx), nil })
		if err != nil {
			c.once.Warn("enabled", "gqlcache: Options.Enabled failed, so the request bypasses the cache", err)
			return nil, ReasonFailed
		}
		if !on {
			return nil, ReasonDisabled
		}
	}
	d := c.document(ctx, oc)
	if d.Bypass != "" {
		return d, Reason(d.Bypass)
	}
	if r != nil && c.isReplaced(r, oc) {
		return d, ReasonOperation
	}
	if who.public = d.Operation.Policy.Public; !who.public {
		p, ok := c.predicate(ctx)
		if !ok {
			return d, ReasonPredicate
		}
		who.predicate = p
	}
	return d, ""
}

func (c *Cache) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// document returns the plan of the operation at hand. A plan is used only for the very
// operation that it was made from, with the very fragments.
func (c *Cache) document(ctx context.Context, oc *graphql.OperationContext) *document {
	s := plans.NewSource(oc.RawQuery, oc.Doc, oc.Operation)
	if p := c.plans.Find(&s); p != nil {
		return p.Owner.(*document)
	}
	return c.plan(ctx, oc, &s)
}

var errReplaced = errors.New("hand on the operation's context as it is, or replace it in InterceptOperation, in an extension that is added before the cache")

// isReplaced says that an extension has handed on another operation context than the one
// with which the operation began: a copy with other variables for those who log them, say.
// gqlgen executes the one that was there when the operation began, and code that asks the
// context sees the other one. So it is not known what the answer is to, nor what a mutation
// has written.
func (c *Cache) isReplaced(r *request, oc *graphql.OperationContext) bool {
	if r.operation == oc {
		return false
	}
	c.once.Warn("replaced", "gqlcache: an extension has replaced the context of operations after they had begun: queries bypass the cache, and mutations drop everything", errReplaced)
	return true
}

// bypass answers a query as a server without the cache does.
func (c *Cache) bypass(ctx context.Context, r *request, why Reason, next graphql.ResponseHandler) *graphql.Response {
	if r.wants.policy == CacheOnly {
		return c.notCached(ctx, r)
	}
	r.passed = true
	r.out.fate, r.out.why = inspector.Bypassed, why
	switch why {
	case ReasonToken, ReasonInspector, ReasonCallers, ReasonMutating:
		r.plainValues.Store(true)
	}
	if c.opts.Tracer != nil {
		_, end := c.span(ctx, SpanLookup)
		end(SpanEnd{OutcomeBypass, why})
	}
	r.out.resp = next(ctx)
	return r.out.resp
}

// respond makes the response of an answer that somebody else computed. Only the innermost
// handler attaches errors and extensions that were registered before it, so this one does
// too.
func respond(ctx context.Context, body []byte) *graphql.Response {
	resp := responseOf(ctx, body)
	return &resp
}

func responseOf(ctx context.Context, body []byte) graphql.Response {
	return graphql.Response{
		Data:       body[:len(body):len(body)],
		Errors:     graphql.GetErrors(ctx),
		Extensions: graphql.GetExtensions(ctx),
	}
}

// encodes says whether answers may be kept in other encodings.
func (c *Cache) encodes(public bool) bool { return public && len(c.opts.HTTP.Encodings) > 0 }

// find returns the entry of a key if it may be served, and otherwise what there was in
// its place.
func (c *Cache) find(ctx context.Context, oc *graphql.OperationContext, key []byte) (e *store.Entry, s *stamp, found watch.Found) {
	if c.opts.Tracer == nil {
		return c.lookup(ctx, oc, key)
	}
	ctx, end := c.span(ctx, SpanLookup)
	what := SpanEnd{Outcome: OutcomeMiss}
	defer func() { end(what) }() // also when the store ends the goroutine
	if e, s, found = c.lookup(ctx, oc, key); e != nil {
		what.Outcome = OutcomeHit
	}
	return e, s, found
}

// lookup is find without a span.
func (c *Cache) lookup(ctx context.Context, oc *graphql.OperationContext, key []byte) (*store.Entry, *stamp, watch.Found) {
	e, found := c.engine.Lookup(ctx, key)
	if e == nil {
		return nil, nil, foundNothing[found]
	}
	s, ok := e.Meta.(*stamp)
	if !ok {
		return nil, nil, watch.Unsure
	}
	if s.only != 0 && !c.isFor(ctx, oc, s.only) {
		return nil, nil, watch.Nothing
	}
	if c.schema.Load().keepsExpired && s.ExpiredFor(c.opts.Now()) >= 0 {
		return nil, nil, watch.Nothing // see findOlder
	}
	return e, s, watch.Nothing
}

// foundNothing says for those who watch why a lookup has no answer.
var foundNothing = [...]watch.Found{engine.Nothing: watch.Nothing, engine.Dead: watch.Dead, engine.Unknown: watch.Unsure}

var errNoPredicate = errors.New("the predicate function returned a Predicate without Text")

// predicate evaluates the caller's condition. ok is false when it cannot be told: also
// when nobody has said that all callers see the same, for an answer that turns out not to
// be public.
func (c *Cache) predicate(ctx context.Context) (p Predicate, ok bool) {
	if c.opts.Predicate == nil {
		return Predicate{}, c.opts.Callers == AllSeeTheSame
	}
	p, err := c.ask(ctx)
	if err == nil && p.Text == "" {
		err = errNoPredicate
	}
	if err != nil {
		c.once.Warn("predicate", "gqlcache: a request's predicate is unknown, so it bypasses the cache", err)
		return Predicate{}, false
	}
	return p, true
}

// ask calls Options.Predicate.
func (c *Cache) ask(ctx context.Context) (p Predicate, err error) {
	defer safe.Recover(&err)
	return c.opts.Predicate(ctx)
}

// partition tells the partition of a request. One that cannot be told is outside of all:
// its changes reach everybody, and its answers hear of every change.
func (c *Cache) partition(ctx context.Context) cascade.Partition {
	if c.opts.Partition == nil {
		return cascade.Partition{}
	}
	name, err := safe.Call(func() (string, error) { return c.opts.Partition(ctx), nil })
	if err != nil {
		c.once.Warn("partition", "gqlcache: a request's partition is unknown, so it counts as outside of all", err)
	}
	return cascade.PartitionOf(name)
}

// appendKey appends the key of a query's answer: see package plans. Vary is not asked for
// variables that no key can have.
func (c *Cache) appendKey(ctx context.Context, b []byte, d *document, oc *graphql.OperationContext, who *caller) ([]byte, Reason) {
	b, why := d.AppendQuestion(b, oc.Variables)
	if why != "" {
		return b, Reason(why)
	}
	return c.appendScope(ctx, b, d, oc, who)
}

// appendScope appends the part of a key that keeps callers apart.
func (c *Cache) appendScope(ctx context.Context, b []byte, d *document, oc *graphql.OperationContext, who *caller) ([]byte, Reason) {
	s := plans.Scope{Public: who.public, Predicate: who.predicate.Text}
	if c.opts.Vary != nil {
		var err error
		if s.Vary, err = safe.Call(func() ([]string, error) { return c.opts.Vary(ctx), nil }); err != nil {
			c.once.Warn("vary", "gqlcache: Options.Vary failed, so the request bypasses the cache", err)
			return b, ReasonFailed
		}
	}
	b = s.Append(b)
	if len(d.headers) == 0 {
		return b, ""
	}
	headers, ok := headersOf(ctx, d.headers, oc)
	if !ok {
		if r := requestFrom(ctx); r != nil {
			r.refuseAround(ReasonPrivate)
		}
		return b, ReasonHeaders
	}
	// Answers of one operation depend on the same header fields, so this part is in all of
	// its keys or in none.
	return opkey.AppendPart(b, headers), ""
}

// refuseAround keeps the answers from being stored in whose resolvers the operation runs:
// they show what it has come to.
func (r *request) refuseAround(why Reason) {
	for o := r.outer; o != nil; o = o.outer {
		o.refuseValue(why)
	}
}

// headersOf returns the header fields of these names, each with its name: values of
// operations that depend on different fields meet in one key otherwise. It returns false
// when they are not known: of an operation that a resolver runs, whose header may be another
// one than that which resolvers look at, and without a header.
func headersOf(ctx context.Context, names []string, oc *graphql.OperationContext) (string, bool) {
	if r := requestFrom(ctx); oc.Headers == nil || r != nil && r.outer != nil {
		return "", false
	}
	var b []byte
	for _, name := range names {
		values := oc.Headers.Values(name)
		b = binary.AppendUvarint(opkey.AppendPart(b, name), uint64(len(values)))
		for _, value := range values {
			b = opkey.AppendPart(b, value)
		}
	}
	return string(b), true
}
