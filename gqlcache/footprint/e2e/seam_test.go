package e2e

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

// A seam is a server with the cache, whose resolvers send statements where a test says so.
// What they answer comes from memory: the tests are about what is kept and dropped.
type seam struct {
	*testing.T
	db      *sql.DB
	watched *footprint.Observer
	cache   *gqlcache.Cache
	store   *testgraph.Store
	srv     http.Handler
}

// undeclared are the directives that a server without any has not.
var undeclared = []string{"cacheControl", "view", "dependsOn", "reads", "writes"}

func newSeam(t *testing.T, o gqlcache.Observe, without []string, around func(*seam, http.Handler) http.Handler) *seam {
	t.Helper()
	return newSeamOf(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Observe: o}, without, around)
}

func newSeamOf(t *testing.T, o gqlcache.Options, without []string, around func(*seam, http.Handler) http.Handler) *seam {
	t.Helper()
	return newSeamOn(t, o, func(store *testgraph.Store) graphql.ExecutableSchema { return testgraph.Executable(store, without...) }, around)
}

// newSeamOn makes a server with a schema of its own.
func newSeamOn(t *testing.T, o gqlcache.Options, schema func(*testgraph.Store) graphql.ExecutableSchema, around func(*seam, http.Handler) http.Handler) *seam {
	t.Helper()
	s := &seam{T: t, store: testgraph.NewStore(), watched: footprint.New(footprint.Options{Dialect: footprint.SQLite, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})}
	var err error
	if s.db, err = footprintsql.Open("sqlite", filepath.Join(t.TempDir(), "seam.db")+"?_pragma=foreign_keys(1)", s.watched); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	s.exec(t.Context(), `CREATE TABLE loose (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL)`)
	s.exec(t.Context(), `INSERT INTO loose VALUES ('1', 'one'), ('2', 'two')`)
	o.Observe.Handles = []*footprint.Observer{s.watched}
	o.FieldHooksCovered, o.SweepInterval = true, -1
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s.cache, err = gqlcache.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cache.Close() })
	s.srv = testgraph.Serve(schema(s.store), s.cache)
	if around != nil {
		s.srv = around(s, s.srv)
	}
	return s
}

// learn has the shapes of a query's reads known.
func (s *seam) learn(query string) {
	s.Helper()
	for range 2 {
		s.ask(query)
		s.exec(s.Context(), `UPDATE loose SET name = name || '?'`)
	}
	s.ask(query)
}

func (s *seam) exec(ctx context.Context, text string, args ...any) {
	s.Helper()
	if _, err := s.db.ExecContext(ctx, text, args...); err != nil {
		s.Fatal(err)
	}
}

// reads has a resolver send a query and read its rows.
func (s *seam) reads(point, text string, args ...any) {
	s.store.On(point, func(ctx context.Context) error { return s.read(ctx, text, args...) })
}

func (s *seam) read(ctx context.Context, text string, args ...any) error {
	rows, err := s.db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

// writes has a resolver send a statement.
func (s *seam) writes(point, text string, args ...any) {
	s.store.On(point, func(ctx context.Context) error {
		_, err := s.db.ExecContext(ctx, text, args...)
		return err
	})
}

// ask sends an operation and reports whether the answer came from the cache.
func (s *seam) ask(operation string) (hit bool) {
	s.Helper()
	before := s.cache.Stats().Hits
	if r := testgraph.Ask(s, s.srv, operation, nil); len(r.Errors) > 0 {
		s.Fatalf("%s: %s", operation, r.Body)
	}
	return s.cache.Stats().Hits > before
}

const (
	first  = `{loose(id: "l1") {name}}`
	byID   = `SELECT id, name FROM loose WHERE id = ?`
	rename = `UPDATE loose SET name = name || '!' WHERE id = ?`
)

// everything is a server without directives whose loose(id: "1") reads row 1.
func everything(t *testing.T, o gqlcache.Observe) *seam {
	t.Helper()
	o.Everything = true
	s := newSeam(t, o, undeclared, nil)
	s.reads("Query.loose", byID, "1")
	s.warm()
	return s
}

// warm asks until the answer is stored. A shape of reads is new at first, and not relied
// upon: the answer depends on the table until it is computed again.
func (s *seam) warm() {
	s.Helper()
	s.learn(first)
	if !s.ask(first) {
		s.Fatalf("it is not stored: %v", s.cache.Stats().NotStored)
	}
}

// What commits through the handle invalidates, whoever has written it, and nothing else.
func TestCommitsThroughTheHandle(t *testing.T) {
	s := everything(t, gqlcache.Observe{})
	s.exec(t.Context(), rename, "2")
	if !s.ask(first) {
		t.Error("another row drops it")
	}
	s.exec(t.Context(), rename, "1") // another HTTP handler, a job
	if s.ask(first) {
		t.Error("stale after a write outside of GraphQL")
	}
	s.warm()
	tx, err := s.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), rename, "1"); err != nil {
		t.Fatal(err)
	}
	if !s.ask(first) {
		t.Error("dropped before the commit")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if !s.ask(first) {
		t.Error("a rollback drops it")
	}
	s.writes("Mutation.setLoose", rename, "1")
	s.ask(`mutation {setLoose(id: "1", name: "x")}`)
	if s.ask(first) {
		t.Error("stale after a mutation")
	}
}

