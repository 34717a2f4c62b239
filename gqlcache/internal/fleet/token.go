package fleet

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// Tokens come from clients, who may send anything. These hold for every token:
//
//  1. A request whose token an instance has given, and whose change may not be applied
//     here, gets an answer that was computed after the request arrived.
//  2. A token that no instance can have given counts as absent: text that is no position,
//     and a position of the log's own epoch that the log, asked after the token came, has
//     not reached.
//  3. At most looksPerSecond requests a second make this instance ask the log. The others
//     whose token has to be looked up are computed anew, those which arrive in one window
//     by one computation for each key.

// looksPerSecond is how many requests with a token that is not reached ask the log.
const looksPerSecond = 10

// windowLength is how long requests that are computed anew are collected.
const windowLength = 100 * time.Millisecond

// CatchUp makes sure that this instance has applied all that a caller with the token has
// seen elsewhere: then window is "", as it is for a token that counts as absent.
// Otherwise the request's answer must be one that was computed in the window, or joined
// under a key that begins with it, and nothing that is stored: see Answered. It returns
// false when the request must bypass the cache.
//
// Held says that the request reads in a transaction that may be older than any window: it
// has none.
func (f *Fleet) CatchUp(ctx context.Context, token string, held bool) (window string, ok bool) {
	if token == "" || f.cfg.Log == nil {
		return "", true
	}
	at, err := changelog.ParsePosition(token)
	before := f.applied()
	if err != nil || before.Reached(at) || before.Epoch > at.Epoch {
		return "", true // nothing from before this epoch is served
	}
	if !f.looks.allows(f.age()) {
		if held {
			return "", false
		}
		return f.nextWindow(ctx)
	}
	looking, cancel := context.WithTimeout(ctx, leaseWait)
	defer cancel()
	err = safe.Do(func() error { return f.cfg.Log.CatchUp(looking, at) })
	after := f.applied()
	switch {
	case err == nil, after.Reached(at), after.Epoch > at.Epoch:
		return "", true
	case errors.Is(err, changelog.ErrBehind) && before.Epoch == at.Epoch && after.Epoch == at.Epoch:
		return "", true // the log was asked in the token's epoch, and nobody has got this far
	}
	f.cfg.Once.Warn("token", "gqlcache: a request's token could not be looked up in the log, so it bypasses the cache", err)
	return "", false
}

// nextWindow waits for the next window to begin, and returns its name. The requests of
// one window share computations that begin after all of them have arrived. A computation
// of an earlier window, or of a request without a token, may have read before the change
// that the token names. It returns false when the context ends.
func (f *Fleet) nextWindow(ctx context.Context) (window string, ok bool) {
	age := f.age()
	number := age/windowLength + 1
	next := time.NewTimer(windowLength - age%windowLength)
	defer next.Stop()
	select {
	case <-next.C:
	case <-ctx.Done():
		return "", false
	}
	// No key begins with 0, so no other request has such a flight.
	b := make([]byte, 9)
	binary.BigEndian.PutUint64(b[1:], uint64(number))
	return string(b), true
}

// maxWindow bounds the answers that are remembered of one window. It is the most keys
// that have one computation each.
const maxWindow = 1000

// windows has the answers that were computed in the last window: requests that have
// waited for it may have them.
type windows struct {
	mu     sync.Mutex // protects all below
	window string
	stamps map[string]*clock.Stamp // by key
}

// Answered remembers an answer that was computed in a window, and stored. It does nothing
// without a window. A window that is over by then begins again, and is forgotten soon.
func (f *Fleet) Answered(window, key string, s *clock.Stamp) {
	if window == "" {
		return
	}
	w := &f.windows
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.window != window {
		w.window, w.stamps = window, map[string]*clock.Stamp{}
	}
	if len(w.stamps) < maxWindow {
		w.stamps[key] = s
	}
}

// WasAnswered reports whether the answer with the stamp was computed in a window. The key
// may have been stored again since.
func (f *Fleet) WasAnswered(window string, key []byte, s *clock.Stamp) bool {
	w := &f.windows
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.window == window && w.stamps[string(key)] == s
}

// A lookLimit allows looksPerSecond calls in any second.
type lookLimit struct {
	mu   sync.Mutex // protects all below
	last [looksPerSecond]time.Duration
	next int // the oldest
	full bool
}

// allows reports whether there may be one more at a time, which does not go back.
func (l *lookLimit) allows(at time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full && at < l.last[l.next]+time.Second {
		return false
	}
	l.last[l.next] = at
	if l.next++; l.next == looksPerSecond {
		l.next, l.full = 0, true
	}
	return true
}
