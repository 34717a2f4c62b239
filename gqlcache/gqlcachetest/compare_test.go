package gqlcachetest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/gqlcachetest"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// verdict is a test that is told of differences.
type verdict struct {
	testing.TB
	failed bool
	log    strings.Builder
}

func (v *verdict) Helper()      {}
func (v *verdict) Failed() bool { return v.failed }
func (v *verdict) Errorf(format string, args ...any) {
	v.failed = true
	fmt.Fprintf(&v.log, format+"\n", args...)
}
func (v *verdict) Logf(format string, args ...any) { fmt.Fprintf(&v.log, format+"\n", args...) }

type writerKey struct{}

// A site is how a server with a planted fault differs from a right one.
type site struct {
	predicate func(context.Context) (gqlcache.Predicate, error)
	store     func(*testgraph.Store)
	server    func(srv *handler.Server, cached bool)
	wrap      func(srv http.Handler, store *testgraph.Store, cache *gqlcache.Cache) http.Handler
}

func (s site) serve(t testing.TB, store *testgraph.Store, cached bool) http.Handler {
	t.Helper()
	if s.store != nil {
		s.store(store)
	}
	var exts []graphql.HandlerExtension
	var cache *gqlcache.Cache
	if cached {
		o := gqlcache.Options{Predicate: viewer, SweepInterval: -1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
		if s.predicate != nil {
			o.Predicate = s.predicate
		}
		var err error
		if cache, err = gqlcache.New(o); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cache.Close() })
		exts = append(exts, cache)
	}
	srv := testgraph.NewServer(store, exts...)
	if s.server != nil {
		s.server(srv, cached)
	}
	if s.wrap != nil {
		return s.wrap(srv, store, cache)
	}
	return srv
}

func viewer(ctx context.Context) (gqlcache.Predicate, error) {
	return gqlcache.Predicate{Text: "owner = '" + testgraph.Viewer(ctx) + "'"}, nil
}

func everybody(context.Context) (gqlcache.Predicate, error) {
	return gqlcache.Predicate{Text: "true"}, nil
}

var rename = gqlcachetest.Operation{
	Query: `mutation Rename($id: ID!, $name: String!) { renameUser(id: $id, name: $name) }`,
	Draw: func(r *rand.Rand) map[string]any {
		return map[string]any{"id": []string{testgraph.Ann, testgraph.Bob}[r.IntN(2)], "name": fmt.Sprint("n", r.IntN(5))}
	},
}

var shown = []gqlcachetest.Operation{
	{Query: `query User($id: ID!) { user(id: $id) { name email } }`, Variables: map[string]any{"id": testgraph.Ann}},
	{Query: `{ userNames }`},
	rename,
}

var callers = []http.Header{{"X-Viewer": {"ann"}}, {"X-Viewer": {"bob"}}}

// compare runs a small comparison of a site.
func (s site) compare(t *testing.T, oneStore bool, ops ...gqlcachetest.Operation) (*gqlcachetest.Report, *verdict) {
	t.Helper()
	v := &verdict{TB: t}
	var store *testgraph.Store
	c := gqlcachetest.Comparison{
		Plain: func() http.Handler { store = testgraph.NewStore(); return s.serve(t, store, false) },
		Cached: func() http.Handler {
			if !oneStore {
				return s.serve(t, testgraph.NewStore(), true)
			}
			return s.serve(t, store, true)
		},
		Operations: ops, Callers: callers, Histories: 3, Steps: 20, OneStore: oneStore,
	}
	return c.Run(v), v
}

