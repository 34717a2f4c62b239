package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
	several := func(ctx context.Context, opts ...gqlcache.ComputeOption) {
		t.Helper()
		_, err := gqlcache.ComputeAll(ctx, a.cache, []int{1, 2}, itemKey, func(context.Context, []int) (map[int]int, error) { return map[int]int{1: 1, 2: 2}, nil }, append(opts, shareable...)...)
		if err != nil {
			t.Error(err)
		}
	}
	several(refresh)
	several(t.Context(), gqlcache.Immutable())
	if err := a.cache.Invalidate(t.Context(), gqlcache.Tag("x")); err != nil {
		t.Error(err)
	}
	_, err := gqlcache.Compute(gqlcache.WithPolicy(t.Context(), gqlcache.Refresh), a.cache, gqlcache.KeyOf("around"), func(ctx context.Context) (int, error) {
		several(gqlcache.WithPolicy(ctx, gqlcache.CacheFirst))
		return 1, nil
	}, shareable...)
	if err != nil {
		t.Error(err)
	}
}

// all computes items on an instance, and notes for which ids the function ran.
func (m *instance) all(ctx context.Context, ids []int, ran func(missing []int) error) error {
	got, err := gqlcache.ComputeAll(ctx, m.cache, ids, itemKey, func(_ context.Context, missing []int) (map[int]int, error) {
		if err := ran(missing); err != nil {
			return nil, err
		}
		values := map[int]int{}
		for _, id := range missing {
			values[id] = 10 * id
		}
		return values, nil
	}, shareable...)
	for _, id := range ids {
		if err == nil && got[id] != 10*id {
			return fmt.Errorf("%d is %d", id, got[id])
		}
	}
	return err
}

// TestComputeAllLease: an instance computes the values that nobody else is computing, gives
// their leases up, and finds the others when those who compute them have.
func TestComputeAllLease(t *testing.T) {
	t.Parallel()
	r, d := leased(t, time.Hour)
	a, b := r.two()
	begun, end, first, second := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(first)
		if err := a.all(t.Context(), []int{1, 2}, func([]int) error { close(begun); <-end; return nil }); err != nil {
			t.Error(err)
		}
	}()
	receive(t, begun, "the function")
	var asked [][]int
	go func() {
		defer close(second)
		err := b.all(t.Context(), []int{3, 2, 4, 1}, func(missing []int) error { asked = append(asked, missing); return nil })
		if err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "an instance that waits", func() bool { d.mu.Lock(); defer d.mu.Unlock(); return d.taken == 4 && len(d.held) == 2 })
	close(end)
	receive(t, first, "the first caller")
	receive(t, second, "the second caller")
	if fmt.Sprint(asked) != "[[3 4]]" || d.open() != 0 || b.cache.Stats().LeaseWaits != 0 {
		t.Errorf("asked for %v; %d leases held, %+v", asked, d.open(), b.cache.Stats())
	}
}

