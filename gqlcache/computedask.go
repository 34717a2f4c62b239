package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
)

// A valueQuery is a call of Compute, Get, Put, Delete or Exists: whose value it asks for,
// and what gets it.
//
// Invariants:
//
//  1. Within a request the key has the caller's predicate and Vary unless the call says
//     ForAll, and a tenant only if it is the caller's or the call says AnyTenant. Outside of
//     requests one of ForAll and a tenant is given: a job sees everything, and what it
//     computes must not become an anonymous caller's by the predicate of nobody.
//  2. Whatever gives a value to a query hands on what the value depends on, and its
//     expiry, to the computation and the operations around it: see enclosing.
//  3. Nothing is looked up, joined or kept within a mutation, or a request with uncommitted
//     changes: what is kept is older than they are, and what they see is nobody else's yet.
type valueQuery struct {
	enclosing
	c   *Cache
	set computeSettings
	// scratch is freed when the call ends; key, the value's whole key, is in it.
	scratch *[]byte
	key     []byte
	name    string
	all     bool         // ComputeAll's: key is that of one id
	typ     reflect.Type // of the value, where one is computed or put
	// writes says that the call is Put or Delete.
	writes bool
	// why says why the cache is bypassed, "" when it is not.
	why Reason
	// wants is how the call uses the cache, and asked how many computations had begun when
	// it asked.
	wants wanted
	asked uint64
	// since is the number from which on others' computations may be joined.
	since uint64
	// shapes is the generation of shapes, read before any number that the value may be
	// based on.
	shapes uint64
	// at is the place in the log that a computation of the call is based on: see place.
	at changelog.Position
	// predicate is the caller's, when it is in the key.
	predicate Predicate
	// old is the value if it has expired, and the call may use it yet; oldBody its bytes.
	old     *valueStamp
	oldBody []byte
	// whose says what the value is one caller's by, so that what it is made a part of is
	// not for all. predicated says that it is the predicate.
	whose      whose
	predicated bool
	tenant     string
	tenanted   bool
	// tenants are tags that changes of a tenant name: see knowTenants.
	tenants []cascade.Tag
	// checked says that the key of a computation around the call is checked: see
	// computedcheck.go.
	checked bool
	// ended is how many computations of values had ended before it was looked up.
	ended uint64
}

// whose says by what a value is one caller's.
type whose uint8

const (
	// personal is by the predicate or the tenant, varied by Options.Vary, or by header
	// fields that the schema names.
	personal whose = 1 << iota
	varied
)

// part returns the partition of the key's tenant. A hit does not need it.
func (q *valueQuery) part() cascade.Partition { return cascade.PartitionOf(q.tenant) }

// figures returns those of the key's name. A hit has them in its stamp.
func (q *valueQuery) figures() *values.Figures { return q.c.values.names.Of(q.name) }

// askValue finds out whose value a call asks for. The error is for what is wrong with the
// call. q.free gives back what it takes.
func (c *Cache) askValue(ctx context.Context, k *values.Key, opts []ComputeOption, q *valueQuery) error {
	if c.unmade() {
		return errUnmade
	}
	ctx = orBackground(ctx)
	q.c = c
	q.set.set(opts)
	if fault := k.Fault(); fault != "" {
		return fmt.Errorf("%w: %s", ErrKey, k.String())
	}
	if q.set.fault != "" {
		return fmt.Errorf("%w: of %s: %s", ErrKey, k.Name(), q.set.fault)
	}
	if c.schema.Load() == nil {
		return ErrNoSchema
	}
	q.name = k.Name()
	q.enclose(ctx)
	if c.observing != nil {
		q.shapes = q.generation()
		q.asks(ctx, k)
	}
	q.wants = q.policyOf(ctx)
	q.asked = c.begun.Load()
	if q.why = q.bypasses(ctx); q.why != "" && !q.drops() {
		return q.tenantOf(ctx, k)
	}
	why := q.why
	scope := values.Scope{All: q.set.forAll}
	if err := q.scopeOf(ctx, k, &scope); err != nil || q.why != why {
		return err
	}
	if err := q.tenantOf(ctx, k); err != nil {
		return err
	}
	// The lease first, then the number, and the validity when the value is looked up: see
	// Fleet.Arrive.
	q.since = c.clock.Seq()
	if c.opts.Log != nil {
		var ok bool
		if q.since, ok = c.fleet.Arrive(); !ok && q.why == "" {
			q.why = ReasonLease
		}
	}
	if q.why != "" && !q.drops() {
		return nil
	}
	q.ended = c.values.flights.Ended()
	q.scratch = plans.KeyBuffer()
	q.key = k.AppendTo((*q.scratch)[:0], &scope)
	*q.scratch = q.key
	return nil
}

// drops says that the call replaces or removes a value, which it does although the cache is
// bypassed: others, who do not bypass it, must not get the older value.
func (q *valueQuery) drops() bool {
	return q.writes && q.why != ReasonMutating && q.why != ReasonClosed
}

