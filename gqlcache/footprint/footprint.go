package footprint

import (
	"context"
	"iter"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/keycheck"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// The types that caches and wrappers of drivers use.
type (
	// An Observer watches all connections of one handle. It may be used concurrently. A
	// program makes one with New, gives it to footprintsql or footprintpgx and to
	// gqlcache.Options.Observe, and asks it for Findings and Figures; its other methods are
	// for caches and wrappers of drivers.
	Observer = observe.Observer
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
	// A Projection is a promise of what a computation makes of the columns of a table.
	Projection = observe.Projection
	// A Footprint is what a computation has read.
	Footprint = observe.Footprint

	// A KeyChecker finds what is missing in the keys of a cache, a Key is one computation's,
	// and a KeyCheck the check of that, which ends with a Verdict. A Caller tells who asks.
	KeyChecker = keycheck.Checker
	Key        = keycheck.Key
	KeyCheck   = keycheck.Fill
	Verdict    = keycheck.Verdict
	Caller     = keycheck.Caller

	// A Finding is something that makes answers wider, or that the owner should know.
	Finding = observe.Finding
	// A FindingKind says what was found.
	FindingKind = observe.FindingKind
	// Figures are what an Observer has counted.
	Figures = observe.Figures
	// A Forgetter is a Sink that can drop answers by tags.
	Forgetter = observe.Forgetter
	// A Requester is a Sink that tells which HTTP request a context belongs to.
	Requester = observe.Requester
	// A Namer is a Sink that names operations, for findings.
	Namer = observe.Namer

	// A Session is one connection of a handle, an Execution one run of a statement on it. A
	// Conn runs statements of the observer's own. They are for wrappers of drivers.
	Session   = observe.Session
	Execution = observe.Execution
	Beginning = observe.Beginning
	Conn      = observe.Conn
	// A RowChange is a row that a statement changes, as a hook of the database tells it.
	RowChange = observe.RowChange
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
	SharedStatement  = observe.SharedStatement
	OutsideCommit    = observe.OutsideCommit
	LateStatement    = observe.LateStatement
	UnexplainedField = observe.UnexplainedField
	UncertainCommit  = observe.UncertainCommit
	ImageRefused     = observe.ImageRefused
	ManyShapes       = observe.ManyShapes
	Elsewhere        = observe.Elsewhere
	IncompleteKey    = observe.IncompleteKey
	UnknownColumn    = observe.UnknownColumn
	UnknownSchema    = observe.UnknownSchema
	Panicked         = observe.Panicked
)

// Begin starts a recording of what is read through the observers with the context that it
// returns. It must be called before anything is read.
func Begin(ctx context.Context, start Start, observers ...*Observer) (context.Context, *Recording) {
	return observe.Begin(ctx, start, observers...)
}

// Outside marks the context of what belongs to no computation, such as a job: what it
// reads is nobody's, and what it writes counts.
func Outside(ctx context.Context) context.Context { return observe.Outside(ctx) }

// Known vouches for a value that a resolver has computed in Go from its arguments, from the
// caller's predicate, or from rows that were read, a digest for instance, and that is about
// to be an argument of a statement. Without it the key check finds no part of the cache key
// that the value comes from. A value that depends on the caller in a way that the key does
// not have must not be vouched for: callers would share the answer.
func Known(ctx context.Context, v any) { observe.Known(ctx, v) }

// Checks reports whether the key of a computation that a context belongs to is checked: then
// a cache tells, with Asks and Got, of the computed values that it gives.
func Checks(ctx context.Context) bool { return observe.Checks(ctx) }

// Asks says that the computation of a context asks for a computed value, whose key has a
// name and parts, by their names: the key check must find where these come from.
func Asks(ctx context.Context, name string, parts iter.Seq2[string, any]) {
	observe.Asks(ctx, name, parts)
}

// Got says that the computation of a context has got a computed value of a name. What it
// holds counts as read from then on.
func Got(ctx context.Context, name string, v any) { observe.Got(ctx, name, v) }

// keyCallers is how many callers must confirm where a value comes from. Two users of one
// tenant have the same tenant; three callers seldom are of one.
const keyCallers = 3

// NewKeyChecker returns a KeyChecker, for a cache.
func NewKeyChecker() *KeyChecker { return keycheck.New(keycheck.Options{Callers: keyCallers}) }

// Generation is read when a request arrives, for Start.Since.
func Generation() uint64 { return rowtag.Generation() }
