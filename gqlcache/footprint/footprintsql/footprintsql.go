package footprintsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

// An Option of a wrapper.
type Option func(*options)

type options struct {
	outside  bool
	txStatus func(driverConn any) (inTransaction, known bool)
	rowHook  func(driverConn any, changed func(*footprint.RowChange)) bool
}

// TxStatus says how to ask a connection of the driver's whether a transaction is open. It
// is needed for drivers that can tell and that are not known here: pgx and mattn's sqlite3
// are. Where a driver cannot be asked, a connection on which a statement was not understood
// is taken for one that may have changed everything, until the pool hands it out again.
func TxStatus(ask func(driverConn any) (inTransaction, known bool)) Option {
	return func(o *options) { o.txStatus = ask }
}

// RowHook says how to be told of each row that a statement of SQLite changes, with the values
// before and after. It is for packages that know a driver, such as footprintsqlite.
//
// install is called with each new connection of the driver's. It makes the database call
// changed for each row while a statement runs, before the call of the driver returns and on
// the same goroutine, and reports whether it could. changed must be called for each row of a
// table that is not virtual, those that triggers, foreign keys and REPLACE change included,
// for a DELETE without a condition, too, and for the tables of all databases of the
// connection. It may be called for rows whose change is undone. What changed is given is not
// used after it has returned.
func RowHook(install func(driverConn any, changed func(*footprint.RowChange)) bool) Option {
	return func(o *options) { o.rowHook = install }
}

// Connector returns a connector whose connections are observed, for [sql.OpenDB].
func Connector(c driver.Connector, o *footprint.Observer, opts ...Option) driver.Connector {
	return &connector{inner: c, f: newFace(o, opts)}
}

// Outside is [Connector] for workers that belong to no operation: what they read enters no
// answer, and what they write counts. A handle of its own, over the same database and with
// the same Observer, keeps a job queue's polling out of the answers that are computed
// meanwhile.
func Outside(c driver.Connector, o *footprint.Observer, opts ...Option) driver.Connector {
	f := newFace(o, opts)
	f.opts.outside = true
	return &connector{inner: c, f: f}
}

// Driver returns a driver whose connections are observed, for [sql.Register].
func Driver(d driver.Driver, o *footprint.Observer, opts ...Option) driver.Driver {
	return &wrappedDriver{inner: d, f: newFace(o, opts)}
}

// Open is [sql.Open] with an Observer: driverName is that of the driver which is wrapped.
func Open(driverName, dsn string, o *footprint.Observer, opts ...Option) (*sql.DB, error) {
	db, err := sql.Open(driverName, dsn)
	if err != nil {
		return nil, err
	}
	d := db.Driver()
	if err := db.Close(); err != nil {
		return nil, err
	}
	c, err := openConnector(d, dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(Connector(c, o, opts...)), nil
}

// Unwrap returns the driver's connection of one that [sql.Conn.Raw] gives to its function;
// anything else is returned as it is. What is done with it is not seen: the connection is
// taken for one that has changed everything. That is published when it is next used, when
// it is closed, or when the pool gets it back, of which the connections of some drivers
// (pgx) do not hear. As it is not known when that ends, no answer is stored for a minute. A
// function that changes data is for [Raw], which publishes before it returns.
func Unwrap(driverConn any) any {
	for {
		u, ok := driverConn.(interface{ Unwrap() driver.Conn })
		if !ok {
			return driverConn
		}
		_, ours := driverConn.(interface{ core() *conn })
		driverConn = u.Unwrap()
		if ours {
			return driverConn
		}
	}
}

// Raw is [sql.Conn.Raw] with the driver's connection, which f must not use after it has
// returned. Then everything is published as changed, with ctx as the context of the change.
// No answer is stored for a minute more if the driver cannot say that the connection is idle
// then: pgx can, after CopyFrom, say, unless f leaves a transaction open.
func Raw(ctx context.Context, c *sql.Conn, f func(driverConn any) error) error {
	return c.Raw(func(driverConn any) error {
		if w, ok := driverConn.(interface{ core() *conn }); ok {
			c := w.core()
			c.lend(c.as(ctx))
			defer c.handedBack(c.as(ctx))
			return f(c.inner)
		}
		return f(Unwrap(driverConn))
	})
}

// A dsnConnector opens connections of a driver without connectors, as database/sql does.
type dsnConnector struct {
	dsn string
	d   driver.Driver
}

func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.d.Open(c.dsn) }
func (c dsnConnector) Driver() driver.Driver                        { return c.d }

