package sqlparse

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		text string
		d    Dialect
		kind Kind // 0: an error
	}{
		{"SELECT 1", Any, Select},
		{"SELECT 1;", Any, Select},
		{"SELECT 1; -- done", Any, Select},
		{"VALUES (1), (2)", Any, Select},
		{"TABLE posts", PostgreSQL, Select},
		{"(SELECT a FROM t)", PostgreSQL, Select},
		{"WITH x AS (SELECT 1) SELECT * FROM x", Any, Select},
		{"INSERT INTO t VALUES (1)", Any, Insert},
		{"REPLACE INTO t VALUES (1)", SQLite, Insert},
		{"UPDATE t SET a = 1", Any, Update},
		{"DELETE FROM t", Any, Delete},
		{"", Any, NoData},
		{";", Any, NoData},
		{"-- ping", Any, NoData},

		// Several statements.
		{"BEGIN; UPDATE posts SET title='x' WHERE id='p7'; COMMIT", Any, 0},
		{"SELECT 1; UPDATE t SET a = 1", Any, 0},
		{"; UPDATE t SET a = 1", Any, 0},
		{"SELECT 1;;", Any, 0},
		{"SET x = 1; UPDATE t SET a = 1", Any, 0},
		{"DROP TABLE a; UPDATE t SET a = 1", Any, 0},
		{"LISTEN x; UPDATE t SET a = 1", Any, 0},

		// Transactions.
		{"BEGIN", Any, Begin},
		{"BEGIN IMMEDIATE", SQLite, Begin},
		{"BEGIN IMMEDIATE TRANSACTION", Any, Begin},
		{"BEGIN CONCURRENT", SQLite, 0},
		{"START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", PostgreSQL, Begin},
		{"BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE NOT DEFERRABLE", PostgreSQL, Begin},
		{"BEGIN READ ONLY,", PostgreSQL, 0},
		{"COMMIT", Any, Commit},
		{"END TRANSACTION", Any, Commit},
		{"COMMIT AND NO CHAIN", PostgreSQL, Commit},
		{"COMMIT AND CHAIN", PostgreSQL, 0},
		{"ROLLBACK AND CHAIN", PostgreSQL, 0},
		{"END AND CHAIN", PostgreSQL, 0},
		{"ROLLBACK", Any, Rollback},
		{"ABORT", Any, Rollback},
		{"ROLLBACK TO SAVEPOINT s", Any, RollbackTo},
		{"ROLLBACK TRANSACTION TO s", Any, RollbackTo},
		{"SAVEPOINT s", Any, Savepoint},
		{"RELEASE s", Any, Release},
		{"RELEASE SAVEPOINT s", Any, Release},
		{"PREPARE TRANSACTION 'g'", PostgreSQL, PrepareTransaction},
		{"COMMIT PREPARED 'g'", PostgreSQL, CommitPrepared},
		{"ROLLBACK PREPARED 'g'", PostgreSQL, RollbackPrepared},
		{"COMMIT PREPARED E'g\\x'", PostgreSQL, 0},
		{"SET TRANSACTION SNAPSHOT '00000003-0000001B-1'", PostgreSQL, 0},
		{"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", PostgreSQL, Setting},
		{"SET TRANSACTION READ ONLY", PostgreSQL, Setting},
		{"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", PostgreSQL, Setting},
		{"SET TRANSACTION", PostgreSQL, 0},

		// Settings.
		{"SET search_path TO tenant_a, public", PostgreSQL, Setting},
		{"SET LOCAL app.tenant = 'a'", PostgreSQL, Setting},
		{"SET SESSION statement_timeout = 100", PostgreSQL, Setting},
		{"SET TIME ZONE 'UTC'", PostgreSQL, Setting},
		{"SET ROLE app", PostgreSQL, Setting},
		{"SET SESSION AUTHORIZATION app", PostgreSQL, Setting},
		{"SET CONSTRAINTS ALL DEFERRED", PostgreSQL, Setting},
		{"SET NAMES 'UTF8'", PostgreSQL, Setting},
		{"RESET ALL", PostgreSQL, Setting},
		{"RESET search_path", PostgreSQL, Setting},
		{"SET standard_conforming_strings = off", PostgreSQL, 0},
		{"SET session_replication_role = replica", PostgreSQL, 0},
		{"SET transform_null_equals = on", PostgreSQL, 0},
		{"SET x = 1", SQLite, 0},
		{"SET x TO (SELECT 1)", PostgreSQL, 0},
		{"SET x = f(1)", PostgreSQL, 0},

		// No data.
		{"SHOW search_path", PostgreSQL, NoData},
		{"SHOW TRANSACTION ISOLATION LEVEL", PostgreSQL, NoData},
		{"LISTEN changes", PostgreSQL, NoData},
		{"UNLISTEN *", PostgreSQL, NoData},
		{"NOTIFY changes, 'x'", PostgreSQL, NoData},
		{"DEALLOCATE ALL", PostgreSQL, NoData},
		{"DISCARD PLANS", PostgreSQL, NoData},
		{"DISCARD ALL", PostgreSQL, 0},
		{"DISCARD TEMP", PostgreSQL, 0},
		{"CHECKPOINT", PostgreSQL, NoData},
		{"LOCK TABLE a, ONLY b IN SHARE ROW EXCLUSIVE MODE NOWAIT", PostgreSQL, NoData},
		{"ANALYZE posts", Any, NoData},
		{"ANALYZE VERBOSE posts (a, b), users", PostgreSQL, NoData},
		{"EXPLAIN SELECT 1", Any, NoData},
		{"EXPLAIN QUERY PLAN SELECT 1", SQLite, NoData},
		{"EXPLAIN (FORMAT json, COSTS off) UPDATE t SET a = 1", PostgreSQL, NoData},
		{"EXPLAIN (SELECT 1)", PostgreSQL, NoData},
		{"EXPLAIN ANALYZE UPDATE t SET a = 1", PostgreSQL, 0},
		{"EXPLAIN ANALYZE SELECT 1", PostgreSQL, 0},
		{"EXPLAIN (ANALYZE) UPDATE t SET a = 1", PostgreSQL, 0},
		{"EXPLAIN (VERBOSE, ANALYZE true) UPDATE t SET a = 1", PostgreSQL, 0},
		{"EXPLAIN (ANALYZE false) SELECT 1", PostgreSQL, 0},
		{"EXPLAIN VERBOSE ANALYZE SELECT 1", PostgreSQL, 0},
		{"EXPLAIN EXECUTE x", PostgreSQL, 0},
		{"EXPLAIN SELECT 1; UPDATE t SET a = 1", Any, 0},

		// Anything, or nobody knows.
		{"CALL f()", PostgreSQL, 0},
		{"DO $$ BEGIN UPDATE t SET a = 1; END $$", PostgreSQL, 0},
		{"EXECUTE p(1)", PostgreSQL, 0},
		{"PREPARE p AS UPDATE t SET a = 1", PostgreSQL, 0},
		{"COPY t FROM STDIN", PostgreSQL, Insert},
		{`COPY "t" ("a", "b") FROM STDIN WITH (FORMAT csv, NULL '', FORCE_QUOTE (a)) WHERE a > 1`, PostgreSQL, Insert},
		{"COPY t FROM STDIN CSV HEADER DELIMITER ';'", PostgreSQL, Insert},
		{"COPY t FROM PROGRAM 'x'", PostgreSQL, 0},
		{"COPY t FROM STDIN WITH (FORMAT csv; DELETE FROM t)", PostgreSQL, 0},
		{"COPY (DELETE FROM t RETURNING a) TO STDOUT", PostgreSQL, 0},
		{"COPY t FROM STDIN", Any, Insert},
		{"COPY t TO STDOUT", PostgreSQL, 0},
		{"MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", PostgreSQL, Merge},
		{"WITH x AS (SELECT 1) MERGE INTO ONLY t AS z USING (SELECT 1 AS a) u ON z.a = u.a WHEN NOT MATCHED BY SOURCE AND z.b THEN UPDATE SET b = DEFAULT, (c, d) = (1, 2) WHEN NOT MATCHED THEN INSERT (a) OVERRIDING USER VALUE VALUES (DEFAULT) WHEN MATCHED THEN DO NOTHING RETURNING merge_action(), z.*", PostgreSQL, Merge},
		{"MERGE INTO t USING u ON t.a = u.a", PostgreSQL, 0},
		{"MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE; DELETE FROM t", PostgreSQL, 0},
		{"MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", SQLite, 0},
		{"DECLARE c CURSOR WITH HOLD FOR SELECT 1", PostgreSQL, 0},
		{"FETCH ALL FROM c", PostgreSQL, 0},
		{"MOVE 1 FROM c", PostgreSQL, 0},
		{"CLOSE c", PostgreSQL, 0},
		{"VACUUM", Any, Rewrites},
		{"VACUUM", SQLite, Rewrites},
		{"VACUUM main", SQLite, Rewrites},
		{"VACUUM INTO 'x'", SQLite, NoData},
		{"VACUUM", PostgreSQL, NoData},
		{"VACUUM (VERBOSE, PARALLEL 2, FULL off) posts (a), users", PostgreSQL, Rewrites},
		{"VACUUM FREEZE ANALYZE posts", PostgreSQL, NoData},
		{"VACUUM; DELETE FROM t", Any, 0},
		{"VACUUM FULL posts", PostgreSQL, Rewrites},
		{"REINDEX TABLE posts", Any, NoData},
		{"REINDEX (CONCURRENTLY, TABLESPACE x) INDEX CONCURRENTLY a.b", PostgreSQL, 0},
		{"REINDEX (CONCURRENTLY on) INDEX CONCURRENTLY a.b", PostgreSQL, NoData},
		{"REINDEX", SQLite, NoData},
		{"REINDEX main.posts", SQLite, NoData},
		{"ANALYZE (VERBOSE, SKIP_LOCKED) posts (a), users", PostgreSQL, NoData},
		{"CLUSTER posts USING i", PostgreSQL, Rewrites},
		{"CLUSTER", SQLite, 0},
		{"LOAD 'x'", PostgreSQL, 0},
		{"SELECT * INTO x FROM t", PostgreSQL, 0},
		{"SELECT 1 INTO x", PostgreSQL, 0},
		{"WITH x AS (COMMIT) SELECT 1", PostgreSQL, 0},
		{"WITH x AS (DROP TABLE t) SELECT 1", PostgreSQL, 0},

		// Changes of the catalog, and tables as a whole.
		{"CREATE TABLE t (a int)", Any, DDL},
		{"CREATE TABLE t AS SELECT 1", Any, DDL},
		{"ALTER TABLE t ADD COLUMN b text", Any, DDL},
		{"DROP TABLE t", Any, DDL},
		{"COMMENT ON TABLE t IS 'x; y'", PostgreSQL, DDL},
		{"GRANT SELECT ON t TO u", PostgreSQL, DDL},
		{"REVOKE ALL ON t FROM u", PostgreSQL, DDL},
		{"ATTACH DATABASE 'x' AS y", SQLite, DDL},
		{"DETACH y", SQLite, DDL},
		{"ATTACH 'x' AS y", PostgreSQL, 0},
		{"CREATE TRIGGER g AFTER UPDATE ON t BEGIN UPDATE u SET a = 1; DELETE FROM v; END", SQLite, DDL},
		{"CREATE TEMP TRIGGER g AFTER UPDATE ON t BEGIN SELECT 1; END;", Any, DDL},
		{"CREATE TRIGGER g AFTER UPDATE ON t BEGIN SELECT 1; END; UPDATE t SET a = 1", SQLite, 0},
		{"CREATE TRIGGER g AFTER UPDATE ON t BEGIN SELECT 1; END; BEGIN; SELECT 1; END", SQLite, 0},
		{"CREATE FUNCTION f() RETURNS int AS $$ SELECT 1; $$ LANGUAGE sql", PostgreSQL, DDL},
		{"CREATE", Any, 0},
		{"TRUNCATE a, b RESTART IDENTITY CASCADE", PostgreSQL, Truncate},
		{"REFRESH MATERIALIZED VIEW CONCURRENTLY v WITH DATA", PostgreSQL, Refresh},

		// Pragmas.
		{"PRAGMA foreign_keys", SQLite, NoData},
		{"PRAGMA main.journal_mode", SQLite, NoData},
		{"PRAGMA journal_mode = WAL", SQLite, NoData},
		{"PRAGMA journal_mode = OFF", SQLite, 0},
		{"PRAGMA busy_timeout(5000)", SQLite, NoData},
		{"PRAGMA table_info('t')", SQLite, NoData},
		{"PRAGMA foreign_keys = ON", SQLite, 0},
		{"PRAGMA foreign_keys(1)", SQLite, 0},
		{"PRAGMA read_uncommitted = 1", SQLite, 0},
		{"PRAGMA user_version = 3", SQLite, Rewrites},
		{"PRAGMA user_version", SQLite, Asks}, // data of the application
		{"PRAGMA schema_version = 3", SQLite, 0},
		{"PRAGMA read_uncommitted = false", SQLite, NoData},
		{"PRAGMA defer_foreign_keys = on", SQLite, NoData},
		{"PRAGMA writable_schema = 1", SQLite, 0},
		{"PRAGMA temp_store = 2", SQLite, Rewrites}, // drops temporary tables
		{"PRAGMA foreign_key_check", SQLite, Asks},
		{"PRAGMA main.integrity_check(10)", SQLite, Asks},
		{"PRAGMA incremental_vacuum(10)", SQLite, NoData},
		{"PRAGMA foreign_keys; UPDATE t SET a = 1", SQLite, 0},
		{"PRAGMA foreign_keys", PostgreSQL, 0},

		// What fails halfway, or ends the transaction.
		{"INSERT OR IGNORE INTO t VALUES (1)", SQLite, Insert},
		{"INSERT OR ROLLBACK INTO t VALUES (1)", SQLite, 0},
		{"INSERT OR FAIL INTO t VALUES (1)", SQLite, 0},
		{"UPDATE OR ROLLBACK t SET a = 1", SQLite, 0},
	} {
		s, err := ParseDialect(c.text, c.d)
		switch {
		case c.kind == 0 && err == nil:
			t.Errorf("%d: %q is of kind %d, not an error", c.d, c.text, s.Kind)
		case c.kind == 0 && !errors.Is(err, ErrSyntax):
			t.Errorf("%d: %q: error %v does not wrap ErrSyntax", c.d, c.text, err)
		case c.kind != 0 && err != nil:
			t.Errorf("%d: %q: %v", c.d, c.text, err)
		case c.kind != 0 && s.Kind != c.kind:
			t.Errorf("%d: %q is of kind %d, not %d", c.d, c.text, s.Kind, c.kind)
		}
	}
}

