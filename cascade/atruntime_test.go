package cascade_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

const atRuntimeSchema = `
	type Query {
		post(id: ID!): Post
		board: Board @reads(atRuntime: true)
		page(n: Int): [Post!]! @reads(view: "post", limit: "args.n", using: [])
		now: String! @reads(atRuntime: true)
	}
	type Board { total: Int! rows: [Row!]! }
	type Row { place: Int! post: Post! declared: Int! @reads(view: "post", using: []) }
	type Post @view(name: "post") { id: ID! 
		title: String!
		likes: Int! @reads(atRuntime: true)
		declared: Int! @reads(view: "tag", where: ["post = parent.id"], using: [])
		both: Int @reads(view: "tag", where: ["post = parent.id"], using: []) @reads(atRuntime: true)
	}
	extend schema @view(name: "tag", columns: ["post"], static: true)
	type Mutation { editPost(id: ID!, title: String!): Post! @writes(view: "post", op: "UPDATE", row: "args.id", fields: ["title"]) }
`

// TestAtRuntimeOperation: which fields say at run time what they read, and that the others of
// the operation stay as declared as they are.
func TestAtRuntimeOperation(t *testing.T) {
	t.Parallel()
	f, err := newFixture(atRuntimeSchema)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		query string
		want  []string
		says  map[string]cascade.Says
	}{
		{`{ post(id: 1) { title } }`, nil, map[string]cascade.Says{"Query.post": 0, "Post.title": 0}},
		{`{ now }`, []string{"Query.now"}, map[string]cascade.Says{"Query.now": cascade.SaysReads}},
		{`{ post(id: 1) { likes title } now }`, []string{"Post.likes", "Query.now"}, map[string]cascade.Says{"Post.likes": cascade.SaysReads, "Post.title": 0, "Query.post": 0}},
		{
			`{ board { total rows { place declared post { id title } } } }`, []string{"Query.board"},
			map[string]cascade.Says{"Query.board": cascade.SaysReads, "Board.total": cascade.SaysBelow, "Board.rows": cascade.SaysBelow, "Row.place": cascade.SaysBelow, "Row.declared": 0, "Row.post": cascade.SaysBelow, "Post.title": 0},
		},
	} {
		p, err := f.prepare(row.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p.op.Anything != "" || !slices.Equal(p.op.AtRuntime(), row.want) || p.op.HasAtRuntime() != (row.want != nil) {
			t.Errorf("%s: %q, anything %q", row.query, p.op.AtRuntime(), p.op.Anything)
		}
		for name, want := range row.says {
			object, field, _ := strings.Cut(name, ".")
			if got := p.op.SaysAtRuntime(object, field); got != want {
				t.Errorf("%s: %s says %d, want %d", row.query, name, got, want)
			}
		}
	}
}

// TestAtRuntimeTags: what a resolver says may depend on any column of the parent's row. An
// answer for which one has said nothing depends on anything.
func TestAtRuntimeTags(t *testing.T) {
	t.Parallel()
	f, err := newFixture(atRuntimeSchema)
	if err != nil {
		t.Fatal(err)
	}
	tags := func(query string, anything bool) []cascade.Tag {
		p, err := f.prepare(query, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := p.execute(tree(t, `{"post": {"id": "1", "likes": 7, "declared": 7}}`))
		if err != nil {
			t.Fatal(err)
		}
		tags, err := p.op.ReadsOf(nil, cascade.Answer{Vars: p.vars, Result: res, Anything: anything})
		if err != nil {
			t.Fatal(err)
		}
		return tags
	}
	published := func(mutation string) []cascade.Tag {
		m, err := f.prepare(mutation, nil)
		if err != nil {
			t.Fatal(err)
		}
		events, everything := m.op.Events(cascade.Outcome{Vars: m.vars})
		if everything != "" {
			t.Fatal(everything)
		}
		return f.plan.Publish(nil, events, cascade.Partition{})
	}
	edit, other := published(`mutation { editPost(id: 1, title: "b") { id } }`), published(`mutation { editPost(id: 2, title: "b") { id } }`)
	for _, row := range []struct {
		query     string
		anything  bool
		edit, all bool
	}{
		{`{ post(id: 1) { id } }`, false, false, false},
		{`{ post(id: 1) { declared } }`, false, false, false},
		{`{ post(id: 1) { likes } }`, false, true, false},
		{`{ post(id: 1) { both } }`, false, true, false},
		{`{ post(id: 1) { likes } }`, true, true, true},
		{`{ now }`, false, false, false},
		{`{ now }`, true, true, true},
	} {
		got := tags(row.query, row.anything)
		if meet(got, edit) != row.edit || meet(got, other) != row.all {
			t.Errorf("%s, anything %v: an update of the row drops it: %v, of another row: %v", row.query, row.anything, meet(got, edit), meet(got, other))
		}
	}
}

// TestAtRuntimeOlderDirectives: a schema may have the declaration of before, which demands a
// view.
func TestAtRuntimeOlderDirectives(t *testing.T) {
	t.Parallel()
	older := strings.Replace(cascade.SDL(""), "  view: String\n", "  view: String!\n", 1)
	if older == cascade.SDL("") {
		t.Fatal("the declaration of @reads is another one")
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: older}, &ast.Source{Input: `type Query { a: Int @reads(view: "v") } extend schema @view(name: "v")`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cascade.Compile(schema, cascade.Options{}); err != nil {
		t.Error(err)
	}
}
