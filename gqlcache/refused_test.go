package gqlcache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const guardedSchema = `
directive @guard on FIELD_DEFINITION
directive @count on FIELD_DEFINITION | ARGUMENT_DEFINITION
directive @everywhere on MUTATION
type Item @view(name: "v_item") { id: ID! name: String! }
type Query { item(id: ID!): Item }
type Mutation {
  set(id: ID!): Boolean @guard @writes(view: "Item", op: "UPDATE", row: "args.id", fields: ["name"])
  other(id: ID!): Boolean @writes(view: "Item", op: "UPDATE", row: "args.id", fields: ["name"])
  counted(id: ID!): Boolean @count @writes(view: "Item", op: "UPDATE", row: "args.id", fields: ["name"])
  anything(id: ID!): Boolean
}`

// A directive is one that runs.
type directive = func(ctx context.Context, obj any, next graphql.Resolver) (any, error)

// guarded is a schema whose root fields are resolved as gqlgen's generated code does it:
// directives run inside of the resolver middleware.
type guarded struct {
	unmeasured

	schema *ast.Schema
	// directives are around the resolver of each mutation, the outermost first.
	directives []directive
	// args fails the arguments of a field; write is the resolver of mutations.
	args  func(field string) error
	write func(ctx context.Context, field string) (any, error)
	// bare leaves the middlewares out, as executors do that are not generated.
	bare bool
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "directives", Input: cascade.SDL("")}, &ast.Source{Name: "schema", Input: guardedSchema})
	if err != nil {
		t.Fatal(err)
	}
	return &guarded{
		schema: schema,
		args:   func(string) error { return nil },
		write:  func(context.Context, string) (any, error) { return true, nil },
	}
}

func (g *guarded) Schema() *ast.Schema { return g.schema }

func (g *guarded) Exec(ctx context.Context) graphql.ResponseHandler {
	oc := graphql.GetOperationContext(ctx)
	done := false
	return func(ctx context.Context) *graphql.Response {
		if done {
			return nil
		}
		done = true
		root := "Query"
		if oc.Operation.Operation == ast.Mutation {
			root = "Mutation"
		}
		fields := graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{root})
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: root})
		out := graphql.NewFieldSet(fields)
		for i, f := range fields {
			resolve := func(ctx context.Context) graphql.Marshaler { return g.resolve(ctx, oc, root, f) }
			if g.bare {
				out.Values[i] = resolve(ctx)
			} else {
				out.Values[i] = oc.RootResolverMiddleware(graphql.WithRootFieldContext(ctx, &graphql.RootFieldContext{Object: f.Name, Field: f}), resolve)
			}
		}
		out.Dispatch(ctx)
		var b bytes.Buffer
		out.MarshalGQL(&b)
		return &graphql.Response{Data: b.Bytes()}
	}
}

func (g *guarded) resolve(ctx context.Context, oc *graphql.OperationContext, root string, f graphql.CollectedField) graphql.Marshaler {
	resolver := func(ctx context.Context) (any, error) {
		if root == "Query" {
			return graphql.Marshaler(graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, `{"id":"`+f.Arguments[0].Value.Raw+`","name":"x"}`) })), nil
		}
		return g.write(ctx, f.Name)
	}
	if g.bare {
		res, err := resolver(ctx)
		if err != nil {
			oc.Error(ctx, err)
			return graphql.Null
		}
		if m, ok := res.(graphql.Marshaler); ok {
			return m
		}
		return graphql.MarshalBoolean(res.(bool))
	}
	return g.resolveWithMiddleware(ctx, oc, &graphql.FieldContext{Object: root, Field: f, IsMethod: true, IsResolver: true}, resolver)
}

func (g *guarded) resolveWithMiddleware(ctx context.Context, oc *graphql.OperationContext, fc *graphql.FieldContext, resolver graphql.Resolver) (ret graphql.Marshaler) {
	ctx = graphql.WithFieldContext(ctx, fc)
	if err := g.args(fc.Field.Alias); err != nil {
		oc.Error(ctx, err)
		return graphql.Null
	}
	defer func() {
		if r := recover(); r != nil {
			oc.Error(ctx, oc.Recover(ctx, r))
			ret = graphql.Null
		}
	}()
	res, err := oc.ResolverMiddleware(ctx, func(rctx context.Context) (any, error) {
		ctx = rctx // as generated code does
		return g.direct(fc.Object, resolver)(rctx)
	})
	if err != nil {
		oc.Error(ctx, err)
		return graphql.Null
	}
	fc.Result = res
	switch v := res.(type) {
	case graphql.Marshaler:
		return v
	case bool:
		return graphql.MarshalBoolean(v)
	}
	return graphql.Null
}

