package footprintsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/keycheck"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// A quick driver does as little as a driver can.
type quick struct{ rows int }

func (q quick) Connect(context.Context) (driver.Conn, error) { return &quickConn{q.rows}, nil }
func (q quick) Driver() driver.Driver                        { return nil }

type quickConn struct{ rows int }

func (c *quickConn) Prepare(string) (driver.Stmt, error)        { return nil, driver.ErrSkip }
func (c *quickConn) Close() error                               { return nil }
func (c *quickConn) Begin() (driver.Tx, error)                  { return c, nil }
func (c *quickConn) Commit() error                              { return nil }
func (c *quickConn) Rollback() error                            { return nil }
func (c *quickConn) ResetSession(context.Context) error         { return nil }
func (c *quickConn) IsValid() bool                              { return true }
func (c *quickConn) CheckNamedValue(v *driver.NamedValue) error { return nil }

func (c *quickConn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return c, nil }

func (c *quickConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}

func (c *quickConn) QueryContext(_ context.Context, text string, _ []driver.NamedValue) (driver.Rows, error) {
	if text == read {
		return &quickRows{n: c.rows}, nil
	}
	// What a database of one table says of itself.
	for _, known := range []struct {
		prefix string
		row    []driver.Value
	}{
		{"PRAGMA database_list", []driver.Value{int64(0), "main", ""}},
		{"PRAGMA read_uncommitted", []driver.Value{int64(0)}},
		{"PRAGMA", []driver.Value{int64(1)}},
		{"SELECT schema, name, type", []driver.Value{"main", "users", "table"}},
		{"SELECT m.type, m.name", []driver.Value{"table", "users", "users", "CREATE TABLE users (id INTEGER PRIMARY KEY)"}},
		{"SELECT m.name, x.name", []driver.Value{"users", "id", "INTEGER", int64(0), int64(0), int64(1), int64(0)}},
	} {
		if strings.HasPrefix(text, known.prefix) {
			return &oneRow{row: known.row}, nil
		}
	}
	return &oneRow{done: true}, nil
}

type quickRows struct{ n int }

func (r *quickRows) Columns() []string { return columns }
func (r *quickRows) Close() error      { return nil }
func (r *quickRows) Next(dest []driver.Value) error {
	if r.n == 0 {
		return io.EOF
	}
	r.n--
	dest[0] = int64(r.n)
	return nil
}

var columns = []string{"id"}

const (
	read  = "SELECT id FROM users WHERE id >= ?"
	write = "UPDATE users SET id = ? WHERE id = ?"
)

// What the wrapper adds to a statement of a driver that costs nothing: without it, with
// nobody who records, recorded, and checked for parts of the key that are missing. The last
// two have a computation of their own for each statement; with ten statements in one
// computation what is left is the cost of a statement.
func BenchmarkWrapper(b *testing.B) {
	for _, how := range []string{"plain", "wrapped", "recorded", "checked"} {
		for _, rows := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("query %d/%s", rows, how), func(b *testing.B) {
				bench(b, how, rows, func(ctx context.Context, db *sql.DB) error {
					r, err := db.QueryContext(ctx, read, 1)
					if err != nil {
						return err
					}
					for r.Next() { //nolint:revive // nothing is done with them
					}
					return r.Close()
				})
			})
		}
		b.Run("ten queries/"+how, func(b *testing.B) {
			bench(b, how, 1, func(ctx context.Context, db *sql.DB) error {
				for range 10 {
					r, err := db.QueryContext(ctx, read, 1)
					if err != nil {
						return err
					}
					for r.Next() { //nolint:revive // nothing is done with them
					}
					if err := r.Close(); err != nil {
						return err
					}
				}
				return nil
			})
		})
		b.Run("exec/"+how, func(b *testing.B) {
			bench(b, how, 1, func(ctx context.Context, db *sql.DB) error {
				_, err := db.ExecContext(ctx, write, 2, 1)
				return err
			})
		})
		b.Run("transaction/"+how, func(b *testing.B) {
			bench(b, how, 1, func(ctx context.Context, db *sql.DB) error {
				tx, err := db.BeginTx(ctx, nil)
				if err != nil {
					return err
				}
				if _, err := tx.ExecContext(ctx, write, 2, 1); err != nil {
					return err
				}
				return tx.Commit()
			})
		})
	}
}

func bench(b *testing.B, how string, rows int, do func(context.Context, *sql.DB) error) {
	b.Helper()
	var c driver.Connector = quick{rows}
	o := observer()
	if how != "plain" {
		c = Connector(c, o)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	ctx := context.Background()
	if err := do(ctx, db); err != nil {
		b.Fatal(err)
	}
	if how != "plain" && (!o.Loaded() || len(o.Findings()) > 0) {
		b.Fatalf("loaded is %v: %+v", o.Loaded(), o.Findings())
	}
	keys := keycheck.New(keycheck.Options{Callers: 3})
	b.ReportAllocs()
	for b.Loop() {
		if how != "recorded" && how != "checked" {
			if err := do(ctx, db); err != nil {
				b.Fatal(err)
			}
			continue
		}
		var start observe.Start
		if how == "checked" {
			start.Check = func() *keycheck.Fill {
				return keys.Begin(keycheck.Key{Operation: "Q", Document: 1, Variables: map[string]any{"id": int64(1)}, Predicate: "tenant = 'acme'", Caller: 1})
			}
		}
		ctx, rec := observe.Begin(ctx, start, o)
		if err := do(ctx, db); err != nil {
			b.Fatal(err)
		}
		rec.End()
	}
}
