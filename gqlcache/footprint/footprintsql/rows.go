package footprintsql

import (
	"context"
	"database/sql/driver"
	"io"
	"reflect"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// rows are those of one statement. What the inner driver's rows do not have, they answer
// as database/sql does when the method is missing.
//
// database/sql holds the connection's lock in Next, NextResultSet and Close, also when it
// closes rows from a goroutine of its own because a context has ended. So the fields need
// no lock.
type rows struct {
	inner driver.Rows
	c     *conn
	e     *observe.Execution
	ctx   context.Context
	// complete says that all rows were read; several that there is a second result set,
	// which no statement text explains.
	complete, several, closed bool
	// err is what reading failed with.
	err error
}

func (r *rows) Columns() []string { return r.inner.Columns() }

func (r *rows) Next(dest []driver.Value) error {
	panicked := true
	defer func() {
		if panicked {
			r.err = errPanicked
		}
	}()
	err := r.inner.Next(dest)
	panicked = false
	r.read(dest, err)
	return err
}

// read tells of a row, or of what came in its place.
func (r *rows) read(dest []driver.Value, err error) {
	if err == io.EOF { //nolint:errorlint // as database/sql compares
		r.complete = !r.several
		return
	}
	if err != nil {
		r.err = err
		return
	}
	if !r.several {
		r.c.row(r.e, dest)
	}
}

// Close ends the statement: a driver may commit, or still fail, until then.
func (r *rows) Close() error {
	panicked := true
	defer func() {
		if panicked {
			r.end(errPanicked)
		}
	}()
	err := r.inner.Close()
	panicked = false
	r.end(err)
	return err
}

func (r *rows) end(err error) {
	if r.closed {
		return
	}
	r.closed = true
	r.c.open--
	if r.err != nil {
		err = r.err
	}
	r.c.end(r.ctx, r.e, err, -1, r.complete && err == nil)
}

func (r *rows) HasNextResultSet() bool {
	n, ok := r.inner.(driver.RowsNextResultSet)
	return ok && n.HasNextResultSet()
}

func (r *rows) NextResultSet() error {
	n, ok := r.inner.(driver.RowsNextResultSet)
	if !ok {
		return io.EOF
	}
	err := n.NextResultSet()
	if err == nil && !r.several {
		r.several, r.complete = true, false
		r.c.several(r.e)
	}
	return err
}

func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	if t, ok := r.inner.(driver.RowsColumnTypeScanType); ok {
		return t.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}

func (r *rows) ColumnTypeDatabaseTypeName(i int) string {
	if t, ok := r.inner.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return t.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

func (r *rows) ColumnTypeLength(i int) (int64, bool) {
	if t, ok := r.inner.(driver.RowsColumnTypeLength); ok {
		return t.ColumnTypeLength(i)
	}
	return 0, false
}

func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	if t, ok := r.inner.(driver.RowsColumnTypeNullable); ok {
		return t.ColumnTypeNullable(i)
	}
	return false, false
}

func (r *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	if t, ok := r.inner.(driver.RowsColumnTypePrecisionScale); ok {
		return t.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}
