package catalog

import (
	"cmp"
	"slices"
)

// A relation is a table or a view of one schema, as a reader found it. Columns are named,
// because several relations become one Table.
type relation struct {
	schema, name string
	view         bool
	// table has the columns and everything else of a Table but keys and foreign keys.
	table      Table
	keys       [][]string
	primary    []string // SQLite: what a foreign key without columns refers to
	references []reference
	// spelling is the view's definition without the name of its own schema: equal in two
	// schemas when the views are.
	spelling, definition string

	// root is the relation that it is a part of, itself if none.
	root *relation
	// inherits says of a root that some part belongs to it by inheritance, so that neither
	// keys nor foreign keys hold for all rows. mixed says that some part has several roots.
	inherits, mixed bool
}

// A reference is a foreign key.
type reference struct {
	columns, refColumns []string
	to                  *relation
	onDelete, onUpdate  Action
	enforced            bool
}

// merge makes a catalog of relations. Names in hidden are Unresolvable whatever else there
// is.
func merge(d Dialect, relations []*relation, functions map[string]Function, schemas, hidden map[string]bool) *Catalog {
	c := &Catalog{
		Dialect: d, Tables: map[string]*Table{}, Views: map[string]*View{},
		Unresolvable: map[string]bool{}, Functions: functions, Schemas: schemas,
	}
	slices.SortFunc(relations, func(a, b *relation) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.schema, b.schema))
	})
	for name := range hidden {
		c.Unresolvable[name] = true
	}
	names := map[string][]*relation{} // all of a name
	roots := map[string][]*relation{} // those of a name that are roots
	for _, r := range relations {
		names[r.name] = append(names[r.name], r)
		if r.root == r {
			roots[r.name] = append(roots[r.name], r)
		} else {
			r.root.fold(r)
		}
	}
	for name, list := range names {
		if !together(list) {
			c.Unresolvable[name] = true
		}
	}
	// A name is unresolvable if its root's is: this ends after one round, for a root is its
	// own.
	for name, list := range names {
		if c.Unresolvable[list[0].root.name] {
			c.Unresolvable[name] = true
		}
	}

	for name, list := range roots {
		switch {
		case c.Unresolvable[name]:
		case list[0].view:
			c.Views[name] = mergeViews(list)
		default:
			c.Tables[name] = mergeTables(list)
		}
	}
	for name, list := range names {
		if r := list[0].root; r.name != name && !c.Unresolvable[name] {
			c.Tables[name] = c.Tables[r.name]
		}
	}
	for _, r := range relations {
		if r.root == r && !r.view {
			c.refer(r, len(roots[r.name]))
		}
	}
	for _, t := range c.Tables {
		t.settle()
	}
	c.Finish()
	return c
}

// together reports whether the relations of one name can be one Table or View.
func together(list []*relation) bool {
	first := list[0]
	for _, r := range list {
		switch {
		case r.root.mixed, r.view != first.view, r.root.name != first.root.name:
			return false
		case r.view:
			if r.spelling != first.spelling || !sameColumns(r, first) {
				return false
			}
		// Statements on a part write the root's columns by position, too: INSERT without
		// columns, SELECT *.
		case !sameColumns(r, first), !sameColumns(r, r.root),
			r.table.Materialized != first.table.Materialized:
			return false
		}
	}
	return true
}

func sameColumns(a, b *relation) bool {
	return slices.EqualFunc(a.table.Columns, b.table.Columns, func(a, b Column) bool { return a.Name == b.Name })
}

// fold makes what a part says something that its root says.
func (r *relation) fold(part *relation) {
	join(&r.table, &part.table)
	r.table.Columns = slices.Clone(r.table.Columns) // other relations may share them
	for i := range r.table.Columns {
		to := &r.table.Columns[i]
		for _, from := range part.table.Columns {
			if from.Name == to.Name {
				to.weaken(from)
			}
		}
	}
	for _, ref := range part.references {
		ref.enforced = false // in this part only
		r.references = append(r.references, ref)
	}
}

// weaken keeps of a column what holds for another one, too.
func (c *Column) weaken(o Column) {
	if c.Class != o.Class {
		c.Class = Opaque
	}
	c.NotNull = c.NotNull && o.NotNull
	c.Generated = c.Generated || o.Generated
	c.Default = c.Default || o.Default
}

// join adds what may happen to another table's rows.
func join(t, o *Table) {
	t.Triggers = append(t.Triggers, o.Triggers...)
	t.Conditions = append(t.Conditions, o.Conditions...)
	t.Rules = t.Rules || o.Rules
	t.Policies = t.Policies || o.Policies
	t.Replaces = t.Replaces || o.Replaces
	t.Virtual = t.Virtual || o.Virtual
	t.ForeignData = t.ForeignData || o.ForeignData
}

func mergeViews(list []*relation) *View {
	v := &View{Name: list[0].name, Definition: list[0].definition, Ambiguous: len(list) > 1, Schema: list[0].schema}
	for _, c := range list[0].table.Columns {
		v.Columns = append(v.Columns, c.Name)
	}
	return v
}

