package footprintsql

import (
	"context"
	"database/sql/driver"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// Everything that the session is told goes through the methods of this file. A panic in
// them is a fault of ours and none of the application's: it ends here, and the session is
// taken for one that anything may have been done with.

// contain ends a panic of ours. It is deferred.
func (c *conn) contain() {
	if v := recover(); v != nil {
		c.failed(v)
	}
}

func (c *conn) failed(v any) {
	defer func() { _ = recover() }()
	c.s.Unwrapped(context.Background())
}

// as returns the context that statements are attributed by.
func (c *conn) as(ctx context.Context) context.Context {
	if c.outside {
		return observe.Outside(ctx)
	}
	return ctx
}

// A run is a statement between the call of the driver and its return.
type run struct {
	c   *conn
	e   *observe.Execution
	ctx context.Context
	// returned says that the driver has: by a panic it does not.
	returned bool
}

// begin tells of a statement that the driver is about to be asked to run.
func (c *conn) begin(ctx context.Context, text string, args []driver.NamedValue) run {
	ctx = c.as(ctx)
	e := c.start(ctx, text, args)
	c.open++
	return run{c: c, e: e, ctx: ctx}
}

func (c *conn) start(ctx context.Context, text string, args []driver.NamedValue) *observe.Execution {
	defer c.contain()
	if c.stale {
		c.renew(ctx)
	}
	return c.s.Start(ctx, text, args)
}

// abandon is deferred: it ends a statement in which the driver panicked.
func (r *run) abandon() {
	if r.returned {
		return
	}
	r.c.open--
	r.c.end(r.ctx, r.e, errPanicked, -1, false)
}

// executed ends a statement that returns no rows. It passes on what the driver returned.
func (r *run) executed(res driver.Result, err error) (driver.Result, error) {
	r.returned = true
	r.c.open--
	switch {
	case err == driver.ErrSkip: //nolint:errorlint // as database/sql compares
		r.c.skip(r.e)
	case err != nil:
		r.c.end(r.ctx, r.e, err, -1, false)
	default:
		r.c.end(r.ctx, r.e, nil, r.c.affected(res), false)
	}
	return res, err
}

// queried wraps the rows of a statement, or ends one that failed.
func (r *run) queried(inner driver.Rows, err error) (driver.Rows, error) {
	r.returned = true
	switch {
	case err == driver.ErrSkip: //nolint:errorlint // as database/sql compares
		r.c.open--
		r.c.skip(r.e)
	case err != nil || inner == nil:
		r.c.open--
		r.c.end(r.ctx, r.e, err, -1, false)
	default:
		r.c.rows(r.e, inner)
		return wrapRows(rows{inner: inner, c: r.c, e: r.e, ctx: r.ctx}), nil
	}
	return inner, err
}

// affected returns how many rows a statement affected, -1 when the driver does not say.
func (c *conn) affected(res driver.Result) (n int64) {
	n = -1
	defer func() {
		if recover() != nil {
			n = -1
		}
	}()
	if k, err := res.RowsAffected(); err == nil {
		return k
	}
	return n
}

func (c *conn) rows(e *observe.Execution, inner driver.Rows) {
	defer c.contain()
	e.Rows(len(inner.Columns()))
}

func (c *conn) row(e *observe.Execution, dest []driver.Value) {
	defer c.contain()
	e.Row(dest)
}

func (c *conn) several(e *observe.Execution) {
	defer c.contain()
	e.NextResultSet()
}

func (c *conn) skip(e *observe.Execution) {
	defer c.contain()
	e.Skip()
}

func (c *conn) end(ctx context.Context, e *observe.Execution, err error, affected int64, complete bool) {
	defer c.contain()
	e.End(err, affected, complete)
	if isBad(err) || err == errPanicked { //nolint:errorlint // it is never wrapped
		c.s.Broken(ctx)
	}
}

func (c *conn) beginning(ctx context.Context, opts driver.TxOptions) *observe.Beginning {
	defer c.contain()
	if c.stale {
		c.renew(ctx)
	}
	c.idle = true
	defer func() { c.idle = false }()
	return c.s.Begin(c.as(ctx), opts)
}

func (c *conn) begun(ctx context.Context, b *observe.Beginning, err error) {
	defer c.contain()
	b.Begun(err)
	if isBad(err) || err == errPanicked { //nolint:errorlint // it is never wrapped
		c.s.Broken(ctx)
	}
}

func (c *conn) committed(ctx context.Context, err error) {
	defer c.contain()
	c.s.Committed(c.as(ctx), err)
	if isBad(err) || err == errPanicked { //nolint:errorlint // it is never wrapped
		c.s.Broken(ctx)
	}
}

func (c *conn) rolledBack(ctx context.Context, err error) {
	defer c.contain()
	c.s.RolledBack(c.as(ctx), err)
	if isBad(err) || err == errPanicked { //nolint:errorlint // it is never wrapped
		c.s.Broken(ctx)
	}
}

func (c *conn) broken(ctx context.Context) {
	defer c.contain()
	c.s.Broken(ctx)
}

// reset says that the pool hands the connection out.
func (c *conn) reset(ctx context.Context) {
	defer c.contain()
	c.renew(ctx)
}

func (c *conn) renew(ctx context.Context) {
	c.stale, c.unwrapped = false, false
	c.idle = true
	defer func() { c.idle = false }()
	c.s.Reset(c.as(ctx))
}

// released says that the pool gets the connection back.
func (c *conn) released() {
	if c.unwrapped {
		c.handedBack(context.Background())
	}
	c.stale = c.resets
}

// unwrap says that the application gets the inner connection, for as long as it likes.
func (c *conn) unwrap(ctx context.Context) {
	defer c.contain()
	c.unwrapped = true
	c.s.Unwrapped(ctx)
}

// lend says that a function of the application's gets the inner connection, until it
// returns.
func (c *conn) lend(ctx context.Context) {
	defer c.contain()
	c.s.Lent(ctx)
}

// handedBack publishes what the application may have done with the inner connection.
func (c *conn) handedBack(ctx context.Context) {
	defer c.contain()
	c.s.Returned(ctx)
}

func (c *conn) closed() {
	defer c.contain()
	c.s.Close()
}

// load reads the catalog, and reports whether it could.
func (c *conn) load(ctx context.Context) (ok bool) {
	defer c.contain()
	c.idle = true
	defer func() { c.idle = false }()
	return c.o.Load(ctx, own{c}) == nil
}

// opened asks a new connection what it is.
func (c *conn) opened(ctx context.Context) {
	defer c.contain()
	c.idle = true
	defer func() { c.idle = false }()
	c.s.Opened(ctx)
}
