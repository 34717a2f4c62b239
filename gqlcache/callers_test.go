package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/client"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/rolegraph"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// sdl loads a schema with @cacheControl.
func sdl(t *testing.T, text string) *ast.Schema {
	t.Helper()
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "test.graphql", Input: text + `
		enum CacheControlScope { PUBLIC PRIVATE }
		directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION`})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestWhoAreTheCallers: a server whose queries are not all PUBLIC starts only when
// somebody has said who sees what, and is told what to ask itself.
func TestWhoAreTheCallers(t *testing.T) {
	t.Parallel()
	const refused = "which answers differ from caller to caller? If any, set Predicate; if a logged-in user sees exactly what an anonymous one sees, set Callers: AllSeeTheSame"
	for _, row := range []struct {
		name, schema string
		o            gqlcache.Options
		want         string
	}{
		{"nothing said", "type Query { a: String }", gqlcache.Options{}, "Query.a are not PUBLIC: " + refused},
		{"a predicate", "type Query { a: String }", gqlcache.Options{Predicate: tenantPredicate}, ""},
		{"a directive that is not there", "type Query { a: String }", gqlcache.Options{Predicate: tenantPredicate, DirectivesCovered: []string{"@hasRole"}}, "without @"},
		{"all the same", "type Query { a: String }", gqlcache.Options{Callers: gqlcache.AllSeeTheSame}, ""},
		{"all the same and PRIVATE", "type Query { a: String @cacheControl(scope: PRIVATE) }", gqlcache.Options{Callers: gqlcache.AllSeeTheSame}, "PRIVATE"},
		{"PUBLIC", "type Query { a: String @cacheControl(scope: PUBLIC) }", gqlcache.Options{}, ""},
		{"never stored", "type Query { a: String @cacheControl(maxAge: 0) }", gqlcache.Options{}, ""},
		{"PUBLIC root, other object", "type Query { a: A @cacheControl(scope: PUBLIC) } type A { b: String }", gqlcache.Options{}, "A.b"},
		{"PUBLIC object", "type Query { a: A @cacheControl(scope: PUBLIC) } type A @cacheControl(scope: PUBLIC) { b: String }", gqlcache.Options{}, ""},
		{"PUBLIC object, other field", "type Query { a: A @cacheControl(scope: PUBLIC) } type A @cacheControl(scope: PUBLIC) { b: String c: A }", gqlcache.Options{}, "A.c"},
		{"behind an interface", "type Query { a: I @cacheControl(scope: PUBLIC) } interface I { b: String } type A implements I @cacheControl(scope: PUBLIC) { b: String } type B implements I { b: String }", gqlcache.Options{}, "B.b"},
		{"a union that is not stored", "type Query { a: U @cacheControl(maxAge: 0) } union U = A type A { b: String }", gqlcache.Options{}, ""},
		{"the root again", "type Query { a: Query @cacheControl(scope: PUBLIC) b: String @cacheControl(scope: PUBLIC) }", gqlcache.Options{}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.o.Schema = sdl(t, row.schema)
			c, err := gqlcache.New(quiet(row.o))
			if err == nil {
				defer c.Close()
			}
			if (err == nil) != (row.want == "") || err != nil && (!errors.Is(err, gqlcache.ErrOptions) || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("New: %v, want %q", err, row.want)
			}
		})
	}
	t.Run("without queries", func(t *testing.T) {
		t.Parallel()
		s := sdl(t, "type Query { a: String } type Mutation { a: String }")
		s.Query = nil
		c, err := gqlcache.New(quiet(gqlcache.Options{Schema: s}))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	})
	t.Run("when it is added to a server", func(t *testing.T) {
		t.Parallel()
		c, err := gqlcache.New(quiet(gqlcache.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		defer func() {
			if p := fmt.Sprint(recover()); !strings.Contains(p, refused) {
				t.Errorf("Use: %s", p)
			}
		}()
		testgraph.Serve((&rolegraph.Server{}).Executable(), c)
	})
}

// callers is a server that was told that all callers see the same.
func callers(t *testing.T, s *rolegraph.Server, change func(*gqlcache.Options)) *twinServer {
	t.Helper()
	o := gqlcache.Options{Callers: gqlcache.AllSeeTheSame, DirectivesCovered: allDirectives}
	if change != nil {
		change(&o)
	}
	return newTwin(t, s, o)
}

// saidOnce demands one line in the log, about callers, that quotes no credentials.
func (w *twinServer) saidOnce(names string) {
	w.t.Helper()
	lines := w.log.lines()
	if len(lines) != 1 || !strings.Contains(lines[0], "different credentials") || strings.Contains(lines[0], "secret") {
		w.t.Errorf("log: %q", lines)
	}
	for _, warning := range w.cache.Snapshot().Warnings {
		if warning.Code == "callers" {
			if !strings.Contains(warning.Message, names) {
				w.t.Errorf("panel: %s", warning.Message)
			}
			return
		}
	}
	w.t.Error("no warning in the panel")
}

// TestCallersWhoDoNotSeeTheSame: no answer that differs by caller reaches another one, in
// whichever header the caller is, and the server says that it was told wrongly.
func TestCallersWhoDoNotSeeTheSame(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"Authorization", "Cookie", "X-Api-Key", "X-Forwarded-User", "X-Tenant-Id", "X-Auth-Request-Email", "Cf-Access-Jwt-Assertion"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			w := callers(t, &rolegraph.Server{}, nil)
			const who = "query Who{who}"
			for i, user := range []string{"ann", "", "bob", "ann", "bob", ""} {
				var headers []string
				if user != "" {
					headers = []string{header, "secret of " + user}
				}
				want := "callers"
				if i == 0 {
					want = "MISS"
				}
				if status := w.ask(user, who, headers...); status != want {
					t.Errorf("%d, %q: %q, want %q", i, user, status, want)
				}
			}
			w.saidOnce("Who")
			// others are not concerned
			w.ask("", "{open}")
			if status := w.ask("", "{open}"); status != "HIT" {
				t.Errorf("another operation: %q", status)
			}
			// under another document, and after a change, too
			w.ask("", "mutation{touch}")
			w.ask("ann", who, header, "secret of ann")
			if status := w.ask("bob", who, header, "secret of bob"); status != "callers" {
				t.Errorf("after a change: %q", status)
			}
		})
	}
}

