package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// A values is a cache over the test schema, for values that a program computes.
type valuesRig struct {
	*rig
	calls atomic.Int64
}

func newValues(t *testing.T, o gqlcache.Options) *valuesRig {
	t.Helper()
	if o.Predicate == nil {
		o.Predicate = whosePredicate
	}
	return &valuesRig{rig: newRig(t, "annotated", o)}
}

// newPartitioned is newValues over a schema whose users and banners belong to tenants: the
// tenant of a caller is his name.
func newPartitioned(t *testing.T) *valuesRig {
	t.Helper()
	r := &valuesRig{rig: &rig{t: t, store: testgraph.NewStore(), twin: testgraph.NewStore()}}
	r.cache = newCache(t, gqlcache.Options{Predicate: whosePredicate, Partition: who})
	r.cached = testgraph.Serve(partitioned(r.store), r.cache)
	r.plain = testgraph.Serve(partitioned(r.twin))
	return r
}

type whoKey struct{}

// who tells who asks: what the test's middleware has put into the context, or the header of
// an operation.
func who(ctx context.Context) string {
	if name, ok := ctx.Value(whoKey{}).(string); ok {
		return name
	}
	if graphql.HasOperationContext(ctx) {
		return graphql.GetOperationContext(ctx).Headers.Get("X-Viewer")
	}
	return ""
}

func whosePredicate(ctx context.Context) (gqlcache.Predicate, error) {
	return gqlcache.Predicate{Text: "caller " + who(ctx)}, nil
}

// job is a call outside of requests, for all. It returns what the function returned, or
// what was kept of an earlier call, and whether the function ran.
func (r *valuesRig) job(key gqlcache.Key, value int, opts ...gqlcache.ComputeOption) (got int, ran bool) {
	r.t.Helper()
	got, err := gqlcache.Compute(r.t.Context(), r.cache, key, func(context.Context) (int, error) {
		ran = true
		return value, nil
	}, append([]gqlcache.ComputeOption{gqlcache.ForAll()}, opts...)...)
	if err != nil {
		r.t.Fatal(err)
	}
	return got, ran
}

// wantJob fails unless a job gets a value, and its function runs or not.
func (r *valuesRig) wantJob(key gqlcache.Key, value, want int, ran bool, opts ...gqlcache.ComputeOption) {
	r.t.Helper()
	if got, did := r.job(key, value, opts...); got != want || did != ran {
		r.t.Errorf("%v: got %d, computed %v; want %d, %v", key, got, did, want, ran)
	}
}

func (r *valuesRig) invalidate(changes ...gqlcache.Change) {
	r.t.Helper()
	if err := r.cache.Invalidate(r.t.Context(), changes...); err != nil {
		r.t.Fatal(err)
	}
}

// within calls f within a request: in a handler that Cache.Handler is around.
func (r *valuesRig) within(viewer string, f func(ctx context.Context)) {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), http.MethodGet, "/rest", nil)
	h := r.cache.Handler(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { f(context.WithValue(req.Context(), whoKey{}, viewer)) }))
	h.ServeHTTP(httptest.NewRecorder(), req)
}

// TestComputed: a value is kept until something changes that it is declared to read, and
// no longer.
func TestComputed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		reads gqlcache.ComputeOption
		drops []gqlcache.Change
		keeps []gqlcache.Change
	}{
		{
			"a row", gqlcache.Reads(gqlcache.Entity("User", testgraph.Ann)),
			[]gqlcache.Change{gqlcache.Entity("User", testgraph.Ann), gqlcache.View("User"), gqlcache.View("v_user"), gqlcache.Everything()},
			[]gqlcache.Change{gqlcache.Entity("User", testgraph.Bob), gqlcache.View("Post"), gqlcache.Tag("pricing"), gqlcache.Operation("x")},
		},
		{
			"a view", gqlcache.Reads(gqlcache.View("v_user")),
			[]gqlcache.Change{gqlcache.Entity("User", testgraph.Bob), gqlcache.View("User")},
			[]gqlcache.Change{gqlcache.Entity("Post", testgraph.Hello), gqlcache.View("Comment")},
		},
		{
			"rows with a value", gqlcache.Reads(gqlcache.Where("Comment", "post.id", testgraph.Hello)),
			[]gqlcache.Change{gqlcache.Where("Comment", "post.id", testgraph.Hello), gqlcache.View("Comment")},
			[]gqlcache.Change{gqlcache.View("User")},
		},
		{
			"a tag", gqlcache.Reads(gqlcache.Tag("pricing")),
			[]gqlcache.Change{gqlcache.Tag("pricing"), gqlcache.Everything(), gqlcache.Computed("board")},
			[]gqlcache.Change{gqlcache.Tag("Pricing"), gqlcache.View("User"), gqlcache.Computed("other"), gqlcache.Operation("pricing"), gqlcache.Operation("board")},
		},
		{
			"nothing", gqlcache.Reads(),
			[]gqlcache.Change{gqlcache.Everything(), gqlcache.Computed("board")},
			[]gqlcache.Change{gqlcache.View("User"), gqlcache.Tag("pricing")},
		},
		{
			"anything", gqlcache.ForAll(), // said twice: nothing is declared
			[]gqlcache.Change{gqlcache.View("User"), gqlcache.Tag("x"), gqlcache.Entity("Post", "p9")},
			[]gqlcache.Change{gqlcache.Operation("x"), gqlcache.Computed("other")},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newValues(t, gqlcache.Options{})
			key := gqlcache.KeyOf("board").Arg("limit", 10)
			for i, change := range row.drops {
				r.wantJob(key, i, i, true, row.reads)
				r.wantJob(key, -1, i, false, row.reads)
				r.invalidate(change)
			}
			r.wantJob(key, 100, 100, true, row.reads)
			for _, change := range row.keeps {
				r.invalidate(change)
				r.wantJob(key, -1, 100, false, row.reads)
			}
		})
	}
}

// TestWhereReachesAnswers: a change of rows with a value reaches the answers that depend on
// them, by the declarations of the schema.
func TestWhereReachesAnswers(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	comments := testgraph.Request{Query: expand(`{ post(id: $Hello) { comments { text } } }`)}
	for range 2 {
		if _, got := r.do(comments); got != "MISS" {
			t.Errorf("%s, want MISS", got)
		}
		r.invalidate(gqlcache.Where("User", "name", "x"))
		if _, got := r.do(comments); got != "HIT" {
			t.Errorf("%s, want HIT", got)
		}
		r.invalidate(gqlcache.Where("Comment", "post.id", testgraph.Hello))
	}
	for _, change := range []gqlcache.Change{gqlcache.Where("Comment", "nothing", 1), gqlcache.Where("Nothing", "id", 1)} {
		if err := r.cache.Invalidate(t.Context(), change); !errors.Is(err, gqlcache.ErrUnknownName) {
			t.Errorf("%v: %v", change, err)
		}
	}
	if err := r.cache.Invalidate(t.Context(), gqlcache.Where("Comment", "post.id", struct{}{})); err == nil {
		t.Error("a value that has no text is taken")
	}
}

