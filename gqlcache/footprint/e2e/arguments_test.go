package e2e

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// A meetingRig is one database, of which a test asks whether a write reaches an answer.
type meetingRig struct {
	t *testing.T
	h *harness
}

func meetingOn(t *testing.T, d catalog.Dialect, images bool, ddl ...string) *meetingRig {
	h := &harness{dialect: d, clock: &clock{}}
	m := observe.Off
	if images {
		m = observe.On
	}
	h.observer = observe.New(observe.Options{Dialect: d, Images: m, Logger: slog.New(slog.DiscardHandler)})
	h.observer.Attach(h.clock)
	h.clock.tagsOf = h.observer.TagsOf
	name, dsn := "sqlite", filepath.Join(t.TempDir(), "a.db")
	if d == catalog.PostgreSQL {
		name, dsn = "pgx", postgres(t)
	}
	var err error
	if h.plain, err = sql.Open(name, dsn); err != nil {
		t.Fatal(err)
	}
	execAll(t, h.plain, ddl)
	if h.db, err = footprintsql.Open(name, dsn, h.observer); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return &meetingRig{t, h}
}

func (r *meetingRig) answer(q interface {
	Query(string, ...any) (*sql.Rows, error)
}, text string, args ...any) string {
	rows, err := q.Query(text, args...)
	if err != nil {
		return err.Error()
	}
	return scanAll(rows)
}

func scanAll(rows *sql.Rows) string {
	defer rows.Close()
	cols, _ := rows.Columns()
	var b strings.Builder
	for rows.Next() {
		vals := make([]any, len(cols))
		for i := range vals {
			vals[i] = new(any)
		}
		if err := rows.Scan(vals...); err != nil {
			return err.Error()
		}
		for _, v := range vals {
			fmt.Fprintf(&b, "%v ", *v.(*any))
		}
		b.WriteString("; ")
	}
	if err := rows.Err(); err != nil {
		b.WriteString(err.Error())
	}
	return b.String()
}

// changes fails the test unless a write changes the answer, and the answer depends on something
// that it has published.
func (r *meetingRig) changes(text string, args []any, write string, wargs ...any) {
	r.t.Helper()
	var k *kept
	var before string
	for range 3 {
		ctx, end := r.h.begin(r.t.Context())
		rows, err := r.h.db.QueryContext(ctx, text, args...)
		if err != nil {
			r.t.Fatal(err)
		}
		before = scanAll(rows)
		k = &kept{footprint: end()}
		if k.footprint.unknown != "" {
			r.t.Fatal(k.footprint.unknown, r.h.observer.Findings())
		}
	}
	if _, err := r.h.db.ExecContext(observe.Outside(r.t.Context()), write, wargs...); err != nil {
		r.t.Fatal(err)
	}
	if after := r.answer(r.h.plain, text, args...); before == after {
		r.t.Errorf("%s %v\n  is %q after %s %v, too", text, args, after, write, wargs)
	} else if !r.h.clock.met(k) {
		r.t.Errorf("%s %v\n  stays %q after %s %v, and should be %q", text, args, before, write, wargs, after)
	}
}

// Any column of SQLite holds a text or a blob, which come behind all numbers. A blob is no number,
// whatever its bytes say.
func TestNoNumbersInColumnsOfNumbers(t *testing.T) {
	const (
		first    = `SELECT p.id, p.u FROM t p WHERE p.u IN (SELECT q.u FROM t q WHERE q.c = ? ORDER BY q.u LIMIT 3)`
		last     = `SELECT p.id, p.u FROM t p WHERE p.u IN (SELECT q.u FROM t q WHERE q.c = ? ORDER BY q.u DESC LIMIT 2)`
		page     = `SELECT id, u FROM t WHERE c = ? ORDER BY u LIMIT 3`
		lastPage = `SELECT id, u FROM t WHERE c = ? ORDER BY u DESC LIMIT 2`
	)
	for _, images := range []bool{false, true} {
		for _, text := range []string{"x'32'", "'x'", "2.5e300"} {
			for _, read := range []string{first, page} {
				r := meetingOn(t, catalog.SQLite, images, `CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, u INTEGER NOT NULL UNIQUE, c INTEGER NOT NULL)`,
					`INSERT INTO t VALUES ('a', 5, 1), ('b', `+text+`, 1), ('c', 100, 1)`)
				r.changes(read, []any{1}, `INSERT INTO t VALUES ('d', 200, 1)`)
			}
		}
		for _, v := range []any{[]byte("3"), "x", 300.5, int64(300)} {
			for _, read := range []string{last, lastPage} {
				for _, write := range []string{`INSERT INTO t VALUES ('d', ?, 1)`, `UPDATE t SET u = ? WHERE id = 'a'`} {
					r := meetingOn(t, catalog.SQLite, images, `CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, u INTEGER NOT NULL UNIQUE, c INTEGER NOT NULL)`,
						`INSERT INTO t VALUES ('a', 5, 1), ('b', 70, 1), ('c', 100, 1)`)
					r.changes(read, []any{1}, write, v)
				}
			}
		}
	}
}

