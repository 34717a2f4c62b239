package extractor

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// A step is one field of a hidden path. Paths of one object type that start alike share
// steps, so that a field is resolved once per object however many paths lead through it.
type step struct {
	parent     int // -1 for the first step of a path
	definition *ast.FieldDefinition
	on         *ast.Definition // the type that the field belongs to
	leaf       bool
	resolve    bool // its resolver may run
	children   []int
}

// A want is a step that a selection looks for.
type want struct {
	step int
	path int // index in Selection.Paths of the path that ends here; -1 if none
}

// A pathSet holds the steps of all hidden paths of an operation.
type pathSet struct {
	schema *ast.Schema
	steps  []step
	firsts map[string][]int // first steps by object type
}

// addPaths asks for the hidden paths of a selection and notes them with the nodes that
// have to select them. A path that the schema cannot resolve without arguments is left
// out: its values stay unknown.
func (b *builder) addPaths(sel *Selection, nodes []*ast.Field, selected [][]*ast.Field) {
	if b.spec.Paths == nil || sel.Field == nil {
		return
	}
	sel.Paths = b.spec.Paths(sel.Field, sel.Object)
	key := b.keyOf(sel.Object)
	for i, path := range sel.Paths {
		if key != nil && len(path) == 1 && path[0] == key.Name {
			sel.keyPaths = append(sel.keyPaths, i)
			continue
		}
		if b.spec.Wanted != nil && !slices.ContainsFunc(selected, func(group []*ast.Field) bool { return b.spec.Wanted(sel.Object, path, group[0].Name) }) {
			continue
		}
		resolve := b.spec.Resolve != nil && b.spec.Resolve(sel.Field, sel.Object, path)
		ids, ok := b.paths.add(sel.Object, path, resolve)
		if !ok {
			continue
		}
		for at, id := range ids {
			if at == len(ids)-1 {
				sel.wants = append(sel.wants, want{step: id, path: i})
			} else if !sel.wantsStep(id) {
				sel.wants = append(sel.wants, want{step: id, path: -1})
			}
		}
		for _, n := range nodes {
			b.info(n).addSteps(sel.Object, ids)
		}
	}
}

func (s *Selection) wantsStep(id int) bool {
	return slices.ContainsFunc(s.wants, func(w want) bool { return w.step == id })
}

func (n *nodeInfo) addSteps(object *ast.Definition, ids []int) {
	if n.steps == nil {
		n.steps = map[*ast.Definition][]int{}
	}
	for _, id := range ids {
		if !slices.Contains(n.steps[object], id) {
			n.steps[object] = append(n.steps[object], id)
		}
	}
}

// add returns the steps of a path, making those that are missing. Steps whose resolvers
// may run are not shared with steps whose resolvers may not.
func (p *pathSet) add(object *ast.Definition, path []string, resolve bool) ([]int, bool) {
	defs := p.resolve(object, path)
	if defs == nil {
		return nil, false
	}
	ids := make([]int, 0, len(path))
	parent, on := -1, object
	siblings := p.firsts[object.Name]
	for i, def := range defs {
		id := slices.IndexFunc(siblings, func(s int) bool { return p.steps[s].definition == def && p.steps[s].resolve == resolve })
		if id >= 0 {
			id = siblings[id]
		} else {
			id = len(p.steps)
			p.steps = append(p.steps, step{parent: parent, definition: def, on: on, leaf: i == len(defs)-1, resolve: resolve})
			if parent < 0 {
				p.firsts[object.Name] = append(p.firsts[object.Name], id)
			} else {
				p.steps[parent].children = append(p.steps[parent].children, id)
			}
		}
		ids = append(ids, id)
		parent, siblings, on = id, p.steps[id].children, p.schema.Types[def.Type.Name()]
	}
	return ids, true
}

// resolve returns the field definitions along a path, or nil when it does not end at a
// leaf or leads through a field that needs arguments.
func (p *pathSet) resolve(object *ast.Definition, path []string) []*ast.FieldDefinition {
	var defs []*ast.FieldDefinition
	on := object
	for i, name := range path {
		if on == nil {
			return nil
		}
		def := on.Fields.ForName(name)
		if def == nil || needsArguments(def) || isLeaf(p.schema, def) != (i == len(path)-1) {
			return nil
		}
		defs = append(defs, def)
		on = p.schema.Types[def.Type.Name()]
	}
	return defs
}
