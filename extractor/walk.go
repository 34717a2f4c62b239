package extractor

import (
	"bytes"
	"errors"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
)

// ErrMalformed is what Walk returns for data that it cannot follow.
var ErrMalformed = errors.New("extractor: malformed response")

// ErrOther is what WalkBeside returns when an answer and the answer to its probe do not
// have the same objects.
var ErrOther = errors.New("extractor: the probe has other objects")

// maxListDepth bounds how deep lists may be nested around an object. Objects nest only as
// deep as the operation.
const maxListDepth = 10_000

// minObjects is the room for objects that a first result gets.
const minObjects = 8

// Walk reads the data member of a response to the prepared operation once: it collects
// the objects and removes the hidden members. The error is ErrMalformed; then nothing is
// known about the response, and hidden members may still be in it. Data is not validated:
// what is not below a position of the tree is skipped, whatever it holds.
//
// Walk neither changes nor keeps data, but the result shares its memory: data must stay
// unchanged as long as the result is used. It does not block and is safe for concurrent
// use.
func (o *Operation) Walk(data []byte) (*Result, error) { return o.walk(data, nil) }

// WalkBeside reads the answer to the client's operation itself, which has no hidden
// members, given what Walk found in the answer to its Probe. A key that the client's
// answer shows counts more than the probe's; the rest is the probe's. The error is
// ErrMalformed, or ErrOther when the two answers do not have the same objects. When both
// know the key of an object and it is not the same, disagreed is the object's type, and
// the result must not be used.
//
// The result shares the memory of data and of the probe's result, which must not be used
// any more.
func (o *Operation) WalkBeside(data []byte, probe *Result) (res *Result, disagreed *ast.Definition, err error) {
	res, err = o.walk(data, probe)
	if err != nil {
		return nil, nil, err
	}
	for i := range res.Objects {
		own, other := &res.Objects[i], &probe.Objects[i]
		switch {
		case own.Key == nil:
			if own.Key = other.Key; own.Key != nil {
				res.Rows++
			}
		case other.Key != nil && !bytes.Equal(own.Key, other.Key):
			return nil, own.Selection.Object, nil
		case own.Selection != nil:
			for _, at := range own.Selection.keyPaths {
				other.Paths[at] = [][]byte{own.raw}
			}
		}
		own.Paths = other.Paths
	}
	res.Cascade = probe.Cascade
	return res, nil, nil
}

func (o *Operation) walk(data []byte, probe *Result) (*Result, error) {
	w := walkers.Get().(*walker)
	w.op, w.cursor, w.probe = o, cursor{data: data}, probe
	w.objects = make([]Object, 0, max(minObjects, int(o.objects.Load())))
	ok := w.root()
	other := w.other || (ok && probe != nil && len(probe.Objects) != len(w.objects))
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
	if other {
		return nil, ErrOther
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
	probe    *Result // nil, or what WalkBeside was given
	other    bool    // the probe has other objects
	cuts     []cut   // what to remove, in document order, not overlapping
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
	w.push(Object{Field: f, Selection: sel, Parent: parent})
	return int32(len(w.objects) - 1)
}

func (w *walker) push(o Object) {
	if w.probe != nil {
		s := w.beside()
		w.other = w.other || s == nil || s.Field != o.Field || s.Selection != o.Selection || s.Parent != o.Parent || s.Null != o.Null
	}
	w.objects = append(w.objects, o)
}

// beside returns the probe's object at the place of the next one; nil when there is none.
func (w *walker) beside() *Object {
	if i := len(w.objects); i < len(w.probe.Objects) {
		return &w.probe.Objects[i]
	}
	return nil
}

func (w *walker) null(f *Field, parent int32) bool {
	raw, ok := w.value()
	if !ok || string(raw) != "null" {
		return false
	}
	w.push(Object{Field: f, Parent: parent, Null: true})
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

// concrete tells the type of the object that starts at the cursor. On an abstract type
// only its first member does.
func (w *walker) concrete(f *Field) *Selection {
	if !f.abstract {
		return f.On[0]
	}
	if w.probe != nil {
		if s := w.beside(); s != nil && s.Field == f {
			return s.Selection
		}
		return nil
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
