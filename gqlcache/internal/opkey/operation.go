package opkey

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// ErrMalformed is wrapped by the errors for documents that no validation would let pass:
// a spread of an unknown fragment, a value of an unknown kind.
var ErrMalformed = errors.New("opkey: malformed document")

// AppendOperation appends the normal form of an operation of a document, see the package
// comment. It reads the document and changes nothing in it. Fragments are found by name
// in the document; every fragment is written once, so that cycles end. On error the bytes
// are returned as far as they were written, and are not a normal form.
func AppendOperation(dst []byte, doc *ast.QueryDocument, op *ast.OperationDefinition) ([]byte, error) {
	var buf [8]*ast.FragmentDefinition
	w := writer{dst: dst, doc: doc, used: buf[:0]}
	w.operation(op)
	// Writing a fragment may find more of them.
	for i := 0; i < len(w.used); i++ {
		w.fragment(w.used[i])
	}
	return w.dst, w.err
}

// A writer appends to dst and keeps the first error.
type writer struct {
	dst []byte
	doc *ast.QueryDocument
	err error
	// used are the fragments in order of first use; the number of a fragment is its
	// index.
	used []*ast.FragmentDefinition
	// numbers finds them by name in documents with many fragments, where a scan for every
	// spread would take quadratic time.
	numbers map[string]*fragmentRef
}

const manyFragments = 8

func (w *writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
}

func (w *writer) byte(b byte)   { w.dst = append(w.dst, b) }
func (w *writer) count(n int)   { w.dst = appendCount(w.dst, n) }
func (w *writer) text(s string) { w.dst = AppendPart(w.dst, s) }

func (w *writer) operation(op *ast.OperationDefinition) {
	switch op.Operation {
	case ast.Query:
		w.byte('q')
	case ast.Mutation:
		w.byte('m')
	case ast.Subscription:
		w.byte('u')
	default:
		w.fail("operation kind %q", op.Operation)
	}
	w.variables(op.VariableDefinitions)
	w.directives(op.Directives)
	w.selections(op.SelectionSet)
}

func (w *writer) fragment(f *ast.FragmentDefinition) {
	w.byte('F')
	w.text(f.TypeCondition)
	w.variables(f.VariableDefinition)
	w.directives(f.Directives)
	w.selections(f.SelectionSet)
}

func (w *writer) selections(set ast.SelectionSet) {
	w.count(len(set))
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			w.field(s)
		case *ast.FragmentSpread:
			w.byte('s')
			w.count(w.number(s.Name))
			w.directives(s.Directives)
		case *ast.InlineFragment:
			w.byte('i')
			w.text(s.TypeCondition)
			w.directives(s.Directives)
			w.selections(s.SelectionSet)
		default:
			w.fail("selection %T", s)
		}
	}
}

func (w *writer) field(f *ast.Field) {
	w.byte('f')
	name := f.Alias
	if name == "" { // a document that was not parsed
		name = f.Name
	}
	w.text(name)
	w.text(f.Name)
	w.arguments(f.Arguments)
	w.directives(f.Directives)
	w.selections(f.SelectionSet)
}

func (w *writer) directives(list ast.DirectiveList) {
	w.count(len(list))
	for _, d := range list {
		w.text(d.Name)
		w.arguments(d.Arguments)
	}
}

func (w *writer) arguments(args ast.ArgumentList) {
	w.count(len(args))
	if len(args) == 0 {
		return
	}
	var buf [inPlace]int32
	for _, i := range sorted(buf[:0], args, func(a *ast.Argument) string { return a.Name }) {
		w.text(args[i].Name)
		w.value(args[i].Value)
	}
}

func (w *writer) variables(list ast.VariableDefinitionList) {
	w.count(len(list))
	if len(list) == 0 {
		return
	}
	var buf [inPlace]int32
	for _, i := range sorted(buf[:0], list, func(v *ast.VariableDefinition) string { return v.Variable }) {
		v := list[i]
		w.text(v.Variable)
		w.typ(v.Type)
		if v.DefaultValue == nil {
			w.byte(0)
		} else {
			w.byte(1)
			w.value(v.DefaultValue)
		}
		w.directives(v.Directives)
	}
}

// typ writes a type from the outside in: a byte says whether it is a list and whether it
// is non-null.
func (w *writer) typ(t *ast.Type) {
	for ; t != nil; t = t.Elem {
		b := byte('t')
		if t.Elem != nil {
			b = 'l'
		}
		if t.NonNull {
			b -= 'a' - 'A'
		}
		w.byte(b)
		if t.Elem == nil {
			w.text(t.NamedType)
			return
		}
	}
	w.fail("a variable without a type")
}

func (w *writer) value(v *ast.Value) {
	if v == nil {
		w.fail("an argument without a value")
		return
	}
	switch v.Kind {
	case ast.Variable:
		w.scalar('$', v)
	case ast.IntValue:
		w.scalar('i', v)
	case ast.FloatValue:
		w.scalar('d', v)
	case ast.StringValue, ast.BlockValue: // Raw is what the string means, in both
		w.scalar('s', v)
	case ast.BooleanValue:
		w.scalar('b', v)
	case ast.EnumValue:
		w.scalar('e', v)
	case ast.NullValue:
		w.byte('n')
	case ast.ListValue:
		w.byte('l')
		w.count(len(v.Children))
		for _, c := range v.Children {
			w.value(c.Value)
		}
	case ast.ObjectValue:
		w.byte('o')
		w.object(v.Children)
	default:
		w.fail("value kind %d", v.Kind)
	}
}

func (w *writer) scalar(kind byte, v *ast.Value) {
	w.byte(kind)
	w.text(v.Raw)
}

func (w *writer) object(fields ast.ChildValueList) {
	w.count(len(fields))
	if len(fields) == 0 {
		return
	}
	var buf [inPlace]int32
	for _, i := range sorted(buf[:0], fields, func(c *ast.ChildValue) string { return c.Name }) {
		w.text(fields[i].Name)
		w.value(fields[i].Value)
	}
}

// number returns a fragment's number, and takes note of a new one.
func (w *writer) number(name string) int {
	if w.numbers == nil && len(w.used) >= manyFragments {
		w.index()
	}
	if w.numbers != nil {
		return w.indexed(name)
	}
	for i, f := range w.used {
		if f.Name == name {
			return i
		}
	}
	return w.use(name, w.doc.Fragments.ForName(name))
}

func (w *writer) use(name string, f *ast.FragmentDefinition) int {
	if f == nil {
		w.fail("unknown fragment %q", name)
		return 0
	}
	w.used = append(w.used, f)
	return len(w.used) - 1
}

// A fragmentRef is a fragment of the document and its number, -1 before its first use.
type fragmentRef struct {
	def    *ast.FragmentDefinition
	number int
}

// index makes the map of all fragments. Of several with one name the first counts, as for
// ForName.
func (w *writer) index() {
	w.numbers = make(map[string]*fragmentRef, len(w.doc.Fragments))
	for _, f := range w.doc.Fragments {
		if w.numbers[f.Name] == nil {
			w.numbers[f.Name] = &fragmentRef{def: f, number: -1}
		}
	}
	for i, f := range w.used {
		w.numbers[f.Name].number = i
	}
}

func (w *writer) indexed(name string) int {
	ref := w.numbers[name]
	if ref == nil {
		return w.use(name, nil)
	}
	if ref.number < 0 {
		ref.number = w.use(name, ref.def)
	}
	return ref.number
}
