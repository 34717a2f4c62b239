package opkey

import (
	"encoding/json"
	"reflect"
)

var numberType = reflect.TypeFor[json.Number]()

// appendReflected handles the types that coercion makes besides those of decoded JSON: a
// single value given for a list becomes a slice of the value's own type, []string or
// [][]int64. Anything with a name of its own is refused: what it means may be more than
// what is seen of it here, as for an upload, a time or a file.
func appendReflected(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, ErrUnencodable
	}
	if v.Type() == numberType {
		return AppendPart(append(dst, '#'), v.String()), nil
	}
	if v.Type().PkgPath() != "" {
		return dst, ErrUnencodable
	}
	switch kind := v.Kind(); kind {
	case reflect.Bool:
		return appendBool(dst, v.Bool()), nil
	case reflect.String:
		return AppendPart(append(dst, 's'), v.String()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return appendNumber(dst, kind, uint64(v.Int())), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return appendNumber(dst, kind, v.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return appendFloat(dst, kind, v.Float())
	case reflect.Interface:
		if v.IsNil() {
			return append(dst, 'n'), nil
		}
		return appendValue(dst, v.Elem().Interface(), depth)
	case reflect.Slice:
		return appendSlice(dst, v, depth)
	case reflect.Map:
		return appendReflectedMap(dst, v, depth)
	}
	return dst, ErrUnencodable
}

func appendSlice(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.IsNil() {
		return append(dst, 'L'), nil
	}
	dst = appendCount(append(dst, 'l'), v.Len())
	var err error
	for i := range v.Len() {
		if dst, err = appendReflected(dst, v.Index(i), depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendReflectedMap(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.Type().Key() != reflect.TypeFor[string]() {
		return dst, ErrUnencodable
	}
	if v.IsNil() {
		return append(dst, 'O'), nil
	}
	keys := v.MapKeys()
	dst = appendCount(append(dst, 'o'), len(keys))
	var err error
	for _, i := range sorted(make([]int32, 0, inPlace), keys, reflect.Value.String) {
		dst = AppendPart(dst, keys[i].String())
		if dst, err = appendReflected(dst, v.MapIndex(keys[i]), depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}
