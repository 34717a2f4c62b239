package cascade

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2/ast"
)

// An Operation is what a plan has to say of one operation of one document: everything
// that does not depend on variables and answers. It is immutable and safe for concurrent
// use.
type Operation struct {
	// Extract is the prepared operation: what to execute, and how to read the answer.
	Extract *extractor.Operation
	// Policy is what @cacheControl says of a query.
	Policy Policy
	// Anything names the first field whose reads nobody declared ("Query.version"), or
	// the first view that nobody writes; "" when all reads are declared. Any change
	// drops answers with it.
	Anything string

	plan *Plan
	// runtime are the fields of which resolvers say what they read.
	runtime map[fieldRef]Says

	sels  []selection  // by extractor.Selection.ID
	reads []fieldReads // by extractor.Field.ID
	roots []rootWrites // by position in Extract.Root.Fields, of a mutation
	sets  []*View      // of which reads other than by key decide which rows are shown or counted
	rows  []*View      // whose rows are shown or read by key

	byOthers []*View // whose entities may be found by other columns than the key
}

// selection is what an answer's object at one position depends on by itself.
type selection struct {
	views []*View // of the object's type
	mask  Mask    // columns selected from the first of them, hidden ones included
	// nested lists the fields whose reads need the object's own values.
	nested []*extractor.Field
}

// fieldReads are the reads of one position.
type fieldReads struct {
	args  *ast.Field // to evaluate the arguments; nil when no read needs them
	reads []boundRead
	// nested says that some read needs the enclosing object.
	nested bool
	// entities is set for _entities.
	entities bool
}

// boundRead is a readDecl at one position.
type boundRead struct {
	*readDecl
	// child says that the row is the object that the field itself returns, so that the
	// object's own tags say it all: `author: User! @reads(view: "User", row:
	// "parent.author.id")`.
	child bool
	// window says that readDecl.Limit may be relied on.
	window bool
	// paths are the indexes, in Selection.Paths, of the operands' values: the row's
	// first, then the terms'; -1 for the object's key and for operands that are no parent
	// path.
	paths []int
}

// ErrUnsupported is returned by Operation for operations that are no query and no
// mutation.
var ErrUnsupported = errors.New("cascade: operation is no query and no mutation")

// Operation plans one operation of a validated document. It returns
// extractor.ErrTooLarge, wrapped, for operations with too many response positions.
func (p *Plan) Operation(doc *ast.QueryDocument, op *ast.OperationDefinition) (*Operation, error) {
	o := &Operation{plan: p}
	var spec extractor.Spec
	switch op.Operation {
	case ast.Query:
		spec = extractor.Spec{Schema: p.schema, Key: p.keyOf, Paths: p.parentPaths, Wanted: p.wants}
	case ast.Mutation:
		spec = extractor.Spec{Schema: p.schema, Key: p.keyOf, Paths: p.resultPaths, Resolve: p.mayResolve, Cascade: true}
	default:
		return nil, ErrUnsupported
	}
	x, err := extractor.Prepare(spec, doc, op)
	if err != nil {
		return nil, fmt.Errorf("cascade: preparing operation: %w", err)
	}
	o.Extract = x
	if op.Operation == ast.Mutation {
		o.bindWrites()
		return o, nil
	}
	o.Policy = p.policy(x.Root)
	o.sels = make([]selection, len(x.Selections))
	o.reads = make([]fieldReads, len(x.Fields))
	o.bindSelection(x.Root, nil, uncovered)
	return o, nil
}

// Says tells whether a resolver says what its field reads: see Operation.SaysAtRuntime.
type Says uint8

const (
	// SaysNothing: the schema says what the field reads, or Anything does.
	SaysNothing Says = iota
	// SaysBelow: the field is a part, such as the count of a page, of what a field with
	// SaysReads returns. It says what it reads if code runs for it.
	SaysBelow
	// SaysReads: the field has @reads(atRuntime: true). Each of its executions says what
	// it reads.
	SaysReads
)

// SaysAtRuntime reports whether resolvers say what a field of the operation reads. Where
// one that should has said nothing the answer depends on anything: see Answer.Anything.
func (o *Operation) SaysAtRuntime(object, field string) Says {
	return o.runtime[fieldRef{object, field}]
}

// HasAtRuntime reports whether there is a field for which SaysAtRuntime tells something.
func (o *Operation) HasAtRuntime() bool { return len(o.runtime) > 0 }

