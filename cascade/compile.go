package cascade

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Compile checks the directives of a schema and returns what they say. The error, if any,
// is a [Faults] with all that is wrong; it wraps [ErrDirectives], and the plan is nil
// then. A schema without directives compiles: every object type with a field id has a
// view, and nothing is promised.
//
// Compile accepts every schema that gqlparser loads and does not change it. The plan
// keeps the schema, which must not be changed afterwards.
func Compile(schema *ast.Schema, opts Options) (*Plan, error) {
	c := &compiler{
		schema: schema,
		opts:   opts,
		ours:   map[string]bool{},
		infos:  map[*View]*viewInfo{},
		plan: &Plan{
			schema:    schema,
			opts:      opts,
			byName:    map[string]*View{},
			byType:    map[string][]*View{},
			fields:    map[fieldRef]*fieldDecl{},
			mutations: map[string]*mutationDecl{},
			policies:  map[fieldRef]cacheHint{},
			typeHints: map[string]cacheHint{},
		},
	}
	if c.checkOptions() {
		c.checkDeclarations()
		c.valueRules()
		c.views()
		c.opaqueKeys()
		c.columns()
		c.edges()
		c.fields()
		c.inferReads()
		c.entities()
		c.infer()
		c.markWritten()
		c.shapes()
		c.policies()
		c.invalidates()
	}
	if len(c.faults) > 0 {
		return nil, c.faults.sorted()
	}
	leaves := map[*View]map[string]*ast.Definition{}
	for v, info := range c.infos {
		leaves[v] = info.leaves
	}
	c.plan.finish(leaves)
	return c.plan, nil
}

// A compiler fills a plan. Each step goes on after a fault, so that one run finds all of
// them; what a faulty directive would have added is left out.
type compiler struct {
	schema *ast.Schema
	opts   Options
	plan   *Plan
	faults Faults

	// ours holds the directives, by name with prefix, whose declaration in the schema is
	// ours.
	ours   map[string]bool
	infos  map[*View]*viewInfo
	wheres []whereRead
}

func (c *compiler) faultf(pos *ast.Position, format string, args ...any) {
	c.faults = append(c.faults, newFault(pos, fmt.Sprintf(format, args...)))
}

// at is how the schema writes one of our directives.
func (c *compiler) at(name string) string { return "@" + c.opts.Prefix + name }

// checkOptions reports whether there is anything to compile.
func (c *compiler) checkOptions() bool {
	if c.schema == nil {
		c.faultf(nil, "there is no schema: pass the executable schema's Schema()")
		return false
	}
	if p := c.opts.Prefix; p != "" {
		names, err := parseColumn(p)
		if err != nil || len(names) > 1 || strings.HasPrefix(p, "__") {
			c.faultf(nil, "Options.Prefix %q makes no directive names: use letters, digits and underscores, and do not begin with a digit or two underscores", p)
			return false
		}
	}
	return true
}

// checkDeclarations compares the schema's declarations of our directives with ours. One
// of the same name that means something else would otherwise be read as metadata.
func (c *compiler) checkDeclarations() {
	source := &ast.Source{Name: "directives.graphql", Input: SDL(c.opts.Prefix)}
	doc, err := parser.ParseSchema(source)
	if err != nil {
		c.faultf(nil, "Options.Prefix %q makes no valid declarations: %v", c.opts.Prefix, err)
		return
	}
	for _, want := range doc.Directives {
		got := c.schema.Directives[want.Name]
		if got == nil {
			continue
		}
		if difference := declarationDifference(got, want); difference != "" {
			c.faultf(got.Position, "directive @%s is not the one of package cascade: %s; paste its declaration again, or set Options.Prefix if the schema means something else by this name", want.Name, difference)
			continue
		}
		c.ours[want.Name] = true
	}
	if c.schema.Directives[dirCache] != nil {
		c.ours[dirCache] = true
	}
}

// declarationDifference says why a declaration cannot be ours; "" when it can. Arguments
// and locations may be missing, and arguments demanded, but none may be added.
func declarationDifference(got, want *ast.DirectiveDefinition) string {
	for _, arg := range got.Arguments {
		ours := want.Arguments.ForName(arg.Name)
		if ours == nil {
			return "it has an argument " + arg.Name
		}
		if given := arg.Type.String(); given != ours.Type.String() && given != ours.Type.String()+"!" { // an older copy may demand more
			return "its argument " + arg.Name + " is not " + ours.Type.String()
		}
	}
	for _, arg := range want.Arguments {
		if arg.Type.NonNull && arg.DefaultValue == nil && got.Arguments.ForName(arg.Name) == nil {
			return "it has no argument " + arg.Name
		}
	}
	for _, location := range got.Locations {
		if !slices.Contains(want.Locations, location) {
			return "it is allowed on " + string(location)
		}
	}
	return ""
}

// types returns the schema's own definitions by name, so that faults, bits and shapes
// come out the same however the schema is split into files.
func (c *compiler) types() []*ast.Definition {
	defs := make([]*ast.Definition, 0, len(c.schema.Types))
	for _, name := range slices.Sorted(maps.Keys(c.schema.Types)) {
		if def := c.schema.Types[name]; def != nil && !strings.HasPrefix(name, "__") {
			defs = append(defs, def)
		}
	}
	return defs
}

// objects returns the object types that a value of a composite type can have, by name.
func (c *compiler) objects(def *ast.Definition) []*ast.Definition {
	var defs []*ast.Definition
	for _, possible := range c.schema.PossibleTypes[def.Name] {
		if possible != nil && possible.Kind == ast.Object && !slices.Contains(defs, possible) {
			defs = append(defs, possible)
		}
	}
	slices.SortFunc(defs, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return defs
}

func (c *compiler) isRoot(def *ast.Definition) bool {
	return def == c.schema.Query || def == c.schema.Mutation || def == c.schema.Subscription
}

// isPlainLeaf says whether a field is a scalar, an enum or a list of these, and needs no
// argument.
func (c *compiler) isPlainLeaf(f *ast.FieldDefinition) bool {
	def := c.schema.Types[f.Type.Name()]
	return def != nil && def.IsLeafType() && requiredArgument(f) == "" && !strings.HasPrefix(f.Name, "__")
}

// requiredArgument returns the first argument that a field cannot be selected without.
func requiredArgument(f *ast.FieldDefinition) string {
	for _, arg := range f.Arguments {
		if arg.Type.NonNull && arg.DefaultValue == nil {
			return arg.Name
		}
	}
	return ""
}
