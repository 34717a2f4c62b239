package gqlcache

import (
	"iter"
	"slices"
	"sync/atomic"
	"time"
)

// durationBounds are the bounds of all histograms: from what a fast resolver takes to what a wait for a
// lease does. They are fixed, so that figures of several instances can be added.
var durationBounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// A Histogram says how many durations there were of which length, since the cache was made.
type Histogram struct {
	// Bounds are the upper bounds of the buckets, ascending, and Counts how many durations were in each:
	// above the bound before, and at most its own. There is one more count, of those above all bounds.
	Bounds []time.Duration
	Counts []uint64
	// Count is the sum of Counts, Sum that of the durations.
	Count uint64
	Sum   time.Duration
}

// durations counts durations. The zero value is ready to use.
type durations struct {
	counts [len(durationBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

func (d *durations) observe(took time.Duration) {
	i := 0
	for i < len(durationBounds) && took > durationBounds[i] {
		i++
	}
	d.counts[i].Add(1)
	d.sum.Add(int64(took))
}

// histogram returns the figures. Count is summed up here: a count of its own could disagree with those
// of the buckets while others observe.
func (d *durations) histogram() Histogram {
	h := Histogram{
		Bounds: slices.Clone(durationBounds[:]),
		Counts: make([]uint64, len(d.counts)),
		Sum:    time.Duration(d.sum.Load()),
	}
	for i := range d.counts {
		h.Counts[i] = d.counts[i].Load()
		h.Count += h.Counts[i]
	}
	return h
}

// Cumulative ranges over the bounds, and how many durations were at most as long as each. Those above all
// bounds are in Count alone.
func (h Histogram) Cumulative() iter.Seq2[time.Duration, uint64] {
	return func(yield func(time.Duration, uint64) bool) {
		n := uint64(0)
		for i, bound := range h.Bounds {
			n += h.Counts[i]
			if !yield(bound, n) {
				return
			}
		}
	}
}
