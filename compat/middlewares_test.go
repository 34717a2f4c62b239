package compat_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// TestErrorsWithoutTrace: a presenter that returns nil, and one that hides the error.
func TestErrorsWithoutTrace(t *testing.T) {
	t.Parallel()
	for name, present := range map[string]graphql.ErrorPresenterFunc{
		"nothing": func(context.Context, error) *gqlerror.Error { return nil },
		"only some": func(ctx context.Context, err error) *gqlerror.Error {
			if err.Error() == "database is away" {
				return nil
			}
			return graphql.DefaultErrorPresenter(ctx, err)
		},
		"code": func(ctx context.Context, err error) *gqlerror.Error {
			e := graphql.DefaultErrorPresenter(ctx, err)
			e.Message, e.Extensions = "internal", map[string]any{"code": "INTERNAL"}
			return e
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, query := range []string{`{ sometimes }`, `{ item(id: 1) { name } sometimes }`, `{ self { sometimes } }`, `{ ...f } fragment f on Query { sometimes a: sometimes }`} {
				w := newWorld(t, netHTTP, setup{before: func(s *site) { s.graph.SetErrorPresenter(present) }})
				for _, s := range []*site{w.plain, w.cached} {
					s.store.Break(2) // fields of one answer fail alike
				}
				w.Once(q(query))
				w.plain.store.Break(0)
				w.cached.store.Break(0)
				w.Same(q(query))
				w.Same(q(query))
			}
		})
	}
	t.Run("panic", func(t *testing.T) {
		t.Parallel()
		for _, query := range []string{`{ perhaps(how: PANIC) }`, `{ perhaps(how: ERROR) }`, `{ fail(how: PANIC) }`} {
			w := newWorld(t, netHTTP, setup{before: func(s *site) {
				s.graph.SetErrorPresenter(func(context.Context, error) *gqlerror.Error { return nil })
				s.graph.SetRecoverFunc(func(context.Context, any) error { return nil })
			}})
			w.Same(q(query))
			w.Same(q(query))
		}
	})
}

// perCaller lets only the administrator look at the schema.
func perCaller(s *site) {
	s.graph.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		graphql.GetOperationContext(ctx).DisableIntrospection = s.env.User(ctx) != "admin"
		return next(ctx)
	})
}

// oneTenant is a predicate that all callers have in common.
func oneTenant(context.Context) (gqlcache.Predicate, error) {
	return gqlcache.Predicate{Text: "tenant = 't1'"}, nil
}

// TestIntrospectionPerCaller: at the root and below it, through fragments too.
func TestIntrospectionPerCaller(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		`{ __schema { queryType { name } } }`,
		`{ self { __schema { queryType { name } } } }`,
		`{ self { self { __type(name: "Item") { name } } } }`,
		`{ self { ...f } } fragment f on Query { a: __schema { mutationType { name } } }`,
		`{ item(id: 1) { name } self { ... on Query { ... { __type(name: "Item") { name } } } } }`,
	} {
		w := newWorld(t, netHTTP, setup{options: gqlcache.Options{Predicate: oneTenant}, before: perCaller})
		for _, user := range []string{"admin", "bob", "admin"} {
			w.Same(twin.Request{Query: query, User: user})
		}
	}
}

// rewriting takes a field out of the fragments of callers without a role. It leaves the client's document as it is.
type rewriting struct{ user func(context.Context) string }

func (rewriting) ExtensionName() string                   { return "Rewriting" }
func (rewriting) Validate(graphql.ExecutableSchema) error { return nil }
func (x rewriting) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	if x.user(ctx) == "admin" {
		return nil
	}
	doc := *oc.Doc
	doc.Fragments = nil
	for _, f := range oc.Doc.Fragments {
		c := *f
		c.SelectionSet = nil
		for _, sel := range f.SelectionSet {
			if field, ok := sel.(*ast.Field); !ok || field.Name != "note" {
				c.SelectionSet = append(c.SelectionSet, sel)
			}
		}
		doc.Fragments = append(doc.Fragments, &c)
	}
	oc.Doc = &doc
	return nil
}

// whitening replaces a variable of callers without a role.
type whitening struct{ user func(context.Context) string }

func (whitening) ExtensionName() string                   { return "Whitening" }
func (whitening) Validate(graphql.ExecutableSchema) error { return nil }
func (x whitening) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	if x.user(ctx) != "admin" && oc.Variables["id"] != nil {
		oc.Variables["id"] = "2"
	}
	return nil
}

// TestRewrittenOperations: an extension rewrites documents or variables for some callers.
func TestRewrittenOperations(t *testing.T) {
	t.Parallel()
	for _, users := range [][]string{{"admin", "bob", "admin"}, {"bob", "admin", "bob"}} {
		w := newWorld(t, netHTTP, setup{
			options: gqlcache.Options{Predicate: oneTenant},
			before:  func(s *site) { s.use(rewriting{s.env.User}, whitening{s.env.User}) },
		})
		w.Same(q(`mutation { updateItem(id: 1, input: {note: "secret note"}) { id } }`))
		for _, user := range users {
			w.Same(twin.Request{Query: `{ item(id: 1) { ...f } } fragment f on Item { name note }`, User: user})
			w.Same(twin.Request{Query: `query ($id: ID!) { item(id: $id) { name } }`, Variables: map[string]any{"id": 1}, User: user})
		}
	}
}

// allowed refuses operations that are on no list.
type allowed map[string]bool

