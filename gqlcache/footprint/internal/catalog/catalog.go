package catalog

import (
	"context"
	"database/sql/driver"
	"maps"
	"slices"
)

// A Dialect is a database's.
type Dialect uint8

// The dialects.
const (
	SQLite Dialect = iota + 1
	PostgreSQL
)

// A Class says when two values of a column are equal for the database.
type Class uint8

// The classes. Values of an Opaque column are never compared here: its equality is not
// that of its bytes (a collation, a numeric, a time), or it is not known.
const (
	Opaque Class = iota
	Int          // integers
	Text         // bytes of a text, under a deterministic collation; enum labels
	UUID         // 16 bytes, however they are written
	Bool         //
	Bytes        //
)

// A Mask is a set of columns, with Created and Vanished.
type Mask = uint64

// The bits of a Mask that are no columns. Column i has bit min(i, LastColumnBit).
const (
	Created       Mask = 1 << 60 // a row comes, or moves into the set
	Vanished      Mask = 1 << 61 // a row goes, or moves out of it
	Presence           = Created | Vanished
	All                = ^Mask(0)
	LastColumnBit      = 57
)

// A Column is a table's.
type Column struct {
	Name    string // lower case in SQLite
	Class   Class
	NotNull bool
	// Generated columns follow from others: a write of any column writes them.
	Generated bool
	// Default says that an INSERT that leaves it out may store something else than NULL.
	Default bool
}

// A ForeignKey of a table refers to a key of another. Columns and RefColumns have equal
// lengths.
type ForeignKey struct {
	Columns    []int
	Table      *Table // referred to
	RefColumns []int
	OnDelete   Action
	OnUpdate   Action
	// Enforced says that the database keeps it true at all times outside of transactions:
	// not for NOT VALID ones, and in SQLite only where the connection says so. It is false
	// where Table is Ambiguous, and where the columns' values are not of one class.
	Enforced bool
	// Within is Enforced for rows of one schema, where the tables are Ambiguous: each of
	// them has the key. Same says that no row refers to a table of another schema.
	Within, Same bool
}

// An Action is what a foreign key does to the referring rows.
type Action uint8

// The actions.
const (
	NoAction Action = iota
	Cascade
	SetNull
	SetDefault
)

// A Trigger is a table's: its body as text, "" when it cannot be read.
type Trigger struct {
	Name, Body string
	// Insert, Update, Delete and Truncate say what fires it; Instead that it runs in place
	// of the statement.
	Insert, Update, Delete, Truncate, Instead bool
	// Path says that its function has a search_path of its own, or another role, or may run
	// when the transaction ends.
	Path bool
	// Expression says that it is no trigger, but a function that a default of the table calls, or
	// another expression which a write evaluates: it has no row of its own to set.
	Expression bool
}

// A Table is a table, a materialized view, or what several tables of one name in several
// schemas have in common. Partitions, and tables that inherit, belong to the Table of their
// root.
type Table struct {
	// Name without its schema: its identity. Tables of equal names in several schemas are
	// one Table, whose facts hold in all of them.
	Name    string
	Columns []Column
	// Keys are sets of columns that no two rows share, with no NULL in them, at any time:
	// no deferrable, partial or invalid ones. None of their columns is Opaque.
	Keys    [][]int
	Foreign []ForeignKey
	// Referring are the foreign keys of other tables that refer to this one.
	Referring []Referring
	Triggers  []Trigger
	// Rules says that nothing is known of its writes: statements are rewritten, or a
	// foreign key of a table that is not resolvable acts on them.
	Rules bool
	// Policies says that row-level security may apply. Conditions are its expressions; a
	// condition that could not be read is "".
	Policies   bool
	Conditions []string
	// Replaces says that a constraint of SQLite resolves conflicts by itself, with ON
	// CONFLICT REPLACE or IGNORE: a write may delete other rows, or leave rows out.
	Replaces bool
	// Virtual tables may read and write others, unless they are Contained: those of modules
	// that keep what they have in shadow tables of their own, for full texts and
	// rectangles. Content is the table or view that a Contained one reads beside them, ""
	// for none.
	Virtual, Contained bool
	Content            string
	// Materialized views change by REFRESH only; Definition is their query.
	Materialized bool
	Definition   string
	// Ambiguous says that several schemas have it: two mentions in one statement need not
	// be one table, so equal keys do not make one row of theirs. ForeignData tables are
	// another server's.
	Ambiguous, ForeignData bool

	index   map[string]int
	schemas int // how many have it
}

// A Referring is a foreign key of another table.
type Referring struct {
	Table *Table
	Key   *ForeignKey
}

// A View is a query with a name.
type View struct {
	Name       string
	Columns    []string // as the catalog has them; nil when not known
	Definition string   // the query, without CREATE VIEW
	// Ambiguous says that several schemas have a relation of this name. Then the
	// definitions are equal but for the name of the own schema, which is Schema in
	// Definition.
	Ambiguous bool
	Schema    string
}

