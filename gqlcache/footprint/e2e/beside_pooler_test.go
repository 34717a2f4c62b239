package e2e

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
)

// A pooler has one connection of the server's, which all of its clients' connections share.
type pooler struct {
	driver.Connector
	server *stdlib.Conn
}

func (p *pooler) Connect(ctx context.Context) (driver.Conn, error) {
	if p.server == nil {
		c, err := p.Connector.Connect(ctx)
		if err != nil {
			return nil, err
		}
		p.server = c.(*stdlib.Conn)
	}
	return pooledConn{p.server}, nil
}

// A pooledConn leaves the server's connection open.
type pooledConn struct{ *stdlib.Conn }

func (pooledConn) Close() error { return nil }

// A pooler gives the application the connection of the server's on which a question was
// asked beside it. The application's reads there, which policies apply to, succeed.
func TestBesideLeavesSettings(t *testing.T) {
	t.Parallel()
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
		"CREATE ROLE pooled_" + name + " LOGIN",
		"CREATE TABLE posts (id bigint PRIMARY KEY, tenant text NOT NULL)",
		"ALTER TABLE posts ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY tenant ON posts USING (tenant = 'A')",
		"GRANT ALL ON posts TO pooled_" + name,
		"INSERT INTO posts VALUES (7, 'A'), (8, 'B')",
	})
	config, err := pgx.ParseConfig(strings.Replace(admin, "user=postgres", "user=pooled_"+name, 1))
	if err != nil {
		t.Fatal(err)
	}
	shared := &pooler{Connector: stdlib.GetConnector(*config)}
	app := sql.OpenDB(shared)
	defer func() { _ = app.Close() }()
	beside := footprintsql.Beside(shared)
	defer func() { _ = beside.Close() }()
	var n int
	read := func() {
		t.Helper()
		if err := app.QueryRowContext(t.Context(), "SELECT count(*) FROM posts").Scan(&n); err != nil || n != 1 {
			t.Errorf("the application reads %d rows: %v", n, err)
		}
	}
	read()
	got := ""
	if err := beside.Query(t.Context(), "SELECT current_setting('row_security')", nil, func(row []driver.Value) error {
		got, _ = row[0].(string)
		return nil
	}); err != nil || got != "off" {
		t.Errorf("row_security is %q: %v", got, err)
	}
	read()
	if err := beside.Query(t.Context(), "SELECT id FROM posts", nil, func([]driver.Value) error { return nil }); err == nil {
		t.Error("a policy hides rows of an answer without an error")
	}
	read()
	_ = shared.server.Close()
}

// A transaction that has locked a table reads it, and waits for what is asked beside it,
// which must not wait for the lock in turn.
func TestBesideWaitsForNoLock(t *testing.T) {
	t.Parallel()
	dsn := postgres(t)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	execAll(t, db, []string{"CREATE TABLE posts (id bigint PRIMARY KEY)"})
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE posts IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	beside := footprintsql.Beside(stdlib.GetConnector(*config))
	defer func() { _ = beside.Close() }()
	err = beside.Query(t.Context(), "SELECT id FROM posts", nil, func([]driver.Value) error { return nil })
	var answer interface{ SQLState() string }
	if !errors.As(err, &answer) || answer.SQLState() != "55P03" { // lock_not_available
		t.Error(err)
	}
}
