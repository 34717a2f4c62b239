package cascade

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Federation: a router asks a subgraph for entities with
// _entities(representations: [_Any!]!), which nobody can give a directive. What it reads
// is taken from the representations: a resolver of entities finds a row by the fields of
// one of the type's @key directives.

// The names that the specification of subgraphs gives.
const (
	entitiesField   = "_entities"
	representations = "representations"
	entityUnion     = "_Entity"
	dirKey          = "key"
	dirRequires     = "requires"
)

// An entity says by what the rows of one type are found.
type entity struct {
	views []*View // those of the type; all of them have the same key
	keys  []entityKey
}

// An entityKey is one @key.
type entityKey struct {
	paths [][]string // of its scalars, within a representation
	// row is the view's key, when it is one of the scalars, and others are the columns of
	// the rest, which decide whether the row is found.
	row    *operandDecl
	others Mask
	// read finds the row by the values of its columns, when row is nil. It is nil when
	// these are not known.
	read *readDecl
}

// entities declares what _entities reads. A type without @view stays undeclared.
func (c *compiler) entities() {
	query := c.schema.Query
	if query == nil || query.Kind != ast.Object {
		return
	}
	f := query.Fields.ForName(entitiesField)
	if f == nil || c.plan.fields[fieldRef{query.Name, f.Name}] != nil || f.Arguments.ForName(representations) == nil ||
		f.Type.Name() != entityUnion || f.Type.Elem == nil || f.Type.Elem.Elem != nil {
		return
	}
	c.plan.fields[fieldRef{query.Name, f.Name}] = &fieldDecl{Declared: true, Entities: true}
	c.plan.entities = map[string]*entity{}
	unknown := c.plan.rules.argumentChange(c.schema, f, []string{representations}) != ""
	for _, def := range c.objects(c.schema.Types[entityUnion]) {
		views := c.plan.byType[def.Name]
		if unknown || len(views) == 0 || slices.ContainsFunc(views, func(v *View) bool { return !v.explicit || v.key != views[0].key }) {
			continue
		}
		e := &entity{views: slices.Clone(views)}
		for _, d := range def.Directives.ForNames(dirKey) {
			if paths := keyPaths(d); len(paths) > 0 {
				e.keys = append(e.keys, c.entityKey(def, e, paths))
			}
		}
		c.plan.entities[def.Name] = e
	}
}

func (c *compiler) entityKey(def *ast.Definition, e *entity, paths [][]string) entityKey {
	k := entityKey{paths: paths}
	v := e.views[0]
	read := &readDecl{Views: e.views[:1], Using: v.hidden, pos: def.Position}
	known := len(e.views) == 1 && len(paths) <= maxTerms
	w := whereRead{view: v, using: AllColumns, optional: map[string]bool{}}
	for _, path := range paths {
		op := operandDecl{Kind: fromArgs, Path: path}
		why, name := c.plan.rules.fieldChange(c.schema, def, path), columnName(path)
		m, leaf, err := c.findColumn(v, name)
		if why == "" {
			why = c.opaqueEnd(def, path)
		}
		if why == "" {
			why = c.plan.rules.incomparable(leaf)
		}
		op.unknown = why != ""
		if len(path) == 1 && path[0] == v.key {
			k.row = &op
			continue
		}
		if err != nil || op.unknown || leaf == nil {
			known = false
		}
		if err != nil || len(e.views) > 1 {
			m = AllColumns // no column of the view, or not of each view
		}
		k.others |= m
		term := termDecl{Column: name, Operand: op, nullable: c.nullable(v, name)}
		read.Where = append(read.Where, term)
		w.columns = append(w.columns, term.shapeColumn())
		if term.nullable {
			w.optional[term.shapeColumn()] = true
		}
	}
	if k.row != nil || !known {
		return k
	}
	slices.SortFunc(read.Where, func(a, b termDecl) int { return strings.Compare(a.Column, b.Column) })
	slices.Sort(w.columns)
	if len(slices.Compact(slices.Clone(w.columns))) == len(w.columns) {
		k.read = read
		c.wheres = append(c.wheres, w)
	}
	return k
}

// keyPaths reads the set of fields of a @key; nil when it is none.
func keyPaths(d *ast.Directive) [][]string {
	fields := d.Arguments.ForName("fields")
	if fields == nil || fields.Value == nil || fields.Value.Kind != ast.StringValue && fields.Value.Kind != ast.BlockValue {
		return nil
	}
	doc, err := parser.ParseQuery(&ast.Source{Name: "@key", Input: "{" + fields.Value.Raw + "}"})
	if err != nil || len(doc.Operations) != 1 || len(doc.Fragments) > 0 {
		return nil
	}
	paths, ok := fieldSetPaths(nil, nil, doc.Operations[0].SelectionSet)
	if !ok {
		return nil
	}
	return paths
}

func fieldSetPaths(paths [][]string, below []string, set ast.SelectionSet) ([][]string, bool) {
	for _, sel := range set {
		f, ok := sel.(*ast.Field)
		if !ok || len(below) > maxInputDepth {
			return nil, false
		}
		path := append(slices.Clone(below), f.Name)
		if len(f.SelectionSet) == 0 {
			paths = append(paths, path)
			continue
		}
		if paths, ok = fieldSetPaths(paths, path, f.SelectionSet); !ok {
			return nil, false
		}
	}
	return paths, true
}

// keyOfEntity returns the field by which a router names an entity of a type, for a @view
// that does not say what its key is: "" unless the type has no field id, and one @key
// that is a single field.
func keyOfEntity(def *ast.Definition) string {
	if def.Fields.ForName(defaultKey) != nil {
		return ""
	}
	found := ""
	for _, d := range def.Directives.ForNames(dirKey) {
		paths := keyPaths(d)
		if len(paths) != 1 || len(paths[0]) != 1 {
			continue
		}
		if found != "" && found != paths[0][0] {
			return ""
		}
		found = paths[0][0]
	}
	return found
}

// defaultKey is the key of a view whose @view names none.
const defaultKey = "id"
