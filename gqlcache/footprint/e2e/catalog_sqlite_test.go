package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

var sqliteCases = []catalogCase{
	{"affinities", []string{`CREATE TABLE t (a INT, b BIGINT, c "FLOATING POINT", d CHARINT, e VARCHAR(10), f NATIVE CHARACTER(70),
		g CLOB, h TEXT, i BLOB, j, k REAL, l DOUBLE, m NUMERIC, n DECIMAL(10, 5), o BOOLEAN, p DATETIME, q INTERVAL)`},
		map[string]string{"t": `table t(a:int b:int c:int d:int e:text f:text g:text h:text i:bytes j:opaque k:opaque l:opaque m:opaque n:opaque o:opaque p:opaque q:int)`}},
	{"strict", []string{`CREATE TABLE t (id INTEGER PRIMARY KEY, a INT NOT NULL, b ANY, c TEXT, d BLOB, e REAL) STRICT`},
		map[string]string{"t": "table t(id:int!= a:int! b:opaque c:text d:bytes e:opaque)\nkey id"}},
	{"collations of columns", []string{`CREATE TABLE t ("a,b" TEXT COLLATE NOCASE, "collate" TEXT, c TEXT DEFAULT 'collate nocase', /* collate nocase */ d TEXT COLLATE "BINARY",
		e TEXT CHECK (e <> 'x' COLLATE NOCASE), f TEXT COLLATE rtrim NOT NULL, g INT COLLATE NOCASE, h BLOB COLLATE nocase, -- COLLATE nocase
		i TEXT, CONSTRAINT u UNIQUE (i COLLATE NOCASE))`},
		map[string]string{"t": `table t(a,b:opaque collate:text c:text= d:text e:text f:opaque! g:int h:opaque i:text)`}},
	{"a column that was added", []string{`CREATE TABLE t (a TEXT)`, `ALTER TABLE t ADD COLUMN b TEXT COLLATE NOCASE`, `ALTER TABLE t ADD COLUMN c TEXT`, `ALTER TABLE t RENAME COLUMN a TO "x y"`},
		map[string]string{"t": `table t(x y:text b:opaque c:text)`}},
	{"a table of a query", []string{`CREATE TABLE s (a TEXT COLLATE NOCASE, b INT)`, `CREATE TABLE t AS SELECT * FROM s`},
		map[string]string{"t": `table t(a:text b:int)`}},
	{"names fold their case", []string{`CREATE TABLE "Ta" (ID INTEGER PRIMARY KEY, "Name" TEXT)`},
		map[string]string{"TA": "table ta(id:int!= name:text)\nkey id"}},
	{"generated columns", []string{`CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL, low TEXT GENERATED ALWAYS AS (lower(name)) STORED, n INT AS (length(name)) VIRTUAL, z TEXT)`},
		map[string]string{"t": "table t(id:int!= name:text! low:text* n:int* z:text)\nkey id"}},
	{"keys", []string{
		`CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT NOT NULL, b INT NOT NULL, c TEXT, d TEXT NOT NULL COLLATE NOCASE, e TEXT NOT NULL, f REAL NOT NULL UNIQUE,
		UNIQUE (a, b), UNIQUE (a, c), UNIQUE (d))`,
		`CREATE UNIQUE INDEX partial ON t (b) WHERE c IS NULL`,
		`CREATE UNIQUE INDEX expression ON t (b, lower(a))`,
		`CREATE UNIQUE INDEX folded ON t (e COLLATE NOCASE)`,
		`CREATE UNIQUE INDEX other ON t (d COLLATE BINARY)`,
		`CREATE INDEX plain ON t (e)`,
	}, map[string]string{"t": "table t(id:text! a:text! b:int! c:text d:opaque! e:text! f:opaque!)\nkey id\nkey a b"}},
	{"a primary key with NULL is none", []string{`CREATE TABLE t (id TEXT PRIMARY KEY)`, `CREATE TABLE u (id INTEGER PRIMARY KEY DESC)`, `CREATE TABLE v (id INT PRIMARY KEY)`},
		map[string]string{"t": `table t(id:text)`, "u": `table u(id:int)`, "v": `table v(id:int)`}},
	{"without rowid", []string{`CREATE TABLE t (a TEXT, b INTEGER, c TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID`, `CREATE TABLE u (a TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID`},
		map[string]string{"t": "table t(a:text! b:int! c:text)\nkey a b", "u": `table u(a:opaque!)`}},
	{"foreign keys", []string{
		`PRAGMA foreign_keys = 1`,
		`CREATE TABLE p (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL, c TEXT NOT NULL UNIQUE COLLATE NOCASE, UNIQUE (b, a))`,
		`CREATE TABLE t (x INT REFERENCES p ON DELETE CASCADE, y TEXT, z TEXT, w TEXT REFERENCES P(C) ON UPDATE SET NULL,
		FOREIGN KEY (y, z) REFERENCES p (b, a) ON DELETE SET DEFAULT ON UPDATE CASCADE, FOREIGN KEY (x) REFERENCES gone (id) ON DELETE CASCADE)`,
	}, map[string]string{
		"t": "table t(x:int y:text z:text w:text)\nforeign x: p(id) delete 1 update 0 enforced\nforeign y z: p(b a) delete 3 update 1 enforced\nforeign w: p(c) delete 0 update 2",
		"p": "table p(id:int!= a:text! b:text! c:opaque!)\nkey id\nkey a b\nreferring t\nreferring t\nreferring t",
	}},
	{"foreign keys, whatever the connection does with them", []string{
		`CREATE TABLE p (id INTEGER PRIMARY KEY)`, `CREATE TABLE t (x INT REFERENCES p ON DELETE CASCADE)`,
	}, map[string]string{"t": "table t(x:int)\nforeign x: p(id) delete 1 update 0 enforced"}},
	{"triggers", []string{
		`CREATE TABLE log (a)`,
		`CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT)`,
		`CREATE TRIGGER one AFTER INSERT ON t BEGIN INSERT INTO log VALUES (NEW.a); END`,
		`CREATE TRIGGER IF NOT EXISTS main."two on" BEFORE UPDATE OF a, "b" ON "t" FOR EACH ROW WHEN NEW.a <> 'x' BEGIN SELECT 1; END`,
		`CREATE TRIGGER three DELETE ON t BEGIN SELECT 1; END`,
		`CREATE TEMP TRIGGER four AFTER UPDATE ON t BEGIN DELETE FROM log; END`,
	}, map[string]string{"t": `table t(id:int!= a:text b:text)
		key id
		trigger one insert: BEGIN INSERT INTO log VALUES (NEW.a); END
		trigger three delete: BEGIN SELECT 1; END
		trigger two on update: WHEN NEW.a <> 'x' BEGIN SELECT 1; END`}},
	{"views", []string{
		`CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)`,
		`CREATE VIEW "v w" (x, "y)") AS SELECT id, a AS b FROM t`,
		`CREATE TABLE gone (a)`, `CREATE VIEW broken AS SELECT a FROM gone`, `DROP TABLE gone`,
	}, map[string]string{"v w": `view v w(x y)) SELECT id, a AS b FROM t`, "broken": `view broken() SELECT a FROM gone`}},
	{"virtual tables", []string{`CREATE VIRTUAL TABLE f USING fts5(title, body)`},
		map[string]string{"f": "table f(title:opaque body:opaque)\nvirtual\ncontained", "f_content": "table f_content(id:int!= c0:opaque c1:opaque)\nkey id\nvirtual"}},
	{"virtual tables whose shadow tables have triggers", []string{
		`CREATE TABLE log (n)`, `CREATE VIRTUAL TABLE f USING fts5(a)`, `CREATE TRIGGER r AFTER INSERT ON f_content BEGIN INSERT INTO log VALUES (1); END`,
		`CREATE VIRTUAL TABLE g USING fts5(a, content=log)`,
	}, map[string]string{"f": "table f(a:opaque)\nvirtual", "g": "table g(a:opaque)\nvirtual\ncontained\nreads log"}},
	{"attached databases", []string{
		`ATTACH ':memory:' AS two`,
		`CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT)`, `CREATE TABLE two.t (id INTEGER PRIMARY KEY, a TEXT UNIQUE COLLATE NOCASE, b TEXT)`,
		`CREATE TRIGGER one AFTER INSERT ON t BEGIN SELECT 1; END`, `CREATE TRIGGER two.two AFTER DELETE ON t BEGIN SELECT 2; END`,
		`CREATE TABLE u (a)`, `CREATE TABLE two.u (a, b)`,
		`CREATE TABLE v (a)`, `CREATE VIEW two.v AS SELECT 1 AS a`,
		`CREATE TABLE two.w (a)`,
	}, map[string]string{
		"t": "table t(id:int!= a:opaque b:text)\nkey id\ntrigger one insert: BEGIN SELECT 1; END\ntrigger two delete: BEGIN SELECT 2; END\nambiguous",
		"u": "unresolvable", "v": "unresolvable", "w": "table w(a:opaque)",
	}},
	{"temporary tables are their connection's", []string{`CREATE TABLE t (a)`, `CREATE TEMP TABLE t (a, b)`, `CREATE TEMP VIEW x AS SELECT 1`},
		map[string]string{"t": "table t(a:opaque)", "x": "unknown"}},
	{"tables of SQLite", []string{`CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)`},
		map[string]string{"sqlite_schema": "unknown", "sqlite_sequence": "unknown", "nothing": "unknown"}},
}

