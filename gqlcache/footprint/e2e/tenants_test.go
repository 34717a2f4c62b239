package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// A tenancy is a server with one schema for each tenant, and real rows: a habit of how it
// tells PostgreSQL which tenant a statement is for.
type tenancy struct {
	testing.TB

	habit   habit
	dsn     string
	watched *footprint.Observer
	db      *sql.DB // of all tenants
	own     map[string]*sql.DB
	cache   *gqlcache.Cache
	store   *testgraph.Store
	srv     http.Handler
}

// A habit is how statements are told their tenant. A query that is asked for with it has {s}
// in front of the names of tables.
type habit struct {
	driver string
	// template says that public has tables of the same names.
	template bool
	// own gives each tenant a handle of its own: what is added to the DSN.
	own func(tenant string) string
	// use runs statements for a tenant.
	use func(ctx context.Context, s *tenancy, tenant string, f func(querier) error) error
}

// A querier is a handle, a connection or a transaction.
type querier interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// within runs statements in a transaction that begins with one for the tenant.
func within(text string, args func(tenant string) []any) func(context.Context, *tenancy, string, func(querier) error) error {
	return func(ctx context.Context, s *tenancy, tenant string, f func(querier) error) error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		var list []any
		if args != nil {
			list = args(tenant)
		}
		if _, err := tx.ExecContext(ctx, strings.ReplaceAll(text, "{t}", tenant), list...); err != nil {
			return err
		}
		if err := f(tx); err != nil {
			return err
		}
		return tx.Commit()
	}
}

// onConn runs statements on a connection after one for the tenant, and before another.
func onConn(before, after string) func(context.Context, *tenancy, string, func(querier) error) error {
	return func(ctx context.Context, s *tenancy, tenant string, f func(querier) error) error {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.ExecContext(ctx, strings.ReplaceAll(before, "{t}", tenant)); err != nil {
			return err
		}
		err = f(conn)
		if after != "" {
			_, reset := conn.ExecContext(ctx, after)
			err = errors.Join(err, reset)
		}
		return err
	}
}

// handleOf runs statements on the tenant's own handle.
func handleOf(_ context.Context, s *tenancy, tenant string, f func(querier) error) error {
	return f(s.own[tenant])
}

// qualifying writes the schema into the texts.
type qualifying struct {
	querier
	tenant string
}

func (q qualifying) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return q.querier.ExecContext(ctx, strings.ReplaceAll(text, "{s}", q.tenant+"."), args...)
}

func (q qualifying) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return q.querier.QueryContext(ctx, strings.ReplaceAll(text, "{s}", q.tenant+"."), args...)
}

// unqualified leaves the schema to search_path.
func (s *tenancy) use(ctx context.Context, tenant string, f func(querier) error) error {
	return s.habit.use(ctx, s, tenant, func(q querier) error {
		if _, ok := q.(qualifying); !ok {
			q = qualifying{q, ""}
		}
		return f(unqualified{q})
	})
}

type unqualified struct{ querier }

func (q unqualified) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return q.querier.ExecContext(ctx, q.of(text), args...)
}

func (q unqualified) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return q.querier.QueryContext(ctx, q.of(text), args...)
}

func (q unqualified) of(text string) string {
	if x, ok := q.querier.(qualifying); ok && x.tenant != "" {
		return text
	}
	return strings.ReplaceAll(text, "{s}", "")
}

