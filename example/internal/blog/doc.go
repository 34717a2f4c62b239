// Package blog keeps the rows of a small multi-tenant blog in SQLite.
//
// A [Store] is one database file, which several processes may share. Everything is done
// through a [Session], which sees the rows of one tenant. Reads take ids by the list, so
// that a caller can ask for what a whole page needs in one statement; a [Snapshot] lets
// several reads see one state. Writes are one immediate transaction each, committed when
// the method returns.
//
// All exported methods are safe for concurrent use and block on the database.
package blog
