package observe

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

const (
	updateTitle = `UPDATE posts SET title = ? WHERE id = ?`
	postByID    = `SELECT id, title FROM posts WHERE id = ?`
)

var errFailed = errors.New("failed")

// A commit is published when it has returned, a rollback never.
func TestCommit(t *testing.T) {
	for _, c := range []struct {
		name  string
		begin func(context.Context, *Session)
		end   func(context.Context, *Session, bool)
	}{
		{"driver", func(ctx context.Context, s *Session) { s.Begin(ctx, driver.TxOptions{}).Begun(nil) }, func(ctx context.Context, s *Session, commit bool) {
			if commit {
				s.Committed(ctx, nil)
			} else {
				s.RolledBack(ctx, nil)
			}
		}},
		{"text", func(ctx context.Context, s *Session) { exec(ctx, s, `BEGIN`) }, func(ctx context.Context, s *Session, commit bool) {
			if commit {
				exec(ctx, s, `COMMIT`)
			} else {
				exec(ctx, s, `ROLLBACK`)
			}
		}},
		{"savepoint", func(ctx context.Context, s *Session) { exec(ctx, s, `SAVEPOINT Outer`) }, func(ctx context.Context, s *Session, commit bool) {
			if commit {
				exec(ctx, s, `SAVEPOINT inside`)
				exec(ctx, s, `RELEASE outer`)
			} else {
				exec(ctx, s, `ROLLBACK`)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Options{})
			f := r.read(postByID, args(7), args(7, "old"))
			other := r.read(postByID, args(8), args(8, "old"))
			s := r.session()
			for _, commit := range []bool{false, true} {
				c.begin(t.Context(), s)
				exec(t.Context(), s, updateTitle, "new", 7)
				exec(t.Context(), s, `SAVEPOINT a`)
				exec(t.Context(), s, `RELEASE a`)
				if r.commits() > 0 {
					t.Fatal("published before the commit")
				}
				c.end(t.Context(), s, commit)
				if commit != (r.commits() == 1) {
					t.Fatalf("%d commits are published, commit %v", r.commits(), commit)
				}
			}
			if r.fresh(f) || !r.fresh(other) {
				t.Error("the post is fresh, or another one is not")
			}
			exec(t.Context(), s, updateTitle, "new", 8)
			if r.fresh(other) {
				t.Error("the session believes that a transaction is open")
			}
			if r.sink.wrote < 3 {
				t.Errorf("%d writes are told", r.sink.wrote)
			}
		})
	}
}

// ROLLBACK TO keeps what was written, RELEASE of an inner savepoint commits nothing.
func TestSavepoints(t *testing.T) {
	r := newRig(t, Options{})
	s := r.session()
	exec(t.Context(), s, `SAVEPOINT a`)
	exec(t.Context(), s, `SAVEPOINT b`)
	exec(t.Context(), s, updateTitle, "new", 7)
	exec(t.Context(), s, `ROLLBACK TO a`)
	exec(t.Context(), s, `SAVEPOINT a`)
	exec(t.Context(), s, `RELEASE a`)
	if r.commits() > 0 {
		t.Fatal("an inner savepoint has committed")
	}
	exec(t.Context(), s, `RELEASE a`)
	if r.commits() != 1 {
		t.Fatal("the outermost one has not")
	}
	exec(t.Context(), s, `SAVEPOINT a`)
	exec(t.Context(), s, `RELEASE nobody`)
	if r.last().Everything == "" || r.commits() != 2 {
		t.Error("the release of a savepoint that is not known commits nothing")
	}
	exec(t.Context(), s, updateTitle, "new", 7)
	if r.last().Everything == "" || r.commits() != 3 {
		t.Error("a savepoint that is not known leaves the session sure")
	}
	exec(t.Context(), s, `SAVEPOINT b`)
	exec(t.Context(), s, `RELEASE b`)
	if r.last().Everything == "" || r.commits() != 4 {
		t.Error("a release in a session that is unsure commits nothing")
	}
}