func TestCatalogSQLite(t *testing.T) {
	for _, tt := range sqliteCases {
		t.Run(tt.name, func(t *testing.T) {
			conn := connect(t, "sqlite", ":memory:")
			run(t, conn, tt.ddl...)
			tt.check(t, readCatalog(t, catalog.SQLite, conn))
		})
	}
}

// A connection tells what it has of its own.
func TestTemporarySQLite(t *testing.T) {
	t.Parallel()
	conn := connect(t, "sqlite", ":memory:")
	for _, c := range []struct {
		text string
		want catalog.Temporary
	}{
		{`CREATE TABLE t (a)`, catalog.Temporary{}},
		{`CREATE TEMP TABLE mine (a)`, catalog.Temporary{}},
		{`CREATE TEMP VIEW "T" AS SELECT 1 AS a`, catalog.Temporary{Hides: true}},
		{`CREATE TEMP TRIGGER r AFTER INSERT ON main.t BEGIN SELECT 1; END`, catalog.Temporary{Hides: true, Triggers: true}},
		{`DROP VIEW "T"`, catalog.Temporary{Triggers: true}},
		{`ATTACH ':memory:' AS other`, catalog.Temporary{Triggers: true}},
		{`CREATE TABLE other.mine (a)`, catalog.Temporary{Hides: true, Triggers: true}},
		{`PRAGMA temp_store = MEMORY`, catalog.Temporary{}},
	} {
		run(t, conn, c.text)
		if got, err := catalog.ReadTemporary(t.Context(), queryOf(conn)); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.text, got, err)
		}
	}
}