// TestAmbiguous has texts that PostgreSQL and SQLite read differently: without a dialect
// each is an error.
func TestAmbiguous(t *testing.T) {
	for _, text := range []string{
		"SELECT 1 /* /* */ FROM t -- */",
		"SELECT 1 /* /* */ */",
		"SELECT E'\\'; UPDATE t SET a = 1; --'",
		"SELECT E'x'",
		"SELECT B'1'",
		"SELECT U&'x'",
		"SELECT 'a\\' -- '; UPDATE t SET a = 1",
		"SELECT 'a\\'', b = '",
		"SELECT $a$ x $a$",
		"SELECT [a; UPDATE t SET b = 1]",
		"SELECT a[1] FROM t",
		"SELECT ARRAY[1, 2]",
		"SELECT 1 -- x\rFROM t",
		"SELECT a FROM t WHERE b = @c",
		"SELECT a FROM t WHERE b = $2 AND c = $1",
		"SELECT a FROM t WHERE a = b IN (1, 2)",
		"SELECT a FROM t WHERE a = b LIKE 'x'",
		"SELECT a + b || c FROM t",
		"SELECT a * b -> c FROM t",
		"SELECT ~ a + b FROM t",
		"SELECT a FROM t WHERE a = b < c",
		"SELECT a FROM t WHERE a BETWEEN b AND c < d",
		"SELECT a FROM t WHERE a IS DISTINCT FROM b = c",
		"SELECT a FROM t WHERE a IN ((SELECT b FROM u))",
		"SELECT a FROM t WHERE a IS json",
		"SELECT a FROM t WHERE a ? 'b'",
		"SELECT a FROM t WHERE a ?| b",
		"SELECT a FROM t WHERE a == b AND c @> d",
		"SELECT `a; b` FROM t",
		"SELECT date '2020-01-01', [a]",
		"SELECT a FROM t, u RIGHT JOIN v ON true GROUP BY ()",
	} {
		if s, err := Parse(text); err == nil {
			t.Errorf("%q is of kind %d, not an error", text, s.Kind)
		}
	}
}

