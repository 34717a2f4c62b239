// Package analysis says what one statement text reads and writes, with a catalog.
//
// [Analyze] returns for each mention of a table which columns decide, which values the
// rows that matter have, and which rows the result shows; for each write which rows it
// changes, and how. [Children] says what foreign keys do after a write.
//
// # What it promises
//
// What is not understood is Unknown: its result depends on anything, and unless it only
// reads, it may have written anything. There is no third outcome. A term is a necessary
// condition: a row of the table without one of its values changes the result in no way,
// whether it is there or not. Analyze never panics, and its work and its result are
// bounded.
//
// It imports the parser and the catalog, and nothing else of this module.
//
// # Traps
//
//   - A condition on the optional side of an outer join that NULL satisfies takes rows away
//     without showing them: such a table is not Shown.
//   - A value spreads from outside into a subquery, and from a derived table to what it is
//     joined with. It never spreads into a derived table that counts, limits or merges
//     rows, and never out of a subquery.
//   - An expression of a derived table has columns in it that decide when a condition is on
//     the expression.
//   - An unqualified name may be of any table whose columns are not known. It marks all
//     columns of that name, and stands for none.
//   - Under READ COMMITTED a row that is locked is newer than the statement's snapshot. Two
//     mentions of one row are then two versions of it, so no value spreads between them.
//   - Two tables whose foreign keys refer to each other may get rows together: one of them
//     is not Joined.
//   - The number of a column in SELECT * is not known after USING, which has it once, and
//     for tables of several schemas.
//   - A value of INSERT is not the stored one where a trigger sets the column, and where
//     NULL makes the database choose.
//   - A column of SQLite that holds the text 'now' makes date functions read the clock.
//   - Functions that stand behind operators and casts of users are called where the operator
//     or the cast is written. Comparisons and implicit casts are written nowhere.
//   - Functions of users behind an operator class or a range type are not looked at.
package analysis
