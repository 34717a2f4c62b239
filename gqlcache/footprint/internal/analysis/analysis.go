package analysis

import (
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// A Statement is the analysis of one text. It is not changed once it was made, and may be
// used concurrently.
type Statement struct {
	// Kind is the text's, 0 when it was not understood.
	Kind sqlparse.Kind
	// Unknown says why nothing is known: what is read depends on anything, and unless
	// ReadsOnly, everything may have been written.
	Unknown   string
	ReadsOnly bool
	// Transaction says that an unknown text may have begun or ended a transaction.
	Transaction bool
	// Volatile names a function whose result is no function of data and arguments (now,
	// random): "" for none. Settings names those that are read from the session
	// (current_user, current_setting): their values are positions of the key check.
	// Sampling, SKIP LOCKED and statements without data count as volatile, too.
	Volatile string
	// Settings has the name of the setting for current_setting, "*" when it is not known.
	Settings []string
	// SetConfigs are calls of set_config.
	SetConfigs []SetConfig
	// Moves says that a trigger may set search_path, or the role.
	Moves bool
	// Several are the relations that the text names and that several schemas have, views
	// among them. Where all of them are of one schema, an analysis with catalog.InOne says
	// more.
	Several []sqlparse.Name
	// Claims says that it locks rows as a writer does, to write them later: FOR UPDATE,
	// FOR NO KEY UPDATE.
	Claims bool
	// Positions are the values from outside on which the result depends, each once:
	// parameters, those of LIMIT included, and settings.
	Positions []Position
	Refs      []*Ref
	Writes    []*Write
	// Columns is how many columns the result has, -1 when that is not known.
	Columns int
	// Reloads says that the catalog is another one after it.
	Reloads bool
	// Set is a setting of the session, nil for others.
	Set *sqlparse.Statement
	// Params is how many parameters the text has.
	Params int
	// Savepoint is the name of a savepoint, or the gid of a prepared transaction.
	Savepoint string
	// Level is the isolation level that BEGIN asks for, in lower case, or SQLite's
	// "deferred", "immediate" or "exclusive": "" for none. ReadOnly is its READ ONLY.
	Level    string
	ReadOnly bool
}

// A SetConfig is a call of set_config: Name is "*" and Value nil where the text does not
// tell. Local says that it holds until the end of the transaction. Sure says that the
// statement calls it, and that Local is what the call says.
type SetConfig struct {
	Name  string
	Value *Source
	Local bool
	Sure  bool
}

// A Position is a parameter, by its ordinal and its name if it has one, or a setting.
type Position struct {
	Param   int
	Name    string
	Setting string
}

// A Ref is one mention of a table from which rows are read.
type Ref struct {
	Table *catalog.Table
	// Elsewhere says that an Ambiguous table may be that of another schema than the one
	// which Statement.Several are of.
	Elsewhere bool
	// Where are the columns that decide which rows there are, or how often, or in which
	// order where that matters; Selected are those that are merely in the result; Order
	// decides only when the rows are not read to the end.
	Where, Selected, Order catalog.Mask
	// Computed are those of Selected that the result does not only have as they are: an
	// expression is computed from them.
	Computed catalog.Mask
	// Terms are necessary conditions: every row of the table that contributes has one of
	// the source's values in the column. At most one a column. A term whose source cannot
	// be evaluated for some arguments is left out for these.
	Terms []Term
	// Shown says that KeyColumns, a key of the table, are at KeyOuts in each row of the
	// result, so that each row that contributes is known by them.
	Shown               bool
	KeyColumns, KeyOuts []int
	// Outs are columns of the table that are in the result, by number: -1 is not there.
	Outs []int
	// Joined says that the ref is joined by its key, which an enforced foreign key refers
	// to: rows that are created do not change the result. Pinned says that some Via relies
	// on the set of its rows, so Joined must not be used.
	Joined, Pinned bool
	// Limit and Offset bound the rows of the result, which has one row for each of this
	// ref alone when Single. Limited says that there is a limit or an offset at all.
	Limited, Single bool
	Limit, Offset   *Source // nil: none
	// Window is a column that alone decides the order, unique and an integer; -1 without
	// one. WindowOut is its place in the result.
	Window, WindowOut int
	Descending        bool
	// Contains are columns whose text contains the source's value in each row that
	// contributes.
	Contains []Term
	// Via says that values of a column come from a column of another ref; nil without.
	Via *Via
	// First says that the rows are the first ones of each of several sets; nil where that
	// is not known.
	First *First
	// Options are parts of Where that do not decide when a parameter is NULL.
	Options []Option
}

// An Option is the columns of Ref.Where that only conditions use which hold whenever a
// parameter is NULL: $1 IS NULL OR status = $1.
type Option struct {
	Param   int // ordinal from 1
	Name    string
	Columns catalog.Mask
}

// A Term says that a column has one of the values of a source. In Ref.Contains it says
// that the column's text contains the value: Pattern says that the value is a pattern of
// LIKE, so that what is contained are its parts between the characters %, _ and \; Folded
// that letters of both cases are the same.
type Term struct {
	Column          int
	Source          Source
	Pattern, Folded bool
}

// A Via says that each contributing row's Column equals From of a contributing row of
// Ref, which has terms of its own.
type Via struct {
	Column int
	Ref    *Ref
	From   int
}

// A SourceKind says where values come from.
type SourceKind uint8

// The kinds of sources.
const (
	Param    SourceKind = iota + 1 // one parameter
	Constant                       // a literal
	List                           // several sources
	JSONList                       // a parameter that is a JSON array
	Array                          // a parameter that is an array or slice
)

// A Source is a set of values that is known once the arguments are.
type Source struct {
	Kind   SourceKind
	Param  int    // ordinal from 1
	Name   string // of a named parameter
	Text   string // of a Constant
	Number bool   // of a Constant
	List   []Source
	// Unless is the ordinal of a parameter, with UnlessName: when it is NULL the term is
	// no condition at all. 0 for none.
	Unless     int
	UnlessName string
}

// A WriteKind is what a write does to rows.
type WriteKind uint8

// The kinds of writes. Any is rows of the table, in any way: an UPSERT's, a trigger's.
const (
	Inserts WriteKind = iota + 1
	Updates
	Deletes
	Any
)

// A Write is what a statement does to a table.
type Write struct {
	Table *catalog.Table
	Kind  WriteKind
	In    In
	// Name and Alias are what the statement calls the table; Name is empty for tables that
	// it does not name.
	Name  sqlparse.Name
	Alias string
	// Terms of Updates and Deletes are values that the rows have before.
	Terms []Term
	// Changed are the columns that an update may change, generated ones and those that
	// triggers set included. Sets are their values afterwards, where known.
	Changed catalog.Mask
	Sets    []SetValue
	// Rows of Inserts: the values of each row, or of any number of rows for INSERT …
	// SELECT; nil for unknown rows. A column that is not in it has a value that is not
	// known. Keep says that NULL stores something that is not known.
	Rows [][]SetValue
	// OneRow says that Inserts have one row at most.
	OneRow bool
	// Ignores says that rows which are there are left alone (DO NOTHING).
	Ignores bool
	// Returning maps result columns to columns, -1 for others; nil without RETURNING, and
	// within another statement.
	Returning []int
	// OwnRows says that the condition refers to nothing but columns of the target row,
	// constants, parameters and immutable functions, so that the rows can be asked for
	// beforehand; Where is the condition's text in the statement, "" for all rows.
	OwnRows bool
	Where   string
	// Plain says that the table has no triggers or rules, and that the write is not within
	// another statement: the affected rows are as the statement says, and RETURNING shows
	// all of them. Policies says that row-level security may apply, so that a query with
	// the same condition may find other rows.
	Plain, Policies bool
	// Cascades says that foreign keys of other tables write their rows after it: see
	// Children. It is false for Any, whose children are Writes of their own.
	Cascades bool

	upserted catalog.Mask // columns that ON CONFLICT DO UPDATE sets
	noted    bool         // it is a trigger's or a foreign key's
	partly   bool         // Returning has not all columns
}

// An In says which schema's an Ambiguous table is: that of Statement.Several unless
// Elsewhere, or the one in which the connection finds the name ByPath, "" for none.
type In struct {
	Elsewhere bool
	ByPath    string
}

// A SetValue is a column's value after a write. Source is nil when it is not known. Keep
// says that NULL leaves the column as it is: coalesce(source, the column).
type SetValue struct {
	Column int
	Source *Source
	Keep   bool
	Null   bool
}
