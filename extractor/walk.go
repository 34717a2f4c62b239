package extractor

import (
	"errors"
	"sync"
)

// ErrMalformed is what Walk returns for data that it cannot follow.
var ErrMalformed = errors.New("extractor: malformed response")

// maxListDepth bounds how deep lists may be nested around an object. Objects nest only as deep as the
// operation.
const maxListDepth = 10_000

// minObjects is the room for objects that a first result gets.
const minObjects = 8

// Walk reads the data member of a response to the prepared operation once: it collects the objects and
// removes the hidden members. The error is ErrMalformed; then nothing is known about the response, and
// hidden members may still be in it. Data is not validated: what is not below a position of the tree is
// skipped, whatever it holds.
//
// Walk neither changes nor keeps data, but the result shares its memory: data must stay unchanged as
// long as the result is used. It does not block and is safe for concurrent use.
func (o *Operation) Walk(data []byte) (*Result, error) {
	w := walkers.Get().(*walker)
	w.op, w.cursor = o, cursor{data: data}
	w.objects = make([]Object, 0, max(minObjects, int(o.objects.Load())))
	ok := w.root()
	var r *Result
	if ok {
		o.objects.Store(int32(len(w.objects)))
		r = &Result{Data: w.strip(), Objects: w.objects, Rows: w.rows, Cascade: w.cascades}
	}
	*w = walker{cuts: w.cuts[:0]}
	walkers.Put(w)
	if !ok {
		return nil, ErrMalformed
	}
	return r, nil
}

var walkers = sync.Pool{New: func() any { return new(walker) }}

// A walker is the state of one walk.
type walker struct {
	cursor
	op       *Operation
	objects  []Object
	rows     int
	cascades []CascadePayload
	cuts     []cut // what to remove, in document order, not overlapping
}

type cut struct{ from, to int }

func (w *walker) root() bool {
	switch w.next() {
	case '{':
		if !w.object(w.op.Root, w.add(nil, w.op.Root, -1)) {
			return false
		}
	case 'n':
		if !w.null(nil, -1) {
			return false
		}
	default:
		return false
	}
	w.next()
	return w.pos == len(w.data)
}

func (w *walker) add(f *Field, sel *Selection, parent int32) int32 {
	w.objects = append(w.objects, Object{Field: f, Selection: sel, Parent: parent})
	return int32(len(w.objects) - 1)
}

func (w *walker) null(f *Field, parent int32) bool {
	raw, ok := w.value()
	if !ok || string(raw) != "null" {
		return false
	}
	w.objects = append(w.objects, Object{Field: f, Parent: parent, Null: true})
	return true
}

// position reads a value at a position that holds objects, or lists of them.
func (w *walker) position(f *Field, parent int32, depth int) bool {
	switch w.next() {
	case '{':
		sel := w.concrete(f)
		at := w.add(f, sel, parent)
		if sel == nil {
			break
		}
		return w.object(sel, at)
	case '[':
		return w.list(f, parent, depth+1)
	case 'n':
		w.noCascade(f)
		return w.null(f, parent)
	default:
		w.add(f, nil, parent)
	}
	w.noCascade(f)
	_, ok := w.value()
	return ok
}

func (w *walker) list(f *Field, parent int32, depth int) bool {
	if depth > maxListDepth {
		return false
	}
	w.pos++
	if w.next() == ']' {
		w.pos++
		return true
	}
	for {
		if !w.position(f, parent, depth) {
			return false
		}
		if w.accept(',') {
			continue
		}
		return w.accept(']')
	}
}

// concrete tells the type of the object that starts at the cursor. On an abstract type only its first
// member does.
func (w *walker) concrete(f *Field) *Selection {
	if !f.abstract {
		return f.On[0]
	}
	peek := w.cursor
	peek.pos++
	name, ok := peek.member()
	if !ok {
		return nil
	}
	if kind, rest := hiddenName(name); kind == aliasKey || kind == aliasTypename {
		if no, ok := hiddenNumber(rest); ok {
			return f.selectionOf(no)
		}
	}
	return nil
}

// hiddenName splits a hidden alias behind the nonce. The kind is 0 for other names.
func hiddenName(name []byte) (kind byte, rest []byte) {
	if len(name) <= len(nonce) || string(name[:len(nonce)]) != nonce {
		return 0, nil
	}
	return name[len(nonce)], name[len(nonce)+1:]
}

// strip returns the data without what was cut.
func (w *walker) strip() []byte {
	if len(w.cuts) == 0 {
		return w.data
	}
	size := len(w.data)
	for _, c := range w.cuts {
		size -= c.to - c.from
	}
	out := make([]byte, 0, size)
	at := 0
	for _, c := range w.cuts {
		out = append(out, w.data[at:c.from]...)
		at = c.to
	}
	return append(out, w.data[at:]...)
}
