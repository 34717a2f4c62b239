package gqlcache_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// A setup is a way in which a team has set up its server around gqlgen.
type setup struct {
	name string
	// setUp adds to the server what comes before the cache, and late what comes after it.
	setUp, late func(*handler.Server)
	around      func(http.Handler) http.Handler
}

// viewerOf is who asks, also where there is no operation.
func viewerOf(ctx context.Context) string {
	if graphql.HasOperationContext(ctx) {
		return testgraph.Viewer(ctx)
	}
	return "nobody"
}

// parameters and operations are extensions of one function.
type (
	parameters func(ctx context.Context, p *graphql.RawParams) *gqlerror.Error
	operations func(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error
)

func (parameters) ExtensionName() string                   { return "Parameters" }
func (parameters) Validate(graphql.ExecutableSchema) error { return nil }
func (f parameters) MutateOperationParameters(ctx context.Context, p *graphql.RawParams) *gqlerror.Error {
	return f(ctx, p)
}

func (operations) ExtensionName() string                   { return "Operations" }
func (operations) Validate(graphql.ExecutableSchema) error { return nil }
func (f operations) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	return f(ctx, oc)
}

// limitOperations has an extension refuse the operations of a viewer who has no budget left.
func limitOperations(s *handler.Server) {
	allows := budget()
	s.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		if !allows(viewerOf(ctx)) {
			return graphql.OneShot(graphql.ErrorResponse(ctx, "too many"))
		}
		return next(ctx)
	})
}

// budget allows each caller some operations.
func budget() func(who string) bool {
	var mu sync.Mutex
	spent := map[string]int{}
	return func(who string) bool {
		mu.Lock()
		defer mu.Unlock()
		spent[who]++
		return spent[who]%7 != 0
	}
}

