// Package footprintsql wraps drivers of database/sql, so that an Observer sees what is read
// and written through them:
//
//	obs := footprint.New(footprint.Options{Dialect: footprint.PostgreSQL})
//	db := sql.OpenDB(footprintsql.Connector(connector, obs))
//
// # What it promises
//
//   - The application gets what it would get without the wrapper: values, results, errors
//     (the same ones, for == as for errors.Is), panics, and the driver is called with the
//     same arguments in the same order. Beside the application's there are statements of
//     the Observer's own, on connections that are idle or where its options allow.
//   - A commit is published after the driver's call has returned and before the
//     application's does. So is a statement outside of a transaction; one with rows is
//     published when they are closed, because drivers commit until then.
//   - What the wrapper does not know it calls unknown: a result set after the first, a
//     driver that panicked, a connection that broke, or that the application has had in its
//     hands.
//   - A panic of ours ends in the wrapper, and the connection counts as unknown.
//
// # What it cannot see
//
//   - Connections that are opened by [sql.DB.Driver], which is the driver's own, or by
//     anything else than the handle.
//   - What is done with a driver's connection within [sql.Conn.Raw]. The function gets the
//     wrapper's connection, so an assertion of the driver's type fails: use [Raw], or
//     [Unwrap], after which the connection counts as one that has changed everything.
//   - What the driver's own hooks do while it connects or resets a session.
//
// It imports database/sql, and of this module footprint and its packages.
//
// # Traps
//
//   - database/sql looks for optional interfaces and acts on their presence. The wrapper has
//     exactly those of the inner driver where presence alone makes a difference, and all of
//     the others, which answer as database/sql does when they are missing:
//
//     Presence alone decides for ExecerContext and QueryerContext (arguments are converted
//     before there is a statement, whose checker or column converter would know better), for
//     SessionResetter together with Validator (a connection whose transaction ended by its
//     context is kept), for a statement's NamedValueChecker (it hides the connection's), for
//     its ColumnConverter (arguments beyond the last placeholder are not converted), and for
//     RowsColumnScanner (Next is not called).
//
//     It does not for ConnPrepareContext, ConnBeginTx, StmtExecContext and StmtQueryContext
//     (database/sql falls back to a function that legacy.go has), Pinger (no error), a
//     connection's NamedValueChecker (driver.ErrSkip leads to the next one, as its absence
//     does), RowsNextResultSet (no further one), the ColumnType methods (no answer), a
//     driver's DriverContext (a connector that opens by name) and a connector's io.Closer.
//
//   - driver.ErrSkip says that a statement did not run. It is compared with ==, and is passed
//     on as it is.
//
//   - io.EOF is not the end of a statement, Close is. An EOF comes before a driver has heard
//     of the commit, and a QueryRow never gets there.
//
//   - database/sql closes rows from a goroutine of its own when a context ends. It holds the
//     connection's lock in all calls but Columns, so no state here is guarded otherwise, and
//     none may be touched in Columns.
//
//   - Tx.Commit of database/sql does not reach the driver when the context has ended; then
//     its rollback does.
//
//   - Nothing tells a SessionResetter's connection, if it has no Validator, that the pool has
//     it back: what was done with it unwrapped is published when it is handed out again.
package footprintsql
