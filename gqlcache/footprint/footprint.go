// Package footprint takes what resolvers read and mutations write from SQL statements.
package footprint

import "github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"

// The types of the packages below.
type (
	// An Observer watches all connections of one handle.
	Observer = observe.Observer
	// Options of an Observer.
	Options = observe.Options
)

// New returns an Observer.
func New(o Options) *Observer { return observe.New(o) }
