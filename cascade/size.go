package cascade

import (
	"strings"
	"unsafe"

	"github.com/vektah/gqlparser/v2/ast"
)

// Size estimates the memory that the operation keeps alive, in bytes, with the client's
// document that it was made from. The plan and the schema are not counted. The estimate
// is rather too large than too small.
func (o *Operation) Size() int {
	n := int(unsafe.Sizeof(*o)) + o.Extract.Size()
	n += array(o.sels) + array(o.reads) + array(o.roots) + array(o.sets) + array(o.rows)
	for i := range o.sels {
		n += array(o.sels[i].nested)
	}
	for i := range o.reads {
		fr := &o.reads[i]
		n += array(fr.reads) + argumentsOf(fr.args)
		for j := range fr.reads {
			n += array(fr.reads[j].paths)
		}
	}
	for i := range o.roots {
		rw := &o.roots[i]
		n += array(rw.writes) + argumentsOf(rw.args)
		for j := range rw.writes {
			w := &rw.writes[j]
			n += array(w.where) + array(w.set) + array(w.shown)
		}
	}
	return n
}

// argumentsOf is the size of a node made to evaluate arguments, which belong to the
// document.
func argumentsOf(f *ast.Field) int {
	if f == nil {
		return 0
	}
	return int(unsafe.Sizeof(*f))
}

// array is the size of a slice's array.
func array[T any](s []T) int {
	var v T
	return cap(s) * int(unsafe.Sizeof(v))
}

// Clone returns the value in memory of its own. The text of a value may be a part of a
// client's document or variables, which a value that is kept would keep as a whole.
func (v Value) Clone() Value { return Value{kind: v.kind, text: strings.Clone(v.text)} }
