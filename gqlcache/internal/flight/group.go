package flight

import (
	"container/list"
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// End says how a computation came to its end, for those who wait for it.
type End uint8

const (
	// Unshared: the value is for the leader only. A computation that panics, or whose
	// goroutine ends, comes to this end.
	Unshared End = iota
	// Shared: every caller may have the value.
	Shared
	// Left: the leader's request ended during the computation. The value is for the
	// leader only, whatever it looks like.
	Left
)

// An Outcome is what a computation came to.
type Outcome[T any] struct {
	Value T
	End   End
	// Lasting says of an Unshared outcome that the next computation of the key will
	// hardly be shared either: for a while its callers do not wait for one another.
	Lasting bool
}

// Role says how a caller came by its outcome.
type Role uint8

const (
	// Led: the caller's own function computed the outcome.
	Led Role = iota
	// Joined: another caller's function did.
	Joined
	// Alone: the caller has no outcome. It must compute by itself, without the group.
	Alone
	// Ended: the caller's context ended while it waited. It has no outcome.
	Ended
	// Busy: the caller would have had to wait, or to compute without the group, and its
	// Call has NoWait set, or it has waited for as long as Within. It has no outcome.
	Busy
)

// A Call is what Do is called with. All fields but NoWait and Within are required.
type Call[T any] struct {
	Key string
	// Arrived is the clock's number when the caller arrived. A value that is based on an
	// older one is taken only if it is valid.
	Arrived uint64
	// Begin returns the token of a computation that starts now. It is called with a lock
	// held, and must only read a number.
	Begin func() uint64
	// Compute computes the value, on the goroutine that called Do. It is called at most
	// once.
	Compute func(token uint64, f *Flight[T]) Outcome[T]
	// Valid says of a shared value, after its computation has ended, whether nothing was
	// invalidated since its token. It may be called several times.
	Valid func(T) bool
	// Bound is how long a computation may take before it counts as stuck.
	Bound time.Duration
	// Usual is how long a computation takes, as far as that is known: a caller with a
	// deadline keeps that much time for its own.
	Usual time.Duration
	// NoWait says that the caller has something to fall back on: it leads if nobody else
	// does, and waits for nobody.
	NoWait bool
	// Within is how long a caller that has something to fall back on waits for others, at
	// each of its waits; 0 is without end. After that its role is Busy.
	Within time.Duration
}

const shardCount = 64

// A Group holds the flights in progress. The zero value is ready to use. It must not be
// copied. Its methods are safe for concurrent use.
type Group[T any] struct {
	ended  atomic.Uint64
	shards [shardCount]shard[T]
}

// shard.mu guards the map, the places in it, and the callers that wait for one.
type shard[T any] struct {
	mu     sync.Mutex
	places map[string]*place[T]
	// unshared are the keys, by hash, that have no flights, with the time until which.
	unshared map[uint64]time.Time
}

// seed spreads keys over shards; it is not part of anything that outlives the process.
var seed = maphash.MakeSeed()

// A place is where the callers of one key meet. All fields but the channel are guarded by
// the shard's lock; outcome and token are also read, without it, by who has seen over
// closed.
type place[T any] struct {
	key     string
	waiting list.List // of *waiter, the one who has waited longest first
	// running counts the computations that may still give the outcome, begun is when the
	// last one began.
	running int
	begun   time.Time

	over    chan struct{} // closed when those who wait need not wait any more
	closed  bool
	outcome Outcome[T]
	token   uint64
}

// A waiter is a caller that waits.
type waiter struct {
	lead   chan struct{} // closed when the caller is to lead
	chosen bool
	at     *list.Element
}

// A Flight is one computation, as its function sees it.
type Flight[T any] struct {
	shard *shard[T]
	place *place[T]
}

// Ended returns how many flights have ended. Who looked for an earlier result in vain,
// and then starts a flight, may have missed a flight that ended in between; if so, the
// number has changed.
func (g *Group[T]) Ended() uint64 { return g.ended.Load() }

// Do returns the outcome for a key from a computation that is good enough for the caller,
// its own if there is no other.
//
// Do blocks until there is an outcome, until the caller has to compute by itself, or
// until ctx is done. A panic in c.Compute goes on in its caller, and so does
// runtime.Goexit.
func (g *Group[T]) Do(ctx context.Context, c Call[T]) (Outcome[T], Role) {
	hash := maphash.String(seed, c.Key)
	s := &g.shards[hash%shardCount]
	for try := 0; ; try++ {
		s.mu.Lock()
		p := s.places[c.Key]
		if c.NoWait && (p != nil || s.isUnshared(hash)) {
			s.mu.Unlock()
			return Outcome[T]{}, Busy
		}
		if p == nil {
			if s.isUnshared(hash) {
				s.mu.Unlock()
				return Outcome[T]{}, Alone
			}
			p, token := s.open(c.Key, c.Begin)
			s.mu.Unlock()
			return g.lead(s, p, hash, c, token), Led
		}
		if try == 2 {
			// Twice its flight was overtaken by a change. It does not queue up a third
			// time.
			s.mu.Unlock()
			return Outcome[T]{}, Alone
		}
		if wait, ok := patience(ctx, c.Bound, c.Usual); ok && time.Since(p.begun) >= wait {
			token := p.start(c.Begin) // beside one that is stuck
			s.mu.Unlock()
			return g.lead(s, p, hash, c, token), Led
		}
		w := &waiter{lead: make(chan struct{})}
		w.at = p.waiting.PushBack(w)
		s.mu.Unlock()

		switch token, came := s.await(ctx, p, w, c); came {
		case hasToLead:
			return g.lead(s, p, hash, c, token), Led
		case hasEnded:
			return Outcome[T]{}, Ended
		case isLate:
			return Outcome[T]{}, Busy
		}
		switch {
		case p.outcome.End != Shared:
			return Outcome[T]{}, Alone
		case p.token >= c.Arrived || c.Valid(p.outcome.Value):
			return p.outcome, Joined
		}
		// The flight began before the caller arrived and is not valid any more: what made
		// it invalid may have been acknowledged before the arrival. The next round finds
		// no flight, or one that began after this one was taken out of the map.
	}
}

// open makes the place of a key that has none, for a computation that begins. REQUIRES: mu.
func (s *shard[T]) open(key string, begin func() uint64) (p *place[T], token uint64) {
	// A copy: were a part of a Call kept, the functions in it would be in the heap, and
	// what a caller of the cache gives it, for hits, too.
	p = &place[T]{key: strings.Clone(key), over: make(chan struct{})}
	if s.places == nil {
		s.places = map[string]*place[T]{}
	}
	s.places[p.key] = p
	return p, p.start(begin)
}

// start notes that a computation begins. REQUIRES: mu.
func (p *place[T]) start(begin func() uint64) (token uint64) {
	p.running++
	p.begun = time.Now()
	return begin()
}

// lead computes. The end is noted in a defer, since runtime.Goexit runs nothing else.
func (g *Group[T]) lead(s *shard[T], p *place[T], hash uint64, c Call[T], token uint64) (out Outcome[T]) {
	defer func() { g.end(s, p, hash, out, token) }()
	return c.Compute(token, &Flight[T]{shard: s, place: p})
}

// end notes the end of a computation.
func (g *Group[T]) end(s *shard[T], p *place[T], hash uint64, out Outcome[T], token uint64) {
	g.ended.Add(1) // before anybody can find the flight gone
	s.mu.Lock()
	defer s.mu.Unlock()
	p.running--
	if out.End == Unshared && out.Lasting {
		s.markUnshared(hash)
	}
	switch {
	case p.closed:
	case out.End == Left:
		s.vacate(p)
	default:
		p.outcome, p.token = out, token
		s.close(p)
	}
}

// vacate gives the lead to the caller that has waited longest, if no other computation is
// running. It is one caller, in the order of arrival: clients that come and go in turn
// cannot keep those from leading who came before them, and a crowd does not become a
// herd. REQUIRES: mu.
func (s *shard[T]) vacate(p *place[T]) {
	if p.closed || p.running > 0 {
		return
	}
	first := p.waiting.Front()
	if first == nil {
		s.close(p) // nobody has to be told
		return
	}
	w := first.Value.(*waiter)
	p.waiting.Remove(first)
	p.running++ // until it has begun, nobody else is chosen
	p.begun = time.Now()
	w.chosen = true
	close(w.lead)
}

// close ends the wait of all who wait at a place, and takes it out of the map, unless a
// younger one is there. REQUIRES: mu.
func (s *shard[T]) close(p *place[T]) {
	if p.closed {
		return
	}
	p.closed = true
	if s.places[p.key] == p {
		delete(s.places, p.key)
	}
	close(p.over)
}

// what a wait came to.
type came uint8

const (
	hasOutcome came = iota
	hasToLead
	hasEnded
	isLate
)

// await waits at a place.
func (s *shard[T]) await(ctx context.Context, p *place[T], w *waiter, c Call[T]) (token uint64, _ came) {
	wait, _ := patience(ctx, c.Bound, c.Usual)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	late, stop := c.late()
	defer stop()
	for {
		select {
		case <-p.over:
			return 0, hasOutcome
		case <-w.lead:
			s.mu.Lock()
			defer s.mu.Unlock()
			switch {
			case p.closed: // another computation ended meanwhile
				return 0, hasOutcome
			case ctx.Err() != nil:
				s.pass(p, w)
				return 0, hasEnded
			}
			return c.Begin(), hasToLead
		case <-ctx.Done():
			s.mu.Lock()
			s.pass(p, w)
			s.mu.Unlock()
			return 0, hasEnded
		case <-late:
			s.mu.Lock()
			s.pass(p, w)
			s.mu.Unlock()
			return 0, isLate
		case <-timer.C:
			next, lead := s.impatient(ctx, p, w, c, &token)
			if lead {
				return token, hasToLead
			}
			timer.Reset(next)
		}
	}
}

// pass takes a caller that leaves out of the queue. If it had just been chosen to lead,
// another one is: both channels of its select were ready, and it took the other one.
// REQUIRES: mu.
func (s *shard[T]) pass(p *place[T], w *waiter) {
	if !w.chosen {
		p.waiting.Remove(w.at)
		return
	}
	p.running--
	s.vacate(p)
}

// impatient decides for a caller whose wait is over: it leads beside the computations
// that are running, if none of them is young enough to be waited for; else it waits on,
// for the returned time.
func (s *shard[T]) impatient(ctx context.Context, p *place[T], w *waiter, c Call[T], token *uint64) (next time.Duration, lead bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.closed || w.chosen {
		return c.Bound, false // its channel is ready
	}
	wait, ok := patience(ctx, c.Bound, c.Usual)
	if !ok {
		return wait, false
	}
	if age := time.Since(p.begun); age < wait {
		return max(wait-age, time.Millisecond), false
	}
	p.waiting.Remove(w.at)
	*token = p.start(c.Begin)
	return 0, true
}

// patience is how long a caller waits for a computation that has just begun: a bound, but
// with a deadline no longer than leaves time for a computation of its own. Where the
// usual duration is not known that is half of the time left, and where time is short a
// quarter. ok is false when so little is left that the caller can do no better than wait.
func patience(ctx context.Context, bound, usual time.Duration) (wait time.Duration, ok bool) {
	deadline, has := ctx.Deadline()
	if !has {
		return bound, true
	}
	left := time.Until(deadline)
	if left < leastPatience {
		return leastPatience, false
	}
	wait = left / 2
	if usual > 0 {
		wait = max(left-2*usual, left/4)
	}
	return min(bound, max(wait, leastPatience)), true
}

// leastPatience is the shortest wait before a caller computes beside a flight.
const leastPatience = 5 * time.Millisecond

// unsharedFor is how long a key has no flights after an outcome that was Lasting.
const unsharedFor = 2 * time.Second

// maxUnshared bounds the keys that are remembered of each shard. With more of them some
// are forgotten, and have flights again.
const maxUnshared = 64

// markUnshared notes that a key has no flights for a while. REQUIRES: mu.
func (s *shard[T]) markUnshared(hash uint64) {
	if s.unshared == nil {
		s.unshared = map[uint64]time.Time{}
	}
	if len(s.unshared) >= maxUnshared {
		clear(s.unshared)
	}
	s.unshared[hash] = time.Now().Add(unsharedFor)
}

// isUnshared says whether a key has no flights at present. REQUIRES: mu.
func (s *shard[T]) isUnshared(hash uint64) bool {
	until, ok := s.unshared[hash]
	if !ok {
		return false
	}
	if time.Now().Before(until) {
		return true
	}
	delete(s.unshared, hash)
	return false
}

// Shareable says that a computation which was made alone could have been shared after
// all: its key has flights again.
func (g *Group[T]) Shareable(key string) {
	hash := maphash.String(seed, key)
	s := &g.shards[hash%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.unshared, hash)
}

// Unshare sends all who wait for the key off to compute for themselves, at once. It does
// nothing when they have gone already, and on nil.
func (f *Flight[T]) Unshare() {
	if f == nil {
		return
	}
	f.shard.mu.Lock()
	defer f.shard.mu.Unlock()
	if !f.place.closed {
		f.place.outcome = Outcome[T]{}
		f.shard.close(f.place)
	}
}