// direct puts the directives around the resolver of a mutation.
func (g *guarded) direct(root string, next graphql.Resolver) graphql.Resolver {
	if root == "Query" {
		return next
	}
	for _, d := range slices.Backward(g.directives) {
		inner := next
		next = func(ctx context.Context) (any, error) { return d(ctx, nil, inner) }
	}
	return next
}

var errForbidden = &gqlerror.Error{Message: "forbidden", Extensions: map[string]any{"code": "FORBIDDEN"}}

func refuse(context.Context, any, graphql.Resolver) (any, error) { return nil, errors.New("no") }

func pass(ctx context.Context, _ any, next graphql.Resolver) (any, error) { return next(ctx) }

// refuseOnce refuses the first time.
func refuseOnce(refused *bool) directive {
	return func(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
		if !*refused {
			*refused = true
			return nil, errors.New("not now")
		}
		return next(ctx)
	}
}

// again is a directive that tries twice.
func again(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	if res, err := next(ctx); err == nil {
		return res, nil
	}
	return next(ctx)
}

// rootFields is an extension around root fields.
type rootFields struct {
	name string
	do   func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler
}

func (e *rootFields) ExtensionName() string                 { return e.name }
func (*rootFields) Validate(graphql.ExecutableSchema) error { return nil }
func (e *rootFields) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if f := graphql.GetRootFieldContext(ctx); f.Object == "other" || f.Object == "item" {
		return next(ctx)
	}
	return e.do(ctx, next)
}

// aroundFields is an extension around fields.
type aroundFields struct{ do graphql.FieldMiddleware }

func (*aroundFields) ExtensionName() string                   { return "fields" }
func (*aroundFields) Validate(graphql.ExecutableSchema) error { return nil }
func (e *aroundFields) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	if graphql.GetFieldContext(ctx).Object != "Mutation" {
		return next(ctx)
	}
	return e.do(ctx, next)
}

func fails(err error) func(context.Context, string) (any, error) {
	return func(context.Context, string) (any, error) { return nil, err }
}

