package observe

import (
	"database/sql/driver"
	"slices"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A firstReading is how far the first rows of several sets reach, with this run's
// arguments: see analysis.First.
//
// Invariant: when full reports true, each set has given as many rows as the limit allows,
// all of them are in the result, and none of them is behind window. Then a row behind
// window does not come into the result, or go from it, as long as no row does that is not
// behind it.
//
// The result has at most limit rows for each set, since each row of a set is in it at most
// once. So it has limit × sets rows only if no set has fewer, and no condition has taken
// one of them away. A list may have an element twice: then its set counts twice, and its
// rows are there twice.
type firstReading struct {
	// most is how many rows the result has when all sets are full, 0 where that is not
	// known.
	most int64
	// offset is how many rows of each set come before those.
	offset int64
	// window ends with the last row of all sets.
	window *rowtag.Window
	// unplaced says that a row has no place in the order.
	unplaced bool
	// where are the columns that decide, in the other ref, whether a row that is shown is
	// one of the first. A row that leaves its set is not one that comes into another's
	// window: whoever has shown it has to depend on it.
	where catalog.Mask
}

// maxFirst bounds the limit of a set, so that its product with the number of sets does not
// overflow.
const maxFirst = 1 << 30

// evaluate takes the values of a run.
func (f *firstReading) evaluate(first *analysis.First, args arguments) {
	limit, ok := args.number(&first.Limit)
	if !ok || limit < 1 || limit > maxFirst {
		return
	}
	if first.Offset != nil {
		if f.offset, ok = args.number(first.Offset); !ok || f.offset < 0 {
			return
		}
	}
	sets := int64(1)
	if first.Each != nil {
		if sets, ok = args.count(first.Each); !ok {
			return
		}
	}
	f.most = limit * sets
}

// row takes a row of the result.
func (f *firstReading) row(r *analysis.Ref, dest []driver.Value) {
	if f.most == 0 || f.unplaced {
		return
	}
	if r.WindowOut >= len(dest) {
		f.unplaced = true
		return
	}
	at, ok := rowtag.ValueOf(catalog.Int, dest[r.WindowOut])
	if !ok {
		f.unplaced = true
		return
	}
	w := rowtag.NewWindow(r.Window, at, r.Descending)
	if f.unplaced = w == nil; !f.unplaced {
		f.window = f.window.Further(w)
	}
}

// full reports whether all sets have given all rows that they may give, and all are shown.
func (e *Execution) full(r *analysis.Ref, x *refReading, complete bool) bool {
	f := &x.first
	if r.First == nil || r.Pinned || x.byKey || !complete || f.most == 0 || f.unplaced || f.window == nil || e.rd.rows != f.most {
		return false
	}
	shown := slices.Index(e.a.Refs, r.First.Shown)
	// A row that is asked for by its key is not subscribed to with what decides in the
	// other ref, but for the columns that both compare.
	return shown >= 0 && !e.rd.refs[shown].unkeyed && !e.rd.refs[shown].byKey
}

// shareFirst tells the refs whose rows are shown what decides in the others. That is hidden by
// no projection.
func (e *Execution) shareFirst() {
	for i, r := range e.a.Refs {
		if r.First == nil || r.First.Shown == r {
			continue
		}
		if shown := slices.Index(e.a.Refs, r.First.Shown); shown >= 0 {
			x, where := &e.rd.refs[shown], e.rd.refs[i].where
			x.first.where |= where
			x.hidden &^= where
		}
	}
}

// count returns how many elements a list has, those included that are there several times.
func (args arguments) count(s *analysis.Source) (n int64, ok bool) {
	list, ok := args.listed(s)
	if !ok || slices.ContainsFunc(list, func(one any) bool { return !isScalar(one) }) {
		return 0, false
	}
	return int64(len(list)), true
}

// isScalar reports whether an element is one value, and no list of its own: unnest returns
// the elements of those.
func isScalar(v any) bool {
	for _, class := range []catalog.Class{catalog.Int, catalog.Text, catalog.UUID} {
		if _, ok := rowtag.ValueOf(class, v); ok {
			return true
		}
	}
	return false
}
