package gqlcache

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/vektah/gqlparser/v2/ast"
)

// A computation is a function of Compute that runs. It is the function's context, too.
//
// Invariants:
//
//  1. What is kept of it depends on all that was collected up to its end. What is said
//     afterwards, by a goroutine that the function has left behind, withdraws it.
//  2. All that was collected is handed on to what is around it, whatever becomes of the
//     value: what is around it may be made of the function's error.
//
// The interleaving that the lock is for:
//
//	computation                        goroutine of the function
//	close: nothing more was said
//	                                   Read: closed, and nothing is kept yet
//	the value is kept, keep notes it:
//	it is withdrawn, since something
//	was said
type computation struct {
	context.Context

	c *Cache
	// outer is the computation in whose function this one runs, within the operation.
	outer  *computation
	within *request
	// token is the number that it is based on, at the place in the log that was read before
	// it, shapes the generation of shapes.
	token, shapes uint64
	at            changelog.Position
	// forAll says that everybody shares it; part is that of its tenant.
	// predicated says that its key has the caller's predicate, personal that the key has
	// that, or the caller's own tenant.
	forAll, tenanted, predicated, personal bool
	part                                   cascade.Partition

	mu struct {
		sync.Mutex
		sum values.Sum
		// read says that Read was called, got that the function has got a value, or its
		// absence, and whose what a part of these is one caller's by.
		read, got bool
		whose     whose
		unstored  Reason
		maxAge    time.Duration // 0 when nothing was said
		closed    bool
		flight    *flight.Flight[*valueResult]
		key       string
		entry     *store.Entry
		batch     *batchParts // of ComputeAll, nil otherwise
		lease     func()      // gives up the lease to compute the value, nil without one
	}
}

type computationKey struct{}

// Value implements context.Context.
func (x *computation) Value(key any) any {
	if key == (computationKey{}) {
		return x
	}
	return x.Context.Value(key)
}

// String keeps whoever prints a context from printing the cache.
func (x *computation) String() string {
	return fmt.Sprintf("%v.WithValue(gqlcache computation)", x.Context)
}

func computationFrom(ctx context.Context) *computation {
	x, _ := ctx.Value(computationKey{}).(*computation)
	return x
}

// depend adds what a part of the value depends on. false: it was too late.
func (x *computation) depend(s *values.Sum, until time.Time, by whose) bool {
	x.mu.Lock()
	late := x.mu.closed
	if !late {
		x.mu.got, x.mu.whose = true, x.mu.whose|by
		x.mu.sum.Add(s)
		x.mu.sum.Expire(until)
	}
	x.mu.Unlock()
	if late {
		x.refuseToStore(ReasonUnexplained)
	}
	return !late
}

// says notes that the function itself says what it reads.
func (x *computation) says() {
	x.mu.Lock()
	x.mu.read = true
	x.mu.Unlock()
}

// refuseToStore says that the value must neither be kept nor given to others. The first reason
// counts. false: it was too late, and what was kept is withdrawn.
func (x *computation) refuseToStore(why Reason) bool {
	x.mu.Lock()
	if x.mu.unstored == "" {
		x.mu.unstored = why
	}
	f, late, key, e, lease := x.mu.flight, x.mu.closed, x.mu.key, x.mu.entry, x.mu.lease
	flights, kept := x.mu.batch.parts()
	x.mu.Unlock()
	f.Unshare()
	if lease != nil {
		lease()
	}
	if late && e != nil {
		x.c.withdrawValue(key, e)
	}
	x.endParts(flights, kept)
	return !late
}

// private keeps the value from others than callers with one predicate.
func (x *computation) private() bool {
	if !x.predicated {
		return x.refuseToStore(ReasonPrivate)
	}
	x.mu.Lock()
	f, late := x.mu.flight, x.mu.closed
	flights, _ := x.mu.batch.parts()
	x.mu.Unlock()
	f.Unshare()
	x.endParts(flights, nil)
	return !late
}

// limitAge says how long the value may be kept at most.
func (x *computation) limitAge(age time.Duration) bool {
	if age == 0 {
		return x.refuseToStore(ReasonPolicy)
	}
	x.mu.Lock()
	late := x.mu.closed
	if !late && (x.mu.maxAge == 0 || age < x.mu.maxAge) {
		x.mu.maxAge = age
	}
	x.mu.Unlock()
	return !late || x.refuseToStore(ReasonPolicy)
}

// collected is what was said of a computation.
type collected struct {
	sum       values.Sum
	read, got bool
	whose     whose
	unstored  Reason
	maxAge    time.Duration
}

// close ends what may be said in time.
func (x *computation) close() collected {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.closed, x.mu.flight = true, nil
	x.mu.batch.close()
	return collected{x.mu.sum, x.mu.read, x.mu.got, x.mu.whose, x.mu.unstored, x.mu.maxAge}
}

