package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// A fault is one of a server that makes its cache answer wrongly. Each is planted twice in
// the same server: on a bare handle of the database, where the cache must be wrong, or the
// fault would be none, and on one that is observed.
type fault struct {
	// plant are replacements in the schema, and tables are statements beside faultTables.
	// trigger adds those of commented.
	plant, tables []string
	trigger       bool
	// options are of the cache.
	options gqlcache.Options
	// serve sets the resolvers of query, which are those of all servers where it is nil.
	serve func(s *faulty)
	// around wraps the server.
	around func(s *faulty, next http.Handler) http.Handler
	// query is asked before and after change. beside is sent at the same time, for faults
	// of requests that meet.
	query, beside string
	change        func(s *faulty)
	// before and after are parts of the right answers.
	before, after string
	// named reports whether the report tells of the fault.
	named func(o inspect.Observed) bool
}

// faultTables are the tables of the schema's views.
var faultTables = []string{
	`CREATE TABLE v_user (id VARCHAR(40) PRIMARY KEY NOT NULL, name TEXT NOT NULL)`,
	`CREATE TABLE v_post (id VARCHAR(40) PRIMARY KEY NOT NULL, name TEXT NOT NULL, author_id VARCHAR(40) NOT NULL REFERENCES v_user (id) ON DELETE CASCADE)`,
	`CREATE TABLE v_comment (id VARCHAR(40) PRIMARY KEY NOT NULL, post_id VARCHAR(40) NOT NULL)`,
	`CREATE TABLE v_note (id VARCHAR(40) PRIMARY KEY NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL)`,
	`INSERT INTO v_user VALUES ('1', 'Ann'), ('2', 'Bob'), ('3', '')`,
	`INSERT INTO v_post VALUES ('p1', 'Hello', '1'), ('p2', 'World', '2')`,
	`INSERT INTO v_note VALUES ('n1', 'user-ann', 'diary of Ann'), ('n2', 'user-bob', 'diary of Bob')`,
}

// A faulty is a server with a fault.
type faulty struct {
	*testing.T
	postgres   bool
	db         *sql.DB
	watched    *footprint.Observer // nil on a bare handle
	cache      *gqlcache.Cache
	store      *testgraph.Store
	srv, plain http.Handler // plain is the same server without a cache
	user       string
	// meet has requests wait for each other, and later is what a middleware does after the
	// answer.
	meet  bool
	later func(ctx context.Context)
}

// plantFault returns a server with a fault.
func plantFault(t *testing.T, f *fault, pg, observed bool) *faulty {
	t.Helper()
	s := &faulty{T: t, postgres: pg, store: testgraph.NewStore(), user: "user-ann"}
	driver, dialect := "sqlite", footprint.SQLite
	dsn := filepath.Join(t.TempDir(), "faulty.db") + "?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)"
	if pg {
		driver, dialect, dsn = "pgx", footprint.PostgreSQL, postgres(t)
	}
	bare, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bare.Close() })
	tables := slices.Concat(faultTables, f.tables)
	if f.trigger {
		tables = append(tables, commented(pg)...)
	}
	for _, text := range tables {
		if _, err := bare.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	quiet := slog.New(slog.DiscardHandler)
	options := f.options
	options.SweepInterval, options.FieldHooksCovered, options.Logger = -1, true, quiet
	if options.Predicate == nil {
		options.Callers = gqlcache.AllSeeTheSame
	}
	if s.db = bare; observed {
		s.watched = footprint.New(footprint.Options{Dialect: dialect, Logger: quiet})
		if s.db, err = footprintsql.Open(driver, dsn, s.watched); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.db.Close() })
		options.Observe.Handles = []*footprint.Observer{s.watched}
	}
	if s.cache, err = gqlcache.New(options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cache.Close() })
	schema, err := testgraph.ExecutablePlanted(s.store, f.plant, "cacheControl")
	if err != nil {
		t.Fatal(err)
	}
	s.resolve()
	if f.serve != nil {
		f.serve(s)
	}
	s.srv, s.plain = authenticate(nil, testgraph.Serve(schema, s.cache)), authenticate(nil, testgraph.Serve(schema))
	if f.around != nil {
		s.srv = f.around(s, s.srv)
	}
	return s
}

