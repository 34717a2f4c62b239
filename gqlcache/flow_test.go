package gqlcache_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A call is a request in the background.
type call struct {
	done chan struct{}
	resp testgraph.Response
}

// start sends a request to the cached server in the background.
func (r *rig) start(ctx context.Context, document string) *call {
	c := &call{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.resp = testgraph.Do(r.t, ctx, r.cached, testgraph.Request{Query: expand(document)})
	}()
	return c
}

func (c *call) wait(t *testing.T) testgraph.Response {
	t.Helper()
	receive(t, c.done, "the answer")
	return c.resp
}

// receive waits for a channel to be closed.
func receive(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("timed out waiting for " + what)
	}
}

// send sends a request to the cached server alone.
func (r *rig) send(document string) testgraph.Response {
	r.t.Helper()
	return testgraph.Do(r.t, r.t.Context(), r.cached, testgraph.Request{Query: expand(document)})
}

// fresh fails unless the cached server answers what an uncached one over the same store
// does.
func (r *rig) fresh(document string) testgraph.Response {
	r.t.Helper()
	got := r.send(document)
	plain := testgraph.NewServer(r.store)
	want := testgraph.Do(r.t, r.t.Context(), plain, testgraph.Request{Query: expand(document)})
	if got.Body != want.Body {
		r.t.Errorf("%s\n   cached: %s\n uncached: %s", document, got.Body, want.Body)
	}
	return got
}

const (
	readAnn   = "{user(id:$Ann){name}}"
	readUsers = "{users{name}}"
	renameAnn = `mutation{renameUser(id:$Ann,name:"New")}`
)

// TestFillRace: a fill that read before a change must not be stored after it, and nobody
// who asks after the change's answer may join it.
func TestFillRace(t *testing.T) {
	t.Parallel()
	for level := range levels {
		for _, row := range []struct{ name, read, point, write string }{
			{"row", readAnn, "Query.user:done", renameAnn},
			{"list", readUsers, "Query.users:done", `mutation{createUser(input:{name:"Cid"}){id}}`},
			{"null", "{user(id:$Zed){name}}", "Query.user:done", `mutation{createUser(id:$Zed,input:{name:"Zed"}){id}}`},
			{"nested", "{post(id:$Hello){author{name}}}", "Post.author:done", renameAnn},
			{"scalar", "{userNames}", "Query.userNames:done", renameAnn},
			{"undeclared mutation", readAnn, "Query.user:done", `mutation{renameUndeclared(id:$Ann,name:"New")}`},
		} {
			t.Run(level+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				arrived := arrivals{"arrivals", make(chan struct{}, 10)}
				r := newRig(t, level, gqlcache.Options{}, arrived)
				latch := r.store.Block(row.point)
				slow := r.start(t.Context(), row.read)
				receive(t, latch.Reached, "the fill to have read")
				r.send(row.write)

				late := r.start(t.Context(), row.read) // must not take what the older flight gives
				for range 3 {
					<-arrived.at
				}
				latch.Release()
				old, now := slow.wait(t), late.wait(t)
				if old.Body == now.Body {
					t.Errorf("the late reader got the state before the change: %s", now.Body)
				}
				if got := r.fresh(row.read); got.Body != now.Body {
					t.Errorf("then %s, late reader %s", got.Body, now.Body)
				}
			})
		}
	}
}

// arrivals tells of every request that is about to meet the cache.
type arrivals struct {
	named
	at chan struct{}
}

func (a arrivals) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	select {
	case a.at <- struct{}{}:
	default:
	}
	return next(ctx)
}

// TestCoalescing: concurrent misses run the resolvers once.
func TestCoalescing(t *testing.T) {
	t.Parallel()
	arrived := arrivals{"arrivals", make(chan struct{}, 100)}
	r := newRig(t, "annotated", gqlcache.Options{}, arrived)
	latch := r.store.Block("Query.users")
	first := r.start(t.Context(), readUsers)
	receive(t, latch.Reached, "the first reader")
	var calls []*call
	for range 20 {
		calls = append(calls, r.start(t.Context(), readUsers))
	}
	for range 21 {
		<-arrived.at
	}
	latch.Release()
	want := first.wait(t)
	for _, c := range calls {
		if got := c.wait(t); got.Body != want.Body {
			t.Errorf("joined answer %s, want %s", got.Body, want.Body)
		}
	}
	if n := r.store.Calls("Query.users"); n != 1 {
		t.Errorf("%d resolver calls, want 1", n)
	}
	if s := r.cache.Stats(); s.Misses != 1 || s.Joined+s.Hits != 20 {
		t.Errorf("%d misses, %d joined, %d hits; want 1 and 20", s.Misses, s.Joined, s.Hits)
	}
}

