package extractor

import (
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

var typenameDefinition = &ast.FieldDefinition{Name: "__typename", Type: ast.NonNullNamedType("String", nil)}

// An injector copies an operation. It copies a node only when the node or something below
// it changes, and never shares a new selection set between nodes: gqlgen remembers
// collected fields by the address of the set.
type injector struct {
	*builder
	schema    *ast.Schema
	typeNo    map[*ast.Definition]int
	rewritten map[string]*ast.FragmentDefinition // fragments looked at; nil for those without change
}

func newInjector(b *builder) *injector {
	in := &injector{builder: b, schema: b.spec.Schema, typeNo: map[*ast.Definition]int{}, rewritten: map[string]*ast.FragmentDefinition{}}
	in.numberTypes()
	return in
}

// numberTypes numbers the object types of the tree in the order of their names.
func (in *injector) numberTypes() {
	var types []*ast.Definition
	for _, s := range in.op.Selections {
		if s.Field == nil {
			continue
		}
		if _, ok := in.typeNo[s.Object]; !ok {
			in.typeNo[s.Object] = 0
			types = append(types, s.Object)
		}
	}
	sortByName(types)
	for i, t := range types {
		in.typeNo[t] = i
	}
	for _, s := range in.op.Selections {
		if s.Field != nil {
			s.typeNo = in.typeNo[s.Object]
		}
	}
}

func (in *injector) run(doc *ast.QueryDocument, op *ast.OperationDefinition) {
	set, changed := in.set(op.SelectionSet)
	if !changed {
		return
	}
	newOp := *op
	newOp.SelectionSet = set
	newDoc := *doc
	newDoc.Operations = slices.Clone(doc.Operations)
	for i, o := range newDoc.Operations {
		if o == op {
			newDoc.Operations[i] = &newOp
		}
	}
	newDoc.Fragments = slices.Clone(doc.Fragments)
	for i, f := range newDoc.Fragments {
		if r := in.rewritten[f.Name]; r != nil {
			newDoc.Fragments[i] = r
		}
	}
	in.op.Doc, in.op.Operation, in.op.Injected = &newDoc, &newOp, true
}

// set returns a selection set with hidden fields below its fields, and whether it is a
// new one.
func (in *injector) set(set ast.SelectionSet) (ast.SelectionSet, bool) {
	changed := false
	out := set
	for i, sel := range set {
		n, ok := in.node(sel)
		if !ok {
			continue
		}
		if !changed {
			out, changed = slices.Clone(set), true
		}
		out[i] = n
	}
	return out, changed
}

func (in *injector) node(sel ast.Selection) (ast.Selection, bool) {
	switch sel := sel.(type) {
	case *ast.Field:
		inner, changed := in.set(sel.SelectionSet)
		hidden := in.hidden(sel)
		if !changed && len(hidden) == 0 {
			return sel, false
		}
		n := *sel
		n.SelectionSet = slices.Concat(hidden, inner)
		return &n, true
	case *ast.InlineFragment:
		inner, changed := in.set(sel.SelectionSet)
		if !changed {
			return sel, false
		}
		n := *sel
		n.SelectionSet = inner
		return &n, true
	case *ast.FragmentSpread:
		f := in.fragment(sel.Name)
		if f == nil {
			return sel, false
		}
		n := *sel
		n.Definition = f
		return &n, true
	}
	return sel, false
}

// fragment returns the changed copy of a fragment, or nil. Fragments form no cycle: scan
// has checked.
func (in *injector) fragment(name string) *ast.FragmentDefinition {
	if f, ok := in.rewritten[name]; ok {
		return f
	}
	def := in.fragments[name]
	inner, changed := in.set(def.SelectionSet)
	if !changed {
		in.rewritten[name] = nil
		return nil
	}
	f := *def
	f.SelectionSet = inner
	in.rewritten[name] = &f
	return &f
}

// hidden returns what to put before the selections of a node. Before, because on an
// abstract type the first member has to tell the concrete type.
func (in *injector) hidden(n *ast.Field) ast.SelectionSet {
	info := in.nodes[n]
	if info == nil {
		return nil
	}
	declared := in.schema.Types[n.Definition.Type.Name()]
	if declared == nil {
		return nil
	}
	if declared.Kind == ast.Object {
		return in.hiddenOn(n, info, declared, in.keyOf(declared) != nil && !in.hasPlainKey(n, info, declared))
	}
	var out ast.SelectionSet
	for _, object := range info.types {
		out = append(out, &ast.InlineFragment{
			TypeCondition: object.Name, ObjectDefinition: declared, Position: n.Position,
			SelectionSet: in.hiddenOn(n, info, object, true),
		})
	}
	return out
}

// hiddenOn makes the hidden fields for one object type. marked asks for a first field
// that tells the type, which is the key where there is one.
func (in *injector) hiddenOn(n *ast.Field, info *nodeInfo, object *ast.Definition, marked bool) ast.SelectionSet {
	var out ast.SelectionSet
	if marked {
		kind, def := aliasTypename, typenameDefinition
		if key := in.keyOf(object); key != nil {
			kind, def = aliasKey, key
		}
		out = append(out, hiddenField(string(kind)+strconv.Itoa(in.typeNo[object]), def, object, nil, n.Position))
	}
	if ids := info.steps[object]; ids != nil {
		out = append(out, in.pathSelection(ids, -1, n.Position)...)
	}
	if shape := info.cascade[object]; shape != nil {
		out = append(out, in.cascadeSelection(shape, n.Position)...)
	}
	return out
}

// pathSelection makes the hidden fields for those of the given steps that follow parent.
func (in *injector) pathSelection(ids []int, parent int, pos *ast.Position) ast.SelectionSet {
	var out ast.SelectionSet
	for _, id := range ids {
		s := &in.op.steps[id]
		if s.parent != parent {
			continue
		}
		var inner ast.SelectionSet
		if !s.leaf {
			inner = in.pathSelection(ids, id, pos)
		}
		out = append(out, hiddenField(string(aliasPath)+strconv.Itoa(id), s.definition, s.on, inner, pos))
	}
	return out
}

func hiddenField(suffix string, def *ast.FieldDefinition, on *ast.Definition, inner ast.SelectionSet, pos *ast.Position) *ast.Field {
	return &ast.Field{
		Alias: nonce + suffix, Name: def.Name, Definition: def, ObjectDefinition: on, SelectionSet: inner, Position: pos,
	}
}

// hasPlainKey reports whether a node by itself is sure to yield the plain key of an
// object. What other nodes merged into the same position select does not count: @skip may
// take them away, and gqlgen answers with one node's fields alone where nodes come from
// unrelated interfaces.
func (in *injector) hasPlainKey(n *ast.Field, info *nodeInfo, object *ast.Definition) bool {
	if info.noPlainKey {
		return false
	}
	s := keySearch{injector: in, object: object, key: in.keyOf(object).Name, visited: map[string]bool{}}
	return s.set(n.SelectionSet)
}

// A keySearch looks for a key field that no directive can take away.
type keySearch struct {
	*injector
	object  *ast.Definition
	key     string
	visited map[string]bool
}

func (s *keySearch) set(set ast.SelectionSet) bool {
	for _, sel := range set {
		if s.visit() != nil {
			return false // an injected key is never wrong
		}
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Alias == s.key && len(sel.Directives) == 0 {
				return true
			}
		case *ast.InlineFragment:
			if len(sel.Directives) == 0 && s.satisfies(s.object, sel.TypeCondition) && s.set(sel.SelectionSet) {
				return true
			}
		case *ast.FragmentSpread:
			f := s.fragments[sel.Name]
			if len(sel.Directives) > 0 || s.visited[sel.Name] || !s.satisfies(s.object, f.TypeCondition) {
				continue
			}
			s.visited[sel.Name] = true
			if s.set(f.SelectionSet) {
				return true
			}
		}
	}
	return false
}
