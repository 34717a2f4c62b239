package flight_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a group, a number that stands for the clock, and computations that end when told.
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

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	w.number.Store(1)
	return w
}

// invalidate publishes a change that kills everything computed before it.
func (w *world) invalidate() { w.valid.Store(w.number.Add(1)) }

// A call is a call of Do in progress.
type call struct {
	out      flight.Outcome[uint64]
	role     flight.Role
	err      error
	panicked any
	finished bool // Do returned or panicked; false while it waits, and after Goexit
	ended    bool
	ctx      context.Context // of the computation, if this call leads one
	cancel   context.CancelFunc
	release  chan flight.Outcome[uint64]
}

// outcomes for release.
var (
	value = flight.Outcome[uint64]{Shareable: true} // the value is filled in with the token
	fail  = flight.Outcome[uint64]{}
)

// do starts a call with key k and waits until everything is blocked. The computation, if the call
// leads one, ends with what is sent to release, or by the function in its place.
func (w *world) do(instead func()) *call {
	c := &call{release: make(chan flight.Outcome[uint64], 1)}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	arrived := w.number.Load()
	fn := func(ctx context.Context, token uint64) flight.Outcome[uint64] {
		w.runs.Add(1)
		c.ctx = ctx
		select {
		case out := <-c.release:
			if instead != nil {
				instead()
			}
			out.Value = token
			return out
		case <-ctx.Done():
			return fail
		}
	}
	w.wg.Go(func() {
		defer func() {
			c.ended = true
			c.panicked = recover()
			c.finished = c.finished || c.panicked != nil
		}()
		c.out, c.role, c.err = w.group.Do(ctx, "k", arrived, w.number.Load, fn, func(v uint64) bool { return v >= w.valid.Load() })
		c.finished = true
	})
	synctest.Wait()
	return c
}

// end lets the computation of c end with out and waits until everything is blocked or over.
func (w *world) end(c *call, out flight.Outcome[uint64]) {
	c.release <- out
	synctest.Wait()
}

func (w *world) leave(c *call) {
	c.cancel()
	synctest.Wait()
}

func (w *world) want(c *call, role flight.Role, token uint64) {
	w.t.Helper()
	if !c.finished || c.err != nil || c.role != role || c.out.Value != token {
		w.t.Errorf("finished %v, role %v, value %d, error %v; want role %v, value %d", c.finished, c.role, c.out.Value, c.err, role, token)
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
		w := newWorld(t)
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
		if a.ctx.Err() == nil {
			t.Error("the computation's context is not released")
		}
	})
}

// The leader's token was taken after it arrived: it may use its result whatever came meanwhile.
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

// A caller that shares the flight's number had nothing acknowledged before it that the flight missed.
func TestJoinOfEqualAgeNeedsNoCheck(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(nil), w.do(nil)
		w.invalidate()
		w.end(a, value)
		w.want(b, flight.Joined, 1)
	})
}

// The flight began before a change that was acknowledged before the second caller arrived.
func TestJoinerOfAnOlderFlightRetries(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a := w.do(nil)
		w.invalidate()
		b := w.do(nil)
		w.wantRuns(1)
		w.end(a, value)
		w.want(a, flight.Led, 1)
		if b.finished {
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
			if c.ctx != nil {
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

// Callers of different ages that have to try again share one flight, which is younger than all of them.
func TestRetriesShareOneFlight(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a := w.do(nil)
		w.invalidate()
		b := w.do(nil) // joins a
		w.invalidate()
		c := w.do(nil) // joins a, younger than b
		w.end(a, value)
		// One of them started a flight; its token is the number of now, so the other joined it.
		w.wantRuns(2)
		w.end(map[bool]*call{true: b, false: c}[b.ctx != nil], value)
		for _, x := range []*call{b, c} {
			if !x.finished || x.out.Value != 3 {
				t.Errorf("got %d, want 3", x.out.Value)
			}
		}
	})
}

func TestJoinerLeaves(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(nil), w.do(nil)
		w.leave(b)
		if !errors.Is(b.err, context.Canceled) {
			t.Errorf("error %v", b.err)
		}
		w.end(a, value)
		w.want(a, flight.Led, 1)
	})
}

func TestLeaderLeavesOthersStay(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(nil), w.do(nil)
		w.leave(a)
		if !errors.Is(a.err, context.Canceled) {
			t.Errorf("error %v", a.err)
		}
		if a.ctx.Err() != nil {
			t.Fatal("the computation died with its leader")
		}
		w.end(a, value)
		w.want(b, flight.Joined, 1)
		w.wantRuns(1)
	})
}

func TestAllLeave(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(nil), w.do(nil)
		w.leave(a)
		w.leave(b)
		if a.ctx.Err() == nil {
			t.Error("nobody waits, and the computation goes on")
		}
		c := w.do(nil)
		w.wantRuns(2)
		w.end(c, value)
		w.want(c, flight.Led, 1)
	})
}

