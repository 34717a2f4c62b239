package gqlcache_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/client"
	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// A transaction is what a mutation of a test has written, and who commits it. The
// resolvers' write is not to be seen until then.
type transaction struct {
	r *rig
	// between runs when gqlgen has answered, before the commit.
	between func()
	open    bool
}

// behind changes Ann's name without the cache, and without passing the points that the
// tests watch.
func (r *rig) behind(name string) {
	plain := testgraph.NewServer(r.store)
	testgraph.Do(r.t, context.Background(), plain, testgraph.Request{Query: expand(`mutation{updateUser(id:$Ann,input:{name:"` + name + `"}){id}}`)})
}

// begin waits for a write of renameUser.
func (tx *transaction) begin() {
	tx.r.store.On("Mutation.renameUser:done", func(context.Context) error {
		tx.open = true
		tx.r.store.On("Mutation.renameUser:done", nil)
		return nil
	})
}

func (tx *transaction) commit() {
	if !tx.open {
		return
	}
	tx.open = false
	tx.r.behind("Ann")
	tx.between()
	tx.r.behind("New")
}

// ending is an extension that does something after the operation, at one of the places
// where extensions can.
type ending struct {
	place string
	do    func()
}

func (e *ending) ExtensionName() string                 { return "ending" }
func (*ending) Validate(graphql.ExecutableSchema) error { return nil }

func (e *ending) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	h := next(ctx)
	switch e.place {
	case "handler":
		return func(ctx context.Context) *graphql.Response {
			defer e.do()
			return h(ctx)
		}
	case "operation": // runs it at once
		resp := h(ctx)
		e.do()
		return graphql.OneShot(resp)
	}
	return h
}

func (e *ending) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	resp := next(ctx)
	if resp == nil {
		return nil
	}
	switch e.place {
	case "response":
		e.do()
	case "panic":
		e.do()
		panic("after the commit")
	case "goexit":
		e.do()
		runtime.Goexit()
	case "other response":
		e.do()
		return graphql.ErrorResponse(ctx, "the commit failed, perhaps")
	case "no response":
		e.do()
		return nil
	}
	return resp
}

// TestCommitInAnExtension: an extension of the server commits what a mutation has
// written, after gqlgen has answered and before the client is. Who reads in between may
// store the state before; after the acknowledgement nobody is served that.
func TestCommitInAnExtension(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		place string
		first bool // the extension is added before the cache
	}{
		{"response", true}, {"response", false}, {"handler", false}, {"operation", false},
		{"panic", true}, {"panic", false}, {"goexit", true}, {"other response", true}, {"no response", true},
	} {
		for _, transport := range []string{"POST", "SSE", "websocket"} {
			if transport == "websocket" && row.place != "response" {
				continue
			}
			name := row.place + " after/" + transport
			if row.first {
				name = row.place + " before/" + transport
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, "annotated", gqlcache.Options{})
				tx := &transaction{r: r}
				e := &ending{place: row.place, do: func() { tx.commit() }}
				exts := []graphql.HandlerExtension{r.cache, e}
				if row.first {
					exts = []graphql.HandlerExtension{e, r.cache}
				}
				srv := testgraph.NewServer(r.store, exts...)
				reader := testgraph.NewServer(r.store, r.cache)
				r.cached = reader
				r.send(readAnn)
				tx.between = func() {
					if got := r.send(readAnn).Body; !strings.Contains(got, `"Ann"`) {
						t.Errorf("before the commit: %s", got)
					}
				}
				tx.begin()
				done := make(chan struct{})
				go func() { // it may be the goroutine's end
					defer close(done)
					defer func() { _ = recover() }()
					switch transport {
					case "POST":
						srv.ServeHTTP(httptest.NewRecorder(), post(t, renameAnn, "application/json"))
					case "SSE":
						srv.ServeHTTP(httptest.NewRecorder(), post(t, renameAnn, "text/event-stream"))
					case "websocket":
						ws := client.New(srv).Websocket(expand(renameAnn))
						var got map[string]any
						_ = ws.Next(&got)
						_ = ws.Close()
					}
				}()
				receive(t, done, "the mutation")
				if tx.open {
					t.Fatal("never committed")
				}
				r.mustSee("New")
			})
		}
	}
}

// TestCommitInAnExtensionIsOneRecord: the log gets one record of a mutation, when its
// extension has committed, and the response of whoever is outermost says what became of
// it.
func TestCommitInAnExtensionIsOneRecord(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Tokens = true })
	a, b := r.two()
	var between uint64
	e := &ending{place: "response", do: func() { between = r.fakeLog.number }}
	a.h = testgraph.NewServer(r.rows, e, a.cache)
	b.want("MISS", "Ann", readAnn)
	resp := testgraph.Ask(t, a.h, expand(renameAnn), nil)
	if got := string(resp.Extensions["cache"]); got != `{"token":"7:101"}` {
		t.Errorf("extensions.cache is %s", got)
	}
	if between != 100 || r.fakeLog.number != 101 {
		t.Errorf("the log was at %d before the commit, and is at %d", between, r.fakeLog.number)
	}
	b.want("MISS", "New", readAnn)
}

