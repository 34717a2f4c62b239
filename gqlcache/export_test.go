package gqlcache

import (
	"context"
	"runtime"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// StopInApply returns the sink with a function that is called between the two steps of Apply.
func StopInApply(s changelog.Sink, f func()) changelog.Sink {
	return sink{c: s.(sink).c, noted: f}
}

// Reasons are all reasons there are.
func Reasons() []Reason { return reasons }

// CacheStatus is the header's member for an outcome.
var CacheStatus = cacheStatus

// AwaitDueSweeps returns when no sweep is due, and none is running.
func AwaitDueSweeps(ctx context.Context, c *Cache) error {
	for ctx.Err() == nil {
		c.sweepMu.Lock()
		due := c.pressure.bytes.Load() >= c.pressure.limit.Load()
		c.sweepMu.Unlock()
		if !due {
			return nil
		}
		runtime.Gosched()
	}
	return ctx.Err()
}