// text has the parameters of the database's dialect.
func (s *faulty) text(text string) string {
	for n := 1; s.postgres && strings.Contains(text, "?"); n++ {
		text = strings.Replace(text, "?", fmt.Sprint("$", n), 1)
	}
	return text
}

// rows returns the first two columns of a query's rows.
func (s *faulty) rows(ctx context.Context, text string, args ...any) (list [][2]string, err error) {
	rows, err := s.db.QueryContext(ctx, s.text(text), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one [2]string
		if err := rows.Scan(&one[0], &one[1]); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

func (s *faulty) write(ctx context.Context, text string, args ...any) error {
	_, err := s.db.ExecContext(ctx, s.text(text), args...)
	return err
}

// argument is one of the field that is resolved.
func argument(ctx context.Context, name string) any { return graphql.GetFieldContext(ctx).Args[name] }

func users(rows [][2]string, err error) (any, error) {
	list := make([]*testgraph.User, 0, len(rows))
	for _, row := range rows {
		list = append(list, &testgraph.User{ID: row[0], Name: row[1]})
	}
	return list, err
}

func firstUser(rows [][2]string, err error) (any, error) {
	if len(rows) == 0 || err != nil {
		return nil, err
	}
	return &testgraph.User{ID: rows[0][0], Name: rows[0][1]}, nil
}

// resolve sets the resolvers that all servers have.
func (s *faulty) resolve() {
	s.store.Answer("Query.user", func(ctx context.Context) (any, error) {
		return firstUser(s.rows(ctx, `SELECT id, name FROM v_user WHERE id = ?`, argument(ctx, "id")))
	})
	s.store.Answer("Query.usersByName", func(ctx context.Context) (any, error) {
		return users(s.rows(ctx, `SELECT id, name FROM v_user WHERE name = ?`, argument(ctx, "name")))
	})
	s.store.Answer("Query.activeUsers", func(ctx context.Context) (any, error) {
		return users(s.rows(ctx, `SELECT id, name FROM v_active_user ORDER BY id`))
	})
	s.store.Answer("Query.search", func(ctx context.Context) (any, error) {
		found, err := s.rows(ctx, `SELECT id, name FROM v_user WHERE name LIKE ?`, "%"+argument(ctx, "text").(string)+"%")
		hits := []testgraph.Hit{}
		for _, row := range found {
			hits = append(hits, &testgraph.User{ID: row[0], Name: row[1]})
		}
		return hits, err
	})
	s.store.Answer("Query.userStats", func(ctx context.Context) (any, error) {
		posts, err := s.rows(ctx, `SELECT id, name FROM v_post WHERE author_id = ?`, argument(ctx, "userId"))
		return &testgraph.UserStats{UserID: argument(ctx, "userId").(string), Posts: len(posts)}, err
	})
	posts := func(rows [][2]string, err error) ([]*testgraph.Post, error) {
		list := []*testgraph.Post{}
		for _, row := range rows {
			list = append(list, &testgraph.Post{ID: row[0], Name: row[1], Status: testgraph.StatusDraft})
		}
		return list, err
	}
	s.store.Answer("Query.posts", func(ctx context.Context) (any, error) {
		return posts(s.rows(ctx, `SELECT id, name FROM v_post ORDER BY id`))
	})
	s.store.Answer("Query.post", func(ctx context.Context) (any, error) {
		list, err := posts(s.rows(ctx, `SELECT id, name FROM v_post WHERE id = ?`, argument(ctx, "id")))
		if len(list) == 0 {
			return nil, err
		}
		return list[0], nil
	})
	s.store.Answer("Query.notes", func(ctx context.Context) (any, error) {
		rows, err := s.rows(ctx, `SELECT id, name FROM v_note WHERE owner = ?`, userOf(ctx))
		list := []*testgraph.Note{}
		for _, row := range rows {
			list = append(list, &testgraph.Note{ID: row[0], Name: row[1]})
		}
		return list, err
	})
	s.store.On("Mutation.renameUser", func(ctx context.Context) error {
		return s.write(ctx, `UPDATE v_user SET name = ? WHERE id = ?`, argument(ctx, "name"), argument(ctx, "id"))
	})
	s.store.On("Mutation.log", func(ctx context.Context) error {
		return s.write(ctx, `UPDATE v_user SET name = 'logged' WHERE id = '1'`)
	})
	s.store.On("Mutation.createPost", func(ctx context.Context) error {
		return s.write(ctx, `INSERT INTO v_post (id, name, author_id) VALUES ('p9', ?, ?)`, argument(ctx, "name"), argument(ctx, "authorId"))
	})
	s.store.On("Mutation.addComment", func(ctx context.Context) error {
		return s.write(ctx, `INSERT INTO v_comment (id, post_id) VALUES ('c1', ?)`, argument(ctx, "postId"))
	})
	s.store.On("Mutation.deleteUser", func(ctx context.Context) error {
		return s.write(ctx, `DELETE FROM v_user WHERE id = ?`, argument(ctx, "id"))
	})
}

// ask sends an operation to a server, and returns its body.
func (s *faulty) ask(srv http.Handler, operation string) string {
	s.Helper()
	r := testgraph.Ask(s, srv, operation, nil, "Authorization", s.user)
	if len(r.Errors) > 0 {
		s.Errorf("%s: %s", operation, r.Body)
	}
	return r.Body
}

// both sends the query of a fault, with the one beside it, and returns their answers.
func (s *faulty) both(srv http.Handler, f *fault) string {
	s.Helper()
	if f.beside == "" {
		return s.ask(srv, f.query)
	}
	s.meet = true
	beside := make(chan string)
	go func() { beside <- s.ask(srv, f.beside) }()
	body := s.ask(srv, f.query)
	return body + <-beside
}

// does returns a change by a mutation.
func does(mutation string) func(*faulty) {
	return func(s *faulty) { s.ask(s.srv, mutation) }
}

// uncovered reports whether an operation's directives are said to lack a table.
func uncovered(operation, table string) func(inspect.Observed) bool {
	return told(operation, func(o *inspect.ObservedOperation) bool {
		return len(o.Unmatched) == 0 && slices.Equal(o.Uncovered, []string{table})
	})
}

// unmatched reports whether an operation's directives are said to lack a set of rows.
func unmatched(operation, set string) func(inspect.Observed) bool {
	return told(operation, func(o *inspect.ObservedOperation) bool {
		return len(o.Uncovered) == 0 && slices.Equal(o.Unmatched, []string{set})
	})
}

func told(operation string, by func(*inspect.ObservedOperation) bool) func(inspect.Observed) bool {
	return func(o inspect.Observed) bool {
		for i := range o.Operations {
			if op := &o.Operations[i]; op.Operation.Name == operation {
				return by(op)
			}
		}
		return false
	}
}

// found reports whether there is a finding about a text, from a place in this file, and
// none that is of another kind.
func found(kind footprint.FindingKind, text string) func(inspect.Observed) bool {
	return func(o inspect.Observed) bool {
		return slices.ContainsFunc(o.Findings, func(f inspect.ObservedFinding) bool {
			file, _, _ := strings.Cut(filepath.Base(f.Place), ":")
			return f.Kind == string(kind) && strings.Contains(f.Text, text) && file == "faults_test.go"
		}) && !slices.ContainsFunc(o.Findings, func(f inspect.ObservedFinding) bool { return f.Kind != string(kind) })
	}
}

// blind has the author forget that the field shows names of users.
var blind = []string{`userNames: [String!]! @reads(view: "User", using: ["name"])`, `userNames: [String!]! @reads(view: "v_setting")`}

// A loader gets the names of users for fields. Where requests meet, the second one gets what
// the first has asked for.
type loader struct {
	s *faulty
	// lost says that statements are sent without the context of the field, and early that
	// the statement runs already when the second request comes, as with singleflight: a
	// batch waits for the second one.
	lost, early bool

	mu   sync.Mutex // protects call
	call *sharedCall
}

type sharedCall struct {
	joined, done chan struct{}
	names        []string
	err          error
}

// patience bounds the wait for the second request.
const patience = 20 * time.Second

func (l *loader) load(ctx context.Context) (any, error) {
	l.mu.Lock()
	if c := l.call; c != nil {
		l.call = nil
		l.mu.Unlock()
		close(c.joined)
		<-c.done
		return slices.Clone(c.names), c.err
	}
	c := &sharedCall{joined: make(chan struct{}), done: make(chan struct{})}
	if l.s.meet {
		l.call = c
	} else {
		close(c.joined)
	}
	l.mu.Unlock()
	go func() {
		defer close(c.done)
		if !l.early {
			l.await(c)
		}
		c.names, c.err = l.ask(ctx, c)
	}()
	<-c.done
	return slices.Clone(c.names), c.err
}

// await returns when the second request has come.
func (l *loader) await(c *sharedCall) {
	select {
	case <-c.joined:
	case <-time.After(patience):
		l.s.Error("the requests do not meet")
	}
}

func (l *loader) ask(ctx context.Context, c *sharedCall) (names []string, err error) {
	if l.lost {
		ctx = context.Background()
	}
	rows, err := l.s.db.QueryContext(ctx, `SELECT name FROM v_user ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	l.await(c)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// loads has the field that shows names of users get them from a loader.
func loads(l *loader) func(*faulty) {
	return func(s *faulty) {
		mine := &loader{s: s, lost: l.lost, early: l.early}
		s.store.Answer("Query.userNames", mine.load)
	}
}

const (
	renameAnn = `mutation Rename {renameUser(id: "1", name: "Anna")}`
	userByID  = `query Q {user(id: "1") {name}}`
	allNames  = `query Q {userNames}`
	otherwise = `query R {names: userNames}`
	renameRow = `UPDATE v_user SET name = 'Anna' WHERE id = '1'`
	// renameWords is what reports have of it.
	renameWords = `UPDATE v_user SET name = ? WHERE id = ?`
)

// faults are those that docs/observe.md has in its table.
var faults = map[string]*fault{
	"a forgotten @writes": { // the mutation declares that it writes its log
		query: userByID, change: does(`mutation Log {log}`), before: `"Ann"`, after: `"logged"`,
		named: uncovered("Log", "v_user"),
	},
	"a wrong where": {
		plant: []string{
			`usersByName(name: String!): [User!]! @reads(view: "User", where: ["name = args.name"], using: [])`,
			`usersByName(name: String!): [User!]! @reads(view: "User", where: ["email = args.name"], using: [])`,
		},
		query: `query Q {usersByName(name: "Anna") {name}}`, change: does(renameAnn), before: `[]`, after: `"Anna"`,
		named: unmatched("Q", "v_user(name = $1)"),
	},
	"a forgotten @reads": { // the fields of the users that are found are columns of their rows
		plant: []string{
			`search(text: String!): [Hit!]! @reads(view: "User", using: ["name"]) @reads(view: "Post", using: ["name"])`,
			`search(text: String!): [Hit!]! @reads(view: "Post", using: ["name"])`,
		},
		query: `query Q {search(text: "nna") {... on User {name}}}`, change: does(renameAnn), before: `[]`, after: `"Anna"`,
		named: unmatched("Q", "v_user()"),
	},
	"a forgotten @dependsOn": { // somebody writes the view, so that it is not one that nobody writes
		plant: []string{
			` @dependsOn(on: "Post", key: "author.id")`, ``,
			`log: Boolean! @writes(view: "v_log")`, `log: Boolean! @writes(view: "v_log") @writes(view: "UserStats")`,
		},
		query: `query Q {userStats(userId: "1") {posts}}`, change: does(`mutation {createPost(authorId: "1", name: "New") {ok}}`),
		before: `"posts":1`, after: `"posts":2`,
		named: uncovered("Q", "v_post"),
	},
	"a missing predicate": {
		options: gqlcache.Options{Predicate: allUsers},
		query:   `query Q {notes {name}}`, change: func(s *faulty) { s.user = "user-bob" }, before: `diary of Ann`, after: `diary of Bob`,
		named: func(o inspect.Observed) bool {
			return len(o.Findings) == 1 && o.Findings[0].Kind == string(footprint.IncompleteKey) &&
				strings.Contains(o.Findings[0].Text, "WHERE owner = ") && strings.Contains(o.Findings[0].Why, `field "notes"`)
		},
	},
	"a loader that drops its context": {
		plant: blind, serve: loads(&loader{lost: true}),
		query: allNames, change: does(renameAnn), before: `"Ann"`, after: `"Anna"`,
		named: all(found(footprint.Orphan, "SELECT name FROM v_user"), uncovered("Q", "v_user")),
	},
	"a batch loader that requests share": {
		plant: blind, serve: loads(&loader{}),
		query: allNames, beside: otherwise, change: does(renameAnn), before: `"Ann"`, after: `"Anna"`,
		named: all(found(footprint.SharedStatement, "Query.userNames"), uncovered("Q", "v_user"), uncovered("R", "v_user")),
	},
	"a singleflight that requests share": {
		plant: blind, serve: loads(&loader{early: true}),
		query: allNames, beside: otherwise, change: does(renameAnn), before: `"Ann"`, after: `"Anna"`,
		named: all(found(footprint.SharedStatement, "Query.userNames"), uncovered("Q", "v_user"), uncovered("R", "v_user")),
	},
	"a trigger": {
		trigger: true,
		query:   `query Q {post(id: "p1") {name}}`, change: does(`mutation Comment {addComment(postId: "p1", text: "x") {text}}`),
		before: `"Hello"`, after: `"commented"`,
		named: uncovered("Comment", "v_post"),
	},
	"an ON DELETE CASCADE": {
		plant: []string{
			`deleteUser(id: ID!): Boolean! @writes(view: "User", op: "DELETE", row: "args.id") @writes(view: "Post", op: "DELETE", where: ["author.id = args.id"])`,
			`deleteUser(id: ID!): Boolean! @writes(view: "User", op: "DELETE", row: "args.id")`,
		},
		query: `query Q {posts {name}}`, change: does(`mutation Delete {deleteUser(id: "1")}`), before: `"Hello"`, after: `[{"name":"World"}]`,
		named: uncovered("Delete", "v_post"),
	},
	"a database view": {
		plant: []string{
			` @dependsOn(view: "v_active_user", on: "User")`, ``,
			`log: Boolean! @writes(view: "v_log")`, `log: Boolean! @writes(view: "v_log") @writes(view: "v_active_user")`,
		},
		tables: []string{`CREATE VIEW v_active_user AS SELECT id, name FROM v_user WHERE name <> ''`},
		query:  `query Q {activeUsers {name}}`, change: does(`mutation {renameUser(id: "3", name: "Cy")}`), before: `{"name":"Bob"}]`, after: `"Cy"`,
		named: unmatched("Q", "v_user()"),
	},
	"a REST handler that writes": {
		around: func(s *faulty, next http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/query", next)
			mux.HandleFunc("/rename", func(w http.ResponseWriter, r *http.Request) {
				if err := s.write(r.Context(), renameRow); err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
				}
			})
			return mux
		},
		query: userByID, before: `"Ann"`, after: `"Anna"`,
		change: func(s *faulty) {
			w := httptest.NewRecorder()
			s.srv.ServeHTTP(w, httptest.NewRequestWithContext(s.Context(), http.MethodPost, "/rename", http.NoBody))
			if w.Code != http.StatusOK {
				s.Error(w.Body)
			}
		},
		named: found(footprint.OutsideCommit, renameWords),
	},
	"a job that writes": {
		query: userByID, before: `"Ann"`, after: `"Anna"`,
		change: func(s *faulty) {
			done := make(chan error)
			go func() { done <- s.write(context.Background(), renameRow) }()
			if err := <-done; err != nil {
				s.Error(err)
			}
		},
		named: found(footprint.OutsideCommit, renameWords),
	},
	"a middleware that writes after the answer": { // another client asks in between
		plant: []string{`setLoose(id: ID!, name: String!): Boolean!`, `setLoose(id: ID!, name: String!): Boolean! @writes(view: "User", row: "args.id")`},
		around: func(s *faulty, next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				if later := s.later; later != nil {
					s.later = nil
					later(r.Context())
				}
			})
		},
		query: userByID, before: `"Ann"`, after: `"Anna"`,
		change: func(s *faulty) {
			s.store.On("Mutation.setLoose", func(context.Context) error {
				s.later = func(ctx context.Context) {
					for range 2 {
						s.ask(s.srv, userByID)
					}
					if err := s.write(ctx, renameRow); err != nil {
						s.Error(err)
					}
				}
				return nil
			})
			s.ask(s.srv, `mutation {setLoose(id: "1", name: "Anna")}`)
		},
		named: found(footprint.OutsideCommit, renameWords),
	},
}

// all reports whether all of them do.
func all(list ...func(inspect.Observed) bool) func(inspect.Observed) bool {
	return func(o inspect.Observed) bool {
		return !slices.ContainsFunc(list, func(f func(inspect.Observed) bool) bool { return !f(o) })
	}
}

// commented is the trigger of each dialect.
func commented(pg bool) []string {
	const set = `UPDATE v_post SET name = 'commented' WHERE id = NEW.post_id;`
	if !pg {
		return []string{`CREATE TRIGGER commented AFTER INSERT ON v_comment BEGIN ` + set + ` END`}
	}
	return []string{
		`CREATE FUNCTION commented() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ` + set + ` RETURN NEW; END $$`,
		`CREATE TRIGGER commented AFTER INSERT ON v_comment FOR EACH ROW EXECUTE FUNCTION commented()`,
	}
}

// TestPlantedFaults: each fault makes the cache answer wrongly on a bare handle. On one that
// is observed the answers are right, and the report names the fault.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	for name, f := range faults {
		for _, pg := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, PostgreSQL %v", name, pg), func(t *testing.T) {
				t.Parallel()
				for _, observed := range []bool{false, true} {
					s := plantFault(t, f, pg, observed)
					s.wrong(f)
				}
			})
		}
	}
}

// wrong has the server answer before and after the change.
func (s *faulty) wrong(f *fault) {
	s.Helper()
	for range 2 {
		if got := s.both(s.srv, f); strings.Count(got, f.before) != f.requests() || strings.Contains(got, f.after) {
			s.Fatalf("before: %s, want %s", got, f.before)
		}
	}
	if hits := s.cache.Stats().Hits; hits != uint64(f.requests()) {
		s.Fatalf("%d hits before: the fault could not show; not stored: %v", hits, s.cache.Stats().NotStored)
	}
	f.change(s)
	want, before := f.after, s.cache.Stats().Hits
	if s.watched == nil {
		want = f.before
	}
	if got := s.both(s.srv, f); strings.Count(got, want) != f.requests() {
		s.Errorf("observed %v, after: %s, want %s", s.watched != nil, got, want)
	}
	if hits := s.cache.Stats().Hits - before; s.watched == nil && hits != uint64(f.requests()) {
		s.Errorf("%d hits afterwards: it is not the cache that is wrong", hits)
	}
	if got := s.both(s.plain, f); strings.Count(got, f.after) != f.requests() {
		s.Errorf("without a cache: %s, want %s", got, f.after)
	}
	if s.watched == nil {
		return
	}
	o := s.cache.Observed()
	if !f.named(o) {
		s.Errorf("not named: %+v", o)
	}
	faulty := 0 // what is right is not named
	for i := range o.Operations {
		if op := &o.Operations[i]; len(op.Uncovered)+len(op.Unmatched) > 0 {
			faulty++
		}
	}
	if faulty > f.requests() {
		s.Errorf("%d operations are named: %+v", faulty, o)
	}
}

// requests is how many are sent at once.
func (f *fault) requests() int {
	if f.beside == "" {
		return 1
	}
	return 2
}
