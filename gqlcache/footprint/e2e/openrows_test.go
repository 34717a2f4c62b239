package e2e

import (
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsqlite"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// SQLite commits what a statement writes without a transaction when all statements of the
// connection that write have ended: those whose rows are open are not among them.
func TestWriteBesideOpenRows(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]footprintsql.Option{"text": nil, "hook": {footprintsqlite.RowHook()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHarness(t, opts...)
			read := func(q asker) *kept { return countComments(t, h, q) }
			read(h.db)
			conn, err := h.writers[0].Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			rows, err := conn.QueryContext(observe.Outside(t.Context()), "UPDATE posts SET title = 'x' RETURNING id")
			if err != nil || !rows.Next() {
				t.Fatal(err)
			}
			defer func() { _ = rows.Close() }()
			if _, err := conn.ExecContext(observe.Outside(t.Context()), "DELETE FROM comments WHERE post = 1"); err != nil {
				t.Fatal(err)
			}
			meanwhile, own := read(h.db), read(conn)
			if !own.footprint.refused && own.answer != meanwhile.answer {
				t.Error("the writer stores what is not committed")
			}
			if err := rows.Close(); err != nil || rows.Err() != nil {
				t.Fatal(err, rows.Err())
			}
			if now := read(h.db); now.answer != meanwhile.answer && !h.clock.met(meanwhile) {
				t.Errorf("%s is kept, and %s is there now", meanwhile.answer, now.answer)
			}
		})
	}
}

// In SQLite a connection whose rows are open reads what was there when these were asked for,
// also in another statement, and in a transaction that begins meanwhile.
func TestReadBesideOpenRows(t *testing.T) {
	t.Parallel()
	for _, begin := range []bool{false, true} {
		h := openHarness(t)
		read := func(q asker) *kept { return countComments(t, h, q) }
		read(h.db)
		conn, err := h.writers[0].Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows, err := conn.QueryContext(observe.Outside(t.Context()), "SELECT id FROM posts")
		if err != nil || !rows.Next() {
			t.Fatal(err)
		}
		execAll(t, h.db, []string{"DELETE FROM comments WHERE post = 1"})
		q, end := asker(conn), func() error { return nil }
		if begin {
			tx, err := conn.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			q, end = tx, tx.Rollback
		}
		old := read(q)
		if now := read(h.db); now.answer != old.answer && !h.clock.met(old) {
			t.Errorf("in a transaction %v: %s is kept, and %s is there", begin, old.answer, now.answer)
		}
		if err := rows.Close(); err != nil || rows.Err() != nil {
			t.Fatal(err, rows.Err())
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
}

// openHarness has two posts, the first with a comment.
func openHarness(t *testing.T, opts ...footprintsql.Option) *harness {
	t.Helper()
	dsn := "file:" + filepath.Join(t.TempDir(), "open.db") + "?_pragma=journal_mode(wal)&_pragma=synchronous(off)"
	h := &harness{dialect: catalog.SQLite, clock: &clock{}}
	h.observer = observe.New(observe.Options{Dialect: catalog.SQLite, Logger: slog.New(slog.DiscardHandler)})
	h.observer.Attach(h.clock)
	h.clock.tagsOf = h.observer.TagsOf
	t.Cleanup(h.close)
	for _, to := range []**sql.DB{&h.db, &h.writers[0]} {
		db, err := footprintsql.Open("sqlite", dsn, h.observer, opts...)
		if err != nil {
			t.Fatal(err)
		}
		*to = db
	}
	execAll(t, h.db, []string{
		"CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT)",
		"CREATE TABLE comments (id INTEGER PRIMARY KEY, post INT)",
		"INSERT INTO posts VALUES (1, 'a'), (2, 'b')", "INSERT INTO comments VALUES (1, 1)",
	})
	return h
}

func countComments(t *testing.T, h *harness, q asker) *kept {
	t.Helper()
	ctx, end := h.begin(t.Context())
	answer, err := ask(ctx, q, reading{sqlStatement: sqlStatement{text: "SELECT count(*) FROM comments WHERE post = 1"}, rows: -1})
	if err != nil {
		t.Fatal(err)
	}
	return &kept{answer: answer, footprint: end()}
}