// AtRuntime returns the fields with @reads(atRuntime: true) that the operation selects,
// "Query.posts" for instance, sorted.
func (o *Operation) AtRuntime() (names []string) {
	for ref, says := range o.runtime {
		if says == SaysReads {
			names = append(names, ref.typ+"."+ref.field)
		}
	}
	slices.Sort(names)
	return names
}

func (o *Operation) saysAtRuntime(object, field string, says Says) {
	if o.runtime == nil {
		o.runtime = map[fieldRef]Says{}
	}
	ref := fieldRef{object, field}
	o.runtime[ref] = max(o.runtime[ref], says)
}

// keyOf tells the extractor which field identifies a row.
func (p *Plan) keyOf(object *ast.Definition) string {
	if vs := p.byType[object.Name]; len(vs) > 0 {
		return vs[0].key
	}
	return ""
}

// parentPaths asks for the values of the enclosing object that the reads of its fields
// compare.
func (p *Plan) parentPaths(_ *extractor.Field, object *ast.Definition) [][]string {
	return p.pathsByType[object.Name]
}

// wants says whether a read of a field compares a value of the enclosing object. One that
// names the very object which the field returns does not: see boundRead.child.
func (p *Plan) wants(object *ast.Definition, path []string, field string) bool {
	decl := p.fields[fieldRef{object.Name, field}]
	if decl == nil {
		return false
	}
	for i := range decl.Reads {
		r := &decl.Reads[i]
		for _, op := range r.operands() {
			if op.Kind == fromParent && slices.Equal(op.Path, path) && !p.namesReturned(object, r, path, field) {
				return true
			}
		}
	}
	return false
}

// namesReturned is returnsRow for fields without arguments that return an object type.
func (p *Plan) namesReturned(object *ast.Definition, r *readDecl, path []string, field string) bool {
	def := object.Fields.ForName(field)
	if r.Kind != readRow || len(path) != 2 || path[0] != field || def == nil || len(def.Arguments) > 0 {
		return false
	}
	returned := p.schema.Types[def.Type.Name()]
	if returned == nil || returned.Kind != ast.Object {
		return false
	}
	vs := p.byType[returned.Name]
	return len(vs) > 0 && vs[0].key == path[1] && len(r.Views) == 1 && r.Views[0] == vs[0]
}

// undeclared notes the first reason why an answer depends on anything.
func (o *Operation) undeclared(what string) {
	if o.Anything == "" {
		o.Anything = what
	}
}

// covering says whether the field that has returned an object declared its reads.
type covering uint8

const (
	uncovered covering = iota
	covered
	coveredAtRuntime // its resolver says what it reads, and those below say it of themselves
)

// bindSelection plans what an object of one type at one position depends on. by says
// that the field which returned it declared its reads, so that a wrapper type without a
// row of its own (a page, a connection, an edge) is covered by them; decl is what it
// declared, nil below a wrapper.
func (o *Operation) bindSelection(s *extractor.Selection, decl *fieldDecl, by covering) {
	p := o.plan
	me := &o.sels[s.ID]
	if vs := p.byType[s.Object.Name]; len(vs) > 0 {
		me.views = vs
		me.mask = vs[0].hidden
		if !vs[0].explicit {
			me.mask = AllColumns // nothing says what is a column
		}
		for _, v := range vs {
			if decl == nil || !decl.Entities || !showsNothing(s) {
				o.checkWritten(v) // of entities that show nothing, those that are asked for: see reader.entity
			}
			note(&o.rows, v)
			if !decl.readsRow(v) {
				note(&o.sets, v)
			}
		}
	}
	if len(p.byType[s.Object.Name]) > 0 {
		by = uncovered // its rows say what they depend on
	}
	for _, f := range s.Fields {
		o.bindField(s, me, f, by)
	}
}

// bindField plans what a field depends on. by is uncovered but for fields of a wrapper.
func (o *Operation) bindField(s *extractor.Selection, me *selection, f *extractor.Field, by covering) {
	if f.Definition.Name == "__typename" {
		return
	}
	p := o.plan
	decl := p.fields[fieldRef{s.Object.Name, f.Definition.Name}]
	declared := decl != nil && decl.Declared
	switch {
	case declared && decl.Entities:
		o.bindEntities(f)
	case declared:
		o.bindReads(s, me, f, decl)
	case by == coveredAtRuntime:
		o.saysAtRuntime(s.Object.Name, f.Definition.Name, SaysBelow)
	case by == covered:
	case len(f.On) == 0 && len(me.views) > 0 && me.views[0].explicit:
		m, ok := me.views[0].column(f.Definition.Name)
		if !ok {
			o.undeclared(s.Object.Name + "." + f.Definition.Name)
		}
		me.mask |= m
		if f.Definition.Directives.ForName(dirRequires) != nil {
			me.mask = AllColumns // it is computed, of what the representation has and the row
		}
	default:
		o.undeclared(s.Object.Name + "." + f.Definition.Name)
	}
	switch {
	case declared && decl.AtRuntime:
		o.saysAtRuntime(s.Object.Name, f.Definition.Name, SaysReads)
		by = coveredAtRuntime
	case declared:
		by = covered
	}
	for _, on := range f.On {
		o.bindSelection(on, decl, by)
	}
	if declared {
		o.bindWindow(f)
	}
}

