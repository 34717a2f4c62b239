package engine

import (
	"context"
	"errors"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// Found is what a lookup met.
type Found uint8

const (
	// Nothing: the store has no entry.
	Nothing Found = iota
	// Alive: the entry may be served.
	Alive
	// Dead: a change has reached the entry, or it was withdrawn. The lookup has removed
	// it.
	Dead
	// Unknown: the store has failed, or its entry is not of this engine.
	Unknown
)

// Lookup returns the entry of a key when it may be served, and nil otherwise. The entry
// belongs to the store and is not changed. It blocks as the store's Get does. Who asks
// looks at its lease before: an entry that is valid now says nothing of the changes that
// have not arrived.
func (e *Engine) Lookup(ctx context.Context, key []byte) (*store.Entry, Found) {
	entry, err := e.get(ctx, key)
	switch {
	case err == nil && entry != nil: // the usual case first
	case err == nil, errors.Is(err, store.ErrMiss):
		return nil, Nothing
	default:
		e.failed("get", err)
		return nil, Unknown
	}
	s := e.own(entry)
	switch {
	case s == nil:
		return nil, Unknown
	case !e.Valid(s):
		e.dead.Add(1)
		e.Remove(ctx, key, entry)
		return nil, Dead
	}
	return entry, Alive
}

// Valid reports whether no change has reached the answer of a stamp, and nobody has
// withdrawn it.
func (e *Engine) Valid(s *Stamp) bool { return !s.withdrawn.Load() && e.config.Clock.Valid(s.Stamp) }

// Withdraw removes an entry that must not be served, whatever the clock says. Who has
// looked it up has it.
func (e *Engine) Withdraw(ctx context.Context, key []byte, entry *store.Entry) {
	if s := e.own(entry); s != nil {
		s.withdrawn.Store(true)
	}
	e.Remove(ctx, key, entry)
}

// Meta is the meta of an engine's entries: a *Stamp, or a pointer to what embeds a Stamp.
type Meta interface {
	store.Meta
	stamp() *Stamp
}

func (s *Stamp) stamp() *Stamp { return s }

// own returns the stamp of an entry that this engine has made, nil of any other.
func (e *Engine) own(entry *store.Entry) *Stamp {
	m, ok := entry.Meta.(Meta)
	if !ok {
		return nil
	}
	s := m.stamp()
	if s.engine != e {
		return nil
	}
	return s
}

// get calls Get of the store.
func (e *Engine) get(ctx context.Context, key []byte) (entry *store.Entry, err error) {
	defer safe.Recover(&err)
	return e.config.Store.Get(ctx, key)
}
