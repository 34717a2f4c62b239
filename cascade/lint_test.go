package cascade_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
)

func lint(tb testing.TB, name, text string) []cascade.Finding {
	tb.Helper()
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")}, &ast.Source{Name: name, Input: text},
	)
	if err != nil {
		tb.Fatal(err)
	}
	found, err := cascade.Lint(schema, cascade.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return found
}

func TestLint(t *testing.T) {
	t.Parallel()
	const types = `type Post @view(name: "v_post") { id: ID! title: String status: String }
`
	const writes = `type Mutation { title(id: ID!): Post @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["title"]) }
`
	for _, row := range []struct {
		name, schema string
		want         []string
	}{
		{"everything said", types + writes + `type Query { post(id: ID!): Post }`, nil},
		{"root field", types + writes + `type Query { posts: [Post!] }`, []string{"3:14 unknown-reads Query.posts"}},
		{"scalar root field", types + writes + `type Query { now: String }`, []string{"3:14 unknown-reads Query.now"}},
		{"nested field", `type Post @view(name: "v_post") { id: ID! title: String rest: Rest } type Rest { a: Int }
` + writes + `type Query { post(id: ID!): Post }`, []string{"1:57 unknown-reads Post.rest", "1:82 unknown-reads Rest.a"}},
		{"computed scalar", `type Post @view(name: "v_post") { id: ID! title: String short(n: Int!): String }
` + writes + `type Query { post(id: ID!): Post }`, []string{"1:57 unknown-reads Post.short"}},
		{"not reached by queries", `type Post @view(name: "v_post") { id: ID! title: String } type Other { post: Post }
` + writes + `type Query { post(id: ID!): Post }`, nil},
		{"type without a view", types + `type Tag { id: ID! name: String }
` + writes + `type Query { tags: [Tag!]! @reads(view: "Tag") }`, []string{"2:6 unknown-reads Tag"}},
		{"read at run time", types + `type Page { total: Int items: [Post!]! }
` + writes + `type Query { page: Page @reads(atRuntime: true) now: String @reads(atRuntime: true) }`, nil},
		{"wrapper below a declared field", types + `type Page { total: Int items: [Post!]! }
` + writes + `type Query { page: Page @reads(view: "Post") }`, nil},
		{"mutation", types + `type Mutation { do: Boolean title(id: ID!): Post @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["title"]) }
type Query { post(id: ID!): Post }`, []string{"2:17 unknown-writes Mutation.do"}},
		{"view that nobody writes", types + `type Tag @view(name: "v_tag") { id: ID! }
` + writes + `type Query { post(id: ID!): Post tag(id: ID!): Tag }`, []string{"2:11 unwritten-view v_tag"}},
		{"static view", types + `type Tag @view(name: "v_tag", static: true) { id: ID! }
` + writes + `type Query { post(id: ID!): Post tag(id: ID!): Tag }`, nil},
		{"column that nothing changes", types + writes + `type Query { posts: [Post!] @reads(view: "Post", using: ["title", "status"]) }`,
			[]string{"3:30 unchanged-column Query.posts"}},
		{"column of a dependency that nothing changes", types + `type Stats @view(name: "v_stats") @dependsOn(on: "Post", key: "id", using: ["status"]) { id: ID! }
` + writes + `type Query { stats(id: ID!): Stats }`, []string{"2:36 unchanged-column v_stats"}},
		{"columns unknown", types + writes + `type Query { posts: [Post!] @reads(view: "Post") }`, nil},
		{"result names the row", types + `type Mutation { a(title: String): Post @writes(view: "Post", op: "UPDATE", fields: ["title"]) }
type Query { post(id: ID!): Post }`, []string{"2:41 wide-write Mutation.a"}},
		{"payload names the row", types + `type Payload { post: Post }
type Mutation { a: Payload @writes(view: "Post", op: "CREATE") }
type Query { post(id: ID!): Post }`, []string{"3:29 wide-write Mutation.a"}},
		{"argument names the row", types + `type Mutation { a(id: ID!): Boolean @writes(view: "Post", op: "DELETE") }
type Query { post(id: ID!): Post }`, []string{"2:38 wide-write Mutation.a"}},
		{"argument names another row", types + `type Tag @view(name: "v_tag") { id: ID! }
type Mutation { a(id: ID!): Boolean @writes(view: "Post", op: "DELETE", row: "args.id") @writes(view: "Tag", op: "DELETE") }
type Query { post(id: ID!): Post tag(id: ID!): Tag }`, nil},
		{"created rows are returned", types + `type Mutation { a: Post @writes(view: "Post", op: "CREATE") }
type Query { post(id: ID!): Post }`, nil},
		{"nothing names the row", types + `type Mutation { a: Int @writes(view: "Post", op: "DELETE") }
type Query { post(id: ID!): Post }`, nil},
		{"argument may name the row that is read", types + `type Mutation { copy(id: ID!): Post @writes(view: "Post") }
type Query { post(id: ID!): Post }`, []string{"2:38 wide-write Mutation.copy"}},
		{"term on a scalar of its own", `scalar Time
type Post @view(name: "v_post") { id: ID! title: String at: Time }
` + writes + `type Query { posts(at: Time): [Post] @reads(view: "Post", where: ["at"], using: []) }`, []string{"4:39 unchanged-column Query.posts", "4:67 unknown-value Query.posts"}},
		{"key that is a scalar of its own", `scalar Time
type Post @view(name: "v_post") { id: Time! title: String }
` + `type Mutation { title(id: Time!): Post @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["title"]) }
type Query { post(id: Time!): Post }`, []string{"2:35 unknown-value Post.id", "3:81 unknown-value Mutation.title"}},
		{"directive that runs", `directive @lower on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION
input In { title: String @lower }
` + types + writes + `type Query { post(id: ID! @lower): Post
posts(in: In): [Post] @reads(view: "Post", where: ["title = args.in.title"], using: []) }`, []string{"5:14 runtime-directive Query.post", "5:14 unknown-value Query.post", "6:1 runtime-directive Query.posts", "6:52 unknown-value Query.posts"}},
		{"key with arguments", `type Post @view(name: "v_post") { id(form: Int): ID! title: String }
` + writes + `type Query { post(id: ID!): Post }`, []string{"1:35 key-arguments Post.id"}},
		{"columns of an update", types + `type Mutation { a(id: ID!): Int @writes(view: "Post", op: "UPDATE", row: "args.id") }
type Query { post(id: ID!): Post }`, []string{"2:34 wide-columns Mutation.a"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range lint(t, "x.graphql", row.schema) {
				got = append(got, fmt.Sprintf("%d:%d %s %s", f.Line, f.Column, f.Code, f.Subject))
				if text := f.String(); !strings.HasPrefix(text, fmt.Sprintf("x.graphql:%d:%d: ", f.Line, f.Column)) || !strings.Contains(text, f.Message) {
					t.Errorf("text %q", text)
				}
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("found %q, want %q", got, row.want)
			}
		})
	}
}

