package cascade

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// Mask is a set of columns of one view. Columns get their bits when the plan is compiled;
// one bit is shared by all columns that find none of their own, so that a wide view
// widens instead of failing.
type Mask uint64

// AllColumns stands for every column of a view, and for columns unknown.
const AllColumns = ^Mask(0)

// The highest bits have meanings of their own. The first three are in the mask of every
// read, and of every change but an update of known columns: rows that come or go matter
// to reads that look at no column. A list that shows the first rows only may leave out
// two of them, see readDecl.Limit.
const (
	columnBits = 60
	// created: a row that was not there before.
	created Mask = 1 << 60
	// vanished: a row that was in a set before and is not any more.
	vanished Mask = 1 << 61
	// existence: any other way in which a row comes or goes.
	existence Mask = 1 << 62
	presence       = created | vanished | existence
	// overflowBit is shared by the columns beyond the 60th of a view.
	overflowBit = 63
)

// Op is what a write does to rows.
type Op uint8

// The operations of @writes. Any covers the others; Upsert is a create or an update.
const (
	Any Op = iota
	Create
	Update
	Delete
	Upsert
)

// A Plan is a schema's cascade metadata, compiled once. It is immutable and safe for
// concurrent use.
type Plan struct {
	schema *ast.Schema
	opts   Options

	views  []*View
	byName map[string]*View   // by view name
	byType map[string][]*View // by object type name: the views its rows come from, primary first

	// pathsByType are the values of an object that the reads of its fields compare, its
	// key left out.
	pathsByType map[string][][]string

	// entities are by name the types that _entities finds, as far as @view says where
	// their rows come from.
	entities map[string]*entity

	// envelopes are the types of the entries of GraphQL Cascade payloads.
	envelopes map[string]bool

	// invalidates are by field of the mutation type the query fields that
	// @cascadeInvalidates names.
	invalidates map[string][]invalidated

	fields    map[fieldRef]*fieldDecl  // declared or inferred fields; absent means nothing was said
	mutations map[string]*mutationDecl // by field name of the mutation type
	policies  map[fieldRef]cacheHint   // @cacheControl on fields
	typeHints map[string]cacheHint     // @cacheControl on types

	rules  valueRules
	vagues []vague // for Lint
}

type fieldRef struct{ typ, field string }

// A View is a named set of rows that resolvers read.
type View struct {
	Name string
	// Partitioned says that each row belongs to one partition.
	Partitioned bool
	// Table is the name of its table in the database, "" when it is the view's. Decides
	// are the columns of the table by which code outside of the database hides, sorts,
	// counts or computes; HasDecides says that these are all.
	Table      string
	Decides    []string
	HasDecides bool

	id int
	// types are the object types whose rows come from this view, sorted. Empty for a view
	// that was named on the schema only.
	types []string
	// key is the field of types whose value identifies a row; "id" for views without a
	// type.
	key string
	// explicit is false for the view that every object type with an id field has without
	// saying so. Only explicit views promise that scalar fields are columns.
	explicit bool
	static   bool

	columns map[string]uint8 // column name or path -> bit
	names   []string         // column names by order of declaration
	// touched are the columns that every write changes by itself.
	touched Mask
	// above are the views that this one is derived from, directly or not.
	above []*View
	// hidden are the columns that no field shows. A change of one may move the row in or
	// out of a caller's sight (tenant_id, deleted_at), so every read of a row depends on
	// them.
	hidden Mask
	// written is set when a mutation writes the view or a view that it depends on.
	written bool
	// opaqueKey says why the spelling of a key tells nothing: then each row may be any
	// row. "" is none.
	opaqueKey string
	// leaves are the types of the columns' values; nil for those not known.
	leaves map[string]*ast.Definition

	shapes []shape // the where-shapes that fields read, see tags.go
	out    []*edge // views derived from this one
	in     []*edge

	hash uint64 // of the name
	pos  *ast.Position
}

// An edge says that rows of to are derived from rows of from.
type edge struct {
	from, to *View
	key      string // column of from that holds the key of the row of to; "" means every row
	using    Mask   // columns of from that matter
	pos      *ast.Position
}

// A fieldDecl is what the schema says of one field: the reads its value is computed from.
type fieldDecl struct {
	// Declared is set when the field has @reads or an inferred row read. Plain columns
	// need none.
	Declared bool
	Reads    []readDecl
	// Entities is set for the field _entities of a subgraph: it reads what its
	// representations name.
	Entities bool
	// AtRuntime says that resolvers say what the field reads beside Reads, each of its
	// executions something.
	AtRuntime bool
}