// A commit that failed may have been one: it is published, and again when it succeeds.
func TestUncertainCommit(t *testing.T) {
	r := newRig(t, Options{})
	f := r.read(postByID, args(7), args(7, "old"))
	s := r.session()
	s.Begin(t.Context(), driver.TxOptions{}).Begun(nil)
	exec(t.Context(), s, updateTitle, "new", 7)
	s.Committed(t.Context(), errFailed)
	if r.commits() != 1 || !r.last().Uncertain || r.fresh(f) || !r.has(UncertainCommit) {
		t.Fatalf("%+v", r.sink.commits)
	}
	exec(t.Context(), s, `COMMIT`) // SQLite was busy
	if r.commits() != 2 || r.last().Uncertain {
		t.Errorf("%+v", r.sink.commits)
	}
	exec(t.Context(), s, updateTitle, "new", 7)
	if r.commits() != 3 || r.last().Everything != "" {
		t.Error("a commit that succeeded leaves the session unsure")
	}
	s.Begin(t.Context(), driver.TxOptions{}).Begun(nil)
	exec(t.Context(), s, updateTitle, "new", 7)
	s.Committed(t.Context(), errFailed)
	f = r.read(postByID, args(8), args(8, "old"))
	exec(t.Context(), s, updateTitle, "new", 8) // in a transaction or not
	if r.fresh(f) {
		t.Error("after a commit that failed, a write is not published at once")
	}
	f = r.read(postByID, args(8), args(8, "old"))
	s.Reset(t.Context())
	if r.fresh(f) {
		t.Error("what was written after a commit that failed is not published when the session is reset")
	}
}

// Whatever ends a connection publishes what is pending.
func TestLostConnection(t *testing.T) {
	for name, end := range map[string]func(*Session){
		"closed": func(s *Session) { s.Close() },
		"broken": func(s *Session) { s.Broken(t.Context()) },
		"bad":    func(s *Session) { s.Start(t.Context(), postByID, nil).End(driver.ErrBadConn, -1, false) },
		"reset":  func(s *Session) { s.Reset(t.Context()) },
		"rollback failed, closed": func(s *Session) {
			s.RolledBack(t.Context(), errFailed)
			s.Close()
		},
	} {
		r := newRig(t, Options{})
		f := r.read(postByID, args(7), args(7, "old"))
		s := r.session()
		s.Begin(t.Context(), driver.TxOptions{}).Begun(nil)
		exec(t.Context(), s, updateTitle, "new", 7)
		end(s)
		if r.commits() != 1 || !r.last().Uncertain || r.fresh(f) {
			t.Errorf("%s: %+v", name, r.sink.commits)
		}
	}
}

