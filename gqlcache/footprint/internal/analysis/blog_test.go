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

// blogIn is the catalog of a blog.
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

// world is the blog with a table for each fact that a catalog tells.
func world(d catalog.Dialect) *catalog.Catalog {
	c := blogIn(d)
	add := func(t *catalog.Table) *catalog.Table {
		c.Tables[t.Name] = t
		key(t, "id")
		return t
	}
	posts, users := c.Tables["posts"], c.Tables["users"]
	add(table("search", "id int!", "body text")).Virtual = true
	if d == catalog.SQLite { // whose columns have no types
		for name, content := range map[string]string{"words": "", "texts": "posts", "feeding": "feed", "astray": "nothing", "turning": "turning"} {
			c.Tables[name] = &catalog.Table{Name: name, Columns: table(name, "id opaque", "body opaque").Columns, Virtual: true, Contained: true, Content: content}
		}
	}
	add(table("remote", "id int!", "body text")).ForeignData = true
	add(table("ruled", "id int!", "body text")).Rules = true
	add(table("shared", "id text!", "body text")).Ambiguous = true
	add(table("totals", "id text!", "n int")).Materialized = true
	add(table("derived", "id text!", "name text", "folded text~", "at opaque="))
	add(table("flags", "id uuid!", "on bool!", "raw bytes"))
	pair := add(table("pair", "id text!", "other text!"))
	twin := add(table("twin", "id text!", "other text!"))
	foreign(pair, "other", twin, "id", catalog.NoAction)
	foreign(twin, "other", pair, "id", catalog.NoAction)
	loose := add(table("loose", "id text!", "author_id text!"))
	foreign(loose, "author_id", users, "id", catalog.NoAction)
	loose.Foreign[0].Enforced = false
	moved := add(table("moved", "id text!", "post_id text!"))
	foreign(moved, "post_id", posts, "id", catalog.NoAction)
	moved.Foreign[0].OnUpdate = catalog.Cascade

	add(table("secured", "id text!", "tenant text!", "body text")).Policies = true
	c.Tables["secured"].Conditions = []string{
		"tenant = current_setting('app.tenant')", "EXISTS (SELECT 1 FROM users u WHERE u.tenant = secured.tenant AND u.nick = 'a')",
	}
	hidden := add(table("hidden_policy", "id text!"))
	hidden.Policies, hidden.Conditions = true, []string{""}
	odd := add(table("odd_policy", "id text!"))
	odd.Policies, odd.Conditions = true, []string{"my_fn(id)"}

	trigger := func(name, body string) {
		t := add(table(name, "id text!", "title text", "slug text", "n int"))
		if d == catalog.SQLite {
			body = "CREATE TRIGGER " + name + "_trigger AFTER UPDATE ON " + name + " BEGIN " + body + " END"
		}
		t.Triggers = []catalog.Trigger{{Name: name + "_trigger", Insert: true, Update: true, Delete: true, Body: body}}
	}
	trigger("t_slug", "BEGIN NEW.slug := lower(NEW.title); RETURN NEW; END")
	trigger("t_whole", "BEGIN NEW := OLD; RETURN NEW; END")
	trigger("t_other", "BEGIN RETURN jsonb_populate_record(NEW, '{}'); END")
	trigger("t_either", "BEGIN RETURN coalesce(NEW, OLD); END")
	trigger("t_into", "BEGIN SELECT n INTO NEW.n FROM counters WHERE post_id = NEW.id; RETURN NEW; END")
	trigger("t_log", "BEGIN INSERT INTO tags (id, name) VALUES (NEW.id, 'x'); RETURN NEW; END")
	trigger("t_chain", "BEGIN DELETE FROM posts WHERE id = OLD.id; RETURN OLD; END")
	trigger("t_dynamic", "BEGIN EXECUTE 'DELETE FROM ' || TG_ARGV[0]; RETURN NEW; END")
	trigger("t_call", "BEGIN PERFORM my_fn(NEW.id); RETURN NEW; END")
	trigger("t_notify", "BEGIN PERFORM pg_notify('x', NEW.id); RETURN NEW; END")
	trigger("t_view", "BEGIN UPDATE feed SET title = 'x'; RETURN NEW; END")
	trigger("t_loop", "BEGIN UPDATE t_loop SET n = n + 1 WHERE id = NEW.id; RETURN NEW; END")
	trigger("t_search", "BEGIN INSERT INTO search (id, body) VALUES (1, NEW.title); RETURN NEW; END")
	if d == catalog.SQLite {
		trigger("t_texts", "INSERT INTO texts (texts, rowid, body) VALUES ('delete', old.n, old.title); INSERT INTO texts (rowid, body) VALUES (new.n, new.title);")
	}
	trigger("t_guard", "BEGIN IF NEW.n < 0 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END")
	if d == catalog.SQLite {
		for _, n := range []string{"t_slug", "t_whole", "t_other", "t_either", "t_into", "t_call", "t_notify", "t_guard"} {
			delete(c.Tables, n) // SQLite has no such bodies
		}
		for _, t := range c.Tables {
			for i := range t.Triggers {
				t.Triggers[i].Body = strings.NewReplacer("BEGIN BEGIN", "BEGIN", "RETURN NEW; END END", "END", "RETURN OLD; END END", "END").Replace(t.Triggers[i].Body)
			}
		}
	} else {
		c.Tables["comments"].Triggers[0].Body = "BEGIN INSERT INTO counters (post_id, n) VALUES (new.post_id, 1) ON CONFLICT (post_id) DO UPDATE SET n = counters.n + 1; RETURN NEW; END"
	}
	blind := add(table("t_blind", "id text!"))
	blind.Triggers = []catalog.Trigger{{Name: "blind", Update: true}}
	internal := add(table("t_internal", "id text!"))
	internal.Triggers = []catalog.Trigger{{Name: "internal", Update: true, Body: "tsvector_update_trigger"}}
	instead := add(table("t_instead", "id text!"))
	instead.Triggers = []catalog.Trigger{{Name: "instead", Insert: true, Instead: true, Body: "BEGIN RETURN NEW; END"}}

	c.Views["circle"] = &catalog.View{Name: "circle", Definition: "SELECT * FROM circle"}
	c.Views["broken"] = &catalog.View{Name: "broken", Definition: "SELECT FROM WHERE"}
	c.Views["writes"] = &catalog.View{Name: "writes", Definition: "SELECT my_fn(id) FROM posts"}
	c.Views["twice"] = &catalog.View{Name: "twice", Definition: "SELECT 1 AS x", Ambiguous: true}
	c.Views["renamed"] = &catalog.View{Name: "renamed", Columns: []string{"a", "b"}, Definition: "SELECT id, author_id FROM posts"}
	c.Functions["my_fn"] = catalog.Function{Name: "my_fn"}
	c.Functions["pure_fn"] = catalog.Function{Name: "pure_fn", Pure: true}
	c.Functions["upper"] = catalog.Function{Name: "upper"}
	c.Functions["reverse"] = catalog.Function{Name: "reverse", Pure: true}
	c.Functions["replace"] = catalog.Function{Name: "replace", Pure: true}
	c.Functions["now"] = catalog.Function{Name: "now", Pure: true}
	if d == catalog.PostgreSQL {
		c.Types["slug"] = catalog.Text
	}
	c.Finish()
	return c
}
