package plans

import "github.com/vektah/gqlparser/v2/ast"

// A scan goes once over everything that an operation can execute of its document.
// Fragments are looked up in the document, by name, as gqlgen does it, and not taken from
// the spread.
type scan struct {
	doc  *ast.QueryDocument
	seen map[string]bool
	// field and directives hear of each field and each place with directives; either may
	// be nil.
	field      func(*ast.Field)
	directives func(ast.DirectiveList)
}

func (s *scan) operation(op *ast.OperationDefinition) {
	s.seen = map[string]bool{}
	s.at(op.Directives)
	for _, v := range op.VariableDefinitions {
		s.at(v.Directives)
	}
	s.set(op.SelectionSet)
}

func (s *scan) at(list ast.DirectiveList) {
	if s.directives != nil && len(list) > 0 {
		s.directives(list)
	}
}

func (s *scan) set(set ast.SelectionSet) {
	for _, node := range set {
		switch n := node.(type) {
		case *ast.Field:
			if s.field != nil {
				s.field(n)
			}
			s.at(n.Directives)
			s.set(n.SelectionSet)
		case *ast.InlineFragment:
			s.at(n.Directives)
			s.set(n.SelectionSet)
		case *ast.FragmentSpread:
			s.at(n.Directives)
			s.fragment(n.Name)
		}
	}
}

func (s *scan) fragment(name string) {
	if s.doc == nil || s.seen[name] {
		return
	}
	s.seen[name] = true
	if f := s.doc.Fragments.ForName(name); f != nil {
		s.at(f.Directives)
		s.set(f.SelectionSet)
	}
}

// introspects says whether an operation asks, at any depth, for what the server tells of
// its schema. Whether it does is decided for each request, by
// OperationContext.DisableIntrospection, and fields that return the query type lead there
// as well as the root.
func introspects(doc *ast.QueryDocument, op *ast.OperationDefinition) bool {
	found := false
	s := scan{doc: doc, field: func(f *ast.Field) {
		found = found || f.Name == "__schema" || f.Name == "__type" || f.Name == "_service"
	}}
	s.operation(op)
	return found
}
