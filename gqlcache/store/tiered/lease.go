package tiered

import (
	"context"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

var _ store.Leaser = (*Store)(nil)

// Lease implements store.Leaser: with the lease of the slowest tier that has leases,
// which most processes share. Without such a tier every caller is a holder.
func (s *Store) Lease(ctx context.Context, key []byte, ttl time.Duration) (release func(context.Context), holder bool, err error) {
	if s.closed.Load() {
		return func(context.Context) {}, false, store.ErrClosed
	}
	for i := len(s.tiers) - 1; i >= 0; i-- {
		if l, ok := s.tiers[i].Store.(store.Leaser); ok {
			return l.Lease(ctx, key, ttl)
		}
	}
	return func(context.Context) {}, true, nil
}