// readKind tells the reads apart.
type readKind uint8

// A readRow depends on one row or its absence; a readWhere on the rows that match its
// terms. A read of a whole view is a readWhere without terms.
const (
	readWhere readKind = iota
	readRow
)

// A readDecl is one @reads.
type readDecl struct {
	// Views is one view, or for a row read of an interface or union the views of its
	// possible types.
	Views []*View
	Kind  readKind
	Row   operandDecl // of a readRow
	Where []termDecl  // of a readWhere, sorted by column; at most maxTerms
	Using Mask        // of a readWhere: columns that decide beyond those of Where
	// Limit says that the field is a list of the first so many rows, in an order that
	// Using, the keys and the order of creation decide, after the first Offset ones. Nil
	// is unknown. Appends says that a created row comes after all others in this order.
	Limit, Offset *operandDecl
	Appends       bool
	order         *order // nil when not declared
	// Inferred marks Query.x(key: ID!): T without @reads; the key in the answer must
	// equal the argument.
	Inferred bool

	pos *ast.Position
}

// A termDecl is column = operand or, in a read, column contains operand.
type termDecl struct {
	Column   string
	Operand  operandDecl
	Contains bool

	// nullable says that the rows without a value may be what null asks for.
	nullable bool
}

// operandKind tells the operands apart.
type operandKind uint8

// Where an operand's value comes from.
const (
	fromConst operandKind = iota
	fromArgs
	fromParent
	fromResult
)

// An operandDecl is a constant or a path.
type operandDecl struct {
	Kind  operandKind
	Path  []string // without the leading args, parent or result
	Const Value    // of fromConst

	// unknown says that what the path leads to is not what the resolver gets, or is
	// compared otherwise than its text tells: the operand has no value.
	unknown bool
}

// A mutationDecl is what the schema says of one field of the mutation type. A field
// without @writes has no mutationDecl in the plan: it drops everything.
type mutationDecl struct {
	Writes []writeDecl
}

// A writeDecl is one @writes.
type writeDecl struct {
	View *View
	Op   Op
	// Row is nil when not given: then the rows are those of Where, or all.
	Row   *operandDecl
	Where []termDecl // values before
	Set   []termDecl // values after
	// Columns are the columns that change, touched ones included; AllColumns when not
	// declared.
	Columns Mask
	// ColumnsFrom are the argument paths whose set input fields add to Columns.
	ColumnsFrom []columnsFrom
	// Resolve says that resolvers may run to read the result paths.
	Resolve bool

	pos *ast.Position
}

// columnsFrom maps the fields of an input object, found at path below the arguments, to
// columns.
type columnsFrom struct {
	path []string
	// masks by input field name. A field that is missing here makes the columns unknown.
	masks map[string]Mask
	// columns by input field name, so that a set field also tells the new value of its
	// column.
	columns map[string]string
	// defaults by input field name: what the code that unmarshals the input sets when a
	// request does not. A field with a default is always set.
	defaults map[string]Value
}

// maxTerms bounds the terms of one where: a read subscribes to every subset of its terms.
const maxTerms = 4

// column returns the mask of a column by name or path, and whether the view has it.
func (v *View) column(name string) (Mask, bool) {
	b, ok := v.columns[name]
	if !ok {
		return 0, false
	}
	return Mask(1) << b, true
}

// addColumn gives a column its bit.
func (v *View) addColumn(name string) Mask {
	if b, ok := v.columns[name]; ok {
		return Mask(1) << b
	}
	if v.columns == nil {
		v.columns = map[string]uint8{}
	}
	b := uint8(overflowBit)
	if n := len(v.names); n < columnBits {
		b = uint8(n)
	}
	v.columns[name] = b
	v.names = append(v.names, name)
	return Mask(1) << b
}

// shape is a set of columns that a where of some field compares, with all columns that
// decide the reads of that shape. Events publish a shape's tags only when they change one
// of those.
type shape struct {
	columns []string // sorted, as termDecl.shapeColumn has them
	names   []string // of the columns
	bits    []Mask   // of the columns
	// order is the column that tells the place of a row in reads of this shape; "" when
	// no read says.
	order string
	id    uint64 // hash of the view's name and the columns
	mask  Mask   // union of columns and using over the reads with this shape
}

// String returns the operation as @writes writes it.
func (o Op) String() string {
	return [...]string{"ANY", "CREATE", "UPDATE", "DELETE", "UPSERT"}[o]
}