// TestComputedByMutations: mutations drop values as they drop answers: by row, and by the
// values that their rows have.
func TestComputedByMutations(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	ann, comments := gqlcache.KeyOf("ann"), gqlcache.KeyOf("comments").Arg("post", testgraph.Hello)
	readsAnn, readsComments := gqlcache.Reads(gqlcache.Entity("User", testgraph.Ann)), gqlcache.Reads(gqlcache.Where("Comment", "post.id", testgraph.Hello))
	r.wantJob(ann, 1, 1, true, readsAnn)
	r.wantJob(comments, 1, 1, true, readsComments)
	r.do(testgraph.Request{Query: expand(`mutation { renameUser(id: $Bob, name: "x") }`)})
	r.do(testgraph.Request{Query: expand(`mutation { addComment(id: "c8", postId: "other", text: "x") { id } }`)})
	r.wantJob(ann, 2, 1, false, readsAnn)
	r.wantJob(comments, 2, 1, false, readsComments)
	r.do(testgraph.Request{Query: expand(`mutation { addComment(id: "c9", postId: $Hello, text: "x") { id } }`)})
	r.wantJob(comments, 2, 2, true, readsComments)
	r.wantJob(ann, 2, 1, false, readsAnn)
	r.do(testgraph.Request{Query: expand(`mutation { renameUser(id: $Ann, name: "x") }`)})
	r.wantJob(ann, 2, 2, true, readsAnn)
}

// TestComputedKeys: a key has name, tenant and arguments, and two keys that differ in one
// never share a value.
func TestComputedKeys(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	keys := []gqlcache.Key{
		gqlcache.KeyOf("a"), gqlcache.KeyOf("b"), gqlcache.KeyOf("a").Tenant("b"), gqlcache.KeyOf("a").Tenant("c"),
		gqlcache.KeyOf("a").Arg("b", ""), gqlcache.KeyOf("a").Arg("", "b"), gqlcache.KeyOf("a").Arg("b", nil),
		gqlcache.KeyOf("a").Arg("n", 1), gqlcache.KeyOf("a").Arg("n", "1"), gqlcache.KeyOf("a").Arg("n", 1.0), gqlcache.KeyOf("a").Arg("n", true),
		gqlcache.KeyOf("a").Arg("n", []int{1}), gqlcache.KeyOf("a").Arg("n", []byte{1}), gqlcache.KeyOf("a").Arg("n", 1).Arg("m", 2), gqlcache.KeyOf("a").Arg("m", 2).Arg("n", 1),
		gqlcache.KeyOf("a").Arg("l", []string{"a", "b"}), gqlcache.KeyOf("a").Arg("l", []string{"ab"}), gqlcache.KeyOf("a").Arg("l", "a").Arg("l", "b"),
		gqlcache.KeyOf("a").Arg("long", fmt.Sprint(make([]int, 300))), gqlcache.KeyOf("a").Arg("long", fmt.Sprint(make([]int, 301))),
	}
	for i, key := range keys {
		r.wantJob(key, i, i, true)
	}
	for i, key := range keys {
		r.wantJob(key, -1, i, false)
	}
	type id string
	n := int64(1)
	for _, same := range []gqlcache.Key{
		gqlcache.KeyOf("a").Arg("n", uint8(1)), gqlcache.KeyOf("a").Arg("n", &n), gqlcache.KeyOf("a").Arg("n", time.Duration(1)),
	} {
		r.wantJob(same, -1, 7, false)
	}
	r.wantJob(gqlcache.KeyOf("a").Arg("n", id("1")), -1, 8, false)
}

// TestComputedBadCalls: what is wrong with a call is an error where it is first made, the
// function does not run, and nothing is kept.
func TestComputedBadCalls(t *testing.T) {
	t.Parallel()
	type hidden struct {
		Shown  int
		secret []int
	}
	_ = hidden{}.secret
	key := gqlcache.KeyOf("board")
	for _, row := range []struct {
		name string
		call func(ctx context.Context, c *gqlcache.Cache, ran *bool) error
		want error
	}{
		{"no name", callOf[int](gqlcache.KeyOf("")), gqlcache.ErrKey},
		{"the zero key", callOf[int](gqlcache.Key{}), gqlcache.ErrKey},
		{"no tenant", callOf[int](key.Tenant("")), gqlcache.ErrKey},
		{"an argument that is a struct", callOf[int](key.Arg("at", struct{ a int }{1})), gqlcache.ErrKey},
		{"an argument that is a function", callOf[int](key.Arg("f", func() {})), gqlcache.ErrKey},
		{"an argument that is no number", callOf[int](key.Arg("f", []float64{nan})), gqlcache.ErrKey},
		{"a negative age", callOf[int](key, gqlcache.TTL(-1)), gqlcache.ErrKey},
		{"no codec", callOf[int](key, gqlcache.WithCodec(nil)), gqlcache.ErrKey},
		{"an empty option", callOf[int](key, gqlcache.ComputeOption{}), gqlcache.ErrKey},
		{"an unknown view", callOf[int](key, gqlcache.Reads(gqlcache.View("Usr"))), gqlcache.ErrUnknownName},
		{"an unknown type", callOf[int](key, gqlcache.Reads(gqlcache.Entity("Usr", 1))), gqlcache.ErrUnknownName},
		{"an unknown column", callOf[int](key, gqlcache.Reads(gqlcache.Where("Post", "state", 1))), gqlcache.ErrUnknownName},
		{"an operation", callOf[int](key, gqlcache.Reads(gqlcache.Operation("x"))), gqlcache.ErrUnknownName},
		{"a type with unexported fields", callOf[hidden](key), gqlcache.ErrCodec},
		{"a type that is an interface", callOf[[]any](key), gqlcache.ErrCodec},
		{"a type with a function", callOf[struct{ F func() }](key), gqlcache.ErrCodec},
		{"a type with a field that is left out", callOf[struct {
			A []int `json:"-"`
		}](key), gqlcache.ErrCodec},
		{"no function", func(ctx context.Context, c *gqlcache.Cache, _ *bool) error {
			_, err := gqlcache.Compute[int](ctx, c, key, nil, gqlcache.ForAll())
			return err
		}, gqlcache.ErrKey},
		{"no cache", func(ctx context.Context, _ *gqlcache.Cache, ran *bool) error {
			return callOf[int](key)(ctx, nil, ran)
		}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newValues(t, gqlcache.Options{})
			for range 2 {
				ran := false
				err := row.call(t.Context(), r.cache, &ran)
				if err == nil || row.want != nil && !errors.Is(err, row.want) {
					t.Errorf("got %v, want %v", err, row.want)
				}
				if ran {
					t.Error("the function ran")
				}
				t.Log(err)
			}
			if s := r.cache.Stats(); s.Entries != 0 {
				t.Errorf("%d entries", s.Entries)
			}
		})
	}
}

