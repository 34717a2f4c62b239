package footprintsqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

// hookSchema has a table for each way in which SQLite keeps and changes rows.
var hookSchema = []string{
	`PRAGMA foreign_keys = ON`,
	`CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE COLLATE NOCASE, karma INT DEFAULT 7, rate REAL, b BLOB)`,
	`CREATE TABLE posts (id TEXT PRIMARY KEY, author INT REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, title TEXT, n NUMERIC)`,
	`CREATE TABLE notes (a INT, post TEXT REFERENCES posts ON DELETE SET NULL ON UPDATE SET NULL, x)`,
	`CREATE TABLE pairs (a INT, b TEXT, c TEXT DEFAULT 'c', PRIMARY KEY (b, a)) WITHOUT ROWID`,
	`CREATE TABLE keyed (k TEXT PRIMARY KEY, user INT REFERENCES users ON DELETE CASCADE, v INT UNIQUE ON CONFLICT REPLACE) WITHOUT ROWID`,
	`CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT, at TEXT DEFAULT 'now')`,
	`CREATE TABLE tree (id INTEGER PRIMARY KEY, up INT REFERENCES tree ON DELETE CASCADE)`,
	`CREATE TABLE copies (a INT, post TEXT, x)`,
	`CREATE TRIGGER noted AFTER UPDATE OF title ON posts BEGIN
		INSERT INTO journal (what) VALUES (old.title || '>' || new.title);
		UPDATE users SET karma = karma + 1 WHERE id = new.author;
		DELETE FROM notes WHERE a = 3;
	END`,
	`CREATE TRIGGER named BEFORE INSERT ON users WHEN new.karma > 100 BEGIN UPDATE users SET rate = 1 WHERE id = 1; END`,
	`CREATE TRIGGER gone AFTER DELETE ON notes BEGIN INSERT INTO journal (what) VALUES ('gone'); END`,
	`INSERT INTO users (id, name) VALUES (1, 'ann'), (2, 'bob'), (3, 'cid')`,
	`INSERT INTO posts VALUES ('x', 1, 'x', 1), ('y', 2, NULL, 2)`,
	`ALTER TABLE users ADD COLUMN late TEXT DEFAULT 'later'`,
	`ALTER TABLE users ADD COLUMN later INT`,
	`CREATE INDEX lates ON users (late, karma)`,
}

var hookTables = []string{"users", "posts", "notes", "pairs", "keyed", "journal", "tree", "copies"}

