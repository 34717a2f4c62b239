package fleet

import (
	"context"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// Fresh reports whether this instance has a lease: whether cached answers may be served
// at all. Ask it before an answer's validity: see changelog.Log.
func (f *Fleet) Fresh() bool {
	if f.cfg.Log == nil {
		return true
	}
	fresh, err := safe.Call(func() (bool, error) { return f.cfg.Log.Fresh(), nil })
	if err != nil {
		f.cfg.Once.Warn("log", logFailed, err)
	}
	return fresh && err == nil
}

const logFailed = "gqlcache: Options.Log failed, so requests bypass the cache"

// Arrive returns the clock's number from which on a computation that somebody else began
// is as good for a query as one that begins now. It returns false when there is no lease.
// Call it after CatchUp.
//
// The number when the query's operation began is too early with a log: a change that
// another instance had acknowledged by then was perhaps not applied here before the
// lease, or the caller's token, was looked at. A computation that began in between would
// count as one that began after the caller, and lacks the change.
func (f *Fleet) Arrive() (since uint64, ok bool) {
	if !f.Fresh() {
		return 0, false
	}
	return f.cfg.Clock.Seq(), true
}

// Place returns the base of a computation that begins now: the place in the log up to
// which every record is applied here, and then the clock's number. The place is zero
// without a log, and when the log panics: then no other instance may have the answer.
func (f *Fleet) Place() (at changelog.Position, number uint64) {
	if f.cfg.Log != nil {
		at = f.applied()
	}
	return at, f.cfg.Clock.Seq()
}

// applied is the log's Applied, and no position when that panics.
func (f *Fleet) applied() changelog.Position {
	at, err := safe.Call(func() (changelog.Position, error) { return f.cfg.Log.Applied(), nil })
	if err != nil {
		f.cfg.Once.Warn("log", logFailed, err)
		return changelog.Position{}
	}
	return at
}

// leaseWait is how long a mutation waits for a lease before it is refused, and a request
// with a token for the log.
const leaseWait = 3 * time.Second

// MayWrite reports whether a mutation may run. It waits a while for a lease if mutations
// need one.
func (f *Fleet) MayWrite(ctx context.Context) bool {
	if !f.cfg.NeedsLease || f.cfg.Background != nil || f.Fresh() {
		return true
	}
	select {
	case <-f.cfg.Closed:
		return false // no lease comes any more
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, leaseWait)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-f.cfg.Closed:
			return false
		case <-poll.C:
			if f.Fresh() {
				return true
			}
		}
	}
}
