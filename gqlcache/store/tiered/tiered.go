package tiered

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A Store is a store.Store of several tiers. It blocks as its tiers do.
type Store struct {
	opts  Options
	tiers []*tier
	moves moves

	misses    atomic.Uint64
	closed    atomic.Bool
	closeOnce sync.Once
	closeErr  error
}

// A tier is a Tier and what is counted of it.
type tier struct {
	Tier
	hits, promotions, rejected, faults atomic.Uint64
	found                              atomic.Uint64 // hits, to count PromoteEvery by
}

// promotes reports whether a hit of the tier moves its entry up. A count, rather than a
// chance, leaves out no key for long: what has moved up is not asked for here any more.
func (t *tier) promotes() bool {
	return t.PromoteEvery <= 1 || t.found.Add(1)%uint64(t.PromoteEvery) == 0
}

var (
	_ store.Store = (*Store)(nil)
	_ store.Sieve = (*Store)(nil)
)

// New makes a store of tiers, which then belong to it. The error names every fault of the
// options.
func New(opts Options) (*Store, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	s := &Store{opts: opts}
	s.moves.seed = maphash.MakeSeed()
	for _, t := range opts.Tiers {
		if t.TTLFactor == 0 {
			t.TTLFactor = 1
		}
		s.tiers = append(s.tiers, &tier{Tier: t})
	}
	return s, nil
}

// Get returns the entry of a key from the first tier that has it. A hit in a first tier
// that is not Outside costs what it costs there.
func (s *Store) Get(ctx context.Context, key []byte) (*store.Entry, error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	if first := s.tiers[0]; !first.Outside {
		e, err := first.Store.Get(ctx, key)
		if err == nil {
			return e, nil
		}
		s.failed(first, "get", err)
		return s.getFrom(ctx, key, 1, nil)
	}
	return s.getFrom(ctx, key, 0, nil)
}

// GetIf implements store.Sieve: an entry that ok refuses leaves the key to the next tier.
func (s *Store) GetIf(ctx context.Context, key []byte, ok func(*store.Entry) bool) (*store.Entry, error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	return s.getFrom(ctx, key, 0, ok)
}

// getFrom asks the tiers from the given one on.
func (s *Store) getFrom(ctx context.Context, key []byte, from int, use func(*store.Entry) bool) (*store.Entry, error) {
	stripe := s.moves.stripe(key)
	for i, t := range s.tiers[from:] {
		before := stripe.Load()
		e, err := t.Store.Get(ctx, key)
		if err != nil {
			s.failed(t, "get", err)
			continue
		}
		if t.Outside {
			var ok bool
			if e, ok = s.opts.Adopt(key, e); !ok {
				t.rejected.Add(1)
				continue
			}
		}
		if use != nil && !use(e) {
			t.rejected.Add(1)
			continue
		}
		if from+i > 0 || t.Outside {
			t.hits.Add(1) // else the store itself counts it
		}
		if !t.promotes() {
			return e, nil
		}
		return s.promote(ctx, key, e, from+i, stripe, before), nil
	}
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	s.misses.Add(1)
	return nil, store.ErrMiss
}

// promote puts an entry of one tier into the faster ones, and returns what the fastest
// holds, so that the caller can name it in DeleteEntry.
func (s *Store) promote(ctx context.Context, key []byte, e *store.Entry, from int, stripe *atomic.Uint64, before uint64) *store.Entry {
	for _, t := range slices.Backward(s.tiers[:from]) {
		if stripe.Load() != before {
			return e
		}
		up := s.share(t, e)
		err := t.Store.Put(ctx, key, up)
		if err != nil {
			s.failed(t, "promote", err)
			continue
		}
		if stripe.Load() != before {
			s.failed(t, "promote", t.Store.DeleteEntry(ctx, key, up))
			return e
		}
		t.promotions.Add(1)
		e = up
	}
	return e
}