func where(t *testing.T, cond string, d Dialect) Expr {
	t.Helper()
	s, err := ParseDialect("SELECT 1 FROM t WHERE "+cond, d)
	if err != nil {
		t.Errorf("%q: %v", cond, err)
		return nil
	}
	return s.Query.Where
}

// TestPrecedence compares each condition with one that has the parentheses.
func TestPrecedence(t *testing.T) {
	for _, c := range []struct{ text, lite, pg string }{ // "" is an error
		{"a OR b AND c", "a OR (b AND c)", "a OR (b AND c)"},
		{"NOT a = b AND c", "(NOT (a = b)) AND c", "(NOT (a = b)) AND c"},
		{"a = b IN (1, 2)", "(a = b) IN (1, 2)", "a = (b IN (1, 2))"},
		{"a = b LIKE c", "(a = b) LIKE c", "a = (b LIKE c)"},
		{"a = b IS NULL", "(a = b) IS NULL", "(a = b) IS NULL"},
		{"a = b < c", "a = (b < c)", "(a = b) < c"},
		{"a + b || c", "a + (b || c)", "(a + b) || c"},
		{"a || b = c", "(a || b) = c", "(a || b) = c"},
		{"a - b - c", "(a - b) - c", "(a - b) - c"},
		{"a + b * c", "a + (b * c)", "a + (b * c)"},
		{"a & b = c", "(a & b) = c", "(a & b) = c"},
		{"- a || b", "(- a) || b", "(- a) || b"},
		{"~ a + b", "(~ a) + b", "~ (a + b)"},
		{"a BETWEEN b AND c AND d", "(a BETWEEN b AND c) AND d", "(a BETWEEN b AND c) AND d"},
		{"a BETWEEN b AND c < d", "a BETWEEN b AND (c < d)", "(a BETWEEN b AND c) < d"},
		{"a NOT LIKE b OR c", "(a NOT LIKE b) OR c", "(a NOT LIKE b) OR c"},
		{"a = b COLLATE c", "a = (b COLLATE c)", "a = (b COLLATE c)"},
		{"a -> 'b' ->> 'c' = d", "((a -> 'b') ->> 'c') = d", "((a -> 'b') ->> 'c') = d"},
		{"- a::int = b", "", "(- (a::int)) = b"},
		{"a @> b AND c", "", "(a @> b) AND c"},
		{"a AT TIME ZONE 'x' < b", "", "(a AT TIME ZONE 'x') < b"},
		{"a <@ '{b}' = c", "", "(a <@ '{b}') = c"},
		{"a = b == c", "(a = b) == c", ""},
		{"a IS b", "a IS (b)", ""},
		{"a IS DISTINCT FROM b = c", "(a IS DISTINCT FROM b) = c", "a IS DISTINCT FROM (b = c)"},
		{"a = b OPERATOR(pg_catalog.+) c", "", "a = (b OPERATOR(pg_catalog.+) c)"},
		{"a = b OPERATOR(s.+) c * d", "", "a = (b OPERATOR(s.+) (c * d))"},
	} {
		for _, d := range []Dialect{SQLite, PostgreSQL} {
			want := c.lite
			if d == PostgreSQL {
				want = c.pg
			}
			if want == "" {
				if _, err := ParseDialect("SELECT 1 FROM t WHERE "+c.text, d); err == nil {
					t.Errorf("%d: %q is not an error", d, c.text)
				}
				continue
			}
			if got, want := where(t, c.text, d), where(t, want, d); !reflect.DeepEqual(got, want) {
				t.Errorf("%d: %q is another tree than with parentheses", d, c.text)
			}
		}
		s, err := Parse("SELECT 1 FROM t WHERE " + c.text)
		if agree := c.lite == c.pg || c.lite == "" || c.pg == ""; agree != (err == nil) {
			t.Errorf("%q without a dialect: %v, %v", c.text, s, err)
		}
	}
}

