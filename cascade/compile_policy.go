package cascade

import "github.com/vektah/gqlparser/v2/ast"

// noHint is what a field or type without @cacheControl has.
var noHint = cacheHint{maxAge: -1}

// policies gathers @cacheControl.
func (c *compiler) policies() {
	for _, def := range c.types() {
		if hint, given := c.hint(def.Directives); given {
			c.plan.typeHints[def.Name] = hint
		}
		if def.Kind != ast.Object && def.Kind != ast.Interface {
			continue
		}
		for _, f := range def.Fields {
			if hint, given := c.hint(f.Directives); given {
				c.plan.policies[fieldRef{def.Name, f.Name}] = hint
			}
		}
	}
	for _, def := range c.types() {
		if def.Kind == ast.Object {
			c.inheritHints(def)
		}
	}
}

// hint reads one @cacheControl. Type extensions may repeat it: then the strictest of each
// counts.
func (c *compiler) hint(list ast.DirectiveList) (hint cacheHint, given bool) {
	hint = noHint
	for _, u := range c.uses(list, dirCache) {
		given = true
		h := cacheHint{maxAge: u.integer("maxAge"), scope: c.scope(u), inheritAge: u.boolean("inheritMaxAge")}
		if h.maxAge >= 0 && h.inheritAge {
			c.faultf(u.dir.Position, "@%s has both maxAge and inheritMaxAge: leave one out", u.dir.Name)
		}
		hint.maxAge = lowerAge(hint.maxAge, h.maxAge)
		hint.scope = max(hint.scope, h.scope)
		hint.inheritAge = hint.inheritAge || h.inheritAge
	}
	return hint, given
}

func (c *compiler) scope(u use) scopeKind {
	v := u.value("scope")
	if v == nil {
		return scopeUnset
	}
	if v.Kind == ast.EnumValue {
		switch v.Raw {
		case "PUBLIC":
			return scopePublic
		case "PRIVATE":
			return scopePrivate
		}
	}
	c.faultf(u.place("scope", v), "scope of @%s must be PUBLIC or PRIVATE, without quotes, not %s", u.dir.Name, v)
	return scopeUnset
}

// inheritHints lets interfaces restrict what implements them: a client may have selected
// the field, or the object, through any of them. PUBLIC is a promise and is not
// inherited.
func (c *compiler) inheritHints(def *ast.Definition) {
	for _, name := range def.Interfaces {
		if c.plan.typeHint(name).scope == scopePrivate {
			hint := c.plan.typeHint(def.Name)
			hint.scope = scopePrivate
			c.plan.typeHints[def.Name] = hint
		}
	}
	for _, f := range def.Fields {
		ref := fieldRef{def.Name, f.Name}
		own := c.plan.fieldHint(ref)
		merged := own
		for _, name := range def.Interfaces {
			from := c.plan.fieldHint(fieldRef{name, f.Name})
			if from.scope == scopePrivate {
				merged.scope = scopePrivate
			}
			if own.maxAge < 0 && !own.inheritAge {
				merged.maxAge = lowerAge(merged.maxAge, from.maxAge)
				merged.inheritAge = merged.inheritAge || from.inheritAge
			}
		}
		if merged != noHint {
			c.plan.policies[ref] = merged
		}
	}
}

// lowerAge returns the lower of two maxAges, of which -1 is none.
func lowerAge(a, b int) int {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}
