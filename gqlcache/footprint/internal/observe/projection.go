package observe

import (
	"slices"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A Projection is a promise of what a computation makes of the columns of a table that a
// statement returns: it shows Shown, and its code decides by Decides. A change of another
// column leaves the answer as it is. The promise is about columns that the result has as
// they are. What a statement compares, groups or sorts by, and what it computes with,
// always matters.
//
// Code decides by a column when it hides rows, sorts them, counts them or computes a value
// by it, for whatever field of the answer.
type Projection struct {
	Table string
	// Shown and Decides have names of columns. Same reports whether a column has one of
	// them.
	Shown, Decides []string
	Same           func(column, name string) bool
}

// columns returns the columns of a table that do not matter, and the first of Decides that
// is no column of it. A name that is no column's hides nothing: the value may be made of
// any column.
func (p *Projection) columns(t *catalog.Table) (hidden catalog.Mask, unknown string) {
	var kept catalog.Mask
	for i, name := range slices.Concat(p.Decides, p.Shown) {
		c := slices.IndexFunc(t.Columns, func(c catalog.Column) bool { return p.Same(c.Name, name) })
		switch {
		case c >= 0:
			kept |= catalog.Bit(c)
		case i < len(p.Decides):
			return 0, name
		default:
			return 0, ""
		}
	}
	for c := range t.Columns {
		hidden |= catalog.Bit(c)
	}
	return hidden &^ kept, ""
}

// Unproject takes back what Start.Projects has promised. It may be called until End.
func (r *Recording) Unproject() { r.unprojected.Store(true) }

// hides returns the columns that do not matter of each ref unless they decide, by the
// projections of the execution's own recording; nil for none.
func (e *Execution) hides() []catalog.Mask {
	if e.own == nil || e.own.start.Projects == nil || e.own.unprojected.Load() {
		return nil
	}
	list := e.own.start.Projects(e.ctx)
	if len(list) == 0 {
		return nil
	}
	masks := make([]catalog.Mask, len(e.a.Refs))
	for i, r := range e.a.Refs {
		p := slices.IndexFunc(list, func(p Projection) bool { return p.Table == r.Table.Name })
		if p < 0 || r.Table.Ambiguous && e.homeOf(r) == 0 {
			continue
		}
		hidden, unknown := list[p].columns(r.Table)
		if unknown != "" {
			e.s.o.found(e.ctx, Finding{
				Kind: UnknownColumn, Text: r.Table.Name + "." + unknown,
				Why: "@view(decides:) names it, and the table has no such column: all its columns matter",
			})
		}
		masks[i] = hidden & r.Selected &^ (r.Order | r.Computed)
	}
	return masks
}

// subscribe adds the tags of a ref's rows. Hidden columns are kept apart: the other
// recordings that have the execution make no such promise, and its own may take it back.
// REQUIRES: mu is held.
func (e *Execution) subscribe(dst []tag.Tag, x *refReading, rows *rowtag.Rows) []tag.Tag {
	if hidden := rows.Mask & x.hidden; hidden != 0 {
		apart := *rows
		apart.Mask = hidden
		e.rd.hidden = e.st.shapes.Subscribe(e.rd.hidden, &apart)
		rows.Mask &^= hidden
	}
	return e.st.shapes.Subscribe(dst, rows)
}
