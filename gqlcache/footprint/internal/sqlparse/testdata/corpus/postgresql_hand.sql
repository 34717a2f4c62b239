SELECT 1

select version()

SELECT current_user, session_user, current_database(), pg_backend_pid()

VALUES (1, 'a'), (2, 'b') ORDER BY 1

TABLE ONLY users

WITH a AS MATERIALIZED (SELECT 1 AS x), b AS NOT MATERIALIZED (SELECT * FROM a) SELECT a.x FROM a, b WHERE a.x = b.x

SELECT a.*, b.id FROM schema1.a AS a FULL OUTER JOIN schema2.b AS b ON a.id = b.id AND (a.kind, b.kind) IN (('x', 'y'), ('z', 'w'))

SELECT * FROM (a JOIN b ON a.id = b.a_id) LEFT JOIN (c NATURAL JOIN d) AS cd ON cd.x = a.x

SELECT * FROM ((SELECT 1 AS x) UNION (SELECT 2)) AS u WHERE x = ((SELECT max(y) FROM v))

SELECT * FROM ((SELECT 1 AS x) a CROSS JOIN b)

SELECT count(*) FILTER (WHERE state = 'done') AS done, percentile_disc(0.5) WITHIN GROUP (ORDER BY took) AS median FROM jobs

SELECT string_agg(DISTINCT name, ', ' ORDER BY name DESC NULLS LAST) FROM tags

