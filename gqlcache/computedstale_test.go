package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// An agingValue is a value that expires after a minute, and takes 100 ms to compute.
type agingValue struct {
	*valuesRig
	opts []gqlcache.ComputeOption
	err  error // of the function
	// during is called while the function runs, nil for nothing.
	during func()
}

func newAgingValue(t *testing.T, opts ...gqlcache.ComputeOption) *agingValue {
	t.Helper()
	return &agingValue{newValues(t, gqlcache.Options{Jitter: -1}), append([]gqlcache.ComputeOption{
		gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("x")), gqlcache.TTL(time.Minute),
	}, opts...), nil, nil}
}

func (a *agingValue) compute(ctx context.Context) (int, error) {
	return gqlcache.Compute(ctx, a.cache, gqlcache.KeyOf("aging"), func(ctx context.Context) (int, error) {
		n := int(a.calls.Add(1))
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if a.during != nil {
			a.during()
		}
		if a.err != nil {
			return 0, a.err
		}
		return n, nil
	}, a.opts...)
}

// want fails unless a call gets a value, or an error, after a time.
func (a *agingValue) want(what string, want int, err error, took time.Duration) {
	a.t.Helper()
	start := time.Now()
	got, e := a.compute(a.t.Context())
	if got != want || !errors.Is(e, err) || (err == nil) != (e == nil) || time.Since(start) != took {
		a.t.Errorf("%s: got %d, %v after %v; want %d, %v after %v", what, got, e, time.Since(start), want, err, took)
	}
}

const agingTook = 100 * time.Millisecond

// TestComputedStale: an expired value is served while one caller computes, for as long as
// was said, and never when a change has reached it.
func TestComputedStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgingValue(t, gqlcache.StaleFor(time.Minute))
		ctx := t.Context()
		var all sync.WaitGroup
		lead := func(want int) {
			all.Go(func() { a.want("who computes", want, nil, agingTook) })
			synctest.Wait()
		}
		a.want("the first", 1, nil, agingTook)
		a.want("a hit", 1, nil, 0)
		time.Sleep(90 * time.Second)
		if _, err := gqlcache.Get[int](ctx, a.cache, gqlcache.KeyOf("aging"), a.opts...); !errors.Is(err, gqlcache.ErrMiss) {
			t.Errorf("Get finds an expired value: %v", err)
		}
		if n := len(a.cache.ComputedValues(10)); n != 0 {
			t.Errorf("%d values are listed", n)
		}
		lead(2)
		for range 10 {
			a.want("the others", 1, nil, 0)
		}
		all.Wait()
		a.want("all", 2, nil, 0)
		if s := valueStats(a.cache, "aging"); s.Stale != 10 || s.Misses != 2 {
			t.Errorf("%+v", s)
		}
		// For longer than was said.
		time.Sleep(150 * time.Second)
		lead(3)
		a.want("who comes too late", 3, nil, agingTook)
		all.Wait()
		// A change reaches the value.
		time.Sleep(90 * time.Second)
		lead(4)
		a.invalidate(gqlcache.Tag("x"))
		a.want("after the change", 5, nil, 2*agingTook) // who computes is older than the change
		all.Wait()
		// Who does not say StaleFor.
		time.Sleep(90 * time.Second)
		lead(6)
		opts := a.opts
		a.opts = opts[:3]
		a.want("who does not say it", 6, nil, agingTook)
		all.Wait()
		time.Sleep(90 * time.Second)
		a.err = errFailing
		all.Go(func() { a.want("who fails", 0, errFailing, agingTook) })
		synctest.Wait()
		a.want("who has waited for a failure", 0, errFailing, 2*agingTook)
		all.Wait()
		a.opts, a.err = opts, nil
		a.calls.Store(6)
		time.Sleep(time.Minute)

		// Within: the others wait for a while.
		a.opts = append(opts[:4:4], gqlcache.Within(30*time.Millisecond))
		a.invalidate(gqlcache.Tag("x"))
		a.want("the first", 7, nil, agingTook)
		time.Sleep(90 * time.Second)
		lead(8)
		a.want("who has waited", 7, nil, 30*time.Millisecond)
		all.Wait()
		time.Sleep(90 * time.Second)
		lead(9)
		all.Go(func() { a.want("when it is too late to wait", 9, nil, agingTook) })
		time.Sleep(10 * time.Millisecond)
		if existed, err := gqlcache.Delete(ctx, a.cache, gqlcache.KeyOf("aging"), a.opts...); existed || err != nil {
			t.Errorf("Delete: %v, %v", existed, err)
		}
		all.Wait()
	})
}

