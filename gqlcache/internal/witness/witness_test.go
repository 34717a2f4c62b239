package witness_test

import (
	"context"
	"errors"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/gqlcache/internal/witness"
)

var errResolver = errors.New("a resolver failed")

// execute runs a resolver of a root field under a witness, as generated code does.
func execute(ctx context.Context, w *witness.Witness, around graphql.FieldMiddleware, fc *graphql.FieldContext, resolve graphql.Resolver) (any, error) {
	oc := &graphql.OperationContext{ResolverMiddleware: around, RecoverFunc: func(context.Context, any) error { return errResolver }}
	w.Watch(oc)
	ctx = graphql.WithResponseContext(ctx, graphql.DefaultErrorPresenter, oc.RecoverFunc)
	ctx = graphql.WithOperationContext(w.Context(ctx), oc)
	ctx = graphql.WithFieldContext(ctx, fc)
	return oc.ResolverMiddleware(ctx, resolve)
}

// plain is an interceptor that does nothing.
func plain(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) }

func rootField() *graphql.FieldContext {
	return &graphql.FieldContext{IsResolver: true, Field: graphql.CollectedField{Field: &ast.Field{Name: "user", Alias: "user"}}}
}

func TestWitness(t *testing.T) {
	t.Parallel()
	silent := func(ctx context.Context, next graphql.Resolver) (any, error) {
		defer func() { _ = recover() }()
		v, _ := next(ctx)
		return v, nil
	}
	brief := func(ctx context.Context, next graphql.Resolver) (any, error) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return next(ctx)
	}
	for _, row := range []struct {
		name            string
		around          graphql.FieldMiddleware
		resolve         graphql.Resolver
		failed, partial bool
	}{
		{"a value", plain, func(context.Context) (any, error) { return 1, nil }, false, false},
		{"an error", plain, func(context.Context) (any, error) { return nil, errResolver }, true, false},
		{"an error of which an interceptor makes nothing", silent, func(context.Context) (any, error) { return nil, errResolver }, true, false},
		{"a panic of which an interceptor makes nothing", silent, func(context.Context) (any, error) { panic("broken") }, true, false},
		{"an error of an interceptor", func(context.Context, graphql.Resolver) (any, error) { return nil, errResolver }, nil, true, false},
		{"an error beside the value", plain, func(ctx context.Context) (any, error) {
			graphql.AddError(ctx, errResolver)
			return 1, nil
		}, true, false},
		{"who asks for errors adds none", plain, func(ctx context.Context) (any, error) {
			return len(graphql.GetErrors(ctx)) + len(graphql.GetFieldErrors(ctx, graphql.GetFieldContext(ctx))), nil
		}, false, false},
		{"a context that ends during the resolver", brief, func(context.Context) (any, error) { return 1, nil }, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := &witness.Witness{}
			if _, err := execute(t.Context(), w, row.around, rootField(), row.resolve); err != nil && !errors.Is(err, errResolver) {
				t.Fatal(err)
			}
			if w.Failed() != row.failed || w.Partial() != row.partial {
				t.Errorf("failed: %t, partial: %t", w.Failed(), w.Partial())
			}
		})
	}
}

// TestRecovered: what a server makes of a panic does not hide it.
func TestRecovered(t *testing.T) {
	t.Parallel()
	w := &witness.Witness{}
	oc := &graphql.OperationContext{ResolverMiddleware: plain, RecoverFunc: func(context.Context, any) error { return nil }}
	w.Watch(oc)
	if err := oc.RecoverFunc(t.Context(), "broken"); err != nil || !w.Failed() {
		t.Errorf("%v, failed: %t", err, w.Failed())
	}
}

// TestLeftBehind: an answer is partial while a resolver, or a root field, still runs.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	w := &witness.Witness{}
	began, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	hasty := func(ctx context.Context, next graphql.Resolver) (any, error) {
		go func() {
			defer close(ended)
			_, _ = next(ctx)
		}()
		<-began
		return nil, nil
	}
	_, _ = execute(t.Context(), w, hasty, rootField(), func(context.Context) (any, error) {
		close(began)
		<-end
		return nil, nil
	})
	if !w.Partial() {
		t.Error("a resolver runs, and nothing is missing")
	}
	close(end)
	if <-ended; w.Partial() {
		t.Error("the resolver has returned")
	}
	if w.Enter(); !w.Partial() {
		t.Error("a root field runs, and nothing is missing")
	}
	if w.Leave(); w.Partial() {
		t.Error("the root field has ended")
	}
}

// TestRoot: it is called for resolvers of root fields alone, on their own context.
func TestRoot(t *testing.T) {
	t.Parallel()
	type key struct{}
	calls := 0
	w := &witness.Witness{Root: func(ctx context.Context) {
		if ctx.Value(key{}) == true {
			calls++
		}
	}}
	mark := func(ctx context.Context, next graphql.Resolver) (any, error) {
		return next(context.WithValue(ctx, key{}, true))
	}
	nothing := func(context.Context) (any, error) { return nil, nil }
	_, _ = execute(t.Context(), w, mark, rootField(), nothing)
	if calls != 1 {
		t.Errorf("%d calls for a root field", calls)
	}
	method := rootField()
	method.IsResolver, method.IsMethod = false, true
	_, _ = execute(t.Context(), w, mark, method, nothing)
	below := graphql.WithFieldContext(t.Context(), rootField())
	_, _ = execute(below, w, mark, rootField(), nothing)
	if calls != 1 {
		t.Errorf("%d calls with those of a method and of a field below", calls)
	}
}
