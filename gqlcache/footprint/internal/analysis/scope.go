package analysis

import (
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// A mention is a Ref while its statement is analyzed.
type mention struct {
	ref *Ref
	// values are those that a column of each contributing row has, by column.
	values [][]Source
	// hidden mentions have rows that the result does not show: an aggregate's, a
	// subquery's. All that is used of them decides.
	hidden bool
	// ordered mentions are of a query with a limit: the order decides.
	ordered bool
	// optional are the sides of outer joins that the mention is on, and that may be
	// missing. masked says that a later condition may take away what such a side has
	// joined: then its rows decide without being shown.
	optional []*side
	masked   bool
	// decides are columns that conditions use which no parameter turns off, and options
	// those that others use.
	decides catalog.Mask
	options []Option
	// joinedTo is whose foreign key makes Ref.Joined true.
	joinedTo *mention
}

// A side has the mentions of one side of an outer join, which are there together or not.
type side struct{ mentions []*mention }

// mask says that a condition may take away what the optional sides of a mention join.
func (m *mention) mask() {
	for _, s := range m.optional {
		for _, o := range s.mentions {
			o.masked = true
		}
	}
}

// A node is a column of a mention.
type node struct {
	m      *mention
	column int
}

func (n node) class() catalog.Class { return n.m.ref.Table.Columns[n.column].Class }

// An output is a column of a query's result.
type output struct {
	name string
	// node is the column that it is, nil for an expression. deps are all columns in it.
	node *node
	deps []node
	// inward says that conditions on it hold for the column: they reach the rows inside.
	// What holds for the column holds for it in any case.
	inward bool
	// value is what it holds, where that is known before the query runs.
	value *value
}

// A binding is a name in FROM.
type binding struct {
	alias   string
	mention *mention // of a table
	columns []output
	// open bindings have columns that are not known.
	open bool
	// scattered bindings have columns at places that are not known.
	scattered bool
	// sole is the one mention of which each row has one row of the binding.
	sole *mention
	// mentions are all of it.
	mentions []*mention
	// elements are the list of a function that returns a row for each of its elements.
	elements *value
}

// mask says that a condition is on a column, which takes away what optional sides join.
// An expression may be of any of the binding's mentions, or of none.
func (b *binding) mask(o output) {
	list := b.mentions
	if o.node != nil {
		list = []*mention{o.node.m}
	}
	for _, m := range list {
		m.mask()
	}
}

// A common is a common table expression.
type common struct {
	cte       *sqlparse.CTE
	recursive bool
	busy      bool // it is being expanded
	used      bool
}

// A scope has names. Its parent is where names are looked up that it lacks.
type scope struct {
	parent   *scope
	bindings []*binding
	commons  []*common
	items    []sqlparse.Item // of the query, for their aliases
	// merged are columns of USING, which are one column of both sides.
	merged []string
}

// same compares names: SQLite's have no case, quoted or not.
func (z *analyzer) same(a, b string) bool {
	if z.c.Dialect == catalog.SQLite {
		return strings.EqualFold(a, b)
	}
	return a == b
}

func (s *scope) common(z *analyzer, name string) *common {
	for ; s != nil; s = s.parent {
		for i := len(s.commons) - 1; i >= 0; i-- {
			if z.same(s.commons[i].cte.Name, name) {
				return s.commons[i]
			}
		}
	}
	return nil
}

func (z *analyzer) index(t *catalog.Table, name string) (int, bool) {
	if z.c.Dialect == catalog.SQLite {
		name = strings.ToLower(name)
	}
	return t.Index(name)
}

// A found is what a name stands for.
type found struct {
	output
	binding *binding
	outer   bool // of an outer query
}

// resolve looks up a column, and marks it as used. It reports false for a name that is
// none. A name that several columns have, or that a table of unknown columns may have,
// marks all of them, and stands for none.
func (z *analyzer) resolve(s *scope, c *sqlparse.Column, u use) (found, bool) {
	doubtful, any := false, false
	for at := s; at != nil; at = at.parent {
		var list []found
		open := false
		for _, b := range at.bindings {
			if c.Qualifier != "" && !z.same(b.alias, unqualified(c.Qualifier)) {
				continue
			}
			if o, ok := z.column(b, c.Name); ok {
				list = append(list, found{output: o, binding: b, outer: at != s})
			} else if b.open {
				open = true
				b.mask(output{})
			}
		}
		for _, f := range list {
			z.use(f.output, u)
			if z.condition || at != s || len(list) > 1 || open {
				f.binding.mask(f.output)
			}
			any = true
		}
		switch {
		case len(list) == 0 && !open:
			continue
		case open: // it may be one of an outer query, too
			doubtful, any = true, true
			if c.Qualifier != "" {
				return found{}, true
			}
			continue
		case doubtful || len(list) > 1 && !z.isMerged(at, c):
			return found{}, true
		}
		f := list[0]
		if f.outer {
			f.inward = false // what is inside of a subquery does not restrict what is outside
		}
		return f, true
	}
	return found{}, any
}

func unqualified(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func (z *analyzer) isMerged(s *scope, c *sqlparse.Column) bool {
	for _, name := range s.merged {
		if c.Qualifier == "" && z.same(name, c.Name) {
			return true
		}
	}
	return false
}

// column looks up a column of a binding.
func (z *analyzer) column(b *binding, name string) (output, bool) {
	if m := b.mention; m != nil {
		if i, ok := z.index(m.ref.Table, name); ok {
			return columnOf(m, i), true
		}
		if systemColumns[z.c.Dialect][strings.ToLower(name)] || m.ref.Table.Contained && (z.same(name, m.ref.Table.Name) || z.same(name, "rank")) {
			m.ref.Where = catalog.All
			return output{name: name, deps: []node{}}, true
		}
		return output{}, false
	}
	var hit output
	n := 0
	for _, o := range b.columns {
		if z.same(o.name, name) {
			hit = o
			n++
		}
	}
	if n > 1 { // the same name twice: an error in most databases
		all := output{name: name}
		for _, o := range b.columns {
			if z.same(o.name, name) {
				all.deps = append(all.deps, o.nodes()...)
			}
		}
		return all, true
	}
	return hit, n == 1
}

func columnOf(m *mention, i int) output {
	return output{name: m.ref.Table.Columns[i].Name, node: &node{m, i}, inward: true}
}

// systemColumns are those that each table has and no catalog lists. All of a row decides
// them: where it is, which transaction wrote it.
var systemColumns = map[catalog.Dialect]map[string]bool{
	catalog.SQLite:     {"rowid": true, "oid": true, "_rowid_": true},
	catalog.PostgreSQL: {"ctid": true, "xmin": true, "xmax": true, "cmin": true, "cmax": true, "tableoid": true, "oid": true},
}

// nodes are the columns that an output uses.
func (o output) nodes() []node {
	if o.node != nil {
		return []node{*o.node}
	}
	return o.deps
}

// outputs are a binding's columns in order.
func (b *binding) outputs() []output {
	if b.mention == nil {
		return b.columns
	}
	list := make([]output, len(b.mention.ref.Table.Columns))
	for i := range list {
		list[i] = columnOf(b.mention, i)
	}
	return list
}

// A use says what a column is used for.
type use uint8

const (
	decides use = iota
	selected
	orders
)

// decide notes that a condition uses columns, one that holds when a parameter is NULL
// unless option is nil.
func (m *mention) decide(columns catalog.Mask, option *sqlparse.Param) {
	m.ref.Where |= columns
	if option == nil {
		m.decides |= columns
		return
	}
	for i := range m.options {
		if o := &m.options[i]; o.Param == option.N && o.Name == option.Name {
			o.Columns |= columns
			return
		}
	}
	m.options = append(m.options, Option{Param: option.N, Name: option.Name, Columns: columns})
}

func (z *analyzer) use(o output, u use) {
	if z.peeking {
		return
	}
	option := z.option
	if o.node == nil { // an expression may fail, whatever is made of it
		option = nil
	}
	for _, n := range o.nodes() {
		bit := catalog.Bit(n.column)
		switch u {
		case decides:
			n.m.decide(bit, option)
		case selected:
			n.m.ref.Selected |= bit
		case orders:
			n.m.ref.Order |= bit
		}
		if z.collects != nil {
			*z.collects = append(*z.collects, n)
		}
	}
}
