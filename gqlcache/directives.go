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
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/vektah/gqlparser/v2/ast"
)

// met is what the cache knows of the servers that it was added to, beside the schema: what runs around resolvers, and does
// not when an answer comes from the cache.
//
// The invariant: an answer is stored only if each directive that ran for it is named in Options.DirectivesCovered.
type met struct {
	mu sync.Mutex // serializes changes
	// directives are the folded names of those that run; nil as long as nobody knows.
	directives atomic.Pointer[map[string]bool]
	// guarded are the fields that queries can select, by the uncovered directive that keeps them out of the cache.
	guarded atomic.Pointer[map[string][]string]
	// field and root are the code of the middlewares of a server without interceptors of fields; 0 when unknown.
	field, root atomic.Uintptr
	// hooked is set when a server has such interceptors; warned are the directives that were said.
	hooked atomic.Bool
	warned []string
}

// meet looks at a server's executable schema. Several servers may share a cache: what runs in one counts for all.
func (c *Cache) meet(es graphql.ExecutableSchema) {
	c.met.mu.Lock()
	defer c.met.mu.Unlock()
	known := map[string]bool{}
	if old := c.met.directives.Load(); old != nil {
		known = *old
	}
	c.met.directives.Store(merged(known, directiveRoot(es)))
	guarded := c.guardedFields()
	c.met.guarded.Store(&guarded)
	c.warnOfDirectives(guarded)
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

// unknownDirectives stands for all names.
const unknownDirectives = "*"

func merged(known map[string]bool, names []string) *map[string]bool {
	out := map[string]bool{}
	for name := range known {
		out[name] = true
	}
	for _, name := range names {
		out[folded(name)] = true
	}
	return &out
}

// directiveRoot returns the names of the fields of the generated DirectiveRoot, which has one for each directive that runs.
// It is not exported by the generated types in all versions of gqlgen, nor in one place, so it is looked for by
// the name of its type. When there is none, everything may run.
func directiveRoot(es graphql.ExecutableSchema) []string {
	names, err := safe.Call(func() ([]string, error) {
		t := findType(reflect.ValueOf(es), "DirectiveRoot", maxWrappers)
		if t == nil {
			return []string{unknownDirectives}, nil
		}
		var names []string
		for i := range t.NumField() {
			names = append(names, t.Field(i).Name)
		}
		return names, nil
	})
	if err != nil {
		return []string{unknownDirectives}
	}
	return names
}

// maxWrappers bounds how deep in a value a type is looked for.
const maxWrappers = 6

// findType returns the struct type of the given name in a value, its fields, and what they point to. It
// reads types and calls nothing.
func findType(v reflect.Value, name string, depth int) reflect.Type {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() != reflect.Struct || depth == 0 || v.Type() == reflect.TypeFor[ast.Schema]() {
		return nil
	}
	if v.Type().Name() == name {
		return v.Type()
	}
	for i := range v.NumField() {
		if t := findType(v.Field(i), name, depth-1); t != nil {
			return t
		}
	}
	return nil
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
func (c *Cache) runs(name string) bool {
	known := c.met.directives.Load()
	if known == nil || (*known)[unknownDirectives] {
		return c.schema.Load().plan.MayRun(name)
	}
	return (*known)[folded(name)]
}

// folded brings the name of a directive and that of its Go field together.
func folded(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// uncovered says whether a directive runs and nobody has said that it may be left out.
func (c *Cache) uncovered(name string) bool {
	return c.runs(name) && !slices.Contains(c.opts.DirectivesCovered, name)
}

// directiveIn returns a directive that runs for a query and is not covered, "" when there is none. Whether a
// part is skipped is not known here, and does not count.
func (c *Cache) directiveIn(oc *graphql.OperationContext, op *cascade.Operation) string {
	plan := c.schema.Load().plan
	looked := map[*ast.FieldDefinition]bool{}
	for _, f := range op.Extract.Fields {
		if looked[f.Definition] {
			continue
		}
		looked[f.Definition] = true
		for _, name := range plan.DirectivesOf(f.Definition) {
			if c.uncovered(name) {
				return name
			}
		}
	}
	found := ""
	s := scan{doc: oc.Doc, directives: func(list ast.DirectiveList) {
		for _, d := range list {
			if d.Name != "skip" && d.Name != "include" && c.uncovered(d.Name) {
				found = d.Name
			}
		}
	}}
	s.operation(oc.Operation)
	return found
}

// settledDirectives are those that lint need not mention: covered ones, and those that are known not to run.
func (c *Cache) settledDirectives() []string {
	settled := slices.Clone(c.opts.DirectivesCovered)
	for name := range c.schema.Load().schema.Directives {
		if !c.runs(name) {
			settled = append(settled, name)
		}
	}
	return settled
}

// maxNamed bounds how many fields one warning names.
const maxNamed = 5

// warnOfDirectives says once which fields are kept out of the cache, and by which directives.
func (c *Cache) warnOfDirectives(found map[string][]string) {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !slices.Contains(c.met.warned, name) {
			c.met.warned = append(c.met.warned, name)
			lines = append(lines, "@"+name+": "+summary(found[name]))
		}
	}
	if len(lines) > 0 {
		c.opts.Logger.Warn("gqlcache: queries with fields that have run-time directives bypass the cache, since these do not run on a hit; "+
			"name a directive in Options.DirectivesCovered when all that it looks at is in Predicate or Vary", "directives", strings.Join(lines, "; "))
	}
}

// guardedFields looks for met.guarded in the whole schema.
func (c *Cache) guardedFields() map[string][]string {
	st := c.schema.Load()
	found := map[string][]string{}
	for _, def := range st.schema.Types {
		if def.Kind != ast.Object || def == st.schema.Mutation || def == st.schema.Subscription || strings.HasPrefix(def.Name, "__") {
			continue
		}
		for _, f := range def.Fields {
			for _, name := range st.plan.DirectivesOf(f) {
				if c.uncovered(name) {
					found[name] = append(found[name], def.Name+"."+f.Name)
				}
			}
		}
	}
	for _, fields := range found {
		slices.Sort(fields)
	}
	return found
}

func summary(names []string) string {
	if more := len(names) - maxNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}

// seeFieldHooks looks, when an operation is planned, whether the server has interceptors of fields or root fields: they run
// inside of the cache wherever they were added. What they do cannot be seen, so it is said.
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

// hooks says whether an operation's server has interceptors of fields or root fields, or may have some. The operation context
// must be as the server made it.
func (m *met) hooks(oc *graphql.OperationContext) bool {
	field, root := m.field.Load(), m.root.Load()
	return field == 0 || codeOf(oc.ResolverMiddleware) != field || root != 0 && codeOf(oc.RootResolverMiddleware) != root
}

// uncoveredFields are met.guarded, none before the cache was added to a server.
func (c *Cache) uncoveredFields() map[string][]string {
	if guarded := c.met.guarded.Load(); guarded != nil {
		return *guarded
	}
	return nil
}

// refuseUnknownDirectives refuses a name in DirectivesCovered that covers nothing: it is misspelled.
func (o Options) refuseUnknownDirectives(s *ast.Schema) error {
	for _, name := range o.DirectivesCovered {
		if s.Directives[name] == nil {
			return fmt.Errorf("%w: DirectivesCovered has %q, and the schema has no such directive; write the name without @", ErrOptions, name)
		}
	}
	return nil
}
