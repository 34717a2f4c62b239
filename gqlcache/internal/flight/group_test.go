package flight_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bound is the Bound of all calls.
const bound = time.Second

// A world is a group, a number that stands for the clock, and computations that end when
// told.
type world struct {
	t      *testing.T
	group  flight.Group[uint64]
	number atomic.Uint64
	// valid is the smallest token whose results are still valid.
	valid atomic.Uint64
	// runs counts computations.
	runs atomic.Int64
	wg   sync.WaitGroup
}

// invalidate publishes a change that kills everything computed before it.
func (w *world) invalidate() { w.valid.Store(w.number.Add(1)) }

// A call is a call of Do in progress.
type call struct {
	out      flight.Outcome[uint64]
	role     flight.Role
	panicked any
	done     atomic.Bool // Do returned or panicked; false while it waits, and after Goexit
	over     atomic.Bool
	led      atomic.Bool // its function was called
	flight   *flight.Flight[uint64]
	cancel   context.CancelFunc
	release  chan flight.Outcome[uint64]
}

// outcomes for release.
var (
	value    = flight.Outcome[uint64]{End: flight.Shared} // the value is filled in with the token
	unshared = flight.Outcome[uint64]{End: flight.Unshared}
	lasting  = flight.Outcome[uint64]{End: flight.Unshared, Lasting: true}
	left     = flight.Outcome[uint64]{End: flight.Left}
)

// do starts a call and waits until everything is blocked. The computation, if the call
// leads one, ends with what is sent to release, or by the function in its place.
func (w *world) do(instead func()) *call { return w.doUntil(context.Background(), instead) }

func (w *world) doUntil(ctx context.Context, instead func()) *call {
	c := &call{release: make(chan flight.Outcome[uint64], 1)}
	ctx, c.cancel = context.WithCancel(ctx)
	arrived := w.number.Load()
	w.wg.Go(func() {
		defer func() {
			c.over.Store(true)
			if c.panicked = recover(); c.panicked != nil {
				c.done.Store(true)
			}
		}()
		c.out, c.role = w.group.Do(ctx, flight.Call[uint64]{
			Key: "k", Arrived: arrived, Begin: w.number.Load, Bound: bound,
			Valid: func(v uint64) bool { return v >= w.valid.Load() },
			Compute: func(token uint64, f *flight.Flight[uint64]) flight.Outcome[uint64] {
				w.runs.Add(1)
				c.flight = f
				c.led.Store(true)
				out := <-c.release // whatever becomes of the context
				if instead != nil {
					instead()
				}
				out.Value = token
				return out
			},
		})
		c.done.Store(true)
	})
	synctest.Wait()
	return c
}

// end lets the computation of c end with out and waits until everything is blocked or
// over.
func (w *world) end(c *call, out flight.Outcome[uint64]) {
	c.release <- out
	synctest.Wait()
}

func (w *world) leave(c *call) {
	c.cancel()
	synctest.Wait()
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (w *world) want(c *call, role flight.Role, token uint64) {
	w.t.Helper()
	if !c.done.Load() || c.role != role || c.out.Value != token {
		w.t.Errorf("finished %v, role %v, value %d; want role %v, value %d", c.done.Load(), c.role, c.out.Value, role, token)
	}
}

func (w *world) wantWaiting(list ...*call) {
	w.t.Helper()
	for i, c := range list {
		if c.done.Load() || c.led.Load() {
			w.t.Errorf("caller %d: finished %v, leads %v; want it to wait", i, c.done.Load(), c.led.Load())
		}
	}
}

func (w *world) wantRuns(n int64) {
	w.t.Helper()
	if got := w.runs.Load(); got != n {
		w.t.Errorf("%d computations, want %d", got, n)
	}
}

// story runs a scheduled interleaving and checks that nothing is left of it.
func story(t *testing.T, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.number.Store(1)
		f(w)
		w.wg.Wait()
		if n := w.group.Len(); n != 0 {
			t.Errorf("%d flights are left", n)
		}
	})
}

func TestUncontended(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a := w.do(nil)
		if w.group.Len() != 1 {
			t.Error("the flight is not to be found")
		}
		w.end(a, value)
		w.want(a, flight.Led, 1)
	})
}

