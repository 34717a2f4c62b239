// Package catalog has what a database says about itself: tables, keys, columns, which
// values are equal, foreign keys, triggers, views and policies. What it does not say, or
// what may not be read, is never taken for "there is none".
//
// Read reads the definitions of SQLite or PostgreSQL over one connection, with queries
// only. ReadVersion is the cheap question whether they have changed since, ReadConnection
// asks what a connection is. None of them may run inside of a transaction of the
// application: an error of theirs would end it.
//
// Each fact holds in all schemas that have a relation of the name. Where facts differ, the
// weaker one is kept; where there is no weaker one, the name is Unresolvable.
//
// The package imports nothing but the standard library.
//
// # Traps
//
//   - Between a change of the definitions and the next ReadVersion the catalog is old: a
//     new trigger, cascade or policy is not seen.
//   - The number of a column is its position, which a dropped column shifts. A mask means
//     nothing without the Fingerprint of its catalog.
//   - A temporary table hides a permanent one. PostgreSQL shows all temporary relations,
//     and their names are Unresolvable; SQLite shows those of the reading connection only.
//     A statement that creates one on another connection is the wrapper's to notice.
//   - SQLite's foreign_keys belong to a connection: one that has them off, or another
//     program, makes an Enforced key false. Actions are listed always.
//   - session_replication_role = replica keeps triggers and foreign keys of PostgreSQL from
//     firing on a connection, ReadConnection says so.
//   - A function in C behind an operator or a cast of an extension reads no table.
//   - A default or a check may write as a trigger does: Trigger.Expression.
//   - A function of SQLite that the program has registered is not in the catalog.
package catalog
