package catalog

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCollated(t *testing.T) {
	for _, tt := range []struct{ sql, want string }{
		{`CREATE TABLE t (a, b TEXT COLLATE NOCASE, c)`, "a= b=nocase c="},
		{`create temp table if not exists "x".[t] ("a,b" collate nocase, 'c d' int, ` + "`e``f`" + ` text)`, "a,b=nocase c d= e`f="},
		{`CREATE TABLE "if" (a /* , b collate nocase */ text) WITHOUT ROWID, STRICT`, "a="},
		{`CREATE TABLE t (a TEXT CHECK (a <> 'x' COLLATE NOCASE) DEFAULT ('collate nocase'), PRIMARY KEY (a COLLATE NOCASE))`, "a="},
		{`CREATE TABLE t (a DECIMAL(10, 2) COLLATE BINARY COLLATE "RTRIM", b COLLATE RTRIM NOT NULL COLLATE BINARY)`, "a=rtrim b=binary"},
		{"CREATE TABLE t (a TEXT -- COLLATE NOCASE,\n, b TEXT CONSTRAINT x NOT NULL, CONSTRAINT y CHECK (a) UNIQUE (a, b))", "a= b="},
		{`CREATE TABLE t AS SELECT 1`, "?"},
		{`CREATE VIRTUAL TABLE t USING fts5(a)`, "?"},
		{`CREATE TABLE t (a TEXT`, "?"},
		{`CREATE TABLE t (a TEXT COLLATE`, "?"},
		{`CREATE TABLE t (a 'TEXT)`, "?"},
		{`CREATE TABLE t (a, A)`, "?"},
		{`CREATE TABLE t (, a)`, "?"},
		{``, "?"},
	} {
		got := "?"
		if names, collations, ok := collated(tt.sql); ok {
			var list []string
			for _, n := range names {
				list = append(list, n+"="+collations[n])
			}
			got = strings.Join(list, " ")
		}
		if got != tt.want {
			t.Errorf("%s: %s", tt.sql, got)
		}
	}
}

func TestContained(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		`CREATE VIRTUAL TABLE t USING fts5(a, b UNINDEXED)`:                                        "own",
		`CREATE VIRTUAL TABLE IF NOT EXISTS main."t x" USING FTS5 (a, tokenize = 'porter (x, y)')`: "own",
		`CREATE VIRTUAL TABLE t USING fts5(a, content='Posts', content_rowid="seq")`:               "reads posts",
		`CREATE VIRTUAL TABLE t USING fts5(a, "content" = [posts])`:                                "reads posts",
		`CREATE VIRTUAL TABLE t USING fts5(a, content='')`:                                         "own",
		`CREATE VIRTUAL TABLE t USING fts5(a, prefix='2 3', detail=none, columnsize = 0)`:          "own",
		`CREATE VIRTUAL TABLE t USING fts5(a, cont='posts')`:                                       "", // SQLite takes it for content
		`CREATE VIRTUAL TABLE t USING fts5(a, content=main posts)`:                                 "",
		`CREATE VIRTUAL TABLE t USING fts5(a, b c content=posts)`:                                  "",
		`CREATE VIRTUAL TABLE t USING fts5(a`:                                                      "",
		`CREATE VIRTUAL TABLE t USING fts5`:                                                        "",
		`CREATE VIRTUAL TABLE t USING fts4(content="posts", a, notindexed=a)`:                      "reads posts",
		`CREATE VIRTUAL TABLE t USING fts4(a, compress=f, uncompress=g)`:                           "", // functions of users
		`CREATE VIRTUAL TABLE t USING fts5vocab(words, row)`:                                       "",
		`CREATE VIRTUAL TABLE t USING rtree(id, x0, x1, +name)`:                                    "own",
		`CREATE VIRTUAL TABLE t USING csv(filename='x')`:                                           "",
		`CREATE TABLE t (a)`: "",
	} {
		ok, content := contained(sql)
		got := ""
		switch {
		case ok && content != "":
			got = "reads " + content
		case ok:
			got = "own"
		}
		if got != want {
			t.Errorf("%s: %q, expected %q", sql, got, want)
		}
	}
}

