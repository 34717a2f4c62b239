package engine

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// Config is what an engine works with. All fields but Failed and MaxBytes are required.
type Config struct {
	// Store holds the entries. The engine's owner closes it.
	Store store.Store
	// Clock knows what has changed.
	Clock *clock.Clock
	// MaxBytes is what the store is bounded by, 0 when that is not known.
	MaxBytes int64
	// MaxBody bounds the bytes of an answer.
	MaxBody int
	// Now returns the time. It may not panic.
	Now func() time.Time
	// Failed is called with the name of a call to the store that failed: get, put,
	// delete, all. It may be called concurrently.
	Failed func(call string, err error)
}

// An Engine keeps answers under keys. Its methods are safe for concurrent use.
type Engine struct {
	config   Config
	pressure pressure
	sweeping sync.Mutex // one sweep at a time
	last     atomic.Pointer[Report]

	dead, errors atomic.Uint64
}

// New returns an engine without entries of its own.
func New(c Config) *Engine {
	e := &Engine{config: c}
	e.pressure.due = make(chan struct{}, 1)
	e.pressure.bound(c.MaxBytes)
	return e
}

// Stats are the figures of an engine since it was made.
type Stats struct {
	// Dead are the lookups that found an entry which a change has reached.
	Dead uint64
	// Errors are the calls to the store that failed.
	Errors uint64
	// LastSweep is what the last sweep found, nil before the first one.
	LastSweep *Report
}

// Stats returns the figures. They are not taken at one instant. It does not block.
func (e *Engine) Stats() Stats {
	return Stats{Dead: e.dead.Load(), Errors: e.errors.Load(), LastSweep: e.last.Load()}
}

// ErrLocal is what a Stamp answers who wants to encode it.
var ErrLocal = errors.New("gqlcache: entries of this cache cannot leave the process; a store that encodes them belongs in Options.Shared")
