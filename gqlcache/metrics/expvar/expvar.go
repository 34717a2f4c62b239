package cacheexpvar

import (
	"expvar"
	"strconv"

	"github.com/cascadeql/cascadeql/gqlcache/metrics"
)

// Var returns a variable that reads a cache's figures whenever it is asked for. Nothing
// is published: that is the caller's to do, once for each name. A metric with a label is
// an object with a member for each of its values, a histogram one of count, sum and
// buckets.
func Var(s metrics.Source) expvar.Var {
	return expvar.Func(func() any {
		r := metrics.Read(s)
		all := map[string]any{}
		for _, m := range metrics.All() {
			if v := value(m, r); v != nil {
				all[m.Expvar()] = v
			}
		}
		return all
	})
}

// value returns the JSON value of a metric, nil when the source does not have it.
func value(m metrics.Metric, r *metrics.Reading) any {
	if m.Kind == metrics.Histogram {
		return histogram(m, r)
	}
	var single any
	labeled := map[string]float64{}
	m.Each(r, func(label string, v float64) {
		single = v
		labeled[label] = v
	})
	if m.Label != "" {
		return labeled
	}
	return single
}

// A distribution is a histogram's JSON. Buckets are cumulative, by their upper bounds in
// seconds.
type distribution struct {
	Count   uint64            `json:"count"`
	Sum     float64           `json:"sum"`
	Buckets map[string]uint64 `json:"buckets"`
}

func histogram(m metrics.Metric, r *metrics.Reading) distribution {
	h := m.Histogram(r)
	d := distribution{Count: h.Count, Sum: h.Sum.Seconds(), Buckets: map[string]uint64{}}
	for le, n := range h.Cumulative() {
		d.Buckets[strconv.FormatFloat(le.Seconds(), 'g', -1, 64)] = n
	}
	return d
}