// The context of a commit may have ended: what it has changed is told nevertheless.
func TestEndedContext(t *testing.T) {
	r := newRig(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	s := r.session()
	s.Begin(ctx, driver.TxOptions{}).Begun(nil)
	exec(ctx, s, updateTitle, "new", 7)
	cancel()
	s.Committed(ctx, nil)
	if r.last().err != nil {
		t.Error("the cache is told on a context that has ended")
	}
}

// A text that is not understood may have begun or ended a transaction: from then on, all
// that the session writes counts as everything, at once, until it is certain again.
func TestUnsureSession(t *testing.T) {
	const several = `BEGIN; UPDATE posts SET title = 'x' WHERE id = 7; COMMIT`
	r := newRig(t, Options{})
	f := r.read(postByID, args(7), args(7, "old"))
	s := r.session()
	exec(t.Context(), s, several)
	if r.fresh(f) {
		t.Fatal("nothing was published")
	}
	exec(t.Context(), s, updateTitle, "new", 8)
	if r.commits() != 2 || r.last().Everything == "" {
		t.Fatalf("a later write: %+v", r.last())
	}
	ctx, rec := r.record(t.Context())
	query(ctx, s, postByID, args(7), args(7, "x"))
	if rec.End().Unknown == "" {
		t.Error("a read on an unsure session is known")
	}
	s.Reset(t.Context())
	exec(t.Context(), s, updateTitle, "new", 8)
	if r.last().Everything != "" {
		t.Error("it is unsure after a reset")
	}

	// A COMMIT that was understood publishes once more: what was told before may have been
	// within a transaction.
	exec(t.Context(), s, `BEGIN; UPDATE posts SET title = 'x'`)
	f = r.read(postByID, args(7), args(7, "old"))
	exec(t.Context(), s, `COMMIT`)
	if r.fresh(f) {
		t.Error("the commit is not published")
	}
	exec(t.Context(), s, updateTitle, "new", 8)
	if r.last().Everything != "" {
		t.Error("it is unsure after a commit")
	}
	exec(t.Context(), s, `BEGIN; UPDATE posts SET title = 'x'`)
	f = r.read(postByID, args(7), args(7, "old"))
	exec(t.Context(), s, `ROLLBACK`)
	if r.fresh(f) {
		t.Error("what a statement that was not understood may have committed is forgotten by a rollback")
	}
}

// The driver is believed, not the text.
func TestTxStatus(t *testing.T) {
	r := newRig(t, Options{})
	s := r.session()
	inside := true
	s.TxStatus = func() (bool, bool) { return inside, true }
	exec(t.Context(), s, `BEGIN; UPDATE posts SET title = 'x' WHERE id = 7`)
	exec(t.Context(), s, updateTitle, "new", 8)
	if r.commits() != 0 {
		t.Fatal("published within the transaction")
	}
	inside = false
	exec(t.Context(), s, `UPDATE posts SET title = 'x'; COMMIT`)
	if r.commits() != 1 || r.last().Everything == "" {
		t.Fatalf("%d commits", r.commits())
	}
	exec(t.Context(), s, updateTitle, "new", 8)
	if r.commits() != 2 || r.last().Everything != "" {
		t.Errorf("%+v", r.last())
	}
}

// SQLite may end a transaction when a statement fails: what is written afterwards is told
// at once, and at the commit.
func TestFailedStatement(t *testing.T) {
	r := newRig(t, Options{})
	f := r.read(postByID, args(7), args(7, "old"))
	s := r.session()
	exec(t.Context(), s, `BEGIN`)
	s.Start(t.Context(), updateTitle, named(args("x", 8))).End(errFailed, -1, false)
	exec(t.Context(), s, updateTitle, "new", 7)
	if r.fresh(f) {
		t.Error("a write after an error waits for a commit that may not come")
	}
	n := r.commits()
	query(t.Context(), s, postByID, args(7), args(7, "new"))
	if r.commits() != n {
		t.Error("a read publishes")
	}
	f = r.read(postByID, args(7), args(7, "old"))
	exec(t.Context(), s, `COMMIT`)
	if r.fresh(f) {
		t.Error("the commit is not published")
	}
	r.sink.commits = nil
	s.Start(t.Context(), updateTitle, named(args("x", 8))).End(errFailed, -1, false)
	if r.commits() != 1 || !r.last().Uncertain {
		t.Error("a write that failed outside of a transaction may have been one")
	}
}

// Two-phase commit: the changes wait under their name, whoever commits them.
func TestPreparedTransaction(t *testing.T) {
	r := newRig(t, Options{Dialect: catalog.PostgreSQL})
	const update, by = `UPDATE posts SET title = $1 WHERE id = $2`, `SELECT id, title FROM posts WHERE id = $1`
	f := r.read(by, args(7), args(7, "old"))
	other := r.read(by, args(8), args(8, "old"))
	s := r.session()
	exec(t.Context(), s, `BEGIN`)
	exec(t.Context(), s, update, "new", 7)
	exec(t.Context(), s, `PREPARE TRANSACTION 'g'`)
	exec(t.Context(), s, `ROLLBACK`)
	if r.commits() != 0 {
		t.Fatal("published before the commit")
	}
	exec(t.Context(), r.session(), `COMMIT PREPARED 'g'`)
	if r.fresh(f) || !r.fresh(other) {
		t.Error("the post is fresh, or another one is not")
	}
	exec(t.Context(), r.session(), `COMMIT PREPARED 'g'`)
	if r.last().Everything == "" {
		t.Error("a transaction that is not known was committed")
	}
	exec(t.Context(), s, `BEGIN`)
	exec(t.Context(), s, update, "new", 7)
	exec(t.Context(), s, `PREPARE TRANSACTION 'h'`)
	exec(t.Context(), s, `ROLLBACK PREPARED 'h'`)
	if r.commits() != 2 {
		t.Error("a rollback is published")
	}
}

// A gid may come again after another process has ended the transaction that had it: what
// that one changed does not stand for what the later one has.
func TestPreparedUnderTheSameName(t *testing.T) {
	const updatePost, updateUser = `UPDATE posts SET title = $1 WHERE id = $2`, `UPDATE users SET name = $1 WHERE id = $2`
	for name, again := range map[string]func(s *Session){
		"other changes": func(s *Session) { exec(t.Context(), s, `PREPARE TRANSACTION 'g'`) },
		"not sure what": func(s *Session) {
			s.doubt("for the test")
			exec(t.Context(), s, `PREPARE TRANSACTION 'g'`)
		},
		"not sure whether": func(s *Session) {
			s.Start(t.Context(), `PREPARE TRANSACTION 'g'`, nil).End(errors.New("the connection broke"), -1, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{Dialect: catalog.PostgreSQL})
			f := r.read(`SELECT id, name FROM users WHERE id = $1`, args(1), args(1, "old"))
			s := r.session()
			exec(t.Context(), s, `BEGIN`)
			exec(t.Context(), s, updatePost, "new", 7)
			exec(t.Context(), s, `PREPARE TRANSACTION 'g'`) // another process ends it
			exec(t.Context(), s, `BEGIN`)
			exec(t.Context(), s, updateUser, "new", 1)
			again(s)
			exec(t.Context(), r.session(), `COMMIT PREPARED 'g'`)
			if r.fresh(f) {
				t.Error("the user is fresh")
			}
		})
	}
}

