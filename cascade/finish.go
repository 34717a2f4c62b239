package cascade

import (
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// finish derives what the run time needs from a plan without faults.
func (p *Plan) finish(leaves map[*View]map[string]*ast.Definition) {
	for _, v := range p.views {
		v.hash = xxhash.Sum64String(v.Name)
		v.leaves = leaves[v]
		for i := range v.shapes {
			sh := &v.shapes[i]
			for _, c := range sh.columns {
				name := strings.TrimSuffix(c, containsMark)
				m, _ := v.column(name)
				sh.names, sh.bits = append(sh.names, name), append(sh.bits, m)
			}
		}
	}
	for _, v := range p.views {
		v.above = ancestors(nil, v)
	}
	p.findEnvelopes()
	p.pathsByType = map[string][][]string{}
	for ref, f := range p.fields {
		for i := range f.Reads {
			r := &f.Reads[i]
			for _, op := range r.operands() {
				if op.Kind == fromParent && !p.knownWithout(ref, r, op.Path) {
					p.addPath(ref.typ, op.Path)
				}
			}
		}
	}
}

// knownWithout says that a parent path needs no hidden field: it is the parent's key, or
// the key of the object that the field itself returns.
func (p *Plan) knownWithout(ref fieldRef, r *readDecl, path []string) bool {
	if len(path) == 1 {
		vs := p.byType[ref.typ]
		return len(vs) > 0 && vs[0].key == path[0]
	}
	return r.Kind == readRow && len(path) == 2 && path[0] == ref.field
}

func (p *Plan) addPath(typ string, path []string) {
	if !slices.ContainsFunc(p.pathsByType[typ], func(q []string) bool { return slices.Equal(q, path) }) {
		p.pathsByType[typ] = append(p.pathsByType[typ], path)
	}
}

// ancestors adds the views that v is derived from. The graph has no cycles.
func ancestors(above []*View, v *View) []*View {
	for _, e := range v.in {
		if !slices.Contains(above, e.from) {
			above = ancestors(append(above, e.from), e.from)
		}
	}
	return above
}