var nan = func() float64 { zero := 0.0; return zero / zero }()

func callOf[T any](key gqlcache.Key, opts ...gqlcache.ComputeOption) func(context.Context, *gqlcache.Cache, *bool) error {
	return func(ctx context.Context, c *gqlcache.Cache, ran *bool) error {
		_, err := gqlcache.Compute(ctx, c, key, func(context.Context) (v T, err error) { *ran = true; return v, nil }, append(opts, gqlcache.ForAll())...)
		return err
	}
}

// lossy is a codec that brings back something else.
type lossy struct{ panics bool }

func (l lossy) Marshal(any) ([]byte, error) {
	if l.panics {
		panic("lossy")
	}
	return []byte("x"), nil
}

func (lossy) Unmarshal(_ []byte, v any) error {
	*v.(*[]int) = []int{1} //nolint:forcetypeassert // its tests have no other type
	return nil
}

// TestComputedCallers: within a request a value is for callers with the same predicate, and
// for all only if the call says so; outside of requests somebody must say who shares it.
func TestComputedCallers(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{Vary: func(ctx context.Context) []string { return []string{language(ctx)} }})
	mine := func(ctx context.Context, opts ...gqlcache.ComputeOption) string {
		got, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("mine").Arg("limit", 10), func(ctx context.Context) (string, error) {
			return who(ctx), nil
		}, append(opts, gqlcache.Reads())...)
		if err != nil {
			t.Error(err)
		}
		return got
	}
	for range 2 {
		for _, viewer := range []string{"ann", "bob", ""} {
			r.within(viewer, func(ctx context.Context) {
				if got := mine(ctx); got != viewer {
					t.Errorf("%q gets the value of %q", viewer, got)
				}
				if got := mine(context.WithValue(ctx, languageKey{}, "de")); got != viewer {
					t.Errorf("%q gets the value of %q in German", viewer, got)
				}
			})
		}
	}
	if s := valueStats(r.cache, "mine"); s.Misses != 6 || s.Hits != 6 {
		t.Errorf("%+v", s)
	}
	r.within("ann", func(ctx context.Context) { mine(ctx, gqlcache.ForAll()) })
	for _, viewer := range []string{"bob", ""} {
		r.within(viewer, func(ctx context.Context) {
			if got := mine(ctx, gqlcache.ForAll()); got != "ann" {
				t.Errorf("a value for all is %q", got)
			}
		})
	}
	if got := mine(t.Context(), gqlcache.ForAll()); got != "ann" {
		t.Errorf("a job gets %q", got)
	}
	// A job sees everything. Its context has no caller, as that of an anonymous request.
	err := callOfOnly(t.Context(), r.cache, gqlcache.KeyOf("mine").Arg("limit", 10))
	if !errors.Is(err, gqlcache.ErrCallers) {
		t.Errorf("a job without ForAll: %v", err)
	}
}

type languageKey struct{}

func language(ctx context.Context) string {
	s, _ := ctx.Value(languageKey{}).(string)
	return s
}

func callOfOnly(ctx context.Context, c *gqlcache.Cache, key gqlcache.Key, opts ...gqlcache.ComputeOption) error {
	_, err := gqlcache.Compute(ctx, c, key, func(context.Context) (int, error) { return 1, nil }, opts...)
	return err
}

func valueStats(c *gqlcache.Cache, name string) gqlcache.ComputedStats {
	for _, s := range c.ComputedStats() {
		if s.Name == name {
			return s
		}
	}
	return gqlcache.ComputedStats{}
}

// TestComputedTenants: within a request the tenant of a key is the caller's, unless the
// call says AnyTenant; what a job computes for a tenant is not a caller's; and a
// partitioned view is read under a tenant only.
func TestComputedTenants(t *testing.T) {
	t.Parallel()
	r := newPartitioned(t)
	key := gqlcache.KeyOf("sales")
	inTenant := func(own, asked string, opts ...gqlcache.ComputeOption) (got string, err error) {
		r.within(own, func(ctx context.Context) {
			got, err = gqlcache.Compute(ctx, r.cache, key.Tenant(asked), func(ctx context.Context) (string, error) {
				return who(ctx), nil
			}, append(opts, gqlcache.Reads(gqlcache.View("v_user")))...)
		})
		return got, err
	}
	for _, row := range []struct {
		own, asked string
		opts       []gqlcache.ComputeOption
		want       string
		fails      bool
	}{
		{"a", "a", nil, "a", false},
		{"b", "b", nil, "b", false},
		{"b", "a", nil, "", true},
		{"b", "a", []gqlcache.ComputeOption{gqlcache.ForAll()}, "", true},
		{"", "a", nil, "", true},
		{"b", "a", []gqlcache.ComputeOption{gqlcache.AnyTenant()}, "b", false}, // b's own sight of a
		{"a", "a", []gqlcache.ComputeOption{gqlcache.ForAll()}, "a", false},
		{"b", "a", []gqlcache.ComputeOption{gqlcache.ForAll(), gqlcache.AnyTenant()}, "a", false},
	} {
		got, err := inTenant(row.own, row.asked, row.opts...)
		if got != row.want || errors.Is(err, gqlcache.ErrTenant) != row.fails {
			t.Errorf("%q asks for %q: %q, %v", row.own, row.asked, got, err)
		}
	}
	if err := callOfOnly(t.Context(), r.cache, key, gqlcache.ForAll(), gqlcache.Reads(gqlcache.View("v_user"))); !errors.Is(err, gqlcache.ErrTenant) {
		t.Errorf("a partitioned view without a tenant: %v", err)
	}
	_, err := gqlcache.Compute(t.Context(), r.cache, key, func(ctx context.Context) (int, error) {
		return 1, gqlcache.Read(ctx, gqlcache.Entity("User", "u1"))
	}, gqlcache.ForAll())
	if !errors.Is(err, gqlcache.ErrTenant) {
		t.Errorf("a partitioned view, read without a tenant: %v", err)
	}
	// A tenant's change drops its own values, one from outside of all drops everybody's.
	jobA, jobB := key.Tenant("a").Arg("job", 1), key.Tenant("b").Arg("job", 1)
	reads := gqlcache.Reads(gqlcache.View("v_user"))
	r.wantJob(jobA, 1, 1, true, reads)
	r.wantJob(jobB, 1, 1, true, reads)
	r.do(testgraph.Request{Query: `mutation { createUser(input: {name: "New"}) { name } }`, Header: map[string]string{"X-Viewer": "a"}})
	r.wantJob(jobA, 2, 2, true, reads)
	r.wantJob(jobB, 2, 1, false, reads)
	r.invalidate(gqlcache.View("v_user"))
	r.wantJob(jobB, 2, 2, true, reads)
}

