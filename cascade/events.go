package cascade

import (
	"slices"
	"strings"
)

// An Event is one change of one view.
type Event struct {
	View *View
	Op   Op
	// Rows are the canonical keys of the rows changed; All says that there may be others.
	Rows []string
	All  bool
	// Columns are the columns that changed; AllColumns when unknown, and always unless Op
	// is Update.
	Columns Mask
	// Old and New are values that every row of the event had before and has afterwards.
	Old, New Known

	// everywhere says that the change is not confined to the partition that it was made
	// in: it follows from a change of a view that the partitions share.
	everywhere bool
}

// Known are the values known of some columns. A column with several values holds one of
// them.
type Known []ColumnValues

// ColumnValues are the values that a column may hold.
type ColumnValues struct {
	Column string
	Values []Value
}

// of returns the values of a column; nil when they are not known.
func (k Known) of(column string) []Value {
	for i := range k {
		if k[i].Column == column {
			return k[i].Values
		}
	}
	return nil
}

// with returns k with the values of a column, replacing what was known of it.
func (k Known) with(column string, values []Value) Known {
	for i := range k {
		if k[i].Column == column {
			k = slices.Clone(k)
			k[i].Values = values
			return k
		}
	}
	return append(k[:len(k):len(k)], ColumnValues{column, values})
}

// RowEvent returns a change of one row of a type or view about which nothing else is
// known. A key that is null or unknown stands for every row. ok is false when the name is
// neither.
func (p *Plan) RowEvent(name string, id Value) (events []Event, ok bool) {
	for _, v := range p.viewsNamed(name) {
		events = append(events, p.rowEvent(v, name, Any, id))
	}
	return events, len(events) > 0
}

// rowEvent is a change of the row of a view that has the given key under the given name.
// A type's key is that of its first view: it names no row of another one that has a
// different key.
func (p *Plan) rowEvent(v *View, name string, op Op, id Value) Event {
	foreign := v.Name != name && slices.ContainsFunc(v.types, func(t string) bool { return p.byType[t][0].key != v.key })
	if foreign || id.kind != valueText {
		return Event{View: v, Op: Any, All: true, Columns: AllColumns}
	}
	return Event{View: v, Op: op, Rows: []string{id.text}, Columns: AllColumns}
}

// ViewEvent returns a change of unknown rows of a view or of the views of a type.
func (p *Plan) ViewEvent(name string) (events []Event, ok bool) {
	for _, v := range p.viewsNamed(name) {
		events = append(events, Event{View: v, Op: Any, All: true, Columns: AllColumns})
	}
	return events, len(events) > 0
}

// viewsNamed resolves the name of a view, an object type, or an interface or union.
func (p *Plan) viewsNamed(name string) []*View {
	if vs := p.byType[name]; len(vs) > 0 {
		return vs
	}
	if v := p.byName[name]; v != nil {
		return []*View{v}
	}
	var vs []*View
	if def := p.schema.Types[name]; def != nil && def.IsAbstractType() {
		for _, t := range p.schema.GetPossibleTypes(def) {
			for _, v := range p.byType[t.Name] {
				if !slices.Contains(vs, v) {
					vs = append(vs, v)
				}
			}
		}
	}
	return vs
}

// Cascade returns the events and those that follow from them through the view graph. A
// derived row is visited once, however many ways lead to it.
func (p *Plan) Cascade(events []Event) []Event { return follow(events, nil) }

// follow is Cascade. It calls link, unless that is nil, for every way from an event to
// one that follows from it, by their places in the result.
func follow(events []Event, link func(from, to int, by *edge)) []Event {
	all := slices.Clone(events)
	seen := map[derivedRow]int{} // the event that has visited it
	visited := func(d *Event, all bool, k string) (at int, ok bool) {
		if at, ok = seen[derivedRow{d.View, d.everywhere, all, k}]; !ok {
			at, ok = seen[derivedRow{d.View, true, all, k}]
		}
		return at, ok
	}
	for i := 0; i < len(all); i++ { // grows while it runs; the graph has no cycles
		e := all[i]
		for _, edge := range e.View.out {
			if e.Columns&(edge.using|existence) == 0 {
				continue
			}
			d := Event{View: edge.to, Op: Any, Columns: AllColumns, everywhere: e.everywhere || !e.View.Partitioned}
			rows, known := edge.rows(&e)
			if !known {
				d.All = true
				rows = []string{""}
			}
			next := len(all) // the place of d, if there is anything new in it
			for _, k := range rows {
				at, ok := visited(&d, d.All, k)
				if !ok {
					at, ok = visited(&d, true, "")
				}
				if !ok {
					at = next
					seen[derivedRow{d.View, d.everywhere, d.All, k}] = at
					if !d.All {
						d.Rows = append(d.Rows, k)
					}
				}
				if link != nil {
					link(i, at, edge)
				}
				if !ok && d.All {
					all = append(all, d)
				}
			}
			if len(d.Rows) > 0 {
				all = append(all, d)
			}
		}
	}
	return all
}

type derivedRow struct {
	view            *View
	everywhere, all bool
	key             string
}

// rows returns the keys of the rows derived from an event's rows, when they can be told:
// from the old and the new value of the key's column, which are one when the column did
// not change.
func (d *edge) rows(e *Event) ([]string, bool) {
	if d.key == "" {
		return nil, false
	}
	if d.key == d.from.key && len(d.from.types) > 0 { // the row's own key, which never changes
		return e.Rows, !e.All
	}
	before, after := e.Old.of(d.key), e.New.of(d.key)
	switch e.Op {
	case Create:
		return texts(after, nil)
	case Delete:
		return texts(before, nil)
	case Update:
		if m, _ := d.from.column(d.key); e.Columns&m == 0 {
			if before == nil {
				before = after
			}
			return texts(before, nil)
		}
	}
	if before == nil || after == nil {
		return nil, false
	}
	return texts(before, after)
}

// texts joins the values of two lists. A null names no row.
func texts(a, b []Value) (keys []string, known bool) {
	if a == nil {
		return nil, false
	}
	for _, v := range slices.Concat(a, b) {
		switch v.kind {
		case valueText:
			keys = append(keys, v.text)
		case valueUnknown:
			return nil, false
		}
	}
	return keys, true
}

// columnName is how a path of fields is written as a column; splitPath is the reverse.
func columnName(path []string) string { return strings.Join(path, ".") }

func splitPath(column string) []string { return strings.Split(column, ".") }
