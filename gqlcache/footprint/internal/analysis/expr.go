package analysis

import (
	"strconv"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

func itoa(n int) string { return strconv.Itoa(n) }

// walk marks the columns of an expression as used, analyzes the queries in it, and notes
// its functions and parameters.
func (z *analyzer) walk(x sqlparse.Expr, s *scope, u use) {
	switch x := x.(type) {
	case nil:
	case *sqlparse.Column:
		z.columnOrRow(x, s, u)
	case *sqlparse.Literal:
		if z.c.Dialect == catalog.PostgreSQL && !x.Number && isClockWord(x.Text) {
			z.volatile("'" + x.Text + "'")
		}
	case *sqlparse.Param:
		z.param(x)
	case *sqlparse.Binary:
		z.behind(x)
		z.walk(x.Left, s, u)
		z.walk(x.Right, s, u)
	case *sqlparse.Op:
		if !z.searches(x, s) {
			z.operator(x)
		}
		for _, a := range x.Args {
			z.walk(a, s, u)
		}
	case *sqlparse.Cast:
		z.behind(x)
		z.walk(x.X, s, u)
	case *sqlparse.Call:
		z.call(x)
		for _, a := range x.Args {
			z.walk(a, s, u)
		}
	case *sqlparse.In:
		z.walk(x.X, s, u)
		for _, a := range x.List {
			z.walk(a, s, u)
		}
		if x.Sub != nil {
			z.inner(x.Sub, s)
		}
	case *sqlparse.Subquery:
		z.inner(x.Query, s)
	case *sqlparse.Exists:
		z.inner(x.Query, s)
	default:
		fail("an expression that is not known")
	}
}

// isClockWord reports whether PostgreSQL reads a text as a time that passes, where it
// reads it as a time.
func isClockWord(text string) bool {
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r < 'a' || r > 'z' }) {
		return w == "now" || w == "today" || w == "tomorrow" || w == "yesterday"
	}
	return false
}

// operator fails for operators that stand for functions which users define.
func (z *analyzer) operator(x *sqlparse.Op) {
	if name := z.matches(x); name != "" {
		fail("function %s is not known", name)
	}
	z.behind(x)
}

// matches returns the function of SQLite's that an operator calls and that is not known, ""
// for none.
func (z *analyzer) matches(x *sqlparse.Op) string {
	name := strings.TrimPrefix(x.Op, "not")
	if z.c.Dialect == catalog.SQLite && (name == "regexp" || name == "match") {
		if f, ok := z.c.Functions[name]; !ok || !f.Pure {
			return name
		}
	}
	return ""
}

// unwritten are operators that a statement may call without having them in its text: by
// words such as IN, BETWEEN and LIKE, by sorting and grouping, and by functions.
var unwritten = []string{"=", "<>", "<", ">", "<=", ">=", "~~", "~~*", "!~~", "!~~*", "~", catalog.Unwritten}

// calls returns the function of users that may be behind an operator or a cast, "" for
// none. Which types it has there is not known.
func (z *analyzer) calls(x sqlparse.Expr) string {
	sign := ""
	switch x := x.(type) {
	case *sqlparse.Binary:
		sign = x.Op
	case *sqlparse.Cast:
		sign = catalog.Written
	case *sqlparse.Op:
		if x.Op == "quantified" {
			sign = x.Text[:strings.LastIndexByte(x.Text, ' ')]
		} else {
			sign, _ = strings.CutPrefix(x.Op, "unary")
		}
	}
	if sign = sign[strings.LastIndexByte(sign, '.')+1:]; sign == "" { // OPERATOR(schema.sign)
		return ""
	}
	return z.c.Behind[sign]
}

// behind fails for an operator or a cast that may call a function of users which may read
// and write any table.
func (z *analyzer) behind(x sqlparse.Expr) {
	if name := z.calls(x); name != "" {
		fail("function %s, behind an operator or a cast, is not known", name)
	}
}

// everywhere returns the functions of users that any statement may call, whatever its text.
func (z *analyzer) everywhere() (names []string) {
	for _, sign := range unwritten {
		if name, ok := z.c.Behind[sign]; ok {
			names = append(names, name)
		}
	}
	return names
}

