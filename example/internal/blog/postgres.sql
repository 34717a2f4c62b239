-- The tables of sqlite.sql. The tenants are kept apart by policies: a transaction sees and writes
-- the rows of the tenant that app.tenant names, and all rows when that is the administrator.
-- FORCE: they apply to the owner of the tables, too. Names of tags are in binary order.

CREATE TABLE users (
  seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id      text NOT NULL UNIQUE,
  tenant  text NOT NULL,
  email   text NOT NULL,
  name    text NOT NULL,
  bio     text,
  karma   integer NOT NULL DEFAULT 0,
  version integer NOT NULL DEFAULT 1,
  UNIQUE (tenant, email)
);
CREATE INDEX users_tenant ON users (tenant, seq);
CREATE INDEX users_email ON users (email, seq);

CREATE TABLE posts (
  seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id        text NOT NULL UNIQUE,
  tenant    text NOT NULL,
  author_id text NOT NULL REFERENCES users (id),
  title     text NOT NULL,
  body      text NOT NULL,
  status    text NOT NULL,
  version   integer NOT NULL DEFAULT 1
);
CREATE INDEX posts_tenant ON posts (tenant, seq);
CREATE INDEX posts_author ON posts (author_id, seq);
CREATE INDEX posts_author_status ON posts (author_id, status);
CREATE INDEX posts_tenant_status ON posts (tenant, status, seq);
CREATE INDEX posts_status ON posts (status, seq);

CREATE TABLE comments (
  seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id        text NOT NULL UNIQUE,
  tenant    text NOT NULL,
  post_id   text NOT NULL REFERENCES posts (id),
  author_id text NOT NULL REFERENCES users (id),
  body      text NOT NULL,
  version   integer NOT NULL DEFAULT 1
);
CREATE INDEX comments_post ON comments (post_id, seq);
CREATE INDEX comments_author ON comments (author_id);

CREATE TABLE tags (
  seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id      text NOT NULL UNIQUE,
  tenant  text NOT NULL,
  name    text COLLATE "C" NOT NULL,
  version integer NOT NULL DEFAULT 1
);
CREATE INDEX tags_tenant ON tags (tenant, name, seq);
CREATE INDEX tags_name ON tags (name, seq);

CREATE TABLE post_tags (
  tenant  text NOT NULL,
  post_id text NOT NULL REFERENCES posts (id),
  tag_id  text NOT NULL REFERENCES tags (id),
  PRIMARY KEY (post_id, tag_id)
);
CREATE INDEX post_tags_tag ON post_tags (tag_id, post_id);

ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE posts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE comments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE tags ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE post_tags ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON users USING (tenant = current_setting('app.tenant', true));
CREATE POLICY tenant ON posts USING (tenant = current_setting('app.tenant', true));
CREATE POLICY tenant ON comments USING (tenant = current_setting('app.tenant', true));
CREATE POLICY tenant ON tags USING (tenant = current_setting('app.tenant', true));
CREATE POLICY tenant ON post_tags USING (tenant = current_setting('app.tenant', true));

CREATE POLICY administrator ON users USING (current_setting('app.tenant', true) = '*');
CREATE POLICY administrator ON posts USING (current_setting('app.tenant', true) = '*');
CREATE POLICY administrator ON comments USING (current_setting('app.tenant', true) = '*');
CREATE POLICY administrator ON tags USING (current_setting('app.tenant', true) = '*');
CREATE POLICY administrator ON post_tags USING (current_setting('app.tenant', true) = '*');

-- security_invoker: the policies are those for who reads the view, not for its owner.

CREATE VIEW feed WITH (security_invoker = true) AS
SELECT * FROM posts WHERE status = 'PUBLISHED';

CREATE VIEW post_tag_names WITH (security_invoker = true) AS
SELECT x.tenant, x.post_id, x.tag_id, t.name AS tag_name, t.seq AS tag_seq
FROM post_tags x JOIN tags t ON t.id = x.tag_id;

CREATE VIEW author_stats WITH (security_invoker = true) AS
SELECT u.tenant, u.seq, u.id AS author_id,
  (SELECT count(*) FROM posts p WHERE p.author_id = u.id) AS post_count,
  (SELECT count(*) FROM posts p WHERE p.author_id = u.id AND p.status = 'PUBLISHED') AS published_count,
  (SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = u.id) AS comment_count,
  (SELECT p.id FROM posts p WHERE p.author_id = u.id ORDER BY p.seq DESC LIMIT 1) AS latest_post_id
FROM users u;

-- The last table: where it is, all are.
CREATE TABLE about (
  one  integer PRIMARY KEY CHECK (one = 1),
  name text NOT NULL
);
INSERT INTO about VALUES (1, replace(gen_random_uuid()::text, '-', ''));
