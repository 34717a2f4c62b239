package cascade

import (
	"slices"

	"github.com/cascadeql/cascadeql/extractor"
)

// An Outcome is what became of a mutation operation.
type Outcome struct {
	// Vars are the coerced variables.
	Vars map[string]any
	// Result is the walked answer; nil when there is none, or when it has errors: then
	// nothing that the answer would tell is known.
	Result *extractor.Result
	// Nothing says, by response name, which fields wrote nothing of what they declare;
	// nil is none.
	Nothing map[string]bool
	// Seen says, by response name, of which fields all that they wrote was seen in
	// another way, so that one without a declaration is no unknown change; nil is none.
	Seen map[string]bool
	// Reports are what resolvers know better than the schema, in the order in which they
	// said it. Those about all rows count only with a Result: a resolver that failed may
	// have changed others since.
	Reports []Report
}

// Events returns what a mutation operation changed, without what follows from it: see
// Plan.Cascade. everything names the first field that does not say what it writes. It is
// empty if there is none. If there is one, all answers must be dropped, and the events are
// only what is known besides. Gaps in the outcome widen the events: without a result, the
// declared writes count as made to rows and values that are not known. The events belong to
// the caller; they share no memory with the outcome.
func (o *Operation) Events(out Outcome) (events []Event, everything string) {
	var roots []rootEvents
	for i := range o.roots {
		rw := &o.roots[i]
		nothing := out.Nothing[rw.field.Name]
		if rw.mutation == nil {
			if !nothing && !out.Seen[rw.field.Name] && everything == "" && rw.args == nil && rw.field.Definition.Name != "__typename" {
				everything = "nothing says what " + o.Extract.Root.Object.Name + "." + rw.field.Definition.Name + " writes"
			}
			continue
		}
		w := writer{
			plan:     o.plan,
			args:     o.plan.arguments(rw.args, out.Vars),
			objects:  resultObjects(out.Result, rw.field),
			answered: out.Result != nil && len(rw.field.On) > 0,
		}
		if rw.wraps && out.Result != nil {
			w.inside = objectsInside(out.Result, w.objects)
		}
		for j := range rw.writes {
			w.write(&rw.writes[j])
		}
		for j := range rw.writes {
			w.returned(&rw.writes[j])
		}
		roots = append(roots, rootEvents{rw.field.Name, nothing, w.events})
	}
	return refine(roots, out.Reports, out.Result != nil), everything
}

// resultObjects returns the objects that a root field returned.
func resultObjects(res *extractor.Result, f *extractor.Field) []*extractor.Object {
	if res == nil {
		return nil
	}
	var objs []*extractor.Object
	for i := range res.Objects {
		if o := &res.Objects[i]; o.Field == f && o.Parent == 0 {
			objs = append(objs, o)
		}
	}
	return objs
}

// objectsInside returns the objects that fields of some objects hold.
func objectsInside(res *extractor.Result, outer []*extractor.Object) []*extractor.Object {
	var objs []*extractor.Object
	for i := range res.Objects {
		o := &res.Objects[i]
		if o.Parent > 0 && slices.Contains(outer, &res.Objects[o.Parent]) {
			objs = append(objs, o)
		}
	}
	return objs
}

// writer evaluates the writes of one mutation field.
type writer struct {
	plan    *Plan
	args    map[string]any
	objects []*extractor.Object
	// answered says that the answer is known, so that no objects means an empty list, or
	// a field that was skipped.
	answered bool
	// inside are the objects in a payload around the rows.
	inside []*extractor.Object
	events []Event
}

// operand evaluates an operand of a write; known is false when its value cannot be told.
func (w *writer) operand(op operandDecl, path int) (vals []Value, known bool) {
	var null, ok bool
	if op.unknown {
		return nil, false
	}
	switch op.Kind {
	case fromConst:
		return []Value{op.Const}, true
	case fromArgs:
		vals, null, ok = valuesAt(w.args, op.Path)
	case fromResult:
		if w.answered && len(w.objects) == 0 {
			return nil, true
		}
		for _, obj := range w.objects {
			vs, isNull, found := valuesOfPath(obj.Paths, path)
			if !found || isNull {
				return nil, false
			}
			vals, ok = append(vals, vs...), true
		}
	}
	return vals, ok && !null
}

func (w *writer) write(b *boundWrite) {
	e := Event{View: b.View, Op: b.Op, Columns: b.Columns}
	for i, t := range b.Where {
		vals, known := w.operand(t.Operand, b.where[i])
		if known && t.Operand.Kind == fromArgs && maySelectAll(vals) {
			known = false
		}
		if known && !slices.ContainsFunc(vals, Value.IsNull) {
			if len(vals) == 0 {
				return // the rows with none of these values
			}
			e.Old = e.Old.with(t.Column, vals)
		}
	}
	var set Known
	for i, t := range b.Set {
		vals, known := w.operand(t.Operand, b.set[i])
		// a null in a list of inputs may stand for a default
		if slices.ContainsFunc(vals, Value.IsNull) && t.Operand.Kind != fromConst {
			known = false
		}
		if known && len(vals) > 0 {
			set = set.with(t.Column, vals)
		}
	}
	w.inputColumns(b, &e)
	if !w.rows(b, &e) {
		return
	}
	w.emit(b, e, set)
}

// inputColumns adds the columns of the fields that are set in input objects.
func (w *writer) inputColumns(b *boundWrite, e *Event) {
	for i := range b.ColumnsFrom {
		cf := &b.ColumnsFrom[i]
		var in any = w.args
		for _, step := range cf.path {
			m, isObject := in.(map[string]any)
			if in != nil && !isObject {
				break
			}
			in = m[step]
		}
		set, isObject := in.(map[string]any)
		switch {
		case in == nil:
		case !isObject:
			e.Columns = AllColumns // a list of inputs, say
		default:
			cf.add(set, e)
		}
	}
}

