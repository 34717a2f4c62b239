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
);
CREATE INDEX IF NOT EXISTS users_tenant ON users (tenant, seq);
CREATE INDEX IF NOT EXISTS users_email ON users (email, seq);

CREATE TABLE IF NOT EXISTS posts (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  id        TEXT NOT NULL UNIQUE,
  tenant    TEXT NOT NULL,
  author_id TEXT NOT NULL REFERENCES users (id),
  title     TEXT NOT NULL,
  body      TEXT NOT NULL,
  status    TEXT NOT NULL,
  version   INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX IF NOT EXISTS posts_tenant ON posts (tenant, seq);
CREATE INDEX IF NOT EXISTS posts_author ON posts (author_id, seq);
CREATE INDEX IF NOT EXISTS posts_author_status ON posts (author_id, status);
CREATE INDEX IF NOT EXISTS posts_tenant_status ON posts (tenant, status, seq);
CREATE INDEX IF NOT EXISTS posts_status ON posts (status, seq);

CREATE TABLE IF NOT EXISTS comments (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  id        TEXT NOT NULL UNIQUE,
  tenant    TEXT NOT NULL,
  post_id   TEXT NOT NULL REFERENCES posts (id),
  author_id TEXT NOT NULL REFERENCES users (id),
  body      TEXT NOT NULL,
  version   INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX IF NOT EXISTS comments_post ON comments (post_id, seq);
CREATE INDEX IF NOT EXISTS comments_author ON comments (author_id);

CREATE TABLE IF NOT EXISTS tags (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  id      TEXT NOT NULL UNIQUE,
  tenant  TEXT NOT NULL,
  name    TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX IF NOT EXISTS tags_tenant ON tags (tenant, name, seq);
CREATE INDEX IF NOT EXISTS tags_name ON tags (name, seq);

CREATE TABLE IF NOT EXISTS post_tags (
  tenant  TEXT NOT NULL,
  post_id TEXT NOT NULL REFERENCES posts (id),
  tag_id  TEXT NOT NULL REFERENCES tags (id),
  PRIMARY KEY (post_id, tag_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS post_tags_tag ON post_tags (tag_id, post_id);

CREATE VIEW IF NOT EXISTS feed AS
SELECT * FROM posts WHERE status = 'PUBLISHED';

CREATE VIEW IF NOT EXISTS post_tag_names AS
SELECT x.tenant, x.post_id, x.tag_id, t.name AS tag_name, t.seq AS tag_seq
FROM post_tags x JOIN tags t ON t.id = x.tag_id;

CREATE VIEW IF NOT EXISTS author_stats AS
SELECT u.tenant, u.seq, u.id AS author_id,
  (SELECT count(*) FROM posts p WHERE p.author_id = u.id) AS post_count,
  (SELECT count(*) FROM posts p WHERE p.author_id = u.id AND p.status = 'PUBLISHED') AS published_count,
  (SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = u.id) AS comment_count,
  (SELECT p.id FROM posts p WHERE p.author_id = u.id ORDER BY p.seq DESC LIMIT 1) AS latest_post_id
FROM users u;

-- The database's name. What processes over it share elsewhere is kept under it.
CREATE TABLE IF NOT EXISTS about (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  name TEXT NOT NULL
);
INSERT OR IGNORE INTO about VALUES (1, lower(hex(randomblob(16))));
