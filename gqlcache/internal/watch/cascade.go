package watch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

const (
	maxOpsPerNode   = 4   // operations shown below a node
	maxEvictedOps   = 20  // operations listed of an invalidation
	maxChanges      = 100 // changes listed of an invalidation
	maxIDs          = 20  // keys listed of a change
	maxAllIDs       = 500 // keys listed of all changes of an invalidation
	maxDetailIDs    = 3   // keys in the detail of a node
	maxID           = 80  // bytes of a key
	causeNode       = "cause"
	restNode        = "rest"
	otherViewsLabel = "(other views)"
)

// cascade returns the graph from a change to the entries that it has reached. The evictions
// of its nodes, without those of operations, sum up to the change's. One node counts what
// there is no room for. REQUIRES: mu held.
func (s *session) cascade(p *Pending) inspect.Cascade {
	g := inspect.Cascade{Nodes: []inspect.CascadeNode{}, Edges: []inspect.CascadeEdge{}}
	g.Nodes = append(g.Nodes, inspect.CascadeNode{
		ID: causeNode, Kind: "cause", Label: nameOr(p.c.Cause.Name), Detail: cmp.Or(p.c.Everything, p.c.Cause.Kind), Evicted: p.reached[0].entries,
	})
	operations(&g, causeNode, &p.reached[0])
	if p.c.Trace == nil {
		return g
	}
	nodes := p.c.Trace.Nodes
	shown := min(len(nodes), s.r.opts.Limits.Nodes)
	for i := range nodes[:shown] {
		n, id := &nodes[i], nodeID(i)
		node := inspect.CascadeNode{ID: id, Kind: "view", Label: n.View.Name, Evicted: p.reached[i+1].entries}
		if !n.Derived {
			node.Kind = "row"
			g.Edges = append(g.Edges, inspect.CascadeEdge{From: causeNode, To: id, Via: operationOf(n.Op)})
		}
		node.Detail = rowsOf(n, s.r.opts.HideIDs)
		g.Nodes = append(g.Nodes, node)
		operations(&g, id, &p.reached[i+1])
	}
	for _, e := range p.c.Trace.Edges {
		if e.From < shown && e.To < shown {
			g.Edges = append(g.Edges, inspect.CascadeEdge{From: nodeID(e.From), To: nodeID(e.To), Via: dependsOn(nodes[e.From].View.Name, e.Key)})
		}
	}
	if shown < len(nodes) {
		rest := inspect.CascadeNode{ID: restNode, Kind: "view", Label: otherViewsLabel, Detail: fmt.Sprintf("%d more", len(nodes)-shown)}
		for _, r := range p.reached[1+shown:] {
			rest.Evicted += r.entries
		}
		g.Truncated = true
		g.Nodes = append(g.Nodes, rest)
		g.Edges = append(g.Edges, inspect.CascadeEdge{From: causeNode, To: restNode})
	}
	return g
}

func nodeID(i int) string { return fmt.Sprintf("n%d", i) }

func dependsOn(view, key string) string {
	if key == "" {
		return fmt.Sprintf("@dependsOn(on: %q)", view)
	}
	return fmt.Sprintf("@dependsOn(on: %q, key: %q)", view, key)
}

// operations adds the operations whose entries were dropped at a node, the most first.
func operations(g *inspect.Cascade, at string, r *reached) {
	rows := byEntries(r.ops)
	if len(rows) > maxOpsPerNode {
		rows, g.Truncated = rows[:maxOpsPerNode], true
	}
	for i, row := range rows {
		id := fmt.Sprintf("%s.op%d", at, i)
		g.Nodes = append(g.Nodes, inspect.CascadeNode{ID: id, Kind: "operation", Label: nameOr(row.op.name), Detail: row.op.hash, Evicted: r.ops[row]})
		g.Edges = append(g.Edges, inspect.CascadeEdge{From: at, To: id})
	}
}

func byEntries(ops map[*opRow]int) []*opRow {
	rows := make([]*opRow, 0, len(ops))
	for row := range ops {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b *opRow) int {
		return cmp.Or(cmp.Compare(ops[b], ops[a]), cmp.Compare(a.op.name, b.op.name), cmp.Compare(a.op.hash, b.op.hash))
	})
	return rows
}

// evicted sums up the entries that were dropped. REQUIRES: mu held.
func (s *session) evicted(p *Pending) inspect.Evicted {
	sum := inspect.Evicted{Operations: []inspect.EvictedOperation{}}
	ops := map[*opRow]int{}
	for _, r := range p.reached {
		sum.Entries += r.entries
		sum.Bytes += r.bytes
		for row, n := range r.ops {
			ops[row] += n
		}
	}
	rest := 0
	for i, row := range byEntries(ops) {
		if i < maxEvictedOps && row != s.other {
			sum.Operations = append(sum.Operations, inspect.EvictedOperation{Name: nameOr(row.op.name), Entries: ops[row]})
		} else {
			rest += ops[row]
		}
	}
	if rest > 0 {
		sum.Operations = append(sum.Operations, inspect.EvictedOperation{Name: otherName, Entries: rest})
	}
	return sum
}

// rowsOf says which rows of a node changed.
func rowsOf(n *cascade.TraceNode, hide bool) string {
	count, all := 0, false
	var ids []string
	for i := range n.Events {
		e := &n.Events[i]
		count += len(e.Rows)
		all = all || e.All
		if len(ids) < maxDetailIDs {
			ids = append(ids, e.Rows[:min(len(e.Rows), maxDetailIDs-len(ids))]...)
		}
	}
	switch {
	case all:
		return "unknown rows"
	case hide || count == 0:
		return plural(count)
	}
	for i := range ids {
		ids[i] = clip(ids[i], maxID)
	}
	text := strings.Join(ids, ", ")
	if more := count - len(ids); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func plural(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// Changes lists the changes of a trace, those written first: at most 100, with at most 20
// keys each and 500 in all, and without them if they are to be hidden. Of a nil trace
// there are none.
func Changes(t *cascade.Trace, hideIDs bool) []inspect.Change {
	out, left := []inspect.Change{}, maxAllIDs
	if t == nil {
		return out
	}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		for j := range n.Events {
			if len(out) == maxChanges {
				return out
			}
			e := &n.Events[j]
			c := inspect.Change{View: n.View.Name, Op: operationOf(e.Op), Unknown: e.All, Derived: n.Derived}
			if !hideIDs {
				for _, k := range e.Rows[:min(len(e.Rows), maxIDs, left)] {
					c.IDs = append(c.IDs, clip(k, maxID))
				}
				left -= len(c.IDs)
			}
			out = append(out, c)
		}
	}
	return out
}

// operationOf names an operation as inspect.Change does.
func operationOf(op cascade.Op) string {
	switch op {
	case cascade.Create:
		return "INSERT"
	case cascade.Upsert:
		return "ANY"
	}
	return op.String()
}
