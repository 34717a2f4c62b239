package gqlcache_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

// A listener asks Explain in a response interceptor around the cache, and gives
// operations a variable that has no canonical form if the request says so.
type listener struct {
	mu   sync.Mutex
	last inspect.Extension
	ok   bool
}

func (l *listener) ExtensionName() string                   { return "Listener" }
func (l *listener) Validate(graphql.ExecutableSchema) error { return nil }

func (l *listener) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if oc := graphql.GetOperationContext(ctx); oc.Headers.Get("X-Below") == "upload" {
		oc.Variables = map[string]any{"file": graphql.Upload{}}
	}
	return next(ctx)
}

func (l *listener) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	resp := next(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.ok = gqlcache.Explain(ctx)
	return resp
}

func (l *listener) heard() (inspect.Extension, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last, l.ok
}

// A twister is under the cache, and spoils answers as the request says.
type twister struct{ named }

func (twister) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if oc := graphql.GetOperationContext(ctx); oc.Headers.Get("X-Below") == "rewrite" {
		oc.Variables = map[string]any{"rewritten": true}
	}
	resp := next(ctx)
	switch graphql.GetOperationContext(ctx).Headers.Get("X-Below") {
	case "null":
		resp.Data = []byte("null")
	case "junk":
		resp.Data = []byte(`7`)
	case "part":
		resp.Label = "part"
	}
	return resp
}

// A reasoned is a way to an outcome.
type reasoned struct {
	code     string
	change   func(*gqlcache.Options)
	before   []string // documents
	prepare  func(*listened)
	document string
	header   []string
}

// listened is a server with a listener.
type listened struct {
	*listener
	cache *gqlcache.Cache
	rows  *testgraph.Store
	h     http.Handler
	log   *logMember
}

func (row *reasoned) serve(t *testing.T) *listened {
	t.Helper()
	l := &listened{listener: &listener{}, rows: testgraph.NewStore()}
	o := gqlcache.Options{
		Store: newMapStore(), Inspector: gqlcache.Inspector{Allow: func(context.Context) bool { return true }, Actions: func(context.Context) bool { return true }},
		Predicate: func(context.Context) (gqlcache.Predicate, error) { return gqlcache.Predicate{Text: secret}, nil },
	}
	if slices.Contains([]string{"lease", "token"}, row.code) {
		l.log = newFakeLog().join(changelog.Bounded)
		o.Log = l.log
	}
	if row.change != nil {
		row.change(&o)
	}
	l.cache = newCache(t, o)
	without := "no directive"
	if row.code == "callers" {
		without = "cacheControl" // its PRIVATE needs a predicate
	}
	es := testgraph.Executable(l.rows, without) // a copy
	if row.code == "policy" {
		f := es.Schema().Query.Fields.ForName("userNames")
		f.Directives = append(f.Directives, &ast.Directive{
			Name: "cacheControl", Definition: es.Schema().Directives["cacheControl"], Location: ast.LocationFieldDefinition,
			Arguments: ast.ArgumentList{{Name: "maxAge", Value: &ast.Value{Kind: ast.IntValue, Raw: "0"}}},
		})
	}
	if row.code == "directive" {
		f := es.Schema().Query.Fields.ForName("userNames")
		f.Directives = append(f.Directives, &ast.Directive{Name: "hasRole", Definition: &ast.DirectiveDefinition{Name: "hasRole"}})
		es = hidden{schema: es.Schema, exec: es.Exec}
	}
	l.h = l.cache.Handler(testgraph.Serve(es, l.listener, l.cache, twister{"twister"}))
	for _, document := range row.before {
		testgraph.Ask(t, l.h, expand(document), nil)
	}
	if row.prepare != nil {
		row.prepare(l)
	}
	return l
}

const anyUsers = "{userNames}"

