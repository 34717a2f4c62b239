package tiered

import (
	"context"
	"errors"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

var _ store.Batcher = (*Store)(nil)

// GetAll implements store.Batcher: each tier is asked for what those before it do not have.
// A tier that is no Batcher is asked key by key, up to its first failure.
func (s *Store) GetAll(ctx context.Context, keys [][]byte, ok func(n int, e *store.Entry) bool) ([]*store.Entry, error) {
	all := make([]*store.Entry, len(keys))
	if s.closed.Load() {
		return all, store.ErrClosed
	}
	left := make([]int, len(keys))
	for n := range left {
		left[n] = n
	}
	for i, t := range s.tiers {
		if len(left) == 0 {
			break
		}
		left = s.getAllFrom(ctx, keys, left, i, t, all, ok)
	}
	s.misses.Add(uint64(len(left)))
	if s.closed.Load() && len(left) > 0 {
		return all, store.ErrClosed
	}
	return all, nil
}

// getAllFrom asks a tier for the keys in some places, and returns the places that are left.
func (s *Store) getAllFrom(ctx context.Context, keys [][]byte, places []int, from int, t *tier, all []*store.Entry, ok func(int, *store.Entry) bool) (left []int) {
	asked, before := make([][]byte, len(places)), make([]uint64, len(places))
	for i, n := range places {
		asked[i], before[i] = keys[n], s.moves.stripe(keys[n]).Load()
	}
	entries, err := t.getAll(ctx, asked)
	s.failed(t, "get", err)
	for i, n := range places {
		e := entries[i]
		if e == nil {
			left = append(left, n)
			continue
		}
		usable := true
		if t.Outside {
			e, usable = s.opts.Adopt(keys[n], e)
		}
		if !usable || ok != nil && !ok(n, e) {
			t.rejected.Add(1)
			left = append(left, n)
			continue
		}
		if from > 0 || t.Outside {
			t.hits.Add(1) // else the store itself counts it
		}
		if all[n] = e; t.promotes() {
			all[n] = s.promote(ctx, keys[n], e, from, s.moves.stripe(keys[n]), before[i])
		}
	}
	return left
}

// getAll asks the tier's store. It returns an entry, or nil, in the place of each key.
func (t *tier) getAll(ctx context.Context, keys [][]byte) ([]*store.Entry, error) {
	if b, ok := t.Store.(store.Batcher); ok {
		all, err := b.GetAll(ctx, keys, nil)
		if len(all) != len(keys) {
			all = make([]*store.Entry, len(keys)) // of a store that does not keep its contract
		}
		return all, err
	}
	all := make([]*store.Entry, len(keys))
	for n, key := range keys {
		e, err := t.Store.Get(ctx, key)
		switch {
		case err == nil:
			all[n] = e
		case !errors.Is(err, store.ErrMiss):
			return all, err
		}
	}
	return all, nil
}
