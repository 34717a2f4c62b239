package footprintpgx

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cascadeql/cascadeql/internal/pgtest"
)

// An app is an application that notes all it sees of its database.
type app struct {
	t     *testing.T
	lines []string
}

var (
	changing = regexp.MustCompile(`test\d+|process \d+|PID \d+|transaction \d+`)
	known    = []error{
		pgx.ErrNoRows, pgx.ErrTooManyRows, pgx.ErrTxClosed, pgx.ErrTxCommitRollback, context.Canceled, context.DeadlineExceeded, errApp,
	}
	errApp = errors.New("the application's")
)

func (a *app) note(format string, args ...any) {
	a.lines = append(a.lines, changing.ReplaceAllString(fmt.Sprintf(format, args...), "#"))
}

// failed notes an error: its text, what it wraps, and what it is.
func (a *app) failed(what string, err error) {
	var chain []string
	for e := err; e != nil; e = errors.Unwrap(e) {
		chain = append(chain, fmt.Sprintf("%T", e))
	}
	a.note("%s: %v %v", what, err, chain)
	for _, k := range known {
		if errors.Is(err, k) {
			a.note("%s: is %v, the same: %v", what, k, err == k) //nolint:errorlint // the very same
		}
	}
}

func (a *app) exec(db database, ctx context.Context, text string, args ...any) {
	tag, err := db.Exec(ctx, text, args...)
	a.failed("exec "+text, err)
	a.note("tag %q %d", tag, tag.RowsAffected())
}

func (a *app) rows(what string, rows pgx.Rows, err error) {
	a.failed("query "+what, err)
	if err == nil {
		for _, f := range rows.FieldDescriptions() {
			a.note("field %s %d %d", f.Name, min(f.DataTypeOID, firstOID), f.Format)
		}
	}
	for rows.Next() {
		v, err := rows.Values()
		a.failed("values", err)
		a.note("row %#v raw %q", v, rows.RawValues())
	}
	a.failed("rows "+what, rows.Err())
	a.note("tag %q, next again %v", rows.CommandTag(), rows.Next())
	rows.Close()
}

func (a *app) query(db database, ctx context.Context, text string, args ...any) {
	rows, err := db.Query(ctx, text, args...)
	a.rows(text, rows, err)
}

func (a *app) row(db database, ctx context.Context, text string, args ...any) {
	var x any
	a.failed("row "+text, db.QueryRow(ctx, text, args...).Scan(&x))
	a.note("%#v", x)
}

// A pointless rewriter makes the texts that a test wants.
type rewriter struct{ err error }

func (r rewriter) RewriteQuery(_ context.Context, _ *pgx.Conn, text string, args []any) (string, []any, error) {
	return strings.ReplaceAll(text, "USERS", "users"), append(args, 2), r.err
}

type user struct {
	ID    int64
	Name  string
	Email *string
}