// fieldArguments is what evaluates the arguments of a field.
func fieldArguments(f *extractor.Field) *ast.Field {
	return &ast.Field{Name: f.Definition.Name, Definition: f.Definition, Arguments: f.Arguments}
}

// readsRow says that which rows of a view a field returns is told by their keys.
func (f *fieldDecl) readsRow(v *View) bool {
	return f != nil && f.Entities || f != nil && slices.ContainsFunc(f.Reads, func(r readDecl) bool {
		return r.Kind == readRow && slices.Contains(r.Views, v)
	})
}

// bindReads resolves the operands of a field's reads at one position.
func (o *Operation) bindReads(s *extractor.Selection, me *selection, f *extractor.Field, decl *fieldDecl) {
	fr := &o.reads[f.ID]
	if len(me.views) > 0 && (decl.AtRuntime || !slices.ContainsFunc(decl.Reads, readsParent)) {
		me.mask = AllColumns // what of the parent's row decides what the field reads is not declared
	}
	for i := range decl.Reads {
		r := &decl.Reads[i]
		for _, v := range r.Views {
			o.checkWritten(v)
			if r.Kind == readRow {
				note(&o.rows, v)
			} else {
				note(&o.sets, v)
			}
		}
		b := boundRead{readDecl: r}
		operands := r.operands()
		b.paths = make([]int, len(operands))
		for j, op := range operands {
			b.paths[j] = -1
			switch op.Kind {
			case fromArgs:
				if fr.args == nil {
					fr.args = fieldArguments(f)
				}
			case fromParent:
				if r.Kind == readRow && returnsRow(f, r, o.plan) {
					b.child = true
				} else {
					b.paths[j] = pathIndex(s, me, op.Path)
					fr.nested = true
				}
				if len(me.views) > 0 {
					// a path that is no column is one that no change names: it comes with
					// all of them
					m, _ := me.views[0].column(columnName(op.Path))
					me.mask |= m
				}
			}
		}
		fr.reads = append(fr.reads, b)
	}
	if fr.nested {
		me.nested = append(me.nested, f)
	}
}

// operands returns the operands in the order of boundRead.paths.
func (r *readDecl) operands() []operandDecl {
	if r.Kind == readRow {
		return []operandDecl{r.Row}
	}
	ops := make([]operandDecl, len(r.Where))
	for i, t := range r.Where {
		ops[i] = t.Operand
	}
	return ops
}

// returnsRow says whether a row read names, by way of the enclosing object, the very
// object that f returns, for every type it may return.
func returnsRow(f *extractor.Field, r *readDecl, p *Plan) bool {
	path := r.Row.Path
	if len(path) != 2 || path[0] != f.Definition.Name || len(f.On) == 0 || len(f.Arguments) > 0 {
		return false
	}
	var own []*View
	for _, on := range f.On {
		vs := p.byType[on.Object.Name]
		if len(vs) == 0 || vs[0].key != path[1] || !slices.Contains(r.Views, vs[0]) {
			return false
		}
		note(&own, vs[0])
	}
	return len(own) == len(r.Views)
}

// note adds a view to a set of views.
func note(set *[]*View, v *View) {
	if !slices.Contains(*set, v) {
		*set = append(*set, v)
	}
}

// pathIndex finds where the extractor reports a path of the enclosing object: -1 is its
// key.
func pathIndex(s *extractor.Selection, me *selection, path []string) int {
	if len(me.views) > 0 && len(path) == 1 && path[0] == me.views[0].key {
		return -1
	}
	for i, q := range s.Paths {
		if columnName(q) == columnName(path) {
			return i
		}
	}
	return noPath
}

// noPath marks a value that cannot be read: the read widens.
const noPath = -2

// checkWritten notes views that nothing is declared to write: their answers cannot be
// told to be old.
func (o *Operation) checkWritten(v *View) {
	if !v.written && !v.static {
		o.undeclared("view " + v.Name)
	}
}
