package tiered

import (
	"context"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

var (
	_ store.BatchLeaser = (*Store)(nil)
	_ store.Waker       = (*Store)(nil)
)

// Released implements store.Waker: as the tier does that gives out the leases.
func (s *Store) Released(key []byte) (released <-chan struct{}, stop func()) {
	if w, ok := s.leaser().(store.Waker); ok && !s.closed.Load() {
		return w.Released(key)
	}
	return nil, func() {}
}

// leaser returns the slowest tier that has leases, nil without one.
func (s *Store) leaser() store.Leaser {
	for _, t := range slices.Backward(s.tiers) {
		if l, ok := t.Store.(store.Leaser); ok {
			return l
		}
	}
	return nil
}

// Lease implements store.Leaser: with the lease of the slowest tier that has leases,
// which most processes share. Without such a tier every caller is a holder.
func (s *Store) Lease(ctx context.Context, key []byte, ttl time.Duration) (release func(context.Context), holder bool, err error) {
	if s.closed.Load() {
		return func(context.Context) {}, false, store.ErrClosed
	}
	if l := s.leaser(); l != nil {
		return l.Lease(ctx, key, ttl)
	}
	return func(context.Context) {}, true, nil
}

// LeaseAll implements store.BatchLeaser as Lease does. A tier that has leases and is no
// BatchLeaser is asked key by key, up to its first failure.
func (s *Store) LeaseAll(ctx context.Context, keys [][]byte, ttl time.Duration) (held []bool, release func(context.Context), err error) {
	held, release = make([]bool, len(keys)), func(context.Context) {}
	if s.closed.Load() {
		return held, release, store.ErrClosed
	}
	l := s.leaser()
	if b, ok := l.(store.BatchLeaser); ok {
		return b.LeaseAll(ctx, keys, ttl)
	}
	var all []func(context.Context)
	for n, key := range keys {
		if l == nil {
			held[n] = true
			continue
		}
		end, holder, err := l.Lease(ctx, key, ttl)
		all = append(all, end)
		if held[n] = holder; err != nil {
			return held, releaseAll(all), err
		}
	}
	return held, releaseAll(all), nil
}

func releaseAll(all []func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		for _, release := range all {
			release(ctx)
		}
	}
}
