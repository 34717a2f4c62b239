package flight

import (
	"context"
	"hash/maphash"
	"time"
)

// This file is for callers that compute several keys at once. Such a caller tries to lead
// each of them, which does not block, computes those that it leads, ends their flights, and
// only then waits for the others.
//
// Invariant: who waits leads nothing. So two callers with sets that overlap, in any order,
// do not wait for each other:
//
//	caller A: 1, 2              caller B: 2, 1
//	leads 1                     leads 2
//	2 is busy                   1 is busy
//	computes 1, ends it         computes 2, ends it
//	waits for 2, which ends     waits for 1, which ends

// A Lead is a flight whose caller computes it by itself: see Try.
type Lead[T any] struct {
	Flight[T]
	group *Group[T]
	hash  uint64
	token uint64
	ended bool
}

// Try starts a flight of a key and returns its Lead, with the role Led, if none is in
// progress. It does not block. Without a Lead the role is Busy when another caller computes
// the key, in the flight that is returned, and Alone when the key has no flights at present.
// The caller must call End, also when it panics. Begin is called with a lock held.
func (g *Group[T]) Try(key string, begin func() uint64) (*Lead[T], *Flight[T], Role) {
	hash := maphash.String(seed, key)
	s := &g.shards[hash%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.places[key]; p != nil {
		return nil, &Flight[T]{shard: s, place: p}, Busy
	}
	if s.isUnshared(hash) {
		return nil, nil, Alone
	}
	p, token := s.open(key, begin)
	return &Lead[T]{Flight: Flight[T]{shard: s, place: p}, group: g, hash: hash, token: token}, nil, Led
}

// End gives those who wait for the flight its outcome. Only the first call counts. It may be
// called on nil.
func (l *Lead[T]) End(out Outcome[T]) {
	if l == nil || l.ended {
		return
	}
	l.ended = true
	l.group.end(l.shard, l.place, l.hash, out, l.token)
}

// Wait waits for the outcome of a flight that another caller leads, and never leads. It may
// have ended. The role is Joined with its outcome; Ended when ctx is done; Busy when the
// flight takes longer than the caller waits; Alone when it has no outcome for the caller:
// then it may Try again. Key, Begin, Compute and NoWait do not count.
func (f *Flight[T]) Wait(ctx context.Context, c Call[T]) (Outcome[T], Role) {
	s, p := f.shard, f.place
	late, stop := c.late()
	defer stop()
	for {
		wait, patient := patience(ctx, c.Bound, c.Usual)
		s.mu.Lock()
		wait -= time.Since(p.begun)
		s.mu.Unlock()
		if patient && wait <= 0 {
			select {
			case <-p.over:
			default:
				return Outcome[T]{}, Busy
			}
		}
		timer := time.NewTimer(max(wait, leastPatience))
		select {
		case <-p.over:
			timer.Stop()
			if p.outcome.End == Shared && (p.token >= c.Arrived || c.Valid(p.outcome.Value)) {
				return p.outcome, Joined
			}
			return Outcome[T]{}, Alone
		case <-ctx.Done():
			timer.Stop()
			return Outcome[T]{}, Ended
		case <-late:
			timer.Stop()
			return Outcome[T]{}, Busy
		case <-timer.C:
		}
	}
}

// late returns what is ready when the caller has waited for as long as it wants to, nil when
// it has not said so.
func (c *Call[T]) late() (late <-chan time.Time, stop func()) {
	if c.Within <= 0 {
		return nil, func() {}
	}
	t := time.NewTimer(c.Within)
	return t.C, func() { t.Stop() }
}
