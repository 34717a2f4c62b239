package cascade

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cascadeql/cascadeql/extractor"
)

// maxCombinations bounds the values that one where-read subscribes to; beyond, it reads the whole view.
const maxCombinations = 64

// A Reader collects the tags of one answer. It is not safe for concurrent use.
type Reader struct {
	o    *Operation
	vars map[string]any
	part Partition
	res  *extractor.Result
	out  []Tag
	b    tagBuilder
	// counts are the lengths of the answer's lists, once one is asked for.
	counts map[listPlace]int
	// lasts are the values that resolvers have told of the last rows of root fields, and ending the
	// page whose tags are being added, where they tell.
	lasts  map[string]Value
	ending *page
	// consulted are the columns that the caller's predicate looks at: the rows of their views depend
	// on them too.
	consulted map[*View]Mask

	keys [][]byte // scratch
}

// Reads appends to dst the tags that an answer to the operation depends on, merged and sorted by
// hash. Variables are the coerced ones that the answer was computed with; res is the walked answer.
// extra names views, or columns of views as "view.column", that the answer depends on as well: those
// that the caller's predicate consults. It returns an error for an unknown one.
func (o *Operation) Reads(dst []Tag, vars map[string]any, res *extractor.Result, part Partition, extra []string) ([]Tag, error) {
	return o.ReadsOf(dst, Answer{Vars: vars, Result: res, Part: part, Predicate: extra})
}

// An Answer is what became of a query.
type Answer struct {
	// Vars are the coerced variables that it was computed with, Result the walked answer.
	Vars   map[string]any
	Result *extractor.Result
	// Part is the caller's partition; Predicate names the views and columns that the caller's predicate
	// consults.
	Part      Partition
	Predicate []string
	// Lasts are, by response name of a root field whose reads declare an order, the value of the order's
	// column in the last row that matters, as far as resolvers have told.
	Lasts map[string]Value
}

// ReadsOf is Reads with all that may be known of an answer.
func (o *Operation) ReadsOf(dst []Tag, a Answer) ([]Tag, error) {
	vars, res, extra := a.Vars, a.Result, a.Predicate
	r := Reader{o: o, vars: vars, part: a.Part, res: res, out: dst, lasts: a.Lasts}
	for _, f := range o.Extract.Root.Fields {
		r.out = append(r.out, RootField(f.Definition.Name))
	}
	if o.Anything != "" {
		r.out = append(r.out, Anything)
		return Merge(r.out), nil
	}
	for _, name := range extra {
		if err := r.consult(name); err != nil {
			return nil, err
		}
	}
	for id := range o.reads {
		if fr := &o.reads[id]; len(fr.reads) > 0 && !fr.nested {
			r.fixed(o.Extract.Fields[id], fr)
		}
	}
	for i := range res.Objects {
		r.object(res, i)
	}
	return Merge(r.out), nil
}

func (r *Reader) add(hash uint64, mask Mask) {
	r.out = append(r.out, Tag{Hash: hash, Mask: uint64(mask)})
}

func (r *Reader) anything() { r.out = append(r.out, Anything) }

// consult notes a view, or a column of a view, that the caller's predicate looks at.
func (r *Reader) consult(name string) error {
	p := r.o.plan
	if v := p.viewNamed(name); v != nil {
		r.whole(v, AllColumns)
		return nil
	}
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		v := p.viewNamed(name[:i])
		if v == nil {
			continue
		}
		if m, ok := v.column(name[i+1:]); ok {
			r.consultColumn(v, m)
			return nil
		}
	}
	return fmt.Errorf("cascade: no view or column %q: a predicate may read views of the schema and their columns", name)
}

// consultColumn notes a column on which it depends whether the caller sees a row. Rows of the answer
// have the column in their masks. But rows may also come into sight, in lists that do not compare the
// column and in what is derived from the view: any row's update is one of those.
func (r *Reader) consultColumn(v *View, m Mask) {
	if r.consulted == nil {
		r.consulted = map[*View]Mask{}
	}
	r.consulted[v] |= m
	derived := func(w *View) bool { return slices.Contains(w.above, v) }
	if !slices.Contains(r.o.sets, v) && !slices.ContainsFunc(r.o.sets, derived) && !slices.ContainsFunc(r.o.rows, derived) {
		return
	}
	parts, n := readerParts(v, r.part)
	for _, p := range parts[:n] {
		r.add(r.b.rows(tagUpdate, v, p), m)
	}
}

