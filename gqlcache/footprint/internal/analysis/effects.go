package analysis

import (
	"slices"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A Child is what a foreign key of a table does when rows that it refers to change: the
// row of Table whose Key.Columns are the old values of Key.RefColumns is deleted, or
// updated in Changed. An action with Kind Any may do either.
type Child struct {
	Table   *catalog.Table
	Key     *catalog.ForeignKey
	Action  catalog.Action
	Kind    WriteKind
	Changed catalog.Mask
}

// Children returns what foreign keys do when rows of a table are written. changed are the
// columns of Updates. It follows one level: a child has children of its own. Triggers of
// children are not in it, but a child of Updates has all columns changed where a trigger
// may set more of them.
func Children(t *catalog.Table, kind WriteKind, changed catalog.Mask) []Child {
	var out []Child
	if kind == Inserts {
		return nil
	}
	for _, r := range t.Referring {
		if kind == Deletes || kind == Any {
			out = appendChild(out, r, r.Key.OnDelete, Deletes, kind)
		}
		if kind == Updates || kind == Any {
			var key catalog.Mask
			for _, c := range r.Key.RefColumns {
				key |= catalog.Bit(c)
			}
			if kind == Any || key&changed != 0 || key == 0 {
				out = appendChild(out, r, r.Key.OnUpdate, Updates, kind)
			}
		}
	}
	return out
}

func appendChild(out []Child, r catalog.Referring, action catalog.Action, cascade, parent WriteKind) []Child {
	if action == catalog.NoAction {
		return out
	}
	c := Child{Table: r.Table, Key: r.Key, Action: action, Kind: Updates}
	switch {
	case parent == Any:
		c.Kind, c.Changed = Any, catalog.All
		if slices.ContainsFunc(out, func(o Child) bool { return o.Table == c.Table }) {
			return out
		}
	case action == catalog.Cascade && cascade == Deletes:
		c.Kind = Deletes
	default:
		c.Changed = generated(r.Table)
		for _, i := range r.Key.Columns {
			c.Changed |= catalog.Bit(i)
		}
		if slices.ContainsFunc(r.Table.Triggers, func(t catalog.Trigger) bool { return t.Update }) {
			c.Changed = catalog.All
		}
	}
	return append(out, c)
}

// An effect is a write that was followed.
type effect struct {
	table   *catalog.Table
	kind    WriteKind
	changed catalog.Mask
	in      In
	astray  bool
}

// follow notes what triggers and foreign keys do when a table is written. Rows that
// foreign keys write are told by Children; those of a write of any rows are noted here.
func (z *analyzer) follow(t *catalog.Table, kind WriteKind, changed catalog.Mask, in In) {
	e := effect{t, kind, changed, in, z.astray > 0}
	if slices.Contains(z.followed, e) {
		return
	}
	z.followed = append(z.followed, e)
	if t.Rules || t.Virtual && !t.Contained || t.ForeignData || slices.ContainsFunc(t.Triggers, func(t catalog.Trigger) bool { return t.Instead }) {
		fail("what a write of %s does is not known", t.Name)
	}
	for i := range t.Triggers {
		if tr := &t.Triggers[i]; fires(tr, kind) {
			z.trigger(t, tr)
		}
	}
	z.astray++ // a foreign key acts as the owner of the table
	defer func() { z.astray-- }()
	for _, c := range Children(t, kind, changed) {
		if kind == Any || c.Table.Replaces && c.Kind == Updates {
			z.any(c.Table, beside(t, c.Table, c.Key, in))
			continue
		}
		z.follow(c.Table, c.Kind, c.Changed, beside(t, c.Table, c.Key, in))
	}
}

// fires reports whether a write fires a trigger.
func fires(t *catalog.Trigger, kind WriteKind) bool {
	switch kind {
	case Inserts:
		return t.Insert
	case Updates:
		return t.Update
	case Deletes:
		return t.Delete
	}
	return true
}

// beside says which schema's the rows are of a table that refers to another one, whose rows
// are those of in.
func beside(t, child *catalog.Table, key *catalog.ForeignKey, in In) In {
	if child.Ambiguous && (!t.Ambiguous || !key.Same) {
		return In{Elsewhere: true}
	}
	return in
}

// any notes that rows of a table may be written in any way, and what follows from it.
func (z *analyzer) any(t *catalog.Table, in In) {
	if !t.Ambiguous {
		in = In{}
	}
	if !slices.ContainsFunc(z.out.Writes, func(w *Write) bool { return w.Table == t && w.Kind == Any && w.noted && w.In == in }) {
		z.out.Writes = append(z.out.Writes, &Write{Table: t, Kind: Any, In: in, Changed: catalog.All, noted: true})
	}
	z.follow(t, Any, catalog.All, in)
}
