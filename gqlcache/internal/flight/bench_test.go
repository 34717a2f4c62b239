package flight_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
)

var (
	begin = func() uint64 { return 1 }
	fresh = func(int) bool { return true }
	quick = func(uint64, *flight.Flight[int]) flight.Outcome[int] {
		return flight.Outcome[int]{Value: 1, End: flight.Shared}
	}
)

func BenchmarkDo(b *testing.B) {
	var g flight.Group[int]
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, role := g.Do(ctx, flight.Call[int]{Key: "key", Arrived: 1, Begin: begin, Compute: quick, Valid: fresh, Bound: time.Second}); role != flight.Led {
			b.Fatal(role)
		}
	}
}

// BenchmarkHerd is 100 callers of one key whose computation yields; the figures are per
// herd.
func BenchmarkHerd(b *testing.B) {
	var g flight.Group[int]
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				_, _ = g.Do(ctx, flight.Call[int]{Key: "key", Arrived: 1, Begin: begin, Valid: fresh, Bound: time.Second, Compute: func(uint64, *flight.Flight[int]) flight.Outcome[int] {
					runtime.Gosched()
					return flight.Outcome[int]{Value: 1, End: flight.Shared}
				}})
			})
		}
		wg.Wait()
	}
}