// The leader's token was taken after it arrived: it may use its result whatever came
// meanwhile.
func TestLeaderUsesItsResult(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a := w.do(nil)
		w.invalidate()
		w.end(a, value)
		w.want(a, flight.Led, 1)
	})
}

func TestJoin(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(nil), w.do(nil)
		w.end(a, value)
		w.want(a, flight.Led, 1)
		w.want(b, flight.Joined, 1)
		w.wantRuns(1)
	})
}

// A caller that shares the flight's number had nothing acknowledged before it that the
// flight missed.
func TestJoinOfEqualAgeNeedsNoCheck(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(nil), w.do(nil)
		w.invalidate()
		w.end(a, value)
		w.want(b, flight.Joined, 1)
	})
}

// The flight began before a change that was acknowledged before the second caller
// arrived.
func TestJoinerOfAnOlderFlightRetries(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a := w.do(nil)
		w.invalidate()
		b := w.do(nil)
		w.wantRuns(1)
		w.end(a, value)
		w.want(a, flight.Led, 1)
		if b.done.Load() {
			t.Fatal("stale: the joiner has the result from before the change")
		}
		w.end(b, value)
		w.want(b, flight.Led, 2)
		w.wantRuns(2)
	})
}

// An older flight that nothing has touched is good enough.
func TestJoinerOfAnOlderValidFlight(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a := w.do(nil)
		w.number.Add(1) // an unrelated change
		b := w.do(nil)
		w.end(a, value)
		w.want(b, flight.Joined, 1)
		w.wantRuns(1)
	})
}

func TestHerdCollapsesAfterRetry(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a := w.do(nil)
		w.invalidate()
		herd := make([]*call, 50)
		for i := range herd {
			herd[i] = w.do(nil)
		}
		w.end(a, value)
		w.wantRuns(2)
		for _, c := range herd {
			if c.led.Load() {
				w.end(c, value)
			}
		}
		led := 0
		for _, c := range herd {
			if c.role == flight.Led {
				led++
				w.want(c, flight.Led, 2)
				continue
			}
			w.want(c, flight.Joined, 2)
		}
		if led != 1 {
			t.Errorf("%d of the herd led", led)
		}
		w.wantRuns(2)
	})
}

// Tokens may be older than the flight: a caller whose flights are overtaken twice
// computes by itself.
func TestOvertakenTwice(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a := w.do(nil)
		w.invalidate()
		b, c := w.do(nil), w.do(nil)
		w.invalidate()
		d := w.do(nil)
		w.end(a, value)
		lead, rest := b, []*call{c, d}
		if c.led.Load() {
			lead, rest = c, []*call{b, d}
		} else if d.led.Load() {
			lead, rest = d, []*call{b, c}
		}
		w.invalidate()
		w.end(lead, value)
		w.wantRuns(2)
		for _, x := range rest {
			w.want(x, flight.Joined, 3) // begun after they arrived
		}
	})
}

func TestJoinerLeaves(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(nil), w.do(nil)
		w.leave(b)
		w.want(b, flight.Ended, 0)
		w.end(a, value)
		w.want(a, flight.Led, 1)
	})
}

// The computation is its leader's: Do returns when it has ended, and not before.
func TestLeaderStaysWithItsComputation(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a := w.do(nil)
		w.leave(a)
		if a.done.Load() {
			t.Fatal("the leader is gone, and its computation goes on")
		}
		w.end(a, left)
		w.want(a, flight.Led, 1)
	})
}

// Of those who wait the first leads next, and the rest go on waiting.
func TestLeaderLeaves(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b, c, d := w.do(nil), w.do(nil), w.do(nil), w.do(nil)
		w.number.Add(1)
		w.end(a, left)
		w.want(a, flight.Led, 1)
		if !b.led.Load() {
			t.Fatal("nobody leads")
		}
		w.wantWaiting(c, d)
		w.end(b, value)
		w.want(b, flight.Led, 2)
		w.want(c, flight.Joined, 2)
		w.want(d, flight.Joined, 2)
		w.wantRuns(2)
	})
}

