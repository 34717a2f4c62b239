package gqlcache

import "context"

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
	return SweepReport(c.engine.Sweep(ctx, c.closed)), ctx.Err()
}
