package gqlcache

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// fillLeaseTTL is how long a lease to compute an answer lasts at least, if its holder dies. A computation that
// takes longer may be done twice.
const fillLeaseTTL = 3 * time.Second

// fillPolls are the waits between looks at the shared store; the last one is repeated.
var fillPolls = [...]time.Duration{5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond}

// lead decides who of all instances computes a key that is not in the shared store: see Options.FillLease.
// It returns the answer of another instance, proven like any other of the shared store; or nil, and then this
// instance computes, and calls release, which is never nil, when what it computed is stored.
//
// The lease is advice. An answer is never taken for true because of it, and each way out of the wait but the
// first ends in a computation: the store fails, the wait is over, the context ends, the holder has given up.
func (c *Cache) lead(ctx context.Context, r *request, key string) (f *filled, release func()) {
	release = func() {}
	leaser, ok := c.opts.Shared.(store.Leaser)
	if c.opts.FillLease <= 0 || !ok || r.anew != "" || !c.fresh() || r.outer != nil && r.within((*request).isComputing) {
		return nil, release
	}
	over := time.NewTimer(c.opts.FillLease)
	defer over.Stop()
	for n := 0; ; n++ {
		end, holder, err := c.lease(ctx, leaser, key)
		if err != nil {
			c.sharedFailed("lease", err)
			return nil, release
		}
		// After the lease, also of its holder: the one before may have stored the answer between this one's
		// look at the store and the lease.
		if f := c.fromShared(ctx, key); f != nil {
			end()
			return f, release
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
			c.counts.leaseWaits.Add(1)
		case <-ctx.Done():
		case <-c.closed:
		}
		wait.Stop()
		return nil, release
	}
}

// lease asks for the lease of a key. End is never nil.
func (c *Cache) lease(ctx context.Context, leaser store.Leaser, key string) (end func(), holder bool, err error) {
	type lease struct {
		release func(context.Context)
		holder  bool
	}
	l, err := safe.Call(func() (lease, error) {
		release, holder, err := leaser.Lease(ctx, c.sharedKey(key), max(fillLeaseTTL, c.opts.FillLease))
		return lease{release, holder}, err
	})
	end = func() {
		if l.release == nil {
			return
		}
		// The request may have ended; others wait for the lease all the same.
		err := safe.Do(func() error { l.release(context.WithoutCancel(ctx)); return nil })
		if err != nil {
			c.sharedFailed("lease", err)
		}
	}
	return end, l.holder && err == nil, err
}
