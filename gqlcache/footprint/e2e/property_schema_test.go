package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A modelKind is a column's type, as far as the generator cares.
type modelKind uint8

const (
	kindText   modelKind = iota + 1
	kindNumber           // an integer
	kindFolded           // a text whose equality is not that of its bytes
	kindUUID
	kindBoolean
	kindOctets
	kindEnum
	kindDomain // a domain over text in PostgreSQL
	kindPadded // char(n) in PostgreSQL, RTRIM in SQLite
	kindAmount // a numeric
)

// A modelColumn is one that the generator knows. Its pool has the values that are worth asking
// for; columns of one pool and kind are joined.
type modelColumn struct {
	name, pool string
	kind       modelKind
	null       bool
	fixed      bool // generated, or given by a sequence: not written
}

// A modelTable is a table or a view.
type modelTable struct {
	name    string
	columns []modelColumn
	key     []string // nil for a view
	view    bool
	policy  bool // asked for within a transaction that says its tenant
	weight  int
}

func (t *modelTable) column(name string) modelColumn {
	i := slices.IndexFunc(t.columns, func(c modelColumn) bool { return c.name == name })
	return t.columns[i]
}

// modelTables returns what there is in the database of the dialect.
func modelTables(d catalog.Dialect) []*modelTable {
	pg := d == catalog.PostgreSQL
	list := []*modelTable{
		{name: "users", key: []string{"seq"}, weight: 4, columns: []modelColumn{
			{name: "seq", pool: "seq", kind: kindNumber, fixed: true},
			{name: "id", pool: "user", kind: kindText},
			{name: "tenant", pool: "tenant", kind: kindText},
			{name: "email", pool: "email", kind: kindText},
			{name: "name", pool: "name", kind: kindText},
			{name: "karma", pool: "n", kind: kindNumber},
			{name: "nick", pool: "nick", kind: kindText, null: true},
			{name: "handle", pool: "handle", kind: kindText, fixed: true},
		}},
		{name: "posts", key: []string{"seq"}, weight: 6, columns: []modelColumn{
			{name: "seq", pool: "seq", kind: kindNumber, fixed: true},
			{name: "id", pool: "post", kind: kindText},
			{name: "tenant", pool: "tenant", kind: kindText},
			{name: "author_id", pool: "user", kind: kindText},
			{name: "title", pool: "title", kind: kindText},
			{name: "status", pool: "status", kind: kindText},
			{name: "version", pool: "n", kind: kindNumber},
			{name: "parent_id", pool: "post", kind: kindText, null: true},
		}},
		{name: "comments", key: []string{"seq"}, weight: 4, columns: []modelColumn{
			{name: "seq", pool: "seq", kind: kindNumber, fixed: true},
			{name: "id", pool: "comment", kind: kindText},
			{name: "post_id", pool: "post", kind: kindText},
			{name: "author_id", pool: "user", kind: kindText},
			{name: "body", pool: "title", kind: kindText},
		}},
		{name: "tags", key: []string{"id"}, weight: 2, columns: []modelColumn{
			{name: "id", pool: "tag", kind: kindText},
			{name: "name", pool: "fruit", kind: kindFolded},
		}},
		{name: "post_tags", key: []string{"post_id", "tag_id"}, weight: 2, columns: []modelColumn{
			{name: "post_id", pool: "post", kind: kindText},
			{name: "tag_id", pool: "tag", kind: kindText},
		}},
		{name: "counters", key: []string{"post_id"}, weight: 1, columns: []modelColumn{
			{name: "post_id", pool: "post", kind: kindText},
			{name: "n", pool: "n", kind: kindNumber},
		}},
		{name: "members", key: []string{"tenant", "user_id"}, weight: 2, columns: []modelColumn{
			{name: "tenant", pool: "tenant", kind: kindText},
			{name: "user_id", pool: "user", kind: kindText},
			{name: "role", pool: "role", kind: kindText},
			{name: "level", pool: "n", kind: kindNumber},
		}},
		{name: "items", key: []string{"id"}, weight: 4, columns: []modelColumn{
			{name: "id", pool: "item", kind: kindNumber},
			{name: "ref", pool: "ref", kind: kindUUID},
			{name: "owner", pool: "user", kind: kindText, null: true},
			{name: "up", pool: "item", kind: kindNumber, null: true},
			{name: "flag", pool: "flag", kind: kindBoolean, null: true},
			{name: "data", pool: "data", kind: kindOctets, null: true},
			{name: "mood", pool: "mood", kind: kindEnum},
			{name: "slug", pool: "slug", kind: kindDomain},
			{name: "code", pool: "code", kind: kindFolded, null: true},
			{name: "pad", pool: "code", kind: kindPadded, null: true},
			{name: "price", pool: "price", kind: kindAmount, null: true},
			{name: "qty", pool: "n", kind: kindNumber},
			{name: "total", pool: "total", kind: kindNumber, fixed: true},
			{name: "low", pool: "slug", kind: kindText, fixed: true},
		}},
		{name: "notes", key: []string{"id"}, weight: 2, columns: []modelColumn{
			{name: "id", pool: "note", kind: kindText},
			{name: "item", pool: "item", kind: kindNumber, null: true},
			{name: "body", pool: "title", kind: kindText},
			{name: "words", pool: "words", kind: kindNumber},
		}},
		{name: "journal", key: []string{"n"}, weight: 1, columns: []modelColumn{
			{name: "n", pool: "seq", kind: kindNumber, fixed: true},
			{name: "tenant", pool: "tenant", kind: kindText},
			{name: "what", pool: "role", kind: kindText},
		}},
		{name: "feed", view: true, weight: 1, columns: []modelColumn{
			{name: "seq", pool: "seq", kind: kindNumber},
			{name: "id", pool: "post", kind: kindText},
			{name: "tenant", pool: "tenant", kind: kindText},
			{name: "author_id", pool: "user", kind: kindText},
			{name: "title", pool: "title", kind: kindText},
			{name: "status", pool: "status", kind: kindText},
		}},
		{name: "stats", view: true, weight: 1, columns: []modelColumn{
			{name: "author_id", pool: "user", kind: kindText},
			{name: "tenant", pool: "tenant", kind: kindText},
			{name: "posts", pool: "n", kind: kindNumber},
			{name: "comments", pool: "n", kind: kindNumber},
			{name: "latest", pool: "title", kind: kindText, null: true},
		}},
		{name: "named_tags", view: true, weight: 1, columns: []modelColumn{
			{name: "post_id", pool: "post", kind: kindText},
			{name: "tag_id", pool: "tag", kind: kindText},
			{name: "name", pool: "fruit", kind: kindFolded},
		}},
		{name: "owned", view: true, weight: 1, columns: []modelColumn{
			{name: "owner", pool: "user", kind: kindText, null: true},
			{name: "qty", pool: "n", kind: kindNumber, null: true},
			{name: "title", pool: "title", kind: kindText, null: true},
		}},
	}
	if pg {
		list = append(list,
			&modelTable{name: "totals", view: true, weight: 1, columns: []modelColumn{
				{name: "author_id", pool: "user", kind: kindText},
				{name: "n", pool: "n", kind: kindNumber},
			}},
			&modelTable{name: "docs", key: []string{"id"}, policy: true, weight: 2, columns: []modelColumn{
				{name: "id", pool: "doc", kind: kindNumber},
				{name: "tenant", pool: "tenant", kind: kindText},
				{name: "owner", pool: "user", kind: kindText},
				{name: "title", pool: "title", kind: kindText},
			}},
			&modelTable{name: "events_a", key: []string{"tenant", "n"}, weight: 1, columns: []modelColumn{ // a partition
				{name: "tenant", pool: "tenant", kind: kindText},
				{name: "n", pool: "n", kind: kindNumber},
				{name: "what", pool: "role", kind: kindText},
			}},
			&modelTable{name: "beings", key: []string{"id"}, weight: 1, columns: []modelColumn{ // persons inherit from it
				{name: "id", pool: "seq", kind: kindNumber},
				{name: "name", pool: "name", kind: kindText},
			}},
			&modelTable{name: "persons", key: []string{"id"}, weight: 1, columns: []modelColumn{
				{name: "id", pool: "seq", kind: kindNumber},
				{name: "name", pool: "name", kind: kindText},
			}},
			&modelTable{name: "ruled", key: []string{"id"}, weight: 1, columns: []modelColumn{
				{name: "id", pool: "seq", kind: kindNumber},
				{name: "post_id", pool: "post", kind: kindText},
			}},
			&modelTable{name: "events", key: []string{"tenant", "n"}, weight: 1, columns: []modelColumn{
				{name: "tenant", pool: "tenant", kind: kindText},
				{name: "n", pool: "n", kind: kindNumber},
				{name: "what", pool: "role", kind: kindText},
			}},
		)
	} else {
		list = append(list, &modelTable{name: "pages", key: []string{"n"}, weight: 1, columns: []modelColumn{ // what a search reads
			{name: "n", pool: "seq", kind: kindNumber, fixed: true},
			{name: "tenant", pool: "tenant", kind: kindText},
			{name: "title", pool: "title", kind: kindText},
		}})
		list = append(list, &modelTable{name: "slots", key: []string{"id"}, weight: 1, columns: []modelColumn{ // a plain INSERT replaces
			{name: "id", pool: "slot", kind: kindText},
			{name: "role", pool: "role", kind: kindText},
			{name: "n", pool: "n", kind: kindNumber},
		}})
		for _, r := range list {
			for i := range r.columns {
				switch c := &r.columns[i]; c.kind {
				case kindUUID, kindEnum, kindDomain:
					c.kind = kindText
				}
			}
		}
	}
	return list
}

