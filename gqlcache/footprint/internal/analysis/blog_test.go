package analysis

import (
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// table makes a table of "name class[!]…" columns: ! is NOT NULL, = a default.
func table(name string, columns ...string) *catalog.Table {
	t := &catalog.Table{Name: name}
	for _, c := range columns {
		col, class, _ := strings.Cut(c, " ")
		one := catalog.Column{Name: col, NotNull: strings.Contains(class, "!"), Default: strings.Contains(class, "="), Generated: strings.Contains(class, "~")}
		switch strings.Trim(class, "!=~") {
		case "int":
			one.Class = catalog.Int
		case "text":
			one.Class = catalog.Text
		case "uuid":
			one.Class = catalog.UUID
		case "bool":
			one.Class = catalog.Bool
		case "bytes":
			one.Class = catalog.Bytes
		}
		t.Columns = append(t.Columns, one)
	}
	return t
}

func key(t *catalog.Table, names ...string) {
	var k []int
	for _, n := range names {
		k = append(k, at(t, n))
	}
	t.Keys = append(t.Keys, k)
}

func at(t *catalog.Table, name string) int {
	for i, c := range t.Columns {
		if c.Name == name {
			return i
		}
	}
	panic(name)
}

func foreign(t *catalog.Table, column string, to *catalog.Table, ref string, onDelete catalog.Action) {
	t.Foreign = append(t.Foreign, catalog.ForeignKey{
		Columns: []int{at(t, column)}, Table: to, RefColumns: []int{at(to, ref)}, OnDelete: onDelete, Enforced: true,
	})
}

func catalogOf(d catalog.Dialect, views map[string]string, tables ...*catalog.Table) *catalog.Catalog {
	c := &catalog.Catalog{
		Dialect: d, Tables: map[string]*catalog.Table{}, Views: map[string]*catalog.View{},
		Functions: map[string]catalog.Function{}, Schemas: map[string]bool{"main": true, "public": true}, Types: map[string]catalog.Class{},
	}
	for _, t := range tables {
		c.Tables[t.Name] = t
	}
	for n, def := range views {
		c.Views[n] = &catalog.View{Name: n, Definition: def}
	}
	c.Finish()
	return c
}

// blog is the catalog of a blog in SQLite.
func blog() *catalog.Catalog { return blogIn(catalog.SQLite) }

func blogIn(d catalog.Dialect) *catalog.Catalog {
	users := table("users", "seq int!=", "id text!", "tenant text!", "email text!", "name text!", "karma int!=", "nick text")
	key(users, "seq")
	key(users, "id")
	key(users, "email")
	posts := table("posts", "seq int!=", "id text!", "tenant text!", "author_id text!", "title text!", "status text!", "version int!=", "parent_id text")
	key(posts, "seq")
	key(posts, "id")
	foreign(posts, "author_id", users, "id", catalog.Cascade)
	foreign(posts, "parent_id", posts, "id", catalog.SetNull)
	comments := table("comments", "seq int!=", "id text!", "post_id text!", "author_id text!", "body text!")
	key(comments, "seq")
	key(comments, "id")
	foreign(comments, "post_id", posts, "id", catalog.Cascade)
	foreign(comments, "author_id", users, "id", catalog.Cascade)
	body := `CREATE TRIGGER count_comments AFTER INSERT ON comments BEGIN INSERT INTO counters (post_id, n) VALUES (new.post_id, 1) ON CONFLICT (post_id) DO UPDATE SET n = n + 1; END`
	comments.Triggers = []catalog.Trigger{{Name: "count_comments", Insert: true, Body: body}}
	tags := table("tags", "id text!", "name nocase!")
	key(tags, "id")
	postTags := table("post_tags", "post_id text!", "tag_id text!")
	key(postTags, "post_id", "tag_id")
	foreign(postTags, "post_id", posts, "id", catalog.Cascade)
	foreign(postTags, "tag_id", tags, "id", catalog.Cascade)
	counters := table("counters", "post_id text!", "n int!=")
	key(counters, "post_id")
	views := map[string]string{
		"feed": `SELECT * FROM posts WHERE status = 'PUBLISHED'`,
		"stats": `SELECT u.id AS author_id, u.tenant, (SELECT count(*) FROM posts p WHERE p.author_id = u.id) AS posts,
		(SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = u.id) AS comments,
		(SELECT p.title FROM posts p WHERE p.author_id = u.id ORDER BY p.seq DESC LIMIT 1) AS latest FROM users u`,
		"named_tags": `SELECT x.post_id, t.id AS tag_id, t.name FROM post_tags x JOIN tags t ON t.id = x.tag_id`,
	}
	return catalogOf(d, views, users, posts, comments, tags, postTags, counters)
}
