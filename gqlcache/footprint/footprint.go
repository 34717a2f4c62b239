// Package footprint takes what resolvers read, and what anybody writes, from the SQL
// statements that a database's driver is given. Make an [Observer] for each handle of a
// database, wrap the driver with it (package footprintsql), and name it in
// gqlcache.Options.Observe.
//
// A statement is either understood to its end, or it is unknown: one that reads depends on
// anything then, and one that writes has changed everything. There is nothing in between.
package footprint

import (
	"context"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

type (
	// An Observer watches all connections of one handle. It may be used concurrently.
	Observer = observe.Observer
	// Options of an Observer.
	Options = observe.Options
	// A Finding is something that makes answers wider, or that the owner should know.
	Finding = observe.Finding
	// A FindingKind says what was found.
	FindingKind = observe.FindingKind
	// A Dialect is a database's.
	Dialect = catalog.Dialect
	// A Switch turns something on or off.
	Switch = observe.Switch
	// An Attribution says which computations a statement belongs to.
	Attribution = observe.Attribution
)

// The dialects.
const (
	SQLite     = catalog.SQLite
	PostgreSQL = catalog.PostgreSQL
)

// The positions of a Switch.
const (
	Default = observe.Default
	On      = observe.On
	Off     = observe.Off
)

// The attributions.
const (
	ByContext = observe.ByContext
	ByTime    = observe.ByTime
)

// New returns an Observer. Until a wrapped connection was opened, and the catalog was read
// with it, every statement is unknown.
func New(o Options) *Observer { return observe.New(o) }

// Outside marks the context of what belongs to no operation, such as a job: what its
// statements read is nobody's, and what they write counts.
func Outside(ctx context.Context) context.Context { return observe.Outside(ctx) }

// The types below are for the cache.
type (
	// A Sink is told of changes.
	Sink = observe.Sink
	// A Commit is what a transaction has changed.
	Commit = observe.Commit
	// A Recording collects what one computation reads.
	Recording = observe.Recording
	// A Footprint is what a computation has read.
	Footprint = observe.Footprint
	// Start is what a computation knows when it begins.
	Start = observe.Start
	// An Early collects what is read for a request before its computations begin.
	Early = observe.Early
)

// EarlyKey is the key under which a context has an *Early.
var EarlyKey = observe.EarlyKey

// AnyRow is a tag for answers that depend on anything: the cache publishes it with each
// commit that a handle has seen.
var AnyRow = tag.Tag{Hash: 0x8c54_01f2_9d3e_6b77, Mask: catalog.All}

// Generation is that of the shapes of reads: a request notes it when it arrives.
func Generation() uint64 { return rowtag.Generation() }

// Begin starts a recording of what is read through some observers.
func Begin(ctx context.Context, start Start, observers ...*Observer) (context.Context, *Recording) {
	return observe.Begin(ctx, start, observers...)
}

// Words returns the words of a commit's events, for Reach in this process and in others.
// It returns false when everything may have changed.
func Words(c Commit) ([]tag.Tag, bool) {
	if c.Everything != "" {
		return nil, false
	}
	return c.Observer.AppendEvents(nil, c.Events)
}

// Reach adds to tags those that words have for reads through some observers, now. It
// returns false when they may reach everything. It must be called after the commit.
func Reach(tags, words []tag.Tag, observers ...*Observer) ([]tag.Tag, bool) {
	tags, ok := observe.Reach(tags, words, observers...)
	return append(tags, AnyRow), ok
}
