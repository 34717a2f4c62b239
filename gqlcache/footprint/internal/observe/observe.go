// Package observe watches statements: it belongs each to the computation that asked for
// it, and turns what they read and wrote into tags and events. It knows no driver;
// wrappers of drivers tell it, through a Session for each connection.
package observe

import (
	"context"
	"database/sql/driver"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A Sink is told of changes: a cache.
type Sink interface {
	// Number is the number of the last change that the cache has applied.
	Number() uint64
	// Committed is called when a commit has returned, before the application goes on. ctx
	// is that of the commit, without its end; wrote are the contexts of the statements.
	Committed(ctx context.Context, c Commit)
	// Wrote is called when a statement has written, or may have, before the commit, with
	// its context. The number of rows is 0 when it affected none.
	Wrote(ctx context.Context)
}

// A Commit is what a transaction has changed.
type Commit struct {
	Events []rowtag.Event
	// Everything says why everything may have changed, "" when Events are all.
	Everything string
	// Uncertain says that the outcome is not known: the connection broke, or the driver
	// returned an error.
	Uncertain bool
	// Text is one of the statements, for reports.
	Text string
}

// A Conn is the wrapped connection, for statements of our own. Its methods are called by
// the goroutine that uses the connection, never while rows are open.
type Conn interface {
	Query(ctx context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) error
}

// These are the methods that exist, with what they promise; see the files beside this one.
//
//	New(Options) *Observer
//	(*Observer) Attach(Sink) (detach func())
//	(*Observer) NewSession(Conn) *Session
//	(*Observer) Load(ctx, Conn) error        // reads the catalog anew
//	Begin(ctx, ...*Observer) (context.Context, *Recording)
//	Generation() uint64                      // of shapes, read when a request arrives
//	(*Recording) End() Footprint
type _ struct {
	_ tag.Tag
	_ catalog.Dialect
}