// Transactions that other processes end do not keep later ones from being noted.
func TestPreparedMakeRoom(t *testing.T) {
	r := newRig(t, Options{Dialect: catalog.PostgreSQL})
	s := r.session()
	for i := range 2 * maxPrepared {
		exec(t.Context(), s, `BEGIN`)
		exec(t.Context(), s, `UPDATE posts SET title = $1 WHERE id = $2`, "new", i)
		exec(t.Context(), s, fmt.Sprintf(`PREPARE TRANSACTION 'g%d'`, i))
	}
	if n := len(r.waiting.byGid); n != maxPrepared || len(r.waiting.order) != n {
		t.Errorf("%d are noted, %d in order", n, len(r.waiting.order))
	}
	exec(t.Context(), s, fmt.Sprintf(`COMMIT PREPARED 'g%d'`, 2*maxPrepared-1))
	if why := r.last().Everything; why != "" {
		t.Errorf("everything: %s", why)
	}
	exec(t.Context(), s, `COMMIT PREPARED 'g0'`)
	if r.last().Everything == "" {
		t.Error("what is not noted is no change of everything")
	}
}

// The rows of a DML are published when they are closed: not at the first row.
func TestReturningIsPublishedAtItsEnd(t *testing.T) {
	r := newRig(t, Options{})
	f := r.read(postByID, args(7), args(7, "old"))
	other := r.read(postByID, args(8), args(8, "old"))
	s := r.session()
	e := open(t.Context(), s, `UPDATE posts SET title = ? WHERE author_id = ? RETURNING id`, args("new", 3), args(7))
	if r.commits() != 0 {
		t.Fatal("published before the rows are closed")
	}
	e.End(nil, -1, true)
	if r.fresh(f) || !r.fresh(other) {
		t.Error("the row that was returned is fresh, or another one is not")
	}
	open(t.Context(), s, `UPDATE posts SET title = ? WHERE author_id = ? RETURNING id`, args("new", 3), args(7)).End(nil, -1, false)
	if r.fresh(other) {
		t.Error("rows that were not read are taken for none")
	}
}

