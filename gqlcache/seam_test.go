package gqlcache_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

// Servers as teams build them: what is around the cache is compared with and without it.

// aroundOperations and aroundResponses are extensions of one function.
type (
	aroundOperations func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler
	aroundResponses  func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response
)

func (aroundOperations) ExtensionName() string                   { return "AroundOperations" }
func (aroundOperations) Validate(graphql.ExecutableSchema) error { return nil }

func (f aroundOperations) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	return f(ctx, next)
}

func (aroundResponses) ExtensionName() string                   { return "AroundResponses" }
func (aroundResponses) Validate(graphql.ExecutableSchema) error { return nil }

func (f aroundResponses) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if !graphql.HasOperationContext(ctx) || graphql.GetOperationContext(ctx).Operation == nil {
		return next(ctx)
	}
	return f(ctx, next)
}

// TestRefusedRequestsOfResolvers: a resolver sends a request in its own context, which the
// server refuses. The answer to it is not the operation's.
func TestRefusedRequestsOfResolvers(t *testing.T) {
	t.Parallel()
	inner := []string{
		"{", "{ nothing }", "query A { users { id } } query B { users { id } }", "query ($id: ID!) { user(id: $id) { id } }", "{ users { id } }",
		"mutation ($id: ID!) { renameUser(id: $id, name: \"x\") }",
	}
	for point, outer := range map[string]string{"Query.counter": "{counter(id:1){value}}", "Mutation.log": "mutation{log}"} {
		for _, raw := range []bool{false, true} {
			for _, query := range inner {
				r := newRig(t, "annotated", gqlcache.Options{})
				q := testgraph.Request{Query: query}
				if raw {
					q.Raw = query // which is no JSON
				}
				var got, want testgraph.Response
				r.store.On(point, func(ctx context.Context) error {
					got = testgraph.Do(t, ctx, r.cached, q)
					return nil
				})
				r.twin.On(point, func(ctx context.Context) error {
					want = testgraph.Do(t, ctx, r.plain, q)
					return nil
				})
				r.do(testgraph.Request{Query: outer})
				if got.Body != want.Body || got.Status != want.Status {
					t.Errorf("%s in %s: %d %s; want %d %s", query, outer, got.Status, got.Body, want.Status, want.Body)
				}
			}
		}
	}
}

// repeating is a transport that dispatches an operation several times, and hands on its
// own context instead of the one that it is given.
type repeating struct{}

func (repeating) Supports(r *http.Request) bool { return r.Header.Get("X-Repeat") != "" }

func (repeating) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	var params graphql.RawParams
	_ = json.NewDecoder(r.Body).Decode(&params)
	params.Headers = r.Header
	ctx := r.Context()
	oc, errs := exec.CreateOperationContext(ctx, &params)
	if errs != nil {
		_ = json.NewEncoder(w).Encode(exec.DispatchError(graphql.WithOperationContext(ctx, oc), errs))
		return
	}
	for range 3 {
		responses, _ := exec.DispatchOperation(ctx, oc)
		_ = json.NewEncoder(w).Encode(responses(ctx))
	}
}

// idioms are ways to run operations that plain servers allow.
func idioms() map[string]aroundOperations {
	return map[string]aroundOperations{
		"a context from before the cache": func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			h := next(ctx)
			return func(context.Context) *graphql.Response {
				ctx, cancel := context.WithTimeout(ctx, time.Hour)
				defer cancel()
				return h(ctx)
			}
		},
		"mutations go on when their client has left": func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			h := next(ctx)
			if graphql.GetOperationContext(ctx).Operation.Operation != ast.Mutation {
				return h
			}
			return func(context.Context) *graphql.Response { return h(context.WithoutCancel(ctx)) }
		},
		"nothing of the request": func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			ctx = graphql.WithOperationContext(context.Background(), graphql.GetOperationContext(ctx))
			h := next(ctx)
			return func(context.Context) *graphql.Response { return h(ctx) }
		},
		"a copy, and the context without it": func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			oc := *graphql.GetOperationContext(ctx)
			h := next(graphql.WithOperationContext(ctx, &oc))
			return func(context.Context) *graphql.Response { return h(ctx) }
		},
		"a goroutine": func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			out := make(chan *graphql.Response, 1)
			go func() { out <- next(ctx)(ctx) }()
			return graphql.OneShot(<-out)
		},
		"at most three attempts": func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			resp := next(ctx)(ctx)
			for attempt := 1; attempt < 3 && resp != nil && len(resp.Errors) > 0; attempt++ {
				resp = next(ctx)(ctx)
			}
			return graphql.OneShot(resp)
		},
	}
}

