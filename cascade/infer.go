package cascade

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// infer declares what Options.Infer assumes for fields without @reads and mutations
// without @writes, as far as they return types with @view. What it cannot tell stays
// undeclared, which is safe.
func (c *compiler) infer() {
	if !c.opts.Infer {
		return
	}
	for _, def := range c.types() {
		if def.Kind != ast.Object || def == c.schema.Mutation || def == c.schema.Subscription {
			continue
		}
		if v := c.explicitView(def); v != nil || def == c.schema.Query {
			for _, f := range def.Fields {
				c.inferField(def, v, f)
			}
		}
	}
	if c.schema.Mutation != nil {
		for _, f := range c.schema.Mutation.Fields {
			c.inferMutation(f)
		}
	}
}

// explicitView returns the primary view of a type with @view, or nil.
func (c *compiler) explicitView(def *ast.Definition) *View {
	if vs := c.plan.byType[def.Name]; len(vs) > 0 && vs[0].explicit {
		return vs[0]
	}
	return nil
}

// inferField lets a reference read the row that it returns, and everything else that
// returns rows the whole views of these.
func (c *compiler) inferField(def *ast.Definition, parent *View, f *ast.FieldDefinition) {
	ref := fieldRef{def.Name, f.Name}
	target := c.schema.Types[f.Type.Name()]
	if c.plan.fields[ref] != nil || strings.HasPrefix(f.Name, "__") || !target.IsCompositeType() {
		return
	}
	if to := c.explicitView(target); parent != nil && to != nil && f.Type.Elem == nil && len(f.Arguments) == 0 {
		// which row it is depends on a column of the parent, called like the reference
		if _, _, err := c.findColumn(parent, f.Name+"."+to.key); err == nil {
			c.plan.fields[ref] = &fieldDecl{Declared: true, Reads: []readDecl{{
				Views: []*View{to}, Kind: readRow, pos: f.Position,
				Row: c.inferredRow(site{owner: def, field: f}, operandDecl{Kind: fromParent, Path: []string{f.Name, to.key}}),
			}}}
			return
		}
	}
	places, ok := c.rowsBelow(target, nil, nil)
	if !ok || len(places) == 0 {
		return
	}
	field := &fieldDecl{Declared: true}
	for _, p := range places {
		if slices.ContainsFunc(field.Reads, func(r readDecl) bool { return r.Views[0] == p.view }) {
			continue
		}
		field.Reads = append(field.Reads, readDecl{Views: []*View{p.view}, Using: AllColumns, pos: f.Position})
		c.wheres = append(c.wheres, whereRead{view: p.view, using: AllColumns})
	}
	c.plan.fields[ref] = field
}

// inferMutation lets a mutation write the rows that it returns, and no others.
func (c *compiler) inferMutation(f *ast.FieldDefinition) {
	target := c.schema.Types[f.Type.Name()]
	if c.plan.mutations[f.Name] != nil || strings.HasPrefix(f.Name, "__") || !target.IsCompositeType() {
		return
	}
	places, ok := c.rowsBelow(target, nil, nil)
	if !ok || len(places) == 0 {
		return
	}
	m := &mutationDecl{}
	for _, p := range places {
		row := c.inferredRow(site{field: f}, operandDecl{Kind: fromResult, Path: append(slices.Clone(p.path), p.view.key)})
		w := writeDecl{View: p.view, Columns: AllColumns, pos: f.Position, Row: &row}
		if strings.HasPrefix(f.Name, "update") && len(places) == 1 {
			c.inferColumns(&w, f)
		}
		m.Writes = append(m.Writes, w)
	}
	c.plan.mutations[f.Name] = m
}

// inferredRow returns a row's operand, without a value where a written one would have
// none.
func (c *compiler) inferredRow(s site, op operandDecl) operandDecl {
	op.unknown = c.operandChange(s, op) != ""
	return op
}

// inferColumns makes an update of what is written when the arguments name the columns:
// those called like an argument, and those that are set in an input.
func (c *compiler) inferColumns(w *writeDecl, f *ast.FieldDefinition) {
	columns, from := w.View.touched, []columnsFrom(nil)
	for _, arg := range f.Arguments {
		def := c.schema.Types[arg.Type.Name()]
		switch {
		case arg.Name == w.View.key:
		case def.Kind == ast.InputObject:
			if c.plan.rules.argumentChange(c.schema, f, []string{arg.Name}) != "" {
				return
			}
			from = append(from, c.columnsFrom(w.View, []string{arg.Name}, def))
		default:
			m, _, err := c.findColumn(w.View, arg.Name)
			if err != nil {
				return
			}
			columns |= m
		}
	}
	if columns != w.View.touched || len(from) > 0 {
		w.Op, w.Columns, w.ColumnsFrom = Update, columns, from
	}
}

// A rowPlace is where a value of some type has rows: the path of fields to them.
type rowPlace struct {
	view *View
	path []string
}

// rowsBelow finds the rows in a value: the value itself, or what types without rows hold.
// ok is false when some of them have no @view.
func (c *compiler) rowsBelow(def *ast.Definition, path []string, inside []*ast.Definition) (places []rowPlace, ok bool) {
	if slices.Contains(inside, def) {
		return nil, true
	}
	for _, object := range c.objects(def) {
		if v := c.explicitView(object); v != nil {
			places = append(places, rowPlace{v, path})
			continue
		}
		if len(c.plan.byType[object.Name]) > 0 || def.IsAbstractType() && len(path) > 0 {
			return nil, false
		}
		for _, f := range object.Fields {
			inner := c.schema.Types[f.Type.Name()]
			if !inner.IsCompositeType() || strings.HasPrefix(f.Name, "__") {
				continue
			}
			below, ok := c.rowsBelow(inner, append(slices.Clone(path), f.Name), append(slices.Clone(inside), def))
			if !ok {
				return nil, false
			}
			places = append(places, below...)
		}
	}
	return places, true
}