// TestComputedOnError: an expired value is returned in place of an error, and of nothing else.
func TestComputedOnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgingValue(t, gqlcache.OnError(time.Minute))
		a.want("the first", 1, nil, agingTook)
		time.Sleep(90 * time.Second)
		a.err = errFailing
		a.want("in place of an error", 1, nil, agingTook)
		a.err = gqlcache.ErrAbsent
		a.want("there is none", 0, gqlcache.ErrAbsent, agingTook)
		a.err = nil
		a.invalidate(gqlcache.Tag("x"))
		a.want("a value", 4, nil, agingTook)
		time.Sleep(90 * time.Second)
		a.err = errFailing
		a.during = func() { a.invalidate(gqlcache.Tag("x")) }
		a.want("a change while it is computed", 0, errFailing, agingTook)
	})
}

// TestComputedErrorAge: an error is kept until anything changes, and never one that may be
// its caller's alone.
func TestComputedErrorAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgingValue(t, gqlcache.ErrorAge(time.Second))
		a.err = errFailing
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { a.want("together", 0, errFailing, agingTook) })
		}
		all.Wait()
		a.want("later", 0, errFailing, 0)
		if n := a.calls.Load(); n != 1 {
			t.Errorf("%d calls", n)
		}
		a.invalidate(gqlcache.Entity("User", "somebody"))
		a.want("after a change", 0, errFailing, agingTook)
		time.Sleep(time.Second)
		a.want("after its age", 0, errFailing, agingTook)
		if s := valueStats(a.cache, "aging"); s.Failures != 1 || s.Hits != 0 {
			t.Errorf("%+v", s)
		}
		a.invalidate(gqlcache.Everything())
		// Who has not said ErrorAge computes.
		time.Sleep(time.Minute)
		all.Go(func() { a.want("who fails", 0, errFailing, agingTook) })
		synctest.Wait()
		all.Go(func() {
			v, err := gqlcache.Compute(t.Context(), a.cache, gqlcache.KeyOf("aging"), func(context.Context) (int, error) { return 5, nil }, a.opts[:3]...)
			if v != 5 || err != nil {
				t.Errorf("who has not said ErrorAge: %d, %v", v, err)
			}
		})
		all.Go(func() {
			got, err := gqlcache.ComputeAll(t.Context(), a.cache, []int{1}, func(int) gqlcache.Key { return gqlcache.KeyOf("aging") },
				func(context.Context, []int) (map[int]int, error) { return map[int]int{1: 5}, nil }, a.opts[:3]...)
			if got[1] != 5 || err != nil {
				t.Errorf("who has not said ErrorAge, of several: %v, %v", got, err)
			}
		})
		all.Wait()
		a.invalidate(gqlcache.Everything())
		time.Sleep(time.Minute)
		// What is the caller's own.
		for _, own := range []error{context.DeadlineExceeded, os.ErrDeadlineExceeded, fmt.Errorf("of a query: %w", context.Canceled)} {
			a.err = own
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			if _, err := a.compute(ctx); !errors.Is(err, own) {
				t.Error(err)
			}
			cancel()
			time.Sleep(10 * time.Millisecond)
			a.err = nil
			if v, err := a.compute(t.Context()); v == 0 || err != nil {
				t.Errorf("%v is kept: %v", own, err)
			}
			a.invalidate(gqlcache.Everything())
		}
		// An answer that is made of it, by the first and by who finds it.
		a.err = errFailing
		a.store.On("Query.counter", func(ctx context.Context) error {
			if _, err := a.compute(ctx); !errors.Is(err, errFailing) {
				t.Error(err)
			}
			return nil
		})
		for range 2 {
			if _, got := a.do(testgraph.Request{Query: `{ counter(id: 1) { id } }`}); got != "MISS errors" {
				t.Errorf("an answer with a kept error: %s", got)
			}
		}
		// With OnError: the expired value meanwhile.
		a.opts = append(a.opts, gqlcache.OnError(time.Hour))
		a.err = nil
		a.invalidate(gqlcache.Everything())
		n := int(a.calls.Load()) + 1
		a.want("a value", n, nil, agingTook)
		time.Sleep(2 * time.Minute)
		a.err = errFailing
		a.want("the first that fails", n, nil, agingTook)
		a.want("the second", n, nil, 0)
	})
}

