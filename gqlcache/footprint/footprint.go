package footprint

import (
	"context"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// The types that caches and wrappers of drivers use.
type (
	// An Observer watches all connections of one handle.
	Observer = observe.Observer
	// Options of an Observer.
	Options = observe.Options
	// A Switch turns something on or off.
	Switch = observe.Switch
	// An Attribution says which computations a statement belongs to.
	Attribution = observe.Attribution
	// A Dialect is a database's.
	Dialect = catalog.Dialect

	// A Sink is told of changes: a cache.
	Sink = observe.Sink
	// A Commit is what a transaction has changed.
	Commit = observe.Commit
	// An Event is a change of one row, or of all rows with the same values. What it says is
	// for Observer.TagsOf and Observer.AppendEvents.
	Event = rowtag.Event

	// A Recording collects what one computation reads.
	Recording = observe.Recording
	// A Start is what a computation knows when it begins.
	Start = observe.Start
	// A Footprint is what a computation has read.
	Footprint = observe.Footprint

	// A Finding is something that makes answers wider, or that the owner should know.
	Finding = observe.Finding
	// A FindingKind says what was found.
	FindingKind = observe.FindingKind

	// A Session is one connection of a handle, an Execution one run of a statement on it. A
	// Conn runs statements of the observer's own. They are for wrappers of drivers.
	Session   = observe.Session
	Execution = observe.Execution
	Beginning = observe.Beginning
	Conn      = observe.Conn
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

// The kinds of findings.
const (
	NotUnderstood    = observe.NotUnderstood
	NoCatalog        = observe.NoCatalog
	Orphan           = observe.Orphan
	LateStatement    = observe.LateStatement
	UnexplainedField = observe.UnexplainedField
	UncertainCommit  = observe.UncertainCommit
	ImageRefused     = observe.ImageRefused
	ManyShapes       = observe.ManyShapes
	Elsewhere        = observe.Elsewhere
	Panicked         = observe.Panicked
)

// New returns an Observer. Until its catalog is read, every statement is unknown.
func New(o Options) *Observer { return observe.New(o) }

// Begin starts a recording of what is read through the observers with the context that it
// returns. It must be called before anything is read.
func Begin(ctx context.Context, start Start, observers ...*Observer) (context.Context, *Recording) {
	return observe.Begin(ctx, start, observers...)
}

// Outside marks the context of what belongs to no computation, such as a job: what it
// reads is nobody's, and what it writes counts.
func Outside(ctx context.Context) context.Context { return observe.Outside(ctx) }

// Generation is read when a request arrives, for Start.Since.
func Generation() uint64 { return rowtag.Generation() }