// Operators that are not built in are PostgreSQL's alone, and bind like most of those that are.
func TestCustomOperators(t *testing.T) {
	for text, want := range map[string]string{
		"a < b <=> c + d":     "a < (b <=> (c + d))",
		"a <=> b || c <#> d":  "((a <=> b) || c) <#> d",
		"a <-> b @> c":        "(a <-> b) @> c",
		"+% a <%> b = c":      "((+% a) <%> b) = c",
		"a <<-> ANY (b) OR c": "(a <<-> ANY (b)) OR c",
		"a <=>-1":             "a <=> (-1)", // a sign at the end is none of it
	} {
		if got, want := where(t, text, PostgreSQL), where(t, want, PostgreSQL); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is another tree than with parentheses", text)
		}
		for _, d := range []Dialect{Any, SQLite} {
			if _, err := ParseDialect("SELECT 1 FROM t WHERE "+text, d); err == nil {
				t.Errorf("%d: %q is not an error", d, text)
			}
		}
	}
	want := &Binary{Op: "s.+", Left: &Column{Name: "a"}, Right: &Column{Name: "b"}}
	if got := where(t, "a OPERATOR(s.+) b", PostgreSQL); !reflect.DeepEqual(got, Expr(want)) {
		t.Errorf("%#v", got)
	}
}

