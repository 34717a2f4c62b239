package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

const (
	tenantRow  = `{loose(id: "0") {name}}`
	tenantEdit = `UPDATE {s}loose SET name = name || '!' WHERE id = '0'`
)

// A key that forgets the tenant: the schema is seen, also where no statement of the request
// has set it, and nobody reads another's rows.
func TestTenantsThatTheKeyForgets(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SET LOCAL", "SET and RESET", "set_config", "the DSN's search_path", "the role's search_path", "qualified names"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := habits[name]
			s := newTenancy(t, h)
			_ = s.cache.Close()
			var err error
			s.cache, err = gqlcache.New(gqlcache.Options{
				Predicate:     allUsers,
				Observe:       gqlcache.Observe{Handles: []*footprint.Observer{s.watched}, Everything: true},
				SweepInterval: -1, Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.cache.Close() })
			s.srv = authenticate(nil, testgraph.Serve(testgraph.Executable(s.store, undeclared...), s.cache))
			for range 4 {
				for _, tenant := range tenantNames {
					if body, _ := s.ask(tenant, tenantRow); !strings.Contains(body, tenant+":") {
						t.Errorf("%s reads %s", tenant, body)
					}
				}
			}
			if s.cache.Stats().NotStored[gqlcache.ReasonKey] == 0 {
				t.Errorf("not stored: %v", s.cache.Stats().NotStored)
			}
		})
	}
}

// A tenant without a table of its own reads that of public, and one that gets it later reads
// its own: by the handle, or by another program. Until the catalog is read again nothing is
// kept that the new table changes.
func TestTenantsThatAreNew(t *testing.T) {
	t.Parallel()
	for _, byHandle := range []bool{true, false} {
		for _, exists := range []bool{true, false} {
			t.Run(fmt.Sprintf("by the handle %v, the schema exists %v", byHandle, exists), func(t *testing.T) {
				t.Parallel()
				s := newTenancy(t, habits["SET LOCAL"])
				outside := connect(t, "pgx", s.dsn)
				if exists {
					run(t, outside, `CREATE SCHEMA t9`)
				}
				s.warm(tenantRow)
				if exists {
					s.ask("t9", tenantRow)
					if body, _ := s.ask("t9", tenantRow); !strings.Contains(body, "public:") {
						t.Fatalf("t9 reads %s", body)
					}
					// A change of public's row is one of t9's.
					if err := s.write(t.Context(), "public", tenantEdit); err != nil {
						t.Fatal(err)
					}
					if _, hit := s.ask("t9", tenantRow); hit {
						t.Error("stale after a change in public")
					}
				}
				texts := []string{
					`CREATE SCHEMA IF NOT EXISTS t9`, `CREATE TABLE t9.loose (id text PRIMARY KEY, name text NOT NULL, kind text NOT NULL)`,
					`INSERT INTO t9.loose VALUES ('0', 't9:0', 'a')`,
				}
				for _, text := range texts {
					if byHandle {
						if _, err := s.db.ExecContext(t.Context(), text); err != nil {
							t.Fatal(err)
						}
					} else {
						run(t, outside, text)
					}
				}
				if !byHandle && exists {
					// A migration that nobody has told: see "What it cannot see".
					s.watched.CatalogChanged(t.Context())
				}
				// Connections go on with plans that they have made before. Those that are older
				// than the catalog which has the table know nothing for certain.
				renew := func() {
					s.db.SetMaxIdleConns(0)
					s.db.SetMaxIdleConns(2)
				}
				renew()
				for range 3 {
					if body, _ := s.ask("t9", tenantRow); !strings.Contains(body, "t9:") {
						t.Errorf("t9 reads %s", body)
					}
					if err := s.write(t.Context(), "t9", tenantEdit); err != nil {
						t.Fatal(err)
					}
				}
				renew()
				s.ask("t9", tenantRow)
				before, hit := s.ask("t9", tenantRow)
				if !hit {
					t.Errorf("it is not stored: %v", s.cache.Stats().NotStored)
				}
				for _, other := range append([]string{"public"}, tenantNames...) {
					if err := s.write(t.Context(), other, tenantEdit); err != nil {
						t.Fatal(err)
					}
				}
				if _, hit := s.ask("t9", tenantRow); !hit {
					t.Error("other tenants' changes drop it")
				}
				if err := s.write(t.Context(), "t9", tenantEdit); err != nil {
					t.Fatal(err)
				}
				if body, hit := s.ask("t9", tenantRow); hit || body == before {
					t.Errorf("stale: %s", body)
				}
			})
		}
	}
}