// keep notes what was kept. It returns false when that must be removed.
func (x *computation) keep(key string, e *store.Entry) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.mu.batch != nil {
		x.mu.batch.kept = append(x.mu.batch.kept, keptPart{key, e})
	} else {
		x.mu.key, x.mu.entry = key, e
	}
	return x.mu.unstored == ""
}

// refusal returns why the value must not be kept, "" when nothing was said.
func (x *computation) refusal() Reason {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.mu.unstored
}

// An enclosing is what a value becomes a part of: the computation and the operation in
// whose resolver it is asked for. Either may be nil, and may run within the other one.
type enclosing struct {
	computation *computation
	request     *request
	arrival     *arrival // where there is no operation of the cache's
}

// enclose finds what is around a call.
func (q *valueQuery) enclose(ctx context.Context) {
	q.computation, q.request = computationFrom(ctx), requestFrom(ctx)
	if q.own() == nil {
		q.arrival = arrivalFrom(ctx, q.c)
	}
}

// refuse says that what is around a call must not be kept.
func (e *enclosing) refuse(why Reason) {
	for x := e.computation; x != nil; x = x.outer {
		x.refuseToStore(why)
	}
	for r := e.request; r != nil; r = r.outer {
		r.refuseValue(why)
	}
}

// dependOn hands on what a value of a cache depends on. What is for all must not hold a
// value that is one caller's: a value that is ForAll, or within a public operation. The innermost computation hands it on to what is around that
// when it ends; an operation that runs within the computation is not around it. If it has
// ended, those around it have its value already, without this.
func (e *enclosing) dependOn(c *Cache, s *values.Sum, until time.Time, by whose) (late bool) {
	if x := e.computation; x != nil {
		switch {
		case x.c != c:
			x.refuseToStore(ReasonUnexplained) // another clock
		case by != 0 && x.forAll, by&personal != 0 && !x.personal:
			x.refuseToStore(ReasonPrivate)
		}
		inTime := x.depend(s, until, by)
		if inTime && x.within == e.request {
			return false
		}
		if late = !inTime; late {
			for x = x.outer; x != nil; x = x.outer {
				x.refuseToStore(ReasonUnexplained)
			}
		}
	}
	for r := e.request; r != nil; r = r.outer {
		if !r.dependOn(c, s, until, by) {
			late = true
		}
	}
	if e.computation == nil && e.request == nil {
		e.arrival.dependOn(s, until)
	}
	return late
}

// depend hands on what a value depends on that the query has got without computing it.
func (q *valueQuery) depend(ctx context.Context, s *values.Sum, until time.Time) {
	if q.computation == nil && q.request == nil {
		q.arrival.dependOn(s, until)
		return
	}
	if q.c.observing != nil {
		footprint.Explain(ctx)
	}
	q.dependOn(q.c, s, until, q.whose)
}

// earlyValues are values that middlewares have got for a request before an operation of it
// began, by what they depend on: what the operation answers may be made of them, as of what
// statements of middlewares have read. The zero value is ready to use.
type earlyValues struct {
	mu sync.Mutex
	// first are not copied, so that few values cost nothing.
	first [8]earlyValue
	n     int
	sum   values.Sum
}

type earlyValue struct {
	sum   *values.Sum
	until time.Time
}

// dependOn adds what operations of the request may depend on. s is not changed any more. It
// may be called on nil.
func (a *arrival) dependOn(s *values.Sum, until time.Time) {
	if a == nil {
		return
	}
	y := &a.values
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.n == len(y.first) {
		for _, v := range y.first {
			y.sum.Add(v.sum)
			y.sum.Expire(v.until)
		}
		y.first, y.n = [8]earlyValue{}, 0
	}
	y.first[y.n] = earlyValue{s, until}
	y.n++
}

// addTo adds them to what an answer depends on.
func (y *earlyValues) addTo(s *values.Sum) {
	y.mu.Lock()
	defer y.mu.Unlock()
	s.Add(&y.sum)
	for _, v := range y.first[:y.n] {
		s.Add(v.sum)
		s.Expire(v.until)
	}
}

// missed hands on that there was no value: what is made of that is dropped when one
// is put.
func (q *valueQuery) missed(ctx context.Context) {
	if q.computation == nil && q.request == nil && q.arrival == nil {
		return
	}
	if q.why != "" {
		q.refuse(q.why)
		return
	}
	var s values.Sum
	stored, replaced := cascade.ValueTags(q.key)
	s.Tags = []cascade.Tag{stored, replaced, cascade.ValueNameTag(q.name)}
	q.depend(ctx, &s, time.Time{})
}