SELECT lag(x, 1) OVER (ORDER BY t RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM m

SELECT region, product, sum(n) FROM sales GROUP BY GROUPING SETS ((region, product), (region), ())

SELECT region, sum(n) FROM sales GROUP BY ROLLUP (region, product), year

SELECT * FROM posts TABLESAMPLE bernoulli (10) REPEATABLE (1)

SELECT * FROM users ORDER BY score DESC FETCH FIRST 10 ROWS WITH TIES

SELECT * FROM a EXCEPT ALL SELECT * FROM b INTERSECT SELECT * FROM c OFFSET 2 ROWS FETCH NEXT ROW ONLY

SELECT x[1], x[2:3], x[:2], (y).z, ARRAY[1, 2] || x, ARRAY(SELECT id FROM t) FROM t

SELECT E'a\'b\n', U&'\0041' UESCAPE '!', B'101', X'ff', $$it's$$, $fn$ $$ $fn$, 'a''b', 1e3, .5, 1.

SELECT CAST(x AS numeric(10, 2)), x::timestamp(3) without time zone, '{}'::jsonb, 'x'::"char", x::int[][] FROM t

SELECT date '2020-01-01' + interval '1' month, timestamptz '2020-01-01 00:00+00', time with time zone '10:00+01', double precision '1.5'

SELECT substring(a FROM 2 FOR 3), substring(a, 2), trim(LEADING '0' FROM a), trim(a), overlay(a PLACING 'x' FROM 1 FOR 2), position('a' IN b), left(a, 2), right(a, 3) FROM t

SELECT a IS NOT NULL, b IS TRUE, c IS NOT UNKNOWN, d IS NOT DISTINCT FROM e, f ISNULL, g NOTNULL FROM t

SELECT * FROM t WHERE a SIMILAR TO '(x|y)%' AND b NOT ILIKE '%\_%' ESCAPE '!' AND c ~* '^x' AND d !~ 'y' AND e BETWEEN SYMMETRIC 5 AND 1

SELECT * FROM t WHERE a <> ALL ($1) AND b > ANY (SELECT c FROM u) AND d LIKE ANY (ARRAY['x%', 'y%']) AND NOT e = SOME ('{1,2}')

SELECT * FROM docs WHERE to_tsvector('english', body) @@ plainto_tsquery('english', $1) ORDER BY ts_rank(tsv, plainto_tsquery($1)) DESC

SELECT * FROM t WHERE a OPERATOR(pg_catalog.=) 1 AND (b #- '{x}') @? '$.y' AND c -> 0 ->> 'z' = 'w' AND r -|- s AND i << j

SELECT f(VARIADIC ARRAY[1, 2]), make_interval(days => 10), jsonb_build_object('a', t.*) FROM t

SELECT CASE WHEN a > 1 THEN 'x' WHEN a = 0 THEN NULL ELSE b END, CASE c WHEN 1 THEN 2 END FROM t

SELECT r.key, r.value FROM t, LATERAL jsonb_each_text(t.data) AS r(key, value) WHERE r.value <> ''

SELECT * FROM json_to_recordset($1) AS x(a int, b text, c numeric(3, 1)[])

SELECT * FROM pg_get_keywords() k, generate_series(1, 3) g

SELECT "Weird Name"."Column", 'x' AS "select", y AS offset FROM "Weird Name"

SELECT a -- comment; with a semicolon
  , b /* nested /* comment; */ here */ FROM t

SELECT localtimestamp(3), current_date, current_time(0) AT TIME ZONE 'UTC' COLLATE "C"

SELECT NOT a AND b OR c, -x ^ 2, +y, ~z, @w, |/ v, a % 2 = 0 FROM t

SELECT FROM t WHERE EXISTS (SELECT)

INSERT INTO t (a, b) TABLE u

INSERT INTO audit (who, what) (SELECT id, 'login' FROM users WHERE active) RETURNING *

INSERT INTO t (a) VALUES ($1) ON CONFLICT (lower(a) COLLATE "C" text_pattern_ops) WHERE b IS NULL DO UPDATE SET (a, b) = (excluded.a, DEFAULT), c = t.c + 1 WHERE t.c < 10 RETURNING (xmax = 0) AS inserted

WITH x AS (INSERT INTO a (n) VALUES (1) RETURNING id), y AS (UPDATE b SET n = 2 WHERE id IN (SELECT id FROM x) RETURNING id) DELETE FROM c USING y WHERE c.id = y.id

UPDATE ONLY t * SET tags[1] = 'x', addr.street = 'y', n = DEFAULT WHERE CURRENT OF cur

UPDATE t SET a = u.a FROM u LEFT JOIN v ON v.id = u.id, w WHERE t.id = u.id AND w.id = t.id RETURNING t.*, u.a AS old

DELETE FROM ONLY t WHERE a = $1 AND b IS NULL

BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE

START TRANSACTION READ WRITE

COMMIT WORK

END

ABORT

ROLLBACK WORK TO SAVEPOINT a

RELEASE SAVEPOINT a

PREPARE TRANSACTION 'tx-1'

COMMIT PREPARED 'tx-1'

ROLLBACK PREPARED 'tx-1'

SET search_path = tenant_1, "$user", public

SET LOCAL app.tenant_id TO 'a1'

SET SESSION statement_timeout TO '5s'

SET TIME ZONE LOCAL

SET ROLE reader

SET work_mem TO DEFAULT

SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY

RESET ROLE

SHOW server_version

LISTEN "order changes"

NOTIFY orders, '{"id":1}'

DEALLOCATE PREPARE lrupsc_1

LOCK TABLE a, b IN SHARE ROW EXCLUSIVE MODE

EXPLAIN (VERBOSE, FORMAT JSON) WITH x AS (SELECT 1) SELECT * FROM x

ANALYZE VERBOSE posts (author_id)

TRUNCATE TABLE ONLY a, b RESTART IDENTITY CASCADE

REFRESH MATERIALIZED VIEW CONCURRENTLY stats

CREATE TABLE IF NOT EXISTS t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text DEFAULT 'x;y' CHECK (a <> ''))

CREATE OR REPLACE FUNCTION touch() RETURNS trigger AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END; $$ LANGUAGE plpgsql

CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()

CREATE INDEX CONCURRENTLY i ON t USING gin (data jsonb_path_ops) WHERE a IS NOT NULL

ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 0, DROP COLUMN d

DROP TABLE IF EXISTS a, b CASCADE

COMMENT ON COLUMN t.a IS 'a; b'

GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader
