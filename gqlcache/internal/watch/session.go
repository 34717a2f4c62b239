package watch

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// A session holds what is recorded from when somebody begins to watch until nobody does.
// A caller that still holds a session which has ended writes into it, and nobody reads
// that.
//
// These hold whenever mu is free:
//
//  1. Each entry is in entries, in recent, in the ages of its operation's row, and in the
//     bucket of each of its tags; no other entries are in these.
//  2. A key is in entries or in removals, never in both.
//  3. The rows' entries and bytes sum up to those of the index.
type session struct {
	r     *Recorder
	since time.Time
	until atomic.Int64
	// stores counts what has been stored. It tells what a lookup could not have seen: see
	// Mark.
	stores atomic.Uint64

	mu       sync.Mutex // protects all below
	entries  map[id]*entry
	recent   list.List // of *entry, the last used first
	buckets  map[uint64]*bucket
	slots    int   // tags of all entries
	bytes    int64 // of all entries
	left     uint64
	removals map[id]*list.Element // of *removal
	removed  list.List            // of *removal, the latest first

	predicates map[uint64]int // how many entries have it
	ops        map[opName]*opRow
	other      *opRow // of the operations that found no room
	views      map[string]*viewRow
	series     series
	saved      time.Duration
	log        []inspect.LogEvent // the oldest first
	logged     int                // bytes of the log: see weigh
	pending    []*Pending
	changes    uint64 // number of the last one, to mark what it reaches
	pruned     time.Time
}

func newSession(r *Recorder, now time.Time) *session {
	return &session{
		r: r, since: now, pruned: now,
		entries: map[id]*entry{}, buckets: map[uint64]*bucket{}, removals: map[id]*list.Element{},
		predicates: map[uint64]int{}, ops: map[opName]*opRow{}, views: map[string]*viewRow{},
		other:  &opRow{op: &Operation{name: otherName}},
		series: newSeries(now),
	}
}

func (s *session) over(now time.Time) bool { return now.UnixNano() >= s.until.Load() }
