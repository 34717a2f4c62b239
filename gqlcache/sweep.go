package gqlcache

import (
	"context"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
)

// sweepLoop sweeps until the cache is closed.
func (c *Cache) sweepLoop() {
	t := time.NewTicker(c.opts.SweepInterval)
	defer t.Stop()
	for {
		select {
		case <-c.closed:
			return
		case <-t.C:
			c.sweep(context.Background())
		}
	}
}

// Sweep removes the entries that can never be served again, and forgets the tags that nothing depends
// on any more. It looks at every entry, without holding up requests; the cache does so by itself every
// Options.SweepInterval. It returns ErrClosed after Close and the context's error when that ends it.
func (c *Cache) Sweep(ctx context.Context) (SweepReport, error) {
	if c.isClosed() {
		return SweepReport{}, ErrClosed
	}
	r := c.sweep(ctx)
	return r, ctx.Err()
}

func (c *Cache) sweep(ctx context.Context) SweepReport {
	c.sweepMu.Lock()
	defer c.sweepMu.Unlock()
	start := c.opts.Now()
	r := SweepReport{At: start}
	live := func(yield func(*clock.Stamp) bool) {
		for key, e := range c.store.All(ctx) {
			if ctx.Err() != nil || c.isClosed() {
				return
			}
			s, ok := e.Meta.(*stamp)
			if !ok {
				continue
			}
			if !c.clock.Valid(s.Stamp) {
				r.DeadEntries++
				r.DeadBytes += int64(e.Size)
				_ = c.store.DeleteEntry(ctx, key, e)
				continue
			}
			r.LiveEntries++
			r.LiveBytes += int64(e.Size)
			if !yield(s.Stamp) {
				return
			}
		}
	}
	r.Tags = c.clock.Sweep(live).Kept
	r.Took = c.opts.Now().Sub(start)
	c.lastSweep.Store(&r)
	return r
}
