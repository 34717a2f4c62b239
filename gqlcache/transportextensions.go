package gqlcache

import (
	"context"
	"reflect"
	"runtime"
	"slices"
	"unsafe"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// extensions are those of an executor, as far as they decide whether an operation that it
// has made may be used again.
//
// gqlgen has no way to ask for them. Their number and types are read from the executor by
// reflection; where gqlgen keeps them elsewhere one day, nothing is used again.
type extensions struct {
	executor *executor.Executor
	number   int
	// persists is set when there is one that looks for persisted queries.
	persists bool
	// limited is set when there is a limit of complexity.
	limited bool
	// limits are those limits, in their order, when the complexity of an operation may be
	// another one for another request: they are asked for each. Else there are none.
	limits []*extension.ComplexityLimit
	// hooks are the types of extensions that may refuse or change an operation or a
	// response, without those that Options.HTTP names, the cache, and those of which it
	// is known that they do neither to an answer that is stored.
	hooks []string
	// changing are the types of those that change parameters or operations, and of which
	// it is not known that they do the same for each request with the same text.
	changing []string
	// answers is set when the cache is one of the extensions.
	answers bool
	// behind are the types of those that intercept responses and come after the cache.
	behind []string
	// documents is the server's query cache where another request with the same query may
	// get another document; nil otherwise.
	documents graphql.Cache[*ast.QueryDocument]
	// unseen is set when the query cache cannot be seen.
	unseen bool
}

var (
	extensionsField, hasExtensions = reflect.TypeFor[executor.Executor]().FieldByName("extensions")

	changesParameters = reflect.TypeFor[graphql.OperationParameterMutator]()
	changesOperation  = reflect.TypeFor[graphql.OperationContextMutator]()
	aroundOperations  = reflect.TypeFor[graphql.OperationInterceptor]()
	aroundResponses   = reflect.TypeFor[graphql.ResponseInterceptor]()

	introspection   = reflect.TypeFor[extension.Introspection]()
	persistedQuery  = reflect.TypeFor[extension.AutomaticPersistedQuery]()
	complexityLimit = reflect.TypeFor[*extension.ComplexityLimit]()
	// fixedLimit is where the code of a limit stands that is the same for each request.
	// It notes what it finds under limitName.
	limitName  = extension.ComplexityLimit{}.ExtensionName()
	fixedLimit = lineOf(reflect.ValueOf(extension.FixedComplexityLimit(1).Func))
)

// persistedQueryExtension is the member of a request's extensions that
// AutomaticPersistedQuery looks at.
const persistedQueryExtension = "persistedQuery"

// extensionsOf returns the extensions of an executor. The result is the same while it has
// the same; nil when they cannot be seen.
func (t *answering) extensionsOf(exec graphql.GraphExecutor) *extensions {
	e, ok := exec.(*executor.Executor)
	if !ok || !hasExtensions || extensionsField.Type.Kind() != reflect.Slice {
		return nil
	}
	list := reflect.ValueOf(e).Elem().FieldByIndex(extensionsField.Index)
	if met := t.met.Load(); met != nil && met.executor == e && met.number == list.Len() {
		return met
	}
	met := t.cache.newExtensions(e, list)
	t.cache.warnOfQueryCache(e)
	t.cache.warnOfBehind(met.behind)
	t.met.Store(met)
	return met
}

func (c *Cache) newExtensions(e *executor.Executor, list reflect.Value) *extensions {
	met := &extensions{executor: e, number: list.Len()}
	documents, seen := queryCacheOf(e)
	met.unseen = !seen
	if !isForAll(documents) {
		met.documents = documents
	}
	for i := range list.Len() {
		x := list.Index(i)
		if x.Kind() == reflect.Interface {
			x = x.Elem()
		}
		if x.IsValid() {
			met.add(c, x)
		}
	}
	return met
}

func (e *extensions) add(c *Cache, x reflect.Value) {
	typ := x.Type()
	changes := typ.Implements(changesParameters) || typ.Implements(changesOperation)
	switch {
	case x.Kind() == reflect.Pointer && x.UnsafePointer() == unsafe.Pointer(c): //nolint:gosec // compared, not followed
		e.answers = true
	case typ == introspection:
	case typ == persistedQuery:
		e.persists = true
	case typ == complexityLimit && isFixed(x):
		e.limited = true
		if !hasFixedComplexity(reflect.ValueOf(e.executor).Elem().FieldByName("es")) {
			e.limits = append(e.limits, (*extension.ComplexityLimit)(x.UnsafePointer())) //nolint:gosec // the type was looked at
		}
	case changes, typ.Implements(aroundOperations), typ.Implements(aroundResponses):
		if changes {
			e.changing = append(e.changing, typ.String())
		}
		if e.answers && typ.Implements(aroundResponses) && typ != reflect.TypeFor[*Cache]() {
			e.behind = append(e.behind, typ.String())
		}
		if !slices.Contains(c.opts.HTTP.DirectPast, typ.String()) {
			e.hooks = append(e.hooks, typ.String())
		}
	}
}

func isFixed(limit reflect.Value) bool {
	if limit.IsNil() {
		return false
	}
	f := limit.Elem().FieldByName("Func")
	return f.IsValid() && f.Kind() == reflect.Func && lineOf(f) == fixedLimit
}

// hasFixedComplexity says of an executable schema that an operation is as complex for
// each request with the same document and variables: it is the code that gqlgen has
// generated, and the server has given it no functions of its own. A wrapper of it has a
// method Complexity that is given the request's context, and may tell callers apart by
// it. A function may look at anything, such as a configuration that changes, and is given
// arguments that were decoded in the request's context.
func hasFixedComplexity(es reflect.Value) bool {
	for es.IsValid() && (es.Kind() == reflect.Interface || es.Kind() == reflect.Pointer) {
		es = es.Elem()
	}
	if !es.IsValid() || es.Kind() != reflect.Struct || es.Type().Name() != "executableSchema" {
		return false
	}
	root := findStruct(es, "ComplexityRoot", 2) //nolint:mnd // the schema and its fields
	return root.IsValid() && hasNoFunctions(root)
}

// hasNoFunctions says that all that a struct of functions has is nil.
func hasNoFunctions(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Func:
		return v.IsNil()
	case reflect.Struct:
		for i := range v.NumField() {
			if !hasNoFunctions(v.Field(i)) {
				return false
			}
		}
		return true
	}
	return false
}