func setups() []setup {
	return []setup{
		{name: "errors that name the caller", setUp: func(s *handler.Server) {
			s.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error {
				e := graphql.DefaultErrorPresenter(ctx, err)
				e.Message = viewerOf(ctx) + ": " + e.Message
				return e
			})
			s.SetRecoverFunc(func(ctx context.Context, _ any) error { return errors.New("panic of " + viewerOf(ctx)) })
		}},
		{name: "a complexity by caller", setUp: func(s *handler.Server) {
			s.Use(&extension.ComplexityLimit{Func: func(ctx context.Context, oc *graphql.OperationContext) int {
				return map[string]int{"ann": 100, "bob": 3}[oc.Headers.Get("X-Viewer")]
			}})
		}},
		{name: "a list of allowed operations by caller", setUp: func(s *handler.Server) {
			s.Use(parameters(func(_ context.Context, p *graphql.RawParams) *gqlerror.Error {
				if p.Headers.Get("X-Viewer") == "bob" && strings.Contains(p.Query, "email") {
					return gqlerror.Errorf("not allowed")
				}
				return nil
			}))
		}},
		{name: "an operation by caller", setUp: func(s *handler.Server) {
			s.Use(parameters(func(_ context.Context, p *graphql.RawParams) *gqlerror.Error {
				if p.Headers.Get("X-Viewer") == "bob" {
					p.Query = strings.ReplaceAll(p.Query, "email", "name")
				}
				return nil
			}))
		}},
		{name: "variables by caller", setUp: func(s *handler.Server) {
			s.Use(operations(func(_ context.Context, oc *graphql.OperationContext) *gqlerror.Error {
				if oc.Variables["id"] == "me" {
					oc.Variables["id"] = map[string]string{"ann": testgraph.Ann, "bob": testgraph.Bob}[oc.Headers.Get("X-Viewer")]
				}
				return nil
			}))
		}},
		{name: "introspection by caller", setUp: func(s *handler.Server) {
			s.Use(extension.Introspection{})
			s.Use(operations(func(_ context.Context, oc *graphql.OperationContext) *gqlerror.Error {
				oc.DisableIntrospection = oc.Headers.Get("X-Viewer") != "ann"
				return nil
			}))
		}},
		{name: "a budget in operations", setUp: limitOperations},
		{name: "a budget in operations, after the cache", late: limitOperations},
		{name: "a budget in responses, told in an extension", setUp: func(s *handler.Server) {
			allows, left := budget(), budget()
			s.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				if !graphql.HasOperationContext(ctx) {
					return next(ctx)
				}
				graphql.RegisterExtension(ctx, "rate", map[string]any{"who": viewerOf(ctx), "left": left(viewerOf(ctx))})
				if !allows(viewerOf(ctx)) {
					return graphql.ErrorResponse(ctx, "too many")
				}
				return next(ctx)
			})
		}},
		{name: "errors added before the resolvers, for one", setUp: func(s *handler.Server) {
			s.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				if viewerOf(ctx) == "bob" {
					graphql.AddErrorf(ctx, "bob is warned")
				}
				return next(ctx)
			})
		}},
		{name: "a response of its own context, for one", setUp: func(s *handler.Server) {
			s.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				graphql.RegisterExtension(ctx, "who", viewerOf(ctx))
				if viewerOf(ctx) == "bob" {
					ctx = graphql.WithFreshResponseContext(ctx)
				}
				return next(ctx)
			})
		}},
		{name: "responses copied, and masked for one", setUp: func(s *handler.Server) {
			s.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				resp := next(ctx)
				if resp == nil || viewerOf(ctx) != "bob" {
					return resp
				}
				masked := *resp
				masked.Data = json.RawMessage(strings.ReplaceAll(string(resp.Data), "ann@example.org", "***"))
				masked.Extensions = map[string]any{"masked": true}
				return &masked
			})
		}},
		{name: "data masked in the same response, for one", setUp: func(s *handler.Server) {
			s.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				resp := next(ctx)
				if resp != nil && viewerOf(ctx) == "bob" {
					resp.Data = json.RawMessage(strings.ReplaceAll(string(resp.Data), "ann@example.org", "***"))
				}
				return resp
			})
		}},
		{name: "an interceptor that panics for one", setUp: func(s *handler.Server) {
			s.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				resp := next(ctx)
				if viewerOf(ctx) == "bob" {
					panic("no bob")
				}
				return resp
			})
		}},
		{name: "cookies and headers by caller", around: withWriter, setUp: func(s *handler.Server) {
			s.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				w, _ := ctx.Value(writerKey{}).(http.ResponseWriter)
				http.SetCookie(w, &http.Cookie{Name: "csrf", Value: viewerOf(ctx)})
				resp := next(ctx)
				w.Header().Set("X-Viewed-By", viewerOf(ctx))
				return resp
			})
		}},
		{name: "cookies of the parameters by caller", around: withWriter, setUp: func(s *handler.Server) {
			s.Use(parameters(func(ctx context.Context, p *graphql.RawParams) *gqlerror.Error {
				w, _ := ctx.Value(writerKey{}).(http.ResponseWriter)
				http.SetCookie(w, &http.Cookie{Name: "csrf", Value: p.Headers.Get("X-Viewer")})
				w.Header().Set("Content-Language", p.Headers.Get("X-Viewer"))
				return nil
			}))
		}},
		{name: "operations that need a name", setUp: func(s *handler.Server) {
			s.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
				if graphql.GetOperationContext(ctx).Operation.Name == "" && viewerOf(ctx) == "bob" {
					return graphql.OneShot(graphql.ErrorResponse(ctx, "name it"))
				}
				return next(ctx)
			})
		}},
		{name: "the user comes late", late: func(s *handler.Server) {
			s.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
				return next(context.WithValue(ctx, writerKey{}, viewerOf(ctx)))
			})
			s.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) })
		}},
		{name: "root fields refused for one", setUp: func(s *handler.Server) {
			s.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
				if viewerOf(ctx) == "bob" && graphql.GetRootFieldContext(ctx).Field.Name == "users" {
					graphql.AddErrorf(ctx, "not for bob")
					return graphql.Null
				}
				return next(ctx)
			})
		}},
		{name: "fields masked for one", setUp: func(s *handler.Server) {
			s.AroundFields(func(ctx context.Context, next graphql.Resolver) (any, error) {
				if viewerOf(ctx) == "bob" && graphql.GetFieldContext(ctx).Field.Name == "email" {
					return new("***"), nil
				}
				return next(ctx)
			})
		}},
		{name: "responses thrown away and computed anew", setUp: func(s *handler.Server) {
			s.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
				if graphql.GetOperationContext(ctx).Operation.Operation == ast.Query {
					next(ctx)(graphql.WithResponseContext(ctx, graphql.DefaultErrorPresenter, graphql.DefaultRecover))
				}
				return next(ctx)
			})
		}},
		{name: "handlers that are asked until nil", setUp: func(s *handler.Server) {
			s.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
				h := next(ctx)
				return func(ctx context.Context) *graphql.Response {
					first := h(ctx)
					if more := h(ctx); more != nil && graphql.GetOperationContext(ctx).Operation.Operation != ast.Query {
						return more
					}
					return first
				}
			})
		}},
	}
}

