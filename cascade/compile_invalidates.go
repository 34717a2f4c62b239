package cascade

import (
	"path"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// dirInvalidates is GraphQL Cascade's. Nothing of it is prefixed.
const dirInvalidates = "cascadeInvalidates"

// An invalidated is a name that a mutation's @cascadeInvalidates has.
type invalidated struct {
	name string
	// fields are the query fields of that name, or those that the pattern matches. With
	// none, the name means what only clients know: any query.
	fields []string
	pos    *ast.Position
}

// invalidates reads @cascadeInvalidates. It adds to what mutations are declared to write,
// and replaces nothing of it: so a mutation with it alone still drops everything.
func (c *compiler) invalidates() {
	def, mutation := c.schema.Directives[dirInvalidates], c.schema.Mutation
	if mutation == nil || def == nil || def.Arguments.ForName("queries") == nil {
		return
	}
	c.plan.invalidates = map[string][]invalidated{}
	for _, f := range mutation.Fields {
		for _, d := range f.Directives.ForNames(dirInvalidates) {
			names, _ := use{c, d}.list("queries")
			for _, name := range names {
				c.plan.invalidates[f.Name] = append(c.plan.invalidates[f.Name], invalidated{name.text, c.queriesNamed(name.text), name.pos})
			}
		}
	}
}

// queriesNamed returns the query fields that a name or a pattern means.
func (c *compiler) queriesNamed(name string) (fields []string) {
	if c.schema.Query == nil {
		return nil
	}
	for _, f := range c.schema.Query.Fields {
		if match, _ := path.Match(name, f.Name); (match || f.Name == name) && !strings.HasPrefix(f.Name, "__") {
			fields = append(fields, f.Name)
		}
	}
	return fields
}

// Invalidates returns the tags of the query fields that @cascadeInvalidates names on the
// root fields of a mutation. Everything is not empty, and says why, when one of the names
// is no query field's: what it means only clients know. It is the same whatever becomes
// of the mutation.
func (o *Operation) Invalidates() (tags []Tag, everything string) {
	if o.Extract.Operation.Operation != ast.Mutation {
		return nil, ""
	}
	for _, f := range o.Extract.Root.Fields {
		for _, inv := range o.plan.invalidates[f.Definition.Name] {
			if len(inv.fields) == 0 {
				everything = "@" + dirInvalidates + " of " + f.Definition.Name + " names " + inv.name + ", which is no query"
			}
			for _, name := range inv.fields {
				tags = append(tags, RootField(name))
			}
		}
	}
	return tags, everything
}