func openConnector(d driver.Driver, dsn string) (driver.Connector, error) {
	if c, ok := d.(driver.DriverContext); ok {
		return c.OpenConnector(dsn)
	}
	return dsnConnector{dsn, d}, nil
}

// A face is one of the ways in which connections of an Observer are opened.
type face struct {
	o    *footprint.Observer
	opts options

	mu sync.Mutex // guards what follows
	// loading says that a connection reads the catalog, or has.
	loading bool
	// failures are those in a row, and retry is when the next connection tries again.
	failures int
	retry    time.Time
}

func newFace(o *footprint.Observer, opts []Option) *face {
	f := &face{o: o}
	for _, set := range opts {
		set(&f.opts)
	}
	return f
}

// connect opens a connection. The first one reads the catalog, before it is used. A reading
// that fails may have cost the connection, so the application gets another one then, and
// later connections try again, from time to time.
func (f *face) connect(ctx context.Context, open func(context.Context) (driver.Conn, error)) (driver.Conn, error) {
	epoch := f.o.Epoch() // before hooks of the driver may prepare statements
	inner, err := open(ctx)
	if err != nil || inner == nil {
		return inner, err
	}
	c := f.wrap(inner)
	if f.due() {
		loaded := c.load(ctx)
		f.loaded(loaded)
		if !loaded && ctx.Err() == nil {
			if other, err := open(ctx); err == nil && other != nil {
				_ = c.Close()
				c = f.wrap(other)
			}
		}
	}
	c.s.SinceEpoch(epoch)
	c.opened(ctx)
	if c.foreign {
		c.s.LosePath()
	}
	return c.pick(), nil
}

// due reports whether a connection is to read the catalog.
func (f *face) due() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loading || f.o.Loaded() || time.Now().Before(f.retry) {
		return false
	}
	f.loading = true
	return true
}

func (f *face) loaded(ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loading = ok; ok {
		return
	}
	f.failures++
	f.retry = time.Now().Add(min(time.Second<<min(f.failures, 6), time.Minute))
}

func (f *face) wrap(inner driver.Conn) *conn {
	c := &conn{inner: inner, o: f.o, outside: f.opts.outside}
	c.s = f.o.NewSession(own{c})
	may, always := hooked(inner)
	if may {
		c.s.Unseen()
	}
	c.foreign = always
	if f.opts.txStatus != nil {
		ask := f.opts.txStatus
		c.s.TxStatus = func() (bool, bool) { return ask(inner) }
	} else {
		c.s.TxStatus = txStatus(inner)
	}
	c.s.Idle = idle(inner)
	if install := f.opts.rowHook; install != nil {
		c.s.Hook(func(changed func(*footprint.RowChange)) bool { return install(inner, changed) })
	}
	return c
}

// A wrappedDriver opens observed connections.
type wrappedDriver struct {
	inner driver.Driver
	f     *face
}

func (d *wrappedDriver) Open(dsn string) (driver.Conn, error) {
	return d.f.connect(context.Background(), func(context.Context) (driver.Conn, error) {
		return d.inner.Open(dsn)
	})
}

func (d *wrappedDriver) OpenConnector(dsn string) (driver.Connector, error) {
	c, err := openConnector(d.inner, dsn)
	if err != nil {
		return nil, err
	}
	return &connector{inner: c, f: d.f}, nil
}

type connector struct {
	inner driver.Connector
	f     *face
}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	return c.f.connect(ctx, c.inner.Connect)
}

// Driver returns the inner driver, so that the application finds the type that it knows.
// What is opened by it is not observed.
func (c *connector) Driver() driver.Driver { return c.inner.Driver() }

// Close closes the inner connector, if it can be closed.
func (c *connector) Close() error {
	if x, ok := c.inner.(io.Closer); ok {
		return x.Close()
	}
	return nil
}