// viewNamed returns the view of that name, or the first view of the type of that name.
func (p *Plan) viewNamed(name string) *View {
	if v := p.byName[name]; v != nil {
		return v
	}
	if vs := p.byType[name]; len(vs) > 0 {
		return vs[0]
	}
	return nil
}

// object adds what one object of the answer depends on.
func (r *Reader) object(res *extractor.Result, i int) {
	obj := &res.Objects[i]
	if obj.Field != nil {
		r.rowReads(res, obj)
	}
	if obj.Null {
		return
	}
	if obj.Selection == nil {
		r.anything() // some type that the walk could not tell
		return
	}
	s := &r.o.sels[obj.Selection.ID]
	for i, v := range s.views {
		mask := AllColumns
		if i == 0 {
			mask = s.mask | r.consulted[v] | presence
		}
		if obj.Key == nil || v.Key != s.views[0].Key {
			r.whole(v, AllColumns) // which of its rows is not known
			continue
		}
		r.presentRow(v, obj.Key, mask)
	}
	for _, f := range s.nested {
		fr := &r.o.reads[f.ID]
		for j := range fr.reads {
			if b := &fr.reads[j]; b.Kind == ReadWhere {
				r.where(b, r.args(fr), obj, &listPlace{f, int32(i)})
			}
		}
		// row reads of fields that return no object have no object of their own to wait for
		if len(f.On) == 0 || f.Definition.Type.Elem != nil {
			r.rowsOf(f, fr, obj)
		}
	}
}

func (r *Reader) args(fr *fieldReads) map[string]any {
	if fr.args == nil {
		return nil
	}
	return fr.args.ArgumentMap(r.vars)
}

// presentRow depends on a row that is there.
func (r *Reader) presentRow(v *View, key []byte, mask Mask) {
	r.add(r.b.row(v, key), mask)
	parts, n := readerParts(v, r.part)
	for _, p := range parts[:n] {
		r.add(r.b.rows(tagAllRows, v, p), mask)
	}
}

// anyRow depends on a row, there or not, of which nothing else is known.
func (r *Reader) anyRow(v *View, key []byte) {
	r.presentRow(v, key, AllColumns)
	parts, n := readerParts(v, r.part)
	for _, p := range parts[:n] {
		r.add(r.b.rows(tagNoRow, v, p), AllColumns)
	}
}

// someRowAppears depends on rows that come, be it into the caller's sight: the answer has null for a
// row, and does not tell whether the parent names none or one that is not there.
func (r *Reader) someRowAppears(views []*View) {
	for _, v := range views {
		mask := presence | v.hidden | r.consulted[v]
		if !v.Explicit {
			mask = AllColumns
		}
		r.whole(v, mask)
	}
}

// whole depends on everything in a view, as far as mask goes.
func (r *Reader) whole(v *View, mask Mask) {
	parts, n := readerParts(v, r.part)
	id := shapeID(v, nil)
	for _, p := range parts[:n] {
		r.add(r.b.set(id, 0, nil, p), mask)
	}
}

// fixed adds the reads of a position that depend on its arguments only.
func (r *Reader) fixed(f *extractor.Field, fr *fieldReads) {
	args := r.args(fr)
	var place *listPlace
	if f.In.Field == nil {
		place = &listPlace{f, 0} // below the root there is one list; elsewhere there may be more
	}
	for i := range fr.reads {
		if b := &fr.reads[i]; b.Kind == ReadWhere {
			r.where(b, args, nil, place)
		}
	}
	if len(f.On) == 0 || f.Definition.Type.Elem != nil {
		r.rowsOf(f, fr, nil)
	}
}

// rowsOf adds the row reads of a field that returns a leaf or a list: rows there or not.
func (r *Reader) rowsOf(f *extractor.Field, fr *fieldReads, parent *extractor.Object) {
	args := r.args(fr)
	for i := range fr.reads {
		b := &fr.reads[i]
		if b.Kind != ReadRow || b.child {
			continue
		}
		keys, ok := r.rowKeys(b, args, parent)
		for _, v := range b.Views {
			if !ok {
				r.whole(v, AllColumns)
			}
			for _, k := range keys {
				r.anyRow(v, k)
			}
		}
	}
}

