//go:build go1.27

package footprintsql

import "database/sql/driver"

// scannerRows are rows whose columns the driver scans. database/sql does not call their
// Next, so the values of a row are asked for here.
type scannerRows struct {
	rows
	scanner driver.RowsColumnScanner
	values  []any
	dest    []driver.Value
}

// unread stands for a value that the driver did not tell. It is of no kind that a column
// has, so it is taken for one that is not known.
type unread struct{}

func wrapRows(r rows) driver.Rows {
	if s, ok := r.inner.(driver.RowsColumnScanner); ok {
		return &scannerRows{rows: r, scanner: s}
	}
	return &r
}

func (r *scannerRows) NextRow() error {
	panicked := true
	defer func() {
		if panicked {
			r.err = errPanicked
		}
	}()
	err := r.scanner.NextRow()
	panicked = false
	if err == nil && !r.several {
		r.scan()
	}
	r.read(r.dest, err)
	return err
}

// scan fills dest with the values of the row.
func (r *scannerRows) scan() {
	if r.values == nil {
		n := len(r.inner.Columns())
		r.values, r.dest = make([]any, n), make([]driver.Value, n)
	}
	for i := range r.dest {
		r.dest[i] = r.value(i)
	}
}

func (r *scannerRows) value(i int) (v driver.Value) {
	defer func() {
		if recover() != nil {
			v = unread{}
		}
	}()
	r.values[i] = nil
	if err := r.scanner.ScanColumn(driver.ScanContext{}, i, &r.values[i]); err != nil {
		return unread{}
	}
	return r.values[i]
}

func (r *scannerRows) ScanColumn(ctx driver.ScanContext, i int, dest any) error {
	return r.scanner.ScanColumn(ctx, i, dest)
}
