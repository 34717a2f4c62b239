package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestComputedAbsence: that there is no value is kept with what the function has looked at,
// until that changes. An error beside it is an error, and one that nothing was looked at for
// is not kept.
func TestComputedAbsence(t *testing.T) {
	t.Parallel()
	reads := gqlcache.Reads(gqlcache.Entity("User", testgraph.Ann))
	said := func(ctx context.Context) error { return gqlcache.Read(ctx, gqlcache.Entity("User", testgraph.Ann)) }
	for _, row := range []struct {
		name string
		err  error
		read func(ctx context.Context) error
		opts []gqlcache.ComputeOption
		kept bool
	}{
		{name: "declared", err: gqlcache.ErrAbsent, opts: []gqlcache.ComputeOption{reads}, kept: true},
		{name: "said", err: gqlcache.ErrAbsent, read: said, kept: true},
		{name: "wrapped", err: fmt.Errorf("no user: %w", gqlcache.ErrAbsent), opts: []gqlcache.ComputeOption{reads}, kept: true},
		{name: "joined with itself", err: errors.Join(nil, gqlcache.ErrAbsent, gqlcache.ErrAbsent), opts: []gqlcache.ComputeOption{reads}, kept: true},
		{name: "nothing was looked at", err: gqlcache.ErrAbsent},
		{name: "nothing is declared", err: gqlcache.ErrAbsent, opts: []gqlcache.ComputeOption{gqlcache.Reads()}},
		{name: "joined with an error", err: errors.Join(gqlcache.ErrAbsent, errFailing), opts: []gqlcache.ComputeOption{reads}},
		{name: "beside an error", err: fmt.Errorf("%w: %w", errFailing, gqlcache.ErrAbsent), opts: []gqlcache.ComputeOption{reads}},
		{name: "an error", err: errFailing, opts: []gqlcache.ComputeOption{reads}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newValues(t, gqlcache.Options{})
			ctx, key := t.Context(), gqlcache.KeyOf("user").Arg("id", 1)
			opts := append(row.opts, gqlcache.ForAll())
			compute := func() error {
				v, err := gqlcache.Compute(ctx, r.cache, key, func(ctx context.Context) (int, error) {
					r.calls.Add(1)
					if row.read != nil {
						if err := row.read(ctx); err != nil {
							t.Error(err)
						}
					}
					return 7, row.err
				}, opts...)
				if kept := v == 0; err == nil || kept != (r.calls.Load() == 0) {
					t.Errorf("got %d, %v", v, err)
				}
				return err
			}
			if err := compute(); !errors.Is(err, row.err) {
				t.Errorf("who computes gets %v", err)
			}
			r.calls.Store(0)
			err := compute()
			if ran := r.calls.Load() == 1; ran == row.kept || row.kept && !errors.Is(err, gqlcache.ErrAbsent) {
				t.Errorf("ran again: %v, %v", ran, err)
			}
			want := gqlcache.ErrMiss
			if row.kept {
				want = gqlcache.ErrAbsent
			}
			if _, err := gqlcache.Get[int](ctx, r.cache, key, opts...); !errors.Is(err, want) {
				t.Errorf("Get: %v", err)
			}
			if ok, err := gqlcache.Exists(ctx, r.cache, key, opts...); ok || err != nil {
				t.Errorf("Exists: %v, %v", ok, err)
			}
			if !row.kept {
				return
			}
			if _, err := gqlcache.Get[string](ctx, r.cache, key, opts...); !errors.Is(err, gqlcache.ErrKey) {
				t.Errorf("a value of another type: %v", err)
			}
			r.invalidate(gqlcache.Entity("User", testgraph.Bob))
			r.calls.Store(0)
			if _ = compute(); r.calls.Load() != 0 {
				t.Error("a change of another row has ended it")
			}
			r.invalidate(gqlcache.Entity("User", testgraph.Ann))
			if _ = compute(); r.calls.Load() != 1 {
				t.Error("the creation has not ended it")
			}
			if existed, err := gqlcache.Delete(ctx, r.cache, key, opts...); existed || err != nil {
				t.Errorf("Delete: %v, %v", existed, err)
			}
			if _ = compute(); r.calls.Load() != 2 {
				t.Error("it was not deleted")
			}
			if err := gqlcache.Put(ctx, r.cache, key, 8, r.cache.Begin(ctx), opts...); err != nil {
				t.Fatal(err)
			}
			if v, err := gqlcache.Get[int](ctx, r.cache, key, opts...); v != 8 || err != nil {
				t.Errorf("after Put: %d, %v", v, err)
			}
		})
	}
}