// free gives the scratch back. The key may not be used any more.
func (q *valueQuery) free() {
	if q.scratch != nil {
		plans.FreeKeyBuffer(q.scratch)
		q.scratch, q.key = nil, nil
	}
}

// bypasses says why nothing is looked up or kept, whoever asks.
func (q *valueQuery) bypasses(ctx context.Context) Reason {
	c := q.c
	switch {
	case c.isClosed():
		return ReasonClosed
	case c.shadow != nil:
		return ReasonShadow
	case q.arrival != nil && q.arrival.hold != nil && q.arrival.hold.hasChanged():
		return ReasonMutating
	}
	for r := q.request; r != nil; r = r.outer {
		switch {
		case r.mutates, r.uncommitted.some.Load(), r.hold != nil && r.hold.hasChanged():
			return ReasonMutating
		case r.anew != "":
			return ReasonToken
		case r.plainValues.Load():
			return ReasonCallers
		}
	}
	if c.opts.Enabled == nil {
		return ""
	}
	ctx, ok := q.asking(ctx, askingEnabled)
	if !ok {
		return ReasonDisabled
	}
	on, err := safe.Call(func() (bool, error) { return c.opts.Enabled(ctx), nil })
	switch {
	case err != nil:
		c.once.Warn("enabled", "gqlcache: Options.Enabled failed, so the request bypasses the cache", err)
		return ReasonFailed
	case !on:
		return ReasonDisabled
	}
	return ""
}

// policyOf tells how the call uses the cache: as its context says, or the operation in
// whose resolver it is.
func (q *valueQuery) policyOf(ctx context.Context) wanted {
	own := q.own()
	if said, ok := ctx.Value(policyKey{}).(*Policy); ok {
		if *said == CacheOnly && own != nil && own.inherits(said) {
			return wanted{}
		}
		return wanted{policy: q.c.known(*said)}
	}
	if own != nil {
		return wanted{policy: own.wants.policy, client: own.wants.client}
	}
	return wanted{}
}

// reads has a call that reads heed the policy NoStore. What a program puts or deletes does
// not ask for it.
func (q *valueQuery) reads() {
	if q.why == "" && q.wants.policy == NoStore {
		q.why = ReasonNoStore
	}
}

// passesOver says whether a value that is kept is not to be used.
func (q *valueQuery) passesOver(s *valueStamp) bool {
	return q.wants.passesOver(q.c, &s.Stamp, s.began, q.asked)
}

// mayJoin says whether the call may have what another one has come to.
func (q *valueQuery) mayJoin(res *valueResult) bool {
	return q.wants.mayJoin(res.found, res.began, q.asked)
}

// within says whether the call belongs to a request.
func (q *valueQuery) isWithinRequest() bool { return q.request != nil || q.arrival != nil }

// scopeOf tells who shares the value.
func (q *valueQuery) scopeOf(ctx context.Context, k *values.Key, s *values.Scope) error {
	c := q.c
	if s.All {
		return nil
	}
	if !q.isWithinRequest() {
		if _, tenanted := k.Tenant(); !tenanted {
			return fmt.Errorf("%w: %s", ErrCallers, k.Name())
		}
		s.Outside = true
		return nil
	}
	// A resolver of an operation that depends on header fields may look at them in its
	// function.
	if own := q.own(); own != nil {
		if names := c.headersBy(own); len(names) > 0 { //nolint:contextcheck // own is the operation that the call is in
			q.whose |= varied
			var ok bool
			if s.Headers, ok = headersOf(own, names, own.operation); !ok { //nolint:contextcheck // own is the operation that the call is in
				return q.unknownCaller(ReasonHeaders, k)
			}
		}
	}
	if r := q.request; r != nil && r.cache == c && r.who.public {
		s.Public = true
	} else {
		asking, ok := q.asking(ctx, askingPredicate)
		if !ok {
			return q.unknownCaller(ReasonPredicate, k)
		}
		p, ok := c.predicate(asking)
		if !ok {
			return q.unknownCaller(ReasonPredicate, k)
		}
		q.predicate, s.Predicate = p, p.Text
		if q.predicated = c.opts.Predicate != nil; q.predicated {
			q.whose |= personal
		}
	}
	if c.opts.Vary != nil {
		q.whose |= varied
		asking, ok := q.asking(ctx, askingVary)
		if !ok {
			return q.unknownCaller(ReasonPredicate, k)
		}
		var err error
		if s.Vary, err = safe.Call(func() ([]string, error) { return c.opts.Vary(asking), nil }); err != nil {
			c.once.Warn("vary", "gqlcache: Options.Vary failed, so the request bypasses the cache", err)
			return q.unknownCaller(ReasonFailed, k)
		}
	}
	return nil
}

