package compat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/compat/internal/orms"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

// newORMSite returns a site with the cache, a handler with it, and the cache.
func newORMSite(t *testing.T, o orm) (*ormSite, http.Handler, *gqlcache.Cache) {
	t.Helper()
	s := openORM(t, o, true)
	cache := newCache(t, observed(s))
	return s, cache.HoldUntilCommit(s.Transactional(s.NewHandler(cache))), cache
}

// answer returns the body of an answer.
func answer(h http.Handler, r twin.Request) string {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r.HTTP(context.Background()))
	return rec.Body.String()
}

// says fails the test unless an answer contains want.
func says(t *testing.T, h http.Handler, query, want string) {
	t.Helper()
	if got := answer(h, q(query)); !strings.Contains(got, want) {
		t.Errorf("%s: %s, want %s", query, got, want)
	}
}

// registers are what writers of a history have been told: by post and by user.
type ormRegisters struct {
	titles, names [ormUsers + 1]atomic.Int64
}

// versions calls each with what an answer says of posts and users.
func versions(v any, each func(kind string, id int, version int64)) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			versions(x, each)
		}
	case map[string]any:
		for _, kind := range []string{"title", "name"} {
			var id int
			var version int64
			if text, ok := v[kind].(string); ok {
				if _, err := fmt.Sscanf(text, "v%d of %d", &version, &id); err == nil {
					each(kind, id, version)
				}
			}
		}
		for _, x := range v {
			versions(x, each)
		}
	}
}

// TestORMStale: while writers write and readers read, no reader sees what is older than a
// mutation that was acknowledged before it asked.
func TestORMStale(t *testing.T) {
	everyORM(t, func(t *testing.T, o orm) { ormStale(t, o, func(*ormSite) {}) })
}

// TestORMStaleWithoutContext: the same for loaders that drop their context, and for a
// repository that does so everywhere.
func TestORMStaleWithoutContext(t *testing.T) {
	everyORM(t, func(t *testing.T, o orm) {
		ormStale(t, o, func(s *ormSite) {
			s.DropContext = true
			if g, ok := s.Store.(*orms.GORM); ok {
				g.Forgetful = true
			}
		})
	})
}

func ormStale(t *testing.T, o orm, plant func(*ormSite)) {
	s, h, cache := newORMSite(t, o)
	plant(s)
	var acked ormRegisters
	var seen atomic.Int64
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var writers, readers sync.WaitGroup
	for k := 1; k <= 3; k++ {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(k)))
			for n := int64(1); n <= 25; n++ {
				register, text := &acked.titles[k], fmt.Sprintf(`mutation { setTitle(id: %d, title: "v%d of %d") { title } }`, k, n, k)
				if n%2 == 0 {
					register, text = &acked.names[k], fmt.Sprintf(`mutation { renameUser(id: %d, name: "v%d of %d") { name } }`, k, n, k)
				}
				req := q(text)
				if r.IntN(3) == 0 {
					req.Header = map[string]string{"X-Tx": "commit"}
				}
				if got := answer(h, req); !strings.Contains(got, fmt.Sprint("v", n)) {
					t.Errorf("%s: %s", text, got)
				}
				register.Store(n)
			}
		})
	}
	for k := range 4 {
		readers.Go(func() {
			r := rand.New(rand.NewPCG(8, uint64(k)))
			for ctx.Err() == nil {
				id := r.IntN(3) + 1
				text := []string{
					fmt.Sprintf(`{ post(id: %d) { title author { name } } }`, id), fmt.Sprintf(`{ posts(author: %d) { title author { name } } }`, id),
					fmt.Sprintf(`{ user(id: %d) { name posts { title } } }`, id), `{ users { name } }`, `{ search(term: "v") { title author { name } } }`,
					`{ feed(first: 40) { title author { name } } }`, `{ tagged(tag: "tag1") { title } }`,
				}[r.IntN(7)]
				var before [2][ormUsers + 1]int64
				for i := range before[0] {
					before[0][i], before[1][i] = acked.titles[i].Load(), acked.names[i].Load()
				}
				var got any
				body := answer(h, q(text))
				if err := json.Unmarshal([]byte(body), &got); err != nil {
					t.Error(err)
				}
				versions(got, func(kind string, id int, version int64) {
					seen.Add(1)
					want := before[0][id]
					if kind == "name" {
						want = before[1][id]
					}
					if version < want {
						t.Errorf("%s shows the %s %d of %d, and %d was acknowledged: %s", text, kind, version, id, want, body)
					}
				})
			}
		})
	}
	writers.Wait()
	stop()
	readers.Wait()
	if seen.Load() == 0 {
		t.Error("no version was seen")
	}
	before := cache.Stats().Hits // nothing that the history left behind keeps the cache from working
	for range 2 {
		says(t, h, `{ post(id: 1) { title author { name } } }`, "v25 of 1")
	}
	if cache.Stats().Hits == before {
		t.Error("nothing was answered from the cache")
	}
}