// TestMissedFlight: a computation that ends between a request's look at the store and its
// own flight is not run again.
func TestMissedFlight(t *testing.T) {
	t.Parallel()
	m := newMapStore()
	r := newRig(t, "annotated", gqlcache.Options{Store: m})
	latch := r.store.Block("Query.users")
	first := r.start(t.Context(), readUsers)
	receive(t, latch.Reached, "the first reader")
	var late atomic.Bool
	m.hook = func(_ context.Context, call string) error {
		if call != "Get" || late.Swap(true) {
			return nil
		}
		latch.Release() // the second reader looks, and finds nothing yet
		first.wait(t)
		return store.ErrMiss
	}
	r.start(t.Context(), readUsers).wait(t)
	if n := r.store.Calls("Query.users"); n != 1 {
		t.Errorf("%d resolver calls, want 1", n)
	}
	if s := r.cache.Stats(); s.Misses != 1 || s.Hits != 1 {
		t.Errorf("%d misses, %d hits; want 1 and 1", s.Misses, s.Hits)
	}
}

// TestErrorsAreNotShared: a flight whose answer has errors gives it to nobody else.
func TestErrorsAreNotShared(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	latch := r.store.Block("Query.users")
	var once sync.Once
	r.store.On("Query.users", func(context.Context) (err error) {
		once.Do(func() { err = errors.New("only the first") })
		return err
	})
	first := r.start(t.Context(), readUsers)
	receive(t, latch.Reached, "the first reader")
	second := r.start(t.Context(), readUsers)
	latch.Release()
	a, b := first.wait(t), second.wait(t)
	if len(a.Errors) == 0 || len(b.Errors) > 0 {
		t.Errorf("first %s, second %s; want an error for the first only", a.Body, b.Body)
	}
}

// TestOutcomes: whatever becomes of a mutation, what it wrote is seen by whoever asks
// after it.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	fail := func(s *testgraph.Store) {
		s.On("Mutation.renameUser:done", func(context.Context) error { return errors.New("after the write") })
	}
	rows := []struct {
		name  string
		setup func(*testgraph.Store)
		write string
		fails bool
	}{
		{"success", func(*testgraph.Store) {}, renameAnn, false},
		{"error after the write", fail, renameAnn, true},
		{"panic after the write", func(s *testgraph.Store) {
			s.On("Mutation.renameUser:done", func(context.Context) error { panic("after the write") })
		}, renameAnn, true},
		{"partial result", func(*testgraph.Store) {}, `mutation{updateUser(id:$Ann,input:{name:"flaky"}){name flaky}}`, true},
		{"one of two fails", func(*testgraph.Store) {}, `mutation{renameUser(id:$Ann,name:"New") boom}`, true},
		{"failing field first", func(*testgraph.Store) {}, `mutation{boom renameUser(id:$Ann,name:"New")}`, true},
		{"panic of a marshaler", func(*testgraph.Store) {}, `mutation{updateUser(id:$Ann,input:{name:"panic"}){odd}}`, true},
		{"error in an undeclared one", func(s *testgraph.Store) {
			s.On("Mutation.renameUndeclared:done", func(context.Context) error { return errors.New("after the write") })
		}, `mutation{renameUndeclared(id:$Ann,name:"New")}`, true},
	}
	for level := range levels {
		for _, row := range rows {
			t.Run(level+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, level, gqlcache.Options{})
				row.setup(r.store)
				before := r.fresh(readAnn)
				if got := r.send(row.write); row.fails && len(got.Errors) == 0 {
					t.Fatalf("%s answered %s, want an error", row.write, got.Body)
				}
				if after := r.fresh(readAnn); after.Body == before.Body {
					t.Errorf("after %s still %s", row.write, after.Body)
				}
			})
		}
	}
}

// TestCancelledMutation: the client goes away, or its time is over, while the resolver
// has written.
func TestCancelledMutation(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		end  func(context.Context) (context.Context, context.CancelFunc)
	}{
		{"canceled", context.WithCancel},
		{"timed out", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 2*time.Second) // the write begins before
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			before := r.fresh(readAnn)
			latch := r.store.Block("Mutation.renameUser:done")
			ctx, cancel := row.end(t.Context())
			defer cancel()
			write := r.start(ctx, renameAnn)
			receive(t, latch.Reached, "the write")
			if row.name == "canceled" {
				cancel()
			}
			write.wait(t)
			if after := r.fresh(readAnn); after.Body == before.Body {
				t.Errorf("still %s", after.Body)
			}
		})
	}
}