// Panics of the packages below, and of a cache, are no business of the application's.
func TestPanics(t *testing.T) {
	var broken bool
	r := newRig(t, Options{analyze: func(c *catalog.Catalog, text string) *analysis.Statement {
		if broken {
			panic("analyze")
		}
		return analysis.Analyze(c, text)
	}})
	f := r.read(postByID, args(7), args(7, "old"))
	broken = true
	s := r.session()
	ctx, rec := r.record(t.Context())
	query(ctx, s, `SELECT title FROM posts WHERE id = 9`, nil, args("x"))
	if rec.End().Unknown == "" {
		t.Error("a read that was not understood is known")
	}
	exec(t.Context(), s, `UPDATE posts SET title = 'x' WHERE id = 9`)
	if r.fresh(f) || r.last().Everything == "" || !r.has(Panicked) {
		t.Error("a write that was not understood is published as known")
	}
	broken = false
	r.sink.panics = true
	s = r.session()
	exec(t.Context(), s, `BEGIN`)
	exec(t.Context(), s, updateTitle, "x", 7)
	exec(t.Context(), s, `COMMIT`)
	s.TxStatus = func() (bool, bool) { panic("status") }
	exec(t.Context(), s, updateTitle, "x", 7)
}

// The application has the driver's connection: until the session is reset, nothing is
// known of it.
func TestUnwrapped(t *testing.T) {
	r := newRig(t, Options{})
	s := r.session()
	s.Unwrapped(t.Context())
	exec(t.Context(), s, `COMMIT`)
	exec(t.Context(), s, updateTitle, "x", 8)
	if r.last().Everything == "" {
		t.Error("a commit makes the session certain")
	}
	f := r.read(postByID, args(7), args(7, "old"))
	s.Close()
	if r.fresh(f) {
		t.Error("what was done directly is not published")
	}
}

// A function has had the driver's connection. What it did is published when it has returned,
// and nothing is in doubt if the connection is idle.
func TestReturned(t *testing.T) {
	idle := func() bool { return true }
	for _, c := range []struct {
		name string
		idle func() bool
		// then is what is done before the connection is given back.
		then func(context.Context, *Session)
		// certain says that Returned publishes what is committed, again that everything is
		// published once more when the connection is given back.
		certain, again bool
	}{
		{"idle", idle, nil, true, false},
		{"idle, and a read", idle, func(ctx context.Context, s *Session) {
			query(ctx, s, postByID, args(7), args(7, "old"))
		}, true, false},
		{"idle, and a write", idle, func(ctx context.Context, s *Session) {
			exec(ctx, s, updateTitle, "x", 7)
		}, true, true},
		{"idle, and used again", idle, func(ctx context.Context, s *Session) { s.Lent(ctx) }, true, true},
		{"idle, and broken", idle, func(ctx context.Context, s *Session) { s.Broken(ctx) }, true, true},
		{"a transaction", func() bool { return false }, nil, false, true},
		{"a driver that does not tell", nil, nil, false, true},
		{"a driver that panics", func() bool { panic("idle") }, nil, false, true},
	} {
		for how, back := range map[string]func(*Session){
			"reset": func(s *Session) { s.Reset(t.Context()) },
			"close": func(s *Session) { s.Close() },
		} {
			t.Run(c.name+", "+how, func(t *testing.T) {
				r := newRig(t, Options{})
				s := r.session()
				s.Idle = c.idle
				s.Lent(t.Context())
				f := r.read(postByID, args(7), args(7, "old"))
				s.Returned(t.Context())
				if last := r.last(); r.fresh(f) || last.Everything == "" || last.Uncertain == c.certain {
					t.Fatalf("returned: %+v", last)
				}
				if c.then != nil {
					c.then(t.Context(), s)
				}
				f = r.read(postByID, args(7), args(7, "old"))
				if back(s); r.fresh(f) == c.again {
					t.Errorf("given back: %+v", r.last())
				}
				if how == "close" {
					return
				}
				if exec(t.Context(), s, updateTitle, "x", 8); r.last().Everything != "" {
					t.Errorf("afterwards: %+v", r.last())
				}
			})
		}
	}

	// What was pending before the function is published too, and a transaction that the
	// function has ended is over.
	r := newRig(t, Options{})
	s := r.session()
	s.Idle = idle
	exec(t.Context(), s, `BEGIN`)
	exec(t.Context(), s, updateTitle, "x", 7)
	f := r.read(postByID, args(7), args(7, "old"))
	s.Lent(t.Context())
	if s.Returned(t.Context()); r.fresh(f) || r.last().Uncertain {
		t.Errorf("%+v", r.last())
	}
	s.Reset(t.Context())
	if n := r.commits(); n != 1 {
		t.Errorf("%d commits", n)
	}
}

