package footprintsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// watch returns a handle over f whose publications are among f's calls. No statement of
// tests is understood, so each publishes everything; f tells whether a transaction is open.
func watch(tb testing.TB, f *fake, opts ...Option) (*sql.DB, *sink, *observe.Observer) {
	tb.Helper()
	o := observer()
	s := &sink{f: f}
	tb.Cleanup(o.Attach(s))
	status := TxStatus(func(any) (bool, bool) { return f.inTransaction(), true })
	return open(tb, f, o, append([]Option{status}, opts...)...), s, o
}

// inTransaction reports whether a transaction was begun last.
func (f *fake) inTransaction() bool {
	calls := f.calls()
	for _, c := range slices.Backward(calls) {
		switch {
		case strings.HasPrefix(c, "begin"):
			return true
		case c == "commit", c == "rollback", c == "connect":
			return false
		}
	}
	return false
}

// take returns the calls since the last time, without those that are of no interest here.
func (f *fake) take() (list []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.log {
		name, _, _ := strings.Cut(c, " [")
		switch {
		case name == "connect", name == "valid", name == "reset", strings.HasPrefix(name, "conn checks"), strings.HasPrefix(name, "next"):
		default:
			list = append(list, strings.ReplaceAll(name, app, ""))
		}
	}
	f.log = f.log[:0]
	return list
}

// When changes are published: after the driver's call and before the application's.
func TestPublished(t *testing.T) {
	tests := []struct {
		name string
		conn string
		fail string // this call fails
		with error
		do   func(*sql.DB) error
		want []string
		// uncertain is whether a publication says that the outcome is not known.
		uncertain bool
	}{
		{name: "statement", do: func(db *sql.DB) error {
			_, err := db.Exec(app + "w")
			return err
		}, want: []string{"exec w", "published"}},
		{name: "rows", do: func(db *sql.DB) error {
			r, err := db.Query(app + "w")
			if err != nil {
				return err
			}
			return r.Close()
		}, want: []string{"query w", "close rows", "published"}},
		{name: "one row", do: func(db *sql.DB) error {
			var id, name any
			return db.QueryRow(app+"w").Scan(&id, &name)
		}, want: []string{"query w", "close rows", "published"}},
		{name: "prepared", do: func(db *sql.DB) error {
			s, err := db.Prepare(app + "w")
			if err != nil {
				return err
			}
			if _, err = s.Exec(); err != nil {
				return err
			}
			return s.Close()
		}, want: []string{"prepare w", "exec prepared w", "published", "close w"}},
		{name: "older driver", conn: "exec", do: func(db *sql.DB) error {
			_, err := db.Exec(app + "w")
			return err
		}, want: []string{"exec w", "published"}},
		{name: "skipped", fail: "exec app w", with: driver.ErrSkip, do: func(db *sql.DB) error {
			_, err := db.Exec(app + "w")
			return err
		}, want: []string{"exec w", "prepare w", "exec prepared w", "published", "close w"}},
		{name: "skipped rows", fail: "query app w", with: driver.ErrSkip, do: func(db *sql.DB) error {
			r, err := db.Query(app + "w")
			if err != nil {
				return err
			}
			return r.Close()
		}, want: []string{"query w", "prepare w", "query prepared w", "close rows", "published", "close w"}},
		{name: "commit", do: func(db *sql.DB) error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			if _, err = tx.Exec(app + "w"); err != nil {
				return err
			}
			return tx.Commit()
		}, want: []string{"begin {0 false}", "exec w", "commit", "published"}},
		{name: "rollback", do: func(db *sql.DB) error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			if _, err = tx.Exec(app + "w"); err != nil {
				return err
			}
			return tx.Rollback()
		}, want: []string{"begin {0 false}", "exec w", "rollback"}},
		{name: "commit that fails", fail: "commit", with: errOwn, uncertain: true, do: func(db *sql.DB) error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			if _, err = tx.Exec(app + "w"); err != nil {
				return err
			}
			return tx.Commit()
		}, want: []string{"begin {0 false}", "exec w", "commit", "published"}},
		{name: "commit of a broken connection", fail: "commit", with: driver.ErrBadConn, uncertain: true, do: func(db *sql.DB) error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			if _, err = tx.Exec(app + "w"); err != nil {
				return err
			}
			return tx.Commit()
		}, want: []string{"begin {0 false}", "exec w", "commit", "published", "close", "published"}},
		{name: "statement that fails", fail: "exec app w", with: errOwn, do: func(db *sql.DB) error {
			_, err := db.Exec(app + "w")
			return err
		}, want: []string{"exec w", "published"}},
		{name: "rows that fail to close", fail: "close rows", with: errOwn, do: func(db *sql.DB) error {
			r, err := db.Query(app + "w")
			if err != nil {
				return err
			}
			return r.Close()
		}, want: []string{"query w", "close rows", "published"}},
		{name: "transaction whose connection is closed", do: func(db *sql.DB) error {
			c, err := db.Conn(context.Background())
			if err != nil {
				return err
			}
			if _, err = c.BeginTx(context.Background(), nil); err != nil {
				return err
			}
			return c.Raw(func(v any) error {
				if _, err := v.(driver.ExecerContext).ExecContext(context.Background(), app+"w", nil); err != nil {
					return err
				}
				return v.(driver.Conn).Close()
			})
		}, want: []string{"begin {0 false}", "exec w", "close", "published"}, uncertain: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.conn == "" {
				test.conn = "all"
			}
			f := newFake(test.conn, "none", "none")
			f.do = func(c string) error {
				if name, _, _ := strings.Cut(c, " ["); name == test.fail {
					return test.with
				}
				return nil
			}
			db, s, _ := watch(t, f)
			err := test.do(db)
			if skipped := test.with == driver.ErrSkip; test.with != nil && !skipped && !errors.Is(err, test.with) { //nolint:errorlint // of the table
				t.Errorf("the error is %v", err)
			}
			// What is uncertain may be published again.
			if got := slices.Compact(f.take()); !slices.Equal(got, test.want) {
				t.Errorf("\ngot  %q\nwant %q", got, test.want)
			}
			for _, c := range s.commits {
				if c.Everything == "" || c.Uncertain != test.uncertain && test.uncertain {
					t.Errorf("published as %+v", c)
				}
			}
		})
	}
}

