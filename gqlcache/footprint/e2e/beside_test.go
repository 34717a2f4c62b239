package e2e

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// A poolerConn asks as footprintsql.Beside does, and with row_security as it was: as a pooler
// that gives each transaction another connection of the server's.
type poolerConn struct{ db *sql.DB }

func (c poolerConn) Query(ctx context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) error {
	var keys sql.NullInt64
	var all bool
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	if err := c.db.QueryRowContext(ctx, text, values...).Scan(&keys, &all); err != nil {
		return err
	}
	if !keys.Valid {
		return row([]driver.Value{nil, all})
	}
	return row([]driver.Value{keys.Int64, all})
}

// Where policies apply, connections beside the application's see other rows than a caller:
// then their keys are not used. A role that policies do not apply to sees all.
func TestBesideUnderPolicies(t *testing.T) {
	admin := postgres(t)
	above, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = above.Close() }()
	var name string
	if err := above.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	execAll(t, above, []string{
		"DROP ROLE IF EXISTS limited_" + name, "CREATE ROLE limited_" + name + " LOGIN",
		"CREATE TABLE posts (id bigint PRIMARY KEY, author bigint NOT NULL, tenant text NOT NULL)",
		"CREATE TABLE comments (id bigint PRIMARY KEY, post bigint NOT NULL REFERENCES posts)",
		"ALTER TABLE posts ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY tenant ON posts USING (tenant = current_setting('app.tenant', true))",
		"GRANT ALL ON posts, comments TO limited_" + name,
		"INSERT INTO posts VALUES (7, 1, 'A'), (8, 2, 'A')",
	})
	limited := strings.Replace(admin, "user=postgres", "user=limited_"+name, 1)
	beside := func(dsn string) observe.Conn {
		c, err := stdlib.GetDefaultDriver().(driver.DriverContext).OpenConnector(dsn)
		if err != nil {
			t.Fatal(err)
		}
		b := footprintsql.Beside(c)
		t.Cleanup(func() { _ = b.Close() })
		return b
	}
	plain, err := sql.Open("pgx", limited)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	closed := footprintsql.Beside(nil)
	_ = closed.Close()
	for i, c := range []struct {
		name   string
		beside observe.Conn
		kept   bool // when another author's post is commented
	}{
		{"above policies", beside(admin), true},
		{"the callers' role", beside(limited), false},
		{"a pooler", poolerConn{plain}, false},
		{"closed", closed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &harness{dialect: catalog.PostgreSQL, clock: &clock{}}
			h.observer = observe.New(observe.Options{Dialect: catalog.PostgreSQL, SemiJoins: true, Beside: c.beside, Logger: slog.New(slog.DiscardHandler)})
			h.observer.Attach(h.clock)
			h.clock.tagsOf = h.observer.TagsOf
			if h.db, err = footprintsql.Open("pgx", limited, h.observer); err != nil {
				t.Fatal(err)
			}
			defer h.close()
			read := func() *kept {
				ctx, end := h.begin(t.Context())
				answer := ""
				err := asTenant(ctx, h.db, "A", func(q asker) (err error) {
					answer, err = ask(ctx, q, reading{sqlStatement: sqlStatement{text: `SELECT count(*) FROM posts p JOIN comments c ON c.post = p.id WHERE p.author = $1`, args: []any{1}}, rows: -1})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				return &kept{answer: answer, footprint: end()}
			}
			read()
			read()
			mine, others := read(), read()
			execAll(t, h.db, []string{"INSERT INTO comments VALUES (" + string(rune('1'+2*i)) + ", 8)"})
			if h.clock.met(others) == c.kept {
				t.Errorf("another post is commented: kept %v", !c.kept)
			}
			execAll(t, h.db, []string{"INSERT INTO comments VALUES (" + string(rune('2'+2*i)) + ", 7)"})
			if !h.clock.met(mine) {
				t.Error("a post of the answer is commented, and the answer is kept")
			}
		})
	}
}
