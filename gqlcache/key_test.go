package gqlcache_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/rolegraph"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// allDirectives are those of rolegraph.
var allDirectives = []string{"hasRole", "audited", "redact", "upper", "authenticated"}

// tenantPredicate is that of a server whose owner has forgotten the roles.
func tenantPredicate(context.Context) (gqlcache.Predicate, error) {
	return gqlcache.Predicate{Text: "tenant 1"}, nil
}

// A twinServer is a server with the cache and one without. Extensions of both come before
// the cache in the first.
type twinServer struct {
	t             *testing.T
	cache         *gqlcache.Cache
	log           *logged
	cached, plain http.Handler
}

func newTwin(t *testing.T, s *rolegraph.Server, o gqlcache.Options, before ...graphql.HandlerExtension) *twinServer {
	t.Helper()
	w := &twinServer{t: t}
	w.cache, w.log = loud(t, o)
	w.cached = testgraph.Serve(s.Executable(), append(slices.Clone(before), w.cache)...)
	w.plain = testgraph.Serve(s.Executable(), before...)
	return w
}

// ask sends a document as a role to both servers, compares, and returns the outcome;
// headers are pairs.
func (w *twinServer) ask(role, document string, headers ...string) string {
	w.t.Helper()
	headers = append(headers, "X-Role", role)
	before := w.cache.Stats()
	got := testgraph.Ask(w.t, w.cached, document, nil, headers...)
	status := outcome(before, w.cache.Stats())
	if want := testgraph.Ask(w.t, w.plain, document, nil, headers...); got.Body != want.Body || got.Status != want.Status {
		w.t.Errorf("%s as %q\n cached: %d %s\n  plain: %d %s", document, role, got.Status, got.Body, want.Status, want.Body)
	}
	return status
}

// TestDirectivesThatRun: what a run-time directive may refuse or mask is neither stored
// nor found, wherever in the schema or in the document it is, unless the owner says that
// it is covered.
func TestDirectivesThatRun(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, document, covered string }{
		{"field", "{secret}", "hasRole"},
		{"field below", "{item{name}}", "hasRole"},
		{"through an interface", "{named{name}}", "hasRole"},
		{"inline fragment", "{named{...on Item{name}}}", "hasRole"},
		{"fragment", "{...F} fragment F on Query{self{...G}} fragment G on Query{secret}", "hasRole"},
		{"skipped", "{open secret @skip(if:true)}", "hasRole"},
		{"type", "{vault{key}}", "hasRole"},
		{"by a name of Federation's", "{private}", "authenticated"},
		{"argument", `{found(text:"x")}`, "audited"},
		{"argument not given", `{found}`, "audited"},
		{"input field", `{filtered(filter:{text:"x"})}`, "redact"},
		{"input field below", `{filtered(filter:{inner:{inner:{text:"x"}}})}`, "redact"},
		{"the client's", "{item{note @upper}}", "upper"},
		{"the client's in a fragment", "{item{...F}} fragment F on Item{note @upper}", "upper"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newTwin(t, &rolegraph.Server{}, gqlcache.Options{Predicate: tenantPredicate})
			for _, role := range []string{"ADMIN", "", "ADMIN"} {
				if status := w.ask(role, row.document); status != "directive" {
					t.Errorf("as %q: %q", role, status)
				}
			}
			byRole := newTwin(t, &rolegraph.Server{}, gqlcache.Options{
				Predicate: func(ctx context.Context) (gqlcache.Predicate, error) {
					return gqlcache.Predicate{Text: "role " + rolegraph.Role(ctx)}, nil
				},
				DirectivesCovered: []string{row.covered},
			})
			for _, want := range []string{"MISS", "HIT"} {
				if status := byRole.ask("ADMIN", row.document); status != want {
					t.Errorf("covered: %q, want %q", status, want)
				}
			}
			byRole.ask("", row.document)
			byRole.ask("", row.document)
		})
	}
}

