package gqlcache_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// hinted returns the schema of tests with a @cacheControl more on a field of queries: see
// testgraph.AddHint.
func hinted(s *testgraph.Store, field string, hints map[string]any) graphql.ExecutableSchema {
	es := testgraph.Executable(s, "no directive") // a copy
	testgraph.AddHint(es, field, hints)
	return es
}

// A hintedServer is a server whose schema has one hint more, with a clock that tests turn.
type hintedServer struct {
	t     *testing.T
	store *testgraph.Store
	cache *gqlcache.Cache
	h     http.Handler
	// passed is how much time has passed, in nanoseconds. The store looks at the clock on a
	// goroutine of its own.
	passed atomic.Int64
}

func newHinted(t *testing.T, field string, hints map[string]any, o gqlcache.Options) *hintedServer {
	t.Helper()
	s := &hintedServer{t: t, store: testgraph.NewStore()}
	start := time.Now()
	o.Now = func() time.Time { return start.Add(time.Duration(s.passed.Load())) }
	o.TTL, o.Jitter = time.Minute, -1
	if o.Predicate == nil {
		o.Predicate = viewerPredicate
	}
	s.cache = newCache(t, o)
	s.h = testgraph.ServeBy(s.cache.Transport, hinted(s.store, field, hints), s.cache)
	return s
}

func (s *hintedServer) pass(d time.Duration) { s.passed.Add(int64(d)) }

func (s *hintedServer) get(document string, header ...string) (w *httptest.ResponseRecorder, did string) {
	s.t.Helper()
	q := sentRequest{method: http.MethodGet, target: get("query", document), header: map[string]string{}}
	for i := 0; i+1 < len(header); i += 2 {
		q.header[header[i]] = header[i+1]
	}
	w = httptest.NewRecorder()
	before := s.cache.Stats()
	s.h.ServeHTTP(w, q.make(s.t.Context()))
	return w, outcome(before, s.cache.Stats())
}

// TestSMaxAge: shared caches may show an old answer only where the whole schema says so,
// and everything is public.
func TestSMaxAge(t *testing.T) {
	t.Parallel()
	const public = `{banner(id:"b1"){text}}`
	s := newHinted(t, "banner", map[string]any{"sMaxAge": 30}, gqlcache.Options{})
	for document, want := range map[string]string{
		public:                                "public, max-age=0, s-maxage=30",
		`{banner(id:"b1"){text reader}}`:      "private, no-cache",
		`{banner(id:"b1"){text} users{name}}`: "private, no-cache",
		`{banner(id:"b1"){text} publicNode(id:"b1"){id}}`: "private, no-cache",
	} {
		for range 3 {
			if w, _ := s.get(document); w.Header().Get("Cache-Control") != want || w.Header().Get("Age") != "" {
				t.Errorf("%s: %v, want %s", document, w.Header(), want)
			}
		}
	}
	s.pass(50 * time.Second) // ten seconds are left of its own age
	if w, _ := s.get(public); w.Header().Get("Cache-Control") != "public, max-age=0, s-maxage=30" {
		t.Error(w.Header())
	}
	t.Run("not all of it says so", func(t *testing.T) {
		t.Parallel()
		s := newHinted(t, "userCount", map[string]any{"sMaxAge": 30, "scope": "PUBLIC"}, gqlcache.Options{})
		for document, want := range map[string]string{`{userCount}`: "public, max-age=0, s-maxage=30", public: "no-cache", `{userCount banner(id:"b1"){text}}`: "no-cache"} {
			if w, _ := s.get(document); w.Header().Get("Cache-Control") != want {
				t.Errorf("%s: %v, want %s", document, w.Header(), want)
			}
		}
	})
	t.Run("a resolver says less", func(t *testing.T) {
		t.Parallel()
		s := newHinted(t, "banner", map[string]any{"sMaxAge": 30}, gqlcache.Options{})
		s.store.On("Query.banner", func(ctx context.Context) error { return gqlcache.MaxAge(ctx, 20*time.Second) })
		s.get(public)
		s.pass(15 * time.Second)
		if w, did := s.get(public); w.Header().Get("Cache-Control") != "public, max-age=0, s-maxage=5" || did != "HIT" {
			t.Error(did, w.Header())
		}
	})
	t.Run("Options.Vary without names", func(t *testing.T) {
		t.Parallel()
		s := newHinted(t, "banner", map[string]any{"sMaxAge": 30}, gqlcache.Options{Vary: func(context.Context) []string { return nil }})
		if w, _ := s.get(public); w.Header().Get("Cache-Control") != "private, no-cache" {
			t.Error(w.Header())
		}
	})
	t.Run("a dead answer", func(t *testing.T) {
		t.Parallel()
		s := newHinted(t, "banner", map[string]any{"sMaxAge": 30}, gqlcache.Options{})
		s.store.On("Query.banner", func(ctx context.Context) error {
			return s.cache.Invalidate(ctx, gqlcache.View("Banner"))
		})
		if w, _ := s.get(public); w.Header().Get("Cache-Control") != "no-store" {
			t.Error(w.Header())
		}
	})
}