// TestHandlersOfOperations: extensions run an operation's handler elsewhere than gqlgen's
// transports do, in other contexts, and more than once. Mutations are applied all the
// same, and what other servers of the cache have stored is not stale.
func TestHandlersOfOperations(t *testing.T) {
	t.Parallel()
	for name, idiom := range idioms() {
		for _, around := range []string{"nothing", "HoldUntilCommit", "Handler"} {
			t.Run(name+", "+around, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, "annotated", gqlcache.Options{}, idiom)
				other := testgraph.Serve(testgraph.Executable(r.store, "cacheControl"), r.cache)
				switch around {
				case "HoldUntilCommit":
					r.cached = r.cache.HoldUntilCommit(r.cached)
				case "Handler":
					r.cached = r.cache.Handler(r.cached)
				}
				if name == "nothing of the request" {
					checkHandler(t, r, other, "") // the plain server does not know the caller
					return
				}
				checkHandler(t, r, other, "ann", "bob")
			})
		}
	}
	t.Run("a transport that hands on its own context", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		r.cached.(*handler.Server).AddTransport(repeating{})
		r.plain.(*handler.Server).AddTransport(repeating{})
		other := testgraph.Serve(testgraph.Executable(r.store, "cacheControl"), r.cache)
		for i := range 3 {
			for _, q := range []string{readAnn, fmt.Sprintf(`mutation{renameUser(id:$Ann,name:"N%d")}`, i), readAnn, `{users{name}}`, `{nothing}`} {
				r.do(testgraph.Request{Query: expand(q), Header: map[string]string{"X-Repeat": "1", "Content-Type": "application/x-repeat"}})
				got := testgraph.Do(t, t.Context(), other, testgraph.Request{Query: expand(readAnn)})
				want := testgraph.Do(t, t.Context(), r.plain, testgraph.Request{Query: expand(readAnn)})
				if got.Body != want.Body {
					t.Errorf("after %s: %s, want %s", q, got.Body, want.Body)
				}
			}
		}
	})
}

// contextless is a transport that hands on no context: gqlgen v0.17.67 has none when an
// extension answers in place of the operation.
type contextless struct{ graphql.Transport }

func (c contextless) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	c.Transport.Do(w, r, withoutContext{exec})
}

type withoutContext struct{ graphql.GraphExecutor }

func (e withoutContext) DispatchOperation(ctx context.Context, oc *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	responses, ctx := e.GraphExecutor.DispatchOperation(ctx, oc)
	return func(context.Context) *graphql.Response { return responses(nil) }, ctx
}

