package cascade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A whereRead is what the shapes of a view are made from.
type whereRead struct {
	view     *View
	columns  []string // sorted
	optional map[string]bool
	nullable Mask // the optional ones that may be null
	using    Mask
	order    *order
}

// fields reads @reads and @writes.
func (c *compiler) fields() {
	for _, def := range c.types() {
		if def.Kind != ast.Object && def.Kind != ast.Interface {
			continue
		}
		for _, f := range def.Fields {
			if uses := c.uses(f.Directives, dirReads); len(uses) > 0 {
				c.readsOf(def, f, uses)
			}
			if uses := c.uses(f.Directives, dirWrites); len(uses) > 0 {
				c.writesOf(def, f, uses)
			}
		}
	}
	for _, def := range c.types() {
		if def.Kind == ast.Interface {
			c.inheritReads(def)
		}
	}
	for _, f := range c.plan.fields {
		for i := range f.Reads {
			if f.AtRuntime { // see readsOf: of one interface may come what another one forbids
				f.Reads[i].Limit, f.Reads[i].Offset, f.Reads[i].Appends, f.Reads[i].order = nil, nil, false, nil
			}
		}
	}
}

func (c *compiler) readsOf(def *ast.Definition, f *ast.FieldDefinition, uses []use) {
	if c.isRoot(def) && def != c.schema.Query {
		c.faultf(uses[0].dir.Position, "%s.%s cannot have @%s: only answers of queries are kept, so remove it", def.Name, f.Name, uses[0].dir.Name)
		return
	}
	field := &fieldDecl{Declared: true}
	for _, u := range uses {
		if u.boolean("atRuntime") {
			c.readsAtRuntime(u)
			field.AtRuntime = true
			continue
		}
		if r, ok := c.read(u, site{owner: def, field: f}); ok {
			field.Reads = append(field.Reads, r)
		}
	}
	for i := range field.Reads {
		if r := &field.Reads[i]; field.AtRuntime && (r.Limit != nil || r.order != nil) {
			c.faultf(r.pos, "limit and order say which rows a list has, and with atRuntime it has others: leave them out")
		}
	}
	c.plan.fields[fieldRef{def.Name, f.Name}] = field
}

// readsAtRuntime checks an @reads(atRuntime: true).
func (c *compiler) readsAtRuntime(u use) {
	for _, arg := range u.dir.Arguments {
		if arg.Name != "atRuntime" && u.value(arg.Name) != nil {
			c.faultf(u.place(arg.Name, arg.Value), "%s says what is read, and with atRuntime the resolver says that: leave it out, or write two @%s", arg.Name, u.dir.Name)
		}
	}
}

func (c *compiler) read(u use, s site) (readDecl, bool) {
	r := readDecl{Using: AllColumns, pos: u.dir.Position}
	if u.value("view") == nil {
		c.faultf(u.dir.Position, "@%s needs view, or atRuntime: true where the resolver says what it reads", u.dir.Name)
		return r, false
	}
	name, ok := u.required("view")
	if !ok {
		return r, false
	}
	using, hasUsing := u.list("using")
	if u.value("row") != nil {
		return c.rowRead(u, s, name, hasUsing)
	}
	v := c.lookupOne(name)
	if v == nil {
		return r, false
	}
	terms, optional, vague := c.where(u, s, v)
	r.Views, r.Where = []*View{v}, terms
	if hasUsing {
		r.Using = c.mask(v, using) | vague
	}
	c.window(u, s, &r)
	c.order(u, s, v, &r)
	w := whereRead{order: r.order, view: v, optional: map[string]bool{}, using: r.Using}
	for _, term := range terms {
		w.columns = append(w.columns, term.shapeColumn())
		if term.nullable && optional[term.Column] {
			m, _ := v.column(term.Column)
			w.nullable |= m
		}
		if optional[term.Column] {
			w.optional[term.shapeColumn()] = true
		}
	}
	c.wheres = append(c.wheres, w)
	return r, true
}

// window compiles limit, offset and appends.
func (c *compiler) window(u use, s site, r *readDecl) {
	r.Limit, r.Offset, r.Appends = c.count(u, s, "limit"), c.count(u, s, "offset"), u.boolean("appends")
	def := c.schema.Types[s.field.Type.Name()]
	switch {
	case r.Limit == nil:
		for _, name := range [...]string{"offset", "appends"} {
			if v := u.value(name); v != nil && u.dir.Arguments.ForName(name) != nil && u.value("limit") == nil {
				c.faultf(u.place(name, v), "%s needs limit: without it nothing is known of the list's order", name)
			}
		}
	case s.field.Type.Elem == nil || s.field.Type.Elem.Elem != nil || !def.IsCompositeType():
		c.faultf(u.place("limit", u.value("limit")), "limit is for fields that return a list of rows: leave it out, %s is %s", s.field.Name, s.field.Type)
		r.Limit = nil
	}
}

