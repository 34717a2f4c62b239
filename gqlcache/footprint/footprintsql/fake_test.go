package footprintsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// The statements of tests begin with app, so that those of the Observer's own can be told
// from them.
const app = "app "

// A fake is a driver that notes how it is called. Its connections, statements and rows
// have the optional interfaces that a kind says.
type fake struct {
	kind kind
	// do is asked by every call: what it returns is the call's error. It may panic.
	do func(call string) error
	// rows are those of every query, sets the result sets after the first.
	rows [][]driver.Value
	sets int

	mu  sync.Mutex
	log []string
}

// A kind is a set of optional interfaces.
type kind struct{ conn, stmt, rows string }

func (f *fake) note(format string, args ...any) error {
	call := fmt.Sprintf(format, args...)
	f.mu.Lock()
	f.log = append(f.log, call)
	f.mu.Unlock()
	if f.do != nil {
		return f.do(call)
	}
	return nil
}

// calls returns what was noted, without the Observer's own statements.
func (f *fake) calls() (list []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append(list, f.log...)
}

func (f *fake) Connect(context.Context) (driver.Conn, error) {
	if err := f.note("connect"); err != nil {
		return nil, err
	}
	c := &fakeConn{f}
	pick, ok := fakeConns[f.kind.conn]
	if !ok {
		panic("no such kind of connection: " + f.kind.conn)
	}
	return pick(c), nil
}

func (f *fake) Driver() driver.Driver { return fakeDriver{f} }

type fakeDriver struct{ f *fake }

func (d fakeDriver) Open(dsn string) (driver.Conn, error) {
	d.f.note("open %s", dsn)
	return d.f.Connect(context.Background())
}

// fakeConn has what every connection must have.
type fakeConn struct{ f *fake }

func (c *fakeConn) Prepare(text string) (driver.Stmt, error) {
	if !strings.HasPrefix(text, app) {
		return nil, errors.New("the fake has no catalog")
	}
	if err := c.f.note("prepare %s", text); err != nil {
		return nil, err
	}
	return fakeStmts[c.f.kind.stmt](&fakeStmt{c.f, text}), nil
}

func (c *fakeConn) Close() error { return c.f.note("close") }

func (c *fakeConn) Begin() (driver.Tx, error) {
	if err := c.f.note("begin"); err != nil {
		return nil, err
	}
	return fakeTx{c.f}, nil
}

func (c *fakeConn) result(text string, args any) (driver.Result, error) {
	if err := c.f.note("exec %s %v", text, args); err != nil {
		return nil, err
	}
	return fakeResult{3, 7}, nil
}

func (c *fakeConn) query(text string, args any) (driver.Rows, error) {
	if !strings.HasPrefix(text, app) {
		return nil, errors.New("the fake has no catalog")
	}
	if err := c.f.note("query %s %v", text, args); err != nil {
		return nil, err
	}
	return fakeRowses[c.f.kind.rows](&fakeRows{f: c.f}), nil
}

type fakeResult struct{ id, n int64 }

func (r fakeResult) LastInsertId() (int64, error) { return r.id, nil }
func (r fakeResult) RowsAffected() (int64, error) { return r.n, nil }

type fakeTx struct{ f *fake }

func (t fakeTx) Commit() error   { return t.f.note("commit") }
func (t fakeTx) Rollback() error { return t.f.note("rollback") }

// The optional interfaces of connections.
type (
	withExecContext    struct{ c *fakeConn }
	withExec           struct{ c *fakeConn }
	withQueryContext   struct{ c *fakeConn }
	withQuery          struct{ c *fakeConn }
	withReset          struct{ c *fakeConn }
	withValid          struct{ c *fakeConn }
	withChecker        struct{ c *fakeConn }
	withPing           struct{ c *fakeConn }
	withPrepareContext struct{ c *fakeConn }
	withBeginTx        struct{ c *fakeConn }
)

func (w withExecContext) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	return w.c.result(text, args)
}

func (w withExec) Exec(text string, args []driver.Value) (driver.Result, error) {
	return w.c.result(text, args)
}

func (w withQueryContext) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	return w.c.query(text, args)
}

func (w withQuery) Query(text string, args []driver.Value) (driver.Rows, error) {
	return w.c.query(text, args)
}

func (w withReset) ResetSession(context.Context) error { return w.c.f.note("reset") }
func (w withValid) IsValid() bool                      { return w.c.f.note("valid") == nil }

func (w withChecker) CheckNamedValue(v *driver.NamedValue) error {
	return check(w.c.f, "conn", v)
}

func check(f *fake, who string, v *driver.NamedValue) error {
	if err := f.note("%s checks %v", who, v.Value); err != nil {
		return err
	}
	switch x := v.Value.(type) {
	case special:
		v.Value = who + " " + string(x)
		return nil
	case removed:
		return driver.ErrRemoveArgument
	}
	return driver.ErrSkip
}

// Arguments of types that only a checker or a converter knows.
type (
	special []rune
	removed struct{ _ int }
)

func (w withPing) Ping(context.Context) error { return w.c.f.note("ping") }

