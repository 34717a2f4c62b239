package observe

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	Panicked         FindingKind = "panic"             // a fault of this package or of a cache's
)

// placed are the kinds of findings that are made while the application waits for the
// statement, beside OutsideCommit: the file and line are those of the caller.
var placed = []FindingKind{NotUnderstood, Orphan, LateStatement}

// A Finding is something that makes answers wider, or that the owner should know. Place is
// the file and line that a statement came from, where that was looked for.
type Finding struct {
	Kind             FindingKind
	Text, Why, Place string
	Count            uint64
}

// maxFindings bounds the kinds of findings, and maxOutside those of OutsideCommit: what a
// server's jobs write must not keep other findings away. The text of one is cut to
// maxFindingText.
const (
	maxFindings    = 256
	maxOutside     = 64
	maxFindingText = 500
)

type findings struct {
	mu      sync.Mutex
	list    map[findingKey]*Finding
	lost    uint64
	outside int // of OutsideCommit in list
}

// findingKey tells findings apart. The text of OutsideCommit is its place, where there is
// one: some libraries write values into their statements.
type findingKey struct {
	kind FindingKind
	text string
}

// found counts a finding, and logs the first of its kind and text.
func (o *Observer) found(f Finding) {
	if len(f.Text) > maxFindingText {
		f.Text = strings.ToValidUTF8(f.Text[:maxFindingText], "")
	}
	f.Count = 1
	key := findingKey{f.Kind, f.Text}
	if f.Kind == OutsideCommit {
		f.Place = caller()
		key.text = cmp.Or(f.Place, f.Text)
	}
	g := &o.finds
	g.mu.Lock()
	old := g.list[key]
	full := len(g.list) >= maxFindings || f.Kind == OutsideCommit && g.outside >= maxOutside
	switch {
	case old != nil:
		old.Count++
		old.Place = cmp.Or(old.Place, f.Place)
	case full:
		g.lost++
	default:
		if g.list == nil {
			g.list = map[findingKey]*Finding{}
		}
		if slices.Contains(placed, f.Kind) {
			f.Place = caller()
		}
		if f.Kind == OutsideCommit {
			g.outside++
		}
		kept := f // its place may be set while f is logged
		g.list[key] = &kept
	}
	g.mu.Unlock()
	if old != nil || full {
		return
	}
	defer func() { _ = recover() }() // a handler's panic is no business of the application's
	log := o.opts.Logger.Warn
	if f.Kind == OutsideCommit { // it costs nothing
		log = o.opts.Logger.Info
	}
	log("footprint: "+string(f.Kind), "statement", f.Text, "why", f.Why, "place", f.Place, "handle", o.opts.Name)
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

// panicked notes a panic, with the stack that it came from.
func (o *Observer) panicked(what string, v any) {
	stack := debug.Stack()
	o.found(Finding{Kind: Panicked, Text: what, Why: fmt.Sprintf("%v\n%s", v, stack[:min(len(stack), maxStack)])})
}

// maxStack bounds the stack of a Finding.
const maxStack = 4 << 10

// caller returns the place of the code that a statement came from: the first that is not
// of database/sql, not ours, and of no module that the application requires, such as an
// ORM. Where there is none, it is the first of such a module.
func caller() string {
	pcs := make([]uintptr, 128)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
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
}