// TestInvalidatesBeforeTheAnswer: the changes are applied before the response is handed
// on, not only before it is written.
func TestInvalidatesBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	var r *rig
	var seen []string
	outer := responses(func() { seen = append(seen, r.send(readAnn).Body) })
	r = newRig(t, "annotated", gqlcache.Options{}, outer)
	r.send(readAnn)
	seen = nil
	r.send(renameAnn)
	if len(seen) == 0 || !strings.Contains(seen[len(seen)-1], "New") {
		t.Errorf("an outer extension, holding the mutation's response, read %v", seen)
	}
}

// TestHangingPath: the context of a hidden resolver ends after PathTimeout, and its row
// is unknown: more falls.
func TestHangingPath(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{PathTimeout: time.Millisecond})
	latch := r.store.Block("PostPayload.post")
	defer latch.Release()
	r.run("annotated", []string{"MISS: {post(id:$Zed){name}}", "MISS: {posts{name}}", "MISS: {user(id:$Bob){name}}"})
	got := r.send(`mutation{createPost(id:$Zed,authorId:$Bob,name:"New"){ok}}`)
	if string(got.Data) != `{"createPost":{"ok":true}}` {
		t.Errorf("answer %s", got.Body)
	}
	for _, read := range []string{"{post(id:$Zed){name}}", "{posts{name}}"} {
		if got := r.fresh(read); !strings.Contains(got.Body, "New") {
			t.Errorf("%s answers %s", read, got.Body)
		}
	}
	hits := r.cache.Stats().Hits
	if r.send("{user(id:$Bob){name}}"); r.cache.Stats().Hits != hits+1 {
		t.Error("a write of unknown posts dropped a user")
	}
}

// TestHiddenFieldsFailQuietly: whatever a resolver does that runs only for the cache, the
// client does not see it, and more falls.
func TestHiddenFieldsFailQuietly(t *testing.T) {
	t.Parallel()
	for name, hook := range map[string]func(context.Context) error{
		"error":     func(context.Context) error { return errors.New("hidden") },
		"panic":     func(context.Context) error { panic("hidden") },
		"added":     func(ctx context.Context) error { graphql.AddErrorf(ctx, "hidden"); return nil },
		"extension": func(ctx context.Context) error { graphql.RegisterExtension(ctx, "hidden", 1); return nil },
		"end of the goroutine": func(context.Context) error {
			runtime.Goexit()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			r.store.On("PostPayload.post", hook)
			r.run("annotated", []string{
				"MISS: {posts{name}}", "MISS: {post(id:$Zed){name}}",
				`mutation{createPost(id:$Zed,authorId:$Bob,name:"New"){ok}}`, "MISS: {posts{name}}", "MISS: {post(id:$Zed){name}}"})
		})
	}
}

// TestHiddenFieldsBelowAPath: what a hidden resolver returns is resolved with a live
// context.
func TestHiddenFieldsBelowAPath(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.run("annotated", []string{"MISS: {post(id:$Hello){name}}", "MISS: {userStats(userId:$Ann){posts}}"})
	r.store.On("Post.author", func(ctx context.Context) error { return ctx.Err() })
	// The author's id is read behind two hidden resolvers; were it unknown, all stats
	// would fall.
	r.run("annotated", []string{`mutation{createPost(authorId:$Bob,name:"New"){ok}}`, "KEPT: {userStats(userId:$Ann){posts}}", "KEPT: {post(id:$Hello){name}}"})
}

// TestNothingWritten: a refused mutation drops nothing of what it declares, an undeclared
// one nothing.
func TestNothingWritten(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"renameUser", "renameUndeclared"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			refuse := func(ctx context.Context) error {
				return errors.Join(gqlcache.NothingWritten(ctx), errors.New("refused"))
			}
			for _, s := range []*testgraph.Store{r.store, r.twin} {
				s.On("Mutation."+field, refuse)
			}
			r.twin.On("Mutation."+field, func(context.Context) error {
				return errors.Join(nil, errors.New("refused"))
			})
			r.run("annotated", []string{"MISS: " + readAnn, `mutation{x:` + field + `(id:$Ann,name:"New")}`, "HIT: " + readAnn})
			r.store.On("Mutation."+field, nil)
			r.twin.On("Mutation."+field, nil)
			// Another field of the same operation counts.
			r.run("annotated", []string{`mutation{a:` + field + `(id:$Ann,name:"New") b:renameUser(id:$Ann,name:"Newer")}`, "MISS: " + readAnn})
		})
	}
}

