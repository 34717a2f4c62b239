package cascade_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
)

const invalidatesSchema = `
enum InvalidationStrategy { INVALIDATE REFETCH REMOVE }
directive @cascadeInvalidates(queries: [String!]!, strategy: InvalidationStrategy = INVALIDATE) on FIELD_DEFINITION
type Post @view(name: "posts") { id: ID! title: String }
type Query { post(id: ID!): Post posts: [Post!]! @reads(view: "Post") listPosts: [Post!]! @reads(view: "Post") listAll: [Post!]! @reads(view: "Post") }
extend schema @view(name: "log")
type Mutation {
  exact: Boolean @writes(view: "log") @cascadeInvalidates(queries: ["posts"], strategy: REFETCH)
  single: Boolean @writes(view: "log") @cascadeInvalidates(queries: "posts")
  several: Boolean @writes(view: "log") @cascadeInvalidates(queries: ["posts", "list*"])
  nobody: Boolean @writes(view: "log") @cascadeInvalidates(queries: ["posts", "GetPosts"])
  undeclared: Boolean @cascadeInvalidates(queries: ["posts"])
  plain: Boolean @writes(view: "log")
}`

// @cascadeInvalidates adds query fields to what a mutation drops, and replaces nothing.
func TestCascadeInvalidates(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, invalidatesSchema)
	for mutation, want := range map[string]string{
		"exact": "posts", "single": "posts", "several": "posts listPosts listAll", "nobody": "posts; everything", "undeclared": "posts", "plain": "",
		"several x: exact": "posts listPosts listAll",
	} {
		m, err := f.prepare("mutation {"+mutation+"}", nil)
		if err != nil {
			t.Fatal(err)
		}
		tags, everything := m.op.Invalidates()
		var got []string
		for _, q := range f.schema.Query.Fields {
			if slices.Contains(tags, cascade.RootField(q.Name)) {
				got = append(got, q.Name)
			}
		}
		text := strings.Join(got, " ")
		if everything != "" {
			text += "; everything"
		}
		if text != want {
			t.Errorf("%s: %q, want %q", mutation, text, want)
		}
	}
	q, err := f.prepare("{posts {title}}", nil)
	if err != nil {
		t.Fatal(err)
	}
	if tags, everything := q.op.Invalidates(); len(tags) > 0 || everything != "" {
		t.Errorf("a query: %v %q", tags, everything)
	}
}

// A name that is no query is said by the linter, one that is no text is a fault, and a directive of another form
// means something else.
func TestFaultsOfCascadeInvalidates(t *testing.T) {
	t.Parallel()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: cascade.SDL("")}, &ast.Source{Input: invalidatesSchema})
	findings, err := cascade.Lint(schema, cascade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(findings, func(f cascade.Finding) bool {
		return f.Code == cascade.CodeWideWrite && f.Subject == "Mutation.nobody" && strings.Contains(f.Message, "GetPosts")
	}) {
		t.Errorf("%v", findings)
	}
	if _, err := newFixture(strings.Replace(invalidatesSchema, `queries: "posts"`, "queries: 5", 1)); err == nil || !strings.Contains(err.Error(), "must be a string") {
		t.Errorf("a number for a name: %v", err)
	}
	other := strings.NewReplacer("queries: [String!]!, strategy", "keys: [String!]!, strategy", "(queries:", "(keys:").Replace(invalidatesSchema)
	f := mustFixture(t, other)
	m, err := f.prepare("mutation {exact}", nil)
	if err != nil {
		t.Fatal(err)
	}
	if tags, everything := m.op.Invalidates(); len(tags) > 0 || everything != "" {
		t.Errorf("another directive of the name: %v %q", tags, everything)
	}
}