// COMMIT may come on a context of its own: a commit tells those of the transaction's
// beginning and of its last write.
func TestOrigins(t *testing.T) {
	type key struct{}
	r := newRig(t, Options{})
	s := r.session()
	began, wrote := context.WithValue(t.Context(), key{}, "began"), context.WithValue(t.Context(), key{}, "wrote")
	origins := func() (names []any) {
		for _, ctx := range r.last().Origins {
			names = append(names, ctx.Value(key{}))
		}
		return names
	}
	exec(began, s, `BEGIN`)
	exec(t.Context(), s, updateTitle, "x", 8)
	exec(wrote, s, updateTitle, "new", 7)
	query(t.Context(), s, postByID, args(7), args(7, "new"))
	exec(t.Context(), s, `COMMIT`)
	if got := origins(); !slices.Equal(got, []any{"began", "wrote"}) {
		t.Errorf("origins %v", got)
	}
	s.Begin(began, driver.TxOptions{}).Begun(nil)
	s.Start(wrote, `UPDATE posts SET title = ?; SELECT 1`, named(args("x"))).End(nil, 1, true)
	s.Committed(t.Context(), nil)
	if got := origins(); r.last().Everything == "" || len(got) == 0 || got[0] != "began" {
		t.Errorf("origins of everything %v", got)
	}
	exec(t.Context(), s, updateTitle, "new", 7)
	if got := origins(); !slices.Equal(got, []any{nil}) {
		t.Errorf("origins outlive their commit: %v", got)
	}
}

// A sqliteError has a code, a postgresError a state.
type (
	sqliteError   int
	postgresError string
)

func (e sqliteError) Error() string      { return "sqlite" }
func (e sqliteError) Code() int          { return int(e) }
func (e postgresError) Error() string    { return "postgres" }
func (e postgresError) SQLState() string { return string(e) }

// What the database has refused is certain: the commit of the rest is one of the ordinary
// kind, and a rollback publishes nothing.
func TestRefusedStatement(t *testing.T) {
	for _, c := range []struct {
		dialect catalog.Dialect
		err     error
		refused bool
	}{
		{catalog.SQLite, sqliteError(2067), true}, // SQLITE_CONSTRAINT_UNIQUE
		{catalog.SQLite, sqliteError(10), false},  // SQLITE_IOERR
		{catalog.SQLite, postgresError("23505"), false},
		{catalog.SQLite, errFailed, false},
		{catalog.PostgreSQL, postgresError("23505"), true},
		{catalog.PostgreSQL, fmt.Errorf("insert: %w", postgresError("40P01")), true},
		{catalog.PostgreSQL, postgresError("40003"), false}, // statement_completion_unknown
		{catalog.PostgreSQL, postgresError("57P01"), false}, // admin_shutdown
		{catalog.PostgreSQL, postgresError("08006"), false},
		{catalog.PostgreSQL, sqliteError(2067), false},
		{catalog.PostgreSQL, errFailed, false},
	} {
		r := newRig(t, Options{Dialect: c.dialect, Images: Off})
		s := r.session()
		text := updateTitle
		if c.dialect == catalog.PostgreSQL {
			text = `UPDATE posts SET title = $1 WHERE id = $2`
		}
		fail := func(text string) { s.Start(t.Context(), text, named(args("x", 8))).End(c.err, -1, false) }
		undone := c.refused && c.dialect == catalog.PostgreSQL
		sure := func() bool {
			if undone {
				return r.commits() == 0
			}
			return r.commits() == 1 && r.last().Uncertain != c.refused
		}
		fail(text)
		if !sure() {
			t.Errorf("%v %v: outside of a transaction: %+v", c.dialect, c.err, r.sink.commits)
		}
		r.sink.commits = nil
		s.Begin(t.Context(), driver.TxOptions{}).Begun(nil)
		fail(text)
		if r.commits() != 0 {
			t.Errorf("%v %v: published before the end of the transaction", c.dialect, c.err)
		}
		s.RolledBack(t.Context(), nil)
		if r.commits() != 0 {
			t.Errorf("%v %v: a rollback is published", c.dialect, c.err)
		}
		s.Begin(t.Context(), driver.TxOptions{}).Begun(nil)
		fail(text)
		s.Committed(t.Context(), nil)
		if !sure() {
			t.Errorf("%v %v: within a transaction: %+v", c.dialect, c.err, r.sink.commits)
		}
		r.sink.commits = nil
		if c.dialect == catalog.SQLite {
			fail(`INSERT INTO posts (title, id) VALUES (?, ?)`)
			if (r.commits() == 0) != c.refused {
				t.Errorf("%v %v: one row: %+v", c.dialect, c.err, r.sink.commits)
			}
			r.sink.commits = nil
			fail(`INSERT INTO posts (title, id) VALUES (?, ?), ('second', 9)`)
			if r.commits() == 0 {
				t.Errorf("%v %v: the first of two rows may have been inserted", c.dialect, c.err)
			}
			r.sink.commits = nil
		}
		fail(`UPDATE what is not understood`)
		if r.commits() != 1 || !r.last().Uncertain {
			t.Errorf("%v %v: a text that is not understood: %+v", c.dialect, c.err, r.sink.commits)
		}
	}
}