// TestRefused: a root field of a mutation that was refused before anything was written
// drops nothing; one that may have written drops what it declares, also if it looks the
// same.
func TestRefused(t *testing.T) {
	t.Parallel()
	badArgs := func(g *guarded) {
		g.args = func(field string) error {
			if field == "set" || field == "counted" || field == "anything" {
				return errors.New("bad argument")
			}
			return nil
		}
	}
	directives := func(list ...directive) func(*guarded) { return func(g *guarded) { g.directives = list } }
	both := func(list ...func(*guarded)) func(*guarded) {
		return func(g *guarded) {
			for _, f := range list {
				f(g)
			}
		}
	}
	const set = `mutation{set(id:1)}`
	for _, row := range []struct {
		name, document string
		serve          func(*guarded)
		change         func(*gqlcache.Options)
		ext            graphql.HandlerExtension
		dropped        bool
	}{
		{name: "written", document: set, dropped: true},
		{name: "arguments", document: set, serve: badArgs},
		{name: "arguments of what is not declared", document: `mutation{anything(id:1)}`, serve: badArgs},
		{name: "one of two: the other wrote", document: `mutation{set(id:2) other(id:1)}`, serve: badArgs, dropped: true},
		{name: "one of two: the other wrote elsewhere", document: `mutation{set(id:1) other(id:2)}`, serve: badArgs},
		{name: "skipped", document: `mutation{set(id:1) @skip(if:true) other(id:2)}`},
		{name: "the resolver failed", document: set, serve: func(g *guarded) { g.write = fails(errors.New("after the write")) }, dropped: true},
		{name: "the resolver panicked", document: set, serve: func(g *guarded) { g.write = func(context.Context, string) (any, error) { panic("after") } }, dropped: true},
		{name: "a directive refuses, and nobody knows", document: set, serve: directives(refuse), dropped: true},
		{name: "a directive refuses and says so", document: set, serve: directives(func(ctx context.Context, _ any, _ graphql.Resolver) (any, error) {
			return nil, errors.Join(errors.New("no"), gqlcache.Refused(ctx))
		})},
		{name: "a directive says so with null", document: set, serve: directives(func(ctx context.Context, _ any, _ graphql.Resolver) (any, error) {
			return nil, gqlcache.Refused(ctx)
		})},
		{name: "it was said, and somebody went on", document: set, serve: directives(func(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
			_ = gqlcache.Refused(ctx)
			return next(ctx)
		}), dropped: true},
		{name: "Refusing", document: set, serve: directives(gqlcache.Refusing(refuse))},
		{name: "Refusing, inside of others", document: set, serve: directives(gqlcache.Refusing(pass), pass, gqlcache.Refusing(refuse))},
		{name: "Refusing that passes", document: set, serve: both(directives(gqlcache.Refusing(pass)), func(g *guarded) { g.write = fails(errors.New("after the write")) }), dropped: true},
		{name: "refused once, written at the second try", document: set, serve: both(
			directives(again, gqlcache.Refusing(refuseOnce(new(bool)))),
			func(g *guarded) { g.write = fails(errors.New("after the write")) },
		), dropped: true},
		{name: "written at the first try of an extension, refused at the second", document: set, ext: &aroundFields{again2}, serve: func(g *guarded) {
			n := 0
			g.write = func(context.Context, string) (any, error) {
				if n++; n == 1 {
					return nil, errors.New("after the write")
				}
				return nil, errForbidden
			}
		}, change: func(o *gqlcache.Options) { o.Refused = []string{"FORBIDDEN"} }, dropped: true},
		{name: "code", document: set, serve: directives(func(context.Context, any, graphql.Resolver) (any, error) {
			return nil, fmt.Errorf("x: %w", errForbidden)
		}),
			change: func(o *gqlcache.Options) { o.Refused = []string{"OTHER", "FORBIDDEN"} }},
		{name: "another code", document: set, serve: directives(func(context.Context, any, graphql.Resolver) (any, error) { return nil, errForbidden }),
			change: func(o *gqlcache.Options) { o.Refused = []string{"OTHER"} }, dropped: true},
		{name: "one of two errors has a code", document: set, serve: directives(func(context.Context, any, graphql.Resolver) (any, error) {
			return nil, gqlerror.List{errForbidden, {Message: "disk"}}
		}), change: func(o *gqlcache.Options) { o.Refused = []string{"FORBIDDEN"} }, dropped: true},
		{name: "an error with a code and one of a write", document: set, serve: directives(func(context.Context, any, graphql.Resolver) (any, error) {
			return nil, errors.Join(errForbidden, errors.New("disk"))
		}), change: func(o *gqlcache.Options) { o.Refused = []string{"FORBIDDEN"} }, dropped: true},
		{name: "a field middleware refuses", document: set, ext: &aroundFields{func(context.Context, graphql.Resolver) (any, error) { return nil, errors.New("no") }}},
		{name: "a root field middleware refuses", document: set, ext: &rootFields{"roots", func(ctx context.Context, _ graphql.RootResolver) graphql.Marshaler {
			graphql.AddErrorf(ctx, "no")
			return graphql.Null
		}}},
		{name: "a root field middleware that writes", document: set, change: func(o *gqlcache.Options) { o.Writes = []string{"replay"} },
			ext: &rootFields{"replay", func(context.Context, graphql.RootResolver) graphql.Marshaler { return graphql.Null }}, dropped: true},
		{name: "a root field middleware that answers with an earlier change", document: set,
			ext: &rootFields{"replay", func(context.Context, graphql.RootResolver) graphql.Marshaler { return graphql.MarshalBoolean(true) }}, dropped: true},
		{name: "a directive of the field writes", document: `mutation{counted(id:1)}`, serve: badArgs, change: func(o *gqlcache.Options) { o.Writes = []string{"@count"} }, dropped: true},
		{name: "a directive of another field writes", document: set, serve: badArgs, change: func(o *gqlcache.Options) { o.Writes = []string{"count"} }},
		{name: "a directive of operations writes", document: set, serve: badArgs, change: func(o *gqlcache.Options) { o.Writes = []string{"everywhere"} }, dropped: true},
		{name: "an executor without middlewares", document: set, serve: func(g *guarded) { g.bare, g.write = true, fails(errors.New("after the write")) }, dropped: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t)
			o := gqlcache.Options{Callers: gqlcache.AllSeeTheSame}
			if row.change != nil {
				row.change(&o)
			}
			c := newCache(t, o)
			var exts []graphql.HandlerExtension
			if row.ext != nil {
				exts = append(exts, row.ext)
			}
			h := testgraph.Serve(g, append(exts, c)...)
			if row.name == "an executor without middlewares" {
				g.bare = true
			}
			ask := func(document string) string {
				before := c.Stats()
				testgraph.Do(t, t.Context(), h, testgraph.Request{Query: document})
				return outcome(before, c.Stats())
			}
			if !strings.Contains(row.name, "executor") {
				ask(`mutation{other(id:9)}`) // the executor calls middlewares
			}
			if row.serve != nil {
				row.serve(g)
			}
			const read = `{item(id:1){id name}}`
			ask(read)
			if got := ask(read); got != "HIT" {
				t.Fatalf("%q", got)
			}
			ask(row.document)
			if got := ask(read); (got != "HIT") != row.dropped {
				t.Errorf("%s afterwards; dropped: %v", got, row.dropped)
			}
		})
	}
}

