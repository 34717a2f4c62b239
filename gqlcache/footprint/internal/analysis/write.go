package analysis

import (
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// dml analyzes an INSERT, UPDATE, DELETE or MERGE. alone says that it is the whole statement.
func (z *analyzer) dml(s *sqlparse.Statement, parent *scope, alone bool) {
	z.locks = true
	t, _, ok := z.c.Lookup(s.Table.Schema, s.Table.Name)
	switch {
	case !ok:
		fail("table %s is not known", nameOf(s.Table))
	case t == nil:
		fail("a write to the view %s", nameOf(s.Table))
	case t.Materialized:
		fail("a write to the materialized view %s", nameOf(s.Table))
	}
	with := z.with(s.With, s.Recursive, parent)
	w := &Write{
		Table: t, Name: s.Table, Alias: s.Alias, Plain: alone && len(t.Triggers) == 0 && !t.Rules && !z.severalOf(t), Policies: t.Policies,
	}
	z.out.Writes = append(z.out.Writes, w)
	switch {
	case t.Contained:
		z.searchable(s, w, with)
	case s.Kind == sqlparse.Insert:
		z.insert(s, w, with)
	case s.Kind == sqlparse.Update, s.Kind == sqlparse.Delete:
		z.change(s, w, with, alone)
	case s.Kind == sqlparse.Merge:
		z.merge(s, w, with)
	default:
		fail("a statement in WITH that is not known")
	}
	z.unused(with)
	if t.Replaces && w.Kind != Deletes {
		w.replaces()
	}
	z.triggered(w, s)
	switch {
	case !alone: // the rows and their number are those of another part of the statement
		w.Returning = nil
	case !w.partly:
		z.out.Columns = len(w.Returning)
	}
}

// triggered notes what follows from a write.
func (z *analyzer) triggered(w *Write, s *sqlparse.Statement) {
	t := w.Table
	switch {
	case w.Kind == Any && s.OnConflict == sqlparse.UpdateRow && !t.Replaces:
		z.follow(t, Inserts, 0, In{})
		z.follow(t, Updates, w.upserted, In{})
		z.astray++
		for _, c := range Children(t, Updates, w.upserted) {
			z.any(c.Table, beside(t, c.Table, c.Key, In{}))
		}
		z.astray--
		return
	case w.Kind == Any:
		z.follow(t, Any, catalog.All, In{})
		return
	}
	z.follow(t, w.Kind, w.Changed, In{})
	w.Cascades = len(Children(t, w.Kind, w.Changed)) > 0
	if touched := z.touched(t, w.Kind); touched != 0 && w.Kind != Deletes {
		for i := range w.Rows {
			w.Rows[i] = without(w.Rows[i], touched)
		}
		if w.Kind == Updates {
			w.Sets = without(w.Sets, touched)
			w.Changed |= touched
			w.Cascades = len(Children(t, w.Kind, w.Changed)) > 0
			z.follow(t, Updates, w.Changed, In{})
		}
	}
}

// target returns the scope of a write, with its table.
func (z *analyzer) target(s *sqlparse.Statement, with *scope, t *catalog.Table) (*scope, *mention) {
	first := len(z.mentions)
	m := z.mention(t)
	z.hide(z.mentions[first:])
	return &scope{parent: with, bindings: []*binding{{alias: s.Alias, mention: m, sole: m, scattered: z.severalOf(t)}}}, m
}

// columnOfWrite returns the number of a column that a write names.
func (z *analyzer) columnOfWrite(t *catalog.Table, name string) int {
	i, ok := z.index(t, name)
	if !ok {
		fail("column %s.%s is not known", t.Name, name)
	}
	return i
}

// change analyzes an UPDATE or a DELETE.
func (z *analyzer) change(s *sqlparse.Statement, w *Write, with *scope, alone bool) {
	t := w.Table
	sc, m := z.target(s, with, t)
	first := len(z.mentions)
	z.from(s.From, sc)
	z.hide(z.mentions[first:])
	if !s.Current {
		z.conjuncts(s.Where, sc, restriction{})
	}
	w.Kind = Deletes
	if s.Kind == sqlparse.Update {
		w.Kind = Updates
		w.Sets, w.Changed = z.sets(s.Sets, sc, w)
	}
	w.OwnRows = alone && len(s.With) == 0 && len(s.From) == 0 && !s.Current && !s.Limited && z.isOwn(s.Where, sc)
	switch s.OnConflict {
	case sqlparse.None:
	case sqlparse.Nothing:
		w.Plain = false // fewer rows than the condition says
		w.OwnRows = false
	case sqlparse.Replace:
		w.replaces()
	default:
		fail("a conflict that is not known")
	}
	z.returning(s, w, sc)
	z.later = append(z.later, func() {
		if w.Kind != Any {
			w.Terms = m.ref.Terms
		}
	})
}

// searchable analyzes a write of a virtual table: of any of its rows. Some of its columns are
// commands.
func (z *analyzer) searchable(s *sqlparse.Statement, w *Write, with *scope) {
	if s.Returning != nil {
		fail("RETURNING of a virtual table")
	}
	sc, _ := z.target(s, with, w.Table)
	first := len(z.mentions)
	z.from(s.From, sc)
	if s.Query != nil {
		z.query(s.Query, with)
	}
	z.hide(z.mentions[first:])
	for _, set := range slices.Concat(s.Sets, s.ConflictSets) {
		z.walk(set.X, sc, decides)
	}
	z.walk(s.Where, sc, decides)
	z.walk(s.ConflictWhere, sc, decides)
	w.replaces()
}

// merge analyzes a MERGE: a write of rows of its table in any way. What decides is all of its
// source, since rows that match none are inserted.
func (z *analyzer) merge(s *sqlparse.Statement, w *Write, with *scope) {
	sc, m := z.target(s, with, w.Table)
	m.ref.Where = catalog.All
	first := len(z.mentions)
	z.from(s.From, sc)
	z.hide(z.mentions[first:])
	z.walk(s.On, sc, decides)
	for i := range s.Whens {
		when := &s.Whens[i]
		z.walk(when.If, sc, decides)
		z.sets(when.Sets, sc, w)
		for _, name := range when.Into {
			z.columnOfWrite(w.Table, name)
		}
		for _, x := range when.Values {
			z.walk(x, sc, decides)
		}
	}
	w.replaces()
	z.returning(s, w, sc)
}

// replaces makes a write one of rows of the table in any way.
func (w *Write) replaces() {
	w.Kind, w.Changed, w.Sets, w.Rows, w.OwnRows, w.Plain = Any, catalog.All, nil, nil, false, false
}

// isOwn reports whether a condition refers to nothing but columns of the target's row,
// constants, parameters and immutable functions.
func (z *analyzer) isOwn(x sqlparse.Expr, s *scope) bool {
	switch x := x.(type) {
	case *sqlparse.Binary:
		if x.Op == "and" {
			return z.isOwn(x.Left, s) && z.isOwn(x.Right, s)
		}
	case *sqlparse.In:
		if x.Sub != nil && listsParameter(x.Sub) {
			return z.isOwn(x.X, s)
		}
	}
	own := true
	visit(x, func(x any) {
		switch x := x.(type) {
		case *sqlparse.Column:
			if x.Qualifier != "" && !z.same(unqualified(x.Qualifier), s.bindings[0].alias) || s.bindings[0].mention == nil {
				own = false
				return
			}
			if _, ok := z.index(s.bindings[0].mention.ref.Table, x.Name); !ok {
				own = false
			}
		case *sqlparse.Call:
			class, _ := z.class(x.Name)
			own = own && (class == scalar || class == clock && !readsClock(x)) && x.Name != "age"
		case *sqlparse.Literal:
			own = own && (z.c.Dialect == catalog.SQLite || x.Number || !isClockWord(x.Text))
		case *sqlparse.Query, *sqlparse.Subquery, *sqlparse.Exists:
			own = false
		}
	})
	return own
}

// listsParameter reports whether a query lists the elements of one parameter, and nothing
// else: it is a constant of the statement.
func listsParameter(q *sqlparse.Query) bool {
	plain := len(q.With)+len(q.Group)+len(q.Order)+len(q.Compound)+len(q.Values)+len(q.Windows)+len(q.On) == 0 &&
		q.Where == nil && q.Having == nil && q.Limit == nil && q.Offset == nil && !q.Locking
	if !plain || len(q.From) != 1 || len(q.Items) != 1 || q.From[0].Call == nil || q.From[0].Sampled {
		return false
	}
	call, item := q.From[0].Call, q.Items[0]
	column, ok := item.X.(*sqlparse.Column)
	if !ok || item.Star || len(call.Args) != 1 {
		return false
	}
	_, ok = call.Args[0].(*sqlparse.Param)
	return ok && (call.Name == "json_each" && column.Name == "value" || call.Name == "unnest")
}

// sets analyzes the assignments of an UPDATE.
func (z *analyzer) sets(list []sqlparse.Set, s *scope, w *Write) (values []SetValue, changed catalog.Mask) {
	for _, set := range list {
		exprs := []sqlparse.Expr{set.X}
		if len(set.Columns) > 1 {
			exprs = make([]sqlparse.Expr, len(set.Columns))
			if row, ok := rowOf(set.X); ok && len(row) == len(set.Columns) {
				exprs = row
			}
		}
		for i, name := range set.Columns {
			c := z.columnOfWrite(w.Table, name)
			changed |= catalog.Bit(c)
			values = append(values, z.setValue(c, exprs[i], w))
		}
		z.walk(set.X, s, decides)
	}
	if changed != 0 {
		changed |= generated(w.Table)
	}
	return values, changed
}

func generated(t *catalog.Table) (m catalog.Mask) {
	for i, c := range t.Columns {
		if c.Generated {
			m |= catalog.Bit(i)
		}
	}
	return m
}

// setValue is what an expression stores in a column.
func (z *analyzer) setValue(c int, x sqlparse.Expr, w *Write) SetValue {
	v := SetValue{Column: c}
	class := w.Table.Columns[c].Class
	if class == catalog.Opaque || w.Table.Columns[c].Generated {
		return v
	}
	if l, ok := x.(*sqlparse.Literal); ok && l.Null {
		v.Null = !w.Table.Columns[c].NotNull
		return v
	}
	if src, ok := z.source(x); ok && z.fits(&src, class) {
		v.Source = &src.Source
		return v
	}
	f, ok := x.(*sqlparse.Call)
	if !ok || f.Name != "coalesce" && f.Name != "ifnull" || len(f.Args) != 2 || w.Kind != Updates {
		return v
	}
	old, ok := f.Args[1].(*sqlparse.Column)
	if !ok || old.Qualifier != "" && !z.same(unqualified(old.Qualifier), w.Alias) {
		return v
	}
	if i, ok := z.index(w.Table, old.Name); !ok || i != c {
		return v
	}
	if src, ok := z.source(f.Args[0]); ok && z.fits(&src, class) {
		v.Source, v.Keep = &src.Source, true
	}
	return v
}

// insert analyzes an INSERT or REPLACE.
func (z *analyzer) insert(s *sqlparse.Statement, w *Write, with *scope) {
	t := w.Table
	w.Kind = Inserts
	into := make([]int, 0, len(t.Columns))
	for _, name := range s.Columns {
		into = append(into, z.columnOfWrite(t, name))
	}
	if s.Columns == nil && !z.severalOf(t) {
		for i, c := range t.Columns {
			if !c.Generated || z.c.Dialect == catalog.PostgreSQL {
				into = append(into, i)
			}
		}
	}
	known := s.Columns != nil || !z.severalOf(t)
	switch q := s.Query; {
	case s.Copies: // as many rows as come, and statements that are part of it affect none
		sc, _ := z.target(s, with, t)
		z.walk(s.Where, sc, decides)
		w.Plain = false
	case s.Defaults:
		w.Rows, w.OneRow = [][]SetValue{z.insertedRow(w, nil, nil)}, true
	case q == nil:
		fail("INSERT without rows")
	case q.Values != nil && len(q.Compound) == 0 && len(q.With) == 0 && q.Limit == nil && q.Offset == nil:
		for _, row := range q.Values {
			for _, x := range row {
				z.walk(x, with, decides)
			}
			if known && len(row) <= len(into) {
				w.Rows = append(w.Rows, z.insertedRow(w, into, row))
			} else {
				known = false
			}
		}
		if w.OneRow = len(q.Values) == 1; !known {
			w.Rows = nil
		}
	default:
		r := z.inner(q, with)
		if known && !r.open && !r.scattered && len(r.columns) <= len(into) {
			z.later = append(z.later, func() { z.selectedRow(w, into, r.columns) })
		}
	}
	var sc *scope
	if s.OnConflict == sqlparse.UpdateRow || s.Returning != nil {
		var m *mention
		sc, m = z.target(s, with, t)
		m.ref.Where = catalog.All
	}
	switch s.OnConflict {
	case sqlparse.None:
	case sqlparse.Nothing:
		w.Ignores = true
	case sqlparse.UpdateRow:
		excluded := &binding{alias: "excluded"}
		for _, c := range t.Columns {
			excluded.columns = append(excluded.columns, output{name: c.Name, deps: []node{}})
		}
		named := &scope{parent: &scope{parent: with, bindings: []*binding{excluded}}, bindings: sc.bindings}
		_, w.Changed = z.sets(s.ConflictSets, named, w)
		z.walk(s.ConflictWhere, named, decides)
		changed := w.Changed | z.touched(t, Updates)
		w.replaces()
		w.upserted = changed
	case sqlparse.Replace:
		w.replaces()
	default:
		fail("a conflict that is not known")
	}
	if s.Returning != nil {
		z.returning(s, w, sc)
	}
}

// insertedRow are the values of one row that is inserted. Columns that are left out are NULL
// where they have no default.
func (z *analyzer) insertedRow(w *Write, into []int, row []sqlparse.Expr) (values []SetValue) {
	t := w.Table
	for i := range row {
		c := into[i]
		v := SetValue{Column: c}
		if row[i] != nil { // not DEFAULT
			v = z.setValue(c, row[i], w)
		}
		// NULL for a column that cannot be NULL is a number that the database chooses.
		v.Keep = v.Source != nil && t.Columns[c].NotNull
		values = append(values, v)
	}
	for c, col := range t.Columns {
		if !slices.Contains(into[:len(row)], c) && !col.Default && !col.Generated && !col.NotNull {
			values = append(values, SetValue{Column: c, Null: true})
		}
	}
	return knownValues(values)
}

// knownValues leaves out values that are not known.
func knownValues(values []SetValue) []SetValue {
	out := []SetValue{}
	for _, v := range values {
		if v.Null || v.Source != nil {
			out = append(out, v)
		}
	}
	return out
}

// selectedRow are the values that all rows of INSERT … SELECT have.
func (z *analyzer) selectedRow(w *Write, into []int, columns []output) {
	if w.Kind != Inserts {
		return
	}
	t := w.Table
	row := []SetValue{}
	for i, o := range columns {
		v := SetValue{Column: into[i]}
		col := t.Columns[into[i]]
		switch {
		case col.Class == catalog.Opaque || col.Generated:
		case o.value != nil && z.fits(o.value, col.Class):
			v.Source = &o.value.Source
		case o.node != nil && o.node.class() == col.Class && len(o.node.m.optional) == 0:
			for _, term := range o.node.m.ref.Terms {
				if term.Column == o.node.column && term.Source.Unless == 0 {
					v.Source = &term.Source
				}
			}
		}
		v.Keep = v.Source != nil && col.NotNull
		row = append(row, v)
	}
	for c, col := range t.Columns {
		if !slices.Contains(into[:len(columns)], c) && !col.Default && !col.Generated && !col.NotNull {
			row = append(row, SetValue{Column: c, Null: true})
		}
	}
	w.Rows = [][]SetValue{without(knownValues(row), z.touched(t, Inserts))}
}

// without leaves out values of columns that a trigger sets.
func without(values []SetValue, touched catalog.Mask) []SetValue {
	return slices.DeleteFunc(values, func(v SetValue) bool { return catalog.Bit(v.Column)&touched != 0 })
}

// returning maps the columns of RETURNING to those of the table.
func (z *analyzer) returning(s *sqlparse.Statement, w *Write, sc *scope) {
	if s.Returning == nil {
		return
	}
	w.Returning = []int{}
	for i := range s.Returning {
		it := &s.Returning[i]
		if !it.Star {
			z.walk(it.X, sc, decides)
		}
	}
	for i := range s.Returning {
		it := &s.Returning[i]
		if it.Star {
			z.whole(sc.bindings[0])
			if z.severalOf(w.Table) || len(s.From) > 0 || it.Qualifier != "" && !z.same(unqualified(it.Qualifier), w.Alias) {
				w.partly = true // how many columns there are is not known
				return
			}
			for c := range w.Table.Columns {
				w.Returning = append(w.Returning, c)
			}
			continue
		}
		at := -1
		if c, ok := it.X.(*sqlparse.Column); ok && (c.Qualifier == "" || z.same(unqualified(c.Qualifier), w.Alias)) && c.Name != "*" {
			if i, ok := z.index(w.Table, c.Name); ok {
				at = i
			}
		}
		w.Returning = append(w.Returning, at)
	}
}

// where notes the text of the condition of a write whose rows can be asked for.
func (z *analyzer) where(s *sqlparse.Statement, text string) {
	for _, w := range z.out.Writes {
		if w.OwnRows && s.Where != nil {
			w.Where = strings.TrimSpace(text[s.WhereAt[0]:s.WhereAt[1]])
		}
	}
}
