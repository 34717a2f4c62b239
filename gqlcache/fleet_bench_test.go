package gqlcache_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// A yardstick is a plain GET of a small value, timed in turn with what it is compared to.
type yardstick struct {
	client        *redis.Client
	ours, getting []time.Duration
}

func newYardstick(b *testing.B, s *redistest.Server) *yardstick {
	b.Helper()
	y := &yardstick{client: s.Client()}
	if err := y.client.Set(context.Background(), "yardstick", "0123456789", 0).Err(); err != nil {
		b.Fatal(err)
	}
	return y
}

func (y *yardstick) time(b *testing.B, f func()) {
	b.Helper()
	t0 := time.Now()
	f()
	t1 := time.Now()
	if err := y.client.Get(context.Background(), "yardstick").Err(); err != nil {
		b.Fatal(err)
	}
	y.ours, y.getting = append(y.ours, t1.Sub(t0)), append(y.getting, time.Since(t1))
}

// report reports the medians, and their ratio.
func (y *yardstick) report(b *testing.B) {
	b.Helper()
	ours, getting := median(y.ours), median(y.getting)
	b.ReportMetric(float64(ours)/float64(getting), "GETs/op")
	b.ReportMetric(float64(ours.Nanoseconds())/1000, "µs/ours")
	b.ReportMetric(float64(getting.Nanoseconds())/1000, "µs/GET")
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// forgetful is a store in memory that holds nothing.
type forgetful struct{ *mapStore }

func (forgetful) Put(context.Context, []byte, *store.Entry) error { return nil }

func forget(o *gqlcache.Options) { o.Store = forgetful{newMapStore()} }

// BenchmarkCost is the cost table: what the executor takes for a hit and for a mutation,
// with three instances over one Redis, as multiples of a plain GET in the same run.
func BenchmarkCost(b *testing.B) {
	const read = `{ user(id: "22222222-2222-4222-8222-222222222222") { id name email } counter(id: 1) { value } }`
	hits := []struct {
		name   string
		change func(*gqlcache.Options)
	}{{"hit in memory", nil}, {"hit in the shared store", forget}}
	for _, row := range hits {
		b.Run(row.name, func(b *testing.B) {
			s := redistest.Start(b)
			n := newNodes(b, 1, nodeSpec{client: s.Client(), rows: testgraph.NewStore(), change: row.change})[0]
			n.run(b, read, nil)
			if err := n.shared.Flush(context.Background()); err != nil {
				b.Fatal(err)
			}
			y := newYardstick(b, s)
			b.ReportAllocs()
			for b.Loop() {
				y.time(b, func() { n.run(b, read, nil) })
			}
			y.report(b)
			st := n.cache.Stats()
			if fromShared := st.SharedHits > 0; st.Misses != 1 || fromShared != (row.change != nil) {
				b.Errorf("%+v", st)
			}
		})
	}
	b.Run("mutation, one process", func(b *testing.B) {
		s := redistest.Start(b)
		r := newRunner(testgraph.Executable(testgraph.NewStore(), "cacheControl"), newBenchCache(b, gqlcache.Options{}))
		benchMutation(b, s, r)
	})
	for _, level := range []changelog.Level{changelog.Eventual, changelog.Bounded, changelog.Strong} {
		for _, intent := range []bool{false, true} {
			name := "mutation, " + level.String()
			if intent {
				name += " with Intent"
			}
			b.Run(name, func(b *testing.B) {
				s := redistest.Start(b)
				all := newNodes(b, 3, nodeSpec{client: s.Client(), rows: testgraph.NewStore(), level: level, intent: 4 * time.Second,
					change: func(o *gqlcache.Options) { o.Intent = intent }})
				benchMutation(b, s, all[0].runner)
				st := all[0].cache.Stats()
				b.ReportMetric(float64(st.Unconfirmed)/float64(b.N), "unconfirmed/op")
				if level == changelog.Strong && st.Unconfirmed > 0 || st.LogErrors > 0 {
					b.Errorf("%d unconfirmed, %d log errors", st.Unconfirmed, st.LogErrors)
				}
			})
		}
	}
}

func benchMutation(b *testing.B, s *redistest.Server, r *runner) {
	b.Helper()
	y, value := newYardstick(b, s), 0
	b.ReportAllocs()
	for b.Loop() {
		value++
		y.time(b, func() {
			r.run(b, `mutation($v: Int!) { setCounter(id: 1, value: $v) { value } }`, map[string]any{"v": value})
		})
	}
	y.report(b)
}

// BenchmarkDependents changes a row that ever more entries show. The entries differ in a
// part of the key only. The first change finds all of them alive; it is reported beside
// the median.
func BenchmarkDependents(b *testing.B) {
	for _, dependents := range []int{10, 1_000, 50_000} {
		b.Run(strconv.Itoa(dependents), func(b *testing.B) {
			s := redistest.Start(b)
			var part atomic.Uint64
			n := newNodes(b, 1, nodeSpec{client: s.Client(), rows: testgraph.NewStore(), level: changelog.Strong,
				change: func(o *gqlcache.Options) {
					o.MaxBytes = 1 << 30
					o.Vary = func(context.Context) []string { return []string{strconv.FormatUint(part.Load(), 10)} }
				}})[0]
			const read = `{ counter(id: 1) { value } }`
			for k := range dependents {
				part.Store(uint64(k))
				n.run(b, read, nil)
				if k%500 == 0 {
					if err := n.shared.Flush(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := n.shared.Flush(context.Background()); err != nil {
				b.Fatal(err)
			}
			if held := n.cache.Stats().Entries; held != int64(dependents) {
				b.Fatalf("%d entries, want %d", held, dependents)
			}
			change := func(v int) {
				n.run(b, fmt.Sprintf(`mutation { setCounter(id: 1, value: %d) { value } }`, v%10), nil)
			}
			for v := range 10 { // documents are parsed and planned once
				n.run(b, fmt.Sprintf(`mutation { setCounter(id: 2, value: %d) { value } }`, v), nil)
			}
			y, v := newYardstick(b, s), 0
			y.time(b, func() { change(v) })
			first := y.ours[0]
			for b.Loop() {
				v++
				y.time(b, func() { change(v) })
			}
			y.report(b)
			b.ReportMetric(float64(first.Nanoseconds())/1000, "µs/first")
			before := n.cache.Stats()
			for k := range 10 {
				part.Store(uint64(k * (dependents / 10)))
				n.run(b, read, nil)
			}
			if st := n.cache.Stats(); st.Misses != before.Misses+10 {
				b.Errorf("%d of 10 entries fell", st.Misses-before.Misses)
			}
		})
	}
}