func (w withPrepareContext) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	return w.c.Prepare(text)
}

func (w withBeginTx) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := w.c.f.note("begin %v", o); err != nil {
		return nil, err
	}
	return fakeTx{w.c.f}, nil
}

var fakeConns = map[string]func(*fakeConn) driver.Conn{
	"none": func(c *fakeConn) driver.Conn { return c },
	"exec context": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withExecContext
		}{c, withExecContext{c}}
	},
	"exec": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withExec
		}{c, withExec{c}}
	},
	"query context": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withQueryContext
		}{c, withQueryContext{c}}
	},
	"query": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withQuery
		}{c, withQuery{c}}
	},
	"reset": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withReset
		}{c, withReset{c}}
	},
	"valid": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withValid
		}{c, withValid{c}}
	},
	"reset, valid": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withReset
			withValid
		}{c, withReset{c}, withValid{c}}
	},
	"checker": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withChecker
		}{c, withChecker{c}}
	},
	"ping": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withPing
		}{c, withPing{c}}
	},
	"prepare context": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withPrepareContext
		}{c, withPrepareContext{c}}
	},
	"begin": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withBeginTx
		}{c, withBeginTx{c}}
	},
	"exec, query": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withExecContext
			withQueryContext
		}{c, withExecContext{c}, withQueryContext{c}}
	},
	"exec, reset": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withExecContext
			withReset
		}{c, withExecContext{c}, withReset{c}}
	},
	"query, reset": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withQueryContext
			withReset
		}{c, withQueryContext{c}, withReset{c}}
	},
	"exec, reset, valid": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withExecContext
			withReset
			withValid
		}{c, withExecContext{c}, withReset{c}, withValid{c}}
	},
	"query, reset, valid": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withQueryContext
			withReset
			withValid
		}{c, withQueryContext{c}, withReset{c}, withValid{c}}
	},
	"all but valid": func(c *fakeConn) driver.Conn { // as pgx
		return struct {
			*fakeConn
			withExecContext
			withQueryContext
			withReset
			withChecker
			withPing
			withPrepareContext
			withBeginTx
		}{
			c, withExecContext{c}, withQueryContext{c}, withReset{c}, withChecker{c},
			withPing{c}, withPrepareContext{c}, withBeginTx{c},
		}
	},
	"all": func(c *fakeConn) driver.Conn {
		return struct {
			*fakeConn
			withExecContext
			withQueryContext
			withReset
			withValid
			withChecker
			withPing
			withPrepareContext
			withBeginTx
		}{
			c, withExecContext{c}, withQueryContext{c}, withReset{c}, withValid{c},
			withChecker{c}, withPing{c}, withPrepareContext{c}, withBeginTx{c},
		}
	},
}

type fakeStmt struct {
	f    *fake
	text string
}

func (s *fakeStmt) Close() error  { return s.f.note("close %s", s.text) }
func (s *fakeStmt) NumInput() int { return strings.Count(s.text, "?") }

func (s *fakeStmt) Exec(args []driver.Value) (driver.Result, error) {
	return (&fakeConn{s.f}).result("prepared "+s.text, args)
}

func (s *fakeStmt) Query(args []driver.Value) (driver.Rows, error) {
	if err := s.f.note("query prepared %s %v", s.text, args); err != nil {
		return nil, err
	}
	return fakeRowses[s.f.kind.rows](&fakeRows{f: s.f}), nil
}

// The optional interfaces of statements.
type (
	withStmtExec      struct{ s *fakeStmt }
	withStmtQuery     struct{ s *fakeStmt }
	withStmtChecker   struct{ s *fakeStmt }
	withStmtConverter struct{ s *fakeStmt }
)

func (w withStmtExec) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return (&fakeConn{w.s.f}).result("prepared "+w.s.text, args)
}

func (w withStmtQuery) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := w.s.f.note("query prepared %s %v", w.s.text, args); err != nil {
		return nil, err
	}
	return fakeRowses[w.s.f.kind.rows](&fakeRows{f: w.s.f}), nil
}

func (w withStmtChecker) CheckNamedValue(v *driver.NamedValue) error {
	return check(w.s.f, "stmt", v)
}

func (w withStmtConverter) ColumnConverter(i int) driver.ValueConverter {
	w.s.f.note("converter %d", i)
	return fakeConverter{}
}

type fakeConverter struct{}

func (fakeConverter) ConvertValue(v any) (driver.Value, error) {
	switch v := v.(type) {
	case special:
		return "converted " + string(v), nil
	case removed:
		return nil, errors.New("no conversion")
	}
	return driver.DefaultParameterConverter.ConvertValue(v)
}

