package memstore

import (
	"bytes"
	"context"
	"iter"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A Store is a store.Store in memory. Its methods ignore the context, since none of them
// waits for anything but short locks.
type Store struct {
	opts  Options
	floor int64
	limit int64
	cache *otter.Cache[string, *store.Entry]
	clock otter.Clock

	closed    atomic.Bool
	closeOnce sync.Once
	counters  counters
}

var _ store.Store = (*Store)(nil)

// New makes a store. The error names every fault of the options. A store runs one
// goroutine until it is closed.
func New(opts Options) (*Store, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	s := &Store{opts: opts, floor: opts.floor(), limit: opts.entryLimit(), clock: callersClock(opts.Clock)}
	if opts.Clock == nil {
		s.clock = newWallClock()
	}
	o := &otter.Options[string, *store.Entry]{
		OnAtomicDeletion: s.counters.removed,
		ExpiryCalculator: otter.ExpiryWritingFunc(timeLeft),
		Clock:            s.clock,
	}
	switch {
	case opts.MaxBytes > 0:
		o.MaximumWeight = uint64(opts.MaxBytes)
		o.Weigher = s.weigh
	case opts.MaxEntries > 0:
		o.MaximumSize = opts.MaxEntries
	}
	var err error
	s.cache, err = otter.New(o)
	return s, err
}

// weigh fits in 32 bits: Put refuses larger entries, and validate larger floors.
func (s *Store) weigh(_ string, e *store.Entry) uint32 {
	return uint32(min(max(size(e), s.floor), math.MaxUint32))
}

func size(e *store.Entry) int64 { return int64(max(e.Size, 0)) }

// Get returns the entry of a key. It does not allocate on a hit.
func (s *Store) Get(_ context.Context, key []byte) (*store.Entry, error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	// The string shares the caller's bytes. That is safe because it lives only during
	// this call, in which the caller leaves the bytes alone, and because otter only
	// hashes and compares the key of a lookup: the keys that it holds are copies made by
	// Put.
	if e, ok := s.cache.GetIfPresent(unsafe.String(unsafe.SliceData(key), len(key))); ok {
		s.counters.hits.add()
		return e, nil
	}
	s.counters.misses.add()
	// An expired entry would stay until otter's next maintenance. This removes it now;
	// for a key that is not there it is one more lookup, which a fill does not notice.
	s.cache.ComputeIfPresent(string(key), keep)
	return nil, store.ErrMiss
}

// keep leaves a live entry as it is. Otter removes an expired one instead of calling it.
func keep(e *store.Entry) (*store.Entry, otter.ComputeOp) { return e, otter.CancelOp }

// Put stores an entry.
func (s *Store) Put(_ context.Context, key []byte, e *store.Entry) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	if size(e) > s.limit {
		s.counters.refused.Add(1)
		return store.ErrTooLarge
	}
	k := string(key)
	s.cache.Compute(k, func(old *store.Entry, found bool) (*store.Entry, otter.ComputeOp) {
		return s.replace(old, found, e)
	})
	// Close sets closed and then removes what is there. Either it does so after the write
	// above and finds the entry, or this load comes after the store to closed and sees
	// it.
	if s.closed.Load() {
		s.cache.Invalidate(k)
		return store.ErrClosed
	}
	// Otter evicts in the background. Doing it here, when it is due, keeps the bounds:
	// the last of several puts to come here sees the writes of all. One pass takes a
	// bounded number of writes, so under a crowd a second may be needed; what three leave
	// is otter's to finish.
	for range 3 {
		if !s.over() {
			break
		}
		s.cache.CleanUp()
	}
	return nil
}

// replace decides what a put does to an entry, under the lock of the key. What it counts
// here is counted before the entry can be seen, so that no removal of it can be counted
// earlier and the sums never fall below zero.
func (s *Store) replace(old *store.Entry, found bool, e *store.Entry) (*store.Entry, otter.ComputeOp) {
	if found && old.Version > e.Version {
		return old, otter.CancelOp
	}
	s.counters.puts.Add(1)
	if expired(e, time.Unix(0, s.clock.NowNano())) {
		// Otter cannot hold what has no time left. It must not leave an older entry
		// behind either.
		s.counters.expirations.Add(1)
		return nil, otter.InvalidateOp
	}
	s.counters.added(e)
	return e, otter.WriteOp
}

func (s *Store) over() bool {
	return s.opts.MaxBytes > 0 && s.counters.bytes.Load() > s.opts.MaxBytes ||
		s.opts.MaxEntries > 0 && s.counters.entries.Load() > int64(s.opts.MaxEntries)
}

// Delete removes an entry.
func (s *Store) Delete(_ context.Context, key []byte) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	s.cache.Invalidate(string(key))
	return nil
}

// DeleteEntry removes the entry of a key if it is the very entry e.
func (s *Store) DeleteEntry(_ context.Context, key []byte, e *store.Entry) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	s.cache.ComputeIfPresent(string(key), func(held *store.Entry) (*store.Entry, otter.ComputeOp) {
		if held != e {
			return held, otter.CancelOp
		}
		return nil, otter.InvalidateOp
	})
	return nil
}

// All ranges over the entries held.
func (s *Store) All(context.Context) iter.Seq2[[]byte, *store.Entry] {
	return func(yield func([]byte, *store.Entry) bool) {
		if s.closed.Load() {
			return
		}
		var key bytes.Buffer // otter's keys are strings; a body that wrote to one would break the table
		for k, e := range s.cache.All() {
			key.Reset()
			key.WriteString(k)
			if s.closed.Load() || !yield(key.Bytes(), e) {
				return
			}
		}
	}
}

// Clear removes all entries.
func (s *Store) Clear(context.Context) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	s.cache.InvalidateAll()
	return nil
}

// Stats returns the figures.
func (s *Store) Stats() store.Stats {
	st := s.counters.snapshot()
	st.MaxBytes, st.MaxEntries = s.opts.MaxBytes, int64(s.opts.MaxEntries)
	return st
}

// Close removes all entries and stops the store's goroutine. It waits for it, and for a
// Close that is already running.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.closed.Store(true)
		s.cache.StopAllGoroutines()
		s.cache.InvalidateAll()
	})
	return nil
}
