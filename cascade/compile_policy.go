package cascade

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// noHint is what a field or type without @cacheControl has.
var noHint = cacheHint{maxAge: -1, sMaxAge: -1, stale: -1}

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
		h := cacheHint{
			maxAge: u.integer("maxAge"), scope: c.scope(u), inheritAge: u.boolean("inheritMaxAge"),
			sMaxAge: u.integer("sMaxAge"), stale: u.integer("staleWhileRevalidate"), vary: c.headers(u),
		}
		switch {
		case h.sMaxAge > 0 && h.scope == scopePrivate:
			c.faultf(u.dir.Position, "@%s has sMaxAge and scope: PRIVATE: caches that many clients share have no private answers; leave one out", u.dir.Name)
		case h.maxAge == 0 && (h.sMaxAge > 0 || h.stale > 0):
			c.faultf(u.dir.Position, "@%s has maxAge: 0, so nothing is kept that sMaxAge or staleWhileRevalidate could be about: leave one out", u.dir.Name)
		case h.sMaxAge >= 0 && h.inheritAge:
			c.faultf(u.dir.Position, "@%s has both sMaxAge and inheritMaxAge: leave one out", u.dir.Name)
		}
		if h.maxAge >= 0 && h.inheritAge {
			c.faultf(u.dir.Position, "@%s has both maxAge and inheritMaxAge: leave one out", u.dir.Name)
		}
		hint.maxAge = lowerAge(hint.maxAge, h.maxAge)
		hint.scope = max(hint.scope, h.scope)
		hint.inheritAge = hint.inheritAge || h.inheritAge
		hint.sMaxAge, hint.stale = lowerAge(hint.sMaxAge, h.sMaxAge), lowerAge(hint.stale, h.stale)
		hint.vary = bothVary(hint.vary, h.vary)
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

// headers reads the names of header fields in vary.
func (c *compiler) headers(u use) (vary string) {
	names, _ := u.list("vary")
	if v := u.value("vary"); v != nil && v.Kind == ast.ListValue && len(v.Children) == 0 {
		c.faultf(u.dir.Position, "vary of @%s is empty: leave it out", u.dir.Name)
	}
	for _, name := range names {
		if !isHeader(name.text) {
			c.faultf(name.pos, "vary of @%s must name header fields of the request, such as \"Accept-Language\", not %q", u.dir.Name, name.text)
			continue
		}
		switch strings.ToLower(name.text) {
		case "host", "trailer", "transfer-encoding":
			c.faultf(name.pos, "vary of @%s names %q, which servers of net/http take out of the header, so that all requests would look alike: what depends on it belongs to Options.Vary", u.dir.Name, name.text)
			continue
		}
		vary = bothVary(vary, strings.ToLower(name.text)+"\n")
	}
	return vary
}

// isHeader says whether a text is the name of a header field: a token of HTTP, and not the
// asterisk, which stands for everything.
func isHeader(s string) bool {
	other := func(r rune) bool {
		letter := 'a' <= r|0x20 && r|0x20 <= 'z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}
	return s != "" && s != "*" && !strings.ContainsFunc(s, other)
}

// bothVary joins two lists of header fields.
func bothVary(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	names := slices.Collect(strings.Lines(a + b))
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "")
}

// inheritHints lets interfaces restrict what implements them: a client may have selected
// the field, or the object, through any of them. PUBLIC is a promise and is not
// inherited.
func (c *compiler) inheritHints(def *ast.Definition) {
	for _, name := range def.Interfaces {
		from, hint := c.plan.typeHint(name), c.plan.typeHint(def.Name)
		if from.scope == scopePrivate {
			hint.scope = scopePrivate
		}
		hint.vary = bothVary(hint.vary, from.vary)
		if hint != noHint {
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
			merged.vary = bothVary(merged.vary, from.vary)
			if own.sMaxAge < 0 && !own.inheritAge {
				merged.sMaxAge = lowerAge(merged.sMaxAge, from.sMaxAge)
			}
			if own.stale < 0 {
				merged.stale = lowerAge(merged.stale, from.stale)
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
