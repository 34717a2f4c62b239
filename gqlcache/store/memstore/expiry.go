package memstore

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

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