// TestComputeAllLeasesCross: two instances ask for the same ids, and each gets the lease of
// another one first. Neither waits while it holds one, so both come to their ends, and each
// id is computed once.
func TestComputeAllLeasesCross(t *testing.T) {
	t.Parallel()
	d := newFakeLeases()
	var both sync.WaitGroup
	both.Add(2)
	var n atomic.Int64
	r := newInstances(t, 2, func(m *instance, o *gqlcache.Options) {
		var once sync.Once
		o.Shared, o.FillLease = crossedLeases{leasingShared{m.shared, d}, func(ctx context.Context) {
			once.Do(func() { both.Done(); both.Wait() })
		}}, time.Hour
	})
	var all sync.WaitGroup
	for i, m := range r.all {
		all.Go(func() {
			ids := [][]int{{1, 2}, {2, 1}}[i]
			if err := m.all(t.Context(), ids, func(missing []int) error { n.Add(int64(len(missing))); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	done := make(chan struct{})
	go func() { defer close(done); all.Wait() }()
	receive(t, done, "both instances")
	if n.Load() != 2 || d.open() != 0 {
		t.Errorf("%d computations, want 2; %d leases held", n.Load(), d.open())
	}
}

// A crossedLeases takes the first lease of several, waits, and then takes the others.
type crossedLeases struct {
	leasingShared

	between func(context.Context)
}

// LeaseAll implements store.BatchLeaser.
func (c crossedLeases) LeaseAll(ctx context.Context, keys [][]byte, ttl time.Duration) (held []bool, release func(context.Context), err error) {
	one, first, err := c.leasingShared.LeaseAll(ctx, keys[:1], ttl)
	if err != nil {
		return one, first, err
	}
	c.between(ctx)
	rest, others, err := c.leasingShared.LeaseAll(ctx, keys[1:], ttl)
	return append(one, rest...), func(ctx context.Context) { first(ctx); others(ctx) }, err
}

// TestComputeAllLeaseIsAdvice: whatever becomes of the leases, the values are computed, and no
// error reaches the caller.
func TestComputeAllLeaseIsAdvice(t *testing.T) {
	t.Parallel()
	for _, row := range spoiledLeases {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r, d := leased(t, row.wait)
			row.spoil(d)
			a, b := r.two()
			n := 0
			count := func(missing []int) error { n += len(missing); return nil }
			for _, m := range []*instance{a, b} {
				if err := m.all(t.Context(), []int{1, 2}, count); err != nil {
					t.Error(err)
				}
			}
			if s := a.cache.Stats(); n != 2 || s.LeaseWaits != row.waits || (s.StoreErrors > 0) != row.fails {
				t.Errorf("%d computed; %d waits in vain, %d errors", n, s.LeaseWaits, s.StoreErrors)
			}
		})
	}
}

// TestComputeAllLeaseIsGivenUp: the leases end with the function, whatever becomes of that,
// and before, when the values are known not to be kept; who waits ends with its context, and
// computes what the holder has not.
func TestComputeAllLeaseIsGivenUp(t *testing.T) {
	t.Parallel()
	r, d := leased(t, time.Hour)
	a, b := r.two()
	fails := errors.New("fails")
	if err := a.all(t.Context(), []int{1, 2}, func([]int) error { return fails }); !errors.Is(err, fails) || d.open() != 0 {
		t.Errorf("%v; %d leases held", err, d.open())
	}
	func() {
		defer func() { _ = recover() }()
		_ = a.all(t.Context(), []int{1, 2}, func([]int) error { panic("no") })
	}()
	if d.open() != 0 {
		t.Errorf("%d leases held after a panic", d.open())
	}
	_, err := gqlcache.ComputeAll(t.Context(), a.cache, []int{1, 2}, itemKey, func(ctx context.Context, _ []int) (map[int]int, error) {
		if d.open() != 2 {
			t.Errorf("%d leases held, want 2", d.open())
		}
		err := gqlcache.DoNotStore(ctx)
		if d.open() != 0 {
			t.Errorf("%d leases held after the values were refused", d.open())
		}
		return nil, err
	}, shareable...)
	if err != nil {
		t.Error(err)
	}

	begun, end, first := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(first)
		if err := a.all(t.Context(), []int{1, 2}, func([]int) error { close(begun); <-end; return fails }); !errors.Is(err, fails) {
			t.Error(err)
		}
	}()
	receive(t, begun, "the function")
	ctx, leave := context.WithCancel(t.Context())
	drain(d.refused)
	left := make(chan error, 1)
	go func() { left <- b.all(ctx, []int{1, 2}, func([]int) error { return nil }) }()
	<-d.refused
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who has left: %v", err)
	}
	drain(d.refused)
	second, ran := make(chan error, 1), 0
	go func() {
		second <- b.all(t.Context(), []int{1, 2}, func(missing []int) error { ran += len(missing); return nil })
	}()
	<-d.refused
	close(end)
	receive(t, first, "the first caller")
	if err := <-second; err != nil || ran != 2 || d.open() != 0 {
		t.Errorf("after a failure: %v, %d computed, %d leases held", err, ran, d.open())
	}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}

// TestComputeAllLeaseInRedis: 1,000 callers of cold values on three instances, whose sets of
// ids overlap, compute each id once.
func TestComputeAllLeaseInRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	all := redisInstances(t, 3, s, func(o *gqlcache.Options) {
		shared, err := redisstore.New(redisstore.Options{
			Client: s.Client(), Prefix: "gqlc", DecodeMeta: gqlcache.DecodeMeta, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		o.Shared, o.FillLease = shared, time.Minute
	})
	const ids = 40
	rounds.Until(t, "each time the machine was too busy for the leases of the log", func(round int) bool {
		calm, began := untroubled(all), time.Now()
		var calls [ids]atomic.Int64
		var clients, begun sync.WaitGroup
		begun.Add(1000)
		for n := range 1000 {
			clients.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(round), uint64(n)))
				mine := rng.Perm(ids)[:1+rng.IntN(5)]
				begun.Done()
				begun.Wait()
				got, err := gqlcache.ComputeAll(t.Context(), all[n%3].cache, mine, func(id int) gqlcache.Key {
					return gqlcache.KeyOf("cold").Arg("round", round).Arg("id", id)
				}, func(_ context.Context, missing []int) (map[int][]int, error) {
					values := map[int][]int{}
					for _, id := range missing {
						calls[id].Add(1)
						values[id] = []int{id}
					}
					return values, nil
				}, shareable...)
				for _, id := range mine {
					if err != nil || len(got[id]) != 1 || got[id][0] != id {
						t.Errorf("%d is %v, %v", id, got[id], err)
					}
				}
			})
		}
		clients.Wait()
		if !calm() {
			return false
		}
		once, quick := true, time.Since(began) < storeLease
		for id := range calls {
			n := calls[id].Load()
			if once = once && n == 1; n != 1 && quick {
				t.Errorf("%d is computed %d times", id, n)
			}
		}
		return once
	})
	eventually(t, "the end of the leases", func() bool { return len(s.Client().Keys(t.Context(), "gqlc:l:*").Val()) == 0 })
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
				calm, began := untroubled(all), time.Now()
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
				n := calls.Load()
				if n != 1 && time.Since(began) < storeLease {
					t.Errorf("%d computations, want 1", n)
				}
				return n == 1
			})
			eventually(t, "the end of the lease", func() bool { return len(s.Client().Keys(t.Context(), "gqlc:l:*").Val()) == 0 })
		})
	}
}
