package extractor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// visitsPerField bounds, together with Spec.MaxFields, how many nodes are looked at:
// every position looks at the fragments that reach it, so few positions can still cost
// much.
const visitsPerField = 100

// A builder makes the tree of positions. It counts while it builds, so that an operation
// that describes exponentially many positions costs no more than the bound.
type builder struct {
	spec      *Spec
	fragments map[string]*ast.FragmentDefinition
	op        *Operation
	paths     *pathSet
	// nodes holds, per client node that returns objects, what its copy has to select.
	nodes map[*ast.Field]*nodeInfo

	keys     map[*ast.Definition]*ast.FieldDefinition
	possible map[string][]*ast.Definition
	visits   int
}

// A nodeInfo is the union over the positions that a node contributes to: a node of a
// fragment contributes to one position per place where the fragment is spread.
type nodeInfo struct {
	types []*ast.Definition // that the positions can hold, sorted by name
	// noPlainKey is set when a position has no member that is sure to be the key where it
	// is present. It concerns all nodes of the position: one node's directive may apply
	// to another's field.
	noPlainKey bool
	steps      map[*ast.Definition][]int
	// cascade holds the payload shapes by type, for nodes at root fields.
	cascade map[*ast.Definition]*cascadeShape
}

func newBuilder(spec *Spec, fragments map[string]*ast.FragmentDefinition) *builder {
	return &builder{
		spec:      spec,
		fragments: fragments,
		op:        &Operation{},
		paths:     &pathSet{schema: spec.Schema, firsts: map[string][]int{}},
		nodes:     map[*ast.Field]*nodeInfo{},
		keys:      map[*ast.Definition]*ast.FieldDefinition{},
		possible:  map[string][]*ast.Definition{},
	}
}

func (b *builder) build(root *ast.Definition, set ast.SelectionSet) error {
	if root == nil {
		return fmt.Errorf("%w: the schema has no such operation type", ErrInvalid)
	}
	sel, err := b.selection(root, nil, []*ast.Field{{SelectionSet: set}})
	if err != nil {
		return err
	}
	b.op.Root = sel
	b.op.steps, b.op.schema = b.paths.steps, b.spec.Schema
	return nil
}

func (b *builder) count() error {
	if len(b.op.Fields)+len(b.op.Selections) >= b.spec.MaxFields {
		return fmt.Errorf("%w: more than %d positions", ErrTooLarge, b.spec.MaxFields)
	}
	return nil
}

// selection builds what the merged selection sets of nodes select on one object type.
func (b *builder) selection(object *ast.Definition, field *Field, nodes []*ast.Field) (*Selection, error) {
	if err := b.count(); err != nil {
		return nil, err
	}
	sel := &Selection{ID: len(b.op.Selections), Object: object, Field: field, typeNo: -1}
	b.op.Selections = append(b.op.Selections, sel)
	c := collector{builder: b, object: object, byName: map[string]int{}, visited: map[string]bool{}}
	for _, n := range nodes {
		if err := c.set(n.SelectionSet); err != nil {
			return nil, err
		}
	}
	sel.Fields = make([]*Field, 0, len(c.groups))
	if len(c.groups) > smallSelection {
		sel.byName = make(map[string]*Field, len(c.groups))
	}
	b.addPaths(sel, nodes, c.groups)
	b.addCascade(sel, nodes)
	for _, group := range c.groups {
		if err := b.field(sel, group); err != nil {
			return nil, err
		}
	}
	if sel.key == nil && field != nil {
		for _, n := range nodes {
			b.info(n).noPlainKey = true
		}
	}
	return sel, nil
}

// field builds one position from the nodes merged into it.
func (b *builder) field(in *Selection, nodes []*ast.Field) error {
	if err := b.count(); err != nil {
		return err
	}
	first := nodes[0]
	f := &Field{
		ID: len(b.op.Fields), Name: first.Alias, Arguments: first.Arguments, In: in, index: len(in.Fields),
		Definition: b.definition(in.Object, first),
	}
	if f.Definition == nil {
		return fmt.Errorf("%w: no field %q on %s", ErrInvalid, first.Name, in.Object.Name)
	}
	b.op.Fields = append(b.op.Fields, f)
	in.Fields = append(in.Fields, f)
	if in.byName != nil {
		in.byName[f.Name] = f
	}
	if b.isPlainKey(in, nodes) {
		in.key = f
	}
	typ := b.spec.Schema.Types[f.Definition.Type.Name()]
	if typ == nil || !typ.IsCompositeType() || strings.HasPrefix(first.Name, "__") {
		return nil
	}
	f.composite, f.abstract = true, typ.IsAbstractType()
	types := b.possibleTypes(typ)
	for _, n := range nodes {
		b.info(n).add(types)
	}
	for _, object := range types {
		sel, err := b.selection(object, f, nodes)
		if err != nil {
			return err
		}
		f.On = append(f.On, sel)
	}
	return nil
}

// definition returns the concrete type's definition of a field: an interface's may be
// less precise.
func (b *builder) definition(object *ast.Definition, node *ast.Field) *ast.FieldDefinition {
	if strings.HasPrefix(node.Name, "__") {
		return node.Definition
	}
	return object.Fields.ForName(node.Name)
}

