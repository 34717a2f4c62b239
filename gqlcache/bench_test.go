package gqlcache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/allocs"
	"github.com/vektah/gqlparser/v2/ast"
)

// benchStore holds 100 users with a post each.
func benchStore() *testgraph.Store {
	s := testgraph.NewStore()
	srv := testgraph.NewServer(s)
	for i := range 100 {
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		ask := func(q string) {
			if r := testgraph.Send(srv, postRequest(q)); len(r.Errors) > 0 {
				panic(r.Body)
			}
		}
		ask(fmt.Sprintf(`mutation { createUser(id: %q, input: {name: "user number %d", email: "user%d@example.org"}) { id } }`, id, i, i))
		if i < 20 {
			ask(fmt.Sprintf(`mutation { setCounter(id: %d, value: 1) { id } }`, 1000+i))
		}
		ask(fmt.Sprintf(`mutation { createPost(id: "p%d", authorId: %q, name: "post %d") { post { id } } }`, i, id, i))
	}
	return s
}

// benchQueries are answers of 100 objects, with and without the key that the cache would
// add.
var benchQueries = []struct{ name, query string }{
	{"four fields a row", `query($s: Status) { users { name email bossId __typename } posts(status: $s) { name status __typename } }`},
	{"four fields a row, keys among them", `query($s: Status) { users { id name email bossId } posts(status: $s) { id name status __typename } }`},
	{"keys selected", `query($s: Status) { users { id name email posts(status: $s) { id name status } } }`},
	{"no keys selected", `query($s: Status) { users { name email posts(status: $s) { name status } } }`},
	{"nested lists", `query($s: Status) { users { name posts(status: $s) { name author { name posts { name } } } } }`},
	{"a list of scalars", `{ userNames }`},
	{"a row", `{ user(id: "00000000-0000-4000-8000-000000000001") { id name email } }`},
	{"one field a row", `query($s: Status) { users { name } posts(status: $s) { name } }`},
}

// runner executes operations without a transport.
type runner struct {
	exec *executor.Executor
}

func newRunner(es graphql.ExecutableSchema, exts ...graphql.HandlerExtension) *runner {
	r := &runner{exec: executor.New(es)}
	r.exec.SetQueryCache(lru.New[*ast.QueryDocument](100))
	for _, e := range exts {
		r.exec.Use(e)
	}
	return r
}

func (r *runner) run(tb testing.TB, query string, vars map[string]any) *graphql.Response {
	tb.Helper()
	ctx := graphql.StartOperationTrace(context.Background())
	oc, errs := r.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: vars})
	if errs != nil {
		tb.Fatal(errs)
	}
	h, ctx := r.exec.DispatchOperation(ctx, oc)
	resp := h(ctx)
	if resp == nil || len(resp.Errors) > 0 {
		tb.Fatal("no answer")
	}
	return resp
}

