package cascade

import (
	"slices"
	"strings"
)

// shapes collects, for every view, the sets of columns that its where-reads compare. A
// term without a value at run time is true and drops out of its read, so the smaller sets
// that this leaves count too: a read subscribes to the shape of exactly the terms that it
// has. Columns that may be null count where their term has dropped out, too: a server may
// take null for the rows without a value.
func (c *compiler) shapes() {
	byView := map[*View]map[string]*shape{}
	for _, v := range c.plan.views {
		byView[v] = map[string]*shape{}
	}
	for _, w := range c.wheres {
		for _, columns := range subsets(w.columns, w.optional) {
			key := strings.Join(columns, "\x00")
			s := byView[w.view][key]
			if s == nil {
				s = &shape{columns: columns}
				byView[w.view][key] = s
			}
			s.mask |= w.using
			if w.order != nil && len(columns) > 0 {
				s.mask |= w.order.mask
				if s.order == "" {
					s.order = w.order.column
				}
			}
			s.mask |= w.nullable
			for _, column := range columns {
				m, _ := w.view.column(strings.TrimSuffix(column, containsMark))
				s.mask |= m
			}
		}
	}
	for v, shapes := range byView {
		if shapes[""] == nil {
			// Reads of the whole view that no field declares subscribe to this one.
			shapes[""] = &shape{mask: AllColumns}
		}
		for _, s := range shapes {
			s.id = shapeID(v, s.columns)
			v.shapes = append(v.shapes, *s)
		}
		slices.SortFunc(v.shapes, func(a, b shape) int { return slices.Compare(a.columns, b.columns) })
	}
}

// subsets returns the columns without every choice of the optional ones, in order.
func subsets(columns []string, optional map[string]bool) [][]string {
	sets := [][]string{nil}
	for _, column := range columns {
		grown := make([][]string, 0, 2*len(sets))
		for _, set := range sets {
			if optional[column] {
				grown = append(grown, set)
			}
			grown = append(grown, append(slices.Clone(set), column))
		}
		sets = grown
	}
	return sets
}
