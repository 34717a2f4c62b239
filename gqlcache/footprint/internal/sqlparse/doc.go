// Package sqlparse splits one SQL statement into a syntax tree that keeps what an
// analysis of reads and writes needs. It reads what PostgreSQL and SQLite write in
// applications: queries, DML, transaction control, settings, and DDL by its first word.
//
// # What it promises
//
// A tree says what the database does with the text. A text that is not understood to its
// end is an error that wraps [ErrSyntax]: a second statement, or a word that it does not
// know. An error is an ordinary outcome, which widens; a wrong tree is a stale answer.
// Operators that extensions and users of PostgreSQL define have a place in the tree, since
// all of them bind alike. What they do the tree does not say.
//
// The two databases read some texts differently: comments in comments, brackets, escape
// strings, dollar quotes, question marks, the precedence of operators. [ParseDialect]
// reads a text as its database does. [Parse] does not know the database, and refuses
// each text on which the two disagree.
//
// The work is linear in the length of the text. Nesting, length and the number of
// operators in a row are bounded, so that a tree can be walked by recursion.
//
// It imports only the standard library, and nothing of this module.
//
// # Traps
//
//   - A parenthesized query in IN is a set in PostgreSQL, IN ((SELECT …)), and the first
//     row's value in SQLite.
//   - a = b IN (1, 2) is a = (b IN (1, 2)) in PostgreSQL and (a = b) IN (1, 2) in SQLite.
//   - $2 is the second argument in PostgreSQL. In SQLite it is a name, and drivers differ
//     in which argument they bind to it, unless it is also the second parameter.
//   - INSERT OR ROLLBACK ends the transaction when it fails, and OR FAIL keeps the rows
//     before the failing one: a failed statement of these wrote something. Both are errors.
//   - A backslash in an ordinary string is an escape where standard_conforming_strings is
//     off. Such a literal is Odd, and a backslash before a quote is an error unless the
//     other reading has no end.
//   - A name after a table may be an alias or the start of a clause. A word is an alias
//     only when it starts no clause in either database.
//   - Call.Args has the expressions of FILTER, ORDER BY and OVER after the arguments.
//   - Column may stand for a function in PostgreSQL (t.f is f(t)), and for a string in
//     SQLite ("x"), when there is no column of that name.
package sqlparse
