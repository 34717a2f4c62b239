package redisstore

import (
	"sync/atomic"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// Counters are what a store counts beside store.Stats, since it was made.
type Counters struct {
	// Corrupt are values that were no entry of their key, exactly as it was written.
	Corrupt uint64 `json:"corrupt"`
	// ReadErrors are reads that failed, Timeouts those of them that took too long.
	ReadErrors uint64 `json:"readErrors"`
	Timeouts   uint64 `json:"timeouts"`
	// WriteErrors are puts and deletes that Redis refused or did not answer.
	WriteErrors uint64 `json:"writeErrors"`
	// Skipped are reads and writes that were not tried since the breaker was open.
	Skipped uint64 `json:"skipped"`
	// Dropped are writes lost in this process: the queue was full, the breaker open, or
	// Close in a hurry.
	Dropped uint64 `json:"dropped"`
	// Opened is how often the breaker has opened.
	Opened uint64 `json:"opened"`
	// Queued are the writes that wait now.
	Queued int `json:"queued"`
	// Breaker is the breaker's state.
	Breaker State `json:"breaker"`
}

type counters struct {
	hits, misses, puts, deletes, refused                         atomic.Uint64
	corrupt, readErrors, timeouts, writeErrors, skipped, dropped atomic.Uint64
}

// Stats returns what this store has done, without asking Redis: Entries and Bytes are 0,
// since others put, and Redis expires and evicts. Misses are all answers of Get without
// an entry. Puts and Deletes under Behind count when they are accepted and when they are
// done.
func (s *Store) Stats() store.Stats {
	c := s.counters
	return store.Stats{
		Hits: c.hits.Load(), Misses: c.misses.Load(),
		Puts: c.puts.Load(), Deletes: c.deletes.Load(), Refused: c.refused.Load(),
	}
}

// Counters returns the figures that only this kind of store has; it does not block.
func (s *Store) Counters() Counters {
	c := s.counters
	out := Counters{
		Corrupt: c.corrupt.Load(), ReadErrors: c.readErrors.Load(), Timeouts: c.timeouts.Load(),
		WriteErrors: c.writeErrors.Load(), Skipped: c.skipped.Load(), Dropped: c.dropped.Load(),
	}
	out.Breaker, out.Opened = s.conn.breaker.snapshot()
	if s.queue != nil {
		out.Queued = s.queue.len()
	}
	return out
}
