package analysis

import (
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// A value is a source, and the type that it is cast to: "" for none.
type value struct {
	Source
	cast string
}

// fits reports whether the database compares a value with a column of a class as the
// value's normal form under that class.
func (z *analyzer) fits(v *value, class catalog.Class) bool {
	return class != catalog.Opaque && (v.cast == "" || z.castClass(v.cast) == class) && v.Source.fits(class)
}

// fits reports whether a source can have values of a class. A number is compared with a
// text as the text of its value, which need not be how it is written.
func (s Source) fits(class catalog.Class) bool {
	switch s.Kind {
	case Constant:
		return !s.Number || class == catalog.Int
	case JSONList:
		return class == catalog.Int || class == catalog.Text
	case List:
		return !slices.ContainsFunc(s.List, func(one Source) bool { return !one.fits(class) })
	}
	return true
}

// castClass is the class of a type, Opaque for types that may change a value.
func (z *analyzer) castClass(typ string) catalog.Class {
	if z.c.Dialect == catalog.SQLite {
		switch typ {
		case "int", "integer", "bigint":
			return catalog.Int
		case "text":
			return catalog.Text
		}
		return catalog.Opaque
	}
	switch strings.TrimPrefix(typ, "pg_catalog.") {
	case "int", "integer", "int4", "bigint", "int8", "smallint", "int2":
		return catalog.Int
	case "text", "varchar", "character varying":
		return catalog.Text
	case "uuid":
		return catalog.UUID
	case "bool", "boolean":
		return catalog.Bool
	case "bytea":
		return catalog.Bytes
	}
	return z.c.Types[unqualified(typ)]
}

// source is the value that an expression has once the arguments are known.
func (z *analyzer) source(x sqlparse.Expr) (v value, ok bool) {
	switch x := x.(type) {
	case *sqlparse.Param:
		return value{Source: Source{Kind: Param, Param: x.N, Name: x.Name}}, true
	case *sqlparse.Literal:
		if !x.Null && !x.Odd {
			return value{Source: Source{Kind: Constant, Text: x.Text, Number: x.Number}}, true
		}
	case *sqlparse.Cast:
		if _, again := x.X.(*sqlparse.Cast); !again {
			v, ok = z.source(x.X)
			v.cast = x.Type
			return v, ok
		}
	}
	return value{}, false
}

// list is the values of a list: of literals, parameters and arrays of one type.
func (z *analyzer) list(list []sqlparse.Expr) *value {
	if len(list) == 0 {
		return nil
	}
	out := value{Source: Source{Kind: List}}
	for i, x := range list {
		var v *value
		if f, ok := x.(*sqlparse.Call); ok {
			if f.Name == "unnest" {
				v, _ = z.elements(f)
			}
		} else if one, ok := z.source(x); ok {
			v = &one
		}
		if v == nil || i > 0 && v.cast != out.cast {
			return nil
		}
		out.cast = v.cast
		out.List = append(out.List, v.Source)
	}
	if len(out.List) == 1 {
		out.Source = out.List[0]
	}
	return &out
}

// elements are the values that a function returns as rows, nil when they are not known.
// json says that they come out of a JSON array.
func (z *analyzer) elements(f *sqlparse.Call) (v *value, json bool) {
	kind := Array
	switch f.Name {
	case "json_each", "json_tree", "jsonb_each":
		if z.c.Dialect != catalog.SQLite {
			return nil, true
		}
		kind, json = JSONList, true
	case "json_array_elements_text", "jsonb_array_elements_text":
		kind, json = JSONList, true
	case "unnest":
	default:
		return nil, false
	}
	if len(f.Args) != 1 {
		return nil, json
	}
	x, cast := f.Args[0], ""
	if c, ok := x.(*sqlparse.Cast); ok {
		x = c.X
		switch {
		case !json && strings.HasSuffix(c.Type, "[]") && !strings.HasSuffix(c.Type, "[][]"):
			cast = strings.TrimSuffix(c.Type, "[]")
		case !json || c.Type != "json" && c.Type != "jsonb":
			return nil, json
		}
	}
	if json && z.c.Dialect == catalog.PostgreSQL {
		cast = "text"
	}
	switch x := x.(type) {
	case *sqlparse.Param:
		return &value{Source{Kind: kind, Param: x.N, Name: x.Name}, cast}, json
	case *sqlparse.Op:
		if x.Op != "array" || json {
			return nil, json
		}
		v := z.list(x.Args)
		if v != nil && cast != "" {
			if v.cast != "" && v.cast != cast {
				return nil, json
			}
			v.cast = cast
		}
		return v, json
	}
	return nil, json
}

// A restriction says which rows a condition restricts.
type restriction struct {
	// side are the bindings whose rows it restricts, nil for all.
	side []*binding
	// unless is a parameter that turns the condition off when it is NULL.
	unless *sqlparse.Param
}

func (r restriction) holds(b *binding) bool {
	return r.side == nil || slices.Contains(r.side, b)
}

// conjuncts takes a condition apart that holds for each row of the result: what is said
// of a column in each of its parts is true of each row that contributes.
func (z *analyzer) conjuncts(x sqlparse.Expr, s *scope, r restriction) {
	switch x := x.(type) {
	case nil:
		return
	case *sqlparse.Binary:
		switch x.Op {
		case "and":
			z.conjuncts(x.Left, s, r)
			z.conjuncts(x.Right, s, r)
			return
		case "or":
			if p, test, rest := unlessNull(x); p != nil && r.unless == nil {
				z.walk(test, s, decides)
				r.unless = p
				defer func(o *sqlparse.Param) { z.option = o }(z.option)
				if z.option == nil && (test == x.Left || cannotFail(rest)) {
					z.option = p
				}
				z.conjuncts(rest, s, r)
				return
			}
		case "=":
			if z.equality(x.Left, x.Right, s, r) {
				return
			}
		}
	case *sqlparse.In:
		if !x.Not && z.member(x, s, r) {
			return
		}
	}
	defer func(c bool) { z.condition = c }(z.condition)
	z.condition = true
	z.walk(x, s, decides)
	if r.unless == nil {
		z.contains(x, s, r)
	}
}

// unlessNull recognizes "$1 IS NULL OR …".
func unlessNull(x *sqlparse.Binary) (p *sqlparse.Param, test, rest sqlparse.Expr) {
	for _, sides := range [2][2]sqlparse.Expr{{x.Left, x.Right}, {x.Right, x.Left}} {
		o, ok := sides[0].(*sqlparse.Op)
		if !ok || o.Op != "isnull" || len(o.Args) != 1 {
			continue
		}
		if p := plainParam(o.Args[0]); p != nil {
			return p, sides[0], sides[1]
		}
	}
	return nil, nil, nil
}

// cannotFail reports whether a condition is a comparison that no value makes an error. What
// comes before "OR $1 IS NULL" is evaluated, and a row may make it fail.
func cannotFail(x sqlparse.Expr) bool {
	b, ok := x.(*sqlparse.Binary)
	return ok && slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, b.Op) && isColumn(b.Left) && plainParam(b.Right) != nil
}

