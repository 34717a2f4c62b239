package gqlcache_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

// loggedCache returns a cache and what it logs.
func loggedCache(t *testing.T) (*gqlcache.Cache, *strings.Builder) {
	t.Helper()
	log := &strings.Builder{}
	return newCache(t, gqlcache.Options{Predicate: viewerPredicate, Logger: slog.New(slog.NewTextHandler(&lockedWriter{w: log}, nil))}), log
}

type lockedWriter struct {
	mu sync.Mutex
	w  *strings.Builder
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// newServer returns a server without transports, with a query cache.
func newServer() *handler.Server {
	srv := handler.New(testgraph.Executable(testgraph.NewStore(), "cacheControl"))
	srv.SetQueryCache(lru.New[*ast.QueryDocument](10))
	return srv
}

func askThrice(t *testing.T, h http.Handler) {
	t.Helper()
	for range 3 {
		if got := testgraph.Ask(t, h, "{ users { name } }", nil, "X-Viewer", "ann"); got.Errors != nil {
			t.Error(got.Body)
		}
	}
}

// TestInstall: a server that Install has set up sends answers as they are kept, whether
// its transports were there before or not, and says nothing.
func TestInstall(t *testing.T) {
	t.Parallel()
	for name, install := range map[string]func(*handler.Server, *gqlcache.Cache){
		"given": func(srv *handler.Server, c *gqlcache.Cache) {
			gqlcache.Install(srv, c, transport.GET{}, transport.POST{}, transport.SSE{})
		},
		"there before": func(srv *handler.Server, c *gqlcache.Cache) {
			srv.AddTransport(transport.SSE{})
			srv.AddTransport(&transport.POST{})
			gqlcache.Install(srv, c)
		},
		"wrapped before": func(srv *handler.Server, c *gqlcache.Cache) {
			srv.AddTransport(c.Transport(transport.POST{}))
			gqlcache.Install(srv, c, transport.GET{})
		},
		"behind a wrapped one": func(srv *handler.Server, c *gqlcache.Cache) {
			gqlcache.Install(srv, c, transport.POST{})
			srv.AddTransport(transport.POST{})
			srv.AddTransport(transport.Websocket{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, log := loggedCache(t)
			srv := newServer()
			install(srv, c)
			askThrice(t, srv)
			if s := c.Stats(); s.Hits != 2 || s.Sent != 3 {
				t.Errorf("%d hits, %d sent", s.Hits, s.Sent)
			}
			if log.Len() > 0 {
				t.Error(log)
			}
		})
	}
}

// TestInstallKeepsTheServer: a copy of the server that was made before is left alone.
func TestInstallKeepsTheServer(t *testing.T) {
	t.Parallel()
	c, _ := loggedCache(t)
	srv := newServer()
	srv.AddTransport(transport.POST{})
	before := *srv
	gqlcache.Install(srv, c)
	askThrice(t, &before)
	if n := c.Stats().Sent; n != 0 {
		t.Errorf("%d answers were sent by transports of the copy", n)
	}
	askThrice(t, srv)
	if n := c.Stats().Sent; n != 3 {
		t.Errorf("%d answers were sent as they are kept", n)
	}
}

// TestTransportsThatEncodeAgain: a server whose transports encode answers again says so
// once, with what to do, and answers.
func TestTransportsThatEncodeAgain(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		set  func(*handler.Server, *gqlcache.Cache)
		want []string // nothing without
	}{
		"added after Install": {func(srv *handler.Server, c *gqlcache.Cache) {
			gqlcache.Install(srv, c)
			srv.AddTransport(transport.POST{})
			srv.AddTransport(&transport.GET{})
		}, []string{"*transport.GET, transport.POST", "before gqlcache.Install"}},
		"another kind was wrapped": {func(srv *handler.Server, c *gqlcache.Cache) {
			gqlcache.Install(srv, c, transport.GET{})
			srv.AddTransport(transport.POST{})
		}, []string{": transport.POST\""}},
		"unseen": {func(srv *handler.Server, c *gqlcache.Cache) {
			srv.AddTransport(transport.POST{})
			gqlcache.InstallUnseen(srv, c, transport.GET{})
		}, []string{"cannot be seen", "handler.New"}},
		"before the wrapped one": {func(srv *handler.Server, c *gqlcache.Cache) {
			srv.AddTransport(transport.POST{})
			srv.AddTransport(c.Transport(transport.POST{}))
			srv.Use(c)
		}, []string{"none has come to the one with it", "gqlcache.Install"}},
		"none was wrapped": {func(srv *handler.Server, c *gqlcache.Cache) {
			srv.AddTransport(transport.POST{})
			srv.Use(c)
		}, nil},
		"only GET was wrapped": {func(srv *handler.Server, c *gqlcache.Cache) {
			srv.AddTransport(transport.POST{})
			srv.AddTransport(c.Transport(transport.GET{}))
			srv.Use(c)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, log := loggedCache(t)
			srv := newServer()
			row.set(srv, c)
			askThrice(t, srv)
			for _, want := range row.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log lacks %s: %s", want, log)
				}
			}
			if n := strings.Count(log.String(), "\n"); n != min(1, len(row.want)) {
				t.Errorf("%d lines: %s", n, log)
			}
			if s := c.Stats(); s.Hits != 2 || s.Sent != 0 {
				t.Errorf("%d hits, %d sent", s.Hits, s.Sent)
			}
		})
	}
}

