package gqlcache_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// atRuntime is the test schema, with some fields whose resolvers say what they read.
func atRuntime(s *testgraph.Store, fields ...string) graphql.ExecutableSchema {
	return editDirectives(testgraph.Executable(s, "cacheControl"), func(on string, d *ast.Directive) *ast.Directive {
		if d.Name != "reads" || !slices.Contains(fields, on) {
			return d
		}
		c := *d
		c.Arguments = ast.ArgumentList{{Name: "atRuntime", Value: &ast.Value{Raw: "true", Kind: ast.BooleanValue}, Position: d.Position}}
		return &c
	})
}

// newAtRuntime is newValues over atRuntime. Interceptors come before the cache.
func newAtRuntime(t *testing.T, o gqlcache.Options, fields []string, before ...graphql.HandlerExtension) *valuesRig {
	t.Helper()
	if o.Predicate == nil {
		o.Predicate = whosePredicate
	}
	r := &valuesRig{rig: &rig{t: t, store: testgraph.NewStore(), twin: testgraph.NewStore()}}
	r.cache = newCache(t, o)
	r.cached = testgraph.Serve(atRuntime(r.store, fields...), append(slices.Clone(before), r.cache)...)
	r.plain = testgraph.Serve(atRuntime(r.twin, fields...), before...)
	return r
}

// on has the resolvers of a field do something in the server with the cache.
func (r *valuesRig) on(field string, f func(ctx context.Context)) {
	r.store.On(field, func(ctx context.Context) error {
		f(ctx)
		return nil
	})
}

// says is a resolver that says that it reads some rows.
func (r *valuesRig) says(reads ...gqlcache.Change) func(context.Context) {
	return func(ctx context.Context) {
		if err := gqlcache.Read(ctx, reads...); err != nil {
			r.t.Error(err)
		}
	}
}

// computes is a resolver that gets a value.
func (r *valuesRig) computes(reads ...gqlcache.Change) func(context.Context) {
	return func(ctx context.Context) {
		_, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("rate"), func(context.Context) (int64, error) { return r.calls.Add(1), nil },
			gqlcache.Reads(reads...))
		if err != nil {
			r.t.Error(err)
		}
	}
}

// wantStatus fails unless the cache does this with an operation.
func (r *valuesRig) wantStatus(query, status string) {
	r.t.Helper()
	if _, got := r.do(testgraph.Request{Query: expand(query)}); got != status {
		r.t.Errorf("%s: %s, want %s", query, got, status)
	}
}

// wantDropped fails unless a change drops the answer to an operation, or leaves it.
func (r *valuesRig) wantDropped(query string, by gqlcache.Change, dropped bool) {
	r.t.Helper()
	r.do(testgraph.Request{Query: expand(query)})
	r.wantStatus(query, "HIT")
	r.invalidate(by)
	want := "HIT"
	if dropped {
		want = "MISS"
	}
	if _, got := r.do(testgraph.Request{Query: expand(query)}); got != want {
		r.t.Errorf("%s after a change: %s, want %s", query, got, want)
	}
}

