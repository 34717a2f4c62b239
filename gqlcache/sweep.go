package gqlcache

import (
	"context"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// sweepLoop sweeps, at intervals and when tags take too much memory, until the cache is closed.
func (c *Cache) sweepLoop() {
	var tick <-chan time.Time
	if c.opts.SweepInterval > 0 {
		t := time.NewTicker(c.opts.SweepInterval)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-c.closed:
			return
		case <-tick:
		case <-c.pressure.due:
		}
		c.sweep(context.Background())
	}
}

// Sweep removes the entries that can never be served again, and forgets the tags that nothing depends
// on any more. It looks at every entry, without holding up requests; the cache does so by itself every
// Options.SweepInterval, and whenever a quarter of Options.MaxBytes was stored. It returns ErrClosed after Close, and the context's error when dead entries
// are left because it ended.
func (c *Cache) Sweep(ctx context.Context) (SweepReport, error) {
	if c.unmade() {
		return SweepReport{}, errUnmade
	}
	ctx = orBackground(ctx)
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
	c.pressure.swept()
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
	err := safe.Do(func() error {
		r.Tags = c.clock.Sweep(live).Kept
		return nil
	})
	if err != nil {
		c.storeFailed("all", err)
		return r
	}
	c.pressure.bound(max(c.opts.MaxBytes, r.LiveBytes))
	r.Took = c.opts.Now().Sub(start)
	c.lastSweep.Store(&r)
	return r
}
