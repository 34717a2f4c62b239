package redislog

import (
	"context"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// A life is the time from Start to Close, and the goroutines that run in it.
type life struct {
	mu              sync.Mutex // protects started and closed
	started, closed bool

	// REQUIRES for all below: started.
	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup
}

// start begins the life and then calls begin, which a concurrent end waits for.
func (l *life) start(ctx context.Context, begin func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return changelog.ErrClosed
	case l.started:
		return changelog.ErrStarted
	}
	l.started = true
	l.ctx, l.stop = context.WithCancel(ctx)
	begin()
	return nil
}

// run runs a loop until the end of its context. Call it within begin.
func (l *life) run(loop func(context.Context)) { l.done.Go(func() { loop(l.ctx) }) }

func (l *life) isStarted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.started
}

// isOver reports whether the life has ended. REQUIRES: started.
func (l *life) isOver() bool { return l.ctx.Err() != nil }

// over returns a channel that is closed at the end. REQUIRES: started.
func (l *life) over() <-chan struct{} { return l.ctx.Done() }

// end ends the life, waits for its loops, and reports whether it had begun.
func (l *life) end() bool {
	l.mu.Lock()
	l.closed = true
	started := l.started
	l.mu.Unlock()
	if started {
		l.stop()
		l.done.Wait()
	}
	return started
}

// within returns a context that also ends, with ErrClosed, when the life does.
func (l *life) within(ctx context.Context) (_ context.Context, stop func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, nil, changelog.ErrClosed
	case !l.started:
		return nil, nil, changelog.ErrNotStarted
	}
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(l.ctx, func() { cancel(changelog.ErrClosed) })
	return ctx, func() { unhook(); cancel(nil) }, nil
}

// pause waits, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