// PostgreSQL rolls back what it refuses to commit, and a transaction in which a statement
// has failed.
func TestRefusedCommit(t *testing.T) {
	const text = `UPDATE posts SET title = $1 WHERE id = $2`
	for _, c := range []struct {
		name             string
		statement, after error // of the statements, nil for success
		commit           error
		published        bool
	}{
		{"serialization", nil, nil, postgresError("40001"), false},
		{"a deferred constraint", nil, nil, postgresError("23503"), false},
		{"a lost connection", nil, nil, errFailed, true},
		{"shut down", nil, nil, postgresError("57P01"), true},
		{"unknown", nil, nil, postgresError("40003"), true},
		{"a failed transaction", nil, postgresError("XX000"), errFailed, false},
		{"a failed transaction, restored", postgresError("23505"), nil, errFailed, true},
		{"an error of the driver's", nil, errFailed, errFailed, true},
	} {
		r := newRig(t, Options{Dialect: catalog.PostgreSQL})
		s := r.session()
		s.Begin(t.Context(), driver.TxOptions{}).Begun(nil)
		exec(t.Context(), s, text, "new", 7)
		s.Start(t.Context(), text, named(args("x", 8))).End(c.statement, -1, false)
		s.Start(t.Context(), text, named(args("x", 8))).End(c.after, -1, false)
		s.Committed(t.Context(), c.commit)
		if (r.commits() > 0) != c.published {
			t.Errorf("%s: %+v", c.name, r.sink.commits)
		}
		n := r.commits()
		s.Reset(t.Context())
		if !c.published && r.commits() > n {
			t.Errorf("%s: something is published later", c.name)
		}
	}
}

// A COMMIT that fails because the server goes away may have been one, also when it is sent
// as a text: the failure is that of the COMMIT, and not of a statement before it.
func TestCommitOfAServerThatGoesAway(t *testing.T) {
	for _, text := range []bool{false, true} {
		r := newRig(t, Options{Dialect: catalog.PostgreSQL, Images: Off})
		s := r.session()
		exec(t.Context(), s, `BEGIN`)
		exec(t.Context(), s, `UPDATE posts SET title = $1 WHERE id = $2`, "new", 7)
		const shutdown = postgresError("57P01")
		if text {
			s.Start(t.Context(), `COMMIT`, nil).End(shutdown, -1, true)
		} else {
			s.Committed(t.Context(), shutdown)
		}
		if r.commits() != 1 || !r.last().Uncertain {
			t.Errorf("as a text %v: %d commits are published", text, r.commits())
		}
	}
}

