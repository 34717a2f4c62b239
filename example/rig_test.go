package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/example/graph"
	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/internal/pgtest"
)

// A rig is one server over its own database, called without a network.
type rig struct {
	store   *blog.Store
	cache   *gqlcache.Cache // nil for a server without one
	handler http.Handler
	dir     string
	ctx     context.Context // of the requests
	told    bool            // every other request asks what the cache did
	asked   atomic.Int64
	leave   func() // ends the watching; nil when nobody watches
	drop    func() error
}

// A setup says how a rig differs from the production server.
type setup struct {
	schema    func() (*ast.Schema, error) // nil is the example's
	change    func(*gqlcache.Options)
	extension func() graphql.HandlerExtension // instead of the cache
	uncached  bool
	bare      bool // gqlgen's transports as they are, with the cache
	latency   time.Duration
	fields    graphql.FieldMiddleware // around the resolvers, nil for none
	path      string                  // of the database; one of its own if empty
	postgres  bool                    // a database of its own in PostgreSQL, not SQLite
	wrap      func(*rig, http.Handler) http.Handler
	told      bool // every other request asks what the cache did, and somebody watches
}

// newRig starts a server. Close ends it.
func newRig(ctx context.Context, s setup) (_ *rig, err error) {
	r := &rig{ctx: ctx, told: s.told}
	if r.dir, err = os.MkdirTemp("", "cascadeql-rig-"); err != nil {
		return nil, err
	}
	if s.path == "" {
		s.path = filepath.Join(r.dir, "blog.db")
	}
	if s.postgres {
		if s.path, r.drop, err = pgtest.Create(); err != nil {
			return nil, err
		}
	}
	if r.store, err = blog.Open(ctx, s.path); err != nil {
		return nil, err
	}
	r.store.SetLatency(s.latency)
	cfg := graph.Config{Resolvers: &graph.Resolver{Store: r.store}}
	opts := cacheOptions()
	if s.schema != nil {
		if cfg.Schema, err = s.schema(); err != nil {
			return nil, err
		}
		opts.Schema = cfg.Schema
	}
	if s.change != nil {
		s.change(&opts)
	}
	get, post := graphql.Transport(transport.GET{}), graphql.Transport(transport.POST{})
	if s.extension == nil && !s.uncached {
		if r.cache, err = gqlcache.New(opts); err != nil {
			return nil, err
		}
		if !s.bare {
			get, post = r.cache.Transport(get), r.cache.Transport(post)
		}
	}
	srv := newUncached(graph.NewExecutableSchema(cfg), r.store, get, post)
	if s.fields != nil {
		srv.AroundFields(s.fields)
	}
	switch {
	case s.extension != nil:
		srv.Use(s.extension())
	case r.cache != nil:
		srv.Use(r.cache)
	}
	var h http.Handler = srv
	if s.wrap != nil {
		h = s.wrap(r, srv)
	}
	r.handler = limitBody(requireTenant(markLocal(h)))
	if s.told {
		r.leave = r.watch()
	}
	if opts.Log != nil && !s.uncached {
		return r, serving(ctx, opts.Log)
	}
	return r, nil
}

// serving waits until a log has a lease, and nothing is announced any more.
func serving(ctx context.Context, log changelog.Log) error {
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !log.Fresh() || log.Stats().Open > 0 {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// watch asks for snapshots, as the panel does, until the function that it returns is
// called.
func (r *rig) watch() (leave func()) {
	look := func() {
		r.ask(string(blog.Admin), `{"query":"{__typename}","extensions":{"cache":{"inspect":{}}}}`, true)
	}
	look()
	end := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		again := time.NewTicker(50 * time.Millisecond)
		defer again.Stop()
		for {
			select {
			case <-again.C:
				look()
			case <-end:
				return
			}
		}
	})
	return func() { close(end); watching.Wait() }
}

func (r *rig) close() {
	if r.leave != nil {
		r.leave()
	}
	if r.cache != nil {
		_ = r.cache.Close()
	}
	_ = r.store.Close()
	if r.drop != nil {
		_ = r.drop()
	}
	_ = os.RemoveAll(r.dir)
}