func (b *setup) server(s *testgraph.Store, c *gqlcache.Cache) http.Handler {
	srv := handler.New(testgraph.Executable(s, "cacheControl"))
	srv.SetQueryCache(lru.New[*ast.QueryDocument](100))
	srv.SetRecoverFunc(func(context.Context, any) error { return errors.New("panicked") })
	for _, t := range []graphql.Transport{transport.GET{}, transport.POST{}, transport.MultipartForm{}, transport.UrlEncodedForm{}, transport.SSE{}} {
		srv.AddTransport(t)
	}
	if b.setUp != nil {
		b.setUp(srv)
	}
	if c != nil {
		gqlcache.Install(srv, c)
	}
	if b.late != nil {
		b.late(srv)
	}
	var h http.Handler = srv
	if b.around != nil {
		h = b.around(h)
	}
	if c != nil {
		h = c.Handler(h)
	}
	return h
}

// TestSetups: callers of servers as teams set them up get what they get without the cache,
// one after the other, before and after changes.
func TestSetups(t *testing.T) {
	t.Parallel()
	for _, b := range setups() {
		for _, direct := range []bool{false, true} {
			t.Run(fmt.Sprint(b.name, " ", direct), func(t *testing.T) {
				t.Parallel()
				c := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: gqlcache.HTTP{Direct: direct}})
				store, twin := testgraph.NewStore(), testgraph.NewStore()
				cached, plain := b.server(store, c), b.server(twin, nil)
				queries := []string{
					`{"query":"{users{id name email}}"}`, `{"query":"query U{users{name}}"}`, `{"query":"query($id:ID!){user(id:$id){name email}}","variables":{"id":"me"}}`,
					`{"query":"{viewer notes{name}}"}`, `{"query":"{__schema{queryType{name}}}"}`, `{"query":"{viewer __type(name:\"User\"){name}}"}`, `{"query":"{panics}"}`,
					`{"query":"{viewer fails}"}`, `{"query":"{failsHard}"}`, `{"query":"{__typename}"}`, `{"query":"{nothing}"}`, `{"query":"{user(id:\"x\"){name} ...F} fragment F on Query{users{email}}"}`,
				}
				for round := range 3 {
					for range 3 {
						for _, body := range queries {
							for _, who := range []string{"ann", "bob", ""} {
								header := map[string]string{"X-Viewer": who}
								compareSent(t, &sentRequest{name: who + " " + body, method: http.MethodPost, target: "/", body: body, header: header}, cached, plain)
							}
						}
					}
					mutation := fmt.Sprintf(`{"query":"mutation M{renameUser(id:\"%s\",name:\"N%d\")}"}`, testgraph.Ann, round)
					compareSent(t, &sentRequest{name: mutation, method: http.MethodPost, target: "/", body: mutation, header: map[string]string{"X-Viewer": "ann"}}, cached, plain)
				}
				t.Logf("%d hits", c.Stats().Hits)
			})
		}
	}
}

// TestServersOfOneRequest: a server is made for each request, and the cache is added to all of
// them at once. Callers get what is theirs, and changes are seen.
func TestServersOfOneRequest(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
	store, documents := testgraph.NewStore(), lru.New[*ast.QueryDocument](100)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		srv := handler.New(testgraph.Executable(store))
		srv.SetQueryCache(documents)
		gqlcache.Install(srv, c, transport.POST{})
		srv.ServeHTTP(w, r)
	})
	ask := func(who, query string) testgraph.Response {
		return testgraph.Do(t, t.Context(), h, testgraph.Request{Query: query, Header: map[string]string{"X-Viewer": who}})
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			who := []string{"ann", "bob"}[i%2]
			for range 50 {
				if got, want := ask(who, "{viewer}").Body, fmt.Sprintf(`{"data":{"viewer":%q}}`, who); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
		})
	}
	all.Wait()
	for _, name := range []string{"N1", "N2", "N3"} {
		ask("ann", expand(readAnn))
		ask("bob", expand(`mutation{renameUser(id:$Ann,name:"`+name+`")}`))
		if got := ask("ann", expand(readAnn)); !strings.Contains(got.Body, name) {
			t.Errorf("%s", got.Body)
		}
	}
	if c.Stats().Hits < 190 {
		t.Errorf("%d hits", c.Stats().Hits)
	}
}

// documentsByCaller is a query cache that leaves a field out for those who must not see it.
type documentsByCaller struct {
	mu        sync.Mutex
	documents map[string]*ast.QueryDocument
}

type documentsKey struct{}

func (d *documentsByCaller) key(ctx context.Context, query string) string {
	who, _ := ctx.Value(documentsKey{}).(string)
	return who + " " + query
}

func (d *documentsByCaller) Get(ctx context.Context, query string) (*ast.QueryDocument, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc, ok := d.documents[d.key(ctx, query)]
	return doc, ok
}

func (d *documentsByCaller) Add(ctx context.Context, query string, doc *ast.QueryDocument) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if who, _ := ctx.Value(documentsKey{}).(string); who == "bob" {
		op := doc.Operations[0]
		op.SelectionSet = op.SelectionSet[:1]
	}
	d.documents[d.key(ctx, query)] = doc
}

