package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsqlite"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// hookedTables are those of the tests of the row hook.
var hookedTables = []string{
	`CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, karma INTEGER NOT NULL DEFAULT 0)`,
	`CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, title TEXT NOT NULL, lower_title TEXT, raw BLOB)`,
	`CREATE TABLE journal (id INTEGER PRIMARY KEY, post INTEGER NOT NULL)`,
	`CREATE TABLE shouts (id INTEGER PRIMARY KEY, text TEXT NOT NULL, loud TEXT AS (upper(text)) STORED)`,
	`CREATE TRIGGER noted AFTER UPDATE OF title ON posts BEGIN INSERT INTO journal (post) VALUES (new.id); END`,
	`INSERT INTO users (id, name) VALUES (1, 'ann'), (2, 'bob')`,
	`INSERT INTO posts (id, author, title) VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c')`,
	`INSERT INTO shouts (id, text) VALUES (1, 'a')`,
}

// hookedDB is a handle whose connections tell of rows, unless opts says otherwise.
func hookedDB(t testing.TB, images footprint.Switch, opts ...footprintsql.Option) (*sql.DB, *lastCommit, *footprint.Observer) {
	t.Helper()
	obs := footprint.New(footprint.Options{Dialect: footprint.SQLite, Images: images, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	told := &lastCommit{}
	t.Cleanup(obs.Attach(told))
	dsn := "file:" + filepath.Join(t.TempDir(), "hook.db") + "?_pragma=foreign_keys(1)&_pragma=journal_mode(wal)&_pragma=synchronous(off)"
	db, err := footprintsql.Open("sqlite", dsn, obs, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	for _, text := range hookedTables {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return db, told, obs
}

// eventText writes an event: its operation, table, columns that changed, and how many values
// are known before and after.
func eventText(e *rowtag.Event) string {
	op := map[rowtag.Op]string{rowtag.Inserted: "insert", rowtag.Updated: "update", rowtag.Deleted: "delete", rowtag.Changed: "any"}[e.Op]
	var columns []string
	for i, c := range e.Table.Columns {
		if e.Op == rowtag.Updated && e.Columns&(1<<i) != 0 {
			columns = append(columns, c.Name)
		}
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %d>%d %s", op, e.Table.Name, len(e.Old), len(e.New), strings.Join(columns, " ")))
}

// The hook tells of the rows of every write: of one without a transaction, of the first one
// in a transaction, of what replaces rows, and of what triggers and foreign keys do. Where
// a statement reaches a table with generated columns its text is what is known.
func TestRowHook(t *testing.T) {
	t.Parallel()
	db, told, _ := hookedDB(t, footprint.Default, footprintsqlite.RowHook())
	for _, c := range []struct {
		text string
		want []string
	}{
		{`UPDATE users SET karma = karma + 1, name = 'ann' WHERE name LIKE 'an%'`, []string{"update users 3>3 karma"}},
		{`UPDATE posts SET title = title || '!' WHERE author = 2`, []string{"insert journal 0>2", "update posts 5>5 title"}},
		{`UPDATE posts SET lower_title = 'x' WHERE id IN (SELECT min(id) FROM posts)`, []string{"update posts 5>5 lower_title"}},
		{`UPDATE users SET karma = karma`, nil},
		{`INSERT INTO users (id, name) VALUES (2, 'bea') ON CONFLICT (id) DO UPDATE SET name = excluded.name`, []string{"update users 3>3 name"}},
		{`INSERT OR REPLACE INTO users (id, name) VALUES (2, 'bo')`, []string{"delete posts 5>0", "delete users 3>0", "insert users 0>3"}},
		{`DELETE FROM users WHERE id = (SELECT 1)`, []string{"delete posts 5>0", "delete posts 5>0", "delete users 3>0"}},
		{`DELETE FROM users`, []string{"delete users 3>0"}},
		{`UPDATE shouts SET text = 'b'`, []string{"update shouts 0>1 text loud"}},
	} {
		before := told.Number()
		told.c = footprint.Commit{}
		if _, err := db.ExecContext(t.Context(), c.text); err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		var got []string
		for i := range told.c.Events {
			got = append(got, eventText(&told.c.Events[i]))
		}
		slices.Sort(got)
		if told.c.Everything != "" || !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q %s\nwant %q", c.text, got, told.c.Everything, c.want)
		}
		if n := told.Number() - before; n > 1 || c.want == nil && n != 0 {
			t.Errorf("%s: %d commits", c.text, n)
		}
	}
}

// A hook that the application sets replaces ours: the rows are asked for from then on.
func TestRowHookReplaced(t *testing.T) {
	t.Parallel()
	db, told, _ := hookedDB(t, footprint.Default, footprintsqlite.RowHook())
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = footprintsql.Raw(t.Context(), conn, func(driverConn any) error {
		removeHook(driverConn)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE users SET karma = karma + 1`); err != nil {
		t.Fatal(err)
	}
	if told.c.Everything != "" || len(told.c.Events) != 1 || eventText(&told.c.Events[0]) != "update users 0>0 karma" {
		t.Errorf("%+v", told.c)
	}
}

// BenchmarkWrites has the cost of a transaction with one UPDATE, by what tells its rows.
func BenchmarkWrites(b *testing.B) {
	for _, m := range []struct {
		name   string
		images footprint.Switch
		opts   []footprintsql.Option
	}{
		{"text", footprint.Off, nil},
		{"images", footprint.On, nil},
		{"hook", footprint.On, []footprintsql.Option{footprintsqlite.RowHook()}},
	} {
		for _, rows := range []int{1, 20} {
			b.Run(fmt.Sprintf("%s/rows=%d", m.name, rows), func(b *testing.B) {
				db, _, _ := hookedDB(b, m.images, m.opts...)
				ctx := context.Background()
				conn, err := db.Conn(ctx)
				if err != nil {
					b.Fatal(err)
				}
				defer conn.Close()
				exec := func(text string, args ...any) {
					if _, err := conn.ExecContext(ctx, text, args...); err != nil {
						b.Fatal(err)
					}
				}
				for i := range 1000 {
					exec(`INSERT INTO users (id, name, karma) VALUES (?, 'n', 1)`, 10+i)
				}
				b.ResetTimer()
				b.ReportAllocs()
				for range b.N {
					exec(`BEGIN IMMEDIATE`)
					exec(`UPDATE users SET karma = karma + 1 WHERE id >= ? AND id < ?`, 10, 10+rows)
					exec(`COMMIT`)
				}
			})
		}
	}
}
