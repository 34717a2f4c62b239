// Package discard has a store that keeps nothing: as Options.Store it turns the memory of
// a cache off, so that each query is answered by Options.Shared or computed, and in tests
// it makes every look-up a miss.
//
// Nothing else is turned off: callers who ask at the same time share a computation, and
// mutations are published.
package discard

import (
	"context"
	"iter"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

var _ store.Store = (*Store)(nil)

// A Store keeps nothing. Its methods never block, and may be called concurrently.
type Store struct {
	misses atomic.Uint64
	closed atomic.Bool
}

// New makes a store that keeps nothing.
func New() *Store { return &Store{} }

// Get returns store.ErrMiss, and store.ErrClosed after Close.
func (s *Store) Get(context.Context, []byte) (*store.Entry, error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	s.misses.Add(1)
	return nil, store.ErrMiss
}

// Put drops the entry. It is no failure: a store may lose what it has.
func (s *Store) Put(context.Context, []byte, *store.Entry) error { return s.open() }

// Delete finds nothing to remove.
func (s *Store) Delete(context.Context, []byte) error { return s.open() }

// DeleteEntry finds nothing to remove.
func (s *Store) DeleteEntry(context.Context, []byte, *store.Entry) error { return s.open() }

// All yields nothing.
func (s *Store) All(context.Context) iter.Seq2[[]byte, *store.Entry] {
	return func(func([]byte, *store.Entry) bool) {}
}

// Clear finds nothing to remove.
func (s *Store) Clear(context.Context) error { return s.open() }

// Stats returns the misses. What was put counts nowhere: it was not taken in.
func (s *Store) Stats() store.Stats { return store.Stats{Misses: s.misses.Load()} }

// Close ends the store. Closing twice is no error.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}

func (s *Store) open() error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	return nil
}
