SELECT u.id, u.tenant, u.email, u.name, u.bio, u.karma, u.version FROM json_each(?2) k
		CROSS JOIN users u ON u.id = k.value WHERE u.tenant = ?1

SELECT u.id, u.tenant, u.email, u.name, u.bio, u.karma, u.version FROM json_each(?2) k
		CROSS JOIN users u ON u.id = k.value WHERE true

SELECT u.id, u.tenant, u.email, u.name, u.bio, u.karma, u.version FROM users u
		WHERE u.email = ?2 AND u.tenant = ?1 ORDER BY u.seq LIMIT 1

SELECT u.id, u.tenant, u.email, u.name, u.bio, u.karma, u.version FROM users u
		WHERE u.email = ?2 AND true ORDER BY u.seq LIMIT 1

SELECT p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM json_each(?2) k
		CROSS JOIN posts p ON p.id = k.value WHERE p.tenant = ?1

SELECT p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM json_each(?2) k
		CROSS JOIN posts p ON p.id = k.value WHERE true

SELECT c.id, c.tenant, c.post_id, c.author_id, c.body, c.version FROM json_each(?2) k
		CROSS JOIN comments c ON c.id = k.value WHERE c.tenant = ?1

SELECT c.id, c.tenant, c.post_id, c.author_id, c.body, c.version FROM json_each(?2) k
		CROSS JOIN comments c ON c.id = k.value WHERE true

SELECT t.id, t.tenant, t.name, t.version FROM json_each(?2) k
		CROSS JOIN tags t ON t.id = k.value WHERE t.tenant = ?1

SELECT t.id, t.tenant, t.name, t.version FROM json_each(?2) k
		CROSS JOIN tags t ON t.id = k.value WHERE true

SELECT t.id, t.tenant, t.name, t.version FROM tags t WHERE t.tenant = ?1 ORDER BY t.name, t.seq

SELECT t.id, t.tenant, t.name, t.version FROM tags t WHERE true ORDER BY t.name, t.seq

SELECT s.author_id, s.post_count, s.published_count, s.comment_count, s.latest_post_id FROM json_each(?2) k
		CROSS JOIN author_stats s ON s.author_id = k.value WHERE s.tenant = ?1

SELECT s.author_id, s.post_count, s.published_count, s.comment_count, s.latest_post_id FROM json_each(?2) k
		CROSS JOIN author_stats s ON s.author_id = k.value WHERE true

SELECT s.author_id, s.post_count, s.published_count, s.comment_count, s.latest_post_id FROM author_stats s WHERE s.tenant = ?1
		ORDER BY s.published_count DESC, s.comment_count DESC, s.seq LIMIT ?2

SELECT s.author_id, s.post_count, s.published_count, s.comment_count, s.latest_post_id FROM author_stats s WHERE true
		ORDER BY s.published_count DESC, s.comment_count DESC, s.seq LIMIT ?2

SELECT u.id, u.tenant, u.email, u.name, u.bio, u.karma, u.version FROM users u
		WHERE instr(lower(u.name), lower(?2)) AND u.tenant = ?1 ORDER BY u.seq LIMIT ?3

SELECT u.id, u.tenant, u.email, u.name, u.bio, u.karma, u.version FROM users u
		WHERE instr(lower(u.name), lower(?2)) AND true ORDER BY u.seq LIMIT ?3

SELECT p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM posts p
		WHERE instr(lower(p.title), lower(?2)) AND p.tenant = ?1 ORDER BY p.seq DESC LIMIT ?3

SELECT p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM posts p
		WHERE instr(lower(p.title), lower(?2)) AND true ORDER BY p.seq DESC LIMIT ?3

SELECT t.id, t.tenant, t.name, t.version FROM tags t
		WHERE instr(lower(t.name), lower(?2)) AND t.tenant = ?1 ORDER BY t.name, t.seq LIMIT ?3