// modelDefinitions returns the statements that make the database.
func modelDefinitions(d catalog.Dialect) []string {
	common := []string{
		`CREATE VIEW feed AS SELECT seq, id, tenant, author_id, title, status FROM posts WHERE status = 'PUBLISHED'`,
		`CREATE VIEW stats AS SELECT u.id AS author_id, u.tenant, (SELECT count(*) FROM posts p WHERE p.author_id = u.id) AS posts,
			(SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = u.id) AS comments,
			(SELECT p.title FROM posts p WHERE p.author_id = u.id ORDER BY p.seq DESC LIMIT 1) AS latest FROM users u`,
		`CREATE VIEW named_tags AS SELECT x.post_id, t.id AS tag_id, t.name FROM post_tags x JOIN tags t ON t.id = x.tag_id`,
		`CREATE VIEW owned (owner, qty, title) AS SELECT owner, qty, NULL FROM items WHERE qty > 1 UNION ALL SELECT author_id, NULL, title FROM feed`,
	}
	if d == catalog.PostgreSQL {
		return slices.Concat([]string{
			`CREATE COLLATION fold (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
			`CREATE TYPE mood AS ENUM ('calm', 'glad', 'sad')`,
			`CREATE DOMAIN slug AS text CHECK (value <> '')`,
			`CREATE TABLE users (seq bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, tenant text NOT NULL, email text NOT NULL UNIQUE, name varchar(40) NOT NULL,
				karma integer NOT NULL DEFAULT 0, nick text, handle text GENERATED ALWAYS AS (lower(name)) STORED)`,
			`CREATE TABLE posts (seq bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, tenant text NOT NULL, author_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
				title text NOT NULL, status text NOT NULL, version bigint NOT NULL DEFAULT 1, parent_id text REFERENCES posts (id) ON DELETE SET NULL)`,
			`CREATE TABLE comments (seq bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, post_id text NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
				author_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE, body text NOT NULL)`,
			`CREATE TABLE tags (id text PRIMARY KEY, name text COLLATE fold NOT NULL)`,
			`CREATE TABLE post_tags (post_id text NOT NULL REFERENCES posts (id) ON DELETE CASCADE, tag_id text NOT NULL REFERENCES tags (id) ON DELETE CASCADE, PRIMARY KEY (post_id, tag_id))`,
			`CREATE TABLE counters (post_id text PRIMARY KEY, n integer NOT NULL DEFAULT 0)`,
			`CREATE TABLE members (tenant text NOT NULL, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE, role text NOT NULL, level smallint NOT NULL DEFAULT 0, PRIMARY KEY (tenant, user_id))`,
			`CREATE TABLE items (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, ref uuid NOT NULL UNIQUE, owner text REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE,
				up integer REFERENCES items (id) ON DELETE CASCADE, flag boolean, data bytea, mood mood NOT NULL, slug slug NOT NULL, code citext, pad char(8), price numeric(8,2), qty integer NOT NULL DEFAULT 1,
				total integer GENERATED ALWAYS AS (qty * 2) STORED, low text GENERATED ALWAYS AS (lower(slug::text)) STORED)`,
			`CREATE TABLE notes (id text PRIMARY KEY, item integer REFERENCES items (id) ON DELETE CASCADE, body text NOT NULL, words integer NOT NULL DEFAULT 0)`,
			`CREATE TABLE journal (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text NOT NULL, what text NOT NULL)`,
			`CREATE TABLE docs (id integer PRIMARY KEY, tenant text NOT NULL, owner text NOT NULL, title text NOT NULL)`,
			`ALTER TABLE docs ENABLE ROW LEVEL SECURITY`,
			`ALTER TABLE docs FORCE ROW LEVEL SECURITY`,
			`CREATE POLICY visible ON docs USING (tenant = current_setting('app.tenant', true) OR owner IN (SELECT m.user_id FROM members m WHERE m.role = 'chief'))`,
			`CREATE TABLE events (tenant text NOT NULL, n integer NOT NULL, what text NOT NULL, PRIMARY KEY (tenant, n)) PARTITION BY LIST (tenant)`,
			`CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('A')`,
			`CREATE TABLE events_other PARTITION OF events DEFAULT`,
			`CREATE TABLE beings (id integer PRIMARY KEY, name text NOT NULL)`,
			`CREATE TABLE persons (PRIMARY KEY (id)) INHERITS (beings)`,
			`CREATE TABLE ruled (id integer PRIMARY KEY, post_id text NOT NULL)`,
			`CREATE RULE counted AS ON INSERT TO ruled DO ALSO INSERT INTO counters (post_id, n) VALUES (NEW.post_id, 1) ON CONFLICT DO NOTHING`,
			`CREATE RULE kept AS ON DELETE TO ruled DO INSTEAD UPDATE ruled SET post_id = 'p0' WHERE id = OLD.id`,
			`CREATE FUNCTION count_comment() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				INSERT INTO counters (post_id, n) VALUES (NEW.post_id, 1) ON CONFLICT (post_id) DO UPDATE SET n = counters.n + 1; RETURN NULL; END $$`,
			`CREATE TRIGGER count_comments AFTER INSERT ON comments FOR EACH ROW EXECUTE FUNCTION count_comment()`,
			`CREATE FUNCTION count_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.words := length(NEW.body); RETURN NEW; END $$`,
			`CREATE TRIGGER words BEFORE INSERT OR UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION count_words()`,
			`CREATE FUNCTION log_member() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				IF TG_OP = 'DELETE' THEN INSERT INTO journal (tenant, what) VALUES (OLD.tenant, 'left'); RETURN OLD; END IF;
				INSERT INTO journal (tenant, what) VALUES (NEW.tenant, NEW.role); RETURN NEW; END $$`,
			`CREATE TRIGGER log_members AFTER INSERT OR UPDATE OR DELETE ON members FOR EACH ROW EXECUTE FUNCTION log_member()`,
		}, common, []string{
			`CREATE MATERIALIZED VIEW totals AS SELECT author_id, count(*)::integer AS n FROM posts GROUP BY author_id`,
		})
	}
	return slices.Concat([]string{
		`CREATE TABLE users (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, karma INTEGER NOT NULL DEFAULT 0, nick TEXT,
			handle TEXT GENERATED ALWAYS AS (lower(name)) STORED)`,
		`CREATE TABLE posts (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, author_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
			title TEXT NOT NULL, status TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1, parent_id TEXT REFERENCES posts (id) ON DELETE SET NULL)`,
		`CREATE TABLE comments (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, post_id TEXT NOT NULL REFERENCES posts (id) ON DELETE CASCADE, author_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, body TEXT NOT NULL)`,
		`CREATE TABLE tags (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL COLLATE NOCASE)`,
		`CREATE TABLE post_tags (post_id TEXT NOT NULL REFERENCES posts (id) ON DELETE CASCADE, tag_id TEXT NOT NULL REFERENCES tags (id) ON DELETE CASCADE, PRIMARY KEY (post_id, tag_id)) WITHOUT ROWID`,
		`CREATE TABLE counters (post_id TEXT PRIMARY KEY NOT NULL, n INTEGER NOT NULL DEFAULT 0) STRICT`,
		`CREATE TABLE members (tenant TEXT NOT NULL, user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE, role VARCHAR(10) NOT NULL, level SMALLINT NOT NULL DEFAULT 0, PRIMARY KEY (tenant, user_id))`,
		`CREATE TABLE items (id INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, owner TEXT REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE, up INTEGER REFERENCES items (id) ON DELETE CASCADE,
			flag BOOLEAN, data BLOB, mood TEXT NOT NULL, slug TEXT NOT NULL, code TEXT COLLATE NOCASE, pad TEXT COLLATE RTRIM, price NUMERIC, qty INT NOT NULL DEFAULT 1,
			total INT GENERATED ALWAYS AS (qty * 2) STORED, low TEXT GENERATED ALWAYS AS (lower(slug)) VIRTUAL)`,
		`CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, item INTEGER REFERENCES items (id) ON DELETE CASCADE, body TEXT NOT NULL, words INTEGER NOT NULL DEFAULT 0)`,
		`CREATE TABLE slots (id TEXT NOT NULL UNIQUE ON CONFLICT REPLACE, role TEXT NOT NULL UNIQUE ON CONFLICT REPLACE, n INTEGER NOT NULL DEFAULT 0)`,
		`CREATE TABLE journal (n INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, what TEXT NOT NULL)`,
		`CREATE TABLE pages (n INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, title TEXT NOT NULL)`,
		`CREATE VIRTUAL TABLE found USING fts5(title, content='pages', content_rowid='n')`,
		`CREATE TRIGGER found_insert AFTER INSERT ON pages BEGIN INSERT INTO found (rowid, title) VALUES (new.n, new.title); END`,
		`CREATE TRIGGER found_delete AFTER DELETE ON pages BEGIN INSERT INTO found (found, rowid, title) VALUES ('delete', old.n, old.title); END`,
		`CREATE TRIGGER found_update AFTER UPDATE ON pages BEGIN
			INSERT INTO found (found, rowid, title) VALUES ('delete', old.n, old.title); INSERT INTO found (rowid, title) VALUES (new.n, new.title); END`,
		`CREATE VIRTUAL TABLE bits USING fts5(id UNINDEXED, body)`,
		`CREATE VIEW hits AS SELECT f.rowid AS n, f.title FROM found f`,
		`CREATE TRIGGER count_comments AFTER INSERT ON comments BEGIN INSERT INTO counters (post_id, n) VALUES (new.post_id, 1) ON CONFLICT (post_id) DO UPDATE SET n = n + 1; END`,
		`CREATE TRIGGER words_insert AFTER INSERT ON notes BEGIN UPDATE notes SET words = length(body) WHERE id = new.id; END`,
		`CREATE TRIGGER words_update AFTER UPDATE OF body ON notes BEGIN UPDATE notes SET words = length(body) WHERE id = new.id; END`,
		`CREATE TRIGGER log_insert AFTER INSERT ON members BEGIN INSERT INTO journal (tenant, what) VALUES (new.tenant, new.role); END`,
		`CREATE TRIGGER log_update AFTER UPDATE ON members BEGIN INSERT INTO journal (tenant, what) VALUES (new.tenant, new.role); END`,
		`CREATE TRIGGER log_delete AFTER DELETE ON members BEGIN INSERT INTO journal (tenant, what) VALUES (old.tenant, 'left'); END`,
	}, common)
}

// modelRows returns statements that fill the tables, with literals.
func modelRows(r *rand.Rand, d catalog.Dialect) []string {
	g := pools{r: r}
	var list []string
	insert := func(table string, n int, row func(i int) []string) {
		var all []string
		for i := range n {
			all = append(all, "("+strings.Join(row(i), ", ")+")")
		}
		list = append(list, "INSERT INTO "+table+" VALUES "+strings.Join(all, ", ")+" ON CONFLICT DO NOTHING")
	}
	q := sqlQuoted
	insert("users (id, tenant, email, name, karma, nick)", 5, func(i int) []string {
		return []string{q(fmt.Sprint("u", i)), q(g.of("tenant")), q(fmt.Sprintf("u%d@x", i)), q(g.of("name")), g.of("n"), g.orNull(q(g.of("nick")))}
	})
	insert("tags", 4, func(i int) []string { return []string{q(fmt.Sprint("t", i)), q(g.of("fruit"))} })
	insert("posts (id, tenant, author_id, title, status, version, parent_id)", 12, func(i int) []string {
		parent := "NULL"
		if i > 0 {
			parent = g.orNull(q(fmt.Sprint("p", r.IntN(i))))
		}
		return []string{q(fmt.Sprint("p", i)), q(g.of("tenant")), q(fmt.Sprint("u", r.IntN(5))), q(g.of("title")), q(g.of("status")), g.of("n"), parent}
	})
	insert("post_tags", 14, func(int) []string { return []string{q(fmt.Sprint("p", r.IntN(12))), q(fmt.Sprint("t", r.IntN(4)))} })
	insert("comments (id, post_id, author_id, body)", 24, func(i int) []string {
		return []string{q(fmt.Sprint("c", i)), q(fmt.Sprint("p", r.IntN(12))), q(fmt.Sprint("u", r.IntN(5))), q(g.of("title"))}
	})
	insert("members", 6, func(int) []string {
		return []string{q(g.of("tenant")), q(fmt.Sprint("u", r.IntN(5))), q(g.of("role")), g.of("n")}
	})
	insert("items (id, ref, owner, up, flag, data, mood, slug, code, pad, price, qty)", 10, func(i int) []string {
		up, data := "NULL", "x'"+g.of("data")+"'"
		if i > 0 {
			up = g.orNull(fmt.Sprint(1 + r.IntN(i)))
		}
		if d == catalog.PostgreSQL {
			data = `'\x` + g.of("data") + "'::bytea"
		}
		return []string{fmt.Sprint(i + 1), q(modelRef(i)), g.orNull(q(fmt.Sprint("u", r.IntN(5)))), up, g.orNull(g.of("flag")), g.orNull(data), q(g.of("mood")), q(g.of("slug")),
			g.orNull(q(g.of("code"))), g.orNull(q(g.of("code"))), g.orNull(g.of("price")), g.of("n")}
	})
	insert("notes (id, item, body)", 5, func(i int) []string {
		return []string{q(fmt.Sprint("n", i)), g.orNull(fmt.Sprint(1 + r.IntN(10))), q(g.of("title"))}
	})
	if d == catalog.SQLite {
		for range 6 {
			list = append(list, `INSERT INTO pages (tenant, title) VALUES (`+q(g.of("tenant"))+`, `+q(g.of("title"))+`)`)
			list = append(list, `INSERT INTO bits (id, body) VALUES (`+q(g.of("note"))+`, `+q(g.of("title"))+`)`)
		}
		insert("slots", 3, func(i int) []string {
			return []string{q(fmt.Sprint("s", i)), q([]string{"chief", "guest", "left"}[i]), g.of("n")}
		})
	}
	if d == catalog.PostgreSQL {
		insert("beings", 2, func(i int) []string { return []string{fmt.Sprint(i + 1), q(g.of("name"))} })
		insert("persons", 3, func(i int) []string { return []string{fmt.Sprint(i + 3), q(g.of("name"))} })
		insert("ruled (id, post_id)", 3, func(i int) []string { return []string{fmt.Sprint(i + 1), q(g.of("post"))} })
		list[len(list)-1] = strings.TrimSuffix(list[len(list)-1], " ON CONFLICT DO NOTHING") // not with a rule
		list = append(list, "SET app.tenant = 'A'")                                          // the policy checks what is inserted
		insert("docs", 4, func(i int) []string { return []string{fmt.Sprint(i), "'A'", q(g.of("user")), q(g.of("title"))} })
		list = append(list, "SET app.tenant = 'B'")
		insert("docs", 4, func(i int) []string {
			return []string{fmt.Sprint(i + 4), "'B'", q(g.of("user")), q(g.of("title"))}
		})
		insert("events", 6, func(int) []string { return []string{q(g.of("tenant")), g.of("n"), q(g.of("role"))} })
		list = append(list, "RESET app.tenant", "REFRESH MATERIALIZED VIEW totals")
	}
	return list
}