var habits = map[string]habit{
	"SET LOCAL":              {driver: "pgx", template: true, use: within(`SET LOCAL search_path TO {t}, public`, nil)},
	"SET LOCAL with lib/pq":  {driver: "postgres", template: true, use: within(`SET LOCAL search_path TO {t}, public`, nil)},
	"SET on a connection":    {driver: "pgx", template: true, use: onConn(`SET search_path TO {t}, public`, "")},
	"SET and RESET":          {driver: "postgres", template: true, use: onConn(`SET search_path TO {t}, public`, `RESET search_path`)},
	"SET SCHEMA":             {driver: "pgx", use: onConn(`SET SCHEMA '{t}'`, "")},
	"set_config":             {driver: "pgx", template: true, use: within(`SELECT set_config('search_path', $1, true)`, func(t string) []any { return []any{t + ", public"} })},
	"the DSN's search_path":  {driver: "pgx", template: true, own: func(t string) string { return ` options='-c search_path=` + t + `,public'` }, use: handleOf},
	"the role's search_path": {driver: "postgres", own: func(t string) string { return ` user=` + t + `_login` }, use: handleOf},
	"the role's name":        {driver: "pgx", own: func(t string) string { return ` user=` + t }, use: handleOf},
	"qualified names": {driver: "pgx", template: true, use: func(_ context.Context, s *tenancy, tenant string, f func(querier) error) error {
		return f(qualifying{s.db, tenant})
	}},
}

var tenantNames = []string{"t1", "t2", "t3"}

const rowsOfTenant = 4

func tenantTables(schema string) []string {
	return []string{
		`CREATE SCHEMA IF NOT EXISTS ` + schema,
		`CREATE TABLE ` + schema + `.loose (id text PRIMARY KEY, name text NOT NULL, kind text NOT NULL)`,
		`CREATE TABLE ` + schema + `.counters (id int PRIMARY KEY, value int NOT NULL, loose_id text NOT NULL REFERENCES ` + schema + `.loose ON DELETE CASCADE)`,
		`CREATE TABLE ` + schema + `.log (at serial PRIMARY KEY, id int NOT NULL)`,
		`CREATE VIEW ` + schema + `.stats AS SELECT c.id, c.value FROM ` + schema + `.counters c JOIN ` + schema + `.loose l ON l.id = c.loose_id WHERE l.kind = 'a'`,
		`CREATE TRIGGER logged AFTER UPDATE ON ` + schema + `.counters FOR EACH ROW EXECUTE FUNCTION public.logged()`,
	}
}

