package gqlcache

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
)

// maxObserved bounds the operations that a report names, and maxObservedWords what is told
// of one. maxObservedText bounds a word in bytes, maxObservedName the name of an operation,
// which clients choose.
const (
	maxObserved      = 256
	maxObservedWords = 32
	maxObservedText  = 500
	maxObservedName  = 100
)

// observed is what statements tell of operations, for reports. The zero value is ready to
// use.
type observed struct {
	mu         sync.Mutex // protects operations
	operations map[string]*inspect.ObservedOperation
}

// What an operation reads is told after a few of its computations, and comparing it with
// the directives takes longer than recording it. So the first computations of an operation
// are looked at, and then one of many: its statements may be others by then.
const (
	lookedAt = 64
	lookedOf = 64
)

// isLookedAt reports whether a computation of the operation is reported of.
func (d *document) isLookedAt() bool {
	n := d.reported.Add(1)
	return n <= lookedAt || n%lookedOf == 0
}

// read notes what the computation of a query's answer has read. It reports whether that
// is the first time that no directive of the operation names one of the tables, or that
// none is about the rows that were asked for. Not every computation is noted.
func (o *observed) read(d *document, vars map[string]any, fp *footprint.Footprint) (news bool) {
	if d.Operation == nil || !d.isLookedAt() {
		return false
	}
	declared := d.Operation.Tables()
	return o.note(d, func(op *inspect.ObservedOperation) bool {
		for _, words := range fp.Words() {
			op.Reads = addOnce(op.Reads, words)
		}
		tables, _ := fp.Tables()
		news := uncover(op, tables, declared)
		return unmatch(op, fp.Unmatched(func(table string) ([][]string, bool) { return d.Operation.Conditions(table, vars) }, cascade.ColumnOf)) || news
	})
}

// wrote notes which tables a mutation has changed, as read does.
func (o *observed) wrote(d *document, tables, declared []string) (news bool) {
	if d.Operation == nil {
		return false
	}
	return o.note(d, func(op *inspect.ObservedOperation) bool {
		for _, name := range tables {
			op.Writes = addOnce(op.Writes, name)
		}
		return uncover(op, tables, declared)
	})
}

// note calls f with the report of an operation, unless there are too many.
func (o *observed) note(d *document, f func(*inspect.ObservedOperation) bool) (news bool) {
	hash := d.ShortHash()
	o.mu.Lock()
	defer o.mu.Unlock()
	op := o.operations[hash]
	if op == nil {
		if len(o.operations) == maxObserved {
			return false
		}
		if o.operations == nil {
			o.operations = map[string]*inspect.ObservedOperation{}
		}
		op = &inspect.ObservedOperation{Operation: d.named(), Undeclared: d.Operation.Anything}
		op.Operation.Name = clip(op.Operation.Name, maxObservedName)
		o.operations[hash] = op
	}
	return f(op)
}

// uncover adds the tables that no directive names, where the operation has directives.
func uncover(op *inspect.ObservedOperation, tables, declared []string) (news bool) {
	if op.Undeclared != "" {
		return false
	}
	before := len(op.Uncovered)
	for _, name := range tables {
		if !slices.Contains(declared, name) {
			op.Uncovered = addOnce(op.Uncovered, name)
		}
	}
	return before == 0 && len(op.Uncovered) > 0
}

// unmatch adds the sets of rows that no condition of a directive is about.
func unmatch(op *inspect.ObservedOperation, sets []string) (news bool) {
	if op.Undeclared != "" {
		return false
	}
	before := len(op.Unmatched)
	for _, set := range sets {
		op.Unmatched = addOnce(op.Unmatched, set)
	}
	return before == 0 && len(op.Unmatched) > 0
}