// TestDirectivesThatDoNotRun: what has skip_runtime, and fields without directives, are
// kept.
func TestDirectivesThatDoNotRun(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"{documented}", "{open}", "{item{title note}}", "{named{...on Item{title}}}", "{item{title @include(if:true)}}"} {
		w := newTwin(t, &rolegraph.Server{}, gqlcache.Options{Predicate: tenantPredicate})
		w.ask("", document)
		if status := w.ask("", document); status != "HIT" {
			t.Errorf("%s: %q", document, status)
		}
	}
}

// TestDirectivesAreSaid: at the start, once each, with the fields and what to do; in the
// panel, too.
func TestDirectivesAreSaid(t *testing.T) {
	t.Parallel()
	w := newTwin(t, &rolegraph.Server{}, gqlcache.Options{Predicate: tenantPredicate, DirectivesCovered: []string{"audited"}})
	lines := strings.Join(w.log.lines(), "\n")
	for _, text := range []string{"@authenticated: Query.private", "@hasRole: Item.name, Query.secret, Query.vault", "@redact: Query.filtered", "DirectivesCovered"} {
		if !strings.Contains(lines, text) {
			t.Errorf("%q is not in the log: %s", text, lines)
		}
	}
	if strings.Contains(lines, "@audited") || strings.Contains(lines, "@docs") || strings.Contains(lines, "Vault.key") || len(w.log.lines()) != 1 {
		t.Errorf("log: %s", lines)
	}
	testgraph.Serve((&rolegraph.Server{}).Executable(), w.cache)
	if lines := w.log.lines(); len(lines) != 2 || !strings.Contains(lines[1], "which share answers") {
		t.Errorf("after a second server: %q", lines)
	}
}

// TestDirectivesOfAnotherServer: a resolver may hold another server of gqlgen's, whose
// directives are not those of its own server. A wrapper may hold several servers, or get
// one from where it cannot be seen.
func TestDirectivesOfAnotherServer(t *testing.T) {
	t.Parallel()
	another := testgraph.Executable(testgraph.NewStore())
	inner := handler.New(another)
	roles := func(beside any) graphql.ExecutableSchema { return (&rolegraph.Server{Beside: beside}).Executable() }
	for _, row := range []struct {
		name         string
		es           graphql.ExecutableSchema
		secret, docs string
	}{
		{"a resolver holds a schema", roles(another), "directive", "HIT"},
		{"a resolver holds a server", roles(inner), "directive", "HIT"},
		{"a wrapper's field holds a server", besideServer{wrapped{roles(nil)}, inner}, "directive", "HIT"},
		{"schemas in a struct of a wrapper", holder{ExecutableSchema: roles(nil), spare: &pair{another, another}, kinds: list{nil}}, "directive", "HIT"},
		{"a schema that is set later", holder{ExecutableSchema: roles(nil), spare: &pair{first: another}}, "directive", "directive"},
		{"two schemas", choosing{ExecutableSchema: roles(nil), other: another}, "directive", "HIT"},
		{"one of two is hidden", choosing{ExecutableSchema: roles(nil), other: hidden{schema: another.Schema, exec: another.Exec}}, "directive", "directive"},
		{"a map of schemas", tenants{ExecutableSchema: roles(nil), byName: map[string]graphql.ExecutableSchema{"a": another}}, "directive", "directive"},
		{"a function that returns one", lazy{ExecutableSchema: roles(nil), other: func() graphql.ExecutableSchema { return another }}, "directive", "directive"},
		{"a pointer that is exchanged", &exchanged{ExecutableSchema: roles(nil)}, "directive", "directive"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c, _ := loud(t, gqlcache.Options{Predicate: tenantPredicate})
			h := testgraph.Serve(row.es, c)
			for document, want := range map[string]string{"{secret}": row.secret, "{documented}": row.docs, "{open}": "HIT"} {
				testgraph.Ask(t, h, document, nil)
				before := c.Stats()
				testgraph.Ask(t, h, document, nil)
				if got := outcome(before, c.Stats()); got != want {
					t.Errorf("%s: %q, want %q", document, got, want)
				}
			}
		})
	}
}

