package tiered_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/tiered"
)

// A leasing is a store that gives leases out once.
type leasing struct {
	store.Store
	taken int
}

// Lease implements store.Leaser.
func (l *leasing) Lease(context.Context, []byte, time.Duration) (func(context.Context), bool, error) {
	l.taken++
	return func(context.Context) {}, l.taken == 1, nil
}

// Released implements store.Waker.
func (l *leasing) Released([]byte) (released <-chan struct{}, stop func()) {
	return make(chan struct{}), func() { l.taken = -1 }
}

// TestReleasedOfATier: the tier that gives out the leases tells of them.
func TestReleasedOfATier(t *testing.T) {
	t.Parallel()
	slow := &leasing{Store: memory(t, memstore.Options{})}
	s := newStore(t, tiered.Options{Tiers: []tiered.Tier{{Name: "a", Store: memory(t, memstore.Options{})}, {Name: "b", Store: slow}}})
	released, stop := s.Released([]byte("k"))
	if released == nil {
		t.Error("nobody tells")
	}
	if stop(); slow.taken != -1 {
		t.Error("the wait goes on")
	}
	without := newStore(t, tiered.Options{Tiers: []tiered.Tier{{Name: "a", Store: memory(t, memstore.Options{})}}})
	if released, stop := without.Released([]byte("k")); released != nil || stop == nil {
		t.Error("a store without leases tells of them")
	}
}

func TestLeaseOfATier(t *testing.T) { //nolint:tparallel // its parts go on from one another
	t.Parallel()
	memory := func() store.Store {
		m, err := memstore.New(memstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.Close() })
		return m
	}
	fast, slow := &leasing{Store: memory()}, &leasing{Store: memory()}
	for _, row := range []struct {
		name   string
		second store.Store
		want   []bool // what becomes of two leases
	}{
		{"the slowest that has some", slow, []bool{true, false}},
		{"none", memory(), []bool{true, true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			tiers := []tiered.Tier{{Name: "a", Store: memory()}, {Name: "b", Store: row.second}, {Name: "c", Store: memory()}}
			if row.second == slow {
				tiers[0].Store = fast
			}
			s, err := tiered.New(tiered.Options{Tiers: tiers})
			if err != nil {
				t.Fatal(err)
			}
			for n, want := range row.want {
				release, holder, err := s.Lease(t.Context(), []byte("k"), time.Second)
				if err != nil || holder != want || release == nil {
					t.Errorf("lease %d: %v, %v", n, holder, err)
				}
			}
			if fast.taken != 0 {
				t.Error("the fast tier was asked")
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, holder, err := s.Lease(t.Context(), []byte("k"), time.Second); !errors.Is(err, store.ErrClosed) || holder {
				t.Errorf("closed: %v, %v", holder, err)
			}
		})
	}
}

// batchLeasing is one that gives out many leases at once.
type batchLeasing struct {
	leasing

	keys int
}

// LeaseAll implements store.BatchLeaser.
func (l *batchLeasing) LeaseAll(_ context.Context, keys [][]byte, _ time.Duration) ([]bool, func(context.Context), error) {
	l.keys = len(keys)
	return make([]bool, len(keys)), func(context.Context) { l.keys = 0 }, nil
}

// failingLease is one whose second lease fails.
type failingLease struct{ leasing }

// Lease implements store.Leaser.
func (l *failingLease) Lease(context.Context, []byte, time.Duration) (func(context.Context), bool, error) {
	l.taken++
	if l.taken == 2 {
		return func(context.Context) {}, false, errors.New("no")
	}
	return func(context.Context) { l.taken = -1 }, true, nil
}

// TestLeaseAllOfATier: many leases are those of the slowest tier that has any.
func TestLeaseAllOfATier(t *testing.T) {
	t.Parallel()
	of := func(slow store.Store) *tiered.Store {
		return newStore(t, tiered.Options{Tiers: []tiered.Tier{
			{Name: "a", Store: &leasing{Store: memory(t, memstore.Options{})}}, {Name: "b", Store: slow},
		}})
	}
	keys := [][]byte{[]byte("1"), []byte("2"), []byte("3")}
	ask := func(s *tiered.Store) (held []bool, release func(context.Context), err error) {
		held, release, err = s.LeaseAll(t.Context(), keys, time.Minute)
		if len(held) != 3 || release == nil {
			t.Fatalf("held %v", held)
		}
		return held, release, err
	}
	batch := &batchLeasing{leasing: leasing{Store: memory(t, memstore.Options{})}}
	if held, release, err := ask(of(batch)); held[0] || err != nil || batch.keys != 3 {
		t.Errorf("held %v, %v", held, err)
	} else if release(t.Context()); batch.keys != 0 {
		t.Error("they are not given up")
	}
	if held, _, err := ask(of(&leasing{Store: memory(t, memstore.Options{})})); !held[0] || held[1] || held[2] || err != nil {
		t.Errorf("key by key: held %v, %v", held, err)
	}
	fails := &failingLease{leasing{Store: memory(t, memstore.Options{})}}
	if held, release, err := ask(of(fails)); !held[0] || held[1] || held[2] || err == nil || fails.taken != 2 {
		t.Errorf("held %v, %v; %d asked for", held, err, fails.taken)
	} else if release(t.Context()); fails.taken != -1 {
		t.Error("what was taken before a failure is not given up")
	}
	without := newStore(t, tiered.Options{Tiers: []tiered.Tier{{Name: "a", Store: memory(t, memstore.Options{})}}})
	if held, release, err := ask(without); !held[0] || !held[2] || err != nil {
		t.Errorf("a store without leases: held %v, %v", held, err)
	} else {
		release(t.Context())
	}
	if err := without.Close(); err != nil {
		t.Fatal(err)
	}
	if held, _, err := ask(without); held[0] || !errors.Is(err, store.ErrClosed) {
		t.Errorf("a closed store: held %v, %v", held, err)
	}
}
