package cascade

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A viewDecl is one @view.
type viewDecl struct {
	name, key           literal
	hasKey              bool
	columns, touched    []literal
	static, partitioned bool
	table               literal
	decides             []literal
	hasDecides          bool
	pos                 *ast.Position
	// bound is set once a type, or the schema, has the view.
	bound bool
}

// A viewInfo is what only the compiler needs to know of a view.
type viewInfo struct {
	decls []*viewDecl
	types []*ast.Definition // as View.Types
	// leaves are the types of the columns' values; nil for those not known.
	leaves map[string]*ast.Definition
}

// views finds the views and their types and gives them their ids, by name.
func (c *compiler) views() {
	decls := map[string][]*viewDecl{}
	for _, def := range c.types() {
		decls[def.Name] = c.viewDecls(def.Directives)
		if key := keyOfEntity(def); key != "" {
			for _, d := range decls[def.Name] {
				if !d.hasKey {
					d.key.text = key
				}
			}
		}
		if c.isRoot(def) {
			for _, d := range decls[def.Name] {
				c.faultf(d.pos, "type %s is a root type and has no rows: remove its %s", def.Name, c.at(dirView))
			}
		}
	}
	for _, def := range c.types() {
		if def.Kind == ast.Object && !c.isRoot(def) {
			c.bindType(def, decls)
		}
	}
	for _, def := range c.types() {
		for _, d := range decls[def.Name] {
			if def.Kind == ast.Interface && !d.bound {
				c.faultf(d.pos, "no type has the view %q: every type of %s has its own %s, so remove this one", d.name.text, def.Name, c.at(dirView))
			}
		}
	}
	c.schemaViews()
	c.implicitViews()
	slices.SortFunc(c.plan.views, func(a, b *View) int { return strings.Compare(a.Name, b.Name) })
	for i, v := range c.plan.views {
		v.id = i
	}
	c.checkViewNames()
}

func (c *compiler) viewDecls(list ast.DirectiveList) []*viewDecl {
	var decls []*viewDecl
	for _, u := range c.uses(list, dirView) {
		d := &viewDecl{pos: u.dir.Position, static: u.boolean("static"), partitioned: u.boolean("partitioned")}
		d.key, _ = u.str("key")
		d.hasKey = u.dir.Arguments.ForName("key") != nil
		d.columns, _ = u.list("columns")
		d.touched, _ = u.list("touched")
		d.table, _ = u.str("table")
		d.decides, d.hasDecides = u.list("decides")
		if d.key.text == "" {
			d.key.text = defaultKey
		}
		var ok bool
		if d.name, ok = u.required("name"); !ok {
			continue
		}
		if strings.TrimSpace(d.name.text) != d.name.text {
			c.faultf(d.name.pos, "the view's name %q begins or ends with white space: remove it", d.name.text)
			continue
		}
		if slices.ContainsFunc(decls, func(o *viewDecl) bool { return o.name.text == d.name.text }) {
			c.faultf(d.name.pos, "view %q is named twice here: leave one out", d.name.text)
			continue
		}
		decls = append(decls, d)
	}
	return decls
}

// bindType gives an object type its own views, or else those of its interfaces.
func (c *compiler) bindType(def *ast.Definition, decls map[string][]*viewDecl) {
	own := decls[def.Name]
	if len(own) == 0 {
		for _, name := range def.Interfaces {
			own = append(own, decls[name]...)
		}
	}
	for _, d := range own {
		d.bound = true
		v := c.plan.byName[d.name.text]
		if v == nil {
			v = c.addView(&View{
				Name: d.name.text, key: d.key.text, explicit: true,
				static: d.static, Partitioned: d.partitioned, pos: d.pos,
			})
		}
		c.checkAgreement(v, d)
		v.addTable(d, len(c.infos[v].decls) == 0)
		c.addType(v, def)
		if info := c.infos[v]; !slices.Contains(info.decls, d) {
			info.decls = append(info.decls, d)
		}
	}
}

// addTable adds what a declaration says of the table. What decides adds up, and is known
// only where every declaration says it.
func (v *View) addTable(d *viewDecl, first bool) {
	if d.table.text != "" {
		v.Table = d.table.text
	}
	if first {
		v.HasDecides = d.hasDecides
	}
	v.HasDecides = v.HasDecides && d.hasDecides
	for _, name := range d.decides {
		v.Decides = append(v.Decides, name.text)
	}
}

// checkAgreement compares a declaration with the first one of the same view. Columns and
// touched may differ: they add up.
func (c *compiler) checkAgreement(v *View, d *viewDecl) {
	first := newFault(v.pos, "").place()
	if v.key != d.key.text {
		c.faultf(d.key.pos, "view %q has the key %q here and %q at %s: give it one key", v.Name, d.key.text, v.key, first)
	}
	if v.Table != "" && d.table.text != "" && v.Table != d.table.text {
		c.faultf(d.table.pos, "view %q is the table %q here and %q at %s: give it one table", v.Name, d.table.text, v.Table, first)
	}
	if v.static != d.static {
		c.faultf(d.pos, "view %q is static in one declaration and not in the other, at %s: let them agree", v.Name, first)
	}
	if v.Partitioned != d.partitioned {
		c.faultf(d.pos, "view %q is partitioned in one declaration and not in the other, at %s: let them agree", v.Name, first)
	}
}