func TestCatalogLookupSQLite(t *testing.T) {
	conn := connect(t, "sqlite", ":memory:")
	run(t, conn, `CREATE TABLE t (a)`, `CREATE TEMP TABLE u (a)`)
	c := readCatalog(t, catalog.SQLite, conn)
	for name, want := range map[[2]string]bool{
		{"", "T"}: true, {"MAIN", "t"}: true, {"temp", "t"}: false, {"two", "t"}: false, {"", "u"}: false, {"temp", "u"}: false, {"main", "sqlite_schema"}: false,
	} {
		if _, _, got := c.Lookup(name[0], name[1]); got != want {
			t.Errorf("Lookup(%q, %q) = %v", name[0], name[1], got)
		}
	}
}

func TestCatalogVersionSQLite(t *testing.T) {
	file := "file:" + filepath.Join(t.TempDir(), "db")
	one, two := connect(t, "sqlite", file), connect(t, "sqlite", file)
	run(t, one, `CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)`)
	last, fingerprint := version(t, catalog.SQLite, one), readCatalog(t, catalog.SQLite, one).Fingerprint
	for _, tt := range []struct {
		statement        string
		on               *sql.Conn
		version, changed bool
	}{
		{`INSERT INTO t VALUES (1, 'a')`, two, false, false},
		{`CREATE TEMP TABLE mine (a)`, one, false, false},
		{`CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END`, two, true, true},
		{`CREATE INDEX i ON t (a)`, two, true, false},
		{`CREATE UNIQUE INDEX j ON t (a, id)`, one, true, false},
		{`ALTER TABLE t ADD COLUMN b DATE`, two, true, true},
		{`CREATE VIEW v AS SELECT * FROM t`, two, true, true},
		{`CREATE TEMP TRIGGER q AFTER INSERT ON t BEGIN SELECT 1; END`, one, false, false},
		{`CREATE TEMP TABLE T (a)`, one, false, false},
		{`PRAGMA foreign_keys = 1`, one, false, false},
		{`ATTACH ':memory:' AS other`, one, true, true},
	} {
		run(t, tt.on, tt.statement)
		v, c := version(t, catalog.SQLite, one), readCatalog(t, catalog.SQLite, one)
		if v != c.Version {
			t.Errorf("%s: the catalog's version is another one", tt.statement)
		}
		if (v != last) != tt.version {
			t.Errorf("%s: version changed: %v", tt.statement, v != last)
		}
		if tt.changed && c.Fingerprint == fingerprint {
			t.Errorf("%s: fingerprint is the same", tt.statement)
		}
		last, fingerprint = v, c.Fingerprint
	}
	// Copies of a database are one.
	var prints [2][32]byte
	for i := range prints {
		conn := connect(t, "sqlite", ":memory:")
		if i == 1 {
			run(t, conn, `CREATE TABLE x (a)`, `DROP TABLE x`)
		}
		run(t, conn, `CREATE TABLE t (a TEXT UNIQUE, b INT REFERENCES t (a))`, `CREATE VIEW v AS SELECT a FROM t`)
		prints[i] = readCatalog(t, catalog.SQLite, conn).Fingerprint
	}
	if prints[0] != prints[1] {
		t.Error("equal definitions, different fingerprints")
	}
}

