package observe

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// A statement without a context belongs to all computations that run while it does: those
// that begin while its rows are open, too, whose numbers are those of its start.
func TestOrphan(t *testing.T) {
	for _, nobody := range []bool{false, true} {
		t.Run(fmt.Sprintf("nobody records at its start: %v", nobody), func(t *testing.T) {
			r := newRig(t, Options{})
			r.read(postByID, args(7), args(7, "old"))
			var recs []*Recording
			if !nobody {
				_, rec := r.record(t.Context())
				recs = append(recs, rec)
			}
			e := open(t.Context(), r.session(), postByID, args(7), args(7, "old")) // a loader's
			exec(Outside(t.Context()), r.session(), updateTitle, "new", 7)         // the rows may be older
			_, b := r.record(t.Context())                                          // begins, and waits for the loader
			recs = append(recs, b)
			e.End(nil, -1, true)
			_, c := r.record(t.Context()) // begins afterwards
			for i, rec := range recs {
				f := rec.End()
				if r.fresh(f) || f.Orphans != 1 {
					t.Errorf("recording %d: %+v", i, f)
				}
			}
			if f := c.End(); len(f.Tags) > 0 || f.Statements != 0 {
				t.Errorf("a later recording has it: %+v", f)
			}
			if nobody == r.has(Orphan) {
				t.Errorf("orphans: %v", r.Findings())
			}
		})
	}
}

// A later change of what an orphan has read reaches all that it belongs to.
func TestOrphanIsPrecise(t *testing.T) {
	r := newRig(t, Options{})
	r.read(postByID, args(7), args(7, "old"))
	_, a := r.record(t.Context())
	_, other := Begin(t.Context(), Start{Since: ^uint64(0), Sink: r.sink}) // of another handle
	query(t.Context(), r.session(), postByID, args(7), args(7, "old"))
	f, g := a.End(), other.End()
	exec(t.Context(), r.session(), updateTitle, "new", 8)
	if !r.fresh(f) {
		t.Error("another row drops it")
	}
	exec(t.Context(), r.session(), updateTitle, "new", 7)
	if r.fresh(f) || len(g.Tags) > 0 {
		t.Error("the row does not, or another handle's recording has it")
	}
}

// What a job reads is nobody's, what it writes counts.
func TestOutside(t *testing.T) {
	r := newRig(t, Options{})
	f := r.read(postByID, args(7), args(7, "old"))
	ctx, rec := r.record(t.Context())
	query(Outside(ctx), r.session(), postByID, args(8), args(8, "old"))
	if g := rec.End(); g.Statements != 0 {
		t.Errorf("%+v", g)
	}
	exec(Outside(t.Context()), r.session(), updateTitle, "new", 7)
	if r.fresh(f) {
		t.Error("what a job has written does not count")
	}
	ctx, rec = r.record(Outside(t.Context()))
	query(ctx, r.session(), postByID, args(8), args(8, "old"))
	if g := rec.End(); g.Statements != 1 {
		t.Error("a computation within a job has no statements")
	}
}

// With ByTime, every statement belongs to every computation that runs.
func TestByTime(t *testing.T) {
	r := newRig(t, Options{Attribution: ByTime})
	ctx, a := r.record(t.Context())
	_, b := r.record(t.Context())
	e := open(ctx, r.session(), postByID, args(7), args(7, "old"))
	_, c := r.record(t.Context())
	e.End(nil, -1, true)
	for i, rec := range []*Recording{a, b, c} {
		if f := rec.End(); f.Statements != 1 || len(f.Tags) == 0 {
			t.Errorf("recording %d: %+v", i, f)
		}
	}
}

// What was read while a computation ran that still runs may be shared with one that begins
// later, though the statement has ended: a singleflight that is joined.
func TestByTimeOfThoseWhoStillRun(t *testing.T) {
	r := newRig(t, Options{Attribution: ByTime})
	query(t.Context(), r.session(), postByID, args(5), args(5, "before"))
	ctx, a := r.record(t.Context())
	_, short := r.record(t.Context())
	query(ctx, r.session(), postByID, args(7), args(7, "old"))
	short.End()
	_, b := r.record(t.Context())
	a.End()
	_, c := r.record(t.Context()) // what A had read is in nobody's hands but B's
	f := b.End()
	if f.Statements != 1 || len(f.Tags) == 0 {
		t.Errorf("%+v", f)
	}
	if f := c.End(); f.Statements != 0 {
		t.Errorf("who had read it has ended: %+v", f)
	}
	exec(t.Context(), r.session(), updateTitle, "new", 7)
	if r.fresh(f) {
		t.Error("what has been shared is kept")
	}
}

