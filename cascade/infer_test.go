package cascade_test

import (
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
)

const inferSchema = `
type User @view(name: "v_user", touched: ["version"]) { id: ID! name: String bio: String version: Int posts: [Post!]! }
type Post @view(name: "v_post") { id: ID! title: String commentCount: Int author: User }
type Comment @view(name: "v_comment") { id: ID! body: String post: Post }
type Plain { id: ID! name: String }
type Page { total: Int items: [Post!]! }
type Payload { ok: Boolean user: User }
input UserInput { name: String bio: String }
input PostInput { title: String authorId: ID }
type Query {
  user(id: ID!): User
  post(id: ID!): Post
  posts(n: Int): [Post!]!
  page: Page
  me: User
  plain: [Plain!]!
  now: String
}
type Mutation {
  createPost(title: String): Post
  updateUser(id: ID!, input: UserInput!): User
  updateUserPayload(id: ID!, input: UserInput!): Payload
  updatePost(id: ID!, input: PostInput!): Post
  updateTitle(id: ID!, title: String): Post
  updateSecret(id: ID!, secret: String): Post
  publish(id: ID!): Post
  addComment(postId: ID!): Comment
  deletePost(id: ID!): Boolean
  savePlain: Plain
}`

func inferFixture(t *testing.T, on bool) *fixture {
	t.Helper()
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")}, &ast.Source{Name: "schema.graphql", Input: inferSchema},
	)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := cascade.Compile(schema, cascade.Options{Infer: on})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{schema, plan}
}

// falls says whether an answer falls by a mutation.
func falls(t *testing.T, f *fixture, query, data, mutation, result string) bool {
	t.Helper()
	r := rule{query: query, data: data}
	entry := r.read(t, f)
	m, err := f.prepare("mutation "+mutation, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := m.execute(tree(t, result))
	if err != nil {
		t.Fatal(err)
	}
	events, everything := m.op.Events(cascade.Outcome{Vars: m.vars, Result: res})
	return everything != "" || meet(entry, f.plan.Publish(nil, events, cascade.Partition{}))
}

func TestInfer(t *testing.T) {
	t.Parallel()
	const user1, post1, posts, page = `{"user":{"id":"1"}}`, `{"post":{"id":"1","author":{"id":"7"}}}`, `{"posts":[{"id":"1"}]}`, `{"page":{"items":[{"id":"1"}]}}`
	for _, row := range []struct {
		name, query, data, mutation, result string
		falls                               bool
	}{
		{"row returned", `{post(id: 1) {title}}`, post1, `{publish(id: 1) {title}}`, `{"publish":{"id":"1"}}`, true},
		{"another row returned", `{post(id: 1) {title}}`, post1, `{publish(id: 2) {title}}`, `{"publish":{"id":"2"}}`, false},
		{"list of the type", `{posts {title}}`, posts, `{createPost {title}}`, `{"createPost":{"id":"5"}}`, true},
		{"list of another type", `{posts {title}}`, posts, `{updateUser(id: 1, input: {name: "x"}) {id}}`, `{"updateUser":{"id":"1"}}`, false},
		{"list inside of a page", `{page {total items {title}}}`, page, `{createPost {title}}`, `{"createPost":{"id":"5"}}`, true},
		{"one row without a key", `{me {name}}`, `{"me":{"id":"1"}}`, `{updateUser(id: 2, input: {name: "x"}) {id}}`, `{"updateUser":{"id":"2"}}`, true},
		{"column that is set", `{user(id: 1) {name}}`, user1, `{updateUser(id: 1, input: {name: "x"}) {id}}`, `{"updateUser":{"id":"1"}}`, true},
		{"column that is not set", `{user(id: 1) {name}}`, user1, `{updateUser(id: 1, input: {bio: "x"}) {id}}`, `{"updateUser":{"id":"1"}}`, false},
		{"column that is touched", `{user(id: 1) {version}}`, user1, `{updateUser(id: 1, input: {bio: "x"}) {id}}`, `{"updateUser":{"id":"1"}}`, true},
		{"row in a payload", `{user(id: 1) {name}}`, user1, `{updateUserPayload(id: 1, input: {name: "x"}) {ok}}`, `{"updateUserPayload":{"ok":true,"user":{"id":"1"}}}`, true},
		{"argument that is a column", `{post(id: 1) {title}}`, post1, `{updateTitle(id: 1, title: "x") {id}}`, `{"updateTitle":{"id":"1"}}`, true},
		{"argument that is another column", `{post(id: 1) {commentCount}}`, post1, `{updateTitle(id: 1, title: "x") {id}}`, `{"updateTitle":{"id":"1"}}`, false},
		{"argument that is no column", `{post(id: 1) {title}}`, post1, `{updateSecret(id: 1, secret: "x") {id}}`, `{"updateSecret":{"id":"1"}}`, true},
		{"reference, row changed", `{post(id: 1) {author {name}}}`, post1, `{updateUser(id: 7, input: {name: "x"}) {id}}`, `{"updateUser":{"id":"7"}}`, true},
		{"reference, another row changed", `{post(id: 1) {author {name}}}`, post1, `{updateUser(id: 8, input: {name: "x"}) {id}}`, `{"updateUser":{"id":"8"}}`, false},
		{"reference, moved", `{post(id: 1) {author {name}}}`, post1, `{updatePost(id: 1, input: {authorId: 8}) {id}}`, `{"updatePost":{"id":"1"}}`, true},
		{"type without a view", `{plain {name}}`, `{"plain":[{"id":"1"}]}`, `{publish(id: 1) {id}}`, `{"publish":{"id":"1"}}`, true},
		{"mutation of a type without a view", `{posts {title}}`, posts, `{savePlain {id}}`, `{"savePlain":{"id":"1"}}`, true},
		{"scalar field", `{now}`, `{"now":"x"}`, `{publish(id: 1) {id}}`, `{"publish":{"id":"1"}}`, true},
		{"mutation that returns no row", `{posts {title}}`, posts, `{deletePost(id: 1)}`, `{"deletePost":true}`, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := falls(t, inferFixture(t, true), row.query, row.data, row.mutation, row.result); got != row.falls {
				t.Errorf("falls = %v, want %v", got, row.falls)
			}
			if !falls(t, inferFixture(t, false), row.query, row.data, row.mutation, row.result) {
				t.Error("it stays without Infer, where nothing is declared")
			}
		})
	}
}

// Infer is wrong here: the server's addComment also adds 1 to Post.commentCount, which
// nothing in the schema tells. The answer is stale; without Infer it falls.
func TestInferIsWrong(t *testing.T) {
	t.Parallel()
	const query, data = `{post(id: 1) {commentCount}}`, `{"post":{"id":"1","commentCount":3}}`
	const mutation, result = `{addComment(postId: 1) {id}}`, `{"addComment":{"id":"9"}}`
	if falls(t, inferFixture(t, true), query, data, mutation, result) {
		t.Error("Infer knows of the counter: say so in the documentation of Options.Infer")
	}
	if !falls(t, inferFixture(t, false), query, data, mutation, result) {
		t.Error("stale although nothing was assumed")
	}
}
