package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/internal/pgtest"
)

const (
	tenantA = "tenant-a"
	tenantB = "tenant-b"
	admin   = string(blog.Admin)
)

// names are the rows of the fixture, and some that are absent. In a test's texts <u1>
// stands for the id.
var names = []string{
	"u1", "u2", "u3", "u9", "p1", "p2", "p3", "p4", "p9", "c1", "c2", "c3", "c9", "t1", "t2", "t9",
	"ub", "pb", "cb", "tb",
}

func idOf(name string) string {
	for i, n := range names {
		if n == name {
			return fmt.Sprintf("00000000-0000-4000-8000-%012x", 0xa0+i)
		}
	}
	panic("no row is called " + name)
}

// named replaces names by ids, or back.
func named(text string, back bool) string {
	var pairs []string
	for _, n := range names {
		if back {
			pairs = append(pairs, idOf(n), "<"+n+">")
		} else {
			pairs = append(pairs, "<"+n+">", idOf(n))
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// A site is a server over its own database.
type site struct {
	t       *testing.T
	handler http.Handler
	store   *blog.Store
}

// A kind is a kind of database, and whether what is known of it is what directives say or
// what the SQL statements do.
type kind struct {
	postgres, bare bool
}

var (
	sqlite         = kind{}
	postgres       = kind{postgres: true}
	bareSQLite     = kind{bare: true}
	barePostgreSQL = kind{postgres: true, bare: true}
)

func (k kind) String() string {
	name := "SQLite"
	if k.postgres {
		name = "PostgreSQL"
	}
	if k.bare {
		name += ", no directives"
	}
	return name
}

var kinds = []kind{sqlite, barePostgreSQL, postgres, bareSQLite}[:kindsTested]

// config is that of a server over an empty database of the kind.
func (k kind) config(t *testing.T) config {
	t.Helper()
	cfg := config{cache: true, directives: !k.bare}
	if k.postgres {
		cfg.database = pgtest.Database(t)
	} else {
		cfg.database = filepath.Join(t.TempDir(), "blog.db")
	}
	return cfg
}

// environment configures a server of another process over an empty database of the kind.
func (k kind) environment(t *testing.T) []string {
	t.Helper()
	cfg, variable, directives := k.config(t), "DB_PATH", "on"
	if k.postgres {
		variable = "DATABASE_URL"
	}
	if k.bare {
		directives = "off"
	}
	return []string{variable + "=" + cfg.database, "DIRECTIVES=" + directives}
}

// onEach runs a test with each kind of database.
func onEach(t *testing.T, test func(*testing.T, kind)) {
	t.Helper()
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

// newSite starts an empty server with a cache: what the contract says holds for cached
// answers too.
func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOn(t, sqlite)
}

func newSiteOn(t *testing.T, database kind) *site {
	t.Helper()
	cfg := database.config(t)
	watched := newObserver(cfg)
	cache, err := newCache(cfg, nil, watched)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cache.Close(); err != nil {
			t.Error(err)
		}
	})
	store, err := blog.OpenWith(t.Context(), blogOptions(cfg.database, watched))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{t: t, handler: newServerOver(schemaOver(store, cfg), store, cache), store: store}
}

// newBlog starts a server with the fixture: Ann wrote p1 (published), p2 (draft) and p4
// (archived), Bob wrote p3 (published), Cid nothing; c1 and c2 are on p1, by Bob and Ann,
// and c3 on p3, by Ann.
func newBlog(t *testing.T) *site {
	t.Helper()
	return newBlogOn(t, sqlite)
}

func newBlogOn(t *testing.T, database kind) *site {
	t.Helper()
	s := newSiteOn(t, database)
	s.must(tenantA, `mutation { importData(
		users: [{id: "<u1>", email: "ann@x", name: "Ann", bio: "Bio"}, {id: "<u2>", email: "bob@x", name: "Bob"},
			{id: "<u3>", email: "cid@x", name: "Cid"}]
		posts: [{id: "<p1>", authorId: "<u1>", title: "Alpha", body: "a", status: PUBLISHED},
			{id: "<p2>", authorId: "<u1>", title: "Beta", body: "b"},
			{id: "<p3>", authorId: "<u2>", title: "Gamma", body: "c", status: PUBLISHED},
			{id: "<p4>", authorId: "<u1>", title: "Delta", body: "d", status: ARCHIVED}]
		comments: [{id: "<c1>", postId: "<p1>", authorId: "<u2>", body: "one"},
			{id: "<c2>", postId: "<p1>", authorId: "<u1>", body: "two"},
			{id: "<c3>", postId: "<p3>", authorId: "<u1>", body: "three"}]
		tags: [{id: "<t1>", name: "go"}, {id: "<t2>", name: "Sql"}]
	) { users } }`)
	s.must(tenantA, `mutation { a: tagPost(postId: "<p1>", tagId: "<t1>") { id }
		b: tagPost(postId: "<p1>", tagId: "<t2>") { id } c: tagPost(postId: "<p3>", tagId: "<t1>") { id } }`)
	s.must(tenantB, `mutation { importData(
		users: [{id: "<ub>", email: "ann@x", name: "Anna"}]
		posts: [{id: "<pb>", authorId: "<ub>", title: "Alphabet", body: "z", status: PUBLISHED}]
		comments: [{id: "<cb>", postId: "<pb>", authorId: "<ub>", body: "zero"}]
		tags: [{id: "<tb>", name: "go"}]
	) { users } }`)
	s.must(tenantB, `mutation { tagPost(postId: "<pb>", tagId: "<tb>") { id } }`)
	return s
}

type answer struct {
	status int
	data   string // ids replaced by names
	errors string // the messages
}

// do sends one operation.
func (s *site) do(tenant, query string) answer {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"query": named(query, false)})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.post(tenant, body)
}

func (s *site) post(tenant string, body []byte) answer {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if tenant != "" {
		req.Header.Set(tenantHeader, tenant)
	}
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, req)
	var parsed struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &parsed); err != nil {
		s.t.Fatalf("answer is not JSON: %v: %s", err, rec.Body)
	}
	a := answer{status: rec.Code, data: named(string(parsed.Data), true)}
	var messages []string
	for _, e := range parsed.Errors {
		messages = append(messages, named(e.Message, true))
	}
	a.errors = strings.Join(messages, "; ")
	return a
}

// must sends an operation that has to succeed, and returns its data.
func (s *site) must(tenant, query string) string {
	s.t.Helper()
	a := s.do(tenant, query)
	if a.errors != "" || a.status != http.StatusOK {
		s.t.Fatalf("%s: status %d, errors %s", query, a.status, a.errors)
	}
	return a.data
}

// want sends an operation and compares its data.
func (s *site) want(tenant, query, data string) {
	s.t.Helper()
	if got := s.must(tenant, query); got != data {
		s.t.Errorf("%s\n got %s\nwant %s", query, got, data)
	}
}

// fails sends an operation that has to answer without data and with an error that
// contains text.
func (s *site) fails(tenant, query, text string) {
	s.t.Helper()
	a := s.do(tenant, query)
	if a.data != "null" && a.data != "" || a.errors == "" || !strings.Contains(a.errors, text) {
		s.t.Errorf("%s\n got data %s, errors %q\nwant no data and an error with %q", query, a.data, a.errors, text)
	}
}

// statements counts what f makes the server send.
func (s *site) statements(f func()) uint64 {
	before := s.store.Statements()
	f()
	return s.store.Statements() - before
}