// searches reports whether an operator is the search of a virtual table that is known: its
// left side is the table, or a column of it.
func (z *analyzer) searches(x *sqlparse.Op, s *scope) bool {
	if x.Op != "match" || len(x.Args) == 0 {
		return false
	}
	c, ok := x.Args[0].(*sqlparse.Column)
	if !ok {
		return false
	}
	for ; s != nil; s = s.parent {
		for _, b := range s.bindings {
			if c.Qualifier != "" && !z.same(b.alias, unqualified(c.Qualifier)) {
				continue
			}
			if _, ok := z.column(b, c.Name); ok || b.open {
				return ok && b.mention != nil && b.mention.ref.Table.Contained
			}
		}
	}
	return false
}

// columnOrRow marks a column, or all columns of a row.
func (z *analyzer) columnOrRow(x *sqlparse.Column, s *scope, u use) {
	if x.Name == "*" {
		if !z.row(x.Qualifier, s) {
			fail("%s.* of an unknown table", x.Qualifier)
		}
		return
	}
	if _, ok := z.resolve(s, x, u); ok {
		return
	}
	if x.Qualifier == "" {
		if z.row(x.Name, s) || z.alias(x.Name, s, u) {
			return
		}
		if z.c.Dialect == catalog.SQLite {
			return // a string in double quotes
		}
	}
	fail("column %s is not known", columnText(x))
}

// row marks all columns of a table.
func (z *analyzer) row(name string, s *scope) bool {
	for at := s; at != nil; at = at.parent {
		some := false
		for _, b := range at.bindings {
			if z.same(b.alias, unqualified(name)) || name == "" {
				z.whole(b)
				some = true
			}
		}
		if some {
			return true
		}
	}
	return false
}

// alias walks the expression that a result column of this name has.
func (z *analyzer) alias(name string, s *scope, u use) bool {
	for at := s; at != nil; at = at.parent {
		for i := range at.items {
			it := &at.items[i]
			if it.Alias == "" || !z.same(it.Alias, name) || isColumn(it.X) {
				continue
			}
			items := at.items
			at.items = nil // an alias is not known in its own expression
			z.walk(it.X, at, u)
			at.items = items
			return true
		}
	}
	return false
}

// walkAlias walks an expression that may be the name or the number of a result column.
func (z *analyzer) walkAlias(x sqlparse.Expr, s *scope, u use, r *result) {
	switch x := x.(type) {
	case *sqlparse.Literal:
		n, err := strconv.Atoi(x.Text)
		if !x.Number || err != nil {
			return
		}
		for i, o := range r.columns {
			if i == n-1 || r.scattered {
				z.use(o, u)
			}
		}
		return
	case *sqlparse.Column:
		if x.Qualifier == "" {
			some := false
			for _, o := range r.columns {
				if o.name != "" && z.same(o.name, x.Name) {
					z.use(o, u)
					some = true
				}
			}
			if some { // an input column of the same name may be meant, too
				z.resolve(s, x, u)
				return
			}
		}
	}
	z.walk(x, s, u)
}

// A kinds says what functions are in an expression, subqueries excluded.
type kinds struct{ aggregates, windows, multiplies bool }

func (z *analyzer) kindsOf(x sqlparse.Expr) (k kinds) {
	switch x := x.(type) {
	case *sqlparse.Call:
		class, user := z.class(x.Name)
		switch {
		case x.Window:
			k.windows = true
		case class == aggregate:
			k.aggregates = true
		case class == rowsFunction:
			k.multiplies = true
		case user: // it may be any of these
			k.multiplies = true
		}
		for _, a := range x.Args {
			k.add(z.kindsOf(a))
		}
	case *sqlparse.Binary:
		k = z.kindsOf(x.Left)
		k.add(z.kindsOf(x.Right))
	case *sqlparse.Op:
		for _, a := range x.Args {
			k.add(z.kindsOf(a))
		}
	case *sqlparse.Cast:
		k = z.kindsOf(x.X)
	case *sqlparse.In:
		k = z.kindsOf(x.X)
		for _, a := range x.List {
			k.add(z.kindsOf(a))
		}
	}
	return k
}

func (k *kinds) add(o kinds) {
	k.aggregates = k.aggregates || o.aggregates
	k.windows = k.windows || o.windows
	k.multiplies = k.multiplies || o.multiplies
}

func columnText(c *sqlparse.Column) string {
	if c.Qualifier == "" {
		return c.Name
	}
	return c.Qualifier + "." + c.Name
}

func nameOf(n sqlparse.Name) string {
	if n.Schema == "" {
		return n.Name
	}
	return n.Schema + "." + n.Name
}
