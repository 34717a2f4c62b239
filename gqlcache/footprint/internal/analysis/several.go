package analysis

import (
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// severals notes the relations that a text names and that several schemas have. A name of
// WITH is taken for a relation's, too, which asks for more than need be.
func (z *analyzer) severals(s *sqlparse.Statement) {
	add := func(n sqlparse.Name) {
		t, v, ok := z.c.Lookup(n.Schema, n.Name)
		if ok && (t != nil && t.Ambiguous || v != nil && v.Ambiguous) {
			z.out.Several = append(z.out.Several, n)
		}
	}
	visit(s, func(x any) {
		switch x := x.(type) {
		case *sqlparse.Statement:
			add(x.Table)
			for _, n := range x.Tables {
				add(n)
			}
		case *sqlparse.From:
			if x.Table != nil {
				add(*x.Table)
			}
		}
	})
}

// owns reports whether a name is looked up in the schema that Statement.Several are of: one
// of the text, or one that a view of that schema has with its own schema's name.
func (z *analyzer) owns(n sqlparse.Name) bool {
	if len(z.guarded) > 0 {
		return false
	}
	last := len(z.views) - 1
	return last < 0 || z.owned[last] && n.Schema == z.views[last].Schema
}

// several reports whether nothing but what holds in all schemas is known of a mention.
func (z *analyzer) several(r *Ref) bool { return r.Table.Ambiguous && (!z.c.One || r.Elsewhere) }

// severalOf is several of a table that the text names.
func (z *analyzer) severalOf(t *catalog.Table) bool { return t.Ambiguous && !z.c.One }
