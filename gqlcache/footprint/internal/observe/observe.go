package observe

import (
	"context"
	"database/sql/driver"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A Sink is told of changes: a cache. Its methods may be called by several goroutines at a
// time.
type Sink interface {
	// Number is the number of the last change that the cache has applied. It never falls.
	// It is called before each statement.
	Number() uint64
	// Committed is called when a commit has returned, before the application goes on. ctx
	// is that of the commit, without its end.
	Committed(ctx context.Context, c Commit)
	// Wrote is called when a statement has written, or may have, before the commit, with
	// the statement's context; also when it affected no rows.
	Wrote(ctx context.Context)
}

// A Forgetter is a Sink that can drop answers by tags. Where a sink is none, no shape is
// taken out of a full set.
type Forgetter interface {
	// Forget returns when no answer that depends on one of the tags, and was begun before,
	// is served or stored any more. It must not block.
	Forget(tags []tag.Tag)
}

// A Namer is a Sink that names the operations of contexts, for findings: "" for a context
// of none. It must not block.
type Namer interface {
	OperationOf(ctx context.Context) string
}

// A Commit is what a transaction has changed.
type Commit struct {
	// Observer has seen it.
	Observer *Observer
	Events   []rowtag.Event
	// Everything says why everything may have changed, "" when Events are all.
	Everything string
	// Uncertain says that the outcome is not known: the connection broke, or the driver
	// returned an error.
	Uncertain bool
	// Text is one of the statements without its values, for reports.
	Text string
	// Origins are the contexts of what the commit is the end of: of the transaction's
	// beginning, and of the last statement that has written. COMMIT itself is often sent
	// on a context of its own, so that nothing cuts it off.
	Origins []context.Context
}

// A Conn is the wrapped connection, for statements of our own. Its methods are called by
// the goroutine that uses the connection, never while rows are open.
type Conn interface {
	Query(ctx context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) error
}

// An Attribution says which computations a statement belongs to.
type Attribution uint8

// The attributions.
const (
	// ByContext gives a statement to the computation of its context. One without belongs
	// to all computations that run while it does.
	ByContext Attribution = iota
	// ByTime gives every statement to all computations that run while it does, whatever
	// its context says, and to those that begin while a computation still runs that ran
	// beside it: they may share what it has read. Everything is wider under load. What a
	// program keeps for longer than the computations that read it is not found.
	ByTime
)

// A Switch turns something on or off.
type Switch uint8

// The positions of a Switch. Default is what the documentation of the option says.
const (
	Default Switch = iota
	On
	Off
)

// Options of an Observer, as footprint.Options says.
type Options struct {
	Dialect     catalog.Dialect
	Name        string
	Images      Switch
	SemiJoins   bool
	Beside      Conn
	Attribution Attribution
	Replica     bool
	Logger      *slog.Logger

	// analyze, read and version are replaced by tests.
	analyze func(*catalog.Catalog, string) *analysis.Statement
	read    func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error)
	version func(context.Context, catalog.Dialect, catalog.Query) (catalog.Version, error)
	// connection asks a connection what it is.
	connection func(context.Context, catalog.Dialect, catalog.Query) (catalog.Connection, error)
	// temporary asks a connection of SQLite what it has of its own.
	temporary func(context.Context, catalog.Query) (catalog.Temporary, error)
}

// An Observer watches all connections of one handle. It may be used concurrently.
type Observer struct {
	// unenforced says that some connection writes without looking at foreign keys.
	unenforced atomic.Bool
	opts       Options
	state      atomic.Pointer[state] // nil: nothing is known of the database
	loaded     atomic.Bool           // state was not nil once
	epoch      atomic.Uint64         // of the catalog's places
	places     *catalog.Places       // those of the last catalog; guarded by loading
	failed     bool                  // no catalog could be read at first; guarded by loading
	sinks      atomic.Pointer[[]*attachment]
	mu         sync.Mutex   // guards changes of sinks
	loading    sync.Mutex   // one read of the catalog at a time
	polled     atomic.Int64 // when the database was asked last, since started; 0: it must be
	finds      findings
	refused    refusals
	silent     refusals // of texts that nothing is asked for on Beside
	waiting    waiting
	counts     statementCounts
}

// An attachment is a sink's.
type attachment struct{ sink Sink }

// New returns an Observer. Until Load has read the catalog, every statement is unknown.
func New(o Options) *Observer {
	if o.Images == Default {
		o.Images = Off
		if o.Dialect == catalog.SQLite {
			o.Images = On
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.defaults()
	return &Observer{opts: o}
}

// Attach says who is told of changes. detach undoes it; it may be called more than once.
func (o *Observer) Attach(s Sink) (detach func()) {
	a := &attachment{s}
	o.setSinks(func(list []*attachment) []*attachment { return append(list, a) })
	return func() {
		o.setSinks(func(list []*attachment) []*attachment {
			for i, x := range list {
				if x == a {
					return append(list[:i], list[i+1:]...)
				}
			}
			return list
		})
	}
}

// setSinks replaces the list by a changed copy.
func (o *Observer) setSinks(change func([]*attachment) []*attachment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := change(append([]*attachment(nil), o.attached()...))
	o.sinks.Store(&list)
}

func (o *Observer) attached() []*attachment {
	if p := o.sinks.Load(); p != nil {
		return *p
	}
	return nil
}

// tell hands a commit to all sinks. A panic of one of them is no business of the
// application's.
func (o *Observer) tell(ctx context.Context, c Commit) {
	if c.Everything != "" {
		c.Events = nil
	}
	c.Observer = o
	ctx = context.WithoutCancel(ctx)
	for _, a := range o.attached() {
		o.contain("committed", func() { a.sink.Committed(ctx, c) })
	}
}

// makeRoom takes shapes out of a full set that no read has asked for in a long time. All
// sinks drop the answers that rely on them: see rowtag.Shapes.Retire. No lock is held.
func (o *Observer) makeRoom(st *state) {
	keeps := func(a *attachment) bool { _, ok := a.sink.(Forgetter); return !ok }
	if slices.ContainsFunc(o.attached(), keeps) {
		return
	}
	retired, tags := st.shapes.Retire(time.Since(started))
	if len(tags) == 0 {
		return
	}
	// A sink that is attached from here on has no answer that relies on one of them: its
	// first recording begins after they were retired.
	for _, a := range o.attached() {
		done := false
		o.contain("forget", func() {
			if f, ok := a.sink.(Forgetter); ok {
				f.Forget(tags)
				done = true
			}
		})
		if !done {
			return // writers go on with the shapes
		}
	}
	st.shapes.Remove(retired)
}

// contain calls f. What it panics with is a finding.
func (o *Observer) contain(what string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			o.panicked(what, v)
		}
	}()
	f()
}

// numbers are the clocks' of all sinks at one moment.
type numbers struct {
	first uint64
	sink  Sink
	more  []numbers
}

// now reads the clocks.
func (o *Observer) now() (n numbers) {
	for i, a := range o.attached() {
		one := numbers{sink: a.sink}
		o.contain("number", func() { one.first = a.sink.Number() })
		if i == 0 {
			n = one
		} else {
			n.more = append(n.more, one)
		}
	}
	return n
}

// of returns the number of one sink's clock, 0 when it was not attached at that moment.
func (n *numbers) of(s Sink) uint64 {
	if s == nil {
		return math.MaxUint64
	}
	if n.sink == s {
		return n.first
	}
	for i := range n.more {
		if n.more[i].sink == s {
			return n.more[i].first
		}
	}
	return 0
}
