package cascade

import (
	"cmp"
	"slices"

	"github.com/cascadeql/cascadeql/extractor"
)

// How says in what way an operation depends on a view.
type How uint8

// The ways, each wider than the one before it: the rows shown or named by key, the rows
// that a condition selects, any row. ByDerived is a view that the operation does not
// read, from which one that it does is derived.
const (
	ByRows How = iota
	ByWhere
	ByAll
	ByDerived
)

// String returns rows, where, all or derived.
func (h How) String() string { return [...]string{"rows", "where", "all", "derived"}[h] }

// A Dependency is a view that the answers of an operation depend on. Via is the view read
// that is derived from it, nil unless How is ByDerived.
type Dependency struct {
	View *View
	How  How
	Via  *View
}

// Dependencies returns the views that a query's answers depend on as far as the schema
// tells, each once with the widest way: those read, then those that they are derived
// from, both in the order of the schema. What the caller's predicate consults is not
// among them, and it is not all when Anything is set. A mutation has none. It is computed
// on each call.
func (o *Operation) Dependencies() []Dependency {
	read := map[*View]How{}
	note := func(v *View, how How) { read[v] = max(read[v], how) }
	for _, v := range slices.Concat(o.rows, o.sets) {
		note(v, ByRows)
	}
	for _, v := range o.byOthers {
		note(v, ByWhere)
	}
	for i := range o.reads {
		for _, b := range o.reads[i].reads {
			for _, v := range b.Views {
				switch {
				case b.Kind == readRow:
					note(v, ByRows)
				case len(b.Where) > 0:
					note(v, ByWhere)
				default:
					note(v, ByAll)
				}
			}
		}
	}
	var all []Dependency
	for v, how := range read {
		all = append(all, Dependency{View: v, How: how})
	}
	byID := func(a, b Dependency) int { return cmp.Compare(a.View.id, b.View.id) }
	slices.SortFunc(all, byID)
	direct := len(all)
	for _, d := range all[:direct] {
		for _, above := range d.View.above {
			_, isRead := read[above]
			known := slices.ContainsFunc(all[direct:], func(d Dependency) bool { return d.View == above })
			if !isRead && !known {
				all = append(all, Dependency{View: above, How: ByDerived, Via: d.View})
			}
		}
	}
	slices.SortStableFunc(all[direct:], byID)
	return all
}

// A Row names a row of a view by its canonical key.
type Row struct {
	View *View
	Key  string
}

// Rows returns the first rows that a query's answer shows, at most limit, each once, and
// how many there are. Objects whose view or key is not known are not among them.
func (o *Operation) Rows(res *extractor.Result, limit int) (rows []Row, count int) {
	seen := map[Row]bool{}
	for i := range res.Objects {
		obj := &res.Objects[i]
		if obj.Null || obj.Key == nil || obj.Selection == nil {
			continue
		}
		views := o.sels[obj.Selection.ID].views
		if len(views) == 0 {
			continue
		}
		row := Row{views[0], string(obj.Key)}
		if seen[row] {
			continue
		}
		seen[row] = true
		if count++; len(rows) < limit {
			rows = append(rows, row)
		}
	}
	return rows, count
}

// Views returns the views of the plan in the order of the schema. The slice is the
// caller's.
func (p *Plan) Views() []*View { return slices.Clone(p.views) }

// DependsOn returns the views that v is derived from directly.
func (v *View) DependsOn() []*View {
	var on []*View
	for _, e := range v.in {
		if !slices.Contains(on, e.from) {
			on = append(on, e.from)
		}
	}
	return on
}

// Dependents returns the views that are derived from v directly.
func (v *View) Dependents() []*View {
	var on []*View
	for _, e := range v.out {
		if !slices.Contains(on, e.to) {
			on = append(on, e.to)
		}
	}
	return on
}