func addOnce(list []string, s string) []string {
	s = clip(s, maxObservedText)
	if len(list) == maxObservedWords || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// clip returns at most n bytes of a text.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// Observed returns what the handles of Options.Observe have seen since the cache was made:
// what makes answers wider, the widest first, and by operation what it reads and writes,
// with the tables that none of its directives names, and the sets of rows that its
// conditions are not about. A table has the name of its view, or that of @view(table:). No
// value of a statement is in it, and its size is bounded. Without handles it is empty. The
// result belongs to the caller. It does not block.
func (c *Cache) Observed() inspect.Observed {
	all := inspect.Observed{Findings: []inspect.ObservedFinding{}, Operations: []inspect.ObservedOperation{}}
	if c.unmade() || c.observing == nil {
		return all
	}
	figures := c.observing.figures()
	all.Statements = inspect.ObservedStatements{Known: figures.Known, Widened: figures.Widened, NotUnderstood: figures.NotUnderstood}
	all.Commits = inspect.ObservedCommits{Seen: figures.Commits, Everything: figures.CommitsOfEverything, Outside: figures.OutsideCommits, Uncertain: figures.UncertainCommits}
	for _, h := range c.opts.Observe.Handles {
		for _, f := range h.Findings() {
			one := inspect.ObservedFinding{Kind: string(f.Kind), Text: f.Text, Why: clip(f.Why, maxObservedText), Place: f.Place, Operation: f.Operation, Count: f.Count}
			inspector.Explain(&one)
			all.Findings = append(all.Findings, one)
		}
	}
	inspector.Widest(all.Findings)
	o := &c.observing.seen
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, op := range o.operations {
		one := *op
		one.Reads, one.Writes = slices.Clone(op.Reads), slices.Clone(op.Writes)
		one.Uncovered, one.Unmatched = slices.Clone(op.Uncovered), slices.Clone(op.Unmatched)
		all.Operations = append(all.Operations, one)
	}
	slices.SortFunc(all.Operations, func(a, b inspect.ObservedOperation) int {
		return cmp.Or(strings.Compare(a.Operation.Name, b.Operation.Name), strings.Compare(a.Operation.Hash, b.Operation.Hash))
	})
	return all
}

// showObserved returns what a snapshot has of Observed, nil without handles.
func (c *Cache) showObserved() *inspect.Observed {
	if c.observing == nil {
		return nil
	}
	return inspector.ShowObserved(c.Observed())
}

// ObservedStats are the figures of the handles of Options.Observe, added up.
type ObservedStats struct {
	// Known, Widened and NotUnderstood are the runs of statements that read or write: see
	// footprint.Figures.
	Known         uint64 `json:"known"`
	Widened       uint64 `json:"widened"`
	NotUnderstood uint64 `json:"notUnderstood"`
	// Commits are the commits seen, and the changes of a catalog. Of these,
	// CommitsOfEverything may have changed everything, OutsideCommits belong to no mutation
	// of this cache, and the outcome of UncertainCommits is not known. Each is counted when
	// it is seen, before it is applied.
	Commits             uint64 `json:"commits"`
	CommitsOfEverything uint64 `json:"commitsOfEverything"`
	OutsideCommits      uint64 `json:"outsideCommits"`
	UncertainCommits    uint64 `json:"uncertainCommits"`
	// Findings counts the findings of each kind.
	Findings map[footprint.FindingKind]uint64 `json:"findings"`
}

// commitCounts count what Committed was told.
type commitCounts struct{ seen, everything, outside, uncertain atomic.Uint64 }

func (c *commitCounts) add(commit *footprint.Commit, isOutside bool) {
	c.seen.Add(1)
	if commit.Everything != "" {
		c.everything.Add(1)
	}
	if isOutside {
		c.outside.Add(1)
	}
	if commit.Uncertain {
		c.uncertain.Add(1)
	}
}

// figures returns the figures, nil without handles. It may be called on nil.
func (o *observing) figures() *ObservedStats {
	if o == nil {
		return nil
	}
	s := &ObservedStats{
		Commits: o.counts.seen.Load(), CommitsOfEverything: o.counts.everything.Load(),
		OutsideCommits: o.counts.outside.Load(), UncertainCommits: o.counts.uncertain.Load(),
		Findings: map[footprint.FindingKind]uint64{},
	}
	for _, h := range o.c.opts.Observe.Handles {
		f := h.Figures()
		s.Known, s.Widened, s.NotUnderstood = s.Known+f.Known, s.Widened+f.Widened, s.NotUnderstood+f.NotUnderstood
		for kind, n := range f.Findings {
			s.Findings[kind] += n
		}
	}
	return s
}

// OperationOf implements footprint.Namer.
func (o *observing) OperationOf(ctx context.Context) string {
	if !graphql.HasOperationContext(ctx) {
		return ""
	}
	op := graphql.GetOperationContext(ctx).Operation
	switch {
	case op == nil:
		return ""
	case op.Name == "":
		return "(anonymous)"
	}
	return op.Name
}

var errUncovered = errors.New("statements of an operation with directives read or write a table, or rows of one, that none of them names: see Cache.Observed")

// warnUncovered logs once that directives lack a table.
func (o *observing) warnUncovered(d *document, news bool) {
	if news {
		o.c.once.Warn("uncovered", "gqlcache: a directive is missing in "+d.Definition.Name+": what was seen counts, unless Options.Observe only reports", errUncovered)
	}
}

// addWrites notes what a mutation was seen to change beside what it declares, and adds it
// to the change where directives stand for what was seen.
func (c *Cache) addWrites(r *request, d *document, ch *change) {
	if c.observing == nil {
		return
	}
	r.mu.Lock()
	tables := slices.Sorted(maps.Keys(r.mu.committed))
	r.mu.Unlock()
	if len(tables) == 0 || ch.everything != "" {
		return
	}
	var declared, missing []string
	for i := range ch.events {
		declared = append(declared, ch.events[i].View.TableName())
	}
	for _, name := range tables {
		if !slices.Contains(declared, name) {
			missing = append(missing, name)
		}
	}
	if c.opts.Observe.Cover == CoverTables && !c.opts.Observe.ReportOnly {
		ch.events = append(ch.events, c.wholeTables(missing)...)
	}
	c.observing.warnUncovered(d, c.observing.seen.wrote(d, tables, declared))
}
