package peers_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/viccon/sturdyc"
)

// A board is what all of them keep.
type board struct{ Names []string }

const ttl = time.Hour

func newCache(tb testing.TB) *gqlcache.Cache {
	tb.Helper()
	c, err := gqlcache.New(gqlcache.Options{
		Callers: gqlcache.AllSeeTheSame,
		Schema:  gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { version: String }"}),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// options are made once, as programs do it: the list of Reads is in the heap.
var options = []gqlcache.ComputeOption{gqlcache.ForAll(), gqlcache.Immutable(), gqlcache.Reads(gqlcache.Tag("boards")), gqlcache.TTL(ttl)}

type otterCache = otter.Cache[string, *board]

func newOtter(tb testing.TB) *otterCache {
	tb.Helper()
	o, err := otter.New(&otter.Options[string, *board]{MaximumSize: 10_000, ExpiryCalculator: otter.ExpiryWriting[string, *board](ttl)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { o.StopAllGoroutines() })
	return o
}

func newSturdyc() *sturdyc.Client[*board] {
	return sturdyc.New[*board](10_000, 64, ttl, 10)
}

// A contender asks a cache for one value, and for several.
type contender struct {
	name string
	// one gets a value, and all the values of ids. fn is called for those that are missing.
	one func(ctx context.Context, id string, fn func() *board) (*board, error)
	all func(ctx context.Context, ids []string, fn func(missing []string) map[string]*board) (map[string]*board, error)
}

func contenders(tb testing.TB) []contender {
	tb.Helper()
	c, o, s := newCache(tb), newOtter(tb), newSturdyc()
	key := func(id string) gqlcache.Key { return gqlcache.KeyOf("board").Arg("id", id) }
	return []contender{
		{
			"otter", func(ctx context.Context, id string, fn func() *board) (*board, error) {
				return o.Get(ctx, id, otter.LoaderFunc[string, *board](func(context.Context, string) (*board, error) { return fn(), nil }))
			}, func(ctx context.Context, ids []string, fn func([]string) map[string]*board) (map[string]*board, error) {
				return o.BulkGet(ctx, ids, otter.BulkLoaderFunc[string, *board](func(_ context.Context, missing []string) (map[string]*board, error) {
					return fn(missing), nil
				}))
			},
		},
		{
			"Compute", func(ctx context.Context, id string, fn func() *board) (*board, error) {
				return gqlcache.Compute(ctx, c, key(id), func(context.Context) (*board, error) { return fn(), nil }, options...)
			}, func(ctx context.Context, ids []string, fn func([]string) map[string]*board) (map[string]*board, error) {
				return gqlcache.ComputeAll(ctx, c, ids, key, func(_ context.Context, missing []string) (map[string]*board, error) {
					return fn(missing), nil
				}, options...)
			},
		},
		{
			"sturdyc", func(ctx context.Context, id string, fn func() *board) (*board, error) {
				return s.GetOrFetch(ctx, id, func(context.Context) (*board, error) { return fn(), nil })
			}, func(ctx context.Context, ids []string, fn func([]string) map[string]*board) (map[string]*board, error) {
				return s.GetOrFetchBatch(ctx, ids, func(id string) string { return id }, func(_ context.Context, missing []string) (map[string]*board, error) {
					return fn(missing), nil
				})
			},
		},
	}
}

func numbers(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	return ids
}

func boards(ids []string) map[string]*board {
	m := make(map[string]*board, len(ids))
	for _, id := range ids {
		m[id] = &board{Names: []string{id}}
	}
	return m
}

// TestOneCall: a thousand callers that come at once have one of them compute, and of a
// thousand ids, half of which are kept, one call computes the others.
func TestOneCall(t *testing.T) {
	t.Parallel()
	for _, c := range contenders(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			var callers sync.WaitGroup
			for range 1000 {
				callers.Go(func() {
					_, err := c.one(t.Context(), "board", func() *board {
						calls.Add(1)
						time.Sleep(50 * time.Millisecond) //nolint:forbidigo // the others come meanwhile
						return &board{}
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			callers.Wait()
			if n := calls.Load(); n != 1 {
				t.Errorf("%d calls for one value", n)
			}
			ids, asked := numbers(1000), []int{}
			for _, n := range []int{500, 1000} {
				got, err := c.all(t.Context(), ids[:n], func(missing []string) map[string]*board {
					asked = append(asked, len(missing))
					return boards(missing)
				})
				if err != nil || len(got) != n {
					t.Errorf("%d values, %v", len(got), err)
				}
			}
			if !slices.Equal(asked, []int{500, 500}) {
				t.Errorf("asked for %v", asked)
			}
		})
	}
}

// A stamped value is kept with what its clock says of it.
type stamped struct {
	board *board
	stamp *clock.Stamp
}

// otterAndClock is otter's Get of a value under a text, and a look at whether it is still true:
// the least that a hit can take here.
func otterAndClock(tb testing.TB) contender {
	tb.Helper()
	o, err := otter.New(&otter.Options[string, stamped]{MaximumSize: 10_000, ExpiryCalculator: otter.ExpiryWriting[string, stamped](ttl)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { o.StopAllGoroutines() })
	c := clock.New(clock.Options{})
	return contender{name: "otter+clock", one: func(ctx context.Context, id string, fn func() *board) (*board, error) {
		v, err := o.Get(ctx, id, otter.LoaderFunc[string, stamped](func(context.Context, string) (stamped, error) {
			s, _ := c.Finish(c.Begin(), []tag.Tag{{Hash: 1, Mask: 1}})
			return stamped{fn(), s}, nil
		}))
		if err != nil || !c.Valid(v.stamp) {
			return nil, errors.Join(err, errors.New("it has changed"))
		}
		return v.board, nil
	}}
}

// BenchmarkHit measures a value that is kept, in turns, so that what else the machine does
// reaches all of them. It reports the best turn of each, as a multiple of otter's: neither
// otter nor sturdyc looks at a key of parts, at who asks, or, but for otter+clock, at what has
// changed.
func BenchmarkHit(b *testing.B) {
	const turn = 2000
	ctx, all := b.Context(), append(contenders(b), otterAndClock(b))
	compare(b, turn, all, func(c contender) error {
		_, err := c.one(ctx, "board", func() *board { return &board{Names: make([]string, 10)} })
		return err
	})
}

// BenchmarkHitAll is BenchmarkHit of a hundred values at once.
func BenchmarkHitAll(b *testing.B) {
	const turn = 20
	ctx, all, ids := b.Context(), contenders(b), numbers(100)
	compare(b, turn, all, func(c contender) error {
		got, err := c.all(ctx, ids, boards)
		if err == nil && len(got) != len(ids) {
			err = fmt.Errorf("%d values", len(got))
		}
		return err
	})
}

// compare reports how long a call takes with each of them, by the first.
func compare(b *testing.B, turn int, all []contender, call func(c contender) error) {
	b.Helper()
	best := make([]time.Duration, len(all))
	for i := range best {
		best[i] = math.MaxInt64
	}
	for b.Loop() {
		for i, c := range all {
			start := time.Now()
			for range turn {
				if err := call(c); err != nil {
					b.Fatal(err)
				}
			}
			best[i] = min(best[i], time.Since(start))
		}
	}
	b.ReportMetric(0, "ns/op") // that of all of them together
	for i, c := range all {
		b.ReportMetric(float64(best[i].Nanoseconds())/float64(turn), c.name+"-ns")
		b.ReportMetric(float64(best[i])/float64(best[0]), c.name+"/otter")
	}
}