// startRig starts a server that ends with the test.
func startRig(t *testing.T, s setup) *rig {
	t.Helper()
	if s.postgres {
		pgtest.Need(t)
	}
	r, err := newRig(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

// A reply is what a client sees of an answer, extensions left out.
type reply struct {
	Status     int
	Data       json.RawMessage
	Errors     []json.RawMessage
	Extensions struct{ Cache struct{ Status, Key string } }
}

// ask sends a request; tenant "" sends none. debug asks for extensions.cache.
func (r *rig) ask(tenant, body string, debug bool) reply {
	req := httptest.NewRequestWithContext(r.ctx, http.MethodPost, "/graphql", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if tenant != "" {
		req.Header.Set(tenantHeader, tenant)
	}
	if debug || r.told && r.asked.Add(1)%2 == 0 {
		req.Header.Set(gqlcache.DebugHeader, "true")
		req = fromHere(req)
	}
	rec := httptest.NewRecorder()
	r.handler.ServeHTTP(rec, req)
	rep := reply{Status: rec.Code}
	if err := json.Unmarshal(rec.Body.Bytes(), &rep); err != nil {
		rep.Data = json.RawMessage(fmt.Sprintf("no JSON: %q", rec.Body.Bytes()))
	}
	return rep
}

// fromHere makes a request look as one from this machine.
func fromHere(req *http.Request) *http.Request {
	req.RemoteAddr, req.Host = "127.0.0.1:50000", "localhost:8080"
	here := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	return req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, here))
}

// requestBody is the body of a request without variables.
func requestBody(query string) string {
	b, _ := json.Marshal(map[string]string{"query": query}) // strings always encode
	return string(b)
}

// bareSchema is the example's schema without a single directive.
func bareSchema() (*ast.Schema, error) {
	text, err := os.ReadFile(filepath.Join("graph", "testdata", "contract.graphql"))
	if err != nil {
		return nil, err
	}
	return gqlparser.LoadSchema(&ast.Source{Name: "contract.graphql", Input: string(text)})
}

// viewSchema is the example's schema with @view and @dependsOn only.
func viewSchema() (*ast.Schema, error) {
	text, err := os.ReadFile(filepath.Join("graph", "schema.graphql"))
	if err != nil {
		return nil, err
	}
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "schema.graphql", Input: string(text)},
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")},
		&ast.Source{Name: "cachecontrol.graphql", Input: cascade.CacheControlSDL()})
	if err != nil {
		return nil, err
	}
	for _, def := range schema.Types {
		for _, f := range def.Fields {
			f.Directives = slices.DeleteFunc(f.Directives, func(d *ast.Directive) bool {
				return d.Name == "reads" || d.Name == "writes"
			})
		}
	}
	return schema, nil
}

var anyUUID = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)

// same tells how two servers' answers differ, "" when they do not. Errors have no order:
// resolvers run side by side.
func same(want, got reply, ids *twins) string {
	sortErrors(want.Errors)
	sortErrors(got.Errors)
	if want.Status != got.Status {
		return fmt.Sprintf("status %d, want %d", got.Status, want.Status)
	}
	if !ids.equal(want.Data, got.Data) {
		return fmt.Sprintf("data\n  %s\nwant\n  %s", got.Data, want.Data)
	}
	if len(want.Errors) != len(got.Errors) {
		return fmt.Sprintf("errors\n  %s\nwant\n  %s", got.Errors, want.Errors)
	}
	for i := range want.Errors {
		if !ids.equal(want.Errors[i], got.Errors[i]) {
			return fmt.Sprintf("errors\n  %s\nwant\n  %s", got.Errors, want.Errors)
		}
	}
	return ""
}

func sortErrors(list []json.RawMessage) {
	slices.SortStableFunc(list, func(a, b json.RawMessage) int {
		return bytes.Compare(anyUUID.ReplaceAll(a, nil), anyUUID.ReplaceAll(b, nil))
	})
}

// twins pairs the ids that the two servers made for the same row, as they turn up in
// answers. Ids that a client gave are the same on both and have no twin.
type twins struct {
	given       map[string]bool
	left, right map[string]string
}

func newTwins() *twins {
	return &twins{given: map[string]bool{}, left: map[string]string{}, right: map[string]string{}}
}

// give notes the ids of a request's text.
func (tw *twins) give(body string) {
	for _, id := range anyUUID.FindAllString(body, -1) {
		tw.given[strings.ToLower(id)] = true
	}
}

func (tw *twins) equal(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	as, bs := anyUUID.FindAllString(string(a), -1), anyUUID.FindAllString(string(b), -1)
	if len(as) != len(bs) || !bytes.Equal(anyUUID.ReplaceAll(a, nil), anyUUID.ReplaceAll(b, nil)) {
		return false
	}
	for i, x := range as {
		y := bs[i]
		if x == y && tw.left[x] == "" && tw.right[x] == "" {
			continue
		}
		if tw.left[x] == "" && tw.right[y] == "" && !tw.given[x] && !tw.given[y] {
			tw.left[x], tw.right[y] = y, x
		}
		if tw.left[x] != y || tw.right[y] != x {
			return false
		}
	}
	return true
}
