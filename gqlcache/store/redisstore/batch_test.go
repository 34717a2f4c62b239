package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// A tripCounter counts the round trips of a client.
type tripCounter struct{ trips atomic.Int64 }

// DialHook implements redis.Hook.
func (*tripCounter) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements redis.Hook.
func (c *tripCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { c.trips.Add(1); return next(ctx, cmd) }
}

// ProcessPipelineHook implements redis.Hook.
func (c *tripCounter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { c.trips.Add(1); return next(ctx, cmds) }
}

func names(n int) (keys [][]byte) {
	for i := range n {
		keys = append(keys, fmt.Append(nil, i))
	}
	return keys
}

// TestLeaseAll: leases of many keys are taken and given up in a round trip for each 1,024 of
// them, under either policy; who does not hold one is told so, and gives nothing up.
func TestLeaseAll(t *testing.T) {
	t.Parallel()
	for _, write := range []redisstore.Policy{redisstore.Behind, redisstore.Through} {
		t.Run(fmt.Sprint(write), func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t)
			client, c := srv.Client(), &tripCounter{}
			open := func(client *redis.Client) *redisstore.Store {
				return newStore(t, redisstore.Options{
					Client: client, DecodeMeta: decodeNumber, Write: write, QueueEntries: 4096, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second,
				})
			}
			a, b := open(client), open(srv.Client())
			// To connect, and to load what the store needs, is no round trip of a lease.
			mustPut(t, a, "first", sample("body"))
			mustFlush(t, a)
			if _, release, err := a.LeaseAll(t.Context(), names(1), time.Minute); err == nil {
				release(t.Context())
			}
			mustFlush(t, a)
			if err := client.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			client.AddHook(c)
			taken := func(s *redisstore.Store, keys int) (n int, release func(context.Context)) {
				t.Helper()
				held, release, err := s.LeaseAll(t.Context(), names(keys), time.Minute)
				if err != nil || len(held) != keys {
					t.Fatalf("%d of %d, %v", len(held), keys, err)
				}
				for _, is := range held {
					if is {
						n++
					}
				}
				return n, release
			}
			for _, row := range []struct{ keys, trips int }{{0, 0}, {1, 1}, {1024, 1}, {1025, 2}} {
				before := c.trips.Load()
				n, release := taken(a, row.keys)
				if got := c.trips.Load() - before; n != row.keys || got != int64(row.trips) {
					t.Errorf("%d keys: %d taken in %d round trips, want %d", row.keys, n, got, row.trips)
				}
				n, others := taken(b, row.keys+1)
				if n != 1 {
					t.Errorf("%d are taken twice", n-1)
				}
				others(t.Context())
				mustFlush(t, b)
				if n, _ := taken(b, row.keys); n != 0 {
					t.Errorf("%d were given up by who did not hold them", n)
				}
				before = c.trips.Load()
				release(t.Context())
				release(t.Context())
				mustFlush(t, a)
				if got := c.trips.Load() - before; write == redisstore.Through && got != int64(row.trips) {
					t.Errorf("%d keys are given up in %d round trips, want %d", row.keys, got, row.trips)
				}
				if left := srv.Client().DBSize(t.Context()).Val(); left != 0 {
					t.Errorf("%d leases are left of %d", left, row.keys)
				}
			}
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			if held, release, err := a.LeaseAll(t.Context(), names(2), time.Minute); !errors.Is(err, store.ErrClosed) || release == nil || len(held) != 2 || held[0] {
				t.Errorf("of a closed store: %v, %v", held, err)
			}
			srv.Kill()
			held, release, err := b.LeaseAll(t.Context(), names(2000), time.Minute)
			if err == nil || release == nil || slices.Contains(held, true) {
				t.Errorf("without Redis: %v", err)
			}
			release(t.Context())
		})
	}
}