// TestHandlersWithoutContext: an extension behind the cache answers in place of the
// operation, whose handler is called without a context.
func TestHandlersWithoutContext(t *testing.T) {
	t.Parallel()
	for name, transports := range map[string]func(c *gqlcache.Cache) graphql.Transport{
		"gqlgen's":    func(*gqlcache.Cache) graphql.Transport { return contextless{transport.POST{}} },
		"the cache's": func(c *gqlcache.Cache) graphql.Transport { return c.Transport(contextless{transport.POST{}}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
			serve := func(c *gqlcache.Cache) http.Handler {
				srv := handler.New(testgraph.Executable(testgraph.NewStore()))
				if c == nil {
					srv.AddTransport(contextless{transport.POST{}})
				} else {
					srv.AddTransport(transports(c))
					srv.Use(c)
				}
				srv.AroundOperations(func(ctx context.Context, _ graphql.OperationHandler) graphql.ResponseHandler {
					return graphql.OneShot(graphql.ErrorResponse(ctx, "too many"))
				})
				return srv
			}
			cached, plain := serve(c), serve(nil)
			for range 3 {
				for _, q := range []string{`{"query":"{users{name}}"}`, expand(`{"query":"mutation{renameUser(id:\"` + testgraph.Ann + `\",name:\"N\")}"}`)} {
					compareSent(t, &sentRequest{name: q, method: http.MethodPost, target: "/", body: q, header: map[string]string{"X-Viewer": "ann"}}, cached, plain)
				}
			}
		})
	}
}

func checkHandler(t *testing.T, r *rig, other http.Handler, callers ...string) {
	t.Helper()
	queries := []string{readAnn, `{users{name}}`, `{notes{name}}`, `{viewer}`, `{nothing}`, `{panics}`, `{failsHard}`}
	for i := range 3 {
		for _, who := range callers {
			header := map[string]string{"X-Viewer": who}
			for _, q := range queries {
				for range 2 {
					r.do(testgraph.Request{Query: expand(q), Header: header})
				}
				testgraph.Do(t, t.Context(), other, testgraph.Request{Query: expand(q), Header: header})
			}
			r.do(testgraph.Request{Query: expand(fmt.Sprintf(`mutation{a:renameUser(id:$Ann,name:"N%d%s") b:boom c:setNote(id:"1",owner:"ann",name:"%d")}`, i, who, i)), Header: header})
			for _, q := range queries[:3] {
				got := testgraph.Do(t, t.Context(), other, testgraph.Request{Query: expand(q), Header: header})
				want := testgraph.Do(t, t.Context(), testgraph.Serve(testgraph.Executable(r.store)), testgraph.Request{Query: expand(q), Header: header})
				if got.Body != want.Body {
					t.Errorf("%s by another server of the cache: %s, want %s", q, got.Body, want.Body)
				}
			}
		}
	}
	if r.cache.Stats().Hits == 0 {
		t.Error("no hits")
	}
}

// TestReplacedOperationContexts: an extension hands on a copy of the operation's context
// with other variables, so that nobody logs them, say. What gqlgen executes is the original
// or the copy, as the extension has it.
func TestReplacedOperationContexts(t *testing.T) {
	t.Parallel()
	swapped := func(ctx context.Context) context.Context {
		oc := *graphql.GetOperationContext(ctx)
		oc.Variables = map[string]any{"id": testgraph.Bob}
		return graphql.WithOperationContext(ctx, &oc)
	}
	responses := aroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response { return next(swapped(ctx)) })
	handlers := aroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		h := next(ctx)
		return func(ctx context.Context) *graphql.Response { return h(swapped(ctx)) }
	})
	operations := aroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		return next(swapped(ctx))
	})
	for name, around := range map[string][2]graphql.HandlerExtension{
		"responses, before the cache":  {responses, nil},
		"handlers, before the cache":   {handlers, nil},
		"operations, before the cache": {operations, nil},
		"responses, after the cache":   {nil, responses},
		"handlers, after the cache":    {nil, handlers},
		"operations, after the cache":  {nil, operations},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := testgraph.NewStore()
			c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
			exts := []graphql.HandlerExtension{around[0], c, around[1]}
			exts = slices.DeleteFunc(exts, func(e graphql.HandlerExtension) bool { return e == nil })
			cached := testgraph.ServeBy(c.Transport, testgraph.Executable(store, "cacheControl"), exts...)
			plain := testgraph.Serve(testgraph.Executable(store, "cacheControl"), slices.DeleteFunc(slices.Clone(exts), func(e graphql.HandlerExtension) bool { return e == c })...)
			other := testgraph.Serve(testgraph.Executable(store, "cacheControl"), c)
			fresh := testgraph.Serve(testgraph.Executable(store, "cacheControl"))
			compare := func(got, want http.Handler) {
				t.Helper()
				for _, id := range []string{testgraph.Ann, testgraph.Bob, testgraph.Ann} {
					q := testgraph.Request{Query: `query($id:ID!){user(id:$id){name}}`, Vars: map[string]any{"id": id}}
					if got, want := testgraph.Do(t, t.Context(), got, q), testgraph.Do(t, t.Context(), want, q); got.Body != want.Body {
						t.Errorf("%.2s: %s, want %s", id, got.Body, want.Body)
					}
				}
			}
			for i := range 3 {
				compare(cached, plain)
				compare(other, fresh)
				testgraph.Do(t, t.Context(), cached, testgraph.Request{
					Query: fmt.Sprintf(`mutation($id:ID!){renameUser(id:$id,name:"N%d")}`, i), Vars: map[string]any{"id": testgraph.Ann},
				})
				compare(other, fresh)
			}
		})
	}
}

