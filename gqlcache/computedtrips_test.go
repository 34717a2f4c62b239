package gqlcache_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// tripsToRead counts the round trips of a client in which entries are read.
type tripsToRead struct{ atomic.Int64 }

// DialHook implements redis.Hook.
func (*tripsToRead) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements redis.Hook.
func (*tripsToRead) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (c *tripsToRead) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			if cmd.Name() == "getrange" {
				c.Add(1)
				break
			}
		}
		return next(ctx, cmds)
	}
}

// TestComputeAllTrips: ComputeAll of 1,000 ids, half of which another instance has, is one
// round trip to Redis and one call of the function.
func TestComputeAllTrips(t *testing.T) {
	t.Parallel()
	r := newRedisRig(t)
	client, trips := r.server.Client(), &tripsToRead{}
	client.AddHook(trips)
	r.add(nodeSpec{level: changelog.Strong, ttl: patientLease, readTimeout: 10 * time.Second})
	r.add(nodeSpec{client: client, level: changelog.Strong, ttl: patientLease, readTimeout: 10 * time.Second})
	r.untilFresh()
	reads := append(shareable[:1:1], gqlcache.ReadsOf(itemReads))
	all := func(ctx context.Context, n int, from, to int, ids ...int) (calls, asked int) {
		for id := from; id < to; id++ {
			ids = append(ids, id)
		}
		got, err := gqlcache.ComputeAll(ctx, r.nodes[n].cache, ids, itemKey, func(_ context.Context, missing []int) (map[int]score, error) {
			calls, asked = calls+1, asked+len(missing)
			values := map[int]score{}
			for _, id := range missing {
				values[id] = score{fmt.Sprint("item ", id), []int{id}}
			}
			return values, nil
		}, reads...)
		if err != nil || len(got) != len(ids) {
			t.Errorf("%d values of %d, %v", len(got), len(ids), err)
		}
		for id, v := range got {
			if v.Name != fmt.Sprint("item ", id) || len(v.Points) != 1 || v.Points[0] != id {
				t.Errorf("%d is %+v", id, v)
			}
		}
		if err := r.nodes[n].shared.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		return calls, asked
	}
	want := func(what string, calls, asked, wantCalls, wantAsked, wantTrips int) {
		t.Helper()
		if n := trips.Swap(0); calls != wantCalls || asked != wantAsked || n != int64(wantTrips) {
			t.Errorf("%s: %d calls for %d ids, %d round trips; want %d for %d, %d", what, calls, asked, n, wantCalls, wantAsked, wantTrips)
		}
	}
	all(t.Context(), 0, 0, 500)
	eventually(t, "a lease", r.nodes[1].log.Fresh)
	calls, asked := all(t.Context(), 1, 0, 1000)
	want("half of them warm", calls, asked, 1, 500, 1)
	calls, asked = all(t.Context(), 1, 0, 1000)
	want("all of them here", calls, asked, 0, 0, 0)
	if err := r.nodes[0].cache.Invalidate(t.Context(), itemTag(3)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a lease", r.nodes[1].log.Fresh)
	calls, asked = all(t.Context(), 1, 0, 1000)
	want("one has changed", calls, asked, 1, 1, 1)
	eventually(t, "a lease", r.nodes[0].log.Fresh)
	calls, asked = all(gqlcache.WithPolicy(t.Context(), gqlcache.CacheOnly), 0, 0, 1000)
	want("only what is kept, on the first", calls, asked, 0, 0, 0)
	all(t.Context(), 0, 1000, 2000)
	eventually(t, "a lease", r.nodes[1].log.Fresh)
	calls, asked = all(gqlcache.WithPolicy(t.Context(), gqlcache.CacheOnly), 1, 1000, 2000)
	want("only what is kept", calls, asked, 0, 0, 1)
	if s := r.nodes[1].cache.Stats(); valueStats(r.nodes[1].cache, "item").Shared != 1500 || s.SharedHits != 0 || s.SharedDead != 1 || s.SharedGetDuration.Count != 3 || s.StoreErrors != 0 {
		t.Errorf("%d taken over, %d refused, %d looks, %d errors", valueStats(r.nodes[1].cache, "item").Shared, s.SharedDead, s.SharedGetDuration.Count, s.StoreErrors)
	}
}
