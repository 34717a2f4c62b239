package watch

import (
	"cmp"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// A Snapshot is the recorder's part of an inspect.Snapshot. Its slices are the caller's
// and never nil.
type Snapshot struct {
	WatchingSince int64 // 0 while nobody watches
	Saved         time.Duration
	Series        inspect.Series
	// Operations come with the most used first, "(other)" last; Views in the order given,
	// then others.
	Operations []inspect.OpStats
	Views      []inspect.ViewStats
	// Log are the events after the cursor that are kept, oldest first; LogNext is the
	// next cursor.
	Log     []inspect.LogEvent
	LogNext uint64
	// Predicates, Entries and Bytes are of the entries indexed. Those stored before
	// somebody watched are not, and entries that the store has evicted are until they are
	// looked up.
	Predicates int
	Entries    int
	Bytes      int64
	// Left counts entries that were stored and left out of the index, or taken out of it,
	// for want of room.
	Left uint64
}

// Snapshot tells what is known. views are those of the schema's plan: see
// cascade.Plan.Views. It does not keep the watching on.
func (r *Recorder) Snapshot(since uint64, views []*cascade.View) Snapshot {
	s, now := r.session()
	if s == nil {
		none := newSeries(r.opts.Now())
		out := Snapshot{Operations: []inspect.OpStats{}, Views: []inspect.ViewStats{}, Log: []inspect.LogEvent{}, LogNext: r.seq.Load()}
		out.Series = none.read(r.opts.Now())
		for _, v := range views {
			out.Views = append(out.Views, viewStats(v))
		}
		return out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prune(now)
	return Snapshot{
		WatchingSince: s.since.UnixMilli(), Saved: s.saved, Series: s.series.read(now),
		Operations: s.operationStats(), Views: s.viewStats(views),
		Log: s.logAfter(since), LogNext: r.seq.Load(),
		Predicates: len(s.predicates), Entries: len(s.entries), Bytes: s.bytes, Left: s.left,
	}
}

// logAfter returns the events after a cursor, all of them when the cursor is none of
// ours: it is of the process before. REQUIRES: mu held.
func (s *session) logAfter(since uint64) []inspect.LogEvent {
	if since > s.r.seq.Load() {
		since = 0
	}
	i := 0
	for i < len(s.log) && s.log[i].Seq <= since {
		i++
	}
	return append([]inspect.LogEvent{}, s.log[i:]...)
}

// REQUIRES: mu held.
func (s *session) operationStats() []inspect.OpStats {
	rows := make([]*opRow, 0, len(s.ops)+1)
	for _, row := range s.ops {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b *opRow) int {
		return cmp.Or(cmp.Compare(b.used(), a.used()), cmp.Compare(a.op.name, b.op.name), cmp.Compare(a.op.hash, b.op.hash))
	})
	if s.other.used() > 0 || s.other.entries > 0 {
		rows = append(rows, s.other)
	}
	stats := make([]inspect.OpStats, 0, len(rows))
	for _, row := range rows {
		stats = append(stats, inspect.OpStats{
			Name: nameOr(row.op.name), Hash: row.op.hash,
			Hits: row.hits, Misses: row.misses, Bypasses: row.bypasses,
			Entries: row.entries, Bytes: row.bytes, SavedMS: row.saved.Milliseconds(),
			Views: append([]string{}, row.op.views...), LastInvalidation: row.last,
		})
	}
	return stats
}

// REQUIRES: mu held.
func (s *session) viewStats(views []*cascade.View) []inspect.ViewStats {
	stats := make([]inspect.ViewStats, 0, len(views))
	told := make(map[string]bool, len(views))
	for _, v := range views {
		x := viewStats(v)
		if row := s.views[v.Name]; row != nil {
			row.fill(&x)
		}
		told[v.Name] = true
		stats = append(stats, x)
	}
	for _, row := range s.views {
		if !told[row.name] {
			x := inspect.ViewStats{Name: row.name, DependsOn: []string{}, Dependents: []string{}}
			row.fill(&x)
			stats = append(stats, x)
		}
	}
	slices.SortStableFunc(stats[len(views):], func(a, b inspect.ViewStats) int { return cmp.Compare(a.Name, b.Name) })
	return stats
}

func viewStats(v *cascade.View) inspect.ViewStats {
	return inspect.ViewStats{Name: v.Name, DependsOn: names(v.DependsOn()), Dependents: names(v.Dependents())}
}

func (v *viewRow) fill(x *inspect.ViewStats) {
	x.Entries, x.Hits, x.Misses, x.Invalidations, x.LastInvalidation = v.entries, v.hits, v.misses, v.invalidations, v.last
}

func names(views []*cascade.View) []string {
	out := make([]string, 0, len(views))
	for _, v := range views {
		out = append(out, v.Name)
	}
	return out
}