// count compiles an argument that is a path to a whole number.
func (c *compiler) count(u use, s site, name string) *operandDecl {
	text, ok := u.str(name)
	if !ok {
		return nil
	}
	op, err := parsePath(text.text)
	if err == nil && op.Kind != fromArgs {
		err = fmt.Errorf("%s is a path that starts at args, such as args.%s", name, name)
	}
	var end pathEnd
	if err == nil {
		end, err = c.leafPath(s, op)
	}
	if err == nil && end.def.Name != "Int" {
		err = fmt.Errorf("the path %s ends at %s: %s is a whole number, so name an Int", text.text, end.def.Name, name)
	}
	if err != nil {
		c.faultf(text.pos, "%v", err)
		return nil
	}
	op.unknown = c.operandChange(s, op) != ""
	return &op
}

func (c *compiler) rowRead(u use, s site, name literal, hasUsing bool) (readDecl, bool) {
	r := readDecl{Kind: readRow, pos: u.dir.Position}
	if where := u.value("where"); where != nil {
		c.faultf(u.place("where", where), "a read is one row or the rows of where: leave row or where out, or write two @%s", u.dir.Name)
	}
	if hasUsing {
		c.faultf(u.place("using", u.value("using")), "using is for where and whole views: a read of one row depends on the columns selected, so leave it out")
	}
	for _, arg := range [...]string{"limit", "offset", "order"} {
		if v := u.value(arg); v != nil {
			c.faultf(u.place(arg, v), "%s is for where and whole views: a read of one row has none, so leave it out", arg)
		}
	}
	views, err := c.lookup(name.text)
	if err != nil {
		c.faultf(name.pos, "%v", err)
	}
	op, _, ok := c.row(u, s)
	r.Views, r.Row = views, op
	return r, ok && err == nil
}

// inheritReads gives the reads of an interface's fields to the fields of its types that
// declare none. Several interfaces add up.
func (c *compiler) inheritReads(def *ast.Definition) {
	for _, f := range def.Fields {
		declared := c.plan.fields[fieldRef{def.Name, f.Name}]
		if declared == nil {
			continue
		}
		for _, object := range c.objects(def) {
			own := object.Fields.ForName(f.Name)
			if own == nil || len(c.uses(own.Directives, dirReads)) > 0 {
				continue
			}
			// What a path from parent means on a root type, which has none, is not known:
			// such a field stays undeclared.
			if c.isRoot(object) && (object != c.schema.Query || slices.ContainsFunc(declared.Reads, readsParent)) {
				continue
			}
			ref := fieldRef{object.Name, f.Name}
			merged := &fieldDecl{Declared: true, AtRuntime: declared.AtRuntime}
			if before := c.plan.fields[ref]; before != nil {
				merged.Reads = slices.Clone(before.Reads)
				merged.AtRuntime = merged.AtRuntime || before.AtRuntime
			}
			merged.Reads = append(merged.Reads, declared.Reads...)
			c.plan.fields[ref] = merged
		}
	}
}

func readsParent(r readDecl) bool {
	return r.Kind == readRow && r.Row.Kind == fromParent ||
		slices.ContainsFunc(r.Where, func(t termDecl) bool { return t.Operand.Kind == fromParent })
}

// inferReads declares query fields that look a row up by its key: one argument, called
// like the key of the object type returned.
func (c *compiler) inferReads() {
	query := c.schema.Query
	if query == nil || query.Kind != ast.Object {
		return
	}
	for _, f := range query.Fields {
		ref := fieldRef{query.Name, f.Name}
		if c.plan.fields[ref] != nil || len(f.Arguments) != 1 || f.Type.Elem != nil || strings.HasPrefix(f.Name, "__") {
			continue
		}
		arg := f.Arguments[0]
		views := c.plan.byType[f.Type.NamedType]
		argType := c.schema.Types[arg.Type.Name()]
		if len(views) == 0 || arg.Type.Elem != nil || !argType.IsLeafType() {
			continue
		}
		// A type with several views is joined from them: the row may be absent because
		// one of them lacks it, which only a common key can track.
		if slices.ContainsFunc(views, func(v *View) bool { return !v.explicit || v.key != arg.Name }) {
			continue
		}
		unknown := c.plan.rules.argumentChange(c.schema, f, []string{arg.Name}) != "" ||
			views[0].opaqueKey == "" && c.plan.rules.incomparable(argType) != ""
		if unknown {
			why := cmp.Or(c.plan.rules.argumentChange(c.schema, f, []string{arg.Name}), c.plan.rules.incomparable(argType))
			c.vaguef(site{owner: query, field: f}, f.Position, why, "the argument %s", arg.Name)
		}
		c.plan.fields[ref] = &fieldDecl{Declared: true, Reads: []readDecl{{
			Views: slices.Clone(views), Kind: readRow, Inferred: true, pos: f.Position,
			Row: operandDecl{Kind: fromArgs, Path: []string{arg.Name}, unknown: unknown},
		}}}
	}
}