type besideServer struct {
	graphql.ExecutableSchema

	inner *handler.Server
}

type holder struct {
	graphql.ExecutableSchema

	spare *pair
	kinds list
}

type pair struct{ first, second graphql.ExecutableSchema }

type list []list

type choosing struct {
	graphql.ExecutableSchema

	other graphql.ExecutableSchema
}

type tenants struct {
	graphql.ExecutableSchema

	byName map[string]graphql.ExecutableSchema
}

type lazy struct {
	graphql.ExecutableSchema

	other func() graphql.ExecutableSchema
}

type exchanged struct {
	graphql.ExecutableSchema

	next atomic.Pointer[graphql.ExecutableSchema] //nolint:unused // its type is looked at
}

// wrapped is an executable schema in which the generated one cannot be seen.
type wrapped struct{ graphql.ExecutableSchema }

// TestDirectivesOfWrappedSchemas: behind a struct they are found; where nothing is found
// all may run.
func TestDirectivesOfWrappedSchemas(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		wrap func(graphql.ExecutableSchema) graphql.ExecutableSchema
		docs string
	}{
		{"a struct", func(es graphql.ExecutableSchema) graphql.ExecutableSchema { return wrapped{es} }, "HIT"},
		{"functions", func(es graphql.ExecutableSchema) graphql.ExecutableSchema {
			return hidden{schema: es.Schema, exec: es.Exec}
		}, "directive"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c, _ := loud(t, gqlcache.Options{Predicate: tenantPredicate})
			h := testgraph.Serve(row.wrap((&rolegraph.Server{}).Executable()), c)
			status := func(document string) string {
				testgraph.Ask(t, h, document, nil)
				before := c.Stats()
				testgraph.Ask(t, h, document, nil)
				return outcome(before, c.Stats())
			}
			if got := status("{secret}"); got != "directive" {
				t.Errorf("secret: %q", got)
			}
			if got := status("{private}"); got != "directive" {
				t.Errorf("private: %q", got)
			}
			if got := status("{documented}"); got != row.docs {
				t.Errorf("documented: %q, want %q", got, row.docs)
			}
			if got := status("{open}"); got != "HIT" {
				t.Errorf("open: %q", got)
			}
		})
	}
}

// hidden has the generated schema in functions only.
type hidden struct {
	unmeasured

	schema func() *ast.Schema
	exec   func(context.Context) graphql.ResponseHandler
}

func (h hidden) Schema() *ast.Schema                              { return h.schema() }
func (h hidden) Exec(ctx context.Context) graphql.ResponseHandler { return h.exec(ctx) }

// TestFieldHooksAreSaid: interceptors of fields are found wherever they were added.
func TestFieldHooksAreSaid(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		add   func(*handler.Server)
		o     gqlcache.Options
		lines int
	}{
		{"none", func(*handler.Server) {}, gqlcache.Options{}, 0},
		{"fields", func(s *handler.Server) {
			s.AroundFields(func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) })
		}, gqlcache.Options{}, 1},
		{"root fields", func(s *handler.Server) {
			s.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) })
		}, gqlcache.Options{}, 1},
		{"covered", func(s *handler.Server) {
			s.AroundFields(func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) })
		}, gqlcache.Options{FieldHooksCovered: true}, 0},
		{"another kind", func(s *handler.Server) {
			s.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler { return next(ctx) })
		}, gqlcache.Options{}, 0},
	} {
		for _, last := range []bool{true, false} {
			row.o.Callers = gqlcache.AllSeeTheSame
			c, log := loud(t, row.o)
			s := testgraph.NewServer(testgraph.NewStore())
			if !last {
				s.Use(c)
			}
			row.add(s)
			if last {
				s.Use(c)
			}
			for range 3 {
				testgraph.Ask(t, s, readUsers, nil)
			}
			if lines := log.lines(); len(lines) != row.lines || row.lines > 0 && !strings.Contains(lines[0], "FieldHooksCovered") {
				t.Errorf("%s, cache last=%v: %q", row.name, last, lines)
			}
		}
	}
}

