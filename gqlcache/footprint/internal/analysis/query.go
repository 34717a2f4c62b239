package analysis

import (
	"slices"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// A result is what a query returns.
type result struct {
	columns []output
	// open says that the columns are not known, scattered that their places are not.
	open, scattered bool
	// pushes says that conditions on the columns hold for the rows inside: none is lost or
	// counted by a limit, a group or a window.
	pushes bool
	// shows says that there is one row for each combination of the rows of own.
	shows bool
	// multiplies says that a row may be there several times.
	multiplies bool
	// own are the mentions of FROM, and sole is the one that makes the rows alone.
	own  []*mention
	sole *mention
	// scope is the query's, for the order; nil for compounds.
	scope *scope
}

// query analyzes a query. Names that it lacks are looked up in parent.
func (z *analyzer) query(q *sqlparse.Query, parent *scope) result {
	z.depth++
	defer func() { z.depth-- }()
	if z.queries++; z.depth > maxDepth || z.queries > maxQueries {
		fail("too many queries")
	}
	z.locks, z.out.Claims = z.locks || q.Locking, z.out.Claims || q.Claims
	defer func(c bool, to *[]node) { z.condition, z.collects = c, to }(z.condition, z.collects)
	z.condition, z.collects = false, nil
	with := z.with(q.With, q.Recursive, parent)
	var r result
	switch {
	case len(q.Compound) > 0:
		r = z.compound(q, with)
	case q.Values != nil:
		r = z.values(q, with)
	default:
		r = z.selection(q, with)
	}
	z.unused(with)
	return r
}

// with returns a scope with the common table expressions, whose changes are noted.
func (z *analyzer) with(list []sqlparse.CTE, recursive bool, parent *scope) *scope {
	s := &scope{parent: parent}
	for i := range list {
		s.commons = append(s.commons, &common{cte: &list[i], recursive: recursive})
	}
	for i, c := range s.commons {
		if c.cte.DML != nil {
			z.dml(c.cte.DML, &scope{parent: parent, commons: s.commons[:i]}, false)
			c.used = true
		}
	}
	return s
}

// unused analyzes expressions that are not mentioned, for the functions in them.
func (z *analyzer) unused(with *scope) {
	for _, c := range with.commons {
		if !c.used {
			z.hide(z.expand(c, with).own)
		}
	}
}

// owner is the scope that has a common table expression.
func owner(s *scope, c *common) *scope {
	for ; s != nil; s = s.parent {
		if slices.Contains(s.commons, c) {
			return s
		}
	}
	return nil
}

// expand analyzes the query of a common table expression, for one mention of it.
func (z *analyzer) expand(c *common, s *scope) result {
	s = owner(s, c)
	c.used, c.busy = true, true
	defer func() { c.busy = false }()
	inner := &scope{parent: s.parent, commons: s.commons}
	if !c.recursive && z.c.Dialect == catalog.PostgreSQL {
		// Without RECURSIVE its own name, and those after it, are of something else.
		inner.commons = s.commons[:slices.Index(s.commons, c)]
	}
	return z.query(c.cte.Query, inner)
}

func (z *analyzer) compound(q *sqlparse.Query, with *scope) result {
	first := *q
	first.With, first.Compound, first.Order, first.Limit, first.Offset = nil, nil, nil, nil, nil
	first.Ties, first.Locking, first.Claims, first.Skips = false, false, false, false
	out := result{}
	for i, arm := range append([]*sqlparse.Query{&first}, q.Compound...) {
		r := z.query(arm, with)
		z.hide(r.own)
		if i > 0 {
			continue
		}
		out.open, out.scattered = r.open, r.scattered
		for _, o := range r.columns {
			out.columns = append(out.columns, output{name: o.name})
		}
	}
	for _, o := range q.Order { // names and numbers of columns, all of which decide
		visit(o.X, func(x any) {
			switch x := x.(type) {
			case *sqlparse.Query:
				fail("a query in the order of a compound")
			case *sqlparse.Call:
				z.call(x)
			}
		})
	}
	if q.Skips {
		z.volatile("SKIP LOCKED")
	}
	z.limits(q, with)
	return out
}

func (z *analyzer) values(q *sqlparse.Query, with *scope) result {
	out := result{pushes: true, columns: make([]output, len(q.Values[0]))}
	for i := range out.columns {
		out.columns[i].name = "column" + itoa(i+1) // in both dialects
		list := value{Source: Source{Kind: List}}
		known := true
		for _, row := range q.Values {
			if len(row) != len(q.Values[0]) {
				fail("rows of different lengths")
			}
			v, ok := z.source(row[i])
			if known = known && ok && (len(list.List) == 0 || list.cast == v.cast); known {
				list.List, list.cast = append(list.List, v.Source), v.cast
			}
		}
		if known {
			out.columns[i].value = &list
		}
	}
	for _, row := range q.Values {
		for _, x := range row {
			z.walk(x, with, decides)
		}
	}
	for _, o := range q.Order {
		if !isColumn(o.X) {
			z.walk(o.X, with, decides)
		}
	}
	if z.limits(q, with) {
		out.pushes = false
	}
	return out
}

// limits notes LIMIT and OFFSET, and reports whether there are any.
func (z *analyzer) limits(q *sqlparse.Query, s *scope) bool {
	z.walk(q.Limit, s, decides)
	z.walk(q.Offset, s, decides)
	return q.Limit != nil || q.Offset != nil
}

// selection analyzes a SELECT without further arms.
func (z *analyzer) selection(q *sqlparse.Query, with *scope) result {
	s := &scope{parent: with, items: q.Items}
	first := len(z.mentions)
	z.from(q.From, s)
	own := slices.Clone(z.mentions[first:])
	z.conjuncts(q.Where, s, restriction{})

	groups := q.Having != nil || len(q.Group) > 0
	windows, multiplies := len(q.Windows) > 0, false
	for _, x := range append(itemExprs(q.Items), orderExprs(q.Order)...) {
		k := z.kindsOf(x)
		groups = groups || k.aggregates
		windows = windows || k.windows
		multiplies = multiplies || k.multiplies
	}
	u := selected
	if groups || windows || multiplies {
		u = decides
	}
	r := result{own: own, scope: s, multiplies: multiplies}
	for i := range q.Items {
		z.item(&q.Items[i], s, u, &r)
	}
	if slices.ContainsFunc(q.Group, isGroupingSets) { // NULL in rows that are not grouped by it
		for i := range r.columns {
			o := &r.columns[i]
			o.deps, o.node, o.value, o.inward = append([]node{}, o.nodes()...), nil, nil, false
		}
	}
	for _, list := range [][]sqlparse.Expr{grouped(q.Group), q.On, q.Windows} {
		for _, x := range list {
			z.walkAlias(x, s, decides, &r)
		}
	}
	z.walk(q.Having, s, decides)
	for _, o := range q.Order {
		z.walkAlias(o.X, s, orders, &r)
	}
	limited := z.limits(q, s)
	if limited {
		for _, m := range own {
			m.ordered = true
		}
	}
	if q.Skips {
		z.volatile("SKIP LOCKED")
	}
	distinctOn := len(q.On) > 0
	switch {
	case groups, windows, distinctOn, q.Skips, limited && len(q.Order) == 0, z.sampled(q.From):
		z.hide(own)
	default:
		r.shows = true
		if len(s.bindings) == 1 && !multiplies && !q.Distinct {
			r.sole = s.bindings[0].sole
		}
	}
	r.pushes = r.shows && !limited && !q.Distinct
	return r
}

// grouped are the expressions that a query groups by, those of ROLLUP and its like one by
// one.
func grouped(list []sqlparse.Expr) (all []sqlparse.Expr) {
	for _, x := range list {
		if isGroupingSets(x) {
			all = append(all, grouped(x.(*sqlparse.Op).Args)...) //nolint:forcetypeassert // it is one
		} else {
			all = append(all, x)
		}
	}
	return all
}

func isGroupingSets(x sqlparse.Expr) bool {
	op, ok := x.(*sqlparse.Op)
	return ok && op.Op == "groupingsets"
}

// sampled notes TABLESAMPLE, whose rows are not determined by data.
func (z *analyzer) sampled(list []sqlparse.From) bool {
	for i := range list {
		if list[i].Sampled || z.sampled(list[i].Group) {
			z.volatile("TABLESAMPLE")
			return true
		}
	}
	return false
}

// item adds the columns of one item of a SELECT list.
func (z *analyzer) item(it *sqlparse.Item, s *scope, u use, r *result) {
	if it.Star {
		z.star(it.Qualifier, s, u, r)
		return
	}
	o := output{name: it.Alias}
	if c, ok := it.X.(*sqlparse.Column); ok && c.Name != "*" {
		if o.name == "" {
			o.name = c.Name
		}
		if f, ok := z.resolve(s, c, u); ok {
			o.node, o.deps, o.inward, o.value = f.node, f.deps, f.inward, f.value
			if f.node == nil && f.deps == nil && f.value == nil {
				o.deps = z.collect(func() { z.walk(it.X, s, u) })
			}
			r.columns = append(r.columns, o)
			return
		}
	}
	o.deps = z.collect(func() { z.walk(it.X, s, u) })
	for _, n := range o.deps {
		n.m.ref.Computed |= catalog.Bit(n.column)
	}
	if v, ok := z.source(it.X); ok {
		o.value = &v
	}
	r.columns = append(r.columns, o)
}

// collect returns the columns that f uses, which are not nil.
func (z *analyzer) collect(f func()) []node {
	list := []node{}
	defer func(to *[]node) { z.collects = to }(z.collects)
	z.collects = &list
	f()
	return list
}

func (z *analyzer) star(qualifier string, s *scope, u use, r *result) {
	some := false
	for _, b := range s.bindings {
		if qualifier != "" && !z.same(b.alias, unqualified(qualifier)) {
			continue
		}
		some = true
		r.open = r.open || b.open
		r.scattered = r.scattered || b.open || b.scattered
		for _, o := range b.outputs() {
			z.use(o, u)
			r.columns = append(r.columns, o)
		}
	}
	if !some {
		if qualifier == "" {
			fail("* without a table")
		}
		fail("%s.* of an unknown table", qualifier)
	}
	if qualifier == "" && len(s.merged) > 0 {
		r.scattered = true // a column of USING is there once
	}
}

// hide says that rows of the mentions decide without being shown.
func (z *analyzer) hide(list []*mention) {
	for _, m := range list {
		m.hidden = true
	}
}

// inner analyzes a subquery, whose rows are not shown.
func (z *analyzer) inner(q *sqlparse.Query, s *scope) result {
	first := len(z.mentions)
	r := z.query(q, s)
	z.hide(z.mentions[first:])
	return r
}

func itemExprs(items []sqlparse.Item) (list []sqlparse.Expr) {
	for i := range items {
		list = append(list, items[i].X)
	}
	return list
}

func orderExprs(order []sqlparse.OrderTerm) (list []sqlparse.Expr) {
	for i := range order {
		list = append(list, order[i].X)
	}
	return list
}

// from binds the tables of a FROM list.
func (z *analyzer) from(list []sqlparse.From, s *scope) {
	left, leftMentions := len(s.bindings), len(z.mentions)
	for i := range list {
		f := &list[i]
		right, rightMentions := len(s.bindings), len(z.mentions)
		z.bind(f, s)
		z.on(f, s, s.bindings[left:right], s.bindings[right:])
		switch f.Join {
		case sqlparse.Left:
			optional(z.mentions[rightMentions:])
		case sqlparse.Right:
			optional(z.mentions[leftMentions:rightMentions])
		case sqlparse.Full:
			optional(z.mentions[leftMentions:])
		}
	}
}

// optional says that a side of an outer join may be missing.
func optional(list []*mention) {
	s := &side{slices.Clone(list)}
	for _, m := range list {
		m.optional = append(m.optional, s)
	}
}

// on takes the conditions of a join. They restrict rows of a side that need not be there,
// and those of both sides of an inner join.
func (z *analyzer) on(f *sqlparse.From, s *scope, left, right []*binding) {
	if f.Natural {
		for _, b := range slices.Concat(left, right) {
			z.whole(b)
			s.merged = append(s.merged, namesOf(b)...)
		}
	}
	var restricts restriction
	switch f.Join {
	case sqlparse.Left:
		restricts.side = right
	case sqlparse.Right:
		restricts.side = left
	case sqlparse.Full:
		restricts.side = []*binding{}
	}
	for _, name := range f.Using {
		ls, rs := z.sideColumns(left, name), z.sideColumns(right, name)
		if len(ls) == 0 || len(rs) == 0 {
			fail("USING %s, which is not known", name)
		}
		for _, o := range append(ls, rs...) {
			z.use(o.output, decides)
		}
		if len(ls) == 1 && len(rs) == 1 {
			z.equal(ls[0], rs[0], restricts)
		}
		s.merged = append(s.merged, name)
	}
	z.conjuncts(f.On, s, restricts)
}

func namesOf(b *binding) (names []string) {
	for _, o := range b.outputs() {
		names = append(names, o.name)
	}
	return names
}

// sideColumns are the columns of a name on one side of a join.
func (z *analyzer) sideColumns(side []*binding, name string) (list []found) {
	for _, b := range side {
		if o, ok := z.column(b, name); ok {
			list = append(list, found{output: o, binding: b})
		} else if b.open {
			list = append(list, found{binding: b}, found{binding: b})
		}
	}
	return list
}

// whole says that all of a binding decides.
func (z *analyzer) whole(b *binding) {
	b.mask(output{})
	if b.mention != nil {
		b.mention.ref.Where = catalog.All
		return
	}
	for _, o := range b.columns {
		z.use(o, decides)
	}
}

// bind adds what one item of FROM has to the scope.
func (z *analyzer) bind(f *sqlparse.From, s *scope) {
	first, bound := len(z.mentions), len(s.bindings)
	z.bindOne(f, s)
	if f.Group == nil {
		s.bindings[bound].mentions = slices.Clone(z.mentions[first:])
	}
}

func (z *analyzer) bindOne(f *sqlparse.From, s *scope) {
	switch {
	case f.Group != nil:
		if f.Alias != "" {
			fail("a join with an alias")
		}
		z.from(f.Group, s)
	case f.Call != nil && z.searched(f.Call.Name) != nil: // search('apple')
		for _, x := range f.Call.Args {
			z.walk(x, s, decides)
		}
		s.bindings = append(s.bindings, z.relation(&sqlparse.From{Table: &sqlparse.Name{Name: f.Call.Name}, Alias: f.Alias, Columns: f.Columns}, s))
	case f.Call != nil:
		z.tableFunction(f, s)
	case f.Query != nil:
		outer := s.parent // which has the names of WITH, and those outside
		if f.Lateral {
			outer = s
		}
		r := z.query(f.Query, outer)
		b := z.derived(f.Alias, f.Columns, r)
		z.firstRows(f.Query, &r, b)
		s.bindings = append(s.bindings, b)
	case f.Table != nil:
		s.bindings = append(s.bindings, z.relation(f, s))
	default:
		fail("an item of FROM that is not known")
	}
}

// searched returns the virtual table of a name that looks like a function's, nil for none.
func (z *analyzer) searched(name string) *catalog.Table {
	if t, _, ok := z.c.Lookup("", name); ok && t != nil && t.Contained {
		return t
	}
	return nil
}

// relation binds a table, a view or a common table expression.
func (z *analyzer) relation(f *sqlparse.From, s *scope) *binding {
	if f.Table.Schema == "" {
		if c := s.common(z, f.Table.Name); c != nil {
			switch {
			case c.cte.DML != nil, c.busy:
				c.used = true
				return &binding{alias: f.Alias, open: true}
			}
			r := z.expand(c, s)
			return z.derived(f.Alias, f.Columns, z.rename(r, c.cte.Columns))
		}
	}
	t, v, ok := z.c.Lookup(f.Table.Schema, f.Table.Name)
	switch {
	case !ok:
		fail("table %s is not known", nameOf(*f.Table))
	case v != nil:
		r := z.view(v, z.owns(*f.Table))
		return z.derived(f.Alias, f.Columns, z.rename(r, v.Columns))
	}
	m := z.mention(t)
	m.ref.Elsewhere = t.Ambiguous && !z.owns(*f.Table)
	if !z.same(f.Table.Name, t.Name) {
		// A partition: a row moves to another one when its key of partitioning changes.
		m.ref.Where = catalog.All
	}
	b := &binding{alias: f.Alias, mention: m, sole: m, scattered: z.several(m.ref)}
	if len(f.Columns) > 0 {
		if len(f.Columns) > len(t.Columns) || z.several(m.ref) {
			fail("more names than columns")
		}
		b.columns, b.mention = b.outputs(), nil
		for i, name := range f.Columns {
			b.columns[i].name = name
		}
	}
	return b
}

// rename gives the first columns other names.
func (z *analyzer) rename(r result, names []string) result {
	if len(names) == 0 {
		return r
	}
	if r.open || r.scattered || len(names) > len(r.columns) {
		r.open = true
		return r
	}
	r.columns = slices.Clone(r.columns)
	for i, name := range names {
		r.columns[i].name = name
	}
	return r
}

// derived binds the result of a query.
func (z *analyzer) derived(alias string, names []string, r result) *binding {
	r = z.rename(r, names)
	if !r.pushes {
		z.hide(r.own)
		r.sole = nil
		r.columns = slices.Clone(r.columns)
		for i := range r.columns {
			r.columns[i].inward = false
		}
	}
	return &binding{alias: alias, columns: r.columns, open: r.open, scattered: r.scattered, sole: r.sole}
}

// view analyzes the query of a view, for one mention of it. own says that it is that of the
// schema of Statement.Several.
func (z *analyzer) view(v *catalog.View, own bool) result {
	if v.Ambiguous && (!z.c.One || !own) {
		fail("view %s is not one", v.Name)
	}
	if slices.Contains(z.views, v) {
		fail("view %s contains itself", v.Name)
	}
	q, err := definition(z.c.Dialect, v.Definition)
	if err != nil {
		fail("view %s: %v", v.Name, err)
	}
	z.views, z.owned = append(z.views, v), append(z.owned, v.Ambiguous && own)
	r := z.query(q, nil)
	z.views, z.owned = z.views[:len(z.views)-1], z.owned[:len(z.owned)-1]
	return r
}

// mention adds a mention of a table, with the conditions of its policies.
func (z *analyzer) mention(t *catalog.Table) *mention {
	if t.Virtual && !t.Contained || t.ForeignData {
		fail("table %s may read others", t.Name)
	}
	if len(z.mentions) >= maxMentions {
		fail("more than %d tables", maxMentions)
	}
	m := &mention{ref: &Ref{Table: t, Window: -1, WindowOut: -1}, values: make([][]Source, len(t.Columns))}
	z.mentions = append(z.mentions, m)
	if t.Policies {
		z.policies(m)
	}
	if t.Virtual { // which rows a search finds is not told by their columns
		m.ref.Where = catalog.All
		z.content(t)
	}
	return m
}

// content mentions what a virtual table reads beside its own.
func (z *analyzer) content(t *catalog.Table) {
	if t.Content == "" {
		return
	}
	if z.depth++; z.depth > maxDepth {
		fail("too many queries")
	}
	defer func() { z.depth-- }()
	first, s := len(z.mentions), &scope{}
	z.bindOne(&sqlparse.From{Table: &sqlparse.Name{Name: t.Content}, Alias: t.Content}, s)
	z.whole(s.bindings[0])
	z.hide(z.mentions[first:])
}

// policies takes the conditions of row-level security. Which of them hold together is not
// known: what they use decides.
func (z *analyzer) policies(m *mention) {
	t := m.ref.Table
	if slices.Contains(z.guarded, t) {
		return // a policy that reads its own table
	}
	z.guarded = append(z.guarded, t)
	defer func() { z.guarded = z.guarded[:len(z.guarded)-1] }()
	defer func(c bool, to *[]node) { z.condition, z.collects = c, to }(z.condition, z.collects)
	z.condition, z.collects = false, nil
	for _, text := range t.Conditions {
		if text == "" {
			fail("a policy of %s cannot be read", t.Name)
		}
		q, err := definition(z.c.Dialect, "SELECT 1 FROM "+policyTable+" WHERE ("+text+")")
		if err != nil {
			fail("a policy of %s: %v", t.Name, err)
		}
		s := &scope{bindings: []*binding{{alias: t.Name, mention: m, sole: m}}}
		z.walk(q.Where, s, decides)
	}
	if len(t.Conditions) == 0 {
		m.ref.Where = catalog.All // policies that are not listed
	}
}

// tableFunction binds a function that returns rows.
func (z *analyzer) tableFunction(f *sqlparse.From, s *scope) {
	z.call(f.Call)
	for _, x := range f.Call.Args {
		z.walk(x, s, decides)
	}
	b := &binding{alias: f.Alias, scattered: true}
	s.bindings = append(s.bindings, b)
	elements, json := z.elements(f.Call)
	if f.Call.Name != "json_tree" {
		b.elements = elements
	}
	name := f.Alias
	if json && z.c.Dialect == catalog.SQLite {
		name = "value"
	}
	if elements != nil && f.Call.Name == "unnest" && len(f.Columns) == 2 && z.castClass(elements.cast) != catalog.Opaque {
		b.columns = []output{ // WITH ORDINALITY
			{name: f.Columns[0], deps: []node{}, value: elements}, {name: f.Columns[1], deps: []node{}},
		}
		return
	}
	if elements == nil || len(f.Columns) > 1 || f.Call.Name == "json_tree" {
		b.open = true
		return
	}
	names := []string{name, "value"}
	if len(f.Columns) == 1 {
		names = []string{f.Columns[0]}
	} else if !json || z.c.Dialect == catalog.SQLite {
		names = names[:1]
	}
	for _, n := range names {
		b.columns = append(b.columns, output{name: n, deps: []node{}, value: elements})
	}
	if json && z.c.Dialect == catalog.SQLite {
		for _, n := range []string{"key", "type", "atom", "id", "parent", "fullkey", "path", "json", "root"} {
			b.columns = append(b.columns, output{name: n, deps: []node{}})
		}
	} else {
		b.columns = append(b.columns, output{name: "ordinality", deps: []node{}})
	}
}