// TestComplexityOfRepeatedRequests: how complex an operation is may depend on the caller,
// or on the hour. A request that came before is refused when it is too complex now.
func TestComplexityOfRepeatedRequests(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		var users atomic.Int64
		root := testgraph.ComplexityRoot{}
		root.Query.Users = func(child int) int { return int(users.Load()) + child }
		c := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: gqlcache.HTTP{Direct: direct}})
		es := testgraph.ExecutableBy(testgraph.NewStore(), root, "cacheControl")
		for _, es := range []graphql.ExecutableSchema{es, struct{ graphql.ExecutableSchema }{es}} {
			server := func(c *gqlcache.Cache) http.Handler {
				srv := handler.New(es)
				srv.SetQueryCache(lru.New[*ast.QueryDocument](100))
				srv.Use(extension.FixedComplexityLimit(80))
				srv.Use(extension.FixedComplexityLimit(50))
				if c == nil {
					srv.AddTransport(transport.POST{})
				} else {
					gqlcache.Install(srv, c, transport.POST{})
				}
				return srv
			}
			cached, plain := server(c), server(nil)
			for _, costs := range []int64{1, 1, 1, 1, 60, 60, 90, 1, 60} {
				users.Store(costs)
				q := testgraph.Request{Query: "{ users { id name } }"}
				if got, want := testgraph.Do(t, t.Context(), cached, q), testgraph.Do(t, t.Context(), plain, q); got.Body != want.Body || got.Status != want.Status {
					t.Errorf("%T, %d: %d %s, want %d %s", es, costs, got.Status, got.Body, want.Status, want.Body)
				}
			}
		}
	}
}

// withWriter gives resolvers the writer of the response.
func withWriter(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), writerKey{}, w)))
	})
}

// buffering sends a response when it is complete.
func buffering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		for name, values := range whole.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(whole.Code)
		_, _ = w.Write(whole.Body.Bytes())
	})
}

