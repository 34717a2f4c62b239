package e2e

import (
	"database/sql"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

var postgresCases = []catalogCase{
	{"types", []string{
		`CREATE EXTENSION citext`,
		`CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
		`CREATE TYPE mood AS ENUM ('good', 'bad')`, `CREATE DOMAIN slug AS text CHECK (VALUE <> '')`, `CREATE DOMAIN deep AS slug DEFAULT 'x'`,
		`CREATE DOMAIN mail AS citext`, `CREATE DOMAIN loosely AS text COLLATE loose`, `CREATE TYPE pair AS (a int, b text)`,
		`CREATE TABLE t (a int2, b int4, c int8, d text, e varchar(10), f char(4), g name, h citext, i text COLLATE loose, j text COLLATE "C",
		k uuid, l boolean, m bytea, n mood, o slug, p deep, q mail, r loosely, s numeric, t timestamptz, u jsonb, v text[], w pair, x float8, y oid, z "char")`,
	}, map[string]string{"t": `table t(a:int b:int c:int d:text e:text f:opaque g:opaque h:opaque i:opaque j:text k:uuid l:bool m:bytes n:text o:text p:text= q:opaque r:opaque s:opaque t:opaque u:opaque v:opaque w:opaque x:opaque y:opaque z:opaque)`}},
	{"columns", []string{`CREATE TABLE t (gone int, id bigint GENERATED ALWAYS AS IDENTITY, s serial, d text DEFAULT 'x', g text GENERATED ALWAYS AS (d || 'y') STORED, "Upper" int)`, `ALTER TABLE t DROP COLUMN gone`},
		map[string]string{"t": `table t(id:int!= s:int!= d:text= g:text*= Upper:int)`, "T": "unknown"}},
	{"keys", []string{
		`CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
		`CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text NOT NULL, c int, d int NOT NULL UNIQUE DEFERRABLE, e text COLLATE loose NOT NULL UNIQUE, f numeric NOT NULL UNIQUE, g int NOT NULL, h text NOT NULL, i int NOT NULL)`,
		`CREATE UNIQUE INDEX ON t (a, b) INCLUDE (c, g)`, `CREATE UNIQUE INDEX ON t (c)`, `CREATE UNIQUE INDEX ON t (g) WHERE a > 0`,
		`CREATE UNIQUE INDEX ON t (lower(b))`, `CREATE UNIQUE INDEX ON t (a, lower(b))`, `CREATE UNIQUE INDEX ON t (h text_pattern_ops)`,
		`CREATE OPERATOR CLASS other FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int)`,
		`CREATE UNIQUE INDEX ON t (g other)`,
		`CREATE UNIQUE INDEX broken ON t (i)`, `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass`,
	}, map[string]string{"t": "table t(id:int! a:int! b:text! c:int d:int! e:opaque! f:opaque! g:int! h:text! i:int!)\nkey id\nkey a b\nkey h"}},
	{"foreign keys", []string{
		`CREATE TABLE p (id int PRIMARY KEY, a text NOT NULL, b text NOT NULL, UNIQUE (b, a), n numeric NOT NULL UNIQUE)`,
		`CREATE TABLE t (x int REFERENCES p ON DELETE CASCADE, y text, z text, v int, w int REFERENCES p DEFERRABLE INITIALLY DEFERRED, n numeric REFERENCES p (n),
		FOREIGN KEY (y, z) REFERENCES p (b, a) ON DELETE SET DEFAULT ON UPDATE CASCADE)`,
		`ALTER TABLE t ADD FOREIGN KEY (v) REFERENCES p ON UPDATE SET NULL NOT VALID`,
	}, map[string]string{
		"t": "table t(x:int y:text z:text v:int w:int n:opaque)\nforeign x: p(id) delete 1 update 0 enforced\nforeign y z: p(b a) delete 3 update 1 enforced\nforeign v: p(id) delete 0 update 2\nforeign w: p(id) delete 0 update 0 enforced\nforeign n: p(n) delete 0 update 0",
		"p": "table p(id:int! a:text! b:text! n:opaque!)\nkey id\nkey a b\nreferring t\nreferring t\nreferring t\nreferring t\nreferring t",
	}},
	{"foreign keys that are switched off", []string{
		`CREATE TABLE p (id int PRIMARY KEY)`, `CREATE TABLE t (x int REFERENCES p ON DELETE CASCADE)`, `ALTER TABLE t DISABLE TRIGGER ALL`,
	}, map[string]string{"t": "table t(x:int)\nforeign x: p(id) delete 1 update 0"}},
	{"triggers", []string{
		`CREATE TABLE log (a text)`,
		`CREATE TABLE t (id int, a text, v tsvector, b timestamp)`,
		`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.a); RETURN NEW; END $$`,
		`CREATE FUNCTION impure(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM log; RETURN true; END $$`,
		`CREATE TRIGGER one BEFORE INSERT OR UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION f()`,
		`CREATE TRIGGER off BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()`, `ALTER TABLE t DISABLE TRIGGER off`,
		`CREATE TRIGGER replica AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()`, `ALTER TABLE t ENABLE REPLICA TRIGGER replica`,
		`CREATE TRIGGER cut AFTER TRUNCATE ON t EXECUTE FUNCTION f()`,
		`CREATE TRIGGER search BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(v, 'pg_catalog.english', a)`,
		`CREATE TRIGGER same BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
		`CREATE EXTENSION moddatetime`, `CREATE EXTENSION tcn`,
		`CREATE TRIGGER date BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION moddatetime('b')`,
		`CREATE TRIGGER c AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION triggered_change_notification()`,
		`CREATE TRIGGER condition AFTER UPDATE ON t FOR EACH ROW WHEN (impure(NEW.a)) EXECUTE FUNCTION f()`,
		`CREATE TRIGGER constant AFTER UPDATE ON t FOR EACH ROW WHEN (lower(NEW.a) <> 'x') EXECUTE FUNCTION f()`,
	}, map[string]string{"t": `table t(id:int a:text v:opaque b:opaque)
		trigger c update: 
		trigger condition update: 
		trigger constant update: BEGIN INSERT INTO log VALUES (NEW.a); RETURN NEW; END
		trigger cut truncate: BEGIN INSERT INTO log VALUES (NEW.a); RETURN NEW; END
		trigger date update: BEGIN NEW."b" := NULL; RETURN NEW; END
		trigger one insert update: BEGIN INSERT INTO log VALUES (NEW.a); RETURN NEW; END
		trigger replica delete: BEGIN INSERT INTO log VALUES (NEW.a); RETURN NEW; END
		trigger same update: BEGIN RETURN NEW; END
		trigger search update: BEGIN NEW."v" := NULL; RETURN NEW; END`}},
	{"views, materialized views, rules", []string{
		`CREATE TABLE t (id int PRIMARY KEY, a text)`,
		`CREATE VIEW v (x) AS SELECT id FROM t`,
		`CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t WHERE a = 'x'`, `CREATE UNIQUE INDEX ON m (id)`,
		`CREATE RULE r AS ON INSERT TO t DO ALSO NOTHING`,
	}, map[string]string{
		"t": "table t(id:int! a:text)\nkey id\nrules",
		"v": `view v(x) SELECT t.id AS x FROM public.t;`,
		"m": "table m(id:int a:text)\nmaterialized\nas SELECT t.id, t.a FROM public.t WHERE (t.a = 'x'::text);",
	}},
	{"policies", []string{
		`CREATE TABLE members (id int, tenant int)`,
		`CREATE TABLE t (id int, tenant int)`, `ALTER TABLE t ENABLE ROW LEVEL SECURITY`,
		`CREATE POLICY a ON t USING (tenant = current_setting('app.tenant')::int)`,
		`CREATE POLICY b ON t FOR SELECT USING (id IN (SELECT m.id FROM members m))`,
		`CREATE POLICY c ON t FOR INSERT WITH CHECK (id > 0)`,
		`CREATE TABLE u (id int)`, `ALTER TABLE u ENABLE ROW LEVEL SECURITY`,
		`CREATE TABLE w (id int)`, `CREATE POLICY a ON w USING (id > 0)`,
	}, map[string]string{
		"t": `table t(id:int tenant:int)
		condition (id IN ( SELECT m.id
   FROM public.members m))
		condition (tenant = (current_setting('app.tenant'::text))::integer)
		policies`,
		"u": "table u(id:int)\npolicies",
		"w": "table w(id:int)\ncondition (id > 0)",
	}},
	{"partitions", []string{
		`CREATE TABLE tenants (id int PRIMARY KEY)`,
		`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$`,
		`CREATE TABLE e (id int NOT NULL, at int NOT NULL, tenant int REFERENCES tenants ON DELETE CASCADE, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)`,
		`CREATE TABLE e1 PARTITION OF e FOR VALUES FROM (0) TO (10)`,
		`CREATE TABLE e2 PARTITION OF e FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id)`,
		`CREATE TABLE e21 PARTITION OF e2 FOR VALUES FROM (0) TO (10)`,
		`CREATE UNIQUE INDEX ON e1 (id)`,
		`CREATE TRIGGER part AFTER INSERT ON e21 FOR EACH ROW EXECUTE FUNCTION f()`,
		`CREATE TABLE turned (at int NOT NULL, tenant int, id int NOT NULL)`, `ALTER TABLE e ATTACH PARTITION turned FOR VALUES FROM (20) TO (30)`,
		`CREATE TABLE c (id int REFERENCES tenants, x int, y int, FOREIGN KEY (x, y) REFERENCES e)`,
	}, map[string]string{
		"e":       "table e(id:int! at:int! tenant:int)\nkey id at\nforeign tenant: tenants(id) delete 1 update 0 enforced\nreferring c\ntrigger part insert: BEGIN RETURN NEW; END",
		"e1":      "table e(id:int! at:int! tenant:int)\nkey id at\nforeign tenant: tenants(id) delete 1 update 0 enforced\nreferring c\ntrigger part insert: BEGIN RETURN NEW; END",
		"e21":     "table e(id:int! at:int! tenant:int)\nkey id at\nforeign tenant: tenants(id) delete 1 update 0 enforced\nreferring c\ntrigger part insert: BEGIN RETURN NEW; END",
		"turned":  "unresolvable",
		"tenants": "table tenants(id:int!)\nkey id\nreferring c\nreferring e",
		"c":       "table c(id:int x:int y:int)\nforeign x y: e(id at) delete 0 update 0 enforced\nforeign id: tenants(id) delete 0 update 0 enforced",
	}},
	{"inheritance", []string{
		`CREATE TABLE o (id int PRIMARY KEY)`,
		`CREATE TABLE p (id int PRIMARY KEY, o int REFERENCES o)`, `CREATE TABLE c () INHERITS (p)`, `CREATE TABLE more (z int) INHERITS (p)`,
		`CREATE TABLE r (p int REFERENCES p ON DELETE CASCADE)`,
		`CREATE TABLE p1 (a int)`, `CREATE TABLE p2 (a int)`, `CREATE TABLE p12 () INHERITS (p1, p2)`, `CREATE TABLE below () INHERITS (p12)`, `CREATE TABLE side () INHERITS (p1)`,
	}, map[string]string{
		"p":    "table p(id:int! o:int)\nforeign o: o(id) delete 0 update 0\nreferring r",
		"c":    "table p(id:int! o:int)\nforeign o: o(id) delete 0 update 0\nreferring r",
		"more": "unresolvable",
		"r":    "table r(p:int)\nforeign p: p(id) delete 1 update 0",
		"p1":   "unresolvable", "p2": "unresolvable", "p12": "unresolvable", "below": "unresolvable", "side": "unresolvable",
	}},
	{"schemas", []string{
		`CREATE SCHEMA a`, `CREATE SCHEMA "b c"`,
		`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$`,
		`CREATE TABLE a.users (id int PRIMARY KEY, mail text NOT NULL UNIQUE)`, `CREATE TABLE "b c".users (id int PRIMARY KEY, mail varchar COLLATE "C")`,
		`CREATE TABLE a.posts (id bigint PRIMARY KEY, author int REFERENCES a.users)`, `CREATE TABLE "b c".posts (id int PRIMARY KEY, author int REFERENCES "b c".users ON DELETE CASCADE)`,
		`CREATE TABLE a.single (author int REFERENCES a.users)`,
		`CREATE TRIGGER one AFTER INSERT ON "b c".posts FOR EACH ROW EXECUTE FUNCTION f()`,
		`CREATE VIEW a.names AS SELECT u.id FROM a.users u`, `CREATE VIEW "b c".names AS SELECT u.id FROM "b c".users u`,
		`CREATE VIEW a.other AS SELECT id FROM a.users`, `CREATE VIEW "b c".other AS SELECT id FROM "b c".users WHERE id > 1`,
		`CREATE TABLE a.both (a int)`, `CREATE VIEW "b c".both AS SELECT 1 AS a`,
		`CREATE TABLE a.uneven (a int, b int REFERENCES public.target ON DELETE CASCADE)`, `CREATE TABLE "b c".uneven (b int, a int)`,
		`CREATE TABLE a.kinds (a text, b text)`, `CREATE TABLE "b c".kinds (a text, b uuid)`,
		`CREATE TABLE public.solo (a int)`, `CREATE TEMP TABLE solo (a int)`, `CREATE TEMP TABLE mine (a int)`,
	}, map[string]string{
		"users":  "table users(id:int! mail:text)\nkey id\nreferring posts\nreferring posts\nreferring single\nambiguous",
		"single": "table single(author:int)\nforeign author: users(id) delete 0 update 0",
		"posts":  "table posts(id:int! author:int)\nkey id\nforeign author: users(id) delete 0 update 0\nforeign author: users(id) delete 1 update 0\ntrigger one insert: BEGIN RETURN NEW; END\nambiguous",
		"names":  "view names(id) SELECT u.id FROM a.users u;\nambiguous",
		"other":  "unresolvable",
		"both":   "unresolvable",
		"uneven": "unresolvable",
		"kinds":  "table kinds(a:text b:opaque)\nambiguous",
		"solo":   "unresolvable",
		"mine":   "unknown",
		"target": "table target(id:int!)\nkey id\nrules",
	}},
	{"names of the database itself", []string{`CREATE TABLE public.pg_class (a int)`, `CREATE SEQUENCE s`},
		map[string]string{"pg_class": "unresolvable", "pg_type": "unknown", "s": "unknown"}},
	{"foreign tables", []string{`CREATE FOREIGN DATA WRAPPER w`, `CREATE SERVER s FOREIGN DATA WRAPPER w`, `CREATE FOREIGN TABLE t (a int) SERVER s`},
		map[string]string{"t": "table t(a:int)\nforeign data"}},
}

func TestCatalogPostgres(t *testing.T) {
	for _, name := range []string{"pgx", "postgres"} {
		for _, tt := range postgresCases {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				conn := connect(t, name, postgres(t))
				if tt.name == "schemas" {
					run(t, conn, `CREATE TABLE public.target (id int PRIMARY KEY)`)
				}
				if tt.name == "keys" {
					run(t, conn, `SET allow_system_table_mods = on`)
				}
				run(t, conn, tt.ddl...)
				run(t, conn, `CREATE ROLE someone`, `SET ROLE someone`) // who owns nothing and may read nothing
				c := readCatalog(t, catalog.PostgreSQL, conn)
				run(t, conn, `RESET ROLE`, `DROP ROLE someone`)
				tt.check(t, c)
				var path string
				if err := conn.QueryRowContext(t.Context(), `SHOW search_path`).Scan(&path); err != nil || path != `"$user", public` {
					t.Errorf("search_path is %s afterwards, %v", path, err)
				}
			})
		}
	}
}

func TestCatalogFunctions(t *testing.T) {
	conn := connect(t, "pgx", postgres(t))
	run(t, conn,
		`CREATE TABLE t (a int)`,
		`CREATE FUNCTION pure(a int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + 1'`,
		`CREATE FUNCTION atomic(a int) RETURNS int IMMUTABLE LANGUAGE sql BEGIN ATOMIC SELECT a + 1; END`,
		`CREATE FUNCTION returned(a int) RETURNS int IMMUTABLE LANGUAGE sql RETURN a + 1`,
		`CREATE FUNCTION atomic_read(b int) RETURNS int IMMUTABLE LANGUAGE sql BEGIN ATOMIC SELECT t.a FROM t; END`,
		`CREATE FUNCTION block(x int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN -- from t
			RETURN x IS DISTINCT FROM pure(2) OR 'from' = 'x'; END $$`,
		`CREATE FUNCTION stable(a int) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1'`,
		`CREATE FUNCTION lies(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT a FROM t'`,
		`CREATE FUNCTION calls(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT lies(1)'`,
		`CREATE FUNCTION callscalls(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT calls(1)'`,
		`CREATE FUNCTION clock() RETURNS timestamptz IMMUTABLE LANGUAGE sql AS 'SELECT now()'`,
		`CREATE FUNCTION who() RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT current_user::text'`,
		`CREATE FUNCTION dynamic() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE r int; BEGIN EXECUTE 'SELECT a ' || 'FROM t' INTO r; RETURN r; END $$`,
		`CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'`,
		`CREATE FUNCTION twice(text) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT 1'`,
		`CREATE FUNCTION lower(mine int) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT 1'`,
		`CREATE PROCEDURE proc() LANGUAGE sql AS 'SELECT 1'`,
		`CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int)`,
		`CREATE FUNCTION plus(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT a FROM t'`,
		`CREATE AGGREGATE summed(int) (sfunc = plus, stype = int)`,
		`CREATE EXTENSION citext`,
	)
	c := readCatalog(t, catalog.PostgreSQL, conn)
	for name, want := range map[string]bool{
		"pure": true, "atomic": true, "returned": true, "atomic_read": false, "block": true, "stable": false, "lies": false, "calls": false, "callscalls": false,
		"clock": false, "who": false, "dynamic": false, "twice": false, "lower": false, "proc": false, "total": true, "summed": false, "citext_eq": true, "max": true,
	} {
		if f, ok := c.Functions[name]; !ok || f.Pure != want || f.Name != name {
			t.Errorf("%s: %+v, %v", name, f, ok)
		}
	}
	if f, ok := c.Functions["upper"]; ok {
		t.Errorf("%+v is the database's own", f)
	}
}

func TestCatalogVersionPostgres(t *testing.T) {
	dsn := postgres(t)
	one, two := connect(t, "pgx", dsn), connect(t, "postgres", dsn)
	run(t, one, `CREATE TABLE p (id int PRIMARY KEY)`, `CREATE TABLE t (id int PRIMARY KEY, a text, p int REFERENCES p, c timestamptz, g int GENERATED ALWAYS AS (p + 1) STORED)`,
		`CREATE TYPE mood AS ENUM ('good', 'bad')`,
		`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$`,
		`CREATE FUNCTION g(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'`,
		`CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`)
	last, c := version(t, catalog.PostgreSQL, one), readCatalog(t, catalog.PostgreSQL, two)
	fingerprint := c.Fingerprint
	if last != c.Version {
		t.Error("the version of another connection is another one")
	}
	for _, tt := range []struct {
		statement        string
		on               *sql.Conn
		version, changed bool
	}{
		{`INSERT INTO t VALUES (1, 'a')`, two, false, false},
		{`ANALYZE`, one, false, false},
		{`VACUUM t`, one, false, false},
		{`CREATE TEMP TABLE mine (a int PRIMARY KEY, b int DEFAULT 1 REFERENCES mine)`, two, false, false},
		{`CREATE TEMP VIEW my AS SELECT * FROM mine`, two, false, false},
		{`CREATE TRIGGER r AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()`, two, true, true},
		{`CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM p; RETURN NEW; END $$`, two, true, true},
		{`ALTER TABLE t DISABLE TRIGGER r`, two, true, true},
		{`CREATE OR REPLACE FUNCTION g(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2'`, two, true, true},
		{`ALTER TABLE t ALTER COLUMN c TYPE timestamp`, two, true, true},
		{`ALTER TABLE t ALTER COLUMN a TYPE text COLLATE loose`, two, true, true},
		{`ALTER TYPE mood RENAME VALUE 'bad' TO 'worse'`, two, true, true},
		{`ALTER TABLE t RENAME COLUMN a TO b`, two, true, true},
		{`ALTER TABLE t ADD COLUMN d int DEFAULT 1`, two, true, true},
		{`ALTER TABLE t DROP COLUMN d`, two, true, true},
		{`ALTER TABLE t DROP CONSTRAINT t_p_fkey`, two, true, true},
		{`ALTER TABLE t ADD FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE NOT VALID`, two, true, true},
		{`ALTER TABLE t VALIDATE CONSTRAINT t_p_fkey`, two, true, true},
		{`CREATE UNIQUE INDEX i ON t (id)`, two, true, false},
		{`ALTER TABLE t DROP CONSTRAINT t_pkey`, two, true, false},
		{`DROP INDEX i`, two, true, true},
		{`CREATE POLICY o ON t USING (id > 0)`, two, true, true},
		{`ALTER POLICY o ON t USING (id > 1)`, two, true, true},
		{`ALTER TABLE t ENABLE ROW LEVEL SECURITY`, two, true, true},
		{`CREATE VIEW v AS SELECT id FROM t`, two, true, true},
		{`CREATE OR REPLACE VIEW v AS SELECT id FROM t WHERE id > 0`, two, true, true},
		{`CREATE RULE r AS ON INSERT TO t DO ALSO NOTHING`, two, true, true},
		{`CREATE SCHEMA other`, two, true, true},
		{`CREATE TABLE other.t (x int)`, two, true, true},
		{`DROP TABLE other.t`, two, true, true},
		{`CREATE TEMP TABLE t (id int)`, two, true, true},
		{`DROP TABLE pg_temp.t`, two, true, true},
	} {
		run(t, tt.on, tt.statement)
		v, c := version(t, catalog.PostgreSQL, one), readCatalog(t, catalog.PostgreSQL, one)
		if v != c.Version {
			t.Errorf("%s: the catalog's version is another one", tt.statement)
		}
		if (v != last) != tt.version {
			t.Errorf("%s: version changed: %v", tt.statement, v != last)
		}
		if tt.changed && c.Fingerprint == fingerprint {
			t.Errorf("%s: fingerprint is the same", tt.statement)
		}
		if !tt.version && c.Fingerprint != fingerprint {
			t.Errorf("%s: fingerprint changed", tt.statement)
		}
		last, fingerprint = v, c.Fingerprint
	}
}

// Copies of a database are one, whatever their object numbers and search paths are.
func TestCatalogFingerprintPostgres(t *testing.T) {
	var prints [2][32]byte
	for i := range prints {
		conn := connect(t, "pgx", postgres(t))
		run(t, conn, `CREATE SCHEMA app`)
		if i == 1 {
			run(t, conn, `CREATE TABLE first (a int)`, `DROP TABLE first`, `SET search_path = app`)
		}
		run(t, conn, `CREATE TABLE app.p (id int PRIMARY KEY)`, `CREATE TABLE app.t (id int PRIMARY KEY REFERENCES app.p, x int REFERENCES app.p)`,
			`CREATE VIEW app.v AS SELECT id FROM app.t`, `CREATE POLICY o ON app.t USING (EXISTS (SELECT 1 FROM app.p))`)
		prints[i] = readCatalog(t, catalog.PostgreSQL, conn).Fingerprint
	}
	if prints[0] != prints[1] {
		t.Error("equal definitions, different fingerprints")
	}
}

func TestCatalogLookupPostgres(t *testing.T) {
	conn := connect(t, "pgx", postgres(t))
	run(t, conn, `CREATE SCHEMA app`, `CREATE TABLE app.t (a int)`)
	c := readCatalog(t, catalog.PostgreSQL, conn)
	for name, want := range map[[2]string]bool{
		{"", "t"}: true, {"app", "t"}: true, {"pg_temp", "t"}: false, {"App", "t"}: false, {"pg_catalog", "pg_class"}: false,
		{"", "pg_class"}: false, {"information_schema", "tables"}: false, {"", "tables"}: false,
	} {
		if _, _, got := c.Lookup(name[0], name[1]); got != want {
			t.Errorf("Lookup(%q, %q) = %v", name[0], name[1], got)
		}
	}
}

func TestConnectionPostgres(t *testing.T) {
	dsn := postgres(t)
	for _, name := range []string{"pgx", "postgres"} {
		conn := connect(t, name, dsn)
		read := func() catalog.Connection {
			c, err := catalog.ReadConnection(t.Context(), catalog.PostgreSQL, queryOf(conn))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		const usual = `"$user", public`
		role := read().Role
		if got := read(); role == "" || got != (catalog.Connection{ForeignKeys: true, Triggers: true, SearchPath: usual, DefaultPath: usual, Role: role}) {
			t.Errorf("%+v", got)
		}
		run(t, conn, `SET default_transaction_read_only = on`, `SET session_replication_role = replica`, `SET search_path = a, b`)
		if got := read(); got != (catalog.Connection{ReadOnly: true, SearchPath: `a, b`, DefaultPath: usual, Role: role}) {
			t.Errorf("%+v", got)
		}
		run(t, conn, `SET ROLE pg_monitor`)
		if got := read(); got.Role != "" {
			t.Errorf("after SET ROLE: %+v", got)
		}
	}
}