// TestStreamsBesideAWrappedPOST: operations of streams and websockets are no sign that a
// POST is passed by.
func TestStreamsBesideAWrappedPOST(t *testing.T) {
	t.Parallel()
	c, log := loggedCache(t)
	srv := newServer()
	for _, inner := range []graphql.Transport{transport.SSE{}, transport.MultipartMixed{}, transport.MultipartForm{}, transport.GET{}} {
		srv.AddTransport(inner)
	}
	srv.AddTransport(c.Transport(transport.POST{}))
	srv.Use(c)
	for _, accept := range []string{"text/event-stream", "multipart/mixed"} {
		r := postRequest("{ users { name } }")
		r.Header.Set("Accept", accept)
		r.Header.Set("X-Viewer", "ann")
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), "Ann") {
			t.Error(w.Body)
		}
	}
	askThrice(t, srv)
	if log.Len() > 0 {
		t.Error(log)
	}
}

// TestNoQueryCache: a server without a query cache says so once, and one with a cache
// says nothing.
func TestNoQueryCache(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		queries graphql.Cache[*ast.QueryDocument]
		want    int
	}{
		"none":    {nil, 1},
		"no":      {graphql.NoCache[*ast.QueryDocument]{}, 1},
		"&no":     {&graphql.NoCache[*ast.QueryDocument]{}, 1},
		"lru":     {lru.New[*ast.QueryDocument](10), 0},
		"the map": {graphql.MapCache[*ast.QueryDocument]{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, log := loggedCache(t)
			srv := handler.New(testgraph.Executable(testgraph.NewStore(), "cacheControl"))
			if row.queries != nil {
				srv.SetQueryCache(row.queries)
			}
			gqlcache.Install(srv, c, transport.POST{}, transport.GET{})
			askThrice(t, srv)
			askThrice(t, srv)
			if n := strings.Count(log.String(), "SetQueryCache"); n != row.want {
				t.Errorf("said %d times: %s", n, log)
			}
		})
	}
}

// TestTransportsIn: transports are found in a server that has them as gqlgen's, and in no
// other.
func TestTransportsIn(t *testing.T) {
	t.Parallel()
	type like struct {
		_          int
		transports []graphql.Transport
	}
	type other struct{ transports map[string]graphql.Transport }
	type renamed struct{ lanes []graphql.Transport }
	known := &like{transports: []graphql.Transport{transport.POST{}}}
	if list := gqlcache.TransportsIn(known); list != &known.transports {
		t.Errorf("found %v", list)
	}
	if list := gqlcache.TransportsIn(handler.New(testgraph.Executable(testgraph.NewStore()))); list == nil {
		t.Error("nothing was found in gqlgen's server")
	}
	for _, server := range []any{&other{transports: map[string]graphql.Transport{}}, &renamed{lanes: known.transports}, (*like)(nil)} {
		if list := gqlcache.TransportsIn(server); list != nil {
			t.Errorf("%T: found %v", server, list)
		}
	}
}

// A server that has its transports already is given the cache, and sends its answers as
// they are kept.
func ExampleInstall() {
	cache := exampleCache()
	defer closeCache(cache)
	srv := handler.NewDefaultServer(testgraph.Executable(testgraph.NewStore(), "cacheControl"))
	gqlcache.Install(srv, cache)

	ask(srv, cache, `{users{name}}`)
	ask(srv, cache, `{users{name}}`)
	fmt.Println(cache.Stats().Sent, "sent as they are kept")
	// Output:
	// {"data":{"users":[{"name":"Ann"},{"name":"Bob"}]}} 0 hits, 1 misses
	// {"data":{"users":[{"name":"Ann"},{"name":"Bob"}]}} 1 hits, 1 misses
	// 2 sent as they are kept
}
