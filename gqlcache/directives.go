package gqlcache

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/vektah/gqlparser/v2/ast"
)

// met is what the cache knows of the servers that it was added to, beside the schema:
// what runs around resolvers, and does not when an answer comes from the cache.
type met struct {
	mu         sync.Mutex // serializes changes
	directives plans.Directives
	// field and root are the code of the middlewares of a server without interceptors of
	// fields; 0 when unknown.
	field, root atomic.Uintptr
	// hooked is set when a server has such interceptors; warned are the directives that
	// were said.
	hooked atomic.Bool
	warned []string
	// server is the first executable schema, by address; several is set when there is another.
	server  uintptr
	several bool
}

// meet looks at a server's executable schema. Several servers may share a cache: what
// runs in one counts for all.
func (c *Cache) meet(es graphql.ExecutableSchema) {
	c.met.mu.Lock()
	defer c.met.mu.Unlock()
	c.warnOfServers(es)
	_, _ = safe.Call(func() (struct{}, error) { c.warnOfOurs(es); return struct{}{}, nil })
	c.warnOfDirectives(c.met.directives.Add(c.schema.Load().Schema, directiveRoot(es)))
	oc, _ := safe.Call(func() (*graphql.OperationContext, error) {
		ctx := graphql.StartOperationTrace(context.Background())
		oc, _ := executor.New(es).CreateOperationContext(ctx, &graphql.RawParams{Query: "{"}) // no document
		return oc, nil
	})
	if oc != nil {
		c.met.field.Store(codeOf(oc.ResolverMiddleware))
		c.met.root.Store(codeOf(oc.RootResolverMiddleware))
	}
}

// directiveRoot returns the names of the fields of the generated DirectiveRoot, which has
// one for each directive that runs. It is not exported by the generated types in all
// versions of gqlgen, nor in one place, so it is looked for by the name of its type. When
// there is none, everything may run.
func directiveRoot(es graphql.ExecutableSchema) []string {
	names, err := safe.Call(func() ([]string, error) {
		root := findStruct(reflect.ValueOf(es), "DirectiveRoot", maxWrappers)
		if !root.IsValid() {
			return []string{plans.AllDirectives}, nil
		}
		var names []string
		t := root.Type()
		for i := range t.NumField() {
			names = append(names, t.Field(i).Name)
		}
		return names, nil
	})
	if err != nil {
		return []string{plans.AllDirectives}
	}
	return names
}

// maxWrappers bounds how deep in a value a type is looked for.
const maxWrappers = 6

// findStruct returns the struct whose type has the given name in a value, its fields, and
// what they point to; the zero Value when there is none. It calls nothing.
func findStruct(v reflect.Value, name string, depth int) reflect.Value {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() != reflect.Struct || depth == 0 || v.Type() == reflect.TypeFor[ast.Schema]() {
		return reflect.Value{}
	}
	if v.Type().Name() == name {
		return v
	}
	for i := range v.NumField() {
		if found := findStruct(v.Field(i), name, depth-1); found.IsValid() {
			return found
		}
	}
	return reflect.Value{}
}

// codeOf tells functions apart by their code: those that one literal made are the same.
func codeOf(f any) uintptr {
	v := reflect.ValueOf(f)
	if !v.IsValid() || v.IsNil() {
		return 0
	}
	return v.Pointer()
}

// runs says whether a directive runs in a server that the cache was added to.
func (c *Cache) runs(name string) bool { return c.met.directives.Run(c.schema.Load().Schema, name) }

// warnOfDirectives says once which fields are kept out of the cache, and by which
// directives.
func (c *Cache) warnOfDirectives(found map[string][]string) {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !slices.Contains(c.met.warned, name) {
			c.met.warned = append(c.met.warned, name)
			lines = append(lines, "@"+name+": "+inspector.Names(found[name]))
		}
	}
	if len(lines) > 0 {
		c.opts.Logger.Warn("gqlcache: queries with fields that have run-time directives bypass the cache, since these do not run on a hit; "+
			"name a directive in Options.DirectivesCovered when all that it looks at is in Predicate or Vary", "directives", strings.Join(lines, "; "))
	}
}

// seeFieldHooks looks, when an operation is planned, whether the server has interceptors
// of fields or root fields: they run inside of the cache wherever they were added. What
// they do cannot be seen, so it is said.
func (c *Cache) seeFieldHooks(oc *graphql.OperationContext) {
	if c.met.field.Load() == 0 || c.met.hooked.Load() || !c.met.hooks(oc) {
		return
	}
	if c.met.hooked.Swap(true) || c.opts.FieldHooksCovered {
		return
	}
	c.opts.Logger.Warn("gqlcache: the server has interceptors of fields (AroundFields, AroundRootFields, or an extension such as a tracer); " +
		"they do not run on a hit, wherever the cache was added; when none of them refuses or changes a field for one caller and not for another, " +
		"or all that they look at is in Predicate or Vary, set Options.FieldHooksCovered")
}

// hooks says whether an operation's server has interceptors of fields or root fields, or
// may have some. The operation context must be as the server made it.
func (m *met) hooks(oc *graphql.OperationContext) bool {
	field := m.field.Load()
	return field == 0 || codeOf(oc.ResolverMiddleware) != field || m.hooksRoots(oc)
}

// hooksRoots says whether an operation's server has interceptors of root fields, or may
// have some. The middleware must be as the server made it.
func (m *met) hooksRoots(oc *graphql.OperationContext) bool {
	root := m.root.Load()
	return root == 0 || codeOf(oc.RootResolverMiddleware) != root
}

// refuseUnknownDirectives refuses a name in DirectivesCovered that covers nothing: it is
// misspelled.
func (o Options) refuseUnknownDirectives(s *ast.Schema) error {
	for _, name := range o.DirectivesCovered {
		if s.Directives[name] == nil {
			return fmt.Errorf("%w: DirectivesCovered has %q, and the schema has no such directive; write the name without @", ErrOptions, name)
		}
	}
	return nil
}