// A Function is one of the database's own, by its name without schema.
type Function struct {
	Name string
	// Immutable, and without tables in it: the result is one of the arguments alone.
	Pure bool
	// Quiet functions write nothing, whatever they read. Only PostgreSQL says so.
	Quiet bool
	// Made results are new ones with each call, and of nothing that is stored: an
	// extension's keys and secrets. Such a function is Quiet.
	Made bool
}

// A Catalog is what a database says. It is not changed once it was read.
type Catalog struct {
	Dialect Dialect
	// Tables and Views are by name without schema. A partition's name has the Table of its
	// root, whose Name is another one.
	Tables map[string]*Table
	Views  map[string]*View
	// Unresolvable names have relations, but which one a statement means is not known: a
	// view here and a table there, tables of different columns, or a temporary relation
	// may hide it. They are neither in Tables nor in Views.
	Unresolvable map[string]bool
	// Functions are those that users have defined: a name of the database's own that is
	// here, too, is not the database's own any more.
	Functions map[string]Function
	// Behind are functions of users that stand behind operators and casts of users, and that
	// may read or write tables: by the operator, by Written for casts that a statement must
	// write, and by Unwritten for those that the database may apply to any expression.
	Behind map[string]string
	// Types are the classes of types that users have defined, without schema: enums, and
	// domains over a type that takes no length. A cast of a parameter to one of them does
	// not change what it is equal to.
	Types map[string]Class
	// Schemas are the names of schemas that Tables, Views and Functions come from.
	Schemas map[string]bool
	// Places say where a name is; nil where there are no schemas to tell apart.
	Places *Places
	// One says that the catalog is looked at by a statement whose Ambiguous names are all
	// of one schema: see InOne.
	One bool
	// Fingerprint is another one whenever anything above is, or the type of a column, an
	// enum's labels, or the body of a function. It is equal for all connections to
	// databases of equal definitions.
	Fingerprint [32]byte
	// Version is what ReadVersion returned before the catalog was read.
	Version Version
}

// Keys of Catalog.Behind that are no operators.
const (
	Written   = "::"
	Unwritten = ""
)

// A Query runs a query on a connection, and calls row for each row. The values are those
// of the driver, and are not valid after row returns.
type Query func(ctx context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) error

// Index returns the number of a column by its name, in lower case for SQLite.
func (t *Table) Index(name string) (int, bool) {
	i, ok := t.index[name]
	return i, ok
}

// Lookup returns the table or view that a statement names, with its schema or "". It
// reports false for what is not known or not resolvable, and for relations of the database
// itself: then the statement may read and write anything.
func (c *Catalog) Lookup(schema, name string) (*Table, *View, bool) {
	if c.Dialect == SQLite {
		schema, name = lower(schema), lower(name)
	}
	if schema != "" && !c.Schemas[schema] || c.Unresolvable[name] {
		return nil, nil, false
	}
	if t := c.Tables[name]; t != nil {
		return t, nil, true
	}
	if v := c.Views[name]; v != nil {
		return nil, v, true
	}
	return nil, nil, false
}

// InOne returns the catalog for statements whose Ambiguous names are all found in one
// schema. What holds in all schemas that have a name holds in that one.
func (c *Catalog) InOne() *Catalog {
	one := *c
	one.One = true
	return &one
}

// Bit returns the mask of a column.
func Bit(column int) Mask { return 1 << min(column, LastColumnBit) }

// Unique reports whether a column alone is a key.
func (t *Table) Unique(column int) bool {
	for _, k := range t.Keys {
		if len(k) == 1 && k[0] == column {
			return true
		}
	}
	return false
}

// Finish completes tables that were made by hand, by a reader or a test: the index of
// columns and Referring.
func (c *Catalog) Finish() {
	for _, t := range c.Tables {
		t.index = make(map[string]int, len(t.Columns))
		for i, col := range t.Columns {
			t.index[col.Name] = i
		}
		t.Referring = nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tables)) {
		t := c.Tables[name]
		if t.Name != name {
			continue // a partition's: its root has a turn of its own
		}
		for i := range t.Foreign {
			if to := t.Foreign[i].Table; to != nil {
				to.Referring = append(to.Referring, Referring{t, &t.Foreign[i]})
			}
		}
	}
}

// Unenforce says of a catalog that nobody uses yet that no foreign key is Enforced: some
// connection writes without looking at them.
func (c *Catalog) Unenforce() {
	for _, t := range c.Tables {
		for i := range t.Foreign {
			t.Foreign[i].Enforced, t.Foreign[i].Within = false, false
		}
	}
	c.Fingerprint[0] ^= 1
}
