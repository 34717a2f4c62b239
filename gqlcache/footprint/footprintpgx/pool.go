package footprintpgx

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

// A Pool is a pool of pgx's whose connections are observed. It may be used concurrently.
type Pool struct {
	inner  *pgxpool.Pool
	f      *face
	config *pgxpool.Config
}

// NewPool makes a pool, as [pgxpool.NewWithConfig] does. config must come from
// [pgxpool.ParseConfig], and is not changed. The pool's first connection reads the catalog
// of the database before it is used.
func NewPool(ctx context.Context, config *pgxpool.Config, o *footprint.Observer) (*Pool, error) {
	return newPool(ctx, config, &face{o: o})
}

// Outside is [NewPool] for workers that belong to no operation: what they read enters no
// answer, and what they write counts. A pool of its own, over the same database and with
// the same Observer, keeps a job queue's polling out of the answers that are computed
// meanwhile.
func Outside(ctx context.Context, config *pgxpool.Config, o *footprint.Observer) (*Pool, error) {
	return newPool(ctx, config, &face{o: o, outside: true})
}

func newPool(ctx context.Context, config *pgxpool.Config, f *face) (*Pool, error) {
	inner, err := pgxpool.NewWithConfig(ctx, f.hooked(config))
	if err != nil {
		return nil, err
	}
	return &Pool{inner: inner, f: f, config: config.Copy()}, nil
}

// Unwrap returns pgx's pool, for libraries that want it. Its statements are seen, their
// rows are not: answers depend on all rows that a statement may have returned. What is done
// with a connection's PgConn is not seen at all. Once it was called, search_path is known of
// a connection only from when it is set after the pool has handed it out.
func (p *Pool) Unwrap() *pgxpool.Pool {
	p.f.unseen.Store(true)
	return p.inner
}

// Acquire is that of [pgxpool.Pool].
func (p *Pool) Acquire(ctx context.Context) (*Conn, error) {
	inner, err := p.inner.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return p.wrap(inner), nil
}

// wrap wraps an acquired connection.
func (p *Pool) wrap(inner *pgxpool.Conn) *Conn {
	c := of(inner.Conn())
	if c == nil { // somebody has emptied the connection's data
		c = p.f.watch(inner.Conn())
		c.unwrap(nobody)
	}
	return &Conn{inner, c}
}

// AcquireFunc is that of [pgxpool.Pool].
func (p *Pool) AcquireFunc(ctx context.Context, f func(*Conn) error) error {
	c, err := p.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	return f(c)
}

// AcquireAllIdle is that of [pgxpool.Pool].
func (p *Pool) AcquireAllIdle(ctx context.Context) []*Conn {
	inner := p.inner.AcquireAllIdle(ctx)
	list := make([]*Conn, len(inner))
	for i, c := range inner {
		list[i] = p.wrap(c)
	}
	return list
}

// Exec is that of [pgxpool.Pool].
func (p *Pool) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	c, err := p.Acquire(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer c.Release()
	return c.Exec(ctx, sql, arguments...)
}

// Query is that of [pgxpool.Pool].
func (p *Pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c, err := p.Acquire(ctx)
	if err != nil {
		return failedRows{err}, err
	}
	w, err := c.c.query(ctx, c.inner, sql, args, c.Release)
	if err != nil {
		c.Release()
		return failedRows{err}, err
	}
	return w, nil
}

// QueryRow is that of [pgxpool.Pool].
func (p *Pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	c, err := p.Acquire(ctx)
	if err != nil {
		return failedRows{err}
	}
	w, _ := c.c.query(ctx, c.inner, sql, args, c.Release) // the row has the error
	return row{w}
}

// SendBatch is that of [pgxpool.Pool].
func (p *Pool) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	c, err := p.Acquire(ctx)
	if err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	return c.c.send(ctx, c.inner, b, c.Release)
}

// Begin is that of [pgxpool.Pool]. The transaction is a [*Tx].
func (p *Pool) Begin(ctx context.Context) (pgx.Tx, error) {
	return p.BeginTx(ctx, pgx.TxOptions{})
}

