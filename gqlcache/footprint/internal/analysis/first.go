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
// Each row of a set that contributes makes one row of the result, unless another condition
// takes it away. So a result of as many rows as the limit allows for all sets has all of
// them, and rows behind the last one do not matter.
type First struct {
	Limit  Source
	Offset *Source // nil: none
	Each   *Source // nil: there is one set
	// Shown is the ref whose rows are in the result: p.
	Shown *Ref
}

// A firsts is a condition that may make a First: that a column is in a query of the first
// ones.
type firsts struct {
	outer, inner  *mention
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
	if !res.shows || res.sole == nil || len(res.own) != 1 || res.own[0] != res.sole || res.scope.bindings[0].mention != res.sole ||
		q.Limit == nil || q.Ties || q.Distinct || len(q.With) > 0 {
		return
	}
	n, m := res.columns[0].node, res.sole
	if n == nil || n.m != m || n.column != to.node.column || m.ref.Table != to.node.m.ref.Table {
		return
	}
	t := m.ref.Table
	if c := t.Columns[n.column]; t.Ambiguous || !c.NotNull || c.Class != catalog.Int || !t.Unique(n.column) {
		return
	}
	by, ok := q.Order[0].X.(*sqlparse.Column)
	if !ok {
		return
	}
	if f, ok := z.resolve(res.scope, by, orders); !ok || f.node == nil || *f.node != *n {
		return
	}
	one := &firsts{outer: to.node.m, inner: m, column: n.column, limit: q.Limit, offset: q.Offset, descending: q.Order[0].Desc}
	if z.ofOne(q, res.scope, m, one) {
		z.firsts = append(z.firsts, one)
	}
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
		case b.sole != nil && rows == nil:
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
		if m != rows.sole || m.hidden || m.masked || len(m.optional) > 0 || !m.ref.Shown || m.ref.Outs[one.column] < 0 || m.ref.First != nil ||
			one.of != nil && one.of != each {
			continue
		}
		first := &First{Shown: m.ref}
		limit, ok := z.source(one.limit)
		if !ok {
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
		for _, ref := range []*Ref{m.ref, one.inner.ref} {
			ref.First = first
			ref.Window, ref.WindowOut, ref.Descending = one.column, m.ref.Outs[one.column], one.descending
		}
	}
}
