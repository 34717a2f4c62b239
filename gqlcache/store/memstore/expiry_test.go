package memstore

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestWallClock: the clock is the wall clock, and learns within a millisecond that this was
// set, or went on while the machine was suspended.
func TestWallClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWallClock()
		right := func(when string) {
			t.Helper()
			if got, want := w.NowNano(), time.Now().UnixNano(); got != want {
				t.Errorf("%s: %v late", when, time.Duration(want-got))
			}
		}
		right("at first")
		for _, d := range []time.Duration{1, wallEvery - 1, wallEvery, time.Hour} {
			time.Sleep(d)
			right(d.String() + " later")
		}
		w.ahead.Add(-int64(time.Hour)) // it was read an hour before the wall clock's now
		time.Sleep(wallEvery)
		right("after a suspension")
		w.ahead.Add(int64(time.Hour))
		time.Sleep(wallEvery)
		right("after it was set back")
		w.at.Add(int64(time.Hour)) // as in a bubble, with a store of another one
		w.ahead.Add(1)
		right("by another monotonic clock")

		var readers sync.WaitGroup
		for range 8 {
			readers.Go(func() {
				for range 100 {
					right("beside others")
					time.Sleep(wallEvery / 3)
				}
			})
		}
		readers.Wait()
	})
}
