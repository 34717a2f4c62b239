package redislog

import (
	"context"
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// rounds counts the rounds of renewal, for those who wait for one.
type rounds struct {
	kick chan struct{} // asks for one

	mu           sync.Mutex // protects all below
	begun, ended uint64
	err          error         // of the last that ended
	changed      chan struct{} // closed when one ends
}

func newRounds() *rounds {
	return &rounds{kick: make(chan struct{}, 1), changed: make(chan struct{})}
}

// kickOff asks for a round, soon. It does not block.
func (r *rounds) kickOff() {
	select {
	case r.kick <- struct{}{}:
	default: // one is asked for already
	}
}

func (r *rounds) begin() {
	r.mu.Lock()
	r.begun++
	r.mu.Unlock()
}

func (r *rounds) end(err error) {
	r.mu.Lock()
	r.ended, r.err = r.begun, err
	close(r.changed)
	r.changed = make(chan struct{})
	r.mu.Unlock()
}

// wait returns after a round that has begun after the call, with its error. Any number of
// callers share one.
func (r *rounds) wait(ctx context.Context, closed <-chan struct{}) error {
	r.mu.Lock()
	want := r.begun + 1
	for r.ended < want {
		changed := r.changed
		r.mu.Unlock()
		r.kickOff()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-closed:
			return changelog.ErrClosed
		case <-changed:
		}
		r.mu.Lock()
	}
	defer r.mu.Unlock()
	return r.err
}
