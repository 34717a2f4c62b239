package footprintpgx

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A Tx is a transaction, or a savepoint within one. It is a [pgx.Tx].
type Tx struct {
	tx pgx.Tx
	c  *conn
	// release gives the connection back to the pool; it may be nil.
	release func()
}

// ended gives the connection back.
func (t *Tx) ended() {
	if t.release != nil {
		t.release()
		t.release = nil
	}
}

// Begin is that of [pgx.Tx].
func (t *Tx) Begin(ctx context.Context) (pgx.Tx, error) {
	inner, err := t.tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &Tx{tx: inner, c: t.c}, nil
}

// Commit is that of [pgx.Tx]. What the transaction has changed is published before it
// returns, also when the outcome is not known.
func (t *Tx) Commit(ctx context.Context) error {
	err := t.tx.Commit(ctx)
	t.ended()
	return err
}

// Rollback is that of [pgx.Tx].
func (t *Tx) Rollback(ctx context.Context) error {
	err := t.tx.Rollback(ctx)
	t.ended()
	return err
}

// CopyFrom is that of [pgx.Tx].
func (t *Tx) CopyFrom(ctx context.Context, tableName pgx.Identifier, columnNames []string, rowSrc pgx.CopyFromSource) (int64, error) {
	return t.c.copyFrom(ctx, t.tx, tableName, columnNames, rowSrc)
}

// SendBatch is that of [pgx.Tx].
func (t *Tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return t.c.send(ctx, t.tx, b, nil)
}

// LargeObjects is that of [pgx.Tx].
func (t *Tx) LargeObjects() pgx.LargeObjects { return t.tx.LargeObjects() }

// Prepare is that of [pgx.Tx].
func (t *Tx) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	return t.tx.Prepare(ctx, name, sql)
}

// Exec is that of [pgx.Tx].
func (t *Tx) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	return t.c.exec(ctx, t.tx, sql, arguments)
}

// Query is that of [pgx.Tx].
func (t *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return t.c.query(ctx, t.tx, sql, args, nil)
}

// QueryRow is that of [pgx.Tx].
func (t *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	w, _ := t.c.query(ctx, t.tx, sql, args, nil) // the row has the error
	return row{w}
}

// Conn returns pgx's connection, which counts as one that changes everything from here on.
func (t *Tx) Conn() *pgx.Conn {
	pg := t.tx.Conn()
	t.c.unwrap(nobody)
	return pg
}
