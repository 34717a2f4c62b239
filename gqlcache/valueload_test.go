package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
)

// Values of the counters of a counterLoad.

func counterKey(k int) gqlcache.Key { return gqlcache.KeyOf("counter").Arg("k", k) }

func counterReads(k int) []gqlcache.Change { return []gqlcache.Change{gqlcache.Entity("Counter", k)} }

// slowly reads a counter as a database does that takes a moment.
func (c *counterLoad) slowly(k int) []int64 {
	v := c.committed[k].Load()
	<-time.After(rand.N(100 * time.Microsecond))
	return []int64{v}
}

// value computes a counter, which is encoded.
func (c *counterLoad) value(ctx context.Context, n *node, k int, opts ...gqlcache.ComputeOption) ([]int64, error) {
	return gqlcache.Compute(ctx, n.cache, counterKey(k), func(ctx context.Context) ([]int64, error) {
		return c.slowly(k), gqlcache.Read(ctx, gqlcache.Entity("Counter", k))
	}, append(opts, gqlcache.ForAll())...)
}

// readValue reads values of a counter, or changes which are kept.
func (c *counterLoad) readValue(n *node, k int, rng *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var want [3]int64
	for i := range want {
		want[i] = c.acknowledged(n, i)
	}
	var got []int64
	var err error
	switch kind := rng.IntN(20); {
	case kind == 0:
		// What the log says of a removal is its own affair.
		_, _ = gqlcache.Delete(ctx, n.cache, counterKey(k), gqlcache.ForAll())
		return
	case kind < 3:
		token := n.cache.Begin(ctx)
		_ = gqlcache.Put(ctx, n.cache, counterKey(k), c.slowly(k), token, gqlcache.ForAll(), gqlcache.Reads(counterReads(k)...))
		return
	case kind < 6:
		if got, err = gqlcache.Get[[]int64](ctx, n.cache, counterKey(k), gqlcache.ForAll()); errors.Is(err, gqlcache.ErrMiss) {
			return
		}
	case kind < 9:
		var sums [3]int64 // a value of values, which is not encoded here
		sums, err = gqlcache.Compute(ctx, n.cache, gqlcache.KeyOf("counters"), func(ctx context.Context) (all [3]int64, err error) {
			for i := range all {
				v, err := c.value(ctx, n, i)
				if err != nil {
					return all, err
				}
				all[i] = v[0]
			}
			return all, nil
		}, gqlcache.ForAll())
		if err == nil {
			for i := range sums {
				c.judge(n, "a part of a value", i, sums[i], want[i])
			}
		}
		got = sums[k : k+1]
	case kind < 12:
		var all map[int][]int64
		all, err = gqlcache.ComputeAll(ctx, n.cache, rng.Perm(3), counterKey, func(_ context.Context, missing []int) (map[int][]int64, error) {
			some := map[int][]int64{}
			for _, k := range missing {
				some[k] = c.slowly(k)
			}
			return some, nil
		}, gqlcache.ForAll(), gqlcache.ReadsOf(counterReads))
		if err == nil && len(all) != 3 {
			err = fmt.Errorf("%d values of 3", len(all))
		}
		if err == nil {
			for i := range want {
				c.judge(n, "one of several values", i, all[i][0], want[i])
			}
			got = all[k]
		}
	case kind < 14:
		got, err = c.value(ctx, n, k, gqlcache.TTL(time.Millisecond), gqlcache.StaleFor(time.Second), gqlcache.Within(20*time.Microsecond))
	default:
		got, err = c.value(ctx, n, k)
	}
	if err != nil || len(got) != 1 {
		c.fail(fmt.Errorf("a value of %d is %v: %w", k, got, err))
		return
	}
	c.judge(n, "a value", k, got[0], want[k])
}

// sharesValues says whether each instance has taken a value of the other one over.
func (c *counterLoad) sharesValues() bool {
	for _, n := range c.nodes {
		if valueStats(n.cache, "counter").Shared == 0 {
			return false
		}
	}
	return true
}
