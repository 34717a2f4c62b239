package gqlcache

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// This file is about values that have expired, and errors that are kept.
//
// Invariants:
//
//  1. A value that has expired is returned only if there is a lease, and no change has
//     reached it: looked at after the wait, or the function, in whose place it is returned.
//  2. What is around it is not stored: it would hide what has changed unseen for longer
//     than the value's owner has said. So it is with a kept error.
//  3. A function runs for a caller, on its context, and this caller waits for it. The
//     others are who get the expired value.
//  4. Every change drops a kept error: absence may be told as an error, and must not
//     outlive the creation.

// StaleFor has a value that has expired returned while one caller computes it anew, for that
// long after it has expired. Who finds that nobody computes it is that caller, and waits for
// its function. It must be positive.
func StaleFor(d time.Duration) ComputeOption { return ComputeOption{kind: optionStaleFor, ttl: d} }

// OnError has a value that has expired returned in place of an error of the function, for
// that long after it has expired. It is in place of any error but ErrAbsent, also of one
// that says that the caller may not see the value: check that before the call. It must be
// positive.
func OnError(d time.Duration) ComputeOption { return ComputeOption{kind: optionOnError, ttl: d} }

// Within is how long callers wait for another one's function before they get the expired
// value, for as long as StaleFor or OnError says that it is good. With it StaleFor does not
// return the expired value at once. The caller whose function runs waits for it, however
// long it takes. It must be positive, and needs one of the two.
func Within(d time.Duration) ComputeOption { return ComputeOption{kind: optionWithin, ttl: d} }

// ErrorAge has errors of the function kept for that long, at most a minute, so that it is
// called once and not by each caller while something is out of order. Who waits for it, and
// has said ErrorAge, gets the error, too. Any change of anything ends it. The error itself is
// kept, and given to several callers, but for a *gqlerror.Error: gqlgen and error presenters
// write into it, so each caller gets a copy of its own, and an error that only wraps one is
// not kept. An error is not kept that may come from the end of the caller's context either.
// With OnError, callers get the expired value meanwhile. It is not for ComputeAll.
func ErrorAge(d time.Duration) ComputeOption { return ComputeOption{kind: optionErrorAge, ttl: d} }

// maxErrorAge bounds ErrorAge.
const maxErrorAge = time.Minute

// age sets an option that is a time.
func (s *computeSettings) age(o *ComputeOption) {
	name, at := "StaleFor", &s.staleFor
	switch o.kind { //nolint:exhaustive // the others are no times
	case optionOnError:
		name, at = "OnError", &s.onError
	case optionWithin:
		name, at = "Within", &s.within
	case optionErrorAge:
		name, at = "ErrorAge", &s.errorAge
		if o.ttl > maxErrorAge {
			s.fault = "ErrorAge must be at most a minute"
		}
	}
	if *at = o.ttl; o.ttl <= 0 {
		s.fault = name + " must be positive"
	}
}

// beyond is how long the store holds values that have expired.
func (s *computeSettings) beyond() time.Duration { return max(s.staleFor, s.onError) }

// hasExpired says whether a value has expired that the store still holds. The store holds
// most values no longer than they last: of these no clock is read.
func (s *valueStamp) hasExpired(now func() time.Time) bool {
	return s.beyond && s.ExpiredFor(now()) >= 0
}

// isExpired says the same of an entry.
func (c *Cache) isExpired(e *store.Entry) bool {
	s, ok := e.Meta.(*valueStamp)
	return ok && s.hasExpired(c.opts.Now)
}

// serves says whether the old value may be returned if it has expired for less than a time.
func (q *valueQuery) serves(bound time.Duration) bool {
	c := q.c
	return q.old != nil && q.old.ExpiredFor(c.opts.Now()) < bound && c.fresh() && c.engine.Valid(&q.old.Stamp)
}

// patientFor is how long ago the old value may have expired if the caller is not to wait any
// more.
func (q *valueQuery) patientFor() time.Duration {
	if q.set.within > 0 {
		return q.set.beyond()
	}
	return q.set.staleFor
}

// boundWait says how long a call waits for others. Who is within a computation waits for
// nobody: one of those may wait for it. So whoever leads comes to an end, and operations may
// wait for it.
func (q *valueQuery) boundWait(call *flight.Call[*valueResult]) {
	call.Within = 0
	call.NoWait = q.computation != nil
	switch {
	case q.old == nil:
	case q.set.within > 0:
		if q.serves(q.set.beyond()) {
			call.Within = q.set.within
		}
	case q.serves(q.set.staleFor):
		call.NoWait = true
	}
}

// isSaved says whether the old value is to be returned in place of a function's error.
func (q *valueQuery) isSaved(ctx context.Context, res *valueResult, failed error) bool {
	if res.failed != nil && res.shared {
		q.refuse(ReasonErrors)
	}
	return failed != nil && !isAbsence(failed) && orBackground(ctx).Err() == nil && q.serves(q.set.onError)
}

