package cascade

import (
	"slices"

	"github.com/cascadeql/cascadeql/extractor"
)

// where adds a where-read: for every combination of its operands' values, the tags of
// every subset of its terms, so that a change which knows only some of a row's values
// finds the answers that the row could be in, and no others.
func (r *reader) where(b *boundRead, args map[string]any, parent *extractor.Object, place listPlace) {
	v := b.Views[0]
	var columnsBuf [maxTerms]string
	var listsBuf [maxTerms][]Value
	columns, lists := columnsBuf[:0], listsBuf[:0]
	combos, mask := 1, b.Using|r.presence(b, args, place)
	if b.order != nil {
		mask |= b.order.mask
	}
	for i, t := range b.Where {
		m, _ := v.column(t.Column)
		vals, null, ok := r.operand(t.Operand, b.paths[i], args, parent)
		switch {
		case !ok:
		case null && t.nullable:
			mask |= m // the term is true whatever the column holds, or only where it holds nothing
			continue
		case null, t.Operand.Kind == fromArgs && len(vals) == 0:
			continue // it is true whatever the column holds, or never
		case t.Operand.Kind == fromArgs && slices.ContainsFunc(vals, Value.mayBeAbsent):
			ok = false
		}
		if !ok {
			r.whole(v, mask|b.columnMask())
			return
		}
		if t.Contains {
			vals, ok = gramsOfOperand(vals)
		} else {
			vals, ok = withClasses(vals)
		}
		if !ok {
			r.whole(v, mask|b.columnMask())
			return
		}
		mask |= m
		columns = append(columns, t.shapeColumn())
		lists = append(lists, vals)
		combos *= len(vals)
		if combos > maxCombinations {
			r.whole(v, mask|b.columnMask())
			return
		}
	}
	sh := v.shape(columns)
	if sh == nil { // a combination of terms that no change looks for
		r.whole(v, mask|b.columnMask())
		return
	}
	parts, n := readerParts(v, r.part)
	var combo [maxTerms]Value
	page := r.page(b, sh, place)
	for known := range uint(1) << len(columns) {
		if known == uint(1)<<len(columns)-1 {
			r.ending = page
		}
		r.subset(sh, known, 0, lists, combo[:len(columns)], mask, parts[:n])
	}
	r.ending = nil
}

// subset adds the tags of one subset of a shape's columns for every combination of their
// values.
func (r *reader) subset(sh *shape, known uint, i int, lists [][]Value, combo []Value, mask Mask, parts []uint64) {
	if i == len(lists) {
		for _, p := range parts {
			set := r.b.set(sh.id, known, combo, p)
			if r.ending != nil {
				r.until(set, r.ending.last, r.ending.descending, mask)
			} else {
				r.add(set, mask)
			}
		}
		return
	}
	if known&(1<<i) == 0 {
		r.subset(sh, known, i+1, lists, combo, mask, parts)
		return
	}
	for _, v := range lists[i] {
		combo[i] = v
		r.subset(sh, known, i+1, lists, combo, mask, parts)
	}
}

// maySelectAll says that some servers take the values of an argument for none given: an
// empty list or an empty text, which in Go is what an argument is that was not sent, or a
// null in a list.
func maySelectAll(vals []Value) bool {
	return len(vals) == 0 || slices.ContainsFunc(vals, Value.mayBeAbsent)
}

// columnMask is the mask of the columns that a read's terms compare.
func (r *readDecl) columnMask() Mask {
	var m Mask
	for _, t := range r.Where {
		c, _ := r.Views[0].column(t.Column)
		m |= c
	}
	return m
}

// shape returns the view's shape of these sorted columns, or nil.
func (v *View) shape(columns []string) *shape {
	for i := range v.shapes {
		if slices.Equal(v.shapes[i].columns, columns) {
			return &v.shapes[i]
		}
	}
	return nil
}
