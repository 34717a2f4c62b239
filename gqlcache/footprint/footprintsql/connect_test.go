package footprintsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A described is a fake whose database is an empty one of SQLite, or fails to say so.
type described struct {
	*fake
	fail bool
}

func (f *described) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := f.fake.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return struct {
		driver.Conn
		catalogQuery
	}{c, catalogQuery{f}}, nil
}

type catalogQuery struct{ f *described }

func (q catalogQuery) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if strings.HasPrefix(text, app) {
		return nil, errors.New("not of the application")
	}
	call := "own"
	if strings.HasPrefix(text, "SELECT m.type") { // of the catalog, of a connection never
		call = "own catalog"
	}
	if err := q.f.note("%s", call); err != nil {
		return nil, err
	}
	if q.f.fail {
		return nil, errors.New("no permission")
	}
	switch {
	case text == "PRAGMA database_list":
		return &oneRow{row: []driver.Value{int64(0), "main", ""}}, nil
	case strings.HasPrefix(text, "PRAGMA"):
		return &oneRow{row: []driver.Value{int64(1)}}, nil
	}
	return &oneRow{done: true}, nil
}

type oneRow struct {
	row  []driver.Value
	done bool
}

func (r *oneRow) Columns() []string { return make([]string, len(r.row)) }
func (r *oneRow) Close() error      { return nil }

func (r *oneRow) Next(dest []driver.Value) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	copy(dest, r.row)
	return nil
}

func (f *described) connections() (opened, closed, own int) {
	for _, c := range f.calls() {
		switch c {
		case "connect":
			opened++
		case "close":
			closed++
		case "own catalog":
			own++
		}
	}
	return opened, closed, own
}

// The first connection reads the catalog; where that fails, the application gets another
// connection, and the next ones are left alone for a while.
func TestConnect(t *testing.T) {
	f := &described{fake: newFake("none", "none", "none")}
	o := observer()
	c := Connector(f, o)
	if _, err := c.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	opened, closed, own := f.connections()
	if !o.Loaded() || opened != 1 || closed != 0 || own == 0 {
		t.Fatalf("loaded %v, %d opened, %d closed, %d statements: %v", o.Loaded(), opened, closed, own, o.Findings())
	}
	for _, c := range []driver.Connector{c, Outside(f, o)} {
		if _, err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, _, again := f.connections(); again != own {
			t.Errorf("the catalog was read again")
		}
	}

	f = &described{fake: newFake("none", "none", "none"), fail: true}
	o = observer()
	c = Connector(f, o)
	for i := range 3 {
		got, err := c.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		opened, closed, _ = f.connections()
		if o.Loaded() || opened != 2+i || closed != 1 {
			t.Errorf("loaded %v, %d opened, %d closed", o.Loaded(), opened, closed)
		}
		if _, err := got.Prepare(app + "s"); err != nil {
			t.Error(err)
		}
	}
	found := false
	for _, x := range o.Findings() {
		found = found || strings.Contains(x.Why, "no permission")
	}
	if !found {
		t.Errorf("the findings are %+v", o.Findings())
	}
}

// The application's context ends while the catalog is read: it has its connection.
func TestConnectCanceled(t *testing.T) {
	f := &described{fake: newFake("none", "none", "none"), fail: true}
	ctx, cancel := context.WithCancel(t.Context())
	f.do = func(c string) error {
		if c == "own" {
			cancel()
		}
		return nil
	}
	if _, err := Connector(f, observer()).Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if opened, closed, _ := f.connections(); opened != 1 || closed != 0 {
		t.Errorf("%d opened, %d closed", opened, closed)
	}
}

// Many connections at once: one reads the catalog, and the others do not wait for it.
func TestConnectMany(t *testing.T) {
	f := &described{fake: newFake("none", "none", "none")}
	reading, others := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	f.do = func(c string) error {
		if c == "own" && !first.Swap(true) {
			close(reading)
			<-others
		}
		return nil
	}
	c := Connector(f, observer())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := c.Connect(context.Background()); err != nil {
			t.Error(err)
		}
	})
	<-reading
	for range 5 {
		if _, err := c.Connect(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(others)
	wg.Wait()
}

// The driver's errors of opening are its own.
func TestConnectFails(t *testing.T) {
	f := newFake("none", "none", "none")
	f.do = func(string) error { return errOwn }
	o := observer()
	if _, err := Connector(f, o).Connect(t.Context()); err != errOwn { //nolint:errorlint // the very same
		t.Errorf("Connector: %v", err)
	}
	if _, err := Driver(f.Driver(), o).Open("x"); err != errOwn { //nolint:errorlint // the very same
		t.Errorf("Driver: %v", err)
	}
	if _, err := Open("no such driver", "", o); err == nil || err.Error() != `sql: unknown driver "no such driver" (forgotten import?)` {
		t.Errorf("Open: %v", err)
	}
	d := Driver(contextDriver{f}, o).(driver.DriverContext)
	if _, err := d.OpenConnector("bad"); err != errOwn { //nolint:errorlint // the very same
		t.Errorf("OpenConnector: %v", err)
	}
}

// A contextDriver makes connectors itself, and they can be closed.
type contextDriver struct{ f *fake }

func (d contextDriver) Open(string) (driver.Conn, error) { panic("it has connectors") }

func (d contextDriver) OpenConnector(dsn string) (driver.Connector, error) {
	if dsn == "bad" {
		return nil, errOwn
	}
	return closer{d.f}, d.f.note("connector %s", dsn)
}

type closer struct{ *fake }

func (c closer) Close() error { return c.note("close connector") }

// The ways to a handle.
func TestFaces(t *testing.T) {
	f := newFake("all", "all", "all")
	sql.Register("footprintsql fake", f.Driver())
	g := newFake("all", "all", "all")
	sql.Register("footprintsql fake of connectors", contextDriver{g})
	o := observer()
	s := &sink{f: newFake("all", "all", "all")}
	defer o.Attach(s)()
	sql.Register("footprintsql observed", Driver(f.Driver(), o))
	sql.Register("footprintsql observed of connectors", Driver(contextDriver{g}, o))

	published := 0
	use := func(db *sql.DB, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(app + "w"); err != nil {
			t.Fatal(err)
		}
		if len(s.commits) == published {
			t.Error("nothing was published")
		}
		published = len(s.commits)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	use(Open("footprintsql fake", "one", o))
	use(sql.Open("footprintsql observed", "two"))
	if got := f.calls(); !slices.Contains(got, "open one") || !slices.Contains(got, "open two") {
		t.Errorf("the driver was called so: %q", got)
	}
	use(Open("footprintsql fake of connectors", "three", o))
	use(sql.Open("footprintsql observed of connectors", "four"))
	got := g.calls()
	if !slices.Contains(got, "connector three") || !slices.Contains(got, "connector four") || got[len(got)-1] != "close connector" {
		t.Errorf("the driver was called so: %q", got)
	}
	db := sql.OpenDB(Connector(f, o))
	defer db.Close()
	if d, ok := db.Driver().(fakeDriver); !ok {
		t.Errorf("the driver is a %T", d)
	}
}
