package cascade_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
)

func describeSights(sights []cascade.Sight) string {
	var parts []string
	for _, s := range sights {
		text := s.Field + "("
		for i, v := range s.Views {
			if i > 0 {
				text += " "
			}
			text += v.Name
		}
		text += ")"
		if s.AtRuntime {
			text += " at run time"
		}
		if s.Column != "" {
			text += "." + s.Column
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " < ")
}

func TestSights(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, query, path, want string
		depth                   int
	}{
		{"column", `{ post(id: 1) { title } }`, "post title", "Post.title(v_post).title < Query.post(v_post)", 2},
		{"alias", `{ p: post(id: 1) { t: title } }`, "p t", "Post.title(v_post).title < Query.post(v_post)", 2},
		{"key", `{ post(id: 1) { id } }`, "post id", "Query.post(v_post)", 2},
		{"declared field", `{ post(id: 1) { author { name } } }`, "post author name", "User.name(v_user).name < Post.author(v_user) < Query.post(v_post)", 3},
		{"list", `{ post(id: 1) { comments { body } } }`, "post comments", "Post.comments(v_comment) < Query.post(v_post)", 2},
		{"beyond the fields", `{ post(id: 1) { title } }`, "post title x", "Post.title(v_post).title < Query.post(v_post)", 2},
		{"no field", `{ post(id: 1) { title } }`, "x", "", 0},
		{"typename", `{ post(id: 1) { __typename } }`, "post __typename", "Query.post(v_post)", 2},
		{"fragments", `{ post(id: 1) { ...f } } fragment f on Post { body }`, "post body", "Post.body(v_post).body < Query.post(v_post)", 2},
		{"page", `{ page { total items { title } } }`, "page items title", "Post.title(v_post).title < Query.page(v_post)", 3},
		{"member of a page", `{ page { total items { title } } }`, "page total", "Query.page(v_post)", 2},
		{
			"interface", `{ node(id: 1) { ... on User { name } ... on Post { body } } }`, "node name",
			"User.name(v_user).name < Query.node(v_post v_user)", 2,
		},
		{"root", `{ post(id: 1) { title } }`, "", "", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newTraceFixture(t)
			sights, depth := f.operation(t, row.query).Sights(strings.Fields(row.path))
			if got := describeSights(sights); got != row.want || depth != row.depth {
				t.Errorf("%s, depth %d; want %s, %d", got, depth, row.want, row.depth)
			}
		})
	}
}

func TestWriters(t *testing.T) {
	t.Parallel()
	f := newTraceFixture(t)
	op := f.operation(t, `mutation { a: retitle(id: 1, title: "x") { id } b: drop(id: 1) secret __typename }`)
	var got []string
	for _, w := range op.Writers() {
		s := cascade.Sight{Field: w.Field, Views: w.Views}
		got = append(got, describeSights([]cascade.Sight{s}))
	}
	if text := strings.Join(got, ", "); text != "Mutation.retitle(v_post), Mutation.drop(v_post v_comment)" {
		t.Errorf("writers %s", text)
	}
}

func TestEventsTell(t *testing.T) {
	t.Parallel()
	f := newTraceFixture(t)
	op := f.operation(t, `mutation { retitle(id: 7, title: "new") { id } }`)
	events, everything := op.Events(cascade.Outcome{})
	if everything != "" || len(events) != 1 {
		t.Fatalf("events %v, %s", events, everything)
	}
	e := &events[0]
	for _, row := range []struct{ what, got, want string }{
		{"the row", fmt.Sprint(e.Mentions("7")), "[v_post]"},
		{"the value", fmt.Sprint(e.Mentions("new")), "[v_post.title]"},
		{"something else", fmt.Sprint(e.Mentions("8")), "[]"},
		{"its column", fmt.Sprint(e.Names("title")), "true"},
		{"another column", fmt.Sprint(e.Names("body")), "false"},
		{"what is no column", fmt.Sprint(e.Names("unknown")), "true"},
		{"derived", fmt.Sprint(f.plan.Cascade(events)[1].View.Derived(), e.View.Derived()), "true false"},
		{"derived from", fmt.Sprint(f.plan.Cascade(events)[1].View.DerivedFrom(e.View), e.View.DerivedFrom(e.View)), "true false"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %s, want %s", row.what, row.got, row.want)
		}
	}
}

const sightSchema = `
interface Node { id: ID! }
type User implements Node @view(name: "v_user") { id: ID! name: String }
type Post implements Node @view(name: "v_post", columns: ["author.id"]) {
  id: ID!
  title: String
  body: String
  author: User @reads(view: "User", row: "parent.author.id")
  comments: [Comment!]! @reads(view: "Comment", where: ["post.id = parent.id"], using: [])
}
type Comment @view(name: "v_comment", columns: ["post.id"]) { id: ID! body: String post: Post @reads(view: "Post", row: "parent.post.id") }
type Stats @view(name: "v_stats") @dependsOn(on: "Post") { id: ID! count: Int }
type Page { total: Int items: [Post!]! }
type Query {
  post(id: ID!): Post @reads(view: "Post", row: "args.id")
  page: Page @reads(view: "Post")
  node(id: ID!): Node @reads(view: "Node", row: "args.id")
  stats: Stats @reads(view: "Stats")
}
type Mutation {
  retitle(id: ID!, title: String): Post @writes(view: "Post", op: "UPDATE", row: "args.id", set: ["title = args.title"], fields: ["title"])
  drop(id: ID!): Boolean @writes(view: "Post", op: "DELETE", row: "args.id") @writes(view: "Comment", op: "DELETE", where: ["post.id = args.id"])
  rename: Boolean @writes(view: "User")
  secret: Boolean
}`

func newTraceFixture(t *testing.T) *fixture {
	t.Helper()
	return mustFixture(t, sightSchema)
}

func (f *fixture) operation(t *testing.T, text string) *cascade.Operation {
	t.Helper()
	p, err := f.prepare(text, map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	return p.op
}
