package observe

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// An Execution is one run of a statement. It belongs to the goroutine that uses the
// session, but for what reg and mu guard.
type Execution struct {
	s     *Session
	ctx   context.Context
	text  string
	a     *analysis.Statement
	known *analyzed // of the text, nil after a fault of ours
	folds folds     // of its template
	st    *state    // nil: the catalog was not known
	why   string    // nothing is known of what it reads: "" when it is
	asOf  moment    // of the snapshot that it reads
	write *writing

	// home is that of schema, in which all names are found that several schemas have: 0
	// where that is not known.
	home   rowtag.Home
	schema string

	// hidden says why its names may be those of other tables than the catalog's, and triggers
	// why it may write more than the catalog tells: "" where that is not so.
	hidden, triggers string

	// sets are the settings that it makes, checks is the recording whose key is checked,
	// args are its arguments until it is known whether its rows are read, and told are the
	// checks that know of it from then on: see check.go.
	sets   []setting
	checks *Recording
	args   arguments
	told   []checking
	first  [1]checking // of told

	done, rows, writes, attributed bool
	// misunderstood says that it was not what it was taken for.
	misunderstood bool
	// moreResults says that further results followed: nothing is known of them.
	moreResults bool

	// The fields below are set before the execution is in reg, or are guarded by reg.mu.

	own        *Recording
	next, prev *Execution
	listed     bool   // in reg.open
	ended      uint64 // by reg.counter; 0 while it runs
	everybodys bool   // it belongs to all recordings that run meanwhile
	orphan     bool   // some recording has it although it came without a context
	observed   bool   // rd is used

	// undone is that of the session at the start.
	undone uint64

	// mu guards rd: a recording that ends takes what was read so far.
	mu sync.Mutex
	rd reading
}

// unknownStatement is what is known of a statement after a fault of ours.
var unknownStatement = &analysis.Statement{Unknown: "an internal fault", Transaction: true, Columns: -1}

// Start is called before the driver runs a statement. text is the statement's, also of a
// prepared one; args must not change until Rows or End. It may run statements of its own on the connection. The
// Execution must be ended.
func (s *Session) Start(ctx context.Context, text string, args []driver.NamedValue) *Execution {
	args, rewritten := withoutOptions(args)
	if rewritten {
		text = "rewritten: " + text // which is no statement
	}
	e := &Execution{s: s, ctx: ctx, text: text, a: unknownStatement, why: unknownStatement.Unknown}
	if !s.contain("start", func() { s.begin(e, args) }) { //nolint:contextcheck // it has the context in e
		e.a, e.why, e.write, e.writes = unknownStatement, unknownStatement.Unknown, nil, true
		e.misread(e.why)
		s.contain("attribution", func() { e.attribute() })
		s.pending.all(e.a.Unknown, text)
		s.dirty.Store(true)
	}
	return e
}

// contain calls f, and reports whether it returned. A panic is a finding, and the session
// is unsure.
func (s *Session) contain(what string, f func()) (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			s.o.panicked(what, v)
			s.doubt("an internal fault")
		}
	}()
	f()
	return true
}

// begin is Start, which contains its panics.
func (s *Session) begin(e *Execution, values []driver.NamedValue) {
	s.poll(e.ctx)
	e.asOf = s.moment()
	e.undone = s.undone.Load()
	// The catalog is looked up after the moment: a recording that is not lowered below a
	// change of the catalog reads with the new one.
	e.known, e.st = s.o.analysis(e.text, &e.folds)
	e.a = e.known.Statement
	e.locate()
	args := arguments{list: values}
	if e.folds.n > 0 {
		args.folds = &e.folds
	}
	if e.st != nil && e.a.Unknown != "" {
		e.found(NotUnderstood, e.a.Unknown)
	}
	e.owned()
	switch e.why = e.a.Unknown; {
	case e.why != "":
	case e.hidden != "":
		e.why = e.hidden
	case s.unsure != "":
		e.why = s.unsure
	case s.tx.open && s.tx.dirtyReads:
		e.why = "the transaction reads what is not committed"
	}
	s.forgot = s.forgot || s.o.opts.Dialect == catalog.PostgreSQL && forgets(e)
	e.writes = len(e.a.Writes) > 0 || e.a.Unknown != "" && !e.a.ReadsOnly
	switch {
	case e.a.Unknown != "":
	case e.hidden != "" && (len(e.a.Refs) > 0 || e.writes):
		e.found(NotUnderstood, e.hidden)
	case e.triggers != "" && e.writes && s.hook == nil:
		e.found(NotUnderstood, e.triggers)
	}
	if len(e.a.Refs) > 0 || e.a.Unknown != "" || e.a.Volatile != "" || len(e.a.Settings) > 0 || e.writes {
		e.attribute()
		if e.observed {
			hidden := e.hides()
			e.mu.Lock()
			e.read(args, hidden)
			e.mu.Unlock()
			e.semiJoins(args)
		}
	}
	e.sets = e.settings(args)
	e.checkLater(args)
	if e.writes {
		e.prepareWrite(args)
	}
}

