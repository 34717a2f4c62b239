package cascade

import (
	"slices"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2/ast"
)

// rootWrites are the writes of one field of a mutation operation.
type rootWrites struct {
	field    *extractor.Field
	args     *ast.Field
	mutation *mutationDecl // nil when the field does not say what it writes
	writes   []boundWrite
	// wraps says that the field returns no row but an object around rows.
	wraps bool
}

// boundWrite is a writeDecl with the places of its result paths in Selection.Paths; -1
// for operands that are no result path.
type boundWrite struct {
	*writeDecl
	row   int
	where []int
	set   []int
	// row values that the result shows, for the columns that reads compare
	shown []shownColumn
}

type shownColumn struct {
	column string
	path   int
}

// bindWrites plans the fields of a mutation operation.
func (o *Operation) bindWrites() {
	root := o.Extract.Root
	o.roots = make([]rootWrites, len(root.Fields))
	for i, f := range root.Fields {
		rw := &o.roots[i]
		rw.field = f
		rw.mutation = o.plan.mutations[f.Definition.Name]
		if rw.mutation == nil {
			if f.Definition.Name != "__typename" {
				o.undeclared(root.Object.Name + "." + f.Definition.Name)
			}
			continue
		}
		rw.wraps = len(f.On) > 0 && len(o.plan.byType[f.On[0].Object.Name]) == 0
		rw.args = &ast.Field{Name: f.Definition.Name, Definition: f.Definition, Arguments: f.Arguments}
		index := func(op operandDecl) int {
			if op.Kind != fromResult || len(f.On) == 0 {
				return noPath
			}
			return slices.IndexFunc(f.On[0].Paths, func(p []string) bool { return slices.Equal(p, op.Path) })
		}
		for j := range rw.mutation.Writes {
			w := &rw.mutation.Writes[j]
			b := boundWrite{writeDecl: w, row: noPath}
			if w.Row != nil {
				b.row = index(*w.Row)
			}
			for _, t := range w.Where {
				b.where = append(b.where, index(t.Operand))
			}
			for _, t := range w.Set {
				b.set = append(b.set, index(t.Operand))
			}
			prefix, ok := o.plan.shownRow(w, f.Definition)
			if ok {
				for _, c := range w.neededColumns() {
					at := index(operandDecl{Kind: fromResult, Path: slices.Concat(prefix, splitPath(c))})
					if at >= 0 {
						b.shown = append(b.shown, shownColumn{c, at})
					}
				}
			}
			rw.writes = append(rw.writes, b)
		}
	}
}

// resultPaths asks for the values below a mutation field's result that its writes name,
// and for those of the written row's columns that some where-read or keyed edge compares.
// Nothing else: hidden paths run the user's resolvers.
func (p *Plan) resultPaths(f *extractor.Field, _ *ast.Definition) [][]string {
	if f.In.Field != nil {
		return nil
	}
	m := p.mutations[f.Definition.Name]
	if m == nil {
		return nil
	}
	var paths [][]string
	add := func(path []string) {
		if len(path) > 0 && !slices.ContainsFunc(paths, func(q []string) bool { return slices.Equal(q, path) }) {
			paths = append(paths, path)
		}
	}
	for i := range m.Writes {
		for _, path := range p.pathsOf(&m.Writes[i], f.Definition) {
			add(path)
		}
	}
	return paths
}

// pathsOf are the paths below a mutation field's result that one of its writes needs.
func (p *Plan) pathsOf(w *writeDecl, def *ast.FieldDefinition) [][]string {
	var paths [][]string
	if w.Row != nil && w.Row.Kind == fromResult {
		paths = append(paths, w.Row.Path)
	}
	for _, t := range slices.Concat(w.Where, w.Set) {
		if t.Operand.Kind == fromResult {
			paths = append(paths, t.Operand.Path)
		}
	}
	if prefix, ok := p.shownRow(w, def); ok {
		for _, c := range w.neededColumns() {
			path := slices.Concat(prefix, splitPath(c))
			if p.rules.fieldChange(p.schema, p.schema.Types[def.Type.Name()], path) == "" {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// mayResolve says whether a write that needs a path allows the resolvers on it to run.
func (p *Plan) mayResolve(f *extractor.Field, _ *ast.Definition, path []string) bool {
	if m := p.mutations[f.Definition.Name]; m != nil && f.In.Field == nil {
		for i := range m.Writes {
			w := &m.Writes[i]
			if w.Resolve && slices.ContainsFunc(p.pathsOf(w, f.Definition), func(q []string) bool { return slices.Equal(q, path) }) {
				return true
			}
		}
	}
	return false
}

// shownRow says where a mutation's result shows the row that a write changes as it is
// afterwards: the path of the row's object below the result.
func (p *Plan) shownRow(w *writeDecl, def *ast.FieldDefinition) (prefix []string, ok bool) {
	if w.Op == Delete || len(w.View.types) == 0 {
		return nil, false
	}
	at := p.schema.Types[def.Type.Name()]
	if w.Row != nil && w.Row.Kind == fromResult {
		n := len(w.Row.Path)
		if n == 0 || w.Row.Path[n-1] != w.View.key {
			return nil, false
		}
		prefix = w.Row.Path[:n-1]
		for _, step := range prefix {
			f := at.Fields.ForName(step)
			if f == nil {
				return nil, false
			}
			at = p.schema.Types[f.Type.Name()]
		}
	}
	return prefix, slices.Contains(w.View.types, at.Name)
}

// neededColumns are the columns of the written view whose values decide which reads a
// write reaches, as far as the type shows them and the write does not set them to a
// constant. What it sets to an argument may be left out of a request.
func (w *writeDecl) neededColumns() []string {
	may := w.Columns
	for _, cf := range w.ColumnsFrom {
		for _, m := range cf.masks {
			may |= m
		}
	}
	var cols []string
	add := func(c string) {
		m, ok := w.View.column(c)
		known := slices.ContainsFunc(w.Set, func(t termDecl) bool { return t.Column == c && t.Operand.Kind == fromConst })
		if ok && m&w.View.hidden == 0 && !known && c != w.View.key && !slices.Contains(cols, c) {
			cols = append(cols, c)
		}
	}
	for i := range w.View.shapes {
		if sh := &w.View.shapes[i]; may&(sh.mask|existence) != 0 {
			for _, c := range sh.names {
				add(c)
			}
		}
	}
	for _, e := range w.View.out {
		if e.key != "" && may&(e.using|existence) != 0 {
			add(e.key)
		}
	}
	return cols
}
