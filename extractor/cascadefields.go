package extractor

import "github.com/vektah/gqlparser/v2/ast"

// A cascadeShape says where a payload type keeps its GraphQL Cascade report.
type cascadeShape struct {
	payload *ast.Definition
	success *ast.FieldDefinition // nil when the payload has none
	// data is set when the report is not in the payload itself but in its data member.
	data    *ast.FieldDefinition
	holder  *ast.Definition // the type that has the field cascade
	cascade *ast.FieldDefinition
}

// cascadeFields are the members of a report that ParseCascade reads. What a schema lacks
// is left out.
var cascadeFields = []cascadeField{
	{name: "updated", inner: []cascadeField{
		{name: "__typename"}, {name: "entityType"}, {name: "id"}, {name: "operation"},
		{name: "entity", inner: []cascadeField{{name: "__typename"}}},
	}},
	{name: "deleted", inner: []cascadeField{
		{name: "__typename"}, {name: "entityType"}, {name: "id"},
		{name: "entity", inner: []cascadeField{{name: "__typename"}}},
	}},
	{name: "invalidations", inner: []cascadeField{
		{name: "queryName"}, {name: "queryHash"}, {name: "queryPattern"}, {name: "arguments"}, {name: "strategy"}, {name: "scope"},
	}},
	{name: "metadata", inner: []cascadeField{{name: "affectedCount"}, {name: "truncated"}}},
}

type cascadeField struct {
	name  string
	inner []cascadeField // nil for leaves
}

// addCascade notes a hidden cascade member for the selections of root fields.
func (b *builder) addCascade(sel *Selection, nodes []*ast.Field) {
	if !b.spec.Cascade || sel.Field == nil || sel.Field.In.Field != nil {
		return
	}
	shape := b.cascadeShape(sel.Object)
	if shape == nil {
		return
	}
	sel.cascade, sel.Field.Cascade = shape, true
	for _, n := range nodes {
		info := b.info(n)
		if info.cascade == nil {
			info.cascade = map[*ast.Definition]*cascadeShape{}
		}
		info.cascade[sel.Object] = shape
	}
}

func (b *builder) cascadeShape(payload *ast.Definition) *cascadeShape {
	shape := &cascadeShape{payload: payload, success: payload.Fields.ForName("success")}
	if s := shape.success; s != nil && (needsArguments(s) || !isLeaf(b.spec.Schema, s)) {
		shape.success = nil
	}
	if f := b.cascadeDefinition(payload); f != nil {
		shape.holder, shape.cascade = payload, f
		return shape
	}
	data := payload.Fields.ForName("data")
	if data == nil || needsArguments(data) || data.Type.Elem != nil {
		return nil
	}
	holder := b.spec.Schema.Types[data.Type.Name()]
	if holder == nil || holder.Kind != ast.Object {
		return nil
	}
	f := b.cascadeDefinition(holder)
	if f == nil {
		return nil
	}
	shape.data, shape.holder, shape.cascade = data, holder, f
	return shape
}

// cascadeDefinition returns the field cascade of a type, if it looks like a GraphQL
// Cascade report.
func (b *builder) cascadeDefinition(holder *ast.Definition) *ast.FieldDefinition {
	f := holder.Fields.ForName("cascade")
	if f == nil || needsArguments(f) || f.Type.Elem != nil {
		return nil
	}
	report := b.spec.Schema.Types[f.Type.Name()]
	if report == nil || report.Kind != ast.Object {
		return nil
	}
	for _, name := range []string{"updated", "deleted"} {
		list := report.Fields.ForName(name)
		if list == nil || needsArguments(list) || list.Type.Elem == nil || isLeaf(b.spec.Schema, list) {
			return nil
		}
	}
	return f
}

// cascadeSelection makes the hidden members of a payload.
func (in *injector) cascadeSelection(s *cascadeShape, pos *ast.Position) ast.SelectionSet {
	var out ast.SelectionSet
	if s.success != nil {
		out = append(out, hiddenField(string(aliasSuccess), s.success, s.payload, nil, pos))
	}
	report := in.schema.Types[s.cascade.Type.Name()]
	cascade := hiddenField(string(aliasCascade), s.cascade, s.holder, in.cascadeInner(report, cascadeFields, pos), pos)
	if s.data == nil {
		return append(out, cascade)
	}
	return append(out, hiddenField(string(aliasData), s.data, s.payload, ast.SelectionSet{cascade}, pos))
}

// cascadeInner selects those of the wanted fields that a type has. Inner aliases are
// hidden too, so that a guard knows every field that it must keep quiet.
func (in *injector) cascadeInner(on *ast.Definition, wanted []cascadeField, pos *ast.Position) ast.SelectionSet {
	var out ast.SelectionSet
	for _, w := range wanted {
		def := typenameDefinition
		if w.name != "__typename" {
			def = on.Fields.ForName(w.name)
		}
		if def == nil || needsArguments(def) || (w.name != "__typename" && isLeaf(in.schema, def) != (w.inner == nil)) {
			continue
		}
		var inner ast.SelectionSet
		if w.inner != nil {
			if inner = in.cascadeInner(in.schema.Types[def.Type.Name()], w.inner, pos); len(inner) == 0 {
				continue
			}
		}
		out = append(out, hiddenField(string(aliasInner)+w.name, def, on, inner, pos))
	}
	return out
}