// TestComputedOverChanges: a value is not kept when something that it reads is changed
// while it is computed, whether by an invalidation, a mutation, or Delete; and nothing is
// kept of a value that says so itself.
func TestComputedOverChanges(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	reads := gqlcache.Reads(gqlcache.Entity("User", testgraph.Ann))
	late := make(chan context.Context, 1)
	for _, row := range []struct {
		name   string
		during func(ctx context.Context) error
		kept   bool
	}{
		{"nothing", func(context.Context) error { return nil }, true},
		{"an invalidation", func(ctx context.Context) error {
			return r.cache.Invalidate(ctx, gqlcache.Entity("User", testgraph.Ann))
		}, false},
		{"another row's", func(ctx context.Context) error {
			return r.cache.Invalidate(ctx, gqlcache.Entity("User", testgraph.Bob))
		}, true},
		{"a mutation", func(context.Context) error {
			r.do(testgraph.Request{Query: expand(`mutation { renameUser(id: $Ann, name: "x") }`)})
			return nil
		}, false},
		{"a removal of the value", func(ctx context.Context) error {
			_, err := gqlcache.Delete(ctx, r.cache, gqlcache.KeyOf("over").Arg("row", "a removal of the value"), gqlcache.ForAll())
			return err
		}, false},
		{"DoNotStore", gqlcache.DoNotStore, false},
		{"MaxAge", func(ctx context.Context) error { return gqlcache.MaxAge(ctx, 0) }, false},
		{"Private of a value for all", gqlcache.Private, false},
		{"an error", func(context.Context) error { return errors.New("failed") }, false},
		{"a read that is changed", func(ctx context.Context) error {
			return errors.Join(gqlcache.Read(ctx, gqlcache.Tag("prices")), r.cache.Invalidate(ctx, gqlcache.Tag("prices")))
		}, false},
		{"a read that comes later", func(ctx context.Context) error {
			late <- ctx
			return nil
		}, true},
	} {
		key := gqlcache.KeyOf("over").Arg("row", row.name)
		compute := func(during func(context.Context) error) (ran bool) {
			_, _ = gqlcache.Compute(t.Context(), r.cache, key, func(ctx context.Context) (int, error) {
				ran = true
				return 1, during(ctx)
			}, reads, gqlcache.ForAll())
			return ran
		}
		compute(row.during)
		if kept := !compute(func(context.Context) error { return nil }); kept != row.kept {
			t.Errorf("%s: kept %v, want %v", row.name, kept, row.kept)
		}
		select {
		case ctx := <-late: // it is said of a value that is kept
			if err := gqlcache.Read(ctx, gqlcache.Tag("late")); !errors.Is(err, gqlcache.ErrLate) {
				t.Errorf("late: %v", err)
			}
			if !compute(func(context.Context) error { return nil }) {
				t.Error("a value is served of which something was said later")
			}
		default:
		}
	}
}

// TestComputedReads: what a function says with Read counts beside what is declared.
func TestComputedReads(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	key := gqlcache.KeyOf("reads")
	compute := func(read ...gqlcache.Change) (ran bool) {
		_, err := gqlcache.Compute(t.Context(), r.cache, key, func(ctx context.Context) (int, error) {
			ran = true
			return 1, gqlcache.Read(ctx, read...)
		}, gqlcache.ForAll())
		if err != nil {
			t.Fatal(err)
		}
		return ran
	}
	compute(gqlcache.Tag("a"), gqlcache.Entity("User", testgraph.Ann))
	r.invalidate(gqlcache.Tag("b"), gqlcache.Entity("User", testgraph.Bob))
	if compute() {
		t.Error("it does not depend on anything, since it has said what it reads")
	}
	for _, change := range []gqlcache.Change{gqlcache.Tag("a"), gqlcache.Entity("User", testgraph.Ann)} {
		r.invalidate(change)
		if !compute(gqlcache.Tag("a"), gqlcache.Entity("User", testgraph.Ann)) {
			t.Errorf("%v does not reach it", change)
		}
	}
	for _, ctx := range []context.Context{t.Context(), nil} {
		if err := gqlcache.Read(ctx, gqlcache.Tag("a")); !errors.Is(err, gqlcache.ErrNoOperation) {
			t.Errorf("outside: %v", err)
		}
	}
	if err := callOf[int](key)(t.Context(), r.cache, new(bool)); err != nil {
		t.Fatal(err)
	}
	_, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("wrong"), func(ctx context.Context) (int, error) {
		return 1, gqlcache.Read(ctx, gqlcache.View("nothing"))
	}, gqlcache.ForAll())
	if !errors.Is(err, gqlcache.ErrUnknownName) {
		t.Errorf("an unknown view: %v", err)
	}
}

// TestComputedLeavesByItself: what has expired does not stay in memory until somebody asks.
func TestComputedLeavesByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newValues(t, gqlcache.Options{SweepInterval: -1})
		if _, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("short"), func(context.Context) (int, error) { return 1, nil },
			gqlcache.ForAll(), gqlcache.Reads(), gqlcache.TTL(time.Second)); err != nil {
			t.Fatal(err)
		}
		if n := r.cache.Stats().Tiers[0].Entries; n != 1 {
			t.Fatalf("%d entries", n)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if tier := r.cache.Stats().Tiers[0]; tier.Entries != 0 || tier.Expirations != 1 {
			t.Errorf("%d entries, %d have expired", tier.Entries, tier.Expirations)
		}
	})
}

// TestComputedNested: a value depends on all that the values depend on which it is made of,
// also where they are found, and expires with them.
func TestComputedNested(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	var clock sync.Mutex
	r := newValues(t, gqlcache.Options{Jitter: -1, Now: func() time.Time { clock.Lock(); defer clock.Unlock(); return now }})
	pass := func(d time.Duration) { clock.Lock(); defer clock.Unlock(); now = now.Add(d) }
	inner := func(ctx context.Context) (int, error) {
		return gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("inner"), func(context.Context) (int, error) {
			return int(r.calls.Add(1)), nil
		}, gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("inner")), gqlcache.TTL(time.Minute))
	}
	outer := func(name string) (got int) {
		got, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf(name), inner, gqlcache.ForAll(), gqlcache.Reads(), gqlcache.TTL(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if a, b := outer("computes"), outer("finds"); a != 1 || b != 1 {
		t.Fatalf("got %d, %d", a, b)
	}
	r.invalidate(gqlcache.Tag("inner"))
	if a, b := outer("computes"), outer("finds"); a != 2 || b != 2 {
		t.Errorf("after a change that the inner value reads: %d, %d", a, b)
	}
	pass(30 * time.Second)
	if got := outer("later"); got != 2 {
		t.Errorf("got %d", got)
	}
	pass(31 * time.Second)
	if a, b, c := outer("computes"), outer("finds"), outer("later"); a != 3 || b != 3 || c != 3 {
		t.Errorf("after the inner value has expired: %d, %d, %d", a, b, c)
	}
	// A value of the caller's is no part of one that is for all.
	for _, viewer := range []string{"ann", "bob"} {
		r.within(viewer, func(ctx context.Context) {
			got, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("wide"), func(ctx context.Context) (string, error) {
				return gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("narrow"), func(ctx context.Context) (string, error) {
					return who(ctx), nil
				}, gqlcache.Reads())
			}, gqlcache.ForAll(), gqlcache.Reads())
			if err != nil || got != viewer {
				t.Errorf("%s gets %q, %v", viewer, got, err)
			}
		})
	}
	// An operation within a function does not tell what its answer depends on.
	runs := 0
	for range 2 {
		_, _ = gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("asks"), func(ctx context.Context) (int, error) {
			runs++
			testgraph.Do(t, ctx, r.cached, testgraph.Request{Query: `{ counter(id: 1) { value } }`})
			return runs, nil
		}, gqlcache.ForAll(), gqlcache.Reads())
	}
	if runs != 2 {
		t.Errorf("a value is kept that an operation's answer is a part of: %d, %+v", runs, valueStats(r.cache, "asks"))
	}
}

// TestComputedForAnswers: an answer depends on the values that its resolvers have got, by a
// hit too, expires with them, and is not for all when they are the caller's.
func TestComputedForAnswers(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	r.store.On("Query.counter", func(ctx context.Context) error {
		_, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("rate"), func(context.Context) (int64, error) {
			return r.calls.Add(1), nil
		}, gqlcache.Reads(gqlcache.Tag("rates"), gqlcache.Entity("User", testgraph.Ann)))
		return err
	})
	const counter = `{ counter(id: 1) { value } }`
	want := func(status string, calls int64) {
		t.Helper()
		if _, got := r.do(testgraph.Request{Query: counter}); got != status || r.calls.Load() != calls {
			t.Errorf("%s, %d calls; want %s, %d", got, r.calls.Load(), status, calls)
		}
	}
	want("MISS", 1)
	want("HIT", 1)
	r.invalidate(gqlcache.Tag("rates"))
	want("MISS", 2)
	r.do(testgraph.Request{Query: expand(`mutation { renameUser(id: $Ann, name: "y") }`)})
	want("MISS", 3)
	r.invalidate(gqlcache.View("Comment"))
	want("HIT", 3)
	// The answer finds the value, and computes nothing: it depends on it all the same.
	r.invalidate(gqlcache.Entity("Counter", 1))
	want("MISS", 3)
	want("HIT", 3)
	r.invalidate(gqlcache.Tag("rates"))
	want("MISS", 4)
	// The value of a key that is put or deleted.
	token := r.cache.Begin(t.Context())
	r.within("", func(ctx context.Context) {
		if err := gqlcache.Put(ctx, r.cache, gqlcache.KeyOf("rate"), int64(7), token, gqlcache.Reads(gqlcache.Tag("rates"))); err != nil {
			t.Error(err)
		}
	})
	want("MISS", 4)
	want("HIT", 4)
	r.within("", func(ctx context.Context) {
		if existed, err := gqlcache.Delete(ctx, r.cache, gqlcache.KeyOf("rate")); err != nil || !existed {
			t.Error(existed, err)
		}
	})
	want("MISS", 5)
	r.invalidate(gqlcache.Computed("rate"))
	want("MISS", 6)
}

// TestComputedExpiresAnswers: the answer around a value does not outlive it.
func TestComputedExpiresAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newValues(t, gqlcache.Options{Jitter: -1})
		r.store.On("Query.counter", func(ctx context.Context) error {
			_, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("rate"), func(context.Context) (int, error) { return 1, nil },
				gqlcache.Reads(), gqlcache.TTL(10*time.Second))
			return err
		})
		want := func(query, status string) {
			t.Helper()
			if _, got := r.do(testgraph.Request{Query: query}); got != status {
				t.Errorf("%s, want %s", got, status)
			}
		}
		want(`{ counter(id: 1) { value } }`, "MISS")
		time.Sleep(7 * time.Second)
		want(`{ counter(id: 1) { value } }`, "HIT")
		want(`{ counter(id: 1) { id } }`, "MISS") // finds the value
		time.Sleep(4 * time.Second)
		want(`{ counter(id: 1) { value } }`, "MISS")
		want(`{ counter(id: 1) { id } }`, "MISS")
	})
}

// TestComputedInPublicAnswers: in a public operation a value is for all who ask it, without
// a predicate; one that is the caller's keeps the answer from being stored.
func TestComputedInPublicAnswers(t *testing.T) {
	t.Parallel()
	r := newPartitioned(t)
	const banner = `{ banner(id: "b1") { text } }`
	tenant, within := true, false
	r.store.On("Query.banner", func(ctx context.Context) error {
		key := gqlcache.KeyOf("fee")
		if tenant {
			key = key.Tenant(who(ctx))
		}
		fee := func(ctx context.Context) (int64, error) {
			return gqlcache.Compute(ctx, r.cache, key, func(context.Context) (int64, error) { return r.calls.Add(1), nil }, gqlcache.Reads())
		}
		if within { // a value that is for all, but for what it is made of
			_, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("fees"), fee, gqlcache.ForAll(), gqlcache.Reads())
			return err
		}
		_, err := fee(ctx)
		return err
	})
	ask := func(viewer string) string {
		_, status := r.do(testgraph.Request{Query: banner, Header: map[string]string{"X-Viewer": viewer}})
		return status
	}
	for range 4 {
		for _, viewer := range []string{"a", "b"} {
			if got := ask(viewer); got != "MISS private" {
				t.Errorf("an answer for all that has a tenant's value: %s", got)
			}
		}
		within = !within
	}
	if n := r.calls.Load(); n != 2 {
		t.Errorf("%d calls for two tenants", n)
	}
	tenant = false
	if a, b := ask("a"), ask("b"); a != "MISS" || b != "HIT" || r.calls.Load() != 3 {
		t.Errorf("%s, %s, %d calls", a, b, r.calls.Load())
	}
}

