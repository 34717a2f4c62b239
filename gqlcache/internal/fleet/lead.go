package fleet

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// fillLeaseTTL is how long a lease to compute an answer lasts at least, if its holder
// dies. A computation that takes longer may be done twice.
const fillLeaseTTL = 3 * time.Second

// fillPolls are the waits between looks at the shared store; the last one is repeated.
// Where the store tells of leases that are given up, wakePoll is the wait: for those whose
// holders are dead, and for messages that are lost.
var fillPolls = [...]time.Duration{5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond}

const wakePoll = 500 * time.Millisecond

// Lead decides which of all instances computes a key that is not in the shared store. It
// returns the answer of another instance, as TakeOver does, or nil: then this instance
// computes. Call release, which is never nil, when the answer is stored, or is known not
// to be.
//
// The lease is advice. No answer is taken for true because of it, and each way out of the
// wait but the first ends in a computation: the store fails, the wait is over, the
// context ends, the holder has given up.
func (f *Fleet) Lead(ctx context.Context, key string, w Wanted) (t *Taken, release func()) {
	release = func() {}
	leaser, ok := f.cfg.Shared.(store.Leaser)
	if f.cfg.FillLease <= 0 || !ok || !f.Fresh() {
		return nil, release
	}
	over := time.NewTimer(f.cfg.FillLease)
	defer over.Stop()
	for n := 0; ; n++ {
		t, end, again := f.tryToLead(ctx, leaser, key, w, fillPolls[min(n, len(fillPolls)-1)], over.C)
		if !again {
			return t, end
		}
	}
}

// tryToLead is one round of Lead. It asks for the lease and, when another instance holds
// it, waits until it is given up, or for about poll where nobody tells of that. Again says
// that the wait is not over.
func (f *Fleet) tryToLead(ctx context.Context, leaser store.Leaser, key string, w Wanted, poll time.Duration, over <-chan time.Time) (t *Taken, release func(), again bool) {
	release = func() {}
	// Before the lease is asked for: one that is given up after the answer is heard of.
	released, stop := f.released(key)
	defer stop()
	end, holder, err := f.lease(ctx, leaser, key)
	if err != nil {
		f.storeFailed("shared lease", err)
		return nil, release, false
	}
	// After the lease, also of its holder: the one before may have stored the answer
	// between this one's look at the store and the lease.
	if t := f.TakeOver(ctx, key, w); t != nil {
		end()
		return t, release, false
	}
	if holder {
		return nil, end, false
	}
	if released != nil {
		poll = wakePoll
	}
	wait := time.NewTimer(poll/2 + rand.N(poll))
	defer wait.Stop()
	select {
	case <-released:
		return nil, release, true
	case <-wait.C:
		return nil, release, true
	case <-over:
		f.Counts.LeaseWaits.Add(1)
	case <-ctx.Done():
	case <-f.cfg.Closed:
	}
	return nil, release, false
}

// released asks the shared store to tell when the lease of a key is given up. The channel
// is nil when it cannot. Stop is never nil.
func (f *Fleet) released(key string) (released <-chan struct{}, stop func()) {
	stop = func() {}
	w, ok := f.cfg.Shared.(store.Waker)
	if !ok {
		return nil, stop
	}
	err := safe.Do(func() error {
		var end func()
		if released, end = w.Released(f.sharedKey(key)); end != nil {
			stop = func() {
				if err := safe.Do(func() error { end(); return nil }); err != nil {
					f.storeFailed("shared lease", err)
				}
			}
		}
		return nil
	})
	if err != nil {
		f.storeFailed("shared lease", err)
		released = nil
	}
	return released, stop
}

// lease asks for the lease of a key. End is never nil.
func (f *Fleet) lease(ctx context.Context, leaser store.Leaser, key string) (end func(), holder bool, err error) {
	type lease struct {
		release func(context.Context)
		holder  bool
	}
	l, err := safe.Call(func() (lease, error) {
		release, holder, err := leaser.Lease(ctx, f.sharedKey(key), max(fillLeaseTTL, f.cfg.FillLease))
		return lease{release, holder}, err
	})
	end = func() {
		if l.release == nil {
			return
		}
		// The request may have ended; others wait for the lease all the same.
		err := safe.Do(func() error { l.release(context.WithoutCancel(ctx)); return nil })
		if err != nil {
			f.storeFailed("shared lease", err)
		}
	}
	return end, l.holder && err == nil, err
}

