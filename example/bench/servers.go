package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/example/graph"
	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// A kind is a kind of server.
type kind struct {
	name, label string
	// encoding is the content coding that the client accepts, "" for none.
	encoding string
	// cached is set for servers all of whose measured answers have to be hits.
	cached bool
	make   func(*blog.Store) (http.Handler, *gqlcache.Cache, error)
}

// kinds are all kinds of servers but the static ones.
var kinds = []kind{
	{name: "uncached", label: "gqlgen, no cache", make: uncached},
	{name: "gqlgen", label: "cache, gqlgen's transports", cached: true, make: cachedBy(false, gqlcache.HTTP{}, nil)},
	{name: "transport", label: "cache, `Cache.Transport`", cached: true, make: cachedBy(true, gqlcache.HTTP{ContentLength: true}, nil)},
	{name: "direct", label: "cache, `Cache.Transport`, `HTTP.Direct`", cached: true, make: cachedBy(true, gqlcache.HTTP{ContentLength: true, Direct: true}, nil)},
	{name: "gzip", label: "cache, `Cache.Transport`, kept in gzip", encoding: "gzip", cached: true,
		make: cachedBy(true, gqlcache.HTTP{ContentLength: true, Encodings: []gqlcache.Encoding{gqlcache.Gzip()}}, public)},
	{name: "zstd", label: "cache, `Cache.Transport`, kept in zstd", encoding: "zstd", cached: true,
		make: cachedBy(true, gqlcache.HTTP{ContentLength: true, Encodings: []gqlcache.Encoding{gqlcache.Zstd()}}, public)},
}

func names() (list []string) {
	for _, k := range kinds {
		list = append(list, k.name)
	}
	return list
}

func uncached(store *blog.Store) (http.Handler, *gqlcache.Cache, error) {
	return behindTenant(server(executable(store, nil), store, transport.POST{})), nil, nil
}

// cachedBy makes servers with a cache. schema makes the schema of the server, nil for the
// example's.
func cachedBy(wrapped bool, h gqlcache.HTTP, schema func() (*ast.Schema, error)) func(*blog.Store) (http.Handler, *gqlcache.Cache, error) {
	return func(store *blog.Store) (http.Handler, *gqlcache.Cache, error) {
		var own *ast.Schema
		if schema != nil {
			var err error
			if own, err = schema(); err != nil {
				return nil, nil, err
			}
		}
		exec := executable(store, own)
		cache, err := gqlcache.New(gqlcache.Options{
			Schema: exec.Schema(),
			Predicate: func(ctx context.Context) (gqlcache.Predicate, error) {
				return gqlcache.Predicate{Text: blog.TenantOf(ctx).Predicate()}, nil
			},
			Partition:         func(ctx context.Context) string { return string(blog.TenantOf(ctx)) },
			FieldHooksCovered: true,
			HTTP:              h,
			TTL:               time.Hour,
			Limits:            gqlcache.Limits{MaxBytes: 16 << 30, MaxEntries: 4 << 20}, // for the mode entries
		})
		if err != nil {
			return nil, nil, err
		}
		var post graphql.Transport = transport.POST{}
		if wrapped {
			post = cache.Transport(post)
		}
		srv := server(exec, store, post)
		srv.Use(cache)
		return behindTenant(srv), cache, nil
	}
}

func executable(store *blog.Store, schema *ast.Schema) graphql.ExecutableSchema {
	return graph.NewExecutableSchema(graph.Config{Schema: schema, Resolvers: &graph.Resolver{Store: store}})
}

// server is the example's, but for the inspector and the transports that are not
// measured.
func server(exec graphql.ExecutableSchema, store *blog.Store, post graphql.Transport) *handler.Server {
	srv := handler.New(exec)
	srv.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		ctx, end := store.Snapshot(ctx)
		defer end()
		return next(ctx)
	})
	srv.AddTransport(post)
	srv.SetQueryCache(lru.New[*ast.QueryDocument](1000))
	srv.Use(extension.Introspection{})
	srv.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](1000)})
	return srv
}

// behindTenant is the middleware that says who asks.
func behindTenant(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(blog.WithTenant(r.Context(), blog.Tenant(r.Header.Get("X-Tenant")))))
	})
}

