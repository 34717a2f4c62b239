package e2e

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"log/slog"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsqlite"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// A preparing connector sends statements on each new connection before anybody has it, as
// hooks of drivers do.
type preparing struct {
	dsn   string
	texts []string
}

func (preparing) Driver() driver.Driver { return &sqlite.Driver{} }

func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Driver().Open(p.dsn)
	for _, text := range p.texts {
		if err == nil {
			_, err = c.(driver.ExecerContext).ExecContext(ctx, text, nil)
		}
	}
	return c, err
}

// What a trigger of one connection alone writes is dropped, however the connection has got
// it, and a connection without one drops what it says.
func TestTemporaryTriggers(t *testing.T) {
	t.Parallel()
	const trigger = `CREATE TEMP TRIGGER renames AFTER INSERT ON log BEGIN UPDATE loose SET name = name || '!' WHERE id = '1'; END`
	const insert = `INSERT INTO log (line) VALUES ('x')`
	type rig struct {
		*seam
		conn *sql.Conn // with the trigger
		rows *sql.Rows // that are open on it, nil for none
	}
	exec := func(s *rig, text string) {
		s.Helper()
		if _, err := s.conn.ExecContext(context.Background(), text); err != nil {
			s.Fatalf("%s: %v", text, err)
		}
	}
	for _, c := range []struct {
		name    string
		prepare []string
		make    func(s *rig)
		hook    bool
		// clean says that the connection has none after all, kept that answers of other tables
		// are kept though it has one.
		clean, kept bool
	}{
		{name: "through the handle", make: func(s *rig) { exec(s, trigger) }},
		{name: "with a hook", make: func(s *rig) { exec(s, trigger) }, hook: true, kept: true},
		{name: "with a hook and a virtual table", make: func(s *rig) { exec(s, `CREATE VIRTUAL TABLE v USING fts5(a)`); exec(s, trigger) }, hook: true},
		{name: "in a text of several statements", make: func(s *rig) { exec(s, `DELETE FROM log; `+trigger+`; DELETE FROM log`) }},
		{name: "in a transaction", make: func(s *rig) { exec(s, `BEGIN`); exec(s, trigger); exec(s, `COMMIT`) }},
		{name: "rolled back", make: func(s *rig) { exec(s, `BEGIN`); exec(s, trigger); exec(s, `ROLLBACK`) }, clean: true},
		{name: "dropped", make: func(s *rig) { exec(s, trigger); exec(s, `DROP TRIGGER renames`) }, clean: true},
		{name: "beside open rows", make: func(s *rig) {
			exec(s, trigger)
			rows, err := s.conn.QueryContext(context.Background(), `SELECT 1 UNION ALL SELECT 2`)
			if err != nil || !rows.Next() || rows.Err() != nil {
				s.Fatal(err)
			}
			s.rows = rows
		}},
		{name: "by the driver", prepare: []string{trigger}, make: func(*rig) {}},
		{name: "a drop that is rolled back", make: func(s *rig) {
			for _, text := range []string{trigger, `BEGIN`, `SAVEPOINT a`, `DROP TRIGGER renames`, insert, `ROLLBACK TO a`, `COMMIT`} {
				exec(s, text)
			}
		}},
		{name: "a table that hides another one", make: func(s *rig) {
			exec(s, `CREATE TEMP TABLE log (line TEXT)`)
			exec(s, `CREATE TEMP TRIGGER renames AFTER INSERT ON log BEGIN UPDATE loose SET name = name || '!' WHERE id = '1'; END`)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &rig{seam: &seam{T: t, store: testgraph.NewStore(), watched: footprint.New(footprint.Options{Dialect: footprint.SQLite, Logger: slog.New(slog.DiscardHandler)})}}
			path := filepath.Join(t.TempDir(), "own.db")
			plain, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			execAll(t, plain, []string{
				`PRAGMA journal_mode = WAL`, `CREATE TABLE loose (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL)`, `CREATE TABLE log (line TEXT)`,
				`INSERT INTO loose VALUES ('1', 'one'), ('2', 'two')`,
			})
			if err := plain.Close(); err != nil {
				t.Fatal(err)
			}
			var options []footprintsql.Option
			if c.hook {
				options = append(options, footprintsqlite.RowHook())
			}
			s.db = sql.OpenDB(footprintsql.Connector(preparing{path + "?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)", c.prepare}, s.watched, options...))
			t.Cleanup(func() { _ = s.db.Close() })
			s.cache, err = gqlcache.New(gqlcache.Options{
				Callers: gqlcache.AllSeeTheSame, FieldHooksCovered: true, SweepInterval: -1, Logger: slog.New(slog.DiscardHandler),
				Observe: gqlcache.Observe{Everything: true, Handles: []*footprint.Observer{s.watched}},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.cache.Close() })
			s.srv = testgraph.Serve(testgraph.Executable(s.store, undeclared...), s.cache)
			s.reads("Query.loose", byID, "1")
			s.conn = s.connect()
			c.make(s)
			other := s.connect()
			t.Cleanup(func() {
				if s.rows != nil {
					_ = s.rows.Close()
				}
				_, _ = s.conn.Close(), other.Close()
			})
			s.warm()
			if c.prepare == nil {
				if _, err := other.ExecContext(t.Context(), insert); err != nil {
					t.Fatal(err)
				}
				if !s.ask(first) {
					t.Error("a connection without the trigger drops it")
				}
			}
			exec(s, insert)
			if hit := s.ask(first); hit != c.clean {
				t.Errorf("after a write that fires the trigger: a hit %v", hit)
			}
			s.warm()
			exec(s, `UPDATE loose SET name = 'second' WHERE id = '2'`)
			if hit := s.ask(first); hit != (c.clean || c.kept) {
				t.Errorf("after a write that fires none: a hit %v", hit)
			}
		})
	}
}

// connect takes a connection from the pool.
func (s *seam) connect() *sql.Conn {
	s.Helper()
	c, err := s.db.Conn(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	return c
}
