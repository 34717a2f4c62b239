package footprintsql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"
)

// ownTimeout bounds a statement of ours while the connection is idle. In a transaction the
// application's own context does: the end of a bound of ours would be that of the
// transaction, too.
const ownTimeout = 5 * time.Second

var errBusy = errors.New("footprintsql: rows are open on the connection")

// own runs statements of ours on the inner connection. They are not observed.
type own struct{ c *conn }

// Query runs one, unless the application's rows are open: some drivers give up the
// connection then.
func (o own) Query(ctx context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) (err error) {
	if o.c.open > 0 {
		return errBusy
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("footprintsql: a statement of ours panicked: %v", v)
		}
	}()
	if o.c.idle {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, ownTimeout)
		defer cancel()
	}
	r, done, err := query(ctx, o.c.inner, text, args)
	if err != nil {
		return err
	}
	defer done()
	defer func() {
		if e := r.Close(); err == nil {
			err = e
		}
	}()
	dest := make([]driver.Value, len(r.Columns()))
	for {
		switch err := r.Next(dest); {
		case err == io.EOF: //nolint:errorlint // as database/sql compares
			return nil
		case err != nil:
			return err
		}
		if err := row(dest); err != nil {
			return err
		}
	}
}

// query runs a query on a driver's connection. done is called once the rows are closed.
func query(ctx context.Context, c driver.Conn, text string, args []driver.NamedValue) (r driver.Rows, done func(), err error) {
	err = driver.ErrSkip
	if q, ok := c.(driver.QueryerContext); ok {
		r, err = q.QueryContext(ctx, text, args)
	} else if q, ok := c.(driver.Queryer); ok { //nolint:staticcheck // older drivers have it
		var values []driver.Value
		if values, err = positional(ctx, args); err == nil {
			r, err = q.Query(text, values)
		}
	}
	if err != driver.ErrSkip { //nolint:errorlint // as database/sql compares
		return r, func() {}, err
	}
	s, err := prepare(ctx, c, text)
	if err != nil {
		return nil, nil, err
	}
	if q, ok := s.(driver.StmtQueryContext); ok {
		r, err = q.QueryContext(ctx, args)
	} else {
		var values []driver.Value
		if values, err = positional(ctx, args); err == nil {
			r, err = s.Query(values) //nolint:staticcheck // older drivers have nothing newer
		}
	}
	if err != nil {
		_ = s.Close()
		return nil, nil, err
	}
	return r, func() { _ = s.Close() }, nil
}
