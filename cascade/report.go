package cascade

import "slices"

// A Report is what a resolver knows of one row that a mutation changed, or left as it was. It refines
// the declared writes of the operation, and adds a change of its own where none names the row.
type Report struct {
	View *View
	Key  string
	// Unchanged says that the row is as it was: no declared write of this row happened.
	Unchanged bool
	// Column had the value Old before and has New afterwards. Equal values say that it did not change.
	Column   string
	Old, New Value
}

// NewReport resolves the names of a report. ok is false for an unknown type or view, or a column
// that the view does not have.
func (p *Plan) NewReport(name string, id Value, column string, before, after Value) (Report, bool) {
	v := p.viewNamed(name)
	if v == nil || id.kind != valueText {
		return Report{}, false
	}
	if column == "" {
		return Report{View: v, Key: id.text, Unchanged: true}, true
	}
	if _, ok := v.column(column); !ok {
		return Report{}, false
	}
	return Report{View: v, Key: id.text, Column: column, Old: before, New: after}, true
}

// refine applies reports to events. An event that names a reported row is split, so that what is
// known of the row is said of no other.
func refine(events []Event, reports []Report) []Event {
	for len(reports) > 0 {
		row := reports[0]
		var about []Report
		reports = slices.DeleteFunc(slices.Clone(reports), func(r Report) bool {
			same := r.View == row.View && r.Key == row.Key
			if same {
				about = append(about, r)
			}
			return same
		})
		events = refineRow(events, row.View, row.Key, about)
	}
	return events
}

func refineRow(events []Event, v *View, key string, about []Report) []Event {
	named := false
	var out []Event
	for _, e := range events {
		at := slices.Index(e.Rows, key)
		if e.View != v || at < 0 {
			out = append(out, e)
			continue
		}
		named = true
		if len(e.Rows) > 1 || e.All {
			rest := e
			rest.Rows = slices.Delete(slices.Clone(e.Rows), at, at+1)
			out = append(out, rest)
		}
		e.Rows, e.All = []string{key}, false
		if e, changed := apply(e, about); changed {
			out = append(out, e)
		}
	}
	if named {
		return out
	}
	e := Event{View: v, Op: Update, Rows: []string{key}}
	if e, changed := apply(e, about); changed && e.Columns != 0 {
		e.Columns |= v.touched
		out = append(out, e)
	}
	return out
}

// apply adds what reports say to the event of their row.
func apply(e Event, about []Report) (Event, bool) {
	for _, r := range about {
		if r.Unchanged {
			return e, false
		}
		e.Old = e.Old.with(r.Column, []Value{r.Old})
		e.New = e.New.with(r.Column, []Value{r.New})
		if m, _ := e.View.column(r.Column); r.Old != r.New && e.Columns&existence == 0 {
			e.Columns |= m
		}
	}
	return e, true
}
