package observe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// A state is a catalog with all that was derived from it.
//
// A write that was analyzed with one state and is published under another publishes
// everything: a trigger which the old catalog does not know may have fired. The state is
// replaced before the change of the catalog is published, so that a write which commits
// after that publication finds the new state.
type state struct {
	catalog *catalog.Catalog
	shapes  *rowtag.Shapes
	memo    memo
	names   func() map[string]bool // of tables and columns, in lower case
	// one is the catalog for statements whose names are all found in one schema, and several
	// says that some name is in more than one.
	one     *catalog.Catalog
	several bool
	missing missing
	// virtual says that some table is: it may write its rows when the transaction ends.
	virtual bool
}

// missing are schemas that were looked for and are not in the catalog.
type missing struct {
	sync.Mutex
	names map[string]struct{}
}

// severalIn reports whether a catalog has names that several schemas have.
func severalIn(c *catalog.Catalog) bool {
	for _, t := range c.Tables {
		if t.Ambiguous {
			return true
		}
	}
	return false
}

func virtualIn(c *catalog.Catalog) bool {
	for _, t := range c.Tables {
		if t.Virtual {
			return true
		}
	}
	return false
}

// namesOf returns the names of the tables, views and columns of a catalog, in lower case.
func namesOf(c *catalog.Catalog) map[string]bool {
	names := map[string]bool{}
	for name := range c.Views {
		names[strings.ToLower(name)] = true
	}
	for name, t := range c.Tables {
		names[strings.ToLower(name)] = true
		for i := range t.Columns {
			names[strings.ToLower(t.Columns[i].Name)] = true
		}
	}
	return names
}

// How often the database is asked whether its catalog is another one.
const (
	pollSQLite     = 100 * time.Millisecond
	pollPostgreSQL = 30 * time.Second
	// pollFailed is for a database whose catalog could not be read.
	pollFailed = time.Second
)

// started is when the process did: the time since then is monotonic.
var started = time.Now()

// Loaded reports whether the catalog is known.
func (o *Observer) Loaded() bool { return o.state.Load() != nil }

// Fingerprint is another one whenever tags mean something else: it belongs to the mark of
// what instances tell each other.
func (o *Observer) Fingerprint() (f [32]byte) {
	if st := o.state.Load(); st != nil {
		f = st.catalog.Fingerprint
	}
	return f
}

// Load reads the catalog, on a connection without a transaction and without rows that are
// open. Where it fails, every statement is unknown until a later one succeeds. A catalog
// that is another one than before is published as a change of everything.
func (o *Observer) Load(ctx context.Context, conn Conn) error {
	o.loading.Lock()
	defer o.loading.Unlock()
	return o.load(ctx, conn)
}

// load is Load. REQUIRES: loading is held.
func (o *Observer) load(ctx context.Context, conn Conn) error {
	next, err := o.read(ctx, conn)
	old := o.state.Load()
	o.polled.Store(int64(time.Since(started)) + 1)
	switch {
	case err != nil:
		o.failed = o.failed || o.places == nil
		o.state.Store(nil)
		o.found(ctx, Finding{Kind: NoCatalog, Why: err.Error()})
	case old != nil && old.catalog.Fingerprint == next.catalog.Fingerprint && old.catalog.Version == next.catalog.Version:
		return nil
	default:
		if p := next.catalog.Places; p != nil {
			if o.places != nil || o.failed {
				p.After(o.places)
			}
			o.places = p
			o.epoch.Store(p.Epoch())
		}
		o.loaded.Store(true) // before: see Reach
		o.state.Store(next)
	}
	if old != nil {
		o.tell(ctx, Commit{Everything: "the catalog has changed"})
	}
	return err
}

// read makes a state.
func (o *Observer) read(ctx context.Context, conn Conn) (st *state, err error) {
	if conn == nil {
		return nil, errors.New("the connection cannot be asked")
	}
	defer func() {
		if v := recover(); v != nil {
			st, err = nil, fmt.Errorf("panic: %v", v)
		}
	}()
	c, err := o.opts.read(ctx, o.opts.Dialect, conn.Query)
	if err != nil {
		return nil, err
	}
	if o.unenforced.Load() {
		c.Unenforce()
	}
	return &state{
		catalog: c, shapes: rowtag.NewShapes(o.opts.Name, c),
		names: sync.OnceValue(func() map[string]bool { return namesOf(c) }),
		one:   c.InOne(), several: severalIn(c), virtual: virtualIn(c),
	}, nil
}

// CatalogChanged says that the catalog is another one, or is about to be: everything is
// published, and nothing is known until the catalog was read again. It is for tools that
// migrate a database, before and after.
func (o *Observer) CatalogChanged(ctx context.Context) {
	o.loading.Lock()
	defer o.loading.Unlock()
	o.state.Store(nil)
	o.polled.Store(0)
	o.tell(ctx, Commit{Everything: "the catalog has changed"})
}

// idle reports whether statements of ours may run on the connection.
func (s *Session) idle() bool {
	return s.conn != nil && !s.tx.open && s.open == 0 && s.unsure == "" && !s.raw
}

// poll asks the database, now and then, whether its catalog is another one.
func (s *Session) poll(ctx context.Context) {
	if !s.idle() {
		return
	}
	o := s.o
	every := pollPostgreSQL
	st := o.state.Load()
	switch {
	case st == nil:
		every = pollFailed
	case o.opts.Dialect == catalog.SQLite:
		every = pollSQLite
	}
	last, now := o.polled.Load(), int64(time.Since(started))+1
	if last != 0 && now-last < int64(every) || !o.polled.CompareAndSwap(last, now) {
		return
	}
	o.loading.Lock()
	defer o.loading.Unlock()
	if st != nil {
		version, err := o.askVersion(ctx, s.conn)
		if err != nil || version == st.catalog.Version {
			if err != nil {
				o.polled.Store(max(1, now-int64(every)+int64(pollFailed))) // sooner than usual
			}
			return
		}
	}
	_ = o.load(ctx, s.conn) // a finding
}

func (o *Observer) askVersion(ctx context.Context, conn Conn) (version catalog.Version, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return o.opts.version(ctx, o.opts.Dialect, conn.Query)
}

// reload reads the catalog after a statement that has changed it.
func (s *Session) reload(ctx context.Context) {
	if s.idle() {
		_ = s.o.Load(ctx, s.conn) // a finding
		return
	}
	s.o.CatalogChanged(ctx)
}

// analysis returns what is known of a text, with the state that it was derived from: nil
// when the catalog is not known. In f it notes how the text's arguments are those of its
// template.
func (o *Observer) analysis(text string, f *folds) (*analyzed, *state) {
	st := o.state.Load()
	if st == nil {
		return analyzedOf(text, o.blank(text)), nil
	}
	return st.memo.find(o.opts.Dialect, text, f, func(text string) *analysis.Statement { return o.opts.analyze(st.catalog, text) }), st
}

// blank returns what is known of a text without a catalog: nothing, unless it controls a
// transaction.
func (o *Observer) blank(text string) *analysis.Statement {
	c := &catalog.Catalog{Dialect: o.opts.Dialect}
	c.Finish()
	a := o.opts.analyze(c, text)
	switch a.Kind {
	case sqlparse.Begin, sqlparse.Commit, sqlparse.Rollback, sqlparse.Savepoint, sqlparse.RollbackTo, sqlparse.Release:
		if a.Unknown == "" {
			return a
		}
	}
	return &analysis.Statement{Kind: a.Kind, Unknown: "the catalog is not known", Transaction: a.Transaction, Columns: -1}
}
