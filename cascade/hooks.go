package cascade

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Which directives run is decided by who generates the code, and not by their names. A
// server that is no subgraph may have a directive @authenticated or @policy of its own,
// which refuses callers. So names tell only as far as nobody else can have them.

// ofGraphQL are the directives of GraphQL itself. None depends on who asks.
var ofGraphQL = []string{"skip", "include", "defer", "deprecated", "specifiedBy", "oneOf"}

// ofGqlgen are those that gqlgen's code generation reads. It generates no code for them.
var ofGqlgen = []string{
	"goModel", "goField", "goTag", "goEnum", "goExtraField", "goEmbedInterface", "subscriptionContext",
	"entityResolver", "computedRequires", "populateFromRepresentations", "entityReference",
}

// ofFederation are those of Federation, for which gqlgen generates no code in a subgraph.
var ofFederation = []string{
	"key", "external", "requires", "provides", "extends", "shareable", "link", "tag", "override", "inaccessible", "authenticated",
	"requiresScopes", "policy", "interfaceObject", "composeDirective", "context", "fromContext", "cost", "listSize",
}

// isSubgraph says whether a schema is one of a federation: then Federation's names are
// Federation's.
func isSubgraph(s *ast.Schema) bool {
	if key := s.Directives["key"]; key != nil && key.Arguments.ForName("fields") != nil {
		return true
	}
	link := s.Directives["link"]
	return link != nil && len(link.Locations) == 1 && link.Locations[0] == ast.LocationSchema
}

// MayRun says whether a directive of the schema may run when an operation is executed, as
// far as its name tells: it is none of GraphQL's, of gqlgen's or of ours, and none of
// Federation's in a subgraph. What skip_runtime in gqlgen.yml says is not in the schema.
// Where the generated code can be asked, that decides, and not MayRun: see CannotRun.
func (p *Plan) MayRun(directive string) bool {
	return !p.CannotRun(directive) && !slices.Contains(ofGqlgen, directive) &&
		(!slices.Contains(ofFederation, directive) || !isSubgraph(p.schema))
}

// CannotRun says that a directive is one of GraphQL's or of ours, so that it does not
// count as one that runs, also where there is generated code for it.
func (p *Plan) CannotRun(directive string) bool {
	if slices.Contains(ofGraphQL, directive) {
		return true
	}
	for _, own := range []string{dirView, dirDependsOn, dirReads, dirWrites} {
		if directive == p.opts.Prefix+own {
			return true
		}
	}
	return directive == dirCache || directive == dirInvalidates
}

// DirectivesOf returns the names of the directives that run when a field of an object is
// resolved, as runs says of each name: its own, those of its type (of _entities: of each
// type of entities), and those of its arguments with the input types below. Each once, in
// no order.
func (p *Plan) DirectivesOf(f *ast.FieldDefinition, runs func(name string) bool) []string {
	d := directiveSearch{plan: p, runs: runs}
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
	runs  func(name string) bool
	seen  map[string]bool
	found []string
}

func (d *directiveSearch) add(list ast.DirectiveList) {
	for _, dir := range list {
		if !slices.Contains(d.found, dir.Name) && d.runs(dir.Name) {
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
		for _, name := range l.plan.DirectivesOf(f, l.plan.MayRun) {
			if slices.Contains(l.plan.opts.DirectivesCovered, name) {
				continue
			}
			l.addf(CodeRuntimeDirective, def.Name+"."+f.Name, f.Position, "@%s does not run on a hit, so queries with %s.%s bypass the cache if it is a run-time directive: "+
				"when what it looks at is in the predicate or in Vary, name it in DirectivesCovered", name, def.Name, f.Name)
		}
	}
}