func TestTriggered(t *testing.T) {
	for _, tt := range []struct{ sql, want string }{
		{`CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END`, "i BEGIN SELECT 1; END"},
		{`CREATE TEMPORARY TRIGGER IF NOT EXISTS x.a DELETE ON "t" WHEN OLD.b BEGIN SELECT 1; END`, "d WHEN OLD.b BEGIN SELECT 1; END"},
		{`CREATE TRIGGER "insert" INSTEAD OF UPDATE ON v FOR EACH ROW BEGIN SELECT 1; END`, "uo BEGIN SELECT 1; END"},
		{`CREATE TRIGGER a BEFORE UPDATE OF "on", [x y] ON main.t /* begin */ BEGIN SELECT 1; END`, "u BEGIN SELECT 1; END"},
		{`CREATE TRIGGER a AFTER TRUNCATE ON t BEGIN SELECT 1; END`, "iud "},
		{`CREATE TRIGGER a AFTER INSERT ON t`, "iud "},
		{`CREATE TRIGGER a AFTER INSERT`, "iud "},
		{`CREATE TRIGGER a AFTER UPDATE OF`, "iud "},
		{`CREATE TABLE t (a)`, "iud "},
		{``, "iud "},
	} {
		g := triggered("a", tt.sql)
		got := ""
		for _, f := range []struct {
			on bool
			c  string
		}{{g.Insert, "i"}, {g.Update, "u"}, {g.Delete, "d"}, {g.Instead, "o"}} {
			if f.on {
				got += f.c
			}
		}
		if got += " " + g.Body; got != tt.want {
			t.Errorf("%s: %s", tt.sql, got)
		}
	}
}

func TestViewed(t *testing.T) {
	for _, tt := range []struct{ sql, want string }{
		{`CREATE VIEW v AS SELECT 1 AS a`, `SELECT 1 AS a`},
		{`CREATE TEMP VIEW IF NOT EXISTS "as".v ("as", b) AS -- as
			WITH x AS (SELECT 1) SELECT * FROM x`, `WITH x AS (SELECT 1) SELECT * FROM x`},
		{`CREATE VIEW v (a`, ``},
		{`CREATE VIEW v AS`, ``},
		{`CREATE TABLE v (a)`, ``},
	} {
		if got, ok := viewed(tt.sql); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %s, %v", tt.sql, got, ok)
		}
	}
}

func TestBodies(t *testing.T) {
	for _, tt := range []struct {
		language, text, want string
	}{
		{"sql", `SELECT f($1) + "G"(2)`, "f G"},
		{"sql", `SELECT $1 -- from t`, ""},
		{"sql", `SELECT 1 /* /* */ from t */`, ""},
		{"sql", `SELECT 'from t' || $x$ from t $x$ || E'\' from t'`, ""},
		{"sql", `SELECT $1 IS DISTINCT FROM $2 AND $1 IS NOT DISTINCT FROM 3`, ""},
		{"sql", `SELECT DISTINCT FROM t`, "?"},
		{"sql", `SELECT a FROM t`, "?"},
		{"sql", `TABLE t`, "?"},
		{"sql", `SELECT current_timestamp`, "?"},
		{"sql", `SELECT 'x`, "?"},
		{"plpgsql", `BEGIN EXECUTE $1; END`, "?"},
		{"plpgsql", `BEGIN PERFORM f(); END`, "?"},
		{"plpython3u", `return 1`, "?"},
		{"c", `from_t`, ""},
	} {
		got := "?"
		if b := bodyOf(tt.language, tt.text); b.pure {
			got = strings.Join(b.calls, " ")
		}
		if got != tt.want {
			t.Errorf("%s: %s", tt.text, got)
		}
	}
}