// forgets reports whether a statement may take prepared ones from the server.
func forgets(e *Execution) bool {
	if e.a.Unknown != "" {
		return !e.a.ReadsOnly && !e.a.Reloads
	}
	word, _, _ := strings.Cut(strings.TrimSpace(e.text), " ")
	return e.a.Kind == sqlparse.NoData && (strings.EqualFold(word, "DISCARD") || strings.EqualFold(word, "DEALLOCATE"))
}

// attribute gives the statement to the recordings that it belongs to.
func (e *Execution) attribute() {
	if e.attributed {
		return
	}
	e.attributed = true
	if e.known != nil {
		e.known.locate()
	}
	s := e.s
	own := owner(e.ctx)
	switch late, over := reg.start(e, own); {
	case over:
		if late != nil {
			s.o.contain("late", late)
		}
		e.found(LateStatement, "its computation has been answered")
	case e.orphan && own == nil:
		e.found(Orphan, "it belongs to all computations that run")
	}
}

// found counts a finding about the statement.
func (e *Execution) found(kind FindingKind, why string) {
	var text string
	if e.known != nil && e.st != nil {
		text = e.known.normalized(e.s.o, e.st)
	} else {
		text = e.s.o.normalized(e.text)
	}
	e.s.o.found(e.ctx, Finding{Kind: kind, Text: text, Why: why})
}

// Rows says that the statement has returned, and that its rows are about to be read;
// columns is how many columns they have. Until End, no statement of ours runs on the
// connection.
func (e *Execution) Rows(columns int) {
	if e.done || e.rows {
		return
	}
	e.rows = true
	if e.s.open == 0 {
		e.s.shown = e.asOf
	}
	if e.s.open++; e.writes {
		e.s.writing++
		e.s.soil()
	}
	e.check()
	if e.a.Columns >= 0 && columns != e.a.Columns && e.a.Unknown == "" {
		e.misread("the result has other columns than the statement")
	}
}

// misread says that the statement is not what it was taken for.
func (e *Execution) misread(why string) {
	e.misunderstood = true
	e.found(NotUnderstood, why)
	e.mu.Lock()
	e.rd.unknown = why
	e.mu.Unlock()
	if e.write != nil {
		e.write.misread = why
	}
}

// NextResultSet says that the statement has further results: nothing is known of it.
func (e *Execution) NextResultSet() {
	if e.done || e.moreResults {
		return
	}
	e.moreResults = true
	e.misread("it has several results")
}

// Wanted reports whether Row makes any use of a row: a wrapper need not decode it when not.
func (e *Execution) Wanted() bool {
	return !e.done && !e.moreResults && (e.observed || e.write != nil || len(e.told) > 0)
}

// Row is called for each row that was read. dest is not kept.
func (e *Execution) Row(dest []driver.Value) {
	if !e.Wanted() {
		return
	}
	if !e.s.contain("row", func() {
		for _, c := range e.told { // before the application has it
			c.fill.Row(c.field, e.known.shape, dest)
		}
		if e.observed {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.readRow(dest)
		}
		if e.write != nil {
			e.write.row(dest)
		}
	}) {
		e.misread("an internal fault")
	}
}

// Skip says that the statement did not run (driver.ErrSkip).
func (e *Execution) Skip() {
	if e.done {
		return
	}
	e.done, e.args = true, arguments{}
	e.s.hook.end(e)
	e.mu.Lock()
	e.rd.skipped = true
	e.mu.Unlock()
	reg.end(e)
}

// End is called once a statement that returns no rows has returned, or once its rows were
// closed. affected is how many rows it affected, -1 when that is not known. complete says
// that the rows were read to their end. A statement outside of a transaction is published
// when End is called, so it must come before the application goes on. Only the first call
// counts.
func (e *Execution) End(err error, affected int64, complete bool) {
	if e.done {
		return
	}
	e.done, e.args = true, arguments{}
	s := e.s
	if e.rows {
		if s.open = max(0, s.open-1); e.writes {
			s.writing = max(0, s.writing-1)
		}
	}
	if !s.contain("end", func() { e.finish(err, affected, complete && err == nil && !e.moreResults) }) {
		e.misread("an internal fault")
		s.pending.all("an internal fault", e.text)
		s.dirty.Store(true)
		s.flush(e.ctx, true)
	}
	s.hook.end(e)
	s.o.counts.add(e)
	reg.end(e)
}