// plainParam is a parameter, with any cast: NULL is NULL under all of them.
func plainParam(x sqlparse.Expr) *sqlparse.Param {
	if c, ok := x.(*sqlparse.Cast); ok {
		x = c.X
	}
	p, _ := x.(*sqlparse.Param)
	return p
}

// equality takes left = right, and reports false when it says nothing of a column.
func (z *analyzer) equality(left, right sqlparse.Expr, s *scope, r restriction) bool {
	if l, ok := rowOf(left); ok {
		if rs, ok := rowOf(right); ok && len(l) == len(rs) {
			for i := range l {
				if !z.equality(l[i], rs[i], s, r) {
					z.conjunct(&sqlparse.Binary{Op: "is equal to", Left: l[i], Right: rs[i]}, s)
				}
			}
			return true
		}
		return false
	}
	if c, p := keptColumn(left, right); c != nil && r.unless == nil {
		r.unless = p
		return z.equality(c, p, s, r)
	}
	if c, p := keptColumn(right, left); c != nil && r.unless == nil {
		r.unless = p
		return z.equality(c, p, s, r)
	}
	if !z.isSide(left) || !z.isSide(right) {
		return false
	}
	l, okl := z.side(left, s)
	rs, okr := z.side(right, s)
	if !okl || !okr {
		return false
	}
	z.equal(l, rs, r)
	return true
}