func reasonings() []reasoned {
	panics := func(context.Context) bool { panic("Enabled") } // a caller's bug
	return []reasoned{
		{code: "hit", before: []string{anyUsers}},
		{code: "cold"},
		{code: "invalidated", before: []string{anyUsers, renameAnn}},
		{code: "mutation", document: renameAnn},
		{code: "unchanged", document: renameAnn, prepare: func(l *listened) { l.rows.On("Mutation.renameUser", gqlcache.NothingWritten) }},
		{code: "disabled", change: func(o *gqlcache.Options) { o.Enabled = func(context.Context) bool { return false } }},
		{code: "refresh", change: func(o *gqlcache.Options) { o.Policy = under(gqlcache.Refresh) }},
		{code: "no_store", change: func(o *gqlcache.Options) { o.Policy = under(gqlcache.NoStore) }},
		{code: "not_cached", change: func(o *gqlcache.Options) { o.Policy = under(gqlcache.CacheOnly) }},
		{code: "no_age", change: func(o *gqlcache.Options) { o.OnlyHinted = true }},
		{code: "closed", prepare: func(l *listened) { _ = l.cache.Close() }},
		{code: "introspection", document: "{__schema{queryType{name}}}"},
		{code: "typename", document: "{__typename}"},
		{code: "defer", document: deferring()},
		{code: "policy"},
		{code: "variables", header: []string{"X-Below", "upload"}},
		{code: "predicate", change: func(o *gqlcache.Options) {
			o.Predicate = func(context.Context) (gqlcache.Predicate, error) { return gqlcache.Predicate{}, errors.New("none") }
		}},
		{code: "operation", document: "{" + extractor.Nonce() + "x: userNames}"},
		{code: "lease", prepare: func(l *listened) { l.log.lose() }},
		{code: "lease", document: renameAnn, change: func(o *gqlcache.Options) { o.RequireLease = true }, prepare: func(l *listened) { l.log.lose() }},
		{code: "token", change: func(o *gqlcache.Options) { o.Tokens = true }, header: []string{gqlcache.TokenHeader, "99:99"}},
		{code: "failed", change: func(o *gqlcache.Options) { o.Enabled = panics }},
		{code: "inspector"},
		{code: "errors", document: "{fails}"},
		{code: "no_data", header: []string{"X-Below", "null"}},
		{code: "incremental", header: []string{"X-Below", "part"}},
		{code: "lists", document: readUsers, change: func(o *gqlcache.Options) { o.OneRowOnly = true }},
		{code: "too_large", change: func(o *gqlcache.Options) { o.MaxEntryBytes = 1 }},
		{code: "invalidated", prepare: func(l *listened) {
			l.rows.On("Query.userNames", func(ctx context.Context) error {
				return l.cache.Invalidate(ctx, gqlcache.Entity("User", testgraph.Ann))
			})
		}},
		{code: "wrote", prepare: func(l *listened) {
			l.rows.On("Query.userNames", func(ctx context.Context) error { return gqlcache.Touch(ctx, "User", testgraph.Ann) })
		}},
		{code: "ended", prepare: func(l *listened) {
			h := l.h
			l.h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx, cancel := context.WithCancel(r.Context())
				l.rows.On("Query.userNames", func(context.Context) error { cancel(); return nil })
				h.ServeHTTP(w, r.WithContext(ctx))
			})
		}},
		{code: "do_not_store", prepare: func(l *listened) { l.rows.On("Query.userNames", gqlcache.DoNotStore) }},
		{code: "private", document: `{banner(id:"b1"){text}}`, prepare: func(l *listened) { l.rows.On("Query.banner", gqlcache.Private) }},
		{code: "unreadable", document: readUsers, header: []string{"X-Below", "junk"}},
		{code: "reads", change: func(o *gqlcache.Options) {
			o.Predicate = func(context.Context) (gqlcache.Predicate, error) {
				return gqlcache.Predicate{Text: secret, Reads: []string{"v_nothing"}}, nil
			}
		}},
		{code: "directive"},
		{
			code: "callers", before: []string{anyUsers}, header: []string{"Authorization", "Bearer another"},
			change: func(o *gqlcache.Options) { o.Predicate, o.Callers = nil, gqlcache.AllSeeTheSame },
		},
		{code: "beside", prepare: func(l *listened) {
			l.rows.On("Query.userNames", func(ctx context.Context) error {
				graphql.RegisterExtension(ctx, "experiment", "B")
				return nil
			})
		}},
		{code: "inner", header: []string{"X-Below", "rewrite"}},
		{code: "store", change: func(o *gqlcache.Options) {
			s := newMapStore()
			s.hook = func(_ context.Context, call string) error {
				if call == "Put" {
					return errors.New("no room")
				}
				return nil
			}
			o.Store = s
		}},
	}
}

