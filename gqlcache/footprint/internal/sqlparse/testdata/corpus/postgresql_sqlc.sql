-- name: GetAuthor :one
SELECT id, name, bio, created_at FROM authors
WHERE id = $1 LIMIT 1

-- name: ListAuthors :many
SELECT id, name, bio, created_at FROM authors
ORDER BY name

-- name: CreateAuthor :one
INSERT INTO authors (
  name, bio
) VALUES (
  $1, $2
)
RETURNING id, name, bio, created_at

-- name: UpdateAuthor :exec
UPDATE authors
  set name = $2,
  bio = $3
WHERE id = $1

-- name: DeleteAuthor :exec
DELETE FROM authors
WHERE id = $1

-- name: PartialUpdate :one
UPDATE authors SET
  name = coalesce($1, name),
  bio = CASE WHEN $2::boolean THEN $3 ELSE bio END,
  updated_at = now()
WHERE id = $4
RETURNING *

-- name: ListByIDs :many
SELECT id, name, bio, created_at FROM authors WHERE id = ANY($1::bigint[])

-- name: SearchBooks :many
SELECT b.id, b.title, b.author_id, a.name AS author_name
FROM books b
JOIN authors a ON a.id = b.author_id
WHERE ($1::text IS NULL OR b.title ILIKE '%' || $1 || '%')
  AND ($2::timestamptz IS NULL OR b.created_at >= $2)
ORDER BY b.created_at DESC, b.id DESC
LIMIT $3 OFFSET $4

-- name: ListAfter :many
SELECT id, title FROM books
WHERE (created_at, id) < ($1::timestamptz, $2::bigint)
ORDER BY created_at DESC, id DESC
FETCH FIRST 20 ROWS ONLY

-- name: CountByAuthor :many
SELECT author_id, count(*) AS books, max(created_at)::timestamptz AS newest
FROM books GROUP BY author_id HAVING count(*) > $1 ORDER BY count(*) DESC

-- name: UpsertSetting :exec
INSERT INTO settings (user_id, name, value) VALUES ($1, $2, $3)
ON CONFLICT (user_id, name) DO UPDATE SET value = EXCLUDED.value, updated_at = now()
WHERE settings.value IS DISTINCT FROM EXCLUDED.value

-- name: InsertIgnore :execrows
INSERT INTO follows (follower_id, followed_id) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: UpsertByConstraint :one
INSERT INTO tags AS t (name) VALUES ($1)
ON CONFLICT ON CONSTRAINT tags_name_key DO UPDATE SET name = t.name
RETURNING t.id

-- name: BulkInsert :exec
INSERT INTO events (id, kind, payload)
SELECT unnest($1::uuid[]), unnest($2::text[]), unnest($3::jsonb[])

-- name: BulkUpdate :exec
UPDATE books AS b SET price = v.price
FROM (SELECT unnest($1::bigint[]) AS id, unnest($2::numeric[]) AS price) AS v
WHERE b.id = v.id

-- name: TakeJob :one
UPDATE jobs SET state = 'running', attempt = attempt + 1, locked_at = now()
WHERE id = (
  SELECT id FROM jobs
  WHERE state = 'available' AND scheduled_at <= now()
  ORDER BY priority, scheduled_at
  LIMIT 1
  FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, args

-- name: Tree :many
WITH RECURSIVE tree AS (
  SELECT id, parent_id, name, 1 AS depth FROM categories WHERE id = $1
  UNION ALL
  SELECT c.id, c.parent_id, c.name, t.depth + 1
  FROM categories c JOIN tree t ON c.parent_id = t.id
)
SELECT id, parent_id, name, depth FROM tree ORDER BY depth, name

-- name: Archive :exec
WITH moved AS (
  DELETE FROM posts WHERE created_at < $1 RETURNING *
)
INSERT INTO posts_archive SELECT * FROM moved

-- name: Feed :many
SELECT p.id, p.title, u.name,
  (SELECT count(*) FROM comments c WHERE c.post_id = p.id) AS comments,
  EXISTS (SELECT 1 FROM likes l WHERE l.post_id = p.id AND l.user_id = $1) AS liked
FROM posts p
INNER JOIN users u ON u.id = p.author_id
LEFT JOIN hidden h ON h.post_id = p.id AND h.user_id = $1
WHERE p.author_id IN (SELECT followed_id FROM follows WHERE follower_id = $1)
  AND h.post_id IS NULL
ORDER BY p.id DESC LIMIT 50

-- name: LatestPerAuthor :many
SELECT DISTINCT ON (author_id) author_id, id, title, created_at
FROM books ORDER BY author_id, created_at DESC

-- name: Ranked :many
SELECT id, title, rank() OVER w AS position, sum(price) OVER (PARTITION BY author_id ORDER BY id ROWS UNBOUNDED PRECEDING) AS total
FROM books
WINDOW w AS (PARTITION BY author_id ORDER BY price DESC)

-- name: Lateral :many
SELECT u.id, p.title FROM users u
CROSS JOIN LATERAL (
  SELECT title FROM posts WHERE author_id = u.id ORDER BY id DESC LIMIT 3
) p

-- name: JSON :many
SELECT id, data->>'name' AS name, data#>>'{address,city}' AS city
FROM accounts
WHERE data @> $1::jsonb AND data ? 'address' AND (data->'tags') ?| $2::text[]

-- name: Slots :many
SELECT s.day::date, coalesce(count(b.id), 0)::int AS bookings
FROM generate_series($1::date, $2::date, interval '1 day') AS s(day)
LEFT JOIN bookings b ON b.day = s.day
GROUP BY s.day ORDER BY s.day

-- name: Zoned :one
SELECT id, created_at AT TIME ZONE 'Europe/Vienna' AS local, extract(epoch FROM created_at)::bigint
FROM posts WHERE id = $1 FOR NO KEY UPDATE OF posts NOWAIT

-- name: Ordinal :many
SELECT p.id FROM unnest($1::bigint[]) WITH ORDINALITY AS k(id, n) JOIN posts p USING (id) ORDER BY k.n

-- name: Assign :exec
UPDATE posts SET (title, body) = (SELECT d.title, d.body FROM drafts d WHERE d.post_id = posts.id) WHERE id = $1

-- name: Row :exec
UPDATE posts SET (title, body, slug) = ROW($2, $3, DEFAULT) WHERE id = $1

-- name: Join :exec
DELETE FROM post_tags pt USING tags t WHERE t.id = pt.tag_id AND t.name = $1 RETURNING pt.post_id

-- name: Defaults :one
INSERT INTO sessions DEFAULT VALUES RETURNING id

-- name: Overriding :exec
INSERT INTO users (id, name) OVERRIDING SYSTEM VALUE VALUES ($1, DEFAULT), ($2, $3)
