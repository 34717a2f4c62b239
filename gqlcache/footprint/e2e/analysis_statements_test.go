package e2e

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A statement is a text with its arguments.
type statement struct {
	q    string
	args []any
}

// A generator makes statements of a blog, with values of few kinds, so that they meet.
type generator struct{ r *rand.Rand }

func (g generator) pick(list ...string) string { return list[g.r.IntN(len(list))] }
func (g generator) user() string               { return "u" + strconv.Itoa(g.r.IntN(5)) }
func (g generator) post() string               { return "p" + strconv.Itoa(g.r.IntN(12)) }
func (g generator) comment() string            { return "c" + strconv.Itoa(g.r.IntN(25)) }
func (g generator) tag() string                { return "t" + strconv.Itoa(g.r.IntN(4)) }
func (g generator) status() string             { return g.pick("DRAFT", "PUBLISHED", "ARCHIVED") }
func (g generator) tenant() string             { return g.pick("A", "B") }
func (g generator) title() string {
	return g.pick("red apple", "green pear", "Apple pie", "plum", "blue")
}

func (g generator) null(s string) any {
	if g.r.IntN(2) == 0 {
		return nil
	}
	return s
}

func (g generator) posts() string {
	var list []string
	for range g.r.IntN(4) {
		list = append(list, `"`+g.post()+`"`)
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (g generator) read() statement {
	if g.r.IntN(2) == 0 {
		return g.composed()
	}
	lim, off := g.r.IntN(5), g.pick("", " OFFSET 1", " OFFSET 2")
	none := g.null(g.status())
	list := []statement{
		{`SELECT id, name FROM users WHERE id = ?`, []any{g.user()}},
		{`SELECT name FROM users WHERE id = ?`, []any{g.user()}},
		{`SELECT name FROM users WHERE email = ? AND tenant = ?`, []any{g.user() + "@x", g.tenant()}},
		{`SELECT * FROM posts WHERE author_id = ? ORDER BY seq DESC LIMIT ?`, []any{g.user(), lim}},
		{`SELECT id, title, seq FROM posts WHERE status = ? ORDER BY seq DESC LIMIT ?` + off, []any{g.status(), lim}},
		{`SELECT id, title, seq FROM posts WHERE status = ? ORDER BY seq LIMIT ?` + off, []any{g.status(), lim}},
		{`SELECT id, title FROM posts WHERE status = ? ORDER BY title, id LIMIT ?` + off, []any{g.status(), lim}},
		{`SELECT id, title, seq FROM feed WHERE tenant = ? ORDER BY seq DESC LIMIT ?`, []any{g.tenant(), lim}},
		{`SELECT count(*) FROM posts WHERE author_id = ?2 AND (?1 IS NULL OR status = ?1)`, []any{none, g.user()}},
		{`SELECT id FROM posts WHERE author_id = ?2 AND (?1 IS NULL OR status = ?1) ORDER BY id`, []any{none, g.user()}},
		{`SELECT p.id, p.title, u.name FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = ?`, []any{g.post()}},
		{`SELECT p.id, u.id, u.name FROM posts p JOIN users u ON u.id = p.author_id WHERE p.status = ? AND u.tenant = ? ORDER BY p.id`, []any{g.status(), g.tenant()}},
		{`SELECT p.title, u.name FROM posts p JOIN users u ON u.id = p.author_id WHERE p.status = ? ORDER BY p.id`, []any{g.status()}},
		{`SELECT p.id, q.id, q.title FROM posts p LEFT JOIN posts q ON q.id = p.parent_id WHERE p.author_id = ? ORDER BY p.id`, []any{g.user()}},
		{`SELECT u.id, p.id FROM users u LEFT JOIN posts p ON p.author_id = u.id AND p.status = ? WHERE u.tenant = ? ORDER BY 1, 2`, []any{g.status(), g.tenant()}},
		{`SELECT u.id FROM users u LEFT JOIN posts p ON p.author_id = u.id WHERE p.id IS NULL ORDER BY 1`, nil},
		{`SELECT u.id, count(p.id) FROM users u LEFT JOIN posts p ON p.author_id = u.id GROUP BY u.id ORDER BY 2 DESC, 1 LIMIT ?`, []any{lim}},
		{`SELECT id, title FROM posts WHERE id IN (?, ?, ?) ORDER BY id`, []any{g.post(), g.post(), g.post()}},
		{`SELECT p.id, p.title FROM json_each(?) k JOIN posts p ON p.id = k.value ORDER BY 1`, []any{g.posts()}},
		{`SELECT k.value, p.id, p.seq FROM json_each(?) k CROSS JOIN posts p ON p.seq IN (SELECT q.seq FROM posts q WHERE q.author_id = k.value ORDER BY q.seq DESC LIMIT ?) ORDER BY 2`, []any{`["` + g.user() + `"]`, lim}},
		{`SELECT c.post_id, count(*) FROM json_each(?) k JOIN comments c ON c.post_id = k.value GROUP BY c.post_id ORDER BY 1`, []any{g.posts()}},
		{`SELECT c.id, c.body, u.name FROM comments c JOIN users u ON u.id = c.author_id WHERE c.post_id = ? ORDER BY c.seq LIMIT ?`, []any{g.post(), lim}},
		{`SELECT x.post_id, t.id, t.name FROM post_tags x JOIN tags t ON t.id = x.tag_id WHERE x.post_id = ? ORDER BY t.name, t.id`, []any{g.post()}},
		{`SELECT tag_id, name FROM named_tags WHERE post_id = ? ORDER BY 1`, []any{g.post()}},
		{`SELECT status, author_id, count(*), grouping(status) FROM posts WHERE tenant = ? GROUP BY ROLLUP (status, author_id) ORDER BY 1, 2, 3`, []any{g.tenant()}},
		{`SELECT u.id, x.n FROM (SELECT nick AS a, count(*) AS n FROM users WHERE nick = ? GROUP BY CUBE (nick)) x JOIN users u ON u.nick IS NOT DISTINCT FROM x.a ORDER BY 1, 2`, []any{g.pick("a", "b")}},
		{`SELECT title, max(version) FROM posts WHERE author_id = ? GROUP BY GROUPING SETS ((status, title), title, ()) HAVING count(*) > 1 ORDER BY 1, 2`, []any{g.user()}},
		{`SELECT id FROM tags WHERE name = ?`, []any{g.pick("apple", "Apple", "pear")}},
		{`SELECT author_id, posts, comments, latest FROM stats WHERE author_id = ?`, []any{g.user()}},
		{`SELECT author_id FROM stats WHERE tenant = ? ORDER BY comments DESC, author_id LIMIT ?`, []any{g.tenant(), lim}},
		{`SELECT id, title FROM posts WHERE instr(lower(title), lower(?)) ORDER BY id LIMIT ?`, []any{g.pick("apple", "plum", "pea"), lim + 1}},
		{`SELECT id, title FROM posts WHERE title LIKE '%' || ? || '%' AND tenant = ? ORDER BY id`, []any{g.pick("apple", "plum", "pea"), g.tenant()}},
		{`SELECT id FROM posts WHERE title LIKE ? ORDER BY id`, []any{g.pick("%apple%", "red%", "%e")}},
		{`SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM posts p WHERE p.author_id = u.id AND p.status = ?) ORDER BY id`, []any{g.status()}},
		{`SELECT id FROM users u WHERE NOT EXISTS (SELECT 1 FROM comments c WHERE c.author_id = u.id) AND u.tenant = ? ORDER BY id`, []any{g.tenant()}},
		{`SELECT id FROM posts WHERE author_id IN (SELECT id FROM users WHERE tenant = ?) ORDER BY id`, []any{g.tenant()}},
		{`SELECT id FROM posts WHERE author_id NOT IN (SELECT id FROM users WHERE tenant = ?) ORDER BY id`, []any{g.tenant()}},
		{`SELECT id, status FROM posts WHERE author_id = ? UNION SELECT id, body FROM comments WHERE author_id = ? ORDER BY 1, 2`, []any{g.user(), g.user()}},
		{`SELECT DISTINCT status FROM posts WHERE author_id = ? ORDER BY 1`, []any{g.user()}},
		{`SELECT max(version), min(title) FROM posts WHERE tenant = ?`, []any{g.tenant()}},
		{`WITH mine AS (SELECT id, seq FROM posts WHERE author_id = ?) SELECT c.id FROM comments c JOIN mine m ON m.id = c.post_id ORDER BY c.id LIMIT ?`, []any{g.user(), lim + 1}},
		{`WITH top AS (SELECT id, author_id FROM posts ORDER BY version DESC, id LIMIT 3) SELECT id FROM top WHERE author_id = ?`, []any{g.user()}},
		{`SELECT n FROM counters WHERE post_id = ?`, []any{g.post()}},
		{`SELECT p.id, coalesce(k.n, 0) FROM posts p LEFT JOIN counters k ON k.post_id = p.id WHERE p.author_id = ? ORDER BY 1`, []any{g.user()}},
		{`SELECT id FROM posts WHERE author_id = ? AND (status = ? OR tenant = ?) ORDER BY 1`, []any{g.user(), g.status(), g.tenant()}},
		{`SELECT id FROM posts WHERE NOT (author_id = ?) ORDER BY 1`, []any{g.user()}},
		{`SELECT id, CASE WHEN status = 'DRAFT' THEN 'x' ELSE title END FROM posts WHERE author_id = ? ORDER BY 1`, []any{g.user()}},
		{`SELECT id, row_number() OVER (ORDER BY version DESC, id) FROM posts WHERE tenant = ? ORDER BY 1`, []any{g.tenant()}},
		{`SELECT a.id, b.id FROM posts a JOIN posts b ON a.parent_id = b.id WHERE b.author_id = ? ORDER BY 1`, []any{g.user()}},
		{`SELECT id FROM users WHERE nick IS NULL AND tenant = ? ORDER BY 1`, []any{g.tenant()}},
		{`SELECT id FROM users WHERE nick = ? ORDER BY 1`, []any{g.pick("a", "b")}},
		{`SELECT d.author_id, d.n FROM (SELECT author_id, count(*) AS n FROM posts GROUP BY author_id) d WHERE d.author_id = ?`, []any{g.user()}},
		{`SELECT id FROM posts WHERE author_id NOT IN (?, ?) ORDER BY 1`, []any{g.user(), g.user()}},
		{`SELECT p.id, k.post_id, k.n FROM posts p JOIN counters k ON k.post_id = p.id WHERE p.author_id = ? ORDER BY 1`, []any{g.user()}},
		{`SELECT a.id FROM posts a JOIN posts b ON a.author_id = b.author_id WHERE b.id = ? ORDER BY 1`, []any{g.post()}},
		{`SELECT id FROM posts ORDER BY seq DESC LIMIT 2`, nil},
		{`SELECT u.id, p.id FROM users u LEFT JOIN posts p ON p.author_id = u.id AND p.status = ? WHERE p.id IS NULL`, []any{g.status()}},
		{`SELECT u.id, p.id FROM users u LEFT JOIN posts p ON p.author_id = u.id AND p.status = ? WHERE coalesce(p.version, 0) = 0`, []any{g.status()}},
		{`SELECT u.id, p.id FROM users u LEFT JOIN posts p ON p.author_id = u.id WHERE NOT EXISTS (SELECT 1 FROM comments c WHERE c.post_id = p.id)`, nil},
		{`SELECT u.id, d.id FROM users u LEFT JOIN (SELECT id, author_id, 1 AS one FROM posts WHERE status = ?) d ON d.author_id = u.id WHERE d.one IS NULL`, []any{g.status()}},
		{`SELECT u.id, d.id FROM users u LEFT JOIN titles d ON d.author_id = u.id AND d.t = 'plum' WHERE d.parent = 'none' OR d.parent IS NULL`, nil},
		{`SELECT u.id, p.id, c.id FROM users u LEFT JOIN (posts p JOIN comments c ON c.post_id = p.id AND p.status = ?) ON p.author_id = u.id WHERE p.id IS NULL`, []any{g.status()}},
		{`SELECT u.id, p.id, c.id FROM users u LEFT JOIN (posts p JOIN comments c ON c.post_id = p.id AND p.status = ?) ON p.author_id = u.id`, []any{g.status()}},
		{`SELECT u.id, p.id FROM posts p RIGHT JOIN users u ON p.author_id = u.id AND p.status = ? AND u.tenant = 'A'`, []any{g.status()}},
		{`SELECT u.id, p.id FROM posts p FULL JOIN users u ON p.author_id = u.id AND p.status = ?`, []any{g.status()}},
		{`SELECT u.id, p.id FROM posts p FULL JOIN users u ON p.author_id = u.id AND u.tenant = 'A' WHERE p.status = ?`, []any{g.status()}},
		{`SELECT * FROM posts JOIN users USING (tenant) WHERE tenant = ?`, []any{g.tenant()}},
		{`SELECT posts.id, users.id FROM posts LEFT JOIN users USING (tenant) WHERE tenant = ?`, []any{g.tenant()}},
		{`SELECT id FROM titles WHERE t = ? ORDER BY id`, []any{g.pick("plum", "blue", "apple pie")}},
		{`SELECT id FROM titles WHERE parent = 'none' AND author_id = ? ORDER BY id`, []any{g.user()}},
		{`SELECT id FROM posts WHERE low = ? ORDER BY id`, []any{g.pick("plum", "blue", "apple pie")}},
		{`SELECT id FROM posts WHERE status = coalesce(?, status) AND tenant = ? ORDER BY id`, []any{none, g.tenant()}},
		{`SELECT id FROM posts WHERE (tenant, status) = (?, ?) ORDER BY id`, []any{g.tenant(), g.status()}},
		{`SELECT id FROM posts WHERE (tenant, status) IN (VALUES (?, ?), ('A', 'DRAFT')) ORDER BY id`, []any{g.tenant(), g.status()}},
		{`SELECT p.id FROM (VALUES (?), ('u1')) v JOIN posts p ON p.author_id = v.column1 ORDER BY 1`, []any{g.user()}},
		{`WITH RECURSIVE tree AS (SELECT id, parent_id FROM posts WHERE id = ? UNION SELECT p.id, p.parent_id FROM posts p JOIN tree t ON p.parent_id = t.id) SELECT id FROM tree ORDER BY 1`, []any{g.post()}},
		{`SELECT id FROM posts WHERE author_id IN (SELECT author_id FROM comments WHERE post_id = ? ORDER BY seq LIMIT 2) ORDER BY 1`, []any{g.post()}},
		{`SELECT id, title FROM posts WHERE id = (SELECT post_id FROM comments WHERE id = ?)`, []any{g.comment()}},
		{`SELECT p.id FROM posts p JOIN (SELECT author_id, max(seq) AS m FROM comments GROUP BY author_id) d ON d.author_id = p.author_id WHERE p.tenant = ? ORDER BY 1`, []any{g.tenant()}},
		{`SELECT p.id, t.id FROM pair p JOIN twin t ON t.id = p.other AND p.id = t.other ORDER BY 1`, nil},
		{`SELECT p.id, u.nick FROM posts p JOIN users u ON u.id = p.author_id WHERE u.nick = ? ORDER BY 1`, []any{g.pick("a", "b")}},
		{`SELECT x.post_id, t.name FROM post_tags x LEFT JOIN tags t ON t.id = x.tag_id WHERE x.tag_id = ? ORDER BY 1`, []any{g.tag()}},
		{`SELECT DISTINCT p.id, p.status FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = ? ORDER BY 1`, []any{g.user()}},
		{`SELECT id FROM (SELECT id, author_id, status FROM posts WHERE tenant = ? ORDER BY seq LIMIT 4) WHERE status = ? ORDER BY 1`, []any{g.tenant(), g.status()}},
		{`SELECT a.id FROM feed a JOIN feed b ON a.id = b.parent_id WHERE b.author_id = ? ORDER BY 1`, []any{g.user()}},
		{`SELECT id, (SELECT name FROM users u WHERE u.id = posts.author_id) FROM posts WHERE status = ? ORDER BY seq DESC LIMIT 2`, []any{g.status()}},
		{`SELECT id FROM posts WHERE id = ? AND id IN (SELECT id FROM feed)`, []any{g.post()}},
		{`SELECT id FROM posts WHERE status = ? EXCEPT SELECT post_id FROM comments WHERE author_id = ? ORDER BY 1`, []any{g.status(), g.user()}},
		{`SELECT status, group_concat(id) FROM (SELECT id, status FROM posts WHERE author_id = ? ORDER BY id) GROUP BY status ORDER BY 1`, []any{g.user()}},
		{`SELECT rowid, title FROM posts WHERE author_id = ? ORDER BY 1`, []any{g.user()}},
		{`SELECT u.id FROM users u JOIN posts p ON p.author_id = u.id GROUP BY u.id HAVING count(*) > ? ORDER BY 1`, []any{lim}},
		{`SELECT id FROM posts WHERE author_id = ? ORDER BY title DESC, id LIMIT 2`, []any{g.user()}},
		{`SELECT p.id FROM posts p WHERE p.status = ? AND p.seq = (SELECT max(q.seq) FROM posts q WHERE q.author_id = p.author_id) ORDER BY 1`, []any{g.status()}},
		{`SELECT (SELECT count(*) FROM comments), (SELECT count(*) FROM posts WHERE status = ?)`, []any{g.status()}},
	}
	return list[g.r.IntN(len(list))]
}

func (g generator) write() statement {
	a, b := g.null(g.title()), g.null(g.status())
	n := g.r.IntN(1000)
	list := []statement{
		{`UPDATE users SET name = ? WHERE id = ?`, []any{g.pick("Ann", "Bob"), g.user()}},
		{`UPDATE users SET karma = karma + 1 WHERE tenant = ?`, []any{g.tenant()}},
		{`UPDATE users SET nick = ? WHERE id = ?`, []any{g.pick("a", "b"), g.user()}},
		{`UPDATE users SET tenant = ?, nick = NULL WHERE id = ?`, []any{g.tenant(), g.user()}},
		{`UPDATE users SET email = ? WHERE id = ?`, []any{fmt.Sprintf("u%d@x", 5+n), g.user()}},
		{`UPDATE posts SET title = coalesce(?, title), status = coalesce(?, status), version = version + 1 WHERE id = ?`, []any{a, b, g.post()}},
		{`UPDATE posts SET title = coalesce(?, title), status = coalesce(?, status) WHERE id = ? RETURNING id, title, author_id`, []any{a, b, g.post()}},
		{`UPDATE posts SET status = ? WHERE author_id = ? AND status <> ?`, []any{g.status(), g.user(), g.status()}},
		{`UPDATE posts SET status = ? WHERE id IN (SELECT value FROM json_each(?))`, []any{g.status(), g.posts()}},
		{`UPDATE posts SET author_id = ? WHERE id = ?`, []any{g.user(), g.post()}},
		{`UPDATE posts SET parent_id = ? WHERE id = ?`, []any{g.post(), g.post()}},
		{`UPDATE posts SET tenant = (SELECT tenant FROM users u WHERE u.id = posts.author_id)`, nil},
		{`UPDATE posts SET title = u.name FROM users u WHERE u.id = posts.author_id AND u.id = ?`, []any{g.user()}},
		{`UPDATE comments SET body = ? WHERE id = ?`, []any{g.title(), g.comment()}},
		{`UPDATE comments SET post_id = ? WHERE id = ?`, []any{g.post(), g.comment()}},
		{`UPDATE tags SET name = ? WHERE id = ?`, []any{g.pick("apple", "APPLE", "pear"), g.tag()}},
		{`INSERT INTO posts (id, tenant, author_id, title, status) VALUES (?, ?, ?, ?, ?)`, []any{"p" + strconv.Itoa(12+n), g.tenant(), g.user(), g.title(), g.status()}},
		{`INSERT INTO posts (id, tenant, author_id, title, status) SELECT ?, u.tenant, u.id, ?, 'PUBLISHED' FROM users u WHERE u.id = ? RETURNING id, seq, author_id`, []any{"p" + strconv.Itoa(12+n), g.title(), g.user()}},
		{`INSERT INTO comments (id, post_id, author_id, body) VALUES (?, ?, ?, 'x')`, []any{"c" + strconv.Itoa(30+n), g.post(), g.user()}},
		{`INSERT INTO comments (id, post_id, author_id, body) VALUES (?, ?, ?, 'x'), (?, ?, ?, 'y')`, []any{"c" + strconv.Itoa(30+n), g.post(), g.user(), "c" + strconv.Itoa(2000+n), g.post(), g.user()}},
		{`INSERT INTO post_tags VALUES (?, ?) ON CONFLICT DO NOTHING`, []any{g.post(), g.tag()}},
		{`INSERT OR REPLACE INTO users (id, tenant, email, name) VALUES (?, ?, ?, 'R')`, []any{"u" + strconv.Itoa(5+n%3), g.tenant(), g.user() + "@x"}},
		{`INSERT INTO counters (post_id, n) VALUES (?, 1) ON CONFLICT (post_id) DO UPDATE SET n = n + 1`, []any{g.post()}},
		{`DELETE FROM post_tags WHERE post_id = ? AND tag_id = ?`, []any{g.post(), g.tag()}},
		{`DELETE FROM comments WHERE id = ?`, []any{g.comment()}},
		{`DELETE FROM comments WHERE post_id = ? RETURNING id`, []any{g.post()}},
		{`DELETE FROM comments WHERE author_id = ? OR post_id IN (SELECT id FROM posts WHERE author_id = ?)`, []any{g.user(), g.user()}},
		{`DELETE FROM posts WHERE id = ?`, []any{g.post()}},
		{`DELETE FROM users WHERE id = ?`, []any{g.user()}},
		{`DELETE FROM tags WHERE id = ?`, []any{g.tag()}},
		{`INSERT OR IGNORE INTO users (id, tenant, email, name) VALUES (?, ?, ?, 'I')`, []any{g.user(), g.tenant(), g.user() + "@x"}},
		{`INSERT INTO users (id, tenant, email, name) VALUES (?, ?, ?, 'I') ON CONFLICT (email) DO UPDATE SET name = excluded.name, tenant = excluded.tenant`, []any{"u" + strconv.Itoa(10+n), g.tenant(), g.user() + "@x"}},
		{`UPDATE OR REPLACE users SET email = ? WHERE id = ?`, []any{g.user() + "@x", g.user()}},
		{`UPDATE tags SET id = ? WHERE id = ?`, []any{"t" + strconv.Itoa(4+n%3), g.tag()}},
		{`UPDATE posts AS p SET status = ? WHERE p.author_id = ? AND length(p.title) > 4`, []any{g.status(), g.user()}},
		{`UPDATE posts SET title = 'plum' WHERE id IN (SELECT q.id FROM posts q WHERE q.author_id = ? AND q.status = ?)`, []any{g.user(), g.status()}},
		{`UPDATE posts SET (title, status) = (?, ?) WHERE author_id = (SELECT author_id FROM comments WHERE id = ?)`, []any{g.title(), g.status(), g.comment()}},
		{`INSERT INTO post_tags SELECT id, ? FROM posts WHERE author_id = ? ON CONFLICT DO NOTHING`, []any{g.tag(), g.user()}},
		{`INSERT INTO comments (id, post_id, author_id, body) SELECT ? || id, id, author_id, 'z' FROM posts WHERE author_id = ? AND status = ?`, []any{"c" + strconv.Itoa(5000+n), g.user(), g.status()}},
		{`INSERT INTO pair VALUES (?, ?)`, []any{"a" + strconv.Itoa(n%3), "b" + strconv.Itoa(n%3)}},
		{`INSERT INTO twin VALUES (?, ?)`, []any{"b" + strconv.Itoa(n%3), "a" + strconv.Itoa(n%3)}},
		{`DELETE FROM pair`, nil},
		{`DELETE FROM twin`, nil},
		{`REPLACE INTO counters (post_id, n) VALUES (?, ?)`, []any{g.post(), n}},
		{`DELETE FROM comments`, nil},
		// What PostgreSQL alone has.
		{`MERGE INTO posts p USING users u ON p.author_id = u.id AND u.id = ? WHEN MATCHED AND p.status = ? THEN DELETE WHEN MATCHED THEN UPDATE SET title = ?, version = p.version + 1`, []any{g.user(), g.status(), g.title()}},
		{`MERGE INTO counters c USING (SELECT id, version FROM posts WHERE author_id = ?) p ON c.post_id = p.id WHEN MATCHED AND c.n > p.version THEN DO NOTHING WHEN MATCHED THEN UPDATE SET n = c.n + 1 WHEN NOT MATCHED THEN INSERT (post_id, n) VALUES (p.id, p.version)`, []any{g.user()}},
		{`WITH x AS (SELECT id, tenant FROM users WHERE tenant = ?) MERGE INTO users AS y USING x ON x.id = y.id WHEN MATCHED AND y.nick IS NULL THEN UPDATE SET nick = x.id WHEN MATCHED THEN UPDATE SET nick = DEFAULT`, []any{g.tenant()}},
		{`UPDATE users SET nick = (SELECT max(x.nick) FROM (SELECT nick FROM users WHERE nick = ? GROUP BY ROLLUP (nick)) x) WHERE id = ?`, []any{g.pick("a", "b"), g.user()}},
		{`INSERT INTO users (id, tenant, email, name, nick) SELECT ? || coalesce(nick, 'z'), 'A', ? || coalesce(nick, 'z'), 'G', nick FROM users WHERE nick = ? GROUP BY ROLLUP (nick)`, []any{"g" + strconv.Itoa(n), "g" + strconv.Itoa(n), g.pick("a", "b")}},
	}
	return list[g.r.IntN(len(list))]
}

// composed makes a query of random joins and conditions.
func (g generator) composed() statement {
	var args []any
	type table struct{ name, alias string }
	kinds := []string{"users", "posts", "comments", "posts"}
	var tables []table
	columns := map[string][]string{
		"users": {"id", "tenant", "name", "nick"}, "posts": {"id", "tenant", "author_id", "title", "status", "parent_id"},
		"comments": {"id", "post_id", "author_id", "body"},
	}
	numbers := map[string]string{"users": "karma", "posts": "version", "comments": "seq"}
	value := func(column string) any {
		switch column {
		case "tenant":
			return g.tenant()
		case "author_id":
			return g.user()
		case "post_id", "parent_id":
			return g.post()
		case "status":
			return g.status()
		case "title":
			return g.title()
		case "nick":
			return g.pick("a", "b")
		case "name":
			return g.pick("Ann", "Bob")
		}
		return g.pick(g.user(), g.post(), g.comment())
	}
	column := func(t table) string { return g.pick(columns[t.name]...) }
	link := func(a, b table) string {
		for _, of := range []struct{ from, to, on string }{
			{"users", "posts", "%[1]s.id = %[2]s.author_id"}, {"users", "comments", "%[1]s.id = %[2]s.author_id"},
			{"posts", "comments", "%[1]s.id = %[2]s.post_id"}, {"posts", "posts", "%[1]s.parent_id = %[2]s.id"},
			{"comments", "comments", "%[1]s.post_id = %[2]s.post_id"}, {"users", "users", "%[1]s.tenant = %[2]s.tenant"},
		} {
			switch {
			case a.name == of.from && b.name == of.to:
				return fmt.Sprintf(of.on, a.alias, b.alias)
			case b.name == of.from && a.name == of.to:
				return fmt.Sprintf(of.on, b.alias, a.alias)
			}
		}
		return "1 = 1"
	}
	var condition func(list []table, depth int) string
	condition = func(list []table, depth int) string {
		t := list[g.r.IntN(len(list))]
		c := column(t)
		name := t.alias + "." + c
		bind := func() string {
			args = append(args, value(c))
			return "?" + strconv.Itoa(len(args))
		}
		switch n := g.r.IntN(16); {
		case n < 4:
			return name + " = " + bind()
		case n == 4:
			return name + " IN (" + bind() + ", " + bind() + ")"
		case n == 5:
			return name + " <> " + bind()
		case n == 6:
			return name + " IS NULL"
		case n == 7:
			return "coalesce(" + name + ", 'u1') = " + bind()
		case n == 8 && depth > 0:
			return "(" + condition(list, depth-1) + " OR " + condition(list, depth-1) + ")"
		case n == 9 && depth > 0:
			return "NOT (" + condition(list, depth-1) + ")"
		case n == 10 && depth > 0:
			inner := table{g.pick(kinds...), "s" + strconv.Itoa(depth)}
			return g.pick("", "NOT ") + "EXISTS (SELECT 1 FROM " + inner.name + " " + inner.alias + " WHERE " + link(t, inner) + " AND " + condition([]table{inner, t}, depth-1) + ")"
		case n == 11 && depth > 0:
			inner := table{g.pick(kinds...), "s" + strconv.Itoa(depth)}
			limit := g.pick("", "", " ORDER BY 1 LIMIT 2")
			return name + g.pick(" IN ", " NOT IN ") + "(SELECT " + inner.alias + "." + column(inner) + " FROM " + inner.name + " " + inner.alias + " WHERE " + condition([]table{inner}, depth-1) + limit + ")"
		case n == 12:
			args = append(args, g.null(value(c).(string)))
			p := "?" + strconv.Itoa(len(args))
			return "(" + p + " IS NULL OR " + name + " = " + p + ")"
		case n == 13 && len(list) > 1:
			return link(list[0], list[len(list)-1])
		case n == 14:
			return t.alias + "." + numbers[t.name] + " > 1"
		}
		return name + " = " + bind()
	}
	from := ""
	var item func(i, depth int) string //nolint:staticcheck // it calls itself
	item = func(i, depth int) string {
		t := table{g.pick(kinds...), string(rune('a' + i))}
		tables = append(tables, t)
		if g.r.IntN(5) > 0 || depth == 0 {
			return t.name + " " + t.alias
		}
		// A derived table, with all columns under their names.
		in := table{t.name, "i" + t.alias}
		where := condition([]table{in}, 1)
		list := "*"
		if g.r.IntN(2) == 0 {
			list = in.alias + "." + strings.Join(columns[t.name], ", "+in.alias+".") + ", coalesce(" + in.alias + "." + numbers[t.name] + ", 0) AS " + numbers[t.name] +
				", lower(" + in.alias + ".id) AS lowered"
		}
		tail := g.pick("", "", "", " ORDER BY "+in.alias+".seq LIMIT 3")
		return "(SELECT " + g.pick("", "", "DISTINCT ") + list + " FROM " + t.name + " " + in.alias + " WHERE " + where + tail + ") " + t.alias
	}
	n := 1 + g.r.IntN(3)
	for i := range n {
		if i == 0 {
			from = item(i, 1)
			continue
		}
		join := g.pick(" JOIN ", " JOIN ", " LEFT JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ")
		from += join + item(i, 1) + " ON " + link(tables[i-1], tables[i])
		for range g.r.IntN(2) {
			from += " AND " + condition(tables, 1)
		}
	}
	where := "1 = 1"
	for range g.r.IntN(3) {
		where += " AND " + condition(tables, 2)
	}
	var items []string
	for _, t := range tables {
		if g.r.IntN(4) > 0 {
			items = append(items, t.alias+".id")
		}
		if g.r.IntN(2) == 0 {
			items = append(items, t.alias+"."+column(t))
		}
	}
	if items == nil {
		items = []string{tables[0].alias + ".id"}
	}
	q := "SELECT " + g.pick("", "", "", "DISTINCT ") + strings.Join(items, ", ") + " FROM " + from + " WHERE " + where
	switch g.r.IntN(8) {
	case 0:
		q = "SELECT count(*), max(" + tables[0].alias + ".id) FROM " + from + " WHERE " + where
	case 1:
		q += " ORDER BY " + items[0] + ", " + strings.Join(slicesOfNumbers(len(items)), ", ") + " LIMIT " + strconv.Itoa(g.r.IntN(4))
	case 2:
		q = "SELECT " + items[0] + ", count(*) FROM " + from + " WHERE " + where + " GROUP BY 1"
	case 3:
		q = "SELECT " + items[0] + " AS x FROM " + from + " WHERE " + where
		args = append(args, value("id"))
		q = "SELECT x, w.id FROM (" + q + ") v LEFT JOIN posts w ON w.id = v.x WHERE v.x <> ?" + strconv.Itoa(len(args)) + g.pick("", " AND w.id IS NULL", " AND w.status = 'DRAFT'")
	}
	return statement{q, args}
}

func slicesOfNumbers(n int) (list []string) {
	for i := range n {
		list = append(list, strconv.Itoa(i+1))
	}
	return list
}