// BeginTx is that of [pgxpool.Pool]. The transaction is a [*Tx].
func (p *Pool) BeginTx(ctx context.Context, txOptions pgx.TxOptions) (pgx.Tx, error) {
	c, err := p.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := c.inner.BeginTx(ctx, txOptions)
	if err != nil {
		c.Release()
		return nil, err
	}
	return &Tx{tx: tx, c: c.c, release: c.Release}, nil
}

// CopyFrom is that of [pgxpool.Pool].
func (p *Pool) CopyFrom(ctx context.Context, tableName pgx.Identifier, columnNames []string, rowSrc pgx.CopyFromSource) (int64, error) {
	c, err := p.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Release()
	return c.CopyFrom(ctx, tableName, columnNames, rowSrc)
}

// Ping is that of [pgxpool.Pool].
func (p *Pool) Ping(ctx context.Context) error { return p.inner.Ping(ctx) }

// Close is that of [pgxpool.Pool].
func (p *Pool) Close() { p.inner.Close() }

// Reset is that of [pgxpool.Pool].
func (p *Pool) Reset() { p.inner.Reset() }

// Stat is that of [pgxpool.Pool].
func (p *Pool) Stat() *pgxpool.Stat { return p.inner.Stat() }

// Config returns a copy of the configuration that the pool was made with.
func (p *Pool) Config() *pgxpool.Config { return p.config.Copy() }

// A face is one of the ways in which connections of an Observer are opened.
type face struct {
	o *footprint.Observer
	// outside says that reads are nobody's.
	outside bool
	// unseen says that the application may have connections which no wrapper sees: search_path
	// is known only from when it is set after that.
	unseen atomic.Bool

	mu sync.Mutex // guards what follows
	// loading says that a connection reads the catalog, or has.
	loading bool
	// failures are those in a row, and retry is when the next connection tries again.
	failures int
	retry    time.Time
}

// hooked returns a copy of a configuration with our hooks beside the application's.
func (f *face) hooked(given *pgxpool.Config) *pgxpool.Config {
	given = given.Copy() // hooks that are set later are not the pool's
	config := given.Copy()
	config.ConnConfig.Tracer = traced(config.ConnConfig.Tracer)
	config.BeforeConnect = func(ctx context.Context, c *pgx.ConnConfig) error {
		var err error
		if given := given.BeforeConnect; given != nil {
			err = given(ctx, c)
		}
		c.Tracer = traced(c.Tracer)
		return err
	}
	config.AfterConnect = func(ctx context.Context, pg *pgx.Conn) error {
		if given := given.AfterConnect; given != nil {
			if err := given(ctx, pg); err != nil {
				return err
			}
		}
		f.connected(ctx, pg)
		return nil
	}
	prepare, acquire := given.PrepareConn, given.BeforeAcquire //nolint:staticcheck // the application may use it
	if prepare != nil || acquire != nil || given.AfterRelease != nil {
		f.unseen.Store(true) // what a hook does with PgConn
	}
	config.PrepareConn = func(ctx context.Context, pg *pgx.Conn) (bool, error) {
		if c := of(pg); c != nil {
			c.reset(ctx)
		}
		switch {
		case pg.IsClosed(): // by a statement of ours
			return false, nil
		case prepare != nil:
			return prepare(ctx, pg)
		case acquire != nil:
			return acquire(ctx, pg), nil
		}
		return true, nil
	}
	config.BeforeClose = func(pg *pgx.Conn) {
		if given := given.BeforeClose; given != nil {
			defer given(pg)
		}
		if c := of(pg); c != nil {
			c.close()
		}
	}
	return config
}

// connected begins to observe a connection. The first one reads the catalog. Where that
// fails, later ones try again, from time to time.
func (f *face) connected(ctx context.Context, pg *pgx.Conn) {
	c := f.watch(pg)
	load := f.due()
	if err := c.opened(ctx, load); load {
		f.loaded(err)
	}
}

// due reports whether a connection is to read the catalog.
func (f *face) due() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loading || time.Now().Before(f.retry) {
		return false
	}
	f.loading = true
	return true
}

func (f *face) loaded(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loading = err == nil; f.loading {
		return
	}
	f.failures++
	f.retry = time.Now().Add(min(time.Second<<min(f.failures, 6), time.Minute))
}
