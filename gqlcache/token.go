package gqlcache

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// Tokens come from clients, who may send anything. These hold for every token:
//
//  1. A request whose token an instance has given, and whose change may not be applied here, gets an answer that
//     was computed after the request arrived.
//  2. What no instance can have given counts as absent: text that is no position, and a position of the log's
//     own epoch that the log, asked after the token came, has not reached.
//  3. At most looksPerSecond requests a second make this instance ask the log. The others of which the same is to
//     be found out are computed anew, those which arrive in one window by one computation for each key.

// looksPerSecond is how many requests with a token that is not reached ask the log.
const looksPerSecond = 10

// anewWindow is how long requests that are computed anew are collected.
const anewWindow = 100 * time.Millisecond

// catchUp makes sure that this instance has applied all that the caller has seen elsewhere, or that the answer is
// computed after now: then r.anew is set. Otherwise it returns ReasonToken, and the request bypasses the cache.
func (c *Cache) catchUp(ctx context.Context, r *request, token string) Reason {
	if token == "" || c.opts.Log == nil {
		return ""
	}
	at, err := changelog.ParsePosition(token)
	before := c.applied()
	if err != nil || before.Reached(at) || before.Epoch > at.Epoch {
		return "" // what was before this epoch is void
	}
	if !c.looks.allows(time.Since(c.born)) {
		return c.anew(ctx, r)
	}
	looking, cancel := context.WithTimeout(ctx, leaseWait)
	defer cancel()
	err = safe.Do(func() error { return c.opts.Log.CatchUp(looking, at) })
	after := c.applied()
	switch {
	case err == nil, after.Reached(at), after.Epoch > at.Epoch:
		return ""
	case errors.Is(err, changelog.ErrBehind) && before.Epoch == at.Epoch && after.Epoch == at.Epoch:
		return "" // the log was asked in the token's epoch, and nobody has got this far
	}
	c.once.Warn("token", "gqlcache: a request's token could not be looked up in the log, so it bypasses the cache", err)
	return ReasonToken
}

// anew waits for the next window and makes the request join, or begin, a computation that begins in it or
// later: those that the requests of one window share begin after all of them have arrived. A computation of an
// earlier window, or of a request without a token, may have read before the change that the token names.
//
// A request that is held reads in a transaction that may be older than the window: it computes for itself.
func (c *Cache) anew(ctx context.Context, r *request) Reason {
	if r.hold != nil {
		return ReasonToken
	}
	since := time.Since(c.born)
	window := since/anewWindow + 1
	next := time.NewTimer(anewWindow - since%anewWindow)
	defer next.Stop()
	select {
	case <-next.C:
	case <-ctx.Done():
		return ReasonToken
	}
	// No key begins with 0, so no other request has such a flight.
	b := make([]byte, 9)
	binary.BigEndian.PutUint64(b[1:], uint64(window))
	r.anew = string(b)
	return ""
}

// explainAnew puts the token in place of the reason why there was no entry: it was not looked for.
func (r *request) explainAnew() {
	if r.anew != "" && r.note != nil {
		r.note.missed = inspect.Reason{Code: string(ReasonToken), Message: messages[string(ReasonToken)]}
	}
}

// maxAnew bounds the answers that are remembered of one window. It is the most keys that have one computation each.
const maxAnew = 1000

// anewAnswers are those that were computed in the last window: who has waited for it may have them, too.
type anewAnswers struct {
	mu     sync.Mutex // protects all below
	window string
	stamps map[string]*stamp // by key
}

// add remembers an answer that was stored. A window that is over by then begins again, and is forgotten soon.
func (a *anewAnswers) add(window, key string, s *stamp) {
	if window == "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.window != window {
		a.window, a.stamps = window, map[string]*stamp{}
	}
	if len(a.stamps) < maxAnew {
		a.stamps[key] = s
	}
}

// has reports whether an entry was computed in a window. Its key may have been stored again since.
func (a *anewAnswers) has(window string, key []byte, s *stamp) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.window == window && a.stamps[string(key)] == s
}

// fromSharedFor is fromShared, which has nothing for who must not be given what was computed before.
func (c *Cache) fromSharedFor(ctx context.Context, r *request, key string) *filled {
	if r.anew != "" {
		return nil
	}
	return c.fromShared(ctx, key)
}

// countFate counts what became of a query that was looked up, or was to be computed anew.
func (c *Cache) countFate(ctx context.Context, r *request, d *document, how outcome) {
	if r.anew != "" && how != abandoned {
		c.countBypass(ctx, d, ReasonToken)
		return
	}
	c.count(d, how)
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
