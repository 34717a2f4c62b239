package gqlcache_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/client"
	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// named is the part of an extension that says what it is.
type named string

func (n named) ExtensionName() string                 { return string(n) }
func (named) Validate(graphql.ExecutableSchema) error { return nil }

// after calls a function when a response has come back, and counts; it also registers an
// extension.
type after struct {
	named
	call                func()
	operations, answers int
	register            bool
	fail                bool
}

func responses(call func()) *after { return &after{named: "after", call: call} }

func (a *after) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	a.operations++
	return next(ctx)
}

func (a *after) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if a.register && graphql.HasOperationContext(ctx) {
		graphql.RegisterExtension(ctx, "after", "here")
	}
	if a.fail {
		graphql.AddErrorf(ctx, "from outside")
	}
	resp := next(ctx)
	if resp == nil {
		return nil
	}
	a.answers++
	if a.call != nil && graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
		a.call()
	}
	return resp
}

// TestStreamingTransports: one message, then the end, whatever the cache does.
func TestStreamingTransports(t *testing.T) {
	t.Parallel()
	for _, accept := range []string{"text/event-stream", "multipart/mixed"} {
		for _, row := range []struct{ name, document string }{
			{"miss", readUsers}, {"bypass", "{__typename}"}, {"mutation", renameAnn}, {"undeclared mutation", `mutation{renameUndeclared(id:$Ann,name:"x")}`},
			{"error", "{fails}"}, {"parse error", "{"},
		} {
			t.Run(accept+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, "annotated", gqlcache.Options{})
				q := testgraph.Request{Query: expand(row.document), Header: map[string]string{"Accept": accept}}
				invalidations := r.cache.Stats().Invalidations
				r.do(q)
				if row.name == "miss" {
					if _, status := r.do(q); status != "HIT" {
						t.Errorf("then %q, want HIT", status)
					}
				}
				if n := r.cache.Stats().Invalidations - invalidations; strings.Contains(row.name, "mutation") != (n == 1) {
					t.Errorf("%d invalidations", n)
				}
			})
		}
	}
}

func TestWebsocket(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	c := client.New(r.cached)
	for i, document := range []string{readUsers, readUsers, renameAnn, readUsers, "{__typename}", readUsers} {
		ws := c.Websocket(expand(document))
		var first, second map[string]any
		if err := ws.Next(&first); err != nil || len(first) == 0 {
			t.Errorf("%d: %s: %v, %v", i, document, first, err)
		}
		if err := ws.Next(&second); err == nil && second != nil {
			t.Errorf("%d: %s: a second message %v", i, document, second)
		}
		if err := ws.Close(); err != nil {
			t.Error(err)
		}
	}
	if s := r.cache.Stats(); s.Hits != 2 || s.Misses != 2 {
		t.Errorf("%d hits and %d misses, want 2 and 2", s.Hits, s.Misses)
	}
	ws := c.Websocket("subscription{ticks(n:2)}")
	defer func() { _ = ws.Close() }() // the server has closed it already
	for want := range 2 {
		var got struct{ Ticks int }
		if err := ws.Next(&got); err != nil || got.Ticks != want {
			t.Errorf("tick %d: %v, %v", want, got, err)
		}
	}
}

// TestOtherExtensions: their hooks run on hits, and what they add appears.
func TestOtherExtensions(t *testing.T) {
	t.Parallel()
	outer := &after{named: "outer", register: true}
	r := newRig(t, "annotated", gqlcache.Options{}, outer)
	for _, want := range []string{"MISS", "HIT", "HIT"} {
		got, status := r.do(testgraph.Request{Query: readUsers})
		if status != want || string(got.Extensions["after"]) != `"here"` {
			t.Errorf("%s: %s, want %s and the extension", status, got.Body, want)
		}
	}
	if outer.operations != 6 || outer.answers != 6 { // both servers use it
		t.Errorf("%d operations and %d answers seen, want 6 and 6", outer.operations, outer.answers)
	}
	outer.fail = true
	if got, status := r.do(testgraph.Request{Query: readUsers}); status != "HIT" || !strings.Contains(string(got.Errors), "from outside") {
		t.Errorf("%s: %s", status, got.Body)
	}
	if n := r.store.Calls("Query.users"); n != 1 {
		t.Errorf("%d resolver calls, want 1", n)
	}
}

func TestTwoOperationsInOneDocument(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	document := expand("query A{users{name}} query B{userCount} mutation M{renameUser(id:$Ann,name:\"New\")}")
	for _, row := range []struct{ name, want string }{{"A", "MISS"}, {"B", "MISS"}, {"A", "HIT"}, {"M", ""}, {"A", "MISS"}, {"B", "HIT"}, {"C", ""}, {"", ""}} {
		if got, status := r.do(testgraph.Request{Query: document, Name: row.name}); status != row.want {
			t.Errorf("%q: %q, want %q: %s", row.name, status, row.want, got.Body)
		}
	}
}

