package cascade

import "slices"

// NewRowsReport says which rows of a view the declared writes of a root field changed:
// exactly these, or those of these that a write names. ok is false for an unknown type or
// view, and for a key that is null or unknown.
func (p *Plan) NewRowsReport(name string, ids []Value) (Report, bool) {
	v := p.viewNamed(name)
	if v == nil {
		return Report{}, false
	}
	r := Report{View: v, all: allRows, rows: make([]string, 0, len(ids))}
	for _, id := range ids {
		if id.kind != valueText {
			return Report{}, false
		}
		r.rows = append(r.rows, id.text)
	}
	return r, true
}

// NewMovedAllReport is NewReport for every row of a view that the writes of a root field
// changed.
func (p *Plan) NewMovedAllReport(name, column string, before, after Value) (Report, bool) {
	v := p.viewNamed(name)
	if v == nil {
		return Report{}, false
	}
	if _, ok := v.column(column); !ok {
		return Report{}, false
	}
	before, after = v.enumValue(column, before), v.enumValue(column, after)
	return Report{View: v, all: allColumn, Column: column, Old: before, New: after}, true
}

// reportOfAll tells reports about all rows of a root field's writes from those about one
// row.
type reportOfAll uint8

const (
	allRows   reportOfAll = iota + 1 // the rows are those of Report.rows
	allColumn                        // Column had the value Old and has New in every row
)

// refineAll applies the reports about all rows of a root field and returns the others.
// Such a report counts for the field whose resolver made it only: another field of the
// operation may have changed other rows. When one of them failed, none counts: after the
// report it may have changed more.
func refineAll(roots []rootEvents, reports []Report, answered bool) []Report {
	for i := range roots {
		if !answered {
			break
		}
		r := &roots[i]
		about := func(all reportOfAll, v *View) (mine []Report) {
			for _, rep := range reports {
				if rep.all == all && rep.View == v && (rep.Root == r.root || rep.Root == "" && len(roots) == 1) {
					mine = append(mine, rep)
				}
			}
			return mine
		}
		kept := r.events[:0:0]
		for _, e := range r.events {
			if lists := about(allRows, e.View); len(lists) > 0 {
				if e = e.confinedTo(lists); len(e.Rows) == 0 {
					continue
				}
			}
			columns := about(allColumn, e.View)
			for j, rep := range columns {
				if !slices.ContainsFunc(columns[:j], func(o Report) bool { return o.Column == rep.Column }) {
					e = applyColumn(e, rep.Column, columns)
				}
			}
			kept = append(kept, e)
		}
		r.events = kept
	}
	return slices.DeleteFunc(slices.Clone(reports), func(r Report) bool { return r.all != 0 })
}

// confinedTo returns the event of those rows only that reports list.
func (e Event) confinedTo(lists []Report) Event {
	var rows []string
	for _, l := range lists {
		for _, k := range l.rows {
			if e.All || slices.ContainsFunc(e.Rows, func(row string) bool { return mayBeSame(row, k) }) {
				rows = append(rows, k)
			}
		}
	}
	slices.Sort(rows)
	e.All, e.Rows = false, slices.Compact(rows)
	return e
}
