package plans

import (
	"github.com/cascadeql/cascadeql/gqlcache/internal/digest"
	"github.com/vektah/gqlparser/v2/ast"
)

// A Source is an operation as it comes with a request.
type Source struct {
	// Text came from the client, Document was made of it, by the server and its
	// extensions, and Operation is the one of the document that is to run.
	Text      string
	Document  *ast.QueryDocument
	Operation *ast.OperationDefinition

	shape uint64
}

// NewSource returns an operation in its document as they are now.
func NewSource(text string, doc *ast.QueryDocument, op *ast.OperationDefinition) Source {
	return Source{Text: text, Document: doc, Operation: op, shape: ShapeOf(doc, op)}
}

// ShapeOf returns a digest of all that execution reads of a document: the operation and
// every fragment, with their selections, names, arguments and directives. A plan is used
// only while it is the same.
//
// The pointers do not tell. gqlgen takes fragments from OperationContext.Doc, and an
// extension may give one caller a document with other fragments, or change the ones that
// are there, and leave the operation as it is: the plan of an administrator's document
// would then find the administrator's answer for everybody.
//
// It allocates nothing, and costs some nanoseconds for each node.
func ShapeOf(doc *ast.QueryDocument, op *ast.OperationDefinition) uint64 {
	var h shape
	h.definitions(op.VariableDefinitions)
	h.directives(op.Directives)
	h.set(op.SelectionSet)
	if doc == nil {
		return uint64(h.Running)
	}
	for _, f := range doc.Fragments {
		if f == nil {
			h.mark('0')
			continue
		}
		h.mark('F')
		h.Text(f.Name)
		h.Text(f.TypeCondition)
		h.directives(f.Directives)
		h.set(f.SelectionSet)
	}
	return uint64(h.Running)
}

// shape is the digest of a document so far.
type shape struct{ digest.Running }

// mark tells kinds of nodes apart, and where lists end.
func (h *shape) mark(kind byte) { h.Add(uint64(kind)) }

func (h *shape) set(set ast.SelectionSet) {
	h.Add(uint64(len(set)))
	for _, node := range set {
		switch n := node.(type) {
		case *ast.Field:
			h.mark('f')
			h.Text(n.Name)
			if n.Alias != n.Name {
				h.mark('a')
				h.Text(n.Alias)
			}
			h.arguments(n.Arguments)
			h.directives(n.Directives)
			h.set(n.SelectionSet)
		case *ast.FragmentSpread:
			h.mark('s')
			h.Text(n.Name)
			h.directives(n.Directives)
		case *ast.InlineFragment:
			h.mark('i')
			h.Text(n.TypeCondition)
			h.directives(n.Directives)
			h.set(n.SelectionSet)
		}
	}
}

func (h *shape) definitions(list ast.VariableDefinitionList) {
	h.Add(uint64(len(list)))
	for _, d := range list {
		h.Text(d.Variable)
		h.value(d.DefaultValue)
	}
}

func (h *shape) directives(list ast.DirectiveList) {
	h.Add(uint64(len(list)))
	for _, d := range list {
		h.Text(d.Name)
		h.arguments(d.Arguments)
	}
}

func (h *shape) arguments(list ast.ArgumentList) {
	h.Add(uint64(len(list)))
	for _, a := range list {
		h.Text(a.Name)
		h.value(a.Value)
	}
}

func (h *shape) value(v *ast.Value) {
	if v == nil {
		h.mark('0')
		return
	}
	h.Add(uint64(v.Kind))
	h.Text(v.Raw)
	h.Add(uint64(len(v.Children)))
	for _, c := range v.Children {
		h.Text(c.Name)
		h.value(c.Value)
	}
}
