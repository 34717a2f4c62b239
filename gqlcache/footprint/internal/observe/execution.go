package observe

import (
	"context"
	"database/sql/driver"
)

// Start is called before the driver runs a statement. text is the statement's, also of a
// prepared one; args are not kept. It may run statements of its own on the connection. The
// Execution must be ended.
func (s *Session) Start(ctx context.Context, text string, args []driver.NamedValue) *Execution {
	return &Execution{s: s}
}

// Rows says that the statement has returned, and that its rows are about to be read;
// columns is how many columns they have.
func (e *Execution) Rows(columns int) {}

// Row is called for each row that was read. dest is not kept.
func (e *Execution) Row(dest []driver.Value) {}

// NextResultSet says that the statement has further results: nothing is known of it.
func (e *Execution) NextResultSet() {}

// Skip says that the statement did not run (driver.ErrSkip).
func (e *Execution) Skip() {}

// End is called once a statement that returns no rows has returned, or once its rows were
// closed. affected is how many rows it affected, -1 when that is not known. complete says
// that the rows were read to their end. A statement outside of a transaction is published
// when End is called, so it must come before the application goes on. Only the first call
// counts.
func (e *Execution) End(err error, affected int64, complete bool) {}

// An Execution is one run of a statement.
type Execution struct{ s *Session }
