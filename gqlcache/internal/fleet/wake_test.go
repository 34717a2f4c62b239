package fleet_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// A waking leaser tells when its lease is given up.
type waking struct {
	*leaser
	mu     sync.Mutex // protects all below
	told   chan struct{}
	deaf   bool // messages cannot be heard
	panics bool
	open   int // waits that were not stopped
	asked  int
}

// Lease implements store.Leaser.
func (w *waking) Lease(ctx context.Context, key []byte, ttl time.Duration) (func(context.Context), bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leaser.Lease(ctx, key, ttl)
}

// Released implements store.Waker.
func (w *waking) Released([]byte) (released <-chan struct{}, stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if w.panics {
		panic("broken")
	}
	if w.deaf {
		return nil, nil
	}
	w.open++
	return w.told, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.open--
	}
}

// TestLeadIsWoken: who waits for another instance goes on at the moment when it is told,
// asks rarely until then, and often where it is not told.
func TestLeadIsWoken(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		change      func(*waking)
		atOnce      bool
		least, most int // questions for the lease
	}{
		{"told", func(*waking) {}, true, 2, 6},
		{"deaf", func(w *waking) { w.deaf = true }, false, 12, 100},
		{"panics", func(w *waking) { w.panics = true }, false, 12, 100},
		{"lost", func(w *waking) { w.told = make(chan struct{}) }, false, 2, 8},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const held = 999 * time.Millisecond
				told := make(chan struct{})
				w := &waking{leaser: &leaser{fakeStore: &fakeStore{}}, told: told}
				row.change(w)
				i := start(t, func(c *fleet.Config) { c.Shared, c.FillLease = w, time.Minute })
				go func() {
					<-time.After(held)
					w.mu.Lock()
					w.free = true
					w.mu.Unlock()
					close(told)
				}()
				began := time.Now()
				got, release := i.Lead(t.Context(), "key", fleet.Wanted{})
				took := time.Since(began)
				if got != nil || took < held || (took == held) != row.atOnce || took > 2*held {
					t.Errorf("%v after %v", got, took)
				}
				release()
				w.mu.Lock()
				defer w.mu.Unlock()
				if w.open != 0 || w.asked < row.least || w.asked > row.most {
					t.Errorf("%d waits are left, of %d", w.open, w.asked)
				}
			})
		})
	}
}