// However long or strange a definition is, it is read in linear time and without a panic.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		`CREATE TABLE t (a TEXT COLLATE NOCASE, PRIMARY KEY (a))`, `CREATE TRIGGER a UPDATE OF b ON t WHEN x BEGIN END`,
		`CREATE VIEW v (a) AS SELECT 1`, `$a$ $b$ $a$ 'x''y' E'\'' /* /* */ */ -- x`, "((((", "$$$$", "/*/*",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, d := range []Dialect{SQLite, PostgreSQL} {
			last := -1
			tokens, _ := scan(d, s)
			for _, k := range tokens {
				if k.at <= last || k.at >= len(s) || k.kind == 0 && s[k.at] != 0 {
					t.Fatalf("%q: token %+v after %d", s, k, last)
				}
				last = k.at
			}
		}
		collated(s)
		triggered("", s)
		viewed(s)
		bodyOf("sql", s)
	})
}

func TestScanIsLinear(t *testing.T) {
	for _, s := range []string{"(", "$", "$a", "/*", "'", "[", "--", "a.", "E'\\'"} {
		text := strings.Repeat(s, 1<<17/len(s))
		start := time.Now()
		for _, d := range []Dialect{SQLite, PostgreSQL} {
			scan(d, text)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s: %v", s, took)
		}
	}
}

// A database is a Query of SQLite with one table, whose definition changes.
type database struct {
	cookie  int
	trigger bool
	// between is called after the n-th query.
	between func(n int)
	queries int
	fail    int // the query that fails
}

var errFails = errors.New("fails")

func (db *database) query(_ context.Context, text string, _ []driver.NamedValue, row func([]driver.Value) error) error {
	db.queries++
	if db.queries == db.fail {
		return errFails
	}
	var rows [][]driver.Value
	switch {
	case strings.Contains(text, "database_list"):
		rows = append(rows, []driver.Value{int64(0), "main", ""})
	case strings.Contains(text, "schema_version"):
		rows = append(rows, []driver.Value{int64(db.cookie)})
	case strings.Contains(text, "FROM temp."):
	case strings.Contains(text, "SELECT m.type"):
		rows = append(rows, []driver.Value{[]byte("table"), "t", "t", "CREATE TABLE t (id TEXT)"})
		if db.trigger {
			rows = append(rows, []driver.Value{"trigger", "r", "t", "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END"})
		}
	case strings.Contains(text, "table_xinfo"):
		rows = append(rows, []driver.Value{"t", []byte("id"), "TEXT", int64(0), int64(0), int64(0), int64(0)})
	}
	for _, r := range rows {
		if err := row(r); err != nil {
			return err
		}
	}
	if db.between != nil {
		db.between(db.queries)
	}
	return nil
}

// Wherever a change of the definitions comes in between, the catalog either has it, or has
// a version that the next poll finds to be old.
func TestVersionIsReadFirst(t *testing.T) {
	whole := database{}
	if _, err := Read(t.Context(), SQLite, whole.query); err != nil {
		t.Fatal(err)
	}
	for at := 1; at <= whole.queries; at++ {
		db := database{}
		db.between = func(n int) {
			if n == at {
				db.cookie++
				db.trigger = true
			}
		}
		c, err := Read(t.Context(), SQLite, db.query)
		if err != nil {
			t.Fatal(err)
		}
		now, err := ReadVersion(t.Context(), SQLite, db.query)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Tables["t"].Triggers) == 0 && c.Version == now {
			t.Errorf("a trigger made after query %d is never seen", at)
		}
	}
}

// A change that is over when Read looks again is read at once.
func TestReadStartsOver(t *testing.T) {
	db := database{}
	db.between = func(n int) {
		if n == 9 { // after sqlite_schema was read
			db.cookie++
			db.trigger = true
		}
	}
	c, err := Read(t.Context(), SQLite, db.query)
	if err != nil || len(c.Tables["t"].Triggers) != 1 {
		t.Errorf("%v, %v", c.Tables["t"], err)
	}
	// Definitions that never rest are read all the same, with a version that is old.
	db = database{}
	db.between = func(int) { db.cookie++ }
	c, err = Read(t.Context(), SQLite, db.query)
	if err != nil || c == nil {
		t.Fatal(err)
	}
	if now, _ := ReadVersion(t.Context(), SQLite, db.query); now == c.Version {
		t.Error("the version is that of now")
	}
}

