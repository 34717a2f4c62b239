package memstore

import (
	"math"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// expired reports whether an entry's time is over. Both times are compared by the wall
// clock: entries that come from another process have no monotonic reading, and otter sees
// none either.
func expired(e *store.Entry, now time.Time) bool {
	return !e.Expires.IsZero() && !e.Expires.After(now.Round(0))
}

// timeLeft tells otter how long to hold an entry. It is positive: replace refuses expired
// entries under the same lock, by a time that is not earlier than the snapshot.
func timeLeft(e otter.Entry[string, *store.Entry]) time.Duration {
	if e.Value.Expires.IsZero() {
		return math.MaxInt64
	}
	return e.Value.Expires.Sub(time.Unix(0, e.SnapshotAtNano))
}

// clock is a store's clock as otter wants it.
type clock struct {
	now   func() time.Time
	ticks bool
}

// NowNano returns the time that entries expire by.
func (c clock) NowNano() int64 { return c.now().UnixNano() }

// Tick drives otter's removal of expired entries that nobody looks up. A clock of the
// caller's does not advance with real time, so it gets no ticks.
func (c clock) Tick(d time.Duration) <-chan time.Time {
	if !c.ticks {
		return nil
	}
	return time.Tick(d)
}