// TestCallersOfWebsockets: who is told apart by the first message of a websocket, wherever
// in it the credentials are, gets no answer of others.
func TestCallersOfWebsockets(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]func(user string) map[string]any{
		"a member": func(user string) map[string]any { return map[string]any{"Authorization": user} },
		"in an object": func(user string) map[string]any {
			return map[string]any{"headers": map[string]any{"Authorization": user}}
		},
		"in a list": func(user string) map[string]any {
			return map[string]any{"headers": []any{[]any{"Authorization", user}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &rolegraph.Server{Open: func(ctx context.Context) string { return fmt.Sprint(transport.GetInitPayload(ctx)) }}
			c := client.New(testgraph.Serve(s.Executable(), newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, DirectivesCovered: allDirectives})))
			for _, user := range []string{"ann", "bob", "ann"} {
				ws := c.WebsocketWithPayload("{open}", payload(user))
				var got struct{ Open string }
				if err := ws.Next(&got); err != nil || !strings.Contains(got.Open, user) {
					t.Errorf("%s got %q, %v", user, got.Open, err)
				}
				_ = ws.Close()
			}
		})
	}
}

// TestOneOfManyRowsDiffers: an operation is found by any of its keys.
func TestOneOfManyRowsDiffers(t *testing.T) {
	t.Parallel()
	s := &rolegraph.Server{Who: func(ctx context.Context, id int) string {
		if id == 7 {
			return rolegraph.Role(ctx)
		}
		return "everybody"
	}}
	w := callers(t, s, nil)
	for id := range 9 {
		for _, user := range []string{"ann", "bob", "ann", "bob"} {
			headers := map[string]string{"Authorization": user, "X-Role": user}
			q := testgraph.Request{Query: "query Who($id:Int){who(id:$id)}", Vars: map[string]any{"id": id}, Header: headers}
			got := testgraph.Do(t, t.Context(), w.cached, q)
			if want := testgraph.Do(t, t.Context(), w.plain, q); got.Body != want.Body {
				t.Errorf("%d: %s got %s, want %s", id, user, got.Body, want.Body)
			}
		}
	}
	w.saidOnce("Who")
	if hits := w.cache.Stats().Hits; hits != 2*7 {
		t.Errorf("%d hits", hits)
	}
}

// TestCallersWhoSeeTheSame: after each has computed an operation once, all are served.
func TestCallersWhoSeeTheSame(t *testing.T) {
	t.Parallel()
	w := callers(t, &rolegraph.Server{}, nil)
	for range 10 {
		for _, user := range []string{"ann", "bob", ""} {
			w.ask(user, "{open}", "Authorization", user)
		}
	}
	// of 64 kinds of credentials two may be one
	if got := w.cache.Stats(); got.Hits < 27 || got.Hits > 28 || len(w.log.lines()) != 0 {
		t.Errorf("%d hits, log %q", got.Hits, w.log.lines())
	}
	// many callers: the number of comparisons is bounded
	before := w.cache.Stats().Bypassed["callers"]
	for i := range 500 {
		testgraph.Ask(t, w.cached, "{open}", nil, "Authorization", fmt.Sprint(i))
	}
	if n := w.cache.Stats().Bypassed["callers"] - before; n > 70 {
		t.Errorf("%d of 500 were computed", n)
	}
}

