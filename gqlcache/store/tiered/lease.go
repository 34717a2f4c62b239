package tiered

import (
	"context"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

var (
	_ store.Leaser = (*Store)(nil)
	_ store.Waker  = (*Store)(nil)
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