// TestStaleInTheSchema: staleWhileRevalidate of a field is in place of the option.
func TestStaleInTheSchema(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		said     int
		option   time.Duration
		document string
		expired  time.Duration
		stale    bool
	}{
		{"longer than the option", 20, 0, askNames, 10 * time.Second, true},
		{"over", 20, 0, askNames, 20 * time.Second, false},
		{"shorter than the option", 5, time.Minute, askNames, 10 * time.Second, false},
		{"another field says nothing", 20, 0, "{userNames userCount}", 10 * time.Second, false},
		{"another field has the option's", 20, 15 * time.Second, "{userNames userCount}", 10 * time.Second, true},
		{"zero", 0, time.Minute, askNames, time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newHinted(t, "userNames", map[string]any{"staleWhileRevalidate": row.said}, gqlcache.Options{StaleWhileRevalidate: row.option})
				s.get(row.document)
				s.pass(time.Minute + row.expired)
				latch := s.store.BlockHard("Query.userNames")
				leading := make(chan struct{})
				go func() { s.get(row.document); close(leading) }()
				synctest.Wait()
				if row.stale {
					if _, did := s.get(row.document); did != "HIT" || s.cache.Stats().Stale != 1 {
						t.Error(did)
					}
				} else {
					waited := make(chan struct{})
					go func() { s.get(row.document); close(waited) }()
					synctest.Wait()
					select {
					case <-waited:
						t.Error("it does not wait")
					default:
					}
				}
				latch.Release()
				synctest.Wait()
				<-leading
			})
		})
	}
}

// TestVaryInTheSchema: answers that differ by a header field are apart, and caches outside
// are told.
func TestVaryInTheSchema(t *testing.T) {
	t.Parallel()
	const public, other = `{banner(id:"b1"){text}}`, `{users{name}}`
	for _, direct := range []bool{false, true} {
		s := newHinted(t, "banner", map[string]any{"vary": []string{"Accept-language", "X-Beta"}}, gqlcache.Options{HTTP: gqlcache.HTTP{Direct: direct}})
		ask := func(document, want string, header ...string) {
			t.Helper()
			w, did := s.get(document, header...)
			if did != want {
				t.Errorf("%s, %q: %s, want %s", document, header, did, want)
			}
			if vary := strings.Join(w.Header()["Vary"], ", "); (document == public) != (vary == "Accept, Accept-Language, X-Beta") {
				t.Errorf("%s: Vary is %s", document, vary)
			}
		}
		for i := range 3 {
			want := "HIT"
			if i == 0 {
				want = "MISS"
			}
			ask(public, want, "Accept-Language", "de")
			ask(public, want, "Accept-Language", "en")
			ask(public, want, "Accept-Language", "de", "X-Beta", "")
			ask(public, want)
			ask(other, want, "Accept-Language", "de")
			ask(other, "HIT", "Accept-Language", "en")
		}
	}
}

// TestVaryOfValues: a value that is computed for an operation that depends on a header
// field is kept apart by it; an operation that a resolver runs is not kept at all.
func TestVaryOfValues(t *testing.T) {
	t.Parallel()
	s := newHinted(t, "userNames", map[string]any{"vary": []string{"Accept-Language"}}, gqlcache.Options{})
	var said []string
	s.store.On("Query.userNames", func(ctx context.Context) error {
		language := graphql.GetOperationContext(ctx).Headers.Get("Accept-Language")
		got, err := gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("hello"), func(context.Context) (string, error) { return language, nil }, gqlcache.Reads())
		said = append(said, got)
		return err
	})
	for _, document := range []string{"query A{userNames}", "query B{userNames}"} {
		for _, language := range []string{"de", "en"} {
			s.get(document, "Accept-Language", language)
		}
	}
	if want := []string{"de", "en", "de", "en"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
}

// TestVaryInside: an operation that a resolver runs has a header that may be another one
// than its resolvers look at, so it is neither found nor kept.
func TestVaryInside(t *testing.T) {
	t.Parallel()
	s := newHinted(t, "userNames", map[string]any{"vary": []string{"Accept-Language"}}, gqlcache.Options{})
	s.store.On("Query.userCount", func(ctx context.Context) error {
		testgraph.Do(t, ctx, s.h, testgraph.Request{Query: askNames, Header: map[string]string{"Accept-Language": "de"}})
		return nil // the answer around it is not stored either
	})
	for range 2 {
		s.get("{userCount}")
	}
	if n, calls := s.cache.Stats().Bypassed[gqlcache.ReasonHeaders], s.store.Calls("Query.userNames"); n != 2 || calls != 2 {
		t.Errorf("%d bypassed, %d computed, want 2 and 2", n, calls)
	}
}