func TestExpressions(t *testing.T) {
	col := func(n string) Expr { return &Column{Name: n} }
	num := func(n string) Expr { return &Literal{Text: n, Number: true} }
	for _, c := range []struct {
		text string
		d    Dialect
		want Expr
	}{
		{"a", Any, col("a")},
		{"t.A", Any, &Column{"t", "a"}},
		{`t."A"`, Any, &Column{"t", "A"}},
		{"public.t.a", Any, &Column{"t", "a"}},
		{"[A b]", SQLite, col("A b")},
		{"`a`", SQLite, col("a")},
		{"count(t.*)", Any, &Call{Name: "count", Args: []Expr{&Column{"t", "*"}}}},
		{"count(*)", Any, &Call{Name: "count", Star: true}},
		{"count(DISTINCT a)", Any, &Call{Name: "count", Args: []Expr{col("a")}, Distinct: true}},
		{"pg_catalog.lower(a)", PostgreSQL, &Call{Name: "pg_catalog.lower", Args: []Expr{col("a")}}},
		{"sum(a) FILTER (WHERE b) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)", Any,
			&Call{Name: "sum", Args: []Expr{col("a"), col("b"), col("c"), col("d"), num("1")}, Window: true}},
		{"rank() OVER w", Any, &Call{Name: "rank", Window: true}},
		{"array_agg(a ORDER BY b DESC NULLS LAST)", Any, &Call{Name: "array_agg", Args: []Expr{col("a"), col("b")}}},
		{"percentile_cont(1) WITHIN GROUP (ORDER BY a)", PostgreSQL, &Call{Name: "percentile_cont", Args: []Expr{num("1"), col("a")}}},
		{"a = ANY($1)", PostgreSQL, &In{X: col("a"), List: []Expr{&Call{Name: "unnest", Args: []Expr{&Param{N: 1}}}}}},
		{"a <> ALL($1)", PostgreSQL, &Op{Op: "quantified", Args: []Expr{col("a"), &Param{N: 1}}, Text: "<> all"}},
		{"a LIKE ANY($1)", PostgreSQL, &Op{Op: "quantified", Args: []Expr{col("a"), &Param{N: 1}}, Text: "like any"}},
		{"a IN (1, 2)", Any, &In{X: col("a"), List: []Expr{num("1"), num("2")}}},
		{"a NOT IN (1)", Any, &In{X: col("a"), Not: true, List: []Expr{num("1")}}},
		{"a IN ()", SQLite, &In{X: col("a")}},
		{"a IN u", SQLite, &In{X: col("a"), Sub: &Query{Items: []Item{{Star: true}}, From: []From{{Table: &Name{Name: "u"}, Alias: "u"}}}}},
		{"a IN (SELECT b)", Any, &In{X: col("a"), Sub: &Query{Items: []Item{{X: col("b"), Alias: "b"}}}}},
		{"a IN ((SELECT b))", PostgreSQL, &In{X: col("a"), Sub: &Query{Items: []Item{{X: col("b"), Alias: "b"}}}}},
		{"a IN ((SELECT b))", SQLite, &In{X: col("a"), List: []Expr{&Subquery{&Query{Items: []Item{{X: col("b"), Alias: "b"}}}}}}},
		{"EXISTS (SELECT)", PostgreSQL, &Exists{&Query{}}},
		{"(a, b) = (1, 2)", Any, &Binary{"=", &Op{Op: "row", Args: []Expr{col("a"), col("b")}}, &Op{Op: "row", Args: []Expr{num("1"), num("2")}}}},
		{"a == 1", SQLite, &Binary{"=", col("a"), num("1")}},
		{"a != 1", Any, &Binary{"<>", col("a"), num("1")}},
		{"-1", Any, num("-1")},
		{"- a", Any, &Op{Op: "unary-", Args: []Expr{col("a")}}},
		{"+a = 1", SQLite, &Binary{"=", col("a"), num("1")}},
		{"1.5", Any, &Literal{Text: "1.5", Number: true, Odd: true}},
		{"007", Any, &Literal{Text: "007", Number: true, Odd: true}},
		{"9999999999999999999", Any, &Literal{Text: "9999999999999999999", Number: true, Odd: true}},
		{"'it''s'", Any, &Literal{Text: "it's"}},
		{"E'it\\'s'", PostgreSQL, &Literal{Text: "it\\'s", Odd: true}},
		{"U&'x' UESCAPE '!'", PostgreSQL, &Literal{Text: "x", Odd: true}},
		{"X'ff'", Any, &Literal{Text: "ff", Odd: true}},
		{"B'01'", PostgreSQL, &Literal{Text: "01", Odd: true}},
		{"$$a'b$$", PostgreSQL, &Literal{Text: "a'b"}},
		{"$x$a$$b$x$", PostgreSQL, &Literal{Text: "a$$b"}},
		{"'a\\b'", PostgreSQL, &Literal{Text: "a\\b", Odd: true}},
		{"a LIKE $1 ESCAPE '\\'", PostgreSQL, &Op{Op: "like", Args: []Expr{col("a"), &Param{N: 1}, &Literal{Text: "\\", Odd: true}}}},
		{"TRUE", Any, &Literal{Text: "true", Odd: true}},
		{"NULL", Any, &Literal{Null: true}},
		{"a::text[]", PostgreSQL, &Cast{col("a"), "text[]"}},
		{"CAST(a AS varchar(3))", Any, &Cast{col("a"), "varchar(3)"}},
		{"a::timestamp(3) with time zone", PostgreSQL, &Cast{col("a"), "timestamp(3) with time zone"}},
		{`a::"char"`, PostgreSQL, &Cast{col("a"), `"char"`}},
		{"a::character varying(255)", PostgreSQL, &Cast{col("a"), "character varying(255)"}},
		{"a::double precision", PostgreSQL, &Cast{col("a"), "double precision"}},
		{"a::numeric(10, 2)", PostgreSQL, &Cast{col("a"), "numeric(10,2)"}},
		{"CAST(a AS UNSIGNED BIG INT)", SQLite, &Cast{col("a"), "unsigned big int"}},
		{"date '2020-01-01'", PostgreSQL, &Cast{&Literal{Odd: true}, "date"}},
		{"timestamp with time zone '2020-01-01'", PostgreSQL, &Cast{&Literal{Odd: true}, "timestamp with time zone"}},
		{"interval '1' day", PostgreSQL, &Cast{&Literal{Odd: true}, "interval"}},
		{"interval '1 day'", PostgreSQL, &Cast{&Literal{Odd: true}, "interval"}},
		{"extract(epoch FROM a)", PostgreSQL, &Call{Name: "extract", Args: []Expr{&Literal{Text: "epoch"}, col("a")}}},
		{"substring(a FROM 1 FOR 2)", PostgreSQL, &Call{Name: "substring", Args: []Expr{col("a"), num("1"), num("2")}}},
		{"trim(BOTH 'x' FROM a)", PostgreSQL, &Call{Name: "trim", Args: []Expr{&Literal{Text: "x"}, col("a")}}},
		{"overlay(a PLACING b FROM 1)", PostgreSQL, &Call{Name: "overlay", Args: []Expr{col("a"), col("b"), num("1")}}},
		{"position('x' IN a)", PostgreSQL, &Call{Name: "position", Args: []Expr{&Literal{Text: "x"}, col("a")}}},
		{"f(VARIADIC a)", PostgreSQL, &Call{Name: "f", Args: []Expr{&Op{Op: "variadic", Args: []Expr{col("a")}}}}},
		{"f(x => 1)", PostgreSQL, &Call{Name: "f", Args: []Expr{&Op{Op: "named", Args: []Expr{num("1")}, Text: "x"}}}},
		{"ARRAY[1, 2]", PostgreSQL, &Op{Op: "array", Args: []Expr{num("1"), num("2")}}},
		{"ARRAY[[1], [2]]", PostgreSQL, &Op{Op: "array", Args: []Expr{&Op{Op: "array", Args: []Expr{num("1")}}, &Op{Op: "array", Args: []Expr{num("2")}}}}},
		{"ARRAY(SELECT b)", PostgreSQL, &Subquery{&Query{Items: []Item{{X: col("b"), Alias: "b"}}}}},
		{"a[1:b]", PostgreSQL, &Op{Op: "index", Args: []Expr{col("a"), num("1"), col("b")}}},
		{"(a).b", PostgreSQL, &Op{Op: "field", Args: []Expr{col("a")}, Text: "b"}},
		{"a IS NOT TRUE", Any, &Op{Op: "istruth", Args: []Expr{col("a")}, Text: "not true"}},
		{"a IS UNKNOWN", PostgreSQL, &Op{Op: "isnull", Args: []Expr{col("a")}}},
		{"a IS NOT b", SQLite, &Op{Op: "isnot", Args: []Expr{col("a"), col("b")}}},
		{"a NOT NULL", SQLite, &Op{Op: "isnotnull", Args: []Expr{col("a")}}},
		{"a NOTNULL", Any, &Op{Op: "isnotnull", Args: []Expr{col("a")}}},
		{"a BETWEEN SYMMETRIC 2 AND 1", PostgreSQL, &Op{Op: "betweensymmetric", Args: []Expr{col("a"), num("2"), num("1")}}},
		{"a NOT BETWEEN 1 AND 2", Any, &Op{Op: "notbetween", Args: []Expr{col("a"), num("1"), num("2")}}},
		{"a LIKE 'x' ESCAPE '!'", Any, &Op{Op: "like", Args: []Expr{col("a"), &Literal{Text: "x"}, &Literal{Text: "!"}}}},
		{"a GLOB 'x'", SQLite, &Op{Op: "glob", Args: []Expr{col("a"), &Literal{Text: "x"}}}},
		{"a SIMILAR TO 'x'", PostgreSQL, &Op{Op: "similar", Args: []Expr{col("a"), &Literal{Text: "x"}}}},
		{"a ? 'b'", PostgreSQL, &Binary{"?", col("a"), &Literal{Text: "b"}}},
		{"a #>> b", PostgreSQL, &Binary{"#>>", col("a"), col("b")}},
		{"a ?| b", PostgreSQL, &Binary{"?|", col("a"), col("b")}},
		{"user", PostgreSQL, &Call{Name: "user"}},
		{"user", SQLite, col("user")},
		{"t.user", PostgreSQL, &Column{"t", "user"}},
		{"current_timestamp(3)", PostgreSQL, &Call{Name: "current_timestamp"}},
		{"CASE a WHEN 1 THEN b ELSE c END", Any, &Op{Op: "case", Args: []Expr{col("a"), num("1"), col("b"), col("c")}}},
		{"a COLLATE NOCASE", Any, &Op{Op: "collate", Args: []Expr{col("a")}, Text: "nocase"}},
	} {
		if got := where(t, c.text, c.d); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%d: %q is %#v, not %#v", c.d, c.text, got, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		text string
		d    Dialect
	}{
		{"SELECT a FROM t\x00; UPDATE t SET a = 1", SQLite},
		{"\ufeffSELECT 1", Any},
		{"SELECT 1 # x", Any},
		{"SELECT 1 # x\n FROM t", SQLite},
		{"SELECT /*! 1 */ 2", Any},
		{"SELECT 'a", Any},
		{"SELECT \"a", Any},
		{"SELECT /* a", SQLite},
		{"SELECT (1", Any},
		{"SELECT 1)", Any},
		{"SELECT 1 -- a\rFROM t", PostgreSQL},
		{"SELECT 1 -- a\rFROM t", SQLite},
		{"SELECT 123abc", PostgreSQL},
		{"SELECT $1abc", PostgreSQL},
		{"SELECT $0", PostgreSQL},
		{"SELECT ?0", SQLite},
		{"SELECT ?99999999999999999999", SQLite},
		{"SELECT $a(x)", SQLite},
		{"SELECT :a::b", SQLite},
		{"SELECT 'a\\'b'", PostgreSQL},
		{"SELECT 'a' 'b'", PostgreSQL},
		{"SELECT a <#> b FROM t", SQLite}, // not built in
		{"SELECT a <#> b FROM t", Any},
		{"SELECT a => b FROM t", PostgreSQL},
		{"SELECT a =- b FROM t LIMIT 1 LIMIT 2", PostgreSQL},
		{"SELECT a OPERATOR(public.x) b", PostgreSQL},
		{"SELECT a OPERATOR(=) b", PostgreSQL},
		{"SELECT a OPERATOR(public.::) b", PostgreSQL},
		{"SELECT (t).* FROM t", PostgreSQL},
		{"SELECT U&\"a\" FROM t", PostgreSQL},
		{"SELECT \"\"", Any},
		{"SELECT \"*\" FROM t", Any},
		{"SELECT a FROM " + strings.Repeat("x", 64), PostgreSQL},
		{"SELECT a FROM db.s.t", Any},
		{"SELECT a FROM ROWS FROM (f(), g())", PostgreSQL},
		{"INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1", Any},
		{"SELECT DEFAULT", Any},
		{"VALUES (DEFAULT)", Any},
		{"SELECT a FROM t WHERE b IN (VALUES (DEFAULT))", Any},
		{"UPDATE t SET (a, b) = (1, 2, 3)", PostgreSQL},
		{"SELECT a FROM t u v", Any},
		{"SELECT a b c FROM t", Any},
		{"SELECT a FROM t WHERE", Any},
		{"SELECT a FROM t WHERE a = 1 b", Any},
		{"SELECT a FROM t ORDER BY a USING <", PostgreSQL},
		{"WITH RECURSIVE x AS (SELECT 1) SEARCH DEPTH FIRST BY a SET o SELECT * FROM x", PostgreSQL},
	} {
		if s, err := ParseDialect(c.text, c.d); err == nil {
			t.Errorf("%d: %q is of kind %d, not an error", c.d, c.text, s.Kind)
		}
	}
}