func newBenchCache(tb testing.TB, o gqlcache.Options) *gqlcache.Cache {
	tb.Helper()
	if o.Predicate == nil {
		o.Callers = gqlcache.AllSeeTheSame
	}
	o.SweepInterval = -1
	c, err := gqlcache.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// BenchmarkHit is a hit as the executor sees it: parsing remembered, no transport.
func BenchmarkHit(b *testing.B) {
	s := benchStore()
	for _, q := range benchQueries[:1] {
		c := newBenchCache(b, gqlcache.Options{Predicate: func(context.Context) (gqlcache.Predicate, error) {
			return gqlcache.Predicate{Text: "tenant_id = '5f0c9d6e-0000-4000-8000-000000000000'"}, nil
		}})
		r := newRunner(testgraph.Executable(s, "cacheControl"), c)
		r.run(b, q.query, nil)
		b.ReportAllocs()
		b.ResetTimer()
		for b.Loop() {
			r.run(b, q.query, nil)
		}
		b.StopTimer()
		if st := c.Stats(); st.Misses != 1 {
			b.Fatalf("%d misses", st.Misses)
		}
	}
}

// BenchmarkBare is the same without a cache and with the cheapest query: what gqlgen
// itself takes.
func BenchmarkBare(b *testing.B) {
	r := newRunner(testgraph.Executable(benchStore(), "cacheControl"))
	b.ReportAllocs()
	for b.Loop() {
		r.run(b, `{ __typename }`, nil)
	}
}

// BenchmarkMissOverhead runs each query in turn on a server without a cache and on one
// where every request misses and stores its answer, and reports the ratio of their CPU
// times, and the CPU time that a miss takes more. The resolvers do no I/O: on a server
// whose resolvers do, the ratio is nearer to 1.
func BenchmarkMissOverhead(b *testing.B) {
	s := benchStore()
	for _, q := range benchQueries {
		b.Run(q.name, func(b *testing.B) {
			n := 0 // requests: nobody ever asks again
			c := newBenchCache(b, gqlcache.Options{Vary: func(context.Context) []string { return []string{strconv.Itoa(n)} }})
			plain := newRunner(testgraph.Executable(s, "cacheControl"))
			cached := newRunner(testgraph.Executable(s, "cacheControl"), c)
			if a, z := plain.run(b, q.query, nil).Data, cached.run(b, q.query, nil).Data; string(a) != string(z) {
				b.Fatalf("answers differ:\n%s\n%s", a, z)
			}
			var without, with time.Duration
			const round = 20
			for b.Loop() {
				t0 := cpuTime(b)
				for range round {
					plain.run(b, q.query, nil)
				}
				t1 := cpuTime(b)
				for range round {
					n++
					cached.run(b, q.query, nil)
				}
				without += t1 - t0
				with += cpuTime(b) - t1
			}
			if st := c.Stats(); st.Misses != uint64(n+1) || len(st.NotStored) > 0 {
				b.Fatalf("%d misses of %d, not stored: %v", st.Misses, n+1, st.NotStored)
			}
			b.ReportMetric(float64(with)/float64(without), "miss/uncached")
			b.ReportMetric(float64((with-without).Microseconds())/float64(n), "more-µs")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// cpuTime is the CPU time of the process, garbage collection and helpers included.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEntryMemory fills a cache and reports what an entry costs beyond its key and
// body: with one row per entry, each its own, and with the same 20 rows in all of them
// besides. Cells are what the entries' tags share.
func BenchmarkEntryMemory(b *testing.B) {
	const entries = 20_000
	s := benchStore()
	for _, q := range []struct{ name, query string }{
		{"own row", `query($id: ID!) { user(id: $id) { name } }`},
		{"20 shared rows", `query($id: ID!) { counters { value } user(id: $id) { name } }`},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				c := newBenchCache(b, gqlcache.Options{Limits: gqlcache.Limits{MaxEntries: 2 * entries, MaxBytes: 8 << 30}})
				r := newRunner(testgraph.Executable(s, "cacheControl"), c)
				vars := func(i int) map[string]any {
					return map[string]any{"id": fmt.Sprintf("10000000-0000-4000-8000-%012d", i)}
				}
				r.run(b, q.query, vars(0))
				before := heap()
				size := 0
				for i := range entries {
					size += len(r.run(b, q.query, vars(i+1)).Data)
				}
				extra := float64(heap()-before) - float64(size)
				st := c.Stats()
				if st.Entries < entries {
					b.Fatalf("%d entries", st.Entries)
				}
				rep, err := c.Sweep(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(extra/entries, "B/entry")
				b.ReportMetric(float64(rep.Tags)/entries, "cells/entry")
				runtime.KeepAlive(r)
				_ = c.Close()
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkInvalidate is one change of one row, by the number of entries that depend on
// it.
func BenchmarkInvalidate(b *testing.B) {
	s := benchStore()
	for _, n := range []int{1, 1_000, 20_000} {
		b.Run(fmt.Sprintf("dependents=%d", n), func(b *testing.B) {
			c := newBenchCache(b, gqlcache.Options{Limits: gqlcache.Limits{MaxEntries: 2*n + 100, MaxBytes: 4 << 30}})
			r := newRunner(testgraph.Executable(s, "cacheControl"), c)
			const id = "00000000-0000-4000-8000-000000000001"
			for i := range n {
				r.run(b, `query($id: ID!, $t: String) { user(id: $id) { name } echo(text: $t) @skip(if: true) }`,
					map[string]any{"id": id, "t": strconv.Itoa(i)})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				if err := c.Invalidate(b.Context(), gqlcache.Entity("User", id)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestHitAllocations keeps the cache's own part of a hit from growing: a hit allocates 20
// times less than the cheapest operation of a server without the cache, which has no
// resolver to run. One allocation more fails it. In the oldest gqlgen such an operation
// is cheaper.
func TestHitAllocations(t *testing.T) {
	least := 20.0
	if onFloor {
		least = 8
	}
	s := benchStore()
	bare := newRunner(testgraph.Executable(s, "cacheControl"))
	c := newBenchCache(t, gqlcache.Options{})
	cached := newRunner(testgraph.Executable(s, "cacheControl"), c)
	const query = `{ users { name } }`
	cached.run(t, query, nil)
	base := allocs.PerRun(200, func() { bare.run(t, `{ __typename }`, nil) })
	hit := allocs.PerRun(200, func() { cached.run(t, query, nil) })
	if saved := base - hit; saved < least && allocs.Exact {
		t.Errorf("a hit allocates %v times, %v less than the cheapest operation, want at least %v less", hit, saved, least)
	}
	inspected := newRunner(testgraph.Executable(s, "cacheControl"), newBenchCache(t, gqlcache.Options{
		Inspector: gqlcache.Inspector{Allow: func(context.Context) bool { return true }},
	}))
	inspected.run(t, query, nil)
	if n := allocs.PerRun(200, func() { inspected.run(t, query, nil) }); n > hit && allocs.Exact {
		t.Errorf("with an inspector that nobody asks, a hit allocates %v times, without %v", n, hit)
	}
}

func postRequest(query string) *http.Request {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/query", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// BenchmarkVerifyOverhead runs hits in turn on a cache without verify mode and on one
// with it, and reports the ratio of their CPU times, recomputations included. What a
// thousandth of the hits costs is the price of their recomputation: the resolvers here do
// no I/O, and the answer has 100 objects.
func BenchmarkVerifyOverhead(b *testing.B) {
	s := benchStore()
	q := benchQueries[0]
	for _, row := range []struct {
		name string
		rate float64
	}{{"rate=0.001", 0.001}, {"none sampled", 1e-12}} {
		b.Run(row.name, func(b *testing.B) {
			side := func(v gqlcache.VerifyOptions) (*gqlcache.Cache, *runner) {
				c := newBenchCache(b, gqlcache.Options{Verify: v})
				r := newRunner(testgraph.Executable(s, "cacheControl"), c)
				r.run(b, q.query, nil)
				return c, r
			}
			_, off := side(gqlcache.VerifyOptions{})
			c, on := side(gqlcache.VerifyOptions{Rate: row.rate, WithoutValues: true})
			var without, with time.Duration
			const round = 2000
			for b.Loop() {
				t0 := cpuTime(b)
				for range round {
					off.run(b, q.query, nil)
				}
				t1 := cpuTime(b)
				for range round {
					on.run(b, q.query, nil)
				}
				without += t1 - t0
				with += cpuTime(b) - t1
			}
			v := c.VerifyStats()
			if v.Mismatched+v.Unstable > 0 {
				b.Fatalf("%+v", v)
			}
			b.ReportMetric(float64(with)/float64(without), "verified/plain")
			b.ReportMetric(float64(v.Sampled)/float64(b.N), "sampled/round")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// TestVerifyAllocations: a hit that is not sampled allocates what it does without verify
// mode.
func TestVerifyAllocations(t *testing.T) {
	s := benchStore()
	const query = `{ users { name } }`
	of := func(v gqlcache.VerifyOptions) float64 {
		c := newBenchCache(t, gqlcache.Options{Verify: v})
		r := newRunner(testgraph.Executable(s, "cacheControl"), c)
		r.run(t, query, nil)
		n := allocs.PerRun(200, func() { r.run(t, query, nil) })
		if st := c.VerifyStats(); st != nil && st.Sampled > 0 {
			t.Fatalf("%d hits were sampled", st.Sampled)
		}
		return n
	}
	if off, on := of(gqlcache.VerifyOptions{}), of(gqlcache.VerifyOptions{Rate: 1e-12, WithoutValues: true}); off != on && allocs.Exact {
		t.Errorf("%v allocations without verify mode, %v with it", off, on)
	}
}
