// Package footprintsqlite has the driver modernc.org/sqlite tell an Observer of each row that
// a statement changes, with its values before and after:
//
//	obs := footprint.New(footprint.Options{Dialect: footprint.SQLite})
//	db := sql.OpenDB(footprintsql.Connector(connector, obs, footprintsqlite.RowHook()))
//
// Without it, rows are asked for before and after a write, within transactions that hold the
// lock of a writer: those that began with BEGIN IMMEDIATE, or have written before. With it
// they are known of every write, the first of a transaction and those without one included,
// of INSERT OR REPLACE and ON CONFLICT DO UPDATE, and of what triggers and foreign keys do.
// No query of the Observer's own runs for that.
//
// # What it promises
//
//   - The values are those that the database has, byte for byte.
//   - A driver of another kind, or one of which this package does not know how to read
//     values, is left as it is: rows are asked for then, as without this package.
//
// # What it cannot see
//
//   - Virtual tables, such as those of full-text searches, and tables with generated columns:
//     a statement that reaches one is known by its text, or by rows that are asked for.
//
// # Traps
//
//   - A connection of SQLite has one pre-update hook. RowHook sets it when the connection is
//     opened, in place of one that sqlite.RegisterConnectionHook has set. An application that
//     uses the hook itself must do without RowHook. After footprintsql.Unwrap or
//     footprintsql.Raw the connection counts as one whose hook may have been replaced.
//   - SQLitePreUpdateData.Old and New of the driver cut a text at its first NUL, and read
//     memory that nobody has set where SQLite answers with an error. So the values are
//     read by SQLite's own functions, which need two fields that the driver does not export.
//     They are found by reflection, once, and without them there is no hook.
package footprintsqlite
