package cascade_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
)

// A resolveFunc gives the value of one field: nil, a leaf that encoding/json can write,
// []any, or an object of any kind that typeOf knows.
type resolveFunc func(typ, field string, args map[string]any, parent any) any

// An engine executes operations as GraphQL says, over a resolveFunc. It has no errors: a
// null stays where it is, whatever the schema says.
type engine struct {
	schema  *ast.Schema
	resolve resolveFunc
	// typeOf returns the object type of an object.
	typeOf func(v any) string

	doc  *ast.QueryDocument
	vars map[string]any
	out  bytes.Buffer
}

func (e *engine) run(doc *ast.QueryDocument, op *ast.OperationDefinition, vars map[string]any) []byte {
	e.doc, e.vars = doc, vars
	e.out.Reset()
	root := e.schema.Query
	if op.Operation == ast.Mutation {
		root = e.schema.Mutation
	}
	e.object(root, nil, []ast.SelectionSet{op.SelectionSet})
	return bytes.Clone(e.out.Bytes())
}

// collected is one response name with the nodes merged into it.
type collected struct {
	name  string
	nodes []*ast.Field
}

func (e *engine) collect(object *ast.Definition, set ast.SelectionSet, into *[]collected) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if e.skipped(sel.Directives) {
				continue
			}
			i := 0
			for i < len(*into) && (*into)[i].name != sel.Alias {
				i++
			}
			if i == len(*into) {
				*into = append(*into, collected{name: sel.Alias})
			}
			(*into)[i].nodes = append((*into)[i].nodes, sel)
		case *ast.InlineFragment:
			if !e.skipped(sel.Directives) && e.is(object, sel.TypeCondition) {
				e.collect(object, sel.SelectionSet, into)
			}
		case *ast.FragmentSpread:
			f := e.doc.Fragments.ForName(sel.Name)
			if !e.skipped(sel.Directives) && e.is(object, f.TypeCondition) {
				e.collect(object, f.SelectionSet, into)
			}
		}
	}
}

func (e *engine) skipped(list ast.DirectiveList) bool {
	condition := func(d *ast.Directive) bool { return d.ArgumentMap(e.vars)["if"] == true }
	if d := list.ForName("skip"); d != nil && condition(d) {
		return true
	}
	d := list.ForName("include")
	return d != nil && !condition(d)
}

func (e *engine) is(object *ast.Definition, condition string) bool {
	if condition == "" || condition == object.Name {
		return true
	}
	for _, t := range e.schema.GetPossibleTypes(e.schema.Types[condition]) {
		if t == object {
			return true
		}
	}
	return false
}

func (e *engine) object(object *ast.Definition, v any, sets []ast.SelectionSet) {
	var fields []collected
	for _, set := range sets {
		e.collect(object, set, &fields)
	}
	e.out.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			e.out.WriteByte(',')
		}
		e.json(f.name)
		e.out.WriteByte(':')
		node := f.nodes[0]
		if node.Name == "__typename" {
			e.json(object.Name)
			continue
		}
		def := object.Fields.ForName(node.Name)
		call := ast.Field{Name: node.Name, Arguments: node.Arguments, Definition: def}
		var inner []ast.SelectionSet
		for _, n := range f.nodes {
			inner = append(inner, n.SelectionSet)
		}
		e.value(def.Type, e.resolve(object.Name, node.Name, call.ArgumentMap(e.vars), v), inner)
	}
	e.out.WriteByte('}')
}

func (e *engine) value(t *ast.Type, v any, sets []ast.SelectionSet) {
	if v == nil {
		e.out.WriteString("null")
		return
	}
	if t.Elem != nil {
		e.out.WriteByte('[')
		for i, elem := range v.([]any) {
			if i > 0 {
				e.out.WriteByte(',')
			}
			e.value(t.Elem, elem, sets)
		}
		e.out.WriteByte(']')
		return
	}
	def := e.schema.Types[t.Name()]
	switch def.Kind {
	case ast.Scalar, ast.Enum:
		e.json(v)
	case ast.Object:
		e.object(def, v, sets)
	default:
		e.object(e.schema.Types[e.typeOf(v)], v, sets)
	}
}

func (e *engine) json(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	e.out.Write(b)
}

// A fixture is a schema with its plan.
type fixture struct {
	schema *ast.Schema
	plan   *cascade.Plan
}

func newFixture(sdl string) (*fixture, error) {
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")},
		&ast.Source{Name: "schema.graphql", Input: sdl},
	)
	if err != nil {
		return nil, fmt.Errorf("schema: %w\n%s", err, sdl)
	}
	plan, err := cascade.Compile(schema, cascade.Options{})
	if err != nil {
		return nil, fmt.Errorf("compile: %w\n%s", err, sdl)
	}
	return &fixture{schema, plan}, nil
}

func mustFixture(tb testing.TB, sdl string) *fixture {
	tb.Helper()
	f, err := newFixture(sdl)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// A prepared is a planned operation with its variables.
type prepared struct {
	*fixture
	op   *cascade.Operation
	vars map[string]any
}

func (f *fixture) prepare(text string, vars map[string]any) (*prepared, error) {
	doc, errs := gqlparser.LoadQuery(f.schema, text)
	if len(errs) > 0 {
		return nil, fmt.Errorf("operation: %w\n%s", errs, text)
	}
	coerced, err := validator.VariableValues(f.schema, doc.Operations[0], vars)
	if err != nil {
		return nil, fmt.Errorf("variables: %w\n%s\n%v", err, text, vars)
	}
	op, err := f.plan.Operation(doc, doc.Operations[0])
	if err != nil {
		return nil, fmt.Errorf("plan: %w\n%s", err, text)
	}
	return &prepared{f, op, coerced}, nil
}

// execute runs the prepared operation with its hidden fields and walks the answer.
func (p *prepared) execute(resolve resolveFunc, typeOf func(any) string) (*extractor.Result, error) {
	e := engine{schema: p.schema, resolve: resolve, typeOf: typeOf}
	data := e.run(p.op.Extract.Doc, p.op.Extract.Operation, p.vars)
	res, err := p.op.Extract.Walk(data)
	if err != nil {
		return nil, fmt.Errorf("walk: %w: %s", err, data)
	}
	return res, nil
}

// tree resolves fields in decoded JSON: objects are maps by field name, whatever the
// arguments.
func tree(tb testing.TB, text string) (resolveFunc, func(any) string) {
	tb.Helper()
	if text == "" {
		text = "{}"
	}
	root := decode(tb, text)
	resolve := func(_, field string, _ map[string]any, parent any) any {
		if parent == nil {
			return root[field]
		}
		return parent.(map[string]any)[field]
	}
	return resolve, func(v any) string { return v.(map[string]any)["__typename"].(string) }
}

func decode(tb testing.TB, text string) map[string]any {
	tb.Helper()
	if text == "" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		tb.Fatalf("%v: %s", err, text)
	}
	return m
}

// meet says whether a change reaches an entry: some tag of both with a column of both.
func meet(entry, change []cascade.Tag) bool {
	masks := make(map[uint64]uint64, len(change))
	for _, t := range change {
		masks[t.Hash] |= t.Mask
	}
	for _, t := range entry {
		if masks[t.Hash]&t.Mask != 0 {
			return true
		}
	}
	return false
}
