package watch

import (
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// seriesLength is how many seconds a series has at most.
const seriesLength = 120

// A series counts by second since it began. Time that goes back counts as the last
// second.
type series struct {
	first, last int64 // seconds since 1970
	cells       [seriesLength]cell
}

type cell struct{ hits, misses, bypasses, invalidations uint64 }

func newSeries(now time.Time) series { return series{first: now.Unix(), last: now.Unix()} }

// at returns the cell of the second.
func (s *series) at(now time.Time) *cell {
	for sec := max(now.Unix(), s.last); s.last < sec; {
		// after a long silence the cells in between need no visit each
		s.last = max(s.last+1, sec-seriesLength+1)
		s.cells[s.last%seriesLength] = cell{}
	}
	return &s.cells[s.last%seriesLength]
}

// read returns the counts up to the second of now, which is not over yet.
func (s *series) read(now time.Time) inspect.Series {
	s.at(now)
	out := inspect.Series{StepMS: 1000, End: (s.last + 1) * 1000, Hits: []uint64{}, Misses: []uint64{}, Bypasses: []uint64{}, Invalidations: []uint64{}}
	for sec := max(s.first, s.last-seriesLength+1); sec <= s.last; sec++ {
		c := &s.cells[sec%seriesLength]
		out.Hits = append(out.Hits, c.hits)
		out.Misses = append(out.Misses, c.misses)
		out.Bypasses = append(out.Bypasses, c.bypasses)
		out.Invalidations = append(out.Invalidations, c.invalidations)
	}
	return out
}
