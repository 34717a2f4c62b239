package schemahash_test

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/cascadeql/cascadeql/schemahash"
)

// TestSumLeavesPreludeOut loads one schema with the prelude and with a later one.
func TestSumLeavesPreludeOut(t *testing.T) {
	t.Parallel()
	later := *validator.Prelude
	later.Input += "\nscalar BigInt\ndirective @later on OBJECT\nenum __Later { A B }\n" +
		"extend type __Type { later: String @deprecated }\n"
	user := &ast.Source{Name: "user.graphql", Input: "type Query { x: Int @deprecated }"}

	now := loadWith(t, validator.Prelude, user)
	then := loadWith(t, &later, user)
	if then.Types["BigInt"] == nil || then.Directives["later"] == nil {
		t.Fatal("the later prelude was not loaded")
	}
	if schemahash.Sum(now) != schemahash.Sum(then) {
		t.Error("the hash depends on the prelude")
	}
}

// TestSumCountsGeneratedSources covers sources that gqlgen's plugins mark as built in.
func TestSumCountsGeneratedSources(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, a, b string }{
		{"scalar", "", "scalar _Any"},
		{"union member", "union _Entity = A", "union _Entity = A | B"},
		{"enum value", "enum _E { A }", "enum _E { A B }"},
		{"field", "type _S { a: Int }", "type _S { a: Int b: Int }"},
		{"field of an extension", "", "extend type Query { _service: Int }"},
		{"directive definition", "", "directive @key on OBJECT"},
		{"directive argument", "directive @key on OBJECT", "directive @key(fields: String) on OBJECT"},
		{"application", "directive @key on OBJECT", "directive @key on OBJECT extend type A @key"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			sum := func(generated string) schemahash.Hash {
				return schemahash.Sum(loadWith(t, validator.Prelude,
					&ast.Source{Name: "user.graphql", Input: "type Query { x: Int } type A { x: Int } type B { x: Int }"},
					&ast.Source{Name: "federation/directives.graphql", BuiltIn: true, Input: generated}))
			}
			if sum(row.a) == sum(row.b) {
				t.Errorf("%q and %q have the same hash", row.a, row.b)
			}
		})
	}
}

func loadWith(t *testing.T, sources ...*ast.Source) *ast.Schema {
	t.Helper()
	doc, err := parser.ParseSchemas(sources...)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := validator.ValidateSchemaDocument(doc)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSumOfNothing(t *testing.T) {
	t.Parallel()
	if schemahash.Sum(nil) != schemahash.Sum(&ast.Schema{}) {
		t.Error("nil and empty schemas differ")
	}
	if schemahash.Sum(nil) == schemahash.Sum(load(t, "type Query { x: Int }")) {
		t.Error("a schema hashes like no schema")
	}
}

// TestSumOfHoles covers schemas that were built by hand, without positions and with
// missing parts.
func TestSumOfHoles(t *testing.T) {
	t.Parallel()
	hollow := &ast.Schema{
		Query:            &ast.Definition{Name: "Query", Fields: ast.FieldList{nil, {Name: "f"}}},
		SchemaDirectives: ast.DirectiveList{nil, {Name: "d", Arguments: ast.ArgumentList{nil, {Name: "a"}}}},
		Types: map[string]*ast.Definition{
			"Nil":   nil,
			"Query": {Name: "Query", Kind: ast.Object, Fields: ast.FieldList{nil, {Name: "f"}}},
			"E":     {Name: "E", Kind: ast.Enum, EnumValues: ast.EnumValueList{nil, {Name: "V"}}},
			"Int":   {Name: "Int", Kind: ast.Scalar, BuiltIn: true},
		},
		Directives: map[string]*ast.DirectiveDefinition{"nil": nil},
	}
	a := schemahash.Sum(hollow)
	hollow.Types["Query"].Fields[1].DefaultValue = &ast.Value{Kind: ast.ListValue, Children: ast.ChildValueList{nil}}
	if schemahash.Sum(hollow) == a {
		t.Error("a default value does not change the hash")
	}
}

func TestSumStable(t *testing.T) {
	t.Parallel()
	const want = "2edc60003b6188321abd22fd6ce11870d00f32ec9544d13fb37394783b10f34c"
	if got := schemahash.Sum(load(t, base)).String(); got != want {
		t.Errorf("Sum = %s, want %s\nThe canonical form changed: raise version, then this constant.", got, want)
	}
}