func newTenancy(t testing.TB, h habit) *tenancy {
	t.Helper()
	s := &tenancy{TB: t, habit: h, dsn: postgres(t), own: map[string]*sql.DB{}, store: testgraph.NewStore()}
	setup := connect(t, "pgx", s.dsn)
	run(t, setup, `CREATE FUNCTION public.logged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (id) VALUES (NEW.id); RETURN NEW; END $$`)
	schemas := tenantNames
	if h.template {
		schemas = append([]string{"public"}, schemas...)
	}
	for _, schema := range schemas {
		run(t, setup, tenantTables(schema)...)
		for i := range rowsOfTenant {
			run(t, setup, fmt.Sprintf(`INSERT INTO %s.loose VALUES ('%d', '%s:0', '%c')`, schema, i, schema, "ab"[i%2]),
				fmt.Sprintf(`INSERT INTO %s.counters VALUES (%d, 0, '%d')`, schema, i, i-i%2))
		}
		if schema == "public" {
			continue
		}
		for _, role := range []string{schema, schema + "_login"} {
			run(t, setup, `DO $$ BEGIN CREATE ROLE `+role+` LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
				`GRANT ALL ON SCHEMA `+schema+` TO `+role, `GRANT ALL ON ALL TABLES IN SCHEMA `+schema+` TO `+role, `GRANT ALL ON ALL SEQUENCES IN SCHEMA `+schema+` TO `+role)
		}
		run(t, setup, `ALTER ROLE `+schema+`_login SET search_path TO `+schema+`, public`)
	}
	s.watched = footprint.New(footprint.Options{Dialect: footprint.PostgreSQL, Logger: slog.New(slog.DiscardHandler)})
	open := func(dsn string) *sql.DB {
		db, err := footprintsql.Open(h.driver, dsn, s.watched)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	s.db = open(s.dsn)
	if h.own != nil {
		for _, tenant := range tenantNames {
			s.own[tenant] = open(s.dsn + h.own(tenant))
		}
	}
	var err error
	s.cache, err = gqlcache.New(gqlcache.Options{
		Predicate: func(ctx context.Context) (gqlcache.Predicate, error) {
			return gqlcache.Predicate{Text: "tenant = " + userOf(ctx)}, nil
		},
		Observe:       gqlcache.Observe{Handles: []*footprint.Observer{s.watched}, Everything: true},
		SweepInterval: -1, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cache.Close() })
	s.resolve()
	s.srv = authenticate(nil, testgraph.Serve(testgraph.Executable(s.store, undeclared...), s.cache))
	return s
}

// resolve has resolvers read and write rows.
func (s *tenancy) resolve() {
	arg := func(ctx context.Context, name string) any { return graphql.GetFieldContext(ctx).Args[name] }
	read := func(ctx context.Context, text string, row func(*sql.Rows) error, args ...any) error {
		return s.use(ctx, userOf(ctx), func(q querier) error {
			rows, err := q.QueryContext(ctx, text, args...)
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
				if err := row(rows); err != nil {
					return err
				}
			}
			return rows.Err()
		})
	}
	write := func(ctx context.Context, text string, args ...any) error {
		return s.write(ctx, userOf(ctx), text, args...)
	}
	s.store.Answer("Query.loose", func(ctx context.Context) (any, error) {
		var x *testgraph.Loose
		return x, read(ctx, `SELECT id, name FROM {s}loose WHERE id = $1`, func(r *sql.Rows) error {
			x = &testgraph.Loose{}
			return r.Scan(&x.ID, &x.Name)
		}, arg(ctx, "id"))
	})
	s.store.Answer("Query.looseAll", func(ctx context.Context) (any, error) {
		var list []*testgraph.Loose
		err := read(ctx, `SELECT id, name FROM {s}loose WHERE kind = 'a' ORDER BY id`, func(r *sql.Rows) error {
			x := &testgraph.Loose{}
			list = append(list, x)
			return r.Scan(&x.ID, &x.Name)
		})
		return list, err
	})
	s.store.Answer("Query.counter", func(ctx context.Context) (any, error) {
		var x *testgraph.Counter
		err := read(ctx, `SELECT id, value FROM {s}stats WHERE id = $1`, func(r *sql.Rows) error {
			x = &testgraph.Counter{}
			return r.Scan(&x.ID, &x.Value)
		}, arg(ctx, "id"))
		return x, err
	})
	s.store.Answer("Query.counters", func(ctx context.Context) (any, error) {
		list := []*testgraph.Counter{}
		err := read(ctx, `SELECT c.id, c.value, l.id, l.name FROM {s}counters c JOIN {s}loose l ON l.id = c.loose_id ORDER BY c.id`, func(r *sql.Rows) error {
			x := &testgraph.Counter{}
			list = append(list, x)
			return r.Scan(&x.ID, &x.Value, new(string), new(string))
		})
		return list, err
	})
	s.store.Answer("Mutation.setLoose", func(ctx context.Context) (any, error) {
		return true, write(ctx, `UPDATE {s}loose SET name = $2 WHERE id = $1`, arg(ctx, "id"), arg(ctx, "name"))
	})
	s.store.Answer("Mutation.setCounter", func(ctx context.Context) (any, error) {
		return (*testgraph.Counter)(nil), write(ctx, `UPDATE {s}counters SET value = $2 WHERE id = $1`, arg(ctx, "id"), arg(ctx, "value"))
	})
}

// write runs a statement for a tenant, of whomever.
func (s *tenancy) write(ctx context.Context, tenant, text string, args ...any) error {
	return s.use(ctx, tenant, func(q querier) error {
		_, err := q.ExecContext(ctx, text, args...)
		return err
	})
}

func (s *tenancy) ask(tenant, operation string) (body string, hit bool) {
	s.Helper()
	before := s.cache.Stats().Hits
	r := testgraph.Ask(s, s.srv, operation, nil, "Authorization", tenant)
	if len(r.Errors) > 0 {
		s.Fatalf("%s: %s", operation, r.Body)
	}
	return string(r.Data), s.cache.Stats().Hits > before
}

// warm has answers of all tenants stored: the shapes of their reads are known, and the key
// check has met enough callers.
func (s *tenancy) warm(operations ...string) {
	s.Helper()
	for range 3 {
		for _, tenant := range tenantNames {
			for _, op := range operations {
				s.ask(tenant, op)
			}
			if err := s.write(s.Context(), tenant, `UPDATE {s}loose SET name = name || '!'`); err != nil {
				s.Fatal(err)
			}
		}
	}
	for _, tenant := range tenantNames {
		for _, op := range operations {
			s.ask(tenant, op)
			if _, hit := s.ask(tenant, op); !hit {
				s.Fatalf("%s of %s is not stored: %v, %+v", op, tenant, s.cache.Stats().NotStored, s.watched.Findings())
			}
		}
	}
}

// A change of a tenant's row drops that tenant's answers which show it, and nobody else's:
// rows of one key are one row for each tenant, whichever way the tenant is told.
func TestTenantsOfSchemas(t *testing.T) {
	t.Parallel()
	const (
		one, all   = `{loose(id: "0") {name}}`, `{looseAll {name}}`
		view, join = `{counter(id: 0) {value}}`, `{counters {value}}`
	)
	for name, h := range habits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTenancy(t, h)
			s.warm(one, all, view, join)
			for _, c := range []struct {
				text    string
				dropped []string
			}{
				{`UPDATE {s}loose SET name = name || '?' WHERE id = '0'`, []string{one, all, join}},
				{`UPDATE {s}loose SET name = name || '?' WHERE id = '1'`, nil},
				{`UPDATE {s}counters SET value = value + 1 WHERE id = 0`, []string{view, join}}, // and its trigger
				{`UPDATE {s}counters SET value = value + 1 WHERE id = 1`, []string{join}},
				{`INSERT INTO {s}loose VALUES ('9', 'nine', 'a')`, []string{all}},
				{`DELETE FROM {s}loose WHERE id = '0'`, []string{one, all, view, join}}, // and its counters
			} {
				if err := s.write(t.Context(), "t2", c.text); err != nil {
					t.Fatal(err)
				}
				for _, tenant := range tenantNames {
					for _, op := range []string{one, all, view, join} {
						dropped := false
						for _, d := range c.dropped {
							dropped = dropped || d == op && tenant == "t2"
						}
						if _, hit := s.ask(tenant, op); hit == dropped {
							t.Errorf("%s: %s of %s was served from the cache: %v", c.text, op, tenant, hit)
						}
					}
				}
			}
		})
	}
}

// No tenant reads another's rows, and none reads what was there before an acknowledged
// change of its own: many at a time, each value says whose it is and how new.
func TestTenantsUnderConcurrency(t *testing.T) {
	t.Parallel()
	for name, h := range habits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTenancy(t, h)
			rounds.Until(t, "hits, misses and drops", func(round int) bool {
				before := s.cache.Stats()
				s.concurrently(round)
				after := s.cache.Stats()
				return after.Hits-before.Hits > 50 && after.Misses-before.Misses > 50
			})
		})
	}
}

// concurrently has readers and writers of all tenants run.
func (s *tenancy) concurrently(round int) {
	const workers, steps = 6, 60
	// acked are the newest versions whose writes were acknowledged, by tenant and row.
	var acked [3][rowsOfTenant]atomic.Int64
	var writing [3][rowsOfTenant]sync.Mutex
	var wg sync.WaitGroup
	base := int64(round) * 1_000_000
	for i, tenant := range tenantNames {
		for row := range rowsOfTenant {
			if err := s.write(s.Context(), tenant, `UPDATE {s}loose SET name = $2 WHERE id = $1`, strconv.Itoa(row), fmt.Sprint(tenant, ":", base)); err != nil {
				s.Fatal(err)
			}
			acked[i][row].Store(base)
		}
	}
	for w := range workers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(round), uint64(w)))
			for range steps {
				i, row := random.IntN(3), random.IntN(rowsOfTenant)
				tenant := tenantNames[i]
				if random.IntN(5) == 0 {
					writing[i][row].Lock()
					next := acked[i][row].Load() + 1
					name := fmt.Sprint(tenant, ":", next)
					var r testgraph.Response
					if random.IntN(2) == 0 { // a job, in one of the ways
						err := s.write(s.Context(), tenant, `UPDATE {s}loose SET name = $2 WHERE id = $1`, strconv.Itoa(row), name)
						if err != nil {
							s.Error(err)
						}
					} else if r = testgraph.Ask(s, s.srv, fmt.Sprintf(`mutation {setLoose(id: "%d", name: "%s")}`, row, name), nil, "Authorization", tenant); len(r.Errors) > 0 {
						s.Errorf("%s", r.Body)
					}
					acked[i][row].Store(next)
					writing[i][row].Unlock()
					continue
				}
				floor := acked[i][row].Load()
				r := testgraph.Ask(s, s.srv, fmt.Sprintf(`{loose(id: "%d") {name}}`, row), nil, "Authorization", tenant)
				_, value, _ := strings.Cut(string(r.Data), `"name":"`)
				value, _, _ = strings.Cut(value, `"`)
				whose, version, ok := strings.Cut(value, ":")
				n, err := strconv.ParseInt(version, 10, 64)
				switch {
				case len(r.Errors) > 0 || !ok || err != nil:
					s.Errorf("%s of %s: %s", value, tenant, r.Body)
				case whose != tenant:
					s.Errorf("%s reads %s", tenant, value)
				case n < floor:
					s.Errorf("stale: %s reads %s, %d was acknowledged", tenant, value, floor)
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkTenants prints the share of reads that were served from the cache, at so many
// reads to writes: three tenants, the same operations, the same keys.
func BenchmarkTenants(b *testing.B) {
	for _, name := range []string{"SET LOCAL", "SET and RESET", "the DSN's search_path", "qualified names"} {
		for _, reads := range []int{99, 95, 80} {
			b.Run(fmt.Sprintf("%s/%d", name, reads), func(b *testing.B) {
				var share float64
				for range b.N {
					share = hitShare(b, habits[name], reads)
				}
				b.ReportMetric(share, "hits/read")
			})
		}
	}
}

func hitShare(b *testing.B, h habit, reads int) float64 {
	b.Helper()
	s := newTenancy(b, h)
	s.warm(`{loose(id: "0") {name}}`, `{looseAll {name}}`, `{counter(id: 0) {value}}`)
	random := rand.New(rand.NewPCG(1, 2))
	asked, hits := 0, 0
	for range 3000 {
		tenant, row := tenantNames[random.IntN(len(tenantNames))], random.IntN(rowsOfTenant)
		if random.IntN(100) >= reads {
			text := `UPDATE {s}loose SET name = name || '!' WHERE id = $1`
			id := any(strconv.Itoa(row))
			if random.IntN(2) == 0 {
				text, id = `UPDATE {s}counters SET value = value + 1 WHERE id = $1`, row
			}
			if err := s.write(b.Context(), tenant, text, id); err != nil {
				b.Fatal(err)
			}
			continue
		}
		op := []string{
			fmt.Sprintf(`{loose(id: "%d") {name}}`, row), `{looseAll {name}}`, fmt.Sprintf(`{counter(id: %d) {value}}`, row), `{counters {value}}`,
		}[random.IntN(4)]
		asked++
		if _, hit := s.ask(tenant, op); hit {
			hits++
		}
	}
	return float64(hits) / float64(asked)
}