// run is the application.
func (a *app) run(ctx context.Context, db database) {
	gone, cancel := context.WithCancel(ctx)
	cancel()
	late, cancel := context.WithTimeout(ctx, -time.Second)
	defer cancel()

	a.exec(db, ctx, schema) // several statements at once
	a.exec(db, ctx, `CREATE TYPE mood AS ENUM ('sad', 'ok')`)
	a.exec(db, ctx, `CREATE TABLE kinds (id uuid PRIMARY KEY, m mood, n numeric, j jsonb, b bytea, t timestamptz, f boolean, l text[], v varchar(5), c char(4))`)
	a.exec(db, ctx, `INSERT INTO kinds VALUES ($1, 'ok', $2, $3, $4, $5, $6, $7, $8, $9)`,
		"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "1.50", `{"a": 1}`, []byte{1, 2}, time.Unix(1, 0).UTC(), true, []string{"x", "y"}, "v", "c")
	a.query(db, ctx, `SELECT * FROM kinds`)
	a.query(db, ctx, `SELECT * FROM kinds WHERE id = $1`, pgtype.UUID{Bytes: [16]byte{0xa0}, Valid: true})
	a.exec(db, ctx, `UPDATE users SET name = 'x' WHERE id = $1`, 1)
	a.exec(db, ctx, `UPDATE users SET name = 'x' WHERE id = $1`) // too few arguments
	a.exec(db, ctx, `UPDATE users SET name = 'x' WHERE id = $1`, "no number")
	a.exec(db, ctx, `INSERT INTO users VALUES (1, 'again', NULL)`)
	a.exec(db, ctx, `SELEKT 1`)
	a.exec(db, ctx, ``)
	a.exec(db, gone, `SELECT 1`)
	a.exec(db, late, `SELECT 1`)
	a.query(db, ctx, `SELECT id, name FROM users ORDER BY id`)
	a.query(db, ctx, `SELECT id, 1/(id-2) FROM users ORDER BY id`)
	a.query(db, ctx, `UPDATE users SET name = name || '!' RETURNING id, name`)
	a.query(db, ctx, `SELECT id FROM users WHERE id = $1`, pgx.QueryExecModeSimpleProtocol, 2)
	a.query(db, ctx, `SELECT id FROM users WHERE id = $1`, pgx.QueryResultFormats{pgx.TextFormatCode}, 2)
	a.query(db, ctx, `SELECT id FROM users WHERE id = @id`, pgx.NamedArgs{"id": 2})
	a.query(db, ctx, `SELECT id FROM users WHERE id = @id`, pgx.QueryExecModeExec, pgx.StrictNamedArgs{"id": 2})
	a.query(db, ctx, `SELECT id FROM users WHERE id = @id`, pgx.StrictNamedArgs{"other": 2})
	a.query(db, ctx, `SELECT id FROM USERS WHERE id IN ($1, $2)`, rewriter{}, 3)
	a.query(db, ctx, `SELECT id FROM USERS WHERE id IN ($1, $2)`, rewriter{errApp}, 3)
	a.exec(db, ctx, `UPDATE USERS SET name = 'r' WHERE id = $1`, rewriter{})
	a.exec(db, ctx, `UPDATE USERS SET name = 'r' WHERE id = $1`, rewriter{errApp})
	a.query(db, ctx, `SELEKT 1`)
	a.query(db, gone, `SELECT 1`)
	a.row(db, ctx, `SELECT name FROM users WHERE id = $1`, 2)
	a.row(db, ctx, `SELECT name FROM users WHERE id = $1`, 200)
	a.row(db, ctx, `SELECT name FROM users`)
	a.row(db, ctx, `SELECT id, name FROM users`)
	a.row(db, ctx, `SELEKT 1`)
	a.row(db, gone, `SELECT 1`)
	a.failed("driver bytes", db.QueryRow(ctx, `SELECT 1`).Scan(new(pgtype.DriverBytes)))

	rows, err := db.Query(ctx, `SELECT id, name, email FROM users ORDER BY id`)
	a.failed("collected", err)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[user])
	a.failed(fmt.Sprint(len(list), list[0].ID), err)
	rows, err = db.Query(ctx, `SELECT id FROM users`)
	a.failed("one", err)
	_, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	a.failed("exactly one", err)
	rows, err = db.Query(ctx, `SELECT name FROM users`)
	a.failed("scan", err)
	var n int
	a.note("%v", rows.Next())
	a.failed("scan of a text", rows.Scan(&n))
	a.failed("then", rows.Err())
	a.note("%v", rows.Next())

	a.batches(ctx, gone, db)
	a.transactions(ctx, gone, db)

	count, err := db.CopyFrom(ctx, pgx.Identifier{"posts"}, []string{"id", "author_id", "title"}, pgx.CopyFromRows([][]any{{int32(50), int64(1), "c"}, {int32(51), int64(1), "c"}}))
	a.failed(fmt.Sprint("copy ", count), err)
	count, err = db.CopyFrom(ctx, pgx.Identifier{"posts"}, []string{"id", "author_id", "title"}, pgx.CopyFromRows([][]any{{int32(50), int64(1), "c"}}))
	a.failed(fmt.Sprint("copy ", count), err)
	count, err = db.CopyFrom(ctx, pgx.Identifier{"nowhere"}, []string{"id"}, pgx.CopyFromRows(nil))
	a.failed(fmt.Sprint("copy ", count), err)
	count, err = db.CopyFrom(ctx, pgx.Identifier{"posts"}, []string{"id"}, pgx.CopyFromFunc(func() ([]any, error) { return nil, errApp }))
	a.failed(fmt.Sprint("copy ", count), err)
	a.query(db, ctx, `SELECT * FROM posts ORDER BY id`)
	func() {
		defer func() { a.note("panic: %v", recover()) }()
		a.exec(db, ctx, `SELECT 1`, pgx.QueryExecMode(99), 1)
		a.exec(db, ctx, `SELECT $1::text`, panicking{})
	}()
}