// deferring is a document with @defer. The oldest gqlgen has a goroutine for what a
// transport does not read, and it never ends: there, nothing is deferred.
func deferring() string {
	if onFloor {
		return "{users{name ... @defer(if: false){postCount}}}"
	}
	return "{users{name ... @defer{postCount}}}"
}

// TestExplain: what extensions.cache shows is what Explain says, for each reason there
// is; and who does not ask gets the same reason.
func TestExplain(t *testing.T) {
	t.Parallel()
	reached := map[string]bool{}
	for _, row := range reasonings() {
		reached[row.code] = true
		if row.document == "" {
			row.document = anyUsers
		}
		send := func(l *listened, debug bool, ctx context.Context) testgraph.Response {
			body := map[string]any{"query": expand(row.document)}
			if row.code == "inspector" {
				body["extensions"] = map[string]any{"cache": inspect.Request{Bypass: true}}
			}
			b, _ := json.Marshal(body)
			r := testgraph.Request{Raw: string(b), Header: map[string]string{}}
			for i := 0; i+1 < len(row.header); i += 2 {
				r.Header[row.header[i]] = row.header[i+1]
			}
			if debug {
				r.Header[gqlcache.DebugHeader] = "true"
			}
			return testgraph.Do(t, ctx, l.h, r)
		}
		t.Run(row.code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // RequireLease waits for its lease
				l := row.serve(t)
				resp := send(l, true, t.Context())
				told, ok := l.heard()
				b, err := json.Marshal(told)
				if err != nil {
					t.Fatal(err)
				}
				raw := resp.Extensions["cache"]
				if raw == nil {
					t.Fatalf("%s", resp.Body)
				}
				validate[inspect.Extension](t, raw)
				if string(b) != string(raw) || !ok {
					t.Errorf("Explain says\n%s, shown is\n%s", b, raw)
				}
				if told.Reason.Code != row.code || told.Reason.Message == "" {
					t.Errorf("reason %+v, want %s", told.Reason, row.code)
				}
				if strings.Contains(string(raw), "secret") {
					t.Errorf("the predicate is told: %s", raw)
				}
			})
		})
		if row.code == "inspector" {
			continue // it is for those who show the header
		}
		t.Run(row.code+" unasked", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := row.serve(t)
				resp := send(l, false, t.Context())
				told, ok := l.heard()
				want := row.code
				if told.DidCache {
					want = "miss" // why it was one, nobody has looked
				}
				if !ok || told.Reason.Code != want || told.Reason.Message == "" || told.Operation.Type == "" || told.Key != "" {
					t.Errorf("%+v, want %s", told, want)
				}
				if resp.Extensions["cache"] != nil {
					t.Errorf("shown to who did not ask: %s", resp.Body)
				}
			})
		})
		t.Run(row.code+" for the program", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := row.serve(t)
				resp := send(l, false, gqlcache.WithExplain(t.Context()))
				if told, ok := l.heard(); !ok || told.Reason.Code != row.code {
					t.Errorf("%+v, want %s", told.Reason, row.code)
				}
				if resp.Extensions["cache"] != nil {
					t.Errorf("shown to who did not ask: %s", resp.Body)
				}
			})
		})
	}
	reached[string(gqlcache.ReasonMutating)] = true // TestQueryInsideAMutation
	reached[string(gqlcache.ReasonShadow)] = true   // TestShadowOutcomes
	reached[string(gqlcache.ReasonHeaders)] = true  // TestVaryInside
	reached[string(gqlcache.ReasonExpired)] = true  // TestComputedStaleInAnswers
	for _, r := range []gqlcache.Reason{gqlcache.ReasonUncommitted, gqlcache.ReasonUnexplained, gqlcache.ReasonVolatile} {
		reached[string(r)] = true // TestReasonsOfStatements in gqlcache/footprint/e2e
	}
	reached[string(gqlcache.ReasonKey)] = true // TestKeysThatMissSomething there
	for _, r := range gqlcache.Reasons() {
		if !reached[string(r)] {
			t.Errorf("no row is about %s", r)
		}
	}
}