// dependOn adds what a part of the operation's answer depends on, if the answer is being
// computed. false: it was computed already, and what was stored of it is removed.
func (r *request) dependOn(c *Cache, s *values.Sum, until time.Time, by whose) bool {
	r.mu.Lock()
	computing, late := r.mu.computing, r.mu.computed
	if !computing && !late && (r.mutates || r.operation == nil || r.operation.Operation.Operation != ast.Query) {
		r.mu.Unlock()
		return true // nothing is kept of it
	}
	why := Reason("")
	switch {
	case late, r.cache != c: // the latter has another clock
		why = ReasonUnexplained
	case by&personal != 0 && computing && !r.mu.predicate:
		why = ReasonPrivate
	default:
		r.mu.reads.Add(s)
		r.mu.reads.Expire(until)
		if r.mu.reads.Full {
			why = ReasonReads
		}
	}
	r.mu.Unlock()
	if why != "" {
		r.refuseToStore(why)
	}
	return !late
}

// refuseValue is refuseToStore for an operation whose answer is being computed, or was.
func (r *request) refuseValue(why Reason) {
	r.mu.Lock()
	concerned := r.mu.computing || r.mu.computed
	r.mu.Unlock()
	if concerned {
		r.refuseToStore(why)
	}
}

// Read says, from inside a function of Compute or a resolver, what the value or the answer
// which is being computed depends on, beside what is declared: see Reads. Within a function
// it is also said of what is around that. Say it before the rows are read, or after, on the
// function's own context. The resolver of a field with @reads(atRuntime: true) says so what
// the field reads, on its own context and before it returns; without reads, that it reads
// nothing.
//
// It returns ErrNoOperation where nothing is computed, ErrLate when the computation has
// ended already, which removes what was kept of it, and an error that wraps ErrUnknownName,
// or ErrTenant for a partitioned view in a computation whose key has no tenant: then the
// value is not kept.
func Read(ctx context.Context, reads ...Change) error {
	if ctx == nil {
		return ErrNoOperation
	}
	e := enclosing{computation: computationFrom(ctx), request: requestFrom(ctx)}
	var c *Cache
	var part cascade.Partition
	tenanted := true
	switch {
	case e.computation != nil:
		c, part, tenanted = e.computation.c, e.computation.part, e.computation.tenanted
	case e.request != nil:
		c, part = e.request.cache, e.request.who.partition
	default:
		return ErrNoOperation
	}
	var s values.Sum
	var err error
	if s.Tags, err = c.tagsRead(nil, reads, part, tenanted); err != nil {
		e.refuse(ReasonReads)
		return err
	}
	if e.computation != nil {
		e.computation.says()
	}
	if e.dependOn(c, &s, time.Time{}, 0) {
		c.once.Warn("late read", "gqlcache: Read was called when the value, or the answer, was computed already", ErrLate)
		return ErrLate
	}
	e.said(ctx)
	return nil
}

// tagsRead appends the tags of what Reads or Read names.
func (c *Cache) tagsRead(tags []cascade.Tag, reads []Change, part cascade.Partition, tenanted bool) ([]cascade.Tag, error) {
	st := c.schema.Load()
	if st == nil {
		return tags, ErrNoSchema
	}
	for i := range reads {
		ch := &reads[i]
		ok, partitioned := true, false
		switch ch.kind {
		case changeEntity:
			id := cascade.ValueOf(ch.id)
			if !id.Known() || id.IsNull() {
				return tags, fmt.Errorf("gqlcache: the key of %s is a %T; use a string or a number", ch.name, ch.id)
			}
			tags, partitioned, ok = st.Plan.ReadRow(tags, ch.name, id, part)
		case changeView:
			tags, partitioned, ok = st.Plan.ReadView(tags, ch.name, part)
		case changeWhere:
			tags, partitioned, ok = st.Plan.ReadWhere(tags, ch.name, ch.column, cascade.ValueOf(ch.id), part)
		case changeTag:
			tags = append(tags, cascade.UserTag(ch.name))
		case changeComputed:
			tags = append(tags, cascade.ValueNameTag(ch.name))
		case changeOperation:
			return tags, fmt.Errorf("%w: a value cannot read the operation %q: it reads rows", ErrUnknownName, ch.name)
		case changeOperations, changeTenant, changeComputedMatching:
			return tags, fmt.Errorf("%w: a value reads rows and values of a name, not patterns or tenants: %q", ErrUnknownName, ch.name)
		case changeEverything:
			tags = c.appendAnything(tags)
		}
		switch {
		case !ok:
			return tags, ch.unknown()
		case partitioned && !tenanted:
			return tags, fmt.Errorf("%w: %s is partitioned, and the key has no tenant: add Tenant to the key", ErrTenant, ch.name)
		}
	}
	return tags, nil
}

// appendAnything appends the tags of what depends on every change.
func (c *Cache) appendAnything(tags []cascade.Tag) []cascade.Tag {
	tags = append(tags, cascade.Anything)
	if c.observing != nil {
		tags = append(tags, footprint.AnyRow)
	}
	return tags
}
