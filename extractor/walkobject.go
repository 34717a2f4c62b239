package extractor

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