// TestExplainElsewhere: not of a subscription, nor outside of an operation.
func TestExplainElsewhere(t *testing.T) {
	t.Parallel()
	if x, ok := gqlcache.Explain(t.Context()); ok {
		t.Errorf("%+v", x)
	}
}

// TestExplainFlights: who joins, and who leaves, is told so.
func TestExplainFlights(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := (&reasoned{}).serve(t)
		latch := l.rows.Block("Query.userNames")
		first := make(chan struct{})
		go func() {
			defer close(first)
			testgraph.Ask(t, l.h, anyUsers, nil)
		}()
		<-latch.Reached
		ctx, leave := context.WithCancel(gqlcache.WithExplain(t.Context()))
		left := make(chan struct{})
		go func() {
			defer close(left)
			testgraph.Do(t, ctx, l.h, testgraph.Request{Query: anyUsers})
		}()
		synctest.Wait()
		leave()
		<-left
		if x, ok := l.heard(); !ok || x.Reason.Code != "abandoned" || x.Hit || x.DidCache {
			t.Errorf("left: %+v", x)
		}
		joined := make(chan testgraph.Response)
		go func() {
			joined <- testgraph.Ask(t, l.h, anyUsers, nil, gqlcache.DebugHeader, "true")
		}()
		synctest.Wait()
		latch.Release()
		<-first
		x := extensionOf(t, <-joined)
		if x.Reason.Code != "joined" {
			t.Errorf("joined: %+v", x)
		}
	})
}

// TestExplainKeyParts: the part in which a key differs from the nearest entry is marked.
func TestExplainKeyParts(t *testing.T) {
	t.Parallel()
	p := newPanel(t, func(o *gqlcache.Options) {
		o.Predicate = viewerPredicate
		o.Vary = func(ctx context.Context) []string { return []string{testgraph.Viewer(ctx)[:1]} }
	})
	p.snapshot() // somebody watches
	const read = `query Read($id:ID!){user(id:$id){name}}`
	ask := func(viewer, id string) inspect.Extension {
		b, _ := json.Marshal(map[string]any{"query": read, "variables": map[string]any{"id": id}})
		return p.read(testgraph.Do(t, t.Context(), p.h, testgraph.Request{Raw: string(b), Header: map[string]string{"X-Viewer": viewer, gqlcache.DebugHeader: "true"}}))
	}
	changed := func(x inspect.Extension) string {
		var names []string
		for _, part := range x.KeyParts {
			if part.Changed {
				names = append(names, part.Name)
			}
		}
		return strings.Join(names, " ")
	}
	first := ask("ann", testgraph.Ann)
	if got := changed(first); got != "" || len(first.KeyParts) != 5 {
		t.Errorf("of the first: %q, %+v", got, first.KeyParts)
	}
	if label := first.KeyParts[1].Label; label != "id" {
		t.Errorf("variables %q", label)
	}
	for _, row := range []struct{ viewer, id, want string }{
		{"ann", testgraph.Bob, "variables"},
		{"abe", testgraph.Ann, "predicate"},
		{"bob", testgraph.Ann, "predicate vary"},
		{"ann", testgraph.Ann, ""}, // a hit
	} {
		if x := ask(row.viewer, row.id); changed(x) != row.want {
			t.Errorf("%s %s: %q, want %q", row.viewer, row.id, changed(x), row.want)
		}
	}
}