// mutator is an extension that changes operation contexts.
type mutator struct {
	named
	change func(context.Context, *graphql.OperationContext)
}

func (m mutator) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	m.change(ctx, oc)
	return nil
}

// TestRewrittenDocuments: what an extension does to a document for one caller is not
// answered to another from the plan of the first, in whichever way it does it.
func TestRewrittenDocuments(t *testing.T) {
	t.Parallel()
	const document = "query Q{item{...F}} fragment F on Item{title note}"
	skip := func(v string) ast.DirectiveList {
		return ast.DirectiveList{{Name: "skip", Arguments: ast.ArgumentList{{Name: "if", Value: &ast.Value{Kind: ast.BooleanValue, Raw: v}}},
			Definition: (&rolegraph.Server{}).Executable().Schema().Directives["skip"]}}
	}
	for _, row := range []struct {
		name string
		// rewrite gives the caller without a role less. whole is the fragment's selection
		// as it was parsed.
		rewrite func(oc *graphql.OperationContext, whole ast.SelectionSet, admin bool)
	}{
		{"a copy of the document with other fragments", func(oc *graphql.OperationContext, whole ast.SelectionSet, admin bool) {
			if admin {
				return
			}
			doc, f := *oc.Doc, *oc.Doc.Fragments[0]
			f.SelectionSet = whole[:1]
			doc.Fragments = ast.FragmentDefinitionList{&f}
			oc.Doc = &doc
		}},
		{"another fragment in the shared list", func(oc *graphql.OperationContext, whole ast.SelectionSet, admin bool) {
			f := *oc.Doc.Fragments[0]
			if f.SelectionSet = whole; !admin {
				f.SelectionSet = whole[:1]
			}
			oc.Doc.Fragments[0] = &f
		}},
		{"the selections of the shared fragment", func(oc *graphql.OperationContext, whole ast.SelectionSet, admin bool) {
			if oc.Doc.Fragments[0].SelectionSet = whole; !admin {
				oc.Doc.Fragments[0].SelectionSet = whole[:1]
			}
		}},
		{"a node in the shared fragment's list", func(oc *graphql.OperationContext, whole ast.SelectionSet, admin bool) {
			title, set := whole[0].(*ast.Field), oc.Doc.Fragments[0].SelectionSet
			if admin {
				f := *title
				f.Alias, f.Name, f.Definition = "note", "note", oc.Doc.Fragments[0].Definition.Fields.ForName("note")
				set[1] = &f
			} else {
				set[1] = title
			}
		}},
		{"the shared operation", func(oc *graphql.OperationContext, whole ast.SelectionSet, admin bool) {
			item := oc.Operation.SelectionSet[0].(*ast.Field)
			if item.SelectionSet = whole; !admin {
				item.SelectionSet = whole[:1]
			}
		}},
		{"an alias", func(oc *graphql.OperationContext, _ ast.SelectionSet, admin bool) {
			oc.Operation.SelectionSet[0].(*ast.Field).Alias = map[bool]string{true: "admin", false: "item"}[admin]
		}},
		{"an argument of a directive", func(oc *graphql.OperationContext, whole ast.SelectionSet, admin bool) {
			whole[1].(*ast.Field).Directives = skip(map[bool]string{true: "false", false: "true"}[admin])
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			parsed := map[*ast.QueryDocument]ast.SelectionSet{}
			rewrite := mutator{"rewrite", func(_ context.Context, oc *graphql.OperationContext) {
				if parsed[oc.Doc] == nil {
					parsed[oc.Doc] = slices.Clone(oc.Doc.Fragments[0].SelectionSet)
				}
				row.rewrite(oc, parsed[oc.Doc], oc.Headers.Get("X-Role") == "ADMIN")
			}}
			w := newTwin(t, &rolegraph.Server{}, gqlcache.Options{Predicate: tenantPredicate}, rewrite)
			want := []string{"MISS", "MISS", "HIT", "HIT", "HIT"}
			for i, role := range []string{"ADMIN", "", "ADMIN", "", "ADMIN"} {
				if status := w.ask(role, document); status != want[i] {
					t.Errorf("%d, as %q: %q, want %q", i, role, status, want[i])
				}
			}
		})
	}
}

