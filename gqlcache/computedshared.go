package gqlcache

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// This file is about values in Options.Shared. A value is an entry there like an answer, and
// is proven, leased and withdrawn by the same code: see package fleet.
//
// Invariants:
//
//  1. A value is shared only with the place in the log that its number belongs to: that of
//     what is around the call, or one that was read before the number.
//  2. It is shared with all that it depends on, by tags that rely on no shape as well. Who
//     takes it over depends on all of these, and expires with it.
//  3. It is taken over only by a call that means the same by its bytes: the build is in the
//     key, type and codec are compared, and it is decoded before it is kept or given to
//     anybody.
//  4. A value that is for some requests only, one that is kept as it is because the program
//     says so, an error, and an expired value are not shared.
//  5. Who is within a computation may ask the store, and waits for no lease.

// isShared says whether the call's values may be in Options.Shared.
func (q *valueQuery) isShared() bool {
	return q.c.opts.Shared != nil && !q.set.immutable && (q.set.codec != nil || values.JSONFault(q.typ) == "")
}

// asksOthers says whether a value of another instance is of use.
func (q *valueQuery) asksOthers() bool {
	return q.why == "" && q.wants.policy != Refresh && q.isShared()
}

// form says what the bytes of the call's values mean.
func (q *valueQuery) form() values.Form {
	if q.set.codec == nil {
		return values.FormOf(q.typ, nil)
	}
	return values.FormOf(q.typ, q.set.codec)
}

// place returns the place in the log that a computation of this call is based on, zero where
// no other instance may have its value. Call it before begin, which has the number.
func (q *valueQuery) place() changelog.Position {
	if q.c.opts.Shared == nil {
		return changelog.Position{}
	}
	x := q.ownComputation()
	switch {
	case x != nil:
		return x.at
	case q.own() != nil:
		return q.own().at
	case q.arrival != nil && q.arrival.hold != nil: // see newRequest
		return changelog.Position{}
	case q.arrival != nil:
		return q.arrival.at
	case q.isWithinAnother():
		return changelog.Position{}
	}
	at, _ := q.c.fleet.Place()
	return at
}

// A taking takes a value over.
type taking struct {
	q    *valueQuery
	form values.Form
	// anyForm says that the value is not wanted, only whether there is one.
	anyForm bool
	// younger is when the value must not have expired yet.
	younger time.Time
	// The value that fitted last.
	absent bool
	value  reflect.Value // a pointer to it
	body   []byte
}

// newTaking returns what takes a value over in place of an expired one, nil for none.
func (q *valueQuery) newTaking(old *valueStamp) *taking {
	t := &taking{q: q, younger: q.c.opts.Now()}
	if old != nil && old.Expires().After(t.younger) {
		t.younger = old.Expires()
	}
	return t
}

func (t *taking) wanted() fleet.Wanted {
	return fleet.Wanted{Younger: t.younger, Fits: t.fits, Uncounted: true}
}

// fits says whether an entry is of use, and decodes it.
func (t *taking) fits(e *store.Entry) bool {
	absent, form, body, ok := values.CutShared(e.Body)
	if !ok || e.Expires.IsZero() || form != t.form && !t.anyForm {
		return false
	}
	t.absent, t.body = absent, body
	if absent || t.anyForm {
		return true
	}
	t.value = reflect.New(t.q.typ)
	return safe.Do(func() error { return t.q.set.by().Unmarshal(body, t.value.Interface()) }) == nil
}

// sharedValue returns a value that another instance has stored, and that is true as far as
// is known here, or nil.
func (c *Cache) sharedValue(ctx context.Context, q *valueQuery, key string) *valueResult {
	if !q.asksOthers() {
		return nil
	}
	x := q.newTaking(q.old)
	x.form = q.form()
	return c.adoptValue(ctx, x, key, c.fleet.TakeOver(ctx, values.SharedKey(key), x.wanted()))
}

// takeValue is sharedValue of a call that computes nothing.
func (c *Cache) takeValue(ctx context.Context, q valueQuery, typ reflect.Type) *valueResult {
	if c.opts.Shared == nil {
		return nil
	}
	q.typ = typ
	return c.sharedValue(orBackground(ctx), &q, string(q.key))
}

