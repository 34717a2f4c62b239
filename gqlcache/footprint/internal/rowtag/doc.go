// Package rowtag turns what a read depends on, and what a write changed, into tags that
// meet.
//
// A shape is a set of columns of a table that some read compares. A read of rows with
// values in the columns of a shape subscribes to the tags of all subsets of these values;
// a change of a row publishes, for each shape of its table, the one tag of those values
// of the row that it knows, before and after. So a change of which less is known meets
// more reads, and never fewer.
//
// Shapes are of one process. A change travels between instances as an Event, and each
// instance makes the tags of its own shapes of it.
//
// What it promises:
//
//   - Values that the database takes for equal have one Value, or none that is known.
//   - Every change that may alter which rows a read has, or what it uses of them, meets one
//     of its tags, with a common bit of the masks.
//   - Tags are functions of names and values: equal on all machines.
//   - The shapes, the tags of a read, and those of an event have bounds.
//
// The package imports catalog and cascade/tag, and a hash that is the same everywhere.
//
// # Traps
//
//   - The numbers of columns are of one catalog. Hashes are of names; masks are not, so
//     tags may not be compared between two catalogs, and an Event of an old one names its
//     whole table.
//   - A value's class decides what is equal. Without it, "a0EE" and "A0ee" are two texts,
//     or one UUID.
//   - A row that leaves a set is told to those who ask for rows that go. Who shows the row
//     must subscribe to it by its key.
//   - A page ordered by a column hears of a row that moves in that order: the column counts
//     like one of the shape's.
package rowtag