// TestCompareFinds: each planted fault is found, told by its kind, and shown by a short
// history.
func TestCompareFinds(t *testing.T) {
	t.Parallel()
	commits := func(srv http.Handler, store *testgraph.Store, _ *gqlcache.Cache) http.Handler {
		behind := testgraph.NewServer(store)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			srv.ServeHTTP(w, r)
			if strings.Contains(string(body), "Commits") { // what the mutation has written is seen from here on
				testgraph.Ask(t, behind, fmt.Sprintf(`mutation{renameUser(id:%q,name:"committed")}`, testgraph.Ann), nil)
			}
		})
	}
	commit := gqlcachetest.Operation{Query: fmt.Sprintf(`mutation Commits { renameUser(id: %q, name: "pending") }`, testgraph.Ann)}
	for _, row := range []struct {
		name   string
		site   site
		ops    []gqlcachetest.Operation
		kind   gqlcachetest.Kind
		where  string
		length int
	}{
		{"a forgotten predicate", site{predicate: everybody}, append([]gqlcachetest.Operation{{Query: `query Me { viewer }`}}, shown...),
			gqlcachetest.OtherCaller, "data.viewer", 2},
		{"a forgotten write", site{store: func(s *testgraph.Store) {
			s.On("Mutation.renameUser", func(ctx context.Context) error { _ = gqlcache.NothingWritten(ctx); return nil })
		}}, shown, gqlcachetest.Stale, "data.userNames[0]", 3},
		{"a commit after the answer", site{wrap: commits}, append([]gqlcachetest.Operation{commit}, shown[:2]...), gqlcachetest.Stale, "data.user.name", 3},
		{"a role that masks a field", site{predicate: everybody, server: func(srv *handler.Server, _ bool) {
			srv.AroundFields(func(ctx context.Context, next graphql.Resolver) (any, error) {
				if graphql.GetFieldContext(ctx).Field.Name == "email" && testgraph.Viewer(ctx) != "ann" {
					return nil, nil
				}
				return next(ctx)
			})
		}}, shown, gqlcachetest.OtherCaller, "data.user.email", 2},
		{"a header that a resolver sets", site{
			store: func(s *testgraph.Store) {
				s.On("Query.userNames", func(ctx context.Context) error {
					if w, ok := ctx.Value(writerKey{}).(http.ResponseWriter); ok {
						w.Header().Set("X-Names", "1")
					}
					return nil
				})
			},
			wrap: func(srv http.Handler, _ *testgraph.Store, _ *gqlcache.Cache) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					srv.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), writerKey{}, w)))
				})
			},
		}, shown, gqlcachetest.Header, "X-Names", 2},
		{"another error presenter", site{server: func(srv *handler.Server, cached bool) {
			if cached {
				srv.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error {
					e := graphql.DefaultErrorPresenter(ctx, err)
					e.Message = "internal"
					return e
				})
			}
		}}, append([]gqlcachetest.Operation{{Query: `query Fails { fails }`}}, shown...), gqlcachetest.Bytes, "errors[0].message", 1},
	} {
		for _, oneStore := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/one store %t", row.name, oneStore), func(t *testing.T) {
				t.Parallel()
				rep, v := row.site.compare(t, oneStore, row.ops...)
				found := false
				for _, d := range rep.Differences {
					if d.Kind == row.kind && strings.Contains(d.At, row.where) {
						found = true
						if len(d.History) > row.length || !d.Reproduced {
							t.Errorf("the history is too long, or was not repeated:\n%s", d)
						}
						if !strings.Contains(v.log.String(), d.String()) || d.Fix() == "" {
							t.Errorf("%s is not in %s", d, &v.log)
						}
					}
				}
				if !found || len(rep.Unstable) > 0 {
					t.Errorf("not found: %s at %s; %v\n%s", row.kind, row.where, rep.Unstable, &v.log)
				}
			})
		}
	}
}

// TestCompareFindsNothing: a right server passes, with what it does in its own way each
// time left out.
func TestCompareFindsNothing(t *testing.T) {
	t.Parallel()
	ops := append([]gqlcachetest.Operation{
		{Query: `query Echo { echo(text: "a") }`},
		{Query: `query Clock { counters { value } }`},
		{Query: `query Notes { notes { id name } }`},
		{Query: "query Post { post(id: \"" + testgraph.Hello + "\") { name author { name } } }\n# mutation\nmutation Log { log }", OperationName: "Post"},
		{Query: `{ panics }`},
		{Query: `{ nothing }`},
		{Query: `mutation Publish($id: ID!) { publishAll(authorId: $id) }`, Variables: map[string]any{"id": testgraph.Ann}},
	}, shown...)
	for _, oneStore := range []bool{false, true} {
		t.Run(fmt.Sprintf("one store %t", oneStore), func(t *testing.T) {
			t.Parallel()
			var clock atomic.Int64
			ticks := func(s *testgraph.Store) {
				s.On("Query.counters", func(context.Context) error { return fmt.Errorf("at %d", clock.Add(1)) })
			}
			held := site{store: ticks, wrap: func(srv http.Handler, _ *testgraph.Store, cache *gqlcache.Cache) http.Handler {
				if cache == nil {
					return srv
				}
				return cache.HoldUntilCommit(srv)
			}}
			for _, s := range []site{{store: ticks}, held} {
				rep, v := s.compare(t, oneStore, ops...)
				if len(rep.Differences) > 0 || len(rep.Unstable) != 1 || rep.Unstable["query Clock"] == "" || rep.Requests < 500 {
					t.Errorf("%d requests, unstable %v\n%s", rep.Requests, rep.Unstable, &v.log)
				}
			}
		})
	}
}

// TestCompareUnstable: operations that differ from themselves are named, and are no
// differences.
func TestCompareUnstable(t *testing.T) {
	t.Parallel()
	n := 0
	s := site{store: func(s *testgraph.Store) {
		s.On("Query.userNames", func(context.Context) error {
			if n++; n%3 == 0 { // a random order
				return fmt.Errorf("%d", n)
			}
			return nil
		})
	}}
	rep, v := s.compare(t, false, shown[1])
	if len(rep.Differences) > 0 || rep.Unstable["{ userNames }"] == "" || !strings.Contains(v.log.String(), "is not compared") {
		t.Errorf("%+v\n%s", rep, &v.log)
	}
}

// TestCompareNeedsServers: what is missing is an error, and nothing is run.
func TestCompareNeedsServers(t *testing.T) {
	t.Parallel()
	v := &verdict{TB: t}
	if rep := gqlcachetest.Compare(v, nil, nil, nil); !v.failed || rep.Requests != 0 {
		t.Errorf("%+v %s", rep, &v.log)
	}
}

// TestCompareAsksNobody: a comparison in which nothing is answered proves nothing, and
// says so.
func TestCompareAsksNobody(t *testing.T) {
	t.Parallel()
	v := &verdict{TB: t}
	nobody := func() http.Handler { return http.NotFoundHandler() }
	gqlcachetest.Compare(v, nobody, nobody, shown)
	if !v.failed || !strings.Contains(v.log.String(), "is /graphql the path") {
		t.Errorf("%s", &v.log)
	}
}
