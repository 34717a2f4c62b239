package cascade

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A Projection says which columns of a table matter to the answers of an operation,
// beside those by which the database decides.
type Projection struct {
	Table string
	// Types are those whose rows come from the table, of the objects that are selected.
	// A field of one of them that turns out to run code of the server makes the
	// projection void.
	Types []string
	// Fields are the selected fields of these types, and Decides what @view(decides:)
	// names. Each stands for a column of its name: see ColumnOf.
	Fields, Decides []string
}

// Projections returns what the operation shows of tables, for those of which all types
// that it selects say what decides, and of which it selects plain fields only. Other
// tables have none: all their columns matter.
func (o *Operation) Projections() []Projection {
	byTable := map[string]*Projection{}
	void := map[string]bool{}
	for _, s := range o.Extract.Selections {
		for _, v := range o.plan.byType[s.Object.Name] {
			name := v.TableName()
			p := byTable[name]
			if p == nil {
				p = &Projection{Table: name}
				byTable[name] = p
			}
			if !v.HasDecides {
				void[name] = true
			}
			if !slices.Contains(p.Types, s.Object.Name) {
				p.Types = append(p.Types, s.Object.Name)
			}
			p.Decides = append(p.Decides, v.Decides...)
			for _, f := range s.Fields {
				switch {
				case f.Definition.Name == "__typename":
				case !o.IsLeaf(f.Definition) || len(f.Definition.Arguments) > 0:
					void[name] = true
				default:
					p.Fields = append(p.Fields, f.Definition.Name)
				}
			}
		}
	}
	var list []Projection
	for name, p := range byTable {
		if !void[name] {
			slices.Sort(p.Decides)
			p.Decides = slices.Compact(p.Decides)
			list = append(list, *p)
		}
	}
	slices.SortFunc(list, func(a, b Projection) int { return strings.Compare(a.Table, b.Table) })
	return list
}

// IsLeaf reports whether a field has a scalar or an enum, or a list of these.
func (o *Operation) IsLeaf(f *ast.FieldDefinition) bool {
	def := o.plan.schema.Types[f.Type.Name()]
	return def != nil && def.IsLeafType()
}

// ComesFrom reports whether a field of a type, or of a list of it, may be made of rows of
// a projection's table, and of nothing else that an answer shows: the type is one of the
// projection's, an abstract one, or an object without a view of its own, such as a page.
func (o *Operation) ComesFrom(typ string, p *Projection) bool {
	def := o.plan.schema.Types[typ]
	switch {
	case def == nil:
		return false
	case def.IsAbstractType():
		return true
	}
	return def.Kind == ast.Object && (slices.Contains(p.Types, typ) || len(o.plan.byType[typ]) == 0)
}

// Tables returns the names of the tables that the operation's views come from, and those
// that these are derived from.
func (o *Operation) Tables() (names []string) {
	add := func(v *View) {
		if name := v.TableName(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, list := range [][]*View{o.sets, o.rows} {
		for _, v := range list {
			add(v)
			for _, above := range v.above {
				add(above)
			}
		}
	}
	return names
}

// ViewsOf returns the views that come from some tables.
func (p *Plan) ViewsOf(tables []string) (views []*View) {
	for _, v := range p.views {
		if slices.Contains(tables, v.TableName()) {
			views = append(views, v)
		}
	}
	return views
}

// TableName is the name of the view's table in the database.
func (v *View) TableName() string {
	if v.Table != "" {
		return v.Table
	}
	return v.Name
}

// ColumnOf reports whether a column's name is that of a field: equal but for case and
// underscores, as in author_id and authorId.
func ColumnOf(column, field string) bool {
	fold := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	return fold(column) == fold(field)
}