// queryCacheOf returns the query cache of an executor, and whether it can be seen.
func queryCacheOf(e *executor.Executor) (documents graphql.Cache[*ast.QueryDocument], seen bool) {
	f := reflect.ValueOf(e).Elem().FieldByName("queryCache")
	if !f.IsValid() || f.Type() != reflect.TypeFor[graphql.Cache[*ast.QueryDocument]]() {
		return nil, false
	}
	return *(*graphql.Cache[*ast.QueryDocument])(unsafe.Pointer(f.UnsafeAddr())), true //nolint:gosec // the type is looked at
}

// isForAll says of a query cache that all requests with a query get one document. Another
// one is given the request's context, and may look at it.
func isForAll(documents graphql.Cache[*ast.QueryDocument]) bool {
	switch documents.(type) {
	case nil, graphql.NoCache[*ast.QueryDocument], *graphql.NoCache[*ast.QueryDocument], graphql.MapCache[*ast.QueryDocument], *lru.LRU[*ast.QueryDocument]:
		return true
	}
	return false
}

// hasDocument says whether the executor would make an operation of the same document for
// another request with the query.
func (e *extensions) hasDocument(ctx context.Context, query string, doc *ast.QueryDocument) bool {
	if e.documents == nil {
		return true
	}
	now, ok := e.documents.Get(ctx, query)
	return ok && now == doc
}

// refuses asks the limits of complexity for an operation that is used again.
func (e *extensions) refuses(ctx context.Context, oc *graphql.OperationContext) gqlerror.List {
	if len(e.limits) == 0 {
		return nil
	}
	ctx = graphql.WithOperationContext(ctx, oc)
	for _, limit := range e.limits {
		if err := limit.MutateOperationContext(ctx, oc); err != nil {
			return gqlerror.List{err}
		}
	}
	return nil
}

// A line is where the code of a function begins. The address would not do: the compiler
// may have a copy of the function in each caller.
type line struct {
	file   string
	number int
}

func lineOf(f reflect.Value) (l line) {
	if code := runtime.FuncForPC(f.Pointer()); code != nil {
		l.file, l.number = code.FileLine(f.Pointer())
	}
	return l
}

// repeatable says whether the operation that was made of a question may be used for
// another request. It may be called on nil.
func (e *extensions) repeatable(q *question) bool {
	return e != nil && !e.unseen && len(e.changing) == 0 && (!e.persists || q.extensions[persistedQueryExtension] == nil)
}
