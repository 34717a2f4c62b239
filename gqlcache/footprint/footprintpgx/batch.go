package footprintpgx

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A batch is one that was sent. Its statements end when its results are closed: outside of
// a transaction they commit together then.
type batch struct {
	pgx.BatchResults
	c *conn
	// given is the application's.
	given *pgx.Batch
	runs  []*run
	next  int
	// over says that the statements have ended.
	over bool
	// release gives the connection back to the pool; it may be nil. With tx, that does.
	release func()
	tx      *Tx
}

// send sends a batch.
func (c *conn) send(ctx context.Context, to interface {
	SendBatch(context.Context, *pgx.Batch) pgx.BatchResults
}, given *pgx.Batch, release func(),
) *batch {
	b := &batch{c: c, given: given, release: release}
	sent := *given // with the options of its transaction
	sent.QueuedQueries = make([]*pgx.QueuedQuery, len(given.QueuedQueries))
	for i, q := range given.QueuedQueries {
		copied := *q
		var r *run
		r, copied.Arguments = c.rewrite(ctx, q.SQL, q.Arguments)
		b.runs = append(b.runs, r)
		callback := q.Fn
		copied.Fn = func(pgx.BatchResults) error {
			if callback != nil {
				return callback(b)
			}
			_, _ = b.Exec() // as pgx does: Close has the error
			return nil
		}
		sent.QueuedQueries[i] = &copied
	}
	c.expectedBatch = b
	returned := false
	defer func() {
		c.expectedBatch = nil
		if !returned {
			b.end(errLeft)
		}
	}()
	b.BatchResults = to.SendBatch(ctx, &sent)
	returned = true
	if tx := b.BatchResults.Tx(); tx != nil {
		b.tx = &Tx{tx: tx, c: c, release: release}
		b.release = nil
	}
	return b
}

// begin announces the statements, unless one cannot be sent: none is then.
func (b *batch) begin(ctx context.Context) {
	for _, r := range b.runs {
		if r.refused {
			return
		}
	}
	b.c.together(b.runs)
	for _, r := range b.runs {
		b.c.begin(ctx, r)
	}
}

// end ends the statements. What comes after an error did not run.
func (b *batch) end(err error) {
	defer b.c.ended(b, err)
	for i, r := range b.runs {
		failed := r.err
		if failed == nil && i >= b.next {
			failed = err
		}
		b.c.end(r, r.tag, failed)
	}
}

// run returns the next statement, nil after the last one.
func (b *batch) run() *run {
	if b.next >= len(b.runs) {
		return &run{}
	}
	b.next++
	return b.runs[b.next-1]
}

// Exec reads the result of the next statement.
func (b *batch) Exec() (pgconn.CommandTag, error) {
	r := b.run()
	tag, err := b.BatchResults.Exec()
	r.tag, r.err = tag, err
	return tag, err
}

// Query reads the result of the next statement.
func (b *batch) Query() (pgx.Rows, error) { return b.query() }

func (b *batch) query() (*rows, error) {
	r := b.run()
	inner, err := b.BatchResults.Query()
	r.err = err
	w := b.c.queried(inner, err, r, nil)
	w.batched = true
	return w, err
}

// QueryRow reads the result of the next statement.
func (b *batch) QueryRow() pgx.Row {
	w, _ := b.query() // the row has the error
	return row{w}
}

// Close reads what is left, and publishes.
func (b *batch) Close() error {
	if b.release != nil {
		release := b.release
		b.release = nil
		defer release()
	}
	defer b.end(errLeft) // pgx tells of the end, unless it panics
	return b.BatchResults.Close()
}

// Tx returns the transaction that the batch has begun.
func (b *batch) Tx() pgx.Tx {
	if b.tx == nil {
		return nil
	}
	return b.tx
}
