package cascade_test

import (
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestLintRuntimeDirectives: fields of queries that would lose a directive on hits are
// found, through types, arguments and inputs; what never runs, what is covered and what
// belongs to mutations is not.
func TestLintRuntimeDirectives(t *testing.T) {
	t.Parallel()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "a.graphql", Input: `
		directive @hasRole on FIELD_DEFINITION | OBJECT | ARGUMENT_DEFINITION
		directive @lower on INPUT_FIELD_DEFINITION | ARGUMENT_DEFINITION
		directive @goField(name: String) on FIELD_DEFINITION
		type Query {
			plain: String @goField(name: "x") @deprecated
			own: String @hasRole
			typed: Vault
			argument(a: String @lower): String
			nested(in: Outer): String
			deep: Deep
		}
		type Vault @hasRole { key: String }
		type Deep { secret: String @hasRole }
		input Outer { inner: Inner again: Outer }
		input Inner { text: String @lower }
		type Mutation { write: String @hasRole }`})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		covered, want []string
	}{
		{nil, []string{"Query.own", "Query.typed", "Query.argument", "Query.nested", "Deep.secret"}},
		{[]string{"lower"}, []string{"Query.own", "Query.typed", "Deep.secret"}},
		{[]string{"lower", "hasRole"}, nil},
	} {
		findings, err := cascade.Lint(schema, cascade.Options{DirectivesCovered: row.covered})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range findings {
			if f.Code == cascade.CodeRuntimeDirective {
				got = append(got, f.Subject)
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("covered %q: %q, want %q", row.covered, got, row.want)
		}
	}
}

// A directive of a type of entities counts for _entities, whichever types are asked for.
func TestDirectivesOfEntities(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, federationDirectives+`
directive @guard on OBJECT
union _Entity = Plain | Guarded
type Plain @key(fields: "id") { id: ID! }
type Guarded @key(fields: "id") @guard { id: ID! }
type Query { _entities(representations: [_Any!]!): [_Entity]! plain: Plain }`)
	for field, want := range map[string][]string{"_entities": {"guard"}, "plain": nil} {
		if got := f.plan.DirectivesOf(f.schema.Query.Fields.ForName(field), f.plan.MayRun); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
}

// TestNamesOfFederation: a name is Federation's in a subgraph only. Elsewhere a directive
// of that name may refuse callers. GraphQL's, gqlgen's and our own never do.
func TestNamesOfFederation(t *testing.T) {
	t.Parallel()
	const own = `
directive @authenticated on FIELD_DEFINITION
directive @tag(name: String!) on ARGUMENT_DEFINITION
directive @goField(name: String) on FIELD_DEFINITION
directive @guard on FIELD_DEFINITION
type Query { a(x: Int @tag(name: "x")): Int @authenticated b: Int @guard @deprecated c: Int @goField(name: "d") }`
	for _, row := range []struct {
		name, text string
		want       []string
	}{
		{"no subgraph", own, []string{"authenticated", "tag", "guard"}},
		{"directives of other meanings", "directive @key(name: String) on FIELD_DEFINITION directive @link(url: String!) on FIELD_DEFINITION" + own, []string{"authenticated", "tag", "guard"}},
		{"a subgraph", federationDirectives + own, []string{"guard"}},
		{"a subgraph of Federation 2", "directive @link(url: String!) repeatable on SCHEMA" + own, []string{"guard"}},
	} {
		f := mustFixture(t, row.text)
		var got []string
		for _, field := range []string{"a", "b", "c"} {
			got = append(got, f.plan.DirectivesOf(f.schema.Query.Fields.ForName(field), f.plan.MayRun)...)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