type (
	pointerValue struct{}
	bytesValue   []byte
	initial      string
	ownID        [16]byte
)

func (*pointerValue) Value() (driver.Value, error) { return "P", nil }
func (bytesValue) Value() (driver.Value, error)    { return "P", nil }
func (s initial) Value() (driver.Value, error)     { return strings.ToUpper(string(s[:1])), nil }

func (ownID) Value() (driver.Value, error) { return "01000000-0000-0000-0000-000000000000", nil }

// pgx takes arguments as they are, and binds what their own methods say.
func TestArgumentsOfOwnTypes(t *testing.T) {
	const (
		optional = `SELECT id FROM t WHERE ($1::text IS NULL OR status = $1::text) ORDER BY id`
		exact    = `SELECT id FROM t WHERE status = $1 ORDER BY id`
		of       = `SELECT id FROM t WHERE status = ANY($1) ORDER BY id`
		byID     = `SELECT id, status FROM t WHERE id = $1`
	)
	id := ownID{1}
	for _, c := range []struct {
		read  string
		args  []any
		write string
		with  []any
	}{
		{optional, []any{(*pointerValue)(nil)}, `UPDATE t SET status = 'D' WHERE id = 'a'`, nil},
		{optional, []any{bytesValue(nil)}, `UPDATE t SET status = 'D' WHERE id = 'a'`, nil},
		{exact, []any{bytesValue(nil)}, `UPDATE t SET status = 'P' WHERE id = 'c'`, nil},
		{exact, []any{initial("published")}, `UPDATE t SET status = 'P' WHERE id = 'c'`, nil},
		{exact, []any{"P"}, `UPDATE t SET status = $1 WHERE id = 'c'`, []any{initial("published")}},
		{of, []any{[]initial{"published"}}, `UPDATE t SET status = 'P' WHERE id = 'c'`, nil},
		{byID, []any{id}, `UPDATE t SET status = 'P' WHERE id = '01000000-0000-0000-0000-000000000000'`, nil},
		{byID, []any{"01000000-0000-0000-0000-000000000000"}, `UPDATE t SET status = 'P' WHERE id = $1`, []any{id}},
	} {
		for _, images := range []bool{false, true} {
			r := meetingOn(t, catalog.PostgreSQL, images, `DROP TABLE IF EXISTS t`, `CREATE TABLE t (id text PRIMARY KEY, status text NOT NULL)`,
				`INSERT INTO t VALUES ('a', 'P'), ('b', 'P'), ('c', 'D'), ('01000000-0000-0000-0000-000000000000', 'D')`)
			r.changes(c.read, c.args, c.write, c.with...)
		}
	}
}

// A row by which a statement fails changes its answer, although the condition is one that an
// argument turns off.
func TestConditionsThatFail(t *testing.T) {
	r := meetingOn(t, catalog.SQLite, false, `CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, x INTEGER NOT NULL, y TEXT NOT NULL)`,
		`INSERT INTO t VALUES ('a', 1, '1'), ('b', 2, '1')`)
	r.changes(`SELECT id FROM t WHERE json_extract(y, '$') = 1 OR ?1 IS NULL`, []any{nil}, `UPDATE t SET y = '{' WHERE id = 'a'`)
	r.changes(`SELECT id FROM t WHERE abs(x) = 1 OR ?1 IS NULL`, []any{nil}, `UPDATE t SET x = -9223372036854775808 WHERE id = 'a'`)
}

// pgx takes options before the arguments, which are none of them.
func TestOptionsAmongArguments(t *testing.T) {
	const read = `SELECT id, n FROM t WHERE n = $1 ORDER BY id`
	for _, c := range []struct {
		args  []any
		write string
		with  []any
	}{
		{[]any{pgx.QueryExecModeExec, int64(7)}, `UPDATE t SET n = 7 WHERE id = 'a'`, nil},
		{[]any{int64(7)}, `UPDATE t SET n = $1 WHERE id = 'a'`, []any{pgx.QueryExecModeExec, int64(7)}},
		{[]any{pgx.QueryResultFormats{1}, pgx.QueryExecModeExec, int64(7)}, `UPDATE t SET n = 7 WHERE id = 'a'`, nil},
	} {
		for _, images := range []bool{false, true} {
			r := meetingOn(t, catalog.PostgreSQL, images, `DROP TABLE IF EXISTS t`, `CREATE TABLE t (id text PRIMARY KEY, n bigint NOT NULL)`, `INSERT INTO t VALUES ('a', 1), ('b', 2)`)
			r.changes(read, c.args, c.write, c.with...)
		}
	}
}
