package e2e

import (
	"context"
	"database/sql/driver"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// Tenants of a database: each has a schema with equal tables, and public has some of them,
// too, as a template. Of the schema of t4 the server's role makes no use.
var tenantSetup = []string{
	`CREATE FUNCTION public.hop(text) RETURNS void LANGUAGE sql AS $$ SELECT set_config('search_path', $1, false) $$`,
	`CREATE FUNCTION public.leap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', NEW.name, true); RETURN NEW; END $$`,
	`CREATE TABLE public.posts (id int PRIMARY KEY, name text NOT NULL)`,
	`CREATE TABLE public.leaps (id serial PRIMARY KEY, name text NOT NULL)`,
	`CREATE TRIGGER leap AFTER INSERT ON public.leaps FOR EACH ROW EXECUTE FUNCTION public.leap()`,
	`CREATE ROLE t1_role`, `CREATE ROLE stranger`,
	`CREATE SCHEMA t1`, `CREATE SCHEMA t2`, `CREATE SCHEMA "T 3"`, `CREATE SCHEMA t1_role`,
	`CREATE TABLE t1.posts (id int PRIMARY KEY, name text NOT NULL)`, `CREATE TABLE t1.only (id int PRIMARY KEY)`,
	`CREATE TABLE t2.posts (id int PRIMARY KEY, name text NOT NULL)`, `CREATE TABLE t2.only (id int PRIMARY KEY)`,
	`CREATE TABLE "T 3".posts (id int PRIMARY KEY, name text NOT NULL)`,
	`CREATE TABLE t1_role.posts (id int PRIMARY KEY, name text NOT NULL)`,
	`GRANT USAGE ON SCHEMA t1, t1_role TO t1_role`,
	`GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC`,
}

// A pathRig is a connection of pgx with a session, which is told of each statement.
type pathRig struct {
	*testing.T

	pg *pgx.Conn
	s  *observe.Session
}

func (r *pathRig) Query(ctx context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) error {
	values := make([]any, len(args))
	for i := range args {
		values[i] = args[i].Value
	}
	rows, err := r.pg.Query(ctx, text, values...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		v, err := rows.Values()
		if err != nil {
			return err
		}
		dest := make([]driver.Value, len(v))
		for i := range v {
			dest[i] = v[i]
		}
		if err := row(dest); err != nil {
			return err
		}
	}
	return rows.Err()
}

// exec runs a statement as a wrapper does.
func (r *pathRig) exec(text string, args ...any) {
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	e := r.s.Start(r.Context(), text, named)
	var err error
	if strings.Contains(text, ";") {
		_, err = r.pg.PgConn().Exec(r.Context(), text).ReadAll()
	} else {
		_, err = r.pg.Exec(r.Context(), text, args...)
	}
	e.End(err, -1, false)
}

// batch sends statements together.
func (r *pathRig) batch(texts ...string) {
	r.s.Together(texts)
	b := &pgx.Batch{}
	list := make([]*observe.Execution, len(texts))
	for i, text := range texts {
		b.Queue(text)
		list[i] = r.s.Start(r.Context(), text, nil)
	}
	res := r.pg.SendBatch(r.Context(), b)
	errs := make([]error, len(list))
	for i := range list {
		_, errs[i] = res.Exec()
	}
	failed := res.Close() != nil
	for i, e := range list {
		failed = failed || errs[i] != nil
		e.End(errs[i], -1, false)
	}
	if failed {
		r.s.LosePath()
	}
}

// finds asks PostgreSQL where it finds a name, "" for nowhere.
func (r *pathRig) finds(name string) (schema string) {
	r.Helper()
	err := r.pg.QueryRow(r.Context(), `SELECT coalesce((SELECT n.nspname::text FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)), '')`, name).Scan(&schema)
	if err != nil {
		r.Fatal(err)
	}
	return schema
}

// Wherever a session knows in which schema a name is found, PostgreSQL finds it there: after
// any statements that set search_path or the role, are rolled back, fail, or do it unseen.
func TestPathsArePostgresOwn(t *testing.T) {
	t.Parallel()
	dsn := postgres(t)
	setup := connect(t, "pgx", dsn)
	run(t, setup, tenantSetup...)
	paths := []string{
		`t1`, `t2, public`, `"T 3"`, `public`, `T1`, `nowhere, t1`, `t1, nowhere`, `"$user", public`, `pg_catalog, t2`, `only, "t1"`, ``, `"a""b", t2`,
	}
	pick := func(list ...string) string { return list[rand.IntN(len(list))] }
	path := func() string { return paths[rand.IntN(len(paths))] }
	rounds.Until(t, "a path is known, and lost, and found again, and rolled back", func(int) bool {
		known, unknown, tenants, afterRollback := 0, 0, 0, 0
		for _, defaults := range []string{``, ` options='-c search_path=t2,public'`} {
			for _, asks := range []bool{true, false} {
				rarely := 2 + 18*rand.IntN(2) // how often search_path is set in ways that are not seen
				config, err := pgx.ParseConfig(dsn + defaults)
				if err != nil {
					t.Fatal(err)
				}
				config.DefaultQueryExecMode = pgx.QueryExecModeExec // DISCARD ALL forgets prepared statements
				pg, err := pgx.ConnectConfig(t.Context(), config)
				if err != nil {
					t.Fatal(err)
				}
				o := observe.New(observe.Options{Dialect: catalog.PostgreSQL, Logger: slog.New(slog.DiscardHandler)})
				r := &pathRig{T: t, pg: pg}
				r.s = o.NewSession(r)
				if asks {
					r.s.TxStatus = func() (bool, bool) { return pg.PgConn().TxStatus() != 'I', true }
				}
				if err := o.Load(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				r.s.Opened(t.Context())
				rolled := false
				var last []string
				for range 250 {
					text := pick(
						"BEGIN", "BEGIN", "COMMIT", "COMMIT", "ROLLBACK", "SAVEPOINT a", "SAVEPOINT b", "ROLLBACK TO a", "ROLLBACK TO b", "RELEASE a",
						"SET search_path TO "+listOf(path()), "SET LOCAL search_path TO "+listOf(path()), "SET LOCAL search_path TO "+listOf(path()),
						"set search_path = "+listOf(path()), "SET SESSION search_path TO "+listOf(path()), "SET SCHEMA 't1'",
						"RESET search_path", "SET search_path TO DEFAULT", "SET LOCAL search_path TO DEFAULT", "RESET ALL",
						"SELECT set_config('search_path', '"+path()+"', "+pick("true", "false")+")",
						"SELECT 1/0", "SELECT count(*) FROM posts", "param", "reset", "reset", "tx",
					)
					if rand.IntN(rarely) == 0 {
						text = pick(
							"SET ROLE t1_role", "SET LOCAL ROLE stranger", "RESET ROLE", "SET ROLE none", "SET SESSION AUTHORIZATION t1_role",
							"RESET SESSION AUTHORIZATION", "DISCARD ALL", "SELECT set_config('search_path', 't1', false) FROM posts WHERE false",
							"SELECT CASE WHEN false THEN set_config('search_path', 't2', false) END", "SELECT hop('"+path()+"')",
							"INSERT INTO public.leaps (name) VALUES ('t1')", "DO $$ BEGIN PERFORM set_config('search_path', 't2', false); END $$",
							"SET search_path TO t1; SELECT 1", "BEGIN; SET search_path TO t2; COMMIT", "batch", "batch",
						)
					}
					last = append(last, text)
					switch text {
					case "param":
						r.exec(`SELECT set_config('search_path', $1, $2)`, path(), rand.IntN(2) == 0)
						r.exec(`SELECT set_config('search_path', $1, true)`, path())
					case "reset":
						if pg.PgConn().TxStatus() != 'I' {
							r.exec("ROLLBACK")
						}
						r.s.Reset(t.Context())
					case "batch":
						texts := []string{"SELECT 1"}
						for range rand.IntN(3) {
							texts = append(texts, pick("SET search_path TO t1", "SET LOCAL search_path TO t2", "SELECT 1/0", "SELECT count(*) FROM t2.posts"))
						}
						last = append(last, texts...)
						r.batch(texts...)
					case "tx":
						if pg.PgConn().TxStatus() == 'I' {
							b := r.s.Begin(t.Context(), driver.TxOptions{})
							_, err := pg.Exec(t.Context(), "BEGIN")
							b.Begun(err)
							break
						}
						failed := pg.PgConn().TxStatus() == 'E'
						tag, err := pg.Exec(t.Context(), "COMMIT")
						if failed || tag.String() == "ROLLBACK" {
							err = &pgconn.PgError{Code: "25P02"}
						}
						r.s.Committed(t.Context(), err)
					default:
						r.exec(text)
					}
					rolled = rolled || strings.HasPrefix(text, "ROLLBACK")
					if pg.PgConn().TxStatus() == 'E' {
						continue // PostgreSQL answers nothing
					}
					for _, name := range []string{"posts", "only", "leaps"} {
						got, ok := r.s.Finds(name)
						want := r.finds(name)
						switch {
						case !ok:
							unknown++
						case got != want && want != "":
							t.Fatalf("%s is found in %q, not in %q, after\n%s", name, want, got, strings.Join(last[max(0, len(last)-12):], "\n"))
						default:
							known++
							if got != "public" {
								tenants++
							}
							if rolled {
								afterRollback++
							}
						}
					}
				}
				_ = pg.Close(t.Context())
			}
		}
		t.Logf("%d known, %d of tenants, %d after a rollback, %d not known", known, tenants, afterRollback, unknown)
		return known > 200 && unknown > 200 && tenants > 100 && afterRollback > 50
	})
}

// listOf writes a path as the values of SET.
func listOf(path string) string {
	if path == "" {
		return "''"
	}
	if rand.IntN(3) == 0 && !strings.ContainsAny(path, `",`) {
		return "'" + strings.ToLower(path) + "'"
	}
	return path
}

// Names of schemas are split and folded as PostgreSQL does.
func TestPathsAreSplitAsPostgresDoes(t *testing.T) {
	t.Parallel()
	conn := connect(t, "pgx", postgres(t))
	for _, text := range []string{`a`, `A`, `"A"`, `a, b`, `a,b ,  "C d"`, `"a""b"`, ``, ` `, `a,`, `,a`, `"a`, `a b`, `a"b"`, `"a"b`, `""`, `$user`, `"$user"`, "a\t,\nb", `ü`, `"ü"`, `1a`, `a.b`} {
		var shown string
		err := conn.QueryRowContext(t.Context(), `SELECT set_config('search_path', $1, false)`, text).Scan(&shown)
		p, ok := catalog.ParsePath(text, "me")
		if err != nil && ok {
			t.Errorf("%q: PostgreSQL refuses it", text)
		}
		if err != nil || !ok {
			continue
		}
		// What PostgreSQL takes it for is shown by creating the schemas and asking.
		run(t, conn, `DROP SCHEMA IF EXISTS a, b, "A", "C d", "a""b", "ü", "1a", "a.b" CASCADE`)
		run(t, conn, `CREATE SCHEMA a`, `CREATE SCHEMA b`, `CREATE SCHEMA "A"`, `CREATE SCHEMA "C d"`, `CREATE SCHEMA "a""b"`, `CREATE SCHEMA "ü"`, `CREATE SCHEMA "1a"`, `CREATE SCHEMA "a.b"`)
		var list string
		if err := conn.QueryRowContext(t.Context(), `SELECT array_to_string(current_schemas(false), '|')`).Scan(&list); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, s := range p.Schemas {
			if s != "$user" {
				want = append(want, s)
			}
		}
		if got := strings.Join(want, "|"); got != list {
			t.Errorf("%q: %q, PostgreSQL has %q", text, got, list)
		}
	}
}
