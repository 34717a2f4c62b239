package observe

import (
	"cmp"
	"context"
	"database/sql/driver"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// A Session is one connection of a handle. One goroutine at a time uses it, as it uses the
// connection; of its Executions the same is true.
type Session struct {
	o    *Observer
	conn Conn
	// TxStatus asks the driver whether a transaction is open, where it can tell. It may be
	// nil. It is set before the session is used.
	TxStatus func() (inTransaction, known bool)
	// Idle reports whether the driver's connection is whole, has the answer to all that it was
	// sent, and no transaction open: what it committed is visible. nil where the driver cannot
	// tell. It may be set before the first statement.
	Idle func() bool

	tx transaction
	// pending is what was written and not committed.
	pending pending
	// dirty says that others cannot see yet what the connection sees, undone counts
	// rollbacks of something that was pending. Both are read by other goroutines.
	dirty  atomic.Bool
	undone atomic.Uint64
	// unsure says why it is not known whether a transaction is open: all that the session
	// writes may have changed everything, at once. raw says that nothing but Reset ends
	// that.
	unsure string
	raw    bool
	// told says that nothing was done since Returned that may have written, for all that the
	// session is unsure.
	told bool
	// elsewhere says why answers that were read on the connection must not be stored, ""
	// when they may be. It is set before the session is used.
	elsewhere string
	// made are the settings that were made on the connection, of SET and set_config; it is
	// replaced and never changed. crowded says that they are not all.
	made    []setting
	crowded bool
	names   names
	// open counts rows that are being read: no statement of ours runs meanwhile. writing
	// counts those of statements that may write: see settle.
	open, writing int
	// shown is of the first rows that are open: see moment.
	shown moment
	// hook is nil where the database does not tell of rows.
	hook *rowHook
	// own is what a connection of SQLite has of its own, as far as it was asked, and asks
	// says that it has to be asked again: see temporary.go.
	own  catalog.Temporary
	asks bool
	// leaks says that something was written since the last statement ended.
	leaks bool
	// forgot says that the server may have forgotten statements which the driver has
	// prepared: one of ours would fail before there is a savepoint. It holds until Close.
	forgot bool
	// reloads says that the catalog is another one after the commit.
	reloads bool
}

// A transaction is what the session knows of the connection's.
type transaction struct {
	open bool
	// locked says that it holds the write lock of SQLite: BEGIN IMMEDIATE, or it has
	// written.
	locked bool
	// claims says that rows were locked in PostgreSQL as a writer locks them: it is to write.
	claims bool
	// savepoints are the names of those that are open, the outermost first. implied says
	// that the outermost began the transaction.
	savepoints []string
	implied    bool
	// before are the session's settings when it began, marks those at the savepoints.
	before []setting
	marks  [][]setting
	// shaky says that a statement, a commit or a rollback has failed: the transaction may
	// have ended. What is written is told at once, and when it ends.
	shaky bool
	// failed says that PostgreSQL has answered the last statement with an error: until a
	// statement succeeds, which only the end of the transaction or of a savepoint can, a
	// commit is a rollback.
	failed bool
	// erred says that a statement has failed, moves that one has run which may set
	// search_path when the transaction ends: deferred triggers do.
	erred, moves bool
	// dirtyReads says READ UNCOMMITTED, redefines that definitions of SQLite may have changed.
	dirtyReads, redefines bool
	asOf                  moment
	// ctx is that of the statement which began it.
	ctx context.Context
}

// A moment is what was known at one time: the shapes, and the clocks' numbers. A snapshot
// that is opened later shows every change with such a number or a smaller one.
type moment struct {
	generation uint64
	numbers    numbers
}

// moment returns this one.
func (o *Observer) moment() moment { return moment{rowtag.Generation(), o.now()} }

// moment is that of the snapshot which a statement that starts now reads, or the next
// transaction. In SQLite the connection keeps the one of rows that are open:
//
//   - T asks for posts, and leaves the rows open. U deletes a comment. T counts the comments,
//     and the deleted one is among them.
func (s *Session) moment() moment {
	switch {
	case s.tx.open:
		return s.tx.asOf
	case s.open > 0 && s.o.opts.Dialect == catalog.SQLite:
		return s.shown
	}
	return s.o.moment()
}

// NewSession returns the session of a connection that was just opened. conn may be nil
// when no statement of ours can run on it.
func (o *Observer) NewSession(conn Conn) *Session {
	return &Session{o: o, conn: conn, names: names{epoch: o.epoch.Load()}}
}

// Epoch is for Session.SinceEpoch.
func (o *Observer) Epoch() uint64 { return o.epoch.Load() }

// SinceEpoch says what Epoch returned before the connection was opened: statements that were
// prepared unseen while it was may have plans that are as old.
func (s *Session) SinceEpoch(epoch uint64) { s.names.epoch = min(s.names.epoch, epoch) }

// Reset says that the pool hands the connection out: no transaction is open on it. It may
// ask the database whether the catalog is another one.
func (s *Session) Reset(ctx context.Context) {
	s.contain("reset", func() {
		if s.unsure != "" && !s.told {
			s.pending.all(s.unsure, "")
		}
		s.flush(ctx, true)
	})
	s.outcome()
	// Where the application has left a transaction open, and the driver does not end it, it
	// goes on: what is set may be rolled back, and what was set may end with it.
	if open, _ := s.inTransaction(); open {
		s.names.unseen = true
	}
	s.made = withoutLocal(s.made)
	s.tx, s.unsure, s.raw, s.told, s.open, s.writing = transaction{}, "", false, false, 0, 0
	if s.names.unseen {
		s.LosePath()
	}
	s.contain("reset", func() {
		s.poll(ctx)
		s.relearn(ctx)
	})
}

// inTransaction reports whether a transaction is open, as the driver says. Where that is not
// known, it is what the session takes for true.
func (s *Session) inTransaction() (open, known bool) {
	if s.TxStatus != nil {
		s.contain("transaction status", func() { open, known = s.TxStatus() })
	}
	if !known {
		open = s.tx.open
	}
	return open, known
}

// A Beginning is a transaction between the call of the driver and its return.
type Beginning struct {
	s    *Session
	tx   transaction
	ctx  context.Context
	done bool
}

// readUncommitted is that of database/sql.
const readUncommitted driver.IsolationLevel = 1

// Begin is called before the driver's BeginTx.
func (s *Session) Begin(ctx context.Context, opts driver.TxOptions) *Beginning {
	s.contain("begin", func() { s.poll(ctx) })
	return &Beginning{s: s, ctx: ctx, tx: transaction{
		open: true, dirtyReads: opts.Isolation == readUncommitted, asOf: s.moment(), ctx: ctx,
	}}
}

// Begun is called after it has returned.
func (b *Beginning) Begun(err error) {
	if !b.done {
		b.done = true
		b.s.begun(b.ctx, b.tx, err)
	}
}

// begun notes that a transaction was begun. Where one is open, it goes on: PostgreSQL
// warns, and the snapshot is the old one.
func (s *Session) begun(ctx context.Context, tx transaction, err error) {
	if err == nil {
		if s.tx.open {
			s.tx.dirtyReads = s.tx.dirtyReads || tx.dirtyReads
		} else {
			s.tx = tx
			s.tx.before = s.made
		}
	}
	s.settle(ctx, tx.asOf)
}

// Committed is called after the driver's Commit has returned, with its error.
func (s *Session) Committed(ctx context.Context, err error) {
	s.contain("committed", func() { s.committed(ctx, err) })
}

// committed publishes what is pending. A commit that failed may have been one, and may be
// tried again: SQLite keeps the transaction when it was busy. PostgreSQL has rolled back
// what it refuses to commit.
func (s *Session) committed(ctx context.Context, err error) {
	if s.unsure != "" {
		s.pending.all(s.unsure, "")
		s.dirty.Store(true)
	}
	if err != nil && s.unsure == "" && s.o.opts.Dialect == catalog.PostgreSQL && (s.tx.failed || s.o.refusal(err)) {
		s.rolledBack(ctx, nil)
		return
	}
	if err != nil {
		s.outcome()
		s.leak(ctx)
		s.tx.shaky, s.leaks = true, false
		s.settle(ctx, s.tx.asOf)
		return
	}
	switch {
	case s.tx.erred: // PostgreSQL answers COMMIT with a rollback, and no error
		s.outcome()
	case !s.tx.open || s.tx.moves: // what began it was not seen, or what runs at its end
		s.LosePath()
	}
	s.flush(ctx, false)
	s.ended(ctx)
}

// RolledBack is called after the driver's Rollback has returned, with its error.
func (s *Session) RolledBack(ctx context.Context, err error) {
	s.contain("rolled back", func() { s.rolledBack(ctx, err) })
}

// rolledBack forgets what is pending, unless the rollback has failed.
func (s *Session) rolledBack(ctx context.Context, err error) {
	switch {
	case err != nil:
		s.outcome()
		s.tx.shaky = true
		s.settle(ctx, s.tx.asOf)
		return
	case s.unsure != "": // what was written may have been committed before
		s.pending.all(s.unsure, "")
		s.flush(ctx, true)
	}
	if (s.tx.locked || s.tx.claims) && s.tx.ctx != nil {
		s.o.wrote(s.tx.ctx) //nolint:contextcheck // whose transaction it was: it was to write, and has written nothing
	}
	if !s.pending.empty() {
		s.undone.Add(1)
		s.pending.take()
		s.soil()
	}
	if s.tx.open {
		s.made = s.tx.before
	} else { // what began it was not seen
		s.LosePath()
	}
	s.ended(ctx)
}

// ended notes that no transaction is open.
func (s *Session) ended(ctx context.Context) {
	s.made = withoutLocal(s.made)
	s.tx = transaction{}
	if !s.raw {
		s.unsure = ""
	}
	if s.reloads {
		s.reloads = false
		s.reload(ctx)
	}
}

// savepoint follows SAVEPOINT, ROLLBACK TO and RELEASE, which have succeeded.
func (s *Session) savepoint(e *Execution) {
	name := e.a.Savepoint
	if s.o.opts.Dialect == catalog.SQLite {
		name = strings.ToLower(name)
	}
	tx := &s.tx
	if e.a.Kind == sqlparse.Savepoint {
		if !tx.open {
			*tx = transaction{open: true, implied: true, asOf: e.asOf, before: s.made}
		}
		tx.marks = append(tx.marks, s.made)
		if tx.savepoints = append(tx.savepoints, name); len(tx.savepoints) > maxSavepoints {
			s.doubt("too many savepoints")
		}
		return
	}
	at := -1
	for i, n := range tx.savepoints {
		if n == name && name != "" {
			at = i // the last one of that name
		}
	}
	if at < 0 {
		s.doubt("a savepoint is not known")
	}
	if s.unsure != "" && e.a.Kind == sqlparse.Release { // it may be a commit
		s.pending.all(s.unsure, "")
	}
	if at < 0 {
		return
	}
	if e.a.Kind == sqlparse.RollbackTo { // what was written stays pending: wider
		s.made, tx.marks = tx.marks[at], tx.marks[:at+1]
		if tx.savepoints = tx.savepoints[:at+1]; !s.pending.empty() {
			s.undone.Add(1)
		}
		return
	}
	tx.marks = tx.marks[:at]
	switch tx.savepoints = tx.savepoints[:at]; {
	case at == 0 && tx.implied:
		s.committed(e.ctx, nil)
	case tx.shaky: // an error has ended the transaction, maybe, and the savepoint began another one
		s.leak(e.ctx)
	}
}

// maxSavepoints bounds the names that are remembered.
const maxSavepoints = 1000

// Broken says that the driver has given the connection up: whatever is pending has an
// outcome that nobody saw.
func (s *Session) Broken(ctx context.Context) {
	s.contain("broken", func() { s.flush(ctx, true) })
	s.doubt("the connection broke")
}

// Unwrapped says that the application has the driver's connection in its hands, for as long
// as it likes: what it does there is not seen. The session is unsure until it is reset.
func (s *Session) Unwrapped(ctx context.Context) {
	s.lend()
	s.contain("unwrapped", func() { s.leak(ctx) })
}

// Lent says that a function of the application's has the driver's connection, until
// Returned is called. The session is unsure until it is reset.
func (s *Session) Lent(ctx context.Context) {
	if s.Idle == nil {
		s.Unwrapped(ctx)
		return
	}
	s.lend() // and Returned publishes
}

// Returned says that the application has given back the driver's connection, on which
// nothing goes on. What it has done is published, and is certain if the connection is idle:
//
//	the function            a reader                   the session
//	COMMIT returns
//	                        begins, reads what is new
//	                                                   Returned publishes everything
//
// A reader that has begun before the COMMIT, or stores what it read before, has a number
// that is older than the publication. Where the connection broke, the COMMIT may come after
// it.
func (s *Session) Returned(ctx context.Context) {
	idle := false
	if s.Idle != nil {
		s.contain("idle", func() { idle = s.Idle() })
	}
	if !idle {
		s.Unwrapped(ctx)
		return
	}
	s.lend()
	s.contain("returned", func() {
		s.flush(ctx, false)
		s.tx, s.leaks, s.told = transaction{}, false, true
	})
}

// lend notes that anything may have been done with the driver's connection.
func (s *Session) lend() {
	s.raw, s.forgot = true, true
	s.hook = nil // the application may have set its own
	s.suspect()
	s.doubt("the driver's connection is used directly")
	s.pending.all("the driver's connection is used directly", "")
	s.dirty.Store(true)
}

// Close is called after the connection was closed.
func (s *Session) Close() {
	s.contain("close", func() {
		if s.unsure != "" && !s.told {
			s.pending.all(s.unsure, "")
		}
		s.flush(context.Background(), true)
	})
	s.tx = transaction{}
}

// doubt makes the session unsure.
func (s *Session) doubt(why string) {
	s.told = false
	if s.unsure == "" {
		s.unsure = why
	}
	s.LosePath()
}

// pending is what a session has changed and not published.
type pending struct {
	events     []rowtag.Event
	tables     []tableCount
	everything string
	text       string
	st         *state
	some       bool
	// uncertain says that a statement has failed that may have written.
	uncertain bool
	// ctx is that of the last statement that has written.
	ctx context.Context
	// tags are those of events at the moment of generation, when that is not 0.
	tags       []tag.Tag
	generation uint64
}

// A tableCount says how many events there are of a table, in one schema.
type tableCount struct {
	table *catalog.Table
	home  rowtag.Home
	n     int
}

// maxRows is how many events of one table are told one by one. Beyond, all of its rows may
// have changed.
const maxRows = 32

func (p *pending) empty() bool { return !p.some }

// all says that everything may have changed.
func (p *pending) all(why, text string) {
	if p.everything == "" {
		*p = pending{everything: why, text: cmp.Or(p.text, text), some: true, uncertain: p.uncertain, ctx: p.ctx}
	}
}

// add adds events that were made with a state.
func (p *pending) add(st *state, text string, events ...rowtag.Event) {
	if len(events) == 0 || p.everything != "" {
		return
	}
	if p.some && p.st != st {
		p.all("the catalog has changed", text)
		return
	}
	p.st, p.some, p.text, p.generation = st, true, cmp.Or(p.text, text), 0
	for i := range events {
		p.one(&events[i])
	}
}

func (p *pending) one(e *rowtag.Event) {
	if e.Home != 0 && p.scattered(e) {
		stray := rowtag.Event{Table: e.Table, Op: rowtag.Changed}
		p.tables = slices.DeleteFunc(p.tables, func(c tableCount) bool { return c.table == e.Table && c.home != 0 })
		p.events = slices.DeleteFunc(p.events, func(x rowtag.Event) bool { return x.Table == e.Table && x.Home != 0 })
		e = &stray
	}
	at := slices.IndexFunc(p.tables, func(c tableCount) bool { return c.table == e.Table && c.home == e.Home })
	if at < 0 {
		at = len(p.tables)
		p.tables = append(p.tables, tableCount{table: e.Table, home: e.Home})
	}
	c := &p.tables[at]
	if c.n > maxRows {
		return
	}
	if c.n++; c.n <= maxRows && e.Op != rowtag.Changed {
		p.events = append(p.events, *e)
		return
	}
	c.n = maxRows + 1
	p.events = slices.DeleteFunc(p.events, func(x rowtag.Event) bool { return x.Table == e.Table && x.Home == e.Home })
	p.events = append(p.events, rowtag.Event{Table: e.Table, Home: e.Home, Op: rowtag.Changed})
}

// maxHomes is of how many schemas a commit tells the rows of a table apart. Beyond, they
// are those of any.
const maxHomes = 16

// scattered reports whether an event's home would be one too many.
func (p *pending) scattered(e *rowtag.Event) bool {
	homes := 0
	for i := range p.tables {
		switch c := &p.tables[i]; {
		case c.table != e.Table:
		case c.home == e.Home:
			return false
		case c.home == 0 && c.n > maxRows:
			return true // all rows are told already
		case c.home != 0:
			homes++
		}
	}
	return homes >= maxHomes
}

// commit returns what is to be told.
func (p *pending) commit(now *state, uncertain bool) Commit {
	c := Commit{Events: p.events, Everything: p.everything, Uncertain: uncertain || p.uncertain, Text: p.text}
	if c.Everything == "" && (p.st != now || now == nil) {
		c.Everything = "the catalog has changed"
	}
	if c.Everything != "" {
		c.Events = nil
	}
	return c
}

// take empties p.
func (p *pending) take() { *p = pending{} }

// flush publishes what is pending.
//
// A commit is published after it has returned and before the application goes on. Earlier:
// a writer publishes, a reader arrives and stores the old state with that number, the
// writer commits; nothing comes after it.
func (s *Session) flush(ctx context.Context, uncertain bool) {
	if s.pending.empty() {
		return
	}
	s.publish(ctx, uncertain)
	s.pending.take()
	s.soil()
}

// leak publishes what is pending, which stays pending: it may have been committed, or may
// be later.
func (s *Session) leak(ctx context.Context) { s.publish(ctx, true) }

func (s *Session) publish(ctx context.Context, uncertain bool) {
	if s.pending.empty() {
		return
	}
	s.told = false
	if s.unsure != "" {
		s.pending.all(s.unsure, "")
	}
	c := s.pending.commit(s.o.state.Load(), uncertain)
	if c.Text != "" {
		c.Text = s.o.normalized(c.Text)
	}
	if c.Uncertain {
		why := "its outcome is not known"
		if c.Everything != "" {
			why += ": " + c.Everything
		}
		s.o.found(ctx, Finding{Kind: UncertainCommit, Text: c.Text, Why: why})
	}
	c.Events = slices.Clone(c.Events)
	for _, origin := range []context.Context{s.tx.ctx, s.pending.ctx} {
		if origin != nil {
			c.Origins = append(c.Origins, origin)
		}
	}
	s.o.tell(ctx, c)
}

// TagsOf returns the tags of events, merged. It must be called after their commit. A
// commit of very many tags becomes one of whole tables.
func (o *Observer) TagsOf(events []rowtag.Event) []tag.Tag {
	st := o.state.Load()
	if st == nil {
		return nil // nothing relies on tags of an unknown catalog
	}
	return st.tagsOf(events)
}

// maxCommitTags bounds the tags of a commit.
const maxCommitTags = 4096

func (st *state) tagsOf(events []rowtag.Event) (tags []tag.Tag) {
	for i := range events {
		if tags = st.shapes.Publish(tags, &events[i]); len(tags) > 4*maxCommitTags {
			break
		}
	}
	if tags = tag.Merge(tags); len(tags) <= maxCommitTags {
		return tags
	}
	tags = tags[:0]
	for i := range events {
		e := rowtag.Event{Table: events[i].Table, TableHash: events[i].TableHash, Home: events[i].Home, Op: rowtag.Changed}
		same := func(x rowtag.Event) bool {
			return x.Table == e.Table && x.TableHash == e.TableHash && x.Home == e.Home
		}
		if !slices.ContainsFunc(events[:i], same) {
			tags = st.shapes.Publish(tags, &e)
		}
	}
	return tag.Merge(tags)
}

// AppendEvents adds the words of events, for another instance's ReadEvents. ok is false
// when the catalog is not known: everything may have changed.
func (o *Observer) AppendEvents(dst []tag.Tag, events []rowtag.Event) (tags []tag.Tag, ok bool) {
	st := o.state.Load()
	if st == nil {
		return dst, false
	}
	return st.shapes.AppendEvents(dst, events), true
}

// ReadEvents reads them. ok is false when they are not such, or the catalog is not known.
func (o *Observer) ReadEvents(tags []tag.Tag) (events []rowtag.Event, ok bool) {
	st := o.state.Load()
	if st == nil {
		return nil, false
	}
	return st.shapes.ReadEvents(tags)
}
