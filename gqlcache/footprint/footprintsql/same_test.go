package footprintsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A transcript is what an application sees, and how the driver was called.
type transcript struct {
	lines []string
	f     *fake
}

func (t *transcript) note(format string, args ...any) {
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
}

var out = sql.Out{Dest: new(int)}

// failed notes an error by its text and by what it is.
func (t *transcript) failed(what string, err error) {
	t.note("%s: %v %T bad=%v skip=%v eof=%v own=%v canceled=%v done=%v", what, err, err,
		err == driver.ErrBadConn, err == driver.ErrSkip, err == io.EOF, err == errOwn, //nolint:errorlint // the very same
		errors.Is(err, context.Canceled), errors.Is(err, sql.ErrConnDone))
}

var errOwn = errors.New("the driver's own error")

func (t *transcript) result(what string, r sql.Result, err error) {
	t.failed(what, err)
	if err == nil {
		id, e1 := r.LastInsertId()
		n, e2 := r.RowsAffected()
		t.note("%s: id %d %v, affected %d %v", what, id, e1, n, e2)
	}
}

func (t *transcript) rows(what string, r *sql.Rows, err error) {
	t.failed(what, err)
	if err != nil {
		return
	}
	for more := true; more; more = r.NextResultSet() {
		names, err := r.Columns()
		t.failed(fmt.Sprint(what, " columns ", names), err)
		types, err := r.ColumnTypes()
		t.failed(what+" types", err)
		for _, c := range types {
			t.note("%s: %s %s", what, c.Name(), c.DatabaseTypeName())
			n, ok := c.Length()
			null, hasNull := c.Nullable()
			p, s, hasScale := c.DecimalSize()
			t.note("%s: %v %d %v %v %v %d %d %v", what, c.ScanType(), n, ok, null, hasNull, p, s, hasScale)
		}
		for r.Next() {
			var id, name any
			t.failed(what+" scan", r.Scan(&id, &name))
			t.note("%s: %v %v", what, id, name)
		}
		t.failed(what+" err", r.Err())
	}
	t.failed(what+" close", r.Close())
	t.failed(what+" err", r.Err())
}

// unread is for rows that database/sql may be closing at the same time.
func (t *transcript) unread(what string, r *sql.Rows, err error) {
	t.failed(what, err)
	if err == nil {
		r.Close()
	}
}

// panics calls f, and notes what it panics with.
func (t *transcript) panics(what string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			t.note("%s panics: %v", what, v)
		}
	}()
	f()
}

// script is what an application may do.
func script(t *transcript, db *sql.DB) {
	ctx := context.Background()
	gone, cancel := context.WithCancel(ctx)
	cancel()

	t.failed("ping", db.Ping())
	t.failed("ping, gone", db.PingContext(gone))
	for _, args := range [][]any{
		{1}, {"x", nil}, {sql.Named("n", 5)}, {special("äb")}, {1, special("b")}, {removed{}},
		{1, removed{}}, {struct{}{}}, {out}, {1, 2, 3, struct{}{}},
	} {
		what := fmt.Sprint("exec ", len(args), " ", args[0])
		if _, ok := args[0].(sql.Out); ok {
			what = "exec out"
		}
		r, err := db.Exec(app+what+" ?", args...)
		t.result(what, r, err)
		q, err := db.Query(app+"query "+what+" ?", args...)
		t.rows("query "+what, q, err)
	}
	r, err := db.ExecContext(gone, app+"gone")
	t.result("exec, gone", r, err)
	q, err := db.QueryContext(gone, app+"gone")
	t.rows("query, gone", q, err)
	q, err = db.Query(app + "next set at once")
	t.failed("next set", err)
	if err == nil {
		t.note("next set: %v", q.NextResultSet())
		t.rows("next set", q, q.Err())
	}
	var id int
	var name sql.NullString
	t.failed("row", db.QueryRow(app+"row").Scan(&id, &name))
	t.note("%d %v", id, name)

	s, err := db.Prepare(app + "prepared ?")
	t.failed("prepare", err)
	if err == nil {
		for _, args := range [][]any{{1}, {}, {special("c")}, {1, struct{}{}}, {sql.Named("n", 5)}} {
			r, err := s.Exec(args...)
			t.result("prepared", r, err)
			q, err := s.Query(args...)
			t.rows("prepared", q, err)
			r, err = s.ExecContext(gone, args...)
			t.result("prepared, gone", r, err)
		}
	}
	_, err = db.PrepareContext(gone, app+"prepared, gone")
	t.failed("prepare, gone", err)

	for _, o := range []*sql.TxOptions{
		nil, {}, {Isolation: sql.LevelSerializable}, {ReadOnly: true},
		{Isolation: sql.LevelReadUncommitted, ReadOnly: true},
	} {
		for _, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
			tx, err := db.BeginTx(ctx, o)
			t.failed("begin", err)
			if err != nil {
				continue
			}
			r, err := tx.Exec(app+"in a transaction", 1)
			t.result("exec in", r, err)
			if s != nil {
				r, err = tx.Stmt(s).Exec(1)
				t.result("prepared in", r, err)
			}
			q, err := tx.Query(app + "rows in a transaction")
			t.rows("query in", q, err)
			t.failed("end", end(tx))
			t.failed("end again", end(tx))
		}
	}
	_, err = db.BeginTx(gone, nil)
	t.failed("begin, gone", err)
	if s != nil {
		t.failed("close prepared", s.Close())
	}

	c, err := db.Conn(ctx)
	t.failed("conn", err)
	if err == nil {
		r, err := c.ExecContext(ctx, app+"conn", 1)
		t.result("conn", r, err)
		q, err := c.QueryContext(ctx, app+"conn")
		t.rows("conn", q, err)
		r, err = c.ExecContext(gone, app+"conn, gone", 1)
		t.result("conn, gone", r, err)
		q, err = c.QueryContext(gone, app+"conn, gone")
		t.unread("conn, gone", q, err)
		_, err = c.PrepareContext(gone, app+"conn, gone")
		t.failed("prepare on conn, gone", err)
		if s, err := c.PrepareContext(ctx, app+"conn ?"); err == nil {
			r, err = s.ExecContext(gone, 1)
			t.result("prepared on conn, gone", r, err)
			q, err = s.QueryContext(gone, 1)
			t.unread("prepared on conn, gone", q, err)
			t.failed("close prepared", s.Close())
		}
		t.failed("raw", c.Raw(func(any) error { return errOwn }))
		t.failed("raw", c.Raw(func(any) error { return driver.ErrBadConn }))
		t.failed("after", c.PingContext(ctx))
		t.failed("close", c.Close())
	}
	db.SetMaxIdleConns(0)
	t.failed("churn", db.Ping())
	r, err = db.Exec(app+"churn", 1)
	t.result("churn", r, err)
	db.SetMaxIdleConns(2)
}

