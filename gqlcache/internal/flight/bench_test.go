package flight_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
)

var (
	begin = func() uint64 { return 1 }
	fresh = func(int) bool { return true }
	quick = func(context.Context, uint64) flight.Outcome[int] {
		return flight.Outcome[int]{Value: 1, Shareable: true}
	}
)

func BenchmarkDo(b *testing.B) {
	var g flight.Group[int]
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := g.Do(ctx, "key", 1, begin, quick, fresh); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHerd is 100 callers of one key whose computation yields; the figures are per herd.
func BenchmarkHerd(b *testing.B) {
	var g flight.Group[int]
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				_, _, _ = g.Do(ctx, "key", 1, begin, func(context.Context, uint64) flight.Outcome[int] {
					runtime.Gosched()
					return flight.Outcome[int]{Value: 1, Shareable: true}
				}, fresh)
			})
		}
		wg.Wait()
	}
}
