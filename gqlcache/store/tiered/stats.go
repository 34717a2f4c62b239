package tiered

import "github.com/cascadeql/cascadeql/gqlcache/store"

// TierStats are the figures of one tier. A hit of its store is one that Adopt, or the
// caller of GetIf, may have rejected.
type TierStats = store.TierStats

var _ store.Tiered = (*Store)(nil)

// Stats returns the figures of the first tier, which is what this process holds, with the
// hits of all tiers and the misses that were left. Promotions count among its puts.
func (s *Store) Stats() store.Stats {
	first := s.tiers[0]
	st := first.Store.Stats()
	if first.Outside {
		st.Hits = 0
	} else {
		st.Hits -= min(st.Hits, first.rejected.Load())
	}
	for _, t := range s.tiers {
		st.Hits += t.hits.Load()
	}
	st.Misses = s.misses.Load()
	return st
}

// Tiers returns the figures of each tier, the fastest first; it does not block.
func (s *Store) Tiers() []TierStats {
	all := make([]TierStats, len(s.tiers))
	for i, t := range s.tiers {
		all[i] = TierStats{
			Name: t.Name, Stats: t.Store.Stats(),
			Promotions: t.promotions.Load(), Rejected: t.rejected.Load(), Faults: t.faults.Load(),
		}
	}
	return all
}