// compare runs f on a plain and on a wrapped driver.
func compare(t *testing.T, newFake func() *fake, run func(*transcript, *sql.DB)) {
	t.Helper()
	transcripts := make([]*transcript, 2)
	for i := range transcripts {
		f := newFake()
		tr := &transcript{f: f}
		o := observer()
		defer o.Attach(&sink{f: newFake(), t: t})()
		if i == 0 {
			o = nil
		}
		db := open(t, f, o)
		run(tr, db)
		tr.note("open %d", db.Stats().OpenConnections)
		tr.failed("close", db.Close())
		tr.lines = append(tr.lines, f.calls()...)
		transcripts[i] = tr
	}
	plain, wrapped := transcripts[0].lines, transcripts[1].lines
	for i, line := range plain {
		if i >= len(wrapped) || wrapped[i] != line {
			got := "nothing"
			if i < len(wrapped) {
				got = wrapped[i]
			}
			t.Fatalf("line %d\nwithout the wrapper: %s\nwith the wrapper:    %s", i, line, got)
		}
	}
	if len(wrapped) > len(plain) {
		t.Fatalf("with the wrapper only: %q", wrapped[len(plain):])
	}
}

// Every optional interface alone, none, and all: the application and the driver see the
// same.
func TestSame(t *testing.T) {
	for _, conn := range slices.Sorted(maps.Keys(fakeConns)) {
		t.Run("conn "+conn, func(t *testing.T) {
			for _, stmt := range []string{"none", "checker", "all"} {
				compare(t, func() *fake { return newFake(conn, stmt, "none") }, script)
			}
		})
	}
	for _, stmt := range slices.Sorted(maps.Keys(fakeStmts)) {
		t.Run("stmt "+stmt, func(t *testing.T) {
			for _, conn := range []string{"none", "checker", "all"} {
				compare(t, func() *fake { return newFake(conn, stmt, "none") }, script)
			}
		})
	}
	for _, rows := range slices.Sorted(maps.Keys(fakeRowses)) {
		t.Run("rows "+rows, func(t *testing.T) {
			compare(t, func() *fake { return newFake("all", "none", rows) }, script)
		})
	}
}

// A driver that fails, skips or panics in any one call of the script.
func TestSameFailures(t *testing.T) {
	plain := newFake("all", "all", "all")
	script(&transcript{f: plain}, open(t, plain, nil))
	var calls []string
	for _, c := range plain.calls() {
		if !slices.Contains(calls, c) {
			calls = append(calls, c)
		}
	}
	for _, with := range []error{errOwn, driver.ErrBadConn, driver.ErrSkip, io.EOF, context.Canceled} {
		for _, conn := range []string{"all", "none"} {
			for _, call := range calls {
				if call == "next 0" && with == driver.ErrSkip { //nolint:errorlint // of the table
					continue
				}
				t.Run(fmt.Sprint(conn, "/", call, "/", with), func(t *testing.T) {
					compare(t, func() *fake {
						f := newFake(conn, "all", "all")
						f.do = func(c string) error {
							if c == call {
								return with
							}
							return nil
						}
						return f
					}, script)
				})
			}
		}
	}
}

