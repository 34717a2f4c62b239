SELECT 1

SELECT last_insert_rowid(), changes(), sqlite_version()

SELECT rowid, * FROM t WHERE rowid = ?

SELECT [a b], "c d", `e` FROM [my table] AS x

SELECT a, count(*) c FROM t GROUP BY a HAVING c > 1 ORDER BY 2 DESC LIMIT 5, 10

SELECT a AS 'label', b NOT NULL, c ISNULL, d IS NOT e, f == g, h <> i FROM t

SELECT * FROM t INDEXED BY t_a WHERE a = 1 AND b GLOB 'x*' AND c REGEXP '^y' AND d NOT LIKE '\_%' ESCAPE '\'

SELECT * FROM t NOT INDEXED WHERE +a = 1 AND x IN u AND y NOT IN main.v AND z IN json_each(?)

SELECT * FROM docs WHERE docs MATCH 'sqlite NEAR fts' ORDER BY rank

SELECT snippet(docs, 0, '<b>', '</b>', '…', 10) FROM docs WHERE docs MATCH ?1

SELECT p.id, (SELECT name FROM users u WHERE u.id = p.author_id) FROM posts p WHERE NOT EXISTS (SELECT 1 FROM hidden h WHERE h.post_id = p.id)

SELECT * FROM a, b JOIN c USING (x) NATURAL LEFT JOIN d CROSS JOIN e ON e.y = a.y

SELECT * FROM a LEFT OUTER JOIN (b JOIN c ON b.i = c.i) ON a.i = b.i

SELECT x'ff', 0x1F, 1e-3, .5, 'it''s', "column", NULL, TRUE

SELECT CAST(a AS TEXT), CAST(b AS VARCHAR(10)), CAST(c AS UNSIGNED BIG INT) FROM t

SELECT a || '-' || b, a -> '$.x', a ->> 'y', ~c & 3 | 4 << 1, -d % 2 FROM t

SELECT (a, b) IN (SELECT c, d FROM u), (a, b) > (1, 2) FROM t

SELECT CASE WHEN a THEN 1 ELSE 2 END, iif(a, b, c), coalesce(a, ?), replace(a, 'x', 'y'), like('a%', b), glob('a*', b) FROM t

SELECT row_number() OVER (PARTITION BY a ORDER BY b DESC), sum(c) FILTER (WHERE d > 0) OVER w FROM t WINDOW w AS (ORDER BY e ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)

SELECT group_concat(DISTINCT name), total(n), strftime('%Y', 'now') FROM t

WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c WHERE x < 10) SELECT x FROM c

SELECT * FROM (SELECT a FROM t UNION SELECT b FROM u EXCEPT SELECT c FROM v) ORDER BY a COLLATE NOCASE

SELECT value, key FROM json_each(?1) j, t WHERE t.id = j.value

SELECT name FROM pragma_table_info('posts') WHERE pk

SELECT user, current_timestamp, date FROM log

SELECT a /* one /* comment */ FROM t

INSERT OR IGNORE INTO t (a, b) VALUES (1, 2)

INSERT OR REPLACE INTO main.t VALUES (?, ?)

REPLACE INTO t (a) SELECT b FROM u WHERE true ON CONFLICT DO NOTHING

INSERT INTO t (a, b) SELECT c, d FROM u WHERE true ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE excluded.b > t.b

INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING ON CONFLICT (b) DO UPDATE SET a = 2

INSERT INTO t DEFAULT VALUES RETURNING rowid

WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT a FROM x

UPDATE t SET a = a + 1, (b, c) = (2, 3) WHERE d = ? RETURNING a, b

UPDATE OR IGNORE t AS u SET a = 1 FROM v WHERE v.id = u.id

UPDATE t SET a = 1 WHERE b = 2 ORDER BY c LIMIT 1

DELETE FROM t WHERE a < ? RETURNING id

DELETE FROM t WHERE a = 1 ORDER BY b LIMIT 10

BEGIN DEFERRED TRANSACTION

BEGIN EXCLUSIVE

END TRANSACTION

SAVEPOINT "a b"

ROLLBACK TRANSACTION TO a

RELEASE a

EXPLAIN QUERY PLAN SELECT * FROM t WHERE a = 1

PRAGMA foreign_keys

PRAGMA main.table_xinfo(posts)

PRAGMA busy_timeout = 5000

PRAGMA wal_checkpoint(TRUNCATE)

ATTACH DATABASE 'other.db' AS other

DETACH DATABASE other

CREATE VIRTUAL TABLE docs USING fts5(title, body, content='posts')

CREATE TRIGGER posts_ai AFTER INSERT ON posts WHEN new.status = 'x' BEGIN
  INSERT INTO docs (rowid, title) VALUES (new.seq, new.title);
  UPDATE stats SET n = n + 1 WHERE author_id = new.author_id;
  SELECT CASE WHEN new.title = '' THEN RAISE(ABORT, 'empty') END;
END

CREATE INDEX IF NOT EXISTS i ON t (a COLLATE NOCASE DESC) WHERE b IS NOT NULL

ALTER TABLE t RENAME COLUMN a TO b

DROP VIEW IF EXISTS v

ANALYZE