// TestComputedInMutations: within a mutation nothing is found that is older than it, and
// nothing is kept.
func TestComputedInMutations(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	key := gqlcache.KeyOf("stats")
	compute := func(ctx context.Context) (ran bool) {
		_, err := gqlcache.Compute(ctx, r.cache, key, func(ctx context.Context) (int, error) {
			ran = true
			return 1, gqlcache.Read(ctx, gqlcache.Tag("x"))
		}, gqlcache.ForAll(), gqlcache.Reads())
		if err != nil {
			t.Error(err)
		}
		return ran
	}
	mutate := func(do func(ctx context.Context)) {
		r.store.On("Mutation.renameUser", func(ctx context.Context) error { do(ctx); return nil })
		r.do(testgraph.Request{Query: expand(`mutation { renameUser(id: $Bob, name: "x") }`)})
	}
	mutate(func(ctx context.Context) { compute(ctx) })
	if !compute(t.Context()) {
		t.Error("a value of a mutation was kept")
	}
	mutate(func(ctx context.Context) {
		if !compute(ctx) {
			t.Error("a mutation found what was kept before it")
		}
		if _, err := gqlcache.Get[int](ctx, r.cache, key, gqlcache.ForAll()); !errors.Is(err, gqlcache.ErrMiss) {
			t.Errorf("Get: %v", err)
		}
		if ok, err := gqlcache.Exists(ctx, r.cache, key, gqlcache.ForAll()); ok || err != nil {
			t.Error(ok, err)
		}
		if err := gqlcache.Put(ctx, r.cache, key, 2, r.cache.Begin(ctx), gqlcache.ForAll()); !errors.Is(err, gqlcache.ErrWriting) {
			t.Errorf("Put: %v", err)
		}
		if _, err := gqlcache.Delete(ctx, r.cache, key, gqlcache.ForAll()); !errors.Is(err, gqlcache.ErrWriting) {
			t.Errorf("Delete: %v", err)
		}
	})
	if s := valueStats(r.cache, "stats"); s.Bypassed[gqlcache.ReasonMutating] != 6 {
		t.Errorf("%+v", s)
	}
	if compute(t.Context()) {
		t.Error("the value is gone")
	}
}

// TestComputedPut: a value is put with the token of what it was read from, and found, until
// it is deleted.
func TestComputedPut(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	ctx := t.Context()
	key, all, reads := gqlcache.KeyOf("rates").Arg("day", 1), gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("rates"))
	get := func() (int, error) { return gqlcache.Get[int](ctx, r.cache, key, all) }
	exists := func() bool {
		ok, err := gqlcache.Exists(ctx, r.cache, key, all)
		if err != nil {
			t.Error(err)
		}
		return ok
	}
	if _, err := get(); !errors.Is(err, gqlcache.ErrMiss) || exists() {
		t.Errorf("nothing was put: %v", err)
	}
	token := r.cache.Begin(ctx)
	if err := gqlcache.Put(ctx, r.cache, key, 1, token, all, reads); err != nil {
		t.Fatal(err)
	}
	if v, err := get(); v != 1 || err != nil || !exists() {
		t.Errorf("got %d, %v", v, err)
	}
	r.wantJob(key, -1, 1, false, reads)
	r.invalidate(gqlcache.Tag("rates"))
	if _, err := get(); !errors.Is(err, gqlcache.ErrMiss) || exists() {
		t.Errorf("after a change: %v", err)
	}
	if err := gqlcache.Put(ctx, r.cache, key, 2, token, all, reads); !errors.Is(err, gqlcache.ErrOutdated) || exists() {
		t.Errorf("a value that is older than a change: %v", err)
	}
	token = r.cache.Begin(ctx)
	for i := range 2 {
		if err := gqlcache.Put(ctx, r.cache, key, 3+i, token, all, reads); err != nil {
			t.Error(err)
		}
	}
	if v, err := get(); v != 4 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
	for _, want := range []bool{true, false} {
		if existed, err := gqlcache.Delete(ctx, r.cache, key, all); existed != want || err != nil {
			t.Errorf("deleted: %v, %v", existed, err)
		}
	}
	if err := gqlcache.Put(ctx, r.cache, key, 5, token, all, reads); !errors.Is(err, gqlcache.ErrOutdated) || exists() {
		t.Errorf("a value that is older than a removal: %v", err)
	}
	other := newValues(t, gqlcache.Options{})
	for _, token := range []gqlcache.Token{{}, other.cache.Begin(ctx)} {
		if err := gqlcache.Put(ctx, r.cache, key, 5, token, all); err == nil || exists() {
			t.Error("a token of no use is taken")
		}
	}
	if _, err := gqlcache.Get[string](ctx, r.cache, key, all); !errors.Is(err, gqlcache.ErrMiss) {
		t.Error(err)
	}
	if err := gqlcache.Put(ctx, r.cache, key, 6, r.cache.Begin(ctx), all); err != nil {
		t.Error(err)
	}
	if _, err := gqlcache.Get[string](ctx, r.cache, key, all); !errors.Is(err, gqlcache.ErrKey) {
		t.Errorf("a value of another type: %v", err)
	}
}

// TestComputedMissIsNoted: an answer that was made of the absence of a value falls when the
// value is put.
func TestComputedMissIsNoted(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	key := gqlcache.KeyOf("notice")
	r.store.On("Query.counter", func(ctx context.Context) error {
		_, err := gqlcache.Get[string](ctx, r.cache, key, gqlcache.ForAll())
		if errors.Is(err, gqlcache.ErrMiss) {
			return nil
		}
		return err
	})
	want := func(status string) {
		t.Helper()
		if _, got := r.do(testgraph.Request{Query: `{ counter(id: 1) { value } }`}); got != status {
			t.Errorf("%s, want %s", got, status)
		}
	}
	want("MISS")
	want("HIT")
	for _, v := range []string{"a", "b"} {
		if err := gqlcache.Put(t.Context(), r.cache, key, v, r.cache.Begin(t.Context()), gqlcache.ForAll(), gqlcache.Reads()); err != nil {
			t.Fatal(err)
		}
		want("MISS")
		want("HIT")
	}
}

// TestComputedSharing: callers of one key wait for the first of them. One that fails sends
// them off at once; one that leaves hands the lead on, and keeps nothing.
func TestComputedSharing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newValues(t, gqlcache.Options{})
		key := gqlcache.KeyOf("slow")
		compute := func(ctx context.Context, fn func(ctx context.Context) (int, error)) (int, error) {
			return gqlcache.Compute(ctx, r.cache, key, fn, gqlcache.ForAll(), gqlcache.Reads())
		}
		slow := func(ctx context.Context) (int, error) {
			n := int(r.calls.Add(1))
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return -n, nil // as if its rows had ended
			}
			return n, nil
		}
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				if v, err := compute(t.Context(), slow); v != 1 || err != nil {
					t.Errorf("got %d, %v", v, err)
				}
			})
		}
		all.Wait()
		if s := valueStats(r.cache, "slow"); s.Misses != 1 || s.Joined != 999 || s.Fills != 1 {
			t.Errorf("%+v", s)
		}
		r.invalidate(gqlcache.Computed("slow"))

		// The leader leaves.
		r.calls.Store(0)
		leader, leave := context.WithCancel(t.Context())
		all.Go(func() {
			if v, err := compute(leader, slow); v != -1 || err != nil {
				t.Errorf("who leaves gets %d, %v", v, err)
			}
		})
		synctest.Wait()
		for range 10 {
			all.Go(func() {
				if v, err := compute(t.Context(), slow); v != 2 || err != nil {
					t.Errorf("who waited gets %d, %v", v, err)
				}
			})
		}
		impatient, end := context.WithCancel(t.Context())
		all.Go(func() {
			if v, err := compute(impatient, slow); v != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("whose context ends while waiting gets %d, %v", v, err)
			}
		})
		synctest.Wait()
		end()
		leave()
		all.Wait()
		if v, _ := compute(t.Context(), slow); v != 2 {
			t.Errorf("kept is %d", v)
		}
		r.invalidate(gqlcache.Computed("slow"))

		// The leader fails: all compute side by side.
		start := time.Now()
		for range 50 {
			all.Go(func() {
				_, err := compute(t.Context(), func(context.Context) (int, error) {
					time.Sleep(100 * time.Millisecond)
					return 0, errFailing
				})
				if !errors.Is(err, errFailing) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took > 250*time.Millisecond {
			t.Errorf("they took %v", took)
		}
		time.Sleep(time.Minute)

		// The leader panics.
		all.Go(func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is lost")
				}
			}()
			_, _ = compute(t.Context(), func(context.Context) (int, error) { time.Sleep(time.Second / 2); panic("no") })
		})
		synctest.Wait()
		all.Go(func() {
			if v, err := compute(t.Context(), func(context.Context) (int, error) { return 5, nil }); v != 5 || err != nil {
				t.Errorf("got %d, %v", v, err)
			}
		})
		all.Wait()
	})
}

var errFailing = errors.New("failing")

// TestComputedCrosswise: values that ask for each other's keys do not wait for each other.
func TestComputedCrosswise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newValues(t, gqlcache.Options{})
		var compute func(ctx context.Context, name, then string) (int, error)
		compute = func(ctx context.Context, name, then string) (int, error) {
			return gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf(name), func(ctx context.Context) (int, error) {
				time.Sleep(10 * time.Millisecond)
				if then == "" {
					return 1, nil
				}
				return compute(ctx, then, "")
			}, gqlcache.ForAll(), gqlcache.Reads())
		}
		start := time.Now()
		var all sync.WaitGroup
		all.Go(func() { _, _ = compute(t.Context(), "a", "b") })
		all.Go(func() { _, _ = compute(t.Context(), "b", "a") })
		all.Wait()
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("they took %v", took)
		}
	})
}

// TestComputedValues: who asks gets a value of his own, unless nobody can change it.
func TestComputedValues(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	type plain struct {
		A int
		B string
		c bool
		D [2]float64
		E time.Time
	}
	type board struct {
		Names []string
		By    map[string]*plainer
		At    time.Time
	}
	roundTrip(t, r, "plain", plain{1, "x", true, [2]float64{1, 2}, time.Now()}, func(a, b plain) bool { return a == b })
	roundTrip(t, r, "encoded", board{[]string{"ann"}, map[string]*plainer{"x": {1}}, time.Now()}, func(a, b board) bool {
		return slices.Equal(a.Names, b.Names) && *a.By["x"] == *b.By["x"] && a.At.Equal(b.At) && &a.Names[0] != &b.Names[0] && a.By["x"] != b.By["x"]
	})
	roundTrip(t, r, "immutable", &board{Names: []string{"ann"}}, func(a, b *board) bool { return a == b }, gqlcache.Immutable())
	roundTrip(t, r, "nil", (*board)(nil), func(a, b *board) bool { return a == nil && b == nil }, gqlcache.Immutable())
	roundTrip(t, r, "interface", error(nil), func(a, b error) bool { return a == nil && b == nil }, gqlcache.Immutable())
	roundTrip(t, r, "empty", []string{}, func(a, b []string) bool { return a != nil && b != nil })

	// A value that does not survive, of a type of which others do, is not kept.
	type omits struct {
		L []int `json:"l,omitempty"`
	}
	roundTrip(t, r, "omits", omits{[]int{1}}, func(a, b omits) bool { return a.L[0] == b.L[0] })
	for range 2 {
		got, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("omitted"), func(context.Context) (omits, error) { return omits{[]int{}}, nil }, gqlcache.ForAll(), gqlcache.Reads())
		if err != nil || got.L == nil {
			t.Errorf("got %v, %v", got, err)
		}
	}
	if s := valueStats(r.cache, "omitted"); s.NotStored[gqlcache.ReasonCodec] != 2 {
		t.Errorf("%+v", s)
	}
	// Kept as it is by one call, and asked for by another one that may change it.
	key := gqlcache.KeyOf("both")
	one := []string{"a"}
	for _, immutable := range []bool{true, false, true} {
		opts := []gqlcache.ComputeOption{gqlcache.ForAll(), gqlcache.Reads()}
		if immutable {
			opts = append(opts, gqlcache.Immutable())
		}
		got, err := gqlcache.Compute(t.Context(), r.cache, key, func(context.Context) ([]string, error) { return slices.Clone(one), nil }, opts...)
		if err != nil || !slices.Equal(got, one) {
			t.Errorf("got %v, %v", got, err)
		}
		if !immutable {
			got[0] = "changed"
		}
	}
	if _, err := gqlcache.Compute(t.Context(), r.cache, key, func(context.Context) (string, error) { return "", nil }, gqlcache.ForAll()); !errors.Is(err, gqlcache.ErrKey) {
		t.Errorf("another type: %v", err)
	}
}

type plainer struct{ N int }