// A prepared statement goes on with the table that it has found when one of its name is
// created in a schema before: PostgreSQL does not look again. The answer depends on that one.
func TestTenantsOfOldPlans(t *testing.T) {
	t.Parallel()
	s := newTenancy(t, habits["SET LOCAL"])
	s.db.SetMaxOpenConns(1)
	outside := connect(t, "pgx", s.dsn)
	run(t, outside, `CREATE SCHEMA t9`)
	s.warm(tenantRow)
	s.ask("t9", tenantRow)
	run(t, outside, `CREATE TABLE t9.loose (id text PRIMARY KEY, name text NOT NULL, kind text NOT NULL)`, `INSERT INTO t9.loose VALUES ('0', 't9:0', 'a')`)
	s.watched.CatalogChanged(t.Context())
	other, err := footprintsql.Open("pgx", s.dsn, s.watched)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	for i := range 4 {
		for _, table := range []string{"public.loose", "t9.loose"} {
			name := fmt.Sprint(table, " ", i)
			if _, err := other.ExecContext(t.Context(), `UPDATE `+table+` SET name = $1 WHERE id = '0'`, name); err != nil {
				t.Fatal(err)
			}
			var now string
			err := s.use(t.Context(), "t9", func(q querier) error {
				rows, err := q.QueryContext(t.Context(), `SELECT id, name FROM {s}loose WHERE id = $1`, "0")
				if err != nil {
					return err
				}
				defer func() { _ = rows.Close() }()
				for rows.Next() {
					if err := rows.Scan(new(string), &now); err != nil {
						return err
					}
				}
				return rows.Err()
			})
			if err != nil {
				t.Fatal(err)
			}
			if body, hit := s.ask("t9", tenantRow); !strings.Contains(body, now) {
				t.Errorf("%s, from the cache: %v; PostgreSQL says %s", body, hit, now)
			}
		}
	}
}

// tenantHook is the context key of the tenant that a hook of pgx's sets.
type tenantHook struct{}