// hookWrites are templates: {i} is a number, {t} a text.
var hookWrites = []string{
	`INSERT INTO users (name, karma, rate) VALUES ({t}, {i}, {i})`,
	`INSERT INTO users (id, name, late) VALUES ({i}, {t}, {t})`,
	`INSERT OR REPLACE INTO users (id, name, b) VALUES ({i}, {t}, x'00ff')`,
	`REPLACE INTO users (name, b) VALUES ({t}, x'')`,
	`INSERT OR IGNORE INTO users (id, name) VALUES ({i}, {t}), ({i}, {t})`,
	`INSERT OR FAIL INTO users (id, name) VALUES ({i}, {t}), ({i}, {t})`,
	`INSERT INTO users (id, name) VALUES ({i}, {t}) ON CONFLICT (id) DO UPDATE SET name = excluded.name, karma = karma + 1`,
	`INSERT INTO users (id, name) VALUES ({i}, {t}) ON CONFLICT DO NOTHING`,
	`INSERT INTO users (id, name) VALUES ({i}, {t}) RETURNING id, late`,
	`UPDATE users SET karma = karma + 1, rate = {i} WHERE id < {i}`,
	`UPDATE users SET late = {t}`,
	`UPDATE users SET late = late`,
	`UPDATE users SET b = CAST({t} AS BLOB) WHERE id = {i} RETURNING b`,
	`UPDATE OR REPLACE users SET name = {t} WHERE id = {i}`,
	`UPDATE OR IGNORE users SET name = {t}`,
	`UPDATE users SET id = id + 100 WHERE id = {i}`,
	`UPDATE OR REPLACE users SET id = {i} WHERE name = {t}`,
	`DELETE FROM users WHERE id = {i}`,
	`DELETE FROM users WHERE name = {t} RETURNING *`,
	`INSERT INTO posts VALUES ({t}, {i}, {t}, {i})`,
	`INSERT INTO posts SELECT name || {i}, id, {t}, rate FROM users`,
	`INSERT OR REPLACE INTO posts VALUES ({t}, NULL, {t}, '1.50')`,
	`UPDATE posts SET title = {t} WHERE author = {i}`,
	`UPDATE posts SET id = {t} WHERE author = {i}`,
	`UPDATE posts SET author = u.id FROM users u WHERE u.name = {t}`,
	`DELETE FROM posts WHERE title = {t}`,
	`DELETE FROM posts`,
	`INSERT INTO notes SELECT {i}, id, title FROM posts`,
	`INSERT INTO notes VALUES ({i}, NULL, {i}), ({i}, NULL, {t}), (3, NULL, 2.5)`,
	`UPDATE notes SET x = a, a = x`,
	`UPDATE notes SET rowid = rowid + 50 WHERE a = {i}`,
	`DELETE FROM notes`,
	`DELETE FROM notes WHERE a IN (SELECT id FROM users WHERE id > {i})`,
	`INSERT INTO copies SELECT * FROM notes`,
	`DELETE FROM copies`,
	`INSERT INTO pairs VALUES ({i}, {t}, {t})`,
	`INSERT OR REPLACE INTO pairs (a, b) VALUES ({i}, {t})`,
	`INSERT INTO pairs (a, b) VALUES ({i}, {t}) ON CONFLICT DO UPDATE SET c = {t}`,
	`UPDATE pairs SET c = {t} WHERE a < {i}`,
	`UPDATE OR REPLACE pairs SET a = {i} WHERE b = {t}`,
	`DELETE FROM pairs WHERE a = {i}`,
	`DELETE FROM pairs`,
	`INSERT OR REPLACE INTO keyed VALUES ({t}, {i}, {i})`,
	`INSERT INTO keyed VALUES ({t}, NULL, {i})`,
	`UPDATE keyed SET v = v + 1`,
	`UPDATE keyed SET k = {t} WHERE v = {i}`,
	`INSERT INTO journal (what) VALUES ({t})`,
	`DELETE FROM journal WHERE id < {i}`,
	`INSERT INTO tree VALUES ({i}, 1), ({i} + 10, 2)`,
	`DELETE FROM tree WHERE id = {i}`,
	`INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2)`,
	`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO copies SELECT i, {t}, i FROM n`,
}

// TestRowHookTellsAll asserts that the rows which the hook tells of are those that a
// statement changes: those before it, without the ones that were told, with the ones that
// were told, are those after it.
func TestRowHookTellsAll(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{`SELECT 1`, `PRAGMA recursive_triggers = ON`, `PRAGMA foreign_keys = OFF`, `PRAGMA encoding = 'UTF-16le'`, `PRAGMA reverse_unordered_selects = ON`} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			c, h := hookedConn(t, append([]string{setting, `PRAGMA synchronous = OFF`}, hookSchema...)...)
			if strings.Contains(setting, "foreign_keys") { // hookSchema turns them on
				execOn(t, c, setting)
			}
			r := rand.New(rand.NewPCG(1, 2))
			order := r.Perm(len(hookWrites))
			done := map[string]int{}
			after := h.dump(t, c)
			for n := range 10 * len(hookWrites) {
				if n%40 == 39 { // few rows, of which most statements find some
					for _, table := range hookTables {
						execOn(t, c, `DELETE FROM `+table)
					}
					execOn(t, c, `INSERT INTO users (id, name) VALUES (1, 'ann'), (2, 'bob'), (3, 'cid')`)
					execOn(t, c, `INSERT INTO posts VALUES ('x', 1, 'x', 1), ('y', 2, NULL, 2)`)
					execOn(t, c, `INSERT INTO pairs (a, b) VALUES (1, 'ann'), (3, 'Bob')`)
					execOn(t, c, `INSERT INTO keyed VALUES ('k', 1, 2), ('l', 2, 4)`)
					after = h.dump(t, c)
				}
				if n%len(order) == 0 {
					order = r.Perm(len(order))
				}
				template := hookWrites[order[n%len(order)]]
				text := fill(r, template)
				before := after
				h.told = nil
				_, err := c.ExecContext(t.Context(), text)
				told := h.told
				after = h.dump(t, c)
				if err != nil {
					if maps.Equal(before, after) {
						continue // what was told is undone
					}
					if !strings.Contains(text, "FAIL") {
						t.Fatalf("%s: %v, and something was changed", text, err)
					}
				} else if len(told) > 0 {
					done[template]++
				}
				before = maps.Clone(before)
				for _, row := range told {
					if row.before != "" {
						before[row.before]--
					}
					if row.after != "" {
						before[row.after]++
					}
				}
				maps.DeleteFunc(before, func(_ string, n int) bool { return n == 0 })
				if !maps.Equal(before, after) {
					t.Fatalf("statement %d, %s:\n told %+v\n with it %v\n after %v", n, text, told, before, after)
				}
			}
			for _, template := range hookWrites {
				if done[template] == 0 && !strings.Contains(template, "late = late") {
					t.Errorf("never told of a row: %s", template)
				}
			}
		})
	}
}