// TestNestedIntrospection: wherever an operation asks for the schema, and whoever may.
func TestNestedIntrospection(t *testing.T) {
	t.Parallel()
	disable := mutator{"introspection", func(ctx context.Context, oc *graphql.OperationContext) {
		oc.DisableIntrospection = oc.Headers.Get("X-Role") != "ADMIN"
	}}
	for _, document := range []string{
		"{self{__schema{queryType{name}}}}",
		`{self{self{t:__type(name:"Item"){name}}}}`,
		"{open ...F} fragment F on Query{self{...G}} fragment G on Query{__schema{queryType{name}}}",
		"{self{...on Query{__schema{queryType{name}}}}}",
		"{open self{__schema @skip(if:true){queryType{name}}}}",
	} {
		w := newTwin(t, &rolegraph.Server{}, gqlcache.Options{Predicate: tenantPredicate}, disable)
		for _, role := range []string{"ADMIN", "", "ADMIN"} {
			if status := w.ask(role, document); status != "introspection" {
				t.Errorf("%s as %q: %q", document, role, status)
			}
		}
	}
	w := newTwin(t, &rolegraph.Server{}, gqlcache.Options{Predicate: tenantPredicate}, disable)
	w.ask("ADMIN", "{self{__typename}}")
	if status := w.ask("", "{self{__typename}}"); status != "HIT" {
		t.Errorf("__typename: %q", status)
	}
}

// TestRewrittenVariables: they are read when all extensions outside of the cache have
// rewritten them.
func TestRewrittenVariables(t *testing.T) {
	t.Parallel()
	set := func(oc *graphql.OperationContext) {
		if oc.Headers.Get("X-Role") == "ADMIN" {
			oc.Variables["id"] = 7
		}
	}
	s := &rolegraph.Server{Who: func(_ context.Context, id int) string { return "row " + string(rune('0'+id)) }}
	for name, ext := range map[string]graphql.HandlerExtension{
		"context": mutator{"vars", func(_ context.Context, oc *graphql.OperationContext) { set(oc) }},
		"operation": operationHook(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			set(graphql.GetOperationContext(ctx))
			return next(ctx)
		}),
		"response": responseHook(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
			set(graphql.GetOperationContext(ctx))
			return next(ctx)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTwin(t, s, gqlcache.Options{Predicate: tenantPredicate}, ext)
			for i, role := range []string{"ADMIN", "", "ADMIN", ""} {
				status := w.ask(role, "query($id:Int=1){who(id:$id)}")
				if want := []string{"MISS", "MISS", "HIT", "HIT"}[i]; status != want {
					t.Errorf("%d: %q, want %q", i, status, want)
				}
			}
		})
	}
}

type operationHook func(context.Context, graphql.OperationHandler) graphql.ResponseHandler

func (operationHook) ExtensionName() string                   { return "operation hook" }
func (operationHook) Validate(graphql.ExecutableSchema) error { return nil }
func (h operationHook) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	return h(ctx, next)
}

type responseHook func(context.Context, graphql.ResponseHandler) *graphql.Response

func (responseHook) ExtensionName() string                   { return "response hook" }
func (responseHook) Validate(graphql.ExecutableSchema) error { return nil }
func (h responseHook) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return h(ctx, next)
}

type roleKey struct{}