// A mutation of which nothing was seen may have done anything; one that was seen to write
// no row has written nothing.
func TestMutationsThatAreNotSeen(t *testing.T) {
	const mutation = `mutation {setLoose(id: "9", name: "x")}`
	s := everything(t, gqlcache.Observe{})
	s.writes("Mutation.setLoose", rename, "9")
	s.ask(mutation)
	if !s.ask(first) {
		t.Error("a write of no row drops it")
	}
	s.store.On("Mutation.setLoose", nil)
	s.ask(mutation)
	if s.ask(first) {
		t.Error("nothing was seen of the mutation, and it drops nothing")
	}
	s = everything(t, gqlcache.Observe{Foreign: []string{"Mutation.setLoose"}})
	s.writes("Mutation.setLoose", rename, "9")
	s.ask(mutation)
	if s.ask(first) {
		t.Error("the field writes elsewhere, too")
	}
}

// Answers of which the statements do not tell everything are not stored, each for its
// reason.
func TestReasonsOfStatements(t *testing.T) {
	for name, c := range map[string]struct {
		observe gqlcache.Observe
		resolve func(s *seam)
		why     gqlcache.Reason
	}{
		"no statement":       {gqlcache.Observe{}, func(s *seam) { s.store.On("Query.loose", nil) }, gqlcache.ReasonUnexplained},
		"computed":           {gqlcache.Observe{Computed: []string{"Query.loose"}}, func(s *seam) { s.store.On("Query.loose", nil) }, ""},
		"the time":           {gqlcache.Observe{}, func(s *seam) { s.reads("Query.loose", `SELECT name, datetime('now') FROM loose WHERE id = '1'`) }, gqlcache.ReasonVolatile},
		"a row":              {gqlcache.Observe{}, func(s *seam) { s.reads("Query.loose", byID, "1") }, ""},
		"an own transaction": {gqlcache.Observe{}, func(s *seam) { s.inTransaction("1") }, gqlcache.ReasonUncommitted},
		"that of other rows": {gqlcache.Observe{}, func(s *seam) { s.inTransaction("2") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.observe.Everything = true
			s := newSeam(t, c.observe, undeclared, nil)
			c.resolve(s)
			s.learn(first)
			if hit := s.ask(first); hit != (c.why == "") {
				t.Errorf("hit: %v, not stored: %v", hit, s.cache.Stats().NotStored)
			}
			if c.why != "" && s.cache.Stats().NotStored[c.why] == 0 {
				t.Errorf("not stored: %v, want %s", s.cache.Stats().NotStored, c.why)
			}
		})
	}
}

// inTransaction has the resolver read row 1 in a transaction that has changed a row, and
// is rolled back.
func (s *seam) inTransaction(changed string) {
	s.store.On("Query.loose", func(ctx context.Context) error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, `UPDATE loose SET name = 'x' WHERE id = ?`, changed); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, byID, "1")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
		}
		return rows.Err()
	})
}

// With handles and no promise, directives are guarded: a write that no directive declares
// drops what has read the row, and a read that none declares is heard of.
func TestDirectivesAreGuarded(t *testing.T) {
	const named = `{usersByName(name: "Ann") {name}}`
	s := newSeam(t, gqlcache.Observe{}, []string{"cacheControl"}, nil)
	s.reads("Query.usersByName", byID, "1")
	s.learn(named)
	if !s.ask(named) {
		t.Fatalf("it is not stored: %v", s.cache.Stats().NotStored)
	}
	s.exec(t.Context(), rename, "2")
	if !s.ask(named) {
		t.Error("another row drops it")
	}
	s.exec(t.Context(), rename, "1")
	if s.ask(named) {
		t.Error("stale: no @reads names the table")
	}
}

