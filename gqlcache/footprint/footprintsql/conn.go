package footprintsql

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// errPanicked stands for what a driver's panic means: nothing is known of the outcome. The
// panic itself goes on.
var errPanicked = errors.New("footprintsql: the driver panicked")

// A conn is one connection. database/sql holds the connection's lock in every call, so
// its fields need none.
//
// It has the methods whose presence makes no difference to database/sql; the others are
// added by pick.
type conn struct {
	inner driver.Conn
	o     *observe.Observer
	s     *observe.Session
	// outside says that reads on the connection are nobody's.
	outside bool
	// open is the number of statements that run, or whose rows are open.
	open int
	// idle says that the connection runs nothing, and is in no transaction.
	idle bool
	// unwrapped says that the application has had the inner connection since the session
	// was reset.
	unwrapped bool
	// resets says that the session is reset before the next use: the inner connection
	// does not hear of that by ResetSession.
	resets, stale bool
	// foreign says that the inner connection may send statements of its own at any time.
	foreign bool
}

// The methods that database/sql looks for on its own, each in a type of its own.
type (
	execer    struct{ of *conn }
	queryer   struct{ of *conn }
	resetter  struct{ of *conn }
	validator struct{ of *conn }
)

// pick returns the connection with those of ExecerContext, QueryerContext,
// SessionResetter and Validator that the inner one has. There are two differences:
//
//   - An inner connection with the older Execer or Queryer has the newer one here.
//   - One with neither SessionResetter nor Validator has Validator here, which tells when
//     the pool gets the connection back. Having both would make database/sql keep
//     connections whose transaction ended by its context.
func (c *conn) pick() driver.Conn {
	_, exec := c.inner.(driver.ExecerContext)
	if !exec {
		_, exec = c.inner.(driver.Execer) //nolint:staticcheck // older drivers have it
	}
	_, query := c.inner.(driver.QueryerContext)
	if !query {
		_, query = c.inner.(driver.Queryer) //nolint:staticcheck // older drivers have it
	}
	_, reset := c.inner.(driver.SessionResetter)
	_, valid := c.inner.(driver.Validator)
	c.resets = !reset

	x, q, r, v := execer{c}, queryer{c}, resetter{c}, validator{c}
	switch {
	case reset && valid:
		switch {
		case exec && query:
			return struct {
				*conn
				execer
				queryer
				resetter
				validator
			}{c, x, q, r, v}
		case exec:
			return struct {
				*conn
				execer
				resetter
				validator
			}{c, x, r, v}
		case query:
			return struct {
				*conn
				queryer
				resetter
				validator
			}{c, q, r, v}
		}
		return struct {
			*conn
			resetter
			validator
		}{c, r, v}
	case reset:
		switch {
		case exec && query:
			return struct {
				*conn
				execer
				queryer
				resetter
			}{c, x, q, r}
		case exec:
			return struct {
				*conn
				execer
				resetter
			}{c, x, r}
		case query:
			return struct {
				*conn
				queryer
				resetter
			}{c, q, r}
		}
		return struct {
			*conn
			resetter
		}{c, r}
	}
	switch {
	case exec && query:
		return struct {
			*conn
			execer
			queryer
			validator
		}{c, x, q, v}
	case exec:
		return struct {
			*conn
			execer
			validator
		}{c, x, v}
	case query:
		return struct {
			*conn
			queryer
			validator
		}{c, q, v}
	}
	return struct {
		*conn
		validator
	}{c, v}
}

func (c *conn) core() *conn { return c }

func (c *conn) Prepare(text string) (driver.Stmt, error) {
	s, err := c.inner.Prepare(text)
	if err != nil {
		return s, err
	}
	return c.wrapStmt(s, text), nil
}

func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	s, err := prepare(ctx, c.inner, text)
	if err != nil {
		return s, err
	}
	return c.wrapStmt(s, text), nil
}

// Close publishes what the connection has changed and nobody has seen the end of.
func (c *conn) Close() error {
	defer c.closed()
	return c.inner.Close()
}

func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	b := c.beginning(ctx, opts)
	begun := false
	defer func() {
		if !begun {
			c.begun(ctx, b, errPanicked)
		}
	}()
	inner, err := beginTx(ctx, c.inner, opts)
	begun = true
	c.begun(ctx, b, err)
	if err != nil || inner == nil {
		return inner, err
	}
	return &tx{inner, c, ctx}, nil
}

func (c *conn) Ping(ctx context.Context) error {
	p, ok := c.inner.(driver.Pinger)
	if !ok {
		return nil
	}
	err := p.Ping(ctx)
	if isBad(err) {
		c.broken(ctx)
	}
	return err
}

func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.inner.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// Unwrap returns the inner connection, and takes it that anything is done with it.
func (c *conn) Unwrap() driver.Conn {
	c.unwrap(context.Background())
	return c.inner
}

func (x execer) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c := x.of
	e, ok := c.inner.(driver.ExecerContext)
	if !ok {
		values, err := positional(ctx, args)
		if err != nil {
			return nil, err
		}
		r := c.begin(ctx, text, args)
		defer r.abandon()
		res, err := c.inner.(driver.Execer).Exec(text, values) //nolint:staticcheck // as above
		return r.executed(res, err)
	}
	r := c.begin(ctx, text, args)
	defer r.abandon()
	res, err := e.ExecContext(ctx, text, args)
	return r.executed(res, err)
}

func (x queryer) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c := x.of
	q, ok := c.inner.(driver.QueryerContext)
	if !ok {
		values, err := positional(ctx, args)
		if err != nil {
			return nil, err
		}
		r := c.begin(ctx, text, args)
		defer r.abandon()
		inner, err := c.inner.(driver.Queryer).Query(text, values) //nolint:staticcheck // as above
		return r.queried(inner, err)
	}
	r := c.begin(ctx, text, args)
	defer r.abandon()
	inner, err := q.QueryContext(ctx, text, args)
	return r.queried(inner, err)
}

// ResetSession is called before the pool hands the connection out again.
func (x resetter) ResetSession(ctx context.Context) error {
	c := x.of
	if err := c.inner.(driver.SessionResetter).ResetSession(ctx); err != nil {
		if isBad(err) {
			c.broken(ctx)
			return err
		}
		// Other errors do not keep database/sql from using the connection.
		c.reset(ctx)
		return err
	}
	c.reset(ctx)
	return nil
}

// IsValid is called when the pool gets the connection back.
func (x validator) IsValid() bool {
	c := x.of
	c.released()
	v, ok := c.inner.(driver.Validator)
	return !ok || v.IsValid()
}

// A tx is a transaction that database/sql has begun.
type tx struct {
	inner driver.Tx
	c     *conn
	ctx   context.Context
}

// Commit publishes after the driver's Commit has returned and before the application goes
// on, also when it failed: the outcome is not known then.
func (t *tx) Commit() error {
	returned := false
	defer func() {
		if !returned {
			t.c.committed(t.ctx, errPanicked)
		}
	}()
	err := t.inner.Commit()
	returned = true
	t.c.committed(t.ctx, err)
	return err
}

func (t *tx) Rollback() error {
	returned := false
	defer func() {
		if !returned {
			t.c.rolledBack(t.ctx, errPanicked)
		}
	}()
	err := t.inner.Rollback()
	returned = true
	t.c.rolledBack(t.ctx, err)
	return err
}

func isBad(err error) bool { return err != nil && errors.Is(err, driver.ErrBadConn) }
