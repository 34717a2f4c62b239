package analysis

import (
	"slices"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

func (z *analyzer) edge(from, to node) {
	e := edge{from, to}
	if from == to || z.seen[e] {
		return
	}
	if len(z.edges) >= maxEdges {
		fail("too many equal columns")
	}
	z.seen[e] = true
	z.edges = append(z.edges, e)
}

// both reports whether two columns are equal in each row of the result: what holds for
// one holds for the other.
func (z *analyzer) both(a, b node) bool { return z.seen[edge{a, b}] && z.seen[edge{b, a}] }

// show notes which mentions of a query have their key in its result.
func (z *analyzer) show(q *sqlparse.Query, r *result) {
	if !r.shows || r.open || r.scattered {
		z.hide(r.own)
		return
	}
	for _, m := range r.own {
		m.ref.Outs = r.outs(m, true)
	}
	limited := q.Limit != nil || q.Offset != nil
	for _, m := range r.own {
		ref := m.ref
		ref.Limited = limited
		if limited && !q.Ties {
			z.bounds(q, ref)
		}
		if m.hidden || m.masked {
			ref.Outs = nil
			continue
		}
		z.showBy(m)
	}
	if m := r.sole; m != nil && !m.hidden && len(r.own) == 1 {
		m.ref.Single = !limited || !q.Ties && (q.Limit == nil || m.ref.Limit != nil) && (q.Offset == nil || m.ref.Offset != nil)
		z.window(q, r, m)
	}
	z.showFirst(q, r)
}

// outs returns where in the result the columns of a mention are, by number, -1 for those
// that are not there. inward leaves those out that a limit or a group is around.
func (r *result) outs(m *mention, inward bool) []int {
	outs := make([]int, len(m.ref.Table.Columns))
	for i := range outs {
		outs[i] = -1
	}
	for i, o := range r.columns {
		if o.node != nil && o.node.m == m && (o.inward || !inward) && outs[o.node.column] < 0 {
			outs[o.node.column] = i
		}
	}
	return outs
}

// showBy notes a key of a mention that is in the result, and reports whether there is one.
func (z *analyzer) showBy(m *mention) bool {
	for _, key := range keysByUse(m.ref.Table) {
		if at := z.places(m, key); at != nil {
			m.ref.Shown, m.ref.KeyColumns, m.ref.KeyOuts = true, key, at
			return true
		}
	}
	return false
}

// bounds notes LIMIT and OFFSET where they are values.
func (z *analyzer) bounds(q *sqlparse.Query, ref *Ref) {
	if v, ok := z.source(q.Limit); ok {
		ref.Limit = &v.Source
	}
	if v, ok := z.source(q.Offset); ok {
		ref.Offset = &v.Source
	}
}

// keysByUse returns the keys of a table whose values can be compared, those first that
// statements use most: one column that is a text or a UUID, then any one column.
func keysByUse(t *catalog.Table) (keys [][]int) {
	rank := func(key []int) int {
		if len(key) != 1 {
			return 2
		}
		if c := t.Columns[key[0]].Class; c == catalog.Text || c == catalog.UUID {
			return 0
		}
		return 1
	}
	for _, key := range t.Keys {
		if len(key) > 0 && !slices.ContainsFunc(key, func(c int) bool { return t.Columns[c].Class == catalog.Opaque }) {
			keys = append(keys, key)
		}
	}
	slices.SortStableFunc(keys, func(a, b []int) int { return rank(a) - rank(b) })
	return keys
}

// places are where in the result the columns of a key are, or columns that equal them.
// It is nil when one is missing.
func (z *analyzer) places(m *mention, key []int) []int {
	at := make([]int, len(key))
	for i, c := range key {
		at[i] = m.ref.Outs[c]
		if at[i] >= 0 {
			continue
		}
		n := node{m, c}
		for _, e := range z.edges {
			if e.from == n && e.to.m.ref.Outs != nil && e.to.m.ref.Outs[e.to.column] >= 0 && z.both(e.from, e.to) {
				at[i] = e.to.m.ref.Outs[e.to.column]
				break
			}
		}
		if at[i] < 0 {
			return nil
		}
	}
	return at
}

// window notes the column that decides the order alone.
func (z *analyzer) window(q *sqlparse.Query, r *result, m *mention) {
	if !m.ref.Single || q.Limit == nil || len(q.Order) == 0 || !m.ref.Shown {
		return
	}
	c, ok := q.Order[0].X.(*sqlparse.Column)
	if !ok {
		return
	}
	f, ok := z.resolve(r.scope, c, orders)
	if !ok || f.node == nil || !f.inward || f.node.m != m || f.node.class() != catalog.Int || !m.ref.Table.Unique(f.node.column) {
		return
	}
	out := m.ref.Outs[f.node.column]
	for _, o := range r.columns { // the name may be that of another column of the result
		if o.name != "" && z.same(o.name, c.Name) && (o.node == nil || *o.node != *f.node) {
			return
		}
	}
	if out >= 0 {
		m.ref.Window, m.ref.WindowOut, m.ref.Descending = f.node.column, out, q.Order[0].Desc
	}
}

// finish spreads values along equalities, and completes the result.
func (z *analyzer) finish() {
	z.spread()
	for _, m := range z.mentions {
		m.ref.Terms = terms(m)
	}
	for _, m := range z.mentions {
		z.joined(m)
	}
	for _, m := range z.mentions {
		z.viaOf(m)
	}
	for _, m := range z.mentions {
		ref := m.ref
		if m.ordered || !ref.Shown {
			m.decide(ref.Order, nil)
		}
		if !ref.Shown {
			m.decide(ref.Selected, nil)
		}
		if ref.Where != catalog.All {
			ref.Options = optionsOf(m)
		}
		z.out.Refs = append(z.out.Refs, ref)
	}
	for _, f := range z.later {
		f()
	}
}

// optionsOf returns the options of a mention, without the columns that decide in any case.
func optionsOf(m *mention) (list []Option) {
	for _, o := range m.options {
		if o.Columns &^= m.decides; o.Columns != 0 {
			list = append(list, o)
		}
	}
	return list
}

// spread follows equalities until nothing new is known.
func (z *analyzer) spread() {
	for changed := true; changed; {
		changed = false
		for i := 0; i < len(z.edges); i++ {
			e := z.edges[i]
			if z.oneRow(e) {
				for c, col := range e.from.m.ref.Table.Columns {
					if col.Class != catalog.Opaque {
						z.edge(node{e.from.m, c}, node{e.to.m, c})
					}
				}
			}
			for _, s := range e.from.m.values[e.from.column] {
				before := len(e.to.m.values[e.to.column])
				z.known(e.to, s, nil)
				changed = changed || len(e.to.m.values[e.to.column]) > before
			}
		}
	}
}

// oneRow reports whether two mentions are of one row: equal by a key of one table. It is
// not where rows are locked: then the row may be a newer one than the statement's
// snapshot has.
func (z *analyzer) oneRow(e edge) bool {
	t := e.from.m.ref.Table
	return e.from.m != e.to.m && t == e.to.m.ref.Table && e.from.column == e.to.column && t.Unique(e.from.column) &&
		!z.several(e.from.m.ref) && !z.several(e.to.m.ref) && (z.c.Dialect == catalog.SQLite || !z.locks)
}

// terms are the best source of each column: one that always holds, and is one value.
func terms(m *mention) (list []Term) {
	for c, sources := range m.values {
		if len(sources) == 0 || m.ref.Table.Columns[c].Class == catalog.Opaque {
			continue
		}
		best := sources[0]
		for _, s := range sources[1:] {
			if rank(s) < rank(best) {
				best = s
			}
		}
		list = append(list, Term{Column: c, Source: best})
	}
	return list
}

func rank(s Source) int {
	r := 0
	if s.Unless != 0 {
		r = 2
	}
	if s.Kind != Param && s.Kind != Constant {
		r++
	}
	return r
}

// joined notes that rows which are created do not change the result: another mention
// refers to the key by an enforced foreign key, so that a row must be there before what
// refers to it, whose creation the other mention's set tells.
func (z *analyzer) joined(m *mention) {
	for _, e := range z.edges {
		by := e.from.m
		if e.to.m != m || by == m || z.several(m.ref) || z.several(by.ref) {
			continue
		}
		for i := range by.ref.Table.Foreign {
			f := &by.ref.Table.Foreign[i]
			if !z.enforced(by, m, f) || f.Table != m.ref.Table || len(f.Columns) == 0 || !z.refers(by, m, f) {
				continue
			}
			// Two that refer to each other may be created together.
			circle := false
			for at := by; at != nil && !circle; at = at.joinedTo {
				circle = at == m
			}
			if !circle {
				m.ref.Joined, m.joinedTo = true, by
				return
			}
		}
	}
}

// enforced reports whether a foreign key holds between the rows of two mentions.
func (z *analyzer) enforced(by, m *mention, f *catalog.ForeignKey) bool {
	return f.Enforced || z.c.One && f.Within && (by.ref.Table.Ambiguous || !m.ref.Table.Ambiguous)
}

// refers reports whether all columns of a foreign key are equal to those of the key.
func (z *analyzer) refers(by, m *mention, f *catalog.ForeignKey) bool {
	for i, c := range f.Columns {
		if i >= len(f.RefColumns) || !z.seen[edge{node{by, c}, node{m, f.RefColumns[i]}}] {
			return false
		}
	}
	return slices.ContainsFunc(m.ref.Table.Keys, func(key []int) bool {
		return len(key) == len(f.RefColumns) && !slices.ContainsFunc(key, func(c int) bool { return !slices.Contains(f.RefColumns, c) })
	})
}

// viaOf notes the mention whose rows say which rows of this one contribute, where nothing
// else does.
func (z *analyzer) viaOf(m *mention) {
	ref := m.ref
	if ref.Shown || len(ref.Terms) > 0 || ref.Joined || len(ref.Contains) > 0 {
		return
	}
	for _, e := range z.edges {
		if e.to.m == m && e.from.m != m && len(e.from.m.ref.Terms) > 0 {
			ref.Via = &Via{Column: e.to.column, Ref: e.from.m.ref, From: e.from.column}
			e.from.m.ref.Pinned = true
			return
		}
	}
}