// TestAtRuntime: an answer with a field whose resolvers say what they read depends on that, if
// each of them has said something, and on anything else.
func TestAtRuntime(t *testing.T) {
	t.Parallel()
	ann, bob := gqlcache.Entity("User", testgraph.Ann), gqlcache.Entity("User", testgraph.Bob)
	elsewhere := gqlcache.View("Comment")
	const count, counts = `{ userCount }`, `{ users { id postCount } }`
	for _, row := range []struct {
		name  string
		query string
		// field says what it reads by does.
		field string
		does  func(r *valuesRig) func(context.Context)
		// known says that the answer depends on what was said only: on Ann's row.
		known bool
	}{
		{"read", count, "Query.userCount", func(r *valuesRig) func(context.Context) { return r.says(ann) }, true},
		{"a value", count, "Query.userCount", func(r *valuesRig) func(context.Context) { return r.computes(ann) }, true},
		{"values", count, "Query.userCount", func(r *valuesRig) func(context.Context) {
			return func(ctx context.Context) {
				for range 2 { // computed, and found
					_, err := gqlcache.ComputeAll(ctx, r.cache, []int{1}, func(id int) gqlcache.Key { return gqlcache.KeyOf("rates").Arg("id", id) },
						func(context.Context, []int) (map[int]int, error) { return map[int]int{1: 1}, nil }, gqlcache.Reads(ann))
					if err != nil {
						r.t.Error(err)
					}
				}
			}
		}, true},
		{"an absence", count, "Query.userCount", func(r *valuesRig) func(context.Context) {
			return func(ctx context.Context) {
				_, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("rate"), func(context.Context) (int, error) { return 0, gqlcache.ErrAbsent }, gqlcache.Reads(ann))
				if !errors.Is(err, gqlcache.ErrAbsent) {
					r.t.Error(err)
				}
			}
		}, true},
		{"nested", count, "Query.userCount", func(r *valuesRig) func(context.Context) {
			return func(ctx context.Context) {
				_, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("outer"), func(ctx context.Context) (int, error) {
					r.computes(ann)(ctx)
					return 1, nil
				}, gqlcache.Reads())
				if err != nil {
					r.t.Error(err)
				}
			}
		}, true},
		{"read in a function that fails", count, "Query.userCount", func(r *valuesRig) func(context.Context) {
			return func(ctx context.Context) {
				_, _ = gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("fails"), func(ctx context.Context) (int, error) {
					r.says(ann)(ctx)
					return 0, errTest
				})
			}
		}, false},
		{"a miss", count, "Query.userCount", func(r *valuesRig) func(context.Context) {
			return func(ctx context.Context) {
				if _, err := gqlcache.Get[int](ctx, r.cache, gqlcache.KeyOf("none")); !errors.Is(err, gqlcache.ErrMiss) {
					r.t.Error(err)
				}
				if ok, err := gqlcache.Exists(ctx, r.cache, gqlcache.KeyOf("none")); ok || err != nil {
					r.t.Error(ok, err)
				}
			}
		}, false},
		{"the branch without", count, "Query.userCount", func(*valuesRig) func(context.Context) { return func(context.Context) {} }, false},
		{"another field's context", `{ userCount userNames }`, "Query.userNames", func(r *valuesRig) func(context.Context) {
			// A loader calls on the context of one of the fields that it serves: that of
			// userNames, which is not marked, while userCount waits for it.
			return r.says(ann)
		}, false},
		{"each of a list", counts, "User.postCount", func(r *valuesRig) func(context.Context) { return r.says(ann) }, true},
		{"all but one of a list", counts, "User.postCount", func(r *valuesRig) func(context.Context) {
			return func(ctx context.Context) {
				if fc := graphql.GetFieldContext(ctx); *fc.Parent.Index > 0 {
					r.says(ann)(ctx)
				}
			}
		}, false},
		{"a page", `{ usersPage(first: 1) { totalCount edges { cursor } } }`, "Query.usersPage", func(r *valuesRig) func(context.Context) { return r.says(ann) }, true},
		{"a page without", `{ usersPage(first: 1) { totalCount } }`, "Query.usersPage", func(*valuesRig) func(context.Context) { return func(context.Context) {} }, false},
		{"not asked for", `query($no: Boolean = false) { userCount @include(if: $no) userNames }`, "Query.userCount",
			func(*valuesRig) func(context.Context) { return func(context.Context) {} }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newAtRuntime(t, gqlcache.Options{}, []string{"Query.userCount", "User.postCount", "Query.usersPage"})
			r.on(row.field, row.does(r))
			r.wantDropped(row.query, ann, true)
			r.wantDropped(row.query, elsewhere, !row.known)
			r.wantDropped(row.query, bob, !row.known || row.query != count && !strings.Contains(row.query, "usersPage"))
		})
	}
}

var errTest = errors.New("test")

// TestAtRuntimeInTime: what is said counts for the field while its resolver runs, and is never
// lost.
func TestAtRuntimeInTime(t *testing.T) {
	t.Parallel()
	ann, elsewhere := gqlcache.Entity("User", testgraph.Ann), gqlcache.View("Comment")
	t.Run("after the resolver", func(t *testing.T) {
		t.Parallel()
		r := newAtRuntime(t, gqlcache.Options{}, []string{"Query.userCount"})
		var late context.Context
		r.on("Query.userCount", func(ctx context.Context) { late = ctx })
		r.on("Query.user", func(context.Context) {})
		hold := r.store.Block("Query.counters")
		go func() {
			<-hold.Reached
			for r.store.Calls("Query.userCount:done") == 0 {
				if t.Context().Err() != nil {
					return
				}
			}
			_ = gqlcache.Read(late, ann)
			hold.Release()
		}()
		const query = `{ userCount counters { id } }`
		r.wantStatus(query, "MISS")
		r.wantStatus(query, "HIT")
		r.invalidate(elsewhere)
		r.wantStatus(query, "MISS")
	})
	t.Run("after the answer", func(t *testing.T) {
		t.Parallel()
		var log bytes.Buffer
		r := newAtRuntime(t, gqlcache.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, []string{"Query.userCount"})
		var late context.Context
		r.on("Query.userCount", func(ctx context.Context) { late = ctx; r.says(ann)(ctx) })
		r.wantStatus(`{ userCount }`, "MISS")
		r.wantStatus(`{ userCount }`, "HIT")
		if err := gqlcache.Read(late, ann); !errors.Is(err, gqlcache.ErrLate) {
			t.Error(err)
		}
		r.wantStatus(`{ userCount }`, "MISS")
		if !strings.Contains(log.String(), "Read was called when the value, or the answer, was computed already") {
			t.Errorf("log %q", log.String())
		}
	})
	t.Run("outside", func(t *testing.T) {
		t.Parallel()
		if err := gqlcache.Read(t.Context(), ann); !errors.Is(err, gqlcache.ErrNoOperation) {
			t.Error(err)
		}
	})
}

