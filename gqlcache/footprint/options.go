package footprint

import (
	"log/slog"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// Options of an Observer. All but Dialect have a default.
type Options struct {
	// Dialect is the database's. It must be set.
	Dialect Dialect
	// Name is the handle's, and a part of all its tags: two databases with a table of one
	// name are told apart by it. Shards may share a name. Defaults to "".
	Name string
	// Images says that a write within a transaction is preceded and followed by a query
	// for the rows that it changes, so that their values before and after are known. It is
	// On by default for SQLite, where it holds once the transaction has the write lock, and
	// Off for PostgreSQL, where an image costs two queries and two savepoints. There the
	// queries are the application's as far as timeouts and auditing go. None are sent for
	// writes of which the database tells the rows itself (footprintsqlite.RowHook).
	Images Switch
	// SemiJoins says that a read of a join asks for the keys of one side first. For SQLite
	// that is a query on the statement's own connection. For PostgreSQL it is one on Beside,
	// without which there is none. Defaults to false.
	SemiJoins bool
	// Beside runs queries of SemiJoins for PostgreSQL, several at a time, on connections of its
	// own, so that no query of ours is in a transaction of the application:
	// footprintsql.Beside makes one. It must reach the same database, and must not see fewer
	// rows than any caller. So its answers count only where row_security is off, with which a
	// role that policies apply to gets an error, and where the server is no replica. A read
	// waits for it for one second at most, and no longer than a quarter of the time that its
	// context leaves it. A text whose query has failed is not asked for again for a minute.
	Beside Conn
	// Attribution says which computations a statement belongs to: with ByContext that of its
	// context, and all that run where it has none; with ByTime all that run. Defaults to
	// ByContext.
	Attribution Attribution
	// Replica says that the handle's connections read from a replica: answers that were
	// read from one are not stored. A connection that says so by itself needs no mark.
	// Defaults to false.
	Replica bool
	// Logger gets each Finding once. Defaults to slog.Default().
	Logger *slog.Logger
}

// New returns an Observer. Until its catalog is read, every statement is unknown.
func New(o Options) *Observer { return observe.New(o.within()) }

// within returns the options as package observe has them.
func (o *Options) within() observe.Options {
	return observe.Options{
		Dialect: o.Dialect, Name: o.Name, Images: o.Images, SemiJoins: o.SemiJoins, Beside: o.Beside,
		Attribution: o.Attribution, Replica: o.Replica, Logger: o.Logger,
	}
}
