package sqlparse

// A Kind is what a statement is.
type Kind uint8

// The kinds. A text of a kind without data is accepted only when it was parsed to its
// end, so that nothing hides behind it.
const (
	Select     Kind = iota + 1
	Insert          // also REPLACE
	Update          //
	Delete          //
	Begin           // BEGIN, START TRANSACTION
	Commit          // COMMIT, END; not AND CHAIN, not PREPARED
	Rollback        // ROLLBACK, ABORT; not AND CHAIN, not PREPARED
	Savepoint       //
	RollbackTo      // ROLLBACK TO [SAVEPOINT]
	Release         // RELEASE [SAVEPOINT]
	Setting         // SET, SET LOCAL, RESET of a setting that decides no data by itself; see Statement.Setting
	Refresh         // REFRESH MATERIALIZED VIEW
	Truncate        // TRUNCATE: Statement.Tables
	DDL             // CREATE, ALTER, DROP, COMMENT, GRANT, REVOKE
	NoData          // LISTEN, UNLISTEN, NOTIFY, SHOW, EXPLAIN without ANALYZE, PRAGMA that only asks, ...

	Merge    // MERGE: Statement.From is its source, On what matches, and Whens its branches
	Asks     // PRAGMA integrity_check and its like: it reads anything, and writes nothing
	Rewrites // VACUUM of SQLite, VACUUM FULL, CLUSTER, PRAGMA user_version = 1: what it writes is not in tables

	PrepareTransaction // PREPARE TRANSACTION; its gid is Statement.SavepointName
	CommitPrepared     // COMMIT PREPARED, with the gid
	RollbackPrepared   // ROLLBACK PREPARED, with the gid
)

// An Expr is an expression: one of the pointer types below, or nil.
type Expr interface{}

type (
	// Column is a column, or the name of a whole row. Name "*" is all columns of Qualifier.
	Column struct{ Qualifier, Name string }
	// Param is a parameter: N is its ordinal from 1, Name what it is called where it is
	// named (":name", "@name", "$name" of SQLite), with its sign.
	Param struct {
		N    int
		Name string
	}
	// Literal is a constant. Odd says that Text is not its value: an escape string, a
	// number that is no integer, TRUE.
	Literal struct {
		Text              string
		Null, Number, Odd bool
	}
	// Binary has an operator in lower case.
	Binary struct {
		Op          string
		Left, Right Expr
	}
	// Op is any other operator: "not", "isnull", "isnotnull", "istruth", "is", "isnot",
	// "isdistinct", "isnotdistinct", "between", "notbetween", "like", "notlike", "ilike", "glob", "regexp", "similar",
	// "case", "row", "array", "index", "collate", "attimezone", "quantified", "unary-", ...
	// Text is a collation's name. "istruth" has "true", "not true", "false", "not false" in
	// it, "quantified" the operator and its word ("<> all"), "field" and "named" a name.
	// "betweensymmetric" and "notbetweensymmetric" are not "between": their bounds may be in
	// any order. "element" is an assignment to a part of a column: its last argument is the
	// value. "groupingsets" has what ROLLUP, CUBE and GROUPING SETS group by.
	Op struct {
		Op   string
		Args []Expr
		Text string
	}
	// Call is a function's. Args has all expressions in it, those of FILTER, ORDER BY and OVER too.
	Call struct {
		Name                   string // lower case, with its schema if there is one
		Args                   []Expr
		Star, Window, Distinct bool
	}
	// In is x [NOT] IN (list) or (select); = ANY (array) is In with List of one Call of unnest.
	In struct {
		X    Expr
		Not  bool
		List []Expr
		Sub  *Query
	}
	// Subquery is a scalar subquery, or that of ARRAY(...).
	Subquery struct{ Query *Query }
	// Exists is EXISTS (query).
	Exists struct{ Query *Query }
	// Cast is CAST(x AS type), x::type or type 'literal'. Type is in lower case, with its
	// length or precision, which may change a value ("varchar(3)"), and with [] for arrays.
	// A quoted type keeps its quotes ("char" is another type than char).
	Cast struct {
		X    Expr
		Type string
	}
)

// A Name is of a table, view or function, in lower case unless it was quoted.
type Name struct{ Schema, Name string }

// An Item is one of a SELECT or RETURNING list. Star is "*" or "Qualifier.*".
type Item struct {
	X         Expr
	Star      bool
	Qualifier string
	Alias     string // AS, or the column's name; "" for other expressions
}

