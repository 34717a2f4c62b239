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

// An objectWalk is the state of one object's members.
type objectWalk struct {
	sel *Selection
	at  int32 // index of the object

	run  int // start of a run of hidden members; -1 outside one
	kept int // end of the last member that stays; -1 before the first
	next int // index of the field expected next: members come in the order of the selections

	key, hiddenKey []byte
	paths          *pathWalk // nil when the selection has no paths

	cascade, success []byte // raw members of a GraphQL Cascade payload
}

// object reads an object whose selection is known; the cursor is at its opening brace.
func (w *walker) object(sel *Selection, at int32) bool {
	o := objectWalk{sel: sel, at: at, run: -1, kept: -1}
	if len(sel.Paths) > 0 && w.probe == nil {
		o.paths = newPathWalk(sel, w.op.steps)
	}
	w.pos++
	if w.next() == '}' {
		w.pos++
	} else if !w.members(&o) {
		return false
	}
	w.finish(&o)
	return true
}

func (w *walker) members(o *objectWalk) bool {
	for {
		w.next()
		start := w.pos
		name, ok := w.member()
		if !ok {
			return false
		}
		hidden, ok := w.hiddenMember(o, name)
		if !ok {
			return false
		}
		if hidden {
			if o.run < 0 {
				o.run = start
			}
		} else {
			if o.run >= 0 {
				w.cuts = append(w.cuts, cut{o.run, start})
				o.run = -1
			}
			if !w.plainMember(o, name) {
				return false
			}
			o.kept = w.pos
		}
		if w.accept(',') {
			continue
		}
		w.cutTail(o)
		return w.accept('}')
	}
}

// cutTail removes hidden members at the end of an object: together with the comma before
// them, or all there is between the braces.
func (w *walker) cutTail(o *objectWalk) {
	if o.run < 0 {
		return
	}
	from := o.run
	if o.kept >= 0 {
		from = o.kept
	}
	w.next()
	w.cuts = append(w.cuts, cut{from, w.pos})
}

// plainMember reads the value of a member that the client asked for.
func (w *walker) plainMember(o *objectWalk, name []byte) bool {
	f := o.field(name)
	switch {
	case f == nil:
		_, ok := w.value()
		return ok
	case f.composite:
		before := len(w.cascades)
		if !w.position(f, o.at, 0) {
			return false
		}
		if f.Cascade && len(w.cascades) == before { // an empty list
			w.noCascade(f)
		}
		return true
	}
	raw, ok := w.value()
	if f == o.sel.key {
		o.key = raw
	}
	return ok
}

// field finds the field of a member: mostly the one after the last.
func (o *objectWalk) field(name []byte) *Field {
	if o.next < len(o.sel.Fields) {
		if f := o.sel.Fields[o.next]; string(name) == f.Name {
			o.next++
			return f
		}
	}
	f := o.sel.lookup(name)
	if f != nil {
		o.next = f.index + 1
	}
	return f
}

// hiddenMember reads a member's value if the member is hidden, and reports whether it
// was. Client aliases cannot look like ours, since Prepare refuses them; a name of a kind
// that is never injected into objects is left alone all the same.
func (w *walker) hiddenMember(o *objectWalk, name []byte) (hidden, ok bool) {
	kind, rest := hiddenName(name)
	if kind == 0 || !w.op.Injected || w.probe != nil {
		return false, true
	}
	switch kind {
	case aliasKey:
		o.hiddenKey, ok = w.value()
	case aliasTypename:
		_, ok = w.value()
	case aliasPath:
		id, isNumber := hiddenNumber(rest)
		if !isNumber {
			return false, true
		}
		ok = w.pathStep(o.paths, id, -1, 0)
	case aliasSuccess:
		o.success, ok = w.value()
	case aliasCascade:
		o.cascade, ok = w.value()
	case aliasData:
		o.cascade, ok = w.cascadeInData()
	default:
		return false, true
	}
	return true, ok
}

