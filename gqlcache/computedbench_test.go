package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/allocs"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/maypok86/otter/v2"
)

// A benchBoard is what the benchmarks keep.
type benchBoard struct {
	Names []string
}

func newBenchValues(tb testing.TB, o gqlcache.Options) *gqlcache.Cache {
	tb.Helper()
	o.Schema = testgraph.Executable(testgraph.NewStore(), "cacheControl").Schema()
	return newBenchCache(tb, o)
}

// computeBoard is a call as a program makes it: its key has arguments, and its function
// uses variables around it.
func computeBoard(ctx context.Context, c *gqlcache.Cache, tenant string, limit int, runs *int) (*benchBoard, error) {
	return gqlcache.Compute(ctx, c, gqlcache.KeyOf("leaderboard").Tenant(tenant).Arg("season", tenant).Arg("limit", limit), func(context.Context) (*benchBoard, error) {
		*runs++
		return &benchBoard{Names: make([]string, limit)}, nil
	}, boardOptions...)
}

// boardOptions are made once: the list of Reads is in the heap.
var boardOptions = []gqlcache.ComputeOption{
	gqlcache.ForAll(), gqlcache.Immutable(), gqlcache.Reads(gqlcache.View("v_post"), gqlcache.Tag("pricing")), gqlcache.TTL(time.Hour),
}

// TestComputedHitDoesNotAllocate: a value that nobody changes is found without allocating,
// the key included, and the function with the variables that it refers to.
func TestComputedHitDoesNotAllocate(t *testing.T) {
	c := newBenchValues(t, gqlcache.Options{})
	runs, ctx, tenant := 0, t.Context(), string([]byte("tenant five"))
	n := allocs.PerRun(1000, func() {
		if _, err := computeBoard(ctx, c, tenant, 1000, &runs); err != nil {
			t.Error(err)
		}
	})
	if n != 0 && allocs.Exact || runs != 1 {
		t.Errorf("%v allocations, %d runs", n, runs)
	}
}

// BenchmarkComputed compares a value that is found with otter's Get, which looks at no key
// of parts, and at no change.
func BenchmarkComputed(b *testing.B) {
	b.Run("hit", func(b *testing.B) {
		c := newBenchValues(b, gqlcache.Options{})
		runs, ctx := 0, b.Context()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := computeBoard(ctx, c, "tenant five", 1000, &runs); err != nil {
				b.Fatal(err)
			}
		}
		if runs != 1 {
			b.Fatalf("%d runs", runs)
		}
	})
	b.Run("get", func(b *testing.B) {
		c := newBenchValues(b, gqlcache.Options{})
		runs, ctx := 0, b.Context()
		if _, err := computeBoard(ctx, c, "tenant five", 1000, &runs); err != nil {
			b.Fatal(err)
		}
		key := gqlcache.KeyOf("leaderboard").Tenant("tenant five").Arg("season", "tenant five").Arg("limit", 1000)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := gqlcache.Get[*benchBoard](ctx, c, key, gqlcache.ForAll(), gqlcache.Immutable()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("otter", func(b *testing.B) {
		type key struct {
			name, tenant, season string
			limit                int
		}
		o, err := otter.New(&otter.Options[key, *benchBoard]{
			MaximumSize: 1000, ExpiryCalculator: otter.ExpiryWriting[key, *benchBoard](time.Hour), Clock: wallClock{},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { o.StopAllGoroutines() })
		load := otter.LoaderFunc[key, *benchBoard](func(context.Context, key) (*benchBoard, error) { return &benchBoard{}, nil })
		ctx := b.Context()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := o.Get(ctx, key{"leaderboard", "tenant five", "tenant five", 1000}, load); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoded hit", func(b *testing.B) {
		c := newBenchValues(b, gqlcache.Options{})
		ctx := b.Context()
		b.ReportAllocs()
		for b.Loop() {
			_, err := gqlcache.Compute(ctx, c, gqlcache.KeyOf("encoded"), func(context.Context) (benchBoard, error) {
				return benchBoard{Names: make([]string, 10)}, nil
			}, gqlcache.ForAll(), gqlcache.Reads())
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A wallClock is the clock of the memory store: it reads the time for each look-up.
type wallClock struct{}

func (wallClock) NowNano() int64                        { return time.Now().UnixNano() }
func (wallClock) Tick(d time.Duration) <-chan time.Time { return time.Tick(d) }

// BenchmarkComputedShared is what values take that are found in Redis and kept nowhere here,
// as multiples of a plain GET in the same run, beside an operation that is found there.
func BenchmarkComputedShared(b *testing.B) {
	ctx := context.Background()
	ids := make([]int, 1000)
	for i := range ids {
		ids[i] = i
	}
	opts := []gqlcache.ComputeOption{gqlcache.ForAll(), gqlcache.ReadsOf(itemReads)}
	one := []gqlcache.ComputeOption{gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("x"))}
	several := func(n *node) error {
		got, err := gqlcache.ComputeAll(ctx, n.cache, ids, itemKey, func(_ context.Context, missing []int) (map[int]score, error) {
			all := map[int]score{}
			for _, id := range missing {
				all[id] = score{"a name", []int{id}}
			}
			return all, nil
		}, opts...)
		if err == nil && len(got) != len(ids) {
			err = fmt.Errorf("%d values", len(got))
		}
		return err
	}
	for _, row := range []struct {
		name string
		ask  func(*node) error
	}{
		{"an operation", func(n *node) error { _, err := n.ask(ctx, readCounter, nil); return err }},
		{"a value", func(n *node) error {
			_, err := gqlcache.Compute(ctx, n.cache, gqlcache.KeyOf("board"), func(context.Context) (score, error) { return score{"a name", []int{1}}, nil }, one...)
			return err
		}},
		{"1000 values", several},
	} {
		b.Run(row.name, func(b *testing.B) {
			s := redistest.Start(b)
			client, trips := s.Client(), &tripsToRead{}
			client.AddHook(trips)
			n := newNodes(b, 1, nodeSpec{client: client, rows: testgraph.NewStore(), level: changelog.Eventual, ttl: patientLease, readTimeout: 10 * time.Second, change: forget})[0]
			if err := errors.Join(row.ask(n), n.shared.Flush(ctx)); err != nil {
				b.Fatal(err)
			}
			y := newYardstick(b, s)
			trips.Store(0)
			b.ReportAllocs()
			for b.Loop() {
				y.time(b, func() {
					if err := row.ask(n); err != nil {
						b.Error(err)
					}
				})
			}
			y.report(b)
			b.ReportMetric(float64(trips.Load())/float64(b.N), "trips/op")
		})
	}
}
