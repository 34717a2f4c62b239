package cacheprometheus_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	cacheprometheus "github.com/cascadeql/cascadeql/gqlcache/metrics/prometheus"
	"github.com/cascadeql/cascadeql/internal/allocs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
)

// hitter runs one operation without a transport, over and over.
type hitter struct {
	exec  *executor.Executor
	cache *gqlcache.Cache
}

func newHitter(tb testing.TB) *hitter {
	tb.Helper()
	h := &hitter{cache: newCache(tb, gqlcache.Options{})}
	h.exec = executor.New(testgraph.Executable(testgraph.NewStore(), "cacheControl"))
	h.exec.SetQueryCache(lru.New[*ast.QueryDocument](100))
	h.exec.Use(h.cache)
	h.run()
	return h
}

func (h *hitter) run() {
	ctx := graphql.StartOperationTrace(context.Background())
	oc, errs := h.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: `query Users { users { name } }`})
	if errs != nil {
		panic(errs)
	}
	next, ctx := h.exec.DispatchOperation(ctx, oc)
	if resp := next(ctx); resp == nil || len(resp.Errors) > 0 {
		panic("no answer")
	}
}

// fillNames asks under as many names as are counted.
func (h *hitter) fillNames(tb testing.TB) {
	tb.Helper()
	srv := testgraph.NewServer(testgraph.NewStore(), h.cache)
	for i := range 260 {
		testgraph.Ask(tb, srv, fmt.Sprintf(`query Q%d{users{name}}`, i), nil)
	}
}

// scraped scrapes a cache at an interval until stop is called.
func scraped(tb testing.TB, c *gqlcache.Cache, every time.Duration) (stop func()) {
	tb.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(cacheprometheus.NewCollector(c))
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if _, err := reg.Gather(); err != nil {
					tb.Error(err)
				}
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// TestHitsAllocateTheSame: a collector takes no part in hits.
func TestHitsAllocateTheSame(t *testing.T) {
	plain, watched := newHitter(t), newHitter(t)
	prometheus.NewRegistry().MustRegister(cacheprometheus.NewCollector(watched.cache))
	without := allocs.PerRun(500, func() { plain.run() })
	with := allocs.PerRun(500, func() { watched.run() })
	if without != with && allocs.Exact {
		t.Errorf("a hit allocates %v times, and %v with a collector", without, with)
	}
}

// BenchmarkHitScraped runs hits in turn on a cache that nobody looks at and on one with a
// collector that is scraped ten times a second, a hundred times as often as usual, and
// reports the ratio of their CPU times, scrapes included. Allocations are those of a hit;
// scrapes allocate besides.
func BenchmarkHitScraped(b *testing.B) {
	plain, watched := newHitter(b), newHitter(b)
	watched.fillNames(b)
	const round = 20_000
	of := func(h *hitter) float64 { return allocs.PerRun(100, func() { h.run() }) }
	b.ReportMetric(of(watched)-of(plain), "allocs-more")
	var without, with time.Duration
	measure := func(h *hitter) time.Duration {
		runtime.GC()
		start := cpuTime(b)
		for range round {
			h.run()
		}
		return cpuTime(b) - start
	}
	for b.Loop() {
		without += measure(plain)
		stop := scraped(b, watched.cache, 100*time.Millisecond)
		with += measure(watched)
		stop()
	}
	b.ReportMetric(float64(with)/float64(without), "with/without")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCollect is a scrape of a cache with as many names of operations as there can
// be.
func BenchmarkCollect(b *testing.B) {
	h := newHitter(b)
	h.fillNames(b)
	reg := prometheus.NewRegistry()
	reg.MustRegister(cacheprometheus.NewCollector(h.cache))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reg.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}

// cpuTime is the CPU time of the process, garbage collection included.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