// Whichever query fails, there is no catalog: what was not read is not taken for "none".
func TestReadFails(t *testing.T) {
	whole := database{}
	if _, err := Read(t.Context(), SQLite, whole.query); err != nil {
		t.Fatal(err)
	}
	for at := 1; at <= whole.queries; at++ {
		db := database{fail: at}
		if c, err := Read(t.Context(), SQLite, db.query); !errors.Is(err, errFails) || c != nil {
			t.Errorf("query %d failed: %v, %v", at, c, err)
		}
	}
	for _, d := range []Dialect{0, 9} {
		if _, err := Read(t.Context(), d, whole.query); !errors.Is(err, ErrDialect) {
			t.Errorf("dialect %d: %v", d, err)
		}
		if _, err := ReadConnection(t.Context(), d, whole.query); !errors.Is(err, ErrDialect) {
			t.Errorf("dialect %d: %v", d, err)
		}
	}
}

func TestRecord(t *testing.T) {
	for _, tt := range []struct {
		in   driver.Value
		text string
		n    int64
		yes  bool
	}{
		{nil, "", 0, false}, {"t", "t", 0, true}, {[]byte("true"), "true", 0, true}, {true, "true", 0, true}, {false, "false", 0, false},
		{int64(1), "1", 1, true}, {int64(-7), "-7", -7, false}, {"42", "42", 42, false}, {[]byte("f"), "f", 0, false}, {1.5, "1.5", 0, false}, {"on", "on", 0, true},
	} {
		r := record{tt.in}
		if r.text(0) != tt.text || r.number(0) != tt.n || r.yes(0) != tt.yes {
			t.Errorf("%v: %q, %d, %v", tt.in, r.text(0), r.number(0), r.yes(0))
		}
	}
	if lower("AZaz ÄÖ[`") != "azaz ÄÖ[`" {
		t.Error(lower("AZaz ÄÖ[`"))
	}
}

func TestAffinity(t *testing.T) {
	for declared, want := range map[string]Class{
		"INT": Int, "bigint": Int, "FLOATING POINT": Int, "CHARINT": Int, "varchar(10)": Text, "CLOB": Text, "Text": Text, "BLOB": Bytes,
		"": Opaque, "REAL": Opaque, "NUMERIC": Opaque, "ANY": Opaque, "DATE": Opaque, "BOOLEAN": Opaque, "STRING": Opaque, "UUID": Opaque, "JSON": Opaque,
	} {
		if got := affinity(declared); got != want {
			t.Errorf("%s: %d", declared, got)
		}
	}
}

// The catalog depends on what the relations are, not on the order in which they were read.
func TestMergeOrder(t *testing.T) {
	var first [32]byte
	for i := range 24 {
		list := relations()
		order := []int{0, 1, 2, 3}
		for k, n := 0, i; k < 3; k++ { // the i-th permutation
			j := k + n%(4-k)
			n /= 4 - k
			order[k], order[j] = order[j], order[k]
		}
		mixed := make([]*relation, len(list))
		for to, from := range order {
			mixed[to] = list[from]
		}
		c := merge(PostgreSQL, mixed, nil, nil, nil)
		f := c.fingerprint(nil)
		if i == 0 {
			first = f
		}
		if f != first {
			t.Fatalf("order %v has another fingerprint", order)
		}
		p := c.Tables["p"]
		if p == nil || !p.Ambiguous || len(p.Keys) != 1 || len(p.Referring) != 2 || p.Columns[1].Class != Opaque {
			t.Fatalf("order %v: %+v", order, p)
		}
	}
}

// relations returns tables p and t in two schemas.
func relations() []*relation {
	var out []*relation
	for _, schema := range []string{"a", "b"} {
		p := &relation{schema: schema, name: "p", keys: [][]string{{"id"}, {"name"}}}
		p.table.Columns = []Column{{Name: "id", Class: Int, NotNull: true}, {Name: "name", Class: Text, NotNull: true}}
		action := Cascade
		if schema == "b" {
			p.table.Columns[1].Class = UUID
			action = SetNull
		}
		t := &relation{schema: schema, name: "t", references: []reference{{columns: []string{"p"}, refColumns: []string{"id"}, to: p, onDelete: action, enforced: true}}}
		t.table.Columns = []Column{{Name: "p", Class: Int}}
		t.table.Triggers = []Trigger{{Name: schema}}
		p.root, t.root = p, t
		out = append(out, p, t)
	}
	return out
}

// A cascade into a table that is not resolvable reaches what nobody knows of.
func TestUnresolvableChildren(t *testing.T) {
	for _, action := range []Action{NoAction, Cascade, SetNull, SetDefault} {
		p := &relation{schema: "a", name: "p"}
		p.table.Columns = []Column{{Name: "id", Class: Int}}
		child := &relation{schema: "a", name: "c", references: []reference{{columns: []string{"p"}, refColumns: []string{"id"}, to: p, onUpdate: action}}}
		child.table.Columns = []Column{{Name: "p"}}
		other := &relation{schema: "b", name: "c", view: true}
		p.root, child.root, other.root = p, child, other
		c := merge(PostgreSQL, []*relation{p, child, other}, nil, nil, nil)
		if !c.Unresolvable["c"] || c.Tables["p"].Rules != (action != NoAction) {
			t.Errorf("action %d: %+v, %v", action, c.Tables["p"], c.Unresolvable)
		}
	}
}

// Each fact has a part in the fingerprint.
func TestFingerprint(t *testing.T) {
	table := func() *Catalog {
		p := &Table{Name: "p", Columns: []Column{{Name: "id", Class: Int}}, Keys: [][]int{{0}}}
		q := &Table{Name: "t", Columns: []Column{{Name: "id", Class: Int}}, Foreign: []ForeignKey{{Columns: []int{0}, Table: p, RefColumns: []int{0}}}, Triggers: []Trigger{{Name: "r"}}, Conditions: []string{"c"}}
		return &Catalog{
			Dialect: SQLite, Tables: map[string]*Table{"p": p, "t": q, "part": p}, Views: map[string]*View{"v": {Name: "v", Columns: []string{"a"}}},
			Functions: map[string]Function{"f": {Name: "f"}}, Schemas: map[string]bool{"main": true}, Unresolvable: map[string]bool{"u": true},
		}
	}
	seen := map[[32]byte]string{table().fingerprint(nil): "nothing"}
	for name, change := range map[string]func(c *Catalog){
		"dialect": func(c *Catalog) { c.Dialect = PostgreSQL }, "table": func(c *Catalog) { c.Tables["x"] = &Table{Name: "x"} },
		"part": func(c *Catalog) { c.Tables["part"] = c.Tables["t"] }, "view": func(c *Catalog) { c.Views["v"].Definition = "x" },
		"view column": func(c *Catalog) { c.Views["v"].Columns = []string{"b"} }, "view ambiguous": func(c *Catalog) { c.Views["v"].Ambiguous = true },
		"function": func(c *Catalog) { c.Functions["f"] = Function{Name: "f", Pure: true} }, "schema": func(c *Catalog) { c.Schemas["x"] = true },
		"unresolvable": func(c *Catalog) { delete(c.Unresolvable, "u") },
		"column name":  func(c *Catalog) { c.Tables["p"].Columns[0].Name = "x" }, "class": func(c *Catalog) { c.Tables["p"].Columns[0].Class = Text },
		"null": func(c *Catalog) { c.Tables["p"].Columns[0].NotNull = true }, "generated": func(c *Catalog) { c.Tables["p"].Columns[0].Generated = true },
		"default": func(c *Catalog) { c.Tables["p"].Columns[0].Default = true }, "key": func(c *Catalog) { c.Tables["p"].Keys = nil },
		"rules": func(c *Catalog) { c.Tables["p"].Rules = true }, "policies": func(c *Catalog) { c.Tables["p"].Policies = true },
		"virtual": func(c *Catalog) { c.Tables["p"].Virtual = true }, "contained": func(c *Catalog) { c.Tables["p"].Contained = true },
		"content": func(c *Catalog) { c.Tables["p"].Content = "x" }, "materialized": func(c *Catalog) { c.Tables["p"].Materialized = true },
		"definition": func(c *Catalog) { c.Tables["p"].Definition = "x" }, "ambiguous": func(c *Catalog) { c.Tables["p"].Ambiguous = true },
		"foreign data": func(c *Catalog) { c.Tables["p"].ForeignData = true }, "condition": func(c *Catalog) { c.Tables["t"].Conditions[0] = "d" },
		"foreign": func(c *Catalog) { c.Tables["t"].Foreign = nil }, "delete": func(c *Catalog) { c.Tables["t"].Foreign[0].OnDelete = Cascade },
		"update": func(c *Catalog) { c.Tables["t"].Foreign[0].OnUpdate = Cascade }, "enforced": func(c *Catalog) { c.Tables["t"].Foreign[0].Enforced = true },
		"target": func(c *Catalog) { c.Tables["t"].Foreign[0].Table = c.Tables["t"] }, "trigger": func(c *Catalog) { c.Tables["t"].Triggers[0].Body = "x" },
		"insert": func(c *Catalog) { c.Tables["t"].Triggers[0].Insert = true }, "truncate": func(c *Catalog) { c.Tables["t"].Triggers[0].Truncate = true },
		"instead": func(c *Catalog) { c.Tables["t"].Triggers[0].Instead = true },
	} {
		c := table()
		change(c)
		f := c.fingerprint(nil)
		if other, ok := seen[f]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[f] = name
	}
	c := table()
	if c.fingerprint([]string{"a", "b"}) != c.fingerprint([]string{"b", "a"}) || c.fingerprint([]string{"ab"}) == c.fingerprint([]string{"a", "b"}) {
		t.Error("what else there is: order counts, or borders do not")
	}
}

// Partitions are in Tables under their own names: each foreign key is Referring once.
func TestFinishOnce(t *testing.T) {
	p := &Table{Name: "p", Columns: []Column{{Name: "id"}}}
	q := &Table{Name: "q", Columns: []Column{{Name: "p"}}, Foreign: []ForeignKey{{Columns: []int{0}, Table: p, RefColumns: []int{0}}}}
	c := &Catalog{Tables: map[string]*Table{"p": p, "q": q, "q1": q, "q2": q}}
	c.Finish()
	if len(p.Referring) != 1 || p.Referring[0].Table != q {
		t.Errorf("%+v", p.Referring)
	}
	if names := slices.Sorted(maps.Keys(c.Tables)); fmt.Sprint(names) != "[p q q1 q2]" {
		t.Error(names)
	}
}

func TestReplaces(t *testing.T) {
	for sql, want := range map[string]bool{
		`CREATE TABLE t (id TEXT UNIQUE ON CONFLICT REPLACE)`:                         true,
		`CREATE TABLE t (id TEXT, n INT, UNIQUE (id, n) on /* so */ Conflict Ignore)`: true,
		`CREATE TABLE t (id TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'x')`:           true,
		`CREATE TABLE t (id TEXT UNIQUE ON CONFLICT ABORT, n INT ON CONFLICT FAIL)`:   false,
		`CREATE TABLE t (id TEXT DEFAULT 'on conflict replace')`:                      false,
		`CREATE TABLE t (id TEXT 'never ends)`:                                        true,
	} {
		if got := replaces(sql); got != want {
			t.Errorf("%v: %s", got, sql)
		}
	}
}
