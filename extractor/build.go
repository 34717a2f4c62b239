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
