package e2e

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// withViews has types of a schema without other directives declare their @view.
func withViews(t *testing.T, store *testgraph.Store, views map[string]string) graphql.ExecutableSchema {
	t.Helper()
	var replacements []string
	for name, view := range views {
		head := "type " + name + " implements Node & Named "
		replacements = append(replacements, head+viewsOf[name], head+view)
	}
	es, err := testgraph.ExecutablePlanted(store, replacements, "cacheControl", "dependsOn", "reads", "writes")
	if err != nil {
		t.Fatal(err)
	}
	return es
}

// viewsOf are the declarations of the schema itself.
var viewsOf = map[string]string{"User": `@view(name: "v_user")`, "Post": `@view(name: "v_post")`}

// TestDecides: with @view(decides:), and nothing else, a change of a column that an
// operation does not select leaves its answer alone. Where code may decide or compute by
// the column, it does not.
func TestDecides(t *testing.T) {
	t.Parallel()
	const (
		person = `SELECT id, name, email, boss_id FROM people WHERE id = ?`
		all    = `SELECT id, name, email, boss_id FROM people ORDER BY id`
	)
	plain := map[string]string{"User": `@view(name: "people", decides: [])`, "Post": `@view(name: "posts", decides: [])`}
	for _, row := range []struct {
		name  string
		views map[string]string
		query string
		// statements are those of resolvers, by their points.
		statements map[string]string
		computed   []string
		kept       bool
	}{
		{"a column that is not selected", plain, `{user(id: "1") {name}}`, map[string]string{"Query.user": person}, nil, true},
		{"in a list", plain, `{users {name}}`, map[string]string{"Query.users": all}, nil, true},
		{"in a page", plain, `{usersPage {edges {node {name}}}}`, map[string]string{"Query.usersPage": all}, nil, true},
		{"an alias", plain, `{user(id: "1") {email: name}}`, map[string]string{"Query.user": person}, nil, true},
		{"in a fragment", plain, `{named(id: "1") {... on User {name}}}`, map[string]string{"Query.named": person}, nil, true},
		{"selected", plain, `{user(id: "1") {name email}}`, map[string]string{"Query.user": person}, nil, false},
		{"selected elsewhere", plain, `{user(id: "1") {name} users {email}}`, map[string]string{"Query.user": person, "Query.users": all}, nil, false},
		{"selected in a fragment", plain, `{named(id: "1") {... on User {name email}}}`, map[string]string{"Query.named": person}, nil, false},
		{
			"code decides by it",
			map[string]string{"User": `@view(name: "people", decides: ["email"])`},
			`{user(id: "1") {name}}`, map[string]string{"Query.user": person}, nil, false,
		},
		{"nothing is promised", map[string]string{"User": `@view(name: "people")`}, `{user(id: "1") {name}}`, map[string]string{"Query.user": person}, nil, false},
		{
			"decides names no column",
			map[string]string{"User": `@view(name: "people", decides: ["e_mail_address"])`},
			`{user(id: "1") {name}}`, map[string]string{"Query.user": person}, nil, false,
		},
		{"code of the type", plain, `{user(id: "1") {name tags}}`, map[string]string{"Query.user": person}, []string{"User.tags"}, false},
		{
			"code of the type that reads, of a column's name", plain, `{user(id: "1") {name flaky}}`,
			map[string]string{"Query.user": person, "User.flaky": `SELECT name FROM people`}, nil, false,
		},
		{"a row of the type", plain, `{user(id: "1") {name boss {name}}}`, map[string]string{"Query.user": person, "User.boss": person}, nil, false},
		{
			"a leaf made of what another field has read", plain, `{user(id: "1") {name} userNames}`,
			map[string]string{"Query.user": person}, []string{"Query.userNames"}, false,
		},
		{
			"a leaf that reads", plain, `{user(id: "1") {name} userNames}`,
			map[string]string{"Query.user": person, "Query.userNames": `SELECT name FROM people`}, nil, true,
		},
		{
			"a leaf that reads all columns", plain, `{user(id: "1") {name} userNames}`,
			map[string]string{"Query.user": person, "Query.userNames": all}, nil, false,
		},
		{
			"rows of another type", plain, `{user(id: "1") {name} posts {name}}`,
			map[string]string{"Query.user": person, "Query.posts": all}, nil, false,
		},
		{
			"rows of another type, without these columns", plain, `{user(id: "1") {name} posts {name}}`,
			map[string]string{"Query.user": person, "Query.posts": `SELECT id, name FROM people`}, nil, true,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSeamOn(t, gqlcache.Options{
				Callers: gqlcache.AllSeeTheSame, Observe: gqlcache.Observe{Everything: true, Computed: row.computed},
			}, func(store *testgraph.Store) graphql.ExecutableSchema {
				return withViews(t, store, row.views)
			}, nil)
			s.exec(t.Context(), `CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, email TEXT, boss_id TEXT, flaky TEXT)`)
			s.exec(t.Context(), `CREATE TABLE posts (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL)`)
			s.exec(t.Context(), `INSERT INTO people VALUES ('1', 'Ann', 'a@x', '2', NULL), ('2', 'Bob', 'b@x', NULL, NULL)`)
			query := strings.ReplaceAll(row.query, `id: "1"`, `id: "`+testgraph.Ann+`"`) // who answers does not look at the table
			for point, text := range row.statements {
				if text == person {
					s.reads(point, text, "1")
				} else {
					s.reads(point, text)
				}
			}
			s.ask(query)
			s.exec(t.Context(), `UPDATE people SET name = name || '!'`) // the shapes are known now
			s.ask(query)
			if !s.ask(query) {
				t.Fatalf("it is not stored: %v", s.cache.Stats().NotStored)
			}
			s.exec(t.Context(), `UPDATE people SET email = email || '!' WHERE id = '1'`)
			if got := s.ask(query); got != row.kept {
				t.Errorf("kept %v after a change of the email", got)
			}
			s.ask(query)
			s.exec(t.Context(), `UPDATE people SET name = name || '!' WHERE id = '1'`)
			if s.ask(query) {
				t.Error("kept after a change of the name")
			}
		})
	}
}
