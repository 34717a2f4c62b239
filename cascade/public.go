package cascade

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// NotPublic returns a field (Type.field) that queries can select, whose answers may be
// stored and are not public as Policy.Public says it: "" when there is none, or no query
// at all. Fields with maxAge: 0 are never stored.
func (p *Plan) NotPublic() string {
	root := p.schema.Query
	if root == nil {
		return ""
	}
	s := &publicSearch{plan: p, seen: map[*ast.Definition]bool{}}
	hint := p.typeHint(root.Name)
	if hint.maxAge == 0 {
		return ""
	}
	if hint.scope == scopePrivate {
		return root.Name
	}
	s.object(root, true)
	slices.Sort(s.found)
	return cmp.Or(s.found...)
}

type publicSearch struct {
	plan  *Plan
	seen  map[*ast.Definition]bool
	found []string
}

// object looks at each field as policyWalk does for one operation.
func (s *publicSearch) object(def *ast.Definition, root bool) {
	if s.seen[def] && !root {
		return
	}
	s.seen[def] = true
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") || f.Name == "_service" {
			continue // never stored
		}
		s.field(def, f, root)
	}
}

func (s *publicSearch) field(def *ast.Definition, f *ast.FieldDefinition, root bool) {
	own := s.plan.fieldHint(fieldRef{def.Name, f.Name})
	if own.maxAge == 0 {
		return // an answer that has it is not stored, whatever else it has
	}
	target := s.plan.schema.Types[f.Type.Name()]
	if target == nil || target.IsLeafType() {
		if own.scope != scopePublic && (root || s.plan.typeHint(def.Name).scope != scopePublic) {
			s.found = append(s.found, def.Name+"."+f.Name)
		}
		return
	}
	hint := s.plan.typeHint(target.Name)
	if own.maxAge < 0 && hint.maxAge == 0 {
		return
	}
	if own.scope != scopePublic || hint.scope == scopePrivate {
		s.found = append(s.found, def.Name+"."+f.Name)
	}
	for _, object := range s.plan.schema.GetPossibleTypes(target) {
		if of := s.plan.typeHint(object.Name); object != target && of.maxAge == 0 {
			continue
		} else if of.scope == scopePrivate {
			s.found = append(s.found, object.Name)
		}
		s.object(object, false)
	}
}