// What a driver that panics has done is not known: it is published, and the panic goes on.
func TestPublishedPanic(t *testing.T) {
	tests := map[string]func(*sql.DB, *sql.Tx){
		"exec app panic":  func(db *sql.DB, _ *sql.Tx) { db.Exec(app + "panic") },
		"query app panic": func(db *sql.DB, _ *sql.Tx) { db.Query(app + "panic") },
		"next 0": func(db *sql.DB, _ *sql.Tx) {
			r, err := db.Query(app + "w")
			if err != nil {
				panic(err)
			}
			defer r.Close()
			r.Next()
		},
		"close rows": func(db *sql.DB, _ *sql.Tx) {
			r, err := db.Query(app + "w")
			if err != nil {
				panic(err)
			}
			r.Close()
		},
		"commit":   func(_ *sql.DB, tx *sql.Tx) { tx.Commit() },
		"rollback": func(_ *sql.DB, tx *sql.Tx) { tx.Rollback() },
	}
	for call, do := range tests {
		t.Run(call, func(t *testing.T) {
			f := newFake("all", "none", "none")
			db, s, _ := watch(t, f)
			var tx *sql.Tx
			if call == "commit" || call == "rollback" {
				var err error
				if tx, err = db.Begin(); err != nil {
					t.Fatal(err)
				}
				if _, err := tx.Exec(app + "w"); err != nil {
					t.Fatal(err)
				}
			}
			if len(s.commits) != 0 {
				t.Fatal("published before")
			}
			f.do = func(c string) error {
				if name, _, _ := strings.Cut(c, " ["); name == call {
					panic("the driver's")
				}
				return nil
			}
			var thrown any
			func() {
				defer func() { thrown = recover() }()
				do(db, tx)
			}()
			if thrown != "the driver's" {
				t.Errorf("the application saw %v", thrown)
			}
			if len(s.commits) == 0 {
				t.Error("nothing was published")
			}
		})
	}
}