func fill(r *rand.Rand, text string) string {
	texts := []string{`'ann'`, `'Bob'`, `'x'`, `''`, `'a' || char(0) || 'b'`, `'a' || char(0) || 'c'`, `'ü€𝄞'`, `NULL`}
	for strings.Contains(text, "{i}") {
		text = strings.Replace(text, "{i}", fmt.Sprint(1+r.IntN(5)), 1)
	}
	for strings.Contains(text, "{t}") {
		text = strings.Replace(text, "{t}", texts[r.IntN(len(texts))], 1)
	}
	return text
}

// A toldRow is a row that was told, as text.
type toldRow struct{ before, after string }

// A listener has what its connection's hook tells.
type listener struct {
	told []toldRow
	fail error
}

func (h *listener) changed(r *footprint.RowChange) {
	before, after := make([]driver.Value, r.Columns), make([]driver.Value, r.Columns)
	if err := r.Values(before, after); err != nil {
		h.fail = err
	}
	var row toldRow
	if r.Before {
		row.before = rowText(r.Table, before)
	}
	if r.After {
		row.after = rowText(r.Table, after)
	}
	h.told = append(h.told, row)
}

func rowText(table string, row []driver.Value) string {
	for i, v := range row {
		// A column of the affinity REAL has whole numbers as integers in the file. The hook
		// need not tell the two apart.
		if n, ok := v.(int64); ok {
			row[i] = float64(n)
		}
	}
	return fmt.Sprintf("%s %#v", table, row)
}

// dump counts all rows of all tables.
func (h *listener) dump(t *testing.T, c *sql.Conn) map[string]int {
	t.Helper()
	if h.fail != nil {
		t.Fatal(h.fail)
	}
	all := map[string]int{}
	for _, table := range hookTables {
		rows, err := c.QueryContext(t.Context(), `SELECT * FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close() //nolint:gocritic // they are closed at their end
		cols, _ := rows.Columns()
		for rows.Next() {
			values, dest, row := make([]any, len(cols)), make([]any, len(cols)), make([]driver.Value, len(cols))
			for i := range values {
				dest[i] = &values[i]
			}
			if err := rows.Scan(dest...); err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				row[i] = v
				if b, ok := v.([]byte); ok && b == nil { // the driver's empty blob
					row[i] = []byte{}
				}
			}
			all[rowText(table, row)]++
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func hookedConn(t *testing.T, setup ...string) (*sql.Conn, *listener) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "hook.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	h := &listener{}
	if err := c.Raw(func(driverConn any) error {
		if !install(driverConn, h.changed) {
			return fmt.Errorf("%T has no hook", driverConn)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, text := range setup {
		execOn(t, c, text)
	}
	return c, h
}

func execOn(t *testing.T, c *sql.Conn, text string) {
	t.Helper()
	if _, err := c.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// TestOtherDrivers asserts that connections which have no such hook are left alone.
func TestOtherDrivers(t *testing.T) {
	t.Parallel()
	for _, c := range []any{nil, struct{}{}, &sql.Conn{}} {
		if install(c, func(*footprint.RowChange) { t.Error("told") }) {
			t.Errorf("%T has a hook", c)
		}
	}
}