// Within another computation, statements belong to both.
func TestNested(t *testing.T) {
	r := newRig(t, Options{})
	ctx, outer := r.record(t.Context())
	inner, rec := r.record(ctx)
	query(inner, r.session(), postByID, args(7), args(7, "old"))
	if f, g := rec.End(), outer.End(); f.Statements != 1 || g.Statements != 1 || g.Orphans != 1 {
		t.Errorf("%+v, %+v", f, g)
	}
}

// A field that no statement of its computation explains has what others have read
// meanwhile: singleflight, a loader of the process.
func TestWaitingField(t *testing.T) {
	r := newRig(t, Options{})
	r.read(postByID, args(7), args(7, "old"))
	for _, ended := range []bool{false, true} {
		ctxA, a := r.record(t.Context())
		e := open(ctxA, r.session(), postByID, args(7), args(7, "old"))
		exec(t.Context(), r.session(), updateTitle, "new", 7) // A's rows may be older
		_, b := r.record(t.Context())
		at := b.Enter()
		if ended {
			e.End(nil, -1, true)
		}
		b.Leave("Query.post", at, "old")
		e.End(nil, -1, true)
		if f := b.End(); r.fresh(f) || len(f.Unexplained) > 0 {
			t.Errorf("ended %v: %+v", ended, f)
		}
		a.End()
		if exec(t.Context(), r.session(), updateTitle, "new", 7); r.commits()%2 != 0 {
			t.Fatal("commits")
		}
	}
}

// A field that shows something without any statement has it from elsewhere.
func TestUnexplainedField(t *testing.T) {
	r := newRig(t, Options{})
	type post struct{ title string }
	shared := &post{"x"}
	ctx, a := r.record(t.Context())

	at := a.Enter()
	query(ctx, r.session(), postByID, args(7), args(7, "old"))
	a.Leave("Query.posts", at, shared)
	at = a.Enter()
	a.Leave("Post.self", at, shared) // the very object
	at = a.Enter()
	a.Leave("Query.nothing", at, (*post)(nil))
	at = a.Enter()
	a.Leave("Query.posts", at, &post{}) // explained elsewhere
	at = a.Enter()
	a.Leave("Query.cached", at, &post{"x"})
	a.Leave("Query.cached", at, &post{"x"})
	at = a.Enter()
	a.Leave("Query.empty", at, []*post{})
	f := a.End()
	if len(f.Unexplained) != 2 || f.Unexplained[0] != "Query.cached" || f.Unexplained[1] != "Query.empty" || !r.has(UnexplainedField) {
		t.Errorf("%q", f.Unexplained)
	}

	// A field of the root type is explained by its own statements.
	ctx, a = r.record(t.Context())
	at = a.Enter()
	query(ctx, r.session(), postByID, args(7), args(7, "old"))
	a.LeaveRoot("Query.post", at, shared)
	at = a.Enter()
	a.LeaveRoot("Query.post", at, shared)
	if f := a.End(); len(f.Unexplained) > 0 {
		t.Errorf("the very object: %q", f.Unexplained)
	}
	ctx, a = r.record(t.Context())
	at = a.Enter()
	query(ctx, r.session(), postByID, args(7), args(7, "old"))
	a.LeaveRoot("Query.post", at, shared)
	at = a.Enter()
	a.LeaveRoot("Query.post", at, &post{})
	if f := a.End(); len(f.Unexplained) != 1 {
		t.Errorf("another object: %q", f.Unexplained)
	}

	// Of two fields that a loader answers, the one that has asked later may leave first: what
	// explains the other one explains it. It may come without a context, and there may be
	// objects that nothing explains.
	for _, ctxOf := range []string{"own", "none"} {
		for _, other := range []bool{false, true} {
			ctx, a := r.record(t.Context())
			if ctxOf == "none" {
				ctx = t.Context()
			}
			first := a.Enter()
			query(ctx, r.session(), postByID, args(7), args(7, "old"))
			second := a.Enter()
			a.Leave("Comment.author", second, shared)
			if other {
				a.Leave("Comment.author", second, &post{"y"})
			}
			a.Leave("Post.author", first, shared)
			if f := a.End(); len(f.Unexplained) > 0 != other {
				t.Errorf("context %s, another object %v: %q", ctxOf, other, f.Unexplained)
			}
		}
	}

	// Objects without a size share an address.
	type nothing struct{}
	ctx, a = r.record(t.Context())
	at = a.Enter()
	query(ctx, r.session(), postByID, args(7), args(7, "old"))
	a.Leave("Query.a", at, &nothing{})
	at = a.Enter()
	a.Leave("Query.b", at, &nothing{})
	if f := a.End(); len(f.Unexplained) != 1 {
		t.Errorf("%q", f.Unexplained)
	}
}

