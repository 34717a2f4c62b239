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
package rowtag

import (
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A Value is a value of a column, by a hash of its normal form under the column's class.
// The zero Value is one that is not known.
type Value uint64

// An Op is what happened to rows.
type Op uint8

// The operations. Changed is any of them, to unknown rows.
const (
	Inserted Op = iota + 1
	Updated
	Deleted
	Changed
)

// An Event is a change of one row, or of all rows that have what is known of Old: one of
// the values in each column. A column that is not in Old or New has a value that is not
// known. Columns are those that changed, of Updated. Everything in it is of one Table.
type Event struct {
	Table   *catalog.Table
	Op      Op
	Columns catalog.Mask
	Old     []Known // sorted by column
	New     []Known
}

// Known are the values that a column may have: one for an image of a row.
type Known struct {
	Column int
	Values []Value
}

// Generation counts shapes.
func Generation() uint64 { return 0 }