// TestInnerExtensions: one that was added after the cache, and changes who asks or what
// is asked, keeps answers from being stored.
func TestInnerExtensions(t *testing.T) {
	t.Parallel()
	user := func(ctx context.Context) string { s, _ := ctx.Value(roleKey{}).(string); return s }
	login := func(ctx context.Context) context.Context {
		return context.WithValue(ctx, roleKey{}, rolegraph.Role(ctx))
	}
	s := &rolegraph.Server{Who: func(ctx context.Context, id int) string { return user(ctx) + string(rune('0'+id)) }}
	predicate := func(ctx context.Context) (gqlcache.Predicate, error) {
		return gqlcache.Predicate{Text: "user " + user(ctx)}, nil
	}
	vary := gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Vary: func(ctx context.Context) []string { return []string{user(ctx)} }}
	respond := responseHook(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response { return next(login(ctx)) })
	for _, row := range []struct {
		name string
		o    gqlcache.Options
		ext  graphql.HandlerExtension
	}{
		{"user", gqlcache.Options{Predicate: predicate}, respond},
		{"user in Vary", vary, respond},
		{"user of root fields", gqlcache.Options{Predicate: predicate}, rootHook(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(login(ctx)) })},
		{"variables", gqlcache.Options{Predicate: tenantPredicate}, responseHook(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
			oc := graphql.GetOperationContext(ctx)
			oc.Variables = map[string]any{"id": len(oc.Headers.Get("X-Role"))}
			return next(ctx)
		})},
		{"document", gqlcache.Options{Predicate: tenantPredicate}, responseHook(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
			oc := graphql.GetOperationContext(ctx)
			op := *oc.Operation
			f := *op.SelectionSet[0].(*ast.Field)
			f.Alias = "as" + oc.Headers.Get("X-Role")
			op.SelectionSet = ast.SelectionSet{&f}
			oc.Operation = &op
			return next(ctx)
		})},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.o.FieldHooksCovered, row.o.DirectivesCovered = true, allDirectives
			c, log := loud(t, row.o)
			cached, plain := testgraph.Serve(s.Executable(), c, row.ext), testgraph.Serve(s.Executable(), row.ext)
			for _, role := range []string{"ann", "bob", "administrator", "ann"} {
				before := c.Stats()
				got := testgraph.Ask(t, cached, "query($id:Int=1){who(id:$id)}", nil, "X-Role", role)
				if status := outcome(before, c.Stats()); status != "MISS inner" {
					t.Errorf("as %s: %q", role, status)
				}
				if want := testgraph.Ask(t, plain, "query($id:Int=1){who(id:$id)}", nil, "X-Role", role); got.Body != want.Body {
					t.Errorf("as %s: %s, want %s", role, got.Body, want.Body)
				}
			}
			if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "after all other extensions") {
				t.Errorf("log: %q", lines)
			}
		})
	}
}

type rootHook func(context.Context, graphql.RootResolver) graphql.Marshaler

func (rootHook) ExtensionName() string                   { return "root hook" }
func (rootHook) Validate(graphql.ExecutableSchema) error { return nil }
func (h rootHook) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	return h(ctx, next)
}

// TestSaidBesideTheData: extensions that resolvers register, or an extension after the
// cache, and headers, are on every answer.
func TestSaidBesideTheData(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	experiment := func(ctx context.Context) { graphql.RegisterExtension(ctx, "experiment", calls.Add(1) > 0) }
	outside := responseHook(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		graphql.RegisterExtension(ctx, "outside", true)
		return next(ctx)
	})
	for _, row := range []struct {
		name          string
		open          func(context.Context)
		before, after graphql.HandlerExtension
		second        string
	}{
		{"resolver", experiment, nil, nil, "MISS beside"},
		{"resolver, with one outside", experiment, outside, nil, "MISS beside"},
		{"extension after the cache", nil, nil, outside, "MISS beside"},
		{"extension before the cache", nil, outside, nil, "HIT"},
		{"nothing", nil, nil, nil, "HIT"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := &rolegraph.Server{Open: func(ctx context.Context) string {
				if row.open != nil {
					row.open(ctx)
				}
				return "open"
			}}
			c, log := loud(t, gqlcache.Options{Predicate: tenantPredicate, DirectivesCovered: allDirectives})
			exts := []graphql.HandlerExtension{row.before, c, row.after}
			cached := testgraph.Serve(s.Executable(), slices.DeleteFunc(exts, func(e graphql.HandlerExtension) bool { return e == nil })...)
			first := testgraph.Ask(t, cached, "{open}", nil)
			before := c.Stats()
			second := testgraph.Ask(t, cached, "{open}", nil)
			if status := outcome(before, c.Stats()); status != row.second || second.Body != first.Body {
				t.Errorf("%q, want %q: %s, then %s", status, row.second, first.Body, second.Body)
			}
			if lines := log.lines(); (len(lines) == 1) != (row.second != "HIT") {
				t.Errorf("log: %q", lines)
			}
		})
	}
}