// With ReportOnly nothing is added and nothing is dropped.
func TestReportOnly(t *testing.T) {
	const named = `{usersByName(name: "Ann") {name}}`
	s := newSeam(t, gqlcache.Observe{ReportOnly: true}, []string{"cacheControl"}, nil)
	s.reads("Query.usersByName", byID, "1")
	s.ask(named)
	s.exec(t.Context(), rename, "1")
	if !s.ask(named) {
		t.Error("an observed write has dropped it")
	}
	s.exec(t.Context(), `CREATE TABLE later (id TEXT)`) // everything may have changed
	if !s.ask(named) {
		t.Error("a statement that may write anything has dropped it")
	}
	reads := false
	for _, op := range s.cache.Observed().Operations {
		reads = reads || slices.Contains(op.Uncovered, "loose")
	}
	if !reads {
		t.Errorf("the table that no directive names is not reported: %+v", s.cache.Observed())
	}
}

// What a middleware has read for the request belongs to its operations, with the number of
// the request.
func TestReadByAMiddleware(t *testing.T) {
	s := newSeam(t, gqlcache.Observe{Everything: true}, undeclared, func(s *seam, next http.Handler) http.Handler {
		return s.cache.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := s.read(r.Context(), byID, "2"); err != nil {
				s.Error(err)
			}
			next.ServeHTTP(w, r)
		}))
	})
	s.reads("Query.loose", byID, "1")
	s.warm()
	s.exec(t.Context(), rename, "2")
	if s.ask(first) {
		t.Error("stale: a middleware has read the row")
	}
}

// A statement that is not understood is named with the operation and the line that it came
// from, also a mutation's, and without its values.
func TestNotUnderstoodIsNamed(t *testing.T) {
	const unknown = `SELECT 'sesame' WHERE NOT sqlite_compileoption_used('sesame')`
	s := newSeam(t, gqlcache.Observe{Everything: true}, undeclared, nil)
	s.reads("Query.loose", unknown)
	s.writes("Mutation.renameUser", `INSERT INTO loose SELECT 'sesame', 'x' WHERE sqlite_compileoption_used('sesame')`)
	s.ask(`query Reader ` + first)
	s.ask(`query Reader ` + first)
	s.ask(`mutation Writer {renameUser(id: "` + testgraph.Ann + `", name: "x")}`)
	operations := map[string]uint64{}
	for _, f := range s.cache.Observed().Findings {
		if f.Kind == string(footprint.NotUnderstood) && f.Why != "DDL" {
			operations[f.Operation] = f.Count
			if !strings.Contains(f.Place, "seam_test.go:") || strings.Contains(f.Text+f.Why, "sesame") || !strings.Contains(f.Text, "sqlite_compileoption_used(?)") {
				t.Errorf("%+v", f)
			}
		}
	}
	if len(operations) != 2 || operations["Reader"] != 2 || operations["Writer"] != 1 {
		t.Errorf("%v: %+v", operations, s.cache.Observed())
	}
	if st := s.cache.Stats().Observed; st.NotUnderstood != 4 || st.Findings[footprint.NotUnderstood] != 4 { // and CREATE TABLE
		t.Errorf("%+v", st)
	}
}

// Where directives stand for what was seen, a table that a mutation writes and does not
// declare, or that anybody else writes, is changed as a whole; and what is declared keeps
// its precision.
func TestCoverTables(t *testing.T) {
	const ann = `{user(id: "` + testgraph.Ann + `") {name}}`
	s := newSeam(t, gqlcache.Observe{Cover: gqlcache.CoverTables}, []string{"cacheControl"}, nil)
	s.exec(t.Context(), `CREATE TABLE v_user (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL)`)
	s.exec(t.Context(), `INSERT INTO v_user VALUES ('a', 'Ann'), ('b', 'Bob')`)
	s.reads("Query.user", `SELECT id, name FROM v_user`) // all of it: the directive says by which column
	const touch = `UPDATE v_user SET name = name || '' WHERE id = 'b'`
	s.ask(ann)
	if !s.ask(ann) {
		t.Fatalf("it is not stored: %v", s.cache.Stats().NotStored)
	}
	s.writes("Mutation.renameUser", touch)
	s.ask(`mutation {renameUser(id: "` + testgraph.Bob + `", name: "Rob")}`)
	if !s.ask(ann) {
		t.Error("a declared write of another row drops it")
	}
	s.writes("Mutation.log", touch)
	s.ask(`mutation {log}`)
	if s.ask(ann) {
		t.Error("stale: no directive declares the write")
	}
	s.ask(ann)
	s.exec(t.Context(), touch)
	if s.ask(ann) {
		t.Error("stale after a write outside of GraphQL")
	}
	s.exec(t.Context(), touch)
	s.reads("Query.user", byID, "1")
	s.learn(ann)
	s.exec(t.Context(), rename, "2")
	if !s.ask(ann) {
		t.Error("another row of a table that is not declared drops it")
	}
	s.exec(t.Context(), rename, "1")
	if s.ask(ann) {
		t.Error("stale: a table that is not declared")
	}
}

