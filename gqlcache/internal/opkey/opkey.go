package opkey

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

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

// ErrUnencodable is returned for variables whose value cannot be told from its bytes:
// uploads, pointers, structs and other types than those of decoded JSON, NaN and the
// infinities, nesting beyond 100 levels. Such a request must not be cached.
var ErrUnencodable = errors.New("opkey: a variable cannot be encoded")

// maxDepth bounds the nesting of variables: a client chooses it.
const maxDepth = 100

// AppendVariables appends the canonical form of an operation's coerced variables, see the
// package comment. nil and an empty map are the same: no variables. It does not allocate
// for maps of up to 16 keys, beyond growing dst. On error the bytes are returned as far
// as they were written.
func AppendVariables(dst []byte, vars map[string]any) ([]byte, error) {
	return appendMap(dst, vars, 0)
}

// appendMap appends a count and the members by name.
func appendMap(dst []byte, m map[string]any, depth int) ([]byte, error) {
	dst = appendCount(dst, len(m))
	if len(m) == 0 {
		return dst, nil
	}
	var buf [inPlace]string
	keys := buf[:0]
	if len(m) > inPlace {
		keys = make([]string, 0, len(m))
	}
	for k := range m {
		keys = append(keys, k)
	}
	sortKeys(keys)
	var err error
	for _, k := range keys {
		dst = AppendPart(dst, k)
		if dst, err = appendValue(dst, m[k], depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// sortKeys sorts a few keys by insertion: that is quicker, and keeps the array on the
// stack.
func sortKeys(keys []string) {
	if len(keys) > inPlace {
		slices.Sort(keys)
		return
	}
	for i := 1; i < len(keys); i++ {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
}

func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, ErrUnencodable
	}
	switch v := v.(type) {
	case nil:
		return append(dst, 'n'), nil
	case bool:
		return appendBool(dst, v), nil
	case string:
		return AppendPart(append(dst, 's'), v), nil
	case json.Number:
		// The text as it came: 1 and 1.0 differ for a custom scalar.
		return AppendPart(append(dst, '#'), string(v)), nil
	case int64:
		return appendNumber(dst, reflect.Int64, uint64(v)), nil
	case int:
		return appendNumber(dst, reflect.Int, uint64(v)), nil
	case float64:
		return appendFloat(dst, reflect.Float64, v)
	case []any:
		return appendList(dst, v, depth)
	case map[string]any:
		if v == nil {
			return append(dst, 'O'), nil
		}
		return appendMap(append(dst, 'o'), v, depth)
	}
	return appendReflected(dst, reflect.ValueOf(v), depth)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 't')
	}
	return append(dst, 'f')
}

// appendNumber keeps the Go kind: a resolver that gets its argument as any can tell them
// apart.
func appendNumber(dst []byte, kind reflect.Kind, bits uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 'k', byte(kind)), bits)
}

// appendFloat refuses what JSON has no text for. NaN moreover differs from itself.
func appendFloat(dst []byte, kind reflect.Kind, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, ErrUnencodable
	}
	return appendNumber(dst, kind, math.Float64bits(f)), nil
}

// appendList tells a nil list from an empty one: both are empty lists to GraphQL, but a
// scalar that encodes its value as JSON answers null for the one and [] for the other.
func appendList(dst []byte, list []any, depth int) ([]byte, error) {
	if list == nil {
		return append(dst, 'L'), nil
	}
	dst = appendCount(append(dst, 'l'), len(list))
	var err error
	for _, v := range list {
		if dst, err = appendValue(dst, v, depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// AppendPart appends a part with its length, so that no part can reach into the next one.
func AppendPart[T string | []byte](dst []byte, part T) []byte {
	dst = appendCount(dst, len(part))
	return append(dst, part...)
}

// CutPart takes what AppendPart has appended from the beginning of b. ok is false when
// there is none.
func CutPart(b []byte) (part, rest []byte, ok bool) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return nil, b, false
	}
	end := width + int(n)
	return b[width:end], b[end:], true
}

func appendCount(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n)) // nearly always
	}
	return binary.AppendUvarint(dst, uint64(n))
}

// inPlace is how many elements are sorted without an allocation.
const inPlace = 16

// sorted appends to idx the indices of list in the order of the elements' names. The list
// is shared with others and stays as it is. Elements of one name, which validation
// refuses, keep their order. Short lists are sorted by insertion; long ones are not,
// since a client chooses their length.
func sorted[E any](idx []int32, list []E, name func(E) string) []int32 {
	if len(list) <= inPlace {
		for i := range list {
			idx = append(idx, int32(i))
			for j := i; j > 0 && name(list[idx[j]]) < name(list[idx[j-1]]); j-- {
				idx[j], idx[j-1] = idx[j-1], idx[j]
			}
		}
		return idx
	}
	long := make([]int32, len(list))
	for i := range long {
		long[i] = int32(i)
	}
	slices.SortStableFunc(long, func(a, b int32) int { return cmp.Compare(name(list[a]), name(list[b])) })
	return long
}
