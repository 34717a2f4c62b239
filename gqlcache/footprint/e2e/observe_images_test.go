package e2e

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A lastCommit keeps the last commit that it is told of.
type lastCommit struct {
	mu sync.Mutex
	n  uint64
	c  footprint.Commit
}

func (l *lastCommit) Number() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

func (l *lastCommit) Wrote(context.Context) {}

func (l *lastCommit) Committed(_ context.Context, c footprint.Commit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n, l.c = l.n+1, c
}

// Row images of real databases: the values before and after are known, columns of any type
// are compared, and where the rows may not be read the application does not notice.
func TestRowImages(t *testing.T) {
	for _, name := range []string{"sqlite", "pgx", "postgres"} {
		t.Run(name, func(t *testing.T) {
			opts := footprint.Options{Dialect: footprint.PostgreSQL, Images: footprint.On, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
			if name == "sqlite" {
				opts.Dialect = footprint.SQLite
			}
			obs := footprint.New(opts)
			told := &lastCommit{}
			defer obs.Attach(told)()
			db := sql.OpenDB(footprintsql.Connector(connectorOf(t, name, database(t, name)), obs))
			t.Cleanup(func() { db.Close() })
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			exec := func(text string, args ...any) {
				t.Helper()
				if _, err := conn.ExecContext(t.Context(), text, args...); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			exec(`CREATE TABLE articles (id integer PRIMARY KEY, author integer NOT NULL, status text, price numeric(9, 2), at timestamp DEFAULT CURRENT_TIMESTAMP, raw ` + map[bool]string{true: "blob", false: "bytea"}[name == "sqlite"] + `)`)
			exec(`INSERT INTO articles (id, author, status, price) VALUES (1, 1, 'a', 1.5), (2, 1, 'b', NULL), (3, 2, 'c', 7)`)
			begin, parameter := `BEGIN`, `$1`
			if name == "sqlite" {
				begin, parameter = `BEGIN IMMEDIATE`, `?`
			}
			update := `UPDATE articles SET status = status || '!', price = price WHERE author = ` + parameter
			exec(begin)
			exec(update, 1)
			exec(`COMMIT`)
			if told.c.Everything != "" || len(told.c.Events) != 2 {
				t.Fatalf("%+v\n%+v", told.c, obs.Findings())
			}
			for _, e := range told.c.Events {
				if e.Op != rowtag.Updated || e.Columns != 1<<2 || len(e.Old) < 3 || len(e.New) < 3 {
					t.Errorf("%+v", e)
				}
			}
			exec(begin)
			exec(`DELETE FROM articles WHERE price > 5`)
			exec(`COMMIT`)
			if e := told.c.Events; len(e) != 1 || e[0].Op != rowtag.Deleted || len(e[0].Old) < 3 {
				t.Errorf("%+v", told.c)
			}
			if name == "sqlite" {
				return
			}

			exec(`CREATE ROLE limited_` + name)
			exec(`GRANT SELECT (id, author, status), UPDATE ON articles TO limited_` + name)
			other := `UPDATE articles SET status = status || '?' WHERE author = $1`
			for range 2 {
				exec(`BEGIN`)
				exec(`SET LOCAL ROLE limited_` + name)
				exec(other, 1)
				exec(`COMMIT`)
				if told.c.Everything != "" || len(told.c.Events) != 1 || told.c.Events[0].Op != rowtag.Updated {
					t.Errorf("%+v", told.c)
				}
			}
			found := false
			for _, f := range obs.Findings() {
				found = found || f.Kind == footprint.ImageRefused && f.Count == 1
			}
			var status string
			if err := conn.QueryRowContext(t.Context(), `SELECT status FROM articles WHERE id = 1`).Scan(&status); err != nil || status != "a!??" || !found {
				t.Errorf("%q, %v, %v", status, err, obs.Findings())
			}
		})
	}
}
