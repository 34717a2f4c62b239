package blog

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// A latency is the artificial slowness of the database, for tests of what happens between
// a read and its answer. Zero neither sleeps nor yields.
type latency struct {
	most  atomic.Int64 // nanoseconds
	sleep func(context.Context, time.Duration) error
}

// wait sleeps a random time below the latency, or until the context is done.
func (l *latency) wait(ctx context.Context) error {
	most := l.most.Load()
	if most <= 0 {
		return nil
	}
	return l.sleep(ctx, time.Duration(rand.Int64N(most)))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
