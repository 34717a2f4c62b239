package footprintsql

import (
	"context"
	"database/sql/driver"
)

// A stmt is a prepared statement of the inner driver's, with the text that was prepared.
// Its optional interfaces are in every case the ones that database/sql would find, or
// behave as if they were missing; see doc.go.
type stmt struct {
	inner driver.Stmt
	c     *conn
	text  string
}

// A convertingStmt is a stmt whose inner statement converts by column. Its presence makes
// a difference to database/sql, so it is not one of stmt's methods.
type convertingStmt struct{ *stmt }

func (s convertingStmt) ColumnConverter(i int) driver.ValueConverter {
	return s.inner.(driver.ColumnConverter).ColumnConverter(i) //nolint:staticcheck // older drivers have it
}

func (c *conn) wrapStmt(inner driver.Stmt, text string) driver.Stmt {
	if inner == nil {
		return nil
	}
	s := &stmt{inner: inner, c: c, text: text}
	if _, ok := inner.(driver.ColumnConverter); ok { //nolint:staticcheck // older drivers have it
		return convertingStmt{s}
	}
	return s
}

func (s *stmt) Close() error  { return s.inner.Close() }
func (s *stmt) NumInput() int { return s.inner.NumInput() }

// CheckNamedValue asks the statement, then the connection, as database/sql does:
// a statement's checker hides that of its connection.
func (s *stmt) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := s.inner.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return s.c.CheckNamedValue(v)
}

func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	r := s.c.begin(context.Background(), s.text, named(args))
	defer r.abandon()
	res, err := s.inner.Exec(args) //nolint:staticcheck // older drivers have it
	return r.executed(res, err)
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	x, ok := s.inner.(driver.StmtExecContext)
	if !ok {
		values, err := positional(ctx, args)
		if err != nil {
			return nil, err
		}
		r := s.c.begin(ctx, s.text, args)
		defer r.abandon()
		res, err := s.inner.Exec(values) //nolint:staticcheck // older drivers have it
		return r.executed(res, err)
	}
	r := s.c.begin(ctx, s.text, args)
	defer r.abandon()
	res, err := x.ExecContext(ctx, args)
	return r.executed(res, err)
}

func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	r := s.c.begin(context.Background(), s.text, named(args))
	defer r.abandon()
	inner, err := s.inner.Query(args) //nolint:staticcheck // older drivers have it
	return r.queried(inner, err)
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	x, ok := s.inner.(driver.StmtQueryContext)
	if !ok {
		values, err := positional(ctx, args)
		if err != nil {
			return nil, err
		}
		r := s.c.begin(ctx, s.text, args)
		defer r.abandon()
		inner, err := s.inner.Query(values) //nolint:staticcheck // older drivers have it
		return r.queried(inner, err)
	}
	r := s.c.begin(ctx, s.text, args)
	defer r.abandon()
	inner, err := x.QueryContext(ctx, args)
	return r.queried(inner, err)
}
