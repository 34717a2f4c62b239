package e2e

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/lib/pq"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
)

// An app is an application that notes all it sees of its database.
type app struct {
	t      *testing.T
	db     *sql.DB
	driver string
	ctx    context.Context // of every statement
	lines  []string
}

func (a *app) note(format string, args ...any) {
	a.lines = append(a.lines, strings.ToValidUTF8(fmt.Sprintf(format, args...), "?"))
}

func (a *app) postgres() bool { return a.driver != "sqlite" }

// text writes placeholders as the driver wants them.
func (a *app) text(s string) string {
	if !a.postgres() {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if r == '?' {
			n++
			fmt.Fprintf(&b, "$%d", n)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

var (
	databaseName = regexp.MustCompile(`test\d+`)
	processID    = regexp.MustCompile(`(?i)process \d+|transaction \d+|PID \d+`)
)

// failed notes an error: its text, what it is and what it wraps.
func (a *app) failed(what string, err error) {
	if err == nil {
		a.note("%s: no error", what)
		return
	}
	var chain []string
	for e := err; e != nil; e = errors.Unwrap(e) {
		chain = append(chain, fmt.Sprintf("%T", e))
	}
	var p *pq.Error
	code := ""
	if errors.As(err, &p) {
		code = string(p.Code) + p.Detail
	}
	text := databaseName.ReplaceAllString(fmt.Sprint(err, chain, code), "test")
	a.note("%s: %s", what, processID.ReplaceAllString(text, "process"))
	for _, known := range []error{
		driver.ErrBadConn, driver.ErrSkip, io.EOF, sql.ErrNoRows, sql.ErrTxDone, sql.ErrConnDone,
		context.Canceled, context.DeadlineExceeded, pgx.ErrTxCommitRollback,
	} {
		if errors.Is(err, known) {
			a.note("%s: is %v, the same: %v", what, known, err == known) //nolint:errorlint // the very same
		}
	}
}

// A queryer is a handle, a connection or a transaction.
type queryer interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	PrepareContext(context.Context, string) (*sql.Stmt, error)
}

func (a *app) exec(q queryer, text string, args ...any) {
	res, err := q.ExecContext(a.ctx, a.text(text), args...)
	a.result(text, res, err)
}

func (a *app) result(what string, res sql.Result, err error) {
	a.failed(what, err)
	if err != nil {
		return
	}
	defer func() { // a driver may return no result at all
		if v := recover(); v != nil {
			a.note("%s: %v", what, v)
		}
	}()
	id, err := res.LastInsertId()
	a.failed(fmt.Sprint(what, " id ", id), err)
	n, err := res.RowsAffected()
	a.failed(fmt.Sprint(what, " affected ", n), err)
}

func (a *app) query(q queryer, text string, args ...any) {
	r, err := q.QueryContext(a.ctx, a.text(text), args...)
	a.rows(text, r, err)
}

func (a *app) rows(what string, r *sql.Rows, err error) {
	a.failed(what, err)
	if err != nil {
		return
	}
	for more := true; more; more = r.NextResultSet() {
		names, err := r.Columns()
		a.failed(fmt.Sprint(what, " columns ", names), err)
		types, err := r.ColumnTypes()
		a.failed(what+" types", err)
		for _, c := range types {
			n, ok := c.Length()
			null, hasNull := c.Nullable()
			p, s, hasScale := c.DecimalSize()
			a.note("%s %s: %s %v %d %v %v %v %d %d %v", what, c.Name(), c.DatabaseTypeName(), c.ScanType(), n, ok, null, hasNull, p, s, hasScale)
		}
		values := make([]any, len(names))
		to := make([]any, len(names))
		for i := range values {
			to[i] = &values[i]
		}
		for r.Next() {
			if err := r.Scan(to...); err != nil {
				a.failed(what+" scan", err)
			}
			var b strings.Builder
			for _, v := range values {
				fmt.Fprintf(&b, " %T(%v)", v, v)
			}
			if b.Len() > 200 {
				a.note("%s: %d bytes", what, b.Len())
				continue
			}
			a.note("%s:%s", what, b.String())
		}
		a.failed(what+" err", r.Err())
	}
	a.failed(what+" err", r.Err())
	a.failed(what+" close", r.Close())
}

// begin begins a transaction, with the zero options when o is nil.
func (a *app) begin(o *sql.TxOptions) *sql.Tx {
	tx, err := a.db.BeginTx(a.ctx, o)
	a.failed("begin", err)
	return tx
}

// conn takes a connection out of the pool.
func (a *app) conn(f func(*sql.Conn)) {
	c, err := a.db.Conn(a.ctx)
	a.failed("conn", err)
	if err == nil {
		f(c)
		a.failed("conn close", c.Close())
	}
}

var schemas = map[string][]string{
	"sqlite": {
		`CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, karma INTEGER NOT NULL DEFAULT 0, bio BLOB, at DATETIME, score REAL, low TEXT AS (lower(name)) STORED)`,
		`CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT, author_id INTEGER REFERENCES users ON DELETE CASCADE, title TEXT NOT NULL CHECK (length(title) < 2000000))`,
		`CREATE TABLE log (line TEXT)`,
		`CREATE TRIGGER noted AFTER DELETE ON posts BEGIN INSERT INTO log VALUES (old.title); END`,
		`CREATE VIEW feed AS SELECT p.id, p.title, u.name FROM posts p JOIN users u ON u.id = p.author_id`,
	},
	"postgres": {
		`CREATE TABLE users (id bigint PRIMARY KEY, name text UNIQUE, karma int NOT NULL DEFAULT 0, bio bytea, at timestamptz, score float8, low text GENERATED ALWAYS AS (lower(name)) STORED)`,
		`CREATE TABLE posts (id bigserial PRIMARY KEY, author_id bigint REFERENCES users ON DELETE CASCADE, title varchar(2000000) NOT NULL)`,
		`CREATE TABLE log (line text)`,
		`CREATE TABLE kinds (id uuid PRIMARY KEY, n numeric(10,2), j jsonb, l int[], d date, b bool, c char(3))`,
		`CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (old.title); RETURN old; END $$`,
		`CREATE TRIGGER noted AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION noted()`,
		`CREATE VIEW feed AS SELECT p.id, p.title, u.name FROM posts p JOIN users u ON u.id = p.author_id`,
	},
}

var data = []string{
	`INSERT INTO users (id, name, bio, at, score) VALUES (1, 'Ann', NULL, NULL, 1.5), (2, 'Bob', NULL, NULL, NULL), (3, NULL, NULL, NULL, -0.25)`,
	`INSERT INTO posts (author_id, title) VALUES (1, 'first'), (1, 'second'), (2, 'third')`,
}

// A step is what an application may do.
type step struct {
	name string
	on   string // "" for all drivers
	do   func(*app)
}

var steps = []step{
	{name: "reads", do: func(a *app) {
		a.query(a.db, `SELECT * FROM users ORDER BY id`)
		a.query(a.db, `SELECT id, title FROM posts WHERE author_id = ? ORDER BY id LIMIT 2`, 1)
		a.query(a.db, `SELECT * FROM feed WHERE name = ? ORDER BY id`, "Ann")
		a.query(a.db, `SELECT count(*), max(p.id) FROM users u LEFT JOIN posts p ON p.author_id = u.id WHERE u.karma >= ?`, 0)
		a.query(a.db, `SELECT id AS a, id AS a, NULL FROM users WHERE id IN (?, ?) ORDER BY id`, 1, 2)
		a.query(a.db, `WITH x AS (SELECT author_id, count(*) AS n FROM posts GROUP BY author_id) SELECT u.name, x.n FROM users u JOIN x ON x.author_id = u.id ORDER BY 1`)
		var name sql.NullString
		a.failed("row", a.db.QueryRowContext(a.ctx, a.text(`SELECT name FROM users WHERE id = ?`), 3).Scan(&name))
		a.note("%v", name)
		var n int
		a.failed("no row", a.db.QueryRowContext(a.ctx, a.text(`SELECT id FROM users WHERE id = ?`), 99).Scan(&n))
		a.failed("scan", a.db.QueryRowContext(a.ctx, `SELECT title FROM posts ORDER BY id`).Scan(&n))
		a.failed("too few", a.db.QueryRowContext(a.ctx, `SELECT id, title FROM posts ORDER BY id`).Scan(&n))
	}},
	{name: "writes", do: func(a *app) {
		a.exec(a.db, `INSERT INTO users (id, name) VALUES (?, ?)`, 10, "Cid")
		a.exec(a.db, `INSERT INTO posts (author_id, title) VALUES (?, ?), (?, ?)`, 10, "a", 10, "b")
		a.exec(a.db, `UPDATE users SET karma = karma + 1 WHERE id > ?`, 1)
		a.exec(a.db, `UPDATE users SET karma = 5 WHERE id = ?`, 12345)
		a.exec(a.db, `INSERT INTO users (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name`, 10, "Cyd")
		a.exec(a.db, `INSERT INTO users (id, name) VALUES (?, ?) ON CONFLICT DO NOTHING`, 10, "Dan")
		a.query(a.db, `INSERT INTO posts (author_id, title) VALUES (?, ?) RETURNING id, title`, 1, "returned")
		a.query(a.db, `UPDATE posts SET title = title || '!' WHERE author_id = ? RETURNING *`, 1)
		a.exec(a.db, `UPDATE posts SET title = title || '?' WHERE author_id = ? RETURNING id`, 1)
		r, err := a.db.QueryContext(a.ctx, a.text(`UPDATE posts SET title = title || '.' WHERE author_id = ? RETURNING id`), 1)
		a.failed("closed early", err)
		if err == nil {
			a.note("%v", r.Next())
			a.failed("closed early", r.Close())
		}
		a.exec(a.db, `DELETE FROM posts WHERE title LIKE ?`, "%nothing%")
		a.exec(a.db, `DELETE FROM users WHERE id = ?`, 10)
		a.query(a.db, `INSERT INTO log VALUES ('by a query')`)
	}},
	{name: "failures", do: func(a *app) {
		a.exec(a.db, `SELEC 1`)
		a.query(a.db, `SELEC 1`)
		a.exec(a.db, ``)
		a.query(a.db, ``)
		a.query(a.db, `SELECT * FROM missing`)
		a.query(a.db, `SELECT missing FROM users`)
		a.exec(a.db, `INSERT INTO users (id, name) VALUES (?, ?)`, 1, "again")
		a.exec(a.db, `INSERT INTO users (id, name) VALUES (?, ?)`, 11, "Ann")
		a.exec(a.db, `INSERT INTO posts (author_id, title) VALUES (?, ?)`, 999, "no author")
		a.exec(a.db, `INSERT INTO posts (author_id, title) VALUES (?, ?)`, 1, nil)
		a.exec(a.db, `UPDATE users SET karma = ? WHERE id = 1`, nil)
		a.query(a.db, `SELECT * FROM users WHERE id = ? AND name = ?`, 1)
		a.query(a.db, `SELECT * FROM users WHERE id = ?`, 1, 2)
		a.query(a.db, `SELECT * FROM users WHERE id = ?`, struct{ X int }{1})
		a.query(a.db, `SELECT * FROM users WHERE name = ?`, channel)
		a.query(a.db, `SELECT 1 / (id - 1) FROM users ORDER BY id`)
		_, err := a.db.PrepareContext(a.ctx, `SELEC 1`)
		a.failed("prepare", err)
	}},
	{name: "arguments", do: func(a *app) {
		at := time.Date(2026, 2, 3, 4, 5, 6, 7000, time.UTC)
		a.exec(a.db, `INSERT INTO users (id, name, karma, bio, at, score) VALUES (?, ?, ?, ?, ?, ?)`, int32(20), []byte("bytes"), true, []byte{0, 1, 255}, at, 2.5)
		a.exec(a.db, `INSERT INTO users (id, name, karma, bio, at, score) VALUES (?, ?, ?, ?, ?, ?)`, int64(21), sql.NullString{}, 7, []byte{0, 1, 255}, at, float32(1))
		a.exec(a.db, `INSERT INTO users (id, name) VALUES (?, ?)`, uint8(22), sql.NullString{String: "null", Valid: true})
		type mine string
		a.exec(a.db, `UPDATE users SET name = ? WHERE id = ?`, mine("mine"), "22")
		a.exec(a.db, `UPDATE users SET name = ? WHERE id = ?`, valuer{"v"}, valuer{int64(22)})
		a.exec(a.db, `UPDATE users SET name = ? WHERE id = ?`, valuer{nil}, new(int))
		a.query(a.db, `SELECT * FROM users WHERE id >= ? ORDER BY id`, 20)
		a.exec(a.db, `UPDATE users SET name = ?`, out)
		a.exec(a.db, `UPDATE users SET karma = 1 WHERE name = :n`, sql.Named("n", "Ann"))
		a.query(a.db, `SELECT id FROM users WHERE id = @n`, sql.Named("n", 1))
	}},
	{name: "big", do: func(a *app) {
		a.exec(a.db, `INSERT INTO posts (author_id, title) VALUES (?, ?)`, 1, strings.Repeat("ä", 200_000))
		tx := a.begin(nil)
		s, err := tx.PrepareContext(a.ctx, a.text(`INSERT INTO posts (author_id, title) VALUES (?, ?)`))
		a.failed("prepare", err)
		for i := range 300 {
			if _, err := s.ExecContext(a.ctx, 2, fmt.Sprint("bulk ", i)); err != nil {
				a.failed("bulk", err)
			}
		}
		a.exec(tx, `UPDATE posts SET title = title || '+' WHERE author_id = ?`, 2)
		a.failed("commit", tx.Commit())
		a.query(a.db, `SELECT * FROM posts WHERE author_id IN (?, ?) ORDER BY id`, 1, 2)
		a.exec(a.db, `DELETE FROM posts WHERE title LIKE ?`, "bulk %")
		a.exec(a.db, `DELETE FROM log`)
	}},
	{name: "prepared", do: func(a *app) {
		s, err := a.db.PrepareContext(a.ctx, a.text(`INSERT INTO users (id, name) VALUES (?, ?)`))
		a.failed("prepare", err)
		q, err := a.db.PrepareContext(a.ctx, a.text(`SELECT id, name FROM users WHERE id >= ? ORDER BY id`))
		a.failed("prepare", err)
		for _, args := range [][]any{{30, "x"}, {30, "x"}, {31}, {31, "y", 1}, {32, "z"}, {"a", "b"}} {
			res, err := s.ExecContext(a.ctx, args...)
			a.result("prepared", res, err)
			r, err := q.QueryContext(a.ctx, args[0])
			a.rows("prepared rows", r, err)
		}
		tx := a.begin(nil)
		res, err := tx.StmtContext(a.ctx, s).ExecContext(a.ctx, 33, "in")
		a.result("in a transaction", res, err)
		r, err := tx.StmtContext(a.ctx, q).QueryContext(a.ctx, 30)
		a.rows("in a transaction", r, err)
		a.failed("rollback", tx.Rollback())
		r, err = q.QueryContext(a.ctx, 30)
		a.rows("afterwards", r, err)
		a.failed("close", s.Close())
		_, err = s.ExecContext(a.ctx, 34, "late")
		a.failed("closed", err)
		a.failed("close", q.Close())
		a.conn(func(c *sql.Conn) {
			s, err := c.PrepareContext(a.ctx, a.text(`UPDATE users SET karma = ? WHERE id = ?`))
			a.failed("prepare", err)
			for i := range 3 {
				res, err := s.ExecContext(a.ctx, i, 30)
				a.result("pinned", res, err)
			}
		})
	}},
	{name: "transactions", do: func(a *app) {
		for _, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
			tx := a.begin(nil)
			a.exec(tx, `UPDATE users SET karma = karma + 1 WHERE id = ?`, 1)
			a.query(tx, `SELECT id, karma FROM users WHERE id = ?`, 1)
			a.exec(tx, `DELETE FROM posts WHERE id = ?`, 1)
			a.exec(tx, `SAVEPOINT one`)
			a.exec(tx, `UPDATE users SET karma = 100, name = 'Zoe' WHERE id = ?`, 2)
			a.exec(tx, `ROLLBACK TO one`)
			a.exec(tx, `RELEASE one`)
			a.failed("end", end(tx))
			a.failed("end again", end(tx))
			a.query(a.db, `SELECT id, name, karma FROM users ORDER BY id`)
		}
		tx := a.begin(nil)
		a.exec(tx, `UPDATE users SET karma = 50 WHERE id = ?`, 1)
		a.exec(tx, `INSERT INTO users (id, name) VALUES (1, 'twice')`)
		a.exec(tx, `UPDATE users SET karma = 51 WHERE id = ?`, 1)
		a.failed("commit after an error", tx.Commit())
		a.query(a.db, `SELECT id, karma FROM users ORDER BY id`)
		for level := sql.LevelDefault; level <= sql.LevelLinearizable; level++ {
			for _, readOnly := range []bool{false, true} {
				tx, err := a.db.BeginTx(a.ctx, &sql.TxOptions{Isolation: level, ReadOnly: readOnly})
				a.failed(fmt.Sprint("level ", level, readOnly), err)
				if err != nil {
					continue
				}
				a.query(tx, `SELECT count(*) FROM users`)
				a.exec(tx, `UPDATE users SET karma = 3 WHERE id = ?`, 2)
				a.failed("commit", tx.Commit())
			}
		}
	}},
	{name: "text transactions", do: func(a *app) {
		a.conn(func(c *sql.Conn) {
			for _, end := range []string{"COMMIT", "ROLLBACK", "END"} {
				a.exec(c, `BEGIN`)
				a.exec(c, `UPDATE users SET karma = karma + 10 WHERE id = ?`, 1)
				a.exec(c, `BEGIN`)
				a.query(c, `SELECT karma FROM users WHERE id = ?`, 1)
				a.exec(c, end)
				a.exec(c, end)
			}
			a.exec(c, `SAVEPOINT outer`)
			a.exec(c, `UPDATE users SET karma = karma + 10 WHERE id = ?`, 1)
			a.exec(c, `RELEASE outer`)
		})
		a.query(a.db, `SELECT id, karma FROM users ORDER BY id`)
		if a.driver == "pq" {
			return // it hands the connection out with the transaction that is open
		}
		a.conn(func(c *sql.Conn) {
			a.exec(c, `BEGIN`)
			a.exec(c, `UPDATE users SET karma = -1 WHERE id = ?`, 1)
		})
		if a.driver == "sqlite" {
			a.exec(a.db, `ROLLBACK`) // the pool has one connection there
		}
		a.query(a.db, `SELECT id, karma FROM users ORDER BY id`)
	}},
	{name: "several statements", do: func(a *app) {
		a.exec(a.db, `UPDATE users SET karma = 8 WHERE id = 1; UPDATE users SET karma = 9 WHERE id = 2`)
		a.exec(a.db, `UPDATE users SET karma = ? WHERE id = 1; UPDATE users SET karma = ? WHERE id = 2`, 1, 2)
		a.query(a.db, `SELECT id FROM users ORDER BY id; SELECT title, id FROM posts ORDER BY id`)
		a.query(a.db, `UPDATE users SET karma = 4 WHERE id = 1; SELECT karma FROM users ORDER BY id`)
		a.exec(a.db, `BEGIN; UPDATE users SET karma = 20 WHERE id = 1; COMMIT`)
		a.exec(a.db, `UPDATE users SET karma = 30 WHERE id = 1; SELEC`)
		a.exec(a.db, `UPDATE users SET karma = 31 WHERE id = 1; -- a comment`)
		a.query(a.db, `SELECT id, karma FROM users ORDER BY id`)
	}},
	{name: "rows that are open", do: func(a *app) {
		tx := a.begin(nil)
		r, err := tx.QueryContext(a.ctx, `SELECT id FROM users ORDER BY id`)
		a.failed("first", err)
		a.note("%v", r.Next())
		if a.postgres() {
			// The drivers refuse, and lib/pq gives the connection up with it.
			_, err := tx.ExecContext(a.ctx, `UPDATE users SET karma = 77 WHERE id = 1`)
			a.failed("second", err)
		} else {
			a.exec(tx, `UPDATE users SET karma = 77 WHERE id = ?`, 1)
			a.query(tx, `SELECT id, karma FROM users ORDER BY id`)
		}
		for r.Next() { //nolint:revive // to the end
		}
		a.failed("first", r.Err())
		a.failed("close", r.Close())
		a.failed("commit", tx.Commit())
		a.query(a.db, `SELECT id, karma FROM users ORDER BY id`)
	}},
	{name: "contexts", do: func(a *app) {
		gone, cancel := context.WithCancel(a.ctx)
		cancel()
		_, err := a.db.ExecContext(gone, `DELETE FROM users`)
		a.failed("exec", err)
		_, err = a.db.QueryContext(gone, `SELECT * FROM users`)
		a.failed("query", err)
		_, err = a.db.BeginTx(gone, nil)
		a.failed("begin", err)
		_, err = a.db.PrepareContext(gone, `SELECT 1`)
		a.failed("prepare", err)
		a.failed("ping", a.db.PingContext(gone))
		a.failed("ping", a.db.PingContext(a.ctx))

		ctx, cancel := context.WithCancel(a.ctx)
		r, err := a.db.QueryContext(ctx, `SELECT id FROM users ORDER BY id`)
		a.failed("query", err)
		a.note("%v", r.Next())
		cancel()
		for r.Err() == nil {
			runtime.Gosched()
		}
		a.note("%v", r.Next())
		a.failed("err", r.Err())
		a.query(a.db, `SELECT count(*) FROM users`)

		ctx, cancel = context.WithCancel(a.ctx)
		tx, err := a.db.BeginTx(ctx, nil)
		a.failed("begin", err)
		_, err = tx.ExecContext(a.ctx, `DELETE FROM log`)
		a.failed("exec", err)
		cancel()
		for !errors.Is(err, sql.ErrTxDone) {
			err = tx.Commit()
		}
		a.failed("commit", err)
		a.query(a.db, `SELECT count(*) FROM log`)
	}},
	{name: "connections", do: func(a *app) {
		a.failed("ping", a.db.PingContext(a.ctx))
		a.conn(func(c *sql.Conn) {
			a.failed("ping", c.PingContext(a.ctx))
			a.failed("raw", c.Raw(func(v any) error {
				inner := footprintsql.Unwrap(v)
				a.note("%T", inner)
				return errors.New("own")
			}))
			a.failed("raw", footprintsql.Raw(a.ctx, c, func(inner any) error {
				a.note("%T", inner)
				r, err := inner.(driver.QueryerContext).QueryContext(a.ctx, `SELECT 1`, nil)
				if err == nil {
					err = r.Close()
				}
				return err
			}))
			a.query(c, `SELECT count(*) FROM users`)
			a.failed("raw", c.Raw(func(any) error { return driver.ErrBadConn }))
			a.failed("ping", c.PingContext(a.ctx))
		})
		a.note("%T", a.db.Driver())
		if !a.postgres() {
			return // the pool has one connection there
		}
		a.db.SetMaxIdleConns(0)
		for range 5 {
			a.query(a.db, `SELECT count(*) FROM users`)
			a.exec(a.db, `UPDATE users SET karma = karma + 1 WHERE id = ?`, 3)
		}
		a.db.SetMaxIdleConns(2)
		a.db.SetConnMaxLifetime(time.Nanosecond)
		a.query(a.db, `SELECT count(*) FROM users`)
		a.query(a.db, `SELECT karma FROM users WHERE id = 3`)
		a.db.SetConnMaxLifetime(0)
	}},
	{name: "definitions", do: func(a *app) {
		a.exec(a.db, `CREATE TABLE more (id INTEGER PRIMARY KEY, x TEXT)`)
		a.exec(a.db, `INSERT INTO more (id, x) VALUES (?, ?)`, 1, "x")
		a.exec(a.db, `ALTER TABLE more ADD COLUMN y TEXT`)
		a.query(a.db, `SELECT * FROM more`)
		tx := a.begin(nil)
		a.exec(tx, `DROP TABLE more`)
		a.query(tx, `SELECT * FROM feed ORDER BY id`)
		a.failed("rollback", tx.Rollback())
		a.query(a.db, `SELECT * FROM more`)
		a.exec(a.db, `CREATE INDEX more_x ON more (x)`)
		a.exec(a.db, `CREATE TEMPORARY TABLE t (id INTEGER)`)
		a.exec(a.db, `DROP TABLE more`)
		a.query(a.db, `SELECT * FROM more`)
		a.exec(a.db, `EXPLAIN SELECT * FROM posts`)
	}},
	{name: "sqlite", on: "sqlite", do: func(a *app) {
		a.query(a.db, `PRAGMA foreign_keys`)
		a.exec(a.db, `PRAGMA foreign_keys = off`)
		a.exec(a.db, `INSERT INTO posts (author_id, title) VALUES (?, ?)`, 1234, "orphan")
		a.exec(a.db, `PRAGMA foreign_keys = on`)
		a.exec(a.db, `INSERT OR REPLACE INTO users (id, name) VALUES (?, ?)`, 2, "Bea")
		a.exec(a.db, `REPLACE INTO users (id, name) VALUES (?, ?)`, 3, "Bea")
		a.exec(a.db, `UPDATE users SET name = ?1, karma = ?2 WHERE id = ?1 OR id = 3`, "Ned", 4)
		a.query(a.db, `SELECT $a, :b, @c`, sql.Named("a", 1), sql.Named("b", 2), sql.Named("c", "x"))
		a.exec(a.db, `BEGIN IMMEDIATE`)
		a.exec(a.db, `UPDATE users SET karma = 60 WHERE id = ?`, 1)
		a.exec(a.db, `DELETE FROM posts WHERE author_id = ?`, 1)
		a.exec(a.db, `INSERT OR ROLLBACK INTO users (id, name) VALUES (?, ?)`, 1, "rolled back")
		a.exec(a.db, `COMMIT`)
		a.exec(a.db, `ATTACH ':memory:' AS other`)
		a.exec(a.db, `CREATE TABLE other.x (id INTEGER)`)
		a.exec(a.db, `INSERT INTO other.x VALUES (1)`)
		a.query(a.db, `SELECT * FROM x`)
		a.exec(a.db, `VACUUM`)
		a.query(a.db, `SELECT count(*) FROM sqlite_schema`)
	}},
	{name: "sqlite, locked", on: "sqlite", do: func(a *app) {
		a.db.SetMaxOpenConns(2)
		a.conn(func(c *sql.Conn) {
			a.conn(func(d *sql.Conn) {
				a.exec(d, `PRAGMA busy_timeout = 0`)
				a.exec(c, `BEGIN`)
				a.exec(c, `UPDATE users SET karma = 1 WHERE id = ?`, 1)
				a.exec(d, `UPDATE users SET karma = 2 WHERE id = ?`, 1)
				a.exec(d, `BEGIN`)
				a.query(d, `SELECT count(*) FROM users`)
				a.exec(d, `UPDATE users SET karma = 2 WHERE id = ?`, 1)
				a.exec(c, `COMMIT`)
				a.exec(d, `UPDATE users SET karma = 2 WHERE id = ?`, 1)
				a.exec(d, `ROLLBACK`)
			})
		})
		a.db.SetMaxOpenConns(1)
	}},
	{name: "postgres", on: "postgres", do: func(a *app) {
		a.exec(a.db, `INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?, ?)`, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "12.50", `{"a": [1]}`, "{1,2,NULL}", "2026-02-03", true, "x")
		a.exec(a.db, `INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?, ?)`, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12", nil, nil, nil, nil, nil, nil)
		a.query(a.db, `SELECT * FROM kinds ORDER BY id`)
		a.query(a.db, `SELECT * FROM kinds WHERE id = ?`, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")
		a.query(a.db, `SELECT id FROM users WHERE id = ANY(?) ORDER BY id`, pq.Array([]int64{1, 3}))
		a.query(a.db, `SELECT id FROM users WHERE id = ANY(?) ORDER BY id`, []int64{1, 3})
		a.query(a.db, `SELECT`)
		a.query(a.db, `SELECT FROM users`)
		a.query(a.db, `VALUES (1, 'a'), (2, 'b')`)
		a.query(a.db, `TABLE log`)
		a.exec(a.db, `DO $$ BEGIN UPDATE users SET karma = 5 WHERE id = 1; RAISE NOTICE 'done'; END $$`)
		a.exec(a.db, `DO $$ BEGIN RAISE EXCEPTION 'own'; END $$`)
		a.query(a.db, `SELECT nextval('posts_id_seq')`)
		a.query(a.db, `SELECT pg_advisory_lock(1), pg_advisory_unlock(1)`)
		a.exec(a.db, `LISTEN news`)
		a.exec(a.db, `NOTIFY news, 'x'`)
		a.exec(a.db, `SET statement_timeout = 60000`)
		a.query(a.db, `SHOW statement_timeout`)
		a.query(a.db, `EXPLAIN (COSTS OFF) SELECT * FROM log`)
		a.exec(a.db, `EXPLAIN ANALYZE UPDATE users SET karma = 6 WHERE id = 1`)
		a.exec(a.db, `TRUNCATE log`)
		a.exec(a.db, `MERGE INTO users u USING posts p ON u.id = p.author_id AND p.id = 2 WHEN MATCHED THEN UPDATE SET karma = 9`)
		tx := a.begin(nil)
		a.exec(tx, `SET LOCAL lock_timeout = 1000`)
		a.exec(tx, `DECLARE c CURSOR FOR SELECT id FROM users ORDER BY id`)
		a.query(tx, `FETCH 2 FROM c`)
		a.query(tx, `SELECT id FROM users WHERE id = ? FOR UPDATE`, 1)
		a.exec(tx, `UPDATE users SET karma = 10 WHERE CURRENT OF c`)
		a.failed("commit", tx.Commit())
		a.conn(func(c *sql.Conn) {
			a.exec(c, `BEGIN`)
			a.exec(c, `UPDATE users SET karma = 11 WHERE id = 1`)
			a.exec(c, `PREPARE TRANSACTION 'g'`)
			a.query(c, `SELECT karma FROM users WHERE id = 1`)
			a.exec(c, `COMMIT PREPARED 'g'`)
			a.query(c, `SELECT karma FROM users WHERE id = 1`)
			a.exec(c, `BEGIN`)
			a.exec(c, `UPDATE users SET karma = 12 WHERE id = 1`)
			a.exec(c, `COMMIT AND CHAIN`)
			a.exec(c, `UPDATE users SET karma = 13 WHERE id = 1`)
			a.exec(c, `ROLLBACK`)
			a.query(c, `SELECT karma FROM users WHERE id = 1`)
			a.exec(c, `PREPARE p (bigint) AS UPDATE users SET karma = 14 WHERE id = $1`)
			a.exec(c, `EXECUTE p (1)`)
			a.exec(c, `DEALLOCATE p`)
			a.exec(c, `DISCARD ALL`)
			a.query(c, `SELECT karma FROM users WHERE id = 1`)
		})
	}},
	{name: "postgres, conflicts", on: "postgres", do: func(a *app) {
		one := a.begin(&sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		two := a.begin(&sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		a.query(two, `SELECT karma FROM users WHERE id = 1`)
		a.exec(one, `UPDATE users SET karma = 20 WHERE id = ?`, 1)
		a.failed("commit", one.Commit())
		a.exec(two, `UPDATE users SET karma = 21 WHERE id = ?`, 1)
		a.exec(two, `UPDATE users SET karma = 22 WHERE id = ?`, 2)
		a.failed("commit", two.Commit())

		one, two = a.begin(nil), a.begin(nil)
		a.exec(one, `UPDATE users SET karma = 23 WHERE id = ?`, 1)
		a.exec(two, `SET LOCAL lock_timeout = 20`)
		a.exec(two, `UPDATE users SET karma = 24 WHERE id = ?`, 1)
		a.failed("rollback", two.Rollback())
		a.failed("commit", one.Commit())

		// The first transaction looks for a deadlock, and finds that it is part of one.
		one, two = a.begin(nil), a.begin(nil)
		a.exec(one, `SET LOCAL deadlock_timeout = 10`)
		a.exec(two, `SET LOCAL deadlock_timeout = 60000`)
		a.exec(one, `UPDATE users SET karma = 25 WHERE id = ?`, 1)
		a.exec(two, `UPDATE users SET karma = 26 WHERE id = ?`, 2)
		var waited error
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, waited = two.ExecContext(a.ctx, `UPDATE users SET karma = 27 WHERE id = 1`)
		}()
		for n := 0; n == 0; {
			if err := a.db.QueryRowContext(context.Background(), `SELECT count(*) FROM pg_locks WHERE NOT granted`).Scan(&n); err != nil {
				a.t.Fatal(err)
			}
		}
		a.exec(one, `UPDATE users SET karma = 28 WHERE id = ?`, 2)
		a.failed("rollback", one.Rollback())
		<-done
		a.failed("the other", waited)
		a.failed("commit", two.Commit())
		a.query(a.db, `SELECT id, karma FROM users ORDER BY id`)

		// The server ends the connection.
		tx := a.begin(nil)
		var pid int
		a.failed("pid", tx.QueryRowContext(a.ctx, `SELECT pg_backend_pid()`).Scan(&pid))
		a.exec(tx, `UPDATE users SET karma = 29 WHERE id = ?`, 1)
		_, err := a.db.ExecContext(context.Background(), `SELECT pg_terminate_backend($1, 10000)`, pid)
		a.failed("terminate", err)
		_, err = tx.ExecContext(a.ctx, `UPDATE users SET karma = 30 WHERE id = 1`)
		a.note("failed: %v", err != nil) // with what the drivers leave to chance
		a.note("failed: %v", tx.Commit() != nil)
		a.query(a.db, `SELECT id, karma FROM users ORDER BY id`)
	}},
	{name: "copy", on: "pq", do: func(a *app) {
		tx := a.begin(nil)
		s, err := tx.PrepareContext(a.ctx, `COPY "log" ("line") FROM STDIN`)
		a.failed("copy", err)
		for i := range 3 {
			res, err := s.ExecContext(a.ctx, fmt.Sprint("line ", i))
			a.result("copy", res, err)
		}
		res, err := s.ExecContext(a.ctx)
		a.result("copied", res, err)
		a.failed("close", s.Close())
		a.failed("commit", tx.Commit())
		a.query(a.db, `SELECT * FROM log ORDER BY 1`)
	}},
	{name: "copy", on: "pgx", do: func(a *app) {
		a.conn(func(c *sql.Conn) {
			a.failed("copy", footprintsql.Raw(a.ctx, c, func(inner any) error {
				n, err := inner.(*stdlib.Conn).Conn().CopyFrom(a.ctx, pgx.Identifier{"log"}, []string{"line"}, pgx.CopyFromRows([][]any{{"a"}, {"b"}}))
				a.note("%d", n)
				return err
			}))
			a.query(c, `SELECT * FROM log ORDER BY 1`)
		})
	}},
}

// Arguments that few drivers take. Errors have their addresses.
var (
	channel = make(chan int)
	out     = sql.Out{Dest: new(string)}
)

type valuer struct{ v driver.Value }

func (v valuer) Value() (driver.Value, error) { return v.v, nil }

// run does the steps, and looks at the data after each.
func (a *app) run() {
	for _, s := range steps {
		if s.on != "" && s.on != a.driver && (s.on != "postgres" || !a.postgres()) {
			continue
		}
		a.note("=== %s", s.name)
		s.do(a)
		for _, table := range []string{"users", "posts", "log"} {
			a.query(a.db, `SELECT * FROM `+table+` ORDER BY 1`)
		}
	}
	a.failed("close", a.db.Close())
	a.failed("closed", a.db.PingContext(a.ctx))
}

// database returns the DSN of a new database with the schema and the data.
func database(t *testing.T, driverName string) string {
	t.Helper()
	var dsn string
	schema := schemas["postgres"]
	if driverName == "sqlite" {
		dsn = "file:" + filepath.Join(t.TempDir(), "db") + "?_pragma=foreign_keys(1)&_pragma=journal_mode(wal)&_pragma=busy_timeout(5000)"
		schema = schemas["sqlite"]
	} else {
		dsn = postgres(t)
	}
	c := connect(t, driverName, dsn)
	run(t, c, schema...)
	run(t, c, data...)
	return dsn
}

// A sink counts what is published.
type sink struct{ number, everything atomic.Uint64 }

func (s *sink) Number() uint64 { return s.number.Load() }

func (s *sink) Wrote(context.Context) {}

func (s *sink) Committed(_ context.Context, c footprint.Commit) {
	s.number.Add(1)
	if c.Everything != "" {
		s.everything.Add(1)
	}
}

// Steps of an application, without and with the wrapper: it sees the same.
func TestConformance(t *testing.T) {
	for _, name := range []string{"sqlite", "pgx", "pq"} {
		driverName := name
		dialect := footprint.PostgreSQL
		switch name {
		case "pq":
			driverName = "postgres"
		case "sqlite":
			dialect = footprint.SQLite
		}
		plain := sync1(func() []string {
			db, err := sql.Open(driverName, database(t, driverName))
			if err != nil {
				t.Fatal(err)
			}
			return transcript(t, db, name, t.Context())
		})
		for _, o := range []struct {
			name     string
			options  footprint.Options
			recorded bool
			outside  bool
		}{
			{name: "default"},
			{name: "recorded", recorded: true},
			{name: "images, recorded", recorded: true, options: footprint.Options{Images: footprint.On, SemiJoins: name == "sqlite"}},
			{name: "by time, recorded", recorded: true, options: footprint.Options{Images: footprint.Off, Attribution: footprint.ByTime}},
			{name: "outside", outside: true},
		} {
			t.Run(name+"/"+o.name, func(t *testing.T) {
				o.options.Dialect = dialect
				o.options.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
				obs := footprint.New(o.options)
				s := &sink{}
				defer obs.Attach(s)()
				dsn := database(t, driverName)
				db, err := footprintsql.Open(driverName, dsn, obs)
				if err != nil {
					t.Fatal(err)
				}
				if o.outside {
					c := footprintsql.Outside(connectorOf(t, driverName, dsn), obs)
					_ = db.Close()
					db = sql.OpenDB(c)
				}
				ctx := t.Context()
				if o.recorded {
					c, rec := footprint.Begin(ctx, footprint.Start{Sink: s}, obs)
					ctx = c
					defer func() {
						if got := rec.End(); got.Statements == 0 {
							t.Error("no statement was recorded")
						}
					}()
				}
				got := transcript(t, db, name, ctx)
				compare(t, plain(), got)
				if !obs.Loaded() {
					t.Errorf("the catalog was not read: %v", obs.Findings())
				}
				for _, f := range obs.Findings() {
					if f.Kind == "panic" {
						t.Errorf("%+v", f)
					}
				}
				if s.number.Load() == 0 || s.number.Load() == s.everything.Load() {
					t.Errorf("%d commits were published, %d as everything: %+v", s.number.Load(), s.everything.Load(), obs.Findings())
				}
			})
		}
	}
}

// sync1 makes f be called when it is first needed.
func sync1(f func() []string) func() []string {
	var got []string
	return func() []string {
		if got == nil {
			got = f()
		}
		return got
	}
}

func transcript(t *testing.T, db *sql.DB, name string, ctx context.Context) []string {
	t.Helper()
	if name == "sqlite" {
		db.SetMaxOpenConns(1)
	}
	a := &app{t: t, db: db, driver: name, ctx: ctx}
	a.run()
	return a.lines
}

func connectorOf(t *testing.T, driverName, dsn string) driver.Connector {
	t.Helper()
	db, err := sql.Open(driverName, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if d, ok := db.Driver().(driver.DriverContext); ok {
		c, err := d.OpenConnector(dsn)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	return byName{db.Driver(), dsn}
}

type byName struct {
	d   driver.Driver
	dsn string
}

func (b byName) Connect(context.Context) (driver.Conn, error) { return b.d.Open(b.dsn) }
func (b byName) Driver() driver.Driver                        { return b.d }

func compare(t *testing.T, plain, wrapped []string) {
	t.Helper()
	at := ""
	for i, line := range plain {
		if strings.HasPrefix(line, "=== ") {
			at = line
		}
		if i >= len(wrapped) || wrapped[i] != line {
			got := "nothing"
			if i < len(wrapped) {
				got = wrapped[i]
			}
			t.Fatalf("%s, line %d of %d\nwithout the wrapper: %s\nwith the wrapper:    %s", at, i, len(plain), line, got)
		}
	}
	if len(wrapped) > len(plain) {
		t.Fatalf("with the wrapper only: %q", wrapped[len(plain):])
	}
}