// A panic of the driver's is the application's to see, and nothing is left locked.
func TestSamePanics(t *testing.T) {
	steps := map[string]func(*transcript, *sql.DB){
		"exec app panic":  func(t *transcript, db *sql.DB) { db.Exec(app + "panic") },
		"query app panic": func(t *transcript, db *sql.DB) { db.Query(app + "panic") },
		"exec prepared app panic": func(t *transcript, db *sql.DB) {
			s, err := db.Prepare(app + "panic")
			t.failed("prepare", err)
			s.Exec()
		},
		"query prepared app panic": func(t *transcript, db *sql.DB) {
			s, err := db.Prepare(app + "panic")
			t.failed("prepare", err)
			s.Query()
		},
		"next 1": func(t *transcript, db *sql.DB) {
			r, err := db.Query(app + "rows")
			t.rows("rows", r, err)
		},
		"close rows": func(t *transcript, db *sql.DB) {
			r, err := db.Query(app + "rows")
			t.rows("rows", r, err)
		},
		"begin {0 false}": func(t *transcript, db *sql.DB) { db.Begin() },
		"commit": func(t *transcript, db *sql.DB) {
			tx, err := db.Begin()
			t.failed("begin", err)
			tx.Commit()
		},
		"rollback": func(t *transcript, db *sql.DB) {
			tx, err := db.Begin()
			t.failed("begin", err)
			tx.Rollback()
		},
		"reset": func(t *transcript, db *sql.DB) {
			db.Exec(app + "first")
			db.Exec(app + "second")
		},
		"valid": func(t *transcript, db *sql.DB) { db.Exec(app + "first") },
	}
	for call, step := range steps {
		t.Run(call, func(t *testing.T) {
			compare(t, func() *fake {
				f := newFake("all", "all", "all")
				thrown := false
				f.do = func(c string) error {
					if !thrown && strings.TrimSuffix(c, " []") == call {
						thrown = true
						panic("the driver's panic")
					}
					return nil
				}
				return f
			}, func(tr *transcript, db *sql.DB) {
				tr.panics(call, func() { step(tr, db) })
			})
		})
	}
}

// A context that ends while a transaction or rows are open: database/sql goes on in a
// goroutine of its own, and the same connections are given up.
func TestSameCancel(t *testing.T) {
	for _, conn := range slices.Sorted(maps.Keys(fakeConns)) {
		for _, open := range []string{"rows", "transaction", "transaction of a conn", "transaction and rows", "gone before"} {
			t.Run(conn+"/"+open, func(t *testing.T) {
				compare(t, func() *fake { return newFake(conn, "none", "all") },
					func(tr *transcript, db *sql.DB) { cancelInside(tr, db, open) })
			})
		}
	}
}

func cancelInside(tr *transcript, db *sql.DB, open string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	db.SetMaxOpenConns(1) // the last statement waits for the connection
	query := db.QueryContext
	begin := db.BeginTx
	var c *sql.Conn
	var tx *sql.Tx
	var err error
	if open == "transaction of a conn" || open == "gone before" {
		c, err = db.Conn(context.Background())
		tr.failed("conn", err)
		begin = c.BeginTx
	}
	if open == "gone before" {
		cancel()
	}
	if open != "rows" {
		tx, err = begin(ctx, nil)
		tr.failed("begin", err)
	}
	if tx != nil {
		query = tx.QueryContext
	}
	var r *sql.Rows
	if strings.HasSuffix(open, "rows") {
		r, err = query(ctx, app+"rows")
		tr.failed("query", err)
		tr.note("next %v", r.Next())
	}
	cancel()
	if r != nil {
		for r.Err() == nil {
			runtime.Gosched()
		}
		tr.note("next %v", r.Next())
		tr.failed("err", r.Err())
		tr.failed("close", r.Close())
	}
	if tx != nil {
		for !errors.Is(tx.Commit(), sql.ErrTxDone) {
			runtime.Gosched()
		}
		tr.failed("commit", tx.Commit())
	}
	kept := strings.Contains(tr.f.kind.conn, "reset, valid") || tr.f.kind.conn == "all"
	switch {
	case c != nil && (kept || tx == nil):
		c.Close()
	case c != nil:
		for i := 0; i < 1e6 && !isDone(c); i++ {
			runtime.Gosched()
		}
		tr.failed("conn", c.Close())
	}
	_, err = db.Exec(app+"after", 1)
	tr.failed("after", err)
}

// isDone reports whether the end of a transaction's context has closed a connection. Raw of
// database/sql panics when it meets that: it looks whether the connection is closed before
// it takes the lock.
func isDone(c *sql.Conn) (done bool) {
	defer func() { done = done || recover() != nil }()
	return errors.Is(c.Raw(func(any) error { return nil }), sql.ErrConnDone)
}