// A panicking value panics when pgx encodes it.
type panicking struct{}

func (panicking) TextValue() (pgtype.Text, error) { panic("encoding") }

func (a *app) batches(ctx, gone context.Context, db database) {
	queue := func() *pgx.Batch {
		b := &pgx.Batch{}
		b.Queue(`UPDATE users SET name = 'b' WHERE id = $1`, 1)
		b.Queue(`SELECT id, name FROM users WHERE id = @id`, pgx.NamedArgs{"id": 2})
		b.Queue(`SELECT name FROM users ORDER BY id`)
		b.Queue(`SELECT name FROM users ORDER BY id DESC`)
		return b
	}
	br := db.SendBatch(ctx, queue())
	tag, err := br.Exec()
	a.failed(fmt.Sprint("batch ", tag), err)
	rows, err := br.Query()
	a.rows("batch", rows, err)
	var name string
	a.failed("batch row", br.QueryRow().Scan(&name))
	a.note("%s %v", name, br.Tx())
	a.failed("batch close", br.Close())
	a.failed("batch close again", br.Close())
	_, err = br.Exec()
	a.failed("closed", err)

	b := queue()
	b.QueuedQueries[0].Exec(func(tag pgconn.CommandTag) error { a.note("callback %s", tag); return nil })
	b.QueuedQueries[1].Query(func(rows pgx.Rows) error { a.rows("callback", rows, nil); return nil })
	b.QueuedQueries[3].QueryRow(func(row pgx.Row) error { a.failed("callback", row.Scan(&name)); return errApp })
	a.failed("batch with callbacks", db.SendBatch(ctx, b).Close())

	b = queue()
	b.Queue(`SELECT 1/0`)
	b.Queue(`SELECT 1`)
	br = db.SendBatch(ctx, b)
	for range 8 {
		tag, err := br.Exec()
		a.failed(fmt.Sprint("failing ", tag), err)
	}
	a.failed("failing batch", br.Close())
	b = queue()
	b.Queue(`SELEKT 1`)
	a.failed("batch that does not parse", db.SendBatch(ctx, b).Close())
	b = queue()
	b.Queue(`SELECT $1::int`, "x")
	a.failed("batch that is not encoded", db.SendBatch(ctx, b).Close())
	b = queue()
	b.Queue(`SELECT 1`, rewriter{errApp})
	br = db.SendBatch(ctx, b)
	rows, err = br.Query()
	a.failed("batch that is not rewritten", err)
	rows.Close()
	a.failed("batch that is not rewritten", br.Close())
	a.failed("batch on a context that has ended", db.SendBatch(gone, queue()).Close())
	a.failed("empty batch", db.SendBatch(ctx, &pgx.Batch{}).Close())
	a.query(db, ctx, `SELECT id, name FROM users ORDER BY id`)
}

func (a *app) transactions(ctx, gone context.Context, db database) {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		a.exec(tx, ctx, `UPDATE users SET name = 't' WHERE id = 1`)
		a.failed("nested", pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			a.exec(tx, ctx, `UPDATE users SET name = 'n' WHERE id = 1`)
			a.exec(tx, ctx, `SELECT 1/0`)
			return errApp
		}))
		a.query(tx, ctx, `SELECT name FROM users WHERE id = 1`)
		sd, err := tx.Prepare(ctx, "prepared", `SELECT name FROM users WHERE id = $1`)
		a.failed("prepare", err)
		a.note("%v %v", sd.Name, sd.ParamOIDs)
		a.row(tx, ctx, "prepared", 2)
		b := &pgx.Batch{}
		b.Queue("prepared", 1)
		a.failed("batch", tx.SendBatch(ctx, b).Close())
		return nil
	})
	a.failed("transaction", err)
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		a.exec(tx, ctx, `UPDATE users SET name = 'r' WHERE id = 1`)
		return errApp
	})
	a.failed("rolled back", err)
	tx, err := db.Begin(ctx)
	a.failed("begin", err)
	a.exec(tx, ctx, `SELECT 1/0`)
	a.exec(tx, ctx, `SELECT 1`)
	a.failed("commit", tx.Commit(ctx))
	a.failed("commit again", tx.Commit(ctx))
	a.failed("rollback", tx.Rollback(ctx))
	a.exec(tx, ctx, `SELECT 1`)
	a.query(tx, ctx, `SELECT 1`)
	a.row(tx, ctx, `SELECT 1`)
	_, err = tx.Begin(ctx)
	a.failed("begin", err)
	b := &pgx.Batch{}
	b.Queue(`SELECT 1`)
	a.failed("batch", tx.SendBatch(ctx, b).Close())
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"posts"}, []string{"id"}, pgx.CopyFromRows(nil))
	a.failed("copy", err)
	_, err = db.Begin(gone)
	a.failed("begin on a context that has ended", err)
	tx, err = db.Begin(ctx)
	a.failed("begin", err)
	a.failed("rollback on a context that has ended", tx.Rollback(gone))
	a.query(db, ctx, `SELECT id, name FROM users ORDER BY id`)
}

