package footprintpgx

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// behindTables have a function that reads a table, and one that writes it. Those of the last
// statement are of their arguments alone.
const behindTables = `
CREATE TABLE rates (id int PRIMARY KEY, r int NOT NULL);
INSERT INTO rates VALUES (1, 10);
CREATE TYPE pair AS (x int, y int);
CREATE TYPE other AS (x int);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE kinds (id int PRIMARY KEY, p pair, o other, m mood);
INSERT INTO kinds VALUES (1, ROW (1, 2), ROW (1), 'ok');
CREATE TABLE aliases (t tsquery, s tsquery);
INSERT INTO aliases VALUES ('a', 'c');
CREATE FUNCTION rated(mood, int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $2 + r FROM rates WHERE id = 1';
CREATE FUNCTION rated(mood) RETURNS int LANGUAGE sql STABLE AS 'SELECT r FROM rates WHERE id = 1';
CREATE FUNCTION rated(pair) RETURNS int LANGUAGE sql STABLE AS 'SELECT r FROM rates WHERE id = 1';
CREATE FUNCTION above(mood, int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT r > 10 FROM rates WHERE id = 1';
CREATE FUNCTION raised(mood, int) RETURNS int LANGUAGE sql AS 'UPDATE rates SET r = r + $2 WHERE id = 1 RETURNING r';
CREATE OPERATOR || (LEFTARG = mood, RIGHTARG = int, FUNCTION = rated);
CREATE OPERATOR - (RIGHTARG = mood, FUNCTION = rated);
CREATE OPERATOR +@ (LEFTARG = mood, RIGHTARG = int, FUNCTION = rated);
CREATE OPERATOR !@ (RIGHTARG = mood, FUNCTION = rated);
CREATE OPERATOR && (LEFTARG = mood, RIGHTARG = int, FUNCTION = above);
CREATE OPERATOR * (LEFTARG = mood, RIGHTARG = int, FUNCTION = raised);
CREATE CAST (pair AS int) WITH FUNCTION rated(pair);
CREATE VIEW rated_kinds AS SELECT id, m || 1 AS n FROM kinds;
CREATE FUNCTION pure(mood, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $2 * 2';
CREATE OPERATOR / (LEFTARG = mood, RIGHTARG = int, FUNCTION = pure);
CREATE OPERATOR /@ (LEFTARG = mood, RIGHTARG = int, FUNCTION = pure);
CREATE OPERATOR @@@ (LEFTARG = mood, RIGHTARG = int, FUNCTION = raised);
CREATE EXTENSION pg_trgm;
CREATE TABLE names (id int PRIMARY KEY, name text);
INSERT INTO names VALUES (1, 'apple'), (2, 'apples'), (3, 'pear');
CREATE SCHEMA apart;
CREATE OPERATOR apart.# (LEFTARG = mood, RIGHTARG = int, FUNCTION = rated);
CREATE OPERATOR apart.= (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE VIEW apart_names AS SELECT id, name FROM names WHERE id OPERATOR(apart.=) 1;`