// TestPersistedQueries: automatic persisted queries, before and after the cache.
func TestPersistedQueries(t *testing.T) {
	t.Parallel()
	hash := func(q string) map[string]any {
		h := sha256.Sum256([]byte(q))
		return map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hex.EncodeToString(h[:])}}
	}
	raw := func(query, hashed string) testgraph.Request {
		m := map[string]any{"extensions": hash(hashed)}
		if query != "" {
			m["query"] = query
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Error(err)
		}
		return testgraph.Request{Raw: string(b)}
	}
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprintf("before=%v", first), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			apq := func() graphql.HandlerExtension {
				return extension.AutomaticPersistedQuery{Cache: lru.New[string](10)}
			}
			if first {
				r.cached = testgraph.NewServer(r.store, apq(), r.cache)
			} else {
				r.cached = testgraph.NewServer(r.store, r.cache, apq())
			}
			r.plain = testgraph.NewServer(r.twin, apq())
			for _, row := range []struct {
				query, hashed, want string
			}{
				{"", readUsers, ""}, {readUsers, readUsers, "MISS"}, {"", readUsers, "HIT"},
				{"{userCount}", "{userCount}", "MISS"}, {"", "{userCount}", "HIT"}, {"", readUsers, "HIT"}, {readUsers, "{userCount}", ""},
			} {
				if got, status := r.do(raw(row.query, row.hashed)); status != row.want {
					t.Errorf("%+v: %q: %s", row, status, got.Body)
				}
			}
		})
	}
}

// TestComplexityLimit: A limit that changes rejects what would be a hit.
func TestComplexityLimit(t *testing.T) {
	t.Parallel()
	limit := 100
	r := newRig(t, "annotated", gqlcache.Options{}, &extension.ComplexityLimit{Func: func(context.Context, *graphql.OperationContext) int { return limit }})
	r.do(testgraph.Request{Query: readUsers})
	limit = 1
	if got, status := r.do(testgraph.Request{Query: readUsers}); status != "" || len(got.Errors) == 0 {
		t.Errorf("%q: %s, want a rejection", status, got.Body)
	}
}

// rewriter gives each viewer another operation for the same text.
type rewriter struct{ named }

func (rewriter) MutateOperationContext(_ context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	if oc.Headers.Get("X-Viewer") != "ann" || oc.Operation == nil {
		return nil
	}
	op := *oc.Operation
	op.SelectionSet = op.SelectionSet[:1]
	oc.Operation = &op
	return nil
}

// TestRewrittenOperation: what an extension makes of the operation counts, not its text.
func TestRewrittenOperation(t *testing.T) {
	t.Parallel()
	sameForAll := func(context.Context) (gqlcache.Predicate, error) { return gqlcache.Predicate{Text: "true"}, nil }
	r := newRig(t, "annotated", gqlcache.Options{Predicate: sameForAll}, rewriter{})
	r.run("annotated", []string{
		"@bob MISS: {users{name} userCount}", "@ann MISS: {users{name} userCount}", "@bob HIT: {users{name} userCount}",
		"@ann HIT: {users{name} userCount}", "@bob HIT: {users{name} userCount}",
		`@ann mutation{log renameUser(id:$Ann,name:"x")}`, "@bob HIT: {users{name} userCount}",
		`@bob mutation{log renameUser(id:$Ann,name:"y")}`, "@bob MISS: {users{name} userCount}",
	})
}

// retries runs an operation again that has failed, as extensions do that run it in a
// transaction. same says that the handler is given the context of the response, which is
// nil with gqlgen v0.17.67.
type retries struct{ same bool }

func (retries) ExtensionName() string                   { return "Again" }
func (retries) Validate(graphql.ExecutableSchema) error { return nil }
func (a retries) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	done := false
	return func(of context.Context) (resp *graphql.Response) {
		if done {
			return nil
		}
		done = true
		for range 3 {
			if a.same && of != nil {
				resp = next(ctx)(of)
			} else {
				resp = next(ctx)(ctx)
			}
			if resp == nil || len(resp.Errors) == 0 {
				break
			}
		}
		return resp
	}
}