// TestAtRuntimeUnknown: what is said with an unknown name keeps the answer from being stored.
func TestAtRuntimeUnknown(t *testing.T) {
	t.Parallel()
	r := newAtRuntime(t, gqlcache.Options{}, []string{"Query.userCount"})
	r.on("Query.userCount", func(ctx context.Context) {
		if err := gqlcache.Read(ctx, gqlcache.Entity("Nobody", 1)); !errors.Is(err, gqlcache.ErrUnknownName) {
			t.Error(err)
		}
	})
	r.wantStatus(`{ userCount }`, "MISS reads")
}

// instead answers fields without asking their resolvers.
type instead struct{ field string }

func (instead) ExtensionName() string                   { return "Instead" }
func (instead) Validate(graphql.ExecutableSchema) error { return nil }

func (i instead) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	if graphql.GetFieldContext(ctx).Field.Name == i.field {
		return 7, nil
	}
	return next(ctx)
}

// TestAtRuntimeInterceptors: nothing is known of a field that an interceptor answers.
func TestAtRuntimeInterceptors(t *testing.T) {
	t.Parallel()
	r := newAtRuntime(t, gqlcache.Options{}, []string{"Query.userCount"}, instead{"userCount"})
	r.wantDropped(`{ userCount }`, gqlcache.View("Comment"), true)
}

// TestAtRuntimeIsTold: the log and the explanation name the field.
func TestAtRuntimeIsTold(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := newAtRuntime(t, gqlcache.Options{Inspector: inspectable(), Logger: slog.New(slog.NewTextHandler(&log, nil))}, []string{"Query.userCount"})
	p := &panel{rig: r.rig, h: r.cache.Handler(r.cached)}
	said := false
	p.store.On("Query.userCount", func(ctx context.Context) error {
		if said {
			return gqlcache.Read(ctx)
		}
		return nil
	})
	for range 2 { // computed, and found
		if x := p.ask("admin", `{ userCount }`, nil); x.DependsOnAnything != "a resolver of Query.userCount has not said what it reads" ||
			!slices.Equal(x.ReadsAtRuntime, []string{"Query.userCount"}) {
			t.Errorf("%q, %q", x.DependsOnAnything, x.ReadsAtRuntime)
		}
	}
	if got := strings.Count(log.String(), "Query.userCount has @reads(atRuntime: true)"); got != 1 {
		t.Errorf("%d lines: %s", got, log.String())
	}
	said = true
	p.ask("admin", `mutation { renameUndeclared(id: "1", name: "x") }`, nil)
	if x := p.ask("admin", `{ userCount }`, nil); x.Status != inspect.Miss || x.DependsOnAnything != "" {
		t.Errorf("%s, %q", x.Status, x.DependsOnAnything)
	}
}

// TestAtRuntimeExecutions: which executions have to say what they read.
func TestAtRuntimeExecutions(t *testing.T) {
	t.Parallel()
	schema := gqlparser.MustLoadSchema(&ast.Source{Name: "directives", Input: cascade.SDL("")}, &ast.Source{Name: "schema", Input: `
type Page { total: Int! }
type Query { page: Page! @reads(atRuntime: true) other: Int! @reads(view: "v") }
extend schema @view(name: "v", static: true)`})
	plan, err := cascade.Compile(schema, cascade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	doc := gqlparser.MustLoadQuery(schema, `{ page { total } other }`)
	op, err := plan.Operation(doc, doc.Operations[0])
	if err != nil {
		t.Fatal(err)
	}
	if op.Anything != "" {
		t.Fatal(op.Anything)
	}
	plain := func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) }
	twice := func(ctx context.Context, next graphql.Resolver) (any, error) {
		_, _ = next(ctx)
		return next(ctx)
	}
	for _, row := range []struct {
		name, object, field string
		resolver, method    bool
		around              graphql.FieldMiddleware
		want                string
	}{
		{"a field that says it", "Query", "page", true, false, plain, "Query.page"},
		{"that is plain", "Query", "page", false, false, plain, "Query.page"},
		{"a resolver below", "Page", "total", true, false, plain, "Page.total"},
		{"a method below", "Page", "total", false, true, plain, "Page.total"},
		{"a plain one below", "Page", "total", false, false, plain, ""},
		{"a declared one", "Query", "other", true, false, plain, ""},
		{"asked twice", "Query", "page", true, false, twice, "Query.page"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			around, unsaid := gqlcache.AroundExecutions(op)
			ctx := graphql.WithFieldContext(t.Context(), &graphql.FieldContext{
				Object: row.object, IsResolver: row.resolver, IsMethod: row.method,
				Field: graphql.CollectedField{Field: &ast.Field{Name: row.field}},
			})
			if _, err := around(row.around)(ctx, func(context.Context) (any, error) { return 1, nil }); err != nil {
				t.Fatal(err)
			}
			if got := unsaid(); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}
