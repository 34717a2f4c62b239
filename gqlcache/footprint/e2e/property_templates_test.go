package e2e

import (
	"fmt"
	"strconv"
	"strings"
)

// readTemplates are statements as programs have them. {pool} is an argument, {pool?} one
// that may be NULL, {n:pool?} the same argument wherever n is the same, {lim} a limit,
// {off} an OFFSET or nothing, {::text} a
// cast for PostgreSQL, {list:pool} a list of values as one argument, {many:pool} two or more
// arguments, {id+} an
// identifier that is not there yet. A part before a bar is SQLite's, after it
// PostgreSQL's.
var readTemplates = []string{
	`SELECT id, name FROM users WHERE id = {user}`,
	`SELECT name FROM users WHERE id = {user}`,
	`SELECT name FROM users WHERE email = {email} AND tenant = {tenant}`,
	`SELECT * FROM posts WHERE author_id = {user} ORDER BY seq DESC LIMIT {lim}`,
	`SELECT id, title, seq FROM posts WHERE status = {status} ORDER BY seq DESC LIMIT {lim}{off}`,
	`SELECT id, title, seq FROM posts WHERE status = {status} ORDER BY seq LIMIT {lim}{off}`,
	`SELECT id, title FROM posts WHERE status = {status} ORDER BY title, id LIMIT {lim}{off}`,
	`SELECT id, title, seq FROM feed WHERE tenant = {tenant} ORDER BY seq DESC LIMIT {lim}`,
	`SELECT count(*) FROM posts WHERE author_id = {user} AND ({1:status?}{::text} IS NULL OR status = {1:status?})`,
	`SELECT id FROM posts WHERE author_id = {user} AND ({1:status?}{::text} IS NULL OR status = {1:status?}) ORDER BY id`,
	`SELECT p.id, p.title, u.name FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = {post} ORDER BY 1`,
	`SELECT p.id, u.id, u.name FROM posts p JOIN users u ON u.id = p.author_id WHERE p.status = {status} AND u.tenant = {tenant} ORDER BY p.id`,
	`SELECT p.title, u.name FROM posts p JOIN users u ON u.id = p.author_id WHERE p.status = {status} ORDER BY p.id`,
	`SELECT p.id, q.id, q.title FROM posts p LEFT JOIN posts q ON q.id = p.parent_id WHERE p.author_id = {user} ORDER BY p.id`,
	`SELECT u.id, p.id FROM users u LEFT JOIN posts p ON p.author_id = u.id AND p.status = {status} WHERE u.tenant = {tenant} ORDER BY 1, 2`,
	`SELECT u.id FROM users u LEFT JOIN posts p ON p.author_id = u.id WHERE p.id IS NULL ORDER BY 1`,
	`SELECT u.id, count(p.id) FROM users u LEFT JOIN posts p ON p.author_id = u.id GROUP BY u.id ORDER BY 2 DESC, 1 LIMIT {lim}`,
	`SELECT id, title FROM posts WHERE id IN ({post}, {post}, {post}) ORDER BY id`,
	`SELECT id, title FROM posts WHERE status = {status} AND id IN ({many:post}) AND tenant = {tenant} ORDER BY id`,
	`SELECT id, seq FROM posts WHERE author_id IN ({many:user}) AND status = {status} ORDER BY seq LIMIT {lim}`,
	`SELECT p.id, count(c.id) FROM posts p LEFT JOIN comments c ON c.post_id = p.id AND c.author_id IN ({many:user}) WHERE p.id IN ({many:post}) AND p.tenant = {tenant} GROUP BY p.id ORDER BY 1`,
	`SELECT p.id, p.title FROM json_each({list:post}) k JOIN posts p ON p.id = k.value ORDER BY 1|SELECT p.id, p.title FROM unnest({list:post}::text[]) AS k (value) JOIN posts p ON p.id = k.value ORDER BY 1, 2`,
	`SELECT k.value, p.id, p.seq FROM json_each({list:user}) k CROSS JOIN posts p ON p.seq IN (SELECT q.seq FROM posts q WHERE q.author_id = k.value ORDER BY q.seq DESC LIMIT {lim}) ORDER BY 2, 1|SELECT k.value, p.id, p.seq FROM unnest({list:user}::text[]) AS k (value) JOIN posts p ON p.seq IN (SELECT q.seq FROM posts q WHERE q.author_id = k.value ORDER BY q.seq DESC LIMIT {lim}) ORDER BY 2, 1`,
	`SELECT c.post_id, count(*) FROM json_each({list:post}) k JOIN comments c ON c.post_id = k.value GROUP BY c.post_id ORDER BY 1|SELECT c.post_id, count(*) FROM comments c WHERE c.post_id = ANY({list:post}::text[]) GROUP BY c.post_id ORDER BY 1`,
	`SELECT c.id, c.body, u.name FROM comments c JOIN users u ON u.id = c.author_id WHERE c.post_id = {post} ORDER BY c.seq LIMIT {lim}`,
	`SELECT x.post_id, t.id, t.name FROM post_tags x JOIN tags t ON t.id = x.tag_id WHERE x.post_id = {post} ORDER BY t.name, t.id`,
	`SELECT tag_id, name FROM named_tags WHERE post_id = {post} ORDER BY 1`,
	`SELECT id FROM tags WHERE name = {fruit} ORDER BY 1`,
	`SELECT author_id, posts, comments, latest FROM stats WHERE author_id = {user}`,
	`SELECT author_id FROM stats WHERE tenant = {tenant} ORDER BY comments DESC, author_id LIMIT {lim}`,
	`SELECT id, title FROM posts WHERE instr(lower(title), lower({word})) ORDER BY id LIMIT {lim}|SELECT id, title FROM posts WHERE strpos(lower(title), lower({word})) > 0 ORDER BY id LIMIT {lim}`,
	`SELECT id, title FROM posts WHERE title LIKE '%' || {word} || '%' AND tenant = {tenant} ORDER BY id`,
	`SELECT id FROM posts WHERE title LIKE {pattern} ORDER BY id`,
	`SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM posts p WHERE p.author_id = u.id AND p.status = {status}) ORDER BY id`,
	`SELECT id FROM users u WHERE NOT EXISTS (SELECT 1 FROM comments c WHERE c.author_id = u.id) AND u.tenant = {tenant} ORDER BY id`,
	`SELECT id FROM posts WHERE author_id IN (SELECT id FROM users WHERE tenant = {tenant}) ORDER BY id`,
	`SELECT id FROM posts WHERE author_id NOT IN (SELECT id FROM users WHERE tenant = {tenant}) ORDER BY id`,
	`SELECT id, status FROM posts WHERE author_id = {user} UNION SELECT id, body FROM comments WHERE author_id = {user} ORDER BY 1, 2`,
	`SELECT DISTINCT status FROM posts WHERE author_id = {user} ORDER BY 1`,
	`SELECT max(version), min(title) FROM posts WHERE tenant = {tenant}`,
	`WITH mine AS (SELECT id, seq FROM posts WHERE author_id = {user}) SELECT c.id FROM comments c JOIN mine m ON m.id = c.post_id ORDER BY c.id LIMIT {lim}`,
	`WITH top AS (SELECT id, author_id FROM posts ORDER BY version DESC, id LIMIT 3) SELECT id FROM top WHERE author_id = {user} ORDER BY 1`,
	`SELECT n FROM counters WHERE post_id = {post}`,
	`SELECT p.id, coalesce(k.n, 0) FROM posts p LEFT JOIN counters k ON k.post_id = p.id WHERE p.author_id = {user} ORDER BY 1`,
	`SELECT id FROM posts WHERE author_id = {user} AND (status = {status} OR tenant = {tenant}) ORDER BY 1`,
	`SELECT id FROM posts WHERE NOT (author_id = {user}) ORDER BY 1`,
	`SELECT id, CASE WHEN status = 'DRAFT' THEN 'x' ELSE title END FROM posts WHERE author_id = {user} ORDER BY 1`,
	`SELECT id, row_number() OVER (ORDER BY version DESC, id) FROM posts WHERE tenant = {tenant} ORDER BY 1`,
	`SELECT a.id, b.id FROM posts a JOIN posts b ON a.parent_id = b.id WHERE b.author_id = {user} ORDER BY 1`,
	`SELECT id FROM users WHERE nick IS NULL AND tenant = {tenant} ORDER BY 1`,
	`SELECT id FROM users WHERE nick = {nick} ORDER BY 1`,
	`SELECT d.author_id, d.n FROM (SELECT author_id, count(*) AS n FROM posts GROUP BY author_id) d WHERE d.author_id = {user}`,
	`SELECT id FROM posts WHERE author_id NOT IN ({user}, {user}) ORDER BY 1`,
	`SELECT p.id, k.post_id, k.n FROM posts p JOIN counters k ON k.post_id = p.id WHERE p.author_id = {user} ORDER BY 1`,
	`SELECT a.id FROM posts a JOIN posts b ON a.author_id = b.author_id WHERE b.id = {post} ORDER BY 1`,
	`SELECT id FROM posts ORDER BY seq DESC LIMIT 2`,
	`SELECT (SELECT count(*) FROM comments), (SELECT count(*) FROM posts WHERE status = {status})`,
	`SELECT status, author_id, count(*) FROM posts WHERE tenant = {tenant} GROUP BY status, author_id ORDER BY 1, 2|SELECT status, author_id, count(*), grouping(status) FROM posts WHERE tenant = {tenant} GROUP BY ROLLUP (status, author_id) ORDER BY 1, 2, 3`,
	`SELECT f.rowid, f.title FROM found f WHERE found MATCH {match} ORDER BY 1|SELECT id, rank() OVER (PARTITION BY author_id ORDER BY seq) FROM posts WHERE tenant = {tenant} ORDER BY 1`,
	`SELECT p.n, p.tenant FROM found f JOIN pages p ON p.n = f.rowid WHERE found MATCH {match} AND p.tenant = {tenant} ORDER BY rank, p.n LIMIT {lim}|SELECT p.id, x.id FROM posts p LEFT JOIN LATERAL (SELECT c.id FROM comments c WHERE c.post_id = p.id ORDER BY c.seq DESC LIMIT 1) x ON true WHERE p.author_id = {user} ORDER BY 1, 2`,
	`SELECT id, highlight(bits, 1, '[', ']') FROM bits({match}) ORDER BY bm25(bits), rowid|SELECT g.n, p.id FROM generate_series(1, 3) AS g (n) JOIN posts p ON p.version = g.n ORDER BY 1, 2`,
	`SELECT title, max(version) FROM posts WHERE author_id = {user} GROUP BY title ORDER BY 1|SELECT title, status, max(version) FROM posts WHERE author_id = {user} GROUP BY GROUPING SETS ((status, title), (2), ()) ORDER BY 1, 2, 3`,
}