// pools draws values of pools, as they are written.
type pools struct {
	r *rand.Rand
	// hot draws few keys, so that transactions meet.
	hot bool
}

func (v pools) pick(list ...string) string { return list[v.r.IntN(len(list))] }

func (v pools) orNull(s string) string {
	if v.r.IntN(4) == 0 {
		return "NULL"
	}
	return s
}

func (v pools) of(pool string) string {
	n := func(prefix string, n int) string {
		if v.hot {
			n = max(2, n/5)
		}
		return fmt.Sprint(prefix, v.r.IntN(n))
	}
	switch pool {
	case "user":
		return n("u", 6)
	case "post":
		return n("p", 15)
	case "comment":
		return n("c", 30)
	case "tag":
		return n("t", 5)
	case "note":
		return n("n", 7)
	case "item":
		return fmt.Sprint(v.r.IntN(14) - 1)
	case "seq":
		return fmt.Sprint(1 + v.r.IntN(14))
	case "slot":
		return n("s", 4)
	case "doc":
		return n("", 12)
	case "n":
		return n("", 5)
	case "total":
		return fmt.Sprint(2 * v.r.IntN(5))
	case "words":
		return v.pick("4", "9", "10")
	case "ref":
		return modelRef(v.r.IntN(13))
	case "email":
		return n("u", 8) + "@x"
	case "tenant":
		return v.pick("A", "B")
	case "status":
		return v.pick("DRAFT", "PUBLISHED", "ARCHIVED")
	case "title":
		return v.pick("red apple", "green pear", "Apple pie", "plum", "blue", "it's")
	case "name":
		return v.pick("Ann", "Bob", "ann")
	case "handle":
		return v.pick("ann", "bob")
	case "nick":
		return v.pick("a", "b")
	case "fruit":
		return v.pick("apple", "Apple", "pear", "PEAR")
	case "code":
		return v.pick("ab", "AB", "ab ", "cd", "7", "07")
	case "slug":
		return v.pick("home", "Home", "away", "7")
	case "role":
		return v.pick("chief", "guest", "left")
	case "flag":
		return v.pick("true", "false")
	case "data":
		return v.pick("00", "6162", "ff00", "41")
	case "mood":
		return v.pick("calm", "glad", "sad")
	case "price":
		return v.pick("1", "1.0", "1.00", "2.5", "10")
	}
	panic("no pool " + pool)
}

func modelRef(i int) string { return fmt.Sprintf("a0eebc99-9c0b-4ef8-bb6d-6bb9bd3800%02x", i) }

func sqlQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