// TestORMJobs: what a job or another handler writes by way of the handle is seen at once.
// A cache that observes nothing shows what was.
func TestORMJobs(t *testing.T) {
	everyORM(t, func(t *testing.T, o orm) {
		s := openORM(t, o, true)
		writers := map[string]func(name string) error{
			"job": func(name string) error { return s.RenameUser(context.Background(), 1, name) },
			"transaction of a job": func(name string) error {
				ctx, tx, err := s.Begin(context.Background())
				if err != nil {
					return err
				}
				if err := s.RenameUser(ctx, 1, name); err != nil {
					return err
				}
				return tx.Commit()
			},
			"another handler": func(name string) error {
				r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/rename?id=1&name="+name, http.NoBody)
				rec := httptest.NewRecorder()
				s.ServeHTTP(rec, r)
				if rec.Code != http.StatusOK {
					return fmt.Errorf("%s", rec.Body)
				}
				return nil
			},
		}
		for name, write := range writers {
			for _, observe := range []bool{true, false} {
				var options gqlcache.Options
				if observe {
					options = observed(s)
				}
				h := s.NewHandler(newCache(t, options))
				if err := write("first"); err != nil {
					t.Fatal(err)
				}
				for _, query := range []string{`{ user(id: 1) { name } }`, `{ post(id: 1) { author { name } } }`, `{ feed(first: 40) { author { name } } }`} {
					says(t, h, query, `"first"`)
				}
				if err := write("second"); err != nil {
					t.Fatal(err)
				}
				want := `"second"`
				if !observe { // this is what observing is for
					want = `"first"`
				}
				for _, query := range []string{`{ user(id: 1) { name } }`, `{ post(id: 1) { author { name } } }`, `{ feed(first: 40) { author { name } } }`} {
					t.Run(fmt.Sprint(name, ", observed: ", observe), func(t *testing.T) { says(t, h, query, want) })
				}
			}
		}
		from(t, s, o.file(), footprint.OutsideCommit)
	})
}

// file is the beginning of the name of the file that an ORM's statements come from.
func (o orm) file() string {
	name := strings.Fields(o.name)[0]
	if name == "ent" || name == "sqlc" { // statements come from generated code
		return name
	}
	return name + ".go"
}

// from fails the test unless something of each kind was found, and nothing of another one,
// each with a place in a file whose name begins with file.
func from(t *testing.T, s *ormSite, file string, kinds ...footprint.FindingKind) {
	t.Helper()
	seen := map[footprint.FindingKind]bool{}
	for _, f := range s.found() {
		if !slices.Contains(kinds, f.Kind) {
			t.Errorf("%s: %s: %s", f.Kind, f.Why, f.Text)
			continue
		}
		seen[f.Kind] = true
		ours := f.Kind == footprint.OutsideCommit && strings.Contains(f.Place, "/ormfaults_test.go:") // the COMMIT of a transaction
		if !ours && !strings.Contains(f.Place, "/internal/orms/"+file) {
			t.Errorf("%s is said to come from %s", f.Text, f.Place)
		}
	}
	for _, kind := range kinds {
		if !seen[kind] {
			t.Errorf("nothing was found of the kind %q", kind)
		}
	}
}