func (b *builder) info(n *ast.Field) *nodeInfo {
	info := b.nodes[n]
	if info == nil {
		info = &nodeInfo{}
		b.nodes[n] = info
	}
	return info
}

func (n *nodeInfo) add(types []*ast.Definition) {
	if slices.Equal(n.types, types) {
		return
	}
	all := append(slices.Clone(n.types), types...)
	sortByName(all)
	n.types = slices.Compact(all)
}

func sortByName(types []*ast.Definition) {
	slices.SortFunc(types, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
}

// possibleTypes returns the object types of a composite type, sorted by name. An
// interface's possible types also name the interfaces that implement it; those are no
// concrete types.
func (b *builder) possibleTypes(typ *ast.Definition) []*ast.Definition {
	if types, ok := b.possible[typ.Name]; ok {
		return types
	}
	var types []*ast.Definition
	if typ.Kind == ast.Object {
		types = []*ast.Definition{typ}
	} else {
		for _, t := range b.spec.Schema.GetPossibleTypes(typ) {
			if t != nil && t.Kind == ast.Object {
				types = append(types, t)
			}
		}
		sortByName(types)
		types = slices.Compact(types)
	}
	b.possible[typ.Name] = types
	return types
}

// keyOf returns the key field of an object type, or nil.
func (b *builder) keyOf(object *ast.Definition) *ast.FieldDefinition {
	if f, ok := b.keys[object]; ok {
		return f
	}
	var f *ast.FieldDefinition
	if b.spec.Key != nil {
		if name := b.spec.Key(object); name != "" {
			f = object.Fields.ForName(name)
		}
	}
	if f != nil && (needsArguments(f) || f.Type.Elem != nil || !isLeaf(b.spec.Schema, f)) {
		f = nil
	}
	b.keys[object] = f
	return f
}

// isPlainKey reports whether the member made of nodes holds the key as the resolver gave
// it. A custom directive on any of the nodes may have changed the value: which node's
// directives run depends on their order and on what @skip leaves over.
func (b *builder) isPlainKey(in *Selection, nodes []*ast.Field) bool {
	key := b.keyOf(in.Object)
	if key == nil || in.Field == nil || nodes[0].Alias != key.Name {
		return false
	}
	for _, n := range nodes {
		if n.Name != key.Name || len(n.Arguments) > 0 || hasCustomDirective(n.Directives) {
			return false
		}
	}
	return true
}

func hasCustomDirective(list ast.DirectiveList) bool {
	for _, d := range list {
		if d.Name != "skip" && d.Name != "include" {
			return true
		}
	}
	return false
}

// needsArguments reports whether a field cannot be selected without arguments.
func needsArguments(f *ast.FieldDefinition) bool {
	for _, a := range f.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil {
			return true
		}
	}
	return false
}

func isLeaf(schema *ast.Schema, f *ast.FieldDefinition) bool {
	t := schema.Types[f.Type.Name()]
	return t != nil && t.IsLeafType()
}

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

// A collector is the CollectFields algorithm of GraphQL for one object type, with @skip
// and @include taken as true: which of the fields are in a response depends on variables,
// where they can be does not.
type collector struct {
	builder *builder
	object  *ast.Definition
	groups  [][]*ast.Field // nodes by response name, in order of first appearance
	byName  map[string]int
	visited map[string]bool
}

func (c *collector) set(set ast.SelectionSet) error {
	for _, sel := range set {
		if err := c.builder.visit(); err != nil {
			return err
		}
		var err error
		switch sel := sel.(type) {
		case *ast.Field:
			err = c.field(sel)
		case *ast.InlineFragment:
			if c.builder.satisfies(c.object, sel.TypeCondition) {
				err = c.set(sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			f := c.builder.fragments[sel.Name]
			if c.visited[sel.Name] || !c.builder.satisfies(c.object, f.TypeCondition) {
				continue
			}
			c.visited[sel.Name] = true
			err = c.set(f.SelectionSet)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) field(n *ast.Field) error {
	i, ok := c.byName[n.Alias]
	if !ok {
		c.byName[n.Alias] = len(c.groups)
		c.groups = append(c.groups, []*ast.Field{n})
		return nil
	}
	first := c.groups[i][0]
	if first.Name != n.Name || !sameArguments(first.Arguments, n.Arguments) {
		return fmt.Errorf("%w: %q selects different fields of %s", ErrInvalid, n.Alias, c.object.Name)
	}
	c.groups[i] = append(c.groups[i], n)
	return nil
}

func sameArguments(a, b ast.ArgumentList) bool {
	if len(a) != len(b) {
		return false
	}
	for _, x := range a {
		y := b.ForName(x.Name)
		if y == nil || x.Value.String() != y.Value.String() {
			return false
		}
	}
	return true
}

func (b *builder) visit() error {
	b.visits++
	if b.visits > visitsPerField*b.spec.MaxFields {
		return fmt.Errorf("%w: its fragments reach too far", ErrTooLarge)
	}
	return nil
}

// satisfies reports whether an object type meets a type condition.
func (b *builder) satisfies(object *ast.Definition, condition string) bool {
	if condition == "" || condition == object.Name {
		return true
	}
	for _, t := range b.spec.Schema.GetImplements(object) {
		if t != nil && t.Name == condition {
			return true
		}
	}
	return false
}
