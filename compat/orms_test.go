package compat_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/compat/internal/orms"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/internal/pgtest"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	_ "modernc.org/sqlite"             // the driver
)

// An orm is a way to talk to a database.
type orm struct {
	name     string
	postgres bool
	open     func(ctx context.Context, db *sql.DB) (orms.Store, error)
}

var allORMs = []orm{
	{name: "ent", open: orms.NewEnt},
	{name: "gorm", open: func(ctx context.Context, db *sql.DB) (orms.Store, error) { return orms.NewGORM(ctx, db) }},
	{name: "bun", open: orms.NewBun},
	{name: "sqlc", open: func(ctx context.Context, db *sql.DB) (orms.Store, error) { return orms.NewSQLC(ctx, db, false) }},
	{name: "sqlc on PostgreSQL", postgres: true, open: func(ctx context.Context, db *sql.DB) (orms.Store, error) { return orms.NewSQLC(ctx, db, true) }},
}

// An ormSite is a server on an ORM.
type ormSite struct {
	*orms.Server
	db       *sql.DB
	observer *footprint.Observer // nil if it is not observed
	// before is what was found while tables were made.
	before []footprint.Finding
}

const (
	ormUsers = 6
	ormPosts = 30
)

// openORM opens a database with rows in it.
func openORM(t testing.TB, o orm, observed bool) *ormSite {
	t.Helper()
	driver, dialect := "sqlite", footprint.SQLite
	var dsn string
	if o.postgres {
		driver, dsn, dialect = "pgx", pgtest.Database(t), footprint.PostgreSQL
	} else {
		dsn = "file:" + filepath.Join(t.TempDir(), "data.db") +
			"?_pragma=journal_mode(wal)&_pragma=busy_timeout(30000)&_pragma=foreign_keys(1)&_pragma=synchronous(off)&_txlock=immediate"
	}
	s := &ormSite{}
	var err error
	if observed {
		s.observer = footprint.New(footprint.Options{Dialect: dialect, Logger: slog.New(slog.DiscardHandler)})
		s.db, err = footprintsql.Open(driver, dsn, s.observer)
	} else {
		s.db, err = sql.Open(driver, dsn)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.db.Close(); err != nil {
			t.Error(err)
		}
	})
	store, err := o.open(t.Context(), s.db)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = orms.NewServer(store)
	if observed {
		s.before = s.observer.Findings()
	}
	if err := fillORM(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	return s
}

func fillORM(ctx context.Context, s orms.Store) error {
	for i := range ormUsers {
		if _, err := s.CreateUser(ctx, fmt.Sprint("user ", i+1)); err != nil {
			return err
		}
	}
	for i := range ormPosts {
		p, err := s.CreatePost(ctx, i%ormUsers+1, fmt.Sprint("title ", i))
		if err != nil {
			return err
		}
		if i%2 == 0 {
			if err := s.SetStatus(ctx, p.ID, "PUBLISHED"); err != nil {
				return err
			}
		}
		if err := s.AddComments(ctx, p.ID, []string{"one", "two", "three"}); err != nil {
			return err
		}
		if err := s.TagPost(ctx, p.ID, fmt.Sprint("tag", i%5)); err != nil {
			return err
		}
	}
	return nil
}

// observed are the options of a cache for sites.
func observed(s *ormSite) gqlcache.Options {
	if s.observer == nil {
		return gqlcache.Options{}
	}
	return gqlcache.Options{Observe: gqlcache.Observe{Handles: []*footprint.Observer{s.observer}, Everything: true}}
}

// An ormWorld is a pair of servers on an ORM.
type ormWorld struct {
	*twin.Pair
	cache         *gqlcache.Cache
	plain, cached *ormSite
}

func newORMWorld(t testing.TB, o orm) *ormWorld {
	t.Helper()
	w := newORMWorldUnchecked(t, o)
	t.Cleanup(func() { understood(t, w.cached) })
	return w
}

// newORMWorldUnchecked is newORMWorld for servers with faults that are found.
func newORMWorldUnchecked(t testing.TB, o orm) *ormWorld {
	t.Helper()
	w := &ormWorld{Pair: &twin.Pair{T: t, Contract: &twin.Contract{}}, plain: openORM(t, o, false), cached: openORM(t, o, true)}
	w.cache = newCache(t, observed(w.cached))
	w.Plain = w.Contract.Around(w.plain.Transactional(w.plain.NewHandler(aroundFields(w.Contract.Fields))))
	w.Cached = w.Contract.Around(w.cache.HoldUntilCommit(w.cached.Transactional(w.cached.NewHandler(aroundFields(w.Contract.Fields), w.cache))))
	w.Oracle = w.cached.NewHandler()
	t.Cleanup(w.Check)
	return w
}

// found returns what was found since the tables were made.
func (s *ormSite) found() (list []footprint.Finding) {
	for _, f := range s.observer.Findings() {
		if !slices.ContainsFunc(s.before, func(b footprint.Finding) bool { return b.Kind == f.Kind && b.Text == f.Text }) {
			list = append(list, f)
		}
	}
	return list
}

// understood fails the test for each statement that was not understood, and for whatever
// else was found.
func understood(t testing.TB, s *ormSite) {
	t.Helper()
	for _, f := range s.found() {
		t.Errorf("%s (%d times): %s: %s", f.Kind, f.Count, f.Why, f.Text)
	}
}

func everyORM(t *testing.T, test func(t *testing.T, o orm)) {
	t.Helper()
	t.Parallel()
	for _, o := range allORMs {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			test(t, o)
		})
	}
}

