package flight

import (
	"context"
	"hash/maphash"
	"runtime"
	"sync"
	"sync/atomic"
)

// An Outcome is what a computation came to.
type Outcome[T any] struct {
	Value T
	// Shareable allows other callers to have the value. Leave it false for errors and whatever else
	// must not be kept.
	Shareable bool
}

// Role says how a caller came by its outcome.
type Role uint8

const (
	// Led: the caller's own function computed the outcome.
	Led Role = iota
	// Joined: another caller's function did.
	Joined
	// Alone: the flight came to nothing that can be shared, and the caller has no outcome. It must
	// compute by itself, without the group.
	Alone
)

const shardCount = 64

// A Group holds the flights in progress. The zero value is ready to use. It must not be copied.
type Group[T any] struct {
	// OrphanPanic is told of a panic in a computation whose starter is gone, so that it has nowhere
	// to go on, and of its stack. Nil reports it with slog. Set it before the first Do.
	OrphanPanic func(key string, value any, stack []byte)

	ended  atomic.Uint64
	shards [shardCount]shard[T]
}

// shard.mu guards the map and, of the flights that were ever in it, the fields that say so.
type shard[T any] struct {
	mu      sync.Mutex
	flights map[string]*flight[T]
}

// seed spreads keys over shards; it is not part of anything that outlives the process.
var seed = maphash.MakeSeed()

func (g *Group[T]) shard(key string) *shard[T] {
	return &g.shards[maphash.String(seed, key)%shardCount]
}

// Len returns the number of flights that can be joined.
func (g *Group[T]) Len() int {
	n := 0
	for i := range g.shards {
		s := &g.shards[i]
		s.mu.Lock()
		n += len(s.flights)
		s.mu.Unlock()
	}
	return n
}

// Ended returns how many flights have ended. Who looked for an earlier result in vain, and then starts a
// flight, may have missed a flight that ended in between; if so, the number has changed.
func (g *Group[T]) Ended() uint64 { return g.ended.Load() }

// Do returns the outcome for a key from a flight that is good enough for a caller that arrived at the
// given number, and starts one if there is none.
//
// A new flight takes its token from begin and then calls fn, at most once for a call of Do, with the
// token and a context that outlives ctx. begin is called with a lock held and must only read the
// number. It is called after the caller arrived; a token that was taken earlier would let the caller
// use a result from before its own request. valid says of a shareable value, after its flight has
// ended, whether nothing was invalidated since its token; it may be called several times.
//
// Do blocks until the flight has ended or ctx is done; then it returns ctx.Err(), which is the only
// error, and the role says nothing. A panic in fn goes on in the caller that led; so does
// runtime.Goexit. The key is kept until the flight ends.
func (g *Group[T]) Do(
	ctx context.Context,
	key string,
	arrived uint64,
	begin func() uint64,
	fn func(ctx context.Context, token uint64) Outcome[T],
	valid func(T) bool,
) (Outcome[T], Role, error) {
	s := g.shard(key)
	for {
		f, led := g.join(ctx, s, key, begin, fn)
		select {
		case <-f.done:
		case <-ctx.Done():
			g.leave(s, f, led)
			return Outcome[T]{}, Alone, ctx.Err()
		}
		switch {
		case led:
			f.resume()
			return f.out, Led, nil
		case !f.out.Shareable:
			return Outcome[T]{}, Alone, nil
		case f.token >= arrived || valid(f.out.Value):
			return f.out, Joined, nil
		}
		// The flight began before the caller arrived and is not valid any more: what made it invalid may
		// have been acknowledged before the arrival. The next round finds no flight, or one that began
		// after this one was taken out of the map, and so after the caller arrived: that one will do, and
		// there is no third round.
	}
}

// join returns the flight of a key, a new one if there is none.
func (g *Group[T]) join(
	ctx context.Context,
	s *shard[T],
	key string,
	begin func() uint64,
	fn func(context.Context, uint64) Outcome[T],
) (f *flight[T], led bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f = s.flights[key]; f != nil {
		f.callers++
		return f, false
	}
	f = &flight[T]{key: key, token: begin(), callers: 1, done: make(chan struct{})}
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if s.flights == nil {
		s.flights = map[string]*flight[T]{}
	}
	s.flights[key] = f
	go g.run(ctx, s, f, fn)
	return f, true
}

// leave gives up waiting. The last to leave ends the computation, and takes the flight out of the map
// under the same lock: nobody can join a flight that was canceled.
func (g *Group[T]) leave(s *shard[T], f *flight[T], led bool) {
	s.mu.Lock()
	f.callers--
	last := f.callers == 0
	if last {
		s.remove(f)
	}
	if led {
		f.orphan = true
	}
	// The leader may leave although the computation has just panicked. Then nobody else reports it.
	report := led && f.ended && f.panicked
	s.mu.Unlock()
	if last {
		f.cancel()
	}
	if report {
		g.reportOrphan(f)
	}
}

// run computes, publishes the outcome and wakes the callers, whatever fn does.
func (g *Group[T]) run(ctx context.Context, s *shard[T], f *flight[T], fn func(context.Context, uint64) Outcome[T]) {
	// Deferred, since runtime.Goexit in fn runs nothing else.
	defer func() {
		g.ended.Add(1) // before anybody can find the flight gone
		s.mu.Lock()
		s.remove(f)
		f.ended = true
		report := f.orphan && f.panicked
		s.mu.Unlock()
		f.cancel()
		close(f.done)
		if report {
			g.reportOrphan(f)
		}
	}()
	f.compute(ctx, fn)
}

// remove takes a flight out of the map, unless a younger one has its place. REQUIRES: mu.
func (s *shard[T]) remove(f *flight[T]) {
	if s.flights[f.key] == f {
		delete(s.flights, f.key)
	}
}

// A flight is one computation. Outcome, panic and returned are written by the computation's goroutine
// before done is closed, and read only afterwards, or by the holder of the shard's lock once ended.
type flight[T any] struct {
	key    string
	token  uint64
	cancel context.CancelFunc
	done   chan struct{}

	// Guarded by the shard's lock.
	callers int  // that wait, the leader included
	orphan  bool // the leader left
	ended   bool // the fields below are final

	out      Outcome[T]
	returned bool // fn returned: neither panic nor Goexit
	panicked bool
	value    any
	stack    []byte
}

// compute calls fn and notes how it ended.
func (f *flight[T]) compute(ctx context.Context, fn func(context.Context, uint64) Outcome[T]) {
	defer func() {
		if f.returned {
			return
		}
		// A nil value is Goexit: since Go 1.21 a panic never has one.
		if v := recover(); v != nil {
			f.panicked, f.value, f.stack = true, v, stack()
		}
	}()
	f.out = fn(ctx, f.token)
	f.returned = true
}

// resume ends the leader as its function ended.
func (f *flight[T]) resume() {
	switch {
	case f.panicked:
		panic(f.value) // not ours: fn panicked, and its caller must see it
	case !f.returned:
		runtime.Goexit()
	}
}