// A function behind an operator or a cast may read tables that no statement names.
func TestBehindOperators(t *testing.T) {
	r := newRig(t)
	r.Pool.Close()
	plain, err := pgx.Connect(t.Context(), r.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close(context.Background()) }()
	if _, err := plain.Exec(t.Context(), behindTables); err != nil {
		t.Fatal(err)
	}
	r.observe(r.config())
	const rates = `UPDATE rates SET r = r + 1 WHERE id = 1`
	stays := func(read, write string) bool {
		t.Helper()
		before := fmt.Sprint(r.all(t.Context(), r.Pool, read))
		fp := r.read(func(ctx context.Context) { r.all(ctx, r.Pool, read) })
		r.exec(r.Pool, write)
		fresh := r.fresh(fp)
		if after := fmt.Sprint(r.all(t.Context(), r.Pool, read)); fresh && after != before {
			t.Errorf("%s is kept as %s, and is %s after %s", read, before, after, write)
		}
		return fresh
	}
	for _, read := range []string{
		`SELECT m || 1 FROM kinds WHERE id = 1`, `SELECT - m FROM kinds WHERE id = 1`,
		`SELECT id FROM kinds WHERE m && ANY (ARRAY[1])`, `SELECT id FROM kinds ORDER BY m || 1`,
		`SELECT m +@ 1 FROM kinds WHERE id = 1`, `SELECT !@ m FROM kinds WHERE id = 1`, `SELECT m OPERATOR(apart.#) 1 FROM kinds WHERE id = 1`,
		`SELECT id FROM kinds WHERE m OPERATOR(public.&&) ANY (ARRAY[1])`,
		`SELECT p::int FROM kinds WHERE id = 1`, `SELECT CAST(p AS integer) FROM kinds WHERE id = 1`,
	} {
		if stays(read, rates) {
			t.Errorf("%s is kept", read)
		}
		before := r.Number()
		r.read(func(ctx context.Context) { r.all(ctx, r.Pool, read) })
		if r.Number() != before {
			t.Errorf("%s, which writes nothing, has published %+v", read, r.last())
		}
	}
	stays(`SELECT n FROM rated_kinds WHERE id = 1`, rates)
	stays(`SELECT ts_rewrite(to_tsquery('simple', 'a & b'), 'SELECT t, s FROM aliases')`, `UPDATE aliases SET s = 'd'`)
	stays(`SELECT r FROM rates`, `SELECT m * 2 FROM kinds WHERE id = 1`)
	stays(`SELECT r FROM rates`, `SELECT m @@@ 2 FROM kinds WHERE id = 1`)
	for _, read := range []string{
		`SELECT m / 1 FROM kinds WHERE id = 1`, `SELECT m /@ 1 FROM kinds WHERE id = 1`, `SELECT m OPERATOR(public./@) 1 FROM kinds`,
		`SELECT id FROM names ORDER BY name <->> 'apple' LIMIT 2`, `SELECT id FROM names WHERE 'apple' <% name`, `SELECT id, name FROM apart_names`,
	} {
		if !stays(read, rates) {
			t.Errorf("%s: a function of its arguments alone makes an answer wide", read)
		}
	}
	for _, read := range []string{
		`SELECT id FROM names ORDER BY name <->> 'apple' LIMIT 2`, `SELECT id FROM names WHERE 'apple' <% name AND id > 0`, `SELECT id, name FROM apart_names`,
	} {
		if stays(read, `UPDATE names SET name = name || ' juice' WHERE id = 1`) {
			t.Errorf("%s is kept", read)
		}
	}
	if !stays(`SELECT ts_rewrite('a & b', 'a', 'c') FROM kinds WHERE id = 1`, rates) {
		t.Error("ts_rewrite of three arguments runs no query")
	}
	// The catalog is read again, because definitions have changed.
	for _, ddl := range []string{
		`CREATE CAST (other AS int) WITH FUNCTION rated(other) AS IMPLICIT`,
		`CREATE OPERATOR = (LEFTARG = other, RIGHTARG = int, FUNCTION = above)`,
	} {
		r.exec(r.Pool, `CREATE OR REPLACE FUNCTION rated(other) RETURNS int LANGUAGE sql STABLE AS 'SELECT r FROM rates WHERE id = 1'`)
		r.exec(r.Pool, `CREATE OR REPLACE FUNCTION above(other, int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT r % 2 = 0 FROM rates WHERE id = 1'`)
		r.exec(r.Pool, ddl)
		for _, read := range []string{`SELECT abs(o) FROM kinds WHERE id = 1`, `SELECT id FROM kinds WHERE o IN (7)`} {
			if _, err := plain.Exec(t.Context(), read); err != nil {
				continue // not yet
			}
			if stays(read, rates) {
				t.Errorf("%s is kept after %s", read, ddl)
			}
		}
		r.exec(r.Pool, map[bool]string{true: `DROP CAST (other AS int)`, false: `DROP OPERATOR = (other, int)`}[ddl[7] == 'C'])
	}
}
