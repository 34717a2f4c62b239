package gqlcache_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// TestComputedLease: a cold value is computed once by all instances.
func TestComputedLease(t *testing.T) {
	t.Parallel()
	r, d := leased(t, time.Hour)
	a, b := r.two()
	key, begun, end := gqlcache.KeyOf("led"), make(chan struct{}), make(chan struct{})
	first := make(chan struct{})
	go func() {
		defer close(first)
		_, err := gqlcache.Compute(t.Context(), a.cache, key, func(context.Context) (int, error) { close(begun); <-end; return 1, nil }, shareable...)
		if err != nil {
			t.Error(err)
		}
	}()
	receive(t, begun, "the function")
	second := make(chan struct{})
	go func() { defer close(second); wantAt(t, "who has waited", b, key, 2, 1, false) }()
	<-d.refused
	close(end)
	receive(t, first, "the first caller")
	receive(t, second, "the second caller")
	if d.open() != 0 || d.taken < 1 || b.cache.Stats().LeaseWaits != 0 {
		t.Errorf("%d leases held, %d taken, %+v", d.open(), d.taken, b.cache.Stats())
	}
}

// TestComputedLeaseIsAdvice: whatever becomes of the lease, the value is computed, and no
// error reaches the caller.
func TestComputedLeaseIsAdvice(t *testing.T) {
	t.Parallel()
	for _, row := range spoiledLeases {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r, d := leased(t, row.wait)
			row.spoil(d)
			a, b := r.two()
			wantAt(t, "first", a, gqlcache.KeyOf("led"), 1, 1, true)
			wantAt(t, "second", b, gqlcache.KeyOf("led"), 2, 1, false) // without a lease
			if s := a.cache.Stats(); s.LeaseWaits != row.waits || (s.StoreErrors > 0) != row.fails {
				t.Errorf("%d waits in vain, %d errors", s.LeaseWaits, s.StoreErrors)
			}
		})
	}
}

// TestComputedLeaseIsGivenUp: a lease ends with its function, whatever becomes of that, and
// before, when the value is known not to be kept.
func TestComputedLeaseIsGivenUp(t *testing.T) {
	t.Parallel()
	r, d := leased(t, time.Hour)
	a := r.all[0]
	held := func(what string, want int) {
		t.Helper()
		if n := d.open(); n != want {
			t.Errorf("%s: %d leases are held, want %d", what, n, want)
		}
	}
	for name, fn := range map[string]func(context.Context) (int, error){
		"fails":  func(context.Context) (int, error) { held("in a function", 1); return 0, errFailing },
		"panics": func(context.Context) (int, error) { panic("no") },
		"refuses": func(ctx context.Context) (int, error) {
			held("before it refuses", 1)
			err := gqlcache.DoNotStore(ctx)
			held("after it has refused", 0)
			return 1, err
		},
		"changed": func(ctx context.Context) (int, error) { return 1, a.cache.Invalidate(ctx, gqlcache.Tag("x")) },
	} {
		func() {
			defer func() { _ = recover() }()
			_, _ = gqlcache.Compute(t.Context(), a.cache, gqlcache.KeyOf(name), fn, shareable...)
		}()
		held(name, 0)
	}
}

// TestComputedLeaseWithin: who is within a computation waits for no other instance, so two
// instances whose functions ask for each other's values come to an end. Nor does who has an
// expired value for those who wait, or refreshes, or keeps the value here.
func TestComputedLeaseWithin(t *testing.T) {
	t.Parallel()
	r, d := leased(t, time.Hour)
	var meet sync.WaitGroup
	meet.Add(2)
	var all sync.WaitGroup
	for i, m := range r.all {
		all.Go(func() {
			_, err := gqlcache.Compute(t.Context(), m.cache, gqlcache.KeyOf("outer").Arg("n", i), func(ctx context.Context) (int, error) {
				meet.Done()
				meet.Wait()
				return gqlcache.Compute(ctx, m.cache, gqlcache.KeyOf("outer").Arg("n", 1-i), func(context.Context) (int, error) { return 1, nil }, shareable...)
			}, shareable...)
			if err != nil {
				t.Error(err)
			}
		})
	}
	done := make(chan struct{})
	go func() { defer close(done); all.Wait() }()
	receive(t, done, "both instances")
	d.mu.Lock()
	d.held["*"] = true
	d.mu.Unlock()
	a := r.all[0]
	refresh := gqlcache.WithPolicy(t.Context(), gqlcache.Refresh)
	if _, err := gqlcache.Compute(refresh, a.cache, gqlcache.KeyOf("refreshed"), func(context.Context) (int, error) { return 1, nil }, shareable...); err != nil {
		t.Error(err)
	}
	var later atomic.Int64
	c := r.add(func(m *instance, o *gqlcache.Options) {
		o.Shared, o.FillLease = leasingShared{m.shared, d}, time.Hour
		o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	old := append(shareable[:2:2], gqlcache.OnError(time.Hour), gqlcache.TTL(time.Minute))
	if err := gqlcache.Put(t.Context(), c.cache, gqlcache.KeyOf("expired"), 1, c.cache.Begin(t.Context()), old...); err != nil {
		t.Error(err)
	}
	later.Store(int64(2 * time.Minute))
	wantAt(t, "where a value has expired", c, gqlcache.KeyOf("expired"), 2, 2, true, old...)
	computeAt(t, a, gqlcache.KeyOf("immutable"), 1, append(shareable[:2:2], gqlcache.Immutable())...)
	_, err := gqlcache.ComputeAll(t.Context(), a.cache, []int{1, 2}, itemKey, func(context.Context, []int) (map[int]int, error) { return map[int]int{1: 1, 2: 2}, nil }, shareable...)
	if err != nil {
		t.Error(err)
	}
}

// TestComputedLeaseInRedis: 1,000 callers of a cold value on three instances, one
// computation.
func TestComputedLeaseInRedis(t *testing.T) {
	t.Parallel()
	for _, write := range []redisstore.Policy{redisstore.Behind, redisstore.Through} {
		t.Run(fmt.Sprint(write), func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			all := redisInstances(t, 3, s, func(o *gqlcache.Options) {
				shared, err := redisstore.New(redisstore.Options{
					Client: s.Client(), Prefix: "gqlc", DecodeMeta: gqlcache.DecodeMeta, Write: write,
					ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
				})
				if err != nil {
					t.Fatal(err)
				}
				o.Shared, o.FillLease = shared, time.Minute
			})
			rounds.Until(t, "each time the machine was too busy for the leases of the log", func(round int) bool {
				calm := untroubled(all)
				var calls atomic.Int64
				var clients, begun sync.WaitGroup
				begun.Add(1000)
				for n := range 1000 {
					clients.Go(func() {
						begun.Done()
						got, err := gqlcache.Compute(t.Context(), all[n%3].cache, gqlcache.KeyOf("cold").Arg("round", round), func(context.Context) ([]int, error) {
							calls.Add(1)
							begun.Wait()
							return []int{7}, nil
						}, shareable...)
						if err != nil || len(got) != 1 || got[0] != 7 {
							t.Errorf("got %v, %v", got, err)
						}
					})
				}
				clients.Wait()
				if !calm() {
					return false
				}
				if n := calls.Load(); n != 1 {
					t.Errorf("%d computations, want 1", n)
				}
				return true
			})
			eventually(t, "the end of the lease", func() bool { return len(s.Client().Keys(t.Context(), "gqlc:l:*").Val()) == 0 })
		})
	}
}