// mergeTables returns the Table of roots of one name and equal columns.
func mergeTables(list []*relation) *Table {
	t := list[0].table
	t.Name, t.Ambiguous, t.schemas = list[0].name, len(list) > 1, len(list)
	t.Columns = slices.Clone(t.Columns)
	t.Contained = t.Contained && len(list) == 1
	for _, r := range list[1:] {
		join(&t, &r.table)
		for i := range t.Columns {
			t.Columns[i].weaken(r.table.Columns[i])
		}
		if t.Definition != r.table.Definition {
			t.Definition = ""
		}
	}
	for _, key := range list[0].keys {
		if columns, ok := t.numbers(key); ok && !slices.ContainsFunc(list, func(r *relation) bool { return !r.unique(key) }) {
			slices.Sort(columns)
			t.Keys = append(t.Keys, columns)
		}
	}
	t.Keys = slices.DeleteFunc(t.Keys, func(key []int) bool {
		// A key of values that are equal in other ways than their bytes is no key of bytes.
		return slices.ContainsFunc(key, func(i int) bool { return !t.Columns[i].NotNull || t.Columns[i].Class == Opaque })
	})
	return &t
}

// unique reports whether columns are a key of all rows.
func (r *relation) unique(columns []string) bool {
	return !r.inherits && slices.ContainsFunc(r.keys, func(key []string) bool {
		return len(key) == len(columns) && !slices.ContainsFunc(key, func(c string) bool { return !slices.Contains(columns, c) })
	})
}

// numbers returns the positions of columns by their names.
func (t *Table) numbers(names []string) (out []int, ok bool) {
	for _, name := range names {
		i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
		if i < 0 {
			return nil, false
		}
		out = append(out, i)
	}
	return out, len(out) > 0
}

// refer adds the foreign keys of a root, one of n of its name.
func (c *Catalog) refer(r *relation, n int) {
	t := c.Tables[r.name]
	first := 0
	if t != nil {
		first = len(t.Foreign)
	}
	for _, ref := range r.references {
		to := c.Tables[ref.to.root.name]
		if to == nil {
			continue // nothing is known of what is written to it
		}
		acts := ref.onDelete != NoAction || ref.onUpdate != NoAction
		var columns, refColumns []int
		known := t != nil
		if known {
			var ok1, ok2 bool
			columns, ok1 = t.numbers(ref.columns)
			refColumns, ok2 = to.numbers(ref.refColumns)
			known = ok1 && ok2 && len(columns) == len(refColumns)
		}
		if !known {
			// Which rows follow, and what their triggers and references do, cannot be said.
			to.Rules = to.Rules || acts
			continue
		}
		f := ForeignKey{Columns: columns, Table: to, RefColumns: refColumns, OnDelete: ref.onDelete, OnUpdate: ref.onUpdate}
		// What a schema's table refers to is the table of that schema: another one of its
		// name has other rows.
		f.Same = ref.to.root.schema == r.schema
		f.Within = ref.enforced && !r.inherits && !ref.to.root.inherits && ref.to == ref.to.root && (f.Same || !to.Ambiguous)
		for i := range columns {
			a, b := t.Columns[columns[i]].Class, to.Columns[refColumns[i]].Class
			f.Within = f.Within && a == b && a != Opaque
		}
		f.Enforced = f.Within && n == 1 && !to.Ambiguous
		if slices.ContainsFunc(t.Foreign[first:], func(x ForeignKey) bool { return byAction(x, f) == 0 }) {
			// The same key twice: each schema counts once.
			f.Within = false
		}
		t.Foreign = append(t.Foreign, f)
	}
}

// byAction compares what two foreign keys of one table refer to, and what they do.
func byAction(a, b ForeignKey) int {
	return cmp.Or(cmp.Compare(a.Table.Name, b.Table.Name), slices.Compare(a.Columns, b.Columns),
		slices.Compare(a.RefColumns, b.RefColumns), cmp.Compare(a.OnDelete, b.OnDelete), cmp.Compare(a.OnUpdate, b.OnUpdate))
}

// settle puts lists into an order that depends on nothing but what is in them.
func (t *Table) settle() {
	slices.SortFunc(t.Keys, slices.Compare)
	t.Keys = slices.CompactFunc(t.Keys, slices.Equal)
	slices.SortStableFunc(t.Triggers, func(a, b Trigger) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Body, b.Body))
	})
	t.Triggers = slices.Compact(t.Triggers)
	slices.Sort(t.Conditions)
	t.Conditions = slices.Compact(t.Conditions)
	slices.SortStableFunc(t.Foreign, byAction)
	distinct := t.Foreign[:0]
	for i := 0; i < len(t.Foreign); {
		f := t.Foreign[i]
		n, within := 0, 0 // of how many schemas
		for ; i < len(t.Foreign) && byAction(t.Foreign[i], f) == 0; i++ {
			f.Enforced = f.Enforced || t.Foreign[i].Enforced
			f.Same = f.Same && t.Foreign[i].Same
			if n++; t.Foreign[i].Within {
				within++
			}
		}
		f.Within = within == n && n == max(t.schemas, 1)
		distinct = append(distinct, f)
	}
	t.Foreign = distinct
}

// purity sets Pure of functions whose bodies call others, until nothing changes.
func purity(bodies map[string][]body, impure map[string]bool) map[string]Function {
	out := make(map[string]Function, len(bodies))
	for name, list := range bodies {
		out[name] = Function{Name: name, Pure: !slices.ContainsFunc(list, func(b body) bool { return !b.pure })}
	}
	for changed := true; changed; {
		changed = false
		for name, list := range bodies {
			if out[name].Pure && slices.ContainsFunc(list, func(b body) bool { return !callsPure(b.calls, out, impure) }) {
				out[name] = Function{Name: name}
				changed = true
			}
		}
	}
	return out
}

// callsPure reports whether all functions of names are pure.
func callsPure(names []string, functions map[string]Function, impure map[string]bool) bool {
	for _, name := range names {
		if f, ok := functions[name]; ok && !f.Pure || impure[name] {
			return false
		}
	}
	return true
}
