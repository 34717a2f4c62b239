package gqlcache

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// maxObserved bounds the operations that a report names, maxObservedWords what is told of
// one.
const (
	maxObserved      = 256
	maxObservedWords = 32
)

// observed is what statements tell of operations, for reports. The zero value is ready to
// use.
type observed struct {
	mu         sync.Mutex // protects operations
	operations map[string]*inspect.ObservedOperation
}

// read notes what the computation of a query's answer has read. It reports whether that
// is the first time that no directive of the operation names one of the tables, or that
// none is about the rows that were asked for.
func (o *observed) read(d *document, vars map[string]any, fp *footprint.Footprint) (news bool) {
	if d.Operation == nil {
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
	if len(list) == maxObservedWords || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Observed returns what the handles of Options.Observe have seen since the cache was made:
// what makes answers wider, the most frequent first, and by operation what it reads and
// writes, with the tables that none of its directives names, and the sets of rows that its
// conditions are not about. A table has the name of its
// view, or that of @view(table:). Without handles it is empty. The result belongs to the
// caller. It does not block.
func (c *Cache) Observed() inspect.Observed {
	var all inspect.Observed
	if c.unmade() || c.observing == nil {
		return all
	}
	for _, h := range c.opts.Observe.Handles {
		for _, f := range h.Findings() {
			all.Findings = append(all.Findings, inspect.ObservedFinding{Kind: string(f.Kind), Text: f.Text, Why: f.Why, Place: f.Place, Count: f.Count})
		}
	}
	slices.SortStableFunc(all.Findings, func(a, b inspect.ObservedFinding) int { return cmp.Compare(b.Count, a.Count) })
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