// TestOuterAnswerWithoutMutation: an extension outside of the cache answers, and nothing
// ran.
func TestOuterAnswerWithoutMutation(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.send(readAnn)
	refuse := &refuseOutside{}
	srv := testgraph.NewServer(r.store, refuse, r.cache)
	testgraph.Do(t, t.Context(), srv, testgraph.Request{Query: expand(renameAnn)})
	if _, status := r.do(testgraph.Request{Query: expand(readAnn)}); status != "HIT" {
		t.Errorf("%s", status)
	}
}

type refuseOutside struct{ ending }

func (*refuseOutside) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if graphql.GetOperationContext(ctx).Operation.Operation == "mutation" {
		return graphql.ErrorResponse(ctx, "no")
	}
	return next(ctx)
}

// TestNestedHolds: a hold inside of another one of the same cache does not release before
// the outer one; those of several caches know their own.
func TestNestedHolds(t *testing.T) {
	t.Parallel()
	forget := func(next http.Handler) http.Handler { // a framework that has its own contexts
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			next.ServeHTTP(w, q.WithContext(context.WithoutCancel(t.Context())))
		})
	}
	same := func(next http.Handler) http.Handler { return next }
	for name, between := range map[string]func(http.Handler) http.Handler{"same context": same, "another context": forget} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			other := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
			tx := &transaction{r: r}
			commits := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
					next.ServeHTTP(w, q)
					tx.commit()
				})
			}
			r.send(readAnn)
			tx.between = func() { r.send(readAnn) }
			tx.begin()
			w := &wire{header: http.Header{}}
			h := r.cache.HoldUntilCommit(commits(between(other.HoldUntilCommit(r.cache.HoldUntilCommit(r.cache.Handler(r.cached))))))
			h.ServeHTTP(w, post(t, renameAnn, "application/json"))
			if w.index("renameUser") < 0 {
				t.Errorf("answer %q", w.events)
			}
			r.mustSee("New")
		})
	}
}

// TestLateChanges: what is said when the request is over counts at once, on all
// instances.
func TestLateChanges(t *testing.T) {
	t.Parallel()
	for _, held := range []bool{false, true} {
		for name, say := range map[string]func(context.Context) error{
			"Touch": func(ctx context.Context) error { return gqlcache.Touch(ctx, "User", testgraph.Ann) },
			"Report": func(ctx context.Context) error {
				return gqlcache.Report(ctx, gqlcache.Moved("User", testgraph.Ann, "name", "Ann", "New"))
			},
			"Rows": func(ctx context.Context) error {
				return gqlcache.Report(ctx, gqlcache.Rows("User", []string{testgraph.Ann}))
			},
			"MovedAll": func(ctx context.Context) error {
				return gqlcache.Report(ctx, gqlcache.MovedAll("User", "name", "Ann", "New"))
			},
			"Commit": func(ctx context.Context) error {
				return errors.Join(gqlcache.Touch(ctx, "User", testgraph.Ann), gqlcache.Commit(ctx))
			},
		} {
			for _, document := range []string{"mutation{log}", "{counter(id:1){value}}"} {
				t.Run(name+map[bool]string{false: "/free/", true: "/held/"}[held]+document, func(t *testing.T) {
					t.Parallel()
					r := newInstances(t, 2)
					a, b := r.two()
					if held {
						a.h = a.cache.HoldUntilCommit(a.h)
					}
					later := make(chan context.Context, 1)
					hook := func(ctx context.Context) error {
						select {
						case later <- ctx:
						default:
						}
						return nil
					}
					r.rows.On("Mutation.log", hook)
					r.rows.On("Query.counter", hook)
					a.ask(document)
					a.ask(readAnn)
					b.ask(readAnn)
					testgraph.Do(t, t.Context(), testgraph.NewServer(r.rows), testgraph.Request{Query: expand(renameAnn)})
					ctx := <-later
					if err := say(ctx); err != nil {
						t.Error(err)
					}
					for _, m := range r.all {
						if resp, _ := m.ask(readAnn); !strings.Contains(resp.Body, "New") {
							t.Errorf("after it was said: %s", resp.Body)
						}
					}
				})
			}
		}
	}
}

