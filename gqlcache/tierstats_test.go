package gqlcache_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/tiered"
)

// faultsOf returns the faults by tier.
func faultsOf(s gqlcache.Stats) map[string]uint64 {
	faults := map[string]uint64{}
	for _, t := range s.Tiers {
		faults[t.Name] = t.Faults
	}
	return faults
}

// TestFaultsByTier: a failure counts where it happened, and the tiers add up to the
// total.
func TestFaultsByTier(t *testing.T) {
	t.Parallel()
	broken := func() *mapStore {
		s := newMapStore()
		s.hook = func(_ context.Context, call string) error {
			if call == "Get" {
				return errors.New("broken")
			}
			return nil
		}
		return s
	}
	for _, row := range []struct {
		name           string
		change         func(*gqlcache.Options)
		memory, shared bool
	}{
		{"both work", func(*gqlcache.Options) {}, false, false},
		{"memory fails", func(o *gqlcache.Options) { o.Store = broken() }, true, false},
		{"shared fails", func(o *gqlcache.Options) { o.Shared = broken() }, false, true},
		{"both fail", func(o *gqlcache.Options) { o.Store, o.Shared = broken(), broken() }, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 1, func(_ *instance, o *gqlcache.Options) { row.change(o) })
			r.all[0].want("MISS", "Ann", readAnn)
			s := r.all[0].cache.Stats()
			faults := faultsOf(s)
			if len(faults) != 2 || (faults["memory"] > 0) != row.memory || (faults["shared"] > 0) != row.shared {
				t.Errorf("faults %v", faults)
			}
			if sum := faults["memory"] + faults["shared"]; sum != s.StoreErrors {
				t.Errorf("tiers %d, total %d", sum, s.StoreErrors)
			}
		})
	}
}

// TestTiersOfATieredStore are told under their own names.
func TestTiersOfATieredStore(t *testing.T) {
	t.Parallel()
	tier := func(name string) tiered.Tier {
		s, err := memstore.New(memstore.Options{MaxBytes: 1 << 20, MaxEntries: 10})
		if err != nil {
			t.Fatal(err)
		}
		return tiered.Tier{Name: name, Store: s}
	}
	tiers, err := tiered.New(tiered.Options{Tiers: []tiered.Tier{tier("near"), tier("far")}})
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, "annotated", gqlcache.Options{Store: tiers})
	testgraph.Ask(t, r.cached, expand(readAnn), nil)
	got := r.cache.Stats().Tiers
	if len(got) != 2 || got[0].Name != "near" || got[1].Name != "far" || got[0].Entries != 1 || got[1].Entries != 1 {
		t.Errorf("%+v", got)
	}
}

// TestLogStats: what the log says of itself is part of the figures, with the waits of
// mutations.
func TestLogStats(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	a.want("INVALIDATED", "", renameAnn)
	s := a.cache.Stats()
	if s.Log == nil || !s.Log.Fresh || s.Log.Applied != a.log.Applied() || s.WaitDuration.Count != 1 {
		t.Errorf("log %+v, waits %+v", s.Log, s.WaitDuration)
	}
	if n := b.cache.Stats().WaitDuration.Count; n != 0 {
		t.Errorf("%d waits for another's change", n)
	}
	a.log.lose()
	if a.cache.Stats().Log.Fresh {
		t.Error("fresh without a lease")
	}
}
