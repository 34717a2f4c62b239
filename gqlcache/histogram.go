package gqlcache

import (
	"iter"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/count"
)

// A Histogram says how many durations there were of which length, since the cache was
// made.
type Histogram struct {
	// Bounds are the upper bounds of the buckets, ascending, and Counts how many
	// durations were in each: above the bound before, and at most its own. There is one
	// more count, of those above all bounds.
	Bounds []time.Duration `json:"boundsNs"`
	Counts []uint64        `json:"counts"`
	// Count is the sum of Counts, Sum that of the durations.
	Count uint64        `json:"count"`
	Sum   time.Duration `json:"sumNs"`
}

// histogramOf returns the figures. Count is summed up here: a count of its own could
// disagree with those of the buckets while others observe.
func histogramOf(d *count.Durations) Histogram {
	h := Histogram{Bounds: count.Bounds(), Counts: d.Counts(), Sum: d.Sum()}
	for _, n := range h.Counts {
		h.Count += n
	}
	return h
}

// Cumulative ranges over the bounds, and how many durations were at most as long as each.
// Those above all bounds are in Count alone.
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
