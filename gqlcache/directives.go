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
	c.warnOfDirectives(c.met.directives.Add(c.schema.Load().Schema, directiveNames(es)))
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

// directiveNames returns the names of the fields of the generated DirectiveRoot, which has
// one for each directive that runs. When it cannot be seen, everything may run.
func directiveNames(es graphql.ExecutableSchema) []string {
	names, err := safe.Call(func() ([]string, error) {
		roots, all := directiveRoots(reflect.ValueOf(es), maxWrappers)
		if !all {
			return []string{plans.AllDirectives}, nil
		}
		var names []string
		for _, root := range roots {
			t := root.Type()
			for i := range t.NumField() {
				names = append(names, t.Field(i).Name)
			}
		}
		return names, nil
	})
	if err != nil {
		return []string{plans.AllDirectives}
	}
	return names
}

var executableSchema = reflect.TypeFor[graphql.ExecutableSchema]()

// directiveRoots returns the DirectiveRoot of the code that gqlgen has generated for an
// executable schema. Of a wrapper it returns those of all executable schemas in it, since
// it may choose one for each request. All is false when there may be others, or none is
// found. It calls nothing.
//
// Invariant: only what is executed counts. Generated code holds the server's resolvers,
// too, ahead of the directives, and a resolver may hold another server: with the directives
// of that one, those of its own server would count as ones that do not run.
func directiveRoots(v reflect.Value, depth int) (roots []reflect.Value, all bool) {
	if v = pointedTo(v); v.Kind() != reflect.Struct || depth == 0 {
		return nil, false
	}
	if v.Type().Name() == "executableSchema" {
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Struct && f.Type().Name() == "DirectiveRoot" {
				return []reflect.Value{f}, true
			}
		}
		return nil, false
	}
	all = true
	for i := range v.NumField() {
		f := v.Field(i)
		switch {
		case isExecutable(f), holdsExecutable(f.Type()):
			found, seen := directiveRoots(f, depth-1)
			roots, all = append(roots, found...), all && seen
		case mayGiveExecutable(f.Type(), depth):
			all = false
		}
	}
	return roots, all && len(roots) > 0
}

// pointedTo returns what pointers and interfaces lead to; the zero Value for nil.
func pointedTo(v reflect.Value) reflect.Value {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	return v
}

// isExecutable says whether a field holds an executable schema. One that is nil may hold
// one later.
func isExecutable(f reflect.Value) bool {
	if implementsExecutable(f.Type()) {
		return true
	}
	for f.Kind() == reflect.Pointer || f.Kind() == reflect.Interface {
		if f = f.Elem(); !f.IsValid() {
			return false
		}
		if implementsExecutable(f.Type()) {
			return true
		}
	}
	return false
}

func implementsExecutable(t reflect.Type) bool {
	return t.Implements(executableSchema) || t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(executableSchema)
}

// holdsExecutable says of the type of a wrapper's field whether it is a struct with an
// executable schema.
func holdsExecutable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if implementsExecutable(t.Field(i).Type) {
			return true
		}
	}
	return false
}

// mayGiveExecutable says of the type of a wrapper's field whether an executable schema may
// come from it that cannot be seen now: a list, a function, or what is exchanged while the
// server runs.
func mayGiveExecutable(t reflect.Type, depth int) bool {
	if depth == 0 {
		return false
	}
	switch t.Kind() {
	case reflect.Pointer:
		return mayGiveExecutable(t.Elem(), depth-1)
	case reflect.Slice, reflect.Array, reflect.Map, reflect.Chan:
		return implementsExecutable(t.Elem()) || holdsExecutable(t.Elem()) || mayGiveExecutable(t.Elem(), depth-1)
	case reflect.Func:
		for i := range t.NumOut() {
			if implementsExecutable(t.Out(i)) {
				return true
			}
		}
	case reflect.Struct:
		switch t.PkgPath() {
		case "sync":
			return t.Name() == "Map"
		case "sync/atomic":
			return t.Name() == "Value" || strings.HasPrefix(t.Name(), "Pointer[")
		}
	}
	return false
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