// ormQuery returns a query that somebody sends.
func ormQuery(r *rand.Rand) twin.Request {
	id, user := r.IntN(ormPosts)+1, r.IntN(ormUsers)+1
	vars := func(v map[string]any, text string) twin.Request { return twin.Request{Query: text, Variables: v} }
	switch r.IntN(12) {
	case 0, 1, 2:
		return vars(map[string]any{"id": id}, `query($id: ID!) { post(id: $id) { id title status commentCount } }`)
	case 3:
		return vars(map[string]any{"id": id}, `query($id: ID!) { post(id: $id) { title author { name } comments { text } tags { name } } }`)
	case 4:
		return vars(map[string]any{"id": user}, `query($id: ID!) { posts(author: $id) { title author { name } comments { text } } }`)
	case 5:
		return vars(map[string]any{"id": user}, `query($id: ID!) { posts(author: $id, status: "PUBLISHED") { id title } }`)
	case 6:
		return vars(map[string]any{"n": 3 + r.IntN(2)}, `query($n: Int!) { feed(first: $n) { title author { name } comments { text } } }`)
	case 7:
		return vars(map[string]any{"term": fmt.Sprint("title ", r.IntN(3))}, `query($term: String!) { search(term: $term) { id title } }`)
	case 8:
		return vars(map[string]any{"id": user}, `query($id: ID!) { user(id: $id) { name posts { title } } }`)
	case 9:
		return q(`{ users { id name } }`)
	case 10:
		return vars(map[string]any{"tag": fmt.Sprint("tag", r.IntN(6))}, `query($tag: String!) { tagged(tag: $tag) { id title } }`)
	}
	return q(`{ counts { status posts } }`)
}

// ormMutation returns a mutation that somebody sends.
func ormMutation(r *rand.Rand) twin.Request {
	v := map[string]any{"id": r.IntN(ormPosts) + 1, "user": r.IntN(ormUsers) + 1, "other": r.IntN(ormUsers) + 1, "text": fmt.Sprint("title ", r.IntN(1000))}
	send := func(text string, names ...string) twin.Request {
		vars, types := map[string]any{}, []string{}
		for _, n := range names {
			typ := "ID!"
			if n == "text" {
				typ = "String!"
			}
			vars[n] = v[n]
			types = append(types, "$"+n+": "+typ)
		}
		return twin.Request{Query: "mutation(" + strings.Join(types, ", ") + ") { " + text + " }", Variables: vars}
	}
	switch r.IntN(12) {
	case 10:
		v["user"] = 999 // nobody
		fallthrough
	case 0:
		return send(`createPost(author: $user, title: $text) { id title }`, "user", "text")
	case 1, 2:
		return send(`setTitle(id: $id, title: $text) { id title }`, "id", "text")
	case 3:
		return send(`setStatus(id: $id, status: "PUBLISHED") { id status }`, "id")
	case 4:
		return send(`setStatus(id: $id, status: "DRAFT") { id status }`, "id")
	case 5:
		return send(`addComments(post: $id, texts: [$text, "b", "c"])`, "id", "text")
	case 6:
		v["text"] = fmt.Sprint("tag", r.IntN(6))
		return send(`tagPost(post: $id, tag: $text) { id }`, "id", "text")
	case 7:
		return send(`renameUser(id: $user, name: $text) { name }`, "user", "text")
	case 8:
		return send(`failTitle(id: $id, title: $text) { id }`, "id", "text")
	case 9:
		return send(`a: setTitle(id: $id, title: $text) { title } b: renameUser(id: $user, name: $text) { name }`, "id", "user", "text")
	}
	if r.IntN(3) > 0 {
		return send(`handOver(from: $user, to: $other)`, "user", "other")
	}
	return send(`deletePost(id: $id)`, "id")
}

// TestORMAnswers: the same answers with the cache and without, over a random history.
func TestORMAnswers(t *testing.T) {
	everyORM(t, func(t *testing.T, o orm) {
		w := newORMWorld(t, o)
		r := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			if r.IntN(4) > 0 {
				w.Same(ormQuery(r))
				continue
			}
			m := ormMutation(r)
			switch r.IntN(6) {
			case 0:
				m.Header = map[string]string{"X-Tx": "commit"}
			case 1:
				m.Header = map[string]string{"X-Tx": "rollback"}
			}
			w.Same(m)
			if t.Failed() {
				return
			}
		}
		if w.cache.Stats().Hits == 0 {
			t.Error("nothing was answered from the cache")
		}
	})
}

// rate answers queries and mutations, and returns how many queries were hits, in percent.
func (w *ormWorld) rate(cache *gqlcache.Cache, h http.Handler) float64 {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		req := ormQuery(r)
		if r.IntN(20) == 0 {
			req = ormMutation(r)
		}
		w.Contract.Serve(context.Background(), h, req)
	}
	s := cache.Stats()
	return 100 * float64(s.Hits) / float64(s.Hits+s.Misses)
}

// TestORMHitRate: what is known of statements keeps answers. A cache that depends on every
// change has fewer hits.
func TestORMHitRate(t *testing.T) {
	everyORM(t, func(t *testing.T, o orm) {
		w := newORMWorld(t, o)
		got := w.rate(w.cache, w.Cached)
		wide := newORMWorld(t, o)
		options := observed(wide.cached)
		options.Observe.Everything = false
		cache := newCache(t, options)
		least := wide.rate(cache, wide.cached.NewHandler(cache))
		t.Logf("%.1f %% of the queries are hits, %.1f %% if all depend on every change; not stored: %v", got, least, w.cache.Stats().NotStored)
		if got < 55 || got < least+25 {
			t.Errorf("%.1f %% of the queries are hits, want 55 and 25 more than %.1f", got, least)
		}
	})
}