var fakeStmts = map[string]func(*fakeStmt) driver.Stmt{
	"none": func(s *fakeStmt) driver.Stmt { return s },
	"exec": func(s *fakeStmt) driver.Stmt {
		return struct {
			*fakeStmt
			withStmtExec
		}{s, withStmtExec{s}}
	},
	"query": func(s *fakeStmt) driver.Stmt {
		return struct {
			*fakeStmt
			withStmtQuery
		}{s, withStmtQuery{s}}
	},
	"checker": func(s *fakeStmt) driver.Stmt {
		return struct {
			*fakeStmt
			withStmtChecker
		}{s, withStmtChecker{s}}
	},
	"converter": func(s *fakeStmt) driver.Stmt {
		return struct {
			*fakeStmt
			withStmtConverter
		}{s, withStmtConverter{s}}
	},
	"all": func(s *fakeStmt) driver.Stmt {
		return struct {
			*fakeStmt
			withStmtExec
			withStmtQuery
			withStmtChecker
			withStmtConverter
		}{s, withStmtExec{s}, withStmtQuery{s}, withStmtChecker{s}, withStmtConverter{s}}
	},
}

type fakeRows struct {
	f    *fake
	next int
	set  int
}

func (r *fakeRows) Columns() []string { return []string{"id", "name"} }
func (r *fakeRows) Close() error      { return r.f.note("close rows") }

func (r *fakeRows) Next(dest []driver.Value) error {
	if err := r.f.note("next %d", r.next); err != nil {
		return err
	}
	if r.next >= len(r.f.rows) {
		return io.EOF
	}
	copy(dest, r.f.rows[r.next])
	r.next++
	return nil
}

// The optional interfaces of rows.
type (
	withSets      struct{ r *fakeRows }
	withScanType  struct{ r *fakeRows }
	withName      struct{ r *fakeRows }
	withLength    struct{ r *fakeRows }
	withNullable  struct{ r *fakeRows }
	withPrecision struct{ r *fakeRows }
)

func (w withSets) HasNextResultSet() bool { return w.r.set < w.r.f.sets }
func (w withSets) NextResultSet() error {
	if err := w.r.f.note("next result set"); err != nil {
		return err
	}
	if w.r.set >= w.r.f.sets {
		return io.EOF
	}
	w.r.set++
	w.r.next = 0
	return nil
}

func (withScanType) ColumnTypeScanType(i int) reflect.Type        { return reflect.TypeFor[int32]() }
func (withName) ColumnTypeDatabaseTypeName(i int) string          { return "NAME" }
func (withLength) ColumnTypeLength(i int) (int64, bool)           { return int64(i), true }
func (withNullable) ColumnTypeNullable(i int) (nullable, ok bool) { return i > 0, true }
func (withPrecision) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	return 9, 2, true
}

var fakeRowses = map[string]func(*fakeRows) driver.Rows{
	"none": func(r *fakeRows) driver.Rows { return r },
	"sets": func(r *fakeRows) driver.Rows {
		return struct {
			*fakeRows
			withSets
		}{r, withSets{r}}
	},
	"scan type": func(r *fakeRows) driver.Rows {
		return struct {
			*fakeRows
			withScanType
		}{r, withScanType{r}}
	},
	"name": func(r *fakeRows) driver.Rows {
		return struct {
			*fakeRows
			withName
		}{r, withName{r}}
	},
	"length": func(r *fakeRows) driver.Rows {
		return struct {
			*fakeRows
			withLength
		}{r, withLength{r}}
	},
	"nullable": func(r *fakeRows) driver.Rows {
		return struct {
			*fakeRows
			withNullable
		}{r, withNullable{r}}
	},
	"precision": func(r *fakeRows) driver.Rows {
		return struct {
			*fakeRows
			withPrecision
		}{r, withPrecision{r}}
	},
	"all": func(r *fakeRows) driver.Rows {
		return struct {
			*fakeRows
			withSets
			withScanType
			withName
			withLength
			withNullable
			withPrecision
		}{r, withSets{r}, withScanType{r}, withName{r}, withLength{r}, withNullable{r}, withPrecision{r}}
	},
}

// newFake returns a driver with two rows and one result set more.
func newFake(conn, stmt, rows string) *fake {
	return &fake{
		kind: kind{conn, stmt, rows},
		rows: [][]driver.Value{{int64(1), "ann"}, {int64(2), nil}},
		sets: 1,
	}
}

// A sink notes what is published, among the calls of a fake.
type sink struct {
	f *fake
	t *testing.T

	mu      sync.Mutex
	commits []observe.Commit
}

func (s *sink) Number() uint64        { return 0 }
func (s *sink) Wrote(context.Context) {}
func (s *sink) Committed(_ context.Context, c observe.Commit) {
	s.mu.Lock()
	s.commits = append(s.commits, c)
	s.mu.Unlock()
	s.f.mu.Lock()
	s.f.log = append(s.f.log, "published")
	s.f.mu.Unlock()
}

func observer() *footprint.Observer {
	return footprint.New(footprint.Options{
		Dialect: catalog.SQLite,
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

// open returns a handle over f, observed by o when that is not nil, without a catalog.
func open(tb testing.TB, f *fake, o *footprint.Observer, opts ...Option) *sql.DB {
	tb.Helper()
	var c driver.Connector = f
	if o != nil {
		w := Connector(f, o, opts...).(*connector)
		w.f.loading = true
		c = w
	}
	db := sql.OpenDB(c)
	tb.Cleanup(func() { db.Close() })
	return db
}
