package observe

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// A FindingKind says what was found.
type FindingKind string

// The kinds of findings.
const (
	NotUnderstood    FindingKind = "not understood"    // a statement: it depends on anything, or may write everything
	NoCatalog        FindingKind = "no catalog"        // nothing is known of the database
	Orphan           FindingKind = "no computation"    // a statement came without the context of the computation that asked for it
	SharedStatement  FindingKind = "shared statement"  // a field waited for the statement of another computation
	OutsideCommit    FindingKind = "outside commit"    // a commit that belongs to no mutation which still runs
	LateStatement    FindingKind = "late statement"    // a statement came after the answer
	UnexplainedField FindingKind = "unexplained field" // where its value comes from is not known
	UncertainCommit  FindingKind = "uncertain commit"  // the outcome of a transaction is not known
	ImageRefused     FindingKind = "no row images"     // the rows of a write could not be asked for
	ManyShapes       FindingKind = "too many shapes"   // reads that compare further columns depend on tables
	Elsewhere        FindingKind = "elsewhere"         // a connection that reads from a replica, or what is not committed
	IncompleteKey    FindingKind = "incomplete key"    // a value of a statement comes from nothing that the cache key has
	UnknownColumn    FindingKind = "unknown column"    // a name of @view(decides:) that is no column of the table
	UnknownSchema    FindingKind = "unknown schema"    // in which of several schemas the rows of a statement are
	Panicked         FindingKind = "panic"             // a fault of this package or of a cache's
)

// kindsOfFindings are all of them.
var kindsOfFindings = [...]FindingKind{
	NotUnderstood, NoCatalog, Orphan, SharedStatement, OutsideCommit, LateStatement, UnexplainedField, UncertainCommit, ImageRefused, ManyShapes, Elsewhere,
	IncompleteKey, UnknownColumn, UnknownSchema, Panicked,
}

// A Finding is something that makes answers wider, or that the owner should know.
type Finding struct {
	Kind FindingKind
	// Text is a statement without its values, the name of a field, or what is missing in a
	// key. Why is for the owner of the server: that of NoCatalog quotes an error of the
	// database, that of Panicked what was panicked with. No other has a value.
	Text, Why string
	// Place is the file and line that the first such statement came from, Operation the
	// name of the operation whose resolver has sent it; "" where that is not known.
	Place, Operation string
	// Count is how often it was found since the Observer was made.
	Count uint64
}

// The bounds of findings: how many there are, how many of these are of OutsideCommit, since
// what a server's jobs write must not keep other findings away, and how many bytes each
// has.
const (
	maxFindings     = 256
	maxOutside      = 64
	maxPlaces       = 1024
	maxFindingText  = 500
	maxFindingPlace = 300
	maxFindingName  = 100
)

type findings struct {
	mu      sync.Mutex
	list    map[findingKey]*Finding
	outside int                          // of OutsideCommit in list
	places  map[uint64]string            // by the hash of the stack that has them, of OutsideCommit
	counts  [len(kindsOfFindings)]uint64 // by kind, also of those that the list has no room for
}

type findingKey struct {
	kind FindingKind
	text string
}

// found counts a finding, and logs the first of its kind and text. ctx is that of the
// statement, or of the computation.
func (o *Observer) found(ctx context.Context, f Finding) {
	f.Text = clip(f.Text, maxFindingText)
	if f.Kind == OutsideCommit {
		f.Place = o.finds.caller()
	}
	f.Place = clip(f.Place, maxFindingPlace)
	if !o.finds.count(&f) {
		return
	}
	f.Operation = clip(o.operationOf(ctx), maxFindingName)
	o.first(f)
}

// first adds a finding that was counted to the list, and logs it.
func (o *Observer) first(f Finding) {
	f.Count = 1
	switch f.Kind {
	case Orphan, NotUnderstood, LateStatement, ImageRefused, UncertainCommit:
		f.Place = clip(caller(), maxFindingPlace)
	}
	if !o.finds.add(f) {
		return
	}
	defer func() { _ = recover() }() // a handler's panic is no business of the application's
	log := o.opts.Logger.Warn
	if f.Kind == OutsideCommit { // it costs nothing
		log = o.opts.Logger.Info
	}
	log("footprint: "+string(f.Kind), "statement", f.Text, "why", f.Why, "place", f.Place, "operation", f.Operation, "handle", o.opts.Name, "advice", "the panel's tab SQL, Cache.Observed, docs/observe.md")
}

// key tells findings apart. That of OutsideCommit is its place, where there is one: a
// library may send another text each time.
func (f *Finding) key() findingKey {
	if f.Kind == OutsideCommit {
		return findingKey{f.Kind, cmp.Or(f.Place, f.Text)}
	}
	return findingKey{f.Kind, f.Text}
}

// count counts a finding, and reports whether the list has it not, and has room.
func (g *findings) count(f *Finding) (isNew bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(kindsOfFindings[:], f.Kind); i >= 0 {
		g.counts[i]++
	}
	if old := g.list[f.key()]; old != nil {
		old.Count++
		old.Place = cmp.Or(old.Place, f.Place)
		return false
	}
	return g.hasRoom(f.Kind)
}

func (g *findings) hasRoom(kind FindingKind) bool {
	return len(g.list) < maxFindings && (kind != OutsideCommit || g.outside < maxOutside)
}

// add adds a finding that count has counted. It reports whether it is the first one.
func (g *findings) add(f Finding) (first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if old := g.list[f.key()]; old != nil { // added meanwhile
		old.Count++
		return false
	}
	if !g.hasRoom(f.Kind) {
		return false
	}
	if g.list == nil {
		g.list = map[findingKey]*Finding{}
	}
	if f.Kind == OutsideCommit {
		g.outside++
	}
	g.list[f.key()] = &f // a copy: its place may be set while the finding is logged
	return true
}

