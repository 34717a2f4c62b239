package e2e

import (
	"cmp"
	"context"
	"database/sql"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsqlite"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// historySchema has triggers that give up in each way.
var historySchema = []string{
	`CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, karma INT DEFAULT 7, rate REAL, b BLOB, x)`,
	`CREATE TABLE posts (id INTEGER PRIMARY KEY, author INT REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, title TEXT, status TEXT DEFAULT 'P', v INT UNIQUE ON CONFLICT REPLACE)`,
	`CREATE TABLE comments (id INTEGER PRIMARY KEY, post INT, body TEXT, who INT REFERENCES users ON DELETE SET NULL)`,
	`CREATE TABLE pairs (a INT, b TEXT, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID`,
	`CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT)`,
	`CREATE TABLE plain (a INT, b TEXT, c)`,
	`CREATE TRIGGER t1 AFTER UPDATE OF status ON posts BEGIN INSERT INTO log (what) VALUES (old.status || new.status); UPDATE users SET karma = karma + 1 WHERE id = new.author; END`,
	`CREATE TRIGGER t2 BEFORE INSERT ON comments WHEN new.body = 'ignore' BEGIN INSERT INTO log (what) VALUES ('ignored'); SELECT RAISE(IGNORE); END`,
	`CREATE TRIGGER t3 BEFORE INSERT ON comments WHEN new.body = 'fail' BEGIN INSERT INTO log (what) VALUES ('failed'); SELECT RAISE(FAIL, 'no'); END`,
	`CREATE TRIGGER t4 BEFORE INSERT ON comments WHEN new.body = 'rollback' BEGIN INSERT INTO log (what) VALUES ('undone'); SELECT RAISE(ROLLBACK, 'no'); END`,
	`CREATE TRIGGER t5 AFTER DELETE ON comments BEGIN UPDATE pairs SET c = c || 'x' WHERE a = old.post; END`,
	`INSERT INTO users (id, name) VALUES (1, 'ann'), (2, 'bob'), (3, 'cid')`,
	`INSERT INTO posts (id, author, title, v) VALUES (1, 1, 'a', 1), (2, 1, 'b', 2), (3, 2, 'c', 3)`,
	`INSERT INTO comments VALUES (1, 1, 'x', 1), (2, 1, 'y', 2), (3, 3, 'z', 3)`,
	`INSERT INTO pairs VALUES (1, 'a', 'c'), (2, 'b', 'd')`,
	`INSERT INTO plain VALUES (1, 'a', 1), (2, 'b', 2.5)`,
}

var historyReads = []string{
	`SELECT id, title FROM posts WHERE author = {i}`,
	`SELECT count(*) FROM posts WHERE author = {i} AND status = {s}`,
	`SELECT title, status FROM posts WHERE id = {i}`,
	`SELECT * FROM posts WHERE v = {i}`,
	`SELECT id, name FROM users WHERE karma = {i}`,
	`SELECT karma FROM users WHERE id = {i}`,
	`SELECT x, b, rate FROM users WHERE name = {n}`,
	`SELECT id, body FROM comments WHERE post = {i} ORDER BY id LIMIT 2`,
	`SELECT count(*) FROM comments WHERE who IS NULL`,
	`SELECT count(*) FROM comments c JOIN posts p ON c.post = p.id WHERE p.author = {i}`,
	`SELECT c.id, c.body FROM posts p JOIN comments c ON c.post = p.id WHERE p.author = {i} ORDER BY c.id`,
	`SELECT c FROM pairs WHERE a = {i}`,
	`SELECT count(*) FROM log WHERE what = 'failed'`,
	`SELECT b, c FROM plain WHERE a = {i}`,
	`SELECT id FROM users WHERE name LIKE '%n%' ORDER BY id DESC LIMIT 1`,
	`SELECT id, name FROM users ORDER BY id DESC LIMIT 2`,
}

// historySteps are what one connection does. "open" leaves the rows open, after some of them;
// "first" reads one row and closes; "unread" reads none; "cancel" ends the context meanwhile.
var historySteps = []string{
	`INSERT INTO posts (author, title, v) VALUES ({i}, {n}, {i})`,
	`INSERT OR REPLACE INTO posts (id, author, title, v) VALUES ({i}, {i}, {n}, {i})`,
	`UPDATE posts SET v = {i} WHERE id = {i}`,
	`UPDATE posts SET author = {i} WHERE id = {i}`,
	`UPDATE posts SET status = {s} WHERE author = {i}`,
	`first: UPDATE posts SET status = {s} RETURNING id`,
	`unread: UPDATE posts SET status = {s} WHERE id > {i} RETURNING id`,
	`unread: DELETE FROM posts WHERE id = {i}`,
	`first: INSERT INTO plain SELECT id, name, karma FROM users RETURNING a`,
	`open: UPDATE posts SET title = {n} WHERE id > {i} RETURNING id`,
	`open: DELETE FROM comments WHERE id >= {i} RETURNING id`,
	`open: INSERT INTO plain SELECT id, name, karma FROM users RETURNING a`,
	`open: SELECT * FROM posts`,
	`close`, `close`, `close`, `close`,
	`cancel: UPDATE posts SET title = {n}`,
	`UPDATE users SET name = {n} WHERE id = {i}`,
	`UPDATE OR REPLACE users SET name = {n} WHERE id = {i}`,
	`UPDATE OR IGNORE users SET id = id + 1`,
	`UPDATE OR REPLACE users SET id = {i} WHERE id = {i}`,
	`INSERT OR FAIL INTO users (id, name) VALUES ({i} + {i}, {n}), ({i}, {n})`,
	`INSERT OR ROLLBACK INTO users (id, name) VALUES ({i}, {n}), ({i}, {n})`,
	`INSERT INTO users (id, name, x) VALUES ({i}, {n}, {v}) ON CONFLICT (id) DO UPDATE SET x = excluded.x, karma = {i}`,
	`REPLACE INTO users (id, name) VALUES ({i}, {n})`,
	`DELETE FROM users WHERE id = {i}`,
	`UPDATE users SET x = {v}, b = {v}, rate = {v}, karma = {v} WHERE id = {i}`,
	`INSERT INTO comments (post, body, who) VALUES ({i}, 'ok', {i}), ({i}, {c}, {i})`,
	`INSERT INTO comments (post, body) SELECT id, {c} FROM posts`,
	`UPDATE comments SET post = {i} WHERE id = {i}`,
	`DELETE FROM comments`,
	`INSERT INTO pairs VALUES ({i}, {n}, 'q') ON CONFLICT DO UPDATE SET c = 'u'`,
	`UPDATE OR REPLACE pairs SET a = {i} WHERE b = {n}`,
	`UPDATE plain SET c = {v} WHERE a = {i}`,
	`UPDATE plain SET rowid = rowid + 10 WHERE a = {i}`,
	`DELETE FROM plain`,
	`UPDATE posts SET title = u.name FROM users u WHERE u.id = posts.author AND u.id = {i}`,
	`BEGIN`, `BEGIN`, `BEGIN IMMEDIATE`, `COMMIT`, `COMMIT`, `COMMIT`, `ROLLBACK`, `ROLLBACK`,
	`SAVEPOINT a`, `SAVEPOINT b`, `ROLLBACK TO a`, `ROLLBACK TO b`, `RELEASE a`, `RELEASE b`,
	`PRAGMA foreign_keys = {o}`, `PRAGMA recursive_triggers = {o}`, `VACUUM`,
	`CREATE TRIGGER IF NOT EXISTS tp AFTER INSERT ON log BEGIN UPDATE plain SET b = b || 'x'; END`, `DROP TRIGGER tp`,
	`ATTACH ':memory:' AS aux`, `CREATE TABLE aux.plain (a INT, b TEXT, c)`, `INSERT INTO aux.plain VALUES ({i}, {n}, {v})`, `DETACH aux`,
	`ALTER TABLE users ADD COLUMN extra TEXT DEFAULT 'e'`, `UPDATE users SET extra = {n}`, `ALTER TABLE users DROP COLUMN extra`,
}

var historyValues = map[string][]string{
	"{i}": {`1`, `2`, `3`, `4`},
	"{n}": {`'ann'`, `'bob'`, `'cid'`, `'Ann'`, `'a' || char(0) || 'b'`, `'a' || char(0) || 'c'`, `''`},
	"{s}": {`'P'`, `'D'`},
	"{c}": {`'x'`, `'ignore'`, `'fail'`, `'rollback'`},
	"{o}": {`ON`, `OFF`},
	"{v}": {`1`, `1.0`, `'1'`, `x'31'`, `x''`, `''`, `NULL`, `2.5`, `-0.0`, `0`, `9223372036854775807`, `9.3e18`},
}

// A history is what one connection of SQLite does, and the answers that were kept meanwhile.
type history struct {
	*harness
	t    *testing.T
	r    *rand.Rand
	conn *sql.Conn
	open []*sql.Rows
	done []string
	kept []keptAnswer
}

type keptAnswer struct {
	*kept
	text string
	at   int // how much was done
}

// TestConnectionHistories: whatever a connection does by its own statements, with rows that
// are open meanwhile, after errors and contexts that end, with the hook and without it, no
// answer is kept that is another one now.
func TestConnectionHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(24) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			h := newHistory(t, seed)
			for range 3 {
				for _, text := range historyReads {
					h.record(h.db, h.fill(text))
				}
			}
			for range 60 {
				h.step(h.fill(historySteps[h.r.IntN(len(historySteps))]))
				h.record(h.db, h.fill(historyReads[h.r.IntN(len(historyReads))]))
				if h.r.IntN(2) == 0 {
					h.record(h.conn, h.fill(historyReads[h.r.IntN(len(historyReads))]))
				}
				h.check()
			}
		})
	}
}

