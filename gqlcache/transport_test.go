package gqlcache_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
	"unsafe"

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

// A sentRequest is an HTTP request that can be sent more than once.
type sentRequest struct {
	name, method, target, body string
	header                     map[string]string
}

func (q *sentRequest) make(ctx context.Context) *http.Request {
	r := httptest.NewRequestWithContext(ctx, q.method, q.target, strings.NewReader(q.body))
	if q.method == http.MethodPost && q.header["Content-Type"] == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	return r
}

func get(parameters ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		v.Set(parameters[i], parameters[i+1])
	}
	return "/query?" + v.Encode()
}

// requestMatrix has a request of each kind that a transport may meet.
func requestMatrix() (all []sentRequest) {
	const user = `{"query":"query U($id: ID!) { user(id: $id) { id name email } }","variables":{"id":"` + testgraph.Ann + `"}}`
	add := func(name, method, target, body string, header ...string) {
		q := sentRequest{name: name, method: method, target: target, body: body, header: map[string]string{}}
		for i := 0; i+1 < len(header); i += 2 {
			q.header[header[i]] = header[i+1]
		}
		all = append(all, q)
	}
	post := func(name, body string, header ...string) { add(name, http.MethodPost, "/query", body, header...) }
	post("plain", user)
	for _, accept := range []string{
		"application/json", "application/graphql-response+json", "*/*", "application/*;q=0.1", "text/html", "text/html, application/json",
		"application/json;q=0, application/graphql-response+json", ";;;", "text/event", "a/b,c/d", "application/graphql-response+json;charset=utf-8",
	} {
		post("accept "+accept, user, "Accept", accept)
		add("get accept "+accept, http.MethodGet, get("query", "{ users { id name } }"), "", "Accept", accept)
	}
	post("charset", user, "Content-Type", "application/json; charset=utf-16")
	post("escaped characters", `{"query":"{ echo(text: \"<b>&\u2028</b>\") }"}`)
	post("spaces around", "  "+user+" \n")
	post("something after the value", user+` {"query":"{ users { id } }"}`)
	post("duplicate members", `{"query":"{ users { id } }","query":"{ users { name } }"}`)
	post("member in another case", `{"QUERY":"{ users { id } }"}`)
	post("unknown members", `{"query":"{ users { id } }","more":[1,2,{"a":null}]}`)
	post("defaults", `{"query":"query D($n: Int = 3, $i: EchoInput) { echo(dflt: $n, input: $i) }","variables":{"i":{"a":"x"}}}`)
	post("a list for one", `{"query":"query L($l: [String]) { echo(list: $l) }","variables":{"l":"one"}}`)
	post("large numbers", `{"query":"query N($n: Float) { echo(n: $n) }","variables":{"n":1e400}}`)
	post("null variables", `{"query":"{ users { id } }","variables":null,"operationName":null,"extensions":null}`)
	post("missing variable", `{"query":"query U($id: ID!) { user(id: $id) { id } }"}`)
	post("two operations", `{"query":"query A { users { id } } query B { users { name } }","operationName":"B"}`)
	post("two operations, none named", `{"query":"query A { users { id } } query B { users { name } }"}`)
	post("unknown operation", `{"query":"query A { users { id } }","operationName":"C"}`)
	post("no query", `{}`)
	post("empty", ``)
	post("no JSON", `{"query":`)
	post("a list", `[`+user+`]`)
	post("not UTF-8", "{\"query\":\"{ echo(text: \\\"\xff\xfe\\\") }\"}")
	post("parse error", `{"query":"{ users { "}`)
	post("parse error, other type", `{"query":"{ users { "}`, "Accept", "application/graphql-response+json")
	post("validation error", `{"query":"{ nothing }"}`)
	post("validation error, other type", `{"query":"{ nothing }"}`, "Accept", "application/graphql-response+json")
	post("resolver's error", `{"query":"{ broken(mode: \"error\") { id label } }"}`)
	post("resolver's panic", `{"query":"{ broken(mode: \"panic\") { id label } }"}`)
	post("too complex", `{"query":"{ a: users { id name email } b: users { posts { author { posts { author { posts { id name } } } } } } c: users { posts { author { posts { author { posts { id name } } } } } } }"}`)
	post("introspection", `{"query":"{ __schema { queryType { name } } }"}`)
	post("persisted, unknown", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"3e19e0ac6a4f1b5b0d9d4a5c7b1c5b1f"}}}`)
	post("persisted, wrong", `{"query":"{ users { id } }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"3e19e0ac"}}}`)
	post("persisted", `{"query":"{__typename users{id}}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"`+sha256Of("{__typename users{id}}")+`"}}}`)
	post("persisted, by its hash", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"`+sha256Of("{__typename users{id}}")+`"}}}`)
	post("extensions of the request", `{"query":"{ users { id } }","extensions":{"a":{"b":[1]}}}`)
	post("replaced by a hook", user, "X-Hook", "replace")
	post("changed by a hook", user, "X-Hook", "change")
	post("an error by a hook", user, "X-Hook", "error")
	post("extensions by a hook", user, "X-Hook", "extend")
	post("nothing by a hook", user, "X-Hook", "nothing")
	post("a panic of a hook", user, "X-Hook", "panic")
	post("refused by a hook", user, "X-Hook", "refuse")
	post("another type", user, "Content-Type", "text/plain")
	post("no type", user, "Content-Type", ";")
	post("upgrade", user, "Upgrade", "h2c")
	for i, form := range []string{user, "query=" + url.QueryEscape(`{ users { id } }`), "query={ users { id } }", "query=%7B%zz", "", "variables=1"} {
		post(fmt.Sprintf("form %d", i), form, "Content-Type", "application/x-www-form-urlencoded")
	}
	add("get", http.MethodGet, get("query", "{ users { id name } }"), "")
	add("get with variables", http.MethodGet, get("query", "query U($id: ID!) { user(id: $id) { id name } }", "variables", `{"id":"`+testgraph.Bob+`"}`, "operationName", "U"), "")
	add("get, wrong variables", http.MethodGet, get("query", "{ users { id } }", "variables", "{"), "")
	add("get, wrong extensions", http.MethodGet, get("query", "{ users { id } }", "extensions", "["), "")
	add("get, wrong escape", http.MethodGet, "/query?query=%zz", "")
	add("get, semicolon", http.MethodGet, "/query?query={users{id}};a=b", "")
	add("get, nothing", http.MethodGet, "/query", "")
	add("get, a mutation", http.MethodGet, get("query", `mutation { setCounter(id: 1, value: 5) { id } }`), "")
	add("get, an error", http.MethodGet, get("query", `{ broken(mode: "error") { id label } }`), "")
	add("get, a body", http.MethodGet, get("query", "{ users { id name } }"), "body")
	add("get, twice the same parameter", http.MethodGet, "/query?query="+url.QueryEscape("{users{id}}")+"&query="+url.QueryEscape("{users{name}}"), "")
	add("head", http.MethodHead, get("query", "{ users { id name } }"), "")
	add("put", http.MethodPut, "/query", user)
	add("options", http.MethodOptions, "/query", "")
	return all
}

// hooks is an extension that does to responses what a header says.
type hooks struct{}

func (hooks) ExtensionName() string                   { return "Hooks" }
func (hooks) Validate(graphql.ExecutableSchema) error { return nil }

func (hooks) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if limit := extension.GetComplexityStats(ctx); limit == nil || limit.ComplexityLimit != 80 {
		return graphql.OneShot(graphql.ErrorResponse(ctx, "no limit"))
	}
	if graphql.GetOperationContext(ctx).Headers.Get("X-Hook") == "refuse" {
		return graphql.OneShot(graphql.ErrorResponse(ctx, "refused"))
	}
	return next(ctx)
}

func (hooks) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if !graphql.HasOperationContext(ctx) {
		return next(ctx)
	}
	how := graphql.GetOperationContext(ctx).Headers.Get("X-Hook")
	if how == "extend" {
		graphql.RegisterExtension(ctx, "hook", "was here")
	}
	resp := next(ctx)
	switch how {
	case "replace":
		return &graphql.Response{Data: []byte(`{"replaced":true}`)}
	case "change":
		resp.Data = []byte(`{"changed":true}`)
	case "error":
		resp.Errors = append(resp.Errors, gqlerror.Errorf("of a hook"))
	case "nothing":
		return nil
	case "panic":
		panic("of a hook")
	}
	return resp
}

// denying is an extension that refuses an operation before it is dispatched, as a header
// says, and changes parameters.
type denying struct{}

func (denying) ExtensionName() string                   { return "Denying" }
func (denying) Validate(graphql.ExecutableSchema) error { return nil }

func (denying) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	if params.Headers.Get("X-Hook") == "extend" {
		params.Query, params.Variables = "{ users { id } }", nil
	}
	return nil
}

func (denying) MutateOperationContext(_ context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	if oc.Headers.Get("X-Hook") == "replace" {
		return gqlerror.Errorf("denied")
	}
	return nil
}

// A serverKind is a way to set a server up.
type serverKind struct {
	name       string
	transports []graphql.Transport
	extensions func() []graphql.HandlerExtension
	noCache    bool // of documents
	installed  bool // the transports are there before the cache
	base       func(graphql.ExecutableSchema) *handler.Server
}

func serverKinds() []serverKind {
	plain := []graphql.Transport{transport.Options{}, transport.GET{}, transport.POST{}, transport.UrlEncodedForm{}}
	known := func() []graphql.HandlerExtension {
		return []graphql.HandlerExtension{
			extension.Introspection{}, extension.AutomaticPersistedQuery{Cache: lru.New[string](10)}, extension.FixedComplexityLimit(80), hooks{},
		}
	}
	headers := map[string][]string{"Content-Type": {"application/json; charset=utf-8"}, "X-Of-Transport": {"a", "b"}, "vary": {"Origin"}}
	return []serverKind{
		{name: "extensions that are known", transports: plain, extensions: known},
		{name: "no query cache", transports: plain, extensions: known, noCache: true},
		{name: "an extension that is not known", transports: plain, extensions: func() []graphql.HandlerExtension {
			return append(known(), denying{})
		}},
		{name: "no hooks", transports: plain, extensions: func() []graphql.HandlerExtension {
			return known()[:3]
		}},
		{name: "headers of the transports", extensions: known, transports: []graphql.Transport{
			&transport.GET{ResponseHeaders: headers}, &transport.POST{ResponseHeaders: headers}, transport.UrlEncodedForm{ResponseHeaders: headers},
		}},
		{name: "transports that are there already", extensions: known, installed: true, transports: []graphql.Transport{
			transport.SSE{}, odd{}, transport.GET{ResponseHeaders: headers}, &transport.POST{ResponseHeaders: headers}, transport.POST{}, transport.UrlEncodedForm{},
		}},
		{name: "gqlgen's default server", installed: true, base: handler.NewDefaultServer, extensions: func() []graphql.HandlerExtension {
			return known()[2:]
		}},
	}
}

// server makes one, with the cache or without.
func (k *serverKind) server(s *testgraph.Store, c *gqlcache.Cache) *handler.Server {
	base := k.base
	if base == nil {
		base = handler.New
	}
	srv := base(testgraph.Executable(s, "cacheControl"))
	srv.SetRecoverFunc(func(context.Context, any) error { return errors.New("panicked") })
	for _, t := range k.transports {
		if c != nil && !k.installed {
			t = c.Transport(t)
		}
		srv.AddTransport(t)
	}
	if !k.noCache {
		srv.SetQueryCache(lru.New[*ast.QueryDocument](100))
	}
	for _, x := range k.extensions() {
		srv.Use(x)
	}
	switch {
	case c == nil:
	case k.installed:
		gqlcache.Install(srv, c)
	default:
		srv.Use(c)
	}
	return srv
}

// odd is a transport of the server's own.
type odd struct{}

func (odd) Supports(r *http.Request) bool { return r.Method == http.MethodPut }

func (odd) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	transport.POST{}.Do(w, r, exec)
}

// TestTransport: requests of all kinds are answered alike with and without Transport, in
// status, header and body, however often they come, before and after a change.
func TestTransport(t *testing.T) {
	t.Parallel()
	for _, k := range serverKinds() {
		for _, direct := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, direct %v", k.name, direct), func(t *testing.T) {
				t.Parallel()
				checkTransport(t, &k, gqlcache.HTTP{Direct: direct})
			})
		}
	}
}

func checkTransport(t *testing.T, k *serverKind, o gqlcache.HTTP) {
	t.Helper()
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: o})
	store, twin := testgraph.NewStore(), testgraph.NewStore()
	cached, plain := k.server(store, c), k.server(twin, nil)
	for round := range 4 {
		for _, q := range requestMatrix() {
			compareSent(t, &q, cached, plain)
		}
		if round == 2 {
			rename := &sentRequest{method: http.MethodPost, target: "/query", body: fmt.Sprintf(`{"query":"mutation { updateUser(id: %q, input: {name: \"<Ann & co>\"}) { id } }"}`, testgraph.Ann)}
			compareSent(t, rename, cached, plain)
		}
	}
	s := c.Stats()
	if s.Sent < s.Hits/2 || s.Sent == 0 {
		t.Errorf("%d answers were sent as they are kept, of %d hits", s.Sent, s.Hits)
	}
}

// compareSent sends a request to a server with the cache and one without.
func compareSent(t *testing.T, q *sentRequest, cached, plain http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	got, want := httptest.NewRecorder(), httptest.NewRecorder()
	cached.ServeHTTP(got, q.make(t.Context()))
	plain.ServeHTTP(want, q.make(t.Context()))
	if got.Code != want.Code || got.Body.String() != want.Body.String() {
		t.Errorf("%s: %d %s\n  without: %d %s", q.name, got.Code, got.Body, want.Code, want.Body)
	}
	h := got.Header()
	if n := h.Get("Content-Length"); n != "" && n != fmt.Sprint(got.Body.Len()) {
		t.Errorf("%s: Content-Length %s of %d bytes", q.name, n, got.Body.Len())
	}
	h.Del("Content-Length")
	if q.method == http.MethodGet {
		if h.Get("Cache-Control") == "" {
			t.Errorf("%s: no Cache-Control", q.name)
		}
		h.Del("Cache-Control")
		h.Del("Etag")
		h["Vary"] = slices.DeleteFunc(slices.Clone(h["Vary"]), func(v string) bool { return v == "Accept" })
		if len(h["Vary"]) == 0 {
			h.Del("Vary")
		}
	}
	if !maps.EqualFunc(h, want.Header(), slices.Equal) {
		t.Errorf("%s: header %v\n  without: %v", q.name, h, want.Header())
	}
	return got
}

// TestTransportReadsBodies: what goes wrong when the body of a request is read is told as
// without Transport.
func TestTransportReadsBodies(t *testing.T) {
	t.Parallel()
	k := serverKinds()[0]
	cached, plain := k.server(testgraph.NewStore(), newCache(t, gqlcache.Options{Predicate: viewerPredicate})), k.server(testgraph.NewStore(), nil)
	const body = `{"query":"{ users { id name } }"}`
	for round := range 3 {
		for _, typ := range []string{"application/json", "application/x-www-form-urlencoded"} {
			for limit := range len(body) + 1 {
				got, want := httptest.NewRecorder(), httptest.NewRecorder()
				for srv, w := range map[http.Handler]*httptest.ResponseRecorder{cached: got, plain: want} {
					r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/query", nil)
					r.Header.Set("Content-Type", typ)
					r.Body = http.MaxBytesReader(w, io.NopCloser(strings.NewReader(body)), int64(limit))
					r.ContentLength = -1
					srv.ServeHTTP(w, r)
				}
				if got.Code != want.Code || got.Body.String() != want.Body.String() {
					t.Errorf("round %d, %s, %d bytes: %d %s\n without: %d %s", round, typ, limit, got.Code, got.Body, want.Code, want.Body)
				}
			}
		}
	}
}

func sha256Of(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// A counting extension counts the operations that go through its hook.
type counting struct{ operations atomic.Int64 }

func (*counting) ExtensionName() string                   { return "Counting" }
func (*counting) Validate(graphql.ExecutableSchema) error { return nil }

func (c *counting) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	c.operations.Add(1)
	return next(ctx)
}

// postTo is a server with one transport, and extensions around the cache.
func postTo(s *testgraph.Store, c *gqlcache.Cache, extensions ...graphql.HandlerExtension) *handler.Server {
	k := serverKind{transports: []graphql.Transport{transport.POST{}, transport.GET{}}, extensions: func() []graphql.HandlerExtension { return extensions }}
	return k.server(s, c)
}

// TestHooksRunOnHits: every hook runs on a hit, unless the owner has said that none has
// to. An extension that is added later, or that is not named, has them run again.
func TestHooksRunOnHits(t *testing.T) {
	t.Parallel()
	const rounds = 6
	type serverOf = func(*testgraph.Store, *gqlcache.Cache, *counting) *handler.Server
	before := func(s *testgraph.Store, c *gqlcache.Cache, x *counting) *handler.Server { return postTo(s, c, x) }
	for name, row := range map[string]struct {
		http   gqlcache.HTTP
		server serverOf
		want   int64
	}{
		"by default":          {gqlcache.HTTP{}, before, 2 * rounds},
		"direct, not named":   {gqlcache.HTTP{Direct: true, DirectPast: []string{"*gqlcache_test.another"}}, before, 2 * rounds},
		"direct, named":       {gqlcache.HTTP{Direct: true, DirectPast: []string{"*gqlcache_test.counting"}}, before, 4},
		"direct, added later": {gqlcache.HTTP{Direct: true}, nil, rounds},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, x, s := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: row.http}), &counting{}, testgraph.NewStore()
			later := row.server == nil
			if later {
				row.server = func(s *testgraph.Store, c *gqlcache.Cache, _ *counting) *handler.Server { return postTo(s, c) }
			}
			srv := row.server(s, c, x)
			ask := func() {
				t.Helper()
				got := testgraph.Ask(t, srv, "query($id: ID!) { user(id: $id) { name } }", map[string]any{"id": testgraph.Ann}, "X-Viewer", "ann")
				if got.Body != `{"data":{"user":{"name":"Ann"}}}` {
					t.Error(got.Body)
				}
			}
			for range rounds {
				ask()
			}
			if later {
				srv.Use(x)
			}
			for range rounds {
				ask()
			}
			if n := x.operations.Load(); n != row.want {
				t.Errorf("%d operations went through the hook, want %d", n, row.want)
			}
			if s := c.Stats(); s.Hits != 2*rounds-1 {
				t.Errorf("%d hits", s.Hits)
			}
		})
	}
}

// TestDirectCallers: past the hooks, callers get what the cache gives them, and no change
// is missed.
func TestDirectCallers(t *testing.T) {
	t.Parallel()
	c, s := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: gqlcache.HTTP{Direct: true}}), testgraph.NewStore()
	srv := postTo(s, c)
	ask := func(viewer, want string) {
		t.Helper()
		got := testgraph.Ask(t, srv, "{ notes { name } viewer }", nil, "X-Viewer", viewer)
		if got.Body != want {
			t.Errorf("%s got %s", viewer, got.Body)
		}
	}
	for range 5 {
		ask("ann", `{"data":{"notes":[{"name":"Ann's diary"}],"viewer":"ann"}}`)
		ask("bob", `{"data":{"notes":[{"name":"Bob's diary"}],"viewer":"bob"}}`)
	}
	sent := c.Stats().Sent
	for i := range 5 {
		name := fmt.Sprintf("diary %d", i)
		if got := testgraph.Ask(t, srv, `mutation($n: String!) { setNote(id: "n-ann", owner: "ann", name: $n) }`, map[string]any{"n": name}, "X-Viewer", "ann"); got.Errors != nil {
			t.Fatal(got.Body)
		}
		ask("ann", `{"data":{"notes":[{"name":"`+name+`"}],"viewer":"ann"}}`)
		ask("ann", `{"data":{"notes":[{"name":"`+name+`"}],"viewer":"ann"}}`)
		ask("bob", `{"data":{"notes":[{"name":"Bob's diary"}],"viewer":"bob"}}`)
	}
	if n := c.Stats().Sent - sent; n < 10 {
		t.Errorf("%d answers were sent as they are kept", n)
	}
}

// TestRepeatedRequestsShareNothing: what gqlgen and resolvers write into the variables of
// a request stays in that request, also when many of the same come at once.
func TestRepeatedRequestsShareNothing(t *testing.T) {
	t.Parallel()
	c, s := newCache(t, gqlcache.Options{Predicate: viewerPredicate}), testgraph.NewStore()
	srv := postTo(s, c, writer{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				got := testgraph.Ask(t, srv, "query($n: Int = 3, $m: Map, $i: EchoInput) { echo(dflt: $n, map: $m, input: $i) }",
					map[string]any{"m": map[string]any{"a": map[string]any{"b": 1}}, "i": map[string]any{"a": "x", "d": map[string]any{"c": "one"}}}, "X-Viewer", "ann")
				if got.Errors != nil || strings.Contains(got.Body, "written") {
					t.Error(got.Body)
				}
			}
		})
	}
	all.Wait()
}

// writer writes to everything that an operation has of its request, when the answer is
// there.
type writer struct{}

func (writer) ExtensionName() string                   { return "Writer" }
func (writer) Validate(graphql.ExecutableSchema) error { return nil }

func (writer) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	resp := next(ctx)
	oc := graphql.GetOperationContext(ctx)
	oc.Variables["written"] = true
	if m, ok := oc.Variables["m"].(map[string]any); ok {
		m["written"] = true
		m["a"].(map[string]any)["written"] = true
	}
	oc.Stats.SetExtension("written", true)
	return resp
}

// TestConditionalGET: a client that has an answer is told so, until the answer changes;
// nobody is told that of an error, a mutation, or what another caller has.
func TestConditionalGET(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		c, s := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: gqlcache.HTTP{Direct: direct}}), testgraph.NewStore()
		srv := postTo(s, c)
		ask := func(viewer, query, etag string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, get("query", query), nil)
			r.Header.Set("X-Viewer", viewer)
			r.Header.Set("Accept", "application/json") // which decides the status of errors
			if etag != "" {
				r.Header.Set("If-None-Match", etag)
			}
			w := httptest.NewRecorder()
			srv.ServeHTTP(w, r)
			return w
		}
		const notes, banner = "{ notes { name } }", `{ banner(id: "b1") { text } }`
		first := ask("ann", notes, "")
		etag := first.Header().Get("ETag")
		if etag == "" || first.Header().Get("Cache-Control") != "private, no-cache" {
			t.Fatalf("direct %v: header %v", direct, first.Header())
		}
		for range 4 {
			if w := ask("ann", notes, etag); w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("ETag") != etag {
				t.Errorf("direct %v: %d %v %s", direct, w.Code, w.Header(), w.Body)
			}
			if w := ask("bob", notes, etag); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Bob's") {
				t.Errorf("direct %v: another caller: %d %s", direct, w.Code, w.Body)
			}
			if w := ask("ann", banner, etag); w.Code != http.StatusOK {
				t.Errorf("direct %v: another query: %d", direct, w.Code)
			}
		}
		testgraph.Ask(t, srv, `mutation { setNote(id: "n-ann", owner: "ann", name: "new") }`, nil, "X-Viewer", "ann")
		if w := ask("ann", notes, etag); w.Code != http.StatusOK || w.Header().Get("ETag") == etag {
			t.Errorf("direct %v: after a change: %d %v", direct, w.Code, w.Header())
		}
		for query, code := range map[string]int{"{ broken(mode: \"error\") { id } }": 200, "{ nothing }": 422, `mutation { setNote(id: "n-ann", owner: "ann", name: "x") }`: 406, "{ __typename }": 200} {
			if w := ask("ann", query, "*"); w.Code != code || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" {
				t.Errorf("direct %v: %s: %d %v", direct, query, w.Code, w.Header())
			}
		}
	}
}

// TestEncodedAnswers: an answer that is PUBLIC is sent in an encoding that the client
// accepts, once it was asked for often enough; its entry is charged for that, and a
// change drops it. An answer under a predicate is not compressed.
func TestEncodedAnswers(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: gqlcache.HTTP{Encodings: []gqlcache.Encoding{gqlcache.Zstd(), gqlcache.Gzip()}}})
	s := testgraph.NewStore()
	srv := testgraph.ServeBy(c.Transport, testgraph.Executable(s), c)
	long := strings.Repeat("welcome ", 1000)
	set := func(text string) {
		if got := testgraph.Ask(t, srv, "mutation($t: String!) { setBanner(id: \"b1\", text: $t) }", map[string]any{"t": text}, "X-Viewer", "ann"); got.Errors != nil {
			t.Fatal(got.Body)
		}
	}
	ask := func(method, query, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, get("query", query), nil)
		if method == http.MethodPost {
			r = postRequest(query)
		}
		r.Header.Set("X-Viewer", "ann")
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		return w
	}
	for _, text := range []string{long, long + "!"} {
		set(text)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			for round := range 4 {
				res := ask(method, `{ banner(id: "b1") { id text } }`, "gzip")
				body, encoded := res.Body.Bytes(), res.Header().Get("Content-Encoding") == "gzip"
				if encoded {
					body = gunzip(t, body)
				}
				if want := `{"data":{"banner":{"id":"b1","text":"` + text + `"}}}`; string(body) != want {
					t.Fatalf("%s: got %d bytes, want %d", method, len(body), len(want))
				}
				if round == 3 && !encoded {
					t.Errorf("%s: header %v", method, res.Header())
				}
			}
		}
	}
	if res := ask(http.MethodGet, `{ banner(id: "b1") { id text } }`, "zstd, gzip"); res.Header().Get("Cache-Control") != "no-cache" || !slices.Equal(res.Header()["Vary"], []string{"Accept", "Accept-Encoding"}) {
		t.Errorf("header %v", res.Header())
	}
	for range 5 {
		if res := ask(http.MethodGet, `{ banner(id: "b1") { id text reader } }`, "gzip"); res.Header().Get("Content-Encoding") != "" {
			t.Errorf("an answer under a predicate: header %v", res.Header())
		}
	}
}

func gunzip(t *testing.T, b []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestVariantsAreCharged: what an entry takes grows with its variants.
func TestVariantsAreCharged(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: gqlcache.HTTP{CompressAfter: 1, Encodings: []gqlcache.Encoding{{
		Name: "half", Encode: func(dst, body []byte) ([]byte, error) { return append(dst, body[:len(body)/2]...), nil },
	}}}})
	srv := testgraph.ServeBy(c.Transport, testgraph.Executable(testgraph.NewStore()), c)
	testgraph.Ask(t, srv, "mutation($t: String!) { setBanner(id: \"b1\", text: $t) }", map[string]any{"t": strings.Repeat("x", 10_000)}, "X-Viewer", "ann")
	ask := func(accept string) {
		r := postRequest(`{ banner(id: "b1") { id text } }`)
		r.Header.Set("Accept-Encoding", accept)
		srv.ServeHTTP(httptest.NewRecorder(), r)
	}
	ask("")
	before := c.Stats()
	for range 5 {
		ask("half")
	}
	after := c.Stats()
	if grown := after.Bytes - before.Bytes; grown < 5_000 || grown > 7_000 || after.Entries != before.Entries {
		t.Errorf("%d bytes more, %d entries, before %d", grown, after.Entries, before.Entries)
	}
}

// TestRequestsAreBounded: a client that sends ever new requests, twice each, makes the
// transports keep no more than they may.
func TestRequestsAreBounded(t *testing.T) {
	const limit = 256 << 10
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate, Limits: gqlcache.Limits{MaxRequestBytes: limit, MaxBytes: 64 << 10, MaxPlanBytes: 64 << 10}})
	srv := testgraph.ServeBy(c.Transport, testgraph.Executable(testgraph.NewStore(), "cacheControl"), c)
	for name, vars := range map[string]func(i int) map[string]any{
		"a text": func(i int) map[string]any { return map[string]any{"t": fmt.Sprint(i, strings.Repeat("x", 2000))} },
		"objects that nobody declares": func(i int) map[string]any {
			return map[string]any{"t": fmt.Sprint(i), "x": make([]struct{}, 700)}
		},
		"numbers that nobody declares": func(i int) map[string]any { return map[string]any{"t": fmt.Sprint(i), "x": make([]int, 1000)} },
		"names": func(i int) map[string]any {
			x := map[string]any{}
			for k := range 200 {
				x[fmt.Sprint("name", k)] = nil
			}
			return map[string]any{"t": fmt.Sprint(i), "x": x}
		},
	} {
		send := func(i int) {
			for range 4 {
				testgraph.Ask(t, srv, "query($t: String) { echo(text: $t) }", vars(i))
			}
		}
		send(0)
		before := heap()
		for i := range 500 { // 1 MB of text
			send(i)
		}
		if grown := int64(heap()) - int64(before); grown > 2*limit {
			t.Errorf("%s: %d bytes more are kept, with a bound of %d", name, grown, limit)
		}
	}
	runtime.KeepAlive(srv)
}

// TestRequestsWhoseMemoryIsUsedAgain: the query of a URL may lie in memory that a server
// uses for its next request. What is remembered of one request is none of the other's.
func TestRequestsWhoseMemoryIsUsedAgain(t *testing.T) {
	t.Parallel()
	srv := postTo(testgraph.NewStore(), newCache(t, gqlcache.Options{Predicate: viewerPredicate}))
	buffers := [2][]byte{make([]byte, 64), make([]byte, 64)}
	ask := func(buffer int, query string) string {
		n := copy(buffers[buffer], "query="+query)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/query", nil)
		r.URL.RawQuery = unsafe.String(&buffers[buffer][0], n)
		r.Header.Set("X-Viewer", "ann")
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		return w.Body.String()
	}
	const first, second = "{userCount}", "{userNames}"
	for sent := range 8 {
		for range sent {
			ask(0, first)
		}
		ask(0, second) // in the memory of the first
		if got := ask(1, first); got != `{"data":{"userCount":2}}` {
			t.Fatalf("after %d requests: %s", sent, got)
		}
	}
}

// TestAcceptHeadersOfAClient: ever new Accept headers of one client do not keep others'
// requests from being remembered.
func TestAcceptHeadersOfAClient(t *testing.T) {
	t.Parallel()
	k := serverKind{transports: []graphql.Transport{transport.POST{}}, extensions: func() []graphql.HandlerExtension { return nil }}
	cached, plain := k.server(testgraph.NewStore(), newCache(t, gqlcache.Options{Predicate: viewerPredicate})), k.server(testgraph.NewStore(), nil)
	for i := range 300 {
		for _, accept := range []string{fmt.Sprintf("application/x%d", i), "application/json"} {
			q := sentRequest{name: accept, method: http.MethodPost, target: "/query", body: `{"query":"{ userCount }"}`, header: map[string]string{"Accept": accept}}
			compareSent(t, &q, cached, plain)
		}
	}
}

// TestDirectAsksNothingForMutations: a mutation is no hit, and its caller's predicate is
// not asked for.
func TestDirectAsksNothingForMutations(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	c := newCache(t, gqlcache.Options{HTTP: gqlcache.HTTP{Direct: true}, Predicate: func(ctx context.Context) (gqlcache.Predicate, error) {
		asked.Add(1)
		return viewerPredicate(ctx)
	}})
	srv := postTo(testgraph.NewStore(), c)
	for range 10 {
		if got := testgraph.Ask(t, srv, `mutation { setNote(id: "n-ann", owner: "ann", name: "x") }`, nil, "X-Viewer", "ann"); got.Errors != nil {
			t.Error(got.Body)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the predicate was asked for %d times", n)
	}
}

// TestDirectSaysWhatClosesIt: extensions that keep hits from being sent directly are
// named once.
func TestDirectSaysWhatClosesIt(t *testing.T) {
	t.Parallel()
	for _, x := range []graphql.HandlerExtension{denying{}, hooks{}} {
		var log strings.Builder
		c := newCache(t, gqlcache.Options{HTTP: gqlcache.HTTP{Direct: true}, Predicate: viewerPredicate, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		srv := postTo(testgraph.NewStore(), c, extension.FixedComplexityLimit(80), x)
		for range 6 {
			testgraph.Ask(t, srv, "{ userCount }", nil, "X-Viewer", "ann")
		}
		if n := strings.Count(log.String(), fmt.Sprintf("%T", x)); n != 1 {
			t.Errorf("%T is named %d times: %s", x, n, log.String())
		}
	}
}

// TestOneTransportInSeveralServers: what one server has made of a request is not used for
// another.
func TestOneTransportInSeveralServers(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
	post := c.Transport(transport.POST{})
	var servers []*handler.Server
	for _, introspects := range []bool{true, false} {
		srv := handler.New(testgraph.Executable(testgraph.NewStore(), "cacheControl"))
		srv.AddTransport(post)
		srv.SetQueryCache(lru.New[*ast.QueryDocument](10))
		if introspects {
			srv.Use(extension.Introspection{})
		}
		srv.Use(c)
		servers = append(servers, srv)
	}
	for i, srv := range servers {
		for range 5 {
			got := testgraph.Ask(t, srv, "{ __schema { queryType { name } } }", nil, "X-Viewer", "ann")
			if (got.Errors == nil) != (i == 0) {
				t.Errorf("server %d: %s", i, got.Body)
			}
		}
	}
}

// TestForgottenPersistedQueries: a request that has only the hash of a query is answered
// anew each time: the server may have forgotten the query.
func TestForgottenPersistedQueries(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: gqlcache.HTTP{Direct: true}})
	known := &forgetting{Cache: lru.New[string](10)}
	srv := postTo(testgraph.NewStore(), c, extension.AutomaticPersistedQuery{Cache: known})
	const query = "{ users { name } }"
	hash := `"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + sha256Of(query) + `"}}`
	ask := func(body string) string {
		return testgraph.Do(t, t.Context(), srv, testgraph.Request{Raw: body, Header: map[string]string{"X-Viewer": "ann"}}).Body
	}
	ask(`{"query":"` + query + `",` + hash + `}`)
	for range 4 {
		if got := ask(`{` + hash + `}`); !strings.Contains(got, "Ann") {
			t.Error(got)
		}
	}
	known.all.Store(true)
	if got := ask(`{` + hash + `}`); !strings.Contains(got, "PersistedQueryNotFound") {
		t.Errorf("a query that is forgotten: %s", got)
	}
}

// forgetting is a cache of persisted queries that can forget all.
type forgetting struct {
	graphql.Cache[string]

	all atomic.Bool
}

func (f *forgetting) Get(ctx context.Context, key string) (string, bool) {
	if f.all.Load() {
		return "", false
	}
	return f.Cache.Get(ctx, key)
}

// renaming is an extension that changes the document of each operation in place, before
// it is executed.
type renaming struct{}

func (renaming) ExtensionName() string                   { return "Renaming" }
func (renaming) Validate(graphql.ExecutableSchema) error { return nil }

func (renaming) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	for _, s := range graphql.GetOperationContext(ctx).Operation.SelectionSet {
		if f, ok := s.(*ast.Field); ok {
			f.Alias = "x" + f.Alias
		}
	}
	return next(ctx)
}

// TestDocumentsOfOneRequest: in a server without a query cache a document belongs to its
// request, and extensions may change it.
func TestDocumentsOfOneRequest(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
	k := serverKind{transports: []graphql.Transport{transport.POST{}}, noCache: true, extensions: func() []graphql.HandlerExtension { return []graphql.HandlerExtension{renaming{}} }}
	srv := k.server(testgraph.NewStore(), c)
	for range 5 {
		if got := testgraph.Ask(t, srv, "{ userCount }", nil, "X-Viewer", "ann"); !strings.HasPrefix(got.Body, `{"data":{"xuserCount"`) {
			t.Error(got.Body)
		}
	}
}

// TestTransportsShareNoRequests: the same text means different requests to different
// transports.
func TestTransportsShareNoRequests(t *testing.T) {
	t.Parallel()
	k := serverKind{transports: []graphql.Transport{transport.UrlEncodedForm{}, transport.POST{}}, extensions: func() []graphql.HandlerExtension { return nil }}
	cached, plain := k.server(testgraph.NewStore(), newCache(t, gqlcache.Options{Predicate: viewerPredicate})), k.server(testgraph.NewStore(), nil)
	for range 4 {
		for _, typ := range []string{"application/x-www-form-urlencoded", "application/json"} {
			for _, body := range []string{`{"query":"{ userCount }"}`, `query={ userCount }`, `{ "query" : "{ userCount }"}`} {
				q := sentRequest{name: typ, method: http.MethodPost, target: "/query", body: body, header: map[string]string{"Content-Type": typ}}
				compareSent(t, &q, cached, plain)
			}
		}
	}
}

// TestDirectLeavesToDispatch: a request that asks for more than a hit goes through the
// hooks, and so does one behind a transaction that waits to be committed.
func TestDirectLeavesToDispatch(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1, func(_ *instance, o *gqlcache.Options) {
		o.HTTP = gqlcache.HTTP{Direct: true, DirectPast: []string{"*gqlcache_test.counting"}}
		o.Tokens = true
	})
	m, x := r.all[0], &counting{}
	srv := postTo(r.rows, m.cache, x)
	ask := func(h http.Handler, want int64, header ...string) {
		t.Helper()
		before := x.operations.Load()
		testgraph.Ask(t, h, expand(readAnn), nil, header...)
		if n := x.operations.Load() - before; n != want {
			t.Errorf("%v: %d operations were dispatched, want %d", header, n, want)
		}
	}
	for range 4 {
		testgraph.Ask(t, srv, expand(readAnn), nil)
	}
	ask(srv, 0)
	ask(srv, 1, gqlcache.TokenHeader, "7.100")
	ask(srv, 1, gqlcache.DebugHeader, "true")
	ask(m.cache.HoldUntilCommit(srv), 1)
	ask(srv, 0)
	m.log.lose()
	ask(srv, 1)
	m.log.recover()
	ask(srv, 0)
	if err := m.cache.Close(); err != nil {
		t.Error(err)
	}
	ask(srv, 1)
}

// TestCacheControl: what may be kept by whom.
func TestCacheControl(t *testing.T) {
	t.Parallel()
	vary := func(context.Context) []string { return []string{"de"} }
	const public, private = `{ banner(id: "b1") { text } }`, "{ notes { name } }"
	for name, row := range map[string]struct {
		o           gqlcache.Options
		query, want string
		vary        []string
	}{
		"public":                     {gqlcache.Options{}, public, "no-cache", []string{"Accept"}},
		"under a predicate":          {gqlcache.Options{}, private, "private, no-cache", []string{"Accept"}},
		"varies by what is unknown":  {gqlcache.Options{Vary: vary}, public, "private, no-cache", []string{"Accept"}},
		"varies by a header":         {gqlcache.Options{Vary: vary, HTTP: gqlcache.HTTP{VaryHeaders: []string{"Accept-Language"}}}, public, "no-cache", []string{"Accept", "Accept-Language"}},
		"the owner says":             {gqlcache.Options{HTTP: gqlcache.HTTP{CacheControl: func(_ context.Context, p string) string { return p + ", max-age=1" }}}, public, "no-cache, max-age=1", []string{"Accept"}},
		"the owner says nothing":     {gqlcache.Options{HTTP: gqlcache.HTTP{CacheControl: func(context.Context, string) string { return "" }}}, public, "", []string{"Accept"}},
		"the owner's function fails": {gqlcache.Options{HTTP: gqlcache.HTTP{CacheControl: func(context.Context, string) string { panic("broken") }}}, public, "no-cache", []string{"Accept"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.o.Predicate = viewerPredicate
			c := newCache(t, row.o)
			srv := testgraph.ServeBy(c.Transport, testgraph.Executable(testgraph.NewStore()), c)
			for range 4 {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, get("query", row.query), nil)
				r.Header.Set("X-Viewer", "ann")
				w := httptest.NewRecorder()
				srv.ServeHTTP(w, r)
				if got := w.Header().Get("Cache-Control"); got != row.want || !slices.Equal(w.Header()["Vary"], row.vary) {
					t.Errorf("Cache-Control %q, want %q; Vary %v", got, row.want, w.Header()["Vary"])
				}
			}
		})
	}
}

// TestCacheControlOfDeadAnswers: an answer that has changed when its header is written is
// for nobody to keep.
func TestCacheControlOfDeadAnswers(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
	changing := &onResponse{}
	srv := postTo(testgraph.NewStore(), c, changing)
	for _, changes := range []bool{false, false, true, false} {
		changing.do = func(ctx context.Context) {
			if changes {
				if err := c.Invalidate(ctx, gqlcache.View("User")); err != nil {
					t.Error(err)
				}
			}
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, get("query", "{ users { name } }"), nil)
		r.Header.Set("X-Viewer", "ann")
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		if got := w.Header().Get("Cache-Control"); got == "no-store" != changes || w.Header().Get("ETag") == "" != changes {
			t.Errorf("changes %v: %v", changes, w.Header())
		}
	}
}

// onResponse is an extension that does something when the answer is there.
type onResponse struct{ do func(context.Context) }

func (*onResponse) ExtensionName() string                   { return "OnResponse" }
func (*onResponse) Validate(graphql.ExecutableSchema) error { return nil }

func (o *onResponse) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	resp := next(ctx)
	o.do(ctx)
	return resp
}

// leaving is an extension that answers by itself when an operation takes too long, and
// leaves it behind.
type leaving struct {
	patience time.Duration
	left     sync.WaitGroup
}

func (*leaving) ExtensionName() string                   { return "Leaving" }
func (*leaving) Validate(graphql.ExecutableSchema) error { return nil }

func (l *leaving) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	answer := make(chan *graphql.Response, 1)
	l.left.Go(func() { answer <- next(ctx) })
	select {
	case resp := <-answer:
		return resp
	case <-time.After(l.patience):
		return &graphql.Response{Data: []byte(`{"late":true}`)}
	}
}

// TestOperationsThatAreLeftBehind: nothing is read of an operation that an extension has
// left behind, and that still runs. The race detector would see it.
func TestOperationsThatAreLeftBehind(t *testing.T) {
	t.Parallel()
	c, l := newCache(t, gqlcache.Options{Predicate: viewerPredicate}), &leaving{}
	srv := postTo(testgraph.NewStore(), c, l)
	defer l.left.Wait()
	for i := range 200 {
		l.patience = time.Duration(i%4) * 10 * time.Microsecond
		got := testgraph.Ask(t, srv, fmt.Sprintf("{ users { id name email posts { name } } userCount x%d: userNames }", i%20), nil, "X-Viewer", "ann")
		if got.Body != `{"data":{"late":true}}` && !strings.HasPrefix(got.Body, `{"data":{"users"`) {
			t.Error(got.Body)
		}
		l.left.Wait()
	}
}

// TestHerdsAreEncoded: an answer is compressed also when those who asked for it first
// came at once.
func TestHerdsAreEncoded(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate, HTTP: gqlcache.HTTP{Encodings: []gqlcache.Encoding{gqlcache.Gzip()}}})
	srv := testgraph.ServeBy(c.Transport, testgraph.Executable(testgraph.NewStore()), c)
	ask := func() string {
		r := postRequest(`{ banner(id: "b1") { id text } }`)
		r.Header.Set("X-Viewer", "ann")
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		return w.Header().Get("Content-Encoding")
	}
	for i := range 20 {
		text := strings.Repeat(fmt.Sprintf("welcome %d ", i), 300)
		if got := testgraph.Ask(t, srv, "mutation($t: String!) { setBanner(id: \"b1\", text: $t) }", map[string]any{"t": text}, "X-Viewer", "ann"); got.Errors != nil {
			t.Fatal(got.Body)
		}
		var herd sync.WaitGroup
		for range 8 {
			herd.Go(func() { ask() })
		}
		herd.Wait()
		if got := ask(); got != "gzip" {
			t.Fatalf("round %d: encoding %q after 8 requests", i, got)
		}
	}
}

type responseWriterKey struct{}

// refusing is an extension that sets a header of the response, by a writer that it finds
// in the context, and refuses.
type refusing struct{ denying }

func (refusing) MutateOperationContext(ctx context.Context, _ *graphql.OperationContext) *gqlerror.Error {
	ctx.Value(responseWriterKey{}).(http.ResponseWriter).Header().Set("Content-Type", "application/problem+json")
	return gqlerror.Errorf("refused")
}

// TestHeadersOfRefusals: what an extension sets in the header of the response, before it
// refuses, stays.
func TestHeadersOfRefusals(t *testing.T) {
	t.Parallel()
	k := serverKind{transports: []graphql.Transport{transport.POST{}, transport.GET{}}, extensions: func() []graphql.HandlerExtension { return []graphql.HandlerExtension{refusing{}} }}
	within := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), responseWriterKey{}, w)))
		})
	}
	// A transport that another server has too, which does not refuse: there the request
	// is remembered.
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
	post := c.Transport(transport.POST{})
	open := handler.New(testgraph.Executable(testgraph.NewStore(), "cacheControl"))
	open.AddTransport(post)
	open.Use(c)
	for range 4 {
		open.ServeHTTP(httptest.NewRecorder(), postRequest("{ userCount }"))
	}
	k.transports = []graphql.Transport{post}
	cached, plain := within(k.server(testgraph.NewStore(), c)), within((&serverKind{transports: []graphql.Transport{transport.POST{}}, extensions: k.extensions}).server(testgraph.NewStore(), nil))
	for range 4 {
		compareSent(t, &sentRequest{name: "post", method: http.MethodPost, target: "/query", body: `{"query":"{ userCount }"}`}, cached, plain)
	}
}

// TestBodiesThatEndWithAnError: an error that wraps io.EOF is no end.
func TestBodiesThatEndWithAnError(t *testing.T) {
	t.Parallel()
	k := serverKind{transports: []graphql.Transport{transport.POST{}}, extensions: func() []graphql.HandlerExtension { return nil }}
	cached, plain := k.server(testgraph.NewStore(), newCache(t, gqlcache.Options{Predicate: viewerPredicate})), k.server(testgraph.NewStore(), nil)
	for range 3 {
		got, want := httptest.NewRecorder(), httptest.NewRecorder()
		for srv, w := range map[http.Handler]*httptest.ResponseRecorder{cached: got, plain: want} {
			r := postRequest("{ userCount }")
			r.Body = io.NopCloser(io.MultiReader(r.Body, iotest.ErrReader(fmt.Errorf("truncated: %w", io.EOF))))
			srv.ServeHTTP(w, r)
		}
		if got.Body.String() != want.Body.String() {
			t.Errorf("%s\n without: %s", got.Body, want.Body)
		}
	}
}
