package cascade

import (
	"fmt"
	"strings"
)

// edges reads @dependsOn and refuses cycles.
func (c *compiler) edges() {
	for _, def := range c.types() {
		uses := c.uses(def.Directives, dirDependsOn)
		if len(uses) == 0 {
			continue
		}
		views, without := c.typeViews(def)
		if c.isRoot(def) || len(without) > 0 || len(views) == 0 {
			if len(without) == 0 {
				without = []string{def.Name}
			}
			c.faultf(uses[0].dir.Position, "type %s has no view that could depend on another: give it %s", strings.Join(without, ", "), c.at(dirView))
			continue
		}
		for _, u := range uses {
			if view, ok := u.str("view"); ok {
				c.faultf(view.pos, "view is for @%s on the schema: here it is the view of %s, so leave it out", u.dir.Name, def.Name)
				continue
			}
			for _, to := range views {
				c.edge(u, to)
			}
		}
	}
	for _, u := range c.uses(c.schema.SchemaDirectives, dirDependsOn) {
		name, ok := u.str("view")
		switch {
		case ok:
			if to := c.lookupOne(name); to != nil {
				c.edge(u, to)
			}
		case u.value("view") == nil:
			c.faultf(u.dir.Position, "@%s on the schema needs view: name the view that depends on another", u.dir.Name)
		}
	}
	c.refuseCycles()
}

func (c *compiler) edge(u use, to *View) {
	on, ok := u.required("on")
	if !ok {
		return
	}
	from := c.lookupOne(on)
	if from == nil {
		return
	}
	if to.static {
		c.faultf(u.dir.Position, "view %q is static and cannot depend on %q: remove static or the dependency", to.Name, from.Name)
		return
	}
	e := &edge{from: from, to: to, using: AllColumns, pos: u.dir.Position}
	if using, given := u.list("using"); given {
		e.using = c.mask(from, using)
	}
	if key, given := u.str("key"); given {
		m, _, ok := c.column(from, key)
		if !ok {
			return
		}
		e.key = key.text
		e.using |= m
		if why := c.vagueEdge(from, key.text); why != "" {
			e.key = "" // the value tells no row: any may follow
			c.plan.vagues = append(c.plan.vagues, vague{to.Name, fmt.Sprintf("the key %q", key.text), why, key.pos})
		}
	}
	for _, other := range from.out {
		if other.to == to && other.key == e.key {
			other.using |= e.using
			return
		}
	}
	from.out = append(from.out, e)
	to.in = append(to.in, e)
}

// refuseCycles names every cycle of dependencies once. Along one, a change would cascade
// forever.
func (c *compiler) refuseCycles() {
	const (
		open = iota + 1
		done
	)
	state := map[*View]int{}
	var path []*View
	var visit func(*View)
	visit = func(v *View) {
		state[v] = open
		path = append(path, v)
		for _, e := range v.out {
			switch state[e.to] {
			case open:
				c.faultf(e.pos, "%s: break the cycle by removing a %s, for instance this one", cycleText(path, e.to), c.at(dirDependsOn))
			case 0:
				visit(e.to)
			}
		}
		path = path[:len(path)-1]
		state[v] = done
	}
	for _, v := range c.plan.views {
		if state[v] == 0 {
			visit(v)
		}
	}
}

// cycleText describes the cycle that ends a path where it comes back to one of its views.
func cycleText(path []*View, back *View) string {
	start := len(path) - 1
	for path[start] != back {
		start--
	}
	var names []string
	for _, v := range path[start:] {
		names = append(names, v.Name)
	}
	return fmt.Sprintf("views depend on themselves: a change of %s -> %s", strings.Join(names, " -> "), back.Name)
}

// markWritten follows writes to the views derived from what is written.
func (c *compiler) markWritten() {
	var mark func(*View)
	mark = func(v *View) {
		if v.written {
			return
		}
		v.written = true
		for _, e := range v.out {
			mark(e.to)
		}
	}
	for _, name := range c.opts.Versioned {
		views := c.plan.viewsNamed(name)
		if len(views) == 0 {
			c.faultf(nil, "Options.Versions names %s, which is no view and no type with one", name)
		}
		for _, v := range views {
			mark(v)
		}
	}
	for _, m := range c.plan.mutations {
		for _, w := range m.Writes {
			mark(w.View)
		}
	}
}
