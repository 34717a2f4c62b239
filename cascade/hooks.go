package cascade

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// inert are directives that never run in gqlgen: of GraphQL, of its code generation and
// of Federation.
var inert = []string{
	"skip", "include", "defer", "deprecated", "specifiedBy", "oneOf",
	"goModel", "goField", "goTag", "goEnum", "goExtraField", "goEmbedInterface", "subscriptionContext",
	"key", "external", "requires", "provides", "extends", "shareable", "link", "tag", "override", "inaccessible", "authenticated",
	"requiresScopes", "policy", "interfaceObject", "composeDirective", "entityResolver", "computedRequires", "populateFromRepresentations",
	"entityReference", "context", "fromContext", "cost", "listSize",
}

// MayRun says whether a directive of the schema may run when an operation is executed, as
// far as its name tells: it is none of GraphQL's, of gqlgen's, of Federation's or of
// ours. What skip_runtime in gqlgen.yml says is not in the schema.
func (p *Plan) MayRun(directive string) bool {
	if slices.Contains(inert, directive) {
		return false
	}
	for _, own := range []string{dirView, dirDependsOn, dirReads, dirWrites} {
		if directive == p.opts.Prefix+own {
			return false
		}
	}
	return directive != dirCache && directive != dirInvalidates
}

// DirectivesOf returns the names of the directives that may run when a field of an object
// is resolved: its own, those of its type (of _entities: of each type of entities), and
// those of its arguments with the input types below. Each once, in no order.
func (p *Plan) DirectivesOf(f *ast.FieldDefinition) []string {
	d := directiveSearch{plan: p}
	d.add(f.Directives)
	if def := p.schema.Types[f.Type.Name()]; def != nil {
		d.add(def.Directives)
		if def.Name == entityUnion {
			// gqlgen may wrap the resolver of an entity with the directives of its type; which
			// types are asked for is in the variables
			for _, object := range p.schema.GetPossibleTypes(def) {
				d.add(object.Directives)
			}
		}
	}
	for _, arg := range f.Arguments {
		d.add(arg.Directives)
		d.input(arg.Type)
	}
	return d.found
}

type directiveSearch struct {
	plan  *Plan
	seen  map[string]bool
	found []string
}

func (d *directiveSearch) add(list ast.DirectiveList) {
	for _, dir := range list {
		if d.plan.MayRun(dir.Name) && !slices.Contains(d.found, dir.Name) {
			d.found = append(d.found, dir.Name)
		}
	}
}

func (d *directiveSearch) input(t *ast.Type) {
	def := d.plan.schema.Types[t.Name()]
	if def == nil || def.BuiltIn || d.seen[def.Name] {
		return
	}
	if d.seen == nil {
		d.seen = map[string]bool{}
	}
	d.seen[def.Name] = true
	d.add(def.Directives)
	for _, v := range def.EnumValues {
		d.add(v.Directives)
	}
	if def.Kind == ast.InputObject {
		for _, f := range def.Fields {
			d.add(f.Directives)
			d.input(f.Type)
		}
	}
}

// hooks finds fields of queries with directives that may run.
func (l *linter) hooks(def *ast.Definition) {
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		for _, name := range l.plan.DirectivesOf(f) {
			if slices.Contains(l.plan.opts.DirectivesCovered, name) {
				continue
			}
			l.addf(CodeRuntimeDirective, def.Name+"."+f.Name, f.Position, "@%s does not run on a hit, so queries with %s.%s bypass the cache if it is a run-time directive: "+
				"when what it looks at is in the predicate or in Vary, name it in DirectivesCovered", name, def.Name, f.Name)
		}
	}
}