func newHistory(t *testing.T, seed uint64) *history {
	t.Helper()
	dsn := "file:" + filepath.Join(t.TempDir(), "history.db") + "?_pragma=foreign_keys(1)&_pragma=journal_mode(wal)&_pragma=synchronous(off)&_pragma=busy_timeout(1)"
	h := &history{harness: &harness{dialect: catalog.SQLite, clock: &clock{}}, t: t, r: rand.New(rand.NewPCG(seed, 9))}
	h.observer = observe.New(observe.Options{
		Dialect: catalog.SQLite, SemiJoins: seed%2 == 0, Images: []footprint.Switch{observe.On, observe.Off}[seed/2%2], Logger: slog.New(slog.DiscardHandler),
	})
	h.observer.Attach(h.clock)
	h.clock.tagsOf = h.observer.TagsOf
	t.Cleanup(h.close)
	var opts []footprintsql.Option
	if seed%4 != 3 {
		opts = append(opts, footprintsqlite.RowHook())
	}
	for _, to := range []**sql.DB{&h.db, &h.writers[0]} {
		db, err := footprintsql.Open("sqlite", dsn, h.observer, opts...)
		if err != nil {
			t.Fatal(err)
		}
		*to = db
	}
	execAll(t, h.db, historySchema)
	var err error
	if h.conn, err = h.writers[0].Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, rows := range h.open {
			_ = rows.Close()
		}
		_ = h.conn.Close()
	})
	return h
}