// finish is End, which contains its panics.
func (e *Execution) finish(err error, affected int64, complete bool) {
	s := e.s
	if err == nil {
		s.set(e.sets)
		s.tx.claims = s.tx.claims || s.tx.open && e.a.Claims && e.a.Unknown == ""
	}
	s.followPath(e, err)
	if e.suspects() {
		s.suspect()
	}
	if e.writes {
		s.wrote(e, err, affected, complete)
	}
	if e.observed { // after its own writes: what it returns of them may be rolled back
		e.mu.Lock()
		e.readAll(complete, err)
		e.mu.Unlock()
		if e.st != nil && e.st.shapes.Full() {
			s.o.found(e.ctx, Finding{Kind: ManyShapes, Why: "reads compare more sets of columns than are told apart"})
			s.o.makeRoom(e.st)
		}
	}
	if errors.Is(err, driver.ErrBadConn) {
		s.Broken(e.ctx)
		return
	}
	if s.o.opts.Dialect == catalog.PostgreSQL && e.a.Kind != sqlparse.Commit { // of a COMMIT, committed judges
		s.tx.failed = s.tx.open && err != nil && sqlState(err) != ""
	}
	if err != nil && s.tx.open && s.o.opts.Dialect == catalog.SQLite {
		// The statement itself has committed nothing: the transaction goes on, or was rolled
		// back. It is what follows that may commit by itself.
		s.leaks = s.leaks && s.tx.shaky
		s.tx.shaky = true
	}
	s.control(e, err)
}

// control follows the transaction.
func (s *Session) control(e *Execution, err error) {
	switch e.a.Kind {
	case sqlparse.Begin:
		if e.a.Unknown == "" {
			s.begun(e.ctx, transaction{
				open: true, asOf: e.asOf, ctx: e.ctx,
				locked:     e.a.Level == "immediate" || e.a.Level == "exclusive",
				dirtyReads: e.a.Level == "read uncommitted",
			}, err)
			return
		}
	case sqlparse.Commit:
		if e.a.Unknown == "" {
			s.committed(e.ctx, err)
			return
		}
	case sqlparse.Rollback:
		if e.a.Unknown == "" {
			s.rolledBack(e.ctx, err)
			return
		}
	case sqlparse.PrepareTransaction, sqlparse.CommitPrepared, sqlparse.RollbackPrepared:
		if e.a.Unknown == "" {
			s.prepared(e, err)
			return
		}
	case sqlparse.Savepoint, sqlparse.RollbackTo, sqlparse.Release:
		if e.a.Unknown == "" {
			if err == nil {
				s.savepoint(e)
			}
			s.settle(e.ctx, e.asOf)
			return
		}
	}
	if e.a.Unknown != "" && e.a.Transaction && s.TxStatus == nil && err == nil {
		s.doubt("a statement that was not understood may have begun or ended a transaction")
	}
	s.settle(e.ctx, e.asOf)
	if e.a.Reloads {
		if s.tx.open {
			s.reloads = true
		} else {
			s.reload(e.ctx)
		}
	}
}

// settle believes the driver about the transaction, where it can tell, and publishes what
// is committed.
//
// In SQLite what a statement writes without a transaction is committed when no statement of
// the connection that writes is under way any more:
//
//   - T updates posts with RETURNING, leaves its rows open, and deletes a comment. The comment
//     is there for everybody else until the rows are closed: whoever reads it meanwhile would
//     keep it.
func (s *Session) settle(ctx context.Context, asOf moment) {
	open, known := s.inTransaction()
	if known && !s.raw { // before what is pending is published: it is not in doubt
		s.unsure = ""
	}
	switch {
	case open && !s.tx.open:
		s.tx = transaction{open: true, asOf: asOf, before: s.made, redefines: s.asks}
	case !open && s.tx.open: // ended by something that was not understood, or by an error
		s.outcome()
		s.flush(ctx, true)
		s.made = withoutLocal(s.made)
		s.tx = transaction{}
	}
	switch {
	case s.unsure != "":
		s.flush(ctx, false)
	case !s.tx.open && s.writing > 0 && s.o.opts.Dialect == catalog.SQLite:
		if s.leaks { // or it is committed now, where the other one does not write
			s.publish(ctx, false)
		}
	case !s.tx.open:
		s.flush(ctx, false)
	case s.tx.shaky && s.leaks: // an error may have ended it: SQLite rolls back by itself
		s.leak(ctx)
	}
	s.leaks = false
}

// collect adds the tags of what was read to a sum, from a statement that still runs as if
// it were not read to its end. own says that the sum is of its own recording.
func (e *Execution) collect(dst *sum, own bool) (unknown, uncommitted string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.rd.skipped {
		return "", ""
	}
	switch {
	case e.s.o.opts.Replica:
		uncommitted = "it was read from a replica"
	case e.s.elsewhere != "":
		uncommitted = e.s.elsewhere
	}
	observed := e.observed && (e.rd.refs != nil || e.rd.unknown != "") // somebody recorded when it started
	if !observed || !e.rd.finished {
		if uncommitted == "" && (e.s.dirty.Load() || e.s.undone.Load() != e.undone) {
			uncommitted = e.text
		}
	}
	if !observed {
		dst.tags, unknown = e.wide(dst.tags)
		return unknown, uncommitted
	}
	dst.tags = append(dst.tags, e.rd.tags...)
	if !e.rd.finished {
		dst.tags = e.rest(dst.tags, false)
	}
	if own {
		dst.hidden = append(dst.hidden, e.rd.hidden...)
	} else {
		dst.tags = append(dst.tags, e.rd.hidden...)
	}
	return e.rd.unknown, cmp.Or(uncommitted, e.rd.uncommitted)
}
