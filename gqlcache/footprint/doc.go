// Package footprint takes what resolvers read and mutations write from the SQL statements
// that they send, so that a cache needs no declaration of either.
//
// An Observer watches a handle to a database: a wrapper of a driver, such as package
// footprintsql, tells it of each statement. A cache attaches itself as a Sink, and is told
// of each commit when it has returned and before the application goes on. Around each
// computation of an answer it calls Begin and End, and gets a Footprint: the tags of the
// rows, sets and tables on which the answer depends.
//
// # What it promises
//
// What a statement reads and writes is known, or it is widened: to more rows, to whole
// tables, or to everything. There is no third outcome. A statement that is not understood
// depends on anything, and writes everything.
//
// The application sees the driver's results and errors. A panic of this package, or of a
// Sink, does not reach it. Statements of this package's own run only where they change
// nothing for the application: see Options.
//
// # What it does not see
//
//   - Changes that do not go through the handle: those of other programs, and what an
//     application does with the driver's own connection.
//   - A change of the catalog by others, until it is asked for: within 100 milliseconds of
//     use for SQLite, and 30 seconds for PostgreSQL. CatalogChanged shortens that.
//   - Values that are in no statement: clocks, files, other services. A field that returned
//     something while no statement ran is in Footprint.Unexplained.
//   - Whose a value is. A function or a setting of the session that a statement reads is in
//     Footprint.Volatile and Footprint.Settings: the answer depends on more than data.
//
// # Traps
//
//   - A Footprint is of no use unless its Number is the one with which the answer is
//     stored: it is lower than the one from the start when a transaction began earlier.
//   - A statement without the context of its computation belongs to all that run. Findings
//     names the place that it came from.
//   - The names of handles are parts of tags. Two instances that call one database by two
//     names do not hear each other.
//
// The package imports nothing that knows GraphQL or HTTP.
package footprint