// A Leading decides which of all instances computes the keys of a batch, as Lead does of one.
// Its methods may not be called concurrently.
//
// Invariant: who waits holds no lease. So callers with sets that overlap, in any order, do not
// wait for each other:
//
//	instance A: 1, 2              instance B: 2, 1
//	asks for both, gets 1         asks for both, gets 2
//	computes 1, gives 1 up        computes 2, gives 2 up
//	waits for 2, finds it         waits for 1, finds it
//
// Nor does who holds one wait for anybody in its own process: see flight.Try.
type Leading struct {
	f      *Fleet
	leaser store.BatchLeaser
	over   *time.Timer
	asked  int
	theirs []wake // the leases that others hold, by the last question
}

// A wake tells when a lease is given up. Its channel may be nil.
type wake struct {
	released <-chan struct{}
	stop     func()
}

// A Led is what has become of a key of a batch: it is Taken over, or Mine to be computed, or
// another instance computes it.
type Led struct {
	Taken *Taken
	Mine  bool
}

// LeadAll returns the Leading of a batch, nil where the shared store has no leases of many
// keys. Call End when the batch is over.
func (f *Fleet) LeadAll() *Leading {
	leaser, ok := f.cfg.Shared.(store.BatchLeaser)
	if f.cfg.FillLease <= 0 || !ok || !f.Fresh() {
		return nil
	}
	return &Leading{f: f, leaser: leaser, over: time.NewTimer(f.cfg.FillLease)}
}

// End ends it.
func (l *Leading) End() {
	l.over.Stop()
	l.forget()
}

func (l *Leading) forget() {
	for _, w := range l.theirs {
		w.stop()
	}
	l.theirs = nil
}

// Ask asks for the leases of keys, in one round trip, and then for the answers, in another
// one. It says of each key, in its place, what has become of it. Call release, which is never
// nil, when what is Mine is stored, or is known not to be, and before Wait.
func (l *Leading) Ask(ctx context.Context, keys []string, wanted func(n int) Wanted) (all []Led, release func()) {
	f := l.f
	l.forget()
	l.asked++
	wakes := make([]wake, len(keys))
	for n, key := range keys { // see tryToLead for the order
		wakes[n].released, wakes[n].stop = f.released(key)
	}
	held, release, err := l.lease(ctx, keys)
	if err != nil {
		f.storeFailed("shared lease", err)
	}
	all = make([]Led, len(keys))
	for n, t := range f.TakeAll(ctx, keys, wanted) {
		all[n] = Led{Taken: t, Mine: t == nil && (err != nil || n < len(held) && held[n])}
		if t == nil && !all[n].Mine {
			l.theirs = append(l.theirs, wakes[n])
		} else {
			wakes[n].stop()
		}
	}
	return all, release
}

// lease asks for the leases of keys. End is never nil.
func (l *Leading) lease(ctx context.Context, keys []string) (held []bool, end func(), err error) {
	f := l.f
	shared := make([][]byte, len(keys))
	for n, key := range keys {
		shared[n] = f.sharedKey(key)
	}
	var release func(context.Context)
	err = safe.Do(func() (err error) {
		held, release, err = l.leaser.LeaseAll(ctx, shared, max(fillLeaseTTL, f.cfg.FillLease))
		return err
	})
	return held, func() {
		if release == nil {
			return
		}
		if err := safe.Do(func() error { release(context.WithoutCancel(ctx)); return nil }); err != nil {
			f.storeFailed("shared lease", err)
		}
	}, err
}

// Wait waits until the leases that others held are given up, or for about as long as Lead
// waits before it asks again. REQUIRES: no lease is held. It returns false when the wait is
// over: then the caller computes what is left.
func (l *Leading) Wait(ctx context.Context) (again bool) {
	defer l.forget()
	poll := wakePoll
	for _, w := range l.theirs {
		if w.released == nil {
			poll = fillPolls[min(l.asked-1, len(fillPolls)-1)]
		}
	}
	wait := time.NewTimer(poll/2 + rand.N(poll))
	defer wait.Stop()
	for _, w := range l.theirs {
		select {
		case <-w.released:
		case <-wait.C:
			return true
		case <-l.over.C:
			l.f.Counts.LeaseWaits.Add(1)
			return false
		case <-ctx.Done():
			return false
		case <-l.f.cfg.Closed:
			return false
		}
	}
	return true
}
