package footprintpgx

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// rows are those of one statement, whose values are told of.
type rows struct {
	pgx.Rows
	c *conn
	r *run
	// batched says that the statement ends with its batch.
	batched bool
	// over says that the rows are closed.
	over bool
	// release gives a connection back to the pool; it may be nil.
	release func()
}

// queried wraps what pgx has returned.
func (c *conn) queried(inner pgx.Rows, err error, r *run, release func()) *rows {
	if err == nil {
		c.rows(r, inner)
	}
	return &rows{Rows: inner, c: c, r: r, release: release}
}

// Next moves to the next row. After the last one pgx closes the rows.
func (w *rows) Next() bool {
	w.r.moving = true
	ok := w.Rows.Next()
	w.r.moving = false
	if ok {
		w.c.row(w.r, w.Rows)
		return true
	}
	if w.batched && !w.over && w.Rows.Err() == nil {
		w.r.complete = true
	}
	w.closed()
	return false
}

// Close closes the rows: the statement has ended.
func (w *rows) Close() {
	w.Rows.Close()
	w.closed()
}

// closed follows the end of the rows.
func (w *rows) closed() {
	w.over = true
	if w.batched {
		w.r.tag, w.r.err = w.CommandTag(), w.Rows.Err()
	}
	if w.release != nil {
		w.release()
		w.release = nil
	}
}

// Scan reads the row. pgx closes the rows after an error.
func (w *rows) Scan(dest ...any) error {
	err := w.Rows.Scan(dest...)
	if err != nil && w.release != nil {
		w.Close()
	}
	return err
}

// Values returns the row. pgx closes the rows after some errors.
func (w *rows) Values() ([]any, error) {
	values, err := w.Rows.Values()
	if err != nil && w.release != nil {
		w.Close()
	}
	return values, err
}

// Conn returns the connection, which counts as one that changes everything from here on.
func (w *rows) Conn() *pgx.Conn {
	pg := w.Rows.Conn()
	if pg != nil {
		w.c.unwrap(nobody)
	}
	return pg
}

// row is that of QueryRow. It does what pgx's does.
type row struct{ rows *rows }

var errDriverBytes = errors.New("cannot scan into *pgtype.DriverBytes from QueryRow")

// Scan implements pgx.Row.
func (w row) Scan(dest ...any) error {
	if release := w.rows.release; release != nil {
		w.rows.release = nil
		defer release()
	}
	if err := w.rows.Err(); err != nil {
		return err
	}
	for _, d := range dest {
		if _, ok := d.(*pgtype.DriverBytes); ok {
			w.rows.Close()
			return errDriverBytes
		}
	}
	if !w.rows.Next() {
		if err := w.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	_ = w.rows.Scan(dest...) // Err has it
	w.rows.Close()
	return w.rows.Err()
}

// failedRows are those of a query that no connection could be had for, or that failed. They
// are what pgxpool returns.
type failedRows struct{ err error }

func (failedRows) Close()                                       {}
func (e failedRows) Err() error                                 { return e.err }
func (failedRows) CommandTag() pgconn.CommandTag                { return pgconn.CommandTag{} }
func (failedRows) FieldDescriptions() []pgconn.FieldDescription { return nil }
func (failedRows) Next() bool                                   { return false }
func (e failedRows) Scan(...any) error                          { return e.err }
func (e failedRows) Values() ([]any, error)                     { return nil, e.err }
func (failedRows) RawValues() [][]byte                          { return nil }
func (failedRows) Conn() *pgx.Conn                              { return nil }
func (failedRows) TypeMap() *pgtype.Map                         { return nil }