// TestTouch: a change that the schema does not tell, from wherever it is made.
func TestTouch(t *testing.T) {
	t.Parallel()
	touch := func(t *testing.T, ctx context.Context) {
		t.Helper()
		if err := gqlcache.Touch(ctx, "User", testgraph.Ann); err != nil {
			t.Error(err)
		}
	}
	t.Run("in a mutation", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		r.send(readAnn)
		r.store.On("Mutation.log", func(ctx context.Context) error { r.rename(ctx); touch(t, ctx); return nil })
		r.send("mutation{log}")
		r.mustSee("New")
	})
	t.Run("in a query", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		r.send(readAnn)
		r.store.On("Query.userCount", func(ctx context.Context) error { r.rename(ctx); touch(t, ctx); return nil })
		r.send("{userCount}")
		r.mustSee("New")
	})
	for _, accept := range []string{"application/json", "text/event-stream", "multipart/mixed"} {
		t.Run("after the mutation, "+accept, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			var after context.Context
			r.store.On("Mutation.log", func(ctx context.Context) error { after = ctx; return nil })
			testgraph.Do(t, t.Context(), r.cached, testgraph.Request{Query: "mutation{log}", Header: map[string]string{"Accept": accept}})
			r.send(readAnn)
			r.rename(after)
			touch(t, after)
			r.mustSee("New")
		})
	}
	t.Run("unknown type", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		var err error
		r.store.On("Mutation.log", func(ctx context.Context) error { err = gqlcache.Touch(ctx, "Usr", 1); return nil })
		r.send("mutation{log}")
		if !errors.Is(err, gqlcache.ErrUnknownName) {
			t.Errorf("Touch = %v, want ErrUnknownName", err)
		}
	})
	t.Run("outside", func(t *testing.T) {
		t.Parallel()
		if err := gqlcache.Touch(t.Context(), "User", "1"); !errors.Is(err, gqlcache.ErrNoOperation) {
			t.Errorf("Touch = %v, want ErrNoOperation", err)
		}
		if err := gqlcache.NothingWritten(t.Context()); !errors.Is(err, gqlcache.ErrNoOperation) {
			t.Errorf("NothingWritten = %v, want ErrNoOperation", err)
		}
	})
}

// rename changes Ann behind the cache's back.
func (r *rig) rename(ctx context.Context) {
	plain := testgraph.NewServer(r.store)
	testgraph.Do(r.t, context.WithoutCancel(ctx), plain, testgraph.Request{Query: expand(renameAnn)})
}

func (r *rig) mustSee(text string) {
	r.t.Helper()
	if got := r.fresh(readAnn); !strings.Contains(got.Body, text) {
		r.t.Errorf("answer %s, want %q in it", got.Body, text)
	}
}

// TestReport: what a resolver knows better than the schema.
func TestReport(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	var err error
	report := func(ctx context.Context) error {
		err = gqlcache.Report(ctx, gqlcache.Unchanged("User", testgraph.Ann))
		return nil
	}
	r.store.On("Mutation.renameUsers", report)
	r.run("annotated", []string{
		"MISS: {user(id:$Ann){name}}", "MISS: {user(id:$Bob){name}}", `mutation{renameUsers(ids:[$Ann,$Bob],name:"Ann")}`,
		"HIT: {user(id:$Ann){name}}", "MISS: {user(id:$Bob){name}}"})
	if err != nil {
		t.Error(err)
	}
	r.store.On("Mutation.renameUsers", nil)
	r.run("annotated", []string{`mutation{renameUsers(ids:[$Ann],name:"A")}`, "MISS: {user(id:$Ann){name}}"})
	// A row that no write names is a change of its own.
	r.store.On("Mutation.log", func(ctx context.Context) error {
		r.rename(ctx)
		err = gqlcache.Report(ctx, gqlcache.Moved("User", testgraph.Ann, "name", "A", "New"))
		return nil
	})
	r.send("mutation{log}")
	if err != nil {
		t.Error(err)
	}
	r.mustSee("New")
	if err := gqlcache.Report(t.Context(), gqlcache.Unchanged("User", testgraph.Ann)); !errors.Is(err, gqlcache.ErrNoOperation) {
		t.Errorf("Report outside of an operation = %v, want ErrNoOperation", err)
	}
}
