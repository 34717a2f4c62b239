package plans

import (
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/reason"
	"github.com/vektah/gqlparser/v2/ast"
)

// staticBypass returns the reason why an operation is not worth or not safe to cache by
// its fields, "" for none.
func staticBypass(doc *ast.QueryDocument, op *ast.OperationDefinition) string {
	if introspects(doc, op) {
		return reason.Introspection
	}
	others := 0
	var visit func(ast.SelectionSet, int) string
	visit = func(set ast.SelectionSet, depth int) string {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				if s.Name != "__typename" {
					others++
				}
			case *ast.InlineFragment:
				if r := visit(s.SelectionSet, depth+1); r != "" {
					return r
				}
			case *ast.FragmentSpread:
				f := doc.Fragments.ForName(s.Name)
				if f == nil || depth > maxRootFragments {
					return reason.Operation
				}
				if r := visit(f.SelectionSet, depth+1); r != "" {
					return r
				}
			}
		}
		return ""
	}
	if r := visit(op.SelectionSet, 0); r != "" {
		return r
	}
	if others == 0 {
		return reason.Typename
	}
	return ""
}

// maxRootFragments bounds the nesting of fragments around root fields.
const maxRootFragments = 50

// bypass returns the reason why a query is not looked up by what it selects and by the
// schema, "" for none.
func (p *Plans) bypass(st *Schema, s *Source, op *cascade.Operation) string {
	switch {
	case p.config.Directives.in(st, s, op) != "":
		return reason.Directive
	case op.Policy.MaxAge == 0:
		return reason.Policy
	case op.Extract.Deferred:
		return reason.Defer
	}
	return ""
}