// The log of executions has a bound: a field that waited longer is unknown.
func TestLongWait(t *testing.T) {
	r := newRig(t, Options{})
	_, a := r.record(t.Context())
	at := a.Enter()
	ctx, b := r.record(t.Context())
	s := r.session()
	for range maxEnded + 1 {
		query(ctx, s, postByID, args(7), args(7, "old"))
	}
	if len(reg.ended) > maxEnded {
		t.Errorf("%d executions are remembered", len(reg.ended))
	}
	a.Leave("Query.post", at, "x")
	if f := a.End(); f.Unknown == "" {
		t.Error("it is known")
	}
	for range 2 * pruneEvery { // what no recording needs is forgotten
		next, rec := r.record(t.Context())
		b.End()
		query(next, s, postByID, args(7), args(7, "old"))
		b = rec
	}
	if len(reg.ended) > pruneEvery || reg.size > 64*pruneEvery {
		t.Errorf("%d executions of %d tags are remembered", len(reg.ended), reg.size)
	}
	b.End()
	if reg.ended != nil || reg.open != nil || len(reg.recordings) > 0 {
		t.Error("something is left")
	}
}

// What is read in a transaction is as old as the transaction.
func TestOldTransaction(t *testing.T) {
	r := newRig(t, Options{})
	r.read(postByID, args(7), args(7, "old"))
	for name, begin := range map[string]func(*Session){
		"driver": func(s *Session) { s.Begin(t.Context(), driver.TxOptions{ReadOnly: true}).Begun(nil) },
		"text":   func(s *Session) { exec(t.Context(), s, `BEGIN`) },
	} {
		s := r.session()
		begin(s)
		exec(t.Context(), r.session(), updateTitle, "new", 7)
		ctx, rec := r.record(t.Context())
		query(ctx, s, postByID, args(7), args(7, "old")) // its snapshot is older
		if f := rec.End(); r.fresh(f) {
			t.Errorf("%s: %+v of %d", name, f.Number, r.commits())
		}
	}
}

// A read relies only on shapes that are older than its snapshot.
func TestLateShape(t *testing.T) {
	r := newRig(t, Options{})
	s := r.session()
	s.Begin(t.Context(), driver.TxOptions{ReadOnly: true}).Begun(nil)
	ctx, rec := r.record(t.Context())
	query(ctx, s, `SELECT name FROM users WHERE id = ?`, args(1), args("Ann")) // opens the snapshot
	affect(t.Context(), r.session(), 1, `UPDATE posts SET status = 'DRAFT' WHERE id = ?`, 7)
	query(t.Context(), r.session(), `SELECT count(*) FROM posts WHERE status = ?`, args("PUBLISHED"), args(1)) // registers the shape
	query(ctx, s, `SELECT count(*) FROM posts WHERE status = ?`, args("PUBLISHED"), args(2))                   // the old state
	f := rec.End()
	f.Number = 0
	if r.fresh(f) {
		t.Error("the writer did not know the shape that the read relies on")
	}
}

// A writer makes its tags after its commit, with the shapes of that moment.
func TestShapeBeforeCommit(t *testing.T) {
	r := newRig(t, Options{})
	s := r.session()
	s.Begin(t.Context(), driver.TxOptions{}).Begun(nil)
	exec(t.Context(), s, `UPDATE posts SET status = 'DRAFT' WHERE id = ?`, 7)
	const count = `SELECT count(*) FROM posts WHERE status = ?`
	f := r.read(count, args("PUBLISHED"), args(2)) // relies on the shape
	s.Committed(t.Context(), nil)
	if r.fresh(f) {
		t.Error("the tags are older than the shape")
	}
}

// What a connection reads of its own changes is not stored, unless they are of other rows.
func TestUncommitted(t *testing.T) {
	r := newRig(t, Options{})
	r.read(postByID, args(7), args(7, "old"))
	s := r.session()
	s.Begin(t.Context(), driver.TxOptions{}).Begun(nil)
	ctx, rec := r.record(t.Context())
	exec(ctx, s, `UPDATE users SET last_seen = ? WHERE id = ?`, "now", 1)
	query(ctx, s, postByID, args(7), args(7, "old"))
	query(ctx, s, `SELECT id, name FROM users WHERE id = ?`, args(1), args(1, "Ann"))
	if f := rec.End(); f.Uncommitted != "" {
		t.Errorf("changes of other rows and columns: %q", f.Uncommitted)
	}
	exec(t.Context(), s, updateTitle, "new", 7)
	ctx, rec = r.record(t.Context())
	query(ctx, s, postByID, args(7), args(7, "new"))
	if f := rec.End(); f.Uncommitted == "" {
		t.Error("a row that it has changed")
	}
	exec(t.Context(), s, `SAVEPOINT a`)
	ctx, rec = r.record(t.Context())
	e := open(ctx, s, postByID, args(8), args(8, "new"))
	s.RolledBack(t.Context(), nil)
	e.End(nil, -1, true)
	if f := rec.End(); f.Uncommitted == "" {
		t.Error("rows that were open during a rollback")
	}
	query(t.Context(), s, postByID, args(7), args(7, "old"))
	ctx, rec = r.record(t.Context())
	query(ctx, s, postByID, args(7), args(7, "old"))
	if f := rec.End(); f.Uncommitted != "" {
		t.Error("after the rollback")
	}

	// Nobody records when the statement starts.
	exec(t.Context(), s, `BEGIN`)
	exec(t.Context(), s, updateTitle, "new", 7)
	e = open(t.Context(), s, postByID, args(7), args(7, "new"))
	_, rec = r.record(t.Context())
	e.End(nil, -1, true)
	exec(t.Context(), s, `ROLLBACK`)
	if f := rec.End(); f.Uncommitted == "" {
		t.Error("an orphan")
	}
}

// A statement that comes after the answer is told.
func TestLate(t *testing.T) {
	r := newRig(t, Options{})
	ctx, rec := r.record(t.Context())
	late := 0
	rec.Late = func() { late++; panic("late") }
	rec.End()
	query(ctx, r.session(), postByID, args(7), args(7, "old"))
	if late != 1 || !r.has(LateStatement) {
		t.Errorf("told %d times", late)
	}
}

// A replica may be behind, and dirty reads are of nobody's commit.
func TestUnknownReads(t *testing.T) {
	r := newRig(t, Options{Replica: true})
	ctx, rec := r.record(t.Context())
	query(ctx, r.session(), postByID, args(7), args(7, "old"))
	if rec.End().Uncommitted == "" {
		t.Error("a replica")
	}
	r = newRig(t, Options{})
	for text, why := range map[string]string{
		`SELECT name FROM nobody`:                             "a table that is not known",
		`SELECT title FROM posts; SELECT 1`:                   "two statements",
		`SELECT myfunction(title) FROM posts`:                 "a function that is not known",
		`INSERT INTO users (id, name) VALUES (1, 'x'), (2, ?`: "a text that ends early",
	} {
		ctx, rec := r.record(t.Context())
		query(ctx, r.session(), text, nil)
		if rec.End().Unknown == "" {
			t.Error(why)
		}
	}
	s := r.session()
	s.Begin(t.Context(), driver.TxOptions{Isolation: readUncommitted}).Begun(nil)
	ctx, rec = r.record(t.Context())
	query(ctx, s, postByID, args(7), args(7, "old"))
	if rec.End().Unknown == "" {
		t.Error("READ UNCOMMITTED")
	}
	ctx, rec = r.record(t.Context())
	e := r.session().Start(ctx, postByID, named(args(7)))
	e.Rows(2)
	e.NextResultSet()
	e.End(nil, -1, true)
	if rec.End().Unknown == "" {
		t.Error("several results")
	}
	ctx, rec = r.record(t.Context())
	r.session().Start(ctx, updateTitle, named(args("x", 7))).End(errFailed, -1, false)
	if rec.End().Unknown == "" {
		t.Error("a write that failed")
	}
	ctx, rec = r.record(t.Context())
	query(ctx, r.session(), `SELECT random(), title FROM posts WHERE id = 7`, nil, args(1, "x"))
	if f := rec.End(); f.Volatile == "" || f.Unknown != "" {
		t.Errorf("%+v", f)
	}
}

// A statement that did not run (driver.ErrSkip) reads nothing and writes nothing.
func TestSkip(t *testing.T) {
	r := newRig(t, Options{})
	ctx, rec := r.record(t.Context())
	e := r.session().Start(ctx, postByID, named(args(7)))
	e.Skip()
	e.End(nil, -1, true)
	r.session().Start(ctx, updateTitle, named(args("x", 7))).Skip()
	if f := rec.End(); len(f.Tags) > 0 || r.commits() > 0 {
		t.Errorf("%+v, %d", f, r.commits())
	}
}

// Where a finding's statement came from is said once.
func TestFindings(t *testing.T) {
	var log strings.Builder
	r := newRig(t, Options{Logger: logger(&log)})
	_, rec := r.record(t.Context())
	defer rec.End()
	for range 3 {
		query(t.Context(), r.session(), postByID, args(7), args(7, "old"))
	}
	for i := range 2 * maxFindings {
		exec(t.Context(), r.session(), fmt.Sprintf("SELECT 1 FROM nobody%d", i))
	}
	list := r.Findings()
	if len(list) > maxFindings || list[0].Kind != Orphan || list[0].Count != 3 {
		t.Errorf("%d findings, first %+v", len(list), list[0])
	}
	if n := strings.Count(log.String(), string(Orphan)+`"`); n == 0 || n > maxFindings {
		t.Errorf("logged %d times", n)
	}
}

// Recordings, sessions and catalogs at the same time.
func TestRace(t *testing.T) {
	r := newRig(t, Options{})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			s := r.session()
			for n := range 200 {
				ctx := context.Background()
				var rec *Recording
				if n%3 != 0 {
					ctx, rec = r.record(ctx)
				}
				at := uint64(0)
				if rec != nil {
					at = rec.Enter()
				}
				e := open(ctx, s, postByID, args(n), args(n, "x"))
				if n%5 == 0 && rec != nil {
					rec.End()
				}
				e.End(nil, -1, true)
				exec(ctx, s, `BEGIN`)
				exec(ctx, s, updateTitle, "x", i)
				exec(ctx, s, `COMMIT`)
				if rec != nil {
					rec.Leave("f", at, nil)
					rec.End()
				}
				if n%50 == 0 {
					r.CatalogChanged(ctx)
					if err := r.Load(ctx, r.conn); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	if reg.open != nil || len(reg.recordings) > 0 {
		t.Error("something is left")
	}
}

// TestLongEarly: what a request that lasts has read takes no more memory than the tables
// that it has read.
func TestLongEarly(t *testing.T) {
	r := newRig(t, Options{})
	y := &Early{}
	y.Init(t.Context(), Start{Since: ^uint64(0), Sink: r.sink, Coarse: true})
	ctx := context.WithValue(t.Context(), EarlyKey, y)
	s := r.session()
	for i := range 4096 {
		query(ctx, s, postByID, args(i%9), args(i%9, "x"))
	}
	if n := len(y.rec.sum.coarse); n == 0 || n > 512 {
		t.Errorf("%d tags of one table", n)
	}
}
