package cascade

import "slices"

// A Sight is what decides the value of one field at one position of an answer, as the
// schema declares it.
type Sight struct {
	Field string // Type.field
	// Views are those that the field reads. With Column, the field is that column of the
	// enclosing row, which comes from them.
	Views  []*View
	Column string
	// AtRuntime says that the field's resolvers say what it reads, beside Views.
	AtRuntime bool
}

// Sights tells what decides the value at a path of response names: of the field there,
// and of those around it, outwards. A key is left out: where one differs, there is
// another row, and what is around it decides which. depth is how many names of the path
// are fields; what is deeper is inside of a scalar.
func (o *Operation) Sights(path []string) (sights []Sight, depth int) {
	at := []int{o.Extract.Root.ID}
	for _, name := range path {
		var s Sight
		var below []int
		found := false
		for _, id := range at {
			sel := o.Extract.Selections[id]
			f := sel.Lookup(name)
			if f == nil {
				continue
			}
			found = true
			o.see(&s, id, f.ID)
			for _, on := range f.On {
				below = append(below, on.ID)
			}
		}
		if !found {
			break
		}
		depth++
		if s.AtRuntime || len(s.Views) > 0 && (s.Column == "" || s.Column != s.Views[0].key) {
			sights = append(sights, s)
		}
		at = below
	}
	slices.Reverse(sights)
	return sights, depth
}

// TypesAt returns the object types of the rows on the way to a path of response names, and
// of those that are selected there.
func (o *Operation) TypesAt(path []string) (types []string) {
	at := []int{o.Extract.Root.ID}
	for _, name := range path {
		var below []int
		for _, id := range at {
			if f := o.Extract.Selections[id].Lookup(name); f != nil {
				for _, on := range f.On {
					below = append(below, on.ID)
				}
			}
		}
		for _, id := range below {
			if typ := o.Extract.Selections[id].Object.Name; !slices.Contains(types, typ) {
				types = append(types, typ)
			}
		}
		at = below
	}
	return types
}

// see adds what decides a field of one selection. The types of an interface may each have
// views of their own.
func (o *Operation) see(s *Sight, selection, field int) {
	sel, f := o.Extract.Selections[selection], o.Extract.Fields[field]
	decl := o.plan.fields[fieldRef{sel.Object.Name, f.Definition.Name}]
	own := o.plan.byType[sel.Object.Name]
	switch {
	case f.Definition.Name == "__typename":
		return // like a key
	case decl != nil && decl.Declared:
		s.AtRuntime = s.AtRuntime || decl.AtRuntime
		for i := range decl.Reads {
			for _, v := range decl.Reads[i].Views {
				note(&s.Views, v)
			}
		}
	case len(own) > 0 && len(f.On) == 0:
		note(&s.Views, own[0])
		s.Column = f.Definition.Name
	default:
		return // a member of a page: what returned the page decides
	}
	if s.Field == "" {
		s.Field = sel.Object.Name + "." + f.Definition.Name
	}
}

// A Writer is one root field of a mutation operation with the views that it is declared
// to write.
type Writer struct {
	Field string // Mutation.field
	Views []*View
}

// Writers returns the root fields of a mutation that say what they write.
func (o *Operation) Writers() []Writer {
	var list []Writer
	for i := range o.roots {
		rw := &o.roots[i]
		if rw.mutation == nil {
			continue
		}
		w := Writer{Field: o.Extract.Root.Object.Name + "." + rw.field.Definition.Name}
		for j := range rw.mutation.Writes {
			note(&w.Views, rw.mutation.Writes[j].View)
		}
		list = append(list, w)
	}
	return list
}

// DerivedFrom says that changes of another view may reach this one through the view
// graph.
func (v *View) DerivedFrom(w *View) bool { return slices.Contains(v.above, w) }

// Names says that the event may have changed a column of its view.
func (e *Event) Names(column string) bool {
	m, ok := e.View.column(column)
	return !ok || e.Columns&(m|presence) != 0
}

// Mentions tells how the event is about a row or a value with this text: as the key of
// one of its rows (by the view's name), or as a value that a column had or has
// (view.column).
func (e *Event) Mentions(text string) (how []string) {
	if slices.Contains(e.Rows, text) {
		how = append(how, e.View.Name)
	}
	for _, known := range []Known{e.Old, e.New} {
		for _, c := range known {
			name := e.View.Name + "." + c.Column
			same := func(v Value) bool { return v.kind == valueText && v.text == text }
			if slices.ContainsFunc(c.Values, same) && !slices.Contains(how, name) {
				how = append(how, name)
			}
		}
	}
	return how
}

// Derived says that the view is declared to be derived from another.
func (v *View) Derived() bool { return len(v.in) > 0 }