func mustFlush(t *testing.T, s *redisstore.Store) {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestGetAllTrips: 1,024 entries are one round trip, and what is not an entry costs nobody
// else's.
func TestGetAllTrips(t *testing.T) {
	t.Parallel()
	client, c := redistest.Start(t).Client(), &tripCounter{}
	s := newStore(t, redisstore.Options{Client: client, DecodeMeta: decodeNumber, QueueEntries: 4096})
	const n = 2500
	for i := range n {
		if i%2 == 0 {
			mustPut(t, s, fmt.Sprint(i), sample(fmt.Sprint("body ", i)))
		}
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, at := range []string{"0", "2", "4"} {
		key := redisKey(t, s, client, at)
		var err error
		switch i {
		case 0:
			err = client.Set(t.Context(), key, "somebody else's, and longer than the header of an entry", time.Minute).Err()
		case 1:
			err = errors.Join(client.Del(t.Context(), key).Err(), client.LPush(t.Context(), key, "x").Err())
		default:
			err = client.Persist(t.Context(), key).Err()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	client.AddHook(c)
	for _, row := range []struct{ keys, trips int }{{1, 1}, {1000, 1}, {1024, 1}, {1025, 2}, {n, 3}} {
		before := c.trips.Load()
		all, err := s.GetAll(t.Context(), names(row.keys), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range all {
			if want := i%2 == 0 && i > 4; (e != nil) != want || want && string(e.Body) != fmt.Sprint("body ", i) {
				t.Fatalf("entry %d is %+v", i, e)
			}
		}
		if got := c.trips.Load() - before; got != int64(row.trips) {
			t.Errorf("%d keys: %d round trips, want %d", row.keys, got, row.trips)
		}
	}
	if got := s.Counters(); got.Corrupt < 3*4 || got.ReadErrors != 0 || got.Breaker != redisstore.Closed {
		t.Errorf("%+v", got)
	}
}

// redisKey returns where Redis holds the entry of a key: it is put once more, and is the one
// that then has more of its time left.
func redisKey(t *testing.T, s *redisstore.Store, client *redis.Client, key string) string {
	t.Helper()
	e := sample("body " + key)
	e.Expires = e.Expires.Add(time.Hour)
	mustPut(t, s, key, e)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := client.Keys(t.Context(), "gqlc:q:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range all {
		if left := client.PTTL(t.Context(), at).Val(); left > 61*time.Minute {
			return at
		}
	}
	t.Fatal("no key")
	return ""
}

// TestGetAllFails: a Redis that is slow or gone costs one wait, is counted, and is left alone
// after some of them.
func TestGetAllFails(t *testing.T) {
	t.Parallel()
	p := redistest.NewProxy(t, redistest.Start(t).Addr())
	j := &journal{}
	s := newStore(t, outage(redistest.Client(t, p.Addr()), j))
	p.SwallowReplies()
	keys := names(3000)
	for range 5 {
		if all, err := s.GetAll(t.Context(), keys, nil); err == nil || len(all) != len(keys) {
			t.Errorf("%d entries, %v", len(all), err)
		}
	}
	if got := s.Counters(); got.Opened != 1 || got.ReadErrors != 5 {
		t.Errorf("%+v", got)
	}
	redistest.Eventually(t, "an open breaker", func() bool { // now and then a call tries again
		_, err := s.GetAll(t.Context(), keys, nil)
		return errors.Is(err, redisstore.ErrUnavailable)
	})
	p.Heal()
	redistest.Eventually(t, "Redis to be asked again", func() bool { _, err := s.GetAll(t.Context(), keys[:1], nil); return err == nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.GetAll(ctx, keys, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("who has left: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if all, err := s.GetAll(t.Context(), keys, nil); !errors.Is(err, store.ErrClosed) || len(all) != len(keys) {
		t.Errorf("closed: %d, %v", len(all), err)
	}
}

// TestGetAllOfACluster: entries of all nodes are found.
func TestGetAllOfACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	client := cluster.Client()
	t.Cleanup(func() { _ = client.Close() })
	s := &sharded{t: t, Store: newStore(t, redisstore.Options{Client: client}), cluster: cluster}
	s.fill()
	all, err := s.GetAll(t.Context(), names(entries), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range all {
		if e == nil || string(e.Body) != fmt.Sprint("body ", i) {
			t.Errorf("entry %d is %+v", i, e)
		}
	}
}