// Clients that open and close the key in turn do not keep one from computing that came
// before them.
func TestLeaversDoNotDelayOthers(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a := w.do(nil)
		honest := w.do(nil)
		leavers := []*call{w.do(nil), w.do(nil)}
		w.end(a, left)
		w.wantWaiting(leavers...)
		w.end(honest, value)
		w.want(honest, flight.Led, 1)
	})
}

// Who is chosen to lead and leaves in the same moment passes the lead on.
func TestChosenLeaderLeaves(t *testing.T) {
	t.Parallel()
	for range 50 { // which of two ready channels is taken is chance
		story(t, func(w *world) {
			a, b, c := w.do(nil), w.do(nil), w.do(nil)
			b.cancel()
			a.release <- left
			synctest.Wait()
			if b.led.Load() {
				w.end(b, left)
			}
			if !c.led.Load() {
				t.Fatal("nobody leads")
			}
			w.end(c, value)
		})
	}
}

func TestAllLeave(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(nil), w.do(nil)
		w.leave(b)
		w.end(a, left)
		w.want(b, flight.Ended, 0)
		c := w.do(nil)
		w.wantRuns(2)
		w.end(c, value)
		w.want(c, flight.Led, 1)
	})
}

// What cannot be shared sends everybody off at once, side by side.
func TestUnshared(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b, c := w.do(nil), w.do(nil), w.do(nil)
		w.end(a, unshared)
		w.want(a, flight.Led, 1)
		w.want(b, flight.Alone, 0)
		w.want(c, flight.Alone, 0)
		w.wantRuns(1)
		d := w.do(nil)
		w.end(d, value)
		w.want(d, flight.Led, 1)
	})
}

// A key that can never be shared has no flights for a while, so that nobody queues up for
// it.
func TestLasting(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		w.end(w.do(nil), lasting)
		for range 3 {
			w.want(w.do(nil), flight.Alone, 0)
		}
		w.group.Shareable("k")
		a := w.do(nil)
		w.end(a, lasting)
		w.want(a, flight.Led, 1)
		w.pass(3 * time.Second)
		b := w.do(nil)
		w.end(b, value)
		w.want(b, flight.Led, 1)
	})
}

// A computation may end the sharing while it runs.
func TestUnshare(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(nil), w.do(nil)
		a.flight.Unshare()
		synctest.Wait()
		w.want(b, flight.Alone, 0)
		c := w.do(nil) // a flight of its own
		a.flight.Unshare()
		w.end(a, value)
		d := w.do(nil)
		w.wantWaiting(d)
		w.end(c, value)
		w.want(c, flight.Led, 1)
		w.want(d, flight.Joined, 1)
		var none *flight.Flight[uint64]
		none.Unshare()
	})
}

// A leader that is stuck is replaced by one caller in each bound, and who wait have the
// first result.
func TestStuckLeader(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		stuck := w.do(nil)
		herd := make([]*call, 500)
		for i := range herd {
			herd[i] = w.do(nil)
		}
		w.pass(bound - time.Millisecond)
		w.wantRuns(1)
		w.pass(2 * time.Millisecond)
		w.wantRuns(2)
		w.pass(bound)
		w.wantRuns(3)
		leaders := 0
		for _, c := range herd {
			if c.led.Load() {
				leaders++
				if leaders == 1 {
					w.end(c, value)
				} else {
					c.release <- value
				}
			}
		}
		synctest.Wait()
		for _, c := range herd {
			if !c.done.Load() || c.out.Value != 1 {
				t.Fatalf("finished %v, role %v", c.done.Load(), c.role)
			}
		}
		w.wantRuns(3)
		// Its end takes nothing from those who came later.
		late := w.do(nil)
		w.end(stuck, value)
		if w.group.Len() != 1 {
			t.Error("the end of the old flight removed the new one")
		}
		w.end(late, value)
	})
}

// Who comes to a flight that is stuck already leads beside it at once.
func TestLateForAStuckLeader(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		stuck := w.do(nil)
		w.pass(2 * bound)
		b, c := w.do(nil), w.do(nil)
		w.wantRuns(2)
		w.wantWaiting(c)
		w.end(b, value)
		w.want(c, flight.Joined, 1)
		w.end(stuck, value)
	})
}

