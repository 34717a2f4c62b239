package footprintsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
)

// besideConns bounds the connections of a BesideConn.
const besideConns = 4

// A BesideConn is [footprint.Options].Beside: at most four connections of its own.
type BesideConn struct{ db *sql.DB }

// Beside returns connections to the database of an Observer, beside those of the
// application, for questions of the Observer's own about reads of joins: see
// [footprint.Options].Beside. They are opened when they are needed. Each question has a
// transaction with row_security off: PostgreSQL then answers with all rows, or with an
// error. It waits for no lock that it does not get at once: the application may hold it
// while it waits for the answer. Nothing is set for longer than the transaction, since a
// pooler may give the server's connection to the application next.
func Beside(c driver.Connector) *BesideConn {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(besideConns)
	return &BesideConn{db}
}

// settings are those of the transaction of a question.
const settings = `SELECT set_config('row_security', 'off', true), set_config('lock_timeout', '20ms', true), set_config('statement_timeout', '1s', true)`

// Close closes the connections. The Observer does without them then.
func (b *BesideConn) Close() error { return b.db.Close() }

// Query runs a query. It may be called concurrently.
func (b *BesideConn) Query(ctx context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) error {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	tx, err := b.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, settings); err != nil {
		return fmt.Errorf("footprintsql: settings of a question: %w", err)
	}
	rows, err := tx.QueryContext(ctx, text, values...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	got, dest, one := make([]any, len(columns)), make([]any, len(columns)), make([]driver.Value, len(columns))
	for i := range got {
		dest[i] = &got[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i := range got {
			one[i] = got[i]
		}
		if err := row(one); err != nil {
			return err
		}
	}
	return rows.Err()
}