// add adds the columns of one input object. A null there may mean that the column stays,
// or that it becomes null: its new value is unknown.
func (cf *columnsFrom) add(set map[string]any, e *Event) {
	one := func(name string, val Value) {
		m, ok := cf.masks[name]
		if !ok {
			m = AllColumns
		}
		e.Columns |= m
		if c := cf.columns[name]; c != "" && val.Known() && !val.IsNull() {
			e.New = e.New.with(c, append(slices.Clone(e.New.of(c)), val)) // two inputs may set it
		}
	}
	for name, v := range set {
		one(name, ValueOf(v))
	}
	for name, val := range cf.defaults {
		if _, given := set[name]; !given {
			one(name, val)
		}
	}
}

// rows sets the rows of an event. It returns false when there are none. Without row and
// where, the rows that a CREATE returns are those that it creates.
func (w *writer) rows(b *boundWrite, e *Event) bool {
	if b.Row != nil {
		vals, known := w.operand(*b.Row, b.row)
		keys, ok := texts(vals, nil)
		switch {
		case known && len(vals) == 0:
			return false
		case known && ok:
			slices.Sort(keys)
			e.Rows = slices.Compact(keys)
			// a null is a row whose key the arguments do not tell: the server makes it,
			// say
			e.All = slices.ContainsFunc(vals, Value.IsNull)
		default:
			e.All = true
		}
		return true
	}
	if keys, known := texts(e.Old.of(b.View.key), nil); known {
		e.Rows = keys // where says which rows
		return len(keys) > 0
	}
	if b.Op == Create && len(w.objects) > 0 {
		for _, obj := range w.objects {
			if obj.Key == nil || !w.ofView(obj, b.View) {
				e.All, e.Rows = true, nil
				return true
			}
			e.Rows = append(e.Rows, string(obj.Key))
		}
		return true
	}
	e.All = true
	return true
}

// returned adds the rows that a field returned where its arguments name others: the
// arguments may spell their keys in a way that only the server knows. A row that meets
// one of those named is there already.
func (w *writer) returned(b *boundWrite) {
	if !b.namesRows() {
		return
	}
	objects := w.objects
	if b.Op != Delete { // what is shown beside a deleted row is another one
		objects = slices.Concat(objects, w.inside)
	}
	for _, obj := range objects {
		if obj.Key == nil || !w.ofView(obj, b.View) {
			continue
		}
		key := string(obj.Key)
		named := func(e Event) bool {
			return e.View == b.View && (e.All || slices.ContainsFunc(e.Rows, func(k string) bool { return mayBeSame(k, key) }))
		}
		if !slices.ContainsFunc(w.events, named) {
			w.events = append(w.events, Event{View: b.View, Op: b.Op, Rows: []string{key}, Columns: w.changes(b)})
		}
	}
}

// namesRows says that arguments name the rows of a write by their keys.
func (w *writeDecl) namesRows() bool {
	if w.Row != nil {
		return w.Row.Kind == fromArgs
	}
	return slices.ContainsFunc(w.Where, func(t termDecl) bool { return t.Column == w.View.key && t.Operand.Kind == fromArgs })
}

// changes returns the columns that a write changed.
func (w *writer) changes(b *boundWrite) Mask {
	e := Event{View: b.View, Columns: b.Columns}
	w.inputColumns(b, &e)
	return e.Columns
}

// ofView says that an object is a row of a view and has its key.
func (w *writer) ofView(obj *extractor.Object, v *View) bool {
	return obj.Selection != nil && slices.Contains(v.types, obj.Selection.Object.Name) &&
		w.plan.keyOf(obj.Selection.Object) == v.key
}

// emit splits an event so that rows whose values the result shows get them. The schema
// says what is set, and the resolver may have changed it on the way: where the two
// differ, a row may have either.
func (w *writer) emit(b *boundWrite, e Event, set Known) {
	for _, c := range set {
		e.New = e.New.with(c.Column, c.Values)
	}
	if len(b.shown) == 0 || e.All {
		w.events = append(w.events, e)
		return
	}
	rest := e.Rows
	for _, obj := range w.objects {
		key := w.shownKey(b, obj)
		at := slices.Index(rest, key)
		if key == "" || at < 0 {
			continue
		}
		one := e
		one.Rows = []string{key}
		for _, s := range b.shown {
			vals, _, ok := valuesOfPath(obj.Paths, s.path)
			if !ok || len(vals) != 1 {
				continue
			}
			if given := set.of(s.column); given != nil && !slices.Contains(given, vals[0]) {
				vals = slices.Concat(given, vals)
			}
			one.New = one.New.with(s.column, vals)
		}
		rest = slices.Delete(slices.Clone(rest), at, at+1)
		w.events = append(w.events, one)
	}
	if len(rest) > 0 {
		e.Rows = rest
		w.events = append(w.events, e)
	}
}

// shownKey returns the key of the row that an object of the result shows, "" when it
// shows none.
func (w *writer) shownKey(b *boundWrite, obj *extractor.Object) string {
	if b.Row != nil && b.Row.Kind == fromResult && len(b.Row.Path) > 1 {
		vals, null, ok := valuesOfPath(obj.Paths, b.row)
		if !ok || null || len(vals) != 1 {
			return ""
		}
		return vals[0].text
	}
	if !w.ofView(obj, b.View) {
		return ""
	}
	return string(obj.Key)
}
