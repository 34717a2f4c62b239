package extractor

import (
	"unsafe"

	"github.com/vektah/gqlparser/v2/ast"
)

// Size estimates the memory that the operation keeps alive, in bytes: the tree of
// positions, the hidden fields, and the client's document, to which both refer. The
// schema is not counted. What the operation shares with the document is counted as its
// own, so the estimate is rather too large.
func (o *Operation) Size() int {
	n := block[Operation]() + slice(o.Fields) + slice(o.Selections) + slice(o.steps)
	for i := range o.steps {
		n += slice(o.steps[i].children)
	}
	for _, f := range o.Fields {
		n += block[Field]() + slice(f.On)
	}
	for _, s := range o.Selections {
		n += block[Selection]() + slice(s.Fields) + slice(s.keyPaths) + slice(s.wants) + mapSize(s.byName)
	}
	if o.Injected {
		n += block[ast.QueryDocument]() + block[ast.OperationDefinition]()
		n += copies(o.Operation.SelectionSet)
		for _, f := range o.Doc.Fragments {
			n += block[ast.FragmentDefinition]() + copies(f.SelectionSet)
		}
	}
	return n + DocumentSize(o.Doc)
}

// copies is the size of the nodes that an injector has made, those that it shares with
// the client's document included.
func copies(set ast.SelectionSet) int {
	n := slice(set)
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			n += block[ast.Field]() + copies(sel.SelectionSet)
			if IsHidden(sel.Alias) {
				n += len(sel.Alias)
			}
		case *ast.InlineFragment:
			n += block[ast.InlineFragment]() + copies(sel.SelectionSet)
		case *ast.FragmentSpread:
			n += block[ast.FragmentSpread]()
		}
	}
	return n
}

// DocumentSize estimates the memory of a document with the text that its positions refer
// to, in bytes. A document of which any node is kept is kept as a whole. The schema is
// not counted.
func DocumentSize(doc *ast.QueryDocument) int {
	s := sizer{}
	n := block[ast.QueryDocument]() + slice(doc.Operations) + slice(doc.Fragments) + s.position(doc.Position) + s.comment(doc.Comment)
	for _, op := range doc.Operations {
		n += block[ast.OperationDefinition]() + s.position(op.Position) + s.comment(op.Comment)
		n += s.variables(op.VariableDefinitions) + s.directives(op.Directives) + s.set(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		n += block[ast.FragmentDefinition]() + s.position(f.Position) + s.comment(f.Comment)
		n += s.variables(f.VariableDefinition) + s.directives(f.Directives) + s.set(f.SelectionSet)
	}
	return n
}

// A sizer adds up the nodes of one document.
type sizer struct {
	text *ast.Source // counted already: all positions of a document have one
}

func (s *sizer) set(set ast.SelectionSet) int {
	n := slice(set)
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			n += block[ast.Field]() + s.position(sel.Position) + s.comment(sel.Comment)
			n += s.arguments(sel.Arguments) + s.directives(sel.Directives) + s.set(sel.SelectionSet)
		case *ast.InlineFragment:
			n += block[ast.InlineFragment]() + s.position(sel.Position) + s.comment(sel.Comment)
			n += s.directives(sel.Directives) + s.set(sel.SelectionSet)
		case *ast.FragmentSpread:
			// The definition is one of the document's.
			n += block[ast.FragmentSpread]() + s.position(sel.Position) + s.comment(sel.Comment) + s.directives(sel.Directives)
		}
	}
	return n
}

func (s *sizer) directives(list ast.DirectiveList) int {
	n := slice(list)
	for _, d := range list {
		n += block[ast.Directive]() + s.position(d.Position) + s.arguments(d.Arguments)
	}
	return n
}

func (s *sizer) arguments(list ast.ArgumentList) int {
	n := slice(list)
	for _, a := range list {
		n += block[ast.Argument]() + s.position(a.Position) + s.comment(a.Comment) + s.value(a.Value)
	}
	return n
}

func (s *sizer) value(v *ast.Value) int {
	if v == nil {
		return 0
	}
	n := block[ast.Value]() + slice(v.Children) + s.position(v.Position) + s.comment(v.Comment)
	if v.Kind == ast.StringValue || v.Kind == ast.BlockValue {
		n += len(v.Raw) // no part of the text when it had escapes
	}
	for _, c := range v.Children {
		n += block[ast.ChildValue]() + len(c.Name) + s.position(c.Position) + s.comment(c.Comment) + s.value(c.Value)
	}
	return n
}

func (s *sizer) variables(list ast.VariableDefinitionList) int {
	n := slice(list)
	for _, v := range list {
		n += block[ast.VariableDefinition]() + s.position(v.Position) + s.comment(v.Comment)
		n += s.typ(v.Type) + s.value(v.DefaultValue) + s.directives(v.Directives)
	}
	return n
}

func (s *sizer) typ(t *ast.Type) int {
	n := 0
	for ; t != nil; t = t.Elem {
		n += block[ast.Type]() + s.position(t.Position)
	}
	return n
}

func (s *sizer) comment(c *ast.CommentGroup) int {
	if c == nil {
		return 0
	}
	n := block[ast.CommentGroup]() + slice(c.List)
	for _, line := range c.List {
		n += block[ast.Comment]() + s.position(line.Position)
	}
	return n
}

func (s *sizer) position(p *ast.Position) int {
	if p == nil {
		return 0
	}
	n := block[ast.Position]()
	if p.Src != nil && p.Src != s.text {
		s.text = p.Src
		n += block[ast.Source]() + len(p.Src.Name) + len(p.Src.Input)
	}
	return n
}

// block is the size of one T, allocated by itself.
func block[T any]() int {
	var v T
	return allocated(int(unsafe.Sizeof(v)))
}

// slice is the size of a slice's array.
func slice[T any](s []T) int {
	var v T
	return allocated(cap(s) * int(unsafe.Sizeof(v)))
}

// mapSize is about the size of a map with few entries: a header, and slots for up to 8,
// or twice as many as there are entries.
func mapSize[K comparable, V any](m map[K]V) int {
	if m == nil {
		return 0
	}
	var k K
	var v V
	slots := 8
	for slots*7 < len(m)*8 {
		slots *= 2
	}
	return allocated(48) + allocated(slots*(int(unsafe.Sizeof(k)+unsafe.Sizeof(v))+1))
}

// allocated rounds a size up about as the allocator does: small blocks to 16 bytes,
// larger ones to an eighth of themselves.
func allocated(size int) int {
	switch {
	case size <= 128:
		return (size + 15) &^ 15
	default:
		return size + size/16
	}
}