// conjunct walks a condition of which nothing is known but what it uses.
func (z *analyzer) conjunct(x sqlparse.Expr, s *scope) {
	defer func(c bool) { z.condition = c }(z.condition)
	z.condition = true
	z.walk(x, s, decides)
}

func rowOf(x sqlparse.Expr) ([]sqlparse.Expr, bool) {
	o, ok := x.(*sqlparse.Op)
	if !ok || o.Op != "row" {
		return nil, false
	}
	return o.Args, true
}

// keptColumn recognizes column = coalesce($1, column), which is true of all rows that are
// not NULL there when the parameter is.
func keptColumn(left, right sqlparse.Expr) (*sqlparse.Column, *sqlparse.Param) {
	c, ok := left.(*sqlparse.Column)
	f, is := right.(*sqlparse.Call)
	if !ok || !is || f.Name != "coalesce" && f.Name != "ifnull" || len(f.Args) != 2 {
		return nil, nil
	}
	p, _ := f.Args[0].(*sqlparse.Param)
	again, same := f.Args[1].(*sqlparse.Column)
	if p == nil || !same || *again != *c {
		return nil, nil
	}
	return c, p
}

// isSide reports whether an expression can be a side of an equality that says something.
func (z *analyzer) isSide(x sqlparse.Expr) bool {
	switch x := x.(type) {
	case *sqlparse.Column:
		return x.Name != "*"
	case *sqlparse.Subquery:
		return true
	case *sqlparse.Cast:
		if isColumn(x.X) {
			return z.c.Dialect == catalog.PostgreSQL
		}
	}
	_, ok := z.source(x)
	return ok
}

// side is one side of an equality, marked as used.
func (z *analyzer) side(x sqlparse.Expr, s *scope) (found, bool) {
	switch x := x.(type) {
	case *sqlparse.Column:
		f, ok := z.resolve(s, x, decides)
		if !ok {
			z.walk(x, s, decides)
		}
		if f.node == nil && f.binding != nil {
			f.binding.mask(f.output) // an expression need not be NULL where its columns are
		}
		return f, true
	case *sqlparse.Subquery:
		r := z.inner(x.Query, s)
		if len(r.columns) != 1 || r.open {
			return found{}, true
		}
		o := r.columns[0]
		o.inward = false
		return found{output: o}, true
	case *sqlparse.Cast:
		c, ok := x.X.(*sqlparse.Column)
		if !ok {
			break
		}
		f, ok := z.resolve(s, c, decides)
		if !ok {
			z.walk(c, s, decides)
			return found{}, true
		}
		// A varchar that is cast to text is equal to the same values; a uuid is not.
		if f.node == nil || z.castClass(x.Type) != f.node.class() {
			return found{}, true
		}
		return f, true
	}
	z.walk(x, s, decides)
	v, _ := z.source(x)
	return found{output: output{value: &v}}, true
}

// equal notes that two sides are equal in each row that contributes.
func (z *analyzer) equal(l, r found, by restriction) {
	z.give(r, l, by)
	z.give(l, r, by)
}

// give hands what is known of from to a column that equals it.
func (z *analyzer) give(from, to found, by restriction) {
	if to.node == nil || !to.inward || !by.holds(to.binding) {
		return
	}
	class := to.node.class()
	switch {
	case from.value != nil && z.fits(from.value, class):
		z.known(*to.node, from.value.Source, by.unless)
	case from.node != nil && by.unless == nil && class != catalog.Opaque && from.node.class() == class:
		z.edge(*from.node, *to.node)
	}
}

// known notes a source of a column's values.
func (z *analyzer) known(n node, src Source, unless *sqlparse.Param) {
	if unless != nil {
		if src.Unless != 0 {
			return
		}
		src.Unless, src.UnlessName = unless.N, unless.Name
	}
	if list := n.m.values[n.column]; len(list) < maxSources && !slices.ContainsFunc(list, src.same) {
		n.m.values[n.column] = append(list, src)
	}
}

func (s Source) same(o Source) bool {
	return s.Kind == o.Kind && s.Param == o.Param && s.Name == o.Name && s.Text == o.Text && s.Number == o.Number &&
		s.Unless == o.Unless && s.UnlessName == o.UnlessName && slices.EqualFunc(s.List, o.List, Source.same)
}