// TestFingerprintsAreKeyed: two caches name the same predicate differently, so nobody can
// check a guess; one cache always the same. Operations are known everywhere by the same
// name.
func TestFingerprintsAreKeyed(t *testing.T) {
	t.Parallel()
	one, other := newPanel(t, nil), newPanel(t, nil)
	a, b, again := one.ask("ann", readUsers, nil), other.ask("ann", readUsers, nil), one.ask("bob", readUsers, nil)
	if a.Key == b.Key || a.Key != again.Key || a.Operation.Hash != b.Operation.Hash {
		t.Errorf("keys %s %s %s, operations %s %s", a.Key, b.Key, again.Key, a.Operation.Hash, b.Operation.Hash)
	}
	for i, part := range a.KeyParts {
		secretly := part.Name == "variables" || part.Name == "predicate"
		if (part.Fingerprint != b.KeyParts[i].Fingerprint) != secretly || part.Fingerprint != again.KeyParts[i].Fingerprint {
			t.Errorf("%s: %s, %s, %s", part.Name, part.Fingerprint, b.KeyParts[i].Fingerprint, again.KeyParts[i].Fingerprint)
		}
	}
}

// TestExplainTiming: a hit tells what its computation took, and what that saved.
func TestExplainTiming(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPanel(t, nil)
		latch := p.store.Block("Query.users")
		done := make(chan inspect.Extension)
		go func() { done <- p.ask("ann", readUsers, nil) }()
		<-latch.Reached
		<-time.After(3 * time.Millisecond) // of the bubble
		latch.Release()
		miss, hit := <-done, p.ask("ann", readUsers, nil)
		if miss.Timing.OriginUS != 3000 || hit.Timing.OriginUS != 3000 || hit.Timing.SavedUS != 3000 || miss.Timing.SavedUS != 0 {
			t.Errorf("miss %+v, hit %+v", miss.Timing, hit.Timing)
		}
	})
}

// TestRedaction: names of variables and keys of rows can be left out.
func TestRedaction(t *testing.T) {
	t.Parallel()
	const read = `query Read($who:ID!){user(id:$who){name}}`
	for _, hide := range []bool{false, true} {
		p := newPanel(t, func(o *gqlcache.Options) {
			o.Inspector.HideVariables, o.Inspector.HideIDs = hide, hide
		})
		p.snapshot()
		b, _ := json.Marshal(map[string]any{"query": read, "variables": map[string]any{"who": testgraph.Ann}})
		all := ""
		for range 2 {
			resp := testgraph.Do(t, t.Context(), p.h, testgraph.Request{Raw: string(b), Header: map[string]string{gqlcache.DebugHeader: "true"}})
			all += string(resp.Extensions["cache"])
		}
		resp := testgraph.Do(t, t.Context(), p.h, inspectRequest("admin", renameAnn, nil))
		all += string(resp.Extensions["cache"])
		resp = testgraph.Do(t, t.Context(), p.h, inspectRequest("admin", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}}))
		all += string(resp.Extensions["cache"])
		for _, what := range []string{testgraph.Ann, `"who"`} {
			if strings.Contains(all, what) == hide {
				t.Errorf("hide %v: %s in %s", hide, what, all)
			}
		}
		if got := p.snapshot().Capabilities.HidesIDs; got != hide {
			t.Errorf("hidesIds %v", got)
		}
	}
}
