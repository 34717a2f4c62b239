package plans

import (
	"hash/maphash"

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

// shapeSeed is of the process, so that nobody can compute two documents with one shape.
var shapeSeed = maphash.MakeSeed()

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
		return uint64(h)
	}
	for _, f := range doc.Fragments {
		if f == nil {
			h.mark('0')
			continue
		}
		h.mark('F')
		h.text(f.Name)
		h.text(f.TypeCondition)
		h.directives(f.Directives)
		h.set(f.SelectionSet)
	}
	return uint64(h)
}

// shape is a running digest. Every hit makes one, with dozens of additions, so it mixes
// by itself: package digest takes several times as long for a number.
type shape uint64

func (h *shape) add(n uint64) {
	x := (uint64(*h) ^ n) * 0x9e3779b97f4a7c15
	*h = shape(x ^ x>>29)
}

// mark tells kinds of nodes apart, and where lists end.
func (h *shape) mark(kind byte) { h.add(uint64(kind)) }

func (h *shape) text(s string) { h.add(maphash.String(shapeSeed, s)) }

func (h *shape) set(set ast.SelectionSet) {
	h.add(uint64(len(set)))
	for _, node := range set {
		switch n := node.(type) {
		case *ast.Field:
			h.mark('f')
			h.text(n.Name)
			if n.Alias != n.Name {
				h.mark('a')
				h.text(n.Alias)
			}
			h.arguments(n.Arguments)
			h.directives(n.Directives)
			h.set(n.SelectionSet)
		case *ast.FragmentSpread:
			h.mark('s')
			h.text(n.Name)
			h.directives(n.Directives)
		case *ast.InlineFragment:
			h.mark('i')
			h.text(n.TypeCondition)
			h.directives(n.Directives)
			h.set(n.SelectionSet)
		}
	}
}

func (h *shape) definitions(list ast.VariableDefinitionList) {
	h.add(uint64(len(list)))
	for _, d := range list {
		h.text(d.Variable)
		h.value(d.DefaultValue)
	}
}

func (h *shape) directives(list ast.DirectiveList) {
	h.add(uint64(len(list)))
	for _, d := range list {
		h.text(d.Name)
		h.arguments(d.Arguments)
	}
}

func (h *shape) arguments(list ast.ArgumentList) {
	h.add(uint64(len(list)))
	for _, a := range list {
		h.text(a.Name)
		h.value(a.Value)
	}
}

func (h *shape) value(v *ast.Value) {
	if v == nil {
		h.mark('0')
		return
	}
	h.add(uint64(v.Kind))
	h.text(v.Raw)
	h.add(uint64(len(v.Children)))
	for _, c := range v.Children {
		h.text(c.Name)
		h.value(c.Value)
	}
}
