package cascade

import (
	"bytes"
	"slices"

	"github.com/cascadeql/cascadeql/extractor"
)

// maxCombinations bounds the values that one where-read subscribes to; beyond, it reads
// the whole view.
const maxCombinations = 64

// A reader collects the tags of one answer.
type reader struct {
	o    *Operation
	vars map[string]any
	part Partition
	res  *extractor.Result
	out  []Tag
	b    tagBuilder
	// counts are the rows that the answer's lists show, once one is asked for.
	counts map[shownRows]int
	// lasts are the values that resolvers have told of the last rows of root fields, and
	// ending the page whose tags are being added, where they tell.
	lasts  map[string]Value
	ending *page
	// consulted are the columns that the caller's predicate looks at: the rows of their
	// views depend on them too.
	consulted map[*View]Mask

	keys [][]byte // scratch
}

// An Answer is an answer to a query, and what it was computed with.
type Answer struct {
	// Vars are the coerced variables.
	Vars map[string]any
	// Result is the walked answer.
	Result *extractor.Result
	// Part is the partition of the caller.
	Part Partition
	// Predicate names what the caller's predicate consults: a view whose rows decide
	// whether it holds at all, or, as "view.column", a column that it compares in the
	// rows of a view that the answer reads, or that something in the answer is derived
	// from.
	Predicate []string
	// Lasts are, by response name of a root field whose reads declare an order, the value
	// of the order's column in the last row that matters, as far as resolvers have told.
	Lasts map[string]Value
	// Anything says that the answer depends on anything, though the operation does not: a
	// resolver that should say what it reads has said nothing, see SaysAtRuntime.
	Anything bool
}

// ReadsOf appends to dst the tags that an answer to a query depends on, and returns all
// of it merged and sorted by hash. It keeps and changes nothing of the answer. The error
// is for a name in Predicate that is neither a view nor a column of one; then there are
// no tags.
func (o *Operation) ReadsOf(dst []Tag, a Answer) ([]Tag, error) {
	res, extra := a.Result, a.Predicate
	r := reader{o: o, vars: a.Vars, part: a.Part, res: res, out: dst, lasts: a.Lasts}
	for _, f := range o.Extract.Root.Fields {
		r.out = append(r.out, RootField(f.Definition.Name))
	}
	if o.Anything != "" || a.Anything {
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
		} else if fr.entities {
			r.entities(o.Extract.Fields[id], fr)
		}
	}
	for i := range res.Objects {
		r.object(res, i)
	}
	return Merge(r.out), nil
}

func (r *reader) add(hash uint64, mask Mask) {
	r.out = append(r.out, Tag{Hash: hash, Mask: uint64(mask)})
}

func (r *reader) anything() { r.out = append(r.out, Anything) }

// object adds what one object of the answer depends on.
func (r *reader) object(res *extractor.Result, i int) {
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
		if obj.Key == nil || v.key != s.views[0].key {
			r.whole(v, AllColumns) // which of its rows is not known
			continue
		}
		r.presentRow(v, obj.Key, mask)
	}
	for _, f := range s.nested {
		fr := &r.o.reads[f.ID]
		for j := range fr.reads {
			if b := &fr.reads[j]; b.Kind == readWhere {
				r.where(b, r.args(fr), obj, listPlace{f, int32(i)})
			}
		}
		// row reads of fields that return no object have no object of their own to wait
		// for
		if len(f.On) == 0 || f.Definition.Type.Elem != nil {
			r.rowsOf(f, fr, obj)
		}
	}
}

func (r *reader) args(fr *fieldReads) map[string]any {
	if fr.args == nil {
		return nil
	}
	return r.o.plan.arguments(fr.args, r.vars)
}

// presentRow depends on a row that is there.
func (r *reader) presentRow(v *View, key []byte, mask Mask) {
	hashes, classes := r.b.row(v, key)
	if classes == 0 {
		r.whole(v, mask)
	}
	for _, h := range hashes[:classes] {
		r.add(h, mask)
	}
	parts, n := readerParts(v, r.part)
	for _, p := range parts[:n] {
		r.add(r.b.rows(tagAllRows, v, p), mask)
	}
}

// anyRow depends on a row, there or not, of which nothing else is known.
func (r *reader) anyRow(v *View, key []byte) {
	r.presentRow(v, key, AllColumns)
	parts, n := readerParts(v, r.part)
	for _, p := range parts[:n] {
		r.add(r.b.rows(tagNoRow, v, p), AllColumns)
	}
}

// someRowAppears depends on rows that come, be it into the caller's sight: the answer has
// null for a row, and does not tell whether the parent names none or one that is not
// there.
func (r *reader) someRowAppears(views []*View) {
	for _, v := range views {
		mask := presence | v.hidden | r.consulted[v]
		if !v.explicit {
			mask = AllColumns
		}
		r.whole(v, mask)
	}
}

// whole depends on everything in a view, as far as mask goes.
func (r *reader) whole(v *View, mask Mask) {
	parts, n := readerParts(v, r.part)
	id := shapeID(v, nil)
	for _, p := range parts[:n] {
		r.add(r.b.set(id, 0, nil, p), mask)
	}
}

// fixed adds the reads of a position that depend on its arguments only.
func (r *reader) fixed(f *extractor.Field, fr *fieldReads) {
	args := r.args(fr)
	place := listPlace{f, 0} // below the root there is one list; of several elsewhere, none counts as full
	for i := range fr.reads {
		if b := &fr.reads[i]; b.Kind == readWhere {
			r.where(b, args, nil, place)
		}
	}
	if len(f.On) == 0 || f.Definition.Type.Elem != nil {
		r.rowsOf(f, fr, nil)
	}
}

// rowsOf adds the row reads of a field that returns a leaf or a list: rows there or not.
func (r *reader) rowsOf(f *extractor.Field, fr *fieldReads, parent *extractor.Object) {
	args := r.args(fr)
	for i := range fr.reads {
		b := &fr.reads[i]
		if b.Kind != readRow || b.child {
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

// rowReads adds the row reads of the position that holds obj, an object or null. When the
// object is the row that was asked for, its own tags say it all.
func (r *reader) rowReads(res *extractor.Result, obj *extractor.Object) {
	f := obj.Field
	if f.Definition.Type.Elem != nil {
		return // handled by rowsOf
	}
	fr := &r.o.reads[f.ID]
	for i := range fr.reads {
		b := &fr.reads[i]
		if b.Kind != readRow {
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
		// The argument and the key of the row that is shown may be spellings of one key:
		// the answer depends on both, unless they are the same for everybody.
		own := !obj.Null && bytes.Equal(obj.Key, keys[0])
		if b.Inferred && !obj.Null && !own && !sameKey(obj.Key, keys[0]) {
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
func (r *reader) rowKeys(b *boundRead, args map[string]any, parent *extractor.Object) ([][]byte, bool) {
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
func (r *reader) operand(op operandDecl, path int, args map[string]any, parent *extractor.Object) (vals []Value, null, ok bool) {
	if op.unknown {
		return nil, false, false
	}
	switch op.Kind {
	case fromConst:
		if op.Const.IsNull() {
			return nil, true, true
		}
		return []Value{op.Const}, false, true
	case fromArgs:
		return valuesAt(args, op.Path)
	case fromParent:
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
