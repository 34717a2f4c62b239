package observe

import (
	"context"
	"database/sql/driver"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A Session is one connection of a handle. One goroutine at a time uses it, as it uses the
// connection; of its Executions the same is true.
type Session struct {
	o    *Observer
	conn Conn
	// TxStatus asks the driver whether a transaction is open, where it can tell. It may be
	// nil. It is set before the session is used.
	TxStatus func() (inTransaction, known bool)

	tx transaction
	// pending is what was written and not committed.
	pending pending
	// dirty says that pending is not empty. It is read by other goroutines.
	dirty atomic.Bool
	// undone counts rollbacks of something that was pending.
	undone atomic.Uint64
	// unsure says why it is not known whether a transaction is open: all that the session
	// writes may have changed everything, at once.
	unsure string
	// open counts rows that are being read: no statement of ours runs meanwhile.
	open int
	// busy says that a statement of ours runs.
	busy bool
}

// A transaction is what the session knows of the connection's.
type transaction struct {
	open bool
	// locked says that it holds the write lock of SQLite: BEGIN IMMEDIATE, or it has
	// written.
	locked bool
	// savepoints are the names of those that are open, the outermost first. implied says
	// that the outermost began the transaction.
	savepoints []string
	implied    bool
	// dirtyReads says READ UNCOMMITTED.
	dirtyReads bool
	asOf       moment
}

// A moment is what was known at one time: the shapes, and the clocks' numbers. A snapshot
// that is opened later shows every change with such a number or a smaller one.
type moment struct {
	generation uint64
	numbers    numbers
}

// moment returns this one.
func (o *Observer) moment() moment { return moment{rowtag.Generation(), o.now()} }

// NewSession returns the session of a connection that was just opened. conn may be nil
// when no statement of ours can run on it.
func (o *Observer) NewSession(conn Conn) *Session { return &Session{o: o, conn: conn} }

// Reset says that the pool hands the connection out: no transaction is open on it. It may
// ask the database whether the catalog is another one.
func (s *Session) Reset(ctx context.Context) {
	s.flush(ctx, "a connection was given back with a transaction open")
	s.tx, s.unsure, s.open = transaction{}, "", 0
	s.poll(ctx)
}

// A Beginning is a transaction between the call of the driver and its return.
type Beginning struct {
	s    *Session
	tx   transaction
	ctx  context.Context
	done bool
}

// Begin is called before the driver's BeginTx.
func (s *Session) Begin(ctx context.Context, opts driver.TxOptions) *Beginning {
	s.poll(ctx)
	return &Beginning{s: s, ctx: ctx, tx: transaction{
		open: true, dirtyReads: opts.Isolation == readUncommitted, asOf: s.o.moment(),
	}}
}

// readUncommitted is sql.LevelReadUncommitted.
const readUncommitted driver.IsolationLevel = 1

// Begun is called after it has returned.
func (b *Beginning) Begun(err error) {
	if b.done {
		return
	}
	b.done = true
	b.s.begun(b.ctx, b.tx, err)
}

// begun notes that a transaction was begun, with a BEGIN that failed or not.
func (s *Session) begun(ctx context.Context, tx transaction, err error) {
	if err != nil {
		s.settle(ctx)
		return
	}
	s.flush(ctx, "a transaction began where another one was open")
	s.tx = tx
}

// Committed is called after the driver's Commit has returned, with its error.
func (s *Session) Committed(ctx context.Context, err error) { s.committed(ctx, err) }

// RolledBack is called after the driver's Rollback has returned, with its error.
func (s *Session) RolledBack(ctx context.Context, err error) { s.rolledBack(ctx, err) }

// Broken says that the driver has given the connection up: whatever was pending has an
// outcome that nobody saw.
func (s *Session) Broken(ctx context.Context) {
	s.flush(ctx, "")
	s.unsure = "the connection broke"
}

// Unwrapped says that the application has the driver's connection in its hands: what it
// does there is not seen. The session is unsure until it is reset.
func (s *Session) Unwrapped(ctx context.Context) {
	s.doubt("the driver's connection was used directly")
	s.pending.all("the driver's connection was used directly", "")
	s.dirty.Store(true)
}

// Close is called before or after the connection is closed.
func (s *Session) Close() {
	s.flush(context.Background(), "")
	s.tx = transaction{}
}

// doubt makes the session unsure.
func (s *Session) doubt(why string) {
	if s.unsure == "" {
		s.unsure = why
	}
}