// What a hook of the driver's has set when the pool hands a connection out is not seen:
// nothing is taken from before. What AfterConnect has set is there when the connection is
// asked.
func TestTenantsOfHooks(t *testing.T) {
	t.Parallel()
	s := newTenancy(t, habits["SET LOCAL"])
	config, err := pgx.ParseConfig(s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	open := func(opts ...stdlib.OptionOpenDB) *sql.DB {
		db := sql.OpenDB(footprintsql.Connector(stdlib.GetConnector(*config, opts...), s.watched))
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	set := func(ctx context.Context, conn *pgx.Conn) error {
		tenant, _ := ctx.Value(tenantHook{}).(string)
		if tenant == "" {
			return nil
		}
		_, err := conn.Exec(ctx, `SET search_path TO `+tenant)
		return err
	}
	hooked := open(stdlib.OptionResetSession(set), stdlib.OptionAfterConnect(set))
	after := open(stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `SET search_path TO t1`)
		return err
	}))
	db := hooked
	s.habit.use = func(ctx context.Context, _ *tenancy, tenant string, f func(querier) error) error {
		conn, err := db.Conn(context.WithValue(ctx, tenantHook{}, tenant))
		if err != nil {
			return err
		}
		return errors.Join(f(conn), conn.Close())
	}
	other := habits["qualified names"].use
	for round := range 8 {
		for _, tenant := range tenantNames {
			if round%2 == 1 && tenant == "t1" {
				continue // whose path was there when the connection was opened
			}
			edit := func(q querier) error {
				_, err := q.ExecContext(t.Context(), `UPDATE {s}loose SET name = $1 WHERE id = '0'`, fmt.Sprint(tenant, ":", round))
				return err
			}
			var err error
			if round%2 == 0 {
				err = s.use(t.Context(), tenant, edit)
			} else { // whoever has read without knowing the tenant hears of it
				err = other(t.Context(), s, tenant, edit)
			}
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("%s:%d", tenant, round)
			for range 2 {
				if body, _ := s.ask(tenant, tenantRow); !strings.Contains(body, want) {
					t.Errorf("%s reads %s, not %s", tenant, body, want)
				}
			}
		}
	}
	db = after
	for range 4 { // as the DSN's
		s.ask("t1", tenantRow)
		if err := s.write(t.Context(), "t1", tenantEdit); err != nil {
			t.Fatal(err)
		}
	}
	s.ask("t1", tenantRow)
	db = hooked
	if err := s.write(t.Context(), "t2", `SET search_path TO t2`); err != nil {
		t.Fatal(err)
	}
	db = after
	if err := other(t.Context(), s, "t2", func(q querier) error {
		_, err := q.ExecContext(t.Context(), tenantEdit)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, hit := s.ask("t1", tenantRow); !hit {
		t.Errorf("another tenant's change drops it: %v", s.cache.Stats().NotStored)
	}
	if err := other(t.Context(), s, "t1", func(q querier) error {
		_, err := q.ExecContext(t.Context(), tenantEdit)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, hit := s.ask("t1", tenantRow); hit {
		t.Error("stale after a write that names the schema")
	}
}

// A statement is named, with the reason, where it is not known in which schema its rows are,
// and not where it is.
func TestTenantsThatAreNotKnown(t *testing.T) {
	t.Parallel()
	known := `SET LOCAL search_path TO {t}, public`
	for name, c := range map[string]struct{ set, read, why string }{
		"known":       {known, `SELECT name FROM {s}loose WHERE id = '0'`, ""},
		"unseen":      {`DO $$ BEGIN PERFORM set_config('search_path', '{t}', true); END $$`, `SELECT name FROM {s}loose WHERE id = '0'`, "not known"},
		"two schemas": {known, `SELECT l.name FROM {s}loose l JOIN t3.counters c ON c.loose_id = l.id WHERE l.id = '0'`, "several schemas"},
		"of no table": {`SET LOCAL search_path TO {t}, nowhere`, `SELECT name FROM {s}loose WHERE id = '0'`, ""},
		"not there":   {`SET LOCAL search_path TO nowhere, {t}`, `SELECT name FROM {s}loose WHERE id = '0'`, "lacks a schema"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTenancy(t, habit{driver: "pgx", template: true, use: within(c.set, nil)})
			s.store.Answer("Query.loose", func(ctx context.Context) (any, error) {
				x := &testgraph.Loose{ID: "0"}
				return x, s.use(ctx, userOf(ctx), func(q querier) error {
					rows, err := q.QueryContext(ctx, c.read)
					if err != nil {
						return err
					}
					defer func() { _ = rows.Close() }()
					for rows.Next() {
						if err := rows.Scan(&x.Name); err != nil {
							return err
						}
					}
					return rows.Err()
				})
			})
			s.ask("t1", `{loose(id: "0") {name}}`)
			var found []footprint.Finding
			for _, f := range s.watched.Findings() {
				if f.Kind == footprint.UnknownSchema {
					found = append(found, f)
				}
			}
			switch {
			case c.why == "" && len(found) == 0:
			case c.why == "" || len(found) != 1 || !strings.Contains(found[0].Why, c.why) || !strings.Contains(found[0].Text, "FROM loose") || strings.Contains(found[0].Why, "nowhere"):
				t.Errorf("found %+v, want one that says %q", found, c.why)
			}
		})
	}
}
