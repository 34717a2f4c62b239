package analysis

import (
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// A First says that the rows of a Ref contribute which are the first ones of each of
// several sets, in the order of Ref.Window: of the set of each element of Each, or of one
// set. It is of the two refs of
//
//	SELECT … FROM json_each($1) k JOIN comments p ON p.seq IN (
//		SELECT q.seq FROM comments q WHERE q.post_id = k.value ORDER BY q.seq LIMIT $2)
//
// or of the one ref of
//
//	SELECT … FROM unnest($1::text[]) k CROSS JOIN LATERAL (
//		SELECT q.* FROM comments q WHERE q.post_id = k ORDER BY q.seq LIMIT $2) p
//
// Each row of a set that contributes makes one row of the result, unless another condition
// takes it away. So a result of as many rows as the limit allows for all sets has all of
// them, and rows behind the last one do not matter.
type First struct {
	Limit  Source
	Offset *Source // nil: none
	Each   *Source // nil: there is one set
	// Shown is the ref whose rows are in the result: p, or that of the inner query.
	Shown *Ref
}

// A firsts is what may make a First: a condition that a column of outer is in a query of
// the first ones of inner, or an item of FROM that is such a query, derived. Then outer is
// its mention.
type firsts struct {
	outer, inner  *mention
	derived       *binding
	column        int
	limit, offset sqlparse.Expr
	descending    bool
	// of is the binding whose elements the sets are of, nil where they are of none.
	of *binding
}

// first notes that rows are the first ones of a query, if x.Sub is one of them: it selects
// the column that alone decides its order, of the table that the outer column is of.
func (z *analyzer) first(x *sqlparse.In, res *result, to found, r restriction) {
	q := x.Sub
	z.peeking = true
	defer func() { z.peeking = false }()
	if z.depth != 1 || r.side != nil || r.unless != nil || to.node == nil || !to.inward || to.outer {
		return
	}
	n, ok := z.firstBy(q, res)
	if !ok || res.columns[0].node == nil || *res.columns[0].node != n || n.column != to.node.column || n.m.ref.Table != to.node.m.ref.Table {
		return
	}
	one := &firsts{outer: to.node.m, inner: n.m, column: n.column, limit: q.Limit, offset: q.Offset, descending: q.Order[0].Desc}
	if z.ofOne(q, res.scope, n.m, one) {
		z.firsts = append(z.firsts, one)
	}
}

// firstRows notes that an item of FROM is a query of first rows.
func (z *analyzer) firstRows(q *sqlparse.Query, res *result, derived *binding) {
	z.peeking = true
	defer func() { z.peeking = false }()
	if z.depth != 1 || derived.open || derived.scattered {
		return
	}
	n, ok := z.firstBy(q, res)
	if !ok {
		return
	}
	one := &firsts{outer: n.m, derived: derived, column: n.column, limit: q.Limit, offset: q.Offset, descending: q.Order[0].Desc}
	if z.ofOne(q, res.scope, n.m, one) {
		z.firsts = append(z.firsts, one)
	}
}

// firstBy returns the column that alone decides which rows of one table a query has, the
// first ones.
func (z *analyzer) firstBy(q *sqlparse.Query, res *result) (n node, ok bool) {
	if !res.shows || res.sole == nil || len(res.own) != 1 || res.own[0] != res.sole || res.scope.bindings[0].mention != res.sole ||
		q.Limit == nil || q.Ties || q.Distinct || len(q.With) > 0 {
		return n, false
	}
	by, ok := q.Order[0].X.(*sqlparse.Column)
	if !ok {
		return n, false
	}
	f, ok := z.resolve(res.scope, by, orders)
	if !ok || f.node == nil || f.node.m != res.sole {
		return n, false
	}
	for _, o := range res.columns { // the name may be that of another column of the query
		if o.name != "" && z.same(o.name, by.Name) && (o.node == nil || *o.node != *f.node) {
			return n, false
		}
	}
	n = *f.node
	t := n.m.ref.Table
	c := t.Columns[n.column]
	return n, !t.Ambiguous && c.NotNull && c.Class == catalog.Int && t.Unique(n.column)
}

// ofOne reports whether a query uses nothing but the columns of one mention and of the
// elements of one list.
func (z *analyzer) ofOne(q *sqlparse.Query, s *scope, m *mention, one *firsts) bool {
	ok := true
	visit(q, func(x any) {
		switch x := x.(type) {
		case *sqlparse.Query:
			ok = ok && x == q
		case *sqlparse.Column:
			if !ok || x.Name == "*" {
				ok = false
				return
			}
			f, known := z.resolve(s, x, decides)
			switch {
			case !known:
				ok = false
			case f.node != nil:
				ok = f.node.m == m
			default:
				ok = f.binding != nil && f.binding.elements != nil && (one.of == nil || one.of == f.binding)
				one.of = f.binding
			}
		}
	})
	return ok
}

// showFirst has the refs of first rows know where the result has the column of their order.
func (z *analyzer) showFirst(q *sqlparse.Query, r *result) {
	if !r.shows || r.multiplies || q.Distinct || q.Limit != nil || q.Offset != nil || z.locks || z.out.Volatile != "" {
		return
	}
	var each, rows *binding
	for _, b := range r.scope.bindings {
		switch {
		case b.elements != nil && each == nil:
			each = b
		case rows == nil:
			rows = b
		default:
			return
		}
	}
	if rows == nil {
		return
	}
	for _, one := range z.firsts {
		m := one.outer
		first := &First{Shown: m.ref}
		limit, ok := z.source(one.limit)
		if !ok || m.masked || len(m.optional) > 0 || m.ref.First != nil || one.of != nil && one.of != each {
			continue
		}
		first.Limit = limit.Source
		if one.offset != nil {
			offset, ok := z.source(one.offset)
			if !ok {
				continue
			}
			first.Offset = &offset.Source
		}
		if each != nil {
			first.Each = &each.elements.Source
		}
		if one.derived == rows {
			z.showDerived(r, m, one.column)
		} else if m != rows.sole {
			continue
		}
		if m.hidden || !m.ref.Shown || m.ref.Outs[one.column] < 0 {
			continue
		}
		refs := []*Ref{m.ref}
		if one.inner != nil {
			refs = append(refs, one.inner.ref)
		}
		for _, ref := range refs {
			ref.First = first
			ref.Window, ref.WindowOut, ref.Descending = one.column, m.ref.Outs[one.column], one.descending
		}
	}
}

// showDerived has a mention shown whose first rows an item of FROM has: each of them is in
// the result, with its key and the column of the order, unless another condition takes it
// away. Which rows those are, rows decide that are not shown.
func (z *analyzer) showDerived(r *result, m *mention, order int) {
	outs := make([]int, len(m.ref.Table.Columns))
	for i := range outs {
		outs[i] = -1
	}
	for i, o := range r.columns {
		if o.node != nil && o.node.m == m && outs[o.node.column] < 0 {
			outs[o.node.column] = i
		}
	}
	if outs[order] < 0 {
		return
	}
	m.ref.Outs = outs
	for _, key := range keysByUse(m.ref.Table) {
		if at := z.places(m, key); at != nil {
			m.hidden = false
			m.ref.Shown, m.ref.Limited, m.ref.KeyColumns, m.ref.KeyOuts = true, true, key, at
			return
		}
	}
	m.ref.Outs = nil
}
