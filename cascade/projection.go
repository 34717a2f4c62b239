package cascade

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
)

// A Projection says which columns of a table matter to the answers of an operation,
// beside those by which the database decides.
type Projection struct {
	Table string
	// Types are those whose rows come from the table, of the objects that are selected. The
	// projection does not hold once a field of one of them has run code of the server.
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
	unknown := map[string]bool{}
	for _, s := range o.Extract.Selections {
		for _, v := range o.plan.byType[s.Object.Name] {
			name := v.TableName()
			p := byTable[name]
			if p == nil {
				p = &Projection{Table: name}
				byTable[name] = p
			}
			if !v.HasDecides {
				unknown[name] = true
			}
			if !slices.Contains(p.Types, s.Object.Name) {
				p.Types = append(p.Types, s.Object.Name)
			}
			p.Decides = append(p.Decides, v.Decides...)
			for _, f := range s.Fields {
				switch {
				case f.Definition.Name == "__typename":
				case !o.IsLeaf(f.Definition) || len(f.Definition.Arguments) > 0:
					unknown[name] = true
				default:
					p.Fields = append(p.Fields, f.Definition.Name)
				}
			}
		}
	}
	var list []Projection
	for name, p := range byTable {
		if !unknown[name] {
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

// Conditions returns, for each declared read of rows of a table by a condition, the columns
// that the condition compares for these variables: none for all rows. It returns false for
// a table of which the operation names no row, and for one that a view of the operation is
// derived from: which rows such a view comes from is not told.
func (o *Operation) Conditions(table string, vars map[string]any) (sets [][]string, named bool) {
	for _, list := range [][]*View{o.sets, o.rows} {
		for _, v := range list {
			named = named || v.TableName() == table
			if slices.ContainsFunc(v.above, func(a *View) bool { return a.TableName() == table }) {
				return nil, false
			}
		}
	}
	r := reader{o: o, vars: vars}
	for i := range o.reads {
		for j := range o.reads[i].reads {
			b := &o.reads[i].reads[j]
			if b.Kind != readWhere || b.Views[0].TableName() != table {
				continue
			}
			args := r.args(&o.reads[i])
			columns := make([]string, 0, len(b.Where))
			for k := range b.Where {
				t := &b.Where[k]
				if t.Operand.Kind == fromArgs {
					if vals, null, ok := valuesAt(args, t.Operand.Path); null || !ok || maySelectAll(vals) {
						continue // servers may take it for no condition
					}
				}
				columns = append(columns, t.Column)
			}
			sets = append(sets, columns)
		}
	}
	return sets, named
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

// ColumnOf reports whether a column's name is that of a field: equal but for case,
// underscores and dots, as in author_id, authorId and author.id.
func ColumnOf(column, field string) bool {
	for {
		a, one := letter(column)
		b, other := letter(field)
		if a != b {
			return false
		}
		if column, field = one, other; a == 0 {
			return true
		}
	}
}

// letter returns the first letter of a name, in lower case, and the rest: 0 at the end.
func letter(name string) (letter rune, rest string) {
	for name != "" {
		r, width := utf8.DecodeRuneInString(name)
		if name = name[width:]; r != '_' && r != '.' {
			return unicode.ToLower(r), name
		}
	}
	return 0, ""
}