// TestOperationsThatRunAgain: what fails is run again by an extension, before the cache or
// after it, and the client gets what came of that, once.
func TestOperationsThatRunAgain(t *testing.T) {
	t.Parallel()
	for _, accept := range []string{"application/json", "text/event-stream", "multipart/mixed"} {
		for _, after := range []bool{false, true} {
			for _, same := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, after %t, same %t", accept, after, same), func(t *testing.T) {
					t.Parallel()
					c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
					serve := func(store *testgraph.Store, exts ...graphql.HandlerExtension) func(string) string {
						failed := map[string]bool{}
						for _, name := range []string{"Query.userCount", "Mutation.renameUser"} {
							store.On(name, func(context.Context) error {
								if failed[name] = !failed[name]; failed[name] {
									return errors.New("serialization failure")
								}
								return nil
							})
						}
						srv := testgraph.ServeBy(c.Transport, testgraph.Executable(store, "cacheControl"), exts...)
						return func(query string) string {
							rec := httptest.NewRecorder()
							srv.ServeHTTP(rec, post(t, expand(query), accept))
							return rec.Body.String()
						}
					}
					exts := []graphql.HandlerExtension{retries{same}, c}
					if after {
						exts = []graphql.HandlerExtension{c, retries{same}}
					}
					plain, cached := serve(testgraph.NewStore(), retries{same}), serve(testgraph.NewStore(), exts...)
					for _, query := range []string{"{userCount}", "{userCount}", readAnn, readAnn, renameAnn, readAnn, "{userCount}"} {
						if got, want := cached(query), plain(query); got != want {
							t.Errorf("%s: %s, want %s", query, got, want)
						}
					}
					if c.Stats().Hits == 0 {
						t.Error("no hit")
					}
				})
			}
		}
	}
}

func TestHitRunsNoResolver(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.send("{users{name posts{name author{name}} postCount}}")
	n := r.store.Total()
	r.send("{users{name posts{name author{name}} postCount}}")
	if got := r.store.Total(); got != n {
		t.Errorf("a hit passed %d points", got-n)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	get := func(h http.Handler, query string) testgraph.Response {
		hr := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/query?query="+url.QueryEscape(expand(query)), nil)
		return testgraph.Send(h, hr)
	}
	for _, query := range []string{readUsers, readUsers, renameAnn, "{", readUsers} {
		if got, want := get(r.cached, query), get(r.plain, query); got.Body != want.Body {
			t.Errorf("%s: %s, want %s", query, got.Body, want.Body)
		}
	}
	if s := r.cache.Stats(); s.Hits != 2 || s.Misses != 1 {
		t.Errorf("%d hits, %d misses; want 2 and 1: a mutation by GET is refused", s.Hits, s.Misses)
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.send(readAnn)
	upload := func(h http.Handler) testgraph.Response {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		part := func(header textproto.MIMEHeader, text string) {
			p, err := w.CreatePart(header)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		field := func(name string) textproto.MIMEHeader {
			return textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", name)}}
		}
		part(field("operations"), expand(`{"query":"mutation($f:Upload!){renameFromFile(id:\"`+testgraph.Ann+`\",file:$f){name}}","variables":{"f":null}}`))
		part(field("map"), `{"0":["variables.f"]}`)
		part(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="0"; filename="a.txt"`}, "Content-Type": {"text/plain"}}, "New")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		hr := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/query", &body)
		hr.Header.Set("Content-Type", w.FormDataContentType())
		return testgraph.Send(h, hr)
	}
	if got, want := upload(r.cached), upload(r.plain); got.Body != want.Body || !strings.Contains(got.Body, "New") {
		t.Errorf("%s, want %s", got.Body, want.Body)
	}
	r.mustSee("New")
}

// TestDefer: a query with @defer bypasses, a mutation with it invalidates, also what its
// deferred part writes.
func TestDefer(t *testing.T) {
	t.Parallel()
	for _, accept := range []string{"multipart/mixed", "application/json"} {
		t.Run(accept, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			header := map[string]string{"Accept": accept}
			// How the parts are put together is a matter of time: the bytes differ from
			// run to run.
			for range 2 {
				before := r.cache.Stats()
				got := testgraph.Do(t, t.Context(), r.cached, testgraph.Request{Query: "{users{name ... @defer{postCount}}}", Header: header})
				if status := outcome(before, r.cache.Stats()); status != "defer" || !strings.Contains(got.Body, `"hasNext":`) {
					t.Errorf("%q, want defer: %s", status, got.Body)
				}
			}
			r.send(readAnn)
			testgraph.Do(t, t.Context(), r.cached, testgraph.Request{Query: expand(`mutation{updateUser(id:$Ann,input:{name:"New"}){name ... @defer{postCount}}}`), Header: header})
			r.mustSee("New")
		})
	}
	// gqlgen answers a mutation without its deferred parts, which go on in the
	// background.
	t.Run("deferred part writes", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		latch := r.store.BlockHard("User.postCount")
		touched := make(chan struct{})
		r.store.On("User.postCount", func(ctx context.Context) error {
			defer close(touched)
			r.rename(ctx)
			return gqlcache.Touch(ctx, "User", testgraph.Ann)
		})
		testgraph.Do(t, t.Context(), r.cached, testgraph.Request{
			Query:  expand(`mutation{updateUser(id:$Bob,input:{name:"B"}){name ... @defer{postCount}}}`),
			Header: map[string]string{"Accept": "multipart/mixed"},
		})
		receive(t, latch.Reached, "the deferred part")
		r.send(readAnn)
		latch.Release()
		receive(t, touched, "the deferred part's change")
		r.mustSee("New")
	})
}
