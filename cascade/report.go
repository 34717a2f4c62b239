package cascade

import "slices"

// A Report is what a resolver knows of one row that a mutation changed, or left as it
// was. It refines the declared writes of the operation, and adds a change of its own
// where none names the row.
type Report struct {
	// Root is the response name of the root field whose resolver reports. "" is unknown:
	// then it refines a write only when no other root field's writes name the row, and is
	// a change of its own otherwise.
	Root string
	View *View
	Key  string
	// Unchanged says that the row is as it was: no declared write of this row happened.
	Unchanged bool
	// Column had the value Old before and has New afterwards. Equal values say that it
	// did not change.
	Column   string
	Old, New Value

	// all is set for reports about all rows of the root field's writes to View; then Key
	// is "".
	all  reportOfAll
	rows []string
}

// NewReport resolves the names of a report. Without a column it says that the row is
// unchanged. ok is false for an unknown type or view, a column that the view does not
// have, and a key that is null or unknown. A value that is unknown is allowed: then the
// column counts as changed.
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
	before, after = v.enumValue(column, before), v.enumValue(column, after)
	return Report{View: v, Key: id.text, Column: column, Old: before, New: after}, true
}

// contradicts says that the report is of a change of the row that another one is about,
// under another spelling of its key.
func (r *Report) contradicts(o Report) bool {
	return r.View == o.View && r.Key != o.Key && !r.same() && mayBeSame(r.Key, o.Key)
}

// same says that nothing changed, as far as the report goes.
func (r *Report) same() bool {
	return r.Unchanged || r.Old == r.New && r.Old.Known()
}

// rootEvents are the events of one root field.
type rootEvents struct {
	root    string // its response name
	nothing bool   // it wrote nothing: its events are only what a report without a root may be about
	events  []Event
}

// refine applies reports to the events of the root fields. An event that names a reported
// row is split, so that what is known of the row is said of no other. answered says that
// no field failed.
func refine(roots []rootEvents, reports []Report, answered bool) []Event {
	var more []Event
	reports = refineAll(roots, reports, answered)
	given := reports
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
		if slices.ContainsFunc(given, func(r Report) bool { return r.contradicts(row) }) {
			about = slices.DeleteFunc(about, func(r Report) bool { return r.Unchanged })
		}
		more = append(more, refineRow(roots, row.View, row.Key, about)...)
	}
	var out []Event
	for _, r := range roots {
		if !r.nothing {
			out = append(out, r.events...)
		}
	}
	return append(out, more...)
}

// refineRow applies the reports about one row, and returns the event of those that refine
// none.
func refineRow(roots []rootEvents, v *View, key string, about []Report) []Event {
	// A report narrows the events of rows with exactly its key. A key that is spelled
	// otherwise may be the same row's: then it is not known which of the fields a report
	// is about.
	mayName := func(k string) bool { return mayBeSame(k, key) }
	var namers []string
	for _, r := range roots {
		if slices.ContainsFunc(r.events, func(e Event) bool { return e.View == v && slices.ContainsFunc(e.Rows, mayName) }) {
			namers = append(namers, r.root)
		}
	}
	used := make([]bool, len(about))
	for i, r := range roots {
		if r.nothing || !slices.Contains(namers, r.root) {
			continue
		}
		var mine []Report
		for j, rep := range about {
			if rep.Root != "" && rep.Root != r.root {
				continue
			}
			if rep.Root == "" && len(namers) > 1 {
				continue // which of the fields it is about is not known: another may have gone on from there
			}
			used[j] = true
			mine = append(mine, rep)
		}
		roots[i].events = refineEvents(r.events, v, key, mine)
	}
	var rest []Report
	for j, rep := range about {
		if !used[j] {
			rest = append(rest, rep)
		}
	}
	e := Event{View: v, Op: Update, Rows: []string{key}}
	if e, changed := apply(e, rest); changed && e.Columns != 0 {
		e.Columns |= v.touched
		return []Event{e}
	}
	return nil
}

func refineEvents(events []Event, v *View, key string, about []Report) []Event {
	if len(about) == 0 {
		return events
	}
	var out []Event
	for _, e := range events {
		at := slices.Index(e.Rows, key)
		if e.View != v || at < 0 {
			out = append(out, e)
			continue
		}
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
	return out
}

// apply adds what reports say to the event of their row. Reports of one column are steps
// on its way, so that the event gets the values of each.
func apply(e Event, about []Report) (_ Event, changed bool) {
	moved := slices.ContainsFunc(about, func(r Report) bool { return !r.same() })
	if !moved && slices.ContainsFunc(about, func(r Report) bool { return r.Unchanged }) {
		return e, false
	}
	var done []string
	for _, r := range about {
		if r.Unchanged || slices.Contains(done, r.Column) {
			continue
		}
		done = append(done, r.Column)
		e = applyColumn(e, r.Column, about)
	}
	return e, true
}

func applyColumn(e Event, column string, about []Report) Event {
	var before, after []Value
	changed := false
	for _, r := range about {
		if r.Column == column && !r.Unchanged {
			before, after = append(before, r.Old), append(after, r.New)
			changed = changed || !r.same()
		}
	}
	e.Old, e.New = e.Old.with(column, before), e.New.with(column, after)
	m, _ := e.View.column(column)
	switch {
	case e.Columns&existence != 0: // not an update of known columns
	case changed:
		e.Columns |= m
	case m != 1<<overflowBit:
		e.Columns &^= m
	}
	return e
}