// The flight that everybody left is still computing when the next caller comes: it must not be joined,
// and its end must not take the new flight away.
func TestNobodyJoinsACancelledFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		ctx, cancel := context.WithCancel(context.Background())
		slow, fast := make(chan struct{}), make(chan struct{})
		begin := func() uint64 { return 1 }
		valid := func(int) bool { return true }
		go func() {
			_, _, err := g.Do(ctx, "k", 1, begin, func(context.Context, uint64) flight.Outcome[int] {
				<-slow // does not look at its context
				return flight.Outcome[int]{Value: 1, Shareable: true}
			}, valid)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the caller that left got %v", err)
			}
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		got := make(chan int, 1)
		go func() {
			out, _, _ := g.Do(t.Context(), "k", 1, begin, func(context.Context, uint64) flight.Outcome[int] {
				<-fast
				return flight.Outcome[int]{Value: 2, Shareable: true}
			}, valid)
			got <- out.Value
		}()
		synctest.Wait()
		close(slow)
		synctest.Wait()
		if g.Len() != 1 {
			t.Error("the end of the old flight removed the new one")
		}
		close(fast)
		if v := <-got; v != 2 {
			t.Errorf("got %d from the flight that was given up", v)
		}
	})
}

func TestNotShareable(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(nil), w.do(nil)
		w.end(a, fail)
		w.want(a, flight.Led, 1)
		w.want(b, flight.Alone, 0)
		w.wantRuns(1)
	})
}

func TestPanic(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	story(t, func(w *world) {
		w.group.OrphanPanic = func(string, any, []byte) { t.Error("reported although the leader is there") }
		a, b := w.do(func() { panic(boom) }), w.do(nil)
		w.end(a, value)
		if a.panicked != any(boom) { // the very value
			t.Errorf("the leader panicked with %v", a.panicked)
		}
		w.want(b, flight.Alone, 0)
	})
}

func TestPanicAfterTheLeaderLeft(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		var reported []any
		w.group.OrphanPanic = func(key string, v any, stack []byte) {
			if key != "k" || len(stack) == 0 {
				t.Errorf("reported with key %q and %d bytes of stack", key, len(stack))
			}
			reported = append(reported, v)
		}
		a, b := w.do(func() { panic("boom") }), w.do(nil)
		w.leave(a)
		w.end(a, value)
		if len(reported) != 1 || reported[0] != "boom" || a.panicked != nil {
			t.Errorf("reported %v, the leader panicked with %v", reported, a.panicked)
		}
		w.want(b, flight.Alone, 0)
	})
}

func TestGoexit(t *testing.T) {
	t.Parallel()
	story(t, func(w *world) {
		a, b := w.do(runtime.Goexit), w.do(nil)
		w.end(a, value)
		if !a.ended || a.finished {
			t.Errorf("the leader's goroutine: ended %v, by return or panic %v", a.ended, a.finished)
		}
		w.want(b, flight.Alone, 0)
	})
}

// The computation sees the leader's values and neither its cancellation nor its deadline.
func TestContextOfTheComputation(t *testing.T) {
	t.Parallel()
	type ctxKey struct{}
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), ctxKey{}, "v"), 1e9)
		defer cancel()
		_, _, err := g.Do(ctx, "k", 1, func() uint64 { return 1 }, func(ctx context.Context, token uint64) flight.Outcome[int] {
			if _, ok := ctx.Deadline(); ok || ctx.Value(ctxKey{}) != "v" || token != 1 {
				t.Errorf("deadline %v, value %v, token %d", ok, ctx.Value(ctxKey{}), token)
			}
			return flight.Outcome[int]{}
		}, func(int) bool { return true })
		if err != nil {
			t.Error(err)
		}
	})
}

func TestKeysAreApart(t *testing.T) {
	t.Parallel()
	var g flight.Group[string]
	var wg sync.WaitGroup
	for _, key := range []string{"a", "b", "c", ""} {
		for range 4 {
			wg.Go(func() {
				out, role, err := g.Do(t.Context(), key, 1, func() uint64 { return 1 }, func(context.Context, uint64) flight.Outcome[string] {
					return flight.Outcome[string]{Value: key, Shareable: true}
				}, func(string) bool { return true })
				if err != nil || role == flight.Alone || out.Value != key {
					t.Errorf("%q: got %q, %v, %v", key, out.Value, role, err)
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
				out, role, err := g.Do(ctx, "k", arrived, number.Load, func(context.Context, uint64) flight.Outcome[uint64] {
					v := state.Load()
					runtime.Gosched()
					return flight.Outcome[uint64]{Value: v, Shareable: true}
				}, func(v uint64) bool { return v >= number.Load() })
				if err == nil && role != flight.Alone && out.Value < acked {
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
