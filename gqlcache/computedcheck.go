package gqlcache

import (
	"context"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/digest"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
)

// The key check of values: see keycheck.go.
//
// Invariants:
//
//  1. Statements of a function are judged twice: by the value's key, and by the keys of what
//     is around it. A value whose key does not explain them is not kept, and all values of
//     its name are dropped, in all instances.
//  2. The key under which a value is asked for is judged by the key of what asks, also
//     where the value is found. Only then what the value holds counts as explained there.
//  3. A value that may be explained by coincidence is for requests with the credentials of
//     its own, and so is all that is made of it: values.Sum.Only.
//  4. Outside of requests there is no caller, so nothing can be for the same one. There the
//     owner has said who shares the value, by ForAll or a tenant, and that counts until the
//     check shows it to be wrong.

// asks tells the computations around a call of its key, if their keys are checked.
func (q *valueQuery) asks(ctx context.Context, k *values.Key) {
	if q.c.observing == nil || q.c.observing.keys == nil || q.writes || q.computation == nil && q.request == nil {
		return
	}
	if q.checked = footprint.Checks(ctx); q.checked {
		footprint.Asks(ctx, q.name, k.Parts())
	}
}

// given returns what a call returns. A value, and its absence, says what the field reads in
// whose resolver the call is. It tells the computations around the call of a value, if their
// keys are checked.
func given[T any](ctx context.Context, q *valueQuery, v T, err error) (T, error) {
	if q.request != nil && (err == nil || isAbsence(err)) {
		q.said(ctx)
	}
	if q.checked && err == nil {
		got(ctx, q, v)
	}
	return v, err
}

// got tells the computations around a call of a value. It is apart so that values need not
// be in the heap otherwise.
//
//go:noinline
func got[T any](ctx context.Context, q *valueQuery, v T) { footprint.Got(ctx, q.name, v) }

// checkOf returns what begins the check of a value's key, or of the keys of a batch, nil
// without one. A batch asks for the rows of all its ids at once, so the argument of a
// statement may be that of any of them.
func (c *Cache) checkOf(ctx context.Context, q *valueQuery, keys ...string) func() *footprint.KeyCheck {
	if c.observing.keys == nil {
		return nil
	}
	return func() *footprint.KeyCheck {
		k := footprint.Key{Operation: q.name, Value: true, Variables: map[string]any{}}
		var document digest.Running
		document.Text("computed")
		document.Text(q.name)
		k.Document = uint64(document)
		var predicate string
		arguments := map[string][]any{}
		for _, key := range keys {
			scope, parts, ok := values.ScopeOf([]byte(key))
			if !ok {
				continue
			}
			predicate, k.Predicate, k.Vary = scope.Predicate, scope.Predicate, scope.Vary
			if scope.Headers != "" { // one text, as in the key of an operation
				k.Vary = append(k.Vary, scope.Headers)
			}
			for name, v := range parts {
				arguments[name] = append(arguments[name], v)
			}
		}
		for name, list := range arguments {
			if k.Variables[name] = list; len(list) == 1 {
				k.Variables[name] = list[0] // else two arguments have one name, or it is a batch
			}
		}
		asker, _ := q.asker(ctx)
		caller := digest.Running(asker)
		if predicate != "" {
			caller.Text(predicate)
		}
		k.Caller = footprint.Caller(caller)
		return c.observing.keys.Begin(k)
	}
}

// asker returns a digest of the credentials of who asks, 0 outside of requests. known is
// false where it cannot be told.
func (q *valueQuery) asker(ctx context.Context) (who uint64, known bool) {
	switch {
	case q.request != nil && q.request.operation != nil:
		return q.c.asker(ctx, q.request.operation), true
	case q.arrival != nil:
		return q.arrival.asker, q.arrival.asker != 0
	}
	return 0, q.request == nil
}

// isFor says whether a value may be given to who asks.
func (q *valueQuery) isFor(ctx context.Context, only uint64) bool {
	if only == 0 {
		return true
	}
	who, _ := q.asker(ctx)
	return who == only
}

// judge says who may have a value, by the verdict on its key: true for nobody else.
func (q *valueQuery) judge(ctx context.Context, res *valueResult, v *footprint.Verdict) (forNobody bool) {
	if len(v.Convicted) > 0 {
		for i := range v.Convicted {
			if v.Convicted[i].New {
				q.dropName(ctx)
				break
			}
		}
		return true
	}
	who, known := q.asker(ctx)
	if v.Coincidental && q.isWithinRequest() {
		res.sum.Only = true
	}
	if res.sum.Only {
		res.only = who
		return !known || who == 0
	}
	return false
}

// dropName drops the values of a name, since their keys were found to be incomplete.
func (q *valueQuery) dropName(ctx context.Context) {
	q.c.publish(context.WithoutCancel(ctx), change{
		by:         inspect.Cause{Kind: causeManual, Name: "key check: compute " + q.name},
		operations: []cascade.Tag{cascade.ValueNameTag(q.name)},
	})
}