SELECT t.id, t.tenant, t.name, t.version FROM tags t
		WHERE instr(lower(t.name), lower(?2)) AND true ORDER BY t.name, t.seq LIMIT ?3

SELECT p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM feed p
		WHERE p.tenant = ?1 ORDER BY p.seq DESC LIMIT ?2 OFFSET ?3

SELECT p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM feed p
		WHERE true ORDER BY p.seq DESC LIMIT ?2 OFFSET ?3

SELECT p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM posts p
		WHERE p.status = ?2 AND p.tenant = ?1 ORDER BY p.seq DESC LIMIT ?3 OFFSET ?4

SELECT p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM posts p
		WHERE p.status = ?2 AND true ORDER BY p.seq DESC LIMIT ?3 OFFSET ?4

SELECT count(*) FROM posts p
		WHERE p.author_id = ?2 AND (?3 IS NULL OR p.status = ?3) AND +p.tenant = ?1

SELECT count(*) FROM posts p
		WHERE p.author_id = ?2 AND (?3 IS NULL OR p.status = ?3) AND true

SELECT k.value, p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM json_each(?2) k
		CROSS JOIN posts p ON p.seq IN (
			SELECT q.seq FROM posts q WHERE q.author_id = k.value AND (?3 IS NULL OR q.status = ?3)
			ORDER BY q.seq DESC LIMIT ?4 OFFSET ?5)
		WHERE p.tenant = ?1 ORDER BY p.seq DESC

SELECT k.value, p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM json_each(?2) k
		CROSS JOIN posts p ON p.seq IN (
			SELECT q.seq FROM posts q WHERE q.author_id = k.value AND (?3 IS NULL OR q.status = ?3)
			ORDER BY q.seq DESC LIMIT ?4 OFFSET ?5)
		WHERE true ORDER BY p.seq DESC

SELECT k.value, p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM json_each(?2) k
		CROSS JOIN posts p ON p.seq IN (
			SELECT q.seq FROM post_tags x CROSS JOIN posts q ON q.id = x.post_id WHERE x.tag_id = k.value
			ORDER BY q.seq DESC LIMIT ?3)
		WHERE p.tenant = ?1 ORDER BY p.seq DESC

SELECT k.value, p.id, p.tenant, p.author_id, p.title, p.body, p.status, p.version, p.seq FROM json_each(?2) k
		CROSS JOIN posts p ON p.seq IN (
			SELECT q.seq FROM post_tags x CROSS JOIN posts q ON q.id = x.post_id WHERE x.tag_id = k.value
			ORDER BY q.seq DESC LIMIT ?3)
		WHERE true ORDER BY p.seq DESC

SELECT c.id, c.tenant, c.post_id, c.author_id, c.body, c.version FROM json_each(?2) k
		CROSS JOIN comments c ON c.seq IN (
			SELECT q.seq FROM comments q WHERE q.post_id = k.value ORDER BY q.seq LIMIT ?3)
		WHERE c.tenant = ?1 ORDER BY c.seq

SELECT c.id, c.tenant, c.post_id, c.author_id, c.body, c.version FROM json_each(?2) k
		CROSS JOIN comments c ON c.seq IN (
			SELECT q.seq FROM comments q WHERE q.post_id = k.value ORDER BY q.seq LIMIT ?3)
		WHERE true ORDER BY c.seq

SELECT c.post_id, count(*) FROM json_each(?2) k
		CROSS JOIN comments c ON c.post_id = k.value WHERE c.tenant = ?1 GROUP BY c.post_id

SELECT c.post_id, count(*) FROM json_each(?2) k
		CROSS JOIN comments c ON c.post_id = k.value WHERE true GROUP BY c.post_id

SELECT x.post_id, t.id, t.tenant, t.name, t.version FROM json_each(?2) k
		CROSS JOIN post_tags x ON x.post_id = k.value
		CROSS JOIN tags t ON t.id = x.tag_id
		WHERE t.tenant = ?1 ORDER BY t.name, t.seq