// TestLateChangeMeetsTheEnd: a change that is said while the request ends is never lost,
// whichever is first. The log of all instances has it in any case.
func TestLateChangeMeetsTheEnd(t *testing.T) {
	t.Parallel()
	for range 200 {
		r := newInstances(t, 1)
		a := r.all[0]
		h := a.cache.HoldUntilCommit(a.h)
		said := make(chan struct{})
		r.rows.On("Mutation.log:done", func(ctx context.Context) error {
			go func() {
				defer close(said)
				if err := gqlcache.Touch(ctx, "User", testgraph.Ann); err != nil {
					t.Error(err)
				}
			}()
			return nil
		})
		testgraph.Ask(t, h, "mutation{log}", nil)
		<-said
		want, err := a.cache.Tags(gqlcache.Entity("User", testgraph.Ann))
		if err != nil {
			t.Fatal(err)
		}
		heard := false
		for _, rec := range r.fakeLog.records {
			for _, tag := range rec.Tags {
				heard = heard || tag.Hash == want[len(want)-1].Hash
			}
		}
		if !heard {
			t.Fatal("the log has never heard of it")
		}
	}
}

// TestLateMutation: the handler has returned when the mutation ends: behind
// http.TimeoutHandler, say.
func TestLateMutation(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	a.ask(readAnn)
	b.ask(readAnn)
	latch := r.rows.BlockHard("Mutation.renameUser")
	inner := make(chan struct{})
	h := a.cache.HoldUntilCommit(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		go func() {
			defer close(inner)
			a.h.ServeHTTP(httptest.NewRecorder(), q)
		}()
		<-latch.Reached
	}))
	h.ServeHTTP(httptest.NewRecorder(), post(t, renameAnn, "application/json"))
	latch.Release()
	<-inner
	for _, m := range r.all {
		if resp, _ := m.ask(readAnn); !strings.Contains(resp.Body, "New") {
			t.Errorf("after the mutation: %s", resp.Body)
		}
	}
}

// givesUp is an extension inside of the cache that does not wait for resolvers.
type givesUp struct {
	ending
	when  <-chan struct{}
	ended chan struct{}
}

func (g *givesUp) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if graphql.GetOperationContext(ctx).Operation.Operation != "mutation" {
		return next(ctx)
	}
	go func() {
		defer close(g.ended)
		next(ctx)
	}()
	<-g.when
	return graphql.ErrorResponse(ctx, "too slow")
}

// TestMutationGivenUp: what it writes later counts when it is written.
func TestMutationGivenUp(t *testing.T) {
	t.Parallel()
	for _, document := range []string{renameAnn, `mutation{log a:renameUser(id:$Ann,name:"New")}`, `mutation{renameUndeclared(id:$Ann,name:"New")}`} {
		t.Run(document, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			r.send(renameBob) // shows that middlewares are called
			point := "Mutation.renameUser"
			if strings.Contains(document, "log") {
				point = "Mutation.log"
			} else if strings.Contains(document, "Undeclared") {
				point = "Mutation.renameUndeclared"
			}
			latch := r.store.BlockHard(point)
			g := &givesUp{when: latch.Reached, ended: make(chan struct{})}
			srv := testgraph.NewServer(r.store, r.cache, g)
			testgraph.Do(t, t.Context(), srv, testgraph.Request{Query: expand(document)})
			r.send(readAnn)
			latch.Release()
			<-g.ended
			r.mustSee("New")
		})
	}
}