// SQLite commits what is written beside rows of a statement that writes when these are
// closed. Until then others see what was there, and the connection sees what they do not.
func TestWriteBesideOpenRows(t *testing.T) {
	const count = `SELECT count(*) FROM comments WHERE post_id = ?`
	r := newRig(t, Options{Images: Off})
	s, job := r.session(), Outside(t.Context())
	read := func(s *Session) Footprint {
		ctx, rec := r.record(t.Context())
		query(ctx, s, count, args(7), args(1))
		return rec.End()
	}
	for range 2 {
		r.read(count, args(7), args(1))
	}
	open(t.Context(), s, `SELECT id FROM posts`, nil, args(1)).End(nil, -1, true)
	if f := read(s); f.Uncommitted != "" {
		t.Errorf("beside nothing: %q", f.Uncommitted)
	}
	for _, begin := range []bool{false, true} {
		if begin {
			s.Begin(t.Context(), driver.TxOptions{}).Begun(nil)
		}
		e := open(job, s, `DELETE FROM comments WHERE post_id = ? RETURNING id`, args(7), args(1), args(2))
		if f := read(s); f.Uncommitted == "" {
			t.Error("what is returned by a statement that goes on is stored")
		}
		ctx, rec := r.record(t.Context())
		q := open(ctx, s, count, args(7), args(1))
		if f := rec.End(); f.Uncommitted == "" {
			t.Error("the same, of rows that are being read")
		}
		q.End(nil, -1, true)
		e.End(nil, -1, true)
		if begin {
			s.Committed(t.Context(), nil)
		}
		if f := read(s); f.Uncommitted != "" || s.dirty.Load() {
			t.Errorf("after the commit: %q", f.Uncommitted)
		}
	}
	e := open(job, s, `UPDATE posts SET title = ? WHERE id = ? RETURNING id`, args("x", 7), args(7))
	n := r.commits()
	exec(job, s, `DELETE FROM comments WHERE post_id = ?`, 7)
	if r.commits() == n {
		t.Error("nothing is published, and the rows may be those of a statement that does not write")
	}
	meanwhile := read(r.session())
	e.End(nil, -1, false)
	if r.fresh(meanwhile) {
		t.Error("what was there before the commit is kept")
	}
	meanwhile = read(r.session())
	exec(job, s, `UPDATE posts SET title = ? WHERE id = ?`, "y", 7)
	if !r.fresh(meanwhile) {
		t.Error("what was committed is published again")
	}
}

// A connection of SQLite whose rows are open reads what was there when they were asked for.
func TestReadBesideOpenRows(t *testing.T) {
	for _, d := range []catalog.Dialect{catalog.SQLite, catalog.PostgreSQL} {
		r := newRig(t, Options{Dialect: d})
		s, job := r.session(), Outside(t.Context())
		e := open(job, s, `SELECT id FROM posts`, nil, args(7))
		n := r.sink.Number()
		exec(job, r.session(), `DELETE FROM comments`)
		number := func() uint64 {
			ctx, rec := r.record(t.Context())
			query(ctx, s, `SELECT count(*) FROM comments`, nil, args(1))
			return rec.End().Number
		}
		if old := number() == n; old != (d == catalog.SQLite) {
			t.Errorf("%v: as old as the rows: %v", d, old)
		}
		b := s.Begin(job, driver.TxOptions{})
		b.Begun(nil)
		if old := number() == n; old != (d == catalog.SQLite) {
			t.Errorf("%v: in a transaction as old as the rows: %v", d, old)
		}
		e.End(nil, -1, true)
		s.RolledBack(job, nil)
		if number() != n+1 {
			t.Errorf("%v: as old as rows that are closed", d)
		}
	}
}

// An error may have rolled all of a transaction of SQLite back. A savepoint that follows
// begins another one then, and its release commits that.
func TestReleaseAfterError(t *testing.T) {
	r := newRig(t, Options{Images: Off})
	s := r.session()
	s.TxStatus = nil
	exec(t.Context(), s, `SAVEPOINT a`)
	s.Start(t.Context(), `INSERT OR ROLLBACK INTO comments (id, post_id, body) VALUES (1, 1, 'x')`, nil).End(errFailed, -1, false)
	exec(t.Context(), s, `SAVEPOINT a`)
	exec(t.Context(), s, `DELETE FROM comments WHERE post_id = ?`, 7)
	meanwhile := r.read(`SELECT count(*) FROM comments WHERE post_id = ?`, args(7), args(1))
	exec(t.Context(), s, `RELEASE a`)
	if r.fresh(meanwhile) {
		t.Error("what was there before the commit is kept")
	}
}
