package redisstore

import (
	"context"
	"sync"
	"time"
)

// lent is the context of a call that may go on after its caller has stopped waiting. It
// has the values of the caller's context, which hooks of the client look for, a tracer's
// say, and it has them only while the caller waits: it does not end with that context.
//
// A caller who has stopped waiting may be a request that ends. Frameworks keep the values
// of a request in memory that they give to the next one (fasthttp, and what is built on
// it), and write to it without a lock:
//
//   - A's call takes longer than ReadTimeout. A is answered, and its context is used for B.
//     A hook asks the context of A's call for its span while the framework writes B's
//     values: it gets one of B's, or half of one.
type lent struct {
	mu  sync.RWMutex
	ctx context.Context //nolint:containedctx // nil when the caller does not wait any more
}

// end takes the values away. None is being looked for when it returns.
func (l *lent) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ctx = nil
}

// Value implements context.Context.
func (l *lent) Value(key any) any {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.ctx == nil {
		return nil
	}
	return l.ctx.Value(key)
}

// Deadline implements context.Context.
func (*lent) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done implements context.Context.
func (*lent) Done() <-chan struct{} { return nil }

// Err implements context.Context.
func (*lent) Err() error { return nil }
