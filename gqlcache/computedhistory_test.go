package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// A valueHistory is what clients do at once with the values that are computed of some
// registers, which only grow. Whoever has seen a write acknowledged never gets a value that
// is older, on any instance.
type valueHistory struct {
	*testing.T
	caches []*gqlcache.Cache
	h      http.Handler // of the first one
	// committed are the registers, acknowledged what their writers know.
	committed, acknowledged [3]atomic.Int64
	writing                 [3]sync.Mutex
	hits, computed          atomic.Int64
}

// commitRegister commits in a mutation's resolver.
func (r *valueHistory) commitRegister(ctx context.Context) error {
	vars := graphql.GetOperationContext(ctx).Variables
	r.committed[vars["id"].(int64)].Store(vars["value"].(int64))
	return nil
}

func (r *valueHistory) write(k int, rng *rand.Rand) {
	r.writing[k].Lock()
	defer r.writing[k].Unlock()
	v := r.committed[k].Load() + 1
	if rng.IntN(2) == 0 {
		resp := testgraph.Ask(r, r.h, `mutation($id: Int!, $value: Int!) { setCounter(id: $id, value: $value) { value } }`, map[string]any{"id": k, "value": v})
		if len(resp.Errors) > 0 {
			r.Error(resp.Body)
		}
	} else {
		r.committed[k].Store(v)
		if err := r.caches[rng.IntN(len(r.caches))].Invalidate(r.Context(), gqlcache.Entity("Counter", k)); err != nil {
			r.Error(err)
		}
	}
	r.acknowledged[k].Store(v)
}

func registerKey(k int) gqlcache.Key { return gqlcache.KeyOf("register").Arg("k", k) }

// slow reads a register, and takes the end of its context for the end of its rows.
func (r *valueHistory) slow(ctx context.Context, k int) (int64, error) {
	v := r.committed[k].Load()
	select {
	case <-time.After(rand.N(100 * time.Microsecond)):
		return v, nil
	case <-ctx.Done():
		return -1, nil
	}
}

// register computes a register, by itself or with Read.
func (r *valueHistory) register(ctx context.Context, c *gqlcache.Cache, k int) (int64, error) {
	ran := false
	v, err := gqlcache.Compute(ctx, c, registerKey(k), func(ctx context.Context) (int64, error) {
		ran = true
		if err := gqlcache.Read(ctx, gqlcache.Entity("Counter", k)); err != nil {
			return 0, err
		}
		return r.slow(ctx, k)
	}, gqlcache.ForAll())
	if ran {
		r.computed.Add(1)
	} else {
		r.hits.Add(1)
	}
	return v, err
}

// registers computes several registers at once, in a random order.
func (r *valueHistory) registers(c *gqlcache.Cache, rng *rand.Rand) (map[int]int64, error) {
	ids := rng.Perm(3)[:1+rng.IntN(3)]
	return gqlcache.ComputeAll(r.Context(), c, ids, registerKey, func(ctx context.Context, missing []int) (map[int]int64, error) {
		all := map[int]int64{}
		for _, k := range missing {
			v, err := r.slow(ctx, k)
			if err != nil {
				return nil, err
			}
			all[k] = v
		}
		return all, nil
	}, gqlcache.ForAll(), gqlcache.ReadsOf(func(k int) []gqlcache.Change { return []gqlcache.Change{gqlcache.Entity("Counter", k)} }))
}

// aged computes a register that expires at once, with a function that fails now and then.
func (r *valueHistory) aged(c *gqlcache.Cache, k int) (int64, error) {
	return gqlcache.Compute(r.Context(), c, registerKey(k), func(ctx context.Context) (int64, error) {
		if rand.IntN(3) == 0 {
			return 0, errFailing
		}
		return r.slow(ctx, k)
	}, gqlcache.ForAll(), gqlcache.Reads(gqlcache.Entity("Counter", k)), gqlcache.TTL(50*time.Microsecond),
		gqlcache.StaleFor(time.Second), gqlcache.OnError(time.Second), gqlcache.Within(20*time.Microsecond), gqlcache.ErrorAge(time.Millisecond))
}