// TestComputedStaleInAnswers: an answer, and a value, that are made of an expired one are
// not stored.
func TestComputedStaleInAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgingValue(t, gqlcache.OnError(time.Hour))
		a.want("the first", 1, nil, agingTook)
		time.Sleep(2 * time.Minute)
		a.err = errFailing
		a.store.On("Query.counter", func(ctx context.Context) error {
			if v, err := a.compute(ctx); v != 1 || err != nil {
				t.Error(v, err)
			}
			return nil
		})
		for range 2 {
			if _, got := a.do(testgraph.Request{Query: `{ counter(id: 1) { id } }`}); got != "MISS expired" {
				t.Errorf("an answer with an expired value: %s", got)
			}
		}
		ran := 0
		for range 2 {
			_, err := gqlcache.Compute(t.Context(), a.cache, gqlcache.KeyOf("outer"), func(ctx context.Context) (int, error) {
				ran++
				return a.compute(ctx)
			}, gqlcache.ForAll(), gqlcache.Reads())
			if err != nil {
				t.Error(err)
			}
		}
		if ran != 2 {
			t.Error("a value that is made of an expired one is kept")
		}
	})
}

// TestComputeAllStale: the same for several values.
func TestComputeAllStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMany(t, gqlcache.ReadsOf(itemReads), gqlcache.TTL(time.Minute), gqlcache.StaleFor(time.Hour), gqlcache.OnError(time.Hour))
		m.want([]int{1, 2}, []int{1, 2})
		time.Sleep(2 * time.Minute)
		m.fn = func(context.Context, []int) error { time.Sleep(100 * time.Millisecond); return nil }
		var all sync.WaitGroup
		all.Go(func() { _, _ = m.all(t.Context(), 1) })
		synctest.Wait()
		start := time.Now()
		m.want([]int{1}) // has expired, and is computed elsewhere
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v", took)
		}
		all.Wait()
		m.fn = func(context.Context, []int) error { return errFailing }
		m.want([]int{1, 2}, []int{2})
		if got, err := m.all(t.Context(), 1, 3); !errors.Is(err, errFailing) || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
		m.invalidate(itemTag(2))
		if got, err := m.all(t.Context(), 1, 2); !errors.Is(err, errFailing) || len(got) != 1 {
			t.Errorf("after a change: %v, %v", got, err)
		}
		if _, err := gqlcache.ComputeAll(t.Context(), m.cache, []int{1}, itemKey, func(context.Context, []int) (map[int]string, error) { return nil, nil },
			gqlcache.ForAll(), gqlcache.ErrorAge(time.Second)); !errors.Is(err, gqlcache.ErrKey) {
			t.Error(err)
		}
	})
}

// TestComputedAgesAreChecked: a time that cannot be meant is an error.
func TestComputedAgesAreChecked(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	for i, bad := range []gqlcache.ComputeOption{
		gqlcache.StaleFor(0), gqlcache.OnError(-1), gqlcache.Within(0), gqlcache.Within(time.Second), gqlcache.ErrorAge(0), gqlcache.ErrorAge(time.Hour),
	} {
		ran := false
		err := callOf[int](gqlcache.KeyOf("x"), gqlcache.ForAll(), bad)(t.Context(), r.cache, &ran)
		if !errors.Is(err, gqlcache.ErrKey) || ran {
			t.Errorf("%d: %v, %v", i, err, ran)
		}
	}
}