// member takes x IN (…), and reports false when it says nothing of a column.
func (z *analyzer) member(x *sqlparse.In, s *scope, r restriction) bool {
	if row, ok := rowOf(x.X); ok {
		return z.rowMember(row, x, s, r)
	}
	if !z.isSide(x.X) {
		return false
	}
	if _, sub := x.X.(*sqlparse.Subquery); sub {
		return false
	}
	to, _ := z.side(x.X, s)
	if x.Sub != nil {
		res := z.inner(x.Sub, s)
		if len(res.columns) == 1 && !res.open {
			z.give(found{output: res.columns[0]}, to, r)
			z.first(x, &res, to, r)
		}
		return true
	}
	for _, a := range x.List {
		z.walk(a, s, decides)
	}
	if v := z.list(x.List); v != nil {
		z.give(found{output: output{value: v}}, to, r)
	}
	return true
}

// rowMember takes (a, b) IN ((1, 2), (3, 4)).
func (z *analyzer) rowMember(row []sqlparse.Expr, x *sqlparse.In, s *scope, r restriction) bool {
	if x.Sub != nil {
		return false
	}
	columns := make([][]sqlparse.Expr, len(row))
	for _, a := range x.List {
		one, ok := rowOf(a)
		if !ok || len(one) != len(row) {
			return false
		}
		for i := range one {
			columns[i] = append(columns[i], one[i])
		}
	}
	for i, c := range row {
		in := &sqlparse.In{X: c, List: columns[i]}
		if !z.member(in, s, r) {
			z.conjunct(in, s)
		}
	}
	return true
}

// contains recognizes a search for a part of a column's text.
func (z *analyzer) contains(x sqlparse.Expr, s *scope, r restriction) {
	text, part, pattern, folded := search(x)
	if text == nil {
		return
	}
	text, foldedText := unfold(text)
	part, foldedPart := unfold(part)
	c, ok := text.(*sqlparse.Column)
	v, known := z.source(part)
	if !ok || !known {
		return
	}
	f, ok := z.resolve(s, c, decides)
	if !ok || f.node == nil || !f.inward || !r.holds(f.binding) || f.node.class() != catalog.Text || !z.fits(&v, catalog.Text) {
		return
	}
	ref := f.node.m.ref
	if !slices.ContainsFunc(ref.Contains, func(t Term) bool { return t.Column == f.node.column }) {
		ref.Contains = append(ref.Contains, Term{Column: f.node.column, Source: v.Source, Pattern: pattern,
			Folded: folded || foldedText || foldedPart})
	}
}

// search returns the text and the part that a condition says it contains.
func search(x sqlparse.Expr) (text, part sqlparse.Expr, pattern, folded bool) {
	switch x := x.(type) {
	case *sqlparse.Call:
		if (x.Name == "instr" || x.Name == "strpos") && len(x.Args) == 2 {
			return x.Args[0], x.Args[1], false, false
		}
	case *sqlparse.Binary: // instr(…) > 0
		f, ok := x.Left.(*sqlparse.Call)
		if n, is := x.Right.(*sqlparse.Literal); ok && is && x.Op == ">" && n.Number && n.Text == "0" {
			return search(f)
		}
	case *sqlparse.Op:
		if (x.Op == "like" || x.Op == "ilike") && len(x.Args) == 2 {
			part, ok := pieces(x.Args[1])
			if ok {
				return x.Args[0], part, true, true
			}
		}
	}
	return nil, nil, false, false
}

// pieces takes the wildcards off '%' || $1 || '%'.
func pieces(x sqlparse.Expr) (sqlparse.Expr, bool) {
	for {
		b, ok := x.(*sqlparse.Binary)
		if !ok || b.Op != "||" {
			return x, true
		}
		switch {
		case isWildcards(b.Right):
			x = b.Left
		case isWildcards(b.Left):
			x = b.Right
		default:
			return nil, false
		}
	}
}

func isWildcards(x sqlparse.Expr) bool {
	text, ok := plainText(x)
	return ok && strings.Trim(text, "%") == ""
}

// unfold takes lower and upper off a text.
func unfold(x sqlparse.Expr) (sqlparse.Expr, bool) {
	folded := false
	for {
		f, ok := x.(*sqlparse.Call)
		if !ok || f.Name != "lower" && f.Name != "upper" || len(f.Args) != 1 {
			return x, folded
		}
		x, folded = f.Args[0], true
	}
}
