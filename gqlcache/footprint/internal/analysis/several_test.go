package analysis

import (
	"fmt"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// tenants returns the catalog of schemas with equal tables users and posts and a view of
// both, and of one table that public alone has.
func tenants() *catalog.Catalog {
	id := catalog.Column{Name: "id", Class: catalog.Int, NotNull: true}
	plans := &catalog.Table{Name: "plans", Columns: []catalog.Column{id}, Keys: [][]int{{0}}}
	users := &catalog.Table{Name: "users", Ambiguous: true, Columns: []catalog.Column{id, {Name: "plan", Class: catalog.Int}}, Keys: [][]int{{0}}}
	users.Foreign = []catalog.ForeignKey{{Columns: []int{1}, Table: plans, RefColumns: []int{0}, Within: true}}
	posts := &catalog.Table{
		Name: "posts", Ambiguous: true, Columns: []catalog.Column{id, {Name: "author", Class: catalog.Int}, {Name: "seq", Class: catalog.Int, NotNull: true}}, Keys: [][]int{{0}, {2}},
		Foreign: []catalog.ForeignKey{{Columns: []int{1}, Table: users, RefColumns: []int{0}, OnDelete: catalog.Cascade, Within: true, Same: true}},
	}
	log := &catalog.Table{Name: "log", Ambiguous: true, Columns: []catalog.Column{id}}
	trigger := func(name, body string, path bool) catalog.Trigger {
		return catalog.Trigger{Name: name, Insert: true, Body: body, Path: path}
	}
	noted := &catalog.Table{Name: "noted", Columns: []catalog.Column{id}, Triggers: []catalog.Trigger{
		trigger("a", `BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END`, false),
	}}
	fixed := &catalog.Table{Name: "fixed", Columns: []catalog.Column{id}, Triggers: []catalog.Trigger{
		trigger("b", `BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END`, true),
	}}
	moved := &catalog.Table{Name: "moved", Columns: []catalog.Column{id}, Triggers: []catalog.Trigger{
		trigger("c", `BEGIN PERFORM set_config('search_path', 'x', true); RETURN NEW; END`, false),
	}}
	c := &catalog.Catalog{
		Dialect: catalog.PostgreSQL, Tables: map[string]*catalog.Table{}, Schemas: map[string]bool{"t1": true, "t2": true, "public": true},
		Views: map[string]*catalog.View{
			"own":   {Name: "own", Ambiguous: true, Schema: "t1", Definition: `SELECT p.id FROM t1.posts p JOIN t1.users u ON u.id = p.author`},
			"other": {Name: "other", Ambiguous: true, Schema: "t1", Definition: `SELECT p.id FROM t2.posts p`},
			"all":   {Name: "all", Schema: "public", Definition: `SELECT p.id FROM t1.posts p`},
		},
	}
	for _, t := range []*catalog.Table{plans, users, posts, log, noted, fixed, moved} {
		c.Tables[t.Name] = t
	}
	c.Finish()
	return c
}

// A statement whose names are all of one schema has what holds in one; what views and
// triggers find elsewhere is told apart.
func TestInOneSchema(t *testing.T) {
	t.Parallel()
	c := tenants()
	one := c.InOne()
	refs := func(s *Statement) string {
		out := ""
		for _, r := range s.Refs {
			out += fmt.Sprintf("%s joined %v elsewhere %v shown %v; ", r.Table.Name, r.Joined, r.Elsewhere, r.Shown)
		}
		return out + s.Unknown
	}
	for text, want := range map[string][2]string{
		`SELECT p.id, u.id FROM posts p JOIN users u ON u.id = p.author`: {
			"posts joined false elsewhere false shown true; users joined false elsewhere false shown true; ",
			"posts joined false elsewhere false shown true; users joined true elsewhere false shown true; ",
		},
		`SELECT u.id, p.id FROM users u JOIN plans p ON p.id = u.plan`: {
			"users joined false elsewhere false shown true; plans joined false elsewhere false shown true; ",
			"users joined false elsewhere false shown true; plans joined true elsewhere false shown true; ",
		},
		`SELECT id FROM own`:        {"view own is not one", "posts joined false elsewhere false shown true; users joined true elsewhere false shown false; "},
		`SELECT id FROM other`:      {"view other is not one", "posts joined false elsewhere true shown true; "},
		`SELECT id FROM public.all`: {"posts joined false elsewhere true shown true; ", "posts joined false elsewhere true shown true; "},
	} {
		for i, c := range []*catalog.Catalog{c, one} {
			if got := refs(Analyze(c, text)); got != want[i] {
				t.Errorf("%s, in one schema %v:\n got %s\nwant %s", text, i == 1, got, want[i])
			}
		}
	}
	for text, want := range map[string]string{
		`SELECT id FROM posts`: "[{ posts}]", `SELECT id FROM t1.posts, plans`: "[{t1 posts}]", `SELECT id FROM own`: "[{ own}]",
		`SELECT id FROM public.all`: "[]", `DELETE FROM posts USING users`: "[{ posts} { users}]", `TRUNCATE posts, plans`: "[{ posts}]",
		`WITH x AS (DELETE FROM t2.posts RETURNING id) SELECT (SELECT max(id) FROM users) FROM x`: "[{t2 posts} { users}]",
	} {
		if got := fmt.Sprint(Analyze(c, text).Several); got != want {
			t.Errorf("%s names %s, not %s", text, got, want)
		}
	}
	if w := Analyze(one, `INSERT INTO posts VALUES (1, 2, 3) RETURNING *`).Writes[0]; !w.Plain || len(w.Rows) != 1 || len(w.Returning) != 3 {
		t.Errorf("%+v", w)
	}
	if w := Analyze(c, `INSERT INTO posts VALUES (1, 2, 3) RETURNING *`).Writes[0]; w.Plain || len(w.Rows) != 0 {
		t.Errorf("%+v", w)
	}
}

// Triggers write where their function finds a name, which may not be where the statement
// does.
func TestTriggersOfSchemas(t *testing.T) {
	t.Parallel()
	c := tenants()
	for text, want := range map[string]string{
		`INSERT INTO noted VALUES (1)`: "[{false } {false log}] false",
		`INSERT INTO fixed VALUES (1)`: "[{false } {true }] false",
		`INSERT INTO moved VALUES (1)`: "[{false }] true",
		`TRUNCATE users CASCADE`:       "[{false } {false }] false",
		`TRUNCATE plans CASCADE`:       "[{false } {true } {true }] false",
	} {
		s := Analyze(c, text)
		list := []In{}
		for _, w := range s.Writes {
			list = append(list, w.In)
		}
		if got := fmt.Sprint(list, s.Moves); got != want || s.Unknown != "" {
			t.Errorf("%s: %s %s, not %s", text, got, s.Unknown, want)
		}
	}
}

// A call of set_config is sure where it is the statement.
func TestSureSettings(t *testing.T) {
	t.Parallel()
	c := tenants()
	for text, want := range map[string]bool{
		`SELECT set_config('search_path', $1, true)`:                                    true,
		`SELECT pg_catalog.set_config('search_path', 'a', false)`:                       true,
		`SELECT set_config('search_path', $1, $2)`:                                      false,
		`SELECT set_config('search_path', 'a', false) FROM posts`:                       false,
		`SELECT set_config('search_path', 'a', false) WHERE $1`:                         false,
		`SELECT set_config('search_path', 'a', false) LIMIT 0`:                          false,
		`SELECT coalesce($1, set_config('search_path', 'a', false))`:                    false,
		`SELECT set_config('a.b', set_config('search_path', 'a', false), false)`:        false,
		`WITH x AS (SELECT set_config('search_path', 'a', false)) SELECT id FROM posts`: false,
		`SELECT 1, set_config('search_path', 'a', false)`:                               false,
	} {
		s := Analyze(c, text)
		sure := len(s.SetConfigs) > 0
		for _, x := range s.SetConfigs {
			sure = sure && x.Sure
		}
		if sure != want || len(s.SetConfigs) == 0 {
			t.Errorf("%s: %+v", text, s.SetConfigs)
		}
	}
}