// TestCookiesOfWritersWithin: a cookie that a resolver sets on the writer that a middleware
// between Handler and the server has given it is on every answer.
func TestCookiesOfWritersWithin(t *testing.T) {
	t.Parallel()
	for name, stack := range map[string]func(http.Handler) http.Handler{
		"nothing":       withWriter,
		"a buffer":      func(h http.Handler) http.Handler { return buffering(withWriter(h)) },
		"a time limit":  func(h http.Handler) http.Handler { return http.TimeoutHandler(withWriter(h), time.Hour, "") },
		"around both":   func(h http.Handler) http.Handler { return withWriter(buffering(h)) },
		"limited twice": func(h http.Handler) http.Handler { return http.TimeoutHandler(buffering(withWriter(h)), time.Hour, "") },
	} {
		for _, accept := range []string{"", "multipart/mixed, application/json"} {
			t.Run(name+" "+accept, func(t *testing.T) {
				t.Parallel()
				server := func(c *gqlcache.Cache) http.Handler {
					s := testgraph.NewStore()
					s.On("Query.users", func(ctx context.Context) error {
						http.SetCookie(ctx.Value(writerKey{}).(http.ResponseWriter), &http.Cookie{Name: "seen", Value: "1"})
						return nil
					})
					srv := handler.New(testgraph.Executable(s, "cacheControl"))
					if c == nil {
						srv.AddTransport(transport.POST{})
						return stack(srv)
					}
					gqlcache.Install(srv, c, transport.POST{})
					return c.Handler(stack(srv))
				}
				c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
				cached, plain := server(c), server(nil)
				for range 4 {
					q := &sentRequest{name: name, method: http.MethodPost, target: "/", body: `{"query":"{ users { id name } }"}`, header: map[string]string{"Accept": accept}}
					compareSent(t, q, cached, plain)
				}
			})
		}
	}
}

// lazily is a writer that compresses, and begins with the first byte.
type lazily struct {
	http.ResponseWriter
	gz *gzip.Writer
}

func (l *lazily) Write(b []byte) (int, error) {
	if l.gz == nil {
		l.Header().Set("Content-Encoding", "gzip")
		l.gz = gzip.NewWriter(l.ResponseWriter)
	}
	return l.gz.Write(b)
}

// prefixed is a writer that keeps scripts from reading what it sends.
type prefixed struct {
	http.ResponseWriter
	begun bool
}

func (p *prefixed) Write(b []byte) (int, error) {
	if !p.begun {
		p.begun = true
		if _, err := io.WriteString(p.ResponseWriter, ")]}',\n"); err != nil {
			return 0, err
		}
	}
	return p.ResponseWriter.Write(b)
}

// TestWritersThatChangeBodies: a middleware that changes what is written, and takes no
// Content-Length away, since gqlgen sets none.
func TestWritersThatChangeBodies(t *testing.T) {
	t.Parallel()
	for name, middleware := range map[string]func(http.Handler) http.Handler{
		"compressed": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				l := &lazily{ResponseWriter: w}
				h.ServeHTTP(l, r)
				if l.gz != nil {
					_ = l.gz.Close()
				}
			})
		},
		"prefixed": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&prefixed{ResponseWriter: w}, r) })
		},
		"prefixed, around a time limit": func(h http.Handler) http.Handler {
			limited := http.TimeoutHandler(h, time.Hour, "")
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { limited.ServeHTTP(&prefixed{ResponseWriter: w}, r) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{HTTP: gqlcache.HTTP{ContentLength: true}})
			for _, around := range []func(http.Handler) http.Handler{
				func(h http.Handler) http.Handler { return h }, r.cache.Handler, r.cache.HoldUntilCommit,
			} {
				cached, plain := httptest.NewServer(middleware(around(r.cached))), httptest.NewServer(middleware(r.plain))
				ask := func(url string) string {
					q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"query":"{ users { id name email } }"}`))
					if err != nil {
						t.Fatal(err)
					}
					q.Header.Set("Content-Type", "application/json")
					resp, err := http.DefaultClient.Do(q)
					if err != nil {
						return err.Error()
					}
					body, err := io.ReadAll(resp.Body)
					return fmt.Sprint(string(body), err, resp.Body.Close())
				}
				for range 3 {
					if got, want := ask(cached.URL), ask(plain.URL); got != want {
						t.Errorf("%s\nwithout: %s", got, want)
					}
				}
				cached.Close()
				plain.Close()
			}
			http.DefaultClient.CloseIdleConnections()
		})
	}
}

// TestContentLength: where the owner has promised that nobody writes after the server, and
// nothing but this package is between net/http's server and the transport, a large answer
// has its length.
func TestContentLength(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{HTTP: gqlcache.HTTP{ContentLength: true}})
	for name, h := range map[string]http.Handler{
		"nothing": r.cached, "Handler": r.cache.Handler(r.cached), "HoldUntilCommit": r.cache.HoldUntilCommit(r.cached),
	} {
		for _, two := range []bool{false, true} {
			srv := httptest.NewUnstartedServer(h)
			srv.EnableHTTP2 = two
			srv.StartTLS()
			q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, strings.NewReader(`{"query":"{echo(text:\"`+strings.Repeat("a", 10_000)+`\")}"}`))
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Content-Type", "application/json")
			resp, err := srv.Client().Do(q)
			if err != nil {
				t.Fatal(err)
			}
			if resp.ContentLength < 10_000 || (resp.ProtoMajor == 2) != two {
				t.Errorf("%s, %s: length %d", name, resp.Proto, resp.ContentLength)
			}
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
			srv.Close()
		}
	}
}

// TestMembersAppendedToData: an extension cuts the last brace off the data, and appends a
// member. The answer that is kept is not changed by that.
func TestMembersAppendedToData(t *testing.T) {
	t.Parallel()
	adding := aroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		resp := next(ctx)
		if graphql.GetOperationContext(ctx).Headers.Get("X-Add") != "" {
			resp.Data = append(resp.Data[:len(resp.Data)-1], `,"more":1}`...)
		}
		return resp
	})
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
	srv := testgraph.NewServer(testgraph.NewStore(), adding, c)
	for n := range 300 { // of some lengths, gqlgen's buffer has room behind the data
		q := testgraph.Request{Query: `query($t:String!){echo(text:$t)}`, Vars: map[string]any{"t": strings.Repeat("a", 3*n)}, Header: map[string]string{"X-Add": "1"}}
		testgraph.Do(t, t.Context(), srv, q)
		q.Header = nil
		if got := testgraph.Do(t, t.Context(), srv, q); got.Status != http.StatusOK || !strings.HasSuffix(got.Body, `"}}`) {
			t.Fatalf("%d bytes: %d %s", 3*n, got.Status, got.Body)
		}
	}
}