SELECT x.post_id, t.id, t.tenant, t.name, t.version FROM json_each(?2) k
		CROSS JOIN post_tags x ON x.post_id = k.value
		CROSS JOIN tags t ON t.id = x.tag_id
		WHERE true ORDER BY t.name, t.seq

SELECT id, tenant, email, name, bio, karma, version FROM users WHERE id = ?2 AND users.tenant = ?1

SELECT id, tenant, email, name, bio, karma, version FROM users WHERE id = ?2 AND true

SELECT id, tenant, author_id, title, body, status, version, seq FROM posts WHERE id = ?2 AND posts.tenant = ?1

SELECT id, tenant, author_id, title, body, status, version, seq FROM posts WHERE id = ?2 AND true

SELECT id, tenant, name, version FROM tags WHERE id = ?2 AND tags.tenant = ?1

SELECT id, tenant, name, version FROM tags WHERE id = ?2 AND true

INSERT INTO comments (tenant, id, post_id, author_id, body)
		SELECT p.tenant, ?2, p.id, u.id, ?5 FROM posts p JOIN users u ON u.tenant = p.tenant
		WHERE p.id = ?3 AND u.id = ?4 AND +p.tenant = ?1 RETURNING id, tenant, post_id, author_id, body, version

INSERT INTO comments (tenant, id, post_id, author_id, body)
		SELECT p.tenant, ?2, p.id, u.id, ?5 FROM posts p JOIN users u ON u.tenant = p.tenant
		WHERE p.id = ?3 AND u.id = ?4 AND true RETURNING id, tenant, post_id, author_id, body, version

UPDATE comments SET body = ?3, version = version + 1
		WHERE id = ?2 AND comments.tenant = ?1 RETURNING id, tenant, post_id, author_id, body, version

UPDATE comments SET body = ?3, version = version + 1
		WHERE id = ?2 AND true RETURNING id, tenant, post_id, author_id, body, version

DELETE FROM comments WHERE id = ?2 AND comments.tenant = ?1
		RETURNING id, tenant, post_id, author_id, body, version

DELETE FROM comments WHERE id = ?2 AND true
		RETURNING id, tenant, post_id, author_id, body, version

INSERT INTO posts (tenant, id, author_id, title, body, status)
		SELECT u.tenant, ?2, u.id, ?4, ?5, ?6 FROM users u WHERE u.id = ?3 AND u.tenant = ?1
		RETURNING id, tenant, author_id, title, body, status, version, seq

INSERT INTO posts (tenant, id, author_id, title, body, status)
		SELECT u.tenant, ?2, u.id, ?4, ?5, ?6 FROM users u WHERE u.id = ?3 AND true
		RETURNING id, tenant, author_id, title, body, status, version, seq

SELECT count(*) FROM posts p JOIN users u ON u.tenant = p.tenant
		WHERE p.id = ?2 AND u.id = ?3 AND p.tenant = ?1

SELECT count(*) FROM posts p JOIN users u ON u.tenant = p.tenant
		WHERE p.id = ?2 AND u.id = ?3 AND true

UPDATE posts SET author_id = coalesce(?3, author_id), title = coalesce(?4, title),
		body = coalesce(?5, body), status = coalesce(?6, status), version = version + 1
		WHERE id = ?2 AND posts.tenant = ?1 RETURNING id, tenant, author_id, title, body, status, version, seq

UPDATE posts SET author_id = coalesce(?3, author_id), title = coalesce(?4, title),
		body = coalesce(?5, body), status = coalesce(?6, status), version = version + 1
		WHERE id = ?2 AND true RETURNING id, tenant, author_id, title, body, status, version, seq

UPDATE posts SET status = 'PUBLISHED', version = version + 1
		WHERE id = ?2 AND status <> 'PUBLISHED' AND posts.tenant = ?1 RETURNING id, tenant, author_id, title, body, status, version, seq