// unknownCaller says that nobody can tell whose the value is. A value that is to be
// replaced or removed cannot be found then.
func (q *valueQuery) unknownCaller(why Reason, k *values.Key) error {
	if q.writes {
		if why == ReasonHeaders {
			return fmt.Errorf("%w: %s is kept apart by header fields, and an operation that a resolver runs has none of its own; drop it with Computed, or say ForAll", ErrCallers, k.Name())
		}
		return fmt.Errorf("%w: %s is the caller's, and Options.Predicate or Vary cannot tell who that is", ErrCallers, k.Name())
	}
	q.why = why
	return nil
}

// tenantOf looks at the key's tenant.
func (q *valueQuery) tenantOf(ctx context.Context, k *values.Key) error {
	tenant, tenanted := k.Tenant()
	if !tenanted {
		return nil
	}
	q.tenant, q.tenanted = tenant, true
	if q.set.anyTenant || !q.isWithinRequest() {
		return nil
	}
	q.whose |= personal
	c := q.c
	if c.opts.Partition == nil {
		return fmt.Errorf("%w: %s has a tenant, and Options.Partition is not set, so nobody knows whether it is the caller's; check it, and say AnyTenant", ErrTenant, k.Name())
	}
	asking, ok := q.asking(ctx, askingPartition)
	switch {
	case !ok && q.writes:
		return fmt.Errorf("%w: the tenant of %s is asked for by Options.Partition itself; say AnyTenant", ErrTenant, k.Name())
	case !ok: // it must find nothing, since nobody knows whose it is
		q.why = ReasonPredicate
		return nil
	}
	own, err := safe.Call(func() (string, error) { return c.opts.Partition(asking), nil })
	if err != nil {
		c.once.Warn("partition", "gqlcache: a request's partition is unknown, so it counts as outside of all", err)
	}
	if err != nil || own != tenant {
		return fmt.Errorf("%w: the tenant of %s is not the caller's; check that the caller may see it, and say AnyTenant", ErrTenant, k.Name())
	}
	return nil
}

// An asking is the context of a function of the options that a call asks whose its value is.
// The function may get values itself. One that needs the same function would ask it for
// ever.
type asking struct {
	context.Context

	c    *Cache
	what askedFor
	// outer is what the call runs in that asks.
	outer *asking
}

// askedFor is a function of the options.
type askedFor string

const (
	askingEnabled   askedFor = "Enabled"
	askingPredicate askedFor = "Predicate"
	askingVary      askedFor = "Vary"
	askingPartition askedFor = "Partition"
)

type askingKey struct{}

// Value implements context.Context.
func (a *asking) Value(key any) any {
	if key == (askingKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// String keeps whoever prints a context from printing the cache.
func (a *asking) String() string { return fmt.Sprintf("%v.WithValue(gqlcache asking)", a.Context) }

var errAsksItself = errors.New("it needs to know whose the value is, which this function tells; say ForAll, and AnyTenant where the key has a tenant, or compute it without the cache")

// asking returns the context for a function of the options. false: the call runs in that
// function, and must not ask it again.
func (q *valueQuery) asking(ctx context.Context, what askedFor) (_ context.Context, ok bool) {
	outer, _ := ctx.Value(askingKey{}).(*asking)
	for a := outer; a != nil; a = a.outer {
		if a.c == q.c && a.what == what {
			q.c.once.Warn("asks itself "+string(what), "gqlcache: Options."+string(what)+" gets the value "+q.name+" beside the cache", errAsksItself)
			return nil, false
		}
	}
	return &asking{Context: ctx, c: q.c, what: what, outer: outer}, true
}

// begin returns the number that a computation of this call is based on: that of the
// computation around it, of the operation, or of the request, since the function may read
// in a snapshot of theirs, and else that of now. See request.begin. What is of another cache
// has not read this one's number when it began, and may have a snapshot all the same: then
// the value counts as older than every change.
func (q *valueQuery) begin() uint64 {
	x := q.ownComputation()
	switch {
	case x != nil:
		return x.token
	case q.own() != nil:
		return q.own().begin()
	case q.arrival != nil:
		return q.arrival.number
	case q.isWithinAnother():
		return 0
	}
	return q.c.clock.Seq()
}

// generation returns that of the shapes, as begin returns the number.
func (q *valueQuery) generation() uint64 {
	x := q.ownComputation()
	switch {
	case x != nil:
		return x.shapes
	case q.own() != nil:
		return q.own().shapes
	case q.arrival != nil:
		return q.arrival.shapes
	case q.isWithinAnother():
		return 0
	}
	return footprint.Generation()
}

// isWithinAnother says that the call runs within what is of other caches.
func (q *valueQuery) isWithinAnother() bool { return q.request != nil || q.computation != nil }

// ownComputation returns the innermost computation of the query's cache that it runs in, nil
// for none: those of other caches may be in between.
func (q *valueQuery) ownComputation() *computation {
	x := q.computation
	for x != nil && x.c != q.c {
		x = x.outer
	}
	return x
}

// own returns the innermost operation of the query's cache that it runs in, nil for none.
func (q *valueQuery) own() *request {
	for r := q.request; r != nil; r = r.outer {
		if r.cache == q.c {
			return r
		}
	}
	return nil
}
