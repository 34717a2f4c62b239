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
	Table *catalog.Table
	// TableHash is that of the table where Table is nil: it is not in this catalog, and the
	// event is Changed.
	TableHash uint64
	Op        Op
	// Home is the schema of the row, where several have the Table: see HomeOf.
	Home    Home
	Columns catalog.Mask
	Old     []Known // sorted by column
	New     []Known
}

// Known are the values that a column may have: one for an image of a row.
type Known struct {
	Column int
	Values []Value
	// Text is that of a single value, for reads that search. HasText says that it is known.
	Text    string
	HasText bool
}
