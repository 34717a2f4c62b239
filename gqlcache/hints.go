package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// ErrLate says that a resolver spoke of an answer that had been given. What it said
// counts all the same.
var ErrLate = errors.New("gqlcache: the answer was computed already: say it before the resolver returns")

// DoNotStore tells the cache, from inside a resolver, a directive or an interceptor, that
// the answer which is being computed is for this request alone: it is not stored, and who
// waits for it computes for itself, at once. It does nothing for an answer that would not
// be stored anyway, as that of a mutation.
//
// Within a function of Compute it is said of the function's value, too.
//
// It returns ErrNoOperation outside of an operation and of such a function. Called when the answer was computed
// already, by a goroutine that the resolver has left behind, it removes the answer and
// returns ErrLate: others may have got it. A call with another request's context, as a
// loader makes that serves several, speaks of that request's answer. It is said, too, of
// the operations in whose resolvers this one runs, and counts as well when an extension
// that comes before the cache says it.
func DoNotStore(ctx context.Context) error {
	return hint(ctx, func(h hinted) bool { return h.refuseToStore(ReasonDoNotStore) })
}

// Private tells the cache, like DoNotStore, that the answer is for callers with this
// request's predicate only. An answer that has no predicate in its key, one that is
// public or of a server without Options.Predicate, is not stored. One that has is stored;
// who waits for it computes for itself.
func Private(ctx context.Context) error {
	return hint(ctx, hinted.private)
}

// private keeps the answer from others than the callers with the request's predicate.
// false: it was too late.
func (r *request) private() bool {
	r.mu.Lock()
	ours, late := r.mu.computing && r.mu.predicate, r.mu.computed && r.mu.predicate
	f := r.mu.flight
	r.mu.Unlock()
	switch {
	case ours:
		f.Unshare()
		return true
	case late:
		return false
	}
	return r.refuseToStore(ReasonPrivate)
}

// MaxAge tells the cache, like DoNotStore, how long the answer which is being computed
// may be kept at most. The shortest of all counts, those of the schema and Options.TTL
// included: it never makes an age longer. An age of zero is DoNotStore. It returns an
// error for a negative one.
func MaxAge(ctx context.Context, age time.Duration) error {
	if age < 0 {
		return fmt.Errorf("gqlcache: MaxAge is %v; it must not be negative", age)
	}
	return hint(ctx, func(h hinted) bool { return h.limitAge(age) })
}

// limitAge says how long the answer may be kept at most. false: it was too late.
func (r *request) limitAge(age time.Duration) bool {
	if age == 0 {
		return r.refuseToStore(ReasonPolicy)
	}
	r.mu.Lock()
	if !r.mu.computed {
		if r.mu.maxAge == 0 || age < r.mu.maxAge {
			r.mu.maxAge = age
		}
		r.mu.Unlock()
		return true
	}
	r.mu.Unlock()
	return r.refuseToStore(ReasonPolicy) // which age it was stored for is told to others
}

// hinted is an answer, or a value, of which something may be said.
type hinted interface {
	// refuseToStore, private and limitAge return false when it was too late.
	refuseToStore(why Reason) bool
	private() bool
	limitAge(age time.Duration) bool
}

// hint has something said of an answer, and of the values that are computed for it where it
// is said. It is said of those, too, in whose resolvers the operation runs: they have its
// answer in theirs.
func hint(ctx context.Context, say func(hinted) bool) error {
	if ctx == nil {
		return ErrNoOperation
	}
	x, r := computationFrom(ctx), requestFrom(ctx)
	var once *safe.Once
	inTime := true
	if r != nil {
		once, inTime = r.cache.once, say(r)
		for o := r.outer; o != nil; o = o.outer {
			say(o)
		}
	}
	for ; x != nil; x = x.outer {
		once = x.c.once
		inTime = say(x) && inTime
	}
	switch {
	case once == nil:
		return ErrNoOperation
	case inTime:
		return nil
	}
	once.Warn("late", "gqlcache: a resolver has said of an answer that it must not be kept after it was computed", ErrLate)
	return ErrLate
}

// refuseToStore notes, from anywhere below the request, that the answer which is being
// computed must neither be stored nor be given to others. The first reason counts. It
// returns false when the answer was computed already: then its entry is removed.
func (r *request) refuseToStore(why Reason) bool {
	r.mu.Lock()
	if r.mu.unstored == "" {
		r.mu.unstored = why
	}
	f, late := r.mu.flight, r.mu.computed
	key, e, lease := r.mu.key, r.mu.entry, r.mu.lease
	r.mu.Unlock()
	f.Unshare()
	if lease != nil {
		lease()
	}
	if late && e != nil {
		r.cache.withdraw(key, e)
	}
	return !late
}

// refusal returns why the answer must not be stored, "" when nothing was said.
func (r *request) refusal() Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.unstored
}

// holdLease notes in lease how a lease to compute something for all instances is given up.
// It is given up at once when that must not be stored, since others wait for it, and when
// the returned function is called. mu guards lease and unstored.
func holdLease(mu sync.Locker, lease *func(), unstored *Reason, release func()) func() {
	release = sync.OnceFunc(release)
	mu.Lock()
	*lease = release
	refused := *unstored != ""
	mu.Unlock()
	if refused {
		release()
	}
	return release
}

// withdraw removes an entry that should not have been stored. Instances that share a
// store may have it already.
func (c *Cache) withdraw(key string, e *store.Entry) {
	ctx := context.Background()
	c.engine.Withdraw(ctx, []byte(key), e)
	c.fleet.Withdraw(ctx, key)
}