// TestComputedErrorsAreTheCallers: what gqlgen writes into an error for one caller is not in
// the error of another one.
func TestComputedErrorsAreTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgingValue(t, gqlcache.ErrorAge(time.Second))
		a.err = &gqlerror.Error{Message: "no", Extensions: map[string]any{"code": "NO"}}
		var all sync.WaitGroup
		for i := range 3 {
			if i == 2 { // two wait for one, and one finds the error
				all.Wait()
			}
			all.Go(func() {
				_, err := a.compute(t.Context())
				var e *gqlerror.Error
				if !errors.As(err, &e) || e.Path != nil || e.Locations != nil || len(e.Extensions) != 1 || e.Message != "no" {
					t.Errorf("caller %d gets %#v", i, err)
					return
				}
				e.Path, e.Locations = ast.Path{ast.PathName(fmt.Sprint(i))}, []gqlerror.Location{{Line: i}}
				e.Extensions["caller"] = i
			})
		}
		all.Wait()
		if n := a.calls.Load(); n != 1 {
			t.Errorf("%d calls", n)
		}
		// Errors that cannot be copied are not kept.
		for n, err := range []error{
			fmt.Errorf("around: %w", &gqlerror.Error{Message: "no"}), gqlerror.List{{Message: "no"}}, (*gqlerror.Error)(nil),
			&gqlerror.Error{Message: "no", Err: &gqlerror.Error{Message: "within"}},
		} {
			a.invalidate(gqlcache.Everything())
			a.err = err
			a.calls.Store(0)
			for range 2 {
				if _, got := a.compute(t.Context()); got == nil {
					t.Error("no error")
				}
				time.Sleep(time.Millisecond)
			}
			if calls := a.calls.Load(); calls != 2 {
				t.Errorf("error %d: %d calls", n, calls)
			}
		}
	})
}

// TestComputeAllErrors: an error of the function is returned whatever is returned beside it,
// unless each of the ids has an expired value.
func TestComputeAllErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, opts := range [][]gqlcache.ComputeOption{nil, {gqlcache.OnError(time.Hour)}} {
			m := newMany(t, append(opts, gqlcache.ReadsOf(itemReads), gqlcache.TTL(time.Minute))...)
			all := func(ids ...int) (map[int]string, error) {
				return gqlcache.ComputeAll(t.Context(), m.cache, ids, itemKey, func(_ context.Context, missing []int) (map[int]string, error) {
					got := map[int]string{}
					for _, id := range missing {
						got[id] = "half of it"
					}
					return got, errFailing
				}, m.opts...)
			}
			if got, err := all(1, 2); !errors.Is(err, errFailing) || got[1] != "half of it" || got[2] != "half of it" {
				t.Errorf("%v, %v", got, err)
			}
			if opts == nil {
				continue
			}
			m.want([]int{1, 2}, []int{1, 2})
			time.Sleep(2 * time.Minute)
			if got, err := all(1, 2); err != nil || got[1] != "item 1" || got[2] != "item 2" {
				t.Errorf("in place of an error: %v, %v", got, err)
			}
			if got, err := all(1, 3); !errors.Is(err, errFailing) || got[1] != "half of it" || got[3] != "half of it" {
				t.Errorf("of one that has no expired value: %v, %v", got, err)
			}
		}
	})
}

// TestComputeAllWaitsOnce: Within is how long a call waits, however many callers it waits for.
func TestComputeAllWaitsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMany(t, gqlcache.ReadsOf(itemReads), gqlcache.TTL(time.Minute), gqlcache.StaleFor(time.Hour), gqlcache.Within(30*time.Millisecond))
		m.want([]int{1, 2, 3}, []int{1, 2, 3})
		time.Sleep(2 * time.Minute)
		m.fn = func(context.Context, []int) error { time.Sleep(200 * time.Millisecond); return nil }
		var others sync.WaitGroup
		for id := range 3 {
			others.Go(func() { _, _ = m.all(t.Context(), id+1) })
		}
		synctest.Wait()
		start := time.Now()
		m.want([]int{1, 2, 3})
		if took := time.Since(start); took > 31*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if n := valueStats(m.cache, "item").Stale; n != 3 {
			t.Errorf("%d expired values were served", n)
		}
		others.Wait()
	})
}
