package e2e

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// What becomes of a statement.
const (
	known      = "known"                 // which rows it reads and writes
	readsAny   = "reads anything"        // and writes nothing
	anything   = "anything"              // it drops everything
	inDoubt    = "anything, in doubt"    // and may have ended a transaction
	redefining = "anything, definitions" // and the catalog is another one
)

func outcomeOf(s *analysis.Statement) string {
	switch {
	case s.Unknown == "":
		return known
	case s.ReadsOnly:
		return readsAny
	case s.Transaction:
		return inDoubt
	case s.Reloads:
		return redefining
	}
	return anything
}

// TestConstructs says of each construct that servers have what becomes of it. The databases
// take each statement for one, so that no row is about a text that is none.
func TestConstructs(t *testing.T) {
	t.Parallel()
	for d, rows := range map[catalog.Dialect]map[string][]string{
		catalog.PostgreSQL: {
			known: {
				`SELECT status, count(*) FROM posts GROUP BY ROLLUP (status)`,
				`SELECT status, author_id FROM posts GROUP BY CUBE (status, author_id)`,
				`SELECT status, grouping(status) FROM posts GROUP BY DISTINCT GROUPING SETS ((status), ROLLUP (author_id), ()), title HAVING count(*) > 1`,
				`MERGE INTO counters c USING posts p ON c.post_id = p.id WHEN MATCHED THEN UPDATE SET n = c.n + 1 WHEN NOT MATCHED THEN INSERT (post_id, n) VALUES (p.id, 1)`,
				`COPY users (id, name) FROM STDIN`, `COPY users FROM STDIN WITH (FORMAT csv, HEADER)`, `COPY users FROM STDIN CSV HEADER`,
				`VACUUM`, `VACUUM (ANALYZE, VERBOSE) users`, `ANALYZE`, `ANALYZE users (name)`, `ANALYZE (VERBOSE) users`,
				`REINDEX TABLE users`, `REINDEX INDEX CONCURRENTLY users_pkey`, `CHECKPOINT`,
				`EXPLAIN SELECT * FROM users`, `EXPLAIN (COSTS OFF, FORMAT JSON) UPDATE users SET name = 'x'`,
				`LISTEN x`, `UNLISTEN *`, `NOTIFY x, 'y'`, `SELECT pg_notify('x', 'y')`,
				`SELECT pg_advisory_lock(1)`, `SELECT pg_try_advisory_xact_lock(hashtext('x'))`, `SELECT pg_advisory_xact_lock(hashtextextended('x', 0))`,
				`SET LOCAL statement_timeout = '5s'`, `SET LOCAL app.tenant = 'x'`, `SET CONSTRAINTS ALL DEFERRED`, `RESET ALL`,
				`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`, `START TRANSACTION READ WRITE`, `COMMIT AND NO CHAIN`, `ROLLBACK WORK`,
				`SAVEPOINT a`, `ROLLBACK TRANSACTION TO SAVEPOINT a`, `RELEASE SAVEPOINT a`, `DEALLOCATE ALL`,
				`SELECT * FROM posts WHERE id = 'p' FOR NO KEY UPDATE SKIP LOCKED`,
				`SELECT * FROM posts p JOIN users u ON u.id = p.author_id FOR UPDATE OF p NOWAIT`,
				`UPDATE posts SET status = 'x' WHERE id = (SELECT id FROM posts WHERE status = 'y' ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *`,
				`INSERT INTO posts (id, tenant, author_id, title, status) VALUES ('x', 'a', 'u1', 't', 's') RETURNING (id), upper(title) AS up, posts.*`,
				`DELETE FROM posts p USING users u WHERE u.id = p.author_id RETURNING p.*`,
				`WITH d AS (DELETE FROM comments WHERE post_id = 'p' RETURNING id) SELECT count(*) FROM d`,
				`WITH u AS (UPDATE posts SET version = version + 1 WHERE id = 'p' RETURNING *) INSERT INTO counters SELECT id, version FROM u`,
				`INSERT INTO counters (post_id, n) VALUES ('x', 1) ON CONFLICT (post_id) DO UPDATE SET n = EXCLUDED.n WHERE counters.n <> EXCLUDED.n RETURNING (xmax = 0) AS inserted`,
				`INSERT INTO counters AS c (post_id, n) VALUES ('x', 1) ON CONFLICT ON CONSTRAINT counters_pkey DO UPDATE SET (n) = (SELECT EXCLUDED.n)`,
				`INSERT INTO counters (post_id, n) SELECT id, version FROM posts ON CONFLICT (post_id) DO NOTHING`,
				`INSERT INTO counters SELECT * FROM unnest($1::text[], $2::int[])`, `TRUNCATE users CASCADE`, `TRUNCATE TABLE counters RESTART IDENTITY`,
				`SELECT u.id, x.n FROM users u, LATERAL (SELECT count(*) AS n FROM posts p WHERE p.author_id = u.id) x`,
				`SELECT n FROM generate_series(1, 3) AS g (n)`, `SELECT p.id FROM unnest($1::text[], $2::int[]) AS t (a, b) JOIN posts p ON p.id = t.a`,
				`SELECT a FROM json_to_recordset('[{"a":1}]') AS x (a int, b text)`, `SELECT id, lag(seq) OVER w FROM posts WINDOW w AS (PARTITION BY author_id ORDER BY seq)`,
				`SELECT id, sum(version) OVER (ORDER BY seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM posts`,
				`WITH RECURSIVE t AS (SELECT id, parent_id FROM posts WHERE id = 'p' UNION SELECT p.id, p.parent_id FROM posts p JOIN t ON p.parent_id = t.id) SELECT * FROM t`,
				`INSERT INTO users (id, name) VALUES (uuid_generate_v4()::text, crypt('x', gen_salt('bf')))`, `SELECT id FROM posts WHERE unaccent(title) = unaccent('x')`,
				`SELECT id FROM posts WHERE 'red' <% title ORDER BY title <->> 'red' LIMIT 5`, `SELECT id FROM posts WHERE title OPERATOR(public.%>) 'red'`,
				`SELECT id FROM posts WHERE plain(title) = plain('x')`,
				`SELECT DISTINCT ON (author_id) id FROM posts ORDER BY author_id, seq DESC`, `SELECT total, low FROM items`,
				`UPDATE posts SET (title, status) = (SELECT name, tenant FROM users WHERE id = posts.author_id)`, `REFRESH MATERIALIZED VIEW totals`,
			},
			readsAny: {
				`SELECT relname FROM pg_class WHERE relkind = 'r'`, `SELECT pid FROM pg_stat_activity`, `SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'public'`,
				`SELECT count(*) FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA()`, `SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'x')`,
				`SELECT pg_size_pretty(pg_total_relation_size('users'))`,
				`SELECT gen_random_bytes('x')`, // a user's with the name of an extension's
			},
			anything: {
				`VACUUM FULL users`, `CLUSTER users`, // other places
				`UPDATE feed SET title = 'x' WHERE id = 'p1'`, `DELETE FROM feed`, // through a view
				`INSERT INTO ruled (id, post_id) VALUES (9, 'p1')`, `SELECT pg_cancel_backend(1)`, `SELECT last_value FROM users_seq_seq`,
			},
			inDoubt: {
				`CALL bump('p1')`, `DO $$ BEGIN UPDATE users SET name = 'x'; END $$`, `EXPLAIN ANALYZE SELECT * FROM users`, `COPY users TO STDOUT`,
				`COPY (DELETE FROM users RETURNING id) TO STDOUT`, `COPY users FROM PROGRAM 'x'`, `COMMIT AND CHAIN`, `DISCARD ALL`,
				`DECLARE c CURSOR FOR SELECT * FROM users`, `FETCH 10 FROM c`, `CLOSE c`, `PREPARE q AS SELECT * FROM users WHERE id = $1`, `EXECUTE q ('x')`,
				`SET session_replication_role = replica`, `SELECT id INTO TEMP x FROM posts`, `SET TRANSACTION SNAPSHOT '00000003-0000001B-1'`,
			},
			redefining: {`CREATE TEMP TABLE x AS SELECT * FROM posts`, `DROP TABLE IF EXISTS x`, `ALTER SEQUENCE users_seq_seq RESTART`, `CREATE INDEX CONCURRENTLY i ON posts (title)`},
		},
		catalog.SQLite: {
			known: {
				`SELECT rowid FROM found WHERE found MATCH 'apple' ORDER BY rank`, `SELECT id, highlight(bits, 1, '<', '>') FROM bits('apple')`,
				`INSERT INTO bits (id, body) VALUES ('a', 'b')`, `INSERT INTO bits (bits) VALUES ('optimize')`, `INSERT INTO pages (tenant, title) VALUES ('a', 'b')`,
				`ANALYZE`, `ANALYZE posts`, `REINDEX`, `REINDEX posts`, `PRAGMA optimize`, `PRAGMA optimize(0x10002)`, `PRAGMA incremental_vacuum(10)`,
				`PRAGMA wal_checkpoint(TRUNCATE)`, `PRAGMA journal_mode = WAL`, `PRAGMA synchronous = NORMAL`, `PRAGMA busy_timeout = 5000`,
				`PRAGMA cache_size = -20000`, `PRAGMA mmap_size = 30000000000`, `PRAGMA defer_foreign_keys = ON`, `PRAGMA table_info(posts)`,
				`SELECT name FROM pragma_table_info('posts')`, `EXPLAIN QUERY PLAN SELECT * FROM users`, `SELECT last_insert_rowid(), changes()`,
				`BEGIN EXCLUSIVE TRANSACTION`, `END TRANSACTION`, `ROLLBACK TRANSACTION TO SAVEPOINT a`, `SAVEPOINT "a b"`, `RELEASE a`,
				`SELECT k.value FROM json_each(?) k`, `SELECT j.value FROM posts, json_each(posts.title) j`, `SELECT value FROM json_tree('{}')`,
				`SELECT id, lag(seq) OVER w FROM posts WINDOW w AS (PARTITION BY author_id ORDER BY seq)`,
				`WITH RECURSIVE c (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c WHERE x < 10) SELECT x FROM c`,
				`INSERT INTO counters (post_id, n) VALUES ('x', 1) ON CONFLICT (post_id) DO UPDATE SET n = excluded.n WHERE n <> excluded.n RETURNING *`,
				`INSERT OR IGNORE INTO counters VALUES ('x', 1)`, `REPLACE INTO counters VALUES ('x', 1)`,
				`INSERT INTO counters SELECT id, version FROM posts WHERE true ON CONFLICT DO NOTHING`,
				`WITH x AS (SELECT id FROM posts) DELETE FROM counters WHERE post_id IN x`, `UPDATE posts SET title = u.name FROM users u WHERE u.id = posts.author_id`,
				`SELECT total, low FROM items`,
			},
			readsAny: {
				`SELECT name FROM sqlite_master WHERE type = 'table'`, `SELECT seq FROM sqlite_sequence WHERE name = 'journal'`, `PRAGMA user_version`,
				`PRAGMA integrity_check`, `PRAGMA foreign_key_check`, `PRAGMA page_count`,
			},
			anything: {
				`VACUUM`, `PRAGMA temp_store = MEMORY`, `PRAGMA user_version = 3`, `PRAGMA foreign_keys = ON`, `PRAGMA foreign_keys(1)`,
				`SELECT sqlite_compileoption_used('x')`, `SELECT load_extension('x')`,
			},
			inDoubt:    {`PRAGMA foreign_keys = OFF`, `PRAGMA writable_schema = 1`, `INSERT OR FAIL INTO counters VALUES ('x', 1)`, `INSERT OR ROLLBACK INTO counters VALUES ('x', 1)`},
			redefining: {`CREATE TEMP TRIGGER tt AFTER INSERT ON posts BEGIN UPDATE users SET name = 'x'; END`, `CREATE TEMP TABLE x AS SELECT * FROM posts`, `ATTACH DATABASE ':memory:' AS aux1`},
		},
	} {
		driver, dsn := "sqlite", filepath.Join(t.TempDir(), "constructs.db")
		if d == catalog.PostgreSQL {
			driver, dsn = "pgx", postgres(t)
		}
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if d == catalog.PostgreSQL {
			execAll(t, db, []string{"CREATE EXTENSION citext", "CREATE EXTENSION pg_trgm", "CREATE EXTENSION pgcrypto", `CREATE EXTENSION "uuid-ossp"`, "CREATE EXTENSION unaccent"})
		}
		execAll(t, db, modelDefinitions(d))
		if d == catalog.PostgreSQL {
			execAll(t, db, []string{`CREATE FUNCTION plain(t text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT public.unaccent('public.unaccent', t) $$;
				CREATE FUNCTION gen_random_bytes(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT max(post_id) FROM counters); END $$;
				CREATE PROCEDURE bump(id text) LANGUAGE sql AS $$ UPDATE counters SET n = n + 1 WHERE post_id = id $$`})
		}
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		c, err := catalog.Read(t.Context(), d, queryOf(conn))
		if err != nil {
			t.Fatal(err)
		}
		for want, texts := range rows {
			for _, text := range texts {
				s := analysis.Analyze(c, text)
				if got := outcomeOf(s); got != want {
					t.Errorf("%s\n is %q, expected %q: %s", text, got, want, s.Unknown)
				}
				if stmt, err := conn.PrepareContext(t.Context(), text); err != nil {
					t.Errorf("%s: %v", text, err)
				} else if err := stmt.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
