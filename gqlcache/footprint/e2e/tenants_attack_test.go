package e2e

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// A trap is a way in which PostgreSQL finds a name elsewhere than the connection's
// search_path at the start of a statement tells.
type trap struct {
	name  string
	setup []string
	// login is what the writer's DSN has, reader that of the reader.
	driver, login, reader string
	// path is the reader's search_path, "" for the connection's own.
	path, read string
	write      func(ctx context.Context, db *sql.DB) error
	// wrap makes the writer's connector.
	wrap func(driver.Connector) driver.Connector
}

// A router is a driver's wrapper that tells PostgreSQL the tenant of each statement.
type router struct{ driver.Connector }

func (r router) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return routed{c.(*stdlib.Conn)}, nil
}

type routed struct{ *stdlib.Conn }

func (r routed) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if _, err := r.Conn.ExecContext(ctx, `SET search_path TO t2`, nil); err != nil {
		return nil, err
	}
	return r.Conn.ExecContext(ctx, text, args)
}

// inTx runs statements in a transaction.
func inTx(texts ...string) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		for _, text := range texts {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return tx.Commit()
	}
}

// oneConn runs statements on a connection.
func oneConn(texts ...string) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		for _, text := range texts {
			if _, err := conn.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return nil
	}
}

const (
	noteInto  = `LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (name) VALUES (TG_TABLE_SCHEMA || TG_TABLE_NAME || TG_OP); RETURN NULL; END $$`
	countLog  = `SELECT count(*) FROM %s.log`
	readPosts = `SELECT id, name FROM %s.posts WHERE id = 1`
)

var traps = []trap{
	{
		name: "a deferred trigger runs under the path of the commit",
		setup: []string{
			`CREATE FUNCTION public.note() RETURNS trigger ` + noteInto,
			`CREATE CONSTRAINT TRIGGER note AFTER UPDATE ON t1.posts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.note()`,
		},
		read:  fmt.Sprintf(countLog, "t2"),
		write: inTx(`SET LOCAL search_path TO t1`, `UPDATE posts SET name = 'x' WHERE id = 1`, `SET LOCAL search_path TO t2`),
	},
	{
		name: "a trigger that a foreign key fires runs as the table's owner",
		setup: []string{
			`CREATE FUNCTION public.note() RETURNS trigger ` + noteInto,
			`CREATE FUNCTION public.before() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (name) VALUES ('x'); RETURN OLD; END $$`,
			`CREATE TRIGGER note BEFORE DELETE ON app.notes FOR EACH ROW EXECUTE FUNCTION public.before()`,
		},
		login: ` user=app`, reader: ` user=app`,
		read: fmt.Sprintf(countLog, "public"),
		write: func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, `DELETE FROM posts WHERE id = 1`)
			return err
		},
	},
	{
		name: "a trigger below one with a path of its own",
		setup: []string{
			`CREATE FUNCTION public.fixed() RETURNS trigger LANGUAGE plpgsql SET search_path = t2 AS $$ BEGIN UPDATE notes SET name = 'y' WHERE id = 1; RETURN NULL; END $$`,
			`CREATE TRIGGER fixed AFTER UPDATE ON t1.posts FOR EACH ROW EXECUTE FUNCTION public.fixed()`,
			`CREATE FUNCTION public.note() RETURNS trigger ` + noteInto,
			`CREATE TRIGGER note AFTER UPDATE ON t2.notes FOR EACH ROW EXECUTE FUNCTION public.note()`,
		},
		read:  fmt.Sprintf(countLog, "t2"),
		write: inTx(`SET LOCAL search_path TO t1`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "a trigger twice, below one with a path of its own and not",
		setup: []string{
			`CREATE FUNCTION public.note() RETURNS trigger ` + noteInto,
			`CREATE TABLE public.once (id int)`, `INSERT INTO public.once VALUES (1)`,
			`CREATE TRIGGER note AFTER UPDATE ON public.once FOR EACH ROW EXECUTE FUNCTION public.note()`,
			`CREATE FUNCTION public.plain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE once SET id = 2; RETURN NULL; END $$`,
			`CREATE FUNCTION public.fixed() RETURNS trigger LANGUAGE plpgsql SET search_path = t2, public AS $$ BEGIN UPDATE once SET id = 3; RETURN NULL; END $$`,
			`CREATE TRIGGER a AFTER UPDATE ON t1.posts FOR EACH ROW EXECUTE FUNCTION public.plain()`,
			`CREATE TRIGGER b AFTER UPDATE ON t1.posts FOR EACH ROW EXECUTE FUNCTION public.fixed()`,
		},
		read:  fmt.Sprintf(countLog, "t2"),
		write: inTx(`SET LOCAL search_path TO t1, public`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "a trigger below a SECURITY DEFINER one",
		setup: []string{
			`CREATE FUNCTION public.fixed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN UPDATE notes SET name = 'y' WHERE id = 1; RETURN NULL; END $$`,
			`CREATE TRIGGER fixed AFTER UPDATE ON app.posts FOR EACH ROW EXECUTE FUNCTION public.fixed()`,
			`CREATE FUNCTION public.note() RETURNS trigger ` + noteInto,
			`CREATE TRIGGER note AFTER UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.note()`,
		},
		login: ` user=app`, reader: ` user=app`,
		read: fmt.Sprintf(countLog, "public"),
		write: func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, `UPDATE posts SET name = 'x' WHERE id = 1`)
			return err
		},
	},
	{
		name: "a trigger's function has a role of its own",
		setup: []string{
			`CREATE FUNCTION public.note() RETURNS trigger SET role = 'app' ` + noteInto,
			`CREATE TRIGGER note AFTER UPDATE ON public.posts FOR EACH ROW EXECUTE FUNCTION public.note()`,
		},
		read: fmt.Sprintf(countLog, "app"),
		write: func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, `UPDATE posts SET name = 'x' WHERE id = 1`)
			return err
		},
	},
	{
		name: "set_config for the rows of an UPDATE that has none",
		read: fmt.Sprintf(readPosts, "t1"),
		write: inTx(`SET LOCAL search_path TO t1`, `UPDATE posts SET name = 'none' WHERE id = 999 RETURNING set_config('search_path', 't2', true)`,
			`UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "set_config in an INSERT that inserts nothing",
		read: fmt.Sprintf(readPosts, "t1"),
		write: inTx(`SET LOCAL search_path TO t1`, `INSERT INTO posts SELECT 999, set_config('search_path', 't2', true) WHERE false`,
			`UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "set_config in VALUES of an INSERT", // runs
		read: fmt.Sprintf(readPosts, "t2"),
		write: inTx(`SET LOCAL search_path TO t1`, `INSERT INTO t3.posts VALUES (998, set_config('search_path', 't2', true))`,
			`UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "set_config under EXPLAIN",
		read: fmt.Sprintf(readPosts, "t1"),
		write: inTx(`SET LOCAL search_path TO t1`, `EXPLAIN SELECT set_config('search_path', 't2', true)`,
			`UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "set_config of a cursor",
		read: fmt.Sprintf(readPosts, "t1"),
		write: inTx(`SET LOCAL search_path TO t1`, `DECLARE c CURSOR FOR SELECT set_config('search_path', 't2', true)`,
			`UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "set_config of NULL",
		read: fmt.Sprintf(readPosts, "public"),
		write: inTx(`SET LOCAL search_path TO t1`, `SELECT set_config('search_path', NULL, true)`,
			`UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "set_config whose value reads itself",
		read: fmt.Sprintf(readPosts, "t2"),
		write: inTx(`SET LOCAL search_path TO t1`, `SELECT set_config('search_path', set_config('search_path', 't2', true), true)`,
			`UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "SET FROM CURRENT",
		read: fmt.Sprintf(readPosts, "t2"),
		write: oneConn(`SET search_path TO t1`, `BEGIN`, `SET LOCAL search_path TO t2`, `SET search_path FROM CURRENT`, `COMMIT`,
			`UPDATE posts SET name = 'x' WHERE id = 1`, `RESET ALL`),
	},
	{
		name:  "a quoted name of the setting",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: inTx(`SET LOCAL search_path TO t1`, `SET LOCAL "Search_PATH" TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:  "an escaped name of the schema",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: inTx(`SET LOCAL search_path TO t1`, `SET LOCAL search_path TO U&"\0074\0032"`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:  "an escaped text",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: inTx(`SET LOCAL search_path TO t1`, `SET LOCAL search_path TO E'\x742'`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:  "a text of two parts",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: inTx(`SET LOCAL search_path TO t1`, "SET LOCAL search_path TO 't'\n'2'", `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:  "pg_settings is updated",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: oneConn(`SET search_path TO t1`, `UPDATE pg_settings SET setting = 't2' WHERE name = 'search_path'`, `UPDATE posts SET name = 'x' WHERE id = 1`, `RESET ALL`),
	},
	{
		name:  "COMMIT AND CHAIN",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: oneConn(`SET search_path TO t2`, `BEGIN`, `SET LOCAL search_path TO t1`, `COMMIT AND CHAIN`, `UPDATE posts SET name = 'x' WHERE id = 1`, `COMMIT`, `RESET ALL`),
	},
	{
		name:  "ROLLBACK AND CHAIN",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: oneConn(`SET search_path TO t2`, `BEGIN`, `SET search_path TO t1`, `ROLLBACK AND CHAIN`, `UPDATE posts SET name = 'x' WHERE id = 1`, `COMMIT`, `RESET ALL`),
	},
	{
		name:  "SET in a savepoint that is rolled back",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: inTx(`SET LOCAL search_path TO t2`, `SAVEPOINT a`, `SET LOCAL search_path TO t1`, `SAVEPOINT b`, `SET LOCAL search_path TO t3`, `RELEASE b`, `ROLLBACK TO a`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:  "a procedure that commits",
		setup: []string{`CREATE PROCEDURE public.hop() LANGUAGE plpgsql AS $$ BEGIN COMMIT; SET search_path TO t2; END $$`},
		read:  fmt.Sprintf(readPosts, "t2"),
		write: oneConn(`SET search_path TO t1, public`, `CALL hop()`, `UPDATE posts SET name = 'x' WHERE id = 1`, `RESET ALL`),
	},
	{
		name:  "PREPARE and EXECUTE",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: oneConn(`SET search_path TO t1`, `PREPARE p AS UPDATE posts SET name = 'x' WHERE id = 1`, `SET search_path TO t2`, `EXECUTE p`, `RESET ALL`, `DEALLOCATE p`),
	},
	{
		name:  "DISCARD ALL",
		read:  fmt.Sprintf(readPosts, "public"),
		write: oneConn(`SET search_path TO t1`, `DISCARD ALL`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:   "a transaction that the application leaves open",
		driver: "postgres",
		read:   fmt.Sprintf(readPosts, "t2"),
		write: func(ctx context.Context, db *sql.DB) error {
			db.SetMaxOpenConns(1)
			for _, texts := range [][]string{{`BEGIN`, `SET LOCAL search_path TO t2`}, {`UPDATE posts SET name = 'x' WHERE id = 1`, `COMMIT`}} {
				if err := oneConn(texts...)(ctx, db); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "a deferred trigger sets the path at the commit",
		setup: []string{
			`CREATE FUNCTION public.leap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 't2', false); RETURN NULL; END $$`,
			`CREATE CONSTRAINT TRIGGER leap AFTER UPDATE ON t3.posts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.leap()`,
		},
		read:  fmt.Sprintf(readPosts, "t2"),
		write: oneConn(`BEGIN`, `UPDATE t3.posts SET name = 'y' WHERE id = 1`, `SET search_path TO t1`, `COMMIT`, `UPDATE posts SET name = 'x' WHERE id = 1`, `RESET ALL`),
	},
	{
		name: "a deferred trigger sets the path when constraints are immediate",
		setup: []string{
			`CREATE FUNCTION public.leap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 't2', true); RETURN NULL; END $$`,
			`CREATE CONSTRAINT TRIGGER leap AFTER UPDATE ON t3.posts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.leap()`,
		},
		read:  fmt.Sprintf(readPosts, "t2"),
		write: inTx(`UPDATE t3.posts SET name = 'y' WHERE id = 1`, `SET LOCAL search_path TO t1`, `SET CONSTRAINTS ALL IMMEDIATE`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:   "a transaction that the application leaves open, twice",
		driver: "postgres",
		read:   fmt.Sprintf(readPosts, "t2"),
		write: func(ctx context.Context, db *sql.DB) error {
			db.SetMaxOpenConns(1)
			for _, texts := range [][]string{{`SET search_path TO t2`, `BEGIN`, `SET LOCAL search_path TO t1`}, {`SELECT 1`}, {`SELECT 1`}, {`COMMIT`}, {`UPDATE posts SET name = 'x' WHERE id = 1`}} {
				if err := oneConn(texts...)(ctx, db); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name:   "SET in a transaction that the application leaves open",
		driver: "postgres",
		read:   fmt.Sprintf(readPosts, "t2"),
		write: func(ctx context.Context, db *sql.DB) error {
			db.SetMaxOpenConns(1)
			for _, texts := range [][]string{{`SET search_path TO t2`, `BEGIN`}, {`SET search_path TO t1`, `ROLLBACK`, `UPDATE posts SET name = 'x' WHERE id = 1`}} {
				if err := oneConn(texts...)(ctx, db); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "a wrapper of the driver sets the path",
		read: fmt.Sprintf(readPosts, "t2"),
		wrap: func(c driver.Connector) driver.Connector { return router{c} },
		write: func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, `UPDATE posts SET name = 'x' WHERE id = 1`)
			return err
		},
	},
	{
		name: "a view that names other schemas",
		setup: []string{
			`CREATE VIEW t1.seen AS SELECT p.id, p.name FROM t2.posts p`, `CREATE VIEW t2.seen AS SELECT p.id, p.name FROM t2.posts p`,
		},
		path: "t1", read: `SELECT id, name FROM seen`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "views whose definitions swap schemas",
		setup: []string{
			`CREATE VIEW t1.seen AS SELECT p.id, p.name FROM t2.posts p`, `CREATE VIEW t2.seen AS SELECT p.id, p.name FROM t1.posts p`,
		},
		path: "t1", read: `SELECT id, name FROM seen`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "a view above a view",
		setup: []string{
			`CREATE VIEW t1.low AS SELECT p.id, p.name FROM t1.posts p`, `CREATE VIEW t2.low AS SELECT p.id, p.name FROM t2.posts p`,
			`CREATE VIEW public.low AS SELECT p.id, p.name FROM t2.low p`,
			`CREATE VIEW t1.high AS SELECT p.id, p.name FROM public.low p`, `CREATE VIEW t2.high AS SELECT p.id, p.name FROM public.low p`,
		},
		path: "t1", read: `SELECT id, name FROM high`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "a materialized view of another schema",
		setup: []string{
			`CREATE MATERIALIZED VIEW t1.mat AS SELECT * FROM t2.posts`, `CREATE MATERIALIZED VIEW t2.mat AS SELECT * FROM t2.posts`,
		},
		path: "t1", read: `SELECT id, name FROM mat`,
		write: inTx(`UPDATE t2.posts SET name = 'x' WHERE id = 1`, `SET LOCAL search_path TO t2`, `REFRESH MATERIALIZED VIEW t1.mat`),
	},
	{
		name:  "a foreign key from another schema",
		setup: []string{`ALTER TABLE t2.notes DROP CONSTRAINT notes_post_fkey, ADD FOREIGN KEY (post) REFERENCES t1.posts ON DELETE CASCADE`},
		read:  `SELECT count(*) FROM t2.notes`,
		write: inTx(`SET LOCAL search_path TO t1`, `DELETE FROM posts WHERE id = 1`),
	},
	{
		name:  "TRUNCATE CASCADE to another schema",
		setup: []string{`ALTER TABLE t2.notes DROP CONSTRAINT notes_post_fkey, ADD FOREIGN KEY (post) REFERENCES t1.posts ON DELETE CASCADE`},
		read:  `SELECT count(*) FROM t2.notes`,
		write: inTx(`SET LOCAL search_path TO t1`, `TRUNCATE posts CASCADE`),
	},
	{
		name: "a partition in another schema",
		setup: []string{
			`CREATE TABLE t1.parts (id int, name text) PARTITION BY LIST (id)`, `CREATE TABLE t2.parts (id int, name text)`,
			`CREATE TABLE t3.parts PARTITION OF t1.parts DEFAULT`, `INSERT INTO t1.parts VALUES (1, 'a')`,
		},
		path: "t1", read: `SELECT id, name FROM parts WHERE id = 1`,
		write: inTx(`SET LOCAL search_path TO t3`, `UPDATE parts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "a temporary table hides it",
		read: fmt.Sprintf(readPosts, "t1"), path: "",
		write: oneConn(`SET search_path TO t1`, `DO $$ BEGIN CREATE TEMP TABLE posts (id int, name text); END $$`, `DROP TABLE pg_temp.posts`, `UPDATE posts SET name = 'x' WHERE id = 1`, `RESET ALL`),
	},
	{
		name:  "SET ROLE moves $user",
		read:  fmt.Sprintf(readPosts, "app"),
		write: oneConn(`SET ROLE app`, `UPDATE posts SET name = 'x' WHERE id = 1`, `RESET ROLE`),
	},
	{
		name:  "SET ROLE by set_config",
		read:  fmt.Sprintf(readPosts, "app"),
		write: inTx(`SELECT set_config('role', 'app', true)`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:  "a role that may not use the schema",
		read:  fmt.Sprintf(readPosts, "public"),
		login: ` user=weak options='-c search_path=t1,public'`,
		write: func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, `UPDATE posts SET name = 'x' WHERE id = 1`)
			return err
		},
	},
	{
		name:  "SESSION AUTHORIZATION",
		read:  fmt.Sprintf(readPosts, "public"),
		write: oneConn(`SET search_path TO t1, public`, `SET SESSION AUTHORIZATION weak`, `UPDATE posts SET name = 'x' WHERE id = 1`, `RESET SESSION AUTHORIZATION`, `RESET ALL`),
	},
	{
		name: "several names in one statement",
		path: "t1", read: `SELECT p.id, q.name FROM posts p, LATERAL (SELECT name FROM t2.posts q WHERE q.id = p.id) q WHERE p.id = 1`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "another schema in an expression",
		path: "t1", read: `SELECT p.id, CASE WHEN p.id = 1 THEN ARRAY(SELECT q.name FROM t2.posts q WHERE q.id = 1) END FROM posts p WHERE p.id = 1`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "another schema in ORDER BY, LIMIT and a window",
		path: "t1", read: `SELECT p.id, row_number() OVER (ORDER BY (SELECT max(q.name) FROM t2.posts q)) FROM posts p ORDER BY (SELECT q.name FROM t2.posts q WHERE q.id = p.id) DESC, id LIMIT 2`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'zz' WHERE id = 1`),
	},
	{
		name: "another schema in a filter",
		path: "t1", read: `SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM t2.posts q WHERE q.name = 'x')) FROM posts p`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "another schema in statements of many kinds",
		path: "t1", read: `WITH x AS (SELECT 1 AS a UNION ALL (SELECT id FROM t2.posts WHERE name = 'x')) SELECT (SELECT count(*) FROM x), max(id) FROM posts GROUP BY (SELECT max(name) FROM t2.posts) HAVING count(*) > (SELECT count(*) FROM t2.posts WHERE name = 'no')`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "another schema in VALUES and DISTINCT ON",
		path: "t1", read: `SELECT DISTINCT ON ((SELECT max(q.name) FROM t2.posts q)) p.id, v.n FROM posts p CROSS JOIN (VALUES ((SELECT q.name FROM t2.posts q WHERE q.id = 1))) v(n) ORDER BY (SELECT max(q.name) FROM t2.posts q), p.id`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "another schema in a function of FROM",
		path: "t1", read: `SELECT p.id, n FROM posts p, generate_series(1, (SELECT length(q.name) FROM t2.posts q WHERE q.id = 1)) n WHERE p.id = 1`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "another schema in what RETURNING says",
		path: "t1", read: `INSERT INTO log (name) VALUES ('r') RETURNING (SELECT q.name FROM t2.posts q WHERE q.id = 1)`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:  "a write to two schemas",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: inTx(`SET LOCAL search_path TO t1`, `WITH w AS (UPDATE t2.posts SET name = 'x' WHERE id = 1 RETURNING id) UPDATE posts SET name = 'y' WHERE id IN (SELECT id FROM w)`),
	},
	{
		name: "a write from another schema",
		path: "t1", read: `SELECT id, name FROM posts WHERE name = 'x'`,
		write: inTx(`SET LOCAL search_path TO t1, t2`, `UPDATE posts p SET name = 'x' FROM t2.posts q WHERE q.id = p.id AND q.id = 1`),
	},
	{
		name:  "MERGE",
		read:  fmt.Sprintf(readPosts, "t2"),
		write: inTx(`SET LOCAL search_path TO t1`, `MERGE INTO t2.posts p USING posts q ON q.id = p.id AND q.id = 1 WHEN MATCHED THEN UPDATE SET name = 'x'`),
	},
	{
		name:  "a name like a view's of another kind",
		setup: []string{`CREATE VIEW t1.thing AS SELECT p.id, p.name FROM t1.posts p`, `CREATE TABLE t2.thing (id int, name text)`, `INSERT INTO t2.thing VALUES (1, 'a')`},
		path:  "t1, t2", read: `SELECT id, name FROM thing WHERE id = 1`,
		write: inTx(`SET LOCAL search_path TO t1`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:  "a view only one schema has",
		setup: []string{`CREATE VIEW t2.sole AS SELECT p.id, p.name FROM t1.posts p`},
		path:  "t2", read: `SELECT s.id, s.name FROM sole s JOIN posts p ON p.id = s.id WHERE s.id = 1`,
		write: inTx(`SET LOCAL search_path TO t1`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name: "capital letters and dots",
		setup: []string{`CREATE SCHEMA "T1"`, `CREATE SCHEMA "t1.posts"`, `CREATE TABLE "T1".posts (id int PRIMARY KEY, name text NOT NULL)`,
			`CREATE TABLE "t1.posts".posts (id int PRIMARY KEY, name text NOT NULL)`, `INSERT INTO "T1".posts VALUES (1, 'a')`, `INSERT INTO "t1.posts".posts VALUES (1, 'a')`},
		path: `"T1", "t1.posts"`, read: `SELECT id, name FROM "T1".posts WHERE id = 1`,
		write: inTx(`SET LOCAL search_path TO T1`, `SET LOCAL search_path TO "T1", "t1.posts"`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
	{
		name:  "names that meet in a tag",
		setup: []string{`CREATE SCHEMA t`, `CREATE TABLE t."1posts" (id int PRIMARY KEY, name text NOT NULL)`, `CREATE TABLE t1."1posts" (id int PRIMARY KEY, name text NOT NULL)`, `INSERT INTO t."1posts" VALUES (1, 'a')`},
		path:  "t", read: `SELECT id, name FROM "1posts" WHERE id = 1`,
		write: inTx(`SET LOCAL search_path TO t, t1`, `UPDATE "1posts" SET name = 'x' WHERE id = 1`),
	},
	{
		name: "a schema renamed by another program",
		read: fmt.Sprintf(readPosts, "t2"),
		write: func(ctx context.Context, db *sql.DB) error {
			if err := inTx(`SET LOCAL search_path TO t1`, `SELECT count(*) FROM posts`)(ctx, db); err != nil {
				return err
			}
			if _, err := db.ExecContext(ctx, `ALTER SCHEMA t2 RENAME TO t9`); err != nil {
				return err
			}
			if _, err := db.ExecContext(ctx, `ALTER SCHEMA t1 RENAME TO t2`); err != nil {
				return err
			}
			return inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`)(ctx, db)
		},
	},
	{
		name: "a policy that reads another schema",
		setup: []string{
			`CREATE POLICY p ON t1.notes USING (EXISTS (SELECT 1 FROM t2.posts q WHERE q.id = post AND q.name <> 'x'))`,
			`ALTER TABLE t1.notes ENABLE ROW LEVEL SECURITY`, `CREATE POLICY p ON t2.notes USING (true)`, `ALTER TABLE t2.notes ENABLE ROW LEVEL SECURITY`,
			`GRANT USAGE ON SCHEMA t1, t2 TO weak`, `GRANT ALL ON ALL TABLES IN SCHEMA t1, t2 TO weak`,
		},
		reader: ` user=weak`, path: "t1", read: `SELECT count(*) FROM notes`,
		write: inTx(`SET LOCAL search_path TO t2`, `UPDATE posts SET name = 'x' WHERE id = 1`),
	},
}

func TestTenantsTraps(t *testing.T) {
	t.Parallel()
	for _, c := range traps {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := &harness{dialect: catalog.PostgreSQL, clock: &clock{}}
			dsn := postgres(t)
			setup := connect(t, "pgx", dsn)
			for _, role := range []string{"app", "weak"} {
				run(t, setup, `DO $$ BEGIN CREATE ROLE `+role+` LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`)
			}
			for _, s := range []string{"t1", "t2", "t3", "app", "public"} {
				run(t, setup, `CREATE SCHEMA IF NOT EXISTS `+s,
					`CREATE TABLE `+s+`.posts (id int PRIMARY KEY, name text NOT NULL)`,
					`CREATE TABLE `+s+`.notes (id int PRIMARY KEY, post int NOT NULL REFERENCES `+s+`.posts ON DELETE CASCADE, name text NOT NULL)`,
					`CREATE TABLE `+s+`.log (at serial PRIMARY KEY, name text NOT NULL)`,
					`INSERT INTO `+s+`.posts SELECT i, '`+s+`-' || i FROM generate_series(1, 4) i`,
					`INSERT INTO `+s+`.notes SELECT i, i, '`+s+`-' || i FROM generate_series(1, 4) i`)
			}
			run(t, setup, `GRANT USAGE ON SCHEMA app, public TO app`, `GRANT USAGE ON SCHEMA public TO weak`)
			for _, s := range []string{"app", "public", "t1", "t2"} {
				run(t, setup, `GRANT ALL ON ALL TABLES IN SCHEMA `+s+` TO app, weak`, `GRANT ALL ON ALL SEQUENCES IN SCHEMA `+s+` TO app, weak`)
			}
			run(t, setup, c.setup...)
			h.observer = observe.New(observe.Options{Dialect: h.dialect, Images: observe.On, Logger: slog.New(slog.DiscardHandler)})
			h.observer.Attach(h.clock)
			h.clock.tagsOf = h.observer.TagsOf
			t.Cleanup(h.close)
			var err error
			if h.db, err = footprintsql.Open("pgx", dsn+c.reader, h.observer); err != nil {
				t.Fatal(err)
			}
			inner := connectorOf(t, cmp.Or(c.driver, "pgx"), dsn+c.login)
			if c.wrap != nil {
				inner = c.wrap(inner)
			}
			h.writers[0] = sql.OpenDB(footprintsql.Connector(inner, h.observer))
			answer := func() (k kept, text string) {
				ctx, end := h.begin(t.Context())
				tx, err := h.db.BeginTx(ctx, nil)
				if err != nil {
					t.Fatal(err)
				}
				if c.path != "" {
					if _, err := tx.ExecContext(ctx, `SET LOCAL search_path TO `+c.path); err != nil {
						t.Fatal(err)
					}
				}
				text, err = ask(ctx, tx, reading{sqlStatement: sqlStatement{text: c.read}, rows: -1})
				if err != nil {
					t.Fatal(err)
				}
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				k.footprint = end()
				return k, text
			}
			answer() // its shape is known
			k, before := answer()
			if k.footprint.refused {
				t.Log("the answer is not kept")
				return
			}
			if err := c.write(t.Context(), h.writers[0]); err != nil {
				t.Fatal(err)
			}
			_, now := answer()
			switch met := h.clock.met(&k); {
			case now == before:
				t.Fatalf("the trap has changed nothing: %s", now)
			case !met:
				t.Errorf("stale: %q, now %q", before, now)
			case k.footprint.unknown != "":
				t.Logf("the answer depends on anything: %s", k.footprint.unknown)
			}
			for _, commit := range h.clock.commits {
				if commit.everything != "" {
					t.Logf("everything: %s", commit.everything)
				}
			}
		})
	}
}
