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
	if r.side != nil || r.unless != nil || to.node == nil || !to.inward || to.outer {
		return
	}
	one := z.firstBy(x.Sub, res)
	if one == nil || to.node.column != one.column || to.node.m.ref.Table != one.inner.ref.Table {
		return
	}
	if n := res.columns[0].node; n != nil && *n == (node{one.inner, one.column}) {
		one.outer = to.node.m
		z.firsts = append(z.firsts, one)
	}
}

// firstRows notes that an item of FROM is a query of first rows.
func (z *analyzer) firstRows(q *sqlparse.Query, res *result, derived *binding) {
	if derived.open || derived.scattered {
		return
	}
	if one := z.firstBy(q, res); one != nil {
		one.outer, one.inner, one.derived = one.inner, nil, derived
		z.firsts = append(z.firsts, one)
	}
}

// firstBy returns what the query, one within the statement's own, has of one table, its
// inner: the first rows in the order of a column that alone decides it, of sets that nothing
// else than the elements of a list tells apart. It returns nil for other queries.
func (z *analyzer) firstBy(q *sqlparse.Query, res *result) *firsts {
	z.peeking = true
	defer func() { z.peeking = false }()
	m := res.sole
	if z.depth != 1 || !res.shows || m == nil || len(res.own) != 1 || res.own[0] != m || res.scope.bindings[0].mention != m ||
		q.Limit == nil || q.Ties || q.Distinct || len(q.With) > 0 {
		return nil
	}
	by, ok := q.Order[0].X.(*sqlparse.Column)
	if !ok {
		return nil
	}
	f, ok := z.resolve(res.scope, by, orders)
	if !ok || f.node == nil || f.node.m != m {
		return nil
	}
	for _, o := range res.columns { // the name may be that of another column of the query
		if o.name != "" && z.same(o.name, by.Name) && (o.node == nil || *o.node != *f.node) {
			return nil
		}
	}
	t, column := m.ref.Table, f.node.column
	if c := t.Columns[column]; z.several(m.ref) || !c.NotNull || c.Class != catalog.Int || !t.Unique(column) {
		return nil
	}
	one := &firsts{inner: m, column: column, limit: q.Limit, offset: q.Offset, descending: q.Order[0].Desc}
	if !z.ofOne(q, res.scope, one) {
		return nil
	}
	return one
}

// ofOne reports whether a query uses nothing but the columns of inner and of the elements of
// one list, which it notes.
func (z *analyzer) ofOne(q *sqlparse.Query, s *scope, one *firsts) bool {
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
				ok = f.node.m == one.inner
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
	m.ref.Outs = r.outs(m, false)
	if m.ref.Outs[order] < 0 || !z.showBy(m) {
		m.ref.Outs = nil
		return
	}
	m.hidden, m.ref.Limited = false, true
}
