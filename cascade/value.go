package cascade

import (
	"reflect"

	"github.com/cascadeql/cascadeql/extractor"
)

// A Value is a column's value in canonical text: what two spellings of one value have in common, so
// that an event's value and a read's operand can be compared. The zero Value is unknown.
type Value struct {
	kind valueKind
	text string
}

type valueKind uint8

const (
	valueUnknown valueKind = iota
	valueNull
	valueText
)

// Null is the value of a column without one.
var Null = Value{kind: valueNull}

// IsNull says whether v is null.
func (v Value) IsNull() bool { return v.kind == valueNull }

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

// ValueOf returns the canonical value of a Go value as it comes out of variables and resolvers:
// strings, numbers, booleans, nil, and types based on them. Anything else is unknown, which widens.
func ValueOf(v any) Value {
	if v == nil {
		return Null
	}
	if t, ok := extractor.CanonicalValue(v); ok {
		return Value{kind: valueText, text: t}
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Interface:
		if rv.IsNil() {
			return Null
		}
		return ValueOf(rv.Elem().Interface())
	case reflect.String: // an enum's Go type
		if t, ok := extractor.CanonicalValue(rv.String()); ok {
			return Value{kind: valueText, text: t}
		}
	}
	return Value{}
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

// valuesAt flattens what a path leads to: a scalar gives one value, a list one per element, at any
// depth. Absent and null give none and null=true; ok is false when something in it is unknown.
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