// TestQueryThatWrites: what a resolver of a query changes is dropped at once and when the
// operation ends, and its own answer is not stored.
func TestQueryThatWrites(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(context.Context) error{
		"Touch": func(ctx context.Context) error { return gqlcache.Touch(ctx, "User", testgraph.Ann) },
		"Report": func(ctx context.Context) error {
			return gqlcache.Report(ctx, gqlcache.Moved("User", testgraph.Ann, "name", "Ann", "New"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			var stored string
			e := &ending{place: "response", do: func() {}}
			r.cached = testgraph.NewServer(r.store, e, r.cache)
			reader := testgraph.NewServer(r.store, r.cache)
			ask := func(document string) (body, status string) {
				before := r.cache.Stats()
				body = testgraph.Do(t, t.Context(), reader, testgraph.Request{Query: expand(document)}).Body
				return body, outcome(before, r.cache.Stats())
			}
			ask(readAnn)
			r.store.On("Query.counter", func(ctx context.Context) error {
				err := say(ctx)
				if _, stored = ask(readAnn); stored != "MISS" { // stores the state before the commit
					t.Errorf("at once: %s", stored)
				}
				return err
			})
			e.do = func() { r.behind("New") } // the commit
			before := r.cache.Stats()
			r.send("{counter(id:1){value}}")
			if got := outcome(before, r.cache.Stats()); !strings.HasPrefix(got, "MISS") {
				t.Errorf("%s", got)
			}
			if n := r.cache.Stats().NotStored[gqlcache.ReasonWrote]; n != 1 {
				t.Errorf("%d answers not stored", n)
			}
			e.do = func() {}
			r.mustSee("New")
		})
	}
}

// TestCommit: who is told of a change after Commit sees it, whoever else reads in
// between, and the mutation's end counts as ever.
func TestCommit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, document, point, read string }{
		{"declared", renameAnn, "Mutation.renameUser:done", readAnn},
		{"undeclared", `mutation{renameUndeclared(id:$Ann,name:"New")}`, "Mutation.renameUndeclared:done", readAnn},
		{"row of the answer", `mutation{createUser(input:{name:"New"}){id}}`, "Mutation.createUser:done", readUsers},
	} {
		for _, held := range []bool{false, true} {
			t.Run(row.name+map[bool]string{false: "/free", true: "/held"}[held], func(t *testing.T) {
				t.Parallel()
				r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Predicate = nil })
				a, b := r.two()
				if held {
					a.h = a.cache.HoldUntilCommit(a.h)
				}
				for _, m := range r.all {
					m.ask(row.read)
				}
				told := 0
				r.rows.On(row.point, func(ctx context.Context) error {
					if err := gqlcache.Commit(ctx); err != nil {
						t.Error(err)
					}
					for _, m := range []*instance{a, b} { // the subscriber
						told++
						if resp, _ := m.ask(row.read); !strings.Contains(resp.Body, `"New"`) {
							t.Errorf("after Commit: %s", resp.Body)
						}
					}
					return nil
				})
				before := r.fakeLog.number
				a.ask(row.document)
				if told != 2 {
					t.Fatalf("told %d", told)
				}
				if n := r.fakeLog.number - before; n != 2 {
					t.Errorf("%d records, want one at Commit and one at the end", n)
				}
				for _, m := range r.all { // the end drops what was stored since
					if _, status := m.ask(row.read); status == "HIT memory" {
						t.Error("kept over the mutation's end")
					}
				}
			})
		}
	}
	if err := gqlcache.Commit(t.Context()); !errors.Is(err, gqlcache.ErrNoOperation) {
		t.Errorf("%v", err)
	}
}

// TestReadBeforeTheHandler: what a middleware behind Handler, or behind the hold, has
// read of the request's user is as old as the request: it is not stored as if it had been
// read after a change that came since.
func TestReadBeforeTheHandler(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(*gqlcache.Cache, http.Handler) http.Handler{
		"Handler":         func(c *gqlcache.Cache, h http.Handler) http.Handler { return c.Handler(h) },
		"hold":            func(c *gqlcache.Cache, h http.Handler) http.Handler { return c.HoldUntilCommit(h) },
		"Handler outside": func(c *gqlcache.Cache, h http.Handler) http.Handler { return c.Handler(c.HoldUntilCommit(h)) },
		"Handler inside":  func(c *gqlcache.Cache, h http.Handler) http.Handler { return c.HoldUntilCommit(c.Handler(h)) },
		"another's outside": func(c *gqlcache.Cache, h http.Handler) http.Handler {
			return newCache(t, gqlcache.Options{}).Handler(c.Handler(h))
		},
	} {
		for _, upgrade := range []string{"", "h2c"} { // any client may send that
			t.Run(name+upgrade, func(t *testing.T) {
				t.Parallel()
				r := newInstances(t, 2)
				a, b := r.two()
				mutate := true
				h := wrap(a.cache, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
					if mutate { // the middleware has read the row, and then somebody changes it
						mutate = false
						b.ask(renameAnn)
					}
					q.Header.Del("Upgrade")
					a.h.ServeHTTP(w, q)
				}))
				q := post(t, "{userNames}", "application/json")
				if upgrade != "" {
					q.Header.Set("Upgrade", upgrade)
				}
				testgraph.Send(h, q)
				b.want("MISS", "New", "{userNames}") // it was not shared
				a.want("HIT shared", "New", "{userNames}")
			})
		}
	}
}

// TestHandlerWebsocket: a websocket's operations begin when they arrive.
func TestHandlerWebsocket(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	w := &wire{header: http.Header{}}
	q := post(t, readAnn, "application/json")
	q.Header.Set("Upgrade", "websocket")
	r.cache.Handler(http.HandlerFunc(func(hw http.ResponseWriter, q *http.Request) {
		if _, _, err := hw.(http.Hijacker).Hijack(); err != nil {
			t.Error(err)
		}
		r.send(renameAnn)
		for _, want := range []string{"MISS", "HIT"} {
			before := r.cache.Stats()
			testgraph.Send(r.cached, post(t, readAnn, "application/json").WithContext(q.Context()))
			if got := outcome(before, r.cache.Stats()); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	})).ServeHTTP(w, q)
}
