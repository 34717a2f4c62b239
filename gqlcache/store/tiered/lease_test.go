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