UPDATE posts SET status = 'PUBLISHED', version = version + 1
		WHERE id = ?2 AND status <> 'PUBLISHED' AND true RETURNING id, tenant, author_id, title, body, status, version, seq

UPDATE users SET karma = karma + 10, version = version + 1 WHERE id = ?2

SELECT id, tenant, author_id, title, body, status, version, seq FROM posts
		WHERE id IN (SELECT value FROM json_each(?2)) AND +posts.tenant = ?1

SELECT id, tenant, author_id, title, body, status, version, seq FROM posts
		WHERE id IN (SELECT value FROM json_each(?2)) AND true

UPDATE posts SET status = ?3, version = version + 1
		WHERE id IN (SELECT value FROM json_each(?2)) AND +posts.tenant = ?1

UPDATE posts SET status = ?3, version = version + 1
		WHERE id IN (SELECT value FROM json_each(?2)) AND true

SELECT id, tenant, author_id, title, body, status, version, seq FROM posts
		WHERE author_id = ?2 AND status <> 'ARCHIVED' AND +posts.tenant = ?1

SELECT id, tenant, author_id, title, body, status, version, seq FROM posts
		WHERE author_id = ?2 AND status <> 'ARCHIVED' AND true

UPDATE posts SET status = 'ARCHIVED', version = version + 1
		WHERE author_id = ?2 AND status <> 'ARCHIVED' AND +posts.tenant = ?1

UPDATE posts SET status = 'ARCHIVED', version = version + 1
		WHERE author_id = ?2 AND status <> 'ARCHIVED' AND true

DELETE FROM post_tags WHERE post_id = ?2

DELETE FROM comments WHERE post_id = ?2 RETURNING id, tenant, post_id, author_id, body, version

DELETE FROM posts WHERE id = ?2

INSERT INTO tags (tenant, id, name) VALUES (?1, ?2, ?3) RETURNING id, tenant, name, version

UPDATE tags SET name = ?3, version = version + 1
		WHERE id = ?2 AND tags.tenant = ?1 RETURNING id, tenant, name, version

UPDATE tags SET name = ?3, version = version + 1
		WHERE id = ?2 AND true RETURNING id, tenant, name, version

DELETE FROM post_tags WHERE tag_id = ?2

DELETE FROM tags WHERE id = ?2

INSERT OR IGNORE INTO post_tags (tenant, post_id, tag_id) VALUES (?2, ?3, ?4)

DELETE FROM post_tags WHERE post_id = ?2 AND tag_id = ?3

INSERT INTO users (tenant, id, email, name, bio) VALUES (?1, ?2, ?3, ?4, ?5)
		RETURNING id, tenant, email, name, bio, karma, version

UPDATE users SET email = coalesce(?3, email), name = coalesce(?4, name),
		bio = coalesce(?5, bio), version = version + 1
		WHERE id = ?2 AND users.tenant = ?1 RETURNING id, tenant, email, name, bio, karma, version

UPDATE users SET email = coalesce(?3, email), name = coalesce(?4, name),
		bio = coalesce(?5, bio), version = version + 1
		WHERE id = ?2 AND true RETURNING id, tenant, email, name, bio, karma, version

DELETE FROM post_tags WHERE post_id IN (SELECT id FROM posts WHERE author_id = ?2)

DELETE FROM comments WHERE author_id = ?2
		OR post_id IN (SELECT id FROM posts WHERE author_id = ?2) RETURNING id, tenant, post_id, author_id, body, version

DELETE FROM posts WHERE author_id = ?2 RETURNING id, tenant, author_id, title, body, status, version, seq

DELETE FROM users WHERE id = ?2