// stale counts an expired value that is returned, and has what is around it not stored.
func (q *valueQuery) stale(ctx context.Context) {
	q.figures().Stale.Add(1)
	q.depend(ctx, &q.old.sum, q.old.Expires())
	q.refuse(ReasonExpired)
}

// stale returns the query's old value.
func stale[T any](ctx context.Context, q *valueQuery, fn func(ctx context.Context) (T, error)) (T, error) {
	v, usable, err := opened[T](q.old, q.oldBody, &q.set)
	switch {
	case usable:
		q.stale(ctx)
		return given(ctx, q, v, err)
	case err == nil: // another call has it kept in another way
		q.why = ReasonCodec
		return beside(ctx, q, fn)
	}
	return v, err
}

// keptFailure returns an error that is kept in place of the value, nil when there is none.
func (c *Cache) keptFailure(ctx context.Context, q *valueQuery) *valueResult {
	if q.set.errorAge == 0 || q.wants.policy == Refresh {
		return nil
	}
	e, _ := c.engine.Lookup(ctx, []byte(values.FailureKey(string(q.key))))
	if e == nil {
		return nil
	}
	s, ok := e.Meta.(*valueStamp)
	if !ok || s.failed == nil || !q.isFor(ctx, s.only) {
		return nil
	}
	q.figures().Failures.Add(1)
	q.depend(ctx, &s.sum, s.Expires())
	return &valueResult{instead: s.failed, failed: s.failed, shared: true}
}

// keepFailure keeps the error of a function, and gives it to those who wait.
func (c *Cache) keepFailure(ctx context.Context, q *valueQuery, key string, x *computation, res *valueResult, token uint64, took time.Duration) {
	if q.set.errorAge == 0 || res.why != ReasonErrors || res.failed == nil || !isKeepable(ctx, res.failed) {
		return
	}
	text, err := safe.Call(func() (string, error) { return res.failed.Error(), nil })
	if err != nil {
		return
	}
	failed, ok := ownError(res.failed)
	if !ok {
		return
	}
	anything := values.Sum{Tags: c.appendAnything(nil)}
	anything.Coarse = anything.Tags
	sum := res.sum.Clone()
	sum.Add(&anything)
	sum.Merge()
	until := c.opts.Now().Add(q.set.errorAge)
	if res.until.Before(until) {
		until = res.until
	}
	s := &valueStamp{failed: failed, typ: res.typ, sum: sum, figures: q.figures(), only: res.only}
	key = values.FailureKey(key)
	e, kept := c.engine.Keep(ctx, key, engine.Answer{
		Meta: s, Beside: len(text) + sum.Size(), Took: took, Token: token, Tags: slices.Clone(sum.Tags), Expires: until,
	})
	if kept != engine.Stored {
		return
	}
	if !x.keep(key, e) {
		c.withdrawValue(key, e)
		return
	}
	res.instead, res.stamp, res.sum, res.until, res.shared = failed, s, sum, until, true
}

// isForeign says whether a result of another call is an error that the query does not take:
// it has not said ErrorAge.
func (res *valueResult) isForeign(q *valueQuery) bool {
	return res.failed != nil && q.set.errorAge == 0
}

// isKeepable says whether an error is for other callers, too: it is not if it may come from
// the end of the caller's context. Drivers make a time limit of their connections of its
// deadline, which ends a moment before the context does.
func isKeepable(ctx context.Context, err error) bool {
	canceled, broken := safe.Call(func() (bool, error) { return errors.Is(err, context.Canceled), nil })
	if broken != nil || canceled {
		return false
	}
	if _, has := ctx.Deadline(); !has {
		return true
	}
	var t interface{ Timeout() bool }
	out, failed := safe.Call(func() (bool, error) { return errors.As(err, &t) && t.Timeout(), nil })
	return failed == nil && !out
}

// ownError returns an error that nobody else writes into. false: it has parts that others may
// write into, and that cannot be copied. gqlgen writes the path and the place of a field into
// a *gqlerror.Error that it finds in an error, and error presenters their own: with one error
// for several callers, one of them would be told another one's.
func ownError(err error) (own error, ok bool) {
	var inner *gqlerror.Error
	has := func(err error) bool {
		found, failed := safe.Call(func() (bool, error) { return errors.As(err, &inner), nil })
		return found || failed != nil
	}
	if !has(err) {
		return err, true
	}
	outer, ok := err.(*gqlerror.Error) //nolint:errorlint // an error around one cannot be copied
	if !ok || outer == nil || outer.Err != nil && has(outer.Err) {
		return nil, false
	}
	c := *outer
	c.Path, c.Locations, c.Extensions = slices.Clone(c.Path), slices.Clone(c.Locations), maps.Clone(c.Extensions)
	return &c, true
}
