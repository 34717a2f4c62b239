package footprintpgx

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A tracer announces every statement of a connection, and calls the application's tracer as
// pgx would.
type tracer struct {
	query   pgx.QueryTracer
	batch   pgx.BatchTracer
	copy    pgx.CopyFromTracer
	prepare pgx.PrepareTracer
	connect pgx.ConnectTracer
	acquire pgxpool.AcquireTracer
	release pgxpool.ReleaseTracer
}

// traced returns a tracer beside the application's, which may be nil.
func traced(inner pgx.QueryTracer) *tracer {
	if t, ok := inner.(*tracer); ok {
		return t
	}
	t := &tracer{query: inner}
	t.batch, _ = inner.(pgx.BatchTracer)
	t.copy, _ = inner.(pgx.CopyFromTracer)
	t.prepare, _ = inner.(pgx.PrepareTracer)
	t.connect, _ = inner.(pgx.ConnectTracer)
	t.acquire, _ = inner.(pgxpool.AcquireTracer)
	t.release, _ = inner.(pgxpool.ReleaseTracer)
	return t
}

// The keys of what a context has between start and end.
type (
	runKey     struct{}
	batchKey   struct{}
	copyKey    struct{}
	prepareKey struct{}
)

func (t *tracer) TraceQueryStart(ctx context.Context, pg *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	c := of(pg)
	var r *run
	if c != nil {
		if r = c.take(); r == nil {
			r = unannounced(data.SQL, data.Args)
		}
		if r.given != nil {
			data.Args = r.given
		}
	}
	if t.query != nil {
		ctx = t.query.TraceQueryStart(ctx, pg, data)
	}
	if c == nil {
		return ctx
	}
	c.begin(ctx, r)
	return context.WithValue(ctx, runKey{}, r)
}

func (t *tracer) TraceQueryEnd(ctx context.Context, pg *pgx.Conn, data pgx.TraceQueryEndData) {
	if c := of(pg); c != nil {
		r, _ := ctx.Value(runKey{}).(*run)
		if !c.rolledBack(r, data.CommandTag, data.Err) {
			c.end(r, data.CommandTag, data.Err)
		}
	}
	if t.query != nil {
		t.query.TraceQueryEnd(ctx, pg, data)
	}
}

func (t *tracer) TraceBatchStart(ctx context.Context, pg *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	c := of(pg)
	var b *batch
	if c != nil {
		if b = c.expectedBatch; b == nil {
			b = &batch{c: c}
			for _, q := range data.Batch.QueuedQueries {
				b.runs = append(b.runs, unannounced(q.SQL, q.Arguments))
			}
		} else {
			data.Batch = b.given
		}
		c.expectedBatch = nil
	}
	if t.batch != nil {
		ctx = t.batch.TraceBatchStart(ctx, pg, data)
	}
	if c == nil {
		return ctx
	}
	b.begin(ctx)
	return context.WithValue(ctx, batchKey{}, b)
}

func (t *tracer) TraceBatchQuery(ctx context.Context, pg *pgx.Conn, data pgx.TraceBatchQueryData) {
	if t.batch != nil {
		t.batch.TraceBatchQuery(ctx, pg, data)
	}
}

func (t *tracer) TraceBatchEnd(ctx context.Context, pg *pgx.Conn, data pgx.TraceBatchEndData) {
	if b, ok := ctx.Value(batchKey{}).(*batch); ok {
		b.end(data.Err)
	}
	if t.batch != nil {
		t.batch.TraceBatchEnd(ctx, pg, data)
	}
}

func (t *tracer) TraceCopyFromStart(ctx context.Context, pg *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	if t.copy != nil {
		ctx = t.copy.TraceCopyFromStart(ctx, pg, data)
	}
	c := of(pg)
	if c == nil {
		return ctx
	}
	c.end(c.copying, pgconn.CommandTag{}, errLeft) // pgx does not tell of every end
	c.copying = &run{text: copyText(data.TableName, data.ColumnNames)}
	c.begin(ctx, c.copying)
	return context.WithValue(ctx, copyKey{}, c.copying)
}

func (t *tracer) TraceCopyFromEnd(ctx context.Context, pg *pgx.Conn, data pgx.TraceCopyFromEndData) {
	if c := of(pg); c != nil {
		r, _ := ctx.Value(copyKey{}).(*run)
		c.end(r, data.CommandTag, data.Err)
	}
	if t.copy != nil {
		t.copy.TraceCopyFromEnd(ctx, pg, data)
	}
}

// copyText is a statement that does to a table what COPY does: it inserts rows of unknown
// values, with all that follows from that.
func copyText(table pgx.Identifier, columns []string) string {
	var names, values strings.Builder
	for i, name := range columns {
		if i > 0 {
			names.WriteString(", ")
			values.WriteString(", ")
		}
		names.WriteString(pgx.Identifier{name}.Sanitize())
		values.WriteString("$" + strconv.Itoa(i+1))
	}
	return "INSERT INTO " + table.Sanitize() + " (" + names.String() + ") SELECT " + values.String()
}

type preparing struct{ name, text string }

func (t *tracer) TracePrepareStart(ctx context.Context, pg *pgx.Conn, data pgx.TracePrepareStartData) context.Context {
	if t.prepare != nil {
		ctx = t.prepare.TracePrepareStart(ctx, pg, data)
	}
	return context.WithValue(ctx, prepareKey{}, preparing{data.Name, data.SQL})
}

func (t *tracer) TracePrepareEnd(ctx context.Context, pg *pgx.Conn, data pgx.TracePrepareEndData) {
	if p, ok := ctx.Value(prepareKey{}).(preparing); ok && data.Err == nil {
		prepared(pg, p.name, p.text)
	}
	if t.prepare != nil {
		t.prepare.TracePrepareEnd(ctx, pg, data)
	}
}

func (t *tracer) TraceConnectStart(ctx context.Context, data pgx.TraceConnectStartData) context.Context {
	if t.connect != nil {
		ctx = t.connect.TraceConnectStart(ctx, data)
	}
	return ctx
}

func (t *tracer) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	if t.connect != nil {
		t.connect.TraceConnectEnd(ctx, data)
	}
}

func (t *tracer) TraceAcquireStart(ctx context.Context, p *pgxpool.Pool, data pgxpool.TraceAcquireStartData) context.Context {
	if t.acquire != nil {
		ctx = t.acquire.TraceAcquireStart(ctx, p, data)
	}
	return ctx
}

func (t *tracer) TraceAcquireEnd(ctx context.Context, p *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	if t.acquire != nil {
		t.acquire.TraceAcquireEnd(ctx, p, data)
	}
}

// TraceRelease also serves connections of [Pool.Unwrap], which no wrapper gives back.
func (t *tracer) TraceRelease(p *pgxpool.Pool, data pgxpool.TraceReleaseData) {
	if c := of(data.Conn); c != nil {
		c.released(nobody)
	}
	if t.release != nil {
		t.release.TraceRelease(p, data)
	}
}