// existsElsewhere says whether another instance has stored the value, whatever its type, or
// that there is none.
func (c *Cache) existsElsewhere(ctx context.Context, q valueQuery) (found *fleet.Taken, absent bool) {
	if c.opts.Shared == nil || q.why != "" || q.set.immutable || q.wants.policy == Refresh {
		return nil, false
	}
	x := q.newTaking(q.old)
	x.anyForm = true
	found = c.fleet.TakeOver(orBackground(ctx), values.SharedKey(string(q.key)), x.wanted())
	return found, x.absent
}

// leadValue decides which of all instances computes a value: see Options.FillLease and
// fleet.Lead. Who is within a computation waits for nobody, and who has an expired value
// for those who wait computes at once.
func (c *Cache) leadValue(ctx context.Context, q *valueQuery, key string) (res *valueResult, release func()) {
	if c.opts.FillLease <= 0 || !q.asksOthers() || q.computation != nil || q.old != nil {
		return nil, func() {}
	}
	x := q.newTaking(nil)
	x.form = q.form()
	t, release := c.fleet.Lead(ctx, values.SharedKey(key), x.wanted())
	return c.adoptValue(ctx, x, key, t), release
}

// adoptValue keeps another instance's value in the store of this one, and returns it.
// Without a value it returns nil.
func (c *Cache) adoptValue(ctx context.Context, x *taking, key string, t *fleet.Taken) *valueResult {
	if t == nil {
		return nil
	}
	q := x.q
	s := &valueStamp{
		typ: q.typ, absent: x.absent, beyond: q.set.beyond() > 0, figures: q.figures(),
		sum: values.Sum{Tags: slices.Clone(t.Tags)}, // those for other instances are among them
	}
	res := &valueResult{typ: q.typ, sum: s.sum, until: t.Expires, found: true, shared: true, stamp: s}
	beside := 0
	switch {
	case x.absent:
		res.instead = ErrAbsent
	case values.Plain(q.typ):
		s.plain, s.value = true, x.value.Interface()
		res.plain, res.value = true, s.value
		beside = values.SizeOf(s.value)
	default:
		res.body = x.body
	}
	s.figures.Shared.Add(1)
	e, kept := c.engine.Keep(ctx, key, engine.Answer{
		Body: res.body, Meta: s, Beside: beside + s.sum.Size(), Took: engine.UnknownCost,
		Proven: t.Stamp, Passing: !c.promotes(q.old != nil), Expires: t.Expires, Beyond: q.set.beyond(),
	})
	if kept == engine.Stored {
		c.inspector.ValueStored(key, q.name, func() watch.Entry {
			return watch.Entry{
				Tags: slices.Clone(t.Tags), Born: e.Version, Size: e.Size, Expires: t.Expires, Cost: s.Took(),
				Live: func() bool { return c.engine.Valid(&s.Stamp) },
			}
		})
	}
	return res
}

// shareValue stores a value for the other instances. at is the place in the log that it is
// based on.
func (c *Cache) shareValue(ctx context.Context, q *valueQuery, key string, res *valueResult, at changelog.Position) {
	if !q.isShared() || at.Epoch == 0 || res.only != 0 || res.sum.Only {
		return
	}
	body := res.body
	if res.value != nil {
		var ok bool
		if body, ok = encodedFor(res, &q.set); !ok {
			return
		}
	}
	b := values.AppendShared(make([]byte, 0, len(body)+64), res.instead != nil, q.form(), body)
	tags := cascade.Merge(slices.Concat(res.sum.Tags, res.sum.Coarse))
	c.fleet.Share(ctx, values.SharedKey(key), &store.Entry{Body: b, Expires: res.until, Size: len(b)}, at, tags)
}

// encodedFor returns the bytes of a value that is kept as it is, if they come back as the
// value.
func encodedFor(res *valueResult, set *computeSettings) (body []byte, ok bool) {
	encoded := valueResult{typ: res.typ}
	if err := encodeValue(&encoded, set, res.value); err != nil {
		return nil, false
	}
	return encoded.body, true
}

// withdrawValue removes what should not have been kept under a key. Instances that share a
// store may have it already.
func (c *Cache) withdrawValue(key string, e *store.Entry) {
	ctx := context.Background()
	c.engine.Withdraw(ctx, []byte(key), e)
	if key != "" && key[0] == values.Version {
		c.fleet.Withdraw(ctx, values.SharedKey(key))
	}
}

// holdLease notes how the lease to compute the value for all instances is given up: see the
// function.
func (x *computation) holdLease(release func()) func() {
	return holdLease(&x.mu, &x.mu.lease, &x.mu.unstored, release)
}