func TestLintRefusesFaults(t *testing.T) {
	t.Parallel()
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Input: cascade.SDL("")}, &ast.Source{Input: `type Query { a: Int @reads(view: "Nothing") }`},
	)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := cascade.Lint(schema, cascade.Options{}); err == nil || found != nil {
		t.Errorf("Lint = %v, %v, want an error", found, err)
	}
}

// The example says everything.
func TestLintExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "example", "graph", "schema.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range lint(t, "schema.graphql", string(text)) {
		t.Error(f)
	}
}

// What an argument names may be what a mutation reads: nothing that copies a row may be
// told to name it.
func TestLintDoesNotNameTheRowThatIsCopied(t *testing.T) {
	t.Parallel()
	found := lint(t, "x.graphql", `type Post @view(name: "v_post") { id: ID! title: String }
type Mutation { copyPost(id: ID!): Post @writes(view: "Post") }
type Query { post(id: ID!): Post }`)
	if len(found) != 1 || !strings.Contains(found[0].Message, "if it only creates the rows that it returns, say op: \"CREATE\", and not that row") {
		t.Errorf("findings %v", found)
	}
}

func ExampleLint() {
	schema := gqlparser.MustLoadSchema(
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")},
		&ast.Source{Name: "blog.graphql", Input: `type Post @view(name: "v_post") { id: ID! }
type Query { post(id: ID!): Post }
type Mutation { publish(id: ID!): Post }`},
	)
	findings, err := cascade.Lint(schema, cascade.Options{})
	if err != nil {
		panic(err)
	}
	for _, f := range findings {
		fmt.Println(f)
	}
	text, _ := json.Marshal(findings[1])
	fmt.Println(string(text))
	// Output:
	// blog.graphql:1:12: no mutation writes the view "v_post", so any mutation drops the answers that depend on it: give the ones that do @writes, or say static: true (unwritten-view)
	// blog.graphql:3:17: nothing says what Mutation.publish writes, so it drops everything: give it @writes (unknown-writes)
	// {"code":"unknown-writes","file":"blog.graphql","line":3,"column":17,"subject":"Mutation.publish","message":"nothing says what Mutation.publish writes, so it drops everything: give it @writes"}
}
