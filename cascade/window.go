package cascade

import (
	"slices"
	"strconv"

	"github.com/cascadeql/cascadeql/extractor"
)

// A list that shows the first rows of a set does not depend on all that happens to the set. Of a row
// that it does not show, two things are known to leave it alone:
//
//   - The row leaves the set. What comes first is the same without it, unless rows before it were
//     skipped.
//   - The row is created, comes after all others, and the list is full.
//
// Of a row that it shows, the entry has the row's own tag; the columns that put the row in the set are
// added to its mask, so that an update which takes it out is heard there.

// bindWindow does that for the rows of a list. REQUIRES: the selections below f are bound.
func (o *Operation) bindWindow(f *extractor.Field) {
	fr := &o.reads[f.ID]
	for i := range fr.reads {
		b := &fr.reads[i]
		if b.Limit == nil || !o.showsRows(f, b.Views[0]) {
			continue
		}
		b.window = true
		if fr.args == nil {
			fr.args = fieldArguments(f)
		}
		for _, on := range f.On {
			if me := &o.sels[on.ID]; len(me.views) > 0 && me.views[0] == b.Views[0] {
				me.mask |= b.columnMask() | b.Using
			}
		}
	}
}

// showsRows says that every row of the view which f may return has its own tag there.
func (o *Operation) showsRows(f *extractor.Field, v *View) bool {
	shown := 0
	for _, on := range f.On {
		if slices.Contains(v.Types, on.Object.Name) {
			if o.plan.byType[on.Object.Name][0] != v {
				return false
			}
			shown++
		}
	}
	return shown == len(v.Types)
}

// presence returns which rows that come or go matter to a where-read at one place of the answer.
func (r *reader) presence(b *boundRead, args map[string]any, place *listPlace) Mask {
	mask := presence
	if !b.window {
		return mask
	}
	if skipped, null, ok := r.number(b.Offset, args); ok && (null || skipped <= 0) {
		mask &^= vanished
	}
	if !b.Appends || place == nil {
		return mask
	}
	if limit, null, ok := r.number(b.Limit, args); ok && !null && r.shown(*place) >= limit {
		mask &^= created
	}
	return mask
}

// number evaluates a limit or an offset. null says that there is none.
func (r *reader) number(op *Operand, args map[string]any) (n int, null, ok bool) {
	if op == nil {
		return 0, true, true
	}
	vals, null, ok := r.operand(*op, noPath, args, nil)
	if !ok || null || len(vals) != 1 {
		return 0, null, ok && null
	}
	n, err := strconv.Atoi(vals[0].text)
	return n, false, err == nil
}

// listPlace is where an answer has a list.
type listPlace struct {
	field  *extractor.Field
	parent int32
}

// shown returns how many objects a list has.
func (r *reader) shown(place listPlace) int {
	if r.counts == nil {
		r.counts = map[listPlace]int{}
		for i := range r.res.Objects {
			if obj := &r.res.Objects[i]; !obj.Null {
				r.counts[listPlace{obj.Field, obj.Parent}]++
			}
		}
	}
	return r.counts[place]
}

// moved says that a known update takes rows from one set of a shape to another: a column that the
// shape compares had a value before and has another one now.
func (sh *shape) moved(e *Event) bool {
	for i, c := range sh.names {
		if e.Columns&sh.bits[i] == 0 {
			continue
		}
		before, after := e.Old.of(c), e.New.of(c)
		if len(before) == 1 && len(after) == 1 && before[0].Known() && after[0].Known() && before[0] != after[0] {
			return true
		}
	}
	return false
}