type writerKey struct{}

// TestHeadersOfResolvers: with Cache.Handler, an answer while which the header was
// changed is not stored.
func TestHeadersOfResolvers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		set    func(http.Header)
		second string
	}{
		{"cookie", func(h http.Header) { h.Add("Set-Cookie", "seen=1") }, "MISS beside"},
		{"cookie beside one of a middleware", func(h http.Header) { h.Add("Set-Cookie", "x=1") }, "MISS beside"},
		{"another value", func(h http.Header) { h.Set("X-Middleware", "changed") }, "MISS beside"},
		{"taken away", func(h http.Header) { h.Del("X-Middleware") }, "MISS beside"},
		{"nothing", func(http.Header) {}, "HIT"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := &rolegraph.Server{Open: func(ctx context.Context) string {
				row.set(ctx.Value(writerKey{}).(http.ResponseWriter).Header())
				return "open"
			}}
			c, _ := loud(t, gqlcache.Options{Predicate: tenantPredicate})
			srv := c.Handler(testgraph.Serve(s.Executable(), c))
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Middleware", "here")
				w.Header().Add("Set-Cookie", "session=1")
				srv.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), writerKey{}, w)))
			})
			testgraph.Ask(t, h, "{open}", nil)
			before := c.Stats()
			testgraph.Ask(t, h, "{open}", nil)
			if status := outcome(before, c.Stats()); status != row.second {
				t.Errorf("%q, want %q", status, row.second)
			}
		})
	}
}

// TestHeaderIsNotReadBeside: while another operation of the request runs, and when the
// handler has returned, its header may be written to, and is not read: the race detector
// sees it.
func TestHeaderIsNotReadBeside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		running, goOn := make(chan struct{}, 1), make(chan struct{})
		s := &rolegraph.Server{Who: func(ctx context.Context, id int) string {
			if id == 1 {
				running <- struct{}{}
				<-goOn
			}
			return "everybody"
		}}
		c, _ := loud(t, gqlcache.Options{Predicate: tenantPredicate})
		srv := testgraph.Serve(s.Executable(), c)
		srv.AddTransport(batch{})
		timedOut := make(chan struct{})
		h := c.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/batch" {
				go func() {
					<-running
					w.Header().Set("X-By", "an operation that runs at once")
					close(goOn)
				}()
				srv.ServeHTTP(w, r)
				return
			}
			go func() { // as http.TimeoutHandler does it
				srv.ServeHTTP(httptest.NewRecorder(), r)
				close(timedOut)
			}()
			<-running
		}))
		hr := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/batch", strings.NewReader(`[{"query":"{who(id:1)}"},{"query":"{who(id:2)}"}]`))
		hr.Header.Set("Content-Type", "application/batch")
		h.ServeHTTP(httptest.NewRecorder(), hr)
		goOn = make(chan struct{})
		w := httptest.NewRecorder()
		hr = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"query":"{late: who(id:1)}"}`))
		hr.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(w, hr)
		w.Header().Set("X-By", "who answers for it")
		close(goOn)
		<-timedOut
		if n := c.Stats().Misses; n != 3 {
			t.Errorf("%d misses", n)
		}
	})
}