// A fault of ours is none of the application's: here, every word to the session panics.
func TestOwnPanics(t *testing.T) {
	for _, conn := range []string{"none", "all", "all but valid"} {
		plain := &transcript{f: newFake(conn, "all", "all")}
		script(plain, open(t, plain.f, nil))
		broken := &transcript{f: newFake(conn, "all", "all")}
		db := sql.OpenDB(brokenConnector{broken.f})
		defer db.Close()
		script(broken, db)
		if !slices.Equal(plain.lines, broken.lines) {
			t.Errorf("%s: the application saw a fault of ours", conn)
		}
		if !slices.Equal(plain.f.calls(), broken.f.calls()) {
			t.Errorf("%s: the driver saw a fault of ours", conn)
		}
	}
}

type brokenConnector struct{ *fake }

func (b brokenConnector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := b.fake.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return (&conn{inner: inner}).pick(), nil // without a session
}

// The application may have the driver's own connection: what it does there is published.
func TestRaw(t *testing.T) {
	work := func(inner any) error {
		_, err := inner.(driver.ExecerContext).ExecContext(context.Background(), app+"raw", nil)
		return err
	}
	for _, kind := range []string{"all", "all but valid", "exec, query"} {
		t.Run(kind, func(t *testing.T) {
			f := newFake(kind, "none", "none")
			db, s, _ := watch(t, f)
			c, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := Raw(t.Context(), c, func(inner any) error {
				if _, ok := inner.(interface{ core() *conn }); ok {
					t.Error("the function has the wrapper")
				}
				f.take()
				return work(inner)
			}); err != nil {
				t.Fatal(err)
			}
			if got := f.take(); !slices.Equal(got, []string{"exec raw", "published"}) {
				t.Errorf("Raw: %q", got)
			}
			// Unwrap publishes at the next opportunity.
			if err := c.Raw(func(v any) error {
				inner := Unwrap(v)
				f.take()
				return work(inner)
			}); err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			want := []string{"exec raw", "published"}
			if kind == "all but valid" { // nothing tells that the pool has it
				want = want[:1]
			}
			if got := f.take(); !slices.Equal(got, want) {
				t.Errorf("Unwrap and close: %q", got)
			}
			if err := db.Ping(); err != nil {
				t.Fatal(err)
			}
			r, err := db.Query(app + "r")
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if got := f.take(); !slices.Contains(got, "published") || slices.Index(got, "published") > slices.Index(got, "query r") {
				t.Errorf("then: %q", got)
			}
			for _, c := range s.commits {
				if c.Everything == "" {
					t.Errorf("published as %+v", c)
				}
			}
			// The next user of the connection has nothing to do with it.
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(app + "w"); err != nil {
				t.Fatal(err)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			if got := f.take(); slices.Contains(got, "published") {
				t.Errorf("the next user: %q", got)
			}
		})
	}
	if got := Unwrap(5); got != 5 {
		t.Errorf("Unwrap(5) is %v", got)
	}
}

// A driver's panic in Raw leaves the connection unusable, and what was done published.
func TestRawPanic(t *testing.T) {
	f := newFake("all", "none", "none")
	db, s, _ := watch(t, f)
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if v := recover(); v != "own" {
				t.Errorf("the application saw %v", v)
			}
		}()
		_ = Raw(t.Context(), c, func(any) error { s.commits = nil; panic("own") })
	}()
	if len(s.commits) == 0 {
		t.Error("nothing was published")
	}
	if err := c.PingContext(t.Context()); !errors.Is(err, sql.ErrConnDone) {
		t.Errorf("then: %v", err)
	}
}