// share returns an entry as a tier gets it.
func (s *Store) share(t *tier, e *store.Entry) *store.Entry {
	if t.TTLFactor == 1 && t.Jitter == 0 || e.Expires.IsZero() {
		return e
	}
	now := s.opts.Clock()
	left := e.Expires.Sub(now)
	if left <= 0 {
		return e
	}
	shared := *e
	shared.Expires = now.Add(time.Duration(float64(left) * t.TTLFactor * (1 - rand.Float64()*t.Jitter)))
	return &shared
}

// failed counts and reports a fault of a tier, if it is one.
func (s *Store) failed(t *tier, op string, err error) {
	switch {
	case err == nil, errors.Is(err, store.ErrMiss), errors.Is(err, store.ErrTooLarge):
		return
	case errors.Is(err, context.Canceled), s.closed.Load() && errors.Is(err, store.ErrClosed):
		return // the caller's doing
	}
	t.faults.Add(1)
	if s.opts.OnError != nil {
		s.opts.OnError(t.Name, op, err)
	}
}

// Put stores an entry in the tiers that are Through. A tier for which it is too large
// loses what it has of the key instead, as those do that are Around, unless no tier takes
// it: that is ErrTooLarge, or what else they said.
func (s *Store) Put(ctx context.Context, key []byte, e *store.Entry) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	stripe := s.moves.stripe(key)
	var outdated []*tier
	var faults []error
	taken := false
	for _, t := range slices.Backward(s.tiers) {
		if t.Write == Around {
			outdated = append(outdated, t)
			continue
		}
		err := t.Store.Put(ctx, key, s.share(t, e))
		stripe.Add(1)
		switch {
		case err == nil:
			taken = true
		case errors.Is(err, store.ErrTooLarge):
			outdated = append(outdated, t)
		default:
			s.failed(t, "put", err)
			faults = append(faults, named(t, err))
		}
	}
	switch {
	case !taken && len(faults) > 0:
		return errors.Join(faults...)
	case !taken:
		return store.ErrTooLarge
	}
	for _, t := range outdated {
		s.failed(t, "delete", t.Store.Delete(ctx, key))
		stripe.Add(1)
	}
	return nil
}

func named(t *tier, err error) error { return fmt.Errorf("tiered: %s: %w", t.Name, err) }

// Delete removes the entry of a key from all tiers.
func (s *Store) Delete(ctx context.Context, key []byte) error {
	return s.each("delete", s.moves.stripe(key), func(t *tier) error { return t.Store.Delete(ctx, key) })
}

// DeleteEntry removes the entry of a key from the tiers that take e for theirs.
func (s *Store) DeleteEntry(ctx context.Context, key []byte, e *store.Entry) error {
	return s.each("delete", s.moves.stripe(key), func(t *tier) error { return t.Store.DeleteEntry(ctx, key, e) })
}

// Clear removes all entries of all tiers, those included that other processes have put.
func (s *Store) Clear(ctx context.Context) error {
	return s.each("clear", nil, func(t *tier) error { return t.Store.Clear(ctx) })
}

// each removes something from all tiers, the slowest first, and joins the faults. Without
// a stripe it concerns all keys.
func (s *Store) each(op string, stripe *atomic.Uint64, remove func(*tier) error) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	var faults []error
	for _, t := range slices.Backward(s.tiers) {
		if err := remove(t); err != nil {
			s.failed(t, op, err)
			faults = append(faults, named(t, err))
		}
		if stripe != nil {
			stripe.Add(1)
		} else {
			s.moves.all()
		}
	}
	return errors.Join(faults...)
}

// All ranges over the entries of the first tier, which is what this process holds. Those
// behind have an All of their own.
func (s *Store) All(ctx context.Context) iter.Seq2[[]byte, *store.Entry] {
	return s.tiers[0].Store.All(ctx)
}

// Close closes all tiers and returns what they say.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.closed.Store(true)
		var faults []error
		for _, t := range s.tiers {
			if err := t.Store.Close(); err != nil {
				faults = append(faults, named(t, err))
			}
		}
		s.closeErr = errors.Join(faults...)
	})
	return s.closeErr
}
