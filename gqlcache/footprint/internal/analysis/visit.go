package analysis

import (
	"slices"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// visit calls f for each part of a syntax tree: expressions, queries, items of FROM, and
// statements in WITH.
func visit(x any, f func(any)) {
	switch x := x.(type) {
	case nil:
		return
	case *sqlparse.Statement:
		f(x)
		for i := range x.With {
			visitCommon(&x.With[i], f)
		}
		if x.Query != nil {
			visit(x.Query, f)
		}
		for _, s := range slices.Concat(x.Sets, x.ConflictSets) {
			visit(s.X, f)
		}
		visitFrom(x.From, f)
		visitAll(append([]sqlparse.Expr{x.Where, x.ConflictWhere, x.On}, x.Values...), f)
		for i := range x.Whens {
			visit(x.Whens[i].If, f)
			for _, s := range x.Whens[i].Sets {
				visit(s.X, f)
			}
			visitAll(x.Whens[i].Values, f)
		}
		visitAll(itemExprs(x.Returning), f)
		return
	case *sqlparse.Query:
		f(x)
		for i := range x.With {
			visitCommon(&x.With[i], f)
		}
		visitFrom(x.From, f)
		visitAll(slices.Concat(itemExprs(x.Items), x.On, x.Group, x.Windows, orderExprs(x.Order),
			[]sqlparse.Expr{x.Where, x.Having, x.Limit, x.Offset}), f)
		for _, row := range x.Values {
			visitAll(row, f)
		}
		for _, arm := range x.Compound {
			visit(arm, f)
		}
		return
	}
	f(x)
	switch x := x.(type) {
	case *sqlparse.Binary:
		visit(x.Left, f)
		visit(x.Right, f)
	case *sqlparse.Op:
		visitAll(x.Args, f)
	case *sqlparse.Call:
		visitAll(x.Args, f)
	case *sqlparse.Cast:
		visit(x.X, f)
	case *sqlparse.In:
		visit(x.X, f)
		visitAll(x.List, f)
		if x.Sub != nil {
			visit(x.Sub, f)
		}
	case *sqlparse.Subquery:
		visit(x.Query, f)
	case *sqlparse.Exists:
		visit(x.Query, f)
	}
}

func visitAll(list []sqlparse.Expr, f func(any)) {
	for _, x := range list {
		visit(x, f)
	}
}

func visitCommon(c *sqlparse.CTE, f func(any)) {
	if c.DML != nil {
		visit(c.DML, f)
	}
	if c.Query != nil {
		visit(c.Query, f)
	}
}

func visitFrom(list []sqlparse.From, f func(any)) {
	for i := range list {
		x := &list[i]
		f(x)
		if x.Query != nil {
			visit(x.Query, f)
		}
		if x.Call != nil {
			visit(x.Call, f)
		}
		visitFrom(x.Group, f)
		visit(x.On, f)
	}
}