// writeTemplates are statements that write.
var writeTemplates = []string{
	`UPDATE users SET name = {name} WHERE id = {user}`,
	`UPDATE users SET karma = karma + 1 WHERE tenant = {tenant}`,
	`UPDATE users SET nick = {nick} WHERE id = {user}`,
	`UPDATE users SET tenant = {tenant}, nick = NULL WHERE id = {user}`,
	`UPDATE users SET email = {mail+} WHERE id = {user}`,
	`UPDATE posts SET title = coalesce({title?}, title), status = coalesce({status?}, status), version = version + 1 WHERE id = {post}`,
	`UPDATE posts SET title = coalesce({title?}, title), status = coalesce({status?}, status) WHERE id = {post} RETURNING id, title, author_id`,
	`UPDATE posts SET status = {status} WHERE author_id = {user} AND status <> {status}`,
	`UPDATE posts SET status = {status} WHERE id IN (SELECT value FROM json_each({list:post}))|UPDATE posts SET status = {status} WHERE id = ANY({list:post}::text[])`,
	`UPDATE posts SET title = {title}, version = version + 1 WHERE id IN ({many:post}) AND author_id = {user}`,
	`UPDATE posts SET status = {status} WHERE author_id IN ({many:user}) AND id IN ({many:post})`,
	`DELETE FROM comments WHERE author_id IN ({many:user}) AND post_id = {post}`,
	`UPDATE posts SET author_id = {user} WHERE id = {post}`,
	`UPDATE posts SET parent_id = {post} WHERE id = {post}`,
	`UPDATE posts SET tenant = (SELECT tenant FROM users u WHERE u.id = posts.author_id)`,
	`UPDATE posts SET title = u.name FROM users u WHERE u.id = posts.author_id AND u.id = {user}`,
	`UPDATE comments SET body = {title} WHERE id = {comment}`,
	`UPDATE comments SET post_id = {post} WHERE id = {comment}`,
	`UPDATE tags SET name = {fruit} WHERE id = {tag}`,
	`INSERT INTO posts (id, tenant, author_id, title, status) VALUES ({post+}, {tenant}, {user}, {title}, {status})`,
	`INSERT INTO posts (id, tenant, author_id, title, status) SELECT {post+}, u.tenant, u.id, {title}, 'PUBLISHED' FROM users u WHERE u.id = {user} RETURNING id, seq, author_id`,
	`INSERT INTO comments (id, post_id, author_id, body) VALUES ({comment+}, {post}, {user}, 'x')`,
	`INSERT INTO comments (id, post_id, author_id, body) VALUES ({comment+}, {post}, {user}, 'x'), ({comment+}, {post}, {user}, 'y')`,
	`INSERT INTO post_tags VALUES ({post}, {tag}) ON CONFLICT DO NOTHING`,
	`INSERT OR REPLACE INTO users (id, tenant, email, name) VALUES ({user+}, {tenant}, {email}, 'R')|INSERT INTO users (id, tenant, email, name) VALUES ({user+}, {tenant}, {email}, 'R') ON CONFLICT (email) DO UPDATE SET tenant = excluded.tenant, name = excluded.name`,
	`INSERT INTO counters (post_id, n) VALUES ({post}, 1) ON CONFLICT (post_id) DO UPDATE SET n = counters.n + 1`,
	`DELETE FROM post_tags WHERE post_id = {post} AND tag_id = {tag}`,
	`DELETE FROM comments WHERE id = {comment}`,
	`DELETE FROM comments WHERE post_id = {post} RETURNING id`,
	`DELETE FROM comments WHERE author_id = {1:user} OR post_id IN (SELECT id FROM posts WHERE author_id = {1:user})`,
	`DELETE FROM posts WHERE id = {post}`,
	`DELETE FROM users WHERE id = {user}`,
	`DELETE FROM tags WHERE id = {tag}`,
	`DELETE FROM comments`,
	`UPDATE pages SET title = {title} WHERE tenant = {tenant}|UPDATE posts SET status = {status} WHERE id = (SELECT id FROM posts WHERE author_id = {user} ORDER BY seq LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) RETURNING id`,
	`INSERT INTO bits (id, body) VALUES ({note}, {title})|INSERT INTO comments (id, post_id, author_id, body) SELECT {comment+} || x.n, x.post, {user}, 'u' FROM unnest({list:post}::text[]) WITH ORDINALITY AS x (post, n)`,
	`INSERT INTO members (tenant, user_id, role) SELECT tenant, id, {role} FROM users WHERE id = {user} ON CONFLICT (tenant, user_id) DO UPDATE SET role = excluded.role|MERGE INTO members m USING (SELECT id, tenant FROM users WHERE id = {user}) u ON m.user_id = u.id AND m.tenant = u.tenant WHEN MATCHED AND m.role = {role} THEN DELETE WHEN MATCHED THEN UPDATE SET role = {role} WHEN NOT MATCHED THEN INSERT (tenant, user_id, role) VALUES (u.tenant, u.id, {role})`,
}