-- seq is the creation order. AUTOINCREMENT keeps it growing after the newest row was deleted.
CREATE TABLE IF NOT EXISTS users (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  id      TEXT NOT NULL UNIQUE,
  tenant  TEXT NOT NULL,
  email   TEXT NOT NULL,
  name    TEXT NOT NULL,
  bio     TEXT,
  karma   INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 1,
  UNIQUE (tenant, email)
)

CREATE INDEX IF NOT EXISTS users_tenant ON users (tenant, seq)

CREATE INDEX IF NOT EXISTS users_email ON users (email, seq)

CREATE TABLE IF NOT EXISTS posts (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  id        TEXT NOT NULL UNIQUE,
  tenant    TEXT NOT NULL,
  author_id TEXT NOT NULL REFERENCES users (id),
  title     TEXT NOT NULL,
  body      TEXT NOT NULL,
  status    TEXT NOT NULL,
  version   INTEGER NOT NULL DEFAULT 1
)

CREATE INDEX IF NOT EXISTS posts_tenant ON posts (tenant, seq)

CREATE INDEX IF NOT EXISTS posts_author ON posts (author_id, seq)

CREATE INDEX IF NOT EXISTS posts_author_status ON posts (author_id, status)

CREATE INDEX IF NOT EXISTS posts_tenant_status ON posts (tenant, status, seq)

CREATE INDEX IF NOT EXISTS posts_status ON posts (status, seq)

CREATE TABLE IF NOT EXISTS comments (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  id        TEXT NOT NULL UNIQUE,
  tenant    TEXT NOT NULL,
  post_id   TEXT NOT NULL REFERENCES posts (id),
  author_id TEXT NOT NULL REFERENCES users (id),
  body      TEXT NOT NULL,
  version   INTEGER NOT NULL DEFAULT 1
)

CREATE INDEX IF NOT EXISTS comments_post ON comments (post_id, seq)

CREATE INDEX IF NOT EXISTS comments_author ON comments (author_id)

CREATE TABLE IF NOT EXISTS tags (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  id      TEXT NOT NULL UNIQUE,
  tenant  TEXT NOT NULL,
  name    TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1
)

CREATE INDEX IF NOT EXISTS tags_tenant ON tags (tenant, name, seq)

CREATE INDEX IF NOT EXISTS tags_name ON tags (name, seq)

CREATE TABLE IF NOT EXISTS post_tags (
  tenant  TEXT NOT NULL,
  post_id TEXT NOT NULL REFERENCES posts (id),
  tag_id  TEXT NOT NULL REFERENCES tags (id),
  PRIMARY KEY (post_id, tag_id)
) WITHOUT ROWID

CREATE INDEX IF NOT EXISTS post_tags_tag ON post_tags (tag_id, post_id)

CREATE VIEW IF NOT EXISTS feed AS
SELECT * FROM posts WHERE status = 'PUBLISHED'

CREATE VIEW IF NOT EXISTS post_tag_names AS
SELECT x.tenant, x.post_id, x.tag_id, t.name AS tag_name, t.seq AS tag_seq
FROM post_tags x JOIN tags t ON t.id = x.tag_id

CREATE VIEW IF NOT EXISTS author_stats AS
SELECT u.tenant, u.seq, u.id AS author_id,
  (SELECT count(*) FROM posts p WHERE p.author_id = u.id) AS post_count,
  (SELECT count(*) FROM posts p WHERE p.author_id = u.id AND p.status = 'PUBLISHED') AS published_count,
  (SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = u.id) AS comment_count,
  (SELECT p.id FROM posts p WHERE p.author_id = u.id ORDER BY p.seq DESC LIMIT 1) AS latest_post_id
FROM users u

-- The database's name. What processes over it share elsewhere is kept under it.
CREATE TABLE IF NOT EXISTS about (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  name TEXT NOT NULL
)

INSERT OR IGNORE INTO about VALUES (1, lower(hex(randomblob(16))))

PRAGMA journal_mode = WAL

BEGIN IMMEDIATE

BEGIN

COMMIT

ROLLBACK

SELECT name FROM about
