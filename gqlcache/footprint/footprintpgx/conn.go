package footprintpgx

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// What statements are sent through: a connection or a transaction of pgx's.
type (
	execer interface {
		Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
	}
	queryer interface {
		Query(context.Context, string, ...any) (pgx.Rows, error)
	}
	copier interface {
		CopyFrom(context.Context, pgx.Identifier, []string, pgx.CopyFromSource) (int64, error)
	}
)

func (c *conn) exec(ctx context.Context, to execer, text string, args []any) (pgconn.CommandTag, error) {
	r, pass := c.expect(ctx, text, args)
	defer c.returned(r)
	return to.Exec(ctx, text, pass...)
}

func (c *conn) query(ctx context.Context, to queryer, text string, args []any, release func()) (*rows, error) {
	r, pass := c.expect(ctx, text, args)
	defer c.returned(r)
	inner, err := to.Query(ctx, text, pass...)
	return c.queried(inner, err, r, release), err
}

func (c *conn) copyFrom(ctx context.Context, to copier, table pgx.Identifier, columns []string, from pgx.CopyFromSource) (int64, error) {
	defer func() { // pgx does not tell of every end
		c.end(c.copying, pgconn.CommandTag{}, errLeft)
		c.copying = nil
	}()
	return to.CopyFrom(ctx, table, columns, from)
}

// A Conn is a connection that was acquired from a Pool.
type Conn struct {
	inner *pgxpool.Conn
	c     *conn
}

// Release gives the connection back. Rows that are open count as not read to their end.
func (c *Conn) Release() { c.inner.Release() }

// Hijack is that of pgxpool's. Everything is published as changed. Later statements of the
// connection are seen as those of [Conn.Conn] are, but for what its PgConn does.
func (c *Conn) Hijack() *pgx.Conn {
	pg := c.inner.Hijack()
	c.c.unwrap(nobody)
	return pg
}

// Conn returns pgx's connection. Everything is published as changed, now and when the
// connection is given back, and for a minute no answer is stored, as it is not known when it
// was last used. A function that changes data is for [Conn.Raw].
func (c *Conn) Conn() *pgx.Conn {
	pg := c.inner.Conn()
	c.c.unwrap(nobody)
	return pg
}

// Raw calls f with pgx's connection, which f must not use after it has returned. Then
// everything is published as changed, with ctx as the context of the change. No answer is
// stored for a minute more if the connection is not idle then: if it broke, or f leaves a
// transaction or rows open.
func (c *Conn) Raw(ctx context.Context, f func(*pgx.Conn) error) error {
	c.c.lend(ctx)
	defer c.c.handedBack(ctx)
	return f(c.inner.Conn())
}

// TypeMap returns that of pgx's connection.
func (c *Conn) TypeMap() *pgtype.Map { return c.inner.Conn().TypeMap() }

// Exec is that of pgx's connection.
func (c *Conn) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	return c.c.exec(ctx, c.inner, sql, arguments)
}

// Query is that of pgx's connection.
func (c *Conn) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return c.c.query(ctx, c.inner, sql, args, nil)
}

// QueryRow is that of pgx's connection.
func (c *Conn) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	w, _ := c.c.query(ctx, c.inner, sql, args, nil) // the row has the error
	return row{w}
}

// SendBatch is that of pgx's connection.
func (c *Conn) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return c.c.send(ctx, c.inner, b, nil)
}

// CopyFrom is that of pgx's connection.
func (c *Conn) CopyFrom(ctx context.Context, tableName pgx.Identifier, columnNames []string, rowSrc pgx.CopyFromSource) (int64, error) {
	return c.c.copyFrom(ctx, c.inner, tableName, columnNames, rowSrc)
}

// Begin is that of pgx's connection. The transaction is a [*Tx].
func (c *Conn) Begin(ctx context.Context) (pgx.Tx, error) {
	return c.BeginTx(ctx, pgx.TxOptions{})
}

// BeginTx is that of pgx's connection. The transaction is a [*Tx].
func (c *Conn) BeginTx(ctx context.Context, txOptions pgx.TxOptions) (pgx.Tx, error) {
	tx, err := c.inner.BeginTx(ctx, txOptions)
	if err != nil {
		return nil, err
	}
	return &Tx{tx: tx, c: c.c}, nil
}

// Prepare is that of pgx's connection.
func (c *Conn) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	return c.inner.Conn().Prepare(ctx, name, sql)
}

// Deallocate is that of pgx's connection.
func (c *Conn) Deallocate(ctx context.Context, name string) error {
	return c.inner.Conn().Deallocate(ctx, name)
}

// WaitForNotification is that of pgx's connection.
func (c *Conn) WaitForNotification(ctx context.Context) (*pgconn.Notification, error) {
	return c.inner.Conn().WaitForNotification(ctx)
}

// Ping is that of pgx's connection.
func (c *Conn) Ping(ctx context.Context) error { return c.inner.Ping(ctx) }