// The application sees the same with the wrapper and without, in all modes of pgx's, and
// with an observer that asks for row images.
func TestSameAsPgx(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			var want []string
			for i, wrapped := range []bool{false, true} {
				r := &rig{t: t, url: pgtest.Database(t)}
				config := r.config(inMode(m))
				a := &app{t: t}
				traces := &traces{}
				config.ConnConfig.Tracer = traces
				if wrapped {
					r.observe(config)
					a.run(t.Context(), r.Pool)
				} else {
					pool, err := pgxpool.NewWithConfig(t.Context(), config)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(pool.Close)
					a.run(t.Context(), pool)
				}
				got := slices.Concat(a.lines, traces.lines)
				if i == 0 {
					want = got
					continue
				}
				for i := range min(len(want), len(got)) {
					if want[i] != got[i] {
						t.Fatalf("line %d:\nplain   %s\nwrapped %s", i, want[i], got[i])
					}
				}
				if len(want) != len(got) {
					t.Errorf("%d lines instead of %d", len(got), len(want))
				}
				if len(got) < 300 {
					t.Errorf("%d lines only", len(got))
				}
				for _, f := range r.obs.Findings() {
					if f.Kind == "panicked" || strings.Contains(f.Why, "panic") {
						t.Error(f)
					}
				}
			}
		})
	}
}

// traces is a tracer that notes its calls.
type traces struct{ lines []string }

func (t *traces) note(format string, args ...any) {
	t.lines = append(t.lines, changing.ReplaceAllString(fmt.Sprintf(format, args...), "#"))
}

func (t *traces) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	t.note("query %q %T %v", data.SQL, data.Args, data.Args)
	return ctx
}

func (t *traces) TraceQueryEnd(_ context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	t.note("query ends %q %v", data.CommandTag, data.Err)
}

func (t *traces) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	for _, q := range data.Batch.QueuedQueries {
		t.note("batch %q %v", q.SQL, q.Arguments)
	}
	return ctx
}

func (t *traces) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	t.note("batch query %q %v %q %v", data.SQL, data.Args, data.CommandTag, data.Err)
}

func (t *traces) TraceBatchEnd(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	t.note("batch ends %v", data.Err)
}

func (t *traces) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	t.note("copy %v", data)
	return ctx
}

func (t *traces) TraceCopyFromEnd(_ context.Context, _ *pgx.Conn, data pgx.TraceCopyFromEndData) {
	t.note("copy ends %v", data)
}

func (t *traces) TracePrepareStart(ctx context.Context, _ *pgx.Conn, data pgx.TracePrepareStartData) context.Context {
	t.note("prepare %v", data)
	return ctx
}

func (t *traces) TracePrepareEnd(_ context.Context, _ *pgx.Conn, data pgx.TracePrepareEndData) {
	t.note("prepare ends %v", data)
}

func (t *traces) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	t.note("connect")
	return ctx
}

func (t *traces) TraceConnectEnd(_ context.Context, data pgx.TraceConnectEndData) {
	t.note("connect ends %v", data.Err)
}

func (t *traces) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	t.note("acquire")
	return ctx
}

func (t *traces) TraceAcquireEnd(_ context.Context, _ *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	t.note("acquire ends %v", data.Err)
}

func (t *traces) TraceRelease(*pgxpool.Pool, pgxpool.TraceReleaseData) { t.note("release") }