// The text of a statement, and who its reads belong to.
func TestAttribution(t *testing.T) {
	f := newFake("all", "none", "none")
	db, _, o := watch(t, f)
	outer := sql.OpenDB(Outside(f, o, TxStatus(func(any) (bool, bool) { return false, true })))
	defer outer.Close()
	read := func(ctx context.Context, db *sql.DB) {
		r, err := db.QueryContext(ctx, app+"r")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, rec := observe.Begin(t.Context(), observe.Start{}, o)
	read(ctx, db)
	if got := rec.End(); got.Statements != 1 || got.Orphans != 0 {
		t.Errorf("with its context: %+v", got)
	}
	_, rec = observe.Begin(t.Context(), observe.Start{}, o)
	read(t.Context(), db)
	if got := rec.End(); got.Statements != 1 || got.Orphans != 1 {
		t.Errorf("without a context: %+v", got)
	}
	_, rec = observe.Begin(t.Context(), observe.Start{}, o)
	read(t.Context(), outer)
	if got := rec.End(); got.Statements != 0 {
		t.Errorf("outside: %+v", got)
	}
	// Rows that are open when a computation begins are its, too.
	r, err := db.QueryContext(t.Context(), app+"r")
	if err != nil {
		t.Fatal(err)
	}
	_, rec = observe.Begin(t.Context(), observe.Start{}, o)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := rec.End(); got.Statements != 1 {
		t.Errorf("rows that were open: %+v", got)
	}
	f.take()
	if _, err := outer.Exec(app + "w"); err != nil {
		t.Fatal(err)
	}
	if got := f.take(); !slices.Equal(got, []string{"exec w", "published"}) {
		t.Errorf("a write outside: %q", got)
	}
}

// Nothing is known of what has a second result.
func TestSeveralResults(t *testing.T) {
	for _, sets := range []int{0, 1} {
		f := newFake("all", "none", "all")
		f.sets = sets
		db, _, o := watch(t, f)
		ctx, rec := observe.Begin(t.Context(), observe.Start{}, o)
		r, err := db.QueryContext(ctx, app+"r")
		if err != nil {
			t.Fatal(err)
		}
		for more := true; more; more = r.NextResultSet() {
			for r.Next() { //nolint:revive // to the end
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if got := rec.End(); strings.Contains(got.Unknown, "several results") != (sets > 0) {
			t.Errorf("%d results more: %+v", sets, got)
		}
	}
}

// database/sql ends rows and transactions from goroutines of its own. Interleavings that
// would break state without a lock: Next and Close of the same rows; Close of rows and
// Rollback of their transaction; both and the next user of the connection.
func TestCancelRace(t *testing.T) {
	for _, kind := range []string{"all", "all but valid", "none"} {
		f := newFake(kind, "none", "all")
		for i := range 50 {
			f.rows = append(f.rows, []driver.Value{int64(i), "x"})
		}
		db, _, o := watch(t, f)
		db.SetMaxOpenConns(4)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 40 {
					ctx, cancel := context.WithCancel(t.Context())
					ctx, rec := observe.Begin(ctx, observe.Start{}, o)
					tx, err := db.BeginTx(ctx, nil)
					if err != nil {
						t.Error(err)
						cancel()
						continue
					}
					r, err := tx.QueryContext(ctx, app+"r")
					if err == nil {
						for n := 0; r.Next(); n++ {
							if n == (g+i)%20 {
								go cancel()
							}
						}
						r.Close()
					}
					_, _ = tx.ExecContext(ctx, app+"w")
					if i%2 == 0 {
						_ = tx.Commit()
					} else {
						_ = tx.Rollback()
					}
					cancel()
					if got := rec.End(); got.Statements == 0 {
						t.Error("no statement was recorded")
					}
				}
			})
		}
		wg.Wait()
	}
}