// A JoinKind says how a From is joined to what is before it.
type JoinKind uint8

// The kinds of joins. The first of a list is NoJoin.
const (
	NoJoin JoinKind = iota
	Cross           // also a comma
	Inner
	Left
	Right
	Full
)

// A From is one of a FROM list: a table, a query, a function or a group in parentheses.
type From struct {
	Table   *Name
	Query   *Query
	Call    *Call
	Group   []From
	Alias   string
	Columns []string // column aliases
	Join    JoinKind
	Natural bool
	Lateral bool
	Sampled bool // TABLESAMPLE
	On      Expr
	Using   []string
}

// A CTE is one of WITH: Query or DML.
type CTE struct {
	Name    string
	Columns []string
	Query   *Query
	DML     *Statement
}

// An OrderTerm is one of ORDER BY.
type OrderTerm struct {
	X    Expr
	Desc bool
}

// A Query is a SELECT with its compound arms, or VALUES.
type Query struct {
	With      []CTE
	Recursive bool
	Distinct  bool   // DISTINCT, also ON
	On        []Expr // of DISTINCT ON
	Items     []Item
	From      []From
	Where     Expr
	Group     []Expr
	Having    Expr
	Windows   []Expr // expressions of named windows
	Order     []OrderTerm
	Limit     Expr
	Offset    Expr
	Ties      bool     // WITH TIES
	Compound  []*Query // further arms of UNION, INTERSECT, EXCEPT
	Ops       []string // what joins each further arm: "union", "union all", "intersect", ...
	Values    [][]Expr // nil stands for DEFAULT
	Locking   bool     // FOR UPDATE, FOR SHARE, ...
	Claims    bool     // FOR UPDATE, FOR NO KEY UPDATE: as a writer locks
	Skips     bool     // SKIP LOCKED: which rows there are depends on other sessions
}

// A Set is one assignment. X is nil for DEFAULT.
type Set struct {
	Columns []string
	X       Expr
}

// A Conflict is what an INSERT does with a row that is there.
type Conflict uint8

// The ways. None is an error, or there is no clause.
const (
	None Conflict = iota
	Nothing
	Replace    // OR REPLACE: other rows are deleted
	UpdateRow  // ON CONFLICT DO UPDATE, ON DUPLICATE KEY UPDATE
	OtherwiseX // any other
)

// A When is a branch of MERGE: what it sets and inserts.
type When struct {
	If     Expr
	Sets   []Set
	Into   []string
	Values []Expr // nil stands for DEFAULT
}

// A Statement is one statement.
type Statement struct {
	Kind  Kind
	Query *Query // of Select; of Insert, what is inserted
	With  []CTE  // of Insert, Update, Delete

	Table    Name
	Alias    string // of Table; its name when there is none
	Columns  []string
	Sets     []Set
	From     []From // UPDATE … FROM, DELETE … USING
	Where    Expr
	WhereAt  [2]int // byte offsets of the condition in the text
	Current  bool   // WHERE CURRENT OF
	Limited  bool   // UPDATE or DELETE with LIMIT or ORDER BY
	Defaults bool   // INSERT … DEFAULT VALUES
	Copies   bool   // it is COPY … FROM, an Insert whose rows are not in the text

	Returning     []Item
	OnConflict    Conflict
	ConflictSets  []Set
	ConflictWhere Expr

	Tables []Name // of Truncate, Refresh

	On    Expr // of Merge
	Whens []When

	// Setting of Kind Setting: its name, and its values as they are written, with Params
	// where a value is a parameter. Local says SET LOCAL.
	Setting string
	Values  []Expr
	Local   bool
	// SavepointName is the name of Savepoint, RollbackTo and Release, and the gid of
	// PrepareTransaction, CommitPrepared and RollbackPrepared.
	SavepointName string

	// Recursive belongs to With.
	Recursive bool
	// Cascade is TRUNCATE's: tables that refer to Tables are emptied, too.
	Cascade bool
	// Level is what Begin and the setting "transaction" say: an isolation level in lower
	// case, or SQLite's "deferred", "immediate" or "exclusive"; "" when they say nothing.
	Level string
	// ReadOnly is READ ONLY of Begin and of the setting "transaction".
	ReadOnly bool
	// Params is the highest ordinal of a parameter; 0 for DDL.
	Params int
}