// TestORMLoaderWithoutContext: a loader that drops its context is found, and its answers
// are right.
func TestORMLoaderWithoutContext(t *testing.T) {
	everyORM(t, func(t *testing.T, o orm) {
		s, h, cache := newORMSite(t, o)
		s.DropContext = true
		for i := range 3 {
			before := cache.Stats().Hits
			for range 2 {
				says(t, h, `{ post(id: 1) { author { name } comments { text } } }`, `"user 1`+strings.Repeat("x", i)+`"`)
			}
			if cache.Stats().Hits == before {
				t.Error("nothing was answered from the cache")
			}
			says(t, h, fmt.Sprintf(`mutation { renameUser(id: 1, name: "user 1%s") { name } }`, strings.Repeat("x", i+1)), "user")
			says(t, h, `{ post(id: 1) { author { name } comments { text } } }`, `"user 1`+strings.Repeat("x", i+1)+`"`)
			says(t, h, fmt.Sprintf(`mutation { addComments(post: 1, texts: ["new %d"]) }`, i), "1")
			says(t, h, `{ post(id: 1) { author { name } comments { text } } }`, fmt.Sprint("new ", i))
		}
		from(t, s, o.file(), footprint.Orphan)
	})
}

// TestGORMWithoutContext: a repository that forgets WithContext is found, and its answers
// are right.
func TestGORMWithoutContext(t *testing.T) {
	t.Parallel()
	w := newORMWorldUnchecked(t, allORMs[1])
	w.plain.Store.(*orms.GORM).Forgetful = true
	w.cached.Store.(*orms.GORM).Forgetful = true
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		if r.IntN(4) == 0 {
			w.Same(ormMutation(r))
		}
		w.Same(ormQuery(r))
	}
	if w.cache.Stats().Hits == 0 {
		t.Error("nothing was answered from the cache")
	}
	from(t, w.cached, "gorm.go", footprint.Orphan, footprint.OutsideCommit)
}

// TestORMSharedLoader: of two requests whose users a loader of the process asks for at
// once, in the context of one of them, both answers depend on what was read.
func TestORMSharedLoader(t *testing.T) {
	everyORM(t, func(t *testing.T, o orm) {
		s, h, _ := newORMSite(t, o)
		s.ShareLoader(2)
		queries := []string{`{ post(id: 1) { author { name } } }`, `{ post(id: 2) { author { name } } }`}
		ask := func(round string) {
			var wg sync.WaitGroup
			for i, query := range queries {
				wg.Go(func() { says(t, h, query, fmt.Sprintf(`"user %d%s"`, i+1, round)) })
			}
			wg.Wait()
		}
		ask("")
		for i := range queries { // both must be computed, or the loader would wait for another user
			says(t, h, fmt.Sprintf(`mutation { renameUser(id: %d, name: "user %d new") { name } }`, i+1, i+1), "new")
		}
		ask(" new")
	})
}

// TestORMSingleflight: requests that wait for the query of another one depend on what it
// has read. If it has read before they asked, what they got is not stored.
func TestORMSingleflight(t *testing.T) {
	t.Parallel()
	for _, o := range allORMs {
		if o.postgres { // no bubble for connections
			continue
		}
		for _, landing := range []bool{false, true} {
			t.Run(fmt.Sprint(o.name, " after the query: ", landing), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { ormSingleflight(t, o, landing) })
			})
		}
	}
}

func ormSingleflight(t *testing.T, o orm, landing bool) {
	s, h, cache := newORMSite(t, o)
	s.Single = true
	const leader, joiner = `{ post(id: 1) { title } }`, `{ post(id: 1) { status title } }`
	release := make(chan struct{})
	hook := &s.Flying
	if landing {
		hook = &s.Landing
	}
	*hook = func() { <-release }
	var wg sync.WaitGroup
	for _, query := range []string{leader, joiner} {
		wg.Go(func() { says(t, h, query, `"title 0"`) })
		synctest.Wait()
		if landing && query == leader {
			if err := s.SetTitle(context.Background(), 1, "second"); err != nil {
				t.Error(err)
			}
		}
	}
	close(release)
	wg.Wait()
	*hook = nil
	if !landing {
		before := cache.Stats().Hits
		says(t, h, joiner, `"title 0"`)
		if cache.Stats().Hits == before {
			t.Error("the joiner's answer was not kept")
		}
		if err := s.SetTitle(context.Background(), 1, "second"); err != nil {
			t.Fatal(err)
		}
	}
	says(t, h, joiner, `"second"`)
	says(t, h, leader, `"second"`)
	unexplained := 0
	for _, f := range s.found() {
		if f.Kind == footprint.UnexplainedField {
			unexplained++
		}
	}
	if (unexplained > 0) != landing {
		t.Errorf("findings: %+v", s.found())
	}
}