func (h *history) fill(text string) string {
	for from := strings.IndexByte(text, '{'); from >= 0; from = strings.IndexByte(text, '{') {
		values := historyValues[text[from:from+3]]
		text = text[:from] + values[h.r.IntN(len(values))] + text[from+3:]
	}
	return text
}

// step runs one statement. Errors are part of the history.
func (h *history) step(text string) {
	ctx := observe.Outside(context.Background())
	how, statement, ok := strings.Cut(text, ": ")
	if !ok {
		how, statement = "", text
	}
	var err error
	switch how {
	case "open":
		var rows *sql.Rows
		if rows, err = h.conn.QueryContext(ctx, statement); err == nil { //nolint:rowserrcheck // closed early, or later
			for range h.r.IntN(3) {
				rows.Next()
			}
			h.open = append(h.open, rows)
		}
	case "first":
		var id int
		err = h.conn.QueryRowContext(ctx, statement).Scan(&id)
	case "unread":
		var rows *sql.Rows
		if rows, err = h.conn.QueryContext(ctx, statement); err == nil {
			err = cmp.Or(rows.Close(), rows.Err())
		}
	case "cancel":
		ending, cancel := context.WithCancel(ctx)
		go cancel()
		_, err = h.conn.ExecContext(ending, statement)
		cancel()
	default:
		if n := len(h.open); statement != "close" {
			_, err = h.conn.ExecContext(ctx, statement)
		} else if n > 0 {
			i := h.r.IntN(n)
			err = h.open[i].Close()
			h.open = slices.Delete(h.open, i, i+1)
		}
	}
	if h.done = append(h.done, text); err != nil {
		h.done[len(h.done)-1] += " -- " + err.Error()
	}
}

func (h *history) ask(ctx context.Context, q asker, text string) (string, error) {
	return ask(ctx, q, reading{sqlStatement: sqlStatement{text: text, ordered: true}, rows: -1})
}

// record keeps an answer, unless it may not be stored.
func (h *history) record(q asker, text string) {
	ctx, end := h.begin(context.Background())
	answer, err := h.ask(ctx, q, text)
	if f := end(); err == nil && !f.refused {
		h.kept = append(h.kept, keptAnswer{&kept{answer: answer, footprint: f}, text, len(h.done)})
	}
}

// check asks anew for what is still kept.
func (h *history) check() {
	h.t.Helper()
	h.kept = slices.DeleteFunc(h.kept, func(k keptAnswer) bool { return h.clock.met(k.kept) })
	for _, k := range h.kept {
		now, err := h.ask(context.Background(), h.db, k.text)
		if err == nil && now != k.answer && !h.clock.met(k.kept) {
			h.t.Fatalf("%s\n kept, after %d steps: %q\n now: %q\n%s", k.text, k.at, k.answer, now, strings.Join(h.done, "\n"))
		}
	}
}