func TestConnectionSQLite(t *testing.T) {
	conn := connect(t, "sqlite", ":memory:")
	read := func() catalog.Connection {
		c, err := catalog.ReadConnection(t.Context(), catalog.SQLite, queryOf(conn))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if got := read(); got != (catalog.Connection{Triggers: true}) {
		t.Errorf("%+v", got)
	}
	run(t, conn, `PRAGMA foreign_keys = 1`, `PRAGMA read_uncommitted = 1`, `PRAGMA query_only = 1`)
	if got := read(); got != (catalog.Connection{Triggers: true, ForeignKeys: true, ReadUncommitted: true, ReadOnly: true}) {
		t.Errorf("%+v", got)
	}
}

// SQLite itself says which collation a column has: an index on it takes it over. Whatever
// else is in a definition, the catalog says Text where that is BINARY, and nowhere else.
func TestCatalogCollationsSQLite(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	names := []string{"a", "B", `"c d"`, "`collate`", `"nocase"`, `[e,(]`, `'f'')'`, `"primary"`, "type", "ä"}
	texts, others := 0, 0
	for range 300 {
		conn := connect(t, "sqlite", ":memory:")
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		n := 1 + random.IntN(len(names)-1)
		var columns []string
		for _, name := range names[:n] {
			c := name + " " + pick("TEXT", "VARCHAR(10)", `"TEXT"`, "character varying (1, 2)", "[TEXT]")
			for range random.IntN(5) {
				c += pick(" COLLATE NOCASE", " collate binary", ` COLLATE "RTRIM"`, " NOT NULL", " DEFAULT 'COLLATE NOCASE, '", " DEFAULT ('x' COLLATE NOCASE)", " CHECK (1 COLLATE NOCASE)",
					" /* COLLATE NOCASE */", " -- , COLLATE NOCASE (\n", " CONSTRAINT x NOT NULL ON CONFLICT IGNORE", " REFERENCES y (z) ON DELETE CASCADE", "\n\t", " UNIQUE")
			}
			columns = append(columns, c)
		}
		if random.IntN(3) == 0 {
			columns = append(columns, pick("CHECK (1)", "CONSTRAINT q UNIQUE ("+names[0]+" COLLATE NOCASE)", "FOREIGN KEY ("+names[0]+") REFERENCES y (z)"))
		}
		ddl := pick("CREATE TABLE t", "create table if not exists main.t", `CREATE TABLE "t"`) + pick(" (", "(\n") + strings.Join(columns, pick(",", " , ", ",\n")) + ")"
		run(t, conn, ddl)
		if random.IntN(4) == 0 {
			run(t, conn, `ALTER TABLE t ADD COLUMN added TEXT `+pick("COLLATE NOCASE", "", "DEFAULT 'x'"))
		}
		table := readCatalog(t, catalog.SQLite, conn).Tables["t"]
		for i, c := range table.Columns {
			var collation string
			run(t, conn, fmt.Sprintf(`CREATE INDEX i%d ON t ("%s")`, i, c.Name))
			if err := conn.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT coll FROM pragma_index_xinfo('i%d') WHERE seqno = 0`, i)).Scan(&collation); err != nil {
				t.Fatal(err)
			}
			if want := strings.EqualFold(collation, "BINARY"); want != (c.Class == catalog.Text) {
				t.Errorf("%s\n%s has collation %s, and class %s", ddl, c.Name, collation, classNames[c.Class])
			} else if want {
				texts++
			} else {
				others++
			}
		}
	}
	if texts < 100 || others < 100 {
		t.Errorf("only %d columns with BINARY, %d with others", texts, others)
	}
}
