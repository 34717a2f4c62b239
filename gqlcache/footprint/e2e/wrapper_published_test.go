package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
)

// A witness looks at the data with another connection whenever something is published.
type witness struct {
	t       *testing.T
	other   *sql.DB
	look    string
	seen    []string
	commits []footprint.Commit
}

func (w *witness) Number() uint64        { return uint64(len(w.commits)) }
func (w *witness) Wrote(context.Context) {}

func (w *witness) Committed(_ context.Context, c footprint.Commit) {
	w.commits = append(w.commits, c)
	w.seen = append(w.seen, w.now())
}

func (w *witness) now() (s string) {
	if err := w.other.QueryRow(w.look).Scan(&s); err != nil {
		w.t.Error(err)
	}
	return s
}

// What is published is visible to other connections, for every way to write. Published
// earlier, a reader could store the old state, with nothing to come after it.
func TestPublishedIsVisible(t *testing.T) {
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"sqlite", "pgx", "postgres"} {
		t.Run(name, func(t *testing.T) {
			dsn := database(t, name)
			dialect := footprint.PostgreSQL
			if name == "sqlite" {
				dialect = footprint.SQLite
			}
			obs := footprint.New(footprint.Options{Dialect: dialect, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
			other, err := sql.Open(name, dsn)
			must(err)
			defer other.Close()
			db, err := footprintsql.Open(name, dsn, obs)
			must(err)
			defer db.Close()
			w := &witness{t: t, other: other, look: `SELECT karma FROM users WHERE id = 2`}
			defer obs.Attach(w)()
			n := 0
			text := func(suffix string) string {
				n++
				return fmt.Sprintf("UPDATE users SET karma = %d WHERE id = 2%s", n, suffix)
			}
			exec := func(q queryer, text string) {
				t.Helper()
				_, err := q.ExecContext(ctx, text)
				must(err)
			}
			ways := map[string]func(){
				"statement": func() { exec(db, text("")) },
				"rows": func() {
					r, err := db.QueryContext(ctx, text(" RETURNING id"))
					must(err)
					for r.Next() { //nolint:revive // to the end
					}
					must(r.Err())
				},
				"rows closed early": func() {
					r, err := db.QueryContext(ctx, text(" RETURNING id"))
					must(err)
					must(r.Close())
				},
				"one row": func() {
					var id int
					must(db.QueryRowContext(ctx, text(" RETURNING id")).Scan(&id))
				},
				"prepared": func() {
					s, err := db.PrepareContext(ctx, text(""))
					must(err)
					_, err = s.ExecContext(ctx)
					must(err)
					must(s.Close())
				},
				"prepared rows": func() {
					s, err := db.PrepareContext(ctx, text(" RETURNING id"))
					must(err)
					var id int
					must(s.QueryRowContext(ctx).Scan(&id))
					must(s.Close())
				},
				"transaction": func() {
					tx, err := db.BeginTx(ctx, nil)
					must(err)
					exec(tx, text(""))
					if len(w.commits) != 0 {
						t.Error("published before the commit")
					}
					must(tx.Commit())
				},
				"transaction in text": func() {
					c, err := db.Conn(ctx)
					must(err)
					exec(c, "BEGIN")
					exec(c, text(""))
					if len(w.commits) != 0 {
						t.Error("published before the commit")
					}
					exec(c, "COMMIT")
					must(c.Close())
				},
				"prepared in a transaction": func() {
					s, err := db.PrepareContext(ctx, text(""))
					must(err)
					tx, err := db.BeginTx(ctx, nil)
					must(err)
					_, err = tx.StmtContext(ctx, s).ExecContext(ctx)
					must(err)
					must(tx.Commit())
					must(s.Close())
				},
			}
			for way, do := range ways {
				w.seen, w.commits = nil, nil
				do()
				want := fmt.Sprint(n)
				if len(w.seen) == 0 || w.seen[len(w.seen)-1] != want {
					t.Errorf("%s: others saw %q when it was published, want %s", way, w.seen, want)
				}
				for _, c := range w.commits {
					if c.Everything != "" || c.Uncertain || len(c.Events) == 0 {
						t.Errorf("%s: published as %+v", way, c)
					}
				}
			}

			w.seen, w.commits = nil, nil
			tx, err := db.BeginTx(ctx, nil)
			must(err)
			exec(tx, text(""))
			must(tx.Rollback())
			if len(w.commits) != 0 {
				t.Errorf("a rollback: published as %+v", w.commits)
			}

			// Several statements in one text leave a known state where the driver tells.
			w.seen, w.commits = nil, nil
			c, err := db.Conn(ctx)
			must(err)
			exec(c, "BEGIN; "+text("")+"; COMMIT")
			if len(w.seen) == 0 || w.seen[len(w.seen)-1] != fmt.Sprint(n) || w.commits[0].Everything == "" {
				t.Errorf("several statements: others saw %q, published as %+v", w.seen, w.commits)
			}
			w.seen, w.commits = nil, nil
			exec(c, text(""))
			if len(w.seen) == 0 || w.seen[len(w.seen)-1] != fmt.Sprint(n) {
				t.Errorf("afterwards: others saw %q", w.seen)
			}
			if known := len(w.commits) > 0 && w.commits[0].Everything == ""; known != (name == "pgx") {
				t.Errorf("afterwards: published as %+v", w.commits)
			}
			must(c.Close())

			// Several without BEGIN and the like leave a known state everywhere.
			c, err = db.Conn(ctx)
			must(err)
			w.seen, w.commits = nil, nil
			exec(c, "CREATE TABLE IF NOT EXISTS script (id int); "+text(""))
			if len(w.seen) == 0 || w.seen[len(w.seen)-1] != fmt.Sprint(n) {
				t.Errorf("a script: others saw %q", w.seen)
			}
			for _, commit := range w.commits {
				if commit.Everything == "" || commit.Uncertain {
					t.Errorf("a script: published as %+v", commit)
				}
			}
			w.seen, w.commits = nil, nil
			exec(c, text(""))
			if len(w.commits) != 1 || w.commits[0].Everything != "" {
				t.Errorf("after the script: published as %+v", w.commits)
			}
			must(c.Close())
		})
	}
}

// lines returns a handle on PostgreSQL by a driver's name, and who counts the lines of the log,
// on a connection of its own, when something is published.
func lines(t *testing.T, name string) (*sql.DB, *witness) {
	t.Helper()
	dsn := database(t, name)
	obs := footprint.New(footprint.Options{Dialect: footprint.PostgreSQL, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	other, err := sql.Open(name, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	db, err := footprintsql.Open(name, dsn, obs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &witness{t: t, other: other, look: `SELECT count(*) FROM log`}
	t.Cleanup(obs.Attach(w))
	return db, w
}

// The rows of a COPY are published.
func TestCopyIsPublished(t *testing.T) {
	for _, name := range []string{"pgx", "postgres"} {
		t.Run(name, func(t *testing.T) {
			db, w := lines(t, name)
			switch name {
			case "pgx":
				c, err := db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				err = footprintsql.Raw(t.Context(), c, func(inner any) error {
					_, err := inner.(*stdlib.Conn).Conn().CopyFrom(t.Context(), pgx.Identifier{"log"}, []string{"line"}, pgx.CopyFromRows([][]any{{"a"}, {"b"}}))
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
			case "postgres":
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				s, err := tx.PrepareContext(t.Context(), `COPY "log" ("line") FROM STDIN`)
				if err != nil {
					t.Fatal(err)
				}
				for _, line := range []any{"a", "b"} {
					if _, err := s.ExecContext(t.Context(), line); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Close(); err != nil { // sends the rest
					t.Fatal(err)
				}
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
			}
			if c := w.commits[len(w.commits)-1]; name == "postgres" && (c.Everything != "" || !slices.Equal(c.Tables(), []string{"log"})) {
				t.Errorf("published is %+v", c)
			} else if c.Uncertain || len(w.commits) != 1 {
				t.Errorf("published are %+v", w.commits)
			}
			if n := len(w.seen); n == 0 || w.seen[n-1] != "2" {
				t.Errorf("others saw %q lines when something was published: %+v", w.seen, w.commits)
			}
		})
	}
}

// A function that has had pgx's connection, and leaves a transaction open, has changed
// something that is in doubt until it is committed.
func TestRawLeavesATransaction(t *testing.T) {
	db, w := lines(t, "pgx")
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := footprintsql.Raw(t.Context(), c, func(inner any) error {
		_, err := inner.(*stdlib.Conn).Conn().Exec(t.Context(), `BEGIN; INSERT INTO log (line) VALUES ('a')`, pgx.QueryExecModeSimpleProtocol)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n := len(w.commits); n == 0 || !w.commits[n-1].Uncertain {
		t.Errorf("within the transaction: %+v", w.commits)
	}
	if _, err := c.ExecContext(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	if n := len(w.seen); w.seen[n-1] != "1" || w.commits[n-1].Everything == "" {
		t.Errorf("others saw %q lines when something was published: %+v", w.seen, w.commits)
	}
}