func (allowed) ExtensionName() string                   { return "Allowed" }
func (allowed) Validate(graphql.ExecutableSchema) error { return nil }
func (a allowed) MutateOperationParameters(_ context.Context, r *graphql.RawParams) *gqlerror.Error {
	if !a[r.OperationName] {
		return gqlerror.Errorf("operation %q is not allowed", r.OperationName)
	}
	return nil
}

// TestMiddlewaresOfTheServer: interceptors of every kind, before the cache and after it, that refuse, mask, add and
// replace, by caller. The predicate knows the caller.
func TestMiddlewaresOfTheServer(t *testing.T) {
	t.Parallel()
	middlewares := map[string]func(s *site){
		"operations refused": func(s *site) {
			s.graph.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
				if s.env.User(ctx) == "mallory" {
					return graphql.OneShot(graphql.ErrorResponse(ctx, "go away"))
				}
				return next(ctx)
			})
		},
		"responses extended": func(s *site) {
			s.graph.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				r := next(ctx)
				if r != nil {
					r.Extensions = map[string]any{"for": s.env.User(ctx)}
				}
				return r
			})
		},
		"responses replaced": func(s *site) {
			s.graph.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				r := next(ctx)
				if r != nil && s.env.User(ctx) == "bob" {
					r.Data = bytes.ReplaceAll(r.Data, []byte("item"), []byte("ITEM"))
				}
				return r
			})
		},
		"root fields": func(s *site) {
			s.graph.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
				if s.env.User(ctx) == "bob" && graphql.GetRootFieldContext(ctx).Field.Name == "item" {
					return graphql.Null
				}
				return next(ctx)
			})
		},
		"fields masked": func(s *site) {
			s.graph.AroundFields(func(ctx context.Context, next graphql.Resolver) (any, error) {
				if fc := graphql.GetFieldContext(ctx); fc.Object == "User" && fc.Field.Name == "email" && s.env.User(ctx) != "admin" {
					return nil, nil
				}
				return next(ctx)
			})
		},
		"fields refused": func(s *site) {
			s.graph.AroundFields(func(ctx context.Context, next graphql.Resolver) (any, error) {
				if fc := graphql.GetFieldContext(ctx); fc.Field.Name == "id" {
					return nil, errors.New("nobody sees ids")
				}
				return next(ctx)
			})
		},
		"presenter":  presenter,
		"allow list": func(s *site) { s.use(allowed{"A": true}) },
		"complexity": func(s *site) { s.use(extension.FixedComplexityLimit(8)) },
	}
	queries := []twin.Request{
		{Query: `query A { item(id: 1) { name } me { email } }`, Operation: "A"},
		{Query: `query B { items { name parts { name } } }`, Operation: "B"},
		{Query: `query A { item(id: 1) { name } perhaps(how: CODE) }`, Operation: "A"},
		{Query: `mutation A { updateItem(id: 1, input: {name: "new"}) { name } }`, Operation: "A"},
		{Query: `mutation A { addPart(itemId: 1, name: "p") { name } }`, Operation: "A"},
		{Query: `mutation A { failAfter(id: 1, name: "p", how: ERROR) }`, Operation: "A"},
	}
	for name, use := range middlewares {
		for where, s := range map[string]setup{"before": {before: use}, "after": {after: use}} {
			if where == "after" && strings.HasPrefix(name, "responses") {
				continue // the README says that answers are changed before the cache, not after
			}
			t.Run(name+" "+where, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, netHTTP, s)
				for range 2 {
					for _, r := range queries {
						for _, user := range []string{"admin", "bob", "mallory", "bob"} {
							r.User = user
							w.Same(r)
						}
					}
				}
			})
		}
	}
}

// TestDirectivesThatThePredicateDoesNotKnow: under a predicate of the tenant, an answer with a field that is masked by
// role is nobody else's, and it is said at start.
func TestDirectivesThatThePredicateDoesNotKnow(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	w := newWorld(t, netHTTP, setup{options: gqlcache.Options{Predicate: oneTenant, Logger: slog.New(slog.NewTextHandler(&log, nil))}})
	for _, query := range []string{
		`{ item(id: 1) { secret } }`, `{ items { name ... on Item { x: secret } } }`, `{ self { node(id: 1) { ...f } } } fragment f on Item { secret }`,
		`{ mail(email: "ALICE@example.com") { name } }`,
	} {
		for _, user := range []string{"admin", "bob", "admin", "alice"} {
			w.Same(twin.Request{Query: query, User: user})
		}
	}
	w.Same(q(`{ item(id: 1) { name } }`))
	w.hits(func() { w.Same(twin.Request{Query: `{ item(id: 1) { name } }`, User: "bob"}) })
	if text := log.String(); !strings.Contains(text, "hasRole") && !strings.Contains(text, "Item.secret") {
		t.Errorf("nothing is said of @hasRole on Item.secret; the log has:\n%s", text)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestRolesInThePredicate: with a predicate that knows the caller, masks are the server's.
func TestRolesInThePredicate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, netHTTP, setup{})
	for range 2 {
		for _, user := range []string{"admin", "bob", "alice", "admin"} {
			w.Same(twin.Request{Query: `{ items { name secret } }`, User: user})
		}
		w.hits(func() { w.Same(twin.Request{Query: `{ items { name secret } }`, User: "bob"}) })
		w.Same(twin.Request{Query: `mutation { setSecret(id: 1, secret: "x") }`, User: "admin"})
	}
}
