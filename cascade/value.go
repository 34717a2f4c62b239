package cascade

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"

	"github.com/cascadeql/cascadeql/extractor"
)

// A Value is a column's value in canonical text: what two spellings of one value have in
// common, so that an event's value and a read's operand can be compared. The zero Value
// is unknown.
type Value struct {
	kind valueKind
	text string
	// exact is the text as it was given, where text is another: two values are equal only
	// if nobody can tell them apart.
	exact string
}

type valueKind uint8

const (
	valueUnknown valueKind = iota
	valueNull
	valueText
	valueClass // a class of a text: see fold.go
)

// Null is the value of a column without one.
var Null = Value{kind: valueNull}

// IsNull says whether v is null.
func (v Value) IsNull() bool { return v.kind == valueNull }

// mayBeAbsent says that v is null or a text without characters.
func (v Value) mayBeAbsent() bool {
	return v.kind == valueNull || v.kind == valueText && strings.TrimSpace(v.text) == ""
}

// Known says whether v holds a value or null.
func (v Value) Known() bool { return v.kind != valueUnknown }

// String returns the canonical text; "null" and "?" stand for null and unknown.
func (v Value) String() string {
	switch v.kind {
	case valueNull:
		return "null"
	case valueText:
		return v.text
	default:
		return "?"
	}
}

// ValueOf returns the canonical value of a Go value as it comes out of variables and
// resolvers: strings, numbers, booleans, nil, types based on them, and pointers to these.
// A value with a method MarshalGQL(io.Writer), such as an enum's, has the value that this
// writes. Anything else is unknown, which widens.
func ValueOf(v any) Value {
	switch v := v.(type) {
	case nil:
		return Null
	case string:
		return textValue(v)
	case json.Number:
		return numberValue(v)
	}
	rv := reflect.ValueOf(v)
	if k := rv.Kind(); k == reflect.Pointer && rv.IsNil() {
		return Null
	}
	if m, ok := v.(marshaler); ok {
		return marshaled(m)
	}
	switch rv.Kind() {
	case reflect.Pointer:
		return ValueOf(rv.Elem().Interface())
	case reflect.String:
		return textValue(rv.String())
	}
	if t, ok := extractor.CanonicalValue(v); ok {
		return Value{kind: valueText, text: t}
	}
	return Value{}
}

func numberValue(n json.Number) Value {
	t, ok := extractor.CanonicalValue(n)
	if !ok {
		return Value{}
	}
	return Value{kind: valueText, text: t}
}

func textValue(s string) Value {
	v := Value{kind: valueText, text: extractor.CanonicalString(s)}
	if v.text != s {
		v.exact = s
	}
	return v
}

// marshaler is graphql.Marshaler.
type marshaler interface{ MarshalGQL(w io.Writer) }

// marshaled returns the value that a marshaler of the user writes: what clients see, and
// what the schema's constants are written like. One that panics is unknown.
func marshaled(m marshaler) (v Value) {
	defer func() {
		if recover() != nil {
			v = Value{}
		}
	}()
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return valueOfJSON(bytes.TrimSpace(b.Bytes()))
}

// valueOfJSON returns the canonical value of a raw JSON scalar.
func valueOfJSON(raw []byte) Value {
	if len(raw) == 0 {
		return Value{}
	}
	switch raw[0] {
	case 'n':
		return Null
	case '{', '[':
		return Value{}
	}
	id := extractor.CanonicalID(raw)
	if id == nil {
		return Value{} // no JSON scalar
	}
	return Value{kind: valueText, text: string(id)}
}

// valuesAt flattens what a path leads to: a scalar gives one value, a list one per
// element, at any depth. Absent and null give none and null=true; ok is false when
// something in it is unknown.
func valuesAt(v any, path []string) (list []Value, null, ok bool) {
	for len(path) > 0 {
		switch m := v.(type) {
		case nil:
			return nil, true, true
		case map[string]any:
			next, present := m[path[0]]
			if !present {
				return nil, true, true
			}
			v, path = next, path[1:]
		case []any:
			return valuesOfEach(m, path)
		default:
			return nil, false, false
		}
	}
	switch x := v.(type) {
	case nil:
		return nil, true, true
	case []any:
		return valuesOfEach(x, nil)
	case map[string]any:
		return nil, false, false
	}
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Slice {
		// gqlparser coerces a single value in a list position to a typed slice
		elems := make([]any, rv.Len())
		for i := range elems {
			elems[i] = rv.Index(i).Interface()
		}
		return valuesOfEach(elems, nil)
	}
	val := ValueOf(v)
	if !val.Known() {
		return nil, false, false
	}
	if val.IsNull() {
		return nil, true, true
	}
	return []Value{val}, false, true
}

func valuesOfEach(elems []any, path []string) (list []Value, null, ok bool) {
	for _, e := range elems {
		vs, isNull, ok := valuesAt(e, path)
		if !ok {
			return nil, false, false
		}
		if isNull {
			vs = []Value{Null}
		}
		list = append(list, vs...)
	}
	return list, false, true
}
