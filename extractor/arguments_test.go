package extractor_test

import (
	"errors"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestArguments: a field is injected only where it can be selected without arguments, and
// a plain key counts only without.
func TestArguments(t *testing.T) {
	t.Parallel()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		type Query { a: A b: B list(first: Int, after: Int): [A] }
		type A { id(hex: Boolean): ID! name: String one(n: Int!): A two(n: Int! = 1): A ids: [ID!] }
		type B { id(hex: Boolean!): ID! name: String }
		type Mutation { p: P q: Q r: R s: S }
		type P { success(n: Int!): Boolean data: Data cascade(n: Int!): Report }
		type Q { success: Flag data: [Data] cascade: ID }
		type R { success: Boolean data: Partial }
		type S { data(n: Int!): Data }
		type Flag { on: Boolean }
		type Data { cascade: Report }
		type Partial { cascade: Broken }
		type Broken { updated: [A] deleted: ID }
		type Report { updated: [A] deleted: [B!] invalidations: ID metadata: Flag }`})
	spec := extractor.Spec{
		Schema: schema, Cascade: true, Key: func(*ast.Definition) string { return "id" },
		Paths: func(_ *extractor.Field, object *ast.Definition) [][]string {
			if object.Name == "A" {
				return [][]string{{"one", "name"}, {"two", "name"}, {"name", "x"}, {"two"}, {}}
			}
			return nil
		},
	}
	paths := "Np0: two { Np1: name }"
	for _, row := range []struct{ name, query, want string }{
		{"plain key without arguments", `{ a { id } }`, `query { a { ` + paths + ` id } }`},
		{"key with an argument", `{ a { id(hex: true) } }`, `query { a { Nk0: id ` + paths + ` id(hex: true) } }`},
		{"key that needs an argument", `{ b { name } }`, ``},
		{"report in data", `mutation { p { __typename } }`, `mutation { p { Nd: data { Nc: cascade { N_updated: updated { N___typename: __typename N_id: id } N_deleted: deleted { N___typename: __typename } } } __typename } }`},
		{"data is a list", `mutation { q { __typename } }`, ``},
		{"report without lists", `mutation { r { success } }`, ``},
		{"data needs an argument", `mutation { s { __typename } }`, ``},
	} {
		doc := gqlparser.MustLoadQuery(schema, row.query)
		o, err := extractor.Prepare(spec, doc, doc.Operations[0])
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		} else if got := render(o); (row.want == "") == o.Injected || (o.Injected && got != row.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", row.name, got, row.want)
		}
	}
	doc := gqlparser.MustLoadQuery(schema, `{ list(first: 1, after: 2) { id } list(after: 2, first: 1) { id } }`)
	if _, err := extractor.Prepare(spec, doc, doc.Operations[0]); err != nil {
		t.Errorf("the order of arguments does not matter: %v", err)
	}
	doc.Operations[0].SelectionSet[0].(*ast.Field).Arguments[0].Value.Raw = "5"
	if _, err := extractor.Prepare(spec, doc, doc.Operations[0]); !errors.Is(err, extractor.ErrInvalid) {
		t.Errorf("different arguments under one name: %v", err)
	}
}
