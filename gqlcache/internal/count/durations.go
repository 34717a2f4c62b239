package count

import (
	"slices"
	"sync/atomic"
	"time"
)

// bounds are the bounds of all histograms: from what a fast resolver takes to what a wait
// for a lease does. They are fixed, so that figures of several instances can be added.
var bounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// Bounds returns the upper bounds of the buckets, ascending.
func Bounds() []time.Duration { return slices.Clone(bounds[:]) }

// Durations counts durations in buckets. The zero value is ready to use.
type Durations struct {
	counts [len(bounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

// Observe counts a duration. It does not block.
func (d *Durations) Observe(took time.Duration) {
	i := 0
	for i < len(bounds) && took > bounds[i] {
		i++
	}
	d.counts[i].Add(1)
	d.sum.Add(int64(took))
}

// Counts returns how many durations were in each bucket, and last those above all bounds.
func (d *Durations) Counts() []uint64 {
	counts := make([]uint64, len(d.counts))
	for i := range d.counts {
		counts[i] = d.counts[i].Load()
	}
	return counts
}

// Sum returns the sum of the durations.
func (d *Durations) Sum() time.Duration { return time.Duration(d.sum.Load()) }