// finish fills in what the members told about the object.
func (w *walker) finish(o *objectWalk) {
	raw := o.hiddenKey
	if raw == nil || string(raw) == "null" {
		raw = o.key
	}
	object := &w.objects[o.at]
	if raw != nil {
		object.Key, object.raw = CanonicalID(raw), raw
	}
	if object.Key != nil {
		w.rows++
	}
	if o.paths != nil {
		object.Paths = o.paths.finish(raw, object.Key != nil)
	}
	w.finishCascade(o)
}

// noCascade notes that a root field's value has no GraphQL Cascade report where one was
// asked for.
func (w *walker) noCascade(f *Field) {
	if f.Cascade {
		w.cascades = append(w.cascades, CascadePayload{Root: f})
	}
}

// cascadeInData returns the cascade member inside a hidden data member, nil when there is
// none.
func (w *walker) cascadeInData() (raw []byte, ok bool) {
	if w.next() != '{' {
		_, ok = w.value()
		return nil, ok
	}
	ok = w.eachMember(func(kind byte, _ []byte) bool {
		value, ok := w.value()
		if kind == aliasCascade {
			raw = value
		}
		return ok
	})
	return raw, ok
}

// finishCascade reports the payload of an object returned by a root field.
func (w *walker) finishCascade(o *objectWalk) {
	f := o.sel.Field
	if f == nil || !f.Cascade {
		return
	}
	w.noCascade(f)
	if shape := o.sel.cascade; shape != nil {
		c := &w.cascades[len(w.cascades)-1]
		c.Raw = o.cascade
		c.Failed = shape.success != nil && string(o.success) != "true"
	}
}

// A cursor reads JSON text without interpreting values. It does not validate: it follows
// the structure as far as it needs to find the end of a value, and reports false where it
// cannot.
type cursor struct {
	data []byte
	pos  int
}

// next skips white space and returns the byte at the new position, or 0 at the end.
func (c *cursor) next() byte {
	for c.pos < len(c.data) {
		switch b := c.data[c.pos]; b {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return b
		}
	}
	return 0
}

// accept moves past b if it comes next.
func (c *cursor) accept(b byte) bool {
	if c.next() != b || c.pos >= len(c.data) {
		return false
	}
	c.pos++
	return true
}

// member reads a member's name and the colon. The name is the raw text between the
// quotes.
func (c *cursor) member() ([]byte, bool) {
	if c.next() != '"' {
		return nil, false
	}
	start := c.pos + 1
	if !c.skipString() {
		return nil, false
	}
	name := c.data[start : c.pos-1]
	return name, c.accept(':')
}

// value returns the raw text of the value that comes next.
func (c *cursor) value() ([]byte, bool) {
	b := c.next()
	start := c.pos
	var ok bool
	switch b {
	case '"':
		ok = c.skipString()
	case '{', '[':
		ok = c.skipContainer()
	default:
		ok = c.skipLiteral()
	}
	return c.data[start:c.pos], ok
}

// skipString moves past a string; the cursor is at its opening quote.
func (c *cursor) skipString() bool {
	start := c.pos + 1
	for at := start; ; {
		i := bytes.IndexByte(c.data[at:], '"')
		if i < 0 {
			return false
		}
		at += i
		// The quote ends the string unless an odd number of backslashes is before it.
		b := at
		for b > start && c.data[b-1] == '\\' {
			b--
		}
		at++
		if (at-1-b)%2 == 0 {
			c.pos = at
			return true
		}
	}
}

// skipContainer moves past an array or object; the cursor is at its opening bracket. It
// counts instead of descending, so that nothing in the data can exhaust the stack.
func (c *cursor) skipContainer() bool {
	depth := 0
	for c.pos < len(c.data) {
		switch c.data[c.pos] {
		case '"':
			if !c.skipString() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		c.pos++
		if depth == 0 {
			return true
		}
	}
	return false
}

// skipLiteral moves past a number, true, false or null.
func (c *cursor) skipLiteral() bool {
	start := c.pos
	for c.pos < len(c.data) {
		switch b := c.data[c.pos]; {
		case b >= '0' && b <= '9', b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b == '-', b == '+', b == '.':
			c.pos++
		default:
			return c.pos > start
		}
	}
	return c.pos > start
}