// clip returns at most n bytes of a text.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// operationOf asks the sinks for the operation of a context.
func (o *Observer) operationOf(ctx context.Context) (name string) {
	for _, a := range o.attached() {
		if n, ok := a.sink.(Namer); ok && ctx != nil && name == "" {
			func() {
				defer func() { _ = recover() }() // a finding within a finding has no end
				name = n.OperationOf(ctx)
			}()
		}
	}
	return name
}

// Findings returns what was found, the most frequent first.
func (o *Observer) Findings() []Finding {
	g := &o.finds
	g.mu.Lock()
	defer g.mu.Unlock()
	list := make([]Finding, 0, len(g.list))
	for _, f := range g.list {
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Text, b.Text))
	})
	return list
}

// Figures are what an Observer has counted since it was made.
type Figures struct {
	// Known are the runs of statements of which it is known what they read and write.
	// Widened are those of them that count for more: they came without the context of a
	// computation, or on a connection in doubt; they are no part of Known. NotUnderstood
	// are the runs of all other statements. Statements that have no data, such as BEGIN,
	// are not counted.
	Known, Widened, NotUnderstood uint64
	// Findings has each kind, how often it was found.
	Findings map[FindingKind]uint64
}

// Figures returns the figures. They are not taken at one instant. It does not block.
func (o *Observer) Figures() Figures {
	c := &o.counts
	f := Figures{
		Known: c.known.Load(), Widened: c.widened.Load(), NotUnderstood: c.notUnderstood.Load(),
		Findings: make(map[FindingKind]uint64, len(kindsOfFindings)),
	}
	g := &o.finds
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, kind := range kindsOfFindings {
		f.Findings[kind] = g.counts[i]
	}
	return f
}

// statementCounts count the runs of statements that read or write.
type statementCounts struct{ known, widened, notUnderstood atomic.Uint64 }

// add counts a run that has ended.
func (c *statementCounts) add(e *Execution) {
	switch {
	case !e.attributed:
	case e.a.Unknown != "" || e.misunderstood:
		c.notUnderstood.Add(1)
	case e.why != "" || e.orphan:
		c.widened.Add(1)
	default:
		c.known.Add(1)
	}
}

// normalized returns a statement without its values, for findings.
func (o *Observer) normalized(text string) string {
	st := o.state.Load()
	if st != nil {
		if a := st.memo.get(text); a != nil {
			return a.normalized(o, st)
		}
	}
	return o.normalize(st, text)
}

// normalize is normalized, without the memo. st may be nil.
func (o *Observer) normalize(st *state, text string) string {
	return o.normalizeTo(st, text, maxFindingText)
}

// normalizeTo is normalize to so many bytes at most.
func (o *Observer) normalizeTo(st *state, text string, limit int) string {
	d := sqlparse.PostgreSQL
	if o.opts.Dialect == catalog.SQLite {
		d = sqlparse.SQLite
	}
	return sqlparse.Normalize(text, d, limit, func(name string) bool { return st != nil && st.names()[strings.ToLower(name)] })
}

// panicked notes a panic, with the stack that it came from.
func (o *Observer) panicked(what string, v any) {
	stack := debug.Stack()
	if f := (Finding{Kind: Panicked, Text: what, Why: fmt.Sprintf("%v\n%s", v, stack[:min(len(stack), maxStack)])}); o.finds.count(&f) {
		o.first(f)
	}
}

// maxStack bounds the stack of a Finding.
const maxStack = 4 << 10

// caller returns the place of the code that a statement came from: the first that is not
// of database/sql, not ours, and of no module that the application requires, such as an
// ORM. Where there is none, it is the first of such a module.
func caller() string {
	var pcs [maxFrames]uintptr
	return placeOf(pcs[:runtime.Callers(3, pcs[:])])
}

// maxFrames bounds the stack that is looked at.
const maxFrames = 128

// caller is the function of that name, for what is found at each commit of a job: the names
// of a stack's functions are looked up once. Two stacks of one hash have one place, in
// reports.
func (g *findings) caller() string {
	var pcs [maxFrames]uintptr
	stack := pcs[:runtime.Callers(3, pcs[:])]
	hash := uint64(len(stack))
	for _, pc := range stack {
		hash = bits.RotateLeft64(hash^uint64(pc), 29) * 0x9e3779b97f4a7c15
	}
	g.mu.Lock()
	place, ok := g.places[hash]
	g.mu.Unlock()
	if ok {
		return place
	}
	place = placeOf(slices.Clone(stack))
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.places == nil {
		g.places = map[uint64]string{}
	}
	if len(g.places) < maxPlaces {
		g.places[hash] = place
	}
	return place
}

// placeOf is caller, for a stack.
func placeOf(stack []uintptr) string {
	frames := runtime.CallersFrames(stack)
	first := ""
	for {
		f, more := frames.Next()
		if f.File != "" && !slices.ContainsFunc(passed, func(p string) bool { return strings.HasPrefix(f.Function, p) }) {
			place := f.File + ":" + strconv.Itoa(f.Line)
			if !required(f.File) {
				return place
			}
			first = cmp.Or(first, place)
		}
		if !more {
			return first
		}
	}
}

// required reports whether a file is of a module that the main module requires: it is in
// the cache of modules, whose directories have versions, or in a vendor directory.
func required(file string) bool {
	return strings.Contains(file, "@v") || strings.Contains(file, "/vendor/")
}

// passed are the prefixes of the functions that a caller is looked for behind.
var passed = []string{
	"runtime.", "database/sql.",
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/",
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql.",
	"github.com/cascadeql/cascadeql/gqlcache.(*observing).",
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintpgx.",
}
