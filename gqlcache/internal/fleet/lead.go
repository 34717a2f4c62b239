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
var fillPolls = [...]time.Duration{5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond}

// Lead decides which of all instances computes a key that is not in the shared store. It
// returns the answer of another instance, as TakeOver does, or nil: then this instance
// computes. Call release, which is never nil, when the answer is stored, or is known not
// to be.
//
// The lease is advice. No answer is taken for true because of it, and each way out of the
// wait but the first ends in a computation: the store fails, the wait is over, the
// context ends, the holder has given up.
func (f *Fleet) Lead(ctx context.Context, key string) (t *Taken, release func()) {
	release = func() {}
	leaser, ok := f.cfg.Shared.(store.Leaser)
	if f.cfg.FillLease <= 0 || !ok || !f.Fresh() {
		return nil, release
	}
	over := time.NewTimer(f.cfg.FillLease)
	defer over.Stop()
	for n := 0; ; n++ {
		end, holder, err := f.lease(ctx, leaser, key)
		if err != nil {
			f.storeFailed("shared lease", err)
			return nil, release
		}
		// After the lease, also of its holder: the one before may have stored the answer
		// between this one's look at the store and the lease.
		if t := f.TakeOver(ctx, key); t != nil {
			end()
			return t, release
		}
		if holder {
			return nil, end
		}
		poll := fillPolls[min(n, len(fillPolls)-1)]
		wait := time.NewTimer(poll/2 + rand.N(poll))
		select {
		case <-wait.C:
			continue
		case <-over.C:
			f.Counts.LeaseWaits.Add(1)
		case <-ctx.Done():
		case <-f.cfg.Closed:
		}
		wait.Stop()
		return nil, release
	}
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