func (r *valueHistory) read(k int, rng *rand.Rand) {
	c := r.caches[rng.IntN(len(r.caches))]
	least := r.acknowledged[k].Load()
	var got int64
	var err error
	switch rng.IntN(10) {
	case 9: // several at once
		var least [3]int64
		for i := range least {
			least[i] = r.acknowledged[i].Load()
		}
		all, err := r.registers(c, rng)
		if err != nil || len(all) == 0 {
			r.Errorf("several registers: %v, %v", all, err)
		}
		for k, v := range all {
			if v < least[k] {
				r.Errorf("register %d of several is %d, after %d was acknowledged", k, v, least[k])
			}
		}
		return
	case 8:
		if got, err = r.aged(c, k); errors.Is(err, errFailing) {
			return
		}
	case 0: // a value of values
		var all [3]int64
		for i := range all {
			all[i] = r.acknowledged[i].Load()
		}
		var sums [3]int64
		sums, err = gqlcache.Compute(r.Context(), c, gqlcache.KeyOf("sums"), func(ctx context.Context) (all [3]int64, err error) {
			for i := range all {
				v, err := r.register(ctx, c, i)
				if err != nil {
					return all, err
				}
				all[i] = v
			}
			return all, nil
		}, gqlcache.ForAll())
		for i := range all {
			if err == nil && sums[i] < all[i] {
				r.Errorf("register %d of a value of values is %d, after %d was acknowledged", i, sums[i], all[i])
			}
		}
		return
	case 1: // a put
		token := c.Begin(r.Context())
		got, _ = r.slow(r.Context(), k)
		err = gqlcache.Put(r.Context(), c, registerKey(k), got, token, gqlcache.ForAll(), gqlcache.Reads(gqlcache.Entity("Counter", k)))
		if errors.Is(err, gqlcache.ErrOutdated) {
			err = nil
		}
	case 2:
		if got, err = gqlcache.Get[int64](r.Context(), c, registerKey(k), gqlcache.ForAll()); errors.Is(err, gqlcache.ErrMiss) {
			return
		}
	case 3: // who leaves
		ctx, leave := context.WithTimeout(r.Context(), rand.N(100*time.Microsecond))
		defer leave()
		if got, err = r.register(ctx, c, k); ctx.Err() != nil {
			return
		}
	case 4:
		if rng.IntN(4) == 0 {
			_, err = gqlcache.Delete(r.Context(), c, registerKey(k), gqlcache.ForAll())
			if err != nil {
				r.Error(err)
			}
			return
		}
		fallthrough
	default:
		got, err = r.register(r.Context(), c, k)
	}
	if err != nil || got < least {
		r.Errorf("register %d is %d, %v, after %d was acknowledged", k, got, err, least)
	}
}

// TestComputedHistories: in no history of computations, puts, removals, mutations and
// invalidations is a value older than an acknowledged write, on one instance or on two, and
// nobody gets what a caller has computed who has left.
func TestComputedHistories(t *testing.T) {
	t.Parallel()
	for _, instances := range []int{1, 2} {
		t.Run(fmt.Sprint(instances), func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, instances)
			h := &valueHistory{T: t, h: r.all[0].h}
			for _, m := range r.all {
				h.caches = append(h.caches, m.cache)
			}
			r.rows.On("Mutation.setCounter", h.commitRegister)
			rounds.Until(t, "not both found and computed", func(int) bool {
				seed := rand.Uint64()
				var clients sync.WaitGroup
				for id := range 8 {
					clients.Go(func() {
						rng := rand.New(rand.NewPCG(seed, uint64(id)))
						for i := range 400 {
							switch k := rng.IntN(3); {
							case id < 2 && i%4 == 0:
								h.write(k, rng)
							default:
								h.read(k, rng)
							}
						}
					})
				}
				clients.Wait()
				t.Logf("seed %d: %d found, %d computed", seed, h.hits.Load(), h.computed.Load())
				return h.hits.Load() > 0 && h.computed.Load() > 0
			})
		})
	}
}
