package footprintsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
)

// besideConns bounds the connections of a BesideConn.
const besideConns = 4

// A BesideConn is [footprint.Options].Beside: at most four connections of its own.
type BesideConn struct{ db *sql.DB }

// Beside returns connections to the database of an Observer, beside those of the
// application, for questions of the Observer's own about reads of joins: see
// [footprint.Options].Beside. They are opened when they are needed, with row_security off:
// PostgreSQL then answers with all rows, or with an error.
func Beside(c driver.Connector) *BesideConn {
	db := sql.OpenDB(unfiltered{c})
	db.SetMaxOpenConns(besideConns)
	return &BesideConn{db}
}

// Close closes the connections. The Observer does without them then.
func (b *BesideConn) Close() error { return b.db.Close() }

// Query runs a query. It may be called concurrently.
func (b *BesideConn) Query(ctx context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) error {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	rows, err := b.db.QueryContext(ctx, text, values...)
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

// unfiltered connections have row_security off.
type unfiltered struct{ driver.Connector }

func (u unfiltered) Connect(ctx context.Context) (c driver.Conn, err error) {
	if c, err = u.Connector.Connect(ctx); err != nil {
		return nil, err
	}
	if err := turnOff(ctx, c); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("footprintsql: row_security: %w", err)
	}
	return c, nil
}

func turnOff(ctx context.Context, c driver.Conn) error {
	rows, done, err := query(ctx, c, "SELECT set_config('row_security', 'off', false)", nil)
	if err != nil {
		return err
	}
	defer done()
	dest := make([]driver.Value, len(rows.Columns()))
	for err == nil {
		err = rows.Next(dest)
	}
	if e := rows.Close(); err == io.EOF { //nolint:errorlint // as database/sql compares
		err = e
	}
	return err
}