// Statements of ours run on every kind of driver, and not while rows are open.
func TestOwnStatements(t *testing.T) {
	for _, kind := range []string{"none", "query", "query context", "all"} {
		for _, stmt := range []string{"none", "query"} {
			for _, skip := range []bool{false, true} {
				f := newFake(kind, stmt, "none")
				f.do = func(c string) error {
					if skip && strings.HasPrefix(c, "query "+app) {
						return driver.ErrSkip
					}
					return nil
				}
				inner, err := f.Connect(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				c := &conn{inner: inner}
				var got []string
				err = own{c}.Query(t.Context(), app+"own", nil, func(row []driver.Value) error {
					got = append(got, fmt.Sprint(row))
					return nil
				})
				if err != nil || !slices.Equal(got, []string{"[1 ann]", "[2 <nil>]"}) {
					t.Errorf("%s, %s: %q, %v", kind, stmt, got, err)
				}
				calls := f.calls()
				if !slices.Contains(calls, "close rows") {
					t.Errorf("%s, %s: the rows were not closed: %q", kind, stmt, calls)
				}
				if prepared := slices.Index(calls, "prepare "+app+"own"); prepared >= 0 && !slices.Contains(calls, "close "+app+"own") {
					t.Errorf("%s, %s: the statement was not closed: %q", kind, stmt, calls)
				}
				if err := (own{c}).Query(t.Context(), app+"own", nil, func([]driver.Value) error { return errOwn }); !errors.Is(err, errOwn) {
					t.Errorf("the error is %v", err)
				}
				if err := (own{c}).Query(t.Context(), app+"own", nil, func([]driver.Value) error { panic("own") }); err == nil {
					t.Error("a panic was no error")
				}
				n := len(f.calls())
				c.open = 1
				if err := (own{c}).Query(t.Context(), app+"own", nil, nil); !errors.Is(err, errBusy) || len(f.calls()) != n {
					t.Errorf("while rows are open: %v", err)
				}
			}
		}
	}
}

func TestTxStatus(t *testing.T) {
	pg := &fakePgConn{'I'}
	for _, test := range []struct {
		inner       driver.Conn
		set         func(open bool)
		open, known bool
	}{
		{inner: &fakePgx{c: &fakePgx2{pg}}, set: func(open bool) { pg.status = "IT"[btoi(open)] }, known: true},
		{inner: &fakeMattn{}, known: true},
		{inner: &fakePgx{}},               // Conn returns nil
		{inner: &fakeConn{}},              // it has nothing of the kind
		{inner: fakeOddConn{&fakeConn{}}}, // it has a Conn of other arguments
	} {
		ask := txStatus(test.inner)
		if (ask != nil) != test.known {
			t.Errorf("%T: known is %v", test.inner, ask != nil)
			continue
		}
		if ask == nil || test.set == nil {
			continue
		}
		for _, open := range []bool{true, false} {
			test.set(open)
			if got, known := ask(); got != open || !known {
				t.Errorf("%T: %v %v, want %v", test.inner, got, known, open)
			}
		}
		pg.status = 'E'
		if got, known := ask(); !got || !known {
			t.Errorf("a failed transaction: %v %v", got, known)
		}
		pg.status = '?'
		if _, known := ask(); known {
			t.Error("an unknown status is known")
		}
	}
	m := &fakeMattn{auto: true}
	if open, known := txStatus(m)(); open || !known {
		t.Errorf("autocommit: %v %v", open, known)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

type (
	fakePgConn struct{ status byte }
	fakePgx2   struct{ pg *fakePgConn }
	fakePgx    struct {
		fakeConn
		c *fakePgx2
	}
	fakeMattn struct {
		fakeConn
		auto bool
	}
	fakeOddConn struct{ *fakeConn }
)

func (c *fakePgx) Conn() *fakePgx2      { return c.c }
func (c *fakePgx2) PgConn() *fakePgConn { return c.pg }
func (c *fakePgConn) TxStatus() byte    { return c.status }
func (c *fakeMattn) AutoCommit() bool   { return c.auto }
func (fakeOddConn) Conn(int) *fakePgx2  { panic("called") }