// TestComputedAbsenceIsShared: who waits for a function that finds nothing gets that; one
// whose context has ended has found nothing out.
func TestComputedAbsenceIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newValues(t, gqlcache.Options{})
		compute := func(ctx context.Context) error {
			_, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("user"), func(ctx context.Context) (int, error) {
				r.calls.Add(1)
				select {
				case <-time.After(100 * time.Millisecond):
				case <-ctx.Done():
				}
				return 0, gqlcache.ErrAbsent
			}, gqlcache.ForAll(), gqlcache.Reads(gqlcache.View("User")))
			return err
		}
		var all sync.WaitGroup
		leader, leave := context.WithCancel(t.Context())
		all.Go(func() {
			if err := compute(leader); !errors.Is(err, gqlcache.ErrAbsent) {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 10 {
			all.Go(func() {
				if err := compute(t.Context()); !errors.Is(err, gqlcache.ErrAbsent) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		leave()
		all.Wait()
		if n := r.calls.Load(); n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestComputedAbsenceInAnswers: an answer that was made of an absence falls with it.
func TestComputedAbsenceInAnswers(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	r.store.On("Query.counter", func(ctx context.Context) error {
		_, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("fee"), func(context.Context) (int, error) {
			return 0, gqlcache.ErrAbsent
		}, gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("fees")))
		if !errors.Is(err, gqlcache.ErrAbsent) {
			t.Error(err)
		}
		return nil
	})
	for _, id := range []string{"1", "2"} { // the second finds it
		request := testgraph.Request{Query: `{ counter(id: ` + id + `) { id } }`}
		for _, want := range []string{"MISS", "HIT"} {
			if _, got := r.do(request); got != want {
				t.Errorf("%s: %s, want %s", id, got, want)
			}
		}
	}
	r.invalidate(gqlcache.Tag("fees"))
	for _, id := range []string{"1", "2"} {
		if _, got := r.do(testgraph.Request{Query: `{ counter(id: ` + id + `) { id } }`}); got != "MISS" {
			t.Errorf("%s: %s", id, got)
		}
	}
}

// panickingError panics whenever it is looked into.
type panickingError struct{}

func (*panickingError) Error() string { return "broken" }
func (*panickingError) Unwrap() error { panic("Unwrap") }
func (*panickingError) Is(error) bool { panic("Is") }
func (*panickingError) As(any) bool   { panic("As") }
func (*panickingError) Timeout() bool { panic("Timeout") }

// TestComputedErrorsThatPanic: whatever an error does when it is looked into, the caller gets
// it, and nothing is kept of it.
func TestComputedErrorsThatPanic(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	for _, opts := range [][]gqlcache.ComputeOption{nil, {gqlcache.ErrorAge(time.Minute)}, {gqlcache.OnError(time.Minute)}} {
		calls := 0
		for range 2 {
			own := &panickingError{}
			_, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("broken"), func(context.Context) (int, error) {
				calls++
				return 0, own
			}, append(opts, gqlcache.ForAll(), gqlcache.Reads())...)
			if err != error(own) { //nolint:errorlint // it must not be looked into
				t.Errorf("%T", err)
			}
		}
		if calls != 2 {
			t.Errorf("%d calls", calls)
		}
	}
}