// TestRegisteredListsOfWarnings: an extension registers a list, and resolvers add to it.
func TestRegisteredListsOfWarnings(t *testing.T) {
	t.Parallel()
	type key struct{}
	ext := aroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		list := &[]string{}
		graphql.RegisterExtension(ctx, "warnings", list)
		return next(context.WithValue(ctx, key{}, list))
	})
	r := newRig(t, "annotated", gqlcache.Options{}, ext)
	for _, s := range []*testgraph.Store{r.store, r.twin} {
		s.On("Query.users", func(ctx context.Context) error {
			list, _ := ctx.Value(key{}).(*[]string)
			*list = append(*list, "users is deprecated")
			return nil
		})
	}
	r.run("annotated", []string{"{ users { id } }", "MISS beside: { users { id } }", expand(readAnn), "HIT: " + expand(readAnn)})
}

// TestBodiesAtRandom: bodies of requests that differ in spelling, order, case, defaults and
// nulls are answered as without the cache.
func TestBodiesAtRandom(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	one := func(list ...string) string { return list[random.IntN(len(list))] }
	r := newRig(t, "annotated", gqlcache.Options{})
	body := func() string {
		query, err := json.Marshal(one(
			`query($t:String,$n:Float,$l:[String],$g:[[Int]],$m:Map,$i:EchoInput,$d:ID,$f:Int){echo(text:$t,n:$n,list:$l,grid:$g,map:$m,input:$i,id:$d,dflt:$f)}`,
			`query($t:String="x",$n:Float=1.5,$l:[String]=["a"],$g:[[Int]]=[[1]],$i:EchoInput={a:"q"},$d:ID="7",$f:Int=2){echo(text:$t,n:$n,list:$l,grid:$g,input:$i,id:$d,dflt:$f)}`,
			`query($t:String){echo(input:{a:$t,b:"z"})}`,
			`query($t:String,$b:Boolean=true){echo(list:[$t,null,"a"]) x:echo(text:$t) @skip(if:$b) y:echo(dflt:null) @include(if:$b)}`,
			`query($n:Float){echo(n:$n) a:echo(n:1) b:echo(n:1.0) c:echo(n:1e0)}`,
			`query($d:ID){echo(id:$d) a:echo(id:1) b:echo(id:"1")}`))
		if err != nil {
			t.Fatal(err)
		}
		var vars []string
		for range random.IntN(3) {
			vars = append(vars, fmt.Sprintf("%q:%s", one("t", "n", "l", "g", "m", "i", "d", "f", "b", "T", "more"), one(
				`null`, `"x"`, `"\u0078"`, `1`, `1.0`, `1e0`, `-0`, `0`, `9007199254740993`, `9007199254740992`, `12345678901234567890`, `1e400`, `""`, `[]`, `[null]`,
				`["a"]`, `[1]`, `[[1]]`, `{}`, `{"a":null}`, `{"a":"x"}`, `{"a":"x","a":"y"}`, `{"A":"x"}`, `true`, `"é"`, `"e\u0301"`, `"\ud800"`, `{"n":1}`, `{"n":1.0}`)))
		}
		whole := fmt.Sprintf(`{"query":%s,%q:{%s}}`, query, one("variables", "Variables", "VARIABLES"), strings.Join(vars, ","))
		switch random.IntN(8) {
		case 0:
			return one("\ufeff", " ", "\n") + whole
		case 1:
			return whole + one(" {}", "\n", "x")
		case 2:
			return strings.Replace(whole, `"query"`, one(`"qu\u0065ry"`, `"Query"`, `"operationName":null,"query"`), 1)
		}
		return whole
	}
	var bodies []string
	for range 400 {
		bodies = append(bodies, body())
	}
	for range 2000 {
		q := testgraph.Request{Raw: one(bodies...), Header: map[string]string{"Content-Type": one("application/json", "application/json; charset=latin1", "APPLICATION/JSON")}}
		r.do(q)
	}
	if s := r.cache.Stats(); s.Hits < 500 {
		t.Errorf("%d hits of 2000", s.Hits)
	}
}