func (c *compiler) schemaViews() {
	for _, d := range c.viewDecls(c.schema.SchemaDirectives) {
		if v := c.plan.byName[d.name.text]; v != nil {
			c.faultf(d.name.pos, "view %q is already that of type %s: remove it from the schema", v.Name, strings.Join(v.types, ", "))
			continue
		}
		v := c.addView(&View{
			Name: d.name.text, key: d.key.text, explicit: true,
			static: d.static, Partitioned: d.partitioned, pos: d.pos,
		})
		v.addTable(d, true)
		c.infos[v].decls = []*viewDecl{d}
	}
}

// implicitViews gives a view to the object types that have a field id and no @view.
func (c *compiler) implicitViews() {
	for _, def := range c.types() {
		if def.Kind != ast.Object || def.BuiltIn || c.isRoot(def) || len(c.plan.byType[def.Name]) > 0 {
			continue
		}
		if f := def.Fields.ForName("id"); f == nil || !c.isPlainLeaf(f) || f.Type.Elem != nil {
			continue
		}
		// A view of that name on another type is a fault, see checkViewNames.
		if c.plan.byName[def.Name] == nil {
			c.addType(c.addView(&View{Name: def.Name, key: "id", pos: def.Position}), def)
		}
	}
}

// checkViewNames refuses views that are called like a type which has another view, or
// none: naming it in a directive would be ambiguous.
func (c *compiler) checkViewNames() {
	for _, v := range c.plan.views {
		def := c.schema.Types[v.Name]
		if !v.explicit || def == nil || !def.IsCompositeType() {
			continue
		}
		if views, _ := c.typeViews(def); len(views) != 1 || views[0] != v {
			c.faultf(c.infos[v].decls[0].name.pos, "view %q is called like the type %s, whose rows are not its: choose another name", v.Name, def.Name)
		}
	}
}

func (c *compiler) addView(v *View) *View {
	c.plan.views = append(c.plan.views, v)
	c.plan.byName[v.Name] = v
	c.infos[v] = &viewInfo{leaves: map[string]*ast.Definition{}}
	return v
}

func (c *compiler) addType(v *View, def *ast.Definition) {
	if slices.Contains(c.plan.byType[def.Name], v) {
		return
	}
	v.types = append(v.types, def.Name)
	c.infos[v].types = append(c.infos[v].types, def)
	c.plan.byType[def.Name] = append(c.plan.byType[def.Name], v)
}

// typeViews returns the primary views of the object types that a composite type stands
// for, and the object types that have none.
func (c *compiler) typeViews(def *ast.Definition) (views []*View, without []string) {
	for _, object := range c.objects(def) {
		of := c.plan.byType[object.Name]
		if len(of) == 0 {
			without = append(without, object.Name)
		} else if !slices.Contains(views, of[0]) {
			views = append(views, of[0])
		}
	}
	return views, without
}

// lookup resolves the name of a view or a type to views: several for an abstract type
// only.
func (c *compiler) lookup(name string) ([]*View, error) {
	if v := c.plan.byName[name]; v != nil {
		return []*View{v}, nil
	}
	def := c.schema.Types[name]
	if def == nil || !def.IsCompositeType() || c.isRoot(def) || strings.HasPrefix(name, "__") {
		known := make([]string, 0, len(c.plan.views))
		for _, v := range c.plan.views {
			known = append(known, v.Name)
		}
		for typ := range c.plan.byType {
			if c.plan.byName[typ] == nil {
				known = append(known, typ)
			}
		}
		slices.Sort(known)
		return nil, fmt.Errorf("there is no view or type %q: %s", name, suggest(name, known))
	}
	views, without := c.typeViews(def)
	switch {
	case len(without) > 0:
		return nil, fmt.Errorf("type %s has no view: give it %s", strings.Join(without, ", "), c.at(dirView))
	case len(views) == 0:
		return nil, fmt.Errorf("no type implements %s, so there are no rows: name another view", name)
	}
	return views, nil
}

// lookupOne resolves a name where exactly one view makes sense.
func (c *compiler) lookupOne(name literal) *View {
	views, err := c.lookup(name.text)
	if err != nil {
		c.faultf(name.pos, "%v", err)
		return nil
	}
	if len(views) > 1 {
		names := make([]string, len(views))
		for i, v := range views {
			names[i] = v.Name
		}
		c.faultf(name.pos, "%s stands for several views (%s): only %s with row can name it, so name one of them", name.text, strings.Join(names, ", "), c.at(dirReads))
		return nil
	}
	return views[0]
}
