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
// Options.SweepInterval. It returns ErrClosed after Close, and the context's error when dead entries
// are left because it ended.
func (c *Cache) Sweep(ctx context.Context) (SweepReport, error) {
	if c.isClosed() {
		return SweepReport{}, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return SweepReport{}, err
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
		for key, e := range c.store.All(context.WithoutCancel(ctx)) {
			if c.isClosed() {
				return
			}
			s, ok := e.Meta.(*stamp)
			if !ok || s.cache != c {
				continue
			}
			if !c.clock.Valid(s.Stamp) {
				// The live ones are looked at to the end: the tags of those left out would be forgotten, and
				// the entries with them at the next change of anything.
				if ctx.Err() == nil && c.remove(ctx, key, e) {
					r.DeadEntries++
					r.DeadBytes += int64(e.Size)
				}
				continue
			}
			r.LiveEntries++
			r.LiveBytes += int64(e.Size)
			if !yield(s.Stamp) {
				return
			}
		}
	}
	err := guarded(func() error {
		r.Tags = c.clock.Sweep(live).Kept
		return nil
	})
	if err != nil {
		c.storeFailed("all", err)
		return r
	}
	r.Took = c.opts.Now().Sub(start)
	c.lastSweep.Store(&r)
	return r
}
