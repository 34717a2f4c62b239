package fleet

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// fillLeaseTTL is how long a lease to compute an answer lasts at least, if its holder
// dies. A computation that takes longer may be done twice.
const fillLeaseTTL = 3 * time.Second

// fillPolls are the waits between looks at the shared store; the last one is repeated.
// Where the store tells of leases that are given up, wakePoll is the wait: for those whose
// holders are dead, and for messages that are lost.
var fillPolls = [...]time.Duration{5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond}

const wakePoll = 500 * time.Millisecond

// Lead decides which of all instances computes a key that is not in the shared store. It
// returns the answer of another instance, as TakeOver does, or nil: then this instance
// computes. Call release, which is never nil, when the answer is stored, or is known not
// to be.
//
// The lease is advice. No answer is taken for true because of it, and each way out of the
// wait but the first ends in a computation: the store fails, the wait is over, the
// context ends, the holder has given up.
func (f *Fleet) Lead(ctx context.Context, key string, w Wanted) (t *Taken, release func()) {
	release = func() {}
	leaser, ok := f.cfg.Shared.(store.Leaser)
	if f.cfg.FillLease <= 0 || !ok || !f.Fresh() {
		return nil, release
	}
	over := time.NewTimer(f.cfg.FillLease)
	defer over.Stop()
	for n := 0; ; n++ {
		t, end, again := f.tryToLead(ctx, leaser, key, w, fillPolls[min(n, len(fillPolls)-1)], over.C)
		if !again {
			return t, end
		}
	}
}

// tryToLead is one round of Lead. It asks for the lease and, when another instance holds
// it, waits until it is given up, or for about poll where nobody tells of that. Again says
// that the wait is not over.
func (f *Fleet) tryToLead(ctx context.Context, leaser store.Leaser, key string, w Wanted, poll time.Duration, over <-chan time.Time) (t *Taken, release func(), again bool) {
	release = func() {}
	// Before the lease is asked for: one that is given up after the answer is heard of.
	released, stop := f.released(key)
	defer stop()
	end, holder, err := f.lease(ctx, leaser, key)
	if err != nil {
		f.storeFailed("shared lease", err)
		return nil, release, false
	}
	// After the lease, also of its holder: the one before may have stored the answer
	// between this one's look at the store and the lease.
	if t := f.TakeOver(ctx, key, w); t != nil {
		end()
		return t, release, false
	}
	if holder {
		return nil, end, false
	}
	if released != nil {
		poll = wakePoll
	}
	wait := time.NewTimer(poll/2 + rand.N(poll))
	defer wait.Stop()
	select {
	case <-released:
		return nil, release, true
	case <-wait.C:
		return nil, release, true
	case <-over:
		f.Counts.LeaseWaits.Add(1)
	case <-ctx.Done():
	case <-f.cfg.Closed:
	}
	return nil, release, false
}

// released asks the shared store to tell when the lease of a key is given up. The channel
// is nil when it cannot. Stop is never nil.
func (f *Fleet) released(key string) (released <-chan struct{}, stop func()) {
	stop = func() {}
	w, ok := f.cfg.Shared.(store.Waker)
	if !ok {
		return nil, stop
	}
	err := safe.Do(func() error {
		var end func()
		if released, end = w.Released(f.sharedKey(key)); end != nil {
			stop = func() {
				if err := safe.Do(func() error { end(); return nil }); err != nil {
					f.storeFailed("shared lease", err)
				}
			}
		}
		return nil
	})
	if err != nil {
		f.storeFailed("shared lease", err)
		released = nil
	}
	return released, stop
}

// lease asks for the lease of a key. End is never nil.
func (f *Fleet) lease(ctx context.Context, leaser store.Leaser, key string) (end func(), holder bool, err error) {
	type lease struct {
		release func(context.Context)
		holder  bool
	}
	l, err := safe.Call(func() (lease, error) {
		release, holder, err := leaser.Lease(ctx, f.sharedKey(key), max(fillLeaseTTL, f.cfg.FillLease))
		return lease{release, holder}, err
	})
	end = func() {
		if l.release == nil {
			return
		}
		// The request may have ended; others wait for the lease all the same.
		err := safe.Do(func() error { l.release(context.WithoutCancel(ctx)); return nil })
		if err != nil {
			f.storeFailed("shared lease", err)
		}
	}
	return end, l.holder && err == nil, err
}