// TestTwoCachesInOneContext: a resolver of one server asks another one, with its own
// context, in the same process.
func TestTwoCachesInOneContext(t *testing.T) {
	t.Parallel()
	for point, outer := range map[string]string{"Query.counter": "{counter(id:%d){value}}", "Mutation.log": "mutation{log}#%d"} {
		a, b := newRig(t, "annotated", gqlcache.Options{}), newRig(t, "annotated", gqlcache.Options{})
		for i, h := range []http.Handler{a.cached, a.cache.HoldUntilCommit(b.cache.Handler(a.cached)), b.cache.Handler(a.cache.Handler(a.cached))} {
			b.send(readAnn)
			b.send(readAnn)
			name := fmt.Sprint("N", i)
			a.store.On(point, func(ctx context.Context) error {
				testgraph.Do(t, ctx, b.cached, testgraph.Request{Query: expand(`mutation{renameUser(id:$Ann,name:"` + name + `")}`)})
				if got := testgraph.Do(t, ctx, b.cached, testgraph.Request{Query: expand(readAnn)}); !strings.Contains(got.Body, name) {
					t.Errorf("%s, within: %s", point, got.Body)
				}
				if got := testgraph.Do(t, ctx, b.cached, testgraph.Request{Query: "{"}); !strings.Contains(got.Body, "Expected Name") {
					t.Errorf("%s, within: %s", point, got.Body)
				}
				return errors.New("refused")
			})
			testgraph.Do(t, t.Context(), h, testgraph.Request{Query: fmt.Sprintf(outer, i+1)})
			if got := b.send(readAnn); !strings.Contains(got.Body, name) {
				t.Errorf("%s: %s", point, got.Body)
			}
		}
	}
}