// TestDocumentsByCaller: a server's query cache may have a document of its own for each
// caller.
func TestDocumentsByCaller(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		server := func(s *testgraph.Store, c *gqlcache.Cache) http.Handler {
			srv := handler.New(testgraph.Executable(s, "cacheControl"))
			srv.SetQueryCache(&documentsByCaller{documents: map[string]*ast.QueryDocument{}})
			srv.AddTransport(transport.POST{})
			if c != nil {
				gqlcache.Install(srv, c)
			}
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				srv.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), documentsKey{}, r.Header.Get("X-Viewer"))))
			})
		}
		c := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: gqlcache.HTTP{Direct: direct}})
		cached, plain := server(testgraph.NewStore(), c), server(testgraph.NewStore(), nil)
		for _, who := range []string{"bob", "ann", "ann", "ann", "ann", "bob", "bob", "bob", "bob", "ann"} {
			q := &sentRequest{name: who, method: http.MethodPost, target: "/", body: `{"query":"{viewer users{email}}"}`, header: map[string]string{"X-Viewer": who}}
			compareSent(t, q, cached, plain)
		}
		if n := c.Stats().Hits; n != 8 {
			t.Errorf("%d hits", n)
		}
	}
}

// TestBodiesOfMiddlewares: middlewares unpack the body of a request, copy it, or read it
// before the server does.
func TestBodiesOfMiddlewares(t *testing.T) {
	t.Parallel()
	var copied bytes.Buffer
	const body = `{"query":"{users{id name}}"}`
	for name, read := range map[string]func(*http.Request) io.Reader{
		"unpacked": func(r *http.Request) io.Reader {
			var packed bytes.Buffer
			w := gzip.NewWriter(&packed)
			_, _ = io.Copy(w, r.Body)
			_ = w.Close()
			r.ContentLength = int64(packed.Len())
			unpacked, err := gzip.NewReader(&packed)
			if err != nil {
				return iotest.ErrReader(err)
			}
			return unpacked
		},
		"copied":         func(r *http.Request) io.Reader { copied.Reset(); return io.TeeReader(r.Body, &copied) },
		"byte by byte":   func(r *http.Request) io.Reader { return iotest.OneByteReader(r.Body) },
		"with the end":   func(r *http.Request) io.Reader { return iotest.DataErrReader(r.Body) },
		"of no length":   func(r *http.Request) io.Reader { r.ContentLength = -1; return r.Body },
		"of a wrong one": func(r *http.Request) io.Reader { r.ContentLength = 1 << 40; return r.Body },
		"read before": func(r *http.Request) io.Reader {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return iotest.ErrReader(err)
			}
			return bytes.NewReader(b)
		},
	} {
		r := newRig(t, "annotated", gqlcache.Options{})
		around := func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Body = io.NopCloser(read(r))
				h.ServeHTTP(w, r)
			})
		}
		cached, plain := around(r.cached), around(r.plain)
		for range 4 {
			q := &sentRequest{name: name, method: http.MethodPost, target: "/", body: body}
			compareSent(t, q, cached, plain)
			if name == "copied" && copied.String() != body {
				t.Errorf("copied %q", copied.String())
			}
		}
		if n := r.cache.Stats().Hits; n != 3 {
			t.Errorf("%s: %d hits", name, n)
		}
	}
}

// TestClosedWhileAnswering: the cache is closed while requests are answered. Who was there
// gets what he asked for.
func TestClosedWhileAnswering(t *testing.T) {
	t.Parallel()
	for _, p := range protocols() {
		r := newRig(t, "annotated", gqlcache.Options{})
		srv := p.serve(t, r.cache.HoldUntilCommit(r.cached))
		reading, writing := r.store.BlockHard("Query.users"), r.store.BlockHard("Mutation.renameUser:done")
		answers := make(chan received, 6)
		for range 5 {
			go func() {
				answers <- srv.send(t.Context(), &sentRequest{method: http.MethodPost, body: `{"query":"{users{id}}"}`})
			}()
		}
		go func() {
			answers <- srv.send(t.Context(), &sentRequest{method: http.MethodPost, body: fmt.Sprintf(`{"query":"mutation{renameUser(id:\"%s\",name:\"New\")}"}`, testgraph.Ann)})
		}()
		<-reading.Reached
		<-writing.Reached
		if err := r.cache.Close(); err != nil {
			t.Error(err)
		}
		reading.Release()
		writing.Release()
		for range 6 {
			if got := <-answers; got.err != nil || got.status != http.StatusOK || strings.Contains(got.body, "errors") {
				t.Errorf("%s: %d %s %v", p.name, got.status, got.body, got.err)
			}
		}
	}
}