// atRuntime is the test schema with Query.userCount saying at run time what it reads.
func atRuntime(store *testgraph.Store) graphql.ExecutableSchema {
	es := testgraph.Executable(store, "cacheControl")
	reads := es.Schema().Query.Fields.ForName("userCount").Directives.ForName("reads")
	reads.Arguments = ast.ArgumentList{{Name: "atRuntime", Value: &ast.Value{Raw: "true", Kind: ast.BooleanValue}, Position: reads.Position}}
	return es
}

// TestReadsAtRuntimeAndStatements: a statement does not say for a field what it reads, but
// that what it has read counts, beside what the resolver says. With Everything statements are
// enough.
func TestReadsAtRuntimeAndStatements(t *testing.T) {
	const count = `{userCount}`
	for _, row := range []struct {
		name       string
		everything bool
		says       bool
		another    bool // another table's change drops it
	}{
		{"nothing said", false, false, true},
		{"said", false, true, false},
		{"nothing said, everything seen", true, false, false},
		{"said, everything seen", true, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSeamOn(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Observe: gqlcache.Observe{Everything: row.everything}}, atRuntime, nil)
			s.exec(t.Context(), `CREATE TABLE others (id TEXT PRIMARY KEY NOT NULL)`)
			s.store.On("Query.userCount", func(ctx context.Context) error {
				if row.says {
					if err := gqlcache.Read(ctx, gqlcache.Tag("counted")); err != nil {
						return err
					}
				}
				return s.read(ctx, byID, "1")
			})
			s.learn(count)
			if !s.ask(count) {
				t.Fatalf("it is not stored: %v", s.cache.Stats().NotStored)
			}
			s.exec(t.Context(), rename, "1")
			if s.ask(count) {
				t.Error("stale: a statement of the resolver")
			}
			s.exec(t.Context(), `INSERT INTO others VALUES ('1')`)
			if s.ask(count) == row.another {
				t.Errorf("another table drops it: %v", !row.another)
			}
			if err := s.cache.Invalidate(t.Context(), gqlcache.Tag("counted")); err != nil {
				t.Fatal(err)
			}
			if row.says && s.ask(count) {
				t.Error("stale: what the resolver has said")
			}
		})
	}
}

// TestAtRuntimeIsNotCovered: directives do not stand for the statements of a field that says at
// run time what it reads.
func TestAtRuntimeIsNotCovered(t *testing.T) {
	const both = `{user(id: "` + testgraph.Ann + `") {name} userCount}`
	s := newSeamOn(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Observe: gqlcache.Observe{Cover: gqlcache.CoverTables}}, atRuntime, nil)
	s.exec(t.Context(), `CREATE TABLE v_user (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL)`)
	s.exec(t.Context(), `INSERT INTO v_user VALUES ('a', 'Ann'), ('b', 'Bob')`)
	s.store.On("Query.userCount", func(ctx context.Context) error {
		if err := gqlcache.Read(ctx, gqlcache.Tag("counted")); err != nil {
			return err
		}
		return s.read(ctx, `SELECT id, name FROM v_user`)
	})
	s.ask(both)
	if !s.ask(both) {
		t.Fatalf("it is not stored: %v", s.cache.Stats().NotStored)
	}
	s.writes("Mutation.renameUser", `UPDATE v_user SET name = name || '' WHERE id = 'b'`)
	s.ask(`mutation {renameUser(id: "` + testgraph.Bob + `", name: "Rob")}`)
	if s.ask(both) {
		t.Error("stale: a statement of the resolver has read the row")
	}
}