// rowReads adds the row reads of the position that holds obj, an object or null. When the object is
// the row that was asked for, its own tags say it all.
func (r *Reader) rowReads(res *extractor.Result, obj *extractor.Object) {
	f := obj.Field
	if f.Definition.Type.Elem != nil {
		return // handled by rowsOf
	}
	fr := &r.o.reads[f.ID]
	for i := range fr.reads {
		b := &fr.reads[i]
		if b.Kind != ReadRow {
			continue
		}
		if b.child {
			if obj.Null {
				r.someRowAppears(b.Views)
			}
			continue
		}
		keys, ok := r.rowKeys(b, r.args(fr), &res.Objects[obj.Parent])
		if !ok || len(keys) != 1 {
			if b.Inferred {
				r.anything()
			}
			for _, v := range b.Views {
				r.whole(v, AllColumns)
			}
			continue
		}
		own := !obj.Null && bytes.Equal(obj.Key, keys[0])
		if b.Inferred && !obj.Null && !own {
			r.anything() // the argument is not the key after all
		}
		for _, v := range b.Views {
			if own && obj.Selection != nil && slices.Contains(r.o.sels[obj.Selection.ID].views, v) {
				continue
			}
			r.anyRow(v, keys[0])
		}
	}
}

// rowKeys evaluates the operand of a row read.
func (r *Reader) rowKeys(b *boundRead, args map[string]any, parent *extractor.Object) ([][]byte, bool) {
	vals, null, ok := r.operand(b.Row, b.paths[0], args, parent)
	if !ok || null {
		return nil, false
	}
	r.keys = r.keys[:0]
	for _, v := range vals {
		if v.kind != valueText {
			return nil, false
		}
		r.keys = append(r.keys, []byte(v.text))
	}
	return r.keys, true
}

// operand evaluates an operand. null says that it is null or absent.
func (r *Reader) operand(op Operand, path int, args map[string]any, parent *extractor.Object) (vals []Value, null, ok bool) {
	switch op.Kind {
	case FromConst:
		if op.Const.IsNull() {
			return nil, true, true
		}
		return []Value{op.Const}, false, true
	case FromArgs:
		return valuesAt(args, op.Path)
	case FromParent:
		if parent == nil || path == noPath {
			return nil, false, false
		}
		if path == -1 {
			if parent.Key == nil {
				return nil, false, false
			}
			return []Value{{kind: valueText, text: string(parent.Key)}}, false, true
		}
		return valuesOfPath(parent.Paths, path)
	}
	return nil, false, false
}

// valuesOfPath turns what the extractor found at a hidden path into values.
func valuesOfPath(paths [][][]byte, i int) (vals []Value, null, ok bool) {
	if i < 0 || i >= len(paths) || paths[i] == nil {
		return nil, false, false
	}
	for _, raw := range paths[i] {
		v := valueOfJSON(raw)
		if !v.Known() {
			return nil, false, false
		}
		vals = append(vals, v)
	}
	if len(vals) == 1 && vals[0].IsNull() {
		return nil, true, true
	}
	return vals, false, true
}

// where adds a where-read: for every combination of its operands' values, the tags of every subset of
// its terms, so that a change which knows only some of a row's values finds the answers that the row
// could be in, and no others.
func (r *Reader) where(b *boundRead, args map[string]any, parent *extractor.Object, place *listPlace) {
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
		if !ok {
			r.whole(v, mask|b.columnMask())
			return
		}
		if null {
			continue // the term is true whatever the column holds
		}
		if t.Contains {
			if vals, ok = gramsOfOperand(vals); !ok {
				r.whole(v, mask|b.columnMask())
				return
			}
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

// subset adds the tags of one subset of a shape's columns for every combination of their values.
func (r *Reader) subset(sh *shape, known uint, i int, lists [][]Value, combo []Value, mask Mask, parts []uint64) {
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

// A page is the end of a list in its order.
type page struct {
	last       uint64
	descending bool
}

// page returns where a list of the answer ends, nil when that is not known.
func (r *Reader) page(b *boundRead, sh *shape, place *listPlace) *page {
	if b.order == nil || b.order.column != sh.order || place == nil || place.parent != 0 || place.field.In.Field != nil {
		return nil
	}
	last, ok := placeOf(r.lasts[place.field.Name])
	if !ok {
		return nil
	}
	return &page{last, b.order.descending}
}

// columnMask is the mask of the columns that a read's terms compare.
func (r *Read) columnMask() Mask {
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
