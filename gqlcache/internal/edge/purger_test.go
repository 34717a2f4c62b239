package edge_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/edge"
)

// A service notes what it was told to purge, and when.
type service struct {
	start time.Time
	do    func(ctx context.Context, n int) error // n is how many calls came before
	// pending is set while changes may wait for other instances.
	pending atomic.Bool

	mu    sync.Mutex // protects all below
	calls []string
	fails int
}

func (s *service) purge(ctx context.Context, names []string) error {
	s.mu.Lock()
	n := len(s.calls)
	names = slices.Sorted(slices.Values(names))
	text := strings.Join(names, " ")
	if len(names) > 3 {
		text = fmt.Sprint(len(names), " names")
	}
	s.calls = append(s.calls, fmt.Sprintf("%v %s", time.Since(s.start), text))
	s.mu.Unlock()
	if s.do != nil {
		return s.do(ctx, n)
	}
	return nil
}

func (s *service) ended(err error) {
	if err != nil {
		s.mu.Lock()
		s.fails++
		s.mu.Unlock()
	}
}

// check runs a purger until a script has ended. At its end it purges everything.
func (s *service) check(t *testing.T, script func(p *edge.Purger), want ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.start = time.Now()
		p := edge.NewPurger(edge.PurgerConfig{Purge: s.purge, Everything: "all", InFlight: 10 * time.Second, Pending: func() bool { return s.pending.Load() }, Ended: s.ended})
		closed := make(chan struct{})
		var running sync.WaitGroup
		running.Go(func() { p.Run(closed) })
		script(p)
		close(closed)
		running.Wait()
		last := len(s.calls) - 1
		if last < 0 || !strings.HasSuffix(s.calls[last], " all") || !slices.Equal(s.calls[:last], want) {
			t.Errorf("%q, want %q and all", s.calls, want)
		}
		<-p.Add([]string{"late"}) // and nobody waits for it
		if len(s.calls) > len(want)+1 {
			t.Errorf("after its end: %q", s.calls[len(want)+1:])
		}
	})
}

// TestPurger: names are purged at once and once more, each as long after as an answer may
// be on its way.
func TestPurger(t *testing.T) {
	t.Parallel()
	s := &service{}
	s.check(t, func(p *edge.Purger) {
		<-p.Add([]string{"a", "b"})
		time.Sleep(500 * time.Millisecond)
		<-p.Add([]string{"b"})
		time.Sleep(3 * time.Second)
		<-p.Add([]string{"c"})
		time.Sleep(time.Minute)
	}, "0s a b", "500ms b", "3.5s c", "10.5s a b", "13.5s c")
}

// TestPurgerTriesAgain: what has failed is tried until it has been purged, whatever has
// gone wrong.
func TestPurgerTriesAgain(t *testing.T) {
	t.Parallel()
	s := &service{do: func(ctx context.Context, n int) error {
		switch n {
		case 0:
			return errors.New("down")
		case 1:
			panic("broken")
		case 2:
			runtime.Goexit()
		case 3:
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	s.check(t, func(p *edge.Purger) {
		<-p.Add([]string{"a"})
		time.Sleep(2 * time.Minute)
	}, "0s a", "10s a", "20s a", "30s a", "50s a")
	if s.fails != 4 {
		t.Errorf("%d failures", s.fails)
	}
}

// TestPurgerHangs: a purge that does not end holds nobody up for longer than it may take.
func TestPurgerHangs(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	s := &service{do: func(context.Context, int) error { <-hang; return nil }}
	synctest.Test(t, func(t *testing.T) {
		hang = make(chan struct{})
		s.start = time.Now()
		p := edge.NewPurger(edge.PurgerConfig{Purge: s.purge, Everything: "all", InFlight: time.Hour, Ended: s.ended})
		closed := make(chan struct{})
		var running sync.WaitGroup
		running.Go(func() { p.Run(closed) })
		<-p.Add([]string{"a"})
		if took := time.Since(s.start); took != edge.PurgeTimeout {
			t.Errorf("it was waited for %v", took)
		}
		close(closed)
		running.Wait()
		close(hang)
	})
}

// TestPurgerEnds: at its end a purger purges everything in place of what it has not purged
// twice.
func TestPurgerEnds(t *testing.T) {
	t.Parallel()
	s := &service{}
	s.check(t, func(p *edge.Purger) {
		<-p.Add([]string{"a"})
		time.Sleep(time.Second)
	}, "0s a")
}

// TestPurgerIsBounded: more names than may wait are everything, and a call has no more
// than services take.
func TestPurgerIsBounded(t *testing.T) {
	t.Parallel()
	many := func(from, n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("n%05d", from+i))
		}
		return names
	}
	s := &service{}
	s.check(t, func(p *edge.Purger) {
		<-p.Add(many(0, 150))
		time.Sleep(time.Second)
		<-p.Add(many(150, 10_001))
		time.Sleep(time.Minute)
	}, "0s 100 names", "0s 50 names", "1s all", "10s 100 names", "10s 50 names", "11s all")
}

// TestPurgerWhilePending: as long as changes may wait for other instances, names are
// purged again, and once more after that.
func TestPurgerWhilePending(t *testing.T) {
	t.Parallel()
	s := &service{}
	s.pending.Store(true)
	s.check(t, func(p *edge.Purger) {
		<-p.Add([]string{"a"})
		time.Sleep(25 * time.Second)
		s.pending.Store(false)
		time.Sleep(time.Minute)
	}, "0s a", "10s a", "20s a", "30s a")
}

// TestPurgerEndsBesideAServiceThatHangs: neither the end of a purger, nor who waits for a
// first purge, waits for much longer than a purge may take.
func TestPurgerEndsBesideAServiceThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs := func(ctx context.Context, _ []string) error { <-ctx.Done(); return ctx.Err() }
		p := edge.NewPurger(edge.PurgerConfig{Purge: hangs, Everything: "all", InFlight: 10 * time.Second, Pending: func() bool { return false }, Ended: func(error) {}})
		closed := make(chan struct{})
		var running sync.WaitGroup
		running.Go(func() { p.Run(closed) })
		for i := range 20 {
			names := make([]string, 1000)
			for k := range names {
				names[k] = fmt.Sprint(i, " ", k)
			}
			start := time.Now()
			<-p.Add(names)
			if took := time.Since(start); took > 2*edge.PurgeTimeout {
				t.Errorf("waited for %v", took)
			}
			time.Sleep(11 * time.Second)
		}
		start := time.Now()
		close(closed)
		running.Wait()
		if took := time.Since(start); took > 3*edge.PurgeTimeout {
			t.Errorf("it ended %v later", took)
		}
	})
}