// template draws one of the templates and fills it in.
func (g *sqlGenerator) template(templates []string) sqlStatement {
	return g.fill(templates[g.r.IntN(len(templates))])
}

func (g *sqlGenerator) fill(template string) sqlStatement {
	g.start()
	sqlite, postgres, both := template, "", false
	for _, verb := range []string{"SELECT ", "UPDATE ", "INSERT ", "DELETE ", "MERGE ", "WITH "} {
		if a, b, ok := strings.Cut(template, "|"+verb); ok {
			sqlite, postgres, both = a, verb+b, true
		}
	}
	text := sqlite
	if both && g.pg {
		text = postgres
	}
	shared := map[string]string{}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		text = after
		if n, _, ok := strings.Cut(name, ":"); ok && n != "list" && n != "many" && n != "" {
			if shared[name] == "" {
				shared[name] = g.hole(name[len(n)+1:])
			}
			b.WriteString(shared[name])
			continue
		}
		b.WriteString(g.hole(name))
	}
	s := g.finish(b.String(), true)
	return s
}

func (g *sqlGenerator) hole(name string) string {
	switch name {
	case "::text": // PostgreSQL wants to know
		if g.pg {
			return name
		}
		return ""
	case "lim":
		return g.arg(int64(g.r.IntN(5)))
	case "off":
		return g.pick("", " OFFSET 1", " OFFSET 2")
	case "match":
		return g.arg(g.pick("apple", "plum", "pear OR blue", "gree*"))
	case "word":
		return g.arg(g.pick("apple", "plum", "pea"))
	case "pattern":
		return g.arg(g.pick("%apple%", "red%", "%e"))
	case "post+":
		return g.arg(fmt.Sprint("p", 12+g.r.IntN(1000)))
	case "comment+":
		return g.arg(fmt.Sprint("c", 30+g.r.IntN(3000)))
	case "user+":
		return g.arg(fmt.Sprint("u", 5+g.r.IntN(3)))
	case "mail+":
		return g.arg(fmt.Sprintf("u%d@x", 5+g.r.IntN(1000)))
	}
	if pool, ok := strings.CutPrefix(name, "many:"); ok {
		var list []string
		for range 2 + g.r.IntN(5) {
			list = append(list, g.hole(pool))
		}
		return strings.Join(list, ", ")
	}
	if pool, ok := strings.CutPrefix(name, "list:"); ok {
		var list []string
		for range g.r.IntN(4) {
			list = append(list, strconv.Quote(g.of(pool)))
		}
		if g.pg {
			return g.arg("{" + strings.Join(list, ",") + "}")
		}
		return g.arg("[" + strings.Join(list, ",") + "]")
	}
	if pool, ok := strings.CutSuffix(name, "?"); ok {
		if g.one(2) {
			return g.arg(nil)
		}
		name = pool
	}
	v := g.of(name)
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && name != "code" && name != "slug" && !g.one(4) {
		return g.arg(n)
	}
	return g.arg(v)
}
