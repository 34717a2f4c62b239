package gqlcache

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// ComputeAll is Compute of many values at once: it returns those of the ids, by id, which
// are kept and still true, and calls fn for all others together. keyOf returns the key of an
// id, which must have the id in it; all of them have one name and one tenant. Each value is
// kept under its own key, and found there by Compute and Get.
//
// Concurrent callers, of Compute too, compute each id once, however their sets overlap: fn is
// called with the missing ids that nobody else is computing, and ComputeAll then waits for
// the others. If somebody else has failed or left, fn is called once more, with what is still
// missing. Whoever waits computes nothing that others wait for.
//
// With Options.Shared other instances' values are found as well: in one round trip for up to
// 1,024 ids, where the store is a store.Batcher such as redisstore, and one by one where not.
// With Options.FillLease, and a store.BatchLeaser, each id that nobody has is computed by one
// instance: fn is called for those that no other one is computing, and what others have not
// computed by the end of that time, or have given up, is computed here.
//
// What fn leaves out does not exist: it is left out of the result, and that is kept as
// ErrAbsent is. fn must leave nothing out for another reason: because of a limit, say, or of
// a permission that the key does not have. When fn returns an error, or ctx has ended,
// nothing is kept, neither values nor absence; ErrAbsent alone says that none of them exists.
//
// What Reads declares, fn says with Read and statements read counts for each value of the
// call. ReadsOf declares what a single one depends on: without it, a change of one of the
// rows drops all values that were computed together.
//
// With the policy CacheOnly fn is not called, and the error is ErrMiss where one is missing.
//
// With an error, the map has the values that were found, and those that fn has returned with
// the error. Otherwise as Compute.
func ComputeAll[K comparable, T any](ctx context.Context, cache *Cache, ids []K, keyOf func(id K) Key, fn func(ctx context.Context, missing []K) (map[K]T, error), opts ...ComputeOption) (map[K]T, error) {
	if keyOf == nil || fn == nil {
		return nil, errNoFunction
	}
	if len(ids) == 0 {
		return map[K]T{}, nil
	}
	var q valueQuery
	defer q.free()
	q.all, q.typ = true, reflect.TypeFor[T]()
	first := keyOf(ids[0])
	if err := cache.askValue(ctx, &first.key, opts, &q); err != nil {
		return nil, err
	}
	if q.set.errorAge > 0 {
		return nil, fmt.Errorf("%w: of %s: ErrorAge is not for ComputeAll, whose errors are of no single id", ErrKey, q.name)
	}
	q.reads()
	a := &allValues[K, T]{got: make(map[K]T, len(ids)), fn: fn}
	b := newBatch(&q, a)
	seen := make(map[K]struct{}, len(ids))
	for _, id := range ids {
		if _, twice := seen[id]; twice {
			continue
		}
		seen[id] = struct{}{}
		key := keyOf(id)
		if err := b.next(ctx, &first.key, &key.key); err != nil {
			return nil, err
		}
		found, err := a.find(ctx, &q, id)
		if err == nil && !found {
			a.missing = append(a.missing, id)
			err = b.add(id)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(a.missing) == 0 {
		q.said(ctx)
		a.tell(ctx, &q)
		return a.got, nil
	}
	if q.wants.policy == CacheOnly {
		all, err := b.only(ctx)
		if err == nil && !all {
			err = ErrMiss
		}
		if all {
			a.tell(ctx, &q)
		}
		return a.got, err
	}
	compute := b.compute
	if q.why != "" {
		compute = b.beside
	}
	err := compute(ctx)
	if err == nil && !b.convicted {
		q.said(ctx)
		a.tell(ctx, &q)
	}
	return a.got, err
}

// tell tells the computations around the call of the values, if their keys are checked.
func (a *allValues[K, T]) tell(ctx context.Context, q *valueQuery) {
	if !q.checked {
		return
	}
	for _, v := range a.got {
		got(ctx, q, v)
	}
}

// allValues are the values of a call of ComputeAll.
type allValues[K comparable, T any] struct {
	fn      func(ctx context.Context, missing []K) (map[K]T, error)
	missing []K
	got     map[K]T
	// last is what fn has returned.
	last map[K]T
}

// find takes the value of an id, or its absence, if it is kept.
func (a *allValues[K, T]) find(ctx context.Context, q *valueQuery, id K) (found bool, err error) {
	if q.why != "" {
		return false, nil
	}
	s, body := q.c.findValue(ctx, q)
	if s == nil || q.passesOver(s) {
		return false, nil
	}
	v, usable, err := opened[T](s, body, &q.set)
	if usable {
		q.hit(ctx, s)
		err = nil // ErrAbsent is none here
	}
	if usable && !s.absent {
		a.got[id] = v
	}
	return usable, err
}

// run implements batchValues.
func (a *allValues[K, T]) run(ctx context.Context, which []int) error {
	ids := make([]K, len(which))
	for i, n := range which {
		ids[i] = a.missing[n]
	}
	var err error
	a.last, err = a.fn(ctx, slices.Clone(ids))
	for _, id := range ids {
		if v, ok := a.last[id]; ok {
			a.got[id] = v
		}
	}
	return err
}

// box implements batchValues.
func (a *allValues[K, T]) box(n int) any {
	v, ok := a.last[a.missing[n]]
	if !ok {
		return nil
	}
	p := new(T)
	*p = v
	return p
}

// take implements batchValues.
func (a *allValues[K, T]) take(q *valueQuery, n int, res *valueResult) (usable bool, err error) {
	if res.typ == q.typ && isAbsence(res.instead) {
		return true, nil
	}
	v, usable, err := openedParts[T](res.value, res.body, res.typ, res.plain, &q.set)
	if usable {
		a.got[a.missing[n]] = v
	}
	return usable, err
}

func errOneName(name string) error {
	return fmt.Errorf("%w: of %s: the keys of one call of ComputeAll have one name and one tenant", ErrKey, name)
}