// TestChangesAreNoCallers: a difference that a change explains does not end the sharing
// for ever.
func TestChangesAreNoCallers(t *testing.T) {
	t.Parallel()
	t.Run("made elsewhere", func(t *testing.T) {
		t.Parallel()
		var now atomic.Value
		now.Store("old")
		w := callers(t, &rolegraph.Server{Open: func(context.Context) string { return now.Load().(string) }}, nil)
		w.ask("", "{open}", "Authorization", "ann")
		now.Store("new") // by another program
		w.ask("", "{open}", "Authorization", "bob")
		w.ask("", "{open}", "Authorization", "ann")
		w.ask("", "{open}", "Authorization", "ann")
		if status := w.ask("", "{open}", "Authorization", "ann"); status != "HIT" {
			t.Errorf("%q", status)
		}
	})
	t.Run("known", func(t *testing.T) {
		t.Parallel()
		var now atomic.Value
		now.Store("old")
		w := callers(t, &rolegraph.Server{Open: func(context.Context) string { return now.Load().(string) }}, nil)
		w.ask("", "{open}", "Authorization", "ann")
		now.Store("new") // committed, and not applied yet
		w.ask("", "{open}", "Authorization", "bob")
		w.ask("", "mutation{touch}")
		w.ask("", "{open}", "Authorization", "carol")
		if status := w.ask("", "{open}", "Authorization", "carol"); status != "HIT" {
			t.Errorf("%q", status)
		}
	})
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		var clock atomic.Int64
		var now atomic.Value
		now.Store("old")
		w := callers(t, &rolegraph.Server{Open: func(context.Context) string { return now.Load().(string) }}, func(o *gqlcache.Options) {
			o.Now = func() time.Time { return time.Unix(1_000_000+clock.Load(), 0) }
		})
		w.ask("", "{open}", "Authorization", "ann")
		now.Store("new")
		w.ask("", "{open}", "Authorization", "bob")
		if status := w.ask("", "{open}", "Authorization", "bob"); status != "callers" {
			t.Errorf("%q", status)
		}
		clock.Add(3600)
		w.ask("", "{open}", "Authorization", "bob")
		if status := w.ask("", "{open}", "Authorization", "bob"); status != "HIT" {
			t.Errorf("%q", status)
		}
	})
}

// TestPublicAnswersThatDiffer: scope: PUBLIC is the same promise, beside a predicate as
// well.
func TestPublicAnswersThatDiffer(t *testing.T) {
	t.Parallel()
	s := testgraph.NewStore()
	c, log := loud(t, gqlcache.Options{Predicate: viewerPredicate})
	h := testgraph.Serve(testgraph.Executable(s), c)
	s.On("Query.banner", func(ctx context.Context) error {
		if testgraph.Viewer(ctx) == "bob" {
			return errors.New("not for bob")
		}
		return nil
	})
	const banner = `{banner(id:"b1"){text}}`
	testgraph.Ask(t, h, `mutation{setBanner(id:"b1",text:"x")}`, nil)
	testgraph.Ask(t, h, banner, nil, "X-Viewer", "ann", "Authorization", "ann")
	for i := range 4 {
		if got := testgraph.Ask(t, h, banner, nil, "X-Viewer", "bob", "Authorization", "bob"); len(got.Errors) == 0 {
			t.Errorf("%d: bob got %s", i, got.Body)
		}
	}
	if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "different credentials") {
		t.Errorf("log: %q", lines)
	}
}

// TestCallersWhoJoin: one with other credentials does not get what the first is computing
// before it is known to be the same.
func TestCallersWhoJoin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		var calls atomic.Int64
		s := &rolegraph.Server{Who: func(ctx context.Context, _ int) string {
			if calls.Add(1) == 1 {
				<-block
			}
			return rolegraph.Role(ctx)
		}}
		c := newCache(t, gqlcache.Options{DirectivesCovered: allDirectives})
		h := testgraph.Serve(s.Executable(), c)
		var wg sync.WaitGroup
		for _, user := range []string{"ann", "bob"} {
			wg.Go(func() {
				got := testgraph.Ask(t, h, "{who}", nil, "Authorization", user, "X-Role", user)
				if want := `{"data":{"who":"` + user + `"}}`; got.Body != want {
					t.Errorf("%s got %s", user, got.Body)
				}
			})
			synctest.Wait()
		}
		close(block)
		wg.Wait()
		before := c.Stats()
		testgraph.Ask(t, h, "{who}", nil, "Authorization", "ann", "X-Role", "ann")
		if status := outcome(before, c.Stats()); status != "callers" {
			t.Errorf("afterwards: %q", status)
		}
	})
}
