package cascade

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// columns gives bits to the columns that are declared: the key, the fields of the types,
// then what @view lists. Paths that only terms mention follow as they are met.
func (c *compiler) columns() {
	for _, v := range c.plan.views {
		c.checkKey(v)
		v.addColumn(v.key)
		info := c.infos[v]
		for _, def := range info.types {
			for _, f := range def.Fields {
				if c.isPlainLeaf(f) {
					c.addLeaf(v, f.Name, c.schema.Types[f.Type.Name()])
				}
			}
		}
		for _, d := range info.decls {
			c.declaredColumns(v, d)
		}
		for _, d := range info.decls {
			for _, name := range d.touched {
				if m, _, ok := c.column(v, name); ok {
					v.touched |= m
				}
			}
		}
	}
}

// checkKey makes sure that every type of a view has its key.
func (c *compiler) checkKey(v *View) {
	pos := v.pos
	if decls := c.infos[v].decls; len(decls) > 0 {
		pos = decls[0].key.pos
	}
	if names, err := parseColumn(v.key); err != nil || len(names) > 1 {
		c.faultf(pos, "the key %q of view %q is no name: name one field", v.key, v.Name)
		return
	}
	for _, def := range c.infos[v].types {
		f := def.Fields.ForName(v.key)
		switch {
		case f == nil:
			c.faultf(pos, "type %s has no field %s to be the key of view %q: name the field that identifies a row with key; %s", def.Name, v.key, v.Name, suggest(v.key, c.keyFields(def)))
		case f.Type.Elem != nil || !c.schema.Types[f.Type.Name()].IsLeafType():
			c.faultf(pos, "field %s.%s cannot be the key of view %q because it is %s: name a scalar or enum field with key", def.Name, v.key, v.Name, f.Type)
		case requiredArgument(f) != "":
			c.faultf(pos, "field %s.%s cannot be the key of view %q because it needs the argument %s: name another field with key", def.Name, v.key, v.Name, requiredArgument(f))
		}
	}
}

func (c *compiler) keyFields(def *ast.Definition) []string {
	var names []string
	for _, f := range def.Fields {
		if c.isPlainLeaf(f) && f.Type.Elem == nil {
			names = append(names, f.Name)
		}
	}
	return names
}

// declaredColumns adds what @view lists in columns.
func (c *compiler) declaredColumns(v *View, d *viewDecl) {
	seen := map[string]bool{}
	for _, name := range d.columns {
		parts, err := parseColumn(name.text)
		if err != nil {
			c.faultf(name.pos, "%v", err)
			continue
		}
		if seen[name.text] {
			c.faultf(name.pos, "column %s is listed twice: leave one out", name.text)
			continue
		}
		seen[name.text] = true
		_, known := v.columns[name.text]
		switch {
		case known && len(v.types) > 0:
			// A field of the type is a column anyway.
		case len(v.types) == 0:
			m := v.addColumn(name.text)
			if name.text != v.key {
				v.hidden |= m
			}
		case len(parts) > 1:
			c.column(v, name)
		default:
			if err := c.checkHidden(v, name.text); err != nil {
				c.faultf(name.pos, "%v", err)
				continue
			}
			v.hidden |= v.addColumn(name.text)
		}
	}
}

// checkHidden refuses to hide a field that has no bit: its changes would look like those
// of something that no client sees.
func (c *compiler) checkHidden(v *View, name string) error {
	for _, def := range c.infos[v].types {
		f := def.Fields.ForName(name)
		if f == nil {
			continue
		}
		if arg := requiredArgument(f); arg != "" {
			return fmt.Errorf("field %s.%s cannot be a column because it needs the argument %s: give the column another name", def.Name, name, arg)
		}
		return fmt.Errorf("field %s.%s cannot be a column because it is %s: name one of its scalars by a path such as %s.id", def.Name, name, f.Type, name)
	}
	return nil
}

// addLeaf adds a column whose value has a known type; two types for one column make it
// unknown.
func (c *compiler) addLeaf(v *View, name string, leaf *ast.Definition) Mask {
	leaves := c.infos[v].leaves
	if known, ok := leaves[name]; ok && known != leaf {
		leaf = nil
	}
	leaves[name] = leaf
	return v.addColumn(name)
}

// column resolves a column that a directive names, adding paths of fields; false after a
// fault.
func (c *compiler) column(v *View, name literal) (Mask, *ast.Definition, bool) {
	m, leaf, err := c.findColumn(v, name.text)
	if err != nil {
		c.faultf(name.pos, "%v", err)
		return 0, nil, false
	}
	return m, leaf, true
}

func (c *compiler) findColumn(v *View, name string) (Mask, *ast.Definition, error) {
	if m, ok := v.column(name); ok {
		return m, c.infos[v].leaves[name], nil
	}
	parts, err := parseColumn(name)
	if err != nil {
		return 0, nil, err
	}
	if len(parts) > 1 && len(v.types) > 0 {
		return c.pathColumn(v, name, parts)
	}
	hint := "declare it in columns of its " + c.at(dirView)
	if !v.explicit {
		hint = "give the type " + c.at(dirView) + " with this column"
	}
	return 0, nil, fmt.Errorf("view %q has no column %s: %s, or %s", v.Name, name, suggest(name, v.names), hint)
}

// pathColumn adds a path of fields that at least one type of the view has.
func (c *compiler) pathColumn(v *View, name string, parts []string) (m Mask, leaf *ast.Definition, err error) {
	for _, def := range c.infos[v].types {
		end, stepErr := c.fieldPath(def, nil, parts, "")
		if stepErr == nil && !end.def.IsLeafType() {
			stepErr = fmt.Errorf("the path %s ends at %s: go on to a scalar or enum", name, end.def.Name)
		}
		switch {
		case stepErr == nil:
			m = c.addLeaf(v, name, end.def)
		case err == nil:
			err = stepErr
		}
	}
	if m == 0 {
		return 0, nil, fmt.Errorf("view %q has no column %s: %w", v.Name, name, err)
	}
	return m, c.infos[v].leaves[name], nil
}

// mask resolves a list of columns.
func (c *compiler) mask(v *View, names []literal) Mask {
	var all Mask
	for _, name := range names {
		m, _, _ := c.column(v, name)
		all |= m
	}
	return all
}
