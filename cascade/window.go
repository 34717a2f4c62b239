package cascade

import (
	"slices"
	"strconv"

	"github.com/cascadeql/cascadeql/extractor"
)

// A list that shows the first rows of a set does not depend on all that happens to the
// set. While it shows as many rows as it may, two things that happen to a row that it
// does not show leave it alone:
//
//   - The row leaves the set. What comes first is the same without it, unless rows before
//     it were skipped.
//   - The row is created and comes after all others.
//
// Of a row that it shows, the entry has the row's own tag; the columns that put the row
// in the set are added to its mask, so that an update which takes it out is heard there.
//
// A list that shows fewer rows hears everything. It may lack one that left the set while
// it was computed: a resolver that looks up keys first and their rows later finds a row
// gone whose tag the entry then does not have, although the next row should have moved
// up.

// bindWindow does that for the rows of a list. REQUIRES: the selections below f are
// bound.
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
		if slices.Contains(v.types, on.Object.Name) {
			if o.plan.byType[on.Object.Name][0] != v {
				return false
			}
			shown++
		}
	}
	return shown == len(v.types)
}

// presence returns which rows that come or go matter to a where-read at one place of the
// answer.
func (r *reader) presence(b *boundRead, args map[string]any, place listPlace) Mask {
	mask := presence
	if !b.window || !r.full(b, args, place) {
		return mask
	}
	if skipped, null, ok := r.number(b.Offset, args); ok && (null || skipped == 0) {
		mask &^= vanished
	}
	if b.Appends {
		mask &^= created
	}
	return mask
}

// full says that a list shows exactly as many rows of the read's view as it may; never,
// when the list shows no rows of that view but others that it leads to. Where several
// reads share one limit, their rows are counted apart: whether each of them may show so
// many or all together, and where in the list the created rows of each come, is not
// declared. A limit that is not positive may stand for none.
func (r *reader) full(b *boundRead, args map[string]any, place listPlace) bool {
	limit, null, ok := r.number(b.Limit, args)
	return ok && !null && limit > 0 && r.shown(place, b.Views[0]) == limit
}

// number evaluates a limit or an offset. null says that there is none.
func (r *reader) number(op *operandDecl, args map[string]any) (n int, null, ok bool) {
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

// shownRows are the rows of one view in a list.
type shownRows struct {
	listPlace
	view *View
}

// shown returns how many rows of a view a list has.
func (r *reader) shown(place listPlace, v *View) int {
	if r.counts == nil {
		r.counts = map[shownRows]int{}
		for i := range r.res.Objects {
			obj := &r.res.Objects[i]
			if obj.Null || obj.Selection == nil || obj.Field == nil || obj.Field.Definition.Type.Elem == nil {
				continue
			}
			if views := r.o.sels[obj.Selection.ID].views; len(views) > 0 {
				r.counts[shownRows{listPlace{obj.Field, obj.Parent}, views[0]}]++
			}
		}
	}
	return r.counts[shownRows{place, v}]
}

// moved says that a known update takes rows from one set of a shape to another: a column
// that the shape compares had a value before and has another one now.
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
