package cascade

import (
	"fmt"
	"slices"
)

// consult notes a view, or a column of a view, that the caller's predicate looks at.
func (r *reader) consult(name string) error {
	p := r.o.plan
	if views := p.viewsNamed(name); len(views) > 0 {
		for _, v := range views {
			r.whole(v, AllColumns)
		}
		return nil
	}
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		v := p.viewNamed(name[:i])
		if v == nil {
			continue
		}
		if m, ok := v.column(name[i+1:]); ok {
			r.consultColumn(v, m)
			return nil
		}
	}
	return fmt.Errorf("cascade: no view or column %q: a predicate may read views of the schema and their columns", name)
}

// consultColumn notes a column on which it depends whether the caller sees a row. Rows of
// the answer have the column in their masks. But rows may also come into sight, in lists
// that do not compare the column and in what is derived from the view: any row's update
// is one of those.
func (r *reader) consultColumn(v *View, m Mask) {
	if r.consulted == nil {
		r.consulted = map[*View]Mask{}
	}
	r.consulted[v] |= m
	derived := func(w *View) bool { return slices.Contains(w.above, v) }
	if !slices.Contains(r.o.sets, v) && !slices.ContainsFunc(r.o.sets, derived) && !slices.ContainsFunc(r.o.rows, derived) {
		return
	}
	parts, n := readerParts(v, r.part)
	for _, p := range parts[:n] {
		r.add(r.b.rows(tagUpdate, v, p), m)
	}
}

// viewNamed returns the view of that name, or the first view of the type of that name.
func (p *Plan) viewNamed(name string) *View {
	if v := p.byName[name]; v != nil {
		return v
	}
	if vs := p.byType[name]; len(vs) > 0 {
		return vs[0]
	}
	return nil
}
