package observe

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// blog is a catalog of users, their posts, and comments on these. lines have two keys.
func blog(d catalog.Dialect) *catalog.Catalog {
	integer := func(name string) catalog.Column { return catalog.Column{Name: name, Class: catalog.Int, NotNull: true} }
	text := func(name string) catalog.Column {
		return catalog.Column{Name: name, Class: catalog.Text, NotNull: true}
	}
	users := &catalog.Table{Name: "users", Columns: []catalog.Column{integer("id"), text("name"), text("last_seen"), {Name: "email"}}, Keys: [][]int{{0}}}
	posts := &catalog.Table{Name: "posts", Columns: []catalog.Column{
		integer("id"), integer("author_id"), text("status"), text("title"), integer("version"),
	}, Keys: [][]int{{0}}}
	comments := &catalog.Table{Name: "comments", Columns: []catalog.Column{integer("id"), integer("post_id"), text("body")}, Keys: [][]int{{0}}}
	lines := &catalog.Table{Name: "lines", Columns: []catalog.Column{integer("seq"), text("id"), integer("post_id")}, Keys: [][]int{{0}, {1}}}
	posts.Foreign = []catalog.ForeignKey{{Columns: []int{1}, Table: users, RefColumns: []int{0}, Enforced: true}}
	comments.Foreign = []catalog.ForeignKey{{Columns: []int{1}, Table: posts, RefColumns: []int{0}, OnDelete: catalog.Cascade, Enforced: true}}
	c := &catalog.Catalog{
		Dialect: d, Tables: map[string]*catalog.Table{"users": users, "posts": posts, "comments": comments, "lines": lines},
		Schemas: map[string]bool{"main": true, "public": true},
	}
	c.Fingerprint[0] = byte(d)
	c.Finish()
	return c
}

// A rig is an observer with one cache, and a database that does nothing.
type rig struct {
	*Observer
	t    testing.TB
	sink *fakeSink
	conn *fakeConn
}

// A fakeSink numbers the commits that it is told of.
type fakeSink struct {
	mu      sync.Mutex
	o       *Observer
	commits []commitRecord
	wrote   int
	panics  bool
	forget  func([]tag.Tag)
}

type commitRecord struct {
	Commit
	tags []tag.Tag
	err  error // of the context
}

func (f *fakeSink) Number() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.panics {
		panic("number")
	}
	return uint64(len(f.commits))
}

func (f *fakeSink) Committed(ctx context.Context, c Commit) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commits = append(f.commits, commitRecord{c, f.o.TagsOf(c.Events), ctx.Err()})
	if f.panics {
		panic("committed")
	}
}

func (f *fakeSink) Forget(tags []tag.Tag) {
	if f.forget != nil {
		f.forget(tags)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commits = append(f.commits, commitRecord{tags: tags})
}

func (f *fakeSink) Wrote(context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrote++
	if f.panics {
		panic("wrote")
	}
}

// A fakeConn answers the statements of the observer.
type fakeConn struct {
	texts  []string
	answer func(text string, args []driver.NamedValue) ([][]driver.Value, error)
}

func (f *fakeConn) Query(_ context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) error {
	f.texts = append(f.texts, text)
	if f.answer == nil {
		return errors.New("not asked for")
	}
	rows, err := f.answer(text, args)
	for _, r := range rows {
		if err := row(r); err != nil {
			return err
		}
	}
	return err
}

func newRig(t testing.TB, o Options) *rig {
	t.Helper()
	if o.Dialect == 0 {
		o.Dialect = catalog.SQLite
	}
	c := blog(o.Dialect)
	if o.read == nil {
		o.read = func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return c, nil }
	}
	if o.version == nil {
		o.version = func(context.Context, catalog.Dialect, catalog.Query) (catalog.Version, error) { return c.Version, nil }
	}
	if o.temporary == nil {
		o.temporary = func(context.Context, catalog.Query) (catalog.Temporary, error) { return catalog.Temporary{}, nil }
	}
	r := &rig{t: t, sink: &fakeSink{}, conn: &fakeConn{}}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	r.Observer = New(o)
	r.sink.o = r.Observer
	t.Cleanup(r.Attach(r.sink))
	if err := r.Load(t.Context(), r.conn); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) session() *Session { return r.NewSession(r.conn) }

// record begins a recording that arrives now.
func (r *rig) record(ctx context.Context) (context.Context, *Recording) {
	return Begin(ctx, Start{Since: ^uint64(0), Number: r.sink.Number(), Sink: r.sink}, r.Observer)
}

func named(args []any) (list []driver.NamedValue) {
	for i, a := range args {
		if n, ok := a.(int); ok {
			a = int64(n)
		}
		list = append(list, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return list
}

// exec runs a statement that affects one row.
func exec(ctx context.Context, s *Session, text string, args ...any) {
	affect(ctx, s, 1, text, args...)
}

func affect(ctx context.Context, s *Session, n int64, text string, args ...any) {
	s.Start(ctx, text, named(args)).End(nil, n, true)
}

// query runs a statement whose rows are read to the end.
func query(ctx context.Context, s *Session, text string, args []any, rows ...[]any) {
	open(ctx, s, text, args, rows...).End(nil, -1, true)
}

// open runs a statement whose rows are not closed.
func open(ctx context.Context, s *Session, text string, args []any, rows ...[]any) *Execution {
	e := s.Start(ctx, text, named(args))
	for i, row := range rows {
		if i == 0 {
			e.Rows(len(row))
		}
		dest := make([]driver.Value, len(row))
		for j, v := range row {
			if n, ok := v.(int); ok {
				v = int64(n)
			}
			dest[j] = v
		}
		e.Row(dest)
	}
	return e
}

// read records a query of its own, with a shape that is known before.
func (r *rig) read(text string, args []any, rows ...[]any) Footprint {
	r.t.Helper()
	for range 2 { // the first one registers shapes
		ctx, rec := r.record(r.t.Context())
		query(ctx, r.session(), text, args, rows...)
		if f := rec.End(); f.Unknown != "" {
			r.t.Fatal(f.Unknown, r.Findings())
		}
	}
	ctx, rec := r.record(r.t.Context())
	query(ctx, r.session(), text, args, rows...)
	return rec.End()
}

// fresh reports whether an answer is still good: nothing that came after its number meets
// it.
func (r *rig) fresh(f Footprint) bool {
	r.t.Helper()
	if f.Uncommitted != "" {
		return false
	}
	r.sink.mu.Lock()
	defer r.sink.mu.Unlock()
	for _, c := range r.sink.commits[min(f.Number, uint64(len(r.sink.commits))):] {
		if f.Unknown != "" || c.Everything != "" || meet(f.Tags, c.tags) {
			return false
		}
	}
	return true
}

func (r *rig) commits() int { return int(r.sink.Number()) }

func (r *rig) last() commitRecord {
	r.t.Helper()
	r.sink.mu.Lock()
	defer r.sink.mu.Unlock()
	if len(r.sink.commits) == 0 {
		r.t.Fatal("nothing was published")
	}
	return r.sink.commits[len(r.sink.commits)-1]
}

// found reports whether there is a finding.
func (r *rig) has(k FindingKind) bool {
	for _, f := range r.Findings() {
		if f.Kind == k {
			return true
		}
	}
	return false
}

func meet(a, b []tag.Tag) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Hash == y.Hash && x.Mask&y.Mask != 0 {
				return true
			}
		}
	}
	return false
}

func args(list ...any) []any { return list }

func logger(to *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }
