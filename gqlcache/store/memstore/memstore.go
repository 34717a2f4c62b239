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

// expired reports whether an entry's time is over. Both times are compared by the wall
// clock: entries that come from another process have no monotonic reading, and otter sees
// none either.
func expired(e *store.Entry, now time.Time) bool {
	return !e.Expires.IsZero() && !e.Expires.Round(0).After(now)
}

// timeLeft tells otter how long to hold an entry. It is positive: replace refuses expired
// entries under the same lock, by a time that is not earlier than the snapshot.
func timeLeft(e otter.Entry[string, *store.Entry]) time.Duration {
	if e.Value.Expires.IsZero() {
		return math.MaxInt64
	}
	return max(1, e.Value.Expires.Sub(time.Unix(0, e.SnapshotAtNano))) // the clock may have been set back
}

// callersClock is a clock of the caller's, as otter wants it.
type callersClock func() time.Time

// NowNano returns the time that entries expire by.
func (now callersClock) NowNano() int64 { return now().UnixNano() }

// Tick would drive otter's removal of expired entries that nobody looks up. The clock does
// not advance with real time, so it gets no ticks.
func (callersClock) Tick(time.Duration) <-chan time.Time { return nil }

// A wallClock tells the time of the wall clock for half of what time.Now takes, which reads
// the monotonic clock as well. It reads the latter alone, and knows how far ahead of it the
// wall clock was when it last read both, at most wallEvery ago. It is read on every Get.
//
// The wall clock goes on while the machine is suspended and may be set, and the monotonic one
// does not: that is known wallEvery later, by the monotonic clock. No goroutine has to run for
// it, as for otter's CoarseClock, which stands still while a busy machine runs others.
//
// Invariant: what was read before is used for less than wallEvery after it, also if two read
// at once:
//
//	one who reads                      another one
//	reads both, before a suspension
//	                                   reads both, after it
//	                                   stores ahead
//	stores its older ahead
//	                                   stores at: the older ahead counts for wallEvery
//	stores its older at                since this, and is read anew at once
type wallClock struct {
	base time.Time // has a monotonic reading, from which the others count
	// at is when both clocks were read, and ahead how far the wall clock was ahead. ahead is
	// stored first, and loaded last: it is no older than at.
	at, ahead atomic.Int64
}

// wallEvery is how late the store knows that the wall clock was set.
const wallEvery = time.Millisecond

func newWallClock() *wallClock {
	w := &wallClock{base: time.Now()}
	w.read()
	return w
}

// NowNano returns the time that entries expire by.
func (w *wallClock) NowNano() int64 {
	now := int64(time.Since(w.base))
	if since := now - w.at.Load(); since < 0 || since >= int64(wallEvery) {
		return w.read()
	}
	return now + w.ahead.Load()
}

// read reads both clocks.
func (w *wallClock) read() int64 {
	now := time.Now()
	at, wall := int64(now.Sub(w.base)), now.UnixNano()
	w.ahead.Store(wall - at)
	w.at.Store(at)
	return wall
}

// Tick drives otter's removal of expired entries that nobody looks up.
func (w *wallClock) Tick(d time.Duration) <-chan time.Time { return time.Tick(d) }

// counters keep a store's figures. Invariant: an entry is added once, before it can be
// seen, and removed once, when otter takes it out of the table for whatever cause, both
// under the lock of its key. So entries and bytes are exact when nothing runs, and never
// negative.
type counters struct {
	hits, misses striped

	puts, deletes, evictions, expirations, refused atomic.Uint64
	entries, bytes                                 atomic.Int64
}

func (c *counters) added(e *store.Entry) {
	c.entries.Add(1)
	c.bytes.Add(size(e))
}

// removed is called by otter for every entry that leaves the table, with the lock of its
// key held.
func (c *counters) removed(event otter.DeletionEvent[string, *store.Entry]) {
	c.entries.Add(-1)
	c.bytes.Add(-size(event.Value))
	switch event.Cause {
	case otter.CauseInvalidation:
		c.deletes.Add(1)
	case otter.CauseOverflow:
		c.evictions.Add(1)
	case otter.CauseExpiration:
		c.expirations.Add(1)
	case otter.CauseReplacement:
		// The put that replaced it is counted.
	}
}

func (c *counters) snapshot() store.Stats {
	return store.Stats{
		Hits: c.hits.sum(), Misses: c.misses.sum(),
		Puts: c.puts.Load(), Deletes: c.deletes.Load(),
		Evictions: c.evictions.Load(), Expirations: c.expirations.Load(),
		Refused: c.refused.Load(),
		Entries: c.entries.Load(), Bytes: c.bytes.Load(),
	}
}

// A striped counter is spread over cache lines, so that hits on many cores do not wait
// for each other at the one word that counts them.
type striped [8]struct {
	atomic.Uint64
	_ [56]byte
}

// add counts in a word that is chosen by where the goroutine's stack is: for nothing, where a
// random number takes as long as the addition.
func (s *striped) add() {
	var here byte
	where := uint64(uintptr(unsafe.Pointer(&here))) >> 11 // stacks are of 2 KiB at least
	s[where*0x9e3779b97f4a7c15>>61].Add(1)
}

func (s *striped) sum() uint64 {
	var n uint64
	for i := range s {
		n += s[i].Load()
	}
	return n
}