// TestORMForms: the statements that the libraries make are understood.
func TestORMForms(t *testing.T) {
	everyORM(t, func(t *testing.T, o orm) {
		s := openORM(t, o, true)
		former, ok := s.Store.(orms.Former)
		if !ok {
			return
		}
		for _, err := range former.Forms(t.Context()) {
			if err != nil {
				t.Error(err)
			}
		}
		understood(t, s)
	})
}

// TestORMConstraint: what the database refuses is no reason to keep nothing.
func TestORMConstraint(t *testing.T) {
	everyORM(t, func(t *testing.T, o orm) {
		s, h, cache := newORMSite(t, o)
		refused := q(`mutation { createPost(author: 999, title: "by nobody") { id } }`)
		for _, tx := range []string{"", "rollback"} {
			refused.Header = map[string]string{"X-Tx": tx}
			if got := answer(h, refused); !strings.Contains(got, "errors") && o.name != "bun" { // its tables have no keys
				t.Errorf("a post by nobody: %s", got)
			}
			before := cache.Stats().Hits
			for range 2 {
				says(t, h, `{ posts(status: "PUBLISHED") { title author { name } } }`, "title")
			}
			if cache.Stats().Hits == before {
				t.Errorf("nothing is kept after a mutation that was refused: %v", s.found())
			}
		}
		understood(t, s)
	})
}

// A turn has authors of posts whose id is last looked for when the others are there.
type turn struct {
	last   int
	others int // how many there are

	mu   sync.Mutex // guards what follows
	left int
	over chan struct{}
}

func (*turn) ExtensionName() string                   { return "turn" }
func (*turn) Validate(graphql.ExecutableSchema) error { return nil }

// begin is called before each request.
func (x *turn) begin() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.left, x.over = x.others, make(chan struct{})
}

func (x *turn) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	post, ok := fc.Parent.Result.(*orms.Post)
	if !ok || fc.Field.Name != "author" {
		return next(ctx)
	}
	x.mu.Lock()
	over := x.over
	x.mu.Unlock()
	if post.AuthorID == x.last {
		<-over
		return next(ctx)
	}
	defer func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.left--; x.left == 0 {
			close(over)
		}
	}()
	return next(ctx)
}

// TestORMMapOfTheProcess: a map in front of the loader has one author of a list. A statement
// ran for the field of the others, and nothing says what this one depends on, so the answer
// is not stored.
func TestORMMapOfTheProcess(t *testing.T) {
	everyORM(t, func(t *testing.T, o orm) {
		s := openORM(t, o, true)
		opts := observed(s)
		opts.FieldHooksCovered = true
		cache := newCache(t, opts)
		x := &turn{last: 2, others: ormPosts - ormPosts/ormUsers}
		h := s.NewHandler(x, cache)
		var kept atomic.Pointer[orms.User] // what the map has of user 2
		s.Kept = func(id int) *orms.User {
			if id != x.last {
				return nil
			}
			return kept.Load()
		}
		ask := func(want string) {
			t.Helper()
			x.begin()
			says(t, h, `{ posts { author { id name } } }`, want)
		}
		hits := func(want string) bool {
			before := cache.Stats().Hits
			ask(want)
			ask(want)
			return cache.Stats().Hits > before
		}
		ask(`"user 2"`)
		says(t, h, `mutation { renameUser(id: 1, name: "user one") { name } }`, "one")
		if !hits(`"user one"`) {
			t.Fatalf("not stored: %v, %+v", cache.Stats().NotStored, s.observer.Findings())
		}
		kept.Store(&orms.User{ID: 2, Name: "user 2"})
		for i := range 3 {
			says(t, h, fmt.Sprintf(`mutation { renameUser(id: 1, name: "user one %d") { name } }`, i), "one")
			ask(`"user 2`)
			name := fmt.Sprint("user 2 ", i)
			says(t, h, fmt.Sprintf(`mutation { renameUser(id: 2, name: "%s") { name } }`, name), name)
			kept.Store(&orms.User{ID: 2, Name: name})
			ask(`"` + name + `"`)
		}
		if hits("user one") {
			t.Error("an answer was stored with what the map had")
		}
		if found := s.found(); len(found) != 1 || found[0].Kind != footprint.UnexplainedField || found[0].Text != "Post.author" {
			t.Errorf("found %+v", found)
		}
	})
}
