package cascade_test

import (
	"fmt"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
)

const projectionSchema = `
type Post @view(name: "v_post", table: "posts", decides: ["status"]) { id: ID! title: String authorId: String author: User part(of: Int): String }
type Note @view(name: "v_post", table: "posts", decides: ["kind"]) { id: ID! text: String }
type User @view(name: "users", decides: []) { id: ID! name: String }
type Tag @view(name: "tags") { id: ID! name: String }
type Page { total: Int items: [Post!]! }
type Query { posts: [Post!]! notes: [Note!]! users: [User!]! tags: [Tag!]! page: Page }`

// TestProjections: what an operation shows of a table is known where all types that it
// selects say by which columns code decides, and of which it selects plain fields only.
func TestProjections(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, projectionSchema)
	for _, row := range []struct{ query, want string }{
		{"{posts {title}}", "[{posts [Post] [title] [kind status]}]"},
		{"{page {total items {title __typename}}}", "[{posts [Post] [title] [kind status]}]"},
		{"{posts {authorId} notes {text}}", "[{posts [Post Note] [authorId text] [kind status]}]"},
		{"{posts {title author {name}}}", "[{users [User] [name] []}]"},
		{"{posts {part} users {name}}", "[{users [User] [name] []}]"},
		{"{tags {name} users {id}}", "[{users [User] [id] []}]"},
		{"{tags {name}}", "[]"},
	} {
		q, err := f.prepare("query "+row.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(q.op.Projections()); got != row.want {
			t.Errorf("%s: %s, want %s", row.query, got, row.want)
		}
	}
}

// TestTableOfAView: declarations of one view agree on the table, and what decides is
// known only if all of them say it.
func TestTableOfAView(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, `
type Post @view(name: "v_post", decides: ["status"]) { id: ID! title: String }
type Note @view(name: "v_post") { id: ID! text: String }
type Query { posts: [Post!]! }`)
	q, err := f.prepare("query {posts {title}}", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := q.op.Projections(); len(got) > 0 {
		t.Errorf("%v, and Note does not say what decides", got)
	}
}

// TestColumnOf: names are compared by their letters, and whatever bytes a database has in
// the name of a column.
func TestColumnOf(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		column, field string
		same          bool
	}{
		{"author_id", "authorId", true}, {"AUTHORID", "author.id", true}, {"", "", true}, {"_", "", true},
		{"author", "authorId", false}, {"authorId", "author", false}, {"a\xff", "a", false}, {"\xff", "\xff", true}, {"a\xc3", "a_\xc3", true},
	} {
		if got := cascade.ColumnOf(row.column, row.field); got != row.same {
			t.Errorf("%q, %q: %v", row.column, row.field, got)
		}
	}
}