func again2(ctx context.Context, next graphql.Resolver) (any, error) { return again(ctx, nil, next) }

// TestRefusedOfSeveralServers: what was seen of one executor says nothing of another.
func TestRefusedOfSeveralServers(t *testing.T) {
	t.Parallel()
	g, bare := newGuarded(t), newGuarded(t)
	bare.bare, bare.write = true, fails(errors.New("after the write"))
	c := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	one, two := testgraph.Serve(g, c), testgraph.Serve(bare, c)
	const read = `{item(id:1){id name}}`
	testgraph.Ask(t, one, `mutation{other(id:9)}`, nil)
	testgraph.Ask(t, one, read, nil)
	testgraph.Ask(t, two, `mutation{set(id:1)}`, nil)
	testgraph.Ask(t, one, read, nil)
	if s := c.Stats(); s.Hits != 0 {
		t.Error("served from before a change of the other server")
	}
}

// TestRefusedBelow: a directive of a field below refuses what its root field has written.
func TestRefusedBelow(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	var err error
	r.store.On("PostPayload.post", func(ctx context.Context) error {
		err = gqlcache.Refused(ctx)
		return errForbidden
	})
	r.send("{posts{name}}")
	r.send(`mutation{createPost(authorId:$Bob,name:"New"){ok post{id}}}`)
	if err != nil {
		t.Error(err)
	}
	r.store.On("PostPayload.post", nil)
	if got := r.fresh("{posts{name}}"); !strings.Contains(got.Body, "New") {
		t.Errorf("%s", got.Body)
	}
	if err := gqlcache.Refused(t.Context()); !errors.Is(err, gqlcache.ErrNoOperation) {
		t.Errorf("%v", err)
	}
}

// TestRefusing: a wrapped directive is as it was, whatever its arguments.
func TestRefusing(t *testing.T) {
	t.Parallel()
	hasRole := func(ctx context.Context, obj any, next graphql.Resolver, role string, level *int) (any, error) {
		if role != "ADMIN" || level != nil || obj != "obj" {
			return nil, errForbidden
		}
		return next(ctx)
	}
	wrapped := gqlcache.Refusing(hasRole)
	next := func(context.Context) (any, error) { return 7, nil }
	if res, err := wrapped(t.Context(), "obj", next, "ADMIN", nil); res != 7 || err != nil {
		t.Errorf("%v, %v", res, err)
	}
	if res, err := wrapped(t.Context(), nil, next, "USER", nil); res != nil || !errors.Is(err, errForbidden) {
		t.Errorf("%v, %v", res, err)
	}
	if gqlcache.Refusing(directive(nil)) != nil {
		t.Error("nil is no directive any more")
	}
	for _, wrong := range []func(){
		func() { gqlcache.Refusing(7) },
		func() { gqlcache.Refusing(func() {}) },
		func() { gqlcache.Refusing(func(context.Context, any, string) (any, error) { return nil, nil }) },
	} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "DirectiveRoot") {
					t.Errorf("panic %v", p)
				}
			}()
			wrong()
		}()
	}
}

// TestRefusingWithArguments: the field that it refuses drops nothing.
func TestRefusingWithArguments(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	wrapped := gqlcache.Refusing(func(_ context.Context, _ any, _ graphql.Resolver, role string) (any, error) {
		return nil, errors.New(role)
	})
	c := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	h := testgraph.Serve(g, c)
	g.directives = []directive{func(ctx context.Context, obj any, next graphql.Resolver) (any, error) {
		return wrapped(ctx, obj, next, "ADMIN")
	}}
	const read = `{item(id:1){id name}}`
	testgraph.Ask(t, h, read, nil)
	testgraph.Ask(t, h, `mutation{set(id:1)}`, nil)
	testgraph.Ask(t, h, read, nil)
	if s := c.Stats(); s.Hits != 1 {
		t.Errorf("%d hits", s.Hits)
	}
}