// A slow flight serves those who wait, though another one was begun beside it.
func TestSlowLeader(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		slow, b, c := w.do(nil), w.do(nil), w.do(nil)
		w.pass(bound + time.Millisecond)
		w.wantRuns(2)
		w.end(slow, value)
		w.want(map[bool]*call{true: c, false: b}[b.led.Load()], flight.Joined, 1)
		w.end(map[bool]*call{true: b, false: c}[b.led.Load()], value)
	})
}

// While another computation runs, the end of a leader's request changes nothing for those
// who wait.
func TestOneOfTwoLeadersLeaves(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b, c := w.do(nil), w.do(nil), w.do(nil)
		w.pass(bound + time.Millisecond)
		second, waits := b, c
		if c.led.Load() {
			second, waits = c, b
		}
		w.end(second, left)
		w.wantWaiting(waits)
		w.end(a, value)
		w.want(waits, flight.Joined, 1)
		w.wantRuns(2)
	})
}

// A caller with a deadline keeps time for a computation of its own.
func TestDeadline(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		stuck := w.do(nil)
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		b := w.doUntil(ctx, nil)
		w.pass(140 * time.Millisecond)
		w.wantWaiting(b)
		w.pass(20 * time.Millisecond)
		w.end(b, value)
		w.want(b, flight.Led, 1)
		w.end(stuck, value)
	})
}

func TestPanic(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	story(t, func(w *world) {
		a, b := w.do(func() { panic(boom) }), w.do(nil)
		w.end(a, value)
		if a.panicked != any(boom) { // the very value
			t.Errorf("the leader panicked with %v", a.panicked)
		}
		w.want(b, flight.Alone, 0)
	})
}

func TestGoexit(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(runtime.Goexit), w.do(nil)
		w.end(a, value)
		if !a.over.Load() || a.done.Load() {
			t.Errorf("the leader's goroutine: over %v, by return or panic %v", a.over.Load(), a.done.Load())
		}
		w.want(b, flight.Alone, 0)
	})
}

func TestKeysAreApart(t *testing.T) {
	t.Parallel()
	var g flight.Group[string]
	var wg sync.WaitGroup
	for _, key := range []string{"a", "b", "c", ""} {
		for range 4 {
			wg.Go(func() {
				out, role := g.Do(t.Context(), flight.Call[string]{
					Key: key, Arrived: 1, Begin: func() uint64 { return 1 }, Bound: bound, Valid: func(string) bool { return true },
					Compute: func(uint64, *flight.Flight[string]) flight.Outcome[string] {
						return flight.Outcome[string]{Value: key, End: flight.Shared}
					},
				})
				if role == flight.Alone || out.Value != key {
					t.Errorf("%q: got %q, %v", key, out.Value, role)
				}
			})
		}
	}
	wg.Wait()
}

// TestStress: whoever calls after a change was acknowledged sees it, whoever leaves.
func TestStress(t *testing.T) {
	t.Parallel()
	var g flight.Group[uint64]
	var state, number atomic.Uint64 // number follows state, as the acknowledgement follows the commit
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 500 {
				if (i+j)%16 == 0 {
					state.Add(1)
					number.Add(1)
				}
				ctx, cancel := context.WithCancel(t.Context())
				if (i+j)%7 == 0 {
					cancel()
				}
				arrived, acked := number.Load(), state.Load()
				if acked > arrived {
					acked = arrived // committed, not acknowledged yet
				}
				out, role := g.Do(ctx, flight.Call[uint64]{
					Key: "k", Arrived: arrived, Begin: number.Load, Bound: time.Minute,
					Compute: func(uint64, *flight.Flight[uint64]) flight.Outcome[uint64] {
						v := state.Load()
						runtime.Gosched()
						if ctx.Err() != nil {
							return flight.Outcome[uint64]{End: flight.Left, Value: v}
						}
						return flight.Outcome[uint64]{Value: v, End: flight.Shared}
					},
					Valid: func(v uint64) bool { return v >= number.Load() },
				})
				if role <= flight.Joined && out.Value < acked {
					t.Errorf("stale: %d after %d was acknowledged", out.Value, acked)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if n := g.Len(); n != 0 {
		t.Errorf("%d flights are left", n)
	}
}