// public is the example's schema where all that the feed shows is for everybody: only
// such answers are compressed.
func public() (*ast.Schema, error) {
	text := graph.NewExecutableSchema(graph.Config{}).Schema().Query.Position.Src.Input
	const says = " @cacheControl(scope: PUBLIC)"
	text = strings.NewReplacer(
		"type User implements Node", "type User implements Node"+says,
		"type Post implements Node", "type Post implements Node"+says,
		"type Tag implements Node", "type Tag implements Node"+says,
		"  feed(limit: Int! = 20, offset: Int! = 0): [Post!]!", "  feed(limit: Int! = 20, offset: Int! = 0): [Post!]!"+says,
		"  author: User!", "  author: User!"+says,
		"  tags: [Tag!]!", "  tags: [Tag!]!"+says,
	).Replace(text)
	return gqlparser.LoadSchema(
		&ast.Source{Name: "schema.graphql", Input: text},
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")},
		&ast.Source{Name: "cachecontrol.graphql", Input: cascade.CacheControlSDL()})
}

// static sends a file of dir for each path, when it has read the request.
func static(dir string) (http.Handler, error) {
	files, err := filepath.Glob(filepath.Join(dir, "static-*"))
	if err != nil {
		return nil, err
	}
	answers := map[string]http.Handler{}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		header := http.Header{"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(body))}}
		if encoding := strings.TrimPrefix(filepath.Ext(f), "."); encoding != "" {
			header["Content-Encoding"] = []string{encoding}
		}
		answers["/"+filepath.Base(f)] = sending(header, body)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := answers[r.URL.Path]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	}), nil
}

func sending(header http.Header, body []byte) http.Handler {
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := buffers.Get().(*bytes.Buffer)
		b.Reset()
		_, err := b.ReadFrom(r.Body)
		buffers.Put(b)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		maps.Copy(w.Header(), header)
		_, _ = w.Write(body)
	})
}

// serve is the process of one server. It prints where it listens.
func serve(ctx context.Context, name, dir string, out io.Writer) (err error) {
	var h http.Handler
	var cache *gqlcache.Cache
	if name == "static" {
		h, err = static(dir)
	} else {
		var store *blog.Store
		if store, err = blog.Open(ctx, databaseIn(dir)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		err = fmt.Errorf("no server is called %q", name)
		for _, k := range kinds {
			if k.name == name {
				h, cache, err = k.make(store)
			}
		}
	}
	if err != nil {
		return err
	}
	if cache != nil {
		defer func() { err = errors.Join(err, cache.Close()) }()
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control := controls(h, cache)
	// The client's connections wait while a million entries are made.
	srv := &http.Server{ReadHeaderTimeout: time.Hour, Protocols: protocols(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/debug/") {
			control.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})}
	go func() {
		<-ctx.Done()
		_ = srv.Close()
	}()
	fmt.Fprintf(out, "listening on http://%s\n", listener.Addr())
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// protocols are those that a server speaks.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

// A state is what a server of ours says of itself.
type state struct {
	Mallocs, Allocated, Live uint64
	Hits                     uint64
	Entries, Bytes           int64
	Collections              uint32
}

// controls is what the measuring program asks a server of ours beside the measured
// requests.
func controls(h http.Handler, cache *gqlcache.Cache) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/state", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("gc") {
			runtime.GC()
		}
		_ = json.NewEncoder(w).Encode(stateOf(cache))
	})
	mux.HandleFunc("POST /debug/fill", func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("from"))
		to, _ := strconv.Atoi(r.URL.Query().Get("to"))
		size, _ := strconv.Atoi(r.URL.Query().Get("kb"))
		for n := from; n < to; n++ {
			fill := r.Clone(r.Context())
			fill.Header = http.Header{"Content-Type": {"application/json"}, "X-Tenant": {tenant}}
			body := entryBody(size, n)
			fill.Body, fill.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			h.ServeHTTP(&discarding{header: http.Header{}}, fill)
		}
	})
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	return mux
}

func stateOf(cache *gqlcache.Cache) (s state) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.Mallocs, s.Allocated = m.Mallocs, m.TotalAlloc
	s.Collections = m.NumGC
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	s.Live = live[0].Value.Uint64()
	if cache != nil {
		stats := cache.Stats()
		s.Hits, s.Entries, s.Bytes = stats.Hits, stats.Entries, stats.Bytes
	}
	return s
}

// discarding is a writer of a response that nobody reads.
type discarding struct{ header http.Header }

func (d *discarding) Header() http.Header         { return d.header }
func (d *discarding) WriteHeader(int)             {}
func (d *discarding) Write(b []byte) (int, error) { return len(b), nil }
