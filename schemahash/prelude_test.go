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
	load := func(members string) *ast.Schema {
		return loadWith(t, validator.Prelude,
			&ast.Source{Name: "user.graphql", Input: "type Query { x: Int } type A { x: Int } type B { x: Int }"},
			&ast.Source{Name: "federation/entity.graphql", BuiltIn: true, Input: "union _Entity = " + members + " extend type Query { _e: _Entity }"})
	}
	if schemahash.Sum(load("A")) == schemahash.Sum(load("A | B")) {
		t.Error("a change of a generated source does not change the hash")
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

// TestSumOfHoles covers schemas that were built by hand, without positions and with missing parts.
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
	const want = "6c6f5efce18353852a94224d8d5a2c51fc0fc8aaf17a253892d27abc671a7ad6"
	if got := schemahash.Sum(load(t, base)).String(); got != want {
		t.Errorf("Sum = %s, want %s\nThe canonical form changed: raise version, then this constant.", got, want)
	}
}