// roundTrip computes a value, and gets it twice.
func roundTrip[T any](t *testing.T, r *valuesRig, name string, v T, same func(a, b T) bool, opts ...gqlcache.ComputeOption) {
	t.Helper()
	runs := 0
	var got [3]T
	for i := range got {
		var err error
		got[i], err = gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf(name), func(context.Context) (T, error) { runs++; return v, nil }, append(opts, gqlcache.ForAll(), gqlcache.Reads())...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if runs != 1 || !same(v, got[1]) || !same(got[1], got[2]) {
		t.Errorf("%s: %d runs, %v", name, runs, got)
	}
}

// TestComputedBeside: where operations bypass the cache, so do values, and functions run as
// without it.
func TestComputedBeside(t *testing.T) {
	t.Parallel()
	on := atomic.Bool{}
	var unknown error
	for _, row := range []struct {
		name string
		opts gqlcache.Options
		why  gqlcache.Reason
	}{
		{"Enabled", gqlcache.Options{Enabled: func(context.Context) bool { return on.Load() }}, gqlcache.ReasonDisabled},
		{"the predicate", gqlcache.Options{Predicate: func(context.Context) (gqlcache.Predicate, error) { return gqlcache.Predicate{}, unknown }}, gqlcache.ReasonPredicate},
		{"a panic", gqlcache.Options{Vary: func(context.Context) []string { panic("no") }}, gqlcache.ReasonFailed},
		{"shadow mode", gqlcache.Options{Shadow: true}, gqlcache.ReasonShadow},
	} {
		r := newValues(t, row.opts)
		for i := range 2 {
			r.within("ann", func(ctx context.Context) {
				got, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("x"), func(ctx context.Context) (int, error) {
					return i, gqlcache.Read(ctx, gqlcache.Tag("x")) // nobody may fail by it
				})
				if got != i || err != nil {
					t.Errorf("%s: %d, %v", row.name, got, err)
				}
			})
		}
		if s := valueStats(r.cache, "x"); s.Bypassed[row.why] != 2 {
			t.Errorf("%s: %+v", row.name, s)
		}
	}
}

// TestComputedStats: values are counted by the names of their keys.
func TestComputedStats(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	for i := range 300 {
		r.job(gqlcache.KeyOf(fmt.Sprint("name ", i)), 1)
	}
	all := r.cache.ComputedStats()
	if len(all) != 201 || all[0].Name != "(other)" || all[0].Misses != 100 {
		t.Errorf("%d names, %+v", len(all), all[0])
	}
	if s := r.cache.Stats(); s.Hits+s.Misses != 0 || s.Entries != 300 {
		t.Errorf("%+v", s)
	}
}

// TestComputedValuesAreListed: values that are still true are listed by their keys, and what
// arguments hold is not shown where it is hidden.
func TestComputedValuesAreListed(t *testing.T) {
	t.Parallel()
	for _, hide := range []bool{false, true} {
		r := newValues(t, gqlcache.Options{Inspector: gqlcache.Inspector{Allow: func(context.Context) bool { return true }, HideVariables: hide}})
		if len(r.cache.Snapshot().Values) != 0 {
			t.Error("values before there are any")
		}
		r.job(gqlcache.KeyOf("b").Tenant("t").Arg("limit", 10), 1, gqlcache.Reads(gqlcache.Tag("x")))
		r.job(gqlcache.KeyOf("a").Arg("secret", "s3cret"), 1, gqlcache.Reads(gqlcache.Tag("y")))
		r.do(testgraph.Request{Query: `{ counter(id: 1) { value } }`})
		var keys []string
		for _, v := range r.cache.ComputedValues(10) {
			keys = append(keys, v.Key)
			if v.Type != "int" || v.Bytes < 100 || v.LeftMS <= 0 || v.AgeMS < 0 {
				t.Errorf("%+v", v)
			}
		}
		if want := []string{`a(secret: "s3cret")`, `b(tenant: "t", limit: 10)`}; !slices.Equal(keys, want) {
			t.Errorf("%q, want %q", keys, want)
		}
		shown := r.cache.Snapshot().Values
		if len(shown) != 2 || strings.Contains(fmt.Sprint(shown), "s3cret") == hide || !strings.HasPrefix(shown[0].Key, "a") {
			t.Errorf("hidden %v: %+v", hide, shown)
		}
		if n := len(r.cache.ComputedValues(1)); n != 1 {
			t.Errorf("%d values, want 1", n)
		}
		r.invalidate(gqlcache.Tag("x"), gqlcache.Tag("y"))
		if list := r.cache.ComputedValues(10); len(list) != 0 {
			t.Errorf("after a change: %+v", list)
		}
	}
}

// TestComputedValuesAreDescribed: a value that is listed says who shares it, without telling
// who that is, and how often it was found while somebody watched.
func TestComputedValuesAreDescribed(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{Inspector: inspectable()})
	(&panel{rig: r.rig, h: r.cache.Handler(r.cached)}).snapshot() // somebody watches
	key := gqlcache.KeyOf("a").Arg("n", 1)
	tenant := gqlcache.KeyOf("t").Tenant("acme")
	for range 3 {
		r.job(key, 1, gqlcache.Reads(gqlcache.Tag("x")))
		r.do(testgraph.Request{Query: `{ counter(id: 1) { id } }`})
	}
	for _, viewer := range []string{"ann", "bob"} {
		r.within(viewer, func(ctx context.Context) {
			_, err := gqlcache.Compute(ctx, r.cache, key, func(context.Context) (string, error) { return "", gqlcache.ErrAbsent }, gqlcache.Reads(gqlcache.Tag("y")))
			if !errors.Is(err, gqlcache.ErrAbsent) {
				t.Error(err)
			}
		})
	}
	if _, err := gqlcache.Compute(t.Context(), r.cache, tenant, func(context.Context) (int, error) { return 1, nil }, gqlcache.Reads(gqlcache.Tag("z"))); err != nil {
		t.Fatal(err)
	}
	list := r.cache.ComputedValues(10)
	if len(list) != 4 {
		t.Fatalf("%+v", list)
	}
	callers, ids := map[string]bool{}, map[string]bool{}
	for _, v := range list {
		ids[v.ID] = true
		if strings.Contains(fmt.Sprint(v), "ann") || v.Tags < 3 {
			t.Errorf("%+v", v)
		}
		switch {
		case v.Name == "a" && v.Scope == inspect.ScopeAll:
			if v.Hits != 2 || v.Absent || v.Caller != "" {
				t.Errorf("%+v", v)
			}
		case v.Name == "a" && v.Scope == inspect.ScopeCallers:
			callers[v.Caller] = v.Absent && v.Hits == 0
		case v.Name == "t" && v.Scope == inspect.ScopeOutside:
		default:
			t.Errorf("%+v", v)
		}
	}
	x := (&panel{rig: r.rig, h: r.cache.Handler(r.cached)}).ask("ann", `{ counter(id: 1) { id } }`, nil)
	for _, part := range x.KeyParts {
		if _, ok := callers[part.Fingerprint]; part.Name == "predicate" && !ok {
			t.Errorf("%v has not the fingerprint of the request's predicate, %s", callers, part.Fingerprint)
		}
	}
	if len(x.KeyParts) == 0 || len(ids) != 4 || len(callers) != 2 || callers[""] || slices.Contains(slices.Collect(maps.Values(callers)), false) {
		t.Errorf("%v, %v", ids, callers)
	}
}
